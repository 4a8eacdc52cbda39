"""The peer of bench/main.ts: the same U-Net in eager PyTorch, the same matrices in NumPy.

Reads operation names from standard input, one a line, and answers each with one JSON line: milliseconds, Euclidean norm of the result,
peak memory. Arrays come from the safetensors file named by the first argument, so that both sides compute the same numbers.
"""

import json
import math
import os
import resource
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.autograd.forward_ad as forward_ad  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(2)
LEVELS = 3
GROUPS = 8


def read_arrays(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        data = file.read()
    dtypes = {"F32": np.float32, "F64": np.float64}
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(data[begin:end], dtypes[entry["dtype"]])
        arrays[name] = flat.reshape(entry["shape"]).copy()
    return arrays


def norm(p, name, x):
    return F.group_norm(x, GROUPS, p[name + ".g"], p[name + ".b"])


def conv(p, name, x, stride=1):
    w = p[name + ".w"]
    return F.conv2d(x, w, p[name + ".b"], stride, w.shape[-1] // 2)


def linear(p, name, x):
    return F.linear(x, p[name + ".w"], p[name + ".b"])


def block(p, name, x, embedding):
    h = conv(p, name + ".conv1", F.silu(norm(p, name + ".norm1", x)))
    h = h + linear(p, name + ".noise", F.silu(embedding))[:, :, None, None]
    h = conv(p, name + ".conv2", F.silu(norm(p, name + ".norm2", h)))
    return h + (conv(p, name + ".skip", x) if name + ".skip.w" in p else x)


def attention(p, x):
    batch, channels, height, width = x.shape
    qkv = conv(p, "attention.qkv", norm(p, "attention.norm", x))
    q, k, v = qkv.reshape(batch, 3, channels, height * width).unbind(1)
    weights = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(channels), -1)
    mixed = (v @ weights.transpose(1, 2)).reshape(x.shape)
    return x + conv(p, "attention.out", mixed)


def unet(p, x, features):
    embedding = linear(p, "embed1", F.silu(linear(p, "embed0", features)))
    h = conv(p, "in", x)
    skips = [h]
    for i in range(LEVELS):
        h = block(p, f"down{i}", h, embedding)
        skips.append(h)
        if i < LEVELS - 1:
            h = conv(p, f"shrink{i}", h, 2)
            skips.append(h)
    h = block(p, "middle0", h, embedding)
    h = attention(p, h)
    h = block(p, "middle1", h, embedding)
    for i in reversed(range(LEVELS)):
        for j in range(2):
            h = block(p, f"up{i}{j}", torch.cat([h, skips.pop()], 1), embedding)
        if i > 0:
            h = conv(p, f"grow{i}", F.interpolate(h, scale_factor=2, mode="nearest"))
    return conv(p, "out", F.silu(norm(p, "norm", h)))


def triplets(f, point, rank, tolerance, limit):
    """Block power iteration on J^T J: forward mode for J, autograd for J^T, QR each round, the residual from what is at hand."""
    copies = point.expand(rank, -1, -1, -1).contiguous()
    v = torch.linalg.qr(torch.randn(point.numel(), rank, generator=torch.Generator().manual_seed(0)))[0]
    for sweeps in range(1, limit + 1):
        tangents = v.T.reshape(copies.shape).contiguous()
        with torch.no_grad(), forward_ad.dual_level():
            image = forward_ad.unpack_dual(f(forward_ad.make_dual(copies, tangents))).tangent
        # J v = u s w^T: the triplets of the block are u, s and v w.
        u, s, w = torch.linalg.svd(image.flatten(1).T, full_matrices=False)
        at = copies.detach().requires_grad_()
        back = torch.autograd.grad(f(at), at, u.T.reshape(copies.shape))[0].flatten(1).T
        residual = float((back - v @ w.T * s).norm(dim=0).max() / s[0])
        if residual <= tolerance:
            break
        v = torch.linalg.qr(back)[0]
    return {"residual": residual, "sweeps": sweeps, "values": [float(value) for value in s]}


def operations(arrays):
    tensors = {name: torch.from_numpy(a) for name, a in arrays.items()}
    p = {name[2:]: t for name, t in tensors.items() if name.startswith("w/")}
    x, features, v, point, noise, block16 = (tensors[n] for n in ("x", "features", "v", "point", "noise", "block"))

    def forward():
        with torch.no_grad():
            return unet(p, x, features)

    def tangent(at, f, t):
        with torch.no_grad(), forward_ad.dual_level():
            return forward_ad.unpack_dual(unet(p, forward_ad.make_dual(at, t), f)).tangent

    def vjp():
        at = x.detach().requires_grad_()
        return torch.autograd.grad(unet(p, at, features), at, v)[0]

    def gradient():
        weights = {name: w.detach().requires_grad_() for name, w in p.items()}
        loss = (unet(weights, x, features) - v).square().mean()
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(weights.values()))])

    def tangents():
        # Copies of the point side by side: the quickest form in eager mode, though it repeats the primal.
        count = block16.shape[0]
        copies = point.expand(count, -1, -1, -1).contiguous()
        return tangent(copies, noise.expand(count, -1).contiguous(), block16[:, 0].contiguous())

    d = {name[2:]: t for name, t in tensors.items() if name.startswith("d/")}
    skip, out, scale = arrays["factors"].astype(np.float32)

    def denoiser(at):
        features = tensors["level"].expand(at.shape[0], -1)
        return float(skip) * at + float(out) * unet(d, float(scale) * at, features)

    return {
        "triplets": lambda: triplets(denoiser, tensors["colors"], rank=8, tolerance=1e-3, limit=1000),
        "triplets warm-up": lambda: triplets(denoiser, tensors["colors"], rank=8, tolerance=1e-3, limit=2),
        "forward": forward,
        "JVP": lambda: tangent(x, features, v),
        "VJP to x": vjp,
        "gradient of all weights": gradient,
        "16 tangents at one point": tangents,
        "eigh 784": lambda: np.linalg.eigh(arrays["symmetric"])[0],
        "singular values 784": lambda: np.linalg.svd(arrays["square"], compute_uv=False),
    }


def peak_bytes():
    """Linux counts the memory of the parent into what getrusage calls the peak of a child; /proc does not."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    table = operations(read_arrays(sys.argv[1]))
    print(json.dumps({"torch": torch.__version__, "numpy": np.__version__}), flush=True)
    for line in sys.stdin:
        begun = time.perf_counter()
        result = table[line.strip()]()
        ms = (time.perf_counter() - begun) * 1000
        rss = peak_bytes()
        more = result if isinstance(result, dict) else {}
        size = float(np.linalg.norm(np.asarray(more.get("values", result), dtype=np.float64).ravel()))
        print(json.dumps({"ms": ms, "norm": size, "rss": rss, **more}), flush=True)


main()
