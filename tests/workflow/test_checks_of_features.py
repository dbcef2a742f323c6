"""What is found about feature sets on the channels of a dataset: levels, bands, units."""

import numpy as np
import pytest
from real_files import edf

FEATURES = [
    ({"wavelet": "harr"}, ["features.haar.wavelet", '"harr"', 'Did you mean "haar"']),
    ({"wavelet": "morl"}, ["features.haar.wavelet", "continuous", "discrete", "db4"]),
    ({"wavelet": "zzzzzz"}, ["features.haar.wavelet", '"zzzzzz"', "haar, db4, sym5"]),
    ({"bands": ["a2"]}, ["features.haar.bands[0]", '"a2"', "level 1", "a1, d1"]),
    ({"bands": ["d1", "d3"], "level": 2}, ["features.haar.bands[1]", '"d3"', "a2, d2, d1"]),
    ({"bands": ["a1"], "level": "max"}, ["bands[0]", '"a1"', "level 4", "a4, d4, d3, d2, d1"]),
    ({"level": 5}, ["features.haar.level", "16 samples", "window of at least 16 rows", "level 4"]),
    (
        {"level": 4, "layout": "per-channel"},
        ["features.haar.level", "8 samples", "8 rows, per-channel", "at least 16 rows", "level 3"],
    ),
    (
        {"level": "max", "wavelet": "db20"},
        ["features.haar.level", "level 1 of db20 (40 taps)", "at least 39 rows", "shorter wavelet"],
    ),
    ({"window": 41}, ["features.haar.window", '"one", has 40', "a window of at most 40 rows"]),
]


@pytest.mark.parametrize(("changes", "words"), FEATURES)
def test_features_that_do_not_fit(project, changes, words):
    project.config["features"]["haar"].update(changes)
    project.refused(*words)


@pytest.mark.parametrize("changes", [{"level": 4}, {"level": 3, "layout": "per-channel"}])
def test_the_level_named_as_the_deepest_works(project, changes):
    project.config["features"]["haar"].update(changes)
    project.check()


GRAMS, VOLTS = {"x": "g", "y": "mV"}, {"x": "mV", "y": "mV"}


@pytest.mark.parametrize(
    ("units", "changes", "words"),
    [
        (GRAMS, {}, ["layout interleaved", "x (g) and y (mV) have different units"]),
        (GRAMS, {"layout": "per-channel"}, ["different units (g, mV)", "scale: zscore"]),
        (GRAMS, {"scale": "zscore"}, []),
        (VOLTS, {}, []),
        ({"x": "g"}, {}, []),
    ],
)
def test_different_units_that_are_mixed_are_warned_of(project, units, changes, words):
    project.config["datasets"]["pilot"]["units"] = units
    project.config["features"]["haar"].update(changes)
    warnings = project.check().warnings
    assert len(warnings) == bool(words)
    assert all(word in warning for warning in warnings for word in words)


def test_units_do_not_matter_to_a_model_that_standardizes(project):
    project.config["datasets"]["pilot"]["units"] = GRAMS
    project.config["features"]["haar"]["layout"] = "per-channel"
    project.config["models"]["exact"]["standardize"] = True
    assert not project.check().warnings


def test_differences_of_channels_of_one_unit_are_not_warned_of(project):
    """Of four channels, the Haar details are those of the first two and of the last two."""
    channels = ["x", "y", "z", "t"]
    project.config["datasets"]["pilot"] |= {
        "channels": channels,
        "units": dict(zip(channels, ["g", "g", "V", "V"], strict=True)),
    }
    for name in ("one", "two"):
        project.save(f"{name}.npy", np.zeros((40, 4)))
    (warning,) = project.check().warnings
    assert "make the components" in warning


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ({}, ['"x" is in uV in recording "one", in mV in the file of recording "two"']),
        ({"y": "\u00b5V"}, ['"x" is in uV in recording "one"']),
        ({"y": "Microvolts"}, ['"x" is in uV in recording "one"']),
        ({"x": "mV", "y": "V"}, ['"x" is in mV in datasets.pilot.units', '"y" is in V in']),
    ],
)
def test_a_channel_of_several_units_is_warned_of(project, units, told):
    project.config["datasets"]["pilot"]["units"] = units
    for name in ("one", "two"):
        edf(project.folder / f"{name}.edf", np.zeros((40, 2)), labels="xy")
    path = project.folder / "two.edf"
    path.write_bytes(path.read_bytes().replace(b"uV", b"mV", 1))
    project.rows = [{"recording": name, "path": f"{name}.edf"} for name in ("one", "two")]
    warnings = [w for w in project.check().warnings if "Values are not converted" in w]
    assert len(warnings) == len(told)
    assert all(words in warning for words, warning in zip(told, warnings, strict=True))
