"""memwave's own stages, with the parameters that its workflow would give them."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from measure import Job, snakemake

sys.path.append(str(Path(__file__).parents[1] / "scripts"))

from memwave.pca.solvers import solver_module
from memwave.workflow import paths
from memwave.workflow.planning import inputs, resources
from memwave.workflow.planning.jobs import request as requests
from memwave.workflow.planning.jobs import results
from memwave.workflow.planning.plan import make_plan, shard_names

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

    ``incremental-<n>`` has batches of n rows, ``randomized-<n>`` reads the features n times, and
    ``<solver>-float64`` computes in double precision.
    """
    common = {"n_components": size.components}
    incremental = {"solver": "incremental", **common}
    randomized = {"solver": "randomized", "passes": 5, "tolerance": None, **common}
    return {
        "covariance": {"solver": "covariance", **common},
        "lag-covariance": {"solver": "lag-covariance", **common},
        "incremental": {**incremental, "batch_rows": size.batch_rows},
        **{f"incremental-{n}": {**incremental, "batch_rows": n} for n in size.other_batches},
        "covariance-float64": {"solver": "covariance", **common, "compute_dtype": "float64"},
        "randomized": randomized,
        "randomized-4": {**randomized, "passes": 4},
        "randomized-float64": {**randomized, "compute_dtype": "float64"},
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
        self._plan = make_plan(self.config)

    def _wildcards(self, model: str = "covariance", shard: str = "") -> SimpleNamespace:
        return SimpleNamespace(dataset=DATASET, features=FEATURES, model=model, shard=shard)

    @property
    def shards(self) -> list[Path]:
        """Files of the features."""
        return [self._file(paths.SHARD, w) for w in self._each_shard()]

    def model_settings(self, model: str) -> dict:
        """The complete entry of a model."""
        return inputs.model_of(self._plan, self._wildcards(model))

    def model_file(self, model: str, folder: Path | None = None) -> Path:
        return self._file(paths.MODEL, self._wildcards(model), folder)

    def projection_file(self, model: str) -> Path:
        return self._file(paths.PROJECTION, self._wildcards(model))

    def projected_parts(self, model: str) -> list[Path]:
        return [self._file(paths.FEATURE_PROJECTION, w) for w in self._each_shard(model)]

    def _each_shard(self, model: str = "covariance") -> list[SimpleNamespace]:
        return [self._wildcards(model, name) for name in shard_names(self._plan, DATASET, FEATURES)]

    def _file(self, pattern: str, w: SimpleNamespace, folder: Path | None = None) -> Path:
        return (folder or self.folder) / pattern.format(**vars(w))

    def _job(
        self, stage: str, w: SimpleNamespace, imports: tuple[str, ...] = (), **files: Any
    ) -> Job:
        """A job with the request that the workflow would make."""
        request = requests.request(self._plan, stage, w)
        if stage == "write_projection":
            # No inputs: the jobs of a benchmark write no receipts, which have their checksums.
            request = replace(results.assembly(self._plan, w, versions={}), readers=())
        return Job(f"{stage}.{stage}", files, imports, request=(request,))

    def extract(self) -> list[list[Job]]:
        """Phases of extracting all shards."""
        return [
            [
                self._job("extract_features", w, shard=str(self._file(paths.SHARD, w)))
                for w in self._each_shard()
            ]
        ]

    def fit(self, model: str) -> list[list[Job]]:
        """Phases of fitting a model: summaries of the shards and their merger, or passes."""
        w, solver = self._wildcards(model), solver_module(self.model_settings(model)["solver"])
        imports = (solver.__name__, *solver.LIBRARIES)
        merge = self._job(
            "fit_model",
            w,
            imports,
            model=str(self.model_file(model)),
            summaries=[str(self.folder / path) for path in inputs.summaries(self._plan, w)],
            shards=[str(self.folder / path) for path in inputs.fitted_shards(self._plan, w)],
            threads=resources.threads(self._plan, w),
        )
        if solver.Solver.FROM_SIGNAL:
            return [self._lags(model), [merge]]
        return [self._summaries(model, imports), [merge]] if solver.Solver.ONE_PASS else [[merge]]

    def _lags(self, model: str) -> list[Job]:
        return [
            self._job("summarize_lags", w, summary=str(self._file(paths.LAG_SUMMARY, w)))
            for w in self._each_shard(model)
        ]

    def _summaries(self, model: str, imports: tuple[str, ...]) -> list[Job]:
        return [
            self._job(
                "summarize_features",
                w,
                imports,
                shard=str(self._file(paths.SHARD, w)),
                summary=str(self._file(paths.FEATURE_SUMMARY, w)),
            )
            for w in self._each_shard(model)
        ]

    def project(self, model: str) -> list[list[Job]]:
        """Phases of projecting onto a fitted model."""
        model_file = str(self.model_file(model))
        shards = [
            self._job(
                "project_features",
                w,
                shard=str(self._file(paths.SHARD, w)),
                model=model_file,
                partial=str(self._file(paths.FEATURE_PROJECTION, w)),
            )
            for w in self._each_shard(model)
        ]
        w = self._wildcards(model)
        whole = self._job(
            "write_projection",
            w,
            partials=[str(path) for path in self.projected_parts(model)],
            model=model_file,
            projection=str(self.projection_file(model)),
            provenance=str(self._file(paths.PROVENANCE, w)),
            limits=str(self._file(paths.LIMITS, w)),
            alarms=str(self._file(paths.ALARMS, w)),
            contributions=str(self._file(paths.CONTRIBUTIONS, w)),
            shards=[str(self._file(paths.SHARD, each)) for each in self._each_shard(model)],
        )
        return [shards, [whole]]

    def pipeline(self, folder: Path) -> list[str]:
        """Command that runs the whole workflow, with the solver it chooses, in a new folder."""
        (folder / "config").mkdir(parents=True)
        config = self.config | {"experiments": [experiment("auto")]}
        text = yaml.safe_dump(config, sort_keys=False)
        (folder / "config" / "config.yaml").write_text(text, encoding="utf-8")
        return snakemake("--snakefile", str(SNAKEFILE))
