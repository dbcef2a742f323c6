"""True eigenvalues in higher precision, and what a projection measures of a model."""

import numpy as np
from fitting import ArrayShard

from memwave.pca.linalg.covariance_products import CovarianceProducts
from memwave.pca.projection import Projector
from memwave.pca.streaming import blocks

# Rows whose products are added up in float64; their sums are added in longdouble.
ROWS = 64


def true_variances(rows, k):
    """The k largest eigenvalues of the covariance of rows, as they are stored; longdouble.

    The covariance is summed in longdouble from short products in float64. Eigenvalues are Rayleigh
    quotients in it, whose error is of second order in that of the eigenvectors.
    """
    mean = rows.mean(axis=0, dtype=np.longdouble)
    total = np.zeros((rows.shape[1],) * 2, np.longdouble)
    for start in range(0, len(rows), ROWS):
        centred = (rows[start : start + ROWS] - mean).astype(np.float64)
        total += centred.T @ centred
    total /= len(rows) - 1
    vectors = np.linalg.eigh(total.astype(np.float64))[1][:, ::-1][:, :k].astype(np.longdouble)
    squares = np.einsum("ij,ij->j", vectors, vectors)
    return np.einsum("ij,ij->j", vectors, total @ vectors) / squares


def measured(model, parts, dtype="float64", block_rows=300):
    """Products of the covariance with the components, as a projection gathers them."""
    total: CovarianceProducts | None = None
    for part in parts:
        projector = Projector(model, dtype)
        runs = iter([(0, len(part))])
        shard = ArrayShard(part)
        for block in blocks(shard, runs, projector.shift, dtype, block_rows, projector.load):
            projector.project(block, is_train=True)
        projector.train.center()
        if total is None:
            total = projector.train
        else:
            total.merge(projector.train)
    return total
