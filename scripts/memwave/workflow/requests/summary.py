"""The request of the job that compares all experiments."""

from dataclasses import dataclass

from memwave.workflow import paths


@dataclass(frozen=True)
class SummarizedExperiment:
    """One row of the summary: names, and bytes that a window takes on the disk."""

    dataset: str
    features: str
    model: str
    row_bytes: int

    @property
    def model_file(self) -> str:
        return self._path(paths.MODEL)

    @property
    def projection_file(self) -> str:
        return self._path(paths.PROJECTION)

    @property
    def folders(self) -> tuple[str, ...]:
        """Where its results are: of its dataset, its feature set, its model."""
        return tuple(map(self._path, (paths.DATASET, paths.FEATURE_SET, paths.EXPERIMENT)))

    def _path(self, pattern: str) -> str:
        return pattern.format(dataset=self.dataset, features=self.features, model=self.model)
