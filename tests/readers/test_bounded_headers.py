"""Files that announce far more than they should: refused before it is read, in little memory."""

import gzip
import zipfile

import h5py
import numpy as np
import pytest
from opening import opened
from stage_run import planned
from stages import run_stage

from memwave.pca.model import Model
from memwave.readers import library_bytes
from memwave.readers.formats.csv import MOST_COLUMNS, file_bytes
from memwave.readers.formats.npy import LONGEST_HEADER
from memwave.readers.shared.text import LONGEST_LINE
from memwave.results.model_file import save_model
from memwave.storage.checksums import append_trailer
from memwave.workflow.planning.memory.stages import conversion_mb
from memwave.workflow.requests.recordings import Conversion, RecordingConversion

# What a process may need to refuse a file, beside its libraries; the files announce far more.
LITTLE_MB = 40


def refused(path, *told, **options):
    message, grown = opened(path, **options)
    assert str(path).split("::")[0] in message
    for piece in told:
        assert piece in message
    assert grown < LITTLE_MB, message


def start_of_npy(version, length):
    return b"\x93NUMPY" + bytes(version) + length.to_bytes(4, "little")


@pytest.mark.parametrize("length", [LONGEST_HEADER + 1, 3_000_000_000])
def test_a_long_header_of_npy(tmp_path, length):
    path = tmp_path / "a.npy"
    with open(path, "wb") as file:
        file.write(start_of_npy((2, 0), length))
        file.truncate(12 + length)
    refused(path, f"a header of {length:,} bytes", "expected at most 10,000")


def test_a_npy_of_version_4(tmp_path):
    path = tmp_path / "a.npy"
    with open(path, "wb") as file:
        file.write(start_of_npy((4, 0), 3_000_000_000))
        file.truncate(3_000_000_012)
    refused(path, "version 4.0, expected 1.0, 2.0 or 3.0")


def test_a_plain_array_of_version_2_is_read(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        np.lib.format.write_array(file, np.ones((5, 2)), version=(2, 0))
    assert opened(tmp_path / "a.npy")[0] == ""


def test_a_long_header_in_an_archive(tmp_path):
    path = tmp_path / "a.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        file.write(start_of_npy((2, 0), 100_000_000))
        for _ in range(10):
            file.write(bytes(10_000_000))
    refused(f"{path}::x", "a header of 100,000,000 bytes")


ONES = gzip.compress(b"1" * 10_000_000, 1)


def long_line(path, begin=b""):
    """A packed text with a line of 100 million characters; parts of a gzip file are joined."""
    path.write_bytes(gzip.compress(begin) + 10 * ONES)
    return path


@pytest.mark.parametrize("options", [{}, {"header": "none"}, {"comment": "#"}, {"skip_lines": 1}])
@pytest.mark.parametrize("begin", [b"", b"a,b\n1,2\n", b'a,b\n"1,2'])
def test_an_endless_line_of_a_table(tmp_path, begin, options):
    path = long_line(tmp_path / "a.csv.gz", begin)
    refused(path, f"more than {LONGEST_LINE:,} characters", **options)


@pytest.mark.parametrize("begin", [b"", b"start,stop,label\n", b'start,stop,label\n"'])
def test_an_endless_line_of_labels(tmp_path, begin):
    refused(long_line(tmp_path / "a.csv.gz", begin), "line", role="labels")


def wide(path, columns, rows=3):
    row = ",".join(["1.5"] * columns)
    names = ",".join(f"c{i}" for i in range(columns))
    path.write_text("\n".join([names, *[row] * rows, ""]))
    return path


def test_a_table_of_very_many_columns(tmp_path):
    for header in ("names", "none"):
        refused(wide(tmp_path / "a.csv", 90_000), "90,000 columns", "20,000", header=header)
    assert file_bytes(str(tmp_path / "a.csv")) <= 14_000 * MOST_COLUMNS


def test_a_wide_table_is_converted_within_the_memory_predicted(tmp_path):
    path = wide(tmp_path / "a.csv", 5_000, rows=40)
    names = tuple(f"c{i}" for i in range(5_000))
    request = RecordingConversion(planned(path, 40), names)
    limit = conversion_mb(library_bytes([str(path)]))
    output = tmp_path / "a.npy"
    batch = (Conversion(request, (str(output),)),)
    ended = run_stage("convert_recordings", tmp_path, batch, memory_mb=limit)
    assert ended.status == 0, ended.told
    assert np.array_equal(np.load(output), np.full((40, 5_000), 1.5))


@pytest.mark.parametrize("header", ["a.hea", "a.zarr/.zarray", "a.zarr/zarr.json"])
def test_a_header_that_is_none(tmp_path, header):
    file = tmp_path / header
    file.parent.mkdir(exist_ok=True)
    with open(file, "wb") as stream:
        stream.truncate(2_000_000_000)
    path = file.parent if "zarr" in header else file
    refused(path, "2,000,000,000 bytes", "expected at most 20,000,000")


HUGE = (4, 2**40)


def damaged_model(path, tiny_model, change):
    save_model(path, *tiny_model)
    with h5py.File(path, "r+") as file:
        change(file)
    append_trailer(path)
    return path


def declare(name, **options):
    def change(file):
        del file[name]
        file.create_dataset(name, HUGE, "f8", **options)

    return change


@pytest.fixture
def tiny_model():
    table = np.array(
        [("a", "d1", i) for i in range(3)], [("channels", "O"), ("band", "O"), ("position", "i4")]
    )
    model = Model(np.eye(3)[:2], np.zeros(3), np.ones(2), 3.0, 10, "covariance")
    return model, table, {}


@pytest.mark.parametrize(
    "options", [{}, {"chunks": (1, 1000)}, {"chunks": (1, 1000), "compression": "gzip"}]
)
@pytest.mark.parametrize("name", ["components", "mean", "features"])
def test_a_model_that_declares_more_than_it_has(tmp_path, tiny_model, name, options):
    path = damaged_model(tmp_path / "model.h5", tiny_model, declare(name, **options))
    refused(path, f"bytes of {name}", "copy it again", role="model")
    ended = run_stage(
        "adopt_model", tmp_path, None, memory_mb=150, fitted=path, model=tmp_path / "copy.h5"
    )
    assert ended.status == 1
    assert f"bytes of {name}" in ended.told
    assert not (tmp_path / "copy.h5").exists()


def test_a_model_whose_shapes_do_not_agree(tmp_path, tiny_model):
    def shorten(file):
        values = file["mean"][:-1]
        del file["mean"]
        file["mean"] = values

    path = damaged_model(tmp_path / "model.h5", tiny_model, shorten)
    refused(path, "mean has shape (2,), expected (3,)", role="model")


@pytest.mark.parametrize("name", ["components", "mean", "explained_variance"])
def test_a_model_with_a_value_that_is_no_number(tmp_path, tiny_model, name):
    def spoil(file):
        values = file[name][()]
        values.flat[0] = np.nan
        del file[name]
        file[name] = values

    path = damaged_model(tmp_path / "model.h5", tiny_model, spoil)
    refused(path, f"{name} has values that are not finite", role="model")
