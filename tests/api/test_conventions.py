"""The conventions of scikit-learn: its checks, pipelines, grids, parameters, tables of scores."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator
from small_matrices import GOOD, NAMES, matrix

import memwave


def test_scikit_learn_finds_nothing_wrong():
    results = check_estimator(memwave.PCA(), on_fail=None, on_skip=None)
    assert {r["check_name"] for r in results if r["status"] != "passed"} <= {
        "check_array_api_input"  # wants SCIPY_ARRAY_API=1 in the environment
    }
    assert len(results) > 40


@pytest.mark.filterwarnings("ignore:Estimator PCA does not inherit")
@pytest.mark.parametrize("solver", ["gram", "incremental"])
def test_scikit_learn_finds_nothing_wrong_with_other_solvers(solver):
    pca = memwave.PCA(1 if solver == "incremental" else None, solver=solver)
    results = check_estimator(pca, on_fail=None, on_skip=None)
    wrong = {r["check_name"] for r in results if r["status"] != "passed"}
    assert wrong <= {"check_array_api_input"}
    assert hasattr(pca, "partial_fit") == (solver == "incremental")


def test_it_works_in_a_pipeline_and_in_a_grid():
    rows = matrix("float64")
    y = rows[:, 0] > 50
    pipeline = make_pipeline(memwave.PCA(), LogisticRegression())
    grid = GridSearchCV(pipeline, {"pca__n_components": [1, 2]}, cv=2).fit(rows, y)
    assert grid.best_score_ > 0.9
    alone = GridSearchCV(memwave.PCA(), {"n_components": [1, 2, 3]}, cv=2).fit(rows)
    assert alone.best_params_ == {"n_components": 3}


def test_numbers_of_numpy_are_parameters(tmp_path):
    numbers = {"shards": np.int64(2), "threads": np.int8(2), "random_state": np.uint16(3)}
    numbers |= {"max_mem_mb": np.int64(900), "block_mb": np.float32(0.5)}
    pca = memwave.PCA(np.int64(2), solver="randomized", **numbers).fit(GOOD)
    pca.save(tmp_path / "model.h5")
    assert memwave.load_model(tmp_path / "model.h5").n_components_ == 2
    assert memwave.PCA(np.float32(0.99)).fit(GOOD).selection_["reached"]
    GOOD.astype("f4").tofile(tmp_path / "x.raw")
    raw = memwave.PCA(2).fit(tmp_path / "x.raw", dtype="f4", columns=np.int64(6))
    assert raw.n_samples_ == 40


def test_scores_in_a_table():
    table = pd.DataFrame(GOOD, columns=NAMES, index=np.arange(40) * 2)
    expected = memwave.PCA(2).fit(table).transform(table)
    pipeline = make_pipeline(memwave.PCA(2)).set_output(transform="pandas")
    for estimator in (pipeline, clone(pipeline)):
        scores = estimator.fit_transform(table)
        assert scores.columns.tolist() == ["pca0", "pca1"]
        assert scores.index.tolist() == table.index.tolist()
        np.testing.assert_array_equal(scores.to_numpy(), expected)
    with pytest.raises(memwave.MemwaveError, match='transform is "panda", expected'):
        memwave.PCA(2).set_output(transform="panda")
    assert isinstance(memwave.PCA(2).fit_transform(table), np.ndarray)
