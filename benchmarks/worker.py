"""A process that is measured: imports a function, says so, waits for a line, calls it.

Used by `measure`. What the function prints goes to standard error; standard output carries one
line when everything is imported and one with the answer.
"""

import base64
import importlib
import json
import os
import pickle
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "scripts"))


def status_bytes(field: str) -> int:
    """A figure of this process that Linux keeps in /proc/self/status."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(f"{field}:"))


def main(job: dict) -> None:
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, name = job["function"].rsplit(".", 1)
    function = getattr(importlib.import_module(module), name)
    for needed in job["imports"]:
        importlib.import_module(needed)
    print("ready", file=channel, flush=True)
    sys.stdin.readline()
    begin = time.perf_counter()
    answer = function(*job["request"], **job["arguments"])
    seconds = time.perf_counter() - begin
    report = {
        "seconds": seconds,
        "anonymous": status_bytes("RssAnon"),
        "resident": status_bytes("VmHWM"),
        "answer": answer,
    }
    print(json.dumps(report), file=channel, flush=True)


if __name__ == "__main__":
    main(pickle.loads(base64.b64decode(sys.argv[1])))
