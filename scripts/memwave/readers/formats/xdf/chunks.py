"""The chunks of an XDF file: headers of streams and numbers of samples, without the samples.

The format is XDF 1.0 of the Lab Streaming Layer: a file is a sequence of chunks, each with its
length, a tag, and mostly the number of a stream.
"""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree import ElementTree

from memwave.readers.base import LARGEST_HEADER

MAGIC = b"XDF:"
HEADER, SAMPLES, FOOTER = 2, 3, 6
# Bytes of a number, by the byte before it.
NUMBERS = {1: "<B", 4: "<I", 8: "<Q"}
SAMPLE_BYTES = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "float32": 4, "double64": 8}


class NotXDF(ValueError):
    """The file cannot be read; the message says why."""


@dataclass
class Stream:
    """A stream of a file.

    Attributes
    ----------
    number : int
        Its number in the file.
    name : str
    rate : float
        Samples a second by its header; 0 if they are irregular.
    kind : str
        Type of its values, such as ``float32`` or ``string``.
    width : int
        Number of its channels.
    labels, units : list of str
        Names and units of its channels, as far as the header has them.
    samples : int
        Samples in chunks that are whole.
    announced : int or None
        Samples by its footer, if it has one.
    """

    number: int
    name: str
    rate: float
    kind: str
    width: int
    labels: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    samples: int = 0
    announced: int | None = None

    @property
    def is_regular(self) -> bool:
        return self.rate > 0 and self.kind in SAMPLE_BYTES


def scan(path: str) -> tuple[list[Stream], int]:
    """Read all streams of a file.

    Returns
    -------
    streams : list of Stream
    cut : int
        Bytes at the end of the file that are no whole chunk.

    Raises
    ------
    NotXDF, OSError
        If the file is not XDF or cannot be read.
    """
    streams: dict[int, Stream] = {}
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        if file.read(4) != MAGIC:
            raise NotXDF("it does not begin as an XDF file")
        while (start := file.tell()) < size:
            length = _number(file)
            begin = file.tell()
            if length is None or begin + length > size:
                return list(streams.values()), size - start
            if length < 2:
                raise NotXDF(f"the chunk at byte {start} has {length} bytes, expected 2 or more")
            _chunk(file, length, streams)
            file.seek(begin + length)
    return list(streams.values()), 0


def _chunk(file: BinaryIO, length: int, streams: dict[int, Stream]) -> None:
    """Read a chunk, as far as it describes a stream."""
    (tag,) = struct.unpack("<H", file.read(2))
    if tag not in (HEADER, SAMPLES, FOOTER):
        return
    place = file.tell()
    if length < 6:
        raise NotXDF(f"the chunk at byte {place} has no number of a stream")
    (number,) = struct.unpack("<I", file.read(4))
    if tag == HEADER:
        streams[number] = _stream(number, _xml(file, length - 6))
        return
    if number not in streams:
        raise NotXDF(f"the chunk at byte {place} is of stream {number}, which has no header")
    if tag == SAMPLES:
        streams[number].samples += _number(file) or 0
    else:
        announced = _xml(file, length - 6).findtext("sample_count")
        streams[number].announced = int(announced) if announced else None


def _stream(number: int, info: ElementTree.Element) -> Stream:
    channels = list(info.iterfind("desc/channels/channel"))
    return Stream(
        number,
        info.findtext("name") or "",
        float(info.findtext("nominal_srate") or 0),
        info.findtext("channel_format") or "",
        int(info.findtext("channel_count") or 0),
        [channel.findtext("label") or "" for channel in channels],
        [channel.findtext("unit") or "" for channel in channels],
    )


def _xml(file: BinaryIO, size: int) -> ElementTree.Element:
    if size > LARGEST_HEADER:
        raise NotXDF(f"a header has {size:,} bytes, expected at most {LARGEST_HEADER:,}")
    return ElementTree.fromstring(file.read(size).decode("utf-8", "replace"))


def _number(file: BinaryIO) -> int | None:
    """Read a number after the number of its bytes; None at the end of the file."""
    first = file.read(1)
    if not first:
        return None
    if first[0] not in NUMBERS:
        raise NotXDF(f"byte {file.tell() - 1} should be 1, 4 or 8, and is {first[0]}")
    content = file.read(first[0])
    return struct.unpack(NUMBERS[first[0]], content)[0] if len(content) == first[0] else None
