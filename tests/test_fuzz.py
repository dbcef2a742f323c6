"""A short run of the fuzzing that ``make fuzz`` does at length."""

import fuzzing
import pytest


@pytest.mark.parametrize("name", fuzzing.formats())
def test_a_damaged_recording_is_refused_or_read(name):
    counts, trace = fuzzing.run(name, 20)
    assert "20 examples" in counts, f"{counts}\n{trace}"
