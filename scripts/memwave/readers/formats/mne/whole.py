"""Comparison of files with what their headers announce, where MNE-Python does not compare them.

Sources: *BrainVision Core Data Format 1.0* (Brain Products); the directory of KIT files as in
``mne.io.kit``; EEGLAB's ``pop_loadset``: a ``.fdt`` file has float32 values, sample by sample.
"""

import os
import re
import struct
from typing import Any

from memwave.readers.formats.mat.mat5 import Damaged, require_sound
from memwave.readers.shared.libraries import library
from memwave.readers.sources import ArraySource

# Bytes of a sample in BrainVision and EEGLAB files.
SAMPLE_BYTES = {"INT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
# Entry of the samples in the directory at the beginning of a KIT file: offset, bytes of a sample,
# the most samples and their number.
KIT_SAMPLES, KIT_ENTRY = 9, struct.Struct("<I3i")


def require_sound_file(source: ArraySource) -> None:
    """Raise MemwaveError at damage that MNE-Python does not notice, before it opens the file."""
    name = source.file.lower()
    if name.endswith((".con", ".sqd")):
        _require_kit_samples(source)
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
        file.seek(KIT_SAMPLES * KIT_ENTRY.size)
        entry = file.read(KIT_ENTRY.size)
    if len(entry) < KIT_ENTRY.size:
        return  # the package reports it
    offset, width, _, count = KIT_ENTRY.unpack(entry)
    if offset + width * count > source.file_size:
        raise source.error(
            f"was cut short: its samples end at byte {offset + width * count:,} by its header, the "
            f"file has {source.file_size:,}. Copy it again"
        )
