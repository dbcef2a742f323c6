"""Parameters of rules that Snakemake compares with those of the last run."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any


class Compared(list):
    """A parameter of a rule that Snakemake compares with that of the last run.

    Snakemake compares what ``repr`` gives, and writes what ``str`` gives into its report as it is,
    where a name such as ``</script>`` would end the script that holds it.

    Parameters
    ----------
    items : iterable
    shown : str
        What the report shows.
    """

    def __init__(self, items: Iterable, shown: str):
        super().__init__(items)
        self._shown = shown

    def __repr__(self) -> str:
        return super().__repr__().replace("<", "\\x3c")

    def __str__(self) -> str:
        return self._shown.replace("<", "\\x3c")

    def __reduce__(self) -> tuple:
        return Compared, (list(self), self._shown)


def compared_request(request: Any) -> Compared:
    """The request of a job; Snakemake compares only parameters of built-in types."""
    return Compared([request], repr(request))


@cache
def compared_code(digests: tuple[tuple[str, str], ...]) -> Compared:
    """Digests of modules, one object for all jobs that run these modules."""
    return compared_digests(digests)


def compared_digests(digests: Collection[tuple[str, str]]) -> Compared:
    """Names and digests, all compared; the report shows how many there are."""
    return Compared(digests, f"{len(digests)} files")
