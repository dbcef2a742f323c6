"""Tell activities apart by the scores of PCA, and by plain statistics of the same windows.

``python examples/classify_activities.py FOLDER OUTPUT`` takes a folder of recordings
``userUU-runR.npy`` (rows x 6: accelerometer in g, gyroscope in rad/s) and their labels
``userUU-runR.labels.npy`` (one a row; 1 to 6 are activities), as in resources/hapt. Each user in
turn is left out of everything that is fitted, and classified.
"""

import argparse
import subprocess
import sys
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import yaml
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROOT = Path(__file__).parents[1]
CHANNELS = ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]
WINDOW, STEP, COMPONENTS = 128, 32, 30
ACTIVITIES = range(1, 7)
SCALES = ["none", "zscore", "robust"]
# The same recordings, with the gyroscope in another unit.
UNITS = {"rad": 1.0, "deg": 180 / np.pi}
CLASSIFIERS = {
    "logistic regression": lambda: make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=500)
    ),
    "random forest": lambda: RandomForestClassifier(n_estimators=100, random_state=0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the recordings are")
    parser.add_argument("output", type=Path, help="where the workflow may run; is made")
    arguments = parser.parse_args()
    names = sorted(p.stem for p in arguments.folder.glob("user*.npy") if ".labels" not in p.name)
    users = sorted({name.split("-")[0] for name in names})
    prepare(arguments.folder.resolve(), arguments.output, names, users)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
    subprocess.run(command, cwd=arguments.output, check=True)
    print(f"{len(names)} recordings of {len(users)} users, each left out in turn")
    compare(arguments.output, users)


def prepare(folder: Path, output: Path, names: list[str], users: list[str]) -> None:
    """Write recordings in both units, a sheet for each user left out, and the configuration."""
    (output / "recordings").mkdir(parents=True, exist_ok=True)
    for name, (unit, factor) in product(names, UNITS.items()):
        rows = np.load(folder / f"{name}.npy") * np.float32([1, 1, 1, factor, factor, factor])
        np.save(output / f"recordings/{name}-{unit}.npy", rows)
    for user, unit in product(users, UNITS):
        lines = ["recording\tpath\tlabels\tsplit"]
        for name in names:
            split = "test" if name.startswith(user) else "train"
            labels = folder / f"{name}.labels.npy"
            lines.append(f"{name}\trecordings/{name}-{unit}.npy\t{labels}\t{split}")
        (output / f"{user}-{unit}.tsv").write_text("\n".join(lines) + "\n")
    datasets = {
        f"{user}-{unit}": {"recordings": f"{user}-{unit}.tsv", "channels": CHANNELS}
        for user, unit in product(users, UNITS)
    }
    common = {"window": WINDOW, "step": STEP, "wavelet": "db4", "level": 4}
    common |= {"bands": ["a4", "d4", "d3", "d2", "d1"], "layout": "per-channel"}
    config = {
        "datasets": datasets,
        "features": {scale: {**common, "scale": scale} for scale in SCALES},
        "models": {"pca": {"solver": "covariance", "n_components": COMPONENTS}},
        "experiments": [{"dataset": list(datasets), "features": SCALES, "model": "pca"}],
        "shards": 1,
    }
    (output / "config.yaml").write_text(yaml.safe_dump(config))


def compare(output: Path, users: list[str]) -> None:
    """Print how well each user is classified by models that never saw the user."""
    statistics = {name: f"statistics ({unit})" for name, unit in zip(UNITS, UNITS, strict=True)}
    rows: dict[tuple[str, str], list[tuple[float, float]]] = {}
    shares: dict[str, list[float]] = {}
    for user, unit in product(users, UNITS):
        inputs = {}
        for scale in SCALES:
            folder = output / f"results/{user}-{unit}/{scale}/pca"
            scores, label, test, windows = read_projection(folder / "projection.h5", output, unit)
            name = f"scores, scale {scale} ({unit})"
            inputs[name] = scores
            shares.setdefault(name, []).append(accelerometer_share(folder / "model.h5"))
        inputs[statistics[unit]] = plain_statistics(windows)
        known = np.isin(label, ACTIVITIES)
        for (name, x), (kind, make) in product(inputs.items(), CLASSIFIERS.items()):
            guess = make().fit(x[known & ~test], label[known & ~test]).predict(x[known & test])
            truth = label[known & test]
            found = accuracy_score(truth, guess), f1_score(truth, guess, average="macro")
            rows.setdefault((name, kind), []).append(found)
    print("share of the accelerometer in the squared loadings")
    for name, values in shares.items():
        print(f"  {name}: {np.mean(values):.3f}")
    for (name, kind), found in sorted(rows.items(), key=lambda row: row[0][1]):
        accuracy, f1 = np.array(found).T
        users_accuracy = " ".join(f"{value:.3f}" for value in accuracy)
        print(f"{kind}\t{name}\t{accuracy.mean():.3f}\t{f1.mean():.3f}\t{users_accuracy}")


def read_projection(path: Path, output: Path, unit: str) -> tuple[np.ndarray, ...]:
    """Scores, labels, whether a window is of split test, and the windows themselves."""
    with h5py.File(path) as file:
        scores, label, test = file["scores"][:], file["label"][:], file["split"][:] == 1
        names = file["recording_names"].asstr()[:]
        of, start = file["recording"][:], file["start_row"][:]
    windows = np.empty((len(of), WINDOW, len(CHANNELS)), np.float32)
    for i, name in enumerate(names):
        rows = np.load(output / f"recordings/{name}-{unit}.npy")
        windows[of == i] = [rows[first : first + WINDOW] for first in start[of == i]]
    return scores, label, test, windows


def plain_statistics(windows: np.ndarray) -> np.ndarray:
    """Mean, deviation, smallest and largest value and quartiles of each channel of each window."""
    parts = [windows.mean(axis=1), windows.std(axis=1), windows.min(axis=1), windows.max(axis=1)]
    return np.hstack([*parts, *np.quantile(windows, [0.25, 0.75], axis=1)])


def accelerometer_share(path: Path) -> float:
    """Share of the squared loadings of all components that is on accelerometer channels."""
    with h5py.File(path) as file:
        channels = file["features"]["channels"].astype(str)
        squares = (file["components"][:] ** 2).sum(axis=0)
    return float(squares[np.char.startswith(channels, "acc")].sum() / squares.sum())


if __name__ == "__main__":
    main()
