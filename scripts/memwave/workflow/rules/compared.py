"""Parameters of rules that Snakemake compares with those of the last run."""

from functools import cache
from typing import Any


class Compared(list):
    """A parameter of a rule that Snakemake compares with that of the last run.

    Snakemake compares what ``repr`` gives, and writes what ``str`` gives into its report as it is,
    where a name such as ``</script>`` would end the script that holds it.
    """

    def __repr__(self) -> str:
        return super().__repr__().replace("<", "\\x3c")


class ComparedRequest(Compared):
    """The request of a job; Snakemake compares only parameters of built-in types."""

    def __init__(self, request: Any):
        super().__init__([request])

    def __str__(self) -> str:
        return repr(self[0]).replace("<", "\\x3c")


class ComparedDigests(Compared):
    """Names and digests, all compared; the report shows how many there are."""

    def __str__(self) -> str:
        return f"{len(self)} files"


@cache
def compared_code(digests: tuple[tuple[str, str], ...]) -> ComparedDigests:
    """Digests of modules, one object for all jobs that run these modules."""
    return ComparedDigests(digests)
