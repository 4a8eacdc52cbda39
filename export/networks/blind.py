"""Bias-free denoisers that are not told the noise level; the output is the residual F, the denoised image is x - F(x)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .fixture import Fixture, Input, draw, initialise

GAIN = math.sqrt(2)  # He: keeps the size of activations through ReLU


class ScaleNorm(nn.Module):
    """Divides by a stored deviation and scales, without a mean and a shift: homogeneous of degree 1."""

    def __init__(self, channels: int, seed: int) -> None:
        super().__init__()
        self.register_buffer('deviation', draw(seed, 1, channels, 1, 1).abs() * 0.3 + 0.8)
        self.gains = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.start = draw(seed + 1, 1, channels, 1, 1) * 0.1 + 1

    def forward(self, x: Tensor) -> Tensor:
        return x / self.deviation * self.gains


class BlindCnn(nn.Module):
    """Dilated 3x3 filters of any image size; the second norm is a BatchNormalization with mean and shift zero."""

    def __init__(self) -> None:
        super().__init__()
        width = 16

        def conv(c_in: int, c_out: int, dilation: int) -> nn.Conv2d:
            return nn.Conv2d(c_in, c_out, 3, padding=dilation, dilation=dilation, bias=False)

        self.first = conv(1, width, 1)
        self.convs = nn.ModuleList([conv(width, width, 2), conv(width, width, 3), conv(width, width, 4)])
        self.scale = ScaleNorm(width, seed=21)
        self.batch = nn.BatchNorm2d(width, eps=1e-3)
        self.slopes = nn.PReLU(width)
        self.last = conv(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        h = F.leaky_relu(self.scale(self.convs[0](h)), 0.125)
        h = F.relu(self.batch(self.convs[1](h)))
        h = self.slopes(self.convs[2](h))
        return self.last(h)


class BlindUnet(nn.Module):
    """Average pooling down, transposed convolution up, the skip cropped or padded to fit odd sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3, 12, 3, padding=1, bias=False)
        self.low = nn.Conv2d(12, 24, 3, padding=1, bias=False)
        self.grouped = nn.Conv2d(24, 24, 3, padding=1, groups=4, bias=False)
        self.up = nn.ConvTranspose2d(24, 12, 2, stride=2, bias=False)
        self.leave = nn.Conv2d(24, 12, 3, padding=1, bias=False)
        self.last = nn.Conv2d(12, 3, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        skip = F.relu(self.enter(x))
        low = F.relu(self.grouped(F.relu(self.low(F.avg_pool2d(skip, 2)))))
        up = self.up(low)
        rows, columns = skip.shape[2] - up.shape[2], skip.shape[3] - up.shape[3]
        up = F.pad(up, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        return self.last(F.relu(self.leave(torch.cat([skip, up], dim=1))))


def build_cnn() -> nn.Module:
    model = initialise(BlindCnn(), seed=16, gain=GAIN)
    with torch.no_grad():
        model.scale.gains.copy_(model.scale.start)
        model.batch.running_var.copy_(draw(23, 16).abs() * 0.5 + 0.5)
        model.batch.bias.zero_()
        model.slopes.weight.copy_(draw(24, 16).abs() * 0.2)
    return model


def fixtures() -> list[Fixture]:
    free = {0: 'batch', 2: 'height', 3: 'width'}
    return [
        Fixture(
            name='blind-cnn',
            imitates='bias-free CNN (blind, residual out): D(x) = x - F(x) and F(x) = J(x) x',
            build=build_cnn,
            inputs={'x': Input('input', draw(106, 2, 1, 14, 11), free)},
            output='residual',
            output_axes=free,
            opset=11,
            keep_batch_norm=True,
            note='no time; height and width free; BatchNormalization, PRelu, dilations 1 to 4',
        ),
        Fixture(
            name='blind-unet',
            imitates='bias-free U-Net (blind, residual out)',
            build=lambda: initialise(BlindUnet(), seed=17, gain=GAIN),
            inputs={'x': Input('input', draw(107, 1, 3, 13, 18))},
            output='residual',
            opset=12,
            note='no time; odd height; grouped convolution, ConvTranspose, Pad of computed size',
        ),
    ]
