"""Complete options of the models of a feature set, also of those that are applied."""

import os

from memwave.core.ranges import BY_RECORDING, are_together, count_shards, recording_ranges
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.recordings.channels import is_model
from memwave.workflow import paths
from memwave.workflow.config.checks.applied import (
    applied_findings,
    applied_matrix_findings,
    applied_options,
    as_applied,
    planned_findings,
    planned_matrix_findings,
    scale_findings,
)
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.config.checks.features import feature_findings
from memwave.workflow.config.settings import Experiment, experiments, is_matrix
from memwave.workflow.planning.choice import Features, resolve
from memwave.workflow.planning.memory import matrix as matrix_memory
from memwave.workflow.planning.memory import recordings as recording_memory
from memwave.workflow.planning.memory.blocks import Sizes


class Models:
    """Options of the models of a configuration, complete.

    The options of a model that is applied are those of its file, unless this configuration fits
    it: then they are those of the fit, since the file may be that of an earlier configuration.

    Parameters
    ----------
    settings : dict
        The complete configuration.
    recordings : dict of str to tuple of CheckedRecording
        By dataset.
    matrices : dict of str to MatrixSpec
        Columns of the datasets that are matrices.
    """

    def __init__(
        self,
        settings: dict,
        recordings: dict[str, tuple[CheckedRecording, ...]],
        matrices: dict[str, MatrixSpec],
    ):
        self._settings, self._recordings, self._matrices = settings, recordings, matrices
        self._made = {
            paths.MODEL.format(dataset=e.dataset, features=e.features, model=e.model): e
            for e in experiments(settings)
        }

    def spec(self, dataset: str, features: str) -> tuple[Features | None, list[str]]:
        """The features of a dataset, or what forbids them."""
        if is_matrix(self._settings["datasets"][dataset]):
            return self._matrices.get(dataset), []
        chosen = self._settings["features"][features]
        channels = self._settings["datasets"][dataset]["channels"]
        if unfit := list(feature_findings(features, chosen, channels)):
            return None, unfit
        spec = FeatureSpec.from_settings(chosen, channels)
        unfit = list(scale_findings(features, spec, self._made))
        return None if unfit else spec, unfit

    def resolved(
        self, dataset: str, features: str, names: list[str], spec: Features
    ) -> tuple[dict[str, dict], list[str]]:
        """Return options by the names of models, and findings on those that cannot be applied."""
        options, findings = {}, []
        for name in names:
            path = self._settings["models"][name].get("apply")
            if path is None:
                options[name] = self._resolve(dataset, name, spec)
                continue
            found, applied = self._applied(name, path, features, spec)
            findings += found
            if applied and not found:
                options[name] = applied | {"apply": path}
        return options, findings

    def _applied(
        self, name: str, path: str, features: str, spec: Features
    ) -> tuple[list[str], dict]:
        """Findings on a model that is applied to features, and its options."""
        file, maker = self._origin(path)
        if maker is None:
            if isinstance(spec, MatrixSpec):
                found = list(applied_matrix_findings(name, file, spec))
            else:
                found = list(applied_findings(name, file, features, spec))
            return found, {} if found else applied_options(file)
        fitted, _ = self.spec(maker.dataset, maker.features)
        if fitted is None or maker.dataset not in self._recordings:
            return [], {}  # reported where the model is fitted
        if isinstance(spec, MatrixSpec):
            found = list(planned_matrix_findings(name, path, fitted, spec))
        else:
            same = isinstance(fitted, FeatureSpec) and self._same_scaling(
                file, fitted.scale, spec.scale
            )
            found = list(planned_findings(name, path, fitted, features, spec, same_scaling=same))
        return found, as_applied(self._resolve(maker.dataset, maker.model, fitted))

    def _origin(self, path: str) -> tuple[str, Experiment | None]:
        """The file of a model that is applied, and which experiment fits it, if one does."""
        seen: set[str] = set()
        while maker := self._made.get(ours := os.path.relpath(path)):
            applied = self._settings["models"][maker.model].get("apply")
            if applied is None:
                return path, maker
            if ours in seen:  # each of them waits for the other, which Snakemake reports
                break
            seen.add(ours)
            path = applied
        return path, None

    def _same_scaling(self, file: str, fitted: str, scale: str) -> bool:
        """Whether features are scaled as those that a model is fitted to, in the same run."""
        if "none" in (fitted, scale):
            return fitted == scale
        known = {os.path.relpath(self._origin(path)[0]) for path in (file, fitted)}
        return is_model(scale) and os.path.relpath(self._origin(scale)[0]) in known

    def n_train(self, dataset: str, spec: Features) -> int:
        """Train windows of a dataset."""
        train = (r for r in self._recordings.get(dataset, ()) if r.split == "train")
        return sum(spec.windows.count(recording.rows) for recording in train)

    def sizes(self, dataset: str, spec: Features) -> Sizes:
        """Sizes of blocks, shards and threads on a feature matrix."""
        settings, known = self._settings, self._recordings.get(dataset, ())
        counts = [spec.windows.count(recording.rows) for recording in known]
        if settings["shards"] == BY_RECORDING:
            shards = sum(map(len, recording_ranges(counts, spec.row_bytes, spec.grain)))
        else:
            shards = count_shards(settings["shards"], sum(counts), spec.row_bytes)
        together = are_together(settings["shards"], shards, sum(counts) * spec.row_bytes)
        return Sizes(settings["block_mb"], shards, settings["threads"], together)

    def _resolve(self, dataset: str, model: str, spec: Features) -> dict:
        """Options of a model's solver, chosen if it says ``auto``."""
        of_kind = matrix_memory if isinstance(spec, MatrixSpec) else recording_memory
        n_train, limit = self.n_train(dataset, spec), self._settings["max_mem_mb"]
        most = min(spec.n_features, n_train - 1)
        entry, wanted = _with_most_components(self._settings["models"][model], most)
        wanted["rotation"] = entry["rotation"]
        sizes = self.sizes(dataset, spec)
        return resolve(entry, spec, n_train, sizes, limit, predict=of_kind.predict_stages) | wanted


def _with_most_components(model: dict, most: int) -> tuple[dict, dict]:
    """Plan a model with as many components as there may be, of which the fit keeps some.

    Parameters
    ----------
    model : dict
        Complete entry of ``models`` in the configuration.
    most : int
        Components that the windows allow.

    Returns
    -------
    model : dict
        With a number as ``n_components``.
    wanted : dict
        ``select``, which says how many are kept, unless a number is given; see
        `memwave.pca.diagnostics.selection.select`.
    """
    given = model["n_components"]
    if isinstance(given, int):
        return model, {}
    wanted = {"criterion": model["criterion"]} if given == "auto" else {"fraction": given}
    k = max(1, min(model["max_components"], most))
    return {**model, "n_components": k}, {"select": wanted}
