"""What changes or breaks between planning and running: named, refused, and nothing half-written."""

import hashlib
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from fitting import options_of, save_shard
from oracles import make_spec
from stage_run import StageRun, planned
from stages import run_stage

from memwave.core.errors import MemwaveError
from memwave.recordings.segments import LabelledRecording, Segment

ROWS, WINDOW = 300, 20
COUNT = ROWS - WINDOW + 1
REMAKE = "Delete the file and run again to remake it: rm /"


def make_run(folder):
    """One shard of one recording, whole until a test spoils it."""
    return StageRun(
        folder,
        make_spec(window=WINDOW, channels=3, dtype="float16"),
        {"solver": "covariance", **options_of("covariance")},
        train=[[(0, COUNT)]],
        n_windows=COUNT,
        segments=segments(folder, COUNT),
        recordings=[LabelledRecording("monday", "train", COUNT, str(folder / "labels.npy"))],
    )


def segments(folder, count):
    """The first windows of the recording."""
    return [Segment(planned(folder / "recording.npy", ROWS), 0, count, 0)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("whole"))
    np.save(run.path("recording.npy"), np.random.default_rng(0).normal(size=(ROWS, 3)))
    np.save(run.path("labels.npy"), np.arange(ROWS))
    for stage in (run.extract, run.summarize, run.fit, run.project, run.write):
        stage()
    return run


@pytest.fixture
def run(whole, tmp_path):
    """A copy of the whole run; no test may leave a file that was not there or change one."""
    shutil.copytree(whole.folder, tmp_path / "run")
    return make_run(tmp_path / "run")


def fit_shards(run):
    """Fit a solver that reads the shards themselves."""
    replace(run, model={"solver": "randomized", **options_of("randomized")}).fit()


def contents(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def refused(run, stage, *words, **keywords):
    """Require that a stage fails with these words and leaves the folder as it is."""
    before = contents(run.folder)
    with pytest.raises(MemwaveError) as caught:
        stage(**keywords)
    assert all(word in str(caught.value) for word in words), caught.value
    assert contents(run.folder) == before


def cut_off(path, remaining):
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[:remaining])


OTHERS = {
    "fewer rows": (np.zeros((200, 3)), ["'monday'", "recording.npy", "(200, 3) now", "300 rows"]),
    "more rows": (np.zeros((600, 3)), ["'monday'", "recording.npy", "(600, 3) now", "Start again"]),
    "fewer channels": (np.zeros((ROWS, 2)), ["'monday'", "(300, 2) now", "Start again"]),
    "one dimension": (np.zeros(ROWS), ["'monday'", "(300,) now", "Start again"]),
    "complex": (np.zeros((ROWS, 3), complex), ["recording.npy", "complex128", "expected integers"]),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_recording_replaced_after_planning(run, case):
    array, words = OTHERS[case]
    np.save(run.path("recording.npy"), array)
    refused(run, run.extract, *words)


def test_a_recording_removed_after_planning(run):
    Path(run.path("recording.npy")).unlink()
    refused(run, run.extract, "recording.npy", "No such file")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("row", "channel"), [(0, 0), (123, 1), (ROWS - 1, 2)])
def test_a_value_that_is_not_finite_is_named(run, value, row, channel):
    recording = np.load(run.path("recording.npy"))
    recording[row, channel] = value
    np.save(run.path("recording.npy"), recording)
    place = f"row {row}, channel {'abc'[channel]} is {value}"
    refused(run, run.extract, "recording 'monday'", "recording.npy", place, "Repair")


@pytest.mark.parametrize(("dtype", "huge"), [("float16", 1e6), ("float32", 1e39)])
def test_an_overflow_is_named(run, dtype, huge):
    """Row 77 is last in the window from row 58 on; its samples 57 to 59 are in features 28, 29."""
    recording = np.load(run.path("recording.npy"))
    recording[77, 0] = huge
    np.save(run.path("recording.npy"), recording)
    run.spec = replace(run.spec, dtype=dtype)
    wider = {"float16": "float32", "float32": "float64"}[dtype]
    feature = "coefficient 28 of band d1, channels a,c"
    place = (
        f"the window that starts at row 58 has a feature ({feature}) larger than {dtype} can hold"
    )
    refused(run, run.extract, "recording 'monday'", place, f"Use dtype: {wider}")


@pytest.mark.parametrize(
    ("dtype", "size"), [("float16", 1e-5), ("float16", 1e-12), ("float32", 1e-39)]
)
@pytest.mark.parametrize("step", [1, WINDOW])
def test_features_too_small_for_their_type_are_named(run, dtype, size, step):
    np.save(run.path("recording.npy"), np.load(run.path("recording.npy")).astype(float) * size)
    run.spec = replace(run.spec, dtype=dtype, step=step)
    wider = {"float16": "float32", "float32": "float64"}[dtype]
    words = ["recording 'monday'", "recording.npy", f"{dtype} loses digits", f"dtype: {wider}"]
    run.segments = segments(run.folder, (ROWS - WINDOW) // step + 1)
    refused(run, run.extract, *words, "scale: zscore")
    run.spec = replace(run.spec, dtype=wider)
    run.extract()


@pytest.mark.parametrize("value", [0.0, 0.1, 1e5])
def test_a_recording_that_does_not_change_has_no_digits_to_lose(run, value):
    np.save(run.path("recording.npy"), np.full((ROWS, 3), value))
    run.spec = replace(run.spec, wavelet="db2")
    run.extract()


def spoil_cut(run):
    cut_off(run.path("0.npy"), -100)


def spoil_header(run):
    cut_off(run.path("0.npy"), 40)


def spoil_empty(run):
    cut_off(run.path("0.npy"), 0)


def spoil_longer(run):
    with open(run.path("0.npy"), "ab") as file:
        file.write(b"more")


def replace_shard(run, change):
    np.save(run.path("0.npy"), change(np.load(run.path("0.npy"))))


def write_shard(run, change):
    """Replace the shard by another one that is whole."""
    save_shard(run.path("0.npy"), change(np.load(run.path("0.npy"))))


def flip(path, place):
    """Change one bit of a file."""
    content = bytearray(Path(path).read_bytes())
    content[place] ^= 0x10
    Path(path).write_bytes(content)


SHARDS = [
    (spoil_cut, ["its header states shape (281, 30), it has 16,888 bytes"]),
    (spoil_header, ["0.npy"]),
    (spoil_empty, ["0.npy"]),
    (spoil_longer, ["its header states shape (281, 30)"]),
    (lambda run: replace_shard(run, np.asfortranarray), ["expected a C-ordered matrix"]),
    (lambda run: replace_shard(run, lambda a: a[:, 0]), ["(281,), expected a C-ordered matrix"]),
    (lambda run: replace_shard(run, lambda a: a[..., None]), ["(281, 30, 1), expected"]),
    (lambda run: replace_shard(run, lambda a: a.astype(int)), ["holds int64", "of floats"]),
    (lambda run: replace_shard(run, lambda a: a[:100]), ["its header has changed"]),
    (lambda run: write_shard(run, lambda a: a[:100]), ["has 100 rows, expected rows"]),
    (lambda run: flip(run.path("0.npy"), 128), ["rows 0 to 280 have changed since"]),
    (lambda run: flip(run.path("0.npy"), -1), ["rows 0 to 280 have changed since"]),
    (lambda run: flip(run.path("0.npy.xxh3"), 0), ["its header has changed since"]),
    (lambda run: flip(run.path("0.npy.xxh3"), -1), ["rows 0 to 280 have changed since"]),
    (lambda run: cut_off(run.path("0.npy.xxh3"), 8), ["has 1 checksums, expected 2"]),
    (lambda run: cut_off(run.path("0.npy.xxh3"), 0), ["its checksums in", "cannot be read"]),
    (lambda run: Path(run.path("0.npy.xxh3")).unlink(), ["No such file"]),
]


@pytest.mark.parametrize(("spoil", "words"), SHARDS)
def test_a_shard_that_is_not_what_was_written(run, spoil, words):
    spoil(run)
    for stage in (run.summarize, run.project, partial(fit_shards, run)):
        refused(run, stage, "0.npy: ", *words, REMAKE)


def test_a_shard_of_other_features(run):
    write_shard(run, lambda array: array[:, :29])
    words = ["0.npy: has 29 features a row, expected 30", "Delete", "run again"]
    refused(run, run.project, *words)
    refused(run, partial(fit_shards, run), *words)
    run.summarize()
    refused(run, run.fit, "summary0.h5: is of 29 features per row, expected 30. Delete")


def test_a_shard_that_is_missing(run):
    Path(run.path("0.npy")).unlink()
    refused(run, run.summarize, "0.npy: cannot be opened: No such file or directory.")


# The stages that read a file of HDF5.
READERS = {
    "summary0.h5": (StageRun.fit,),
    "model.h5": (StageRun.project, StageRun.write),
    "partial0.h5": (StageRun.write,),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("remaining", [-1, -300, 1000, 10, 0])
def test_a_file_of_hdf5_that_was_cut_off(run, name, remaining):
    cut_off(run.path(name), remaining)
    for stage in READERS[name]:
        refused(
            run, partial(stage, run), f"{name}: has no checksum trailer: it was cut off", REMAKE
        )


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("share", [0, 0.3, 0.6, 0.99])
def test_a_file_of_hdf5_with_a_changed_bit(run, name, share):
    flip(run.path(name), int(share * (Path(run.path(name)).stat().st_size - 60)))
    for stage in READERS[name]:
        refused(run, partial(stage, run), f"{name}: has changed since it was written", REMAKE)


def test_a_model_that_lacks_something(run):
    with h5py.File(run.path("model.h5"), "a") as file:
        del file["mean"]
    refused(run, run.project, "model.h5: has", REMAKE)


def test_parts_that_do_not_make_a_projection(run):
    refused(run, run.write, "have 562 rows, expected 281", partials=[run.path("partial0.h5")] * 2)
    refused(run, run.write, "model.h5: is of type 'memwave-model'", partials=[run.path("model.h5")])
    write_shard(run, lambda array: array[:100])
    replace(run, train=[[(0, 100)]]).project()
    refused(run, run.write, "partial0.h5", "have 100 rows, expected 281", "delete the shards")


@pytest.mark.parametrize(
    "labels",
    [np.arange(100), np.zeros(ROWS), np.zeros((ROWS, 2), int)],
    ids=["too few", "floats", "two columns"],
)
def test_labels_replaced_after_planning(run, labels):
    np.save(run.path("labels.npy"), labels)
    words = f"labels.npy holds {labels.dtype} {labels.shape} now, and had at least 300"
    refused(run, run.write, words, "Start again")


def run_as_process(folder, stage, request, **files):
    return run_stage(stage, folder, request, **files)


def test_a_stage_that_fails_ends_with_one_line_and_status_1(run):
    recording = np.load(run.path("recording.npy"))
    recording[5, 1] = np.nan
    np.save(run.path("recording.npy"), recording)
    before = contents(run.folder)
    ended = replace(run, run=partial(run_as_process, run.folder)).extract()
    assert ended.status == 1
    (line,) = ended.told.splitlines()
    assert line.startswith("extract_features: recording 'monday'")
    assert line in ended.log
    assert "Traceback" not in ended.log
    assert contents(run.folder) == before
