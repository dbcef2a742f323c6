"""memwave's own stages, with the parameters that its workflow would give them."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from measure import Job, snakemake

sys.path.append(str(Path(__file__).parents[1] / "scripts"))

from memwave.pca.solvers import solver_module
from memwave.workflow import Workflow

DATASET, FEATURES = "bench", "haar"
SNAKEFILE = Path(__file__).parents[1] / "Snakefile"

ORIGINAL_FEATURES = {
    "wavelet": "haar",
    "level": 1,
    "bands": ["d1"],
    "layout": "interleaved",
    "step": 1,
}


def models(size: Any) -> dict[str, dict]:
    """Entries of ``models`` in the configuration.

    ``incremental-<n>`` has batches of n rows, ``<solver>-float64`` computes in double precision.
    """
    common = {"n_components": size.components}
    incremental = {"solver": "incremental", **common}
    return {
        "covariance": {"solver": "covariance", **common},
        "lag-covariance": {"solver": "lag-covariance", **common},
        "incremental": {**incremental, "batch_rows": size.batch_rows},
        **{f"incremental-{n}": {**incremental, "batch_rows": n} for n in size.other_batches},
        "randomized": {"solver": "randomized", **common},
        **{
            f"{solver}-float64": {"solver": solver, **common, "compute_dtype": "float64"}
            for solver in ("covariance", "randomized")
        },
        "auto": {"solver": "auto", **common},
    }


def experiment(model: str | list[str]) -> dict:
    """Entry of ``experiments`` in the configuration."""
    return {"dataset": DATASET, "features": FEATURES, "model": model}


class Stages:
    """Jobs of memwave's scripts on one feature matrix.

    Parameters
    ----------
    folder : path
        Where results go; the jobs run in it.
    recordings : dict of str to path
        Recordings by name.
    channels : int
        Channels of each.
    dtype : str
        Type of the features.
    size : works.Size
        Everything else.
    """

    def __init__(self, folder: Path, *, recordings: dict, channels: int, dtype: str, size: Any):
        self.folder = folder
        (folder / "config").mkdir(parents=True, exist_ok=True)
        sheet = folder / "config" / "recordings.tsv"
        lines = ["recording\tpath", *(f"{name}\t{path}" for name, path in recordings.items())]
        sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
        names = [f"channel{i}" for i in range(channels)]
        self.config = {
            "datasets": {DATASET: {"recordings": str(sheet), "channels": names}},
            "features": {FEATURES: {"window": size.window, "dtype": dtype, **ORIGINAL_FEATURES}},
            "models": models(size),
            "experiments": [experiment(list(models(size)))],
            "shards": size.shards,
            "block_mb": size.block_mb,
            "threads": 2,
            "max_mem_mb": 1_000_000,
            "plots": False,
        }
        self._workflow = Workflow(self.config)

    def _wildcards(self, model: str = "covariance", shard: str = "") -> SimpleNamespace:
        return SimpleNamespace(dataset=DATASET, features=FEATURES, model=model, shard=shard)

    @property
    def shards(self) -> list[Path]:
        """Files of the features."""
        folder = self.folder / "results" / DATASET / FEATURES / "features"
        return [folder / f"{name}.npy" for name in self._workflow.shards]

    def model_settings(self, model: str) -> dict:
        """The complete entry of a model."""
        return self._workflow.model(self._wildcards(model))

    def model_file(self, model: str, folder: Path | None = None) -> Path:
        return self._of_model(model, "model.h5", folder=folder)

    def projection_file(self, model: str) -> Path:
        return self._of_model(model, "projection.h5")

    def projected_parts(self, model: str) -> list[Path]:
        return [self._of_model(model, "parts", f"{path.stem}.h5") for path in self.shards]

    def _of_model(self, model: str, *names: str, folder: Path | None = None) -> Path:
        results = (folder or self.folder) / "results"
        return (results / DATASET / FEATURES / model).joinpath(*names)

    def extract(self) -> list[list[Job]]:
        """Phases of extracting all shards."""
        flow = self._workflow
        jobs = []
        for path in self.shards:
            w = self._wildcards(shard=path.stem)
            arguments = {
                "shard": str(path),
                "features": flow.features(w),
                "windows": flow.shard_windows(w),
                "block_rows": flow.extraction_rows(w),
            }
            jobs.append(Job("extract_features.extract_features", arguments))
        return [jobs]

    def fit(self, model: str) -> list[list[Job]]:
        """Phases of fitting a model: summaries of the shards and their merger, or passes."""
        flow, w = self._workflow, self._wildcards(model)
        solver = solver_module(flow.model(w)["solver"])
        imports = (solver.__name__, *solver.LIBRARIES)
        arguments = {
            "parts": [
                str(self.folder / part) for part in flow.fit_summaries(w) or flow.fit_shards(w)
            ],
            "model_path": str(self.model_file(model)),
            "features": flow.features(w),
            "model": flow.model(w),
            "train_ranges": flow.all_train_ranges(w),
            "block_rows": flow.block_rows(w),
            "dtype": flow.compute_dtype(w),
            "threads": flow.threads(w),
            "provenance": flow.provenance(w),
        }
        merge = [Job("fit_model.fit_model", arguments, imports)]
        if arguments["parts"] == [str(path) for path in self.shards]:
            return [merge]
        if flow.model(w)["solver"] == "lag-covariance":
            return [self._lags(model, arguments["parts"]), merge]
        return [self._summaries(model, arguments["parts"], imports), merge]

    def _lags(self, model: str, summaries: list[str]) -> list[Job]:
        flow, jobs = self._workflow, []
        for path, summary in zip(self.shards, summaries, strict=True):
            w = self._wildcards(model, path.stem)
            arguments = {
                "summary": summary,
                "features": flow.features(w),
                "windows": flow.train_windows(w),
            }
            jobs.append(Job("summarize_lags.summarize_lags", arguments))
        return jobs

    def _summaries(self, model: str, summaries: list[str], imports: tuple[str, ...]) -> list[Job]:
        flow, jobs = self._workflow, []
        for path, summary in zip(self.shards, summaries, strict=True):
            w = self._wildcards(model, path.stem)
            arguments = {
                "shard": str(path),
                "summary": summary,
                "model": flow.model(w),
                "train_ranges": flow.train_ranges(w),
                "block_rows": flow.block_rows(w),
                "dtype": flow.compute_dtype(w),
            }
            jobs.append(Job("summarize_features.summarize_features", arguments, imports))
        return jobs

    def project(self, model: str) -> list[list[Job]]:
        """Phases of projecting onto a fitted model."""
        flow, jobs = self._workflow, []
        score_dtype = flow.settings["score_dtype"]
        parts = self.projected_parts(model)
        for path, part in zip(self.shards, parts, strict=True):
            w = self._wildcards(model, path.stem)
            arguments = {
                "shard": str(path),
                "model_path": str(self.model_file(model)),
                "part": str(part),
                "train_ranges": flow.train_ranges(w),
                "first_row": flow.first_row(w),
                "n_windows": flow.n_windows(w),
                "block_rows": flow.projection_rows(w),
                "dtype": flow.projection_dtype(w),
                "score_dtype": score_dtype,
            }
            jobs.append(Job("project_features.project_features", arguments))
        w = self._wildcards(model)
        arguments = {
            "parts": [str(part) for part in parts],
            "model_path": str(self.model_file(model)),
            "projection": str(self.projection_file(model)),
            "windows": flow.recording_windows(w),
            "window_label": flow.window_label(w),
            "features": flow.features(w),
            "score_dtype": score_dtype,
            "provenance": flow.provenance(w),
        }
        return [jobs, [Job("write_projection.write_projection", arguments)]]

    def pipeline(self, folder: Path) -> list[str]:
        """Command that runs the whole workflow, with the solver it chooses, in a new folder."""
        (folder / "config").mkdir(parents=True)
        config = self.config | {"experiments": [experiment("auto")]}
        text = yaml.safe_dump(config, sort_keys=False)
        (folder / "config" / "config.yaml").write_text(text, encoding="utf-8")
        return snakemake("--snakefile", str(SNAKEFILE))
