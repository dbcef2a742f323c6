"""The configuration: defaults, findings in plain words, the shipped files."""

import copy
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pywt
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from memwave.core.errors import ConfigurationError
from memwave.pca.solvers import concrete_solvers
from memwave.workflow.config import settings
from memwave.workflow.config.schema.composed import schema
from memwave.workflow.config.settings import Experiment

ROOT = Path(__file__).parents[2]
MINIMAL = {
    "datasets": {"pilot": {"recordings": "pilot.tsv", "channels": ["x", "y"]}},
    "features": {"haar": {"window": 64}},
    "models": {"exact": {"solver": "covariance"}},
    "experiments": [{"dataset": "pilot", "features": "haar", "model": "exact"}],
}


def changed(place: tuple, value: object) -> dict:
    """The minimal configuration with one value replaced or added."""
    config = copy.deepcopy(MINIMAL)
    inner: Any = config
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return config


def findings_of(config: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        settings.complete(config)
    return caught.value.findings


def test_the_name_of_a_run_is_described():
    (finding,) = findings_of(changed(("run",), "a/b"))
    assert finding.startswith('run: found "a/b", expected null or 1 to 64 letters, digits')


@pytest.mark.parametrize(
    ("place", "value", "hint"),
    [
        (("features", "haar", "window"), "128", "Write 128, a number without quotes."),
        (("datasets", "pilot", "sampling_rate"), "1e2", "Write 100, a number without quotes."),
        (("datasets", "pilot", "sampling_rate"), "99,5", "Write 99.5, a number without quotes."),
        (("datasets", "pilot", "sampling_rate"), "1,000", "number greater than 0 or null."),
        (("models", "exact", "n_components"), "95%", "Write 0.95, a number without quotes."),
        (("datasets", "pilot", "channels"), "x, y", "Write [x, y], a list in brackets."),
        (("features", "haar", "bands"), "d1", "Write [d1], a list in brackets."),
        (("datasets", "pilot", "channels"), [1], 'Write it in quotes: "1".'),
        (("datasets", "pilot", "channels"), [True], "write the word in quotes."),
        (("features", "haar", "dtype"), "float", 'Did you mean "float64"?'),
        (("features", "haar", "window"), "2 s", "expected a whole number from 1 to 10000000."),
    ],
)
def test_what_to_write_instead_of_a_value(place, value, hint):
    (finding,) = findings_of(changed(place, value))
    assert finding.endswith(hint)


@pytest.mark.parametrize(
    ("place", "value", "hint"),
    [
        (("datasets", "pilot", "sampling rate"), 5, 'Did you mean "sampling_rate"?'),
        (("datasets", "pilot", 5), None, "A comma in {...} ends a value: write a point"),
        (("features", "haar", "step:4"), None, "Write a colon and a space after the key: step: 4."),
        (("features", "haar", "step 4"), None, "Write a colon and a space after the key: step: 4."),
    ],
)
def test_an_unknown_key_is_reported_once(place, value, hint):
    (finding,) = findings_of(changed(place, value))
    assert f": unknown key. {hint}" in finding


def test_names_that_are_numbers_are_written_in_quotes():
    (finding,) = findings_of(changed(("datasets", 2024), MINIMAL["datasets"]["pilot"]))
    assert finding.endswith('Write it in quotes: "2024".')


def test_the_home_folder_is_named_wherever_a_path_stands():
    matrix = {"datasets": {"pilot": {"matrix": "~/x.npy"}}}
    (finding,) = findings_of(
        MINIMAL | matrix | {"experiments": [{"dataset": "pilot", "model": "exact"}]}
    )
    assert finding.startswith("datasets.pilot.matrix: ~/x.npy begins with ~")


def test_units_are_of_channels():
    (finding,) = findings_of(changed(("datasets", "pilot", "units"), {"x": "mV", "xy": "mV"}))
    assert finding.startswith("datasets.pilot.units.xy: there is no such channel.")
    assert "Channels: x, y" in finding


def test_defaults_are_filled_in():
    complete = settings.complete(MINIMAL)
    assert complete["features"]["haar"] == {
        "window": 64,
        "step": 1,
        "wavelet": "haar",
        "level": 3,
        "bands": None,
        "layout": "per-channel",
        "mode": "symmetric",
        "scale": "none",
        "dtype": "float32",
        "store": True,
    }
    assert complete["datasets"]["pilot"]["sampling_rate"] is None
    assert complete["models"]["exact"]["n_components"] == 50
    assert complete["models"]["exact"]["standardize"] is False
    assert complete["models"]["exact"]["compute_dtype"] == "auto"
    scalars = ("shards", "block_mb", "max_mem_mb", "threads", "score_dtype")
    assert [complete[key] for key in scalars] == ["auto", 32, 2000, 2, "float32"]


def test_a_model_gets_the_options_of_its_solver_only():
    config = changed(("models", "fast"), {"solver": "incremental", "batch_rows": 7})
    models = settings.complete(config)["models"]
    assert models["fast"]["batch_rows"] == 7
    assert models["fast"]["inner_rank"] is None
    assert "batch_rows" not in models["exact"]


def test_completing_changes_neither_the_input_nor_the_schema():
    original = changed(("features", "haar", "bands"), ["d1"])
    config = copy.deepcopy(original)
    complete = settings.complete(config)
    complete["features"]["haar"]["bands"].append("a1")
    complete["datasets"]["pilot"]["channels"].append("z")
    complete["datasets"]["pilot"]["units"]["x"] = "V"
    assert config == original
    assert settings.complete(original)["features"]["haar"]["bands"] == ["d1"]
    assert settings.complete(original)["datasets"]["pilot"]["units"] == {}


def test_completing_twice_changes_nothing():
    complete = settings.complete(MINIMAL)
    assert settings.complete(complete) == complete


def test_experiments_are_products_in_order_without_repeats():
    config = changed(("models", "other"), {"solver": "covariance"})
    config["features"]["deep"] = {"window": 64}
    config["experiments"] = [
        {"dataset": "pilot", "features": ["haar", "deep"], "model": ["exact", "other"]},
        {"dataset": ["pilot"], "features": "haar", "model": "exact"},
    ]
    assert settings.experiments(settings.complete(config)) == (
        Experiment("pilot", "haar", "exact"),
        Experiment("pilot", "haar", "other"),
        Experiment("pilot", "deep", "exact"),
        Experiment("pilot", "deep", "other"),
    )


HAAR, EXACT = ("features", "haar"), ("models", "exact")
BAD = [
    ((*HAAR, "windw"), 1, ["features.haar.windw", 'Did you mean "window"', "step, wavelet"]),
    (("blok_mb",), 1, ["blok_mb: unknown key", 'Did you mean "block_mb"', "max_mem_mb"]),
    ((*EXACT, "ncomponents"), 1, ["models.exact.ncomponents", '"n_components"']),
    ((*EXACT, "batch_rows"), 1, ["models.exact.batch_rows: unknown key", "solver, n_components"]),
    ((*EXACT, "solver"), "covarianc", ['"covarianc"', 'Did you mean "covariance"']),
    ((*EXACT, "n_components"), 0, ["models.exact.n_components: found 0", "from 1 to 1000000"]),
    ((*EXACT, "n_components"), 2.0, ["n_components: found 2.0", "a whole number"]),
    ((*EXACT, "n_components"), True, ["n_components: found true", "a whole number"]),
    ((*EXACT, "compute_dtype"), "float", ["compute_dtype", '"auto", "float32" or "float64"']),
    ((*HAAR, "window"), "64", ['features.haar.window: found "64"', "whole number from 1"]),
    ((*HAAR, "step"), 0, ["features.haar.step: found 0", "whole number from 1"]),
    ((*HAAR, "level"), "deep", ["features.haar.level", "whole number from 1 to 64", '"max"']),
    ((*HAAR, "level"), 0, ["features.haar.level: found 0"]),
    ((*HAAR, "bands"), [], ["features.haar.bands: found []", "at least one item"]),
    ((*HAAR, "bands"), ["d1", "d1"], ['bands: "d1" is listed more than once', "List it once"]),
    ((*HAAR, "bands"), ["D1"], ['features.haar.bands[0]: found "D1"', "a band", '"d1"']),
    ((*HAAR, "mode"), "symetric", ["features.haar.mode", 'Did you mean "symmetric"']),
    ((*HAAR, "layout"), "per_channel", ["features.haar.layout", 'Did you mean "per-channel"']),
    ((*HAAR, "dtype"), "int64", ["features.haar.dtype", '"float16", "float32" or "float64"']),
    (("datasets", "pilot", "channels"), ["x", "x"], ['channels: "x" is listed more than once']),
    (("datasets", "pilot", "channels"), ["x", False], ["channels[1]: found false", "in quotes"]),
    (("datasets", "pilot", "label_names"), {1: True}, ["label_names[1]: found true", "in quotes"]),
    (("datasets", "pilot", "label_names"), {False: "x"}, ["the key false", "in quotes"]),
    (("datasets", "pilot", "units"), {True: "V"}, ["the key true", "in quotes"]),
    (("datasets", "pilot", "recordings"), "~/a.tsv", ["recordings: ~/a.tsv begins with ~"]),
    ((*EXACT, "apply"), "~/a/model.h5", ["models.exact.apply: ~/a/model.h5 begins with ~"]),
    (("datasets", "pilot", "channels"), ["a,b"], ["channels[0]", "without", "commas"]),
    (("datasets", "pilot", "channels"), "xy", ["channels: found", "a list"]),
    (("datasets", "pilot", "sampling_rate"), 0, ["sampling_rate", "greater than 0"]),
    (("datasets", "pilot", "sampling_rate"), float("nan"), ["sampling_rate: found nan"]),
    (("datasets", "a/b"), {}, ["datasets", '"a/b" cannot be used as a name', "letters, digits"]),
    (("features", "haar\n"), {}, ["features", r'"haar\n" cannot be used as a name']),
    (("features", "x" * 65), {}, ["features", "1 to 64"]),
    (("features", 5), {"window": 2}, ["features: 5 cannot be used as a name"]),
    (("models", "features"), {"solver": "covariance"}, ['"features"', "folders of the results"]),
    (("models", "usage"), {"solver": "covariance"}, ["models", '"usage" cannot be used as a name']),
    (("features", "usage"), {"window": 2}, ['"usage" cannot be used', "folders of the results"]),
    (("features", "labels"), {"window": 2}, ["features", '"labels" cannot be used as a name']),
    (("features", "recordings"), {"window": 2}, ['"recordings" cannot be used as a name']),
    (("datasets",), {}, ["datasets: found {}", "a mapping"]),
    (("datasets", "pilot"), None, ["datasets.pilot: found null", "a mapping"]),
    (("datasets", "pilot"), {"channels": ["x"]}, ["datasets.pilot.recordings: missing"]),
    (("experiments",), [], ["experiments: found []", "at least one"]),
    (("experiments", 0, "model"), "exakt", ['experiments[0].model: "exakt"', '"exact"']),
    (("experiments", 0, "dataset"), ["pilt"], ['"pilt" is not defined in datasets', '"pilot"']),
    (("experiments", 0, "features"), [], ["experiments[0].features", "a name or a list of names"]),
    (("experiments", 0, "features"), [3], ["experiments[0].features", "a name or a list of names"]),
    (("shards",), 0, ["shards: found 0", "from 1 to 10000"]),
    (("block_mb",), -1, ["block_mb: found -1"]),
    (("max_mem_mb",), "2 GB", ['max_mem_mb: found "2 GB"', "a whole number of at least 1"]),
    (("threads",), 0, ["threads: found 0"]),
    (("score_dtype",), "float16", ["score_dtype", '"float32" or "float64"']),
]


@pytest.mark.parametrize(("place", "value", "words"), BAD)
def test_a_finding_says_where_what_and_what_is_expected(place, value, words):
    findings = findings_of(changed(place, value))
    assert any(all(word in finding for word in words) for finding in findings), findings


def test_all_findings_are_reported_together():
    config = changed((*HAAR, "windw"), 3)
    config["features"]["haar"].pop("window")
    config["models"]["exact"]["solver"] = "exact"
    config["experiments"][0]["dataset"] = "pilots"
    config["shards"] = "four"
    findings = "\n".join(findings_of(config))
    for place in ("haar.windw", "haar.window: missing", "exact.solver", "pilots", "shards"):
        assert place in findings
    assert len(findings.splitlines()) == 5


@pytest.mark.parametrize("config", [None, [], "text", {}, 3])
def test_what_is_no_configuration_is_a_finding(config):
    assert findings_of(config)


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary()
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = [
    ("datasets",),
    ("datasets", "pilot"),
    ("datasets", "pilot", "channels"),
    ("features", "haar"),
    ("features", "haar", "bands"),
    ("features", "haar", "level"),
    ("models",),
    ("models", "exact"),
    ("models", "exact", "solver"),
    ("experiments",),
    ("experiments", 0),
    ("experiments", 0, "model"),
    ("shards",),
]


@given(place=st.sampled_from(PLACES), value=JUNK)
def test_junk_gives_a_configuration_error_or_nothing(place, value):
    with suppress(ConfigurationError):
        complete = settings.complete(changed(place, value))
        assert settings.experiments(complete)


@given(config=JUNK)
def test_junk_is_never_a_configuration(config):
    with pytest.raises(ConfigurationError):
        settings.complete(config)


def every_key(schema: dict):
    """Yield (key, its schema) for every key that the schema describes."""
    for key, rule in schema.get("properties", {}).items():
        yield key, rule
        yield from every_key(rule)
    for inner in ("additionalProperties", "items"):
        if isinstance(schema.get(inner), dict):
            yield from every_key(schema[inner])
    for branch in schema.get("allOf", ()):
        yield from every_key(branch["then"])


def test_the_schema_is_valid_and_describes_every_key():
    Draft202012Validator.check_schema(schema())
    keys = list(every_key(schema()))
    assert {"windows", "window"} & {key for key, _ in keys}
    for key, rule in keys:
        assert rule.get("description", "").endswith((".", ")")), key


def test_modes_are_those_of_pywavelets():
    features = schema()["properties"]["features"]["additionalProperties"]
    assert sorted(features["properties"]["mode"]["enum"]) == sorted(pywt.Modes.modes)


CONFIGS = sorted({*ROOT.glob("config/*.yaml"), *ROOT.glob("config/*/*.yaml")})


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configurations_are_complete(path):
    complete = settings.complete(yaml.safe_load(path.read_text()))
    assert settings.experiments(complete)


def test_the_default_configuration_shows_every_solver():
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    solvers = {model["solver"] for model in default["models"].values()}
    assert solvers == set(concrete_solvers())


def test_the_reference_is_up_to_date_and_its_example_is_valid():
    script = ROOT / "scripts" / "describe_config.py"
    printed = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / "config/README.md").read_text() == printed
    example = re.search(r"```yaml\n(.*?)```", printed, re.DOTALL)
    assert example
    assert settings.complete(yaml.safe_load(example.group(1)))


@pytest.mark.parametrize("empty", [{}, None, []])
def test_an_empty_configuration_has_a_message_of_its_own(empty):
    (finding,) = findings_of(empty)
    assert finding.startswith("the configuration is empty")
