"""PCA from lag sums: equal to dense PCA of the features of every window by itself, in float64."""

import tracemalloc

import numpy as np
import pytest
import pywt
from fitting import assert_sound, dense
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import all_bands, make_spec, oracle

from memwave.features.wavelet import transform_windows
from memwave.pca.lags.lags import chunks_of, sum_lags, windows_of
from memwave.pca.lags.window_products import (
    add_feature_products,
    product_bytes,
    product_rows,
    sample_sums,
)
from memwave.pca.linalg.triangle import Triangle
from memwave.pca.solvers import covariance, lag_covariance
from memwave.recordings.segments import PlannedRecording, segments

MODES = [
    "zero",
    "constant",
    "symmetric",
    "periodic",
    "smooth",
    "periodization",
    "reflect",
    "antisymmetric",
    "antireflect",
]
WAVELETS = ["haar", "db2", "db4", "sym5", "coif1", "bior2.2", "bior3.1", "rbio1.3", "dmey"]
EPSILON = np.finfo(np.float64).eps


def sums_of(spec, recording, first=0, count=None):
    """Lag sums of some windows of a recording, read as the workflow reads them."""
    windows = windows_of(spec)
    if count is None:
        count = spec.windows.count(len(recording)) - first
    rows = recording[first * spec.step :]
    chunks = (rows[start:stop] for start, stop in chunks_of(windows, count))
    return sum_lags(windows, chunks, rows[: windows.n_rows(count)].mean(axis=0))


def fit(spec, recordings, k, n_shards=1, *, standardize=False):
    solver = lag_covariance.Solver(spec, {"n_components": k, "standardize": standardize})
    planned = [PlannedRecording(str(i), "", None, len(r)) for i, r in enumerate(recordings)]
    for shard in range(n_shards):
        for segment in segments(planned, spec.windows, shard, n_shards):
            recording = recordings[int(segment.recording.name)]
            solver.merge(sums_of(spec, recording, segment.first, segment.count))
    return solver.finish()


def features_of(spec, recordings):
    windows = [spec.windows.count(len(r)) for r in recordings]
    rows = [oracle(r, spec, n) for r, n in zip(recordings, windows, strict=True) if n]
    return np.vstack(rows)


def assert_exact(model, features, allowed):
    """Eigenvalues and residuals to `allowed`, an absolute error; directions where gaps allow."""
    k = model.n_components
    values, _, covariance = dense(features, k)
    np.testing.assert_allclose(model.explained_variance, values, rtol=0, atol=allowed)
    image = covariance @ model.components.T - model.components.T * model.explained_variance
    assert np.linalg.norm(image, axis=0).max() <= allowed
    assert model.total_variance == pytest.approx(np.trace(covariance), rel=1e-9, abs=k * allowed)
    assert_sound(model, features, k)
    scale = np.sqrt(max(values[0], 0.0)) + np.abs(features).max()
    np.testing.assert_allclose(model.mean, features.mean(axis=0), rtol=0, atol=1e-12 * scale)


@st.composite
def tasks(draw):
    """A feature set, and recordings that it has windows of, some too short for one."""
    layout = draw(st.sampled_from(["interleaved", "per-channel"]))
    wavelet = draw(st.sampled_from(WAVELETS))
    window, n_channels = draw(st.integers(1, 40)), draw(st.integers(1, 3))
    samples = window * (n_channels if layout == "interleaved" else 1)
    deepest = pywt.dwt_max_level(samples, pywt.Wavelet(wavelet).dec_len)
    assume(deepest > 0)
    level = draw(st.integers(1, deepest))
    known = all_bands(level)
    bands = draw(st.lists(st.sampled_from(known), min_size=1, max_size=len(known), unique=True))
    spec = make_spec(
        window=window,
        step=draw(st.integers(1, 4) | st.integers(1, window + 5)),
        wavelet=wavelet,
        level=level,
        bands=bands,
        layout=layout,
        mode=draw(st.sampled_from(MODES)),
        channels=n_channels,
    )
    random = np.random.default_rng(draw(st.integers(0, 999)))
    recordings = []
    for _ in range(draw(st.integers(1, 4))):
        count = draw(st.integers(0, 60))
        rows = max(1, (count - 1) * spec.step + window) if count else draw(st.integers(1, window))
        recording = random.normal(size=(rows + draw(st.integers(0, 3)), n_channels))
        if draw(st.booleans()):
            recording = np.cumsum(recording, axis=0)
        recordings.append(recording + draw(st.sampled_from([0.0, 1.0, -300.0])))
    assume(sum(spec.windows.count(len(r)) for r in recordings) >= 2)
    return spec, recordings


@settings(max_examples=200)
@given(task=tasks(), n_shards=st.integers(1, 3), data=st.data())
def test_as_dense_pca_of_every_window(task, n_shards, data):
    spec, recordings = task
    features = features_of(spec, recordings)
    k = data.draw(st.integers(1, min(spec.n_features, len(features) - 1)), label="k")
    model = fit(spec, recordings, k, n_shards)
    # What varies is the signal; its features may vary much less.
    spread = max(r.var() for r in recordings) * spec.window * spec.n_channels
    largest = max(dense(features, 1)[0][0], 0.0)
    gain = np.abs(transform_windows(spec, np.eye(spec.window * spec.n_channels))).max() ** 2
    assert_exact(model, features, 1e-10 * largest + 1e-12 * max(1.0, gain) * spread)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=30)
@given(task=tasks(), factor=st.floats(-1e3, 1e3))
def test_features_are_linear_in_the_window_in_every_mode(mode, task, factor):
    spec, recordings = task
    spec = make_spec(**{**vars(spec), "mode": mode, "channels": spec.n_channels})
    size = spec.window * spec.n_channels
    random = np.random.default_rng(len(recordings[0]))
    one, other = random.normal(size=(2, 1, size))
    ours = transform_windows(spec, one + factor * other)
    theirs = transform_windows(spec, one) + factor * transform_windows(spec, other)
    scale = np.abs(transform_windows(spec, np.eye(size))).max() * (1 + abs(factor))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * size * max(scale, 1.0))
    assert not transform_windows(spec, np.zeros((1, size))).any()


@given(task=tasks())
def test_sums_are_those_of_all_windows(task):
    spec, recordings = task
    for recording in recordings:
        count = spec.windows.count(len(recording))
        if not count:
            continue
        sums = sums_of(spec, recording)
        shifted = recording - sums.shifts[0]
        starts = range(0, count * spec.step, spec.step)
        rows = np.array([shifted[start : start + spec.window].ravel() for start in starts])
        products = np.concatenate([rows.copy() for rows in product_rows(sums)])
        expected = rows.T @ rows
        # Each sum to its own size: channels of small amplitude are not lost in large ones.
        norms = np.sqrt(np.diag(expected)) + EPSILON * np.abs(rows).max()
        allowed = 100 * EPSILON * np.multiply.outer(norms, norms).max()
        np.testing.assert_allclose(products[: len(expected)], expected, rtol=0, atol=allowed)
        total = 100 * EPSILON * np.abs(rows).sum(axis=0).max()
        np.testing.assert_allclose(sample_sums(sums)[0], rows.sum(axis=0), rtol=0, atol=total)


def walk(rows, n_channels, seed=0):
    return np.cumsum(np.random.default_rng(seed).normal(size=(rows, n_channels)), axis=0)


def test_standardized_features_are_those_of_the_correlation_matrix():
    spec = make_spec(window=20, channels=3, level=2, bands=["a2", "d1"], layout="per-channel")
    recordings = [walk(200, 3), walk(90, 3, seed=1) * [1.0, 10.0, 0.1] + 5]
    features = features_of(spec, recordings)
    model = fit(spec, recordings, 4, standardize=True)
    np.testing.assert_allclose(model.scale, features.std(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(model.mean, features.mean(axis=0), rtol=0, atol=1e-10)
    values, vectors, _ = dense(features / model.scale, 4)
    np.testing.assert_allclose(model.explained_variance, values, rtol=1e-9)
    np.testing.assert_allclose(np.abs(vectors @ model.components.T), np.eye(4), atol=1e-6)


def test_a_feature_that_is_constant_is_not_blown_up_by_standardizing():
    """The detail of a mirrored last sample is nought, and so is what rounding leaves of it."""
    spec = make_spec(window=7, channels=1)
    model = fit(spec, [walk(100, 1) + 1e3], 3, standardize=True)
    assert model.scale[-1] == 1
    assert np.abs(model.components[:, -1]).max() < 1e-6


@pytest.mark.parametrize("d", [2, 800])
def test_offsets_and_drifts_cost_few_digits(d):
    """An offset costs nothing; a drift costs what it adds to the variance of the signal."""
    spec = make_spec(window=d, channels=2)
    noise = np.random.default_rng(0).normal(size=(3 * d + 500, 2)) @ [[1.0, 0.4], [0.4, 2.0]]
    drift = np.linspace(-1, 1, len(noise))[:, None] ** 3 * [100.0, -50.0]
    for recording in (noise + 1e6, noise + 1e6 + drift):
        features = features_of(spec, [recording])
        model = fit(spec, [recording], 2)
        values = dense(features - features.mean(axis=0), 2)[0]
        # A sample of 1e6 is itself rounded by 1e-10.
        np.testing.assert_allclose(model.explained_variance, values, rtol=0, atol=1e-9 * values[0])


def test_channels_of_all_sizes_keep_their_digits():
    """A channel in other units, a million times smaller, is as exact as the others."""
    spec = make_spec(window=40, channels=2, layout="per-channel")
    recording = walk(3000, 2) * [1.0, 1e-6]
    half = spec.n_features // 2
    small = make_spec(window=40, channels=1, layout="per-channel")
    sums = sums_of(spec, recording)
    scatter = lag_covariance.scatter_of(spec, sums).products.full()[half:, half:]
    alone = lag_covariance.scatter_of(small, sums_of(small, recording[:, 1:])).products.full()
    np.testing.assert_allclose(scatter, alone, rtol=0, atol=1e-12 * alone.max())


def test_lanczos_and_lapack_agree(monkeypatch):
    spec = make_spec(window=500, channels=2, level=1, bands=["d1"])
    recordings = [walk(2000, 2)]
    ours = fit(spec, recordings, 6)
    monkeypatch.setattr(covariance, "proven_eigenpairs_in_place", lambda matrix, k: None)
    theirs = fit(spec, recordings, 6)
    scale = theirs.explained_variance[0]
    np.testing.assert_allclose(
        ours.explained_variance, theirs.explained_variance, rtol=0, atol=1e-12 * scale
    )
    np.testing.assert_allclose(ours.components, theirs.components, rtol=0, atol=1e-8)
    assert max(ours.residual.max(), theirs.residual.max()) < 1e-11 * scale


@pytest.mark.parametrize(
    ("window", "step", "channels", "options"),
    [
        (300, 1, 3, {}),
        (300, 1, 3, {"layout": "per-channel", "wavelet": "db20", "level": 2}),
        (300, 300, 3, {}),
        (60, 9, 7, {"layout": "per-channel"}),
    ],
)
def test_the_transform_takes_the_memory_that_is_predicted(window, step, channels, options):
    spec = make_spec(window=window, step=step, channels=channels, **options)
    sums = sums_of(spec, walk(2 * window + 50, channels))
    total = Triangle(spec.n_features)
    add_feature_products(total, sums, lambda rows: transform_windows(spec, rows))  # loads libraries
    tracemalloc.start()
    add_feature_products(total, sums, lambda rows: transform_windows(spec, rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.2 * product_bytes(sums.windows, spec.n_features) <= peak
    assert peak <= product_bytes(sums.windows, spec.n_features)


def test_the_same_segments_give_the_same_bits():
    spec = make_spec(window=30, channels=2)
    recordings = [walk(400, 2), walk(29, 2), walk(33, 2)]
    one, other = (fit(spec, recordings, 3, n_shards=3) for _ in range(2))
    assert one.components.tobytes() == other.components.tobytes()
    assert one.explained_variance.tobytes() == other.explained_variance.tobytes()


def test_more_segments_than_are_unrolled_together(monkeypatch):
    spec = make_spec(window=12, channels=2)
    recordings = [walk(60, 2, seed) + seed for seed in range(7)]
    together = fit(spec, recordings, 4)
    monkeypatch.setattr(lag_covariance, "BATCH_SEGMENTS", 2)
    apart = fit(spec, recordings, 4)
    np.testing.assert_allclose(apart.components, together.components, rtol=0, atol=1e-9)
    features = features_of(spec, recordings)
    assert_exact(apart, features, 1e-10 * dense(features, 1)[0][0])


def test_rounding_does_not_grow_with_the_rows_nor_along_the_recurrence():
    """Of whole numbers every sum is known: here none is off by more than one rounding."""
    random = np.random.default_rng(0)
    signal = random.integers(-1000, 1001, 1_000_000)
    signal[300_000:500_000] += 3000
    spec = make_spec(window=600, channels=1)
    count = len(signal) - 599
    windows = windows_of(spec)
    chunks = (signal[start:stop, None] for start, stop in chunks_of(windows, count))
    sums = sum_lags(windows, chunks, np.zeros(1))
    products = [row[0].copy() for row in product_rows(sums)]
    for r, t in [(0, 0), (0, 599), (300, 5), (300, 599), (599, 0), (599, 599)]:
        exact = int(signal[r : r + count] @ signal[t : t + count])
        largest = int(signal[r : r + count] @ signal[r : r + count])
        assert abs(products[r][t] - exact) <= EPSILON * largest
