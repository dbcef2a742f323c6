"""Time asked for: at least what is needed, more for more work, never too little for a scheduler."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import make_spec

from memwave.pca.solvers import concrete_solvers
from memwave.workflow.config.settings import complete_model
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages
from memwave.workflow.planning.runtime import CLUSTER, LOCAL, in_minutes, of_features, predict

SPEC = make_spec(channels=7, window=1001)
SIZES = st.integers(1, 10**9)
MODELS = st.sampled_from(concrete_solvers()).map(
    lambda name: complete_model({"solver": name, "n_components": 50})
)


def seconds(model, n_windows, rates=CLUSTER, shards=4, threads=2):
    return predict(SPEC, model, n_windows, Sizes(32, shards, threads), rates)


@given(MODELS, SIZES, SIZES)
def test_more_windows_take_no_less_time(model, one, other):
    few, many = (seconds(model, n) for n in sorted((one, other)))
    assert all(few[stage] <= many[stage] for stage in few)


@given(MODELS, SIZES, st.integers(1, 1000))
def test_more_shards_make_no_job_of_a_shard_longer(model, n_windows, shards):
    few, many = (seconds(model, n_windows, shards=n) for n in (shards, 2 * shards))
    of_a_shard = few.keys() - {"fit_model", "write_projection", "plot"}
    assert all(many[stage] <= few[stage] for stage in of_a_shard)


@given(MODELS, SIZES)
def test_a_cluster_is_promised_several_times_the_estimate(model, n_windows):
    limits, estimated = seconds(model, n_windows), seconds(model, n_windows, LOCAL)
    assert limits.keys() == estimated.keys()
    assert all(limits[stage] >= 4 * estimated[stage] for stage in limits)


@given(st.floats(0, 1e7), st.integers(1, 5))
def test_minutes_are_enough_and_grow_with_every_attempt(needed, attempt):
    minutes = in_minutes(needed, attempt)
    assert isinstance(minutes, int)
    assert minutes >= 5
    assert minutes * 60 >= needed
    assert minutes == attempt * in_minutes(needed)


def test_a_tolerance_does_not_shorten_what_is_asked_for():
    model = complete_model({"solver": "randomized", "n_components": 50, "passes": 10})
    stopping = {**model, "tolerance": 1e-5}
    assert seconds(stopping, 10**6) == seconds(model, 10**6)


def test_a_predicted_time_has_every_stage_that_has_a_predicted_memory():
    for name in concrete_solvers():
        model = complete_model({"solver": name, "standardize": True})
        stages = predict_stages(SPEC, model, Sizes(32, shards=4, threads=2))
        assert stages.keys() <= seconds(model, 10**6).keys()


@pytest.mark.parametrize("store", [True, False])
def test_a_job_that_projects_itself_has_the_time_and_the_larger_memory_of_both(store):
    spec = replace(SPEC, store=store)
    model = complete_model({"solver": "lag-covariance", "n_components": 50})
    projecting = "project_features" if store else "project_recordings"
    together, apart = (Sizes(32, 2, 2, each) for each in (True, False))
    one, two = (predict_stages(spec, model, sizes) for sizes in (together, apart))
    assert projecting not in one
    needs = two[projecting], two["write_projection"]
    assert max(needs) <= one["write_projection"] <= max(needs) + 5
    once, twice = (predict(spec, model, 10**6, sizes, CLUSTER) for sizes in (together, apart))
    assert projecting not in once
    half = twice[projecting] - CLUSTER.start  # of the rows
    assert once["write_projection"] == pytest.approx(twice["write_projection"] + 2 * half)


def test_stages_of_features_are_the_same_with_any_model():
    model = complete_model({"solver": "covariance", "n_components": 5})
    of_any = of_features(SPEC, 10**6, 4, CLUSTER)
    assert of_any == {stage: seconds(model, 10**6)[stage] for stage in of_any}
