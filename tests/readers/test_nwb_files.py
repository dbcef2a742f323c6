"""NWB files: conversions, timestamps and rates."""

import h5py
import numpy as np
import pytest
from field_files import RATE, ROWS, VALUES, save_nwb

from memwave.core.errors import MemwaveError
from memwave.readers import open_array


def test_nwb_conversions(tmp_path):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES, conversion=0.5, offset=1.0)
    with h5py.File(path, "r+") as file:
        file["acquisition/raw/channel_conversion"] = [1.0, 2.0, 3.0]
    expected = VALUES * np.array([0.5, 1.0, 1.5]) + 1
    with open_array(f"{path}::/acquisition/raw") as source:
        np.testing.assert_allclose(source.read(7, 90), expected[7:90])
        assert "the unit is volts" in source.notes[0]
    with open_array(str(path), values="stored") as source:
        np.testing.assert_array_equal(source.read(0, ROWS), VALUES)
    with h5py.File(path, "r+") as file:
        del file["acquisition/raw/starting_time"]
        file["acquisition/raw/timestamps"] = np.arange(ROWS) / RATE + 3
    with open_array(str(path)) as source:
        assert source.sampling_rate == RATE
    with h5py.File(path, "r+") as file:
        file["acquisition/raw/timestamps"][200:] += 1.0
    with pytest.raises(MemwaveError, match="timestamps that are not of one rate: row"):
        open_array(str(path))
    with h5py.File(path, "r+") as file:
        del file["acquisition/raw/timestamps"]
        file["acquisition/raw/timestamps"] = np.arange(ROWS + 5) / RATE
    with pytest.raises(MemwaveError, match=f"{ROWS + 5} timestamps for {ROWS} rows"):
        open_array(str(path))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"conversion": 0.0}, "the conversions 0.0 and the offset 0 for 3 channels"),
        ({"offset": np.nan}, "the conversions 1.0 and the offset nan for 3 channels"),
    ],
)
def test_nwb_conversions_that_are_none(tmp_path, attributes, message):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES, **attributes)
    with pytest.raises(MemwaveError, match=message):
        open_array(str(path))
    with open_array(str(path), values="stored") as source:
        np.testing.assert_array_equal(source.read(0, ROWS), VALUES)


@pytest.mark.parametrize("times", [ROWS - 2, ROWS + 3])
def test_nwb_timestamps_of_other_rows(tmp_path, times):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES)
    with h5py.File(path, "r+") as file:
        del file["acquisition/raw/starting_time"]
        file["acquisition/raw/timestamps"] = np.arange(times) / RATE
    with pytest.raises(MemwaveError, match=f"has {times} timestamps for {ROWS} rows of data"):
        open_array(str(path))


@pytest.mark.parametrize("rate", [0.0, -5.0, np.nan, np.inf])
def test_nwb_rates_that_are_none(tmp_path, rate):
    path = tmp_path / "a.nwb"
    save_nwb(path, VALUES)
    with h5py.File(path, "r+") as file:
        file["acquisition/raw/starting_time"].attrs["rate"] = rate
    with pytest.raises(MemwaveError, match="rows a second, expected one above 0"):
        open_array(str(path))
