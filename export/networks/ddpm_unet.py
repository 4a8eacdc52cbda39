"""A pixel U-Net in the shape of diffusers' UNet2DModel: residual blocks, attention as matrix products, epsilon out."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .fixture import Fixture, Input, draw, f32, initialise

CHANNELS = 12
WIDE = 24
GROUPS = 4
TIME = 24


def timestep_embedding(t: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """[b] times to [b, size]: sines, then cosines, of geometrically spaced frequencies."""
    half = size // 2
    exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32) / half
    # In float32 whatever the precision of the network: a graph holds the folded float32 numbers.
    frequencies = torch.exp(exponent).to(dtype)
    angles = t[:, None].to(dtype) * frequencies[None, :]
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)


class ResidualBlock(nn.Module):
    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, c_in, eps=1e-5)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.time = nn.Linear(TIME, c_out)
        self.norm2 = nn.GroupNorm(GROUPS, c_out, eps=1e-5)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time(F.silu(emb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return self.shortcut(x) + h


class Attention(nn.Module):
    """Self-attention over pixels with separate projections and heads moved into the batch."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = f32(1 / math.sqrt(channels // heads))
        self.norm = nn.GroupNorm(GROUPS, channels, eps=1e-6)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.Linear(channels, channels)

    def split(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        return x.reshape(b, n, self.heads, c // self.heads).permute(0, 2, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        b, c, height, width = x.shape
        tokens = self.norm(x).view(b, c, height * width).transpose(1, 2)
        q, k, v = self.split(self.to_q(tokens)), self.split(self.to_k(tokens)), self.split(self.to_v(tokens))
        weights = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) * self.scale, dim=-1)
        out = torch.matmul(weights, v).permute(0, 2, 1, 3).reshape(b, height * width, c)
        out = self.to_out(out).transpose(-1, -2).reshape(b, c, height, width)
        return x + out


class Downsample(nn.Module):
    """Strided convolution with the odd padding (0, 1, 0, 1) of the DDPM code."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode='nearest'))


class DdpmUnet(nn.Module):
    """Two resolutions; the time is one number for the whole batch and is broadcast inside, as in diffusers."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(CHANNELS, TIME), nn.SiLU(), nn.Linear(TIME, TIME))
        self.conv_in = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.down1 = ResidualBlock(CHANNELS, CHANNELS)
        self.downsample = Downsample(CHANNELS)
        self.down2 = ResidualBlock(CHANNELS, WIDE)
        self.attention = Attention(WIDE, heads=4)
        self.middle = ResidualBlock(WIDE, WIDE)
        self.up2 = ResidualBlock(WIDE + WIDE, CHANNELS)
        self.upsample = Upsample(CHANNELS)
        self.up1 = ResidualBlock(CHANNELS + CHANNELS, CHANNELS)
        self.norm_out = nn.GroupNorm(GROUPS, CHANNELS, eps=1e-5)
        self.conv_out = nn.Conv2d(CHANNELS, 3, 3, padding=1)

    def forward(self, sample: Tensor, timestep: Tensor) -> Tensor:
        timesteps = timestep * torch.ones(sample.shape[0], dtype=timestep.dtype)
        emb = self.time(timestep_embedding(timesteps, CHANNELS, sample.dtype))
        h1 = self.down1(self.conv_in(sample), emb)
        h2 = self.attention(self.down2(self.downsample(h1), emb))
        h = self.middle(h2, emb)
        h = self.up2(torch.cat([h, h2], dim=1), emb)
        h = self.up1(torch.cat([self.upsample(h), h1], dim=1), emb)
        return self.conv_out(F.silu(self.norm_out(h)))


def fixtures() -> list[Fixture]:
    batch = {0: 'batch'}

    def one(name: str, opset: int, time: Tensor, note: str, time_axes: dict[int, str]) -> Fixture:
        return Fixture(
            name=name,
            imitates='diffusers UNet2DModel (DDPM), epsilon out',
            build=lambda: initialise(DdpmUnet(), seed=11),
            inputs={
                'x': Input('sample', draw(101, 2, 3, 16, 16), batch),
                'time': Input('timestep', time, time_axes),
            },
            output='out_sample',
            output_axes=batch,
            opset=opset,
            note=note,
        )

    return [
        one('ddpm-unet', 13, torch.tensor(281), 'time of rank 0, int64, cast inside', {}),
        one('ddpm-unet-opset11', 11, torch.tensor([281.0]), 'time [1]: one for the whole batch; older operator forms', {}),
    ]
