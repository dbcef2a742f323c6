"""Files that appear whole or not at all."""

import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from memwave.core.errors import MemwaveError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` on success.

    What is written is on the disk before it gets its name, so neither a crash nor a lost node
    leaves half a file under a final name. Leftovers of killed writers of the same file are removed;
    a writer that lives (its snakemake was killed, and started again) keeps its own, by a lock.

    Yields
    ------
    Path
        A new, empty file in the folder of `path`.

    Raises
    ------
    MemwaveError
        If the disk fills up: names the file and the free space.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}.partial-"
    for stale in path.parent.glob(f"{glob.escape(prefix)}*"):
        _remove_stale(stale)
    handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    temporary = Path(name)
    try:
        with suppress(OSError):  # not all file systems have locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        os.close(handle)


def reserve(descriptor: int, size: int, path: str | Path) -> None:
    """Give an open file `size` bytes of disk, so that writing through a map cannot fail.

    Raises
    ------
    MemwaveError
        If the disk, or the quota, has less than that free.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise disk_full(path, size) from error
        raise


def require_space(path: str | Path, size: int) -> None:
    """Raise the error of a full disk if fewer than `size` bytes are free where `path` goes."""
    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size:
        raise disk_full(path, size)


def disk_full(path: str | Path, size: int | None = None) -> MemwaveError:
    """Return the error that says how much space `path` needs and how much there is."""
    free = shutil.disk_usage(Path(path).parent).free
    need = "" if size is None else f" needs {size:,} bytes;"
    return MemwaveError(
        f"{path}: the disk is full:{need} {free:,} bytes are free. "
        "Nothing was left half-written. Free some space (or run in a folder on a larger disk) "
        "and start again: finished files are kept."
    )


def _remove_stale(path: Path) -> None:
    with suppress(OSError), open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its writer lives
        path.unlink()


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
