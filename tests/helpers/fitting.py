"""Drives solvers over arrays in memory as the workflow drives them over shards, and dense PCA."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from memwave.pca.linalg.train_columns import TrainColumns
from memwave.pca.linalg.triangle import Triangle
from memwave.pca.solvers import feature_solvers, make_solver, reads_columns, solver_module
from memwave.pca.streaming import run_passes, summarize
from memwave.storage.shards import create_shard

SOLVERS = feature_solvers()

# Options with which every solver is exact up to rounding, whatever the data.
EXACT = {
    "covariance": {},
    "gram": {},
    "incremental": {"inner_rank": 10**6, "batch_rows": 32},
    "randomized": {"columns": 10**6, "passes": 2, "tolerance": None},
}

# Error of an eigenvalue, or of a residual, as a share of the largest eigenvalue; of the mean, in
# standard deviations. Sums run in float64; float32 stands for its products.
ROUNDING = {"float32": 1e-5, "float64": 1e-10}
ORTHONORMAL = 1e-12


@dataclass
class ArrayShard:
    """An array that is read like a shard."""

    array: np.ndarray
    path = Path("array.npy")
    grain = 1

    @property
    def shape(self):
        return self.array.shape

    @property
    def dtype(self):
        return self.array.dtype

    def rows(self, start, stop):
        return self.array[start:stop]

    def columns(self, start, stop, low, high):
        return self.array[start:stop, low:high]

    def read_ahead(self, start, stop):
        assert 0 <= start <= stop <= len(self.array)


def triangle_of(matrix):
    """Half of a symmetric matrix."""
    triangle = Triangle(len(matrix))
    for start, stop, panel in triangle.panels():
        panel[:] = matrix[start:stop, start:]
    return triangle


def options_of(name, **changes):
    """A complete entry of ``models`` for a solver."""
    defaults = {key: rule["default"] for key, rule in solver_module(name).OPTIONS.items()}
    return {"n_components": 3, "standardize": False, **defaults, **changes}


def fit(name, parts, *, dtype="float64", ranges=None, block_rows=50, threads=1, **changes):
    """Fit a solver to the rows of arrays, one below the other.

    Parameters
    ----------
    name : str
        The solver.
    parts : list of ndarray
        Shards.
    ranges : list of list of (start, stop), optional
        Rows of each shard that are fitted; all by default.
    **changes
        Options of the model.
    """
    solver = make_solver(name, parts[0].shape[1], options_of(name, **changes), dtype)
    ranges = ranges or [[(0, len(part))] for part in parts]
    if reads_columns(name):
        columns = TrainColumns([ArrayShard(part) for part in parts], ranges, block_rows)
        return solver.fit_columns(columns, threads)

    solver.expect(sum(stop - start for own in ranges for start, stop in own))

    def part_of(i):
        return summarize(
            solver,
            ArrayShard(parts[i]),
            ranges[i],
            dtype=dtype,
            block_rows=block_rows,
            progress=lambda rows: None,
        )

    run_passes(solver, part_of, len(parts), threads)
    return solver.finish()


def save_shard(path, rows):
    """Write a shard as `extract_features` does."""
    with create_shard(path, rows.shape, rows.dtype) as shard, shard.next_rows(len(rows)) as new:
        new[:] = rows


def dense(rows, k):
    """Eigenvalues (k,) and eigenvectors (k, d) of the covariance, and the covariance; float64."""
    centred = rows.astype(np.float64) - rows.astype(np.float64).mean(axis=0)
    covariance = centred.T @ centred / (len(rows) - 1)
    values, vectors = np.linalg.eigh(covariance)
    return values[::-1][:k], vectors[:, ::-1][:, :k].T, covariance


def arrays_of(model):
    """All numbers of a model, to be compared bit by bit."""
    return {
        "components": model.components,
        "mean": model.mean,
        "explained_variance": model.explained_variance,
        "total_variance": np.array(model.total_variance),
        "n_samples": np.array(model.n_samples),
        "bound": np.array(model.eigenvalue_error_bound),
    }


def same_bits(one, other):
    ours, theirs = arrays_of(one), arrays_of(other)
    return all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


def decaying(n, d, seed=0, decay=1.0):
    """Rows with well separated variances, turned."""
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(d, d)))[0]
    return random.normal(size=(n, d)) * np.arange(1, d + 1) ** -decay @ turn


def shards(rows, n_shards):
    return np.array_split(rows, n_shards)


def assert_exact(model, rows, k, dtype):
    values, _, covariance = dense(rows, k)
    largest = max(values[0], np.finfo(np.float64).tiny)
    allowed = ROUNDING[dtype] * largest
    np.testing.assert_allclose(model.explained_variance, values, rtol=0, atol=allowed)
    image = covariance @ model.components.T
    residuals = np.linalg.norm(image - model.components.T * model.explained_variance, axis=0)
    assert residuals.max() <= allowed
    assert model.total_variance == pytest.approx(np.trace(covariance), rel=ROUNDING[dtype], abs=0)
    assert_sound(model, rows, k)
    error = np.abs(model.mean - rows.astype(np.float64).mean(axis=0)).max()
    assert error <= ROUNDING[dtype] * np.sqrt(largest) + 1e-15 * np.abs(rows).max()


def assert_sound(model, rows, k):
    """What holds for every model, exact or not."""
    assert model.components.shape == (k, rows.shape[1])
    gram = model.components @ model.components.T
    np.testing.assert_allclose(gram, np.eye(k), rtol=0, atol=ORTHONORMAL)
    assert (np.diff(model.explained_variance) <= 0).all()
    assert (model.explained_variance >= 0).all()
    assert model.n_samples == len(rows)
    assert np.isfinite(model.mean).all()
    largest = np.abs(model.components).argmax(axis=1)
    assert (model.components[np.arange(k), largest] > 0).all()


@st.composite
def matrices(draw):
    """Rows of any rank, spread and place, float64."""
    n, d = draw(st.integers(2, 70)), draw(st.integers(1, 24) | st.integers(1, 48))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    rank = draw(st.integers(0, d) | st.just(d))
    rows = random.normal(size=(n, rank)) @ random.normal(size=(rank, d))
    rows = rows * np.arange(1, d + 1) ** -draw(st.sampled_from([0.0, 1.0, 3.0]))
    if draw(st.booleans()):
        rows[n // 2 :] *= draw(st.sampled_from([0.0, 1e-3, 30.0]))
    return rows + draw(st.sampled_from([0.0, 1.0, -50.0]))


CASES = {
    "rows": matrices(),
    "data": st.data(),
    "n_shards": st.integers(1, 4),
    "block_rows": st.integers(1, 80),
}


def some_k(data, rows):
    return data.draw(st.integers(1, min(rows.shape[1], len(rows) - 1)), label="k")
