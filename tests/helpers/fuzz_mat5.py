"""MAT-files of version 5 by coverage: the parser ends, with an error of its own or with values.

Run as ``python tests/helpers/fuzz_mat5.py -atheris_runs=100000``; ``make fuzz`` does. Needs
atheris.
"""

import io
import sys
import tempfile
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "scripts")]

with atheris.instrument_imports(include=["memwave.readers.formats.mat.mat5"]):
    from memwave.readers.formats.mat import mat5

import test_mat  # noqa: E402

# Most bytes of values that are looked at: a small file may hold many, packed.
MOST_BYTES = 1 << 20


def read(content: bytes) -> None:
    try:
        for variable in mat5.variables(io.BytesIO(content), len(content)):
            if variable.numeric and len(variable.shape) == 2 and min(variable.shape) > 0:
                left = MOST_BYTES
                for _, _, values in variable.columns():
                    left -= values.nbytes
                    if left < 0:
                        break
    except mat5.Damaged:
        pass


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        samples = [test_mat.PLAIN_FILE, test_mat.PACKED_FILE]
        samples += [content for content, _ in test_mat.BAD.values()]
        for i, content in enumerate(samples):
            (Path(folder) / str(i)).write_bytes(content)
        atheris.Setup([*sys.argv, folder], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
