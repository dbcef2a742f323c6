"""Features of overlapping windows: equal to PyWavelets' decomposition of each single window."""

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import LETTERS, all_bands, make_spec, oracle

from extract_features import extract_features
from memwave.features.sliding import FeatureBlocks, edge_samples, surrogate_length
from memwave.recordings.segments import PlannedRecording, segments
from memwave.workflow.config.checks.features import deepest_level
from memwave.workflow.requests.features import Extraction

WAVELETS = pywt.wavelist(kind="discrete")
MODES = pywt.Modes.modes
LAYOUTS = ("interleaved", "per-channel")
DTYPES = ("float16", "float32", "float64")

# Products are summed in another order than PyWavelets does: each level may add a rounding error
# for each tap, times what the filters amplify.
ROUNDING = {"float64": 4 * np.finfo("float64").eps}
# Storing rounds once more, relative to the value, or to the smallest subnormal.
STORING = {name: float(np.finfo(name).eps) / 2 for name in ("float16", "float32")}
SMALLEST = {name: float(np.finfo(name).smallest_subnormal) for name in ("float16", "float32")}
# Taps come from tables of limited accuracy: what should vanish is as small as that.
VANISHING = 1e-10


def computed(recording, spec, first, count):
    """Windows ``first:first + count`` of a recording, and whether they are known to be finite."""
    blocks = FeatureBlocks(spec)
    start, stop = spec.windows.rows(first, count)
    out = np.full((count, spec.n_features), np.nan, spec.dtype)
    rows = spec.windows.without_gaps(recording[start:stop], count)
    known = blocks.fill(rows, out)
    return out, known


def tolerance(recording, spec):
    wavelet = pywt.Wavelet(spec.wavelet)
    gain = max(np.abs(wavelet.dec_lo).sum(), np.abs(wavelet.dec_hi).sum(), 1.0) ** spec.level
    scale = gain * float(np.abs(recording).max())
    return ROUNDING["float64"] * spec.level * spec.filter_length * scale


def assert_as_pywavelets(recording, spec, count):
    found, known = computed(recording, spec, 0, count)
    expected = oracle(recording, spec, count)
    assert known
    assert found.shape == expected.shape == (count, spec.n_features)
    assert found.dtype == spec.dtype
    allowed = tolerance(recording, spec) + SMALLEST.get(spec.dtype, 0.0)
    allowed = allowed + STORING.get(spec.dtype, 0.0) * np.abs(expected)
    wrong = np.abs(found.astype(np.float64) - expected) > allowed
    assert not wrong.any(), np.argwhere(wrong)[:5]


@st.composite
def cases(draw):
    """A feature set, and a number of windows."""
    n_channels = draw(st.integers(1, len(LETTERS)))
    layout = draw(st.sampled_from(LAYOUTS))
    wavelet = draw(st.sampled_from(WAVELETS))
    level = draw(st.integers(1, 4 if pywt.Wavelet(wavelet).dec_len <= 8 else 2))
    per_row = n_channels if layout == "interleaved" else 1
    taps = pywt.Wavelet(wavelet).dec_len
    least = -(-(taps - 1) * 2**level // per_row)
    longer = draw(st.sampled_from([0, 2 ** (level + 1) * taps // per_row]))
    window = max(least, 1) + draw(st.integers(0, 3 * longer + 9))
    return make_spec(
        window=window,
        step=draw(st.integers(1, 9) | st.sampled_from([max(1, window - 1), window, window + 3])),
        wavelet=wavelet,
        level=level,
        bands=draw(st.lists(st.sampled_from(all_bands(level)), min_size=1, unique=True)),
        layout=layout,
        mode=draw(st.sampled_from(MODES)),
        dtype=draw(st.sampled_from(DTYPES)),
        channels=n_channels,
    ), draw(st.integers(1, 11))


def some_recording(spec, count, seed=0, spare=3):
    rows = (count - 1) * spec.step + spec.window + spare
    random = np.random.default_rng(seed)
    return np.cumsum(random.normal(size=(rows, spec.n_channels)), axis=0)


@settings(max_examples=400)
@given(case=cases(), seed=st.integers(0, 99))
def test_features_are_those_of_every_single_window(case, seed):
    spec, count = case
    assert_as_pywavelets(some_recording(spec, count, seed), spec, count)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_every_wavelet_in_every_mode(mode, layout):
    ways = set()
    for wavelet in WAVELETS:
        taps = pywt.Wavelet(wavelet).dec_len
        window = 6 * taps + 7
        changes = {"window": window, "wavelet": wavelet, "mode": mode, "layout": layout}
        spec = make_spec(step=3, bands=["d1", "a1"], **changes)
        ways.add(surrogate_length(spec) is None)
        assert_as_pywavelets(some_recording(spec, 3), spec, 3)
    assert False in ways  # the windows share their interior


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", ["haar", "db4", "bior2.2", "coif1"])
@pytest.mark.parametrize("more", range(8))
def test_windows_around_the_length_where_their_interior_is_shared(wavelet, mode, more):
    changes = {"wavelet": wavelet, "mode": mode, "level": 3, "channels": 1}
    short = make_spec(window=64, bands=all_bands(3), **changes)
    window = 2 * edge_samples(short) - 3 + more
    spec = make_spec(window=window, bands=all_bands(3), **changes)
    assert_as_pywavelets(some_recording(spec, 9), spec, 9)


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_deepest_level(wavelet, layout):
    changes = {"window": 96, "wavelet": wavelet, "layout": layout}
    level = make_spec(level="max", **changes).level
    assert level == deepest_level(changes, 2) > 3
    spec = make_spec(level="max", bands=all_bands(level), **changes)
    assert_as_pywavelets(some_recording(spec, 20), spec, 20)


@pytest.mark.parametrize("dtype", [">i2", "u1", "i8", "f2", ">f4", "f8"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_recordings_of_any_type(dtype, layout):
    spec = make_spec(layout=layout)
    recording = np.random.default_rng(0).integers(0, 200, (40, 2)).astype(dtype)
    assert_as_pywavelets(recording, spec, 25)


def test_the_original_problem():
    """Details of ravelled windows of 1001 rows and 7 channels, as one loops for them."""
    spec = make_spec(window=1001, channels=7)
    assert spec.n_features == 3504
    recording = np.random.default_rng(0).normal(size=(1005, 7))
    found, _ = computed(recording, spec, 0, 5)
    for start in range(5):
        _, details = pywt.dwt(recording[start : start + 1001].ravel(), "haar")
        np.testing.assert_allclose(found[start], details, atol=tolerance(recording, spec))


@given(case=cases(), data=st.data())
def test_a_window_has_the_same_bits_in_every_block(case, data):
    spec, count = case
    recording = some_recording(spec, count)
    whole, _ = computed(recording, spec, 0, count)
    first = data.draw(st.integers(0, count - 1))
    size = data.draw(st.integers(1, count - first))
    part, _ = computed(recording, spec, first, size)
    assert part.tobytes() == whole[first : first + size].tobytes()


def extracted(folder, spec, recordings, n_shards, block_rows):
    """Features of all shards, one below the other, through the script."""
    planned = [
        PlannedRecording(f"r{i}", str(folder / f"{i}.npy"), None, len(recording))
        for i, recording in enumerate(recordings)
    ]
    shards = []
    for shard in range(n_shards):
        request = Extraction(spec, segments(planned, spec.windows, shard, n_shards), block_rows)
        path = folder / f"{shard}-of-{n_shards}.features.npy"
        extract_features(request, shard=path)
        shards.append(np.load(path, mmap_mode="r"))
    return np.concatenate(shards)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_neither_blocks_nor_shards_change_a_bit(tmp_path, layout, dtype):
    changes = {"wavelet": "db3", "mode": "periodic", "layout": layout, "dtype": dtype}
    spec = make_spec(window=120, level=2, bands=["d1", "a2"], step=2, channels=3, **changes)
    random = np.random.default_rng(0)
    recordings = [random.normal(size=(rows, 3)) for rows in (151, 120, 133)]
    for i, recording in enumerate(recordings):
        np.save(tmp_path / f"{i}.npy", recording)
    expected = extracted(tmp_path, spec, recordings, 1, 1000)
    assert expected.shape == (16 + 1 + 7, spec.n_features)
    for n_shards, block_rows in ((1, 1), (1, 5), (4, 1000), (5, 3)):
        found = extracted(tmp_path, spec, recordings, n_shards, block_rows)
        assert found.tobytes() == expected.tobytes()
    oracles = [oracle(r, spec, (len(r) - 120) // 2 + 1) for r in recordings]
    allowed = {"rtol": 4 * STORING.get(dtype, 0.0), "atol": 1e-12 + SMALLEST.get(dtype, 0.0)}
    np.testing.assert_allclose(expected.astype(float), np.concatenate(oracles), **allowed)


def channels_that_change(spec):
    """For every feature, the channels whose change alone changes it; by the oracle."""
    random = np.random.default_rng(0)
    changed = []
    for channel in range(spec.n_channels):
        recording = np.zeros((spec.window, spec.n_channels))
        recording[:, channel] = random.uniform(1.0, 2.0, spec.window)
        sizes = np.abs(oracle(recording, spec, 1)[0])
        changed.append(sizes > VANISHING * sizes.max())
    letters = np.array(spec.channels)
    return [",".join(letters[column]) for column in np.transpose(changed)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("wavelet", "level"), [("haar", 1), ("haar", 2), ("db4", 1), ("sym3", 2)])
def test_the_feature_table_names_the_channels_that_matter(wavelet, level, mode):
    changes = {"wavelet": wavelet, "level": level, "mode": mode}
    spec = make_spec(window=40, bands=all_bands(level)[::-1], channels=7, **changes)
    table = spec.feature_table()
    assert list(table["channels"]) == channels_that_change(spec)


def test_a_channel_by_itself_is_the_only_one_that_matters():
    spec = make_spec(window=40, wavelet="db2", layout="per-channel", channels=7)
    table = spec.feature_table()
    assert "".join(table["channels"]) == "".join(letter * 21 for letter in LETTERS)
    assert list(table["channels"]) == channels_that_change(spec)


@given(case=cases())
def test_the_feature_table_names_bands_and_positions(case):
    spec, _ = case
    table = spec.feature_table()
    expected = []
    for _ in range(spec.n_signals):
        for name in spec.bands:
            signal = np.zeros(spec.n_samples)
            parts = pywt.wavedec(signal, spec.wavelet, mode=spec.mode, level=spec.level)
            length = len(parts[all_bands(spec.level).index(name)])
            expected += [(name, position) for position in range(length)]
    assert list(zip(table["band"], table["position"], strict=True)) == expected
    feature = len(table) // 2
    channels, band, position = table[feature]
    words = f"coefficient {position} of band {band}, channels {channels}"
    assert spec.describe(feature) == words


@pytest.mark.parametrize(("dtype", "huge"), [("float16", 6e4), ("float32", 3e38)])
@pytest.mark.parametrize("window", [16, 200])
@pytest.mark.parametrize("row", [0, 8, 15])
def test_an_overflow_is_noticed_and_stored_as_infinite(dtype, huge, window, row):
    spec = make_spec(window=window, dtype=dtype, channels=1, bands=["a1"], wavelet="db2")
    recording = np.zeros((window + 3, 1))
    recording[row : row + 6] = huge
    found, known = computed(recording, spec, 0, 4)
    assert not known
    assert np.isinf(found).any()
    assert not np.isnan(found).any()
    recording /= 4
    found, known = computed(recording, spec, 0, 4)
    assert known
    assert np.isfinite(found).all()


@pytest.mark.parametrize("step", [1, 16])
def test_what_does_not_fit_is_not_reported_by_a_warning(step):
    spec = make_spec(dtype="float16", step=step)
    recording = np.zeros((64, 2))
    recording[10, 0] = 1e30
    with np.errstate(all="raise"):
        _, known = computed(recording, spec, 0, 3)
    assert not known
