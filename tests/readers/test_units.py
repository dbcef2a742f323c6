"""Units of channels that files state: those that are read, in the order in which they are read."""

import h5py
import pytest
import wfdb
import zarr
from field_files import VALUES, save_nwb, xdf

from memwave.readers import open_source

NAMES = ["left", "right", "up"]
KNOWN = {"left": "mV", "right": "g"}


def save_wfdb(path):
    units, fmt = ["mV", "g", "deg"], ["16"] * 3
    wfdb.wrsamp(
        path.stem, 50, units, NAMES, d_signal=VALUES.astype("i8"), fmt=fmt, adc_gain=[1] * 3,
        baseline=[0] * 3, write_dir=str(path.parent),
    )  # fmt: skip


def save_fif(path):
    mne = pytest.importorskip("mne")
    info = mne.create_info(NAMES, 50, ["eeg", "mag", "misc"])
    mne.io.RawArray(VALUES.T * 1e-6, info, verbose="error").save(path, verbose="error")


def save_tdms(path):
    nptdms = pytest.importorskip("nptdms")
    with nptdms.TdmsWriter(str(path)) as writer:
        for i, name in enumerate(NAMES):
            said = {"unit_string": KNOWN[name]} if name in KNOWN else {}
            writer.write_segment([nptdms.ChannelObject("g", name, VALUES[:, i].astype("f4"), said)])


def save_xdf(path):
    pytest.importorskip("pyxdf")
    xdf(path, units=["mV", "g", ""])


def save_hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=VALUES).attrs["units"] = "mV"


def save_zarr(path):
    zarr.create_array(str(path), data=VALUES).attrs["units"] = "mV"


# By name: how it is written, what follows the path, and the unit of each channel.
CASES = {
    "a.hea": (save_wfdb, "", {**KNOWN, "up": "deg"}),
    "a_raw.fif": (save_fif, "", {"left": "V", "right": "T"}),
    "a.tdms": (save_tdms, "", KNOWN),
    "a.xdf": (save_xdf, "", KNOWN),
    "a.h5": (save_hdf5, "::/x", dict.fromkeys(NAMES, "mV")),
    "a.zarr": (save_zarr, "", dict.fromkeys(NAMES, "mV")),
    "a.nwb": (lambda path: save_nwb(path, VALUES, unit="mV"), "", dict.fromkeys(NAMES, "mV")),
}


@pytest.mark.parametrize("name", CASES)
def test_units_are_those_of_the_file(tmp_path, name):
    save, place, expected = CASES[name]
    save(tmp_path / name)
    path = f"{tmp_path}/{name}{place}"
    with open_source(path, None, NAMES) as source:
        assert dict(source.units) == expected
    if name not in ("a.h5", "a.zarr", "a.nwb"):  # which name no channels, and so have all
        chosen = ["up", "left"]
        with open_source(path, None, chosen) as source:
            found = {channel: source.units.get(channel) for channel in chosen}
        assert found == {channel: expected.get(channel) for channel in chosen}


@pytest.mark.parametrize("name", ["a.h5", "a.zarr", "a.nwb"])
def test_stored_values_have_no_unit(tmp_path, name):
    """The unit is that of the values after scale and offset."""
    save, place, _ = CASES[name]
    save(tmp_path / name)
    with open_source(f"{tmp_path}/{name}{place}", None, NAMES, values="stored") as source:
        assert not source.units
