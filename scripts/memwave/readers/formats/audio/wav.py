"""Length of a WAV file by its chunks. Libraries do not check it.

The format is that of *Multimedia Programming Interface and Data Specifications 1.0* (IBM and
Microsoft, 1991), with 64 bit sizes as in EBU Tech 3306 (RF64, BW64).
"""

import struct
from dataclasses import dataclass

UNKNOWN = 0xFFFFFFFF


@dataclass(frozen=True)
class Lengths:
    """Bytes of a WAV file.

    Attributes
    ----------
    announced : int or None
        Bytes of samples by the header; None if the header does not state them.
    present : int
        Bytes from the first sample to the end of the file.
    undescribed : int
        Bytes after the samples that no chunk describes, without padding.
    appended : bool
        Whether those bytes follow the end of the file that its header announces.
    """

    announced: int | None
    present: int
    undescribed: int
    appended: bool = False


def lengths(file: str) -> Lengths | None:
    """Read the chunks of a file; None if it is no WAV file or has no samples."""
    with open(file, "rb") as content:
        size = content.seek(0, 2)
        content.seek(0)
        head = content.read(12)
        order = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}.get(head[:4])
        if order is None or head[8:] != b"WAVE":
            return None
        long_size, at = None, 12
        while at + 8 <= size:
            content.seek(at)
            name, length = struct.unpack(f"{order}4sI", content.read(8))
            if name == b"ds64":
                long_size = struct.unpack("<QQ", content.read(16))[1]
            if name == b"data":
                announced = long_size if length == UNKNOWN else length
                present = size - at - 8
                if announced is None or announced > present:
                    return Lengths(announced, present, 0)
                end = at + 8 + announced + announced % 2
                last = _end(content, end, size, order)
                riff = 8 + struct.unpack(f"{order}I", head[4:8])[0]
                return Lengths(announced, present, size - last, riff - riff % 2 <= last)
            at += 8 + length + length % 2
    return None


def _end(content, at: int, size: int, order: str) -> int:
    """Offset of the end of the chunks that begin at a byte."""
    while at + 8 <= size:
        content.seek(at)
        name, length = struct.unpack(f"{order}4sI", content.read(8))
        printable = all(32 <= byte < 127 for byte in name)
        if not printable or at + 8 + length > size:
            return at
        at += 8 + length + length % 2
    return min(at, size)
