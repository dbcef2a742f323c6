"""Text tables as files: packed or not, and what separates their columns."""

import gzip
import zlib
from typing import IO, Any

# What reading a packed text can end in; an unpacked one ends in OSError only.
UNREADABLE = (OSError, EOFError, zlib.error)

# No line may be longer.
LONGEST_LINE = 1_000_000


def open_text(file: str) -> IO[bytes]:
    """Open a text for reading, unpacked if its name ends in .gz."""
    opened: Any = gzip.open if file.lower().endswith(".gz") else open
    return opened(file, "rb")


def delimiter_of(file: str) -> str:
    """Tab in .tsv; in .csv what the first line has more of, comma or semicolon."""
    if file.lower().removesuffix(".gz").endswith(".tsv"):
        return "\t"
    with open_text(file) as text:
        line = text.readline(LONGEST_LINE)
    return ";" if line.count(b";") > line.count(b",") else ","
