"""Classes of rows, which determine their colours: labels or recordings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

# Okabe and Ito, Color Universal Design, 2008: colour-blind readers can distinguish them.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
OTHER, UNLABELLED = "#888888", "#D5D5D5"

# With more different labels, rows are coloured by recording.
MOST_LABELS = 1000

# Most classes in a figure: one per colour, and all others together.
MOST_CLASSES = len(COLOURS) + 1


@dataclass(frozen=True)
class Classes:
    """The most frequent values of a column, each with a colour; all others share one colour.

    Negative labels are light grey: by convention they mean that there is no label.

    Attributes
    ----------
    column : {"label", "recording"}
        Column of the projection.
    values : tuple of int
        Values with a colour, ascending.
    names : tuple of str
        Names of these values, and of all others together if there are any.
    """

    column: str
    values: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def colours(self) -> tuple[str, ...]:
        """Colours of the names."""
        unused = iter(COLOURS)
        own = [UNLABELLED if value < 0 else next(unused) for value in self.values]
        return (*own, OTHER)[: len(self.names)]

    @property
    def marks(self) -> tuple[str, ...]:
        """Short marks of the names, for places without room for the name; "" for no mark."""
        first = 1 if self.column == "recording" else 0
        marks = ["" if value < 0 else str(value + first) for value in self.values]
        return (*marks, "")[: len(self.names)]

    def of(self, column: np.ndarray) -> np.ndarray:
        """Return the index of the name of each entry of the column."""
        values = np.array(self.values)
        places = np.minimum(np.searchsorted(values, column), len(values) - 1)
        return np.where(values[places] == column, places, len(values))


def make_classes(column: str, counts: Mapping[int, int], names: Mapping[int | str, str]) -> Classes:
    """Choose the values that get a colour.

    Parameters
    ----------
    column : {"label", "recording"}
    counts : mapping of int to int
        Number of rows by value.
    names : mapping
        Names by value, for some of the values. Keys may be text.
    """
    known = {str(value): name for value, name in names.items()}
    most = sorted(counts, key=lambda value: (-counts[value], value))[: len(COLOURS)]
    shown = [known.get(str(value), _default_name(column, value)) for value in sorted(most)]
    others = len(counts) - len(most)
    shown += [f"{others} other {column}{'s' if others > 1 else ''}"] if others else []
    return Classes(column, tuple(sorted(most)), tuple(shown))


def _default_name(column: str, value: int) -> str:
    return "no label" if column == "label" and value == -1 else f"{column} {value}"


class Counter:
    """Counts the rows of each value of a column, up to about `MOST_LABELS` values."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    def add(self, column: np.ndarray) -> None:
        values, numbers = np.unique(column, return_counts=True)
        for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
            if value in self.counts or len(self.counts) <= MOST_LABELS:
                self.counts[value] = self.counts.get(value, 0) + number

    @property
    def too_many(self) -> bool:
        """Whether there are more than `MOST_LABELS` values."""
        return len(self.counts) > MOST_LABELS


def runs(classes: Iterable[int]) -> list[tuple[int, int, int]]:
    """Return runs of equal entries: (start, stop, entry)."""
    entries = np.asarray(list(classes))
    borders = np.flatnonzero(np.diff(entries)) + 1
    starts, stops = [0, *borders.tolist()], [*borders.tolist(), len(entries)]
    return [(a, b, int(entries[a])) for a, b in zip(starts, stops, strict=True)]
