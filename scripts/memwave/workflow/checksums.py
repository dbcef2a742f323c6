"""Checksums of the recordings and labels that a job reads."""

from collections.abc import Iterable
from functools import cached_property

from memwave.workflow.configured import Wildcards, unique
from memwave.workflow.input_checksums import planned_checksums, take_checksums
from memwave.workflow.inputs import Inputs


class Checksums(Inputs):
    """Checksums that jobs compare their inputs with."""

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
