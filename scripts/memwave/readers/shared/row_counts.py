"""How many rows a text file has: counted once, and remembered while the file stays as it is.

Snakemake plans again in every job, which should not read every text file again.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from memwave.storage.atomic import replacing

# Where Snakemake keeps what it remembers; nothing but time is lost with it.
MEMORY = Path(".snakemake/memwave/rows.json")


def remembered_rows(
    file: str, count: Callable[[], tuple[int, str]], reading: str = ""
) -> tuple[int, str]:
    """Return the rows of a file and a remark about them.

    They are counted only if the file is new, has changed or is read in another way.
    """
    status = os.stat(file)
    key, state = os.path.abspath(file), [status.st_size, status.st_mtime_ns, reading]
    known = _remembered()
    if known.get(key, {}).get("state") != state:
        rows, remark = count()
        known = {**_remembered(), key: {"state": state, "rows": rows, "remark": remark}}
        # In a folder that cannot be written to, only time is lost.
        with suppress(OSError), replacing(MEMORY) as temporary:
            temporary.write_text(json.dumps(known), encoding="utf-8")
    return known[key]["rows"], known[key]["remark"]


def _remembered() -> dict[str, dict]:
    try:
        return json.loads(MEMORY.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
