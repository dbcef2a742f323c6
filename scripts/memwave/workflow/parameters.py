"""Parameters of a job."""

import platform
from importlib.metadata import version

from memwave import __version__
from memwave.core.ranges import Piece
from memwave.readers import reader_of
from memwave.workflow.checksums import Checksums
from memwave.workflow.code_digests import digests
from memwave.workflow.config.checks.check import CheckedRecording
from memwave.workflow.configured import Wildcards, shard_index, unique

# Keys of a dataset that change nothing but figures: to change them fits no model again.
FOR_FIGURES = ("units", "label_names")


class Parameters(Checksums):
    """Parameters of the rules, from the wildcards of a job."""

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
            "rows": recording.source_rows,
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
                **_resampling(r),
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
            **_resampling(recording),
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
                **_resampling(r),
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

    def all_train_ranges(self, w: Wildcards) -> list[list[tuple[int, int]]]:
        """Rows of every shard that PCA is fitted on."""
        return [self._train_ranges(w.dataset, w.features, i) for i in range(self._n_shards)]

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


def _resampling(recording: CheckedRecording) -> dict:
    """By what a recording is resampled, if it is."""
    return {"resample": list(recording.resample)} if recording.resample else {}
