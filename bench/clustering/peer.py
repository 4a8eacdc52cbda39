"""SSC-OMP with scikit-learn and SciPy on the pixels that Eigenlens clusters: one JSON line a run.

usage: peer.py IMAGES.json LABELS.json [SPARSITY] [SEEDS]
IMAGES.json names the gzipped bytes [N, H, W] beside it; LABELS.json holds N whole numbers.
Written for this comparison from You, Robinson, Vidal 2016, algorithms 1 and 2: every sample, of unit length, is expressed by
scikit-learn's orthogonal matching pursuit over the others; the affinity is |C| + |C|^T; spectral clustering is the normalised one
of Ng, Jordan, Weiss 2002 with 20 starts of k-means.
"""

import gzip
import json
import os
import sys
import time
import warnings

import numpy as np
import scipy
import sklearn
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import eigsh
from sklearn.cluster import KMeans
from sklearn.linear_model import orthogonal_mp_gram
from sklearn.metrics import confusion_matrix, normalized_mutual_info_score
from sklearn.preprocessing import normalize


def read_images(path):
    """Samples [N, H * W] in [0, 1]."""
    with open(path) as f:
        about = json.load(f)
    with gzip.open(os.path.join(os.path.dirname(path), about["file"])) as f:
        data = np.frombuffer(f.read(), dtype=np.uint8)
    return data.reshape(about["shape"][0], -1) / 255.0


def coefficients(x, sparsity):
    """C [N, N] sparse: row i expresses sample i by at most `sparsity` others."""
    n = len(x)
    gram = x @ x.T
    rows, columns, values = [], [], []
    for i in range(n):
        # A sample that correlates with nothing is never chosen: so it cannot express itself.
        products = gram[i].copy()
        products[i] = 0
        gram[i], gram[:, i] = 0, 0
        c = orthogonal_mp_gram(gram, products, n_nonzero_coefs=sparsity)
        products[i] = 1
        gram[i], gram[:, i] = products, products
        support = np.flatnonzero(c)
        rows.extend([i] * len(support))
        columns.extend(support)
        values.extend(c[support])
    return csr_matrix((values, (rows, columns)), shape=(n, n))


def embed(c, clusters, seed):
    """Leading eigenvectors of the normalised affinity, rows of unit length."""
    affinity = abs(c) + abs(c).T
    degree = np.asarray(affinity.sum(axis=1)).ravel()
    scale = diags(1 / np.sqrt(np.where(degree > 0, degree, 1)))
    start = np.random.default_rng(seed).standard_normal(len(degree))
    _, vectors = eigsh(scale @ affinity @ scale, k=clusters, which="LA", v0=start)
    return normalize(vectors)


def accuracy(labels, truth):
    counts = confusion_matrix(truth, labels)
    return counts[linear_sum_assignment(-counts)].sum() / len(truth)


def main(images, labels, sparsity=5, seeds=5):
    warnings.simplefilter("ignore")
    truth = np.array(json.load(open(labels)))
    clusters = len(set(truth))
    versions = {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__}
    start = time.perf_counter()
    c = coefficients(normalize(read_images(images)), int(sparsity))
    seconds = time.perf_counter() - start
    for seed in range(int(seeds)):
        start = time.perf_counter()
        found = KMeans(clusters, n_init=20, random_state=seed).fit_predict(embed(c, clusters, seed))
        print(
            json.dumps(
                {
                    "sparsity": int(sparsity),
                    "seed": seed,
                    "accuracy": accuracy(found, truth),
                    "nmi": normalized_mutual_info_score(truth, found),
                    "codingSeconds": seconds,
                    "spectralSeconds": time.perf_counter() - start,
                    **versions,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
