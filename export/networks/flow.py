"""A flow-matching network of mixed parts: pixel (un)shuffle, instance norm, rarer activations, other paddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .fixture import Exporter, Fixture, Input, draw, f32, initialise

WIDTH = 24
SIDE = 8


def hard_sigmoid(x: Tensor) -> Tensor:
    """The operator in a graph; written out elsewhere, for PyTorch does not differentiate it twice."""
    return F.hardsigmoid(x) if torch.onnx.is_in_onnx_export() else torch.clamp(x / 6 + 0.5, 0, 1)


class Gate(nn.Module):
    """Channel weights from a global average, with a hard sigmoid, and from a global maximum, with a soft one."""

    def __init__(self) -> None:
        super().__init__()
        self.average = nn.Conv2d(WIDTH, WIDTH, 1)
        self.peak = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        average = hard_sigmoid(self.average(F.adaptive_avg_pool2d(x, 1)))
        peak = torch.sigmoid(self.peak(x.amax(dim=(2, 3))))
        return x * average * (0.5 + peak[:, :, None, None])


class Mixer(nn.Module):
    """Mixes positions, then channels, as MLPs do; the time bends both."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(WIDTH, affine=True)
        self.positions = nn.Linear(SIDE * SIDE, SIDE * SIDE)
        self.first = nn.Linear(WIDTH, 2 * WIDTH)
        self.second = nn.Linear(2 * WIDTH, WIDTH)
        self.time = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        b, c, height, width = x.shape
        h = self.norm(x) + F.mish(self.time(emb))[:, :, None, None]
        h = h.flatten(2)
        h = h + F.gelu(self.positions(h))
        h = self.second(F.softplus(self.first(h.transpose(1, 2))))
        return x + h.transpose(1, 2).reshape(b, c, height, width)


class Flow(nn.Module):
    """Velocity n - x0 at x_t = (1 - t) x0 + t n, t in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(3, WIDTH), nn.Hardswish(), nn.Linear(WIDTH, WIDTH))
        self.conv_in = nn.Conv2d(12, WIDTH, 3)
        self.mixer = Mixer()
        self.gate = Gate()
        self.depthwise = nn.Conv2d(WIDTH, WIDTH, (3, 5), groups=WIDTH)
        self.norm = nn.GroupNorm(6, WIDTH)
        self.conv_out = nn.Conv2d(WIDTH, 12, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        signal = torch.clamp(1 - t, min=f32(1e-3))
        emb = self.time(torch.stack([t, t * t, torch.log(signal)], dim=-1).reshape(1, 3).expand(x.shape[0], 3))
        h = self.conv_in(F.pad(F.pixel_unshuffle(x, 2), (1, 1, 1, 1), mode='reflect'))
        h = self.gate(self.mixer(h, emb))
        h = h + F.elu(self.depthwise(F.pad(self.norm(h), (2, 2, 1, 1), mode='replicate')))
        h = torch.where(h > 0, h, h * 0.25) + F.relu6(h) * 0.5 + F.max_pool2d(h, 3, stride=1, padding=1) * 0.25
        return F.pixel_shuffle(self.conv_out(h), 2) + torch.minimum(x, torch.abs(x) * 0.5)


def fixtures() -> list[Fixture]:
    batch = {0: 'batch'}

    def one(name: str, opset: int, exporter: Exporter, note: str) -> Fixture:
        return Fixture(
            name=name,
            imitates='flow-matching network (MLP mixer on shuffled pixels), velocity out',
            build=lambda: initialise(Flow(), seed=22),
            inputs={
                'x': Input('x', draw(112, 2, 3, 16, 16), batch),
                'time': Input('t', torch.tensor(0.375)),
            },
            output='velocity',
            output_axes=batch,
            opset=opset,
            exporter=exporter,
            note=note,
        )

    return [
        one('flow-mixer', 16, 'trace', 'time of rank 0 in [0, 1]; rarer activations and paddings'),
        one('flow-mixer-opset18', 18, 'dynamo', 'reductions with axes as input; Mish'),
    ]
