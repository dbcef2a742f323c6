"""How many rows a text file has: counted once, and remembered while the file stays as it is.

What is remembered is a text file with a line a count: lines are added, never rewritten, so that a
count costs the same however many there are. The last line of a file is the one that counts.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

# Where Snakemake keeps what it remembers; nothing but time is lost with it. Elsewhere, as in the
# folder of a notebook, nothing is left behind.
MEMORY = Path(".snakemake/memwave/rows.jsonl")


def remembered_rows(
    file: str, count: Callable[[], tuple[int, str]], reading: str = ""
) -> tuple[int, str]:
    """Return the rows of a file and a remark about them.

    They are counted only if the file is new, has changed or is read in another way.
    """
    status = os.stat(file)
    key = os.path.abspath(file), reading
    state = [status.st_size, status.st_mtime_ns]
    known = _remembered(os.path.abspath(MEMORY))
    if known.get(key, ())[:2] != state:
        rows, remark = count()
        known[key] = [*state, rows, remark]
        # In a folder that cannot be written to, only time is lost.
        with suppress(OSError):
            if "snakemake" in sys.modules:
                MEMORY.parent.mkdir(parents=True, exist_ok=True)
            elif MEMORY.parents[1].is_dir():
                MEMORY.parent.mkdir(exist_ok=True)
            with open(MEMORY, "a", encoding="utf-8") as lines:
                lines.write(json.dumps([*key, *known[key]]) + "\n")
    _, _, rows, remark = known[key]
    return rows, remark


@cache
def _remembered(memory: str) -> dict[tuple[str, str], list[Any]]:
    """By file and the way it is read: size, time, rows, remark."""
    known: dict[tuple[str, str], list[Any]] = {}
    with suppress(OSError), open(memory, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError, TypeError):  # a line cut short is counted anew
                file, reading, size, time, rows, remark = json.loads(line)
                known[file, reading] = [int(size), int(time), int(rows), str(remark)]
    return known
