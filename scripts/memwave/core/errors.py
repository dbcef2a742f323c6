"""Errors for the user: each names the place, what was expected, and what to do."""

import shlex
from collections.abc import Sequence
from pathlib import Path


class MemwaveError(Exception):
    """An error that the user can fix; its message is the whole explanation."""


class ConfigurationError(MemwaveError):
    """One or more problems in the configuration, the sheets or the recordings.

    Parameters
    ----------
    findings : sequence of str
        The problems, one or two sentences each: the place, what was found, what was expected,
        what to do.
    """

    def __init__(self, findings: Sequence[str]):
        self.findings = tuple(findings)
        count = f"{len(self.findings)} problem{'s' if len(self.findings) != 1 else ''}"
        lines = "\n".join(f"  - {finding}" for finding in self.findings)
        super().__init__(f"The configuration cannot be run ({count}):\n{lines}")


class DamagedFile(MemwaveError):
    """A file that the workflow wrote has been damaged or changed.

    Parameters
    ----------
    path : path
    what : str
        The damage.
    """

    def __init__(self, path: str | Path, what: str):
        self.path, self.what = path, what
        remedy = f"Delete the file and run again to remake it: rm {shlex.quote(str(path))}"
        super().__init__(f"{path}: {what}. {remedy}")


class InvalidMatrix(MemwaveError, ValueError):
    """A matrix that cannot be read, or not the one that was expected.

    It is a ValueError as well, as programs that use estimators expect.
    """
