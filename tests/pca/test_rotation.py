"""Varimax against R's published result, and what a rotation must keep."""

import numpy as np
import pytest
from fitting import decaying, fit

from memwave.pca.diagnostics.rotation import rotated_scores, rotated_variance, varimax

# R's help page of factanal: factanal(factors = 2, covmat = ability.cov), rotated by varimax.
ABILITY = np.array(
    [
        [0.499, 0.543],
        [0.156, 0.622],
        [0.206, 0.860],
        [0.109, 0.468],
        [0.956, 0.182],
        [0.785, 0.225],
    ]
)


@pytest.mark.parametrize("angle", [10, 30, 45, 80])
def test_the_loadings_of_the_ability_tests_come_back(angle):
    turn = np.radians(angle)
    away = ABILITY @ [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    found, rotation = varimax(away)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(2), atol=1e-12)
    order = np.argsort(-np.abs(found[4]))  # columns may come in another order and sign
    found = found[:, order] * np.sign(found[[4, 2], order])
    np.testing.assert_allclose(found, ABILITY, atol=4e-3)  # R stops early, at a gain of 1e-5


def test_a_simple_structure_is_found_again():
    random = np.random.default_rng(0)
    simple = np.zeros((12, 3))
    for column in range(3):
        simple[4 * column : 4 * column + 4, column] = random.uniform(0.5, 1, 4)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    found, _ = varimax(simple @ turn)
    assert (np.sort(np.abs(found), axis=1)[:, :2] < 1e-6).all()


def test_rotated_scores_are_uncorrelated_and_variances_add_up():
    rows = decaying(500, 10)
    model = fit("covariance", [rows], dtype="float64", n_components=4)
    loadings = model.components.T * np.sqrt(model.explained_variance)
    rotated, rotation = varimax(loadings)
    scores = (rows - model.mean) @ model.components.T
    turned = rotated_scores(scores, model.explained_variance, rotation)
    np.testing.assert_allclose(np.cov(turned.T), np.eye(4), atol=1e-9)
    np.testing.assert_allclose(turned @ rotated.T, scores @ model.components, atol=1e-9)
    assert rotated_variance(rotated).sum() == pytest.approx(model.explained_variance.sum())
    model.rotation = rotation
    np.testing.assert_allclose(model.rotated_loadings, rotated.T, atol=1e-12)


def test_one_component_is_not_rotated():
    loadings = np.arange(5.0)[:, None]
    found, rotation = varimax(loadings)
    np.testing.assert_array_equal(found, loadings)
    assert rotation == 1
