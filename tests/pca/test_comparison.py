"""Models compared with more exact ones: against angles and variances computed in another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import subspace_angles

from memwave.pca.diagnostics.comparison import compare, most_exact
from memwave.pca.model import Model


def random_model(random, k, d=12):
    components = np.linalg.qr(random.normal(size=(d, k)))[0].T
    variances = np.sort(random.exponential(size=k))[::-1]
    return Model(components, np.zeros(d), variances, 20.0, 100, "test")


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_angles_are_those_of_scipy(seed, k, other):
    random = np.random.default_rng(seed)
    model, reference = random_model(random, k), random_model(random, other)
    captured, best = random.exponential(size=k), random.exponential(size=other)
    both = min(k, other)
    figures = compare(model, captured, reference, best)
    angles = subspace_angles(model.components[:both].T, reference.components[:both].T)
    assert figures["lost_cosine"] == pytest.approx(1 - np.mean(np.cos(angles) ** 2), abs=1e-12)
    assert figures["largest_angle"] == pytest.approx(np.degrees(angles.max()), abs=1e-5)
    lost = 1 - captured[:both].sum() / best[:both].sum()
    assert figures["lost_variance"] == pytest.approx(lost)


def test_small_angles_are_not_lost_to_rounding():
    reference = random_model(np.random.default_rng(0), 1, d=2)
    angle = 1e-11
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    model = Model(
        reference.components @ turn, np.zeros(2), 2 * reference.explained_variance, 20.0, 9, "test"
    )
    figures = compare(model, np.ones(1), reference, np.ones(1))
    assert figures["largest_angle"] == pytest.approx(np.degrees(angle), rel=1e-3)
    assert figures["lost_cosine"] == pytest.approx(angle**2, rel=1e-3)
    assert figures["eigenvalue_error"] == 1.0
    assert figures["lost_variance"] == 0.0


def test_the_smallest_bound_is_the_reference_then_the_most_components():
    assert most_exact([1e-3, 1e-7, 1e-6], [9, 5, 9]) == 1
    assert most_exact([1e-7, 1e-7], [5, 9]) == 1
    assert most_exact([float("nan"), 1e-2], [9, 5]) == 1
    assert most_exact([float("nan")], [5]) == 0
