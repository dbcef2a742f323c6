"""Files that appear whole or not at all."""

import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from memwave.core.errors import MemwaveError

# Called before a file is renamed to its final name; raises MemwaveError to discard the file.
_before_naming: list[Callable[[], None]] = []


@contextmanager
def naming_files_if(still_wanted: Callable[[], None]) -> Iterator[None]:
    """Call a check before any file is renamed to its final name.

    Parameters
    ----------
    still_wanted : callable
        Raises MemwaveError if the file must not appear. The file is then deleted.
    """
    _before_naming.append(still_wanted)
    try:
        yield
    finally:
        _before_naming.remove(still_wanted)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` on success.

    The file is synchronised to the disk before it is renamed. So neither a crash nor a lost node
    leaves an incomplete file under its final name. Temporary files of killed writers of the same
    file are removed. A writer that still runs (its snakemake was killed, and started again) holds
    a lock on its temporary file, which is not removed.

    Yields
    ------
    Path
        A new, empty file in the folder of `path`.

    Raises
    ------
    MemwaveError
        If the file cannot be written; names the file and the reason. If the check of
        `naming_files_if` fails.
    """
    path = Path(path)
    prefix = f".{path.name}.partial-"
    if path.is_dir():
        raise MemwaveError(f"{path}: is a folder, expected the name of a file to write.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for stale in path.parent.glob(f"{glob.escape(prefix)}*"):
            _remove_stale(stale)
        handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    except OSError as error:
        raise not_written(path, error) from error
    temporary = Path(name)
    try:
        with suppress(OSError):  # not all file systems have locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        _sync(temporary)
        for require_wanted in _before_naming:
            require_wanted()
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        if error.errno in REASONS:
            raise not_written(path, error) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        os.close(handle)


def reserve(descriptor: int, size: int, path: str | Path) -> None:
    """Reserve `size` bytes on the disk for an open file, so that writing to a map cannot fail.

    Raises
    ------
    MemwaveError
        If the disk, or the quota, has less than that free.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno in REASONS:
            raise not_written(path, error, size) from error
        raise


def require_space(path: str | Path, size: int) -> None:
    """Raise the error of a full disk if fewer than `size` bytes are free where `path` goes."""
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(path, error) from error
    if shutil.disk_usage(folder).free < size:
        raise disk_full(path, size)


def require_folder(path: Path) -> None:
    """Require that files can be written to a folder, which need not exist yet.

    Raises
    ------
    MemwaveError
        If a file is in its place, or its owner permits no writing.
    """
    nearest = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    if not nearest.is_dir():
        raise MemwaveError(f"{path}: cannot be made a folder: {nearest} is a file. Name another.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise MemwaveError(
            f"{path}: {nearest} cannot be written to (permission denied). Name another folder."
        )


def require_unread(path: str | Path, read: Iterable[str | Path]) -> None:
    """Require that a file to write is none of those that it is made from.

    Raises
    ------
    MemwaveError
        If it is one of them, by whatever name.
    """
    if any(is_same_file(path, file) for file in read):
        raise MemwaveError(f"{path}: is read for it, expected another file to write to.")


def is_same_file(one: str | os.PathLike, other: str | os.PathLike) -> bool:
    """Whether two paths name one file that is there."""
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


# Reasons why a file cannot be written, other than a full disk.
REASONS = {
    errno.ENOSPC: "",
    errno.EDQUOT: "the disk quota of its owner is used up. Free some space, or have it raised",
    errno.EFBIG: "it is larger than files may be here. Raise the limit (ulimit -f), or use another "
    "file system",
    errno.EIO: "the disk reports an error (EIO). Read the system's log, and use another disk",
    errno.EROFS: "the file system is read-only. Use a folder that can be written to",
}


def not_written(path: str | Path, error: OSError, size: int | None = None) -> MemwaveError:
    """Return the error for a file that cannot be written, with the reason."""
    if error.errno == errno.ENOSPC:
        return disk_full(path, size)
    reason = REASONS.get(error.errno or 0) or f"{error.strerror or error}. Mend the cause"
    need = "" if size is None else f" (it needs {size:,} bytes)"
    return MemwaveError(
        f"{path}: cannot be written{need}: {reason}, and start again. Nothing was left "
        "half-written; "
        "finished files are kept."
    )


def disk_full(path: str | Path, size: int | None = None) -> MemwaveError:
    """Return the error for a full disk, with the needed and the free space."""
    folder = next(folder for folder in Path(path).absolute().parents if folder.exists())
    free, files = shutil.disk_usage(folder).free, os.statvfs(folder)
    need = "" if size is None else f" needs {size:,} bytes;"
    # Some file systems count no files.
    none_left = ", and no further file can be made" if files.f_files and not files.f_favail else ""
    return MemwaveError(
        f"{path}: the disk is full:{need} {free:,} bytes are free{none_left}. "
        "Nothing was left half-written. Free some space (or run in a folder on a larger disk) "
        "and start again: finished files are kept."
    )


def _remove_stale(path: Path) -> None:
    with suppress(OSError), open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its writer runs
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
