"""scikit-learn's brute-force neighbours of NumPy files: one line in (a dtype and k), one JSON line out."""

import json
import sys
import time

import numpy as np
import sklearn
from sklearn.neighbors import NearestNeighbors

bank = np.load(sys.argv[1])
queries = np.load(sys.argv[2])
versions = {"sklearn": sklearn.__version__, "numpy": np.__version__}
try:
    from threadpoolctl import threadpool_info

    versions["blas"] = [i.get("architecture") for i in threadpool_info() if i["user_api"] == "blas"]
except ImportError:
    pass
print(json.dumps(versions), flush=True)
for line in sys.stdin:
    dtype, k = line.split()
    b, q = bank.astype(dtype), queries.astype(dtype)
    search = NearestNeighbors(n_neighbors=int(k), algorithm="brute", n_jobs=2).fit(b)
    began, cpu = time.perf_counter(), time.process_time()
    distances, indices = search.kneighbors(q)
    ms, cpu_ms = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)
    answer = {"ms": ms, "cpuMs": cpu_ms, "indices": indices.ravel().tolist(), "distances": distances.ravel().tolist()}
    print(json.dumps(answer), flush=True)
