"""Errors for files that are no recordings, in every format that a library reads."""

import gzip
import json
import sys

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
import soundfile
import test_formats
import test_tables
import zarr

from memwave.core.errors import MemwaveError
from memwave.readers import ArraySource, open_source

SIGNAL = np.arange(300, dtype="i2").reshape(100, 3)
NAMES = test_tables.NAMES


def text(content, encoding="utf-8"):
    return lambda path: path.write_bytes(content.encode(encoding))


def content(data):
    return lambda path: path.write_bytes(data)


def spoiled(save, change):
    """Write a recording and change its bytes."""

    def make(path):
        save(path, SIGNAL)
        path.write_bytes(change(path.read_bytes()))

    return make


def columns(write, **given):
    return lambda path: write(pyarrow.table(given), str(path))


def parquet(table, path, **options):
    pyarrow.parquet.write_table(table, path, **options)


feather = pyarrow.feather.write_feather
NUMBERS = {name: [1.0, 2.0] for name in NAMES}
MANY = {name: np.zeros(5_000_000) for name in NAMES}
HEADER = "left,right,up\n"
CSV = {
    "empty": (text(""), ["Empty CSV", "a line with names"]),
    "a header only": (text(HEADER), ["has no row"]),
    "no header": (text("1,2,3\n4,5,6\n"), ["numbers in its first line", "Add a line"]),
    "a missing channel": (text("left,down,up\n1,2,3\n"), ['"right"', 'has "left", "down"']),
    "another case": (text("Left,right,up\n1,2,3\n"), ['"left"', 'Did you mean "Left"']),
    "a channel twice": (text("left,right,up,up\n1,2,3,4\n"), ['2 channels called "up"', "Rename"]),
    "a word": (text(HEADER + "1,2,3\n4,five,6\n"), ["line 3", "'five'"]),
    "a decimal comma": (text('left;right;up\n"1,5";2;3\n'), ["'1,5'", "a point for decimals"]),
    "a short line": (text(HEADER + "1,2,3\n4,5\n"), ["line 3: Expected 3 columns, got 2"]),
    "a long line": (text(HEADER + "1,2,3,4\n"), ["line 2: Expected 3 columns, got 4"]),
    "true and false": (text(HEADER + "1,true,3\n"), ["'true'", "numbers"]),
    "a date": (text(HEADER + "1,2,2024-01-01\n"), ["'2024-01-01'"]),
    "utf-16": (text(HEADER + "1,2,3\n", "utf-16"), ["UTF-8"]),
    "utf-16 without a mark": (text(HEADER + "1,2,3\n", "utf-16-le"), ["byte 1 is zero", "UTF-16"]),
    "utf-32": (text(HEADER + "1,2,3\n", "utf-32-be"), ["byte 0 is zero", "in UTF-8"]),
    "latin-1 names": (text("früh,right,up\n1,2,3\n", "latin-1"), ['no channel "left"', "früh"]),
    "an endless line": (text(HEADER + "1" * 3_000_000), ["cannot be read as a table"]),
    "tabs": (text("left\tright\tup\n1\t2\t3\n"), ['no channel "left"']),
    "bytes": (content(bytes(range(1, 256))), ["cannot be read as a table"]),
}
PACKED = gzip.compress((HEADER + "1,2,3\n" * 1000).encode())
GZ = {
    "not packed": (text(HEADER + "1,2,3\n"), ["Not a gzipped file"]),
    "cut": (content(PACKED[:-20]), ["ended before"]),
    "changed": (content(PACKED[:-6] + b"\0" + PACKED[-5:]), ["CRC"]),
}
PARQUET = {
    "empty": (text(""), ["not a whole Parquet file", "0 bytes"]),
    "text": (text(HEADER + "1,2,3\n"), ["not a whole Parquet file", "Copy or save it again"]),
    "cut": (spoiled(test_tables.save_parquet, lambda b: b[:-10]), ["not a whole Parquet file"]),
    "no rows": (columns(parquet, **{name: np.zeros(0) for name in NAMES}), ["at least one row"]),
    "a missing channel": (columns(parquet, left=[1.0], up=[1.0]), ['"right"', 'has "left", "up"']),
    "texts": (columns(parquet, **NUMBERS | {"up": ["a", "b"]}), ["'up'", "string", "Leave it out"]),
    "times": (
        columns(parquet, **NUMBERS | {"up": np.zeros(2, "M8[s]")}),
        ["'up'", "timestamp", "expected integers or floats"],
    ),
    "lists": (columns(parquet, **NUMBERS | {"up": [[1.0], [2.0]]}), ["'up'", "list"]),
    "huge row groups": (
        columns(lambda t, p: parquet(t, p, row_group_size=9_000_000, use_dictionary=False), **MANY),
        ["row groups with 40,", "smaller row_group_size"],
    ),
}
ARROW = {
    "empty": (text(""), ["not a whole Arrow file"]),
    "text": (text(HEADER + "1,2,3\n" * 20), ["not a whole Arrow file", "Feather version 2"]),
    "cut": (spoiled(test_tables.save_arrow, lambda b: b[:-30]), ["not a whole Arrow file"]),
    "a missing channel": (columns(feather, left=[1.0], up=[1.0]), ['"right"']),
    "flags": (columns(feather, **NUMBERS | {"up": [True, False]}), ["'up'", "bool"]),
}


def edf_of_rates(path):
    test_formats.save_edf(path, np.resize(SIGNAL, (100, 3)), rates=[50, 50, 25])


def edf_field(start, value):
    return spoiled(test_formats.save_edf, lambda b: b[:start] + value + b[start + len(value) :])


EDF = {
    "empty": (text(""), ["cannot be read as EDF"]),
    "text": (text("x" * 2000), ["cannot be read as EDF", "expected '0'", "Save it anew"]),
    "cut": (
        spoiled(test_formats.save_edf, lambda b: b[:-100]),
        ["announces 2 records", "holds 1", "Copy it again"],
    ),
    "records without number": (edf_field(236, b"abcdefgh"), ["cannot be read as EDF"]),
    "no room for signals": (edf_field(252, b"9999"), ["cannot be read as EDF"]),
    "two rates": (edf_of_rates, ["different sampling rates", '"up" 25 Hz', "of one rate"]),
    "a missing channel": (
        lambda path: test_formats.save_edf(path, SIGNAL, names=["left", "mid", "up"]),
        ['"right"', 'has "left", "mid", "up"'],
    ),
}


def record(header, data=None):
    def make(path):
        path.write_text(header)
        if data is not None:
            path.with_suffix(".dat").write_bytes(data)

    return make


LINES = "".join(f"a.dat 16 1/g 16 0 0 0 0 {name}\n" for name in NAMES)
WFDB = {
    "empty": (record(""), ["not a WFDB header"]),
    "text": (record("hello\n"), ["not a WFDB header", "Download"]),
    "no signal file": (record(f"a 3 50 100\n{LINES}"), ["No such file", "a.dat"]),
    "a short signal": (record(f"a 3 50 100\n{LINES}", bytes(500)), ["last of 100 samples"]),
    "no length": (record(f"a 3 50\n{LINES}", bytes(600)), ["how many samples", "holds 100"]),
    "an unknown format": (record(f"a 3 50 100\n{LINES.replace(' 16 1', ' 17 1')}", bytes(600)), []),
    "a missing channel": (record(f"a 3 50 100\n{LINES.replace('up', 'x')}", bytes(600)), ['"up"']),
    "a huge number of signals": (
        record(f"a 100000000 50 100\n{LINES}", bytes(600)),
        ["announces 100000000 signals and describes 3"],
    ),
    "an infinite gain": (
        record(f"a 3 50 100\n{LINES.replace('1/g', '1e999/g')}", bytes(600)),
        ["signal left has inf units of the converter"],
    ),
    "a signal later than the record": (
        record(f"a 3 50 100\n{LINES.replace(' 16 1', ' 16:100 1')}", bytes(600)),
        ["signal left is 100 samples late by its header, of 100"],
    ),
    "samples beyond the file": (
        record(f"a 3 50 100\n{LINES.replace(' 16 1', ' 16+999 1', 1)}", bytes(600)),
        ["last of 100 samples", "holds 0"],
    ),
    "a segment that is not there": (
        record("a/1 3 50 100\nb 100\n"),
        ["not a WFDB header", "b.hea"],
    ),
}
WAV = {
    "empty": (text(""), ["cannot be opened as a WAV"]),
    "text": (text("RIFF and more"), ["cannot be opened as a WAV"]),
    "cut": (
        spoiled(test_formats.save_audio, lambda b: b[:-99]),
        ["was cut short", "announces 600 bytes of samples, the file holds 501"],
    ),
    "packed with loss": (
        lambda path: soundfile.write(path, SIGNAL[:, :1], 50, "MS_ADPCM"),
        ["MS_ADPCM", "PCM_16"],
    ),
    "no frames": (lambda path: soundfile.write(path, SIGNAL[:0], 50), ["at least one row"]),
}
FLAC = {
    "cut": (spoiled(test_formats.save_audio, lambda b: b[:-9]), ["Copy it again"]),
    "changed": (
        spoiled(test_formats.save_audio, lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:]),
        ["rows 0 to 99 cannot be read", "Copy it again"],
    ),
}


def zarr_of(array, **options):
    return lambda path: zarr.create_array(str(path), data=array, **options)


def zarr_header(change):
    def make(path):
        zarr.create_array(str(path), data=SIGNAL, chunks=(10, 3))
        header = path / "zarr.json"
        header.write_text(change(header.read_text()))

    return make


def without_codec(header):
    return json.dumps(json.loads(header) | {"codecs": [{"name": "bytes"}, {"name": "secret"}]})


def damaged_chunk(path):
    zarr.create_array(str(path), data=SIGNAL, chunks=(10, 3))
    (path / "c/3/0").write_bytes(b"damaged")


ZARR = {
    "nothing": (lambda path: None, ["No such file", "zarr.json"]),
    "a group": (lambda path: zarr.create_group(str(path)), ["is a group"]),
    "a group of version 2": (
        lambda path: zarr.create_group(str(path), zarr_format=2).create_group("x"),
        ["is a group, which holds x"],
    ),
    "three dimensions": (zarr_of(np.zeros((2, 2, 2))), ["3 dimensions"]),
    "flags": (zarr_of(np.zeros((2, 2), bool)), ["bool"]),
    "huge chunks": (zarr_of(np.zeros((400_000, 3)), chunks=(400_000, 3)), ["9,600,000 bytes"]),
    "a header cut short": (zarr_header(lambda text: text[:50]), ["not a Zarr array"]),
    "an unknown codec": (zarr_header(without_codec), ["not a Zarr array", "secret"]),
    "a damaged chunk": (damaged_chunk, ["rows 0 to 99 cannot be read"]),
}
CASES = {
    "a.csv": CSV,
    "a.csv.gz": GZ,
    "a.parquet": PARQUET,
    "a.feather": ARROW,
    "a.edf": EDF,
    "a.hea": WFDB,
    "a.wav": WAV,
    "a.flac": FLAC,
    "a.zarr": ZARR,
}


def read(path):
    with open_source(path, None, NAMES) as source:
        if isinstance(source, ArraySource):
            return source.read(0, source.shape[0])
        return list(source.blocks())


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, cases in CASES.items() for case in cases]
)
def test_a_file_that_is_no_recording(tmp_path, name, case):
    make, words = CASES[name][case]
    path = tmp_path / name
    make(path)
    with pytest.raises(MemwaveError) as caught:
        read(str(path))
    message = str(caught.value)
    assert all(word in message for word in [str(path), *words]), message
    assert message.endswith("."), message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["a.edf", "a.wav", "a.hea", "a.csv", "a.parquet", "a.feather"])
def test_one_array_a_file(tmp_path, name):
    saver = {**test_formats.SAVERS, **test_tables.SAVERS}[name]
    saver(tmp_path / name, SIGNAL)
    with pytest.raises(MemwaveError, match="expected no '::' after it"):
        open_source(f"{tmp_path / name}::/a", None, NAMES)


def test_a_library_that_is_not_installed(tmp_path, monkeypatch):
    test_formats.save_audio(tmp_path / "a.wav", SIGNAL)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MemwaveError, match=r"package soundfile.*make formats.*pip install sound"):
        open_source(str(tmp_path / "a.wav"))
