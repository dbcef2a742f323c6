"""TDMS files that were cut short, whose index is out of date, or whose scales cannot be applied."""

import numpy as np
import pytest
from test_field_formats import RATE, ROWS, VALUES, save_tdms

from memwave.core.errors import MemwaveError
from memwave.readers import open_array

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
