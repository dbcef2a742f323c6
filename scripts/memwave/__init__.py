"""Wavelet features of sliding windows, and their PCA, in bounded memory."""

import os

__version__ = "0.1.0"

# One BLAS thread a process, set before numpy loads: the order in which BLAS sums, and so the last
# bits of every result, depends on its thread count. memwave runs shards side by side instead and
# merges them in a fixed order, so that the bits depend on the configuration alone. Scripts
# therefore import nothing that loads numpy before this package.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
