"""A transformer in the shape of DiT: patches, adaLN modulation, tanh GELU, classes from a table, learned variance."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .ddpm_unet import timestep_embedding
from .fixture import Exporter, Fixture, Input, Store, draw, f32, initialise

CHANNELS = 4
WIDTH = 24
HEADS = 4
PATCH = 2
SIDE = 8
CLASSES = 6
RMS_EPS = f32(1e-6)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return x * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1)


def rms_norm(x: Tensor) -> Tensor:
    """Root mean square 1 along the last axis, without weights, as newer transformers norm queries and keys."""
    if torch.onnx.is_in_onnx_export():
        return F.rms_norm(x, (WIDTH // HEADS,), eps=RMS_EPS)
    return x * torch.rsqrt((x * x).mean(dim=-1, keepdim=True) + RMS_EPS)


class Attention(nn.Module):
    """Self-attention; `modern` norms queries and keys and uses the operators of later versions."""

    def __init__(self, modern: bool) -> None:
        super().__init__()
        self.modern = modern
        self.scale = f32((WIDTH // HEADS) ** -0.5)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, HEADS, c // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        if self.modern:
            q, k = rms_norm(q), rms_norm(k)
            if torch.onnx.is_in_onnx_export():  # one operator in a graph; written out where it is differentiated twice
                out = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
                return self.proj(out.transpose(1, 2).reshape(b, n, c))
        weights = ((q @ k.transpose(-2, -1)) * self.scale).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))


class Block(nn.Module):
    def __init__(self, affine: bool, modern: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, elementwise_affine=affine, eps=1e-6)
        self.attention = Attention(modern)
        self.norm2 = nn.LayerNorm(WIDTH, elementwise_affine=affine, eps=1e-6)
        self.fc1 = nn.Linear(WIDTH, 2 * WIDTH)
        self.fc2 = nn.Linear(2 * WIDTH, WIDTH)
        self.modulation = nn.Linear(WIDTH, 6 * WIDTH)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(F.silu(condition)).chunk(6, dim=1)
        x = x + gate1.unsqueeze(1) * self.attention(modulate(self.norm1(x), shift1, scale1))
        hidden = F.gelu(self.fc1(modulate(self.norm2(x), shift2, scale2)), approximate='tanh')
        return x + gate2.unsqueeze(1) * self.fc2(hidden)


class Dit(nn.Module):
    def __init__(self, affine: bool, modern: bool) -> None:
        super().__init__()
        self.patch = nn.Conv2d(CHANNELS, WIDTH, PATCH, stride=PATCH)
        self.time = nn.Sequential(nn.Linear(16, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.label = nn.Embedding(CLASSES + 1, WIDTH)  # the last row means "no class"
        self.register_buffer('position', draw(7, 1, (SIDE // PATCH) ** 2, WIDTH, scale=0.5))
        self.blocks = nn.ModuleList([Block(affine, modern), Block(affine, modern)])
        self.norm = nn.LayerNorm(WIDTH, elementwise_affine=affine, eps=1e-6)
        self.modulation = nn.Linear(WIDTH, 2 * WIDTH)
        self.out = nn.Linear(WIDTH, PATCH * PATCH * 2 * CHANNELS)

    def unpatchify(self, x: Tensor) -> Tensor:
        side = SIDE // PATCH
        x = x.reshape(x.shape[0], side, side, PATCH, PATCH, 2 * CHANNELS)
        x = torch.einsum('nhwpqc->nchpwq', x)
        return x.reshape(x.shape[0], 2 * CHANNELS, SIDE, SIDE)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2) + self.position
        condition = self.time(timestep_embedding(t, 16, x.dtype)) + self.label(y)
        for block in self.blocks:
            tokens = block(tokens, condition)
        shift, scale = self.modulation(F.silu(condition)).chunk(2, dim=1)
        return self.unpatchify(self.out(modulate(self.norm(tokens), shift, scale)))


def fixtures() -> list[Fixture]:
    batch = {0: 'batch'}

    def one(name: str, opset: int, affine: bool, note: str, store: Store = 'float32', exporter: Exporter = 'trace') -> Fixture:
        return Fixture(
            name=name,
            imitates='DiT with learned variance (latent, 4 channels), epsilon out',
            build=lambda: initialise(Dit(affine, modern=exporter == 'dynamo'), seed=15),
            inputs={
                'x': Input('x', draw(105, 2, CHANNELS, SIDE, SIDE), batch),
                'time': Input('t', torch.tensor([412.0, 58.0]), batch),
                'labels': Input('y', torch.tensor([5, 6]), batch),
            },
            output='output',
            output_axes=batch,
            opset=opset,
            store=store,
            exporter=exporter,
            note=note,
        )

    return [
        one('dit', 16, False, 'layer norm written out; time [b] float'),
        one('dit-opset17', 17, True, 'LayerNormalization operator, with scale and shift'),
        one('dit-float16-weights', 14, True, 'weights float16, each cast to float32 before use', 'float16-weights'),
        one('dit-opset23', 23, False, 'Attention, RMSNormalization, Gelu operators', exporter='dynamo'),
    ]
