"""Tables of named columns, which are converted: CSV and TSV, Parquet, Arrow."""

import gzip
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from stages import run_stage

from convert_recordings import convert_recording, convert_recordings
from memwave.core.errors import MemwaveError
from memwave.readers import DEFAULTS, is_converted, library_bytes, open_array, open_source
from memwave.readers.formats import csv
from memwave.readers.formats.csv.plain import plain_table
from memwave.readers.shared import row_counts
from memwave.recordings.segments import PlannedRecording
from memwave.workflow.planning.memory.stages import conversion_mb
from memwave.workflow.requests.recordings import Conversion, RecordingConversion

NAMES = ["left", "right", "up"]


def save_csv(path, array, names=NAMES, delimiter=","):
    lines = [delimiter.join(["note", *names])]
    lines += [delimiter.join(["on", *map(repr, row)]) for row in array.tolist()]
    content = "".join(line + "\n" for line in lines).encode()
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wb") as file:
        file.write(content)


def table_of(array, names=NAMES):
    columns = {name: array[:, i] for i, name in enumerate(names)}
    return pyarrow.table({"note": ["on"] * len(array), **columns})


def save_parquet(path, array):
    pyarrow.parquet.write_table(table_of(array), path, row_group_size=7)


def save_feather(path, array):
    pyarrow.feather.write_feather(table_of(array), str(path), chunksize=5)


def save_arrow(path, array):
    table = table_of(array)
    with pyarrow.ipc.new_file(str(path), table.schema) as file:
        file.write_table(table)


SAVERS = {
    "a.csv": save_csv,
    "a.tsv": lambda path, array: save_csv(path, array, delimiter="\t"),
    "b.csv": lambda path, array: save_csv(path, array, delimiter=";"),
    "a.csv.gz": save_csv,
    "a.parquet": save_parquet,
    "a.feather": save_feather,
    "a.arrow": save_arrow,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def read_all(path, channels, **options):
    """All pieces, put together; every value has to come once."""
    with open_source(str(path), None, channels, **options) as source:
        whole = np.empty(source.shape, source.dtype)
        filled = np.zeros(source.shape, int)
        for rows, columns, values in source.blocks():
            whole[rows, columns] = values
            filled[rows, columns] += 1
    assert (filled == 1).all()
    return whole


@pytest.mark.parametrize("name", SAVERS)
@given(
    array=npst.arrays(
        st.sampled_from(["f4", "f8", "i2"]), npst.array_shapes(min_dims=2, max_dims=2)
    ),
    order=st.permutations(NAMES),
)
def test_channels_come_by_name_and_with_all_digits(folder, name, array, order):
    array = np.resize(array, (len(array), len(NAMES)))
    path = folder / name
    SAVERS[name](path, array)
    os.utime(path, ns=(0, hash(array.tobytes()) % 2**61))  # a new file, though it was just written
    whole = read_all(path, order[:2])
    expected = array[:, [NAMES.index(channel) for channel in order[:2]]]
    assert whole.dtype == ("f4" if array.dtype == "f4" and "sv" not in name else "f8")
    np.testing.assert_array_equal(whole, expected)


def test_numbers_in_dictionaries(folder):
    column = pyarrow.array([1.5, None, 2.5, 1.5]).dictionary_encode()
    table = pyarrow.table({"a": column, "kind": pyarrow.array(list("xyxy")).dictionary_encode()})
    pyarrow.parquet.write_table(table, folder / "coded.parquet")
    pyarrow.feather.write_feather(table, str(folder / "coded.feather"))
    for name in ("coded.parquet", "coded.feather"):
        np.testing.assert_array_equal(read_all(folder / name, ["a"])[:, 0], [1.5, np.nan, 2.5, 1.5])
        with pytest.raises(MemwaveError, match="'kind' holds values of type string"):
            open_source(str(folder / name), None, ["kind"])


def test_missing_values_are_nan(folder):
    (folder / "gaps.csv").write_text("a,b\n1,\nNA,2\n3,nan\n")
    table = pyarrow.table({"a": [1, None, 3], "b": [None, 2.5, float("nan")]})
    pyarrow.parquet.write_table(table, folder / "gaps.parquet")
    pyarrow.feather.write_feather(table, str(folder / "gaps.feather"))
    for name, two in (("gaps.csv", 2), ("gaps.parquet", 2.5), ("gaps.feather", 2.5)):
        expected = [[1, np.nan], [np.nan, two], [3, np.nan]]
        np.testing.assert_array_equal(read_all(folder / name, ["a", "b"]), expected)


def test_blank_lines(folder):
    """They mean nothing between rows of several columns, and a missing value in a single one."""
    (folder / "many.csv").write_text("a,b\n1,2\n\n3,4\n\n")
    assert read_all(folder / "many.csv", ["a"]).tolist() == [[1], [3]]
    (folder / "single.csv").write_text("a\n1\n\n3\n")
    np.testing.assert_array_equal(read_all(folder / "single.csv", ["a"]), [[1], [np.nan], [3]])


def test_what_spreadsheets_do_to_a_table(folder):
    text = '\ufeff"time (s)", left ,"a ""b"""\r\n"0,1",1.5,"two\nlines"\r\n"0,2",-2e-3,x\r\n'
    (folder / "sheet.csv").write_bytes(text.encode())
    assert read_all(folder / "sheet.csv", ["left"]).tolist() == [[1.5], [-0.002]]


def test_a_table_of_many_blocks(folder):
    array = np.arange(120_000.0).reshape(-1, 3) / 7
    for name in ("a.csv", "a.csv.gz", "a.parquet", "a.arrow"):
        SAVERS[name](folder / name, array)
        np.testing.assert_array_equal(read_all(folder / name, NAMES), array)


def test_the_compression_of_hadoop(tmp_path):
    """LZ4 has two numbers in Parquet: 7, and 5 as Hadoop wrote it, which pyarrow reads as well."""
    path, rows = tmp_path / "x.parquet", np.arange(5000.0)
    pyarrow.parquet.write_table(pyarrow.table({"a": rows}), path, compression="lz4")
    before, codec, after = path.read_bytes().rpartition(b"\x15\x0e\x16")
    path.write_bytes(before + codec.replace(b"\x0e", b"\x0a") + after)
    facts = pyarrow.parquet.ParquetFile(path).metadata
    assert facts.row_group(0).column(0).compression == "UNKNOWN"
    np.testing.assert_array_equal(read_all(path, ["a"])[:, 0], rows)


def test_the_rows_of_a_text_are_counted_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "snakemake", raising=False)
    Path("a.csv").write_text("a\n1\n2\n")
    open_source("a.csv", None, None).close()
    assert os.listdir() == ["a.csv"]  # nothing is left where no workflow runs
    row_counts._remembered.cache_clear()
    Path(".snakemake").mkdir()
    for content, rows in (("a\n1\n2\n", 2), ("b\n1\n2\n", 2), ("a\n1\n2\n3\n", 3)):
        status = os.stat("a.csv")
        Path("a.csv").write_text(content)
        if len(content) == status.st_size:  # as if it had not been touched
            os.utime("a.csv", ns=(status.st_atime_ns, status.st_mtime_ns))
        with open_source("a.csv", None, None) as source:
            assert source.shape == (rows, 1)
    assert len(Path(".snakemake/memwave/rows.jsonl").read_text().splitlines()) == 2


CELLS = ("1", "-2.5", "1e5", "12E-7", "", "NA", "nan", "NaN", "007", "9" * 18, "9" * 19, "1e400")
ODD_CELLS = ("x", "+1", "1.", ".5", "2020-01-01", "12:30", "true", '"1"', " 1", "-", "null", "1_0")


@st.composite
def texts(draw):
    """Tables of numbers, nearly: some have other cells, a cell too many, or other line ends."""
    cells = st.sampled_from(CELLS + draw(st.sampled_from([(), ODD_CELLS])))
    names = draw(st.lists(st.sampled_from(["b ", "é", "1", '"c"', ""]), max_size=2))
    lines = [["a", *(names or ["b", "c"])]]
    lines += draw(st.lists(st.lists(cells, min_size=len(lines[0]), max_size=len(lines[0]))))
    lines += draw(st.lists(st.lists(cells, max_size=4), max_size=1))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return end.join(map(",".join, lines)) + draw(st.sampled_from([end, "", end * 2]))


@given(texts())
def test_what_is_known_of_a_plain_table_is_what_the_parser_finds(text):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.chdir(folder)
        Path("a.csv").write_bytes(text.encode())
        plain = plain_table("a.csv", DEFAULTS)
        if plain is None:
            return
        patch.setattr(csv, "plain_table", lambda *_: None)
        source = open_source("a.csv")
        assert source.shape == (plain.rows, len(plain.names))
        assert source.channel_names == [name.strip() for name in plain.names]
        assert not source.text_channels()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", 1),
        ("a,b\r\n1,\r\n-2.5e3,NaN", 2),
        ("a;b\n1;2\n", 1),
        ("a\n1\n", None),
        ("a,b\n1,2\n\n3,4\n", None),
        ("a,b\n1,2,3\n", None),
        ('a,b\n1,"2"\n', None),
        ("\ufeffa,b\n1,2\n", None),
        ("a,b\n1,x\n", None),
        ("a,b\n", None),
    ],
)
def test_tables_that_need_no_parser(tmp_path, text, rows):
    (tmp_path / "a.csv").write_bytes(text.encode())
    found = plain_table(str(tmp_path / "a.csv"), DEFAULTS)
    assert (found and found.rows) == rows


def convert(folder, name, rows=100, channels=NAMES):
    recording = PlannedRecording("monday", str(folder / name), None, rows)
    request = RecordingConversion(recording, tuple(channels))
    convert_recording(request, converted=str(folder / "out.npy"))


def test_a_converted_recording_is_a_plain_array(tmp_path):
    array = np.random.default_rng(0).normal(size=(100, 3))
    contents = set()
    for name, save in SAVERS.items():
        save(tmp_path / name, array)
        convert(tmp_path, name, channels=NAMES[::-1])
        contents.add((tmp_path / "out.npy").read_bytes())
        with open_array(str(tmp_path / "out.npy")) as source:
            np.testing.assert_array_equal(source.read(0, 100), array[:, ::-1])
    assert len(contents) == 1


@pytest.mark.parametrize("rows", [99, 101])
@pytest.mark.parametrize("name", SAVERS)
def test_a_recording_that_is_not_as_long_as_planned(tmp_path, name, rows):
    SAVERS[name](tmp_path / name, np.zeros((100, 3)))
    with pytest.raises(MemwaveError, match=f"'monday': .*has 100 rows now, and had {rows}"):
        convert(tmp_path, name, rows=rows)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet", "a.feather"])
def test_a_conversion_keeps_to_the_predicted_memory(tmp_path, name):
    rows = 60_000
    array = np.random.default_rng(0).normal(size=(rows, 3)).astype("f4")
    path = tmp_path / name
    if name == "a.csv.gz":
        save_csv(path, array)
    elif name == "a.parquet":
        pyarrow.parquet.write_table(table_of(array), path)
    else:
        pyarrow.feather.write_feather(table_of(array), str(path))
    request = RecordingConversion(PlannedRecording("r", str(path), None, rows), tuple(NAMES))
    limit = conversion_mb(library_bytes([str(path)]))
    # A batch needs the memory of its largest file.
    outputs = [tmp_path / f"out{i}.npy" for i in range(4)]
    batch = tuple(Conversion(request, (str(output),)) for output in outputs)
    ended = run_stage("convert_recordings", tmp_path, batch, memory_mb=limit)
    assert ended.status == 0, ended.told
    for output in outputs:
        np.testing.assert_array_equal(np.load(output), array)
    assert ended.usage["peak_anonymous_mb"] < limit


def test_tables_are_converted_and_arrays_are_not():
    assert all(is_converted(name) for name in SAVERS)
    assert not any(is_converted(name) for name in ("a.npy", "a.raw", "a.h5::/a"))


@pytest.mark.parametrize(
    ("column", "place"),
    [
        ("state", "column \"state\": line 2: .*invalid value 'walk'"),
        ("late", "column \"late\": line 42: .*invalid value 'off'"),
        ("day", 'column "day": line 2: '),
        ("x", None),
        ("whole", None),
        ("gaps", None),
        ("empty", None),
    ],
)
def test_text_at_the_beginning_of_a_channel_is_found_without_reading_the_file(
    tmp_path, column, place
):
    rows = [
        f"{i}.5,walk,{'off' if i == 40 else i},2026-01-{1 + i % 28:02},{i},{'' if i % 2 else i},"
        for i in range(60)
    ]
    lines = ["x,state,late,day,whole,gaps,empty", *rows]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    with open_source(str(tmp_path / "a.csv"), None, ["x", column][column == "x" :]) as source:
        if place is None:
            source.require_numbers()
            return
        with pytest.raises(MemwaveError, match=place):
            source.require_numbers()


def test_a_batch_converts_what_it_can_and_names_all_that_it_cannot(tmp_path):
    save_csv(tmp_path / "good.csv", np.ones((100, 3)))
    names = ("one.csv", "good.csv", "two.csv")
    for name in names[::2]:
        (tmp_path / name).write_text("left,right,up\n" + "1,2,3\n" * 7)
    batch = tuple(
        Conversion(
            RecordingConversion(
                PlannedRecording(name, str(tmp_path / name), None, 100), tuple(NAMES)
            ),
            (str(tmp_path / f"{name}.npy"),),
        )
        for name in names
    )
    with pytest.raises(MemwaveError, match=r"one\.csv has 7 rows now.*\n.*two\.csv has 7 rows now"):
        convert_recordings(batch)
    assert [path.name for path in tmp_path.glob("*.npy")] == ["good.csv.npy"]
