"""Readers of recordings and labels: one file a format, one protocol for all.

To add a format, add a file with

- ``SUFFIXES``, the endings of its files, lower case with the dot;
- ``NEEDS_DTYPE``, whether the sheet has to name the dtype;
- ``Source``, an `ArraySource`, made as ``Source(path, dtype, n_channels)``.

It is found by its suffixes. What is dear to import is imported when a file is opened.
"""

import importlib
import pkgutil
from functools import cache
from pathlib import PurePath
from types import ModuleType

from memwave.errors import MemwaveError
from memwave.readers._source import LARGEST_CHUNK, ArraySource, file_of

__all__ = ["ArraySource", "file_of", "formats", "open_array", "reader_of"]

# What a reader may need beside the piece it returns: chunks that are unpacked as a whole.
SCRATCH_BYTES = 3 * LARGEST_CHUNK


@cache
def formats() -> dict[str, ModuleType]:
    """Return the reader of every known suffix."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {suffix: module for module in modules for suffix in module.SUFFIXES}


def open_array(path: str, dtype: str | None = None, n_channels: int | None = None) -> ArraySource:
    """Open a recording or labels for reading.

    Parameters
    ----------
    path : str
        A file, or ``file::/path/to/dataset`` for formats that hold several arrays.
    dtype : str, optional
        Type of the values, for files that do not tell it themselves.
    n_channels : int, optional
        Number of columns, for files that do not tell it themselves.

    Returns
    -------
    ArraySource
        Open; reads pieces of rows. Nothing but the header has been read.

    Raises
    ------
    MemwaveError
        If the file is missing, damaged or holds anything but a 1-D or 2-D array of real numbers.
    """
    return reader_of(path).Source(path, dtype, n_channels)


def reader_of(path: str) -> ModuleType:
    """Return the module that reads a file; raises MemwaveError if none does."""
    suffix = PurePath(file_of(path)).suffix.lower()
    if suffix not in formats():
        raise MemwaveError(
            f"{path}: unknown kind of file {suffix or '(no suffix)'}. Expected one of "
            f"{', '.join(sorted(formats()))}; convert it, for example with numpy.save."
        )
    return formats()[suffix]
