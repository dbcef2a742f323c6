"""A stage as a process: its end, its messages, its measurements."""

import json
import mmap
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from oracles import make_spec
from stages import SCRIPTS, run_stage

from memwave.core.errors import DamagedFile
from memwave.core.progress import Progress
from memwave.storage.receipts import write_receipt
from memwave.workflow.process.memory import PeakMemory, anonymous_memory, out_of_memory
from memwave.workflow.requests.features import Extraction
from write_summary import write_summary


def test_an_error_nobody_thought_of_is_one_line_with_the_traceback_in_the_log(tmp_path):
    request = Extraction(make_spec(wavelet="unheard-of"), segments=(), block_rows=1)
    ended = run_stage("extract_features", tmp_path, request, shard=tmp_path / "shard.npy")
    assert ended.status == 1
    assert ended.told.startswith("extract_features: ValueError: ")
    assert "traceback in" in ended.told
    assert "Traceback" in ended.log
    assert list(tmp_path.iterdir()) == []


GUARDS = {
    "stage": "stage.stage('s', memory_mb=2000, log_path='log', usage_path='usage')",
    "command": "stage.one_blas_thread()",
}


def run_code(code, folder):
    """Run some lines in a process of their own, with memwave at hand."""
    begin = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n"
    command = [sys.executable, "-c", begin + code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)


STAGE = """
from memwave.workflow.process.stage import log, stage
with stage("s", memory_mb=2000, log_path={log!r}, usage_path="usage"):
    log.info("at work")
    open("result", "w").close()
"""


GIVEN_LESS = """
from memwave.workflow.process.current import Ticket
from memwave.workflow.process.stage import stage
ticket = Ticket("usage", "", "", {}, (), {}, predicted_mb=300)
with stage("s", memory_mb=60, log_path="log", usage_path="usage", ticket=ticket):
    bytearray(200_000_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_a_stage_that_was_given_less_than_predicted_does_not_blame_the_prediction(tmp_path):
    ended = run_code(GIVEN_LESS, tmp_path)
    assert ended.returncode == 1
    assert "s: needs 300 MB as predicted, and was given 60 MB, by --resources" in ended.stderr
    assert "prediction is wrong" not in ended.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
def test_a_full_disk_for_logs_is_named_and_ends_nothing(tmp_path):
    done = run_code(STAGE.format(log="/dev/full"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("/dev/full: the log cannot be written (No space left") == 1
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"result", "usage"}


def test_a_log_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "logs").write_text("a file")
    done = run_code(STAGE.format(log="logs/s.log"), tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("s: logs/s.log: the log cannot be written (")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


@pytest.mark.parametrize("kept", [0, 1, 40, -2])
def test_a_usage_file_that_was_cut_short_is_named(tmp_path, kept):
    write_receipt(tmp_path / "usage.json", {"stage": "s", "seconds": 1.0})
    content = (tmp_path / "usage.json").read_bytes()
    (tmp_path / "usage.json").write_bytes(content[:kept])
    with pytest.raises(DamagedFile, match=r"usage\.json.*Delete the file and run again"):
        write_summary(
            (),
            usages=[str(tmp_path / "usage.json")],
            summary=str(tmp_path / "summary.tsv"),
            table=str(tmp_path / "summary.html"),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["usage.json"]


@pytest.mark.skipif(os.cpu_count() == 1, reason="BLAS has one thread anyway")
@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("late", [False, True], ids=["loaded before", "loaded within"])
def test_blas_has_one_thread_in_a_job(guard, late, tmp_path):
    load = "import scipy.linalg"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import numpy\n"
        f"{'' if late else load}\n"
        "from threadpoolctl import threadpool_info\n"
        "from memwave.workflow.process import stage\n"
        "before = threadpool_info()\n"
        f"with {GUARDS[guard]}:\n"
        f"    {load}\n"
        "    print([pool['num_threads'] for pool in threadpool_info()])\n"
        "print([pool['num_threads'] for pool in before])\n"
    )
    threads = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code, SCRIPTS],
        cwd=tmp_path,
        env=os.environ | threads,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    within, before = map(json.loads, done.stdout.splitlines())
    assert set(before) == {2}
    assert set(within) == {1}
    assert len(within) == len(before) + late


def test_a_stage_ended_by_its_cluster_says_so_and_leaves_nothing(tmp_path):
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from memwave.workflow.process import stage; from memwave.storage.atomic import replacing\n"
        "with stage.stage('slow', memory_mb=500, log_path='log', usage_path='usage'):\n"
        "    with replacing('result') as temporary:\n"
        "        print('ready', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, SCRIPTS],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as slow:
        assert slow.stdout.readline() == "ready\n"
        os.kill(slow.pid, signal.SIGTERM)
        _, told = slow.communicate(timeout=60)
    assert slow.returncode == 1
    assert told.startswith("slow: ended by SIGTERM")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells anonymous memory")
def test_the_peak_is_that_of_anonymous_memory(tmp_path):
    np.save(tmp_path / "file.npy", np.ones(4_000_000))
    before = anonymous_memory()
    with PeakMemory() as peak:
        # Not from malloc, which may give memory that earlier tests have left.
        held = mmap.mmap(-1, 40_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        np.frombuffer(held, "u1")[:] = 1
        time.sleep(5 * PeakMemory.INTERVAL)
        held.close()
        mapped = np.load(tmp_path / "file.npy", mmap_mode="r")
        mapped.sum()
        assert anonymous_memory() - before < 10_000_000
    assert 35_000_000 < peak.bytes - before < 60_000_000


def test_progress_counts_over_all_threads_and_passes(capsys):
    progress = Progress(100, "label")
    for _ in range(2):
        progress.add(60)
        progress.add(40)
        assert "100/100" in progress._line(progress._begin + 2, None).replace("rows", "")
        progress.restart()
    progress.close()
    assert capsys.readouterr().err == ""  # no terminal, no bar


def test_a_lack_of_memory_has_several_names():
    refused = SystemError("<ufunc 'add'> returned NULL without setting an exception")
    assert out_of_memory(refused)
    assert out_of_memory(MemoryError())
    assert not out_of_memory(SystemError("bad argument to internal function"))
