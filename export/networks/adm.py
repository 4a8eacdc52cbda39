"""A U-Net in the shape of OpenAI's guided-diffusion: resampling inside residual blocks, scale-shift norm, classes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .ddpm_unet import timestep_embedding
from .fixture import Exporter, Fixture, Input, draw, f32, initialise

CHANNELS = 12
GROUPS = 4
TIME = 32
CLASSES = 5


class ResidualBlock(nn.Module):
    """Pre-activation block whose second norm is scaled and shifted by the embedding; `resample` acts on both branches."""

    def __init__(self, c_in: int, c_out: int, resample: str = 'none') -> None:
        super().__init__()
        self.resample = resample
        self.norm1 = nn.GroupNorm(GROUPS, c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.emb = nn.Linear(TIME, 2 * c_out)
        self.norm2 = nn.GroupNorm(GROUPS, c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.skip = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def change(self, x: Tensor) -> Tensor:
        if self.resample == 'down':
            return F.avg_pool2d(x, kernel_size=2, stride=2)
        if self.resample == 'up':
            return F.interpolate(x, scale_factor=2, mode='nearest')
        return x

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.conv1(self.change(F.silu(self.norm1(x))))
        scale, shift = torch.chunk(self.emb(F.silu(emb))[:, :, None, None], 2, dim=1)
        h = self.norm2(h) * (1 + scale) + shift
        return self.skip(self.change(x)) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """Heads of q, k, v interleaved in one 1x1 convolution, contracted by einsum with the scale shared by q and k."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = f32((channels // heads) ** -0.25)
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        b, c, height, width = x.shape
        flat = x.reshape(b, c, -1)
        qkv = self.qkv(self.norm(flat)).reshape(b * self.heads, 3 * c // self.heads, height * width)
        q, k, v = qkv.split(c // self.heads, dim=1)
        weights = torch.einsum('bct,bcs->bts', q * self.scale, k * self.scale)
        out = torch.einsum('bts,bcs->bct', torch.softmax(weights, dim=-1), v).reshape(b, c, -1)
        return (flat + self.proj(out)).reshape(b, c, height, width)


class Adm(nn.Module):
    """Class-conditional, with learned variance: twice the channels out, the first half is epsilon."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(CHANNELS, TIME), nn.SiLU(), nn.Linear(TIME, TIME))
        self.label = nn.Embedding(CLASSES, TIME)
        self.conv_in = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.down = ResidualBlock(CHANNELS, CHANNELS, 'down')
        self.low = ResidualBlock(CHANNELS, 2 * CHANNELS)
        self.attention = Attention(2 * CHANNELS, heads=2)
        self.up = ResidualBlock(2 * CHANNELS, CHANNELS, 'up')
        self.high = ResidualBlock(2 * CHANNELS, CHANNELS)
        self.norm_out = nn.GroupNorm(GROUPS, CHANNELS)
        self.conv_out = nn.Conv2d(CHANNELS, 6, 3, padding=1)

    def forward(self, x: Tensor, timesteps: Tensor, y: Tensor) -> Tensor:
        emb = self.time(timestep_embedding(timesteps, CHANNELS, x.dtype)) + self.label(y)
        skip = self.conv_in(x)
        h = self.attention(self.low(self.down(skip, emb), emb))
        h = self.high(torch.cat([self.up(h, emb), skip], dim=1), emb)
        return self.conv_out(F.silu(self.norm_out(h)))


def fixtures() -> list[Fixture]:
    batch = {0: 'batch'}

    def one(name: str, opset: int, exporter: Exporter, note: str) -> Fixture:
        return Fixture(
            name=name,
            imitates='guided-diffusion UNetModel, epsilon and learned variance out',
            build=lambda: initialise(Adm(), seed=12),
            inputs={
                'x': Input('x', draw(102, 2, 3, 16, 16), batch),
                'time': Input('timesteps', torch.tensor([37, 615]), batch),
                'labels': Input('y', torch.tensor([3, 1]), batch),
            },
            output='output',
            output_axes=batch,
            opset=opset,
            exporter=exporter,
            note=note,
        )

    return [
        one('adm', 13, 'trace', 'time [b] int64; class labels [b] int64; 2c channels out'),
        one('adm-opset21', 21, 'dynamo', 'GroupNormalization operator, Split by number of outputs'),
    ]
