"""Features that are the columns of a matrix: what `FeatureSpec` is for windows of recordings."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.ranges import Ranges
from memwave.features.spec import FeatureSpec
from memwave.readers import reader_of
from memwave.readers.matrices.converted import ConvertedPart
from memwave.readers.matrices.files import open_file
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.row_range import RowRange
from memwave.readers.matrices.stack import Part
from memwave.recordings.segments import PlannedRecording, Segment, Windows

# The band of a column in a table of features.
BAND = "column"


@dataclass(frozen=True)
class MatrixSpec:
    """Columns of a matrix.

    Attributes
    ----------
    n_features : int
    dtype : str
        Type of the stored values.
    names : tuple of str, optional
        Of the columns.
    grain : int
        Rows that are stored together; see `memwave.storage.rows.Rows`.
    library_bytes : int
        Memory of the libraries that read the files.
    """

    n_features: int
    dtype: str
    names: tuple[str, ...] | None = None
    grain: int = 1
    library_bytes: int = 0

    # As of feature sets that are stored, and whose channels are not scaled: a row is a window.
    store = True
    scale = "none"
    window = 1
    step = 1
    windows = Windows(1, 1)

    # A matrix has no channels to scale.
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def n_channels(self) -> int:
        return self.n_features

    @property
    def row_bytes(self) -> int:
        """Bytes of a row, as it is stored."""
        return self.n_features * np.dtype(self.dtype).itemsize

    def reading_bytes(self, rows: int, columns: int | None = None) -> int:
        """Memory of reading that many rows, with the chunks that are stored between two reads.

        Of all columns, or of that many.
        """
        row = (columns or self.n_features) * np.dtype(self.dtype).itemsize
        chunks = 2 * self.grain * row if self.grain > 1 else 0
        return rows * row + chunks + self.library_bytes

    def feature_table(self) -> np.ndarray:
        """Description of each feature: shape (d,), fields channels, band, position.

        ``channels`` is the name of the column, ``position`` its number.
        """
        fields = [("channels", "O"), ("band", "O"), ("position", "i8")]
        table = np.empty(self.n_features, fields)
        table["channels"] = self.names or [f"column {i}" for i in range(self.n_features)]
        table["band"], table["position"] = BAND, np.arange(self.n_features)
        return table

    def describe(self, feature: int) -> str:
        """Say which column a feature is."""
        return f"column {feature}" + (f" ({self.names[feature]})" if self.names else "")


@dataclass(frozen=True)
class MatrixShard:
    """A shard that is no file of its own: a range of rows of the parts of a matrix.

    Attributes
    ----------
    spec : MatrixSpec
    segments : tuple of Segment
        Rows of each part, which follow one another.
    """

    spec: MatrixSpec
    segments: tuple[Segment, ...]

    @contextmanager
    def open(self, complete: Ranges | None = None) -> Iterator[RowRange]:
        """Open the files of the rows in place, read-only.

        Parameters
        ----------
        complete : sequence of (start, stop), optional
            Those of the rows that there are: the others have missing values.

        Raises
        ------
        MemwaveError
            If a part is not what was planned.
        """
        with ExitStack() as stack:
            parts: list[Part] = []
            for segment in self.segments:
                recording = segment.recording
                parts.append(part := _part(recording, self.spec.n_features))
                stack.callback(part.close)
                stored = part.dtype.newbyteorder("=").name
                if (part.shape[0], stored) != (recording.rows, self.spec.dtype):
                    raise MemwaveError(
                        f"{recording}: has {part.shape[0]} rows of {stored}, expected "
                        f"{recording.rows} of {self.spec.dtype} as planned. It has changed; start "
                        "the run again."
                    )
            first = self.segments[0].first
            count = sum(segment.count for segment in self.segments)
            yield RowRange(Matrix(parts), first, first + count, complete)


def _part(recording: PlannedRecording, columns: int) -> Part:
    if recording.converted:
        return ConvertedPart(recording.path, columns)
    is_raw = reader_of(recording.path).NEEDS_DTYPE
    return open_file(
        recording.path, recording.dtype if is_raw else None, columns, recording.options
    )


@dataclass(frozen=True)
class RowSources:
    """Where the features of all windows of a projection come from.

    Attributes
    ----------
    spec : FeatureSpec or MatrixSpec
    lengths : tuple of int
        Windows of each shard, as planned.
    matrix : tuple of MatrixShard
        The shards, if the features are columns of a matrix.
    recordings : tuple of PlannedRecording
        All recordings, if features are not stored.
    """

    spec: FeatureSpec | MatrixSpec
    lengths: tuple[int, ...]
    matrix: tuple[MatrixShard, ...] = ()
    recordings: tuple[PlannedRecording, ...] = ()
