"""Threads share the work of a fit and change no bit of it."""

import numpy as np
import pytest
from fitting import fit, same_bits, triangle_of
from test_lag_covariance import make_spec, sums_of

from memwave.core.workers import working
from memwave.pca.linalg.eigenpairs import proven_eigenpairs_in_place
from memwave.pca.linalg.triangle import CHUNK, PANEL, TOGETHER, Triangle
from memwave.pca.solvers import lag_covariance, shares_finish

THREADS = (1, 2, 5)
WIDE = 1500  # several panels, some of them in more than one part


def rows(n, d, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 8)) @ random.normal(size=(8, d)) + random.normal(size=(n, d))


def scatter(d):
    values = rows(d + 40, d)
    return values.T @ values


def with_threads(work):
    """What `work` returns with each number of threads."""
    found = []
    for threads in THREADS:
        with working(threads):
            found.append(work())
    return found


def test_eigenpairs_of_a_matrix_of_several_parts():
    matrix = scatter(WIDE)
    assert CHUNK < WIDE
    one, *others = with_threads(lambda: proven_eigenpairs_in_place(triangle_of(matrix), 6))
    assert one is not None
    for other in others:
        assert all(
            ours.tobytes() == theirs.tobytes() for ours, theirs in zip(one, other, strict=True)
        )


def test_a_matrix_that_is_not_positive_definite_is_left_as_it_was_by_all():
    matrix = scatter(WIDE)
    matrix[-1, -1] = -1.0

    def work():
        triangle = triangle_of(matrix)
        return triangle.factorise_in_place(), triangle.values.tobytes()

    one, *others = with_threads(work)
    assert not one[0]
    assert others == [one, one]


def test_products_of_more_parts_than_are_held_together():
    d = 9 * PANEL * 2
    triangle = Triangle(d)
    triangle.values[:] = np.random.default_rng(1).normal(size=len(triangle.values))
    triangle.mirror()
    assert len(list(triangle.parts())) > TOGETHER
    vectors = np.random.default_rng(2).normal(size=(d, 2))
    one, *others = with_threads(lambda: triangle @ vectors)
    np.testing.assert_allclose(one, triangle.full() @ vectors, rtol=0, atol=1e-10)
    assert all(other.tobytes() == one.tobytes() for other in others)


@pytest.mark.parametrize("solver", ["covariance", "randomized"])
def test_a_fit_of_many_features(solver):
    parts = np.array_split(rows(300, WIDE), 3)
    fits = with_threads(lambda: fit(solver, parts, dtype="float32"))
    assert all(same_bits(fits[0], other) for other in fits[1:])


def test_a_fit_of_many_rows_by_their_gram_matrix():
    parts = np.array_split(rows(WIDE, 1700), 3)
    fits = [fit("gram", parts, threads=threads) for threads in THREADS]
    assert all(same_bits(fits[0], other) for other in fits[1:])


def test_a_fit_to_lag_sums():
    spec = make_spec(window=400, channels=3, dtype="float32")
    recording = np.random.default_rng(3).normal(size=(2000, 3)).cumsum(axis=0)

    def work():
        solver = lag_covariance.Solver(spec, {"n_components": 5, "standardize": False})
        solver.merge(sums_of(spec, recording))
        return solver.finish()

    fits = with_threads(work)
    assert all(same_bits(fits[0], other) for other in fits[1:])


def test_solvers_that_share_their_finish_are_those_with_a_large_one():
    assert shares_finish("covariance")
    assert shares_finish("lag-covariance")
    assert not shares_finish("incremental")
