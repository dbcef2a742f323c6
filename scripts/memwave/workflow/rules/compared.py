"""Parameters of rules that Snakemake compares with those of the last run."""

from collections.abc import Iterable
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


def compared_digests(digests: dict[str, str]) -> Compared:
    """Digests by name, all compared; the report shows how many there are."""
    return Compared(digests.items(), f"{len(digests)} files")
