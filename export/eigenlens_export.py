"""Exports a PyTorch denoiser to ONNX in the form that Eigenlens reads, with reference values beside it.

One file, to copy next to your own code. Needs torch (1.13 or newer) and NumPy; from torch 2 on, the exporter of torch
itself needs the onnx package. docs/export.md has recipes for diffusers, EDM, guided-diffusion and DiT.

    from eigenlens_export import export_denoiser
    export_denoiser(model, 'model.onnx', (3, 32, 32), time='batch', time_value=0.5)
"""

from __future__ import annotations

import contextlib
import inspect
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

USUAL_NAMES = {
    'labels': ('class_labels', 'y', 'labels', 'class_label'),
    'text': ('encoder_hidden_states', 'context', 'text', 'text_embeddings'),
}


@dataclass(frozen=True)
class Input:
    """One graph input: its role, the name that forward() gives it, and a value for one sample."""

    role: str
    name: str
    value: Tensor


def export_denoiser(
    model: nn.Module,
    path: str | Path,
    sample_shape: tuple[int, ...],
    *,
    time: str = 'batch',
    time_value: float | int = 1.0,
    class_labels: Tensor | None = None,
    text: Tensor | None = None,
    names: Mapping[str, str] | None = None,
    dynamic_batch: bool = True,
    opset: int = 16,
) -> Path:
    """Writes the graph and, beside `model.onnx`, `model.reference.npz`: inputs by role (x, time, labels, text) and y.

    The model is left on the CPU, in float32 and in eval mode.

    model         called with the sample by position and the rest by keyword; the output may be a tensor, a tuple whose
                  first entry it is, or an object with a field `sample`
    sample_shape  one sample without batch: (3, 32, 32)
    time          'batch': one time a sample, [b]; 'scalar': one for the batch, of rank 0; 'none': a blind denoiser
    time_value    a time that the model knows; an int makes an int64 input, a float a float32 input
    class_labels  for one sample: int64 [1] into a table, or float [1, k] one-hot; none for unconditional models
    text          for one sample: the embedding [1, sequence, width]
    names         what forward() calls 'time' (default: its second parameter), 'labels' and 'text', where unusual
    opset         11 to 17 with torch 1.13, above that as your torch allows; 17 breaks LayerNorm without weights there

    Raises ValueError if the output is not finite, not repeatable, not the sample's shape (channels may double), or does
    not depend on the sample.
    """
    path = Path(path)
    if path.suffix != '.onnx':
        raise ValueError(f'path: expected a name that ends in .onnx, got {path.name}')
    if time not in ('batch', 'scalar', 'none'):
        raise ValueError(f"time: expected 'batch', 'scalar' or 'none', got {time!r}")
    prepare(model)
    inputs = example_inputs(model, sample_shape, time, time_value, class_labels, text, names or {})
    caller = Caller(model, [i.name for i in inputs]).eval()  # an export gives every part the mode of the whole
    with torch.no_grad():
        y = check(caller, inputs)
        with traceable():
            close(caller(*[i.value for i in inputs]), y, 'with its operators made traceable the model')
            export(caller, inputs, path, dynamic_batch, opset)
    np.savez(path.with_suffix('.reference.npz'), **{i.role: i.value.numpy() for i in inputs}, y=y.numpy())
    check_file(path, inputs, y)
    return path


def prepare(model: nn.Module) -> None:
    """CPU and float32, also where a model remembers another type; no gradients wanted."""
    model.to('cpu', torch.float32).requires_grad_(False)
    for module in model.modules():
        if vars(module).get('dtype') in (torch.float16, torch.bfloat16):  # guided-diffusion casts the sample to it
            module.dtype = torch.float32


def example_inputs(
    model: nn.Module,
    sample_shape: tuple[int, ...],
    time: str,
    time_value: float | int,
    class_labels: Tensor | None,
    text: Tensor | None,
    names: Mapping[str, str],
) -> list[Input]:
    """The inputs in the order of the graph."""
    parameters = list(inspect.signature(model.forward).parameters)

    def name(role: str) -> str:
        usual = parameters[1:2] if role == 'time' else [n for n in USUAL_NAMES[role] if n in parameters]
        if role in names:
            return names[role]
        if not usual:
            raise ValueError(f"{role}: forward({', '.join(parameters)}) has no such input; say names={{'{role}': ...}}")
        return usual[0]

    noise = torch.randn((1, *sample_shape), generator=torch.Generator().manual_seed(0))
    inputs = [Input('x', parameters[0], noise)]
    if time != 'none':
        dtype = torch.int64 if isinstance(time_value, int) else torch.float32
        value = torch.tensor(time_value if time == 'scalar' else [time_value], dtype=dtype)
        inputs.append(Input('time', name('time'), value))
    if class_labels is not None:
        inputs.append(Input('labels', name('labels'), class_labels))
    if text is not None:
        inputs.append(Input('text', name('text'), text.float()))
    return inputs


class Caller(nn.Module):
    """The model with all inputs by position and one tensor out, which is what the exporter wants."""

    def __init__(self, model: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, x: Tensor, *rest: Tensor) -> Tensor:
        out = self.model(x, **dict(zip(self.names[1:], rest)))
        if isinstance(out, Tensor):
            return out
        return out.sample if hasattr(out, 'sample') else out[0]


def check(caller: Caller, inputs: list[Input]) -> Tensor:
    """The output for the example inputs, refused where no derivative of it could mean anything."""
    x, *rest = [i.value for i in inputs]
    y = caller(x, *rest)
    expected = [(1, c, *x.shape[2:]) for c in (x.shape[1], 2 * x.shape[1])]
    if tuple(y.shape) not in expected:
        raise ValueError(f'expected an output of shape {expected[0]} or, with variance, {expected[1]}, got {tuple(y.shape)}')
    if not torch.isfinite(y).all():
        raise ValueError('the output is not finite; is time_value one that the model knows?')
    close(caller(x, *rest), y, 'called again on the same input the model')
    if torch.allclose(caller(-0.5 * x, *rest), y, rtol=1e-4, atol=1e-6):
        raise ValueError('two different samples give the same output; is this a model without its trained weights?')
    return y


def close(got: Tensor, y: Tensor, what: str) -> None:
    error = float((got - y).norm() / y.norm())
    if not error < 1e-4:
        raise ValueError(f'{what} gives another output (relative difference {error:.1e})')


def export(caller: Caller, inputs: list[Input], path: Path, dynamic_batch: bool, opset: int) -> None:
    axes = {i.name: {0: 'batch'} for i in inputs if i.value.ndim > 0} | {'output': {0: 'batch'}}
    for i in inputs:
        if i.role == 'text':
            axes[i.name][1] = 'sequence'
    options: dict[str, Any] = {}
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        options['dynamo'] = False  # the tracing exporter: what is patched below is about tracing
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # shapes become constants here on purpose
        torch.onnx.export(
            caller,
            tuple(i.value for i in inputs),
            str(path),
            input_names=[i.name for i in inputs],
            output_names=['output'],
            dynamic_axes=axes if dynamic_batch else None,
            opset_version=opset,
            **options,
        )


def check_file(path: Path, inputs: list[Input], y: Tensor) -> None:
    """Runs the file where onnxruntime is installed; elsewhere `eigenlens doctor` does that later."""
    try:
        import onnxruntime
    except ImportError:
        return
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    kept = {i.name for i in session.get_inputs()}
    (got,) = session.run(None, {i.name: i.value.numpy() for i in inputs if i.name in kept})
    close(torch.from_numpy(got), y, 'the exported file')


@contextlib.contextmanager
def traceable() -> Iterator[None]:
    """Replaces, for the time of an export, what the tracer cannot follow by the same mathematics in plain operators."""
    with contextlib.ExitStack() as stack:
        for function in autograd_functions(torch.autograd.Function):
            stack.enter_context(mock.patch.object(function, 'apply', direct(function)))
        for name in ('conv1d', 'conv2d', 'conv_transpose1d', 'conv_transpose2d'):
            stack.enter_context(mock.patch.object(F, name, with_constant_padding(getattr(F, name))))
        stack.enter_context(mock.patch.object(Tensor, 'tile', tile))
        stack.enter_context(mock.patch.object(torch, 'tile', tile))
        if hasattr(F, 'scaled_dot_product_attention'):
            stack.enter_context(mock.patch.object(F, 'scaled_dot_product_attention', attention))
        yield


def autograd_functions(base: type) -> list[type]:
    """Every hand-written autograd function that is loaded: EDM's attention, checkpointing of guided-diffusion, ..."""
    found = [c for c in base.__subclasses__() if not c.__module__.startswith('torch.') or 'checkpoint' in c.__module__]
    return found + [deeper for c in base.__subclasses__() for deeper in autograd_functions(c)]


class Context:
    """Takes what a forward() wants to keep for its backward(), and forgets it."""

    def save_for_backward(self, *_: Any) -> None: ...

    def mark_non_differentiable(self, *_: Any) -> None: ...

    def set_materialize_grads(self, _: bool) -> None: ...


def direct(function: type) -> Callable[..., Any]:
    """Calls forward() itself, so that the tracer sees its operators and not one opaque node."""
    base = torch.autograd.Function
    without_context = getattr(function, 'setup_context', None) is not getattr(base, 'setup_context', None)
    if without_context:
        return staticmethod(lambda *args: function.forward(*args))
    return staticmethod(lambda *args: function.forward(Context(), *args))


def with_constant_padding(convolution: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A convolution whose padding may have been computed from a shape, which tracing turns into a tensor (EDM)."""

    def constant(padding: Any) -> Any:
        if isinstance(padding, (tuple, list)):
            return [int(p) for p in padding]
        return int(padding) if isinstance(padding, Tensor) else padding

    def call(x: Tensor, weight: Tensor, *rest: Any, **named: Any) -> Tensor:
        if 'padding' in named:
            named['padding'] = constant(named['padding'])
        if len(rest) > 2:  # after bias and stride
            rest = (*rest[:2], constant(rest[2]), *rest[3:])
        return convolution(x, weight, *rest, **named)

    return call


def tile(x: Tensor, *dims: Any) -> Tensor:
    """Tensor.tile by repeat, which older exporters know."""
    counts = tuple(dims[0]) if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    return x.repeat((1,) * (x.ndim - len(counts)) + tuple(counts))


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """scaled_dot_product_attention written out; dropout is off, for the model is in eval mode."""
    if enable_gqa:
        k = k.repeat_interleave(q.shape[-3] // k.shape[-3], dim=-3)
        v = v.repeat_interleave(q.shape[-3] // v.shape[-3], dim=-3)
    weights = q @ k.transpose(-2, -1) * (1 / math.sqrt(int(q.shape[-1])) if scale is None else scale)
    if is_causal:
        allowed = torch.ones(weights.shape[-2:], dtype=torch.bool).tril()
        weights = weights.masked_fill(~allowed, -math.inf)
    if attn_mask is not None:
        weights = weights.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else weights + attn_mask
    return weights.softmax(dim=-1) @ v
