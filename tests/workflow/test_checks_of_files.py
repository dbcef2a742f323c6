"""What is found in sheets and in the headers of files: recordings, labels, sampling rates."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from memwave.core.errors import ConfigurationError
from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import check


def test_a_file_beside_the_sheet_is_found(project, monkeypatch):
    project.write_sheet()
    monkeypatch.chdir(project.folder.parent)
    sheet = f"{project.folder.name}/sheet.tsv"
    Path(sheet).write_text("recording\tpath\none\tone.npy\ngone\tgone.npy\n")
    project.config["datasets"]["pilot"]["recordings"] = sheet
    with pytest.raises(ConfigurationError) as caught:
        check(settings.complete(project.config))
    one, gone = caught.value.findings
    assert f"There is {project.folder.name}/one.npy, in the folder of the sheet" in one
    assert "There is" not in gone


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("https://example.org/x.npy", "Addresses are not read: download the file"),
        ("*.npy", "a sheet has a line for each file"),
        ("$HOME/x.npy", "Variables are not replaced"),
        ("data\\x.npy", "Write / between folders"),
    ],
)
def test_paths_that_only_other_programs_understand(project, path, hint):
    project.sheet.write_text(f"recording\tpath\none\t{path}\n")
    with pytest.raises(ConfigurationError, match="No such file") as caught:
        check(settings.complete(project.config))
    assert hint in str(caught.value)


def test_labels_that_are_texts_are_to_be_a_column(project):
    project.label(np.array(["rest"] * 40), np.array(["rest"] * 30))
    for finding in project.findings():
        assert "holds texts (<U4)" in finding
        assert "x.csv::column" in finding


def spoil_missing(project):
    project.rows[0]["path"] = "gone.npy"


def spoil_pickled(project):
    project.save("one.npy", np.array([[1, None]], object))


def spoil_truncated(project):
    path = project.folder / "one.npy"
    path.write_bytes(path.read_bytes()[:-1])


def spoil_channels(project):
    project.save("one.npy", np.zeros((40, 3)))


def spoil_transposed(project):
    project.save("one.npy", np.zeros((2, 40)))


def spoil_dimensions(project):
    project.save("one.npy", np.zeros(40))


def spoil_raw_size(project):
    (project.folder / "one.raw").write_bytes(bytes(10))
    project.rows[0] |= {"path": "one.raw", "dtype": "float32"}


def spoil_label_length(project):
    project.label(np.zeros(39, int), np.zeros(30, int))


def spoil_label_type(project):
    project.label(np.zeros(40), np.zeros(30, int))


def spoil_large_labels(project):
    project.label(np.zeros(40, np.uint64), np.zeros(30, int))


def spoil_label_shape(project):
    project.label(np.zeros((40, 1), int), np.zeros(30, int))


def spoil_label_file(project):
    project.label(np.zeros(40, int), np.zeros(30, int))
    project.rows[0]["labels"] = "gone.npy"


def spoil_one_label_file(project):
    project.label(np.zeros(40, int))


def spoil_split(project):
    for row in project.rows:
        row["split"] = "test"


def spoil_name(project):
    project.rows[1]["recording"] = "one"


FILES = [
    (spoil_missing, ['recording "one"', "gone.npy", "No such file"]),
    (spoil_pickled, ['recording "one"', "one.npy", "pickles are never opened"]),
    (spoil_truncated, ['recording "one"', "one.npy", "cut short"]),
    (spoil_channels, ["one.npy has 3 columns", "rows x 2", "datasets.pilot.channels"]),
    (spoil_transposed, ["one.npy has 40 columns", "looks transposed", "array.T"]),
    (spoil_dimensions, ["one.npy has one dimension only", "rows x 2"]),
    (spoil_raw_size, ['recording "one"', "one.raw", "10 bytes", "2 channels x 4 bytes"]),
    (spoil_label_length, ["39 labels in", "one.labels.npy", "expected 40", "one.npy"]),
    (spoil_label_type, ["one.labels.npy", "float64", "whole numbers", "astype('int64')"]),
    (spoil_large_labels, ["one.labels.npy", "uint64", "fit int64"]),
    (spoil_label_shape, ["one.labels.npy", "shape (40, 1)", "expected (40,)"]),
    (spoil_label_file, ['recording "one"', "gone.npy", "No such file"]),
    (spoil_one_label_file, ["sheet.tsv", '"two" has no labels', "all recordings or for none"]),
    (spoil_split, ["sheet.tsv", "every recording has split test", "split train"]),
    (spoil_name, ["sheet.tsv, line 3", '"one" is in line 2 already']),
]


@pytest.mark.parametrize(
    ("spoil", "words"), FILES, ids=lambda value: getattr(value, "__name__", "")
)
def test_files_that_do_not_fit(project, spoil, words):
    spoil(project)
    project.refused(*words)


def test_a_missing_sheet(project):
    project.config["datasets"]["pilot"]["recordings"] = "gone.tsv"
    project.refused("gone.tsv", "cannot be read", "Check the path")


def test_all_files_of_all_recordings_are_reported_together(project):
    project.label(np.zeros(39, int), np.zeros(30))
    project.rows.append({"recording": "three", "path": "gone.npy", "labels": "gone.npy"})
    assert len(project.findings()) == 3


def test_labels_of_every_kind(project):
    (project.folder / "one.tsv").write_text("start\tstop\tlabel\n0\t40\twalk\n")
    project.rows[0]["labels"] = "one.tsv"
    project.rows[1]["recording_label"] = "sit"
    one, two = project.check().recordings["pilot"]
    assert (one.labels, one.label_source) == (
        "results/pilot/labels/1.h5::/label",
        str(project.folder / "one.tsv"),
    )
    assert (two.labels, two.recording_label) == (None, "sit")


def test_labels_of_different_kinds(project):
    project.label(np.zeros(40, int))
    project.rows[1]["recording_label"] = "sit"
    project.refused('"two" are texts', '"one" are numbers', "one kind for all")


def test_intervals_that_are_not_in_the_recording(project):
    (project.folder / "two.tsv").write_text("start\tstop\tlabel\n0\t31\twalk\n")
    project.rows[1]["labels"] = "two.tsv"
    project.rows[0]["recording_label"] = "sit"
    project.refused('recording "two"', "two.tsv, line 2", "from row 0 to 31", "has 30 rows")


def test_a_column_of_labels_that_is_as_long_as_another_recording(project):
    (project.folder / "two.csv").write_text("state\n" + "walk\n" * 40)
    project.rows[1]["labels"] = "two.csv::state"
    project.rows[0]["recording_label"] = "sit"
    project.refused('recording "two"', "40 labels in", "two.csv::state, expected 30")


def test_a_channel_that_is_text_is_found_before_the_run(project):
    (project.folder / "one.csv").write_text("x,y,state\n" + "1,2,walk\n" * 40)
    project.rows = [{"recording": "one", "path": "one.csv"}]
    assert project.check().recordings["pilot"][0].rows == 40
    project.config["datasets"]["pilot"]["channels"] = ["x", "state"]
    project.refused('recording "one"', 'column "state": line 2: ', "invalid value 'walk'")


def test_sampling_rates(project):
    for name, rate in (("one", 50), ("two", 60)):
        soundfile.write(project.folder / f"{name}.wav", np.zeros((100, 2), "i2"), rate)
        project.rows[("one", "two").index(name)]["path"] = f"{name}.wav"
    project.refused(
        '"one" has 50 rows per second', '"two" has 60', "one sampling rate in a dataset"
    )
    project.config["datasets"]["pilot"]["sampling_rate"] = 50
    project.refused('recording "two"', "60 rows per second", "expected 50", "pilot.resample")
    project.config["datasets"]["pilot"]["resample"] = "polyphase"
    one, two = project.check().recordings["pilot"]
    assert (one.rows, one.resample) == (100, None)
    assert (two.rows, two.source_rows, two.resample) == (84, 100, (5, 6))
    assert two.notes == ()
    project.rows[1]["sampling_rate"] = "61.00000000000001"
    warnings = "\n".join(project.check().warnings)
    assert 'recording "two"' in warnings
    assert "has 60 rows per second, the sheet says 61.00000000000001, which is used" in warnings


def test_what_cannot_be_resampled(project):
    dataset = project.config["datasets"]["pilot"]
    dataset |= {"resample": "polyphase"}
    project.rows[0]["sampling_rate"] = "44100"
    project.refused("pilot.sampling_rate", "needs the rate")
    dataset |= {"sampling_rate": 32, "missing": "drop"}
    ratio, *_ = project.findings()
    assert 'recording "one": it has 44100 rows per second' in ratio
    assert "whole numbers up to 1000" in ratio
    dataset |= {"sampling_rate": 4410}
    project.refused("pilot.resample", "missing is drop", "Set missing: error")


def test_a_file_that_is_named_twice_is_warned_of(project):
    assert not project.check().warnings
    project.rows[1]["path"] = "./one.npy"
    (warning,) = project.check().warnings
    assert 'the recordings "one", "two" are the same file' in warning
    assert str(project.folder / "one.npy") in warning
