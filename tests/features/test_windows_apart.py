"""Steps longer than a window: rows between windows are not read, so that nothing in them counts."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from oracles import LETTERS, make_spec, oracle
from stage_run import StageRun, planned
from stages import run_stage

from memwave.core.errors import MemwaveError
from memwave.features.extract import feature_blocks
from memwave.recordings.prepared import open_prepared
from memwave.recordings.segments import Segment, Windows
from memwave.recordings.valid_windows import find_valid
from memwave.storage.shards import Shard
from memwave.workflow.planning.memory.blocks import extraction_rows
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.stages import extraction_bytes
from memwave.workflow.requests.features import Extraction


def between(n, windows):
    """Which of `n` rows belong to no window."""
    starts = np.arange(windows.count(n)) * windows.step
    return np.isin(np.arange(n), (starts[:, None] + np.arange(windows.window)).ravel(), invert=True)


def recorded(folder, rows, missing="drop"):
    np.save(folder / "a.npy", rows)
    return planned(folder / "a.npy", len(rows), missing=missing)


@pytest.mark.parametrize("step", [17, 23, 64])
@pytest.mark.parametrize("layout", ["interleaved", "per-channel"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_lies_between_windows_is_not_looked_at(tmp_path, step, layout, value):
    spec = make_spec(window=16, step=step, layout=layout, level=2, bands=["a2", "d1"])
    clean = np.random.default_rng(0).normal(size=(500, 2))
    count = spec.windows.count(500)
    expected = oracle(clean, spec, count)
    spoilt = clean.copy()
    spoilt[between(500, spec.windows)] = value
    segment = Segment(recorded(tmp_path, spoilt), 0, count, 0)
    assert list(find_valid(segment, spec.windows, LETTERS[:2], 7)) == [(0, count)]
    out = np.empty((5, spec.n_features))
    found = [
        block.copy()
        for block in feature_blocks(spec, [segment], 5, None, lambda n: nullcontext(out[:n]))
    ]
    assert np.allclose(np.concatenate(found), expected, atol=1e-12)


def test_a_missing_value_in_a_window_is_found(tmp_path):
    rows = np.ones((100, 2))
    rows[[5, 29]] = np.nan  # between windows, and in window 4
    segment = Segment(recorded(tmp_path, rows), 0, 14, 0)
    assert list(find_valid(segment, Windows(3, 7), "ab", 2)) == [(0, 4), (5, 14)]
    rows[8, 1] = -np.inf
    segment = Segment(recorded(tmp_path, rows), 0, 14, 0)
    with pytest.raises(MemwaveError, match="row 8, channel b is -inf"):
        list(find_valid(segment, Windows(3, 7), "ab", 2))


def test_a_value_that_is_missing_after_all_is_no_reason_for_what_is_set_already(tmp_path):
    rows = np.ones((20, 2))
    rows[4] = np.nan
    for missing, advised in (("error", True), ("drop", False)):
        with (
            open_prepared(recorded(tmp_path, rows, missing), "ab") as recording,
            pytest.raises(MemwaveError, match="row 4, channel a is nan") as caught,
        ):
            recording.read(0, 20)
        assert ("missing: drop" in str(caught.value)) == advised


def test_rows_between_windows_need_no_memory(tmp_path):
    spec = make_spec(window=128, step=6000, channels=6, dtype="float32")
    rows = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", "f4", (6000 * 400, 6))
    rows[::6000] = 1.0
    del rows
    recording = planned(tmp_path / "a.npy", 6000 * 400)
    segment = Segment(recording, 0, 400, 0)
    request = Extraction(spec, (segment,), extraction_rows(spec, 1))
    limit = stage_mb(extraction_bytes(spec, 1))
    assert limit == stage_mb(extraction_bytes(replace(spec, step=128), 1)) < 200
    ended = run_stage(
        "extract_features", tmp_path, request, memory_mb=limit, shard=tmp_path / "1.npy"
    )
    assert ended.status == 0, ended.told
    with Shard(tmp_path / "1.npy") as shard:
        assert shard.shape == (400, spec.n_features)


def test_features_of_windows_apart_are_those_of_their_shard(tmp_path):
    spec = make_spec(window=16, step=40)
    data = np.random.default_rng(1).normal(size=(1000, 2))
    count = spec.windows.count(1000)
    segments = [Segment(recorded(tmp_path, data), 3, count - 3, 0)]
    run = StageRun(tmp_path, spec, {}, [[(0, count - 3)]], count - 3, segments, block_rows=4)
    run.extract()
    with Shard(tmp_path / "0.npy") as shard:
        found = shard.rows(0, count - 3)
    assert np.allclose(found, oracle(data, spec, count)[3:], atol=1e-12)
