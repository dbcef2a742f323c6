"""What `compare_bytes` runs: configurations, and the recordings and labels they name.

Configurations are those of the reference, made small, and own ones, for what those do not use.
"""

import csv
import gzip
import wave
from pathlib import Path

import h5py
import numpy as np
import yaml

# Configurations of the reference, and the keys that make them small.
SHORT = {"shards": 1, "block_mb": 1, "plots": False}
SHIPPED = {
    "default": ("config/config.yaml", {"shards": 2, "plots": "comparison"}),
    "original": ("config/examples/original.yaml", SHORT | {"shards": 2, "plots": True}),
    "batch-size": ("config/experiments/batch-size.yaml", SHORT),
    "scaling": ("config/experiments/scaling.yaml", SHORT),
    "wavelets": ("config/experiments/wavelets.yaml", SHORT),
}
# Rows of recordings, except in the default configuration; of windows, in config/experiments.
SHORT_ROWS, WINDOW = 1600, 201
# Values of a list in a grid that are kept there; of other lists, the last.
KEPT = {
    "wavelet": slice(None),
    "dtype": slice(None),
    "batch_rows": slice(None, None, 3),
    "passes": slice(None, None, 3),
}

# Configurations of this script: `COMMON` with the experiments, and other keys, of each.
COMMON = """
datasets:
  plain: {recordings: inputs/plain.tsv, channels: [x, y, z], window_label: majority}
  texts: {recordings: inputs/texts.tsv, channels: [x, y, z], sampling_rate: 50,
    window_label: centre}
  drop: {recordings: inputs/gaps.tsv, channels: [x, y, z], missing: drop}
  fill: {recordings: inputs/gaps.tsv, channels: [x, y, z], missing: interpolate, max_gap: 20}
  files: {recordings: inputs/files.tsv, channels: [x, y, z], sampling_rate: 50}
  rates: {recordings: inputs/rates.tsv, channels: [x, y, z], sampling_rate: 50, resample: polyphase}
features:
  half: &half {window: 40, level: 1, bands: [d1], layout: interleaved, dtype: float16}
  deep: &deep {window: 32, step: 2, wavelet: db2, level: 2, bands: [a2, d1], layout: per-channel,
    mode: periodic}
  double: &double {window: 48, step: 3, wavelet: sym4, level: max, bands: [d1], layout: interleaved,
    dtype: float64, mode: smooth}
  zscore: &zscore {<<: *deep, scale: zscore}
  robust: {<<: *half, scale: robust, mode: periodization}
  half-unstored: {<<: *half, store: false}
  deep-unstored: {<<: *deep, store: false}
  double-unstored: {<<: *double, store: false}
  applied: &applied {<<: *zscore, step: 3, scale: inputs/fitted.h5}
  applied-unstored: {<<: *applied, store: false}
models:
  auto: {solver: auto, n_components: 4, tolerance: 0.001}
  covariance: {solver: covariance, n_components: 4}
  float64: {solver: covariance, n_components: 4, compute_dtype: float64}
  incremental: {solver: incremental, n_components: 4, batch_rows: 64, inner_rank: 8}
  randomized: {solver: randomized, n_components: 4, columns: 8, passes: 4, tolerance: 0.01}
  signal: {solver: lag-covariance, n_components: 4}
  correlations: {solver: covariance, n_components: 4, standardize: true}
  incremental-correlations: {solver: incremental, n_components: 4, standardize: true}
  randomized-correlations: {solver: randomized, n_components: 4, standardize: true}
  fitted: {apply: inputs/fitted.h5}
shards: 2
block_mb: 1
plots: false
"""
OWN = """
solvers:
  experiments:
  - {dataset: plain, features: half, model: auto}
  - {dataset: plain, features: double, model: [auto, incremental, randomized, signal]}
  - {dataset: plain, features: zscore, model: [correlations, incremental-correlations,
      randomized-correlations]}
  - {dataset: plain, features: robust, model: float64}
  - {dataset: plain, features: half-unstored, model: signal}
  - {dataset: plain, features: deep-unstored, model: auto}
recordings:
  score_dtype: float64
  experiments:
  - {dataset: drop, features: deep, model: [covariance, randomized, signal]}
  - {dataset: drop, features: half-unstored, model: signal}
  - {dataset: fill, features: deep, model: incremental}
  - {dataset: [files, rates], features: robust, model: covariance}
  - {dataset: [fill, rates], features: double-unstored, model: signal}
applied:
  experiments:
  - {dataset: texts, features: applied, model: fitted}
  - {dataset: plain, features: applied-unstored, model: fitted}
"""
# The model that the configuration `applied` applies: of the reference, for both versions.
FITTED = "solvers", "plain/zscore/correlations/model.h5"
RATES = {"monday": 100, "tuesday": 20, "wednesday": 50}  # rows a second, in the dataset `rates`


def configurations(reference: Path) -> dict[str, dict]:
    """Configurations by name, each complete in itself; the shipped ones are the reference's."""
    found = {}
    for name, (path, small) in SHIPPED.items():
        config = yaml.safe_load((reference / path).read_text(encoding="utf-8")) | small
        sheet = "hapt" if name == "default" else "short"
        config["datasets"]["hapt"]["recordings"] = f"inputs/{sheet}.tsv"
        if "experiments" in path:
            for entry in config["features"].values():
                entry["window"] = min(entry.get("window", WINDOW), WINDOW)
            for entry in [*config["features"].values(), *config["models"].values()]:
                for key, values in entry.get("grid", {}).items():
                    entry["grid"][key] = values[KEPT.get(key, slice(-1, None))]
                    entry.pop(key, None)
        found[name] = config
    own = yaml.safe_load(OWN)
    return found | {name: yaml.safe_load(COMMON) | case for name, case in own.items()}


def write_inputs(folder: Path, reference: Path) -> None:
    """Write recordings, labels and their sheets; those of HAPT are the reference's."""
    folder.mkdir()
    hapt = reference / "resources/hapt"
    sheets = {"hapt": write_hapt(folder, hapt, None), "short": write_hapt(folder, hapt, SHORT_ROWS)}
    random = np.random.default_rng(0)
    walks = {
        name: (random.normal(size=(rows, 3)).cumsum(axis=0) * [1, 3, 0.2]).astype(np.float32)
        for name, rows in (("monday", 700), ("tuesday", 400), ("wednesday", 500))
    }
    sheets |= {"plain": [], "rates": [], "gaps": [], "texts": []}
    for name, rows in walks.items():
        row = {"recording": name, "split": "test" if name == "tuesday" else "train"}
        np.save(folder / f"{name}.npy", rows)
        np.save(folder / f"{name}.labels.npy", np.arange(len(rows)) // 45 % 4)
        row["path"], labels = f"inputs/{name}.npy", f"inputs/{name}.labels.npy"
        sheets["plain"].append(row | {"labels": labels})
        sheets["rates"].append(row | {"labels": labels, "sampling_rate": RATES[name]})
        holes = rows.copy()
        holes[100:103, 1] = holes[260, :] = holes[330:345, 2] = np.nan
        np.save(folder / f"{name}-gaps.npy", holes)
        sheets["gaps"].append(row | {"path": f"inputs/{name}-gaps.npy"})
        sheets["texts"].append(row | {"labels": "", "recording_label": ""})
    write_texts(folder, sheets["texts"], len(walks["monday"]))
    sheets["files"] = write_formats(folder, walks)
    for name, lines in sheets.items():
        with open(folder / f"{name}.tsv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]), delimiter="\t", lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)


def write_hapt(folder: Path, hapt: Path, rows: int | None) -> list[dict]:
    """Write the first rows of the HAPT recordings and their labels; return their sheet."""
    sheet = []
    for source in sorted(hapt.glob("*run?.npy")):
        name = f"{'hapt' if rows is None else 'short'}-{source.stem}"
        np.save(folder / f"{name}.npy", np.load(source)[:rows])
        labels = np.load(source.with_suffix(".labels.npy"))[:rows]
        np.save(folder / f"{name}.labels.npy", labels)
        row = {"recording": source.stem, "path": f"inputs/{name}.npy"}
        sheet.append(row | {"labels": f"inputs/{name}.labels.npy", "split": "train"})
    sheet[-1]["split"] = "test"
    return sheet


def write_texts(folder: Path, sheet: list[dict], rows: int) -> None:
    """Write labels that are texts: of rows, of intervals, and of a recording."""
    cells = (("sit", "walk", "", "lie")[row // 60 % 4] for row in range(rows))
    (folder / "rows.csv").write_text("row,activity\n" + "".join(f"0,{c}\n" for c in cells))
    intervals = "onset\tduration\tlabel\n0.5\t2\twalk\n3\t1.5\tstand still\n5\t9\tlie\n"
    (folder / "intervals.tsv").write_text(intervals)
    sheet[0]["labels"], sheet[1]["labels"] = "inputs/rows.csv::activity", "inputs/intervals.tsv"
    sheet[2]["recording_label"] = "sit"


def write_formats(folder: Path, walks: dict[str, np.ndarray]) -> list[dict]:
    """Write recordings in several formats; return their sheet."""
    monday, tuesday, wednesday = walks.values()
    lines = ["clock,z,x,y", *(f"{i},{z},{x},{y}" for i, (x, y, z) in enumerate(monday.tolist()))]
    (folder / "a.csv").write_text("\n".join(lines) + "\n")
    table = "\n".join(lines[:300]).replace(",", "\t") + "\n"
    (folder / "b.tsv.gz").write_bytes(gzip.compress(table.encode(), mtime=0))
    with h5py.File(folder / "c.h5", "w") as file:
        file.create_dataset("night/signal", data=tuesday.astype("f8"), chunks=(64, 3), shuffle=True)
    integers = np.round(wednesday * 100).astype("<i2")
    with wave.open(str(folder / "d.wav"), "wb") as sound:
        sound.setparams((3, 2, 50, 0, "NONE", None))
        sound.writeframes(integers.tobytes())
    integers.astype(">i2").tofile(folder / "e.dat")
    names = ("a.csv", "b.tsv.gz", "c.h5::/night/signal", "d.wav", "e.dat")
    return [
        {
            "recording": name[0],
            "path": f"inputs/{name}",
            "dtype": ">i2" * name.endswith(".dat"),
            "split": "test" if name[0] == "c" else "train",
        }
        for name in names
    ]
