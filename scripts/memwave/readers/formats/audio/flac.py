"""Number of samples of a FLAC file, by its last frame. Libraries do not check it.

The format is that of RFC 9639: frames begin with a sync code and end with a checksum of 16 bits;
the header of a frame has its number, or that of its first sample, and a checksum of 8 bits.
"""

BLOCK_SIZES = {1: 192, **{i: 144 << i for i in range(2, 6)}, **{i: 1 << i for i in range(8, 16)}}
# Bytes at the end of a file that are searched: more than a frame of usual size.
TAIL = 1 << 20


def last_sample(file: str) -> int | None:
    """Index of the sample after the last frame; None if no frame is found."""
    with open(file, "rb") as content:
        head = content.read(42)
        if head[:4] != b"fLaC" or len(head) < 42:
            return None
        fixed = int.from_bytes(head[8:10], "big")  # smallest block size, that of all but the last
        size = content.seek(0, 2)
        content.seek(max(0, size - TAIL))
        tail = content.read()
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        if at + 1 < len(tail) and tail[at + 1] in (0xF8, 0xF9):
            found = _frame_end(tail[at : at + 32], fixed)
            if found is not None and _crc16(tail[at:]) == 0:
                return found
    return None


def _frame_end(header: bytes, fixed: int) -> int | None:
    """Index of the sample after a frame, by its header; None if it is no header."""
    if len(header) < 6 or header[3] & 1:
        return None
    number, at = _coded_number(header)
    if number is None:
        return None
    kind, rate = header[2] >> 4, header[2] & 15
    if kind in (6, 7):
        count = int.from_bytes(header[at : at + kind - 5], "big") + 1
        at += kind - 5
    elif kind in BLOCK_SIZES:
        count = BLOCK_SIZES[kind]
    else:
        return None
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if at >= len(header) or _crc8(header[:at]) != header[at]:
        return None
    return number + count if header[1] & 1 else number * fixed + count


def _coded_number(header: bytes) -> tuple[int | None, int]:
    """The number in a header, coded as in UTF-8 but longer, and the index of the byte after it."""
    first = header[4]
    length = 8 - (~first & 0xFF).bit_length()
    if length == 0:
        return first, 5
    if length == 1 or length == 8 or len(header) < 4 + length:
        return None, 0
    number = first & (0x7F >> length)
    for byte in header[5 : 4 + length]:
        if byte >> 6 != 2:
            return None, 0
        number = number << 6 | byte & 0x3F
    return number, 4 + length


def _crc16(content: bytes) -> int:
    """Checksum of a frame; zero if it is undamaged, since it ends with its checksum."""
    crc = 0
    for byte in content:
        crc = (crc << 8 & 0xFF00) ^ TABLE[crc >> 8 ^ byte]
    return crc


def _shifted(value: int) -> int:
    for _ in range(8):
        value = (value << 1 ^ 0x8005 if value & 0x8000 else value << 1) & 0xFFFF
    return value


TABLE = [_shifted(byte << 8) for byte in range(256)]


def _crc8(content: bytes) -> int:
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc
