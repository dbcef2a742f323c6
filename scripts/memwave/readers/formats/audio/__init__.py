"""Sound files, WAV (also NIST SPHERE of that name) and FLAC: samples in their stored type."""

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, printable
from memwave.readers.base import Options
from memwave.readers.formats.audio.flac import last_sample
from memwave.readers.formats.audio.sphere import announced_rows
from memwave.readers.formats.audio.wav import Lengths, lengths
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource

NEEDS_DTYPE = False
LIBRARIES = ("soundfile",)
LIBRARY_MB = 15

# Types of the samples. Narrower samples are shifted left to fill the type.
DTYPES = {
    "PCM_S8": "int16",
    "PCM_U8": "int16",
    "PCM_16": "int16",
    "PCM_24": "int32",
    "PCM_32": "int32",
    "FLOAT": "float32",
    "DOUBLE": "float64",
}

WIDTHS = {
    "PCM_S8": 1,
    "PCM_U8": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "FLOAT": 4,
    "DOUBLE": 8,
}


class Source(ArraySource):
    """Samples of a WAV or FLAC file; its channels have no names."""

    def __init__(self, path: str, options: Options):
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
        frames, channels = self._sound.frames, self._sound.channels
        found = lengths(self.file)
        if not 0 <= frames < 2**60 or (found and found.announced is None):
            raise self.error(
                "does not say how many samples it has, since it was never finished. Write it anew "
                "with a tool that repairs it"
            )
        if found is not None:
            self._compare(found, frames)
        elif self._sound.format == "NIST":
            announced = announced_rows(self.file)
            if announced != frames:
                raise self.error(
                    f"announces {announced} rows in its header, the file holds {frames}. Copy it "
                    "again"
                )
        elif self._sound.format != "FLAC":
            raise self.error(
                f"is a sound file of format {self._sound.format}, expected WAV or FLAC. Convert it"
            )
        last = last_sample(self.file)
        if last is not None and last > frames:
            raise self.error(
                f"announces {frames} rows in its header, its frames hold {last}. Write it anew "
                "with a tool that repairs it, such as flac"
            )
        return frames, channels

    def _compare(self, found: Lengths, frames: int) -> None:
        """Compare the length that the header announces with the size of the file."""
        assert found.announced is not None
        if found.announced > found.present:
            raise self.error(
                f"was cut short: its header announces {found.announced} bytes of samples, the "
                f"file holds {found.present}. Copy it again, or write it anew with a tool that "
                "repairs it"
            )
        if not found.announced and found.present:
            raise self.error(
                f"announces 0 rows in its header, and {found.present} more bytes follow: it was "
                "never finished. Write it anew with a tool that repairs it"
            )
        width = WIDTHS.get(self._sound.subtype, 0) * self._sound.channels
        if width and found.announced // width != frames:
            raise self.error(
                f"announces {found.announced // width} rows in its header, of which {frames} can "
                "be read. Copy it again, or convert it to FLAC"
            )
        if width and found.undescribed >= max(width, 2):
            more = (
                f"announces {frames} rows in its header, and {found.undescribed} more bytes "
                f"follow, room for {found.undescribed // width} rows"
            )
            if found.appended:
                self.note(f"{more}; they are not read")
            else:
                raise self.error(
                    f"{more}. If they are samples, write the file anew with a tool that repairs "
                    "it; if not, remove them"
                )

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
            rows = self._sound.read(stop - start, self.dtype.name, always_2d=True)
        except RuntimeError as error:
            raise OSError(printable(error)) from error
        if len(rows) < stop - start:
            raise OSError("the file ends early")
        return rows

    def close(self) -> None:
        self._sound.close()
