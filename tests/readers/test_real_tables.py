"""Text tables and columns as they are found: quotes, lines above the header, odd columns."""

import gzip

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
from real_files import notes, refusal
from test_tables import read_all

from memwave.core.errors import MemwaveError
from memwave.readers import open_source

STRAY = {
    "closed lines later": 't,x,note\n0,1,ok\n1,2,"5 min\n2,3,ok\n3,4,late"\n4,5,ok\n',
    "never closed": 't,x,note\n0,1,ok\n1,2,"5 min\n2,3,ok\n3,4,ok\n',
    "in the next line": 't,x,note\n0,1,ok\n1,2,"5 min\n2,3,late"\n',
    "in the first column": 'note,t,x\n"5,1,2\n6,2,3\n7",3,4\n8,4,5\n',
    "in the middle": 't,note,x\n0,"a,1\n1,b",2\n2,c,3\n',
}


@pytest.mark.parametrize("case", STRAY)
def test_a_stray_quote_swallows_no_line(tmp_path, case):
    path = tmp_path / "a.csv"
    path.write_text(STRAY[case])
    line = 2 + ("ok\n" in STRAY[case])
    assert f"opens in line {line} takes in line {line + 1}" in refusal(str(path), ["x"])


def test_cells_of_several_lines_are_noted(tmp_path):
    (tmp_path / "a.csv").write_text('t,x,note\n1,2,"long\nremark"\n2,3,ok\n')
    assert read_all(tmp_path / "a.csv", ["x"]).tolist() == [[2], [3]]
    assert "3 lines below its header are 2 rows" in notes(tmp_path / "a.csv", ["x"])


@pytest.mark.parametrize(
    "text",
    [
        'note,x\n"two\nlines",2\nok,3\n',  # its last line is like a row, its first is not
        'x,note\n2,"two\nlines"\n3,ok\n',
        '"no\nte",x\nok,2\nok,3\n',  # a name of two lines
    ],
)
def test_cells_of_two_lines_at_an_end_of_a_row_are_no_stray_quotes(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert read_all(tmp_path / "a.csv", ["x"]).tolist() == [[2], [3]]
    assert "3 lines below its header are 2 rows" in notes(tmp_path / "a.csv", ["x"])


def table(path, text, channels, **options):
    path.write_bytes(text.encode())
    with open_source(str(path), None, channels, **options) as source:
        whole = np.empty(source.shape)
        for rows, columns, values in source.blocks():
            whole[rows, columns] = values
    return whole.tolist()


def test_texts_of_accelerometers(tmp_path):
    """Lines above the header, none at all, decimal commas, comments; as devices export them."""
    path = tmp_path / "a.csv"
    actigraph = (
        "--- Data File ---\nSerial: X, Y\n" + "-" * 9 + "\nAccelerometer X,Accelerometer Y\n"
    )
    actigraph += "0.1,0.2\n-0.5,1\n"
    names = ["Accelerometer Y", "Accelerometer X"]
    assert table(path, actigraph, names, skip_lines=3) == [[0.2, 0.1], [1, -0.5]]
    ax3 = "2020-01-01 00:00:00.0,0.1,0.2,0.3\n2020-01-01 00:00:00.1,0.4,0.5,0.6\n"
    header = ["time", "x", "y", "z"]
    assert table(path, ax3, ["x", "z"], header=header) == [[0.1, 0.3], [0.4, 0.6]]
    assert table(path, ax3, ["2", "4"], header="none") == [[0.1, 0.3], [0.4, 0.6]]
    assert "has 4 columns and no header" in refusal(str(path), ["x", "y", "z"], header="none")
    assert "header names 2" in refusal(str(path), ["x"], header=["x", "y"])
    assert table(path, "1,2\n3,4\n", ["a", "b"], header="none") == [[1, 2], [3, 4]]
    german = "t;x;y\n0;1,5;-2\n1;2,25;1e-3\n"
    assert table(path, german, ["y", "x"], decimal=",") == [[-2, 1.5], [0.001, 2.25]]
    openbci = "%OpenBCI\n%rate = 250\nn, x, y\n0, 1.5, 2\n% said\n1, 2.5, 3\n"
    assert table(tmp_path / "a.txt", openbci, ["x"], comment="%") == [[1.5], [2.5]]
    assert table(tmp_path / "b.txt", "t\tx\n1\t2\n", ["x"]) == [[2]]


ACTIGRAPH = (
    "------------ Data File Created By ActiGraph GT3X+ ActiLife v6.13.3 Firmware v2.5.0 date format"
    " M/d/yyyy at 30 Hz  Filter Normal -----------\nSerial Number: NEO1F18120387\n"
    "Start Time 00:00:00\nStart Date 5/22/2017\nEpoch Period (hh:mm:ss) 00:00:00\n"
    "Download Time 16:48:59\nDownload Date 5/30/2017\nCurrent Memory Address: 0\n"
    "Current Battery Voltage: 4.21     Mode = 12\n" + "-" * 50 + "\n"
)
GENEACTIV = "Device Identity\nDevice Unique Serial Code,012345\nDevice Type,GENEActiv\n" + "\n" * 97
OPENBCI = (
    "%OpenBCI Raw EXG Data\n%Number of channels = 2\n%Sample Rate = 250 Hz\n"
    "%Board = OpenBCI_GUI$BoardGanglionNative\n"
)
AXES = ["Accelerometer X", "Accelerometer Y", "Accelerometer Z"]
# By device: the file name, its text, the keys of the dataset, and values.
DEVICES = {
    "ActiGraph": (
        "a.csv",
        ACTIGRAPH + ",".join(AXES) + "\n-0.031,0.016,-1.008\n0.0,0.0,0.004\n",
        {"skip_lines": 10, "channels": AXES},
        [[-0.031, 0.016, -1.008], [0, 0, 0.004]],
    ),
    "ActiGraph with times": (
        "a.csv",
        f"{ACTIGRAPH}Timestamp,{','.join(AXES)}\n5/22/2017 00:00:00.033,-0.031,0.016,-1.008\n",
        {"skip_lines": 10, "channels": AXES},
        [[-0.031, 0.016, -1.008]],
    ),
    "ActiGraph with decimal commas": (
        "a.csv",
        ACTIGRAPH + ";".join(AXES) + "\n-0,031;0,016;-1,008\n",
        {"skip_lines": 10, "decimal": ",", "channels": AXES[::-1]},
        [[-1.008, 0.016, -0.031]],
    ),
    "Axivity": (
        "a.csv",
        "2014-05-07 16:29:30.110,-0.484375,0.234375,0.84375\n"
        "2014-05-07 16:29:30.120,-0.5,0.25,0.828125\n",
        {"header": ["time", "x", "y", "z"], "channels": ["x", "y", "z"]},
        [[-0.484375, 0.234375, 0.84375], [-0.5, 0.25, 0.828125]],
    ),
    "GENEActiv": (
        "a.csv",
        f"{GENEACTIV}2012-05-23 16:47:50:000,-0.0117,0.0078,1.0039,0,0,21.8\n",
        {
            "skip_lines": 100,
            "header": ["time", "x", "y", "z", "light", "button", "temperature"],
            "channels": ["x", "y", "z"],
        },
        [[-0.0117, 0.0078, 1.0039]],
    ),
    "OpenBCI": (
        "a.txt",
        f"{OPENBCI}Sample Index, EXG Channel 0, EXG Channel 1, Other, Other, Timestamp (Formatted)"
        "\n0.0, -1234.56, 7.8, 192.0, 0.0, 2020-11-16 10:06:29.100\n",
        {"comment": "%", "channels": ["EXG Channel 1", "EXG Channel 0"]},
        [[7.8, -1234.56]],
    ),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_texts_of_devices(tmp_path, device, end):
    """Files in the form that the programs of the devices write."""
    name, text, keys, values = DEVICES[device]
    text = text.replace("\n", end)
    assert table(tmp_path / name, text, **keys) == values


def test_names_in_latin_1(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("x,temperature (°C),note\n1,20.5,é\n2,21.5,\n".encode("latin-1"))
    assert read_all(path, ["x"]).tolist() == [[1], [2]]
    assert read_all(path, ["temperature (°C)"]).tolist() == [[20.5], [21.5]]
    with open_source(str(path), None, ["x"]) as source:
        assert "taken for Latin-1" in source.notes[0]
    path.write_bytes("x,y\n1,2\n".encode("utf-16"))
    assert "is a text in UTF-16" in refusal(str(path), ["x"])
    path.write_bytes(b"PK\x03\x04 and so on")
    assert "is a workbook or a compressed file. Save the table as CSV" in refusal(str(path), ["x"])
    path.write_bytes(gzip.compress(b"x\n1\n"))
    assert "is compressed by gzip. Give it a name" in refusal(str(path), ["x"])


def test_a_first_row_that_is_taken_for_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("2014-05-07 16:29:30.110,-0.48,0.23,0.84\n2014-05-07 16:29:30.120,-0.5,0.2,1\n")
    with open_source(str(path), None, ["0.23"]) as source:
        assert "3 of 4 names in its first line are numbers" in source.notes[0]
    assert 'set decimal: ","' in refusal_of(path, "t;x\n0;1,5\n", ["x"])


def refusal_of(path, text, channels):
    path.write_text(text)
    return refusal(str(path), channels)


def test_lines_in_messages_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,x\n\n1,2\n\n\n3,five\n")
    assert "line 6" in refusal(str(path), ["x"])
    path.write_text("# a\nt,x\n# b\n1,2\n\n3,five\n")
    assert "line 6" in refusal(str(path), ["x"], comment="#")
    path.write_text("junk\nt,x\n1,2\n3,five\n")
    assert "line 4" in refusal(str(path), ["x"], skip_lines=1)
    path.write_text("1,2\n\n3,five\n")
    assert "line 3" in refusal(str(path), ["a", "x"], header="none")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_any_line_ends_after_a_byte_order_mark(tmp_path, mark, end):
    path = tmp_path / "a.csv"
    lines = ["% remark", "x,y", "1,2", "%", "3,4", ""]
    path.write_bytes((mark + end.join(lines)).encode())
    assert read_all(path, ["y"], comment="%").ravel().tolist() == [2, 4]
    del lines[3]
    path.write_bytes((mark + end.join(lines)).encode())
    assert read_all(path, ["y"], skip_lines=1).ravel().tolist() == [2, 4]


def test_a_comment_takes_no_line_with_it(tmp_path):
    """Its line may end otherwise than those around it."""
    (tmp_path / "a.csv").write_bytes(b"x\n1\n% remark\r2\n3\n")
    assert read_all(tmp_path / "a.csv", ["x"], comment="%").ravel().tolist() == [1, 2, 3]


@pytest.mark.parametrize("change", [lambda text: text[:-6], lambda text: text + b"more"])
def test_a_compressed_table_that_is_not_whole(tmp_path, change):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(change(gzip.compress(b"x,y\n1,2\n") + gzip.compress(b"3,4\n" * 50)))
    assert "cannot be decompressed to its end" in refusal(str(path), ["x"])


def test_another_delimiter_is_suspected(tmp_path):
    (tmp_path / "a.csv").write_text("t\tx\ty\n1\t2\t3\n")
    message = refusal(str(tmp_path / "a.csv"), ["x"])
    assert "1 column with commas" in message
    (tmp_path / "b.csv").write_text("sep=;\nt;x\n1;2\n")
    assert "set skip_lines: 1" in refusal(str(tmp_path / "b.csv"), ["x"])
    assert read_all(tmp_path / "b.csv", ["x"], skip_lines=1).tolist() == [[2]]
    assert "2 tabs, which would make 3. A file with tabs has a name that ends in .tsv" in message


def test_a_stray_quote_swallows_no_interval(tmp_path):
    from memwave.recordings.labels.intervals import read_intervals

    path = tmp_path / "a.tsv"
    path.write_text('start\tstop\tlabel\tnote\n0\t5\ta\t"odd\n5\t9\tb\t\n9\t12\tc\tlate"\n')
    with pytest.raises(MemwaveError, match=r"line 4: a quote takes in a line"):
        read_intervals(str(path), 100, 50.0)


def test_odd_columns_beside_the_wanted_one(tmp_path):
    nested = pyarrow.array([{"a": 1, "b": [1] * 9}, {"a": 2, "b": []}])
    columns = [nested, [[1], [2]], [1, 2], [1.5, 2.5], [3, 4]]
    odd = pyarrow.Table.from_arrays(list(map(pyarrow.array, columns)), ["n", "l", "d", "x", "d"])
    pyarrow.parquet.write_table(odd, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(odd, str(tmp_path / "a.feather"))
    (tmp_path / "a.csv").write_text("n,d,x,d\n{},1,1.5,3\n[],2,2.5,4\n")
    for name in ("a.parquet", "a.feather", "a.csv"):
        assert read_all(tmp_path / name, ["x"]).tolist() == [[1.5], [2.5]]
        assert '2 channels called "d"' in refusal(str(tmp_path / name), ["d"])


@pytest.mark.parametrize("ending", ["parquet", "feather", "csv"])
def test_spaces_around_names_do_not_count(tmp_path, ending):
    table, path = pyarrow.table({" a ": [1.0, 2.0], "b": [3.0, 4.0]}), tmp_path / f"x.{ending}"
    if ending == "csv":
        path.write_text(" a ,b\n1,3\n2,4\n")
    elif ending == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path)
    for names in (["b", "a"], [" b", " a "]):
        np.testing.assert_array_equal(read_all(path, names), [[3, 1], [4, 2]])
    with open_source(str(path)) as source:
        assert source.channel_names == ["a", "b"]


def test_tables_of_other_forms_are_recognised(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x y\n1 2\n")
    assert "has spaces between 2 words" in refusal(str(path), ["x", "y"])
    path.write_text("# rate, 5\nx,y\n1,2\n")
    assert 'begin with "#", set comment: "#".' in refusal(str(path), ["x", "y"])
    path.write_text("% a device\nx,y\n1,2\n")
    assert 'set comment: "%".' in refusal(str(path), ["x", "y"])
    assert "set comment" not in refusal(str(path), ["x", "z"], comment="%")
