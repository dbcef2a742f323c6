"""Damaged recordings of every format: each is refused with a message, or is read.

Run as ``python tests/helpers/fuzzing.py [examples]``; ``make fuzz`` does. Each format has a process
of its own, so that a crash or a hang of a library shows as such.
"""

import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / place) for place in ("tests/helpers", "tests/readers", "scripts")]

import numpy as np  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from memwave.core.errors import MemwaveError  # noqa: E402
from memwave.readers import ArraySource, open_source  # noqa: E402
from memwave.recordings.labels.intervals import read_intervals  # noqa: E402

ROWS, NAMES = 100, ["left", "right", "up"]
# A format is given up if it takes so many seconds an example.
PATIENCE = 0.5

LONGEST_MESSAGE = 5000

# Formats in which every value is under a checksum: what is read is what was written.
CHECKED = ("a.flac", "a.csv.gz", "a.npz", "packed.mat")
INTERVALS = "start\tstop\tlabel\n0\t30\twalk\n30\t60\tsit\n"

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "flip", "insert", "delete", "cut"]),
        st.integers(0, 2**30),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=2,
)


def damaged(content: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    """Apply edits to the content of a file; half of the places are in its first 500 bytes."""
    for kind, place, new in edits:
        size = len(content) if place % 2 else min(500, len(content))
        at = place // 2 % max(1, size)
        if kind == "set":
            content = content[:at] + new + content[at + len(new) :]
        elif kind == "flip":
            flipped = bytes(byte ^ (1 << new[0] % 8) for byte in content[at : at + 1])
            content = content[:at] + flipped + content[at + 1 :]
        elif kind == "insert":
            content = content[:at] + new + content[at:]
        elif kind == "delete":
            content = content[:at] + content[at + len(new) :]
        else:
            content = content[:at]
    return content


def savers() -> dict:
    """How to write every format, by the name of the file."""
    import field_files
    import h5py
    import test_formats
    import test_mat
    import test_tables

    def save_hdf5(path, array):
        with h5py.File(path, "w") as file:
            file.create_dataset(
                "x", data=array, chunks=(20, 3), compression="gzip", fletcher32=True
            )

    mat = {f"{name}.mat": save for name, save in test_mat.SAVERS.items()}
    plain = {"a.npy": np.save, "a.h5": save_hdf5, "a.nwb": field_files.save_nwb}
    plain["a.npz"] = lambda path, array: np.savez_compressed(path, x=array)
    return plain | test_formats.SAVERS | test_tables.SAVERS | mat


def read_all(path: Path) -> np.ndarray:
    """Read a recording as extraction or conversion does."""
    inner = {".h5": "::/x", ".mat": "::x", ".npz": "::x"}.get(path.suffix, "")
    unnamed = (".npy", ".npz", ".h5", ".nwb", ".mat", ".wav", ".flac", ".zarr")
    channels = None if path.suffix in unnamed else NAMES
    with open_source(f"{path}{inner}", None, channels) as source:
        if isinstance(source, ArraySource):
            return source.read(0, min(source.shape[0], 10 * ROWS))
        whole = np.full((10 * ROWS, source.shape[1]), np.nan)
        for rows, columns, values in source.blocks():
            if rows.stop <= len(whole):
                whole[rows, columns] = values
        return whole[: source.shape[0]]


def fuzz(name: str, examples: int, folder: Path) -> Counter:
    """Read a format that is damaged in many ways; count what came of it."""
    counts: Counter = Counter()
    array = np.random.default_rng(0).integers(-3000, 3000, (ROWS, 3)).astype("i2")
    path = folder / name
    if name == "intervals.tsv":
        path.write_text(INTERVALS)
        target = path
    else:
        savers()[name](path, array)
        target = {".hea": path, ".zarr": path / "zarr.json"}.get(path.suffix, path)
    good = target.read_bytes()

    @seed(0)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(EDITS)
    def one(edits):
        content = damaged(good, edits)
        target.write_bytes(content)
        counts["examples"] += 1
        try:
            if name == "intervals.tsv":
                found = read_intervals(str(path), ROWS, 10.0)
                assert all(0 <= i.start < i.stop <= ROWS for i in found)
                counts["read"] += 1
                return
            read = read_all(path)
        except MemwaveError as error:
            if str(path) not in str(error) or len(str(error)) > LONGEST_MESSAGE:
                raise AssertionError("an error that does not help") from error
            counts["refused"] += 1
            return
        same = read.shape == array.shape and np.array_equal(read, array)
        counts["same" if same else "other values"] += 1
        if name in CHECKED:
            assert same or read.shape != array.shape, f"{name}: other values in spite of a checksum"

    one()
    return counts


def run(names: list[str], examples: int) -> tuple[str, str]:
    """Fuzz formats in a process of their own; counts of the last one, or how it failed."""
    command = [sys.executable, "-X", "faulthandler", __file__, "--only", *names, str(examples)]
    patience = 60 + PATIENCE * examples * len(names)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return "hangs", ""
    if done.returncode:
        return f"fails with status {done.returncode}", done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1], ""


def formats() -> list[str]:
    return [*savers(), "intervals.tsv"]


def main() -> None:
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["--only"]:
        for name in sys.argv[2:-1]:
            with tempfile.TemporaryDirectory() as folder:
                counts = fuzz(name, int(sys.argv[-1]), Path(folder))
            print("\n" + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
        return
    examples = int(sys.argv[1]) if sys.argv[1:] else 1000
    failed = False
    for name in formats():
        counts, trace = run([name], examples)
        print(f"{name:15} {counts}", flush=True)
        if trace or counts == "hangs":
            failed = True
            print(trace)
    sys.exit(failed)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
