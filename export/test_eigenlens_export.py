"""Tests of the export kit: python3 -m unittest discover -s export (torch and NumPy)."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import eigenlens_export
import onnx_wire
from eigenlens_export import export_denoiser


class Softmax(torch.autograd.Function):
    """A hand-written function, which exporters write as a node that no runtime knows."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        y = x.softmax(dim=1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, dy: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return y * (dy - (dy * y).sum(dim=1, keepdim=True))


class Awkward(nn.Module):
    """Everything that stops a tracer at once, and half precision."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.weight = nn.Parameter(torch.randn(4, 4, 3, 3, dtype=torch.float16) / 6)
        self.table = nn.Embedding(3, 4)
        self.dtype = torch.float16
        self.register_buffer('taps', torch.ones(1, 1, 2, 2))
        self.drop = nn.Dropout(0.5)

    def inner(self, h: Tensor) -> Tensor:
        h = F.conv2d(h, self.weight, padding=self.weight.shape[-1] // 2)
        taps = self.taps.to(h.dtype).tile([4, 1, 1, 1])
        return F.conv2d(Softmax.apply(h), taps, padding=(taps.shape[-1] - 1) // 2, groups=4, stride=2)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        h = (x * t.reshape(-1, 1, 1, 1) + self.table(y)[:, :, None, None]).type(self.dtype)
        h = checkpoint(self.inner, h, use_reentrant=True)
        return F.interpolate(self.drop(h), size=x.shape[2:], mode='nearest').type(x.dtype)


class Simple(nn.Module):
    def __init__(self, f) -> None:
        super().__init__()
        self.f = f

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.f(x, sigma)


def input_names(path: Path) -> list[str]:
    graph = onnx_wire.first(path.read_bytes(), onnx_wire.MODEL_GRAPH)
    infos = [f.value for f in onnx_wire.fields(graph) if f.number == onnx_wire.GRAPH_INPUT]
    return [onnx_wire.first(info, 1).decode() for info in infos]


class ExportDenoiser(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / 'model.onnx'

    def test_writes_plain_operators_for_what_a_tracer_cannot_follow(self) -> None:
        model = Awkward()
        export_denoiser(model, self.path, (4, 8, 8), time_value=2.0, class_labels=torch.tensor([1]))
        known = {'Add', 'Cast', 'Concat', 'Constant', 'ConstantOfShape', 'Conv', 'Expand', 'Gather', 'Identity', 'Mul'}
        known |= {'Reshape', 'Resize', 'Shape', 'Slice', 'Softmax', 'Tile', 'Unsqueeze', 'Dropout'}
        self.assertLessEqual(set(onnx_wire.operators(self.path.read_bytes())), known)
        self.assertEqual(input_names(self.path), ['x', 't', 'y'])
        reference = np.load(self.path.with_suffix('.reference.npz'))
        self.assertEqual(sorted(reference), ['labels', 'time', 'x', 'y'])
        with torch.no_grad():
            again = model(*[torch.from_numpy(reference[role]) for role in ('x', 'time', 'labels')])
        np.testing.assert_allclose(again.numpy(), reference['y'], rtol=1e-5)

    def test_leaves_the_model_in_eval_mode_and_torch_as_it_was(self) -> None:
        before = (F.conv2d, Tensor.tile, torch.tile, Softmax.apply)
        model = Awkward()
        export_denoiser(model, self.path, (4, 8, 8), class_labels=torch.tensor([0]))
        self.assertFalse(any(module.training for module in model.modules()))
        self.assertEqual(before, (F.conv2d, Tensor.tile, torch.tile, Softmax.apply))

    def test_gives_time_the_rank_and_type_asked_for(self) -> None:
        model = Simple(lambda x, t: x * t)
        for time, value, shape, dtype in [('batch', 3, (1,), 'int64'), ('scalar', 0.5, (), 'float32')]:
            export_denoiser(model, self.path, (1, 4, 4), time=time, time_value=value)
            written = np.load(self.path.with_suffix('.reference.npz'))['time']
            self.assertEqual((written.shape, str(written.dtype)), (shape, dtype))

    def test_refuses_what_has_no_meaningful_derivative(self) -> None:
        cases = {
            'different samples': lambda x, t: torch.zeros_like(x) + t,
            'not finite': lambda x, t: x / 0,
            'called again': lambda x, t: x + torch.rand_like(x),
            'output of shape': lambda x, t: x[:, :1],
        }
        for message, f in cases.items():
            with self.assertRaisesRegex(ValueError, message):
                export_denoiser(Simple(f), self.path, (3, 4, 4))

    def test_refuses_labels_that_the_model_does_not_take(self) -> None:
        with self.assertRaisesRegex(ValueError, 'labels: forward'):
            export_denoiser(Simple(lambda x, t: x), self.path, (1, 4, 4), class_labels=torch.tensor([0]))


class Attention(unittest.TestCase):
    def test_attends_to_earlier_positions_only_when_causal(self) -> None:
        q, k, v = torch.randn(3, 1, 2, 5, 4, generator=torch.Generator().manual_seed(2)).unbind(0)
        whole = eigenlens_export.attention(q, k, v, is_causal=True)
        start = eigenlens_export.attention(q[..., :2, :], k[..., :2, :], v[..., :2, :], is_causal=True)
        torch.testing.assert_close(whole[..., :2, :], start)
        torch.testing.assert_close(whole[..., 0, :], v[..., 0, :])

    def test_takes_masks_of_both_kinds_and_shared_heads(self) -> None:
        q, k, v = torch.randn(3, 1, 4, 5, 4, generator=torch.Generator().manual_seed(3)).unbind(0)
        kept = torch.tensor([True, True, False, True, False])
        added = torch.zeros(5).masked_fill(~kept, -torch.inf)
        chosen = eigenlens_export.attention(q, k[..., kept, :], v[..., kept, :])
        torch.testing.assert_close(eigenlens_export.attention(q, k, v, attn_mask=kept), chosen)
        torch.testing.assert_close(eigenlens_export.attention(q, k, v, attn_mask=added), chosen)
        shared = eigenlens_export.attention(q, k[:, :2], v[:, :2], enable_gqa=True)
        torch.testing.assert_close(shared[:, 1], eigenlens_export.attention(q[:, 1], k[:, 0], v[:, 0]))

    @unittest.skipUnless(hasattr(F, 'scaled_dot_product_attention'), 'needs torch 2')
    def test_agrees_with_torch(self) -> None:
        q, k, v = torch.randn(3, 2, 4, 5, 8, generator=torch.Generator().manual_seed(4)).unbind(0)
        for options in [{}, {'is_causal': True}, {'scale': 0.3}]:
            expected = F.scaled_dot_product_attention(q, k, v, **options)
            torch.testing.assert_close(eigenlens_export.attention(q, k, v, **options), expected)


class OnnxWire(unittest.TestCase):
    def test_encode_undoes_fields(self) -> None:
        for path in (Path(__file__).parent.parent / 'test' / 'models').glob('*.onnx'):
            model = path.read_bytes()
            self.assertEqual(onnx_wire.encode(list(onnx_wire.fields(model))), model)
            graph = onnx_wire.first(model, onnx_wire.MODEL_GRAPH)
            self.assertEqual(onnx_wire.encode(list(onnx_wire.fields(graph))), graph)


if __name__ == '__main__':
    unittest.main()
