"""Memory, rows at once and threads of a job: its resources, from the configuration alone."""

from functools import cache

import numpy as np

from memwave.core import ranges
from memwave.core.moments import moments_bytes
from memwave.readers import library_bytes
from memwave.recordings.gap_file import FEWEST_RUNS, MOST_RUNS
from memwave.workflow.configured import Configured, Wildcards
from memwave.workflow.planning import memory, runtime


class Resources(Configured):
    """What jobs need."""

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
        recordings = self._recordings[dataset]
        return memory.reading_bytes(
            self.settings["datasets"][dataset],
            [recording.path for recording in recordings],
            [recording.resample for recording in recordings],
        )

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

    def most_runs(self, w: Wildcards) -> int:
        """Runs that missing values may cut the windows of a shard into."""
        return max(FEWEST_RUNS, MOST_RUNS // self._n_shards)

    def measuring_rows(self, w: Wildcards) -> int:
        """Rows of recordings measured at once."""
        return memory.measuring_rows(len(self.channels(w)))

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
        return ranges.rows_per_block(block_mb, spec.n_features, self.compute_dtype(w))

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
