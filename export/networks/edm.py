"""U-Nets in the shape of EDM's SongUNet with its preconditioning inside: sigma in, denoised image out."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .fixture import Fixture, Input, draw, f32, initialise

CHANNELS = 12
EMB = 24
CLASSES = 4
SIGMA_DATA = 0.5
SKIP = f32(math.sqrt(0.5))


class PositionalEmbedding(nn.Module):
    """Cosines, then sines; the caller swaps the halves, which exports as a Slice with step -1."""

    def __init__(self, size: int) -> None:
        super().__init__()
        exponent = torch.arange(size // 2, dtype=torch.float32) / (size // 2 - 1)
        self.register_buffer('frequencies', (1 / 10000) ** exponent)

    def forward(self, noise: Tensor) -> Tensor:
        angles = noise.ger(self.frequencies)
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class FourierEmbedding(nn.Module):
    """Random frequencies, drawn once and stored."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer('frequencies', draw(5, size // 2, scale=2.0) * f32(2 * math.pi))

    def forward(self, noise: Tensor) -> Tensor:
        angles = noise.ger(self.frequencies)
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Resample(nn.Module):
    """Depthwise [1, 3, 3, 1] filter with stride 2: a convolution down, a transposed convolution up.

    The filter is stored once and repeated over channels in the graph, as in EDM.
    """

    def __init__(self, channels: int, up: bool) -> None:
        super().__init__()
        self.channels = channels
        self.up = up
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer('filter', (taps.ger(taps) / taps.sum() ** 2)[None, None])

    def forward(self, x: Tensor) -> Tensor:
        if self.up:
            weight = (self.filter * 4).repeat(self.channels, 1, 1, 1)
            return F.conv_transpose2d(x, weight, groups=self.channels, stride=2, padding=1)
        return F.conv2d(x, self.filter.repeat(self.channels, 1, 1, 1), groups=self.channels, stride=2, padding=1)


class Block(nn.Module):
    def __init__(self, c_in: int, c_out: int, resample: str = 'none', heads: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.norm0 = nn.GroupNorm(4, c_in, eps=1e-6)
        self.conv0 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.affine = nn.Linear(EMB, 2 * c_out)
        self.norm1 = nn.GroupNorm(4, c_out, eps=1e-6)
        self.conv1 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.resample = nn.Identity() if resample == 'none' else Resample(c_in, resample == 'up')
        self.skip = nn.Conv2d(c_in, c_out, 1)
        if heads > 0:
            self.norm2 = nn.GroupNorm(4, c_out, eps=1e-6)
            self.qkv = nn.Conv2d(c_out, 3 * c_out, 1)
            self.proj = nn.Conv2d(c_out, c_out, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.conv0(self.resample(F.silu(self.norm0(x))))
        scale, shift = self.affine(emb).unsqueeze(2).unsqueeze(3).chunk(chunks=2, dim=1)
        h = F.silu(torch.addcmul(shift, self.norm1(h), scale + 1))
        x = (self.conv1(h) + self.skip(self.resample(x))) * SKIP
        return x if self.heads == 0 else (x + self.attend(x)) * SKIP

    def attend(self, x: Tensor) -> Tensor:
        b, c, height, width = x.shape
        q, k, v = self.qkv(self.norm2(x)).reshape(b * self.heads, c // self.heads, 3, -1).unbind(2)
        scale = f32(1 / math.sqrt(c // self.heads))
        weights = torch.einsum('ncq,nck->nqk', q, k * scale).softmax(dim=2)
        return self.proj(torch.einsum('nqk,nck->ncq', weights, v).reshape(b, c, height, width))


class SongUnet(nn.Module):
    def __init__(self, embedding: str, label_dim: int) -> None:
        super().__init__()
        self.swap = embedding == 'positional'
        self.noise = PositionalEmbedding(CHANNELS) if self.swap else FourierEmbedding(CHANNELS)
        self.map_label = nn.Linear(label_dim, CHANNELS, bias=False) if label_dim > 0 else None
        self.map0 = nn.Linear(CHANNELS, EMB)
        self.map1 = nn.Linear(EMB, EMB)
        self.conv_in = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.block1 = Block(CHANNELS, CHANNELS)
        self.down = Block(CHANNELS, CHANNELS, 'down')
        self.low = Block(CHANNELS, 20, heads=1)
        self.up = Block(20, CHANNELS, 'up')
        self.block2 = Block(2 * CHANNELS, CHANNELS)
        self.norm_out = nn.GroupNorm(4, CHANNELS, eps=1e-6)
        self.conv_out = nn.Conv2d(CHANNELS, 3, 3, padding=1)

    def forward(self, x: Tensor, noise: Tensor, labels: Tensor | None) -> Tensor:
        emb = self.noise(noise)
        if self.swap:
            emb = emb.reshape(emb.shape[0], 2, -1).flip(1).reshape(*emb.shape)
        if self.map_label is not None:
            emb = emb + self.map_label(labels * f32(math.sqrt(CLASSES)))
        emb = F.silu(self.map1(F.silu(self.map0(emb))))
        skip = self.block1(self.conv_in(x), emb)
        h = self.low(self.down(skip, emb), emb)
        h = self.block2(torch.cat([self.up(h, emb), skip], dim=1), emb)
        return self.conv_out(F.silu(self.norm_out(h)))


class Preconditioned(nn.Module):
    """D(x; sigma) = c_skip x + c_out F(c_in x; ln(sigma) / 4), Karras et al. 2022, table 1."""

    def __init__(self, embedding: str, label_dim: int = 0) -> None:
        super().__init__()
        self.net = SongUnet(embedding, label_dim)

    def forward(self, x: Tensor, sigma: Tensor, class_labels: Tensor | None = None) -> Tensor:
        sigma = sigma.reshape(-1, 1, 1, 1)
        total = sigma**2 + SIGMA_DATA**2
        c_skip = SIGMA_DATA**2 / total
        c_out = sigma * SIGMA_DATA / total.sqrt()
        c_in = 1 / total.sqrt()
        c_noise = sigma.log() / 4
        return c_skip * x + c_out * self.net(c_in * x, c_noise.flatten(), class_labels)


def fixtures() -> list[Fixture]:
    batch = {0: 'batch'}
    return [
        Fixture(
            name='edm-positional',
            imitates='EDM DDPM++ (SongUNet, positional) in EDMPrecond, denoised image out',
            build=lambda: initialise(Preconditioned('positional', CLASSES), seed=13),
            inputs={
                'x': Input('x', draw(103, 2, 3, 16, 16), batch),
                'time': Input('sigma', torch.tensor([0.8, 0.21]), batch),
                'labels': Input('class_labels', torch.eye(CLASSES)[[2, 0]], batch),
            },
            output='denoised',
            output_axes=batch,
            opset=13,
            note='sigma [b]; one-hot float labels [b, 4]',
        ),
        Fixture(
            name='edm-fourier',
            imitates='EDM NCSN++ (SongUNet, Fourier) in EDMPrecond, denoised image out',
            build=lambda: initialise(Preconditioned('fourier'), seed=14),
            inputs={
                'x': Input('x', draw(104, 1, 3, 16, 16)),
                'time': Input('sigma', torch.tensor(0.43)),
            },
            output='denoised',
            opset=16,
            note='sigma of rank 0; every shape fixed, batch 1',
        ),
    ]
