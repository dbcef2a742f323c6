"""Comparison of seismic files with what their headers announce, where ObsPy does not compare them.

Sources: *SEG-Y rev 1 Data Exchange Format* (SEG, 2002), tables 1 and 3; S. E. Pullan, *Recommended
standard for seismic (/radar) data files in the personal computer environment*, Geophysics 55
(1990), for SEG-2; *Provisional GSE2.0 Message Formats & Protocols* (GSETT-3).
"""

import struct
from collections.abc import Sequence
from typing import BinaryIO

from memwave.readers.base import FileSource

# Bytes of the headers of a SEG-Y file and of a trace, and of a sample by its format code, which is
# at byte 3224.
SEGY_HEADERS, SEGY_TRACE_HEADER, SEGY_FORMAT = 3600, 240, 3224
SEGY_SAMPLE = {1: 4, 2: 4, 3: 2, 4: 4, 5: 4, 8: 1}

# First bytes of a SEG-2 file, by order of bytes, and bytes of a sample by its format code.
SEG2 = {b"\x55\x3a": "<", b"\x3a\x55": ">"}
SEG2_SAMPLE = {1: 2, 2: 4, 3: 2.5, 4: 4, 5: 8}
SEG2_BLOCK = 32

# GSE files begin with this. A line of compressed samples has 80 characters and its end; a longer
# one may crash ObsPy.
GSE, LONGEST_GSE_LINE = (b"WID1", b"WID2"), 82


def require_sound_file(source: FileSource) -> None:
    """Raise MemwaveError at damage that ObsPy does not notice, before it reads the file.

    Bytes that no header announces are noted.
    """
    with open(source.file, "rb") as file:
        begin = file.read(SEG2_BLOCK)
        if begin.startswith(GSE):
            _require_sound_gse(source, file)
        elif begin[:2] in SEG2 and len(begin) == SEG2_BLOCK:
            _require_whole_seg2(source, file, begin)


def _require_sound_gse(source: FileSource, file: BinaryIO) -> None:
    """Require short lines of compressed samples, and no beginning of a header at the end."""
    is_packed = is_data = is_over = False
    rest = 0  # bytes after the last checksum
    line = last = b""
    file.seek(0)
    while line := file.readline(LONGEST_GSE_LINE + 1):
        last = line
        if line.startswith(GSE):
            is_packed, is_over, rest = b"CM6" in line, False, 0
        if line.startswith((b"DAT", b"CHK")):
            is_data = line.startswith(b"DAT")
            is_over = not is_data
        elif is_over and line.strip() not in (b"", b"STOP"):  # the end of a message
            rest += len(line)
        if is_packed and is_data and len(line) > LONGEST_GSE_LINE:
            raise source.error(
                f"a line of its samples has more than {LONGEST_GSE_LINE - 2} characters, "
                f"from byte {file.tell() - len(line)} on. It is damaged; copy it again"
            )
    if rest == len(last) and any(begin.startswith(last) for begin in GSE):
        raise source.error(
            f"was cut short: it ends with {last.decode()!r}, the beginning of a header, expected "
            f"all of {GSE[1].decode()}, from byte {source.file_size - rest:,} on. Copy it again"
        )
    note_rest(source, rest, "checksum")


def _require_whole_seg2(source: FileSource, file: BinaryIO, begin: bytes) -> None:
    """Require the samples of all traces: ObsPy reads fewer where they are cut."""
    order = SEG2[begin[:2]]
    (count,) = struct.unpack_from(f"{order}H", begin, 6)
    places = file.read(4 * count)
    ends = []
    for number, (place,) in enumerate(
        struct.iter_unpack(f"{order}I", places[: len(places) // 4 * 4]), 1
    ):
        file.seek(place)
        block = file.read(SEG2_BLOCK)
        if len(block) == SEG2_BLOCK and block[12] in SEG2_SAMPLE:  # ObsPy reports the others
            (size,) = struct.unpack_from(f"{order}H", block, 2)
            (samples,) = struct.unpack_from(f"{order}I", block, 8)
            ends.append(place + size + int(samples * SEG2_SAMPLE[block[12]]))
            if ends[-1] > source.file_size:
                raise source.error(
                    f"was cut short: trace {number} ends at byte {ends[-1]:,} by its header, the "
                    f"file has {source.file_size:,}. Copy it again"
                )
    if len(ends) == count:
        note_rest(source, source.file_size - max(ends, default=source.file_size), "trace")


def require_whole_segy(source: FileSource, samples: Sequence[int]) -> None:
    """Require whole traces, of these numbers of samples: ObsPy leaves out one without a header.

    A header may begin with zeros, so that zeros are not taken for padding. segyio refuses any
    bytes after the last trace, too.
    """
    with open(source.file, "rb") as file:
        file.seek(SEGY_FORMAT)
        code = file.read(2)
    found = (SEGY_SAMPLE.get(int.from_bytes(code, order)) for order in ("big", "little"))
    width = next(filter(None, found), 0)
    end = SEGY_HEADERS + sum(SEGY_TRACE_HEADER + width * count for count in samples)
    if rest := source.file_size - end:
        raise source.error(
            f"has {source.file_size:,} bytes, expected {end:,} for {len(samples)} traces: the "
            f"{rest:,} bytes at its end are no trace, whose header alone has {SEGY_TRACE_HEADER}. "
            "It was cut short, or something was appended: copy it again, or cut them off"
        )


def note_rest(source: FileSource, size: int, last: str) -> None:
    """Add a note if bytes at the end of a file are not read."""
    if size > 0:
        source.note(f"{size:,} bytes after its last {last} are not read")
