"""PCA by products straight from the signal: equal to dense PCA of every window by itself."""

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fitting import assert_sound, dense, options_of, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import make_spec
from stage_run import StageRun, planned
from stages import run_stage
from test_lag_covariance import features_of, tasks, walk

from memwave.core.ranges import spans
from memwave.features.wavelet import transform_windows
from memwave.pca.lags.signal import products
from memwave.pca.lags.signal.train_chunks import TrainChunks
from memwave.pca.solvers import lag_randomized
from memwave.recordings.channels import Scaling
from memwave.recordings.segments import PlannedRecording, Segment, segments
from memwave.recordings.valid_windows import save_valid, valid_segments
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages

# Products in single precision lose what is smaller than this share of the largest variance.
TOLERANCE = {"float32": 1e-6, "float64": 1e-11}
PASSES = lag_randomized.OPTIONS["passes"]["default"]


def cut(spec, recordings, n_shards=1):
    """Read recordings as the workflow does: shard by shard, segment by segment, in chunks."""
    planned = [PlannedRecording(str(i), "", None, len(r)) for i, r in enumerate(recordings)]

    def chunks(size):
        for shard in range(n_shards):
            for segment in segments(planned, spec.windows, shard, n_shards):
                rows = recordings[int(segment.recording.name)]
                for low, high in spans(segment.first, segment.first + segment.count, size):
                    start, stop = spec.windows.rows(low, high - low)
                    yield rows[start:stop]

    return chunks


def fit(spec, recordings, k, n_shards=1, threads=1, **changes):
    dtype = changes.setdefault("compute_dtype", "float64")
    changes.setdefault("tolerance", TOLERANCE[dtype])
    options = options_of("lag-randomized", n_components=k, **changes)
    return lag_randomized.Solver(spec, options).fit(cut(spec, recordings, n_shards), threads)


def assert_near(model, features, spec, recordings, tolerance):
    """Eigenvalues and residuals within the tolerance and what the signal's rounding leaves."""
    k = model.n_components
    values, _, covariance = dense(features, k)
    spread = max(r.var() for r in recordings) * spec.window * spec.n_channels
    gain = np.abs(transform_windows(spec, np.eye(spec.window * spec.n_channels))).max() ** 2
    rounding = 1e-10 * max(values[0], 0.0) + 1e-12 * max(1.0, gain) * spread
    allowed = tolerance * max(values[0], 0.0) + rounding
    np.testing.assert_allclose(model.explained_variance, values, rtol=0, atol=allowed)
    image = covariance @ model.components.T - model.components.T * model.explained_variance
    residual = np.linalg.norm(image, axis=0)
    assert residual.max() <= allowed
    np.testing.assert_allclose(model.residual, residual, rtol=1e-3, atol=rounding)
    assert model.total_variance == pytest.approx(np.trace(covariance), rel=1e-9, abs=k * rounding)
    assert_sound(model, features, k)
    scale = np.sqrt(max(values[0], 0.0)) + np.abs(features).max()
    np.testing.assert_allclose(model.mean, features.mean(axis=0), rtol=0, atol=1e-12 * scale)


@settings(max_examples=60)
@given(
    task=tasks(),
    n_shards=st.integers(1, 3),
    dtype=st.sampled_from(["float32", "float64"]),
    columns=st.sampled_from([None, 1, 30]),
    data=st.data(),
)
def test_as_dense_pca_of_every_window(task, n_shards, dtype, columns, data):
    spec, recordings = task
    features = features_of(spec, recordings)
    k = data.draw(st.integers(1, min(spec.n_features, len(features) - 1)), label="k")
    model = fit(spec, recordings, k, n_shards, compute_dtype=dtype, columns=columns)
    fewest = columns is not None and columns <= k + lag_randomized.WIDTH
    if fewest and model.notes["passes"] == PASSES:
        # With the fewest vectors, passes may end before the last of near eigenvalues is reached.
        assert_sound(model, features, k)
        return
    assert_near(model, features, spec, recordings, TOLERANCE[dtype])


def test_threads_change_no_bit():
    for changes in ({"step": 1}, {"step": 9}):
        spec = make_spec(window=70, channels=3, **changes)
        recordings = [walk(900, 3), walk(300, 3, seed=1)]
        models = [fit(spec, recordings, 4, threads=n, compute_dtype="float32") for n in (1, 2, 3)]
        assert same_bits(models[0], models[1])
        assert same_bits(models[0], models[2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_short_recordings_are_transformed_once_with_the_same_bits(dtype, monkeypatch):
    spec = make_spec(window=90, channels=3)
    recordings = [walk(1200, 3), walk(500, 3, seed=1)]
    reads = []

    def counted(size):
        reads.append(size)
        yield from cut(spec, recordings)(size)

    options = options_of(
        "lag-randomized", n_components=4, compute_dtype=dtype, tolerance=TOLERANCE[dtype]
    )
    models = []
    for most in (products.KEPT_BYTES, 1000):
        monkeypatch.setattr(products, "KEPT_BYTES", most)
        reads.append(None)
        models.append(lag_randomized.Solver(spec, options).fit(counted, threads=1))
    kept, repeated = (len(part) for part in split_at_none(reads))
    assert same_bits(*models)
    assert repeated > models[0].notes["passes"] >= 3
    # One read is for the moments, and one for each type of the products.
    assert kept == 2 if dtype == "float64" else 3 <= kept < repeated


def split_at_none(values):
    (first, second) = (i for i, value in enumerate(values) if value is None)
    return values[first + 1 : second], values[second + 1 :]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["interleaved", "per-channel"])
def test_offsets_cost_no_digits_and_drifts_few(dtype, layout):
    """For any type of the products: each chunk is centred about its own mean."""
    spec = make_spec(window=200, channels=2, level=2, bands=["a2", "d1"], layout=layout)
    noise = np.random.default_rng(0).normal(size=(3000, 2)) @ [[1.0, 0.4], [0.4, 2.0]]
    drift = np.linspace(-1, 1, len(noise))[:, None] ** 3 * [100.0, -50.0]
    for recording in (noise + 1e6, noise + 1e6 + drift):
        features = features_of(spec, [recording])
        model = fit(spec, [recording], 3, compute_dtype=dtype)
        values = dense(features - features.mean(axis=0), 3)[0]
        allowed = max(1e-9, TOLERANCE[dtype]) * values[0]
        np.testing.assert_allclose(model.explained_variance, values, rtol=0, atol=allowed)


def test_a_signal_in_any_unit_has_the_same_components():
    """No product over- or underflows: the signal is multiplied in units of its own size."""
    spec = make_spec(window=60, channels=2)
    recording = walk(500, 2)
    ours = fit(spec, [recording], 3, compute_dtype="float32")
    for unit in (2.0**-60, 2.0**60):
        theirs = fit(spec, [recording * unit], 3, compute_dtype="float32")
        np.testing.assert_array_equal(theirs.components, ours.components)
        np.testing.assert_allclose(
            theirs.explained_variance, ours.explained_variance * unit**2, rtol=1e-14
        )


def test_standardized_features_are_those_of_the_correlation_matrix():
    spec = make_spec(window=20, channels=3, level=2, bands=["a2", "d1"], layout="per-channel")
    recordings = [walk(200, 3), walk(90, 3, seed=1) * [1.0, 10.0, 0.1] + 5]
    features = features_of(spec, recordings)
    model = fit(spec, recordings, 4, standardize=True)
    np.testing.assert_allclose(model.scale, features.std(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(model.mean, features.mean(axis=0), rtol=0, atol=1e-10)
    values, vectors, covariance = dense(features / model.scale, 4)
    np.testing.assert_allclose(model.explained_variance, values, rtol=1e-9)
    np.testing.assert_allclose(np.abs(vectors @ model.components.T), np.eye(4), atol=1e-6)
    assert model.total_variance == pytest.approx(np.trace(covariance), rel=1e-9)


def test_a_signal_that_does_not_vary_has_no_variance():
    spec = make_spec(window=24, channels=2)
    model = fit(spec, [np.full((200, 2), [3.0, -1e3])], 5)
    assert model.explained_variance.tolist() == [0.0] * 5
    assert model.total_variance == 0.0
    gram = model.components @ model.components.T
    np.testing.assert_allclose(gram, np.eye(5), rtol=0, atol=1e-12)


def test_few_directions_are_found_and_filled_up():
    """One tone spans two directions; the others have no variance, and are orthonormal still."""
    spec = make_spec(window=64, channels=1)
    tone = np.sin(np.arange(500) * 0.3)[:, None]
    features = features_of(spec, [tone])
    model = fit(spec, [tone], 6)
    values = dense(features, 6)[0]
    np.testing.assert_allclose(model.explained_variance, values, rtol=0, atol=1e-12 * values[0])
    assert_sound(model, features, 6)


def test_a_restart_keeps_what_was_found():
    """With room for few vectors it takes more passes to the same pairs."""
    spec = make_spec(window=400, channels=2)
    recordings = [walk(4000, 2)]
    wide, narrow = (fit(spec, recordings, 8, columns=n, tolerance=1e-9) for n in (400, 30))
    assert narrow.notes["passes"] > wide.notes["passes"]
    scale = wide.explained_variance[0]
    np.testing.assert_allclose(
        narrow.explained_variance, wide.explained_variance, rtol=0, atol=1e-9 * scale
    )
    assert narrow.residual.max() <= 1e-9 * scale


def test_a_tolerance_beyond_single_precision_is_reached_in_double():
    spec = make_spec(window=300, channels=2)
    told = []
    options = options_of("lag-randomized", n_components=5, compute_dtype="float32", tolerance=1e-11)
    solver = lag_randomized.Solver(spec, options)
    model = solver.fit(cut(spec, [walk(3000, 2)]), 1, told.append)
    assert model.residual.max() <= 1e-11 * model.explained_variance[0]
    assert any("continuing with exact products" in text for text in told)


def test_the_largest_number_of_passes_is_kept():
    spec = make_spec(window=400, channels=2)
    random = np.random.default_rng(0)
    model = fit(spec, [random.normal(size=(3000, 2))], 8, passes=2, tolerance=1e-9)
    assert model.notes["passes"] == 2
    assert model.residual.max() > 1e-9 * model.explained_variance[0]


@pytest.mark.parametrize("wavelet", ["haar", "db8"])
def test_memory_at_320_000_features_is_below_one_and_a_half_gigabytes(wavelet):
    spec = replace(make_spec(window=10_000, wavelet=wavelet, dtype="float32"), store=False)
    spec = replace(spec, channels=tuple(f"c{i}" for i in range(64)))
    assert spec.n_features >= 320_000
    model = options_of("lag-randomized", n_components=50, solver="lag-randomized")
    model |= {"compute_dtype": "auto"}
    needs = predict_stages(spec, model, Sizes(block_mb=32, shards=4, threads=2))
    assert needs["fit_model"] < 1500


def run_in(folder, memory_mb, stage, request, **files):
    return run_stage(stage, folder, request, memory_mb=memory_mb, **files)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize(("step", "layout"), [(1, "interleaved"), (400, "per-channel")])
def test_wide_windows_are_fitted_in_the_memory_that_is_predicted(tmp_path, step, layout):
    spec = make_spec(window=2000, step=step, layout=layout, dtype="float32")
    spec = replace(spec, channels=tuple(f"c{i}" for i in range(16)), store=False)
    count = 3000 // step + 30
    rows = 2000 + (count - 1) * step
    random = np.random.default_rng(0)
    np.save(tmp_path / "recording.npy", random.normal(size=(rows, 16)).astype(np.float32))
    segment = Segment(planned(tmp_path / "recording.npy", rows), 0, count, 0)
    model = options_of("lag-randomized", n_components=10, passes=3, solver="lag-randomized")
    model |= {"compute_dtype": "auto"}
    limit = predict_stages(spec, model, Sizes(block_mb=8, shards=1, threads=2))["fit_model"]
    stages = StageRun(
        tmp_path,
        spec,
        model,
        [[(0, count)]],
        count,
        [segment],
        block_rows=8,
        threads=2,
        run=partial(run_in, tmp_path, limit),
    )
    ended = stages.fit()
    assert ended.status == 0, ended.told
    assert ended.usage["peak_anonymous_mb"] <= limit < 600


def test_windows_that_touch_a_gap_are_left_out(tmp_path):
    """Recordings are read shard by shard, scaled, valid windows only."""
    spec = make_spec(window=30, channels=2, step=2)
    recordings = [walk(300, 2), walk(200, 2, seed=1) + 5]
    recordings[0][100:103, 1] = np.nan
    for i, rows in enumerate(recordings):
        np.save(tmp_path / f"{i}.npy", rows)
    known = [planned(tmp_path / f"{i}.npy", len(r), str(i)) for i, r in enumerate(recordings)]
    left, whole = [], []
    for shard in range(2):
        own, valid = segments(known, spec.windows, shard, 2), tmp_path / f"valid{shard}.h5"
        flags = [
            bool(np.isfinite(recordings[int(s.recording.name)][start : start + 30]).all())
            for s in own
            for start in range(2 * s.first, 2 * (s.first + s.count), 2)
        ]
        edges = np.flatnonzero(np.diff([0, *map(int, flags), 0]))
        save_valid(valid, list(zip(edges[::2], edges[1::2], strict=True)))
        left += valid_segments(own, valid)
        whole += flags
    scaling = Scaling(np.array([1.0, -2.0]), np.array([3.0, 0.5]))
    options = options_of("lag-randomized", n_components=4, compute_dtype="float64")
    options["tolerance"] = 1e-10
    done = []
    chunks = TrainChunks(spec, left, scaling, done.append)
    model = lag_randomized.Solver(spec, options).fit(chunks, 1)
    scaled = [scaling.apply(rows) for rows in recordings]
    features = features_of(spec, scaled)[np.array(whole)]
    assert 0 < len(features) < len(whole)
    assert model.n_samples == len(features)
    assert sum(done) % len(features) == 0
    values, _, _ = dense(features, 4)
    np.testing.assert_allclose(model.explained_variance, values, rtol=1e-9)
    np.testing.assert_allclose(model.mean, features.mean(axis=0), rtol=0, atol=1e-9)
