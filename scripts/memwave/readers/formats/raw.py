"""Raw binary recordings: values in C order, rows x channels, no header."""

import numpy as np

from memwave.core.errors import MemwaveError
from memwave.readers.base import Options
from memwave.readers.shared.flat import FlatSource

NEEDS_DTYPE = True
LIBRARIES: tuple[str, ...] = ()
LIBRARY_MB = 0


class Source(FlatSource):
    """A recording whose dtype and number of channels come from the sheet and the configuration."""

    def __init__(self, path: str, options: Options):
        super().__init__(path)
        try:
            if options.dtype is None or options.channels is None:
                raise self.error(
                    "a raw file can only be a recording with a dtype, such as float32, in the sheet"
                )
            if self.file != path:
                raise self.error("a raw file holds one array, expected no '::' after it")
            stored, n_channels = np.dtype(options.dtype), len(options.channels)
            rows, rest = divmod(self.file_size, n_channels * stored.itemsize)
            if rest:
                raise self.error(
                    f"has {self.file_size} bytes, expected a multiple of {n_channels} channels x "
                    f"{stored.itemsize} bytes. Check its dtype and the channels of the dataset"
                )
            self._describe((rows, n_channels), stored)
            self._begin(0)
        except MemwaveError:
            self.close()
            raise
