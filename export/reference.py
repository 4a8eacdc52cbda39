"""Reference values of a network in float64: output, Jacobian-vector and vector-Jacobian products for the sample."""

from __future__ import annotations

import copy
from typing import Callable

import numpy as np
import torch
from torch import Tensor, nn

from networks.fixture import Fixture, draw

STEP = 1e-5  # of central differences; their error is of order STEP^2, their noise of order 1e-16 / STEP


def to_double(value: Tensor) -> Tensor:
    return value.double() if value.is_floating_point() else value


def jvp(f: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    """J v by differentiating u -> J^T u, which is linear in u: exact, and free of forward-mode gaps."""
    x = x.detach().requires_grad_()
    y = f(x)
    u = torch.zeros_like(y, requires_grad=True)
    (vju,) = torch.autograd.grad(y, x, u, create_graph=True)
    (jv,) = torch.autograd.grad(vju, u, v)
    return jv.detach()


def vjp(f: Callable[[Tensor], Tensor], x: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """The output and J^T u."""
    x = x.detach().requires_grad_()
    y = f(x)
    (vju,) = torch.autograd.grad(y, x, u)
    return y.detach(), vju.detach()


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm() / b.norm())


def check_alive(name: str, model: nn.Module, f: Callable[[Tensor], Tensor], x: Tensor, u: Tensor) -> None:
    """Refuses a network with a matrix or filter that the output does not depend on."""
    weights = {key: p for key, p in model.named_parameters() if p.ndim > 1}
    y = f(x)
    gradients = torch.autograd.grad((y * u).sum(), list(weights.values()))
    for (key, weight), gradient in zip(weights.items(), gradients):
        influence = float(gradient.norm() * weight.norm() / y.norm())
        if not 1e-3 < influence < 1e5:
            raise SystemExit(f'{name}: {key} has influence {influence:.1e}; every layer should matter')


def references(fixture: Fixture, model: nn.Module) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The arrays of one reference file, and how well three ways to differentiate agree.

    The float64 network has exactly the float32 weights of the graph, and x, v and u are float32 numbers.
    """
    double = copy.deepcopy(model).double()
    x = fixture.inputs['x'].value.double()
    others = [to_double(i.value) for role, i in fixture.inputs.items() if role != 'x']

    def f(sample: Tensor) -> Tensor:
        return double(sample, *others)

    v = draw(1, *x.shape).double()
    with torch.no_grad():
        shape = f(x).shape
    u = draw(2, *shape).double()
    check_alive(fixture.name, double, f, x, u)
    y, vju = vjp(f, x, u)
    jv = jvp(f, x, v)
    with torch.no_grad():
        difference = (f(x + STEP * v) - f(x - STEP * v)) / (2 * STEP)
        float32 = model(*[i.value for i in fixture.inputs.values()])
        still = f(0.5 * x)
    _, forward = torch.autograd.functional.jvp(f, x, v)
    errors = {
        'jvp two ways': relative(jv, forward),
        'central differences': relative(difference, jv),
        'duality': abs(float((u * jv).sum() - (v * vju).sum())) / float(u.norm() * jv.norm()),
        'float32': relative(float32.double(), y),
    }
    limits = {'jvp two ways': 1e-12, 'central differences': 1e-6, 'duality': 1e-12, 'float32': 1e-4}
    for key, limit in limits.items():
        if not errors[key] < limit:
            raise SystemExit(f'{fixture.name}: {key} disagree by {errors[key]:.1e}')
    if relative(still, y) < 0.05:
        raise SystemExit(f'{fixture.name}: the output hardly depends on x')
    arrays = {role: to_double(i.value).numpy() for role, i in fixture.inputs.items()}
    arrays |= {'y': y.numpy(), 'v': v.numpy(), 'jv': jv.numpy(), 'u': u.numpy(), 'vju': vju.numpy()}
    return arrays, errors
