"""Check the results of the default configuration with h5py and NumPy alone, by their definition.

Shapes, scores, explained variances and labels of every experiment are worked out anew from the
feature shards and the recordings. Run from the top folder, after ``make run``.
"""

import csv
from pathlib import Path

import h5py
import numpy as np
import yaml

# Scores are stored as float32 and computed from float32 features: this share of the first
# component's standard deviation is far more than rounding, far less than any mistake.
TOLERANCE = 1e-4


def check_results() -> int:
    """Check every experiment in results/summary.tsv; return how many there are."""
    config = yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))
    with open("results/summary.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert rows, "results/summary.tsv has no rows"
    for row in rows:
        dataset, features = config["datasets"][row["dataset"]], config["features"][row["features"]]
        folder = Path("results", row["dataset"], row["features"])
        matrix = np.concatenate([np.load(path) for path in shard_files(folder)])
        with (
            h5py.File(folder / row["model"] / "model.h5") as model,
            h5py.File(folder / row["model"] / "projection.h5") as projection,
        ):
            check_scores(matrix, model, projection, row)
            check_windows(projection, dataset["recordings"], features["window"], features["step"])
    return len(rows)


def shard_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("features/*.npy"), key=lambda path: int(path.name.split("-")[0]))


def check_scores(matrix: np.ndarray, model: h5py.File, projection: h5py.File, row: dict) -> None:
    """Scores are the centred features times the loadings, and have the variances promised."""
    scores = projection["scores"][()]
    components, variance = model["components"][()], model["explained_variance"][()]
    n_rows, n_features = matrix.shape
    k = len(components)
    assert scores.shape == (n_rows, k) == (int(row["windows"]), int(row["n_components"]))
    assert components.shape == (k, n_features)
    assert int(row["n_features"]) == n_features
    assert np.abs(components @ components.T - np.eye(k)).max() < 1e-6
    expected = (matrix.astype(np.float64) - model["mean"][()]) @ components.T
    error = np.abs(scores - expected).max() / np.sqrt(variance[0])
    assert error < TOLERANCE, f"{projection.filename}: scores are off by {error:.1e}"
    train = projection["split"][()] == 0
    assert np.abs(expected[train].mean(axis=0)).max() < TOLERANCE * np.sqrt(variance[0])
    captured = expected[train].var(axis=0, ddof=1)
    assert projection["captured_variance"].shape == (k,)
    assert np.abs(projection["captured_variance"] - captured).max() < TOLERANCE * variance[0]
    bound = projection["residual"][()] + TOLERANCE * variance[0]
    assert (np.abs(captured - variance) <= bound).all(), f"{model.filename}: explained_variance"
    print(f"{projection.filename}: {n_rows} x {k}, scores right to {error:.0e}")


def check_windows(projection: h5py.File, sheet: str, window: int, step: int) -> None:
    """Every window names its recording and start, and has the label of its last row."""
    with open(sheet, encoding="utf-8", newline="") as file:
        recordings = list(csv.DictReader(file, delimiter="\t"))
    names = [name.decode() for name in projection["recording_names"][()]]
    assert names == [recording["recording"] for recording in recordings]
    begin = 0
    for i, recording in enumerate(recordings):
        rows = len(np.load(recording["path"], mmap_mode="r"))
        starts = np.arange(0, rows - window + 1, step)
        here = slice(begin, begin + len(starts))
        assert (projection["recording"][here] == i).all()
        assert (projection["start_row"][here] == starts).all()
        labels = np.load(recording["labels"])[starts + window - 1]
        assert (projection["label"][here] == labels).all()
        split = ("train", "test").index(recording.get("split") or "train")
        assert (projection["split"][here] == split).all()
        begin += len(starts)
    assert begin == len(projection["start_row"])


if __name__ == "__main__":
    print(f"{check_results()} experiments are right")
