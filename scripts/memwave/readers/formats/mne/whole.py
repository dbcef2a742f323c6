"""Comparison of files with what their headers announce, where MNE-Python does not compare them.

Sources: *BrainVision Core Data Format 1.0* (Brain Products); the directory of KIT files as in
``mne.io.kit`` and the blocks of Nihon Kohden files as in ``mne.io.nihon``; *Functional Image File
Format* (Elekta Neuromag) for tags; EEGLAB's ``pop_loadset``: a ``.fdt`` file has float32 values,
sample by sample.
"""

import os
import re
import struct
from itertools import accumulate
from typing import Any

from memwave.core.errors import MemwaveError
from memwave.readers.formats.mat.mat5 import Damaged, require_sound
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource

# Bytes of a sample in BrainVision and EEGLAB files.
SAMPLE_BYTES = {"INT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
# Entry of the samples in the directory at the beginning of a KIT file: offset, bytes of a sample,
# the most samples and their number. The first entry has the number of entries.
KIT_SAMPLES, KIT_ENTRY, KIT_MOST = 9, struct.Struct("<I3i"), 1000
# A tag of a FIF file: kind, type, bytes, and the place of the next one (0: right behind it,
# negative: none). The second tag has the place of the directory of all tags.
FIF_TAG, FIF_DIRECTORY = struct.Struct(">4i"), 101
# Places in a Nihon Kohden file: of its first control block; in that, of its data blocks; in these,
# of their rate, their duration in 0.1 s, and the number of their channels. Ten bytes a channel
# follow, and then the samples, with one of the events beside each row.
NK_MAGIC = (b"EEG-", b"QI-4", b"DAE-")
NK_CONTROL, NK_BLOCKS, NK_RATE, NK_CHANNELS = 0x92, 17, 0x1A, 0x26


def require_sound_file(source: ArraySource) -> None:
    """Raise MemwaveError at damage that MNE-Python does not notice, before it opens the file."""
    name = source.file.lower()
    if name.endswith((".con", ".sqd")):
        _require_kit_samples(source)
    elif name.endswith(".eeg"):
        _require_nihon_samples(source)
    elif name.endswith(".set") and not library("h5py", source.path).is_hdf5(source.file):
        _require_sound_eeglab(source)


def _require_sound_eeglab(source: ArraySource) -> None:
    """SciPy reads EEGLAB files for MNE-Python; a damaged one may end the process."""
    try:
        with open(source.file, "rb") as file:
            require_sound(file, source.file_size)
    except Damaged as error:
        raise source.error(
            f"cannot be read as an EEGLAB file ({error}). Copy it again, or save it again"
        ) from error


def compare(source: ArraySource, raw: Any) -> None:
    """Compare the samples that a header announces with those in the file."""
    name = source.file.lower()
    if name.endswith((".vhdr", ".ahdr")):
        _compare_brainvision(source, raw)
    elif name.endswith(".set") and str(raw.filenames[0]).endswith(".fdt"):
        row_bytes = SAMPLE_BYTES["IEEE_FLOAT_32"] * len(raw.ch_names)
        _compare_rows(source, os.path.getsize(raw.filenames[0]), raw.n_times, row_bytes)
    elif name.endswith(".fif"):
        for file in map(os.fspath, raw.filenames):
            _note_rest(source, os.path.getsize(file) - _end_of_tags(file), os.path.basename(file))


def _note_rest(source: ArraySource, size: int, file: str) -> None:
    """Add a note if bytes at the end of a file belong to nothing that the file announces."""
    if size > 0:
        source.note(f"{size:,} bytes at the end of {file} are not read: no header announces them")


def _end_of_tags(file: str) -> int:
    """The end of the last tag of a FIF file, or of the directory of tags behind it."""
    size, place, end, directory = os.path.getsize(file), 0, 0, 0
    with open(file, "rb") as content:
        while place >= end:
            content.seek(place)
            head = content.read(FIF_TAG.size)
            if len(head) < FIF_TAG.size:
                return size  # the package reports it
            kind, _, length, following = FIF_TAG.unpack(head)
            end = place + FIF_TAG.size + max(length, 0)
            if kind == FIF_DIRECTORY:
                directory = int.from_bytes(content.read(4), "big", signed=True)
            if following < 0:
                break
            place = following or end
        else:
            return size  # tags in another order
        content.seek(max(directory, 0))
        head = content.read(FIF_TAG.size)
    if directory > 0 and len(head) == FIF_TAG.size:
        end = max(end, directory + FIF_TAG.size + FIF_TAG.unpack(head)[2])
    return end


def _compare_brainvision(source: ArraySource, raw: Any) -> None:
    """The number of rows is in the header only if a program wrote it."""
    with open(source.file, encoding="utf-8", errors="replace") as file:
        said = dict(re.findall(r"^(\w+)[ \t]*=[ \t]*([\w.]+)", file.read(), re.MULTILINE))
    announced = int(said["DataPoints"]) if said.get("DataPoints", "").isdecimal() else None
    width = SAMPLE_BYTES.get(said.get("BinaryFormat", ""))
    if width is None or said.get("DataFormat", "").upper() == "ASCII":
        if announced not in (None, raw.n_times):
            raise source.error(_other_rows(announced, raw.n_times))
        return
    # The files of a V-Amp have a channel that their header does not count.
    row_bytes = width * (int(said["NumberOfChannels"]) + source.file.lower().endswith(".ahdr"))
    size = os.path.getsize(raw.filenames[0])
    if said.get("DataOrientation") == "VECTORIZED" and size != (announced or 0) * row_bytes:
        # The package takes the places of the channels from the size of the file.
        raise source.error(_other_rows(announced, size // row_bytes))
    _compare_rows(source, size, announced, row_bytes)


def _compare_rows(source: ArraySource, size: int, announced: int | None, row_bytes: int) -> None:
    """Compare an announced number of rows with the size of the file of samples."""
    held, rest = divmod(size, row_bytes)
    if announced is not None and held < announced:
        raise source.error(_other_rows(announced, held))
    if announced is not None and held > announced:
        source.note(f"its header announces {announced} rows, its file of samples holds {held}")
    if rest:
        source.note(f"{rest} bytes after its last whole row are not read")


def _other_rows(announced: int | None, held: int) -> str:
    return (
        f"announces {announced} rows, its file of samples holds {held}. Copy it again, or correct "
        "its header"
    )


def _require_kit_samples(source: ArraySource) -> None:
    """MNE-Python reads zeros where samples of a KIT file are missing."""
    with open(source.file, "rb") as file:
        directory = file.read(KIT_ENTRY.size)
        if len(directory) == KIT_ENTRY.size:
            count = KIT_ENTRY.unpack(directory)[3]
            directory += file.read(KIT_ENTRY.size * max(0, min(count, KIT_MOST) - 1))
    whole = directory[: len(directory) // KIT_ENTRY.size * KIT_ENTRY.size]
    ends = [offset + width * count for offset, width, _, count in KIT_ENTRY.iter_unpack(whole)]
    if len(ends) <= KIT_SAMPLES:
        return  # the package reports it
    if ends[KIT_SAMPLES] > source.file_size:
        raise _cut(source, ends[KIT_SAMPLES])
    _note_rest(source, source.file_size - max(ends), os.path.basename(source.file))


def _require_nihon_samples(source: ArraySource) -> None:
    """Compare the blocks of samples of a Nihon Kohden file with its size."""
    blocks = _nihon_blocks(source)
    if not blocks:
        return  # the package reports it
    end = max(place + size for place, size, _ in blocks)
    if end > source.file_size:
        raise _cut(source, end)
    _note_rest(source, source.file_size - end, os.path.basename(source.file))


def first_rows_of_blocks(source: ArraySource) -> list[int]:
    """First rows of the blocks of a Nihon Kohden file but the first; of other files none.

    A recording that was interrupted has several. MNE-Python 1.13 fails if it reads across them.
    """
    if not source.file.lower().endswith(".eeg"):
        return []
    return list(accumulate(rows for _, _, rows in _nihon_blocks(source)))[:-1]


def _nihon_blocks(source: ArraySource) -> list[tuple[int, int, int]]:
    """Place, bytes and rows of the samples in each block of a Nihon Kohden file."""
    with open(source.file, "rb") as file:

        def number(place: int, size: int) -> int:
            file.seek(place)
            return int.from_bytes(file.read(size), "little")

        if not file.read(4).startswith(NK_MAGIC):
            return []
        control, found = number(NK_CONTROL, 4), []
        for i in range(number(control + NK_BLOCKS, 1)):
            block = number(control + NK_BLOCKS + 1 + 20 * i, 4)
            rows = number(block + NK_RATE + 2, 4) * (number(block + NK_RATE, 2) & 0x3FFF) // 10
            channels = number(block + NK_CHANNELS, 1)
            place = block + NK_CHANNELS + 1 + 10 * channels
            found.append((place, 2 * (channels + 1) * rows, rows))
    return found


def _cut(source: ArraySource, end: int) -> MemwaveError:
    return source.error(
        f"was cut short: its samples end at byte {end:,} by its header, the file has "
        f"{source.file_size:,}. Copy it again"
    )
