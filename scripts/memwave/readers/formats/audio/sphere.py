"""The length that a NIST SPHERE file announces: a sound file with a text header of 1024 bytes.

Corpora of speech, such as TIMIT, call such files ``.wav``.
"""

import re

HEADER_BYTES = 1024
COUNT = re.compile(rb"^sample_count -i (\d+)", re.MULTILINE)


def announced_rows(path: str) -> int | None:
    """Rows that the header announces; None if it does not."""
    with open(path, "rb") as file:
        found = COUNT.search(file.read(HEADER_BYTES))
    return int(found[1]) if found else None
