"""What the Snakefile asks: which files, parameters and resources a job of a rule has.

Everything is a method that takes a job's wildcards, so that the Snakefile stays a picture of the
data flow. Nothing here reads more than headers of files.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from importlib.metadata import version
from typing import Any

from memwave import __version__, memory, plan, runtime, settings
from memwave.channel_table import is_model
from memwave.channels import MEASURED_SCALES
from memwave.check import CheckedRecording, check
from memwave.errors import ConfigurationError
from memwave.gap_file import FEWEST_RUNS, MOST_RUNS
from memwave.inputs import planned_checksums, take_checksums
from memwave.modules import digests
from memwave.moments import moments_bytes
from memwave.plan import Piece
from memwave.precision import compute_dtype
from memwave.readers import file_of, files_of, library_bytes, reader_of
from memwave.solvers import solver_module
from memwave.wavelets import FeatureSpec

import numpy as np

Wildcards = Any

# Keys of a dataset that change nothing but figures: to change them fits no model again.
FOR_FIGURES = ("units", "label_names")


class Workflow:
    """A checked configuration.

    Parameters
    ----------
    config : dict
        As Snakemake read it.
    planning : bool
        Whether this is the process that plans the run, and not one that runs a job of it.
    submits : callable
        Tells whether jobs go to a cluster, each with a Snakemake of its own to start it. Asked
        when jobs are made, since Snakemake does not know before.

    Raises
    ------
    ConfigurationError
        Lists everything that is wrong with the configuration, the sheets and the recordings.
    """

    def __init__(
        self, config: dict, *, planning: bool = True, submits: Callable[[], bool] = lambda: False
    ):
        self._planning, self._submits = planning, submits
        self.settings = settings.complete(config)
        checked = check(self.settings)
        self._recordings, self._models = checked.recordings, checked.models
        self.warnings = checked.warnings
        self.experiments = settings.experiments(self.settings)
        self._n_shards: int = self.settings["shards"]

    @cached_property
    def shards(self) -> list[str]:
        """Names of the shards: ``1-of-4`` ..."""
        return [f"{i}-of-{self._n_shards}" for i in range(1, self._n_shards + 1)]

    def of_experiments(self, pattern: str) -> list[str]:
        """Fill a pattern with dataset, features and model of every experiment."""
        return [
            pattern.format(dataset=e.dataset, features=e.features, model=e.model)
            for e in self.experiments
        ]

    def plots(self, *patterns: str) -> list[str]:
        """Fill patterns of figures with every experiment's names, if those are wanted."""
        wanted = patterns if self.settings["plots"] is True else ()
        return [path for pattern in wanted for path in self.of_experiments(pattern)]

    def comparisons(self, *paths: str) -> list[str]:
        """Figures of all experiments together, if those are wanted."""
        return list(paths) if self.settings["plots"] else []

    def usage_files(self, pattern: str) -> list[str]:
        """Fill a pattern with the jobs, as dataset/features/stage/shard, of all experiments."""
        jobs = []
        for e in self.experiments:
            for number, r in enumerate(self._recordings[e.dataset], 1):
                if r.path != r.source:
                    jobs.append(f"{e.dataset}/usage/convert_recording/{number}")
                if r.converts_labels:
                    jobs.append(f"{e.dataset}/usage/convert_labels/{number}")
            if self.spec(e.dataset, e.features).scale in MEASURED_SCALES:
                jobs.append(f"{e.dataset}/usage/measure_channels")
            stages = ["find_gaps"] * bool(self.kept_files(e))
            stages += ["extract_features"] * self.spec(e.dataset, e.features).store
            for stage in stages:
                jobs += [f"{e.dataset}/{e.features}/usage/{stage}/{s}" for s in self.shards]
            if self.feature_measures(e):
                stage = f"{e.dataset}/{e.features}/usage/measure_features"
                jobs += [f"{stage}/{s}" for s in self.shards]
            model = f"{e.dataset}/{e.features}/{e.model}/usage"
            if summarizes := self._summarizes(e):
                jobs += [f"{model}/{summarizes}/{s}" for s in self.shards]
            jobs.append(f"{model}/{'adopt_model' if 'apply' in self.model(e) else 'fit_model'}")
            jobs += [f"{model}/{self._projects(e)}/{s}" for s in self.shards]
            jobs.append(f"{model}/write_projection")
        return [pattern.format(job=job) for job in dict.fromkeys(jobs)]

    def farewell(self) -> str:
        """Where the results are and how to open them, for the end of a run."""
        first = self.of_experiments("results/{dataset}/{features}/{model}")[0]
        count = len(self.experiments)
        python = os.path.relpath(sys.executable)
        python = "python" if python.startswith("..") else python
        lines = [
            "",
            f"Done: {count} experiment{'s' if count > 1 else ''}.",
            "  compared   results/summary.tsv; in a browser: results/summary.html",
        ]
        if self.settings["plots"]:
            lines.append(
                "  figures    results/plots/*.svg, and results/<dataset>/<features>/<model>/plots/"
            )
            lines.append("  all in one snakemake --report report.html")
        lines += [
            "  data       results/<dataset>/<features>/<model>/{model,projection}.h5, such as",
            f"  {python} -c 'import h5py; "
            f'f = h5py.File("{first}/projection.h5"); print(f["scores"])\'',
        ]
        return "\n".join(lines)

    def condolence(self) -> str:
        """What to do after a run in which a job failed."""
        done = self.of_experiments("results/{dataset}/{features}/{model}/projection.h5")
        finished = [path for path in done if os.path.exists(path)]
        return (
            f"\nNot done: a job failed; its message is above, and in logs/. {len(finished)} of "
            f"{len(done)} experiments have a projection. Mend the cause and run again: what is "
            "finished stays. A log that ends without a reason is that of a job that was killed: "
            "docs/hpc.md tells by what."
        )

    # Sizes

    @cache  # noqa: B019 - one workflow lives as long as the process
    def spec(self, dataset: str, features: str) -> FeatureSpec:
        channels = self.settings["datasets"][dataset]["channels"]
        return FeatureSpec.from_settings(self.settings["features"][features], channels)

    @cache  # noqa: B019
    def _windows(self, dataset: str, features: str) -> list[int]:
        spec = self.spec(dataset, features)
        return [
            plan.count_windows(r.rows, spec.window, spec.step) for r in self._recordings[dataset]
        ]

    @cache  # noqa: B019
    def _pieces(self, dataset: str, features: str, shard: int) -> tuple[Piece, ...]:
        return plan.pieces(self._windows(dataset, features), shard, self._n_shards)

    def memory_mb(self, stage: str, w: Wildcards) -> int:
        """MB that a job of a stage needs at most, with what starts it on a cluster."""
        return self._launcher_mb() + self._stage_mb(stage, w)

    def _launcher_mb(self) -> int:
        return memory.LAUNCHER_MB if self._submits() else 0

    def _stage_mb(self, stage: str, w: Wildcards) -> int:
        if stage == "convert_recording":
            return memory.conversion_mb(library_bytes([self._recording(w).source]))
        if stage == "convert_labels":
            return memory.labelling_mb(library_bytes([self.label_source(w)["path"]]))
        if stage in ("measure_channels", "find_gaps"):
            return memory.stage_mb(
                memory.measuring_bytes(len(self.channels(w))) + self._reading_bytes(w.dataset)
            )
        if stage.startswith("plot_"):
            spec = self.spec(w.dataset, w.features)
            return memory.predict_figures(spec, self.model(w))[stage]
        if stage == "measure_features":
            d = self.spec(w.dataset, w.features).n_features
            return memory.stage_mb(moments_bytes(d, self.measured_rows(w)))
        if stage == "extract_features":
            arrays = memory.extraction_bytes(
                self.spec(w.dataset, w.features), self.settings["block_mb"]
            )
            return memory.stage_mb(arrays + self._reading_bytes(w.dataset))
        return self._predicted(w.dataset, w.features, w.model)[stage]

    @cache  # noqa: B019
    def _predicted(self, dataset: str, features: str, model: str) -> dict[str, int]:
        return memory.predict(
            self.spec(dataset, features),
            self._models[dataset, features, model],
            block_mb=self.settings["block_mb"],
            shards=self._n_shards,
            threads=self.settings["threads"],
            library_bytes=self._reading_bytes(dataset),
            window_label=self.settings["datasets"][dataset]["window_label"],
        )

    def _reading_bytes(self, dataset: str) -> int:
        """What reading the recordings needs beside a stretch of rows."""
        paths = (recording.path for recording in self._recordings[dataset])
        return memory.reading_bytes(self.settings["datasets"][dataset], paths)

    def summary_mb(self) -> int:
        """MB that `write_summary` needs at most."""
        return self._launcher_mb() + max(
            self._predicted(e.dataset, e.features, e.model)["write_projection"]
            for e in self.experiments
        )

    def table_figure_mb(self) -> int:
        """MB that a figure of all experiments needs."""
        return self._launcher_mb() + memory.table_figure_mb(len(self.experiments))

    def minutes(self, stage: str, w: Wildcards, attempt: int) -> int:
        """Minutes to ask a cluster for; what took too long is given more in a further attempt."""
        spec, n_windows = self.spec(w.dataset, w.features), self.n_windows(w)
        if hasattr(w, "model"):
            seconds = runtime.predict(
                spec,
                self.model(w),
                n_windows,
                shards=self._n_shards,
                threads=self.settings["threads"],
                rates=runtime.CLUSTER,
            )
        else:
            seconds = runtime.of_features(spec, n_windows, self._n_shards, runtime.CLUSTER)
        return runtime.in_minutes(seconds["plot" if stage.startswith("plot_") else stage], attempt)

    def _row_bytes(self, dataset: str, features: str) -> int:
        """Bytes that a window takes on the disk."""
        spec = self.spec(dataset, features)
        return spec.n_features * np.dtype(spec.dtype).itemsize if spec.store else 0

    # Inputs

    def _recording(self, w: Wildcards) -> CheckedRecording:
        """The recording that is converted, or its labels."""
        return self._recordings[w.dataset][int(w.recording) - 1]

    def source_files(self, w: Wildcards) -> list[str]:
        """Files of a recording that is converted."""
        return files_of(self._recording(w).source)

    def label_source_files(self, w: Wildcards) -> list[str]:
        """Files of labels that are converted."""
        return files_of(self.label_source(w)["path"])

    def recording_files(self, w: Wildcards) -> list[str]:
        """Files of the recordings that a shard has windows of, as they were given."""
        return given_files(self._shard_recordings(w))

    def converted_files(self, w: Wildcards) -> list[str]:
        """Those that a shard has windows of and that are converted before they are read."""
        return converted_files(self._shard_recordings(w))

    def _shard_recordings(self, w: Wildcards) -> list[CheckedRecording]:
        pieces = self._pieces(w.dataset, w.features, shard_index(w.shard))
        return [self._recordings[w.dataset][piece.recording] for piece in pieces]

    def train_files(self, w: Wildcards) -> list[str]:
        """Files of the recordings that PCA is fitted on, as they were given."""
        return given_files(self._train_recordings(w))

    def converted_train_files(self, w: Wildcards) -> list[str]:
        return converted_files(self._train_recordings(w))

    def _train_recordings(self, w: Wildcards) -> list[CheckedRecording]:
        return [r for r in self._recordings[w.dataset] if r.split == "train"]

    def channel_tables(self, w: Wildcards) -> list[str]:
        """The measures of the channels, or the model, that a feature set scales by."""
        scale = self.spec(w.dataset, w.features).scale
        if is_model(scale):
            return [self._fitted_before(scale)]
        return [f"results/{w.dataset}/channels.tsv"] if scale in MEASURED_SCALES else []

    def feature_measures(self, w: Wildcards) -> list[str]:
        """Moments of the features of all shards, where a model standardizes by them."""
        folder = f"results/{w.dataset}/{w.features}/measures"
        wanted = self.model(w)["standardize"] and not self._solver(w).Solver.FROM_SIGNAL
        return [f"{folder}/{shard}.h5" for shard in self.shards] if wanted else []

    def kept_file(self, w: Wildcards) -> list[str]:
        """Which windows of a shard are whole, where others are left out."""
        return [f for f in self.kept_files(w) if f.endswith(f"/{w.shard}.h5")]

    def kept_files(self, w: Wildcards) -> list[str]:
        """Which windows of all shards are whole, where others are left out."""
        if self.settings["datasets"][w.dataset]["missing"] != "drop":
            return []
        return [f"results/{w.dataset}/{w.features}/gaps/{shard}.h5" for shard in self.shards]

    def label_files(self, w: Wildcards) -> list[str]:
        """Files of labels, as they were given."""
        recordings = self._recordings[w.dataset]
        return unique(file_of(r.labels) for r in recordings if r.labels and not r.converts_labels)

    def converted_label_files(self, w: Wildcards) -> list[str]:
        """Files that labels were converted to."""
        recordings = self._recordings[w.dataset]
        return unique(file_of(r.labels) for r in recordings if r.labels and r.converts_labels)

    @property
    def applied(self) -> str:
        """Pattern of the names of models that are applied."""
        return self._pattern(apply=True)

    @property
    def fitted(self) -> str:
        """Pattern of the names of models that are fitted."""
        return self._pattern(apply=False)

    def _pattern(self, *, apply: bool) -> str:
        models = self.settings["models"].items()
        return "|".join(name for name, model in models if ("apply" in model) == apply) or "(?!)"

    def applied_file(self, w: Wildcards) -> str:
        return self._fitted_before(self.model(w)["apply"])

    def _fitted_before(self, path: str) -> str:
        """A model's file; absolute, so that no rule makes it, unless this configuration fits it."""
        made = self.of_experiments("results/{dataset}/{features}/{model}/model.h5")
        return path if path in made else os.path.abspath(path)

    def fit_summaries(self, w: Wildcards) -> list[str]:
        """Summaries of the shards, for a solver that reads features, or the signal, once."""
        folders = {"summarize_features": "summaries", "summarize_lags": "lags", None: None}
        if not (folder := folders[self._summarizes(w)]):
            return []
        return [f"results/{w.dataset}/{w.features}/{w.model}/{folder}/{s}.h5" for s in self.shards]

    def fit_shards(self, w: Wildcards) -> list[str]:
        """The shards, for a solver that reads them several times."""
        if self._solver(w).Solver.ONE_PASS:
            return []
        return [f"results/{w.dataset}/{w.features}/features/{s}.npy" for s in self.shards]

    def fit_checksums(self, w: Wildcards) -> list[str]:
        return [f"{shard}.xxh3" for shard in self.fit_shards(w)]

    def summed_files(self, w: Wildcards) -> list[str]:
        """Files of the recordings that a shard has windows of that PCA is fitted on."""
        return given_files(self._summed_recordings(w))

    def converted_summed_files(self, w: Wildcards) -> list[str]:
        return converted_files(self._summed_recordings(w))

    def _summed_recordings(self, w: Wildcards) -> list[CheckedRecording]:
        return [r for r in self._shard_recordings(w) if r.split == "train"]

    def shard_checksums(self, w: Wildcards) -> list[str]:
        """Files of the checksums of all shards; none where features are not stored."""
        if not self.spec(w.dataset, w.features).store:
            return []
        folder = f"results/{w.dataset}/{w.features}/features"
        return [f"{folder}/{shard}.npy.xxh3" for shard in self.shards]

    def parts(self, w: Wildcards) -> list[str]:
        """Scores of all shards: from their features, or from the recordings."""
        folder = {"project_features": "parts", "project_recordings": "scores"}[self._projects(w)]
        return [f"results/{w.dataset}/{w.features}/{w.model}/{folder}/{s}.h5" for s in self.shards]

    # Parameters

    @cached_property
    def _checksums(self) -> dict[str, str]:
        """Of everything that is read, by path."""
        recordings = [r for dataset in self._recordings.values() for r in dataset]
        take = take_checksums if self._planning else planned_checksums
        return take(unique(p for r in recordings for p in (r.source, r.label_source) if p))

    def source_checksums(self, w: Wildcards) -> dict[str, str]:
        """By path: checksum of the recording that is converted."""
        return self._checksums_of([self._recording(w).source])

    def train_checksums(self, w: Wildcards) -> dict[str, str]:
        """Of the recordings in `train_files`."""
        return self._checksums_of(r.path for r in self._train_recordings(w))

    def recording_checksums(self, w: Wildcards) -> dict[str, str]:
        """Of the recordings in `recording_files`."""
        return self._checksums_of(r.path for r in self._shard_recordings(w))

    def summed_checksums(self, w: Wildcards) -> dict[str, str]:
        """Of the recordings in `summed_files`."""
        return self._checksums_of(r.path for r in self._summed_recordings(w))

    def input_checksums(self, w: Wildcards) -> dict[str, str]:
        """Of everything that a dataset consists of."""
        recordings = self._recordings[w.dataset]
        labels = [r.label_source for r in recordings if r.label_source]
        return self._checksums_of([*(r.source for r in recordings), *labels])

    def label_source_checksums(self, w: Wildcards) -> dict[str, str]:
        """By path: checksum of the labels that are converted."""
        return self._checksums_of([self.label_source(w)["path"]])

    def label_checksums(self, w: Wildcards) -> dict[str, str]:
        """Of the labels in `label_files`."""
        return self._checksums_of(r.labels for r in self._recordings[w.dataset] if r.labels)

    def _checksums_of(self, paths: Iterable[str]) -> dict[str, str]:
        """Of the paths that were given; those of converted recordings are not among them."""
        return {path: self._checksums[path] for path in paths if path in self._checksums}

    def summary_rows(self) -> list[dict]:
        """The experiments, for `write_summary`."""
        return [
            {
                "dataset": e.dataset,
                "features": e.features,
                "model": e.model,
                "row_bytes": self._row_bytes(e.dataset, e.features),
                "model_file": f"results/{e.dataset}/{e.features}/{e.model}/model.h5",
                "projection_file": f"results/{e.dataset}/{e.features}/{e.model}/projection.h5",
            }
            for e in self.experiments
        ]

    def features(self, w: Wildcards) -> dict:
        """Everything that defines the features, for `FeatureSpec`."""
        spec = self.spec(w.dataset, w.features)
        chosen = self.settings["features"][w.features]
        return {**chosen, "level": spec.level, "channels": list(spec.channels)}

    def source(self, w: Wildcards) -> dict:
        """What is converted, for `convert_recording`."""
        recording = self._recording(w)
        return {
            "recording": recording.name,
            "path": recording.source,
            "channels": self.settings["datasets"][w.dataset]["channels"],
            "rows": recording.rows,
        }

    def label_source(self, w: Wildcards) -> dict:
        """Which labels are converted, for `convert_labels`."""
        recording = self._recording(w)
        return {
            "recording": recording.name,
            "path": recording.label_source,
            "rows": recording.rows,
            "sampling_rate": recording.sampling_rate,
        }

    def window_label(self, w: Wildcards) -> str:
        return self.settings["datasets"][w.dataset]["window_label"]

    def dataset(self, w: Wildcards) -> dict:
        """What figures say about a dataset: sampling rate, units, names of labels."""
        chosen = self.settings["datasets"][w.dataset]
        return {key: chosen[key] for key in ("sampling_rate", *FOR_FIGURES)}

    def shard_windows(self, w: Wildcards) -> list[dict]:
        """Which windows of which recordings a shard holds, for `extract_features`."""
        pieces = self._pieces(w.dataset, w.features, shard_index(w.shard))
        return [self._piece_of(w, piece) for piece in pieces]

    def train_recordings(self, w: Wildcards) -> list[dict]:
        """The recordings that PCA is fitted on, for `measure_channels`."""
        return [
            {
                "recording": r.name,
                "path": r.path,
                "dtype": r.dtype,
                "rows": r.rows,
                **self._gap_rule(w.dataset),
            }
            for r in self._train_recordings(w)
        ]

    def _gap_rule(self, dataset: str) -> dict:
        """What to do about missing values, if anything."""
        chosen = self.settings["datasets"][dataset]
        if chosen["missing"] == "error":
            return {}
        return {"missing": chosen["missing"], "max_gap": chosen["max_gap"]}

    def most_runs(self, w: Wildcards) -> int:
        """Runs that missing values may cut the windows of a shard into."""
        return max(FEWEST_RUNS, MOST_RUNS // self._n_shards)

    def channels(self, w: Wildcards) -> list[str]:
        return self.settings["datasets"][w.dataset]["channels"]

    def measuring_rows(self, w: Wildcards) -> int:
        """Rows of recordings measured at once."""
        return memory.measuring_rows(len(self.channels(w)))

    def train_windows(self, w: Wildcards) -> list[dict]:
        """Those of the windows of a shard that PCA is fitted on, for `summarize_lags`."""
        recordings = self._recordings[w.dataset]
        pieces = self._pieces(w.dataset, w.features, shard_index(w.shard))
        return [
            self._piece_of(w, piece)
            for piece in pieces
            if recordings[piece.recording].split == "train"
        ]

    def _piece_of(self, w: Wildcards, piece: Piece) -> dict:
        recording = self._recordings[w.dataset][piece.recording]
        return {
            "recording": recording.name,
            "path": recording.path,
            "dtype": recording.dtype,
            "rows": recording.rows,
            "first": piece.first,
            "count": piece.count,
            "row": piece.row,
            **self._gap_rule(w.dataset),
        }

    def recording_windows(self, w: Wildcards) -> list[dict]:
        """Windows, labels and split of every recording, for `write_projection`."""
        recordings: tuple[CheckedRecording, ...] = self._recordings[w.dataset]
        counts = self._windows(w.dataset, w.features)
        return [
            {
                "recording": r.name,
                "labels": r.labels,
                "recording_label": r.recording_label,
                "texts": r.converts_labels,
                "split": "test" if "apply" in self.model(w) else r.split,
                "count": count,
            }
            for r, count in zip(recordings, counts, strict=True)
        ]

    def train_ranges(self, w: Wildcards) -> list[tuple[int, int]]:
        """Rows of one shard that PCA is fitted on."""
        return self._train_ranges(w.dataset, w.features, shard_index(w.shard))

    def fitted_ranges(self, w: Wildcards) -> list[tuple[int, int]]:
        """Rows of one shard that a model was fitted on: none if it is applied."""
        return [] if "apply" in self.model(w) else self.train_ranges(w)

    def first_row(self, w: Wildcards) -> int:
        """Row of the feature matrix that a shard begins with."""
        return plan.shard_range(self.n_windows(w), shard_index(w.shard), self._n_shards)[0]

    def n_windows(self, w: Wildcards) -> int:
        """Rows of the feature matrix."""
        return sum(self._windows(w.dataset, w.features))

    def all_train_ranges(self, w: Wildcards) -> list[list[tuple[int, int]]]:
        """Rows of every shard that PCA is fitted on."""
        return [self._train_ranges(w.dataset, w.features, i) for i in range(self._n_shards)]

    def _train_ranges(self, dataset: str, features: str, shard: int) -> list[tuple[int, int]]:
        recordings = self._recordings[dataset]
        ranges: list[tuple[int, int]] = []
        for piece in self._pieces(dataset, features, shard):
            if recordings[piece.recording].split == "train":
                start, stop = piece.row, piece.row + piece.count
                if ranges and ranges[-1][1] == start:
                    start = ranges.pop()[0]
                ranges.append((start, stop))
        return ranges

    def model(self, w: Wildcards) -> dict:
        return self._models[w.dataset, w.features, w.model]

    def compute_dtype(self, w: Wildcards) -> str:
        stored = self.settings["features"][w.features]["dtype"]
        return compute_dtype(self.model(w)["compute_dtype"], stored)

    def extraction_rows(self, w: Wildcards) -> int:
        """Windows extracted at once."""
        spec = self.spec(w.dataset, w.features)
        return memory.extraction_rows(spec, self.settings["block_mb"])

    def measured_rows(self, w: Wildcards) -> int:
        """Feature rows measured at once."""
        spec = self.spec(w.dataset, w.features)
        return memory.measured_rows(spec.n_features, self.settings["block_mb"])

    def block_rows(self, w: Wildcards) -> int:
        """Feature rows loaded at once."""
        spec = self.spec(w.dataset, w.features)
        block_mb = self.settings["block_mb"]
        return plan.rows_per_block(block_mb, spec.n_features, self.compute_dtype(w))

    def projection_rows(self, w: Wildcards) -> int:
        """Feature rows projected at once."""
        spec = self.spec(w.dataset, w.features)
        block_mb = self.settings["block_mb"]
        return memory.projection_rows(spec.n_features, block_mb, self.compute_dtype(w))

    def threads(self, w: Wildcards) -> int:
        """Threads of a fit: more than one where it reads the shards itself."""
        return (
            1 if self._solver(w).Solver.ONE_PASS else min(self.settings["threads"], self._n_shards)
        )

    def provenance(self, w: Wildcards) -> dict:
        """What made a result: its part of the configuration, and versions."""
        packages = ("numpy", "scipy", "PyWavelets", "h5py")
        chosen = self.settings["datasets"][w.dataset]
        known = {key: value for key, value in chosen.items() if key not in FOR_FIGURES}
        return {
            "configuration": {
                "datasets": {w.dataset: known},
                "features": {w.features: self.settings["features"][w.features]},
                "models": {w.model: self.model(w)},
                "shards": self._n_shards,
                "block_mb": self.settings["block_mb"],
            },
            "versions": {
                "memwave": __version__,
                "python": platform.python_version(),
                **{package: version(package) for package in packages},
            },
        }

    def code(self, script: str, w: Wildcards = None) -> dict[str, str]:
        """Digests of the modules that a job runs."""
        modules = []
        if script == "convert_recording":
            modules.append(reader_of(self._recording(w).source).__name__)
        if script == "convert_labels":
            modules.append(reader_of(self.label_source(w)["path"]).__name__)
        if script in ("find_gaps", "extract_features", "project_recordings"):
            modules += self._readers(self.shard_windows(w))
        if script == "summarize_lags":
            modules += self._readers(self.train_windows(w))
        if script == "measure_channels":
            modules += self._readers(self.train_recordings(w))
        if script == "write_projection":
            modules += [
                reader_of(file).__name__
                for file in (*self.label_files(w), *self.converted_label_files(w))
            ]
        if script in ("summarize_features", "fit_model"):
            modules.append(self._solver(w).__name__)
        return digests(script, *modules)

    @staticmethod
    def _readers(recordings: list[dict]) -> list[str]:
        return unique(reader_of(recording["path"]).__name__ for recording in recordings)

    def _summarizes(self, w: Wildcards) -> str | None:
        """The rule that summarises shards for a model; None where no shard is summarised."""
        if "apply" in self.model(w):
            return None
        solver = self._solver(w).Solver
        if solver.FROM_SIGNAL:
            return "summarize_lags"
        return "summarize_features" if solver.ONE_PASS else None

    def _projects(self, w: Wildcards) -> str:
        """The rule that projects shards."""
        stored = self.spec(w.dataset, w.features).store
        return "project_features" if stored else "project_recordings"

    def _solver(self, w: Wildcards) -> Any:
        return solver_module(self.model(w)["solver"])


def open_workflow(config: dict, *, planning: bool, submits: Callable[[], bool]) -> Workflow:
    """Check a configuration; if it cannot be run, say why and end the process; see `Workflow`.

    Warnings go to standard error.
    """
    try:
        workflow = Workflow(config, planning=planning, submits=submits)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for warning in workflow.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    return workflow


def shard_index(name: str) -> int:
    """0 for ``1-of-4``."""
    return int(name.split("-")[0]) - 1


def unique(items) -> list[str]:
    return list(dict.fromkeys(items))


def given_files(recordings: Iterable[CheckedRecording]) -> list[str]:
    """Files of recordings that are read as they were given."""
    return unique(file for r in recordings if r.path == r.source for file in files_of(r.path))


def converted_files(recordings: Iterable[CheckedRecording]) -> list[str]:
    """Files that recordings were converted to."""
    return unique(r.path for r in recordings if r.path != r.source)
