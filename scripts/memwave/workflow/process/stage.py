"""A stage of the workflow as a process: memory limit, log, usage, errors."""

import inspect
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn, get_origin

from threadpoolctl import threadpool_limits

from memwave.core.errors import MemwaveError
from memwave.core.ranges import MEGABYTE
from memwave.storage.atomic import naming_files_if
from memwave.storage.receipts import identities, require_inputs, write_receipt
from memwave.workflow.process.current import Ticket
from memwave.workflow.process.job_lines import ERRORS_AT_THE_END
from memwave.workflow.process.memory import PeakMemory, limit_memory, out_of_memory
from memwave.workflow.sources.readings import unchanged

log = logging.getLogger("memwave")

# They limit the threads of OpenBLAS, OpenMP and MKL when one of these is loaded.
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def run_script(
    snakemake: Any, function: Callable[..., None], load: Callable[[Any], None] | None = None
) -> None:
    """Run the function of a script as a stage, with the files and parameters of its job.

    Parameters
    ----------
    snakemake : snakemake.iocontainers.Snakemake
        What Snakemake defines in a script. ``params.request`` holds the request of the stage (in a
        list, since Snakemake compares only parameters of built-in types with those of the last
        run), ``params.ticket`` what the job is made for and of; see
        `memwave.workflow.process.current`.
    function : callable
        Its first parameter is the request. The others are named as outputs or inputs of the rule:
        one path, ``None`` where a job has no such file, or a list where the annotation is a
        sequence. ``threads`` is the number of threads of the job, ``ticket`` its `Ticket`, ``read``
        what it reads that no job makes, with checksums; see `memwave.workflow.sources.readings`.
    load : callable, optional
        Imports the libraries that a request needs. It is called before memory is limited: a
        library such as ``scipy.linalg`` maps much address space when it loads.
    """
    (request,) = snakemake.params.request
    ticket: Ticket | None = snakemake.params.get("ticket")
    if load is not None:
        load(request)
    read: dict[str, Any] = {}
    with (
        stage(
            function.__name__,
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
            threads=snakemake.threads,
            ticket=ticket,
            outputs=[path for path in snakemake.output if path != snakemake.output.usage],
            read=read,
        ),
        _as_planned(ticket, read),
    ):
        function(request, **_arguments(snakemake, function, read))


@contextmanager
def _as_planned(ticket: Ticket | None, read: dict[str, Any]) -> Iterator[None]:
    """Require that a job is wanted, and that its inputs are those of the plan, before and after.

    The checksums of what it reads are added to `read` before.

    A script that runs without a plan, as in a test, has no ticket: nothing is compared.
    """
    if ticket is None:
        yield
        return
    ticket.require_wanted()
    require_inputs(ticket.makers, ticket.files)
    with naming_files_if(ticket.require_wanted), unchanged(ticket.sources) as said:
        read |= said
        yield


def _arguments(snakemake: Any, function: Callable, read: Mapping[str, Any]) -> dict[str, Any]:
    """Files of a job, by the names of the parameters of a function."""
    _, *parameters = inspect.signature(function).parameters.values()
    files = dict(snakemake.input.items()) | dict(snakemake.output.items())
    others = {"threads": snakemake.threads, "ticket": snakemake.params.get("ticket"), "read": read}
    found: dict[str, Any] = {}
    for parameter in parameters:
        name = parameter.name
        if name in others:
            found[name] = others[name]
            continue
        value = files.get(name, ())
        paths = [value] if isinstance(value, str) else list(value)
        wants_all = get_origin(parameter.annotation) is Sequence
        found[name] = paths if wants_all else next(iter(paths), None)
    return found


@contextmanager
def stage(
    name: str,
    *,
    memory_mb: int,
    log_path: str,
    usage_path: str,
    threads: int = 1,
    ticket: Ticket | None = None,
    outputs: Sequence[str] = (),
    read: Mapping[str, Any] | None = None,
) -> Iterator[None]:
    """Run the body as a stage of the workflow.

    The kernel limits the process to `memory_mb` of private memory (RLIMIT_DATA, where there is
    one; file maps do not count). BLAS computes in one thread. Messages go to the log, time and peak
    memory to the usage file. An error ends the process with status 1 and one message; a traceback
    goes to the log only.

    Parameters
    ----------
    name : str
        Name of the stage in messages.
    memory_mb : int
        Predicted need, and limit, in MB (10**6 bytes).
    log_path, usage_path : str
        Where the log and the measured use (JSON) go.
    threads : int
        Threads of the stage that compute.
    ticket : Ticket, optional
        What the job is made for and of, which its receipt says.
    outputs : sequence of path
        Other files that it writes.
    read : mapping of str to dict, optional
        At the end of the body, what it read and no job made, for the receipt.
    """
    _open_log(name, log_path)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with one_blas_thread(), PeakMemory() as peak:
            # CPython hangs if a thread cannot allocate its stack, so the limit is set last.
            limit_memory(memory_mb, threads)
            begin = time.perf_counter()
            yield
        seconds = time.perf_counter() - begin
        log.info("done in %.2f s", seconds)
        log.info(
            "peak anonymous memory: %.0f MB of %d MB predicted", peak.bytes / MEGABYTE, memory_mb
        )
        usage = {
            "stage": name,
            "seconds": round(seconds, 3),
            "peak_anonymous_mb": round(peak.bytes / MEGABYTE, 1),
            "predicted_mb": memory_mb,
            "files": identities(outputs),
        }
        with naming_files_if(ticket.require_wanted) if ticket else nullcontext():
            said = ticket.said | {"sources": dict(read or {})} if ticket else {}
            write_receipt(usage_path, usage | said)
    except Terminated as error:
        _fail(f"{name}: {error}", at_once=True)
    except MemwaveError as error:
        _fail(f"{name}: {error}")
    except KeyboardInterrupt:
        text = "interrupted; nothing was left half-written, run again to go on."
        _fail(f"{name}: {text}", at_once=True)
    except Exception as error:
        log.error("%s", traceback.format_exc())
        if out_of_memory(error):
            _fail(f"{name}: {_short_of_memory(memory_mb, ticket)}")
        _fail(f"{name}: {type(error).__name__}: {error} (traceback in {log_path})")


def _short_of_memory(memory_mb: int, ticket: Ticket | None) -> str:
    if ticket and memory_mb < ticket.predicted_mb:
        return (
            f"needs {ticket.predicted_mb} MB as predicted, and was given {memory_mb} MB, by "
            "--resources, --set-resources or a profile. Give it more, or set a smaller block_mb."
        )
    return (
        f"needs more than the {memory_mb} MB predicted for it. Set a smaller block_mb (or "
        "batch_rows) in the configuration, and please report it: the prediction is wrong."
    )


def one_blas_thread() -> AbstractContextManager:
    """Limit BLAS to one thread in this process.

    The order in which BLAS sums, and so the last bits of every result, depends on the number of its
    threads. Shards run side by side instead and are merged in a fixed order. Loaded libraries are
    limited while the context is entered, and libraries loaded later by the environment.
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    return threadpool_limits(1)


def warn(message: str) -> None:
    """Write a warning to the log and to standard error."""
    log.warning("%s", message)
    print(f"Warning: {message}", file=sys.stderr, flush=True)


class Log(logging.FileHandler):
    """The log of a stage. If the disk is full, it ends early; the stage goes on."""

    def handleError(self, record: logging.LogRecord) -> None:
        log.removeHandler(self)
        reason = sys.exc_info()[1]
        with suppress(OSError):
            self.close()
        print(f"Warning: {_unwritten_log(self.baseFilename, reason)}", file=sys.stderr, flush=True)


def _open_log(name: str, path: str) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handler = Log(path, mode="w", encoding="utf-8")
    except OSError as error:
        _fail(f"{name}: {_unwritten_log(path, error)}")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _unwritten_log(path: str, error: BaseException | None) -> str:
    reason = getattr(error, "strerror", None) or error
    return (
        f"{path}: the log cannot be written ({reason}). Free some space, or make the folder one "
        "that can be written to."
    )


class Terminated(MemwaveError):
    """The process was asked to end."""


def _terminated(number: int, frame: object) -> None:
    raise Terminated(
        "ended by SIGTERM (a cluster's time limit, or a cancelled run); nothing was left "
        "half-written, run again to go on."
    )


def _fail(message: str, *, at_once: bool = False) -> NoReturn:
    """End the process. The message is in the log, and printed here or at the end of the run."""
    log.error("%s", message)
    with suppress(OSError):  # a log that cannot be written
        logging.shutdown()
    if at_once or ERRORS_AT_THE_END not in os.environ or not _is_logged(message):
        print(message, file=sys.stderr, flush=True)
    sys.stderr.flush()
    os._exit(1)


def _is_logged(message: str) -> bool:
    files = [h.baseFilename for h in log.handlers if isinstance(h, logging.FileHandler)]
    try:
        return any(message in Path(file).read_text(encoding="utf-8") for file in files)
    except OSError:
        return False
