"""The default configuration, run on a few seconds of the shipped recordings."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from locked import only_locked

ROOT = Path(__file__).parents[2]
ROWS = 1200
WALKING = 1  # a label that every recording has
TINY_RUN = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
TINY_RUN += ["--configfile", "config.yaml"]


def run_tiny(folder: Path) -> None:
    """Run dataset hapt with features haar and models exact and randomized in a folder.

    It runs with the packages that `make run` installs, and no others.
    """
    folder.mkdir(exist_ok=True)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["datasets"]["hapt"]["recordings"] = "sheet.tsv"
    config["experiments"] = [
        {"dataset": "hapt", "features": "haar", "model": ["exact", "randomized"]}
    ]
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    with open(ROOT / "config/recordings/hapt.tsv", encoding="utf-8", newline="") as sheet:
        rows = list(csv.DictReader(sheet, delimiter="\t"))
    for row in rows:
        first = max(0, int(np.argmax(np.load(ROOT / row["labels"]) == WALKING)) - ROWS // 2)
        for column in ("path", "labels"):
            piece = np.load(ROOT / row[column], mmap_mode="r")[first : first + ROWS]
            row[column] = Path(row[column]).name
            np.save(folder / row[column], piece)
    with open(folder / "sheet.tsv", "w", encoding="utf-8", newline="") as sheet:
        writer = csv.DictWriter(sheet, rows[0], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    done = subprocess.run(
        [*TINY_RUN, "--cores", "2"],
        cwd=folder,
        env=only_locked("run.txt", folder / "start"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
