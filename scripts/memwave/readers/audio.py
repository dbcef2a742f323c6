"""Sound files, WAV and FLAC: samples in the type that they are stored in."""

from collections.abc import Sequence

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, printable
from memwave.readers.base import ArraySource
from memwave.readers.libraries import library

NEEDS_DTYPE = False
LIBRARIES = ("soundfile",)
LIBRARY_MB = 15

# Samples of other widths are shifted up to fill the type.
DTYPES = {
    "PCM_S8": "int16",
    "PCM_U8": "int16",
    "PCM_16": "int16",
    "PCM_24": "int32",
    "PCM_32": "int32",
    "FLOAT": "float32",
    "DOUBLE": "float64",
}


class Source(ArraySource):
    """Samples of a WAV or FLAC file; its channels have no names."""

    def __init__(self, path: str, dtype: str | None, channels: Sequence[str] | None):
        super().__init__(path)
        if self.file != path:
            raise self.error("a sound file holds one recording, expected no '::' after it")
        soundfile = library("soundfile", path)
        try:
            self._sound = soundfile.SoundFile(self.file)
        except (OSError, RuntimeError) as error:
            raise self.error(
                f"cannot be opened as a WAV or FLAC file ({printable(error)}). Copy it again"
            ) from error
        try:
            self._describe(self._find_shape(), self._find_dtype())
            self.sampling_rate = float(self._sound.samplerate)
        except MemwaveError:
            self.close()
            raise

    def _find_shape(self) -> tuple[int, int]:
        frames = self._sound.frames
        if "should be" in self._sound.extra_info or not 0 <= frames < 2**60:
            raise self.error(
                "has another length than its header says. It was cut short, or never finished; "
                "copy it again, or write it anew with a tool that repairs it"
            )
        return frames, self._sound.channels

    def _find_dtype(self) -> np.dtype:
        subtype = self._sound.subtype
        if subtype not in DTYPES:
            raise self.error(
                f"has samples of type {subtype}, expected one of {listed(DTYPES)}. Convert it, for "
                "example to FLAC"
            )
        return np.dtype(DTYPES[subtype])

    def _read(self, start: int, stop: int) -> np.ndarray:
        try:
            self._sound.seek(start)
            piece = self._sound.read(stop - start, self.dtype.name, always_2d=True)
        except RuntimeError as error:
            raise OSError(printable(error)) from error
        if len(piece) < stop - start:
            raise OSError("the file ends early")
        return piece

    def close(self) -> None:
        self._sound.close()
