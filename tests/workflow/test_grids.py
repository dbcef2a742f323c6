"""Grids in the configuration become named entries, and experiments name them all."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_settings import MINIMAL, changed, findings_of

from memwave.workflow.config import settings
from memwave.workflow.config.grids import expand_grids

SOLVER = {"solver": "incremental", "n_components": 5}


def grid(**lists):
    return changed(("models", "exact"), SOLVER | {"grid": lists})


def test_every_combination_has_a_name_and_is_an_experiment():
    complete = settings.complete(grid(batch_rows=[64, 256], inner_rank=[5, 10]))
    names = [
        f"exact-batch_rows-{batch}-inner_rank-{rank}" for batch in (64, 256) for rank in (5, 10)
    ]
    assert list(complete["models"]) == names
    assert [experiment.model for experiment in settings.experiments(complete)] == names
    assert complete["models"][names[1]]["batch_rows"] == 64
    assert complete["models"][names[1]]["inner_rank"] == 10
    assert "grid" not in complete["models"][names[1]]


def test_lists_words_and_fractions_become_names():
    config = changed(
        ("features", "haar", "grid"), {"bands": [["a1"], ["a1", "d1"]], "dtype": ["float16"]}
    )
    config["models"]["exact"]["grid"] = {"standardize": [False, True]}
    complete = settings.complete(config)
    assert list(complete["features"]) == [
        "haar-bands-a1-dtype-float16",
        "haar-bands-a1_d1-dtype-float16",
    ]
    assert list(complete["models"]) == ["exact-standardize-false", "exact-standardize-true"]
    assert len(settings.experiments(complete)) == 4


def test_an_experiment_may_name_one_point():
    config = grid(batch_rows=[64, 256])
    config["experiments"][0]["model"] = ["exact-batch_rows-256"]
    (experiment,) = settings.experiments(settings.complete(config))
    assert experiment.model == "exact-batch_rows-256"


@pytest.mark.parametrize("wrong", [{}, {"batch_rows": 64}, {"batch_rows": []}, [64], 3])
def test_what_is_no_grid_is_found(wrong):
    (finding,) = findings_of(changed(("models", "exact"), SOLVER | {"grid": wrong}))
    assert finding.startswith("models.exact.grid")


def test_a_wrong_value_is_found_in_its_point():
    (finding,) = findings_of(grid(batch_rows=[64, -1]))
    assert "models.exact-batch_rows-_1.batch_rows" in finding


def test_names_must_not_meet():
    config = grid(batch_rows=[64])
    config["models"]["exact-batch_rows-64"] = dict(SOLVER)
    (finding,) = findings_of(config)
    assert "has a point" in finding
    assert "another entry has the same name" in finding


@given(
    st.dictionaries(
        st.sampled_from(["batch_rows", "inner_rank", "n_components"]),
        st.lists(st.integers(1, 50), min_size=1, max_size=3, unique=True),
        min_size=1,
    )
)
def test_points_are_the_product_of_the_lists(lists):
    config = changed(("models", "exact", "grid"), lists)
    before = copy.deepcopy(config)
    points = expand_grids(config)["models"].values()
    assert config == before
    count = 1
    for values in lists.values():
        count *= len(values)
    found = {tuple(point[key] for key in lists) for point in points}
    assert len(points) == len(found) == count


def test_without_a_grid_nothing_changes():
    assert expand_grids(MINIMAL) == MINIMAL
