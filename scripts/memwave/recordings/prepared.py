"""A recording as its features are computed of it: resampled, gaps filled, checked, scaled."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from memwave.features.extraction import check_rows, require_shape
from memwave.features.spec import FeatureSpec
from memwave.readers import ArraySource, load_libraries, open_array
from memwave.recordings.channels import Scaling
from memwave.recordings.gaps import filled, margin_rows
from memwave.recordings.resampling import Resampled, load_library

Rows = ArraySource | Resampled


def load_reading(pieces: Iterable[dict]) -> None:
    """Import what reading these recordings needs, before memory is limited; see `process.stage`."""
    pieces = list(pieces)
    load_libraries(piece["path"] for piece in pieces)
    if any("resample" in piece for piece in pieces):
        load_library()


@contextmanager
def open_recording(piece: dict, channels: Sequence[str]) -> Iterator[Rows]:
    """Open a recording at the rate of its dataset.

    Parameters
    ----------
    piece : dict
        Its name (``recording``), ``path``, ``dtype`` and planned number of ``rows``; where it is
        resampled, ``resample`` is by what, up and down.
    channels : sequence of str

    Raises
    ------
    MemwaveError
        If it is not as long and wide as planned.
    """

    def check(rows: np.ndarray, start: int) -> None:
        check_rows(rows, start, piece, channels)

    with open_array(piece["path"], piece["dtype"], channels) as source:
        ratio = piece.get("resample")
        recording = Resampled(source, tuple(ratio), check) if ratio else source
        require_shape(recording.shape, piece, len(channels))
        yield recording


class PreparedRecording:
    """Reads rows of a recording, prepared.

    Parameters
    ----------
    source : ArraySource or Resampled
        The recording at the rate of its dataset.
    piece : dict
        Names the ``recording`` and its ``path``; ``max_gap``, where gaps are filled, is the length
        of the longest.
    spec : FeatureSpec
    scaling : Scaling or None
        What is done to the channels.
    """

    def __init__(self, source: Rows, piece: dict, spec: FeatureSpec, scaling: Scaling | None):
        self._source, self._piece, self._spec, self._scaling = source, piece, spec, scaling
        self._margin = margin_rows(piece.get("max_gap"))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows ``start:stop``, the same numbers whatever stretch they are read in.

        Returns
        -------
        ndarray, shape (stop - start, n_channels)
            In the stored type, or float64 where something was done to them.

        Raises
        ------
        MemwaveError
            If the file cannot be read, or a value is not finite and was not filled.
        """
        low = max(0, start - self._margin)
        high = min(self._source.shape[0], stop + self._margin)
        rows = self._source.read(low, high)
        if self._margin:
            rows = filled(rows, self._piece["max_gap"])[start - low : stop - low]
        check_rows(rows, start, self._piece, self._spec.channels)
        return rows if self._scaling is None else self._scaling.apply(rows)


@contextmanager
def open_prepared(
    piece: dict, spec: FeatureSpec, scaling: Scaling | None = None
) -> Iterator[PreparedRecording]:
    """Open the recording of a piece of work; see `open_recording`."""
    with open_recording(piece, spec.channels) as source:
        yield PreparedRecording(source, piece, spec, scaling)
