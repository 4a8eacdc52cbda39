"""The same training in eager PyTorch: one line in (a number of steps), one JSON line out. The network is that of ../unet.py."""

import importlib.util
import json
import math
import os
import pathlib
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np  # noqa: E402
import torch  # noqa: E402


def network_module():
    """unet.py runs its own loop at import: only what stands before it is taken."""
    path = pathlib.Path(__file__).resolve().parent.parent / "unet.py"
    source = path.read_text()
    cut = source.rindex("\nmain()")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("unet", loader=None))
    exec(compile(source[:cut], str(path), "exec"), module.__dict__)
    return module


unet = network_module()
torch.set_num_threads(2)
arrays = unet.read_arrays(sys.argv[1])
settings = json.loads(sys.argv[2])
weights = {name[2:]: torch.from_numpy(a).requires_grad_() for name, a in arrays.items() if name.startswith("w/")}
average = {name: w.detach().clone() for name, w in weights.items()}
samples = torch.from_numpy(arrays["samples"])
optimizer = torch.optim.Adam(weights.values(), lr=settings["learningRate"], betas=(0.9, 0.99))
generator = torch.Generator().manual_seed(0)
# The features of src/denoisers/network/features.ts.
half = settings["features"] // 2
frequencies = 2 * math.pi * torch.tensor([(1 / 8) * 64 ** (i / (half - 1)) for i in range(half)])


def step():
    count = settings["batchSize"]
    x0 = samples[torch.randint(len(samples), (count,), generator=generator)]
    sigma = torch.exp(-1.2 + 1.2 * torch.randn(count, generator=generator))
    noise = torch.randn(x0.shape, generator=generator)
    data = settings["sigmaData"]
    total = sigma**2 + data**2
    column = lambda v: v[:, None, None, None]  # noqa: E731
    noisy = x0 + column(sigma) * noise
    angles = (torch.log(sigma) / 4)[:, None] * frequencies
    features = torch.cat([angles.cos(), angles.sin()], 1)
    target = (x0 - column(data**2 / total) * noisy) / column(sigma * data / total.sqrt())
    output = unet.unet(weights, column(total.rsqrt()) * noisy, features)
    loss = (output - target).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for name, w in weights.items():
            average[name].lerp_(w, 1 - settings["decay"])
    return float(loss)


print(json.dumps({"torch": torch.__version__, "numpy": np.__version__}), flush=True)
for line in sys.stdin:
    began, cpu = time.perf_counter(), time.process_time()
    losses = [step() for _ in range(int(line))]
    ms, cpu_ms = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)
    print(json.dumps({"ms": ms, "cpuMs": cpu_ms, "loss": sum(losses) / len(losses)}), flush=True)
