"""MAT-files of version 5 (MATLAB's -v6 and -v7), read as a stream.

The format is that of *MAT-File Format* (The MathWorks, R2024a), chapter 1. A file is a sequence of
elements. Each has a type, a size and data, which zlib may compress. A matrix is an element of
elements; its values are stored column by column.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np

HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15
CLASSES = {
    1: "a cell array",
    2: "a struct",
    3: "an object",
    4: "text",
    5: "a sparse matrix",
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    13: "uint32",
    14: "int64",
    15: "uint64",
    16: "a function handle",
}
OPAQUE = 17
NUMERIC = range(6, 16)
INTEGERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 12: "i8", 13: "u8"}
STORED = INTEGERS | {7: "f4", 9: "f8"}
# Types of elements.
KINDS = {*STORED, MATRIX, COMPRESSED, 16, 17, 18}
LOGICAL, COMPLEX = 0x02, 0x08

# Names and dimensions are short; a longer element means damage.
LONGEST_FIELD = 4096
# Bytes that are read at once, compressed or not.
BLOCK_BYTES = 1 << 18


class Damaged(ValueError):
    """The file is no MAT-file of version 5, or is damaged."""


class Stream(Protocol):
    """The bytes of an element."""

    def read(self, size: int) -> bytes:
        """Read the next `size` bytes; raises Damaged if there are fewer."""

    def finish(self) -> None:
        """Compare the checksum, if the element has one."""


@dataclass(frozen=True)
class Variable:
    """A matrix in the file, whose values are not read yet.

    Attributes
    ----------
    name : str
    kind : str
        Its class in MATLAB, such as ``double`` or ``a struct``.
    numeric : bool
        Whether it is a full matrix of real numbers; only then can its values be read.
    shape : tuple of int
    stored : numpy.dtype
        Type of the values in the file, which may be smaller than that of the matrix.
    stream : Stream
        Positioned at the first value.
    """

    name: str
    kind: str
    numeric: bool
    shape: tuple[int, ...]
    stored: np.dtype
    stream: Stream

    def columns(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Read the values, block by block.

        Yields
        ------
        (column, row, values) : int, int, ndarray
            Values of the column from that row on.
        """
        rows, n_columns = self.shape
        most = BLOCK_BYTES // self.stored.itemsize
        for column in range(n_columns):
            for row in range(0, rows, most):
                count = min(most, rows - row)
                content = self.stream.read(count * self.stored.itemsize)
                yield column, row, np.frombuffer(content, self.stored)
        self.stream.finish()


def variables(file: BinaryIO, size: int) -> Iterator[Variable]:
    """Yield the variables of a file of `size` bytes; each is valid until the next is requested.

    Raises
    ------
    Damaged
    """
    order = _byte_order(file)
    start = HEADER_BYTES
    while start < size:
        file.seek(start)
        kind, length = struct.unpack(f"{order}II", Raw(file, size - start).read(8))
        start += 8 + length
        if start > size:
            raise Damaged("it ends early")
        raw = Raw(file, length)
        element: Stream = raw
        try:
            if kind == COMPRESSED:
                element = Inflated(raw)
                kind, length = struct.unpack(f"{order}II", element.read(8))
            found = _variable(element, order) if kind == MATRIX and length else None
        except Damaged as error:
            # No error yet: this variable may not be wanted, and the next one can still be read.
            found = Variable("", f"unreadable ({error})", False, (), np.dtype("u1"), element)
        if found is not None:
            yield found


def require_sound(file: BinaryIO, size: int) -> None:
    """Check the types and sizes of all elements, and the checksums of compressed ones.

    Raises
    ------
    Damaged
    """
    start = HEADER_BYTES
    order = _byte_order(file)
    while start < size:
        file.seek(start)
        kind, length = struct.unpack(f"{order}II", Raw(file, size - start).read(8))
        start += 8 + length
        if kind not in (MATRIX, COMPRESSED) or start > size:
            raise Damaged("it ends early" if start > size else f"an element of type {kind}")
        raw = Raw(file, length)
        element: Stream = raw
        if kind == COMPRESSED:
            element = Inflated(raw)
            kind, length = struct.unpack(f"{order}II", element.read(8))
        _require_elements(element, order, length)
        element.finish()


def _require_elements(stream: Stream, order: str, left: int) -> None:
    """Check the elements of a matrix of `left` bytes."""
    while left > 0:
        kind, length, small = _tag(stream, order)
        held = 4 if small else -(-length // 8) * 8
        left -= held + (4 if small else 8)
        if kind not in KINDS or left < 0 or (small and length > 4):
            raise Damaged(f"an element of type {kind} with {length} bytes")
        if kind == MATRIX:
            _require_elements(stream, order, length)
        else:
            _skip(stream, held)


def _skip(stream: Stream, size: int) -> None:
    while size > 0:
        size -= len(stream.read(min(size, BLOCK_BYTES)))


def _byte_order(file: BinaryIO) -> str:
    """Read the header of a file: the sign of its byte order for `struct`."""
    begin = file.read(HEADER_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(begin[126:128])
    if order is None and _is_version_4(begin):
        raise Damaged("it is of MATLAB 4")
    file.seek(0)
    header = Raw(file, HEADER_BYTES).read(HEADER_BYTES)
    if order is None or struct.unpack(f"{order}H", header[124:126])[0] != 0x0100:
        raise Damaged("it has not the header of MATLAB 5 to 7.2")
    return order


def _is_version_4(header: bytes) -> bool:
    """Whether a file begins like those of MATLAB 4: with a number of four digits, MOPT."""
    if len(header) < 20:
        return False
    kinds = (struct.unpack(f"{order}I", header[:4])[0] for order in "<>")
    return any(kind <= 4052 and kind // 100 % 10 == 0 and kind % 10 <= 2 for kind in kinds)


def _variable(stream: Stream, order: str) -> Variable:
    flags = struct.unpack(f"{order}II", _field(stream, order, 8, 8))[0]
    if flags & 0xFF == OPAQUE:
        # An object has its name, its system of classes, and its class.
        name, _, kind = (_field(stream, order).decode("utf-8", "replace") for _ in range(3))
        return Variable(name, f"an object of class {kind}", False, (), np.dtype("u1"), stream)
    dimensions = _field(stream, order, 8)
    if len(dimensions) % 4:
        raise Damaged(f"dimensions of {len(dimensions)} bytes")
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    name = _field(stream, order).decode("utf-8", "replace")
    kind = CLASSES.get(flags & 0xFF, "of an unknown kind")
    special = (flags >> 8) & (LOGICAL | COMPLEX)
    if special:
        kind = "logical" if special & LOGICAL else "complex"
    numeric = flags & 0xFF in NUMERIC and not special
    stored = np.dtype("u1")
    if numeric and min(shape) > 0:
        stored_kind, length, _ = _tag(stream, order)
        if stored_kind not in STORED:
            raise Damaged(f"{name} has values of an unknown type")
        stored = np.dtype(order + STORED[stored_kind])
        if length != stored.itemsize * np.prod(shape, dtype=object):
            raise Damaged(f"{name} has {length} bytes, which is not its shape {shape}")
    return Variable(name, kind, numeric, shape, stored, stream)


def _tag(stream: Stream, order: str) -> tuple[int, int, bool]:
    """Type and size of an element, and whether it is small: its data are in its tag."""
    (word,) = struct.unpack(f"{order}I", stream.read(4))
    if word >> 16:
        return word & 0xFFFF, word >> 16, True
    (length,) = struct.unpack(f"{order}I", stream.read(4))
    return word, length, False


def _field(stream: Stream, order: str, least: int = 0, most: int = LONGEST_FIELD) -> bytes:
    """Read an element other than values, and its padding to eight bytes."""
    _, length, small = _tag(stream, order)
    if not least <= length <= (4 if small else most):
        raise Damaged(f"a field of {length} bytes")
    content = stream.read(4 if small else -(-length // 8) * 8)
    return content[:length]


class Raw:
    """The next bytes of a file, at most `size`."""

    def __init__(self, file: BinaryIO, size: int):
        self._file, self._left = file, size

    def read(self, size: int) -> bytes:
        content = self._file.read(min(size, self._left))
        self._left -= len(content)
        if len(content) < size:
            raise Damaged("it ends early")
        return content

    def finish(self) -> None:
        """Do nothing: there is no checksum."""

    def some(self) -> bytes:
        """Read the next block, or the rest."""
        return self.read(min(self._left, BLOCK_BYTES))


class Inflated:
    """Decompresses bytes on demand, never more than requested."""

    def __init__(self, packed: Raw):
        self._packed, self._zlib = packed, zlib.decompressobj()

    def read(self, size: int) -> bytes:
        blocks: list[bytes] = []
        while size:
            block = self._decompress(size)
            if not block and self._zlib.eof:
                raise Damaged("a compressed variable ends early")
            blocks.append(block)
            size -= len(block)
        return b"".join(blocks)

    def _decompress(self, most: int) -> bytes:
        """Decompress at most `most` bytes; none at the end."""
        packed = self._zlib.unconsumed_tail or self._packed.some()
        try:
            block = self._zlib.decompress(packed, most)
        except zlib.error as error:
            raise Damaged(f"its compressed values are damaged: {error}") from error
        if not block and not packed:
            raise Damaged("a compressed variable ends early")
        return block

    def finish(self) -> None:
        """Decompress to the end, where zlib compares its checksum; only padding may follow."""
        padding = 0
        while not self._zlib.eof:
            padding += len(self._decompress(LONGEST_FIELD))
            if padding > LONGEST_FIELD:
                raise Damaged("a compressed variable is longer than its shape")
