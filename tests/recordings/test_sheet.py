"""The recordings sheet: what it admits, and findings with line numbers."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwave.core.errors import ConfigurationError
from memwave.recordings.sheet.columns import Recording
from memwave.recordings.sheet.reading import read_sheet


def write(folder, *lines, encoding="utf-8", end="\n"):
    path = folder / "sheet.tsv"
    path.write_bytes(end.join(lines).encode(encoding))
    return str(path)


def findings_of(path):
    with pytest.raises(ConfigurationError) as caught:
        read_sheet(path)
    return caught.value.findings


def test_all_columns(tmp_path):
    path = write(
        tmp_path,
        "recording\tpath\tlabels\tsplit\tdtype\tsampling_rate",
        "one\ta.npy\ta.labels.npy\ttrain\t\t",
        "two\tb.DAT\tb.h5::/y\ttest\t>i2\t62.5",
    )
    assert read_sheet(path) == (
        Recording("one", "a.npy", None, "a.labels.npy", None, "train"),
        Recording("two", "b.DAT", ">i2", "b.h5::/y", None, "test", 62.5),
    )


def test_only_the_required_columns(tmp_path):
    path = write(tmp_path, "path\trecording", "a.npy\tone")
    assert read_sheet(path) == (Recording("one", "a.npy", None, None, None, "train"),)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_do_to_a_sheet(tmp_path, end):
    lines = ("recording\tpath\t\t".rstrip(), "", " one \ta.npy\t\t", "\t\t", "two\tb.npy", "")
    path = write(tmp_path, *lines, encoding="utf-8-sig", end=end)
    assert [recording.name for recording in read_sheet(path)] == ["one", "two"]


def test_trailing_tabs_and_quoted_cells(tmp_path):
    path = write(tmp_path, '"recording"\t"path"\t', '"one ""x"""\t"a.npy"\t', "two\tb.npy")
    assert [recording.name for recording in read_sheet(path)] == ['one "x"', "two"]
    assert [recording.path for recording in read_sheet(path)] == ["a.npy", "b.npy"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("recording path split", "spaces"),
        ("recording    path", "spaces"),
        ("recording,path", "commas"),
        ('"recording";"path"', "semicolons"),
    ],
)
def test_other_separators_than_tabs_are_named(tmp_path, header, name):
    (finding,) = findings_of(write(tmp_path, header, "one a.npy train"))
    assert finding.endswith(
        f"has {name} between its columns, expected tabs. Replace the {name} by tabs."
    )


def test_a_sheet_of_nothing_but_quotes(tmp_path):
    assert "is missing" in findings_of(write(tmp_path, '""', "one"))[0]


def test_the_home_folder_is_not_abbreviated(tmp_path):
    (finding,) = findings_of(write(tmp_path, "recording\tpath", "one\t~/data/a.npy"))
    assert "~/data/a.npy begins with ~" in finding


def test_names_are_free(tmp_path):
    path = write(tmp_path, "recording\tpath", "Straße 1/2 (früh), 日\ta.npy")
    assert read_sheet(path)[0].name == "Straße 1/2 (früh), 日"


@pytest.mark.parametrize("dtype", ["float32", "int16", "<i2", ">f8", "=f4", "|u1", "u1", "f2"])
def test_dtypes_of_raw_files(tmp_path, dtype):
    path = write(tmp_path, "recording\tpath\tdtype", f"one\ta.raw\t{dtype}")
    assert read_sheet(path)[0].dtype == dtype


HEADER = "recording\tpath\tlabels\tsplit\tdtype"
BAD_ROWS = [
    ("one\ta.npy\t\tTrain\t", ["line 2", '"one" has split "Train"', '"train"']),
    ("one\ta.npy\t\t\t", ["line 2", 'split ""', "expected train or test"]),
    ("\ta.npy\t\ttest\t", ["line 2", "a name of 0 characters", "1 to 200"]),
    (f"{'x' * 201}\ta.npy\t\ttest\t", ["line 2", "201 characters"]),
    ("o\x07ne\ta.npy\t\ttest\t", ["line 2", r'recording "o\u0007ne"', "control character"]),
    ("one\ta\x00.npy\t\ttest\t", ["line 2", "path", "control character"]),
    ("one\t\t\ttest\t", ["line 2", '"one" has no path']),
    ("one\ta.xyz\t\ttest\t", ["line 2", "a.xyz", "unknown kind of file .xyz", ".npy", ".raw"]),
    ("one\ta\t\ttest\t", ["line 2", "unknown kind of file (no suffix)"]),
    ("one\ta.raw\t\ttest\t", ["line 2", '"one" has no dtype', "a.raw", "float32"]),
    ("one\ta.raw\t\ttest\tfloat", ["line 2", 'dtype "float"', "int16, float32"]),
    ("one\ta.raw\t\ttest\tcomplex64", ["line 2", 'dtype "complex64"']),
    ("one\ta.raw\t\ttest\tO", ["line 2", 'dtype "O"']),
    ("one\ta.raw\t\ttest\ti4,f4", ["line 2", 'dtype "i4,f4"']),
    ("one\ta.raw\t\ttest\t<f16", ["line 2", 'dtype "<f16"']),
    ("one\ta.npy\t\ttest\tfloat32", ["line 2", "a.npy contains its type", "Empty the cell"]),
    ("one\ta.npy\ty.xyz\ttest\t", ["line 2", "y.xyz", "unknown kind of file .xyz"]),
    ("one\ta.npy\ty.raw\ttest\t", ["line 2", "labels y.raw", "x.npy or x.h5::", "x.csv::column"]),
    ("one\t/\t\ttest\t", ["line 2", "/: is a folder", "a line for each file"]),
    ("one a.npy test", ["line 2", "has spaces between its cells, expected tabs"]),
    ("one\ta.npy\t\ttest\t\tmore", ["line 2", "has 6 cells, expected 5"]),
]


@pytest.mark.parametrize(("row", "words"), BAD_ROWS)
def test_a_finding_names_line_and_remedy(tmp_path, row, words):
    path = write(tmp_path, HEADER, row)
    findings = findings_of(path)
    assert len(findings) == 1
    assert all(word in findings[0] for word in [path, *words]), findings


BAD_HEADERS = [
    ("recording\tpath\tlabel", ['unknown column "label"', 'Did you mean "labels"']),
    ("recording,path", ["commas between its columns", "expected tabs"]),
    ("recording\tlabels", ['the column "path" is missing']),
    ("recording\tpath\tpath", ['the column "path" appears more than once']),
    ("recording\tpath", ["has no recording", "Add one line per recording"]),
]


@pytest.mark.parametrize(("header", "words"), BAD_HEADERS)
def test_findings_about_the_header(tmp_path, header, words):
    path = write(tmp_path, header)
    findings = "\n".join(findings_of(path))
    assert all(word in findings for word in [path, *words]), findings


def test_capitals_of_the_header_are_one_finding_each(tmp_path):
    found = findings_of(write(tmp_path, "Recording\tPath", "one\ta.npy"))
    assert [finding.split('"')[1] for finding in found] == ["Recording", "Path"]


def test_duplicate_names(tmp_path):
    path = write(tmp_path, "recording\tpath", "one\ta.npy", "", "two\tb.npy", "one\tc.npy")
    assert findings_of(path) == (
        f'{path}, line 5: the recording "one" is in line 2 already. '
        "Give each recording its own name.",
    )


def test_all_rows_are_reported_together(tmp_path):
    path = write(tmp_path, HEADER, "\ta.npy\t\tx\t", "two\tb.raw\t\ttest\t", "two\tb.npy\t\ttest\t")
    lines = [finding.split("line ")[1][0] for finding in findings_of(path)]
    assert sorted(lines) == ["2", "2", "3", "4"]


def test_an_empty_sheet(tmp_path):
    assert "is empty" in findings_of(write(tmp_path, "", "\t"))[0]


def test_a_missing_sheet(tmp_path):
    (finding,) = findings_of(str(tmp_path / "none.tsv"))
    assert "none.tsv" in finding
    assert "No such file" in finding
    assert "Check the path" in finding


def test_a_folder_is_no_sheet(tmp_path):
    assert "cannot be read" in findings_of(str(tmp_path))[0]


def test_text_in_another_encoding(tmp_path):
    path = write(tmp_path, "recording\tpath", "früh\ta.npy", encoding="latin-1")
    (finding,) = findings_of(path)
    assert f"{path}, line 2: is not UTF-8 text" in finding
    assert "Save the sheet as UTF-8" in finding


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\x14\x00\x06\xff", "is a workbook, or a compressed file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "save the table as text with tabs"),
        ("recording\tpath\n".encode("utf-16"), "is text in UTF-16, expected UTF-8"),
    ],
)
def test_sheets_that_are_no_text(tmp_path, content, words):
    (tmp_path / "sheet.tsv").write_bytes(content)
    assert words in findings_of(str(tmp_path / "sheet.tsv"))[0]


@given(content=st.binary(max_size=60), header=st.sampled_from([b"", b"recording\tpath\tsplit\n"]))
def test_junk_gives_a_configuration_error_or_nothing(tmp_path_factory, content, header):
    path = tmp_path_factory.getbasetemp() / "junk.tsv"
    path.write_bytes(header + content)
    with suppress(ConfigurationError):
        assert read_sheet(str(path))
