"""What rows are coloured by: their label or their recording."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

# Okabe and Ito, Color Universal Design, 2008: the colour-blind can tell them apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
OTHER, UNLABELLED = "#888888", "#D5D5D5"

# More labels than that are no classes.
MOST_LABELS = 1000

# Classes that are told apart at most.
MOST_CLASSES = len(COLOURS) + 1


@dataclass(frozen=True)
class Classes:
    """The most frequent values of a column, each with a colour; all others share one.

    Negative labels are light grey: they say, by custom, that there is no label.

    Attributes
    ----------
    column : {"label", "recording"}
        Of the projection.
    values : tuple of int
        Values that have a colour, ascending.
    names : tuple of str
        What they are called; one more, if there are others.
    """

    column: str
    values: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def colours(self) -> tuple[str, ...]:
        """Colour of each name."""
        unused = iter(COLOURS)
        own = [UNLABELLED if value < 0 else next(unused) for value in self.values]
        return (*own, OTHER)[: len(self.names)]

    @property
    def marks(self) -> tuple[str, ...]:
        """A few letters for each name, where there is no room for the name, or none."""
        first = 1 if self.column == "recording" else 0
        marks = ["" if value < 0 else str(value + first) for value in self.values]
        return (*marks, "")[: len(self.names)]

    def of(self, column: np.ndarray) -> np.ndarray:
        """Index of the name of each entry of the column."""
        values = np.array(self.values)
        places = np.minimum(np.searchsorted(values, column), len(values) - 1)
        return np.where(values[places] == column, places, len(values))


def make_classes(column: str, counts: Mapping[int, int], names: Mapping[int | str, str]) -> Classes:
    """Choose what has a colour of its own.

    Parameters
    ----------
    column : {"label", "recording"}
    counts : mapping of int to int
        Rows by value.
    names : mapping
        Names of some of the values, which may be written as text.
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
    """Counts the rows of each value, of few values."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    def add(self, column: np.ndarray) -> None:
        values, numbers = np.unique(column, return_counts=True)
        for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
            if value in self.counts or len(self.counts) <= MOST_LABELS:
                self.counts[value] = self.counts.get(value, 0) + number

    @property
    def too_many(self) -> bool:
        """Whether the values are so many that they say nothing as colours."""
        return len(self.counts) > MOST_LABELS


def runs(classes: Iterable[int]) -> list[tuple[int, int, int]]:
    """Stretches of equal entries: (start, stop, entry)."""
    entries = np.asarray(list(classes))
    borders = np.flatnonzero(np.diff(entries)) + 1
    starts, stops = [0, *borders.tolist()], [*borders.tolist(), len(entries)]
    return [(a, b, int(entries[a])) for a, b in zip(starts, stops, strict=True)]
