"""Recordings and labels are known by their looks and content, and do not change during a run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from tiny_project import PATIENCE, Project
from tiny_project import recording as recorded
from xxhash import xxh3_64_hexdigest

from memwave.core.errors import MemwaveError
from memwave.readers import contents
from memwave.readers.contents import contents_checksum
from memwave.storage.receipts import receipts_in, write_receipt
from memwave.workflow.sources import readings, versions
from memwave.workflow.sources.readings import Reading, checksums_of, unchanged
from memwave.workflow.sources.versions import plan_sources, store_states

FILE = "recording.npy"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(FILE, np.arange(60.0).reshape(30, 2))
    return tmp_path


def put_back_time(path, status):
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def other_values():
    """The same size and the same time, other bytes."""
    status = os.stat(FILE)
    np.save(FILE, np.load(FILE) + 1)
    put_back_time(FILE, status)


def moved_here():
    np.save("other.npy", np.load(FILE) + 1)
    put_back_time("other.npy", os.stat(FILE))
    os.replace("other.npy", FILE)


def longer():
    with open(FILE, "ab") as file:
        file.write(b"more")


def shorter():
    os.truncate(FILE, 300)


def removed():
    os.unlink(FILE)


CHANGES = [other_values, moved_here, longer, shorter, removed]


def version(**options):
    return plan_sources([FILE], ["results"], **options)[FILE].version


def reading(share=(0, 1, 1)):
    return {FILE: Reading(plan_sources([FILE], ["results"])[FILE], (share,))}


def read(name="job", share=(0, 1, 1)):
    """A job that reads a part of the file, and its receipt."""
    with unchanged(reading(share)) as said:
        pass
    receipt = f"results/usage/{name}.json"
    write_receipt(receipt, {"sources": said})
    return receipt


def test_the_checksum_is_that_of_the_file():
    expected = xxh3_64_hexdigest(Path(FILE).read_bytes())
    assert checksums_of({FILE: version()}, []) == {FILE: expected}
    assert checksums_of({FILE: version()}, [read()]) == {FILE: expected}
    assert contents_checksum(FILE) == expected


@pytest.mark.parametrize("shares", [[(0, 1, 3), (1, 2, 3), (2, 3, 3)], [(1, 2, 3)], []])
def test_jobs_take_the_checksums_of_parts(monkeypatch, shares):
    """Of several files, too, and of any pieces; what no job read is read at the end."""
    monkeypatch.setattr(contents, "PIECE_BYTES", 100)
    monkeypatch.setattr(contents, "BUFFER_BYTES", 64)
    receipts = [read(str(i), share) for i, share in enumerate(shares)]
    found = checksums_of({FILE: version()}, receipts)
    assert found == {FILE: contents_checksum(FILE)}
    pieces = [xxh3_64_hexdigest(Path(FILE).read_bytes()[i : i + 100]) for i in range(0, 608, 100)]
    assert contents.piece_checksums([FILE]) == pieces
    Path("first").write_bytes(Path(FILE).read_bytes()[:333])
    Path("second").write_bytes(Path(FILE).read_bytes()[333:])
    Path("empty").write_bytes(b"")
    assert contents.piece_checksums(["first", "empty", "second"]) == pieces
    assert contents.piece_checksums(["first", "empty", "second"], 2, 5) == pieces[2:5]


def test_arrays_in_one_file_are_one_source(monkeypatch):
    """Its pieces are divided among the jobs of all arrays, and joined again."""
    monkeypatch.setattr(contents, "PIECE_BYTES", 100)
    with h5py.File("all.h5", "w") as file:
        file["a"], file["b"] = np.arange(500.0), np.arange(500.0, 1000.0)
    paths = ["all.h5::/a", "all.h5::/b"]
    sources = plan_sources(paths)
    assert sources[paths[0]] == sources[paths[1]]
    receipts = []
    for i, path in enumerate(paths):
        shares = ((i, i + 1, 2),)
        with unchanged({path: Reading(sources[path], shares)}) as said:
            pass
        receipts.append(f"results/usage/{i}.json")
        write_receipt(receipts[i], {"sources": said})
        assert len(said["all.h5"]["pieces"]) <= os.path.getsize("all.h5") / 200 + 2
    planned = {path: source.version for path, source in sources.items()}
    monkeypatch.setattr(readings, "piece_checksums", None)  # every piece has been read
    assert checksums_of(planned, receipts) == dict.fromkeys(paths, contents_checksum("all.h5"))


def test_planning_reads_nothing_of_new_files(monkeypatch):
    monkeypatch.setattr(versions, "piece_checksums", None)
    before = version()
    assert version() == before
    longer()
    assert version() != before


@pytest.mark.parametrize("change", CHANGES[:-1])
@pytest.mark.parametrize("was_read", [False, True])
def test_another_content_is_another_version(change, was_read):
    before = version()
    if was_read:
        read()
    change()
    assert version() != before


def test_a_file_that_looks_the_same_is_not_looked_up_again():
    version()
    before = versions.KNOWN.stat()
    version()
    assert versions.KNOWN.stat().st_mtime_ns == before.st_mtime_ns


def touched_and_copied():
    os.utime(FILE)
    Path("copy.npy").write_bytes(Path(FILE).read_bytes())
    os.replace("copy.npy", FILE)


def test_what_was_read_and_is_touched_or_copied_is_the_same_version():
    before = version()
    read()
    touched_and_copied()
    assert version() == before


def test_what_was_read_in_part_is_not_recognized(monkeypatch):
    monkeypatch.setattr(contents, "PIECE_BYTES", 100)
    before = version()
    read(share=(0, 1, 2))
    touched_and_copied()
    assert version() != before


def test_large_files_that_look_different_are_not_read_when_planning(capsys):
    before = version()
    read()
    touched_and_copied()
    assert version(limit=100) != before
    assert "run make verify first" in capsys.readouterr().err
    store_states(receipts_in("results"))
    assert version(limit=0) == before


def test_a_content_that_comes_back_is_the_version_it_was():
    before = version()
    read()
    other_values()
    assert version() != before
    np.save(FILE, np.arange(60.0).reshape(30, 2))
    assert version() == before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("during", [False, True])
def test_a_change_during_a_run_is_refused(change, during):
    planned = reading()

    def job():
        with unchanged(planned):
            assert during
            change()

    if not during:
        change()
    with pytest.raises(MemwaveError, match=f"{FILE}: has changed since the run was planned"):
        job()


def test_a_change_through_a_memory_map_is_refused_and_never_trusted_again(monkeypatch):
    """Even where no time tells of it."""
    planned = reading()
    state = planned[FILE].source.state
    monkeypatch.setattr(versions, "state_of", lambda files: (state, os.path.getsize(FILE)))
    read("before")

    def change():
        with unchanged(planned):
            mapped = np.load(FILE, mmap_mode="r+")
            mapped[3, 1] += 1
            mapped.flush()

    with pytest.raises(MemwaveError, match="has changed"):
        change()
    assert reading()[FILE].source.version != planned[FILE].source.version


def test_jobs_that_read_different_contents_are_found_out(monkeypatch):
    planned = version()
    first = read("first")
    state = plan_sources([FILE])[FILE].state
    monkeypatch.setattr(versions, "state_of", lambda files: (state, os.path.getsize(FILE)))
    np.save(FILE, np.load(FILE) + 1)
    with pytest.raises(MemwaveError, match="has changed"):
        checksums_of({FILE: planned}, [first, read("second")])


def test_what_is_touched_or_copied_while_it_is_read_is_no_change():
    with unchanged(reading()):
        touched_and_copied()


def test_without_memory_receipts_tell_the_version():
    before = version()
    read()
    for content in (None, "no JSON"):
        versions.KNOWN.unlink()
        if content:
            versions.KNOWN.write_text(content)
        assert version() == before
        touched_and_copied()


def test_all_files_of_an_array_count():
    zarr = pytest.importorskip("zarr")
    zarr.save_array("array.zarr", np.arange(60.0).reshape(30, 2))
    before = plan_sources(["array.zarr"])["array.zarr"].version
    checksum = contents_checksum("array.zarr")
    files = [path for path in Path("array.zarr").rglob("*") if path.is_file()]
    chunk = next(path for path in files if path.suffix != ".json")
    chunk.write_bytes(chunk.read_bytes()[::-1])
    assert plan_sources(["array.zarr"])["array.zarr"].version != before
    assert contents_checksum("array.zarr") != checksum


def test_a_recording_replaced_while_the_workflow_runs(tmp_path, project):
    running = Project(tmp_path / "running", ["exact"])
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    with subprocess.Popen(command, cwd=running.folder, stderr=subprocess.PIPE, text=True) as run:
        deadline = time.monotonic() + PATIENCE
        while not (running.folder / versions.KNOWN).exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        running.save(2, recorded(2) + 1)
        _, told = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert "extract_features: recordings/wednesday.npy: has changed since the run was" in told
    assert not running.result("features/2-of-2.npy").exists()
    assert not running.result("exact/model.h5").exists()

    running.save(2, recorded(2))
    done = running.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert running.results().items() <= project.results().items()


def test_recordings_in_folders_that_cannot_be_written_to(tmp_path, project):
    """As root may write everywhere, what tells is that nothing appeared or changed."""
    guarded = Project(tmp_path / "guarded", ["exact"])
    places = [guarded.folder / "recordings", guarded.folder / "config"]
    for path in [p for place in places for p in (*place.iterdir(), place)]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = guarded.inputs()
    done = guarded.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    assert guarded.inputs() == before
    assert guarded.results().items() <= project.results().items()
