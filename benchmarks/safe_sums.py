"""The price of sums of products that do not lose digits with the rows of a block, in paired runs.

``python benchmarks/safe_sums.py`` multiplies blocks of 32 MB of float32 with themselves, in turn by
one product each, and as `memwave.pca.linalg.short_products` does. It prints the median of the
ratios of their times, and the relative error of both. BLAS has one thread.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "scripts"))

from memwave.pca.linalg.short_products import add_products

BLOCK_BYTES = 32_000_000
PAIRS = 7
FEATURES = (1, 8, 64, 500, 2000)

Add = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def add_product(left: np.ndarray, right: np.ndarray, total: np.ndarray) -> None:
    """Add ``left' @ right``, computed at once, to `total`."""
    total += left.T @ right


def timed(add: Add, block: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the seconds of adding a block, and what was added."""
    total = np.zeros((block.shape[1],) * 2)
    begin = time.perf_counter()
    add(block, block, total)
    return time.perf_counter() - begin, total


def main() -> None:
    """Print a row for each number of features."""
    print("| features | rows of a block | time, short / one | error of one | error of short |")
    print("|---|---|---|---|---|")
    random = np.random.default_rng(0)
    for d in FEATURES:
        n = BLOCK_BYTES // (4 * d)
        block = random.choice(np.float32([-1.1, 1.1]), (n, d))
        ratios, plain, short = [], None, None
        for _ in range(PAIRS):
            one, plain = timed(add_product, block)
            several, short = timed(add_products, block)
            ratios.append(several / one)
        true = n * float(np.float32(1.1)) ** 2
        errors = [abs(float(found[0, 0]) - true) / true for found in (plain, short)]
        ratio = statistics.median(ratios)
        print(f"| {d} | {n:,} | {ratio:.2f} | {errors[0]:.1e} | {errors[1]:.1e} |", flush=True)


if __name__ == "__main__":
    main()
