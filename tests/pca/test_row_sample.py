"""The rows of a sample: their mean and their leading directions, whatever each shard's shift."""

import numpy as np
import pytest
from fitting import dense

from memwave.core.ranges import spread
from memwave.pca.linalg.krylov.row_sample import RowSample, leading_directions, mean_of


def samples_of(rows, shifts, dtype="float64"):
    found = []
    for part, shift in zip(np.array_split(rows, len(shifts)), shifts, strict=True):
        sample = RowSample(np.full(rows.shape[1], shift), dtype)
        for piece in np.array_split(part, 3):
            sample.update((piece - shift).astype(dtype))
        sample.finish()
        found.append(sample)
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shifts_of_shards_do_not_matter(dtype):
    random = np.random.default_rng(0)
    rows = random.normal(size=(60, 4)) @ random.normal(size=(4, 30)) + 5.0
    mean, variance = mean_of(samples_of(rows, [0.0, 4.0, 5.0], dtype))
    np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-5)
    assert variance == pytest.approx(rows.var(axis=0).sum(), rel=1e-5)
    found = leading_directions(samples_of(rows, [0.0, 4.0, 5.0], dtype), 4)
    _, vectors, _ = dense(rows, 4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-4)
    np.testing.assert_allclose(np.abs(found @ vectors.T), np.eye(4), atol=1e-3)


def test_no_more_directions_than_the_rows_have():
    random = np.random.default_rng(0)
    rows = random.normal(size=(50, 2)) @ random.normal(size=(2, 30))
    assert leading_directions(samples_of(rows, [0.0]), 10).shape == (2, 30)
    assert leading_directions(samples_of(np.ones((50, 30)), [1.0, 1.0]), 10).shape == (0, 30)


def test_rows_whose_squares_overflow_have_directions():
    rows = np.random.default_rng(0).normal(size=(50, 30)) * 1e30
    found = leading_directions(samples_of(rows, [0.0], "float32"), 3)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-4)


@pytest.mark.parametrize(("n_rows", "wanted", "grain"), [(10, 3, 1), (7, 7, 1), (1000, 50, 16)])
def test_rows_are_spread_evenly(n_rows, wanted, grain):
    runs = list(spread(n_rows, wanted, grain))
    rows = [row for run in runs for row in range(*run)]
    assert len(rows) == len(set(rows)) == wanted
    assert min(rows) >= 0
    assert max(rows) < n_rows
    assert max(np.diff([start for start, _ in runs])) <= -(-n_rows // len(runs))
    assert list(spread(n_rows, 0, grain)) == []
