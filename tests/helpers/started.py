"""Snakemake, loaded once for all tests of a process: loading it takes longer than planning a run.

A server has loaded it, and not memwave. It forks for each run: the child goes to the folder of the
run and does what ``python -m snakemake`` does there.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

from forked_jobs import end, end_after, interpreter

# What a run loads beside memwave, and its plugins, which the parser of its arguments loads.
LIBRARIES = ("snakemake.cli", "snakemake.report", "nbformat", "smart_open", "numpy", "h5py")
LIBRARIES += ("jsonschema", "pywt", "scipy", "threadpoolctl", "xxhash", "yaml")


def run_snakemake(
    arguments: list[str], folder: Path, env: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder; as `subprocess.run` with ``capture_output`` and ``text``."""
    server = _server()
    assert server.stdin is not None
    with tempfile.TemporaryDirectory() as place:
        out, err = (os.path.join(place, name) for name in ("out", "err"))
        request = {"arguments": arguments, "folder": str(folder), "env": env, "files": [out, err]}
        request["python"] = interpreter()
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        pid, status = _answer(server, None), _answer(server, timeout)
        if status is None:
            os.kill(_known(pid), signal.SIGKILL)
            _answer(server, None)
            raise subprocess.TimeoutExpired(arguments, timeout)
        said = [Path(path).read_text(encoding="utf-8", errors="replace") for path in (out, err)]
    return subprocess.CompletedProcess(["snakemake", *arguments], status, *said)


def _known(number: int | None) -> int:
    assert number is not None
    return number


def _answer(server: subprocess.Popen[str], timeout: float | None) -> int | None:
    """The next number that the server writes; None if it does not in time."""
    assert server.stdout is not None
    if not select.select([server.stdout], [], [], timeout)[0]:
        return None
    line = server.stdout.readline()
    assert line, "the server of Snakemake has ended"
    return int(line)


def start_afresh() -> None:
    """Start other servers for the next runs, in which hashed things have another order."""
    _server.cache_clear()
    interpreter.cache_clear()


@cache
def _server() -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = subprocess.Popen([sys.executable, __file__], **pipes)  # type: ignore[call-overload]
    atexit.register(end, started)
    return started


def serve() -> None:
    """Fork for each line of standard input; write the child's number, then its exit status."""
    for library in LIBRARIES:
        __import__(library)
    sys.modules["snakemake.cli"].get_argument_parser()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            end_after(partial(_run, request))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(request: dict) -> None:
    """Do what ``python -m snakemake`` does."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    for number, path in enumerate(request["files"], 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path[0] = request["folder"]
    sys.executable = request["python"]  # of jobs
    sys.argv = ["snakemake", *request["arguments"]]
    sys.modules["snakemake.cli"].main()


if __name__ == "__main__":
    serve()
