"""Features of single windows are those of the shards, wherever they are read from."""

import numpy as np
import pytest
from fitting import save_shard
from oracles import make_spec
from stage_run import StageRun, planned

from memwave.core.errors import MemwaveError
from memwave.features.columns import MatrixShard, MatrixSpec, RowSources
from memwave.recordings.segments import Segment
from memwave.recordings.valid_windows import save_valid
from memwave.results.monitoring.single_rows import Places, read_rows

ROWS = np.array([0, 3, 17, 18, 29])


def places(rows, recordings, start_rows):
    return Places(*(np.array(values) for values in (rows, recordings, start_rows)))


@pytest.mark.parametrize("step", [3, 25])
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_windows_of_recordings_give_the_features_of_their_shard(tmp_path, step, dtype):
    spec = make_spec(window=20, step=step, channels=2, dtype=dtype, layout="per-channel")
    recordings = []
    for i in range(2):
        signal = np.random.default_rng(i).normal(size=(400, 2))
        np.save(tmp_path / f"signal{i}.npy", signal)
        recordings.append(planned(tmp_path / f"signal{i}.npy", 400, f"r{i}"))
    count = spec.windows.count(400)
    segments = [Segment(recordings[i], 0, count, i * count) for i in range(2)]
    model = {"solver": "covariance", "standardize": False}
    stages = StageRun(tmp_path, spec, model, [[]], 2 * count, segments=segments)
    stages.extract()
    expected = np.load(tmp_path / "0.npy")
    windows = np.array([0, 2, 5, 7])
    where = places(windows + count * (windows > 3), windows > 3, windows * step)
    sources = RowSources(spec, (2 * count,), recordings=tuple(recordings))
    found = np.array(list(read_rows(sources, where)))
    np.testing.assert_array_equal(found, expected[where.rows].astype(np.float64))
    exact = np.array(list(read_rows(sources, where, rounded=False)))
    assert np.allclose(exact, found, rtol=1e-3, atol=1e-3)
    assert (dtype == "float64") == np.array_equal(exact, found)


def test_rows_of_a_matrix_and_of_shards_are_found_where_some_are_missing(tmp_path):
    random = np.random.default_rng(0)
    rows = random.normal(size=(40, 6))
    spec = MatrixSpec(6, "float64")
    kept = [[(0, 5), (10, 20)], [(2, 20)]]
    whole, shards, valid = [], [], []
    for i, ranges in enumerate(kept):
        np.save(tmp_path / f"part{i}.npy", rows[20 * i : 20 * i + 20])
        segment = Segment(planned(tmp_path / f"part{i}.npy", 20, f"p{i}"), 0, 20, 0)
        shards.append(MatrixShard(spec, (segment,)))
        valid.append(tmp_path / f"valid{i}.h5")
        save_valid(valid[-1], ranges)
        whole += [rows[20 * i + start : 20 * i + stop] for start, stop in ranges]
    expected = np.concatenate(whole)
    where = places(ROWS, np.zeros(5), ROWS)
    sources = RowSources(spec, (20, 20), tuple(shards))
    found = np.array(list(read_rows(sources, where, valid=valid)))
    np.testing.assert_array_equal(found, expected[ROWS])
    files = [tmp_path / f"shard{i}.npy" for i in range(2)]
    save_shard(files[0], expected[:15])
    save_shard(files[1], expected[15:])
    sources = RowSources(spec, (20, 20))
    found = np.array(list(read_rows(sources, where, files, valid)))
    np.testing.assert_array_equal(found, expected[ROWS])
    save_shard(files[1], expected[16:])
    with pytest.raises(MemwaveError, match=r"shard1\.npy: has 17 rows, expected 18 as planned"):
        list(read_rows(sources, where, files, valid))
