"""Projections: scores, what they measure of the model, and where each window is from."""

import json

import h5py
import numpy as np
import pytest
import xarray
from fitting import SOLVERS, decaying, dense, fit, save_shard

from memwave.core.ranges import count_windows, shard_range
from memwave.pca.diagnostics.certificate import residuals
from memwave.pca.projection import Projector, captured_variance
from memwave.results.model_file import load_model, save_model
from project_features import labelled_ranges, project_features
from write_projection import write_projection

ROUNDING = {"float32": 1e-5, "float64": 1e-11}
TABLE = [("channels", "O"), ("band", "O"), ("position", "i8")]
WINDOW, STEP = 10, 3
# Name, rows, split.
RECORDINGS = [
    ("first", 200, "train"),
    ("short", 3, "test"),
    ("ü 2", 64, "test"),
    ("l", 301, "train"),
]


def n_windows():
    return [count_windows(rows, WINDOW, STEP) for _, rows, _ in RECORDINGS]


def train_mask():
    return np.repeat([split == "train" for _, _, split in RECORDINGS], n_windows())


class Run:
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
        self.folder, self.dtype, self.score_dtype, self.solver = folder, dtype, score_dtype, solver
        self.features = (decaying(sum(n_windows()), 30) + 3.0).astype(dtype)
        self.train = self.features[train_mask()]
        self.shards = [shard_range(len(self.features), i, n_shards) for i in range(n_shards)]
        self.model_path = folder / "model.h5"
        self.path = folder / "projection.h5"
        self.labelled = labelled
        random = np.random.default_rng(0)
        self.labels = [random.integers(-9, 9, rows) for _, rows, _ in RECORDINGS]
        self.make()

    def make(self):
        model = fit(self.solver, [self.train], dtype=self.dtype, n_components=4)
        table = np.array([("x", "d1", i) for i in range(30)], TABLE)
        save_model(self.model_path, model, table, {"made": "here"})
        self.model = load_model(self.model_path)
        parts = [self.project(*shard) for shard in self.shards]
        for i, labels in enumerate(self.labels):
            np.save(self.folder / f"labels{i}.npy", labels)
        self.write(self.path, parts)

    def project(self, start, stop, block_rows=17):
        rows = self.features[start:stop]
        shard, part = self.folder / f"{start}.npy", self.folder / f"{start}.h5"
        save_shard(shard, rows)
        edges = np.flatnonzero(np.diff(train_mask()[start:stop], prepend=False, append=False))
        project_features(
            shard=shard,
            model_path=self.model_path,
            part=part,
            train_ranges=edges.reshape(-1, 2).tolist(),
            first_row=start,
            n_windows=len(self.features),
            block_rows=block_rows,
            dtype=self.dtype,
            score_dtype=self.score_dtype,
        )
        return part

    def write(self, path, parts):
        windows = [
            {
                "recording": name,
                "labels": str(self.folder / f"labels{i}.npy") if self.labelled else None,
                "recording_label": None,
                "texts": False,
                "split": split,
                "count": count,
            }
            for i, ((name, _, split), count) in enumerate(zip(RECORDINGS, n_windows(), strict=True))
        ]
        write_projection(
            parts=parts,
            model_path=self.model_path,
            projection=path,
            windows=windows,
            window_label="last",
            features={"window": WINDOW, "step": STEP},
            score_dtype=self.score_dtype,
            provenance={"made": "there"},
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def opened(run):
    with xarray.open_dataset(run.path, engine="h5netcdf") as data:
        yield data


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_shards", [1, 4])
def test_scores_are_the_centred_features_on_the_components(tmp_path, dtype, n_shards):
    run = Run(tmp_path, dtype, n_shards=n_shards)
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
    run = Run(tmp_path, solver=solver)
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
    assert dict(opened.sizes) == {"window": len(run.features), "component": 4, "recording_names": 4}
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
    run = Run(tmp_path, labelled=False)
    with h5py.File(run.path) as file:
        assert "label" not in file


@pytest.mark.parametrize("score_dtype", ["float32", "float64"])
def test_scores_have_the_type_asked_for(tmp_path, score_dtype):
    run = Run(tmp_path, score_dtype=score_dtype)
    with h5py.File(run.path) as file:
        assert file["scores"].dtype == score_dtype


def test_writing_twice_gives_the_same_bytes(run):
    parts = [run.project(*shard) for shard in run.shards]
    again = run.folder / "again.h5"
    run.write(again, parts)
    assert again.read_bytes() == run.path.read_bytes()
    model = run.folder / "model-again.h5"
    run_again = fit("covariance", [run.train], dtype=run.dtype, n_components=4)
    table = np.array([("x", "d1", i) for i in range(30)], TABLE)
    save_model(model, run_again, table, {"made": "here"})
    assert model.read_bytes() == run.model_path.read_bytes()


def test_blocks_change_nothing_beyond_rounding(run):
    start, stop = run.shards[0]
    found = []
    for block_rows in (1, 1000):
        with h5py.File(run.project(start, stop, block_rows=block_rows)) as file:
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
    assert labelled_ranges(9, ranges) == expected
