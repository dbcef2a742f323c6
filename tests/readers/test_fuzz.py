"""A short run of the fuzzing that ``make fuzz`` does at length."""

import fuzzing


def test_damaged_recordings_are_refused_or_read():
    counts, trace = fuzzing.run(fuzzing.formats(), 25)
    assert "25 examples" in counts, f"{counts}\n{trace}"
