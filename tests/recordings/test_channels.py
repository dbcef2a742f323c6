"""Channels are measured on recordings of split train, and scaled before the transform."""

from dataclasses import replace

import numpy as np
import pytest
from oracles import make_spec, oracle

import memwave
from extract_features import extract_features
from measure_channels import measure_channels
from memwave.core.errors import MemwaveError
from memwave.recordings.channels import Scaling, load_channels
from memwave.recordings.segments import PlannedRecording, segments
from memwave.results.extraction import load_scaling
from memwave.results.model_file import load_model, save_model
from memwave.workflow.requests.features import Extraction
from memwave.workflow.requests.recordings import ChannelMeasurement

NAMES = ("a", "b", "c")


def write(folder, recordings):
    """Save recordings; return them as planned."""
    planned = []
    for i, rows in enumerate(recordings):
        np.save(folder / f"{i}.npy", rows)
        planned.append(PlannedRecording(f"r{i}", str(folder / f"{i}.npy"), None, len(rows)))
    return tuple(planned)


def measured(folder, recordings, block_rows=7):
    """Measures of the channels of recordings, and the path of their table."""
    table = folder / "channels.tsv"
    request = ChannelMeasurement(write(folder, recordings), NAMES, block_rows)
    measure_channels(request, table=table)
    return load_channels(table), table


def some_recordings(dtype="float32"):
    random = np.random.default_rng(0)
    return [
        (random.normal(size=(n, 3)) * [1, 50, 0.1] + [0, 900, 5]).astype(dtype) for n in (40, 23)
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int64", ">f4"])
def test_measures_are_those_of_all_rows(tmp_path, dtype):
    recordings = some_recordings(dtype)
    whole = np.concatenate(recordings).astype(np.float64)
    for channel, column in zip(measured(tmp_path, recordings)[0], whole.T, strict=True):
        assert (channel.rows, channel.missing) == (63, 0)
        assert channel.mean == pytest.approx(column.mean(), rel=1e-14)
        assert channel.std == pytest.approx(column.std(ddof=1), rel=1e-13)
        quartiles = (channel.lower_quartile, channel.median, channel.upper_quartile)
        np.testing.assert_allclose(quartiles, np.quantile(column, [0.25, 0.5, 0.75]), rtol=1e-15)
        assert (channel.minimum, channel.maximum) == (column.min(), column.max())
        assert channel.at_minimum == (column == column.min()).sum()
        assert channel.at_maximum == (column == column.max()).sum()


def test_the_table_keeps_every_bit_and_blocks_change_none_but_the_last_of_means(tmp_path):
    one, _ = measured(tmp_path, some_recordings())
    again, _ = measured(tmp_path, some_recordings())
    other, _ = measured(tmp_path, some_recordings(), block_rows=1000)
    assert one == again
    for a, b in zip(one, other, strict=True):
        assert (a.median, a.maximum, a.rows) == (b.median, b.maximum, b.rows)
        assert a.mean == pytest.approx(b.mean, rel=1e-14)


def test_constant_and_clipped_channels_are_reported(tmp_path, capfd):
    recordings = some_recordings()
    for rows in recordings:
        rows[:, 0] = 0.1
        rows[:, 1] = np.minimum(rows[:, 1], 900)
    channels, table = measured(tmp_path, recordings)
    assert [channel.remark for channel in channels] == ["constant", "clipped", ""]
    assert f"Warning: channel a is constant: see {table}." in capfd.readouterr().err
    scaled = Scaling.of("zscore", channels).apply(recordings[0])
    assert (scaled[:, 0] == 0).all()


@pytest.mark.parametrize("scale", ["zscore", "robust"])
@pytest.mark.parametrize("layout", ["interleaved", "per-channel"])
def test_features_are_those_of_the_scaled_recording(tmp_path, scale, layout):
    recordings = some_recordings()
    _, table = measured(tmp_path, recordings)
    changes = {"window": 12, "level": 2, "bands": ["a2", "d1"], "layout": layout}
    spec = make_spec(channels=3, scale=scale, **changes)
    found = segments(write(tmp_path, recordings), spec.windows, 0, 1)
    shard = tmp_path / "shard.npy"
    extract_features(Extraction(spec, found, block_rows=5), shard=shard, channels=table)
    whole = np.concatenate(recordings).astype(np.float64)
    if scale == "zscore":
        center, scale = whole.mean(axis=0), whole.std(axis=0, ddof=1)
    else:
        low, center, high = np.quantile(whole, [0.25, 0.5, 0.75], axis=0)
        scale = high - low
    expected = np.vstack(
        [oracle((rows - center) / scale, spec, len(rows) - 11) for rows in recordings]
    )
    np.testing.assert_allclose(np.load(shard), expected, rtol=0, atol=1e-11)


def test_a_channel_without_quartiles_cannot_be_scaled_by_them(tmp_path):
    recordings = some_recordings()
    for rows in recordings:
        rows[:-4, 1] = 7
    _, table = measured(tmp_path, recordings)
    with pytest.raises(
        MemwaveError, match=r"half of the rows of channel b have the same value.* scale: zscore"
    ):
        load_scaling("robust", table)


def test_a_recording_that_changed_is_refused(tmp_path):
    one, other = write(tmp_path, some_recordings())
    request = ChannelMeasurement((one, replace(other, rows=24)), NAMES, block_rows=9)
    with pytest.raises(MemwaveError, match=r"'r1'.* had 24 rows when the run was planned"):
        measure_channels(request, table=tmp_path / "t")


def test_a_damaged_table_is_named(tmp_path):
    table = tmp_path / "channels.tsv"
    for content in ("", "channel\trows\na\tmany\n"):
        table.write_text(content)
        with pytest.raises(MemwaveError, match=r"channels.tsv: is not a table of channels"):
            load_scaling("zscore", table)


def test_the_scaling_of_a_model_is_of_its_own_channels(tmp_path):
    spec = make_spec(channels=3)
    rows = np.random.default_rng(0).normal(size=(60, spec.n_features)).astype("f4")
    memwave.PCA(2).fit(rows).save(tmp_path / "matrix.h5")
    path, scaling = tmp_path / "model.h5", Scaling(np.zeros(3), np.ones(3))
    model = load_model(tmp_path / "matrix.h5")
    save_model(path, model, spec.feature_table(), {}, scaling, spec)
    assert load_scaling(str(path), path, spec.channels) is not None
    with pytest.raises(MemwaveError, match=r"scales the channels .*, expected up, down, back"):
        load_scaling(str(path), path, ("up", "down", "back"))
