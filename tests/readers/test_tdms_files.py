"""TDMS files: groups, rates, scales, files that were cut short, an index that is out of date."""

import numpy as np
import pytest
from field_files import RATE, ROWS, VALUES, save_tdms

from memwave.core.errors import MemwaveError
from memwave.readers import open_array


def test_tdms_groups(tmp_path):
    nptdms = pytest.importorskip("nptdms")
    path = tmp_path / "a.tdms"
    with nptdms.TdmsWriter(str(path)) as writer:
        for group, count in (("one", 10), ("two", 20)):
            data = np.arange(count, dtype="f4")
            texts = nptdms.ChannelObject(group, "text", ["a"] * count)
            writer.write_segment([nptdms.ChannelObject(group, "x", data), texts])
    with open_array(f"{path}::two", None, ["x"]) as source:
        assert source.dtype == "f4"
        assert source.read(3, 5).tolist() == [[3], [4]]
    with open_array(str(path), None, ["one/x"]) as source:
        assert source.shape == (10, 1)
    with pytest.raises(MemwaveError, match='different lengths: "one/x" 10, "two/x" 20'):
        open_array(str(path), None, ["one/x", "two/x"])
    with pytest.raises(MemwaveError, match='"text" holds values of type'):
        open_array(f"{path}::two", None, ["text"])
    with pytest.raises(MemwaveError, match=r'no group "three".*holds one, two'):
        open_array(f"{path}::three")


@pytest.mark.parametrize("step", [-1.0, np.nan])
def test_a_sampling_rate_that_is_none_is_ignored(tmp_path, step):
    nptdms = pytest.importorskip("nptdms")
    path = str(tmp_path / "a.tdms")
    channel = nptdms.ChannelObject("g", "a", VALUES[:, 0].copy(), {"wf_increment": step})
    with nptdms.TdmsWriter(path) as writer:
        writer.write_segment([channel])
    with open_array(path) as source:
        assert source.sampling_rate is None
        assert f"a sampling rate of {step:g}" in source.notes[0]


LINEAR = {
    "NI_Number_Of_Scales": np.uint32(1),
    "NI_Scale[0]_Scale_Type": "Linear",
    "NI_Scale[0]_Linear_Slope": 2.0,
    "NI_Scale[0]_Linear_Y_Intercept": 1.0,
    "NI_Scale[0]_Linear_Input_Source": np.uint32(0xFFFFFFFF),
}


def save_scaled(path, scales):
    nptdms = pytest.importorskip("nptdms")
    channel = nptdms.ChannelObject("g", "a", VALUES[:, 0].copy(), scales | {"wf_increment": 0.02})
    with nptdms.TdmsWriter(str(path)) as writer:
        writer.write_segment([channel])


def test_scales_are_applied(tmp_path):
    save_scaled(tmp_path / "a.tdms", LINEAR)
    with open_array(str(tmp_path / "a.tdms")) as source:
        np.testing.assert_array_equal(source.read(0, ROWS)[:, 0], VALUES[:, 0] * 2.0 + 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"NI_Number_Of_Scales": np.uint32(3)}, "it announces 3 scales and has 1"),
        ({"NI_Scale[0]_Scale_Type": "Secret"}, "npTDMS does not know scales of type Secret"),
        ({"NI_Scale[0]_Linear_Slope": None}, r"KeyError: 'NI_Scale\[0\]_Linear_Slope'"),
    ],
)
def test_scales_that_cannot_be_applied(tmp_path, changed, message):
    """npTDMS reads values without their scales if it does not know one."""
    scales = {name: value for name, value in (LINEAR | changed).items() if value is not None}
    save_scaled(tmp_path / "a.tdms", scales)
    with pytest.raises(MemwaveError, match=f'channel "a" cannot be applied.*{message}'):
        open_array(str(tmp_path / "a.tdms"))
    save_scaled(tmp_path / "a.tdms", scales | {"NI_Scaling_Status": "scaled"})
    with open_array(str(tmp_path / "a.tdms")) as source:
        np.testing.assert_array_equal(source.read(0, ROWS)[:, 0], VALUES[:, 0])


def test_files_that_end_within_the_description_of_a_segment(tmp_path):
    """npTDMS leaves out such a segment and does not say so."""
    path = tmp_path / "a.tdms"
    save_tdms(path, VALUES)
    content = path.read_bytes()
    last = content.rindex(b"TDSm")
    for more in (1, 20, 40):
        path.write_bytes(content[: last + more])
        with open_array(str(path)) as source:
            assert source.notes == [
                f"its last {more} bytes are no whole segment; they are not read"
            ]
            np.testing.assert_array_equal(source.read(0, 267), VALUES[:267])


def test_an_index_that_is_out_of_date_is_not_used(tmp_path):
    nptdms = pytest.importorskip("nptdms")
    path = tmp_path / "a.tdms"
    channel = nptdms.ChannelObject("g", "left", np.arange(50.0), {"wf_increment": 1 / RATE})
    with nptdms.TdmsWriter(str(path), index_file=True) as writer:
        writer.write_segment([channel])
    save_tdms(path, VALUES)
    assert (tmp_path / "a.tdms_index").exists()
    with open_array(str(path)) as source:
        np.testing.assert_array_equal(source.read(0, ROWS), VALUES)
