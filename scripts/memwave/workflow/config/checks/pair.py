"""Checks of a feature set on a dataset together with its models: sizes, windows, memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from memwave.core.messages import either, listed, shown
from memwave.features.columns import MatrixSpec
from memwave.pca.solvers import concrete_solvers, feature_solvers
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.config.settings import complete_model
from memwave.workflow.planning.choice import Features
from memwave.workflow.planning.memory import matrix as matrix_memory
from memwave.workflow.planning.memory import recordings as recording_memory
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.figures import figures_mb


@dataclass(frozen=True)
class Pair:
    """A feature set on a dataset, and its models by name."""

    dataset: str
    features: str
    spec: Features
    models: dict[str, dict]
    settings: dict
    sizes: Sizes
    library_bytes: int
    n_train: int

    def size_findings(self) -> Iterator[str]:
        """Find models with more components than features."""
        features = self.spec.n_features
        yield from self._component_findings(features, f"{self.features} has {features} features")

    def solver_findings(self) -> Iterator[str]:
        """Find models whose solver reads no features, as a matrix has them."""
        for model, options in self._fitted().items():
            if options["solver"] not in feature_solvers():
                yield (
                    f"models.{model}.solver: {options['solver']} is not available for a matrix, "
                    f"and datasets.{self.dataset} is one. Expected {either(feature_solvers())}."
                )

    def store_findings(self) -> Iterator[str]:
        """Find models that need stored features if features are not stored."""
        for model, options in self._fitted().items():
            if not self.spec.store and options["solver"] in feature_solvers():
                yield (
                    f"features.{self.features}.store: false, but models.{model} (solver "
                    f"{options['solver']}) reads the features. Use solver lag-covariance or "
                    "lag-randomized, which do not, or store: true."
                )

    def window_findings(self, recordings: tuple[CheckedRecording, ...]) -> Iterator[str]:
        """Check that the recordings have enough windows for the shards and the components."""
        train = tuple(recording for recording in recordings if recording.split == "train")
        wanted = (("", recordings), (" train", train))
        for split, chosen in wanted if self._fitted() else wanted[:1]:
            if not any(map(self._windows, chosen)):
                yield self._no_window(split, chosen)
                return
        windows, shards = sum(map(self._windows, recordings)), self.sizes.shards
        if windows < shards:
            yield (
                f"shards: {shards} shards cannot share the {windows} windows of "
                f"{self.dataset}/{self.features}. Use at most {windows}."
            )
        fitted = sum(map(self._windows, train))
        yield from self._component_findings(
            fitted - 1,
            f"{self.dataset}/{self.features} has {fitted} train windows, and needs more windows "
            "than components",
        )

    def short_recordings(self, recordings: tuple[CheckedRecording, ...]) -> Iterator[str]:
        """Find recordings that are shorter than a window."""
        for recording in (r for r in recordings if not self._windows(r)):
            yield (
                f"{self.dataset}: the recording {shown(recording.name)} has {recording.rows} rows, "
                f"fewer than a window of features.{self.features} ({self.spec.window} rows). It "
                "adds no row to the results."
            )

    def memory_findings(self) -> Iterator[str]:
        """Find stages that need more than ``max_mem_mb``; name their models and a remedy."""
        limit = self.settings["max_mem_mb"]
        needs: dict[tuple[str, int], list[str]] = {}
        for model, options in self.models.items():
            for stage, need in self._predict(options).items():
                if need > limit:
                    needs.setdefault((stage, need), []).append(model)
        for (stage, need), models in needs.items():
            yield (
                f"max_mem_mb: stage {stage} of {self.dataset}/{self.features} with "
                f"{listed(models)} needs {need} MB, max_mem_mb is {limit}. "
                f"{self._memory_remedy(stage, need, models[0])}"
            )

    def figure_findings(self) -> Iterator[str]:
        """Find figures that need more than ``max_mem_mb``."""
        limit = self.settings["max_mem_mb"]
        for model, options in self.models.items():
            need = figures_mb(self.spec, options)
            if need > limit:
                yield (
                    f"max_mem_mb: plot_experiment of {self.dataset}/{self.features}/{model} needs "
                    f"{need} MB, max_mem_mb is {limit}. Raise max_mem_mb to {need} or set "
                    "plots: false."
                )

    def _fitted(self) -> dict[str, dict]:
        return {name: model for name, model in self.models.items() if "apply" not in model}

    def _windows(self, recording: CheckedRecording) -> int:
        return self.spec.windows.count(recording.rows)

    def _no_window(self, split: str, recordings: tuple[CheckedRecording, ...]) -> str:
        longest = max(recordings, key=lambda recording: recording.rows)
        return (
            f"features.{self.features}.window: no{split} recording of {self.dataset} is as long as "
            f"a window of {self.spec.window} rows; the longest, {shown(longest.name)}, has "
            f"{longest.rows}. Use a window of at most {longest.rows} rows."
        )

    def _component_findings(self, most: int, because: str) -> Iterator[str]:
        for model, options in self._fitted().items():
            wanted = options["n_components"]
            if wanted > most:
                remedy = f"Use at most {most}." if most else "Add recordings to split train."
                yield f"models.{model}.n_components: found {wanted}, but {because}. {remedy}"

    def _predict(self, model: dict, block_mb: int | None = None) -> dict[str, int]:
        sizes = replace(self.sizes, block_mb=block_mb or self.sizes.block_mb)
        if isinstance(self.spec, MatrixSpec):
            return matrix_memory.predict_stages(self.spec, model, sizes, self.n_train)
        return recording_memory.predict_stages(
            self.spec,
            model,
            sizes,
            library_bytes=self.library_bytes,
            window_label=self.settings["datasets"][self.dataset]["window_label"],
            n_train=self.n_train,
        )

    def _memory_remedy(self, stage: str, need: int, model: str) -> str:
        """Name the largest block that fits; if none fits, the least memory and other solvers."""
        limit, chosen = self.settings["max_mem_mb"], self.models[model]
        block = self.settings["block_mb"]
        while need > limit and block > 1:
            block //= 2
            need = self._predict(chosen, block)[stage]
        if need <= limit:
            return f"With block_mb: {block} it needs {need} MB."
        solvers = feature_solvers() if isinstance(self.spec, MatrixSpec) else concrete_solvers()
        most = {solver: self._most_with(solver, chosen) for solver in solvers}
        others = [f"solver {name} ({mb} MB)" for name, mb in most.items() if mb <= limit]
        remedies = either([f"raise max_mem_mb to {need}", *(f"use {other}" for other in others)])
        return f"The minimum, with block_mb: 1, is {need} MB: {remedies}."

    def _most_with(self, solver: str, model: dict) -> int:
        """Largest need of any stage with another solver and its defaults, blocks of 1 MB."""
        kept = ("n_components", "compute_dtype", "standardize")
        other = {"solver": solver} | {key: model[key] for key in kept}
        return max(self._predict(complete_model(other), 1).values())
