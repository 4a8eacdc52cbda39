"""A latent model in three graphs: encoder, decoder, and a denoiser of latents that attends to a text embedding."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .ddpm_unet import timestep_embedding
from .fixture import Exporter, Fixture, Input, Store, draw, f32, initialise

LATENT = 4
WIDTH = 16
TEXT = 12
HEADS = 2


class Encoder(nn.Module):
    """A 3x32x32 image to mean and log-variance of a 4x8x8 latent, stacked along channels as AutoencoderKL does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, 12, 3, padding=1)
        self.down1 = nn.Conv2d(12, WIDTH, 4, stride=2, padding=1)
        self.norm = nn.GroupNorm(4, WIDTH, eps=1e-6)
        self.down2 = nn.Conv2d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.moments = nn.Conv2d(WIDTH, 2 * LATENT, 1)

    def forward(self, sample: Tensor) -> Tensor:
        h = F.elu(self.down1(F.silu(self.conv_in(sample))))
        mean, logvar = self.moments(F.silu(self.down2(self.norm(h)))).chunk(2, dim=1)
        return torch.cat([mean, logvar.clamp(-30.0, 20.0)], dim=1)


class Decoder(nn.Module):
    """Back to 3x32x32: a transposed convolution with output padding, then a bilinear one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(LATENT, WIDTH, 3, padding=1)
        self.norm = nn.GroupNorm(4, WIDTH, eps=1e-6)
        self.up = nn.ConvTranspose2d(WIDTH, 12, 3, stride=2, padding=1, output_padding=1)
        self.conv = nn.Conv2d(12, 12, 3, padding=1)
        self.conv_out = nn.Conv2d(12, 3, 3, padding=1)

    def forward(self, latent_sample: Tensor) -> Tensor:
        h = self.up(F.silu(self.norm(self.conv_in(latent_sample))))
        h = F.interpolate(h, scale_factor=2.0, mode='bilinear', align_corners=False)
        return torch.tanh(self.conv_out(F.silu(self.conv(h))))


class CrossAttention(nn.Module):
    """Queries from pixels, keys and values from the context (the pixels themselves where there is none)."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.scale = f32(1 / math.sqrt(width // HEADS))
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Linear(width, width)

    def heads(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        return x.reshape(b, n, HEADS, c // HEADS).permute(0, 2, 1, 3).reshape(b * HEADS, n, c // HEADS)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.heads(self.to_q(x)), self.heads(self.to_k(context)), self.heads(self.to_v(context))
        empty = torch.zeros(q.shape[0], n, k.shape[1], dtype=q.dtype)
        weights = torch.baddbmm(empty, q, k.transpose(-1, -2), beta=0, alpha=self.scale).softmax(dim=-1)
        out = torch.bmm(weights, v).reshape(b, HEADS, n, c // HEADS).permute(0, 2, 1, 3).reshape(b, n, c)
        return self.to_out(out)


class TransformerBlock(nn.Module):
    """Self-attention, cross-attention and a GEGLU feed-forward layer with the exact (Erf) GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH) for _ in range(3)])
        self.self_attention = CrossAttention(WIDTH, WIDTH)
        self.cross_attention = CrossAttention(WIDTH, TEXT)
        self.inner = nn.Linear(WIDTH, 4 * WIDTH)
        self.outer = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        h = self.norms[0](x)
        x = x + self.self_attention(h, h)
        x = x + self.cross_attention(self.norms[1](x), text)
        value, gate = self.inner(self.norms[2](x)).chunk(2, dim=-1)
        return x + self.outer(value * F.gelu(gate))


class LatentDenoiser(nn.Module):
    """v-prediction on 4x8x8 latents; inputs are named and shaped as optimum exports a Stable Diffusion U-Net."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.conv_in = nn.Conv2d(LATENT, WIDTH, 3, padding=1)
        self.norm = nn.GroupNorm(4, WIDTH, eps=1e-6)
        self.block = TransformerBlock()
        self.down = nn.Conv2d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.up = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.norm_out = nn.GroupNorm(4, 2 * WIDTH)
        self.conv_out = nn.Conv2d(2 * WIDTH, LATENT, 3, padding=1)

    def forward(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        emb = self.time(timestep_embedding(timestep.expand(sample.shape[0]), WIDTH, sample.dtype))
        skip = self.conv_in(sample) + emb[:, :, None, None]
        h = F.silu(self.down(skip))
        b, c, height, width = h.shape
        tokens = self.norm(h).permute(0, 2, 3, 1).reshape(b, height * width, c)
        tokens = self.block(tokens, encoder_hidden_states)
        h = h + tokens.reshape(b, height, width, c).permute(0, 3, 1, 2)
        h = self.up(F.interpolate(h, size=skip.shape[2:], mode='nearest'))
        return self.conv_out(F.silu(self.norm_out(torch.cat([h, skip], dim=1))))


def fixtures() -> list[Fixture]:
    batch = {0: 'batch'}

    def encoder(name: str, store: Store, note: str) -> Fixture:
        return Fixture(
            name=name,
            imitates='AutoencoderKL encoder as optimum exports it',
            build=lambda: initialise(Encoder(), seed=18),
            # Rounded to float16, so that the graph in that type is given the same point.
            inputs={'x': Input('sample', draw(108, 1, 3, 32, 32).half().float(), batch)},
            output='latent_parameters',
            output_axes=batch,
            opset=14,
            store=store,
            note=note,
        )

    def denoiser(name: str, opset: int, exporter: Exporter, note: str) -> Fixture:
        return Fixture(
            name=name,
            imitates='Stable Diffusion U-Net as optimum exports it, v out',
            build=lambda: initialise(LatentDenoiser(), seed=20),
            inputs={
                'x': Input('sample', draw(110, 2, LATENT, 8, 8), batch),
                'time': Input('timestep', torch.tensor(500.0)),
                'text': Input('encoder_hidden_states', draw(111, 2, 5, TEXT), {0: 'batch', 1: 'sequence'}),
            },
            output='out_sample',
            output_axes=batch,
            opset=opset,
            exporter=exporter,
            note=note,
        )

    return [
        encoder('latent-encoder', 'float32', '8 channels out: mean, then log-variance (Clip); Elu'),
        encoder('latent-encoder-float16', 'float16', 'inputs, weights and constants float16'),
        encoder('latent-encoder-external', 'external', 'weights in the `.onnx_data` file beside it'),
        Fixture(
            name='latent-decoder',
            imitates='AutoencoderKL decoder as optimum exports it',
            build=lambda: initialise(Decoder(), seed=19),
            inputs={'x': Input('latent_sample', draw(109, 1, LATENT, 8, 8), batch)},
            output='sample',
            output_axes=batch,
            opset=14,
            note='ConvTranspose with output padding, bilinear Resize, Tanh',
        ),
        denoiser('latent-denoiser', 14, 'trace', 'time of rank 0, float; text embedding [b, 5, 12]; Erf'),
        denoiser('latent-denoiser-opset20', 20, 'dynamo', 'LayerNormalization, Gelu; shapes by newer operators'),
    ]
