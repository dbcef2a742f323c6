"""Jobs of Snakemake, forked from a process that has loaded their libraries: most do little else.

What Snakemake takes for the interpreter is a shell script. It asks a server to run the script of
the job in its place: in the same folder, with the same environment and the same output. The server
has loaded libraries, and nothing of memwave. It forks for each job and reports how the job ended,
and the shell script ends in the same way.

Such a job is no child of Snakemake, and its libraries are there before its memory is limited. So
tests of signals start ``python -m snakemake``, and tests of memory start each stage themselves.
"""

import atexit
import os
import runpy
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NoReturn

LIBRARIES = ("snakemake.logging", "snakemake.iocontainers", "h5py", "numpy", "pywt")
LIBRARIES += ("scipy.linalg", "scipy.special", "threadpoolctl", "xxhash")
# Takes what is no job of a script to Python.
INTERPRETER = f"""\
#!/bin/sh
case $1 in */.snakemake/scripts/*) ;; *) exec "{sys.executable}" "$@" ;; esac
mkfifo "$0.$$" && exec 3<>"$0.$$" && echo "$$ $1" >"$0.asked" && read -r status <&3
rm "$0.$$"
exit "$status"
"""


@cache
def interpreter() -> str:
    """What runs scripts as ``sys.executable`` does, by a server of this process."""
    if sys.platform != "linux":
        return sys.executable
    folder = tempfile.TemporaryDirectory(prefix="jobs-")
    script = Path(folder.name) / "python"
    script.write_text(INTERPRETER)
    script.chmod(0o700)
    os.mkfifo(f"{script}.asked")
    server = subprocess.Popen([sys.executable, __file__, str(script)], stdin=subprocess.PIPE)
    atexit.register(folder.cleanup)
    atexit.register(end, server)
    return str(script)


def end(server: subprocess.Popen) -> None:
    """End a server; the time that it took is then counted to this process."""
    server.kill()
    server.wait()


def serve(script: str) -> None:
    """Run what is asked for, until standard input ends."""
    asked = os.open(f"{script}.asked", os.O_RDWR)
    for library in LIBRARIES:
        __import__(library)
    running: dict[int, tuple[int, int]] = {}
    while True:
        ready = select.select([0, asked, *running], [], [])[0]
        if 0 in ready:
            return
        for ended in set(ready) & running.keys():
            os.close(ended)
            _report(script, *running.pop(ended))
        if asked in ready:
            for line in os.read(asked, 2**16).decode().splitlines():
                client, path = line.split(" ", 1)
                job = os.fork() or end_after(partial(_run, client, path))
                running[os.pidfd_open(job)] = (job, int(client))


def _report(script: str, job: int, client: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    try:
        answer = os.open(f"{script}.{client}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # it was killed
        return
    os.write(answer, b"%d\n" % (status if status >= 0 else 128 - status))
    os.close(answer)


def _run(client: str, path: str) -> None:
    """Do what a client asks for, in its place."""
    place = f"/proc/{client}"
    variables = Path(f"{place}/environ").read_text().split("\0")
    os.environ.clear()
    os.environ.update(line.split("=", 1) for line in variables if line)
    os.chdir(os.readlink(f"{place}/cwd"))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (1, 2):
        os.dup2(os.open(f"{place}/fd/{number}", os.O_WRONLY | os.O_APPEND), number)
    given = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:1] = [os.path.dirname(os.path.abspath(path)), *given]
    sys.argv = [path]
    runpy.run_path(path, run_name="__main__")


def end_after(work: Callable[[], None]) -> NoReturn:
    """Do the work of a forked process, and end it as Python ends."""
    status = 1
    try:
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
