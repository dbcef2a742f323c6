"""Ranges of rows for tests: as strategies, and the rows in them."""

from hypothesis import strategies as st

# Lengths of gaps and of ranges, in turn.
GAPS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=6)


def ranges_of(gaps):
    """Disjoint ascending ranges with the given gaps before them."""
    ranges, done = [], 0
    for gap, length in gaps:
        ranges.append((done + gap, done + gap + length))
        done += gap + length
    return ranges


def rows_of(ranges):
    return [row for start, stop in ranges for row in range(start, stop)]
