"""One-step editing in PyTorch: one JSON line in (an operation), one JSON line out. The network is that of ../unet.py.

Directions are leading right singular vectors of P J, where J is the Jacobian of the denoiser at one point and P keeps the values inside
the mask, less their parts in those of (I - P) J: the generalised power method and the null-space projection of Chen et al. 2024,
arXiv 2409.02374, algorithm 1. J v and J^T u can be written in several ways; each is a form below, and 'choose' finds the quickest.
"""

import base64
import json
import os
import pathlib
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.autograd.forward_ad as forward_ad  # noqa: E402

try:
    import torch.func as func  # noqa: E402
except ImportError:
    import functorch as func  # noqa: E402

torch.set_num_threads(2)
# unet.py runs its own loop at import: only what stands before it is taken.
unet = {"__name__": "unet"}
source = (pathlib.Path(__file__).resolve().parent.parent / "unet.py").read_text()
exec(source[: source.rindex("\nmain()")], unet)

settings = json.loads(sys.argv[2])
unet["LEVELS"], unet["GROUPS"] = settings["levels"], settings["groups"]
arrays = {name: torch.from_numpy(a) for name, a in unet["read_arrays"](sys.argv[1]).items()}
weights = {name[2:]: a for name, a in arrays.items() if name.startswith("w/")}
point, other, inside = arrays["point"], arrays["other"], arrays["inside"]
sizes, count = point.shape[1:], point.numel()
levels, factors = arrays["levels"].tolist(), arrays["factors"].tolist()


def denoise(x, row):
    """D(x; levels[row])."""
    skip, out, scale = factors[row]
    features = arrays["features"][row : row + 1].expand(x.shape[0], -1)
    return skip * x + out * unet["unet"](weights, scale * x, features)


def f(x):
    return denoise(x, 0)


def copies(k):
    return point.expand(k, *sizes).contiguous()


# Forms of the products V -> (J v)_k, [K, n] to [K, n]. What needs computing once a point is computed when the form is made.


def tangents_of_copies():
    def apply(v):
        with torch.no_grad(), forward_ad.dual_level():
            dual = forward_ad.make_dual(copies(len(v)), v.reshape(-1, *sizes))
            return forward_ad.unpack_dual(f(dual)).tangent.flatten(1)

    return apply


def batched(product):
    mapped = func.vmap(product)

    def apply(v):
        with torch.no_grad():
            return mapped(v.reshape(-1, 1, *sizes)).flatten(1)

    return apply


def tangents_at_one_point():
    return batched(lambda t: func.jvp(f, (point,), (t,))[1])


def tangents_by_two_gradients():
    """J v as the gradient of <J^T u, v> in u, where u does not matter; the graph of J^T u for K copies is kept for all products."""
    graphs = {}

    def apply(v):
        if len(v) not in graphs:
            at = copies(len(v)).requires_grad_()
            u = torch.zeros_like(at).requires_grad_()
            graphs[len(v)] = u, torch.autograd.grad(f(at), at, u, create_graph=True)[0]
        u, pulled = graphs[len(v)]
        return torch.autograd.grad(pulled, u, v.reshape(-1, *sizes), retain_graph=True)[0].flatten(1)

    return apply


def released_tangents():
    """As released: one derivative in the length of a step along all of the vectors."""

    def apply(v):
        steps = v.reshape(-1, *sizes)
        return func.jacfwd(lambda a: f(point + a * steps))(torch.tensor(0.0)).detach().flatten(1)

    return apply


# Forms of the products U -> (J^T u)_k.


def gradients_of_copies():
    """One graph of K copies of the point, kept for all products."""
    graphs = {}

    def apply(u):
        if len(u) not in graphs:
            at = copies(len(u)).requires_grad_()
            graphs[len(u)] = at, f(at)
        at, image = graphs[len(u)]
        return torch.autograd.grad(image, at, u.reshape(-1, *sizes), retain_graph=True)[0].flatten(1)

    return apply


def gradients_at_one_point():
    pull = func.vjp(f, point)[1]
    return batched(lambda u: pull(u)[0])


def released_gradients():
    """As released: one backward pass a vector."""

    def apply(u):
        product = lambda x: torch.einsum("kn,n->k", u, f(x).flatten())  # noqa: E731
        return torch.autograd.functional.jacobian(product, point).flatten(1)

    return apply


FORMS = (
    [tangents_of_copies, tangents_at_one_point, tangents_by_two_gradients, released_tangents],
    [gradients_of_copies, gradients_at_one_point, released_gradients],
)
RELEASED = released_tangents, released_gradients
quickest = RELEASED
# Settings of the released code: iterations, and how far an element may move in the last one.
LEAST, MOST, TOLERANCE = 10, 50, 1e-4


def leading(apply, transpose, flags, iterations, history):
    """Right singular vectors of P J by V <- right singular vectors of (J^T P J V)^T; `iterations` of them, or until V settles."""
    start = torch.randn(count, settings["rank"], generator=torch.Generator().manual_seed(0))
    v = torch.linalg.qr(start)[0].T.contiguous()
    for i in range(1, (iterations or MOST) + 1):
        w = transpose(apply(v) * flags)
        turned = torch.linalg.svd(w, full_matrices=False)[2]
        # The signs are free, and must not hide that the vectors have settled.
        turned = turned * torch.sign((turned * v).sum(1, keepdim=True))
        settled = iterations is None and i >= LEAST and torch.allclose(v, turned, atol=TOLERANCE)
        v = turned
        if history is not None:
            history.append(v)
        if settled:
            break
    return v, i


def project(v, block):
    rest = v - v @ block.T @ block
    return rest / rest.norm(dim=1, keepdim=True)


def directions(forms, iterations=None, history=None):
    """Directions, and how many iterations each block took; `history` takes the directions after each."""
    forward, reverse = forms
    apply, transpose = forward(), reverse()
    traces = ([], []) if history is not None else (None, None)
    found, first = leading(apply, transpose, inside, iterations, traces[0])
    block, second = leading(apply, transpose, 1 - inside, iterations, traces[1])
    if history is not None:
        history.extend(project(*pair) for pair in zip(*traces))
    return project(found, block), [first, second]


def integrate(x, rows):
    """Heun's rule along noise levels in the order of `rows`."""
    with torch.no_grad():
        for row, following in zip(rows, rows[1:]):
            sigma, ahead = levels[row], levels[following]
            slope = (x - denoise(x, row)) / sigma
            guess = x + (ahead - sigma) * slope
            slope = (slope + (guess - denoise(guess, following)) / ahead) / 2
            x = x + (ahead - sigma) * slope
        return x


def edit(noisy):
    """Moves along the first direction of ours and samples; the last step, to no noise, gives the posterior mean."""
    rows = list(range(len(levels)))
    with torch.no_grad():
        return denoise(integrate(noisy + arrays["move"], rows), rows[-1])


def invert():
    return integrate(arrays["image"], list(reversed(range(len(levels)))))


def timed(run):
    began, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)


def numbers(x):
    return base64.b64encode(x.numpy().astype("<f4").tobytes()).decode()


def choose(repeats=2):
    """The quickest form of either side for a block at a new point: what is computed once and LEAST products, milliseconds."""
    global quickest
    v = torch.randn(settings["rank"], count, generator=torch.Generator().manual_seed(1))

    def run(form):
        product = form()
        for _ in range(LEAST):
            product(v)

    table = {form.__name__: min(timed(lambda: run(form))[1] for _ in range(repeats)) for forms in FORMS for form in forms}  # noqa: B023
    quickest = tuple(min(forms, key=lambda form: table[form.__name__]) for forms in FORMS)
    return {"forms": [form.__name__ for form in quickest], "table": table}


def answer(operation, iterations=None):
    if operation == "choose":
        return choose()
    if operation in ("quickest", "released"):
        forms = quickest if operation == "quickest" else RELEASED
        (found, done), ms, cpu_ms = timed(lambda: directions(forms, iterations))
        return {"ms": ms, "cpuMs": cpu_ms, "iterations": done, "result": numbers(found)}
    if operation == "history":
        history = []
        directions(quickest, iterations, history)
        return {"results": [numbers(found) for found in history]}
    result, ms, cpu_ms = timed({"edit": lambda: edit(other), "transfer": lambda: edit(invert())}[operation])
    return {"ms": ms, "cpuMs": cpu_ms, "result": numbers(result)}


print(json.dumps({"torch": torch.__version__, "numpy": np.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(**json.loads(line))), flush=True)
