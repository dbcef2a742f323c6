"""EDF and BDF, EDF+ and BDF+ (electroencephalograms): physical values of named channels."""

from collections.abc import Sequence

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, printable, shown
from memwave.readers.base import ArraySource
from memwave.readers.libraries import library

NEEDS_DTYPE = False
LIBRARIES = ("pyedflib",)
LIBRARY_MB = 10


class Source(ArraySource):
    """Signals of one sampling rate in an EDF or BDF file, as float64 in their physical unit."""

    def __init__(self, path: str, dtype: str | None, channels: Sequence[str] | None):
        super().__init__(path)
        if self.file != path:
            raise self.error("an EDF file holds one recording, expected no '::' after it")
        edf = library("pyedflib", path)
        try:
            self._reader = edf.EdfReader(self.file, edf.DO_NOT_READ_ANNOTATIONS)
        except (OSError, ValueError) as error:
            raise self.error(
                f"cannot be read as EDF or BDF ({printable(error)}). EDF+D, with gaps between its "
                "records, has to be cut into recordings; a damaged file to be copied again"
            ) from error
        try:
            labels = [label.strip() for label in self._reader.getSignalLabels()]
            self._columns = self._choose(labels, channels)
            units = {labels[i]: self._reader.getPhysicalDimension(i) for i in self._columns}
            self.units = {name: unit.strip() for name, unit in units.items() if unit.strip()}
            self._describe((self._rows(labels), len(self._columns)), np.dtype("f8"))
        except MemwaveError:
            self.close()
            raise

    def _rows(self, labels: list[str]) -> int:
        """Rows of the chosen signals, which must have one sampling rate."""
        rates = {column: self._reader.getSampleFrequency(column) for column in self._columns}
        if len(set(rates.values())) > 1:
            found = listed(f"{shown(labels[column])} {rate:g} Hz" for column, rate in rates.items())
            raise self.error(
                f"has channels of different sampling rates: {found}. Choose channels of one rate"
            )
        if not rates:
            raise self.error("has no signal, only annotations. Expected a recording")
        self.sampling_rate = float(rates[self._columns[0]])
        return int(self._reader.getNSamples()[self._columns[0]])

    def _read(self, start: int, stop: int) -> np.ndarray:
        piece = np.empty((stop - start, len(self._columns)))
        for i, column in enumerate(self._columns):
            piece[:, i] = self._reader.readSignal(column, start, stop - start)
        return piece

    def close(self) -> None:
        self._reader.close()
