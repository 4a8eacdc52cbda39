"""What one fixture is: a seeded network, the inputs it is measured at, and how its graph is written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Callable, Literal

import torch
from torch import Tensor, nn


# How the file holds its weights: 'float16' is a graph in float16 throughout, 'float16-weights' casts each weight to
# float32 before use, 'external' keeps them in a second file beside the graph.
Store = Literal['float32', 'float16', 'float16-weights', 'external']


# Who writes the graph: the tracing exporter of torch 1.13, or the one on torch.export (dynamo) of torch 2.13.
Exporter = Literal['trace', 'dynamo']


@dataclass(frozen=True)
class Input:
    """One graph input: its name in the graph, its value at the point measured, and its free axes by number."""

    name: str
    value: Tensor
    axes: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fixture:
    """One file of test/models. `inputs` maps the role (x, time, labels, text) to the input, in the order of `forward`."""

    name: str
    imitates: str
    build: Callable[[], nn.Module]
    inputs: dict[str, Input]
    output: str
    opset: int
    note: str = ''
    output_axes: dict[int, str] = field(default_factory=dict)
    keep_batch_norm: bool = False
    store: Store = 'float32'
    exporter: Exporter = 'trace'


def initialise(model: nn.Module, seed: int, gain: float = 1.0) -> nn.Module:
    """Draws every weight afresh, so that no layer is dead, none is the identity and gains stay moderate.

    Matrices and filters get variance gain^2 / fan-in, embedding tables and biases a small spread, normalization gains
    spread around 1. Published networks start with zeroed last layers; here those are drawn like the rest.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(shape: torch.Size, mean: float, std: float) -> Tensor:
        return mean + std * torch.randn(shape, generator=generator)

    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if isinstance(module, nn.Embedding):
                    parameter.copy_(normal(parameter.shape, 0.0, 0.7))
                elif parameter.ndim > 1:
                    fan_in = parameter[0].numel()
                    if isinstance(module, nn.ConvTranspose2d):
                        # A pixel of the output sees every filter tap once in stride^2 positions.
                        fan_in = parameter.shape[0] * parameter[0, 0].numel() / math.prod(module.stride)
                    parameter.copy_(normal(parameter.shape, 0.0, gain / math.sqrt(fan_in)))
                elif name == 'weight':
                    parameter.copy_(normal(parameter.shape, 1.0, 0.1))
                else:
                    parameter.copy_(normal(parameter.shape, 0.0, 0.1))
    return model.eval()


def draw(seed: int, *shape: int, scale: float = 1.0) -> Tensor:
    """Standard normal numbers times `scale`, exactly representable in float32."""
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def f32(value: float) -> float:
    """The float32 nearest to `value`: a constant written so survives the export, and a float64 reference sees the same."""
    return float(torch.tensor(value, dtype=torch.float32))
