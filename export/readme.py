"""The page of test/models, written from the fixtures and their files so that it cannot fall behind them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import onnx_wire
from networks.fixture import Fixture, Input

HEAD = """# Network fixtures

Small networks of our own, in the shapes that people have, with seeded random weights. Written by

```sh
python3 export/fixtures.py
```

with torch 1.13 and NumPy (Debian's `python3-torch`), and run once more with torch 2.13, onnx 1.23 and onnxscript 0.7 for
the graphs of opset 18 and above. Equal versions write equal bytes. Do not edit this folder by hand.

`NAME.onnx` is the graph, float32 unless the table says otherwise. `NAME.npz` holds what PyTorch computes in float64 with
exactly the weights of the graph: the inputs by role (`x` the sample, and where the network has them `time`, `labels`,
`text`), the output `y`, and for the sample alone `jv` = J `v` and `vju` = J^T `u`. Inputs, `v` and `u` are float32
numbers, so a float32 engine is given the same point. The script checks `jv` against central differences, `vju` against
`jv` by duality, and that every matrix and filter matters.

Scalar constants in a graph are rounded to float32 (the 0.044715 of GELU, 1/6 of a hard sigmoid): in float64 those graphs
agree with the reference to about 1e-8; the others are not limited by this. `latent-encoder-float16` computes in float16 where an
engine does not widen it; read as float32 it agrees like the rest.
"""


def shape(value: Input) -> str:
    dims = [value.axes.get(axis, str(size)) for axis, size in enumerate(value.value.shape)]
    return f'{value.name} [{", ".join(dims)}] {str(value.value.dtype).removeprefix("torch.")}'


def table(rows: list[list[str]]) -> str:
    """A Markdown table in columns of even width."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ['| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |' for row in rows]
    rule = '| ' + ' | '.join('-' * width for width in widths) + ' |'
    return '\n'.join([lines[0], rule, *lines[1:]])


def page(fixtures: list[Fixture], folder: Path) -> str:
    rows = [['file', 'imitates', 'inputs: name [shape] type', 'output', 'opset', 'kB', 'note']]
    operators = []
    for fixture in fixtures:
        path = folder / f'{fixture.name}.onnx'
        data = path.with_suffix('.onnx_data')
        size = path.stat().st_size + (data.stat().st_size if data.exists() else 0)
        inputs = '; '.join(shape(i) for i in fixture.inputs.values())
        if fixture.store == 'float16':
            inputs = inputs.replace('float32', 'float16')
        y = np.load(folder / f'{fixture.name}.npz')['y']
        output = f'{fixture.output} [{", ".join(fixture.output_axes.get(i, str(n)) for i, n in enumerate(y.shape))}]'
        rows.append(
            [f'`{fixture.name}`', fixture.imitates, inputs, output, str(fixture.opset), f'{size / 1e3:.0f}', fixture.note]
        )
        counts = onnx_wire.operators(path.read_bytes())
        operators.append(f'- `{fixture.name}`: ' + ', '.join(f'{op} {n}' for op, n in counts.items()))
    parts = [HEAD, table(rows), '\n## Operators and how often they stand\n', *operators]
    return '\n'.join(parts) + '\n'
