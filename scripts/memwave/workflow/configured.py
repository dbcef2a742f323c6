"""A checked configuration, and what follows from it without looking at a file."""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from memwave.core import ranges
from memwave.core.precision import compute_dtype
from memwave.core.ranges import Piece
from memwave.features.spec import FeatureSpec
from memwave.pca.solvers import solver_module
from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import CheckedRecording, check

Wildcards = Any


class Configured:
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

    @cache  # noqa: B019 - one workflow lives as long as the process
    def spec(self, dataset: str, features: str) -> FeatureSpec:
        channels = self.settings["datasets"][dataset]["channels"]
        return FeatureSpec.from_settings(self.settings["features"][features], channels)

    @cache  # noqa: B019
    def _windows(self, dataset: str, features: str) -> list[int]:
        spec = self.spec(dataset, features)
        return [
            ranges.count_windows(r.rows, spec.window, spec.step) for r in self._recordings[dataset]
        ]

    @cache  # noqa: B019
    def _pieces(self, dataset: str, features: str, shard: int) -> tuple[Piece, ...]:
        return ranges.pieces(self._windows(dataset, features), shard, self._n_shards)

    def _recording(self, w: Wildcards) -> CheckedRecording:
        """The recording that is converted, or its labels."""
        return self._recordings[w.dataset][int(w.recording) - 1]

    def label_source(self, w: Wildcards) -> dict:
        """Which labels are converted, for `convert_labels`."""
        recording = self._recording(w)
        return {
            "recording": recording.name,
            "path": recording.label_source,
            "rows": recording.source_rows,
            "sampling_rate": recording.sampling_rate,
        }

    def channels(self, w: Wildcards) -> list[str]:
        return self.settings["datasets"][w.dataset]["channels"]

    def first_row(self, w: Wildcards) -> int:
        """Row of the feature matrix that a shard begins with."""
        return ranges.shard_range(self.n_windows(w), shard_index(w.shard), self._n_shards)[0]

    def n_windows(self, w: Wildcards) -> int:
        """Rows of the feature matrix."""
        return sum(self._windows(w.dataset, w.features))

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

    def _solver(self, w: Wildcards) -> Any:
        return solver_module(self.model(w)["solver"])


def shard_index(name: str) -> int:
    """0 for ``1-of-4``."""
    return int(name.split("-")[0]) - 1


def unique(items) -> list[str]:
    return list(dict.fromkeys(items))
