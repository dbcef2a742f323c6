"""Further files of a recording whose names are not those of the first file with another suffix.

Sources: *BrainVision Core Data Format 1.0* (Brain Products): the header names the file of samples
and that of markers, with ``$b`` for its own name. ``mne.io.Raw.save``: parts of a FIF file are
named ``a_raw-1.fif`` after ``a_raw.fif``, or ``a_split-02_meg.fif`` after ``a_split-01_meg.fif``.
"""

import os
import re
from collections.abc import Iterator

HEADERS = (".vhdr", ".ahdr")
# The names are in the first section of a header.
HEADER_BYTES = 65_536
NAMED = re.compile(
    r"^[ \t]*(?:DataFile|MarkerFile)[ \t]*=[ \t]*(\S[^\r\n]*?)[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
FIF = re.compile(r"(.+?)(\.fif(?:\.gz)?)", re.IGNORECASE)
SPLIT = re.compile(r"_split-(\d+)_")


def further_files(file: str) -> list[str]:
    """List the files that a header names, or the further parts of a FIF file, if they exist.

    Parameters
    ----------
    file : str
        The file that the sheet names.
    """
    found = _named_in(file) if file.lower().endswith(HEADERS) else _parts_of(file)
    return [name for name in found if os.path.isfile(name)]


def _named_in(header: str) -> Iterator[str]:
    folder, name = os.path.split(header)
    try:
        with open(header, "rb") as file:
            text = file.read(HEADER_BYTES).decode("utf-8", "replace")
    except OSError:
        return  # reported when it is opened
    for named in NAMED.findall(text):
        yield os.path.join(folder, named.replace("$b", os.path.splitext(name)[0]))


def _parts_of(file: str) -> Iterator[str]:
    folder, name = os.path.split(file)
    if not (stem := FIF.fullmatch(name)):
        return
    split = SPLIT.search(name)
    number = int(split[1]) if split else 0
    while True:
        number += 1
        part = f"{stem[1]}-{number}{stem[2]}"
        if split:
            digits = f"{number:0{len(split[1])}}"
            part = f"{name[: split.start(1)]}{digits}{name[split.end(1) :]}"
        if not os.path.isfile(os.path.join(folder, part)):
            return
        yield os.path.join(folder, part)
