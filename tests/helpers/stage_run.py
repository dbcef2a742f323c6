"""All stages of one model on the shards of a folder, with the requests that a plan would make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from memwave.core.ranges import Ranges, shard_range
from memwave.features.columns import RowSources
from memwave.features.spec import FeatureSpec
from memwave.pca.solvers import scales_itself, solver_module
from memwave.recordings.segments import LabelledRecording, PlannedRecording, Segment
from memwave.workflow.requests.features import Extraction, FeatureMeasurement
from memwave.workflow.requests.model import FeatureSummary, Fit, LagSummary
from memwave.workflow.requests.projection import Assembly, Projection


def call(stage: str, request: Any, **files: Any) -> None:
    """Call the function of a script in this process."""
    getattr(import_module(stage), stage)(request, **files)


def planned(path: Path, rows: int, name: str = "monday", **changes: Any) -> PlannedRecording:
    """A recording as planned."""
    return PlannedRecording(name, str(path), None, rows, **changes)


@dataclass
class StageRun:
    """All stages, each a method, of which some take the number of a shard.

    Files have the names below unless a stage is given others. What follows from the attributes is
    made anew for each stage, so that a test may change them.

    Attributes
    ----------
    folder : Path
    spec : FeatureSpec
    model : dict
        Complete options of the model.
    train : sequence of Ranges
        Rows of each shard that PCA is fitted on.
    n_windows : int
        Of all shards.
    segments : sequence of Segment
        Of the first shard, where features are extracted.
    recordings : sequence of LabelledRecording
        Where a projection is written.
    block_rows, dtype, score_dtype, provenance
        Of the requests.
    rates : sequence of float or None
        Rows a second of each recording.
    threads : int
        Of the fit.
    run : callable
        Runs a stage: its name, its request, its files by name.
    """

    folder: Path
    spec: FeatureSpec
    model: dict
    train: Sequence[Ranges]
    n_windows: int
    segments: Sequence[Segment] = ()
    recordings: Sequence[LabelledRecording] = ()
    block_rows: int = 50
    dtype: str = "float32"
    score_dtype: str = "float32"
    provenance: dict = field(default_factory=dict)
    rates: Sequence[float | None] = ()
    threads: int = 1
    run: Callable[..., Any] = call

    def path(self, name: str) -> Path:
        return self.folder / name

    def of_shards(self, name: str) -> list[Path]:
        """Files of all shards; the name has a place for the number."""
        return [self.path(name.format(i)) for i in range(len(self.train))]

    def extract(self, i: int = 0, **files: Any) -> Any:
        request = Extraction(self.spec, tuple(self.segments), self.block_rows)
        return self.run("extract_features", request, **{"shard": self.path(f"{i}.npy")} | files)

    def measure(self, i: int = 0) -> Any:
        return self.run(
            "measure_features",
            FeatureMeasurement(tuple(self.train[i]), self.block_rows),
            shard=self.path(f"{i}.npy"),
            measures=self.path(f"measures{i}.h5"),
        )

    def summarize(self, i: int = 0, **files: Any) -> Any:
        request = FeatureSummary(self.model, tuple(self.train[i]), self.block_rows, self.dtype)
        known = {
            "shard": self.path(f"{i}.npy"),
            "summary": self.path(f"summary{i}.h5"),
            "measures": self._measures(),
        }
        return self.run("summarize_features", request, **known | files)

    def summarize_lags(self, i: int = 0) -> Any:
        request = LagSummary(self.spec, tuple(self.segments))
        return self.run("summarize_lags", request, summary=self.path(f"summary{i}.h5"))

    def fit(self, **files: Any) -> Any:
        """Fit; without summaries, the fit reads the shards or the recordings itself."""
        solver = solver_module(self.model["solver"]).Solver
        is_summarized = solver.ONE_PASS and files.get("summaries") != []
        reads_signal = solver.FROM_SIGNAL and not is_summarized
        request = Fit(
            self.spec,
            self.model,
            tuple(map(tuple, self.train)),
            (tuple(self.segments),) * len(self.train) if reads_signal else (),
            self.block_rows,
            self.dtype,
            self.provenance,
        )
        reads_shards = not is_summarized and not reads_signal
        known = {
            "model": self.path("model.h5"),
            "summaries": self.of_shards("summary{}.h5") if is_summarized else [],
            "shards": self.of_shards("{}.npy") if reads_shards else [],
            "measures": self._measures(),
        }
        return self.run("fit_model", request, **known | files, threads=self.threads)

    def project(self, i: int = 0, **files: Any) -> Any:
        known = {
            "shard": self.path(f"{i}.npy"),
            "model": self.path("model.h5"),
            "partial": self.path(f"partial{i}.h5"),
        }
        return self.run("project_features", self._projection(i), **known | files)

    def project_recordings(self, i: int = 0, **files: Any) -> Any:
        known = {"model": self.path("model.h5"), "partial": self.path(f"partial{i}.h5")}
        unstored = replace(self, spec=replace(self.spec, store=False))
        return self.run("project_recordings", unstored._projection(i), **known | files)

    def write(self, *, projects: bool = False, **files: Any) -> Any:
        """Write the projection; `projects` says whether this job projects the only shard."""
        n_shards = len(self.train)
        ranges = [shard_range(self.n_windows, i, n_shards) for i in range(n_shards)]
        shards = self.of_shards("{}.npy")
        are_stored = all(path.exists() for path in shards)
        request = Assembly(
            self.spec,
            tuple(self.recordings),
            "last",
            self.score_dtype,
            self.provenance,
            inputs={},
            levels=(0.95, 0.99),
            limit_method="quantile",
            rates=tuple(self.rates or (None,) * len(self.recordings)),
            first_rows=tuple(start for start, _ in ranges),
            projections=(self._projection(0),) if projects else (),
            sources=RowSources(
                self.spec,
                tuple(stop - start for start, stop in ranges),
                recordings=() if are_stored else tuple(s.recording for s in self.segments),
            ),
        )
        known = {
            "partials": [] if projects else self.of_shards("partial{}.h5"),
            "model": self.path("model.h5"),
            "projection": self.path("projection.h5"),
            "provenance": self.path("provenance.json"),
            "limits": self.path("limits.tsv"),
            "alarms": self.path("alarms.tsv"),
            "contributions": self.path("contributions.h5"),
            "shards": shards if are_stored else [],
        }
        return self.run("write_projection", request, **known | files)

    def _measures(self) -> list[Path]:
        wanted = self.model["standardize"] and not scales_itself(self.model["solver"])
        return self.of_shards("measures{}.h5") if wanted else []

    def _projection(self, i: int) -> Projection:
        return Projection(
            self.spec,
            tuple(self.segments),
            tuple(self.train[i]),
            shard_range(self.n_windows, i, len(self.train))[0],
            self.n_windows,
            self.block_rows,
            self.dtype,
            self.score_dtype,
        )
