"""What is found before the first job: each finding with place, expectation and remedy."""

import copy
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile
import yaml
from real_files import edf

from memwave.core.errors import ConfigurationError
from memwave.features.spec import FeatureSpec
from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import check
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages

ROOT = Path(__file__).parents[2]

# One level of two channels in turn: 8 features.
HAAR = {"window": 8, "level": 1, "bands": ["d1"], "layout": "interleaved"}


class Project:
    """A configuration with its files in a folder, right until a test spoils it."""

    def __init__(self, folder):
        self.folder = folder
        self.sheet = folder / "sheet.tsv"
        self.config = {
            "datasets": {"pilot": {"recordings": str(self.sheet), "channels": ["x", "y"]}},
            "features": {"haar": dict(HAAR)},
            "models": {"exact": {"solver": "covariance", "n_components": 3}},
            "experiments": [{"dataset": "pilot", "features": "haar", "model": "exact"}],
            "plots": False,
        }
        self.save("one.npy", np.zeros((40, 2)))
        self.save("two.npy", np.zeros((30, 2)))
        self.rows = [
            {"recording": "one", "path": "one.npy"},
            {"recording": "two", "path": "two.npy"},
        ]

    def save(self, name, array):
        np.save(self.folder / name, array)

    def label(self, *labels):
        for row, array in zip(self.rows, labels, strict=False):
            row["labels"] = f"{row['recording']}.labels.npy"
            self.save(row["labels"], array)

    def write_sheet(self):
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        lines = ["\t".join(columns)]
        for row in self.rows:
            cells = {key: row.get(key, "") for key in columns}
            for key in ("path", "labels"):
                if cells.get(key):
                    cells[key] = str(self.folder / cells[key])
            lines.append("\t".join(cells.values()))
        self.sheet.write_text("\n".join(lines))

    def check(self):
        self.write_sheet()
        return check(settings.complete(self.config))

    def findings(self):
        with pytest.raises(ConfigurationError) as caught:
            self.check()
        return caught.value.findings

    def refused(self, *words):
        (finding,) = self.findings()
        assert all(word in finding for word in words), finding


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_a_right_configuration_gives_the_recordings(project):
    project.label(np.zeros(40, np.int8), np.zeros(30, np.uint16))
    project.rows[1]["split"], project.rows[0]["split"] = "test", "train"
    checked = project.check()
    assert list(checked.recordings) == ["pilot"]
    one, two = checked.recordings["pilot"]
    assert (one.name, one.rows, one.split, two.rows, two.split) == ("one", 40, "train", 30, "test")
    assert one.path == str(project.folder / "one.npy")
    assert one.dtype is None
    assert two.labels == str(project.folder / "two.labels.npy")
    assert checked.warnings == ()


def test_all_formats_together(project):
    np.zeros((9, 2), ">i2").tofile(project.folder / "three.bin")
    with h5py.File(project.folder / "four.h5", "w") as store:
        store["signal"], store["labels"] = np.zeros((11, 2), "u1"), np.zeros(11, "i8")
    project.rows += [
        {"recording": "three", "path": "three.bin", "dtype": ">i2"},
        {"recording": "four", "path": "four.h5::/signal", "labels": "four.h5::/labels"},
    ]
    project.label(np.zeros(40, int), np.zeros(30, int), np.zeros(9, int))
    assert [r.rows for r in project.check().recordings["pilot"]] == [40, 30, 9, 11]


def test_what_no_experiment_uses_is_left_alone(project):
    project.config["datasets"]["later"] = {"recordings": "none.tsv", "channels": ["x"]}
    project.config["features"]["later"] = {"window": 8, "wavelet": "none"}
    project.config["models"]["later"] = {"solver": "covariance", "n_components": 1000}
    assert list(project.check().recordings) == ["pilot"]


def test_inputs_are_left_as_they_are(project):
    project.write_sheet()
    config = settings.complete(project.config)
    before = copy.deepcopy(config), {p: p.read_bytes() for p in project.folder.iterdir()}
    check(config)
    assert before == (config, {p: p.read_bytes() for p in project.folder.iterdir()})


def test_a_file_beside_the_sheet_is_found(project, monkeypatch):
    project.write_sheet()
    monkeypatch.chdir(project.folder.parent)
    sheet = f"{project.folder.name}/sheet.tsv"
    Path(sheet).write_text("recording\tpath\none\tone.npy\ngone\tgone.npy\n")
    project.config["datasets"]["pilot"]["recordings"] = sheet
    with pytest.raises(ConfigurationError) as caught:
        check(settings.complete(project.config))
    one, gone = caught.value.findings
    assert f"There is {project.folder.name}/one.npy, in the folder of the sheet" in one
    assert "There is" not in gone


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("https://example.org/x.npy", "Addresses are not read: download the file"),
        ("*.npy", "a sheet has a line for each file"),
        ("$HOME/x.npy", "Variables are not replaced"),
        ("data\\x.npy", "Write / between folders"),
    ],
)
def test_paths_that_only_other_programs_understand(project, path, hint):
    project.sheet.write_text(f"recording\tpath\none\t{path}\n")
    with pytest.raises(ConfigurationError, match="No such file") as caught:
        check(settings.complete(project.config))
    assert hint in str(caught.value)


def test_labels_that_are_texts_are_to_be_a_column(project):
    project.label(np.array(["rest"] * 40), np.array(["rest"] * 30))
    for finding in project.findings():
        assert "holds texts (<U4)" in finding
        assert "x.csv::column" in finding


@pytest.mark.parametrize("kind", ["gone", "recording"])
def test_a_model_that_scales_is_read_before_the_run(project, kind):
    path = project.folder / f"{kind}.h5"
    if kind == "recording":
        shutil.copy(project.folder / "one.npy", path)
    project.config["features"]["haar"] |= {"layout": "per-channel", "scale": str(path)}
    (finding,) = project.findings()
    assert finding.startswith(f"features.haar.scale: {path}: ")


@pytest.mark.parametrize("path", ["config/config.yaml", "config/examples/original.yaml"])
def test_shipped_configurations_can_run(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    complete = settings.complete(yaml.safe_load(Path(path).read_text()))
    checked = check(complete)
    assert [r.rows for r in checked.recordings["hapt"]] == [20598, 18026, 15888]
    assert not checked.warnings


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


def spoil_missing(project):
    project.rows[0]["path"] = "gone.npy"


def spoil_pickled(project):
    project.save("one.npy", np.array([[1, None]], object))


def spoil_truncated(project):
    path = project.folder / "one.npy"
    path.write_bytes(path.read_bytes()[:-1])


def spoil_channels(project):
    project.save("one.npy", np.zeros((40, 3)))


def spoil_transposed(project):
    project.save("one.npy", np.zeros((2, 40)))


def spoil_dimensions(project):
    project.save("one.npy", np.zeros(40))


def spoil_raw_size(project):
    (project.folder / "one.raw").write_bytes(bytes(10))
    project.rows[0] |= {"path": "one.raw", "dtype": "float32"}


def spoil_label_length(project):
    project.label(np.zeros(39, int), np.zeros(30, int))


def spoil_label_type(project):
    project.label(np.zeros(40), np.zeros(30, int))


def spoil_large_labels(project):
    project.label(np.zeros(40, np.uint64), np.zeros(30, int))


def spoil_label_shape(project):
    project.label(np.zeros((40, 1), int), np.zeros(30, int))


def spoil_label_file(project):
    project.label(np.zeros(40, int), np.zeros(30, int))
    project.rows[0]["labels"] = "gone.npy"


def spoil_one_label_file(project):
    project.label(np.zeros(40, int))


def spoil_split(project):
    for row in project.rows:
        row["split"] = "test"


def spoil_name(project):
    project.rows[1]["recording"] = "one"


FILES = [
    (spoil_missing, ['recording "one"', "gone.npy", "No such file"]),
    (spoil_pickled, ['recording "one"', "one.npy", "pickles are never opened"]),
    (spoil_truncated, ['recording "one"', "one.npy", "cut short"]),
    (spoil_channels, ["one.npy has 3 columns", "rows x 2", "datasets.pilot.channels"]),
    (spoil_transposed, ["one.npy has 40 columns", "looks transposed", "array.T"]),
    (spoil_dimensions, ["one.npy has one dimension only", "rows x 2"]),
    (spoil_raw_size, ['recording "one"', "one.raw", "10 bytes", "2 channels x 4 bytes"]),
    (spoil_label_length, ["39 labels in", "one.labels.npy", "expected 40", "one.npy"]),
    (spoil_label_type, ["one.labels.npy", "float64", "whole numbers", "astype('int64')"]),
    (spoil_large_labels, ["one.labels.npy", "uint64", "fit int64"]),
    (spoil_label_shape, ["one.labels.npy", "shape (40, 1)", "expected (40,)"]),
    (spoil_label_file, ['recording "one"', "gone.npy", "No such file"]),
    (spoil_one_label_file, ["sheet.tsv", '"two" has no labels', "all recordings or for none"]),
    (spoil_split, ["sheet.tsv", "every recording has split test", "split train"]),
    (spoil_name, ["sheet.tsv, line 3", '"one" is in line 2 already']),
]


@pytest.mark.parametrize(
    ("spoil", "words"), FILES, ids=lambda value: getattr(value, "__name__", "")
)
def test_files_that_do_not_fit(project, spoil, words):
    spoil(project)
    project.refused(*words)


def test_a_missing_sheet(project):
    project.config["datasets"]["pilot"]["recordings"] = "gone.tsv"
    project.refused("gone.tsv", "cannot be read", "Check the path")


def test_more_components_than_features(project):
    project.config["models"]["exact"]["n_components"] = 9
    project.refused("models.exact.n_components: found 9", "haar has 8 features", "at most 8")


def test_as_many_components_as_features_are_allowed(project):
    project.config["models"]["exact"]["n_components"] = 8
    project.check()


def test_more_components_than_train_windows_allow(project):
    project.config["features"]["haar"]["step"] = 16
    project.rows[0]["split"], project.rows[1]["split"] = "train", "test"
    project.refused("models.exact.n_components: found 3", "3 train windows", "Use at most 2.")
    project.config["models"]["exact"]["n_components"] = 2
    project.check()


def test_one_train_window_is_not_enough(project):
    project.config["features"]["haar"]["window"] = 40
    project.config["shards"] = project.config["models"]["exact"]["n_components"] = 1
    project.refused("found 1", "1 train windows", "Add recordings to split train")


def test_more_shards_than_windows(project):
    project.config["features"]["haar"]["step"] = 16
    project.config["shards"] = 6
    project.refused("shards: 6 shards", "the 5 windows of pilot/haar", "Use at most 5")
    project.config["shards"] = 5
    project.check()


def test_short_recordings_are_warned_of(project):
    project.config["features"]["haar"]["window"] = 32
    (warning,) = project.check().warnings
    assert '"two" has 30 rows' in warning
    assert "features.haar (32 rows)" in warning


def test_short_train_recordings_are_an_error(project):
    project.rows[0]["split"], project.rows[1]["split"] = "test", "train"
    project.config["features"]["haar"]["window"] = 32
    project.refused("features.haar.window", "no train recording", '"two", has 30', "at most 30")


def needs(project, **changes):
    """Prediction for the only experiment, and the largest need in it."""
    complete = settings.complete(project.config)
    spec = FeatureSpec.from_settings(complete["features"]["haar"], ["x", "y"])
    sizes = {"shards": 1} | {key: complete[key] for key in ("block_mb", "threads")} | changes
    return predict_stages(spec, complete["models"]["exact"], Sizes(**sizes))


def test_a_stage_over_the_limit_is_told_the_block_that_fits(project):
    least, most = (max(needs(project, block_mb=mb).values()) for mb in (8, 64))
    assert least < most
    project.config |= {"block_mb": 64, "max_mem_mb": least}
    stages = {stage for stage, need in needs(project).items() if need > least}
    findings = project.findings()
    assert len(findings) == len(stages)
    for stage, finding in zip(sorted(stages), sorted(findings), strict=True):
        assert finding.startswith(f"max_mem_mb: stage {stage} of pilot/haar with exact needs ")
        block = int(finding.split("With block_mb: ")[1].split(" ")[0])
        assert needs(project, block_mb=block)[stage] <= least < needs(project)[stage]
        assert needs(project, block_mb=2 * block)[stage] > least
    project.config["block_mb"] = 8
    project.check()


def test_a_fit_over_the_limit_is_told_the_solvers_that_fit(project):
    project.save("one.npy", np.zeros((9000, 2)))
    project.config["features"]["haar"]["window"] = 4000
    least = needs(project, block_mb=1)["fit_model"]
    project.config["max_mem_mb"] = least - 1
    (finding,) = [f for f in project.findings() if "stage fit_model" in f]
    assert f"with block_mb: 1, is {least} MB: raise max_mem_mb to {least}" in finding
    assert "use solver incremental (" in finding
    assert "use solver covariance" not in finding


def test_a_stage_that_models_share_is_reported_once(project):
    project.config["models"]["again"] = dict(project.config["models"]["exact"])
    project.config["experiments"][0]["model"] = ["exact", "again"]
    project.config["max_mem_mb"] = 1
    findings = project.findings()
    assert len(findings) == len(needs(project))
    assert all("of pilot/haar with exact, again needs" in finding for finding in findings)


def test_everything_is_reported_together(project):
    project.config["datasets"]["other"] = {"recordings": "gone.tsv", "channels": ["x", "y"]}
    project.config["features"]["bad"] = {"window": 8, "wavelet": "harr"}
    project.config["models"]["exact"]["n_components"] = 9
    project.config["shards"] = 60
    project.config["experiments"] = [
        {"dataset": ["pilot", "other"], "features": ["haar", "bad"], "model": "exact"}
    ]
    findings = project.findings()
    assert len(findings) == len(set(findings)) == 4
    for words in ("gone.tsv", "features.bad.wavelet", "models.exact.n_components", "shards: 60"):
        assert any(words in finding for finding in findings)


def test_all_files_of_all_recordings_are_reported_together(project):
    project.label(np.zeros(39, int), np.zeros(30))
    project.rows.append({"recording": "three", "path": "gone.npy", "labels": "gone.npy"})
    assert len(project.findings()) == 3


def test_figures_count_only_where_they_are_drawn(project):
    project.config |= {"max_mem_mb": 150, "block_mb": 1}
    project.check()
    project.config["plots"] = True
    (finding,) = project.findings()
    assert "plot_experiment of pilot/haar/exact needs" in finding
    assert "plots: false" in finding


def test_labels_of_every_kind(project):
    (project.folder / "one.tsv").write_text("start\tstop\tlabel\n0\t40\twalk\n")
    project.rows[0]["labels"] = "one.tsv"
    project.rows[1]["recording_label"] = "sit"
    one, two = project.check().recordings["pilot"]
    assert (one.labels, one.label_source) == (
        "results/pilot/labels/1.h5::/label",
        str(project.folder / "one.tsv"),
    )
    assert (two.labels, two.recording_label) == (None, "sit")


def test_labels_of_different_kinds(project):
    project.label(np.zeros(40, int))
    project.rows[1]["recording_label"] = "sit"
    project.refused('"two" are texts', '"one" are numbers', "one kind for all")


def test_intervals_that_are_not_in_the_recording(project):
    (project.folder / "two.tsv").write_text("start\tstop\tlabel\n0\t31\twalk\n")
    project.rows[1]["labels"] = "two.tsv"
    project.rows[0]["recording_label"] = "sit"
    project.refused('recording "two"', "two.tsv, line 2", "from row 0 to 31", "has 30 rows")


def test_a_column_of_labels_that_is_as_long_as_another_recording(project):
    (project.folder / "two.csv").write_text("state\n" + "walk\n" * 40)
    project.rows[1]["labels"] = "two.csv::state"
    project.rows[0]["recording_label"] = "sit"
    project.refused('recording "two"', "40 labels in", "two.csv::state, expected 30")


def test_a_channel_that_is_text_is_found_before_the_run(project):
    (project.folder / "one.csv").write_text("x,y,state\n" + "1,2,walk\n" * 40)
    project.rows = [{"recording": "one", "path": "one.csv"}]
    assert project.check().recordings["pilot"][0].rows == 40
    project.config["datasets"]["pilot"]["channels"] = ["x", "state"]
    project.refused('recording "one"', 'column "state": line 2: ', "invalid value 'walk'")


def test_sampling_rates(project):
    for name, rate in (("one", 50), ("two", 60)):
        soundfile.write(project.folder / f"{name}.wav", np.zeros((100, 2), "i2"), rate)
        project.rows[("one", "two").index(name)]["path"] = f"{name}.wav"
    project.refused(
        '"one" has 50 rows per second', '"two" has 60', "one sampling rate in a dataset"
    )
    project.config["datasets"]["pilot"]["sampling_rate"] = 50
    project.refused('recording "two"', "60 rows per second", "expected 50", "pilot.resample")
    project.config["datasets"]["pilot"]["resample"] = "polyphase"
    one, two = project.check().recordings["pilot"]
    assert (one.rows, one.resample) == (100, None)
    assert (two.rows, two.source_rows, two.resample) == (84, 100, (5, 6))
    assert two.notes == ()
    project.rows[1]["sampling_rate"] = "61.00000000000001"
    warnings = "\n".join(project.check().warnings)
    assert 'recording "two"' in warnings
    assert "has 60 rows per second, the sheet says 61.00000000000001, which is used" in warnings


def test_what_cannot_be_resampled(project):
    dataset = project.config["datasets"]["pilot"]
    dataset |= {"resample": "polyphase"}
    project.rows[0]["sampling_rate"] = "44100"
    project.refused("pilot.sampling_rate", "needs the rate")
    dataset |= {"sampling_rate": 32, "missing": "drop"}
    ratio, *_ = project.findings()
    assert 'recording "one": it has 44100 rows per second' in ratio
    assert "whole numbers up to 1000" in ratio
    dataset |= {"sampling_rate": 4410}
    project.refused("pilot.resample", "missing is drop", "Set missing: error")


def test_conversions_over_the_limit(project):
    (project.folder / "one.csv").write_text("x,y,state\n" + "1,2,walk\n" * 40)
    project.rows[0] |= {"path": "one.csv", "labels": "one.csv::state"}
    project.rows[1]["recording_label"] = "walk"
    project.config["datasets"]["pilot"]["channels"] = ["x", "y"]
    project.config["max_mem_mb"] = 120
    findings = [finding for finding in project.findings() if "stage convert" in finding]
    assert ["convert_recordings" in finding for finding in findings] == [True, False]
    assert all("one.csv" in finding and "max_mem_mb is 120" in finding for finding in findings)


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


def test_a_file_that_is_named_twice_is_warned_of(project):
    assert not project.check().warnings
    project.rows[1]["path"] = "./one.npy"
    (warning,) = project.check().warnings
    assert 'the recordings "one", "two" are the same file' in warning
    assert str(project.folder / "one.npy") in warning


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


@pytest.mark.parametrize("kind", ["gone", "folder", "recording"])
def test_a_model_to_apply_that_is_none_is_not_to_be_deleted(project, kind):
    (project.folder / "folder.h5").mkdir()
    shutil.copy(project.folder / "one.npy", project.folder / "recording.h5")
    reasons = {
        "gone": "No such file, expected a model.h5",
        "folder": "is a folder, expected a model.h5",
        "recording": "It is not a whole model.h5: copy it again",
    }
    path = project.folder / f"{kind}.h5"
    project.config["models"]["exact"] = {"apply": str(path)}
    (finding,) = project.findings()
    assert finding.startswith(f"models.exact.apply: {path}: ")
    assert reasons[kind] in finding
    assert "rm " not in finding


FITTED = "results/pilot/haar/exact/model.h5"


@pytest.fixture
def applied(project, monkeypatch):
    """A model that is fitted and applied to other features of its kind, in one configuration."""
    monkeypatch.chdir(project.folder)
    project.config["features"]["again"] = HAAR | {"step": 2}
    project.config["models"]["old"] = {"apply": f"./{FITTED}"}
    project.config["models"]["older"] = {"apply": "results/pilot/again/old/model.h5"}
    project.config["experiments"] += [
        {"dataset": "pilot", "features": "again", "model": ["older", "old"]}
    ]
    return project


@pytest.mark.parametrize("n_components", [2, 3, 0.9])
def test_a_model_that_is_fitted_here_is_applied_as_it_is_configured(applied, n_components):
    """Whatever its file is, which may be missing, or that of an earlier configuration."""
    file = applied.folder / FITTED
    file.parent.mkdir(parents=True)
    file.write_bytes(b"a model of before")
    applied.config["models"]["exact"] = {"solver": "covariance", "n_components": n_components}
    found = applied.check().models
    fitted = found["pilot", "haar", "exact"]
    for name, path in (("old", f"./{FITTED}"), ("older", "results/pilot/again/old/model.h5")):
        options = found["pilot", "again", name]
        assert options["apply"] == path
        for key in ("solver", "n_components", "select"):
            assert options.get(key) == fitted.get(key)
        assert not options["standardize"]


def test_features_are_compared_with_those_that_a_model_is_fitted_to(applied):
    applied.config["features"]["haar"]["window"] = 16
    findings = applied.findings()
    assert len(findings) == 2
    assert "was fitted with window 16, and features.again has 8" in findings[0]
    applied.config["features"]["again"]["window"] = 16
    applied.config["features"]["haar"]["scale"] = "zscore"
    assert "another scaling, expected features.again.scale: " in applied.findings()[0]
    for scale in (FITTED, f"./{FITTED}"):
        applied.config["features"]["again"]["scale"] = scale
        assert applied.check()
    applied.config["features"]["haar"]["scale"] = "none"
    assert "channels that were not scaled" in applied.findings()[0]


def test_models_that_are_applied_to_each_other_have_no_file(applied):
    applied.config["models"]["old"] = {"apply": "results/pilot/again/older/model.h5"}
    assert all("No such file, expected a model.h5" in finding for finding in applied.findings())


def test_columns_are_compared_with_those_that_a_model_is_fitted_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, width in (("first", 4), ("second", 5)):
        np.save(f"{name}.npy", np.random.default_rng(0).normal(size=(40, width)))
    config = {
        "datasets": {name: {"matrix": f"{name}.npy"} for name in ("first", "second")},
        "models": {
            "exact": {"solver": "covariance", "n_components": 2},
            "old": {"apply": "results/first/matrix/exact/model.h5"},
        },
        "experiments": [
            {"dataset": "first", "model": "exact"},
            {"dataset": "second", "model": "old"},
        ],
        "plots": False,
    }
    with pytest.raises(ConfigurationError, match="fitted to 4 columns, and the matrix has 5"):
        check(settings.complete(config))
    np.save("second.npy", np.zeros((9, 4)))
    assert check(settings.complete(config)).models["second", "matrix", "old"]["n_components"] == 2
