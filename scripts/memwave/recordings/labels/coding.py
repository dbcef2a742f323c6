"""Labels of windows from labels of rows, and integer codes for labels that are texts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from memwave.core.errors import MemwaveError

# Rules that choose the label of a window from the labels of its rows.
RULES = ("last", "centre", "majority")

# Code of a row without a label, for labels that are texts.
UNLABELLED = -1

# Rows of labels read at once, plus a window; and the most different labels for `majority`.
BLOCK_ROWS = 65_536
MOST_LABELS = 1_000

# Most different texts of a dataset, and most characters of a text; memory is predicted for these.
MOST_TEXTS, LONGEST_TEXT = 10_000, 1_000

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def rows_of_labels(rule: str, window: int, step: int, first: int, count: int) -> tuple[int, int]:
    """Return the rows ``(start, stop)`` whose labels determine those of `count` windows."""
    skipped = {"last": window - 1, "centre": window // 2, "majority": 0}[rule]
    start = first * step + skipped
    return start, start + (count - 1) * step + (window if rule == "majority" else 1)


def window_labels(rule: str, labels: np.ndarray, window: int, step: int) -> np.ndarray:
    """Compute the labels of consecutive windows.

    Parameters
    ----------
    rule : {"last", "centre", "majority"}
        A window has the label of its last row, of row ``window // 2``, or of most of its rows. Of
        equally frequent labels, the first in the window is taken.
    labels : ndarray of int, shape (n,)
        Labels of the rows that `rows_of_labels` returns.
    window, step : int

    Returns
    -------
    ndarray of int

    Raises
    ------
    MemwaveError
        If the rule is ``majority`` and there are more than `MOST_LABELS` different labels.
    """
    if rule != "majority":
        return labels[::step]
    kinds = np.unique(labels)
    if len(kinds) > MOST_LABELS:
        raise MemwaveError(
            f"window_label: majority counts labels, and {len(labels)} rows have {len(kinds)} "
            f"different ones, expected at most {MOST_LABELS}. Use window_label: last or centre."
        )
    n_windows = (len(labels) - window) // step + 1
    starts = slice(0, len(labels) - window + 1, step)
    best = np.zeros(n_windows, labels.dtype)
    most, earliest = np.zeros(n_windows, np.int64), np.zeros(n_windows, np.int64)
    until = np.zeros(len(labels) + 1, np.int64)
    for kind in kinds:
        np.cumsum(labels == kind, out=until[1:])
        found = until[window::step] - until[starts]
        # The next row with this label, from each row on.
        rows = np.flatnonzero(labels == kind)
        first = np.append(rows, len(labels))[until[starts]]
        better = (found > most) | ((found == most) & (first < earliest))
        best[better], most[better], earliest[better] = kind, found[better], first[better]
    return best


def labels_bytes(rule: str, window: int) -> int:
    """Memory, in bytes, of labelling a block: labels, a sorted copy, and counts of one label."""
    return 48 * (BLOCK_ROWS + (window if rule == "majority" else 1))


def require_few(texts: Iterable[str], count: int) -> None:
    """Raise MemwaveError if labels are too many to be kinds of rows, or one of them is too long."""
    if count > MOST_TEXTS:
        raise MemwaveError(
            f"there are more than {MOST_TEXTS:,} different labels, expected kinds of rows. Use a "
            "column that names kinds, put numbers of rows or times into recordings of their own, "
            "or leave the labels out."
        )
    for text in texts:
        if len(text) > LONGEST_TEXT:
            raise MemwaveError(
                f"the label {text[:40]!r}... has {len(text):,} characters, expected at most "
                f"{LONGEST_TEXT:,}. Use a short name for each kind of rows."
            )


@dataclass(frozen=True)
class Coding:
    """Integer codes for texts.

    Attributes
    ----------
    names : tuple of str
        Text of each code, from 0 on, sorted. Empty if all texts are whole numbers: then each
        number is its own code.
    numbers : dict of str to int
    """

    names: tuple[str, ...]
    numbers: dict[str, int]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Coding":
        """Assign a code to each text; raise MemwaveError if there are too many."""
        found: set[str] = set()
        for text in texts:
            found.add(text)
            require_few([text], len(found))
        kinds = sorted(found)
        if all(_WHOLE_NUMBER.fullmatch(text) for text in kinds):
            return cls((), {text: int(text) for text in kinds})
        return cls(tuple(kinds), {text: number for number, text in enumerate(kinds)})

    def translate(self, codes: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Return the codes of labels that are indices into `texts`; -1 means no label."""
        # Index -1 selects the last entry.
        lookup = np.array([*(self.numbers[text] for text in texts), UNLABELLED], np.int64)
        return lookup[codes]
