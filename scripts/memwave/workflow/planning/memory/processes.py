"""Memory of a process and of its threads, beside the arrays of a stage."""

from memwave.core.ranges import MEGABYTE

# Python with numpy, scipy, PyWavelets, h5py and the preamble of Snakemake has 40 MB of anonymous
# memory. The rest is for the packing buffers of BLAS and for small objects.
BASE_MB = 80

# Small objects of each further thread, and most of its packing buffer of BLAS.
THREAD_MB, PACKING_MB = 6, 42

# BLAS packs both matrices of a product in parts. A part has at most so many terms of each sum, and
# of one of the matrices at most so many rows.
PACKED_TERMS, PACKED_ROWS = 768, 1024

# Snakemake in a cluster job, in addition to the stage: one process waits for the step of the job,
# another one starts the stage. Both together had 190 to 250 MB of anonymous memory. It is more if
# optional libraries that Snakemake loads are installed, such as pandas.
LAUNCHER_MB = 300


def stage_mb(arrays: int) -> int:
    """Return the MB of a stage whose arrays have `arrays` bytes."""
    return BASE_MB + -(-arrays // MEGABYTE)


def thread_bytes(longest: int | None = None, itemsize: int = 8) -> int:
    """Memory, in bytes, of a further thread, beside its arrays.

    Parameters
    ----------
    longest : int, optional
        Longest side of the matrices that it multiplies. Without it, of any length.
    itemsize : int
        Bytes of a value of them.
    """
    packing = PACKING_MB * MEGABYTE
    if longest is not None:
        rows = longest + min(longest, PACKED_ROWS)
        packing = min(packing, itemsize * PACKED_TERMS * rows)
    return THREAD_MB * MEGABYTE + packing
