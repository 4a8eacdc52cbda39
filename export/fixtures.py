"""Writes the network fixtures of test/models: small graphs with reference values from PyTorch in float64.

    python3 export/fixtures.py [--out test/models] [NAME ...]

Needs NumPy and torch 1.13; the fixtures of opset 18 and above need torch 2.13 with onnx and onnxscript. Run with one
torch, it writes the fixtures of that one; equal versions write equal bytes. The page about the folder is written anew
each time.
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
import torch

import onnx_wire
from networks import adm, blind, ddpm_unet, dit, edm, flow, latent
from networks.fixture import Fixture
from readme import page
from reference import references

MODULES = [ddpm_unet, adm, edm, dit, blind, latent, flow]


def export(fixture: Fixture, model: torch.nn.Module, path: Path) -> None:
    inputs = list(fixture.inputs.values())
    axes = {i.name: i.axes for i in inputs if i.axes}
    if fixture.output_axes:
        axes[fixture.output] = fixture.output_axes
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # about the tracer's constants: shapes that are meant to be fixed
        torch.onnx.export(
            model,
            tuple(i.value for i in inputs),
            str(path),
            input_names=[i.name for i in inputs],
            output_names=[fixture.output],
            dynamic_axes=axes,
            opset_version=fixture.opset,
            # Preserve leaves BatchNormalization in the graph; the usual export folds it into the convolution.
            training=torch.onnx.TrainingMode.PRESERVE if fixture.keep_batch_norm else torch.onnx.TrainingMode.EVAL,
        )


def export_dynamo(fixture: Fixture, model: torch.nn.Module, path: Path) -> None:
    inputs = list(fixture.inputs.values())
    names = {name for i in inputs for name in i.axes.values()}
    dims = {name: torch.export.Dim(name) for name in names}
    torch.onnx.export(
        model,
        tuple(i.value for i in inputs),
        str(path),
        input_names=[i.name for i in inputs],
        output_names=[fixture.output],
        dynamic_shapes=tuple({axis: dims[name] for axis, name in i.axes.items()} or None for i in inputs),
        opset_version=fixture.opset,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    path.write_bytes(onnx_wire.without_notes(path.read_bytes()))


def store(fixture: Fixture, path: Path) -> None:
    """Rewrites the exported file in the fixture's form."""
    model = path.read_bytes()
    if fixture.store == 'float16':
        path.write_bytes(onnx_wire.to_half(model))
    elif fixture.store == 'float16-weights':
        path.write_bytes(onnx_wire.to_half_weights(model))
    elif fixture.store == 'external':
        beside = path.with_suffix('.onnx_data')
        moved, data = onnx_wire.to_external(model, beside.name)
        path.write_bytes(moved)
        beside.write_bytes(data)


def write(fixture: Fixture, out: Path) -> None:
    model = fixture.build()
    if fixture.store.startswith('float16'):
        model = model.half().float()  # so that float16 holds the weights of the reference exactly
    arrays, errors = references(fixture, model)
    path = out / f'{fixture.name}.onnx'
    (export_dynamo if fixture.exporter == 'dynamo' else export)(fixture, model, path)
    store(fixture, path)
    np.savez_compressed(out / f'{fixture.name}.npz', **arrays)
    shown = ', '.join(f'{key} {value:.0e}' for key, value in errors.items())
    gain = np.linalg.norm(arrays['jv']) / np.linalg.norm(arrays['v'])
    print(f'{fixture.name}: {os.path.getsize(path) / 1e3:.0f} kB; |Jv|/|v| {gain:.2f}; {shown}')
    print('  ' + ' '.join(f'{op}:{n}' for op, n in onnx_wire.operators(path.read_bytes()).items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', help='fixtures to write; default all')
    parser.add_argument('--out', type=Path, default=Path(__file__).parent.parent / 'test' / 'models')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    known = [fixture for module in MODULES for fixture in module.fixtures()]
    unknown = set(options.names) - {fixture.name for fixture in known}
    if unknown:
        parser.error(f'unknown: {", ".join(sorted(unknown))}; known: {", ".join(f.name for f in known)}')
    exporter = 'trace' if torch.__version__.startswith('1.') else 'dynamo'
    for fixture in known:
        if fixture.exporter == exporter and (not options.names or fixture.name in options.names):
            write(fixture, options.out)
    (options.out / 'README.md').write_text(page([f for f in known if (options.out / f'{f.name}.onnx').exists()], options.out))


if __name__ == '__main__':
    main()
