"""scikit-learn's randomized PCA on the samples of a NumPy file: one line in (a dtype), one JSON line out."""

import json
import sys
import time

import numpy as np
import sklearn
from sklearn.decomposition import PCA

samples = np.load(sys.argv[1])
count = int(sys.argv[2])
print(json.dumps({"sklearn": sklearn.__version__, "numpy": np.__version__}), flush=True)
for line in sys.stdin:
    x = samples.astype(line.strip())
    began, cpu = time.perf_counter(), time.process_time()
    fitted = PCA(count, svd_solver="randomized", random_state=0).fit(x)
    ms, cpu_ms = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)
    variances = fitted.explained_variance_.astype(float) * (len(x) - 1) / len(x)
    print(json.dumps({"ms": ms, "cpuMs": cpu_ms, "variances": variances.tolist()}), flush=True)
