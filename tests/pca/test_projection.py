"""Projections: scores, what they measure of the model, and where each window is from."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray
from fitting import SOLVERS, decaying, dense, fit, options_of, save_shard
from oracles import make_spec
from stage_run import StageRun

from memwave.core.errors import MemwaveError
from memwave.core.ranges import shard_range
from memwave.pca.diagnostics.certificate import residuals
from memwave.pca.projection import Projector, captured_variance, features_of
from memwave.recordings.segments import LabelledRecording
from memwave.results import partial_projection, projection_file
from memwave.results.model_file import load_model, save_model
from memwave.storage import hdf5_chunks
from memwave.workflow.requests.scores.shard_scores import split_ranges

ROUNDING = {"float32": 1e-5, "float64": 1e-11}
TABLE = [("channels", "O"), ("band", "O"), ("position", "i8")]
WINDOW, STEP = 10, 3
SPEC = make_spec(window=WINDOW, step=STEP, channels=6)
# Name, rows, split.
RECORDINGS = [
    ("first", 200, "train"),
    ("short", 3, "test"),
    ("ü 2", 64, "test"),
    ("l", 301, "train"),
]


def n_windows():
    return [SPEC.windows.count(rows) for _, rows, _ in RECORDINGS]


def train_mask():
    return np.repeat([split == "train" for _, _, split in RECORDINGS], n_windows())


class Projected:
    """Shards, a model and the projection of some features, made by the scripts."""

    def __init__(
        self,
        folder,
        dtype="float64",
        score_dtype="float64",
        n_shards=3,
        labelled=True,
        solver="covariance",
    ):
        self.folder, self.dtype, self.solver = folder, dtype, solver
        self.features = (decaying(sum(n_windows()), 30) + 3.0).astype(dtype)
        self.train = self.features[train_mask()]
        random = np.random.default_rng(0)
        self.labels = [random.integers(-9, 9, rows) for _, rows, _ in RECORDINGS]
        cuts = [shard_range(len(self.features), i, n_shards) for i in range(n_shards)]
        self.stages = StageRun(
            folder,
            SPEC,
            {"solver": solver, **options_of(solver)},
            [train_ranges(start, stop) for start, stop in cuts],
            len(self.features),
            recordings=self.save_labels(labelled),
            block_rows=17,
            dtype=dtype,
            score_dtype=score_dtype,
            provenance={"made": "there"},
        )
        self.model_path, self.path = folder / "model.h5", folder / "projection.h5"
        self.save_model(self.model_path)
        self.model = load_model(self.model_path)
        for i, (start, stop) in enumerate(cuts):
            save_shard(folder / f"{i}.npy", self.features[start:stop])
            self.stages.project(i)
        self.stages.write()

    def save_model(self, path):
        model = fit(self.solver, [self.train], dtype=self.dtype, n_components=4)
        table = np.array([("x", "d1", i) for i in range(30)], TABLE)
        save_model(path, model, table, {"made": "here"})

    def save_labels(self, labelled):
        recordings = []
        for i, (name, _, split) in enumerate(RECORDINGS):
            path = self.folder / f"labels{i}.npy"
            np.save(path, self.labels[i])
            known = str(path) if labelled else None
            recordings.append(LabelledRecording(name, split, n_windows()[i], known))
        return recordings


def train_ranges(start, stop):
    """Rows of a shard of windows ``start:stop`` that are of split train."""
    edges = np.flatnonzero(np.diff(train_mask()[start:stop], prepend=False, append=False))
    return [tuple(pair) for pair in edges.reshape(-1, 2).tolist()]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Projected(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def opened(run):
    with xarray.open_dataset(run.path, engine="h5netcdf") as data:
        yield data


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_shards", [1, 4])
def test_scores_are_the_centred_features_on_the_components(tmp_path, dtype, n_shards):
    run = Projected(tmp_path, dtype, n_shards=n_shards)
    centred = run.features.astype(np.float64) - run.model.mean
    expected = centred @ run.model.components.T
    with h5py.File(run.path) as file:
        scores, errors = file["scores"][()], file["reconstruction_error"][()]
    allowed = ROUNDING[dtype] * np.abs(centred).max()
    np.testing.assert_allclose(scores, expected, rtol=0, atol=allowed)
    lost = centred - expected @ run.model.components
    squares = np.einsum("ij,ij->i", lost, lost)
    np.testing.assert_allclose(errors, squares, rtol=1e-5, atol=allowed)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_model_is_measured_on_its_train_windows(tmp_path, solver):
    run = Projected(tmp_path, solver=solver)
    values, vectors, covariance = dense(run.train, 4)
    v = run.model.components
    image = covariance @ v.T
    measured = np.linalg.norm(image - v.T * run.model.explained_variance, axis=0)
    with h5py.File(run.path) as file:
        residual, captured = file["residual"][()], file["captured_variance"][()]
        attributes = dict(file.attrs)
    np.testing.assert_allclose(residual, measured, atol=1e-10)
    np.testing.assert_allclose(captured, np.diag(v @ image), rtol=1e-9)
    if solver == "covariance":
        np.testing.assert_allclose(captured, values, rtol=1e-9)
        np.testing.assert_allclose(np.abs(np.einsum("ij,ij->i", v, vectors)), 1, atol=1e-9)
    centred = run.features - run.model.mean
    lost = ((centred - centred @ v.T @ v) ** 2).sum(axis=1)
    total = (centred**2).sum(axis=1)
    for split, chosen in (("train", train_mask()), ("test", ~train_mask())):
        share = lost[chosen].sum() / total[chosen].sum()
        assert attributes[f"reconstruction_error_{split}"] == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_residuals_are_those_of_a_dense_covariance(dtype):
    rows = (decaying(300, 20) + 50.0).astype(dtype)
    model = fit("incremental", [rows], n_components=5, inner_rank=5, batch_rows=16)
    model.components = np.linalg.qr(model.components.T + 0.05)[0].T  # visibly wrong
    total, moments = None, np.zeros((2, 5))
    for part in np.array_split(rows, 3):
        projector = Projector(model, dtype)
        for block in np.array_split(part, 7):
            projector.project(block - projector.shift, is_train=True)
        projector.train.center()
        moments += projector.moments
        if total is None:
            total = projector.train
        else:
            total.merge(projector.train)
    norms, variances = residuals(model, total), captured_variance(moments, len(rows))
    _, _, covariance = dense(rows, 5)
    image = covariance @ model.components.T
    expected = np.linalg.norm(image - model.components.T * model.explained_variance, axis=0)
    assert expected.min() > 0.01
    np.testing.assert_allclose(norms, expected, rtol=10 * ROUNDING[dtype])
    quadratic = np.diag(model.components @ image)
    np.testing.assert_allclose(variances, quadratic, rtol=10 * ROUNDING[dtype])


def test_a_score_is_not_lost_in_a_large_mean():
    rows = decaying(200, 20) + 1e6
    model = fit("covariance", [rows])
    projector = Projector(model, "float64")
    scores, errors = projector.project(rows - projector.shift, is_train=True)
    centred = rows - rows.mean(axis=0)
    np.testing.assert_allclose(scores, centred @ model.components.T, atol=1e-7)
    lost = centred - scores @ model.components
    np.testing.assert_allclose(errors, (lost**2).sum(axis=1), atol=1e-7)


def test_a_mean_that_single_precision_rounds_is_made_up_for():
    rows = (decaying(400, 40) + 1e4 + 1 / 3).astype(np.float32)
    model = fit("covariance", [rows], dtype="float64")
    assert np.abs(model.mean - model.mean.astype(np.float32)).max() > 1e-4
    projector = Projector(model, "float32")
    scores, _ = projector.project(rows - projector.shift, is_train=True)
    expected = (rows.astype(np.float64) - model.mean) @ model.components.T
    np.testing.assert_allclose(scores, expected, atol=2e-5)


@pytest.mark.parametrize("standardized", [False, True])
def test_features_are_the_nearest_in_the_space_of_the_components(standardized):
    rows = decaying(90, 12) + 4
    model = fit("covariance", [rows], n_components=5)
    scale = np.linspace(0.5, 3, 12) if standardized else np.ones(12)
    model.scale = scale if standardized else None
    scores = ((rows - model.mean) / scale) @ model.components.T
    left = (features_of(model, scores) - rows) / scale
    expected = np.linalg.norm((rows - model.mean) / scale, axis=1) ** 2 - (scores**2).sum(axis=1)
    np.testing.assert_allclose((left**2).sum(axis=1), expected, rtol=1e-9)
    np.testing.assert_allclose(left @ model.components.T, 0, atol=1e-12)


def test_every_window_tells_where_it_is_from(run, opened):
    recordings, starts, labels, splits = [], [], [], []
    for i, (_, _, split) in enumerate(RECORDINGS):
        for first in range(0, n_windows()[i] * STEP, STEP):
            recordings.append(i)
            starts.append(first)
            labels.append(run.labels[i][first + WINDOW - 1])
            splits.append(split)
    assert opened.recording.values.tolist() == recordings
    assert opened.start_row.values.tolist() == starts
    assert opened.label.values.tolist() == labels
    meanings = opened.split.attrs["flag_meanings"].split()
    assert [meanings[flag] for flag in opened.split.values] == splits
    assert opened.recording_names.values.tolist() == [name for name, _, _ in RECORDINGS]


def test_xarray_finds_dimensions_and_coordinates(run, opened):
    assert dict(opened.sizes) == {
        "window": len(run.features),
        "component": 4,
        "recording_names": 4,
        "limit_level": 2,
        "limit_split": 2,
    }
    assert opened.t2_limit.dims == opened.spe_limit.dims == ("limit_split", "limit_level")
    assert opened.scores.dims == ("window", "component")
    for name in ("recording", "start_row", "split", "label", "reconstruction_error"):
        assert opened[name].dims == ("window",)
    assert opened.residual.dims == opened.captured_variance.dims == ("component",)
    assert opened.component.values.tolist() == [1, 2, 3, 4]
    assert opened.window.values.tolist() == list(range(len(run.features)))
    types = {name: opened[name].dtype.name for name in ("start_row", "label", "recording")}
    assert types == {"start_row": "int64", "label": "int64", "recording": "int32"}
    first = opened.scores.sel(component=1)
    assert np.var(first.values[train_mask()], ddof=1) == pytest.approx(
        run.model.explained_variance[0]
    )


def test_the_file_says_what_made_it(run, opened):
    assert opened.attrs["encoding-type"] == "memwave-projection"
    assert opened.attrs["encoding-version"] == "1"
    assert json.loads(opened.attrs["provenance"]) == {"made": "there"}
    assert (opened.attrs["window"], opened.attrs["step"]) == (WINDOW, STEP)
    assert opened.attrs["solver"] == "covariance"
    with h5py.File(run.path) as file:
        assert all(file[name].attrs["description"] for name in file)
        assert all(file[name].compression == "gzip" for name in ("scores", "label", "window"))


def test_without_labels_there_is_no_label(tmp_path):
    run = Projected(tmp_path, labelled=False)
    with h5py.File(run.path) as file:
        assert "label" not in file


@pytest.mark.parametrize("score_dtype", ["float32", "float64"])
def test_scores_have_the_type_asked_for(tmp_path, score_dtype):
    run = Projected(tmp_path, score_dtype=score_dtype)
    with h5py.File(run.path) as file:
        assert file["scores"].dtype == score_dtype


def test_writing_twice_gives_the_same_bytes(run):
    partials = [run.folder / f"again{i}.h5" for i in range(3)]
    for i, path in enumerate(partials):
        run.stages.project(i, partial=path)
        assert path.read_bytes() == (run.folder / f"partial{i}.h5").read_bytes()
    again = run.folder / "again.h5"
    run.stages.write(partials=partials, projection=again)
    assert again.read_bytes() == run.path.read_bytes()
    model = run.folder / "model-again.h5"
    run.save_model(model)
    assert model.read_bytes() == run.model_path.read_bytes()


WRITTEN = ("projection.h5", "provenance.json", "limits.tsv", "alarms.tsv", "contributions.h5")


@pytest.mark.parametrize(("dtype", "score_dtype"), [("float64", "float32"), ("float32", "float64")])
def test_one_shard_is_projected_where_it_is_written(tmp_path, dtype, score_dtype):
    """Without a partial projection: the same bytes."""
    run = Projected(tmp_path, dtype, score_dtype, n_shards=1)
    before = {name: (tmp_path / name).read_bytes() for name in WRITTEN}
    (tmp_path / "partial0.h5").unlink()
    run.stages.write(projects=True)
    assert {name: (tmp_path / name).read_bytes() for name in WRITTEN} == before


def test_one_shard_of_many_chunks_has_the_same_content(tmp_path, monkeypatch):
    """Their places in the file may differ."""
    for module in (hdf5_chunks, partial_projection, projection_file):
        monkeypatch.setattr(module, "CHUNK_BYTES", 256)
    run = Projected(tmp_path, n_shards=1)
    with h5py.File(run.path) as file:
        assert all(len(file[name]) > 3 * file[name].chunks[0] for name in ("scores", "label"))
        before = {name: file[name][()].tolist() for name in file}
        attributes = dict(file.attrs)
    run.stages.write(projects=True)
    with h5py.File(run.path) as file:
        assert file.keys() == before.keys()
        for name, values in before.items():
            np.testing.assert_equal(file[name][()].tolist(), values, name)
        assert dict(file.attrs) == attributes


def test_a_shard_of_fewer_rows_than_planned_is_refused(tmp_path):
    run = Projected(tmp_path, n_shards=1)
    run.path.unlink()
    save_shard(tmp_path / "0.npy", run.features[:-1])
    with pytest.raises(MemwaveError, match=r"0\.npy: all shards together have \d+ rows, expected"):
        run.stages.write(projects=True)
    assert not run.path.exists()
    assert not list(tmp_path.glob(".*partial*"))


def test_blocks_change_nothing_beyond_rounding(run):
    found, other = [], run.folder / "other.h5"
    for block_rows in (1, 1000):
        replace(run.stages, block_rows=block_rows).project(partial=other)
        with h5py.File(other) as file:
            found.append({name: file[name][()] for name in ("scores", "losses", "moments")})
    for name, values in found[0].items():
        np.testing.assert_allclose(values, found[1][name], rtol=1e-9, atol=1e-10)


def test_a_model_comes_back_from_its_file(run):
    fitted = fit("covariance", [run.train], dtype=run.dtype, n_components=4)
    assert run.model.n_samples == fitted.n_samples == train_mask().sum()
    for name in ("components", "mean", "explained_variance", "total_variance", "noise_variance"):
        np.testing.assert_array_equal(getattr(run.model, name), getattr(fitted, name))
    with h5py.File(run.model_path) as file:
        assert file.attrs["n_features"] == 30
        assert file.attrs["solver"] == "covariance"
        assert file["features"]["band"][3] == b"d1"
        for name in ("explained_variance_ratio", "singular_values", "noise_variance"):
            np.testing.assert_array_equal(file[name][()], getattr(fitted, name))


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([], [(0, 9, False)]),
        ([(0, 9)], [(0, 9, True)]),
        ([(2, 4), (4, 7)], [(0, 2, False), (2, 4, True), (4, 7, True), (7, 9, False)]),
    ],
)
def test_rows_are_cut_where_train_and_test_meet(ranges, expected):
    assert list(split_ranges(9, ranges)) == expected
