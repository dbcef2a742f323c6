"""Files that a job reads."""

import os
from collections.abc import Iterable

from memwave.readers import file_of, files_of
from memwave.recordings.channel_table import is_model
from memwave.recordings.channels import MEASURED_SCALES
from memwave.workflow.config.checks.check import CheckedRecording
from memwave.workflow.configured import Wildcards, shard_index, unique
from memwave.workflow.resources import Resources


class Inputs(Resources):
    """Input files of the rules, from the wildcards of a job."""

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


def given_files(recordings: Iterable[CheckedRecording]) -> list[str]:
    """Files of recordings that are read as they were given."""
    return unique(file for r in recordings if r.path == r.source for file in files_of(r.path))


def converted_files(recordings: Iterable[CheckedRecording]) -> list[str]:
    """Files that recordings were converted to."""
    return unique(r.path for r in recordings if r.path != r.source)
