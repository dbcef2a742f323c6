"""Labels: ties of a majority, and how many and how long texts may be."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwave.core.errors import MemwaveError
from memwave.recordings.labels.coding import LONGEST_TEXT, MOST_TEXTS, Coding, window_labels
from memwave.recordings.labels.file import create_labels


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=60),
    st.integers(1, 60),
    st.integers(1, 9),
)
def test_of_equally_frequent_labels_the_first_in_the_window_wins(labels, window, step):
    window = min(window, len(labels))
    found = window_labels("majority", np.array(labels), window, step)
    starts = range(0, len(labels) - window + 1, step)
    # `most_common` keeps the order in which elements came first.
    assert found.tolist() == [
        Counter(labels[start : start + window]).most_common(1)[0][0] for start in starts
    ]


def number_all(path, texts):
    with create_labels(path, 4) as writer:
        for text in texts:
            writer.number(text)


def test_too_many_texts_are_refused(tmp_path):
    texts = [f"t{i}" for i in range(MOST_TEXTS + 1)]
    with pytest.raises(MemwaveError, match=r"more than 10,000 different labels"):
        Coding.of(texts)
    with pytest.raises(MemwaveError, match=r"more than 10,000 different labels"):
        number_all(tmp_path / "labels.h5", texts)
    assert list(tmp_path.iterdir()) == []
    assert len(Coding.of(texts[1:]).names) == MOST_TEXTS


def test_a_long_text_is_refused():
    with pytest.raises(MemwaveError, match=r"the label 'xxx.* has 1,001 characters"):
        Coding.of(["x" * (LONGEST_TEXT + 1)])
    assert Coding.of(["x" * LONGEST_TEXT]).names == ("x" * LONGEST_TEXT,)
