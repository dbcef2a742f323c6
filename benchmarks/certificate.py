"""The certificate's table: claimed bounds against true errors, over solvers, types and shapes.

``python benchmarks/certificate.py`` fits every solver to matrices of its own, projects them, and
compares the explained variances with eigenvalues of the covariance in higher precision. Errors and
bounds are shares of the largest eigenvalue. Its status is 1 if a bound does not hold.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))

from certifying import measured, true_variances
from fitting import decaying, fit, shards

from memwave.pca.diagnostics.certificate import error_bounds
from memwave.pca.solvers import load_libraries

SOLVERS = ("covariance", "incremental", "randomized", "gram")
# A Gram matrix of more rows is no way to go.
MOST_GRAM_ROWS = 5000
# What features are stored in, and what a fit computes in.
TYPES = (
    ("float16", "float32"),
    ("float32", "float32"),
    ("float64", "float32"),
    ("float64", "float64"),
)


@dataclass(frozen=True)
class Case:
    """Rows to fit k components to."""

    name: str
    rows: np.ndarray
    k: int


def cases() -> Iterator[Case]:
    """Matrices of several shapes, among them those in which rounding has a direction."""
    random = np.random.default_rng(0)
    yield Case("2 000 000 x 1, +-1.1", random.choice([-1.1, 1.1], (2_000_000, 1)), 1)
    yield Case("2 000 000 x 1, normal", random.normal(size=(2_000_000, 1)), 1)
    yield Case("500 000 x 8, decaying", decaying(500_000, 8), 3)
    yield Case("300 x 20, normal", random.normal(size=(300, 20)), 5)
    yield Case("3000 x 40, offset 1000", decaying(3000, 40) + 1e3, 5)
    yield Case("5000 x 500, decaying", decaying(5000, 500), 10)
    yield Case("4000 x 1200, slowly decaying", decaying(4000, 1200, decay=0.5), 20)


def certify(case: Case, solver: str, stored: str, computed: str) -> tuple[str, bool]:
    """One row of the table, and whether the bounds hold."""
    rows = case.rows.astype(stored)
    parts = shards(rows, 3)
    block_rows = max(1, 32_000_000 // (rows.shape[1] * np.dtype(computed).itemsize))
    model = fit(solver, parts, dtype=computed, block_rows=block_rows, n_components=case.k)
    bounds = error_bounds(model, measured(model, parts))
    true = true_variances(rows, case.k)
    errors = np.abs((model.explained_variance - true).astype(np.float64))
    fitted = model.eigenvalue_error_bound
    holds = bool((errors <= bounds).all()) and not (errors > fitted).any()
    scale = float(true[0])
    ratio = bounds.max() / max(errors.max(), np.finfo(np.float64).tiny)
    row = (
        f"| {case.name} | {solver} | {stored} | {computed} | {errors.max() / scale:.1e} "
        f"| {bounds.max() / scale:.1e} | {ratio:.2g} | {fitted / scale:.1e} "
        f"| {'yes' if holds else 'NO'} |"
    )
    return row, holds


def main() -> int:
    print(
        "| rows x features | solver | stored | computed | error | bound | ratio | fit's | holds |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    failed = 0
    load_libraries("covariance")
    for case in cases():
        for stored, computed in TYPES:
            for solver in SOLVERS:
                if solver == "gram" and len(case.rows) > MOST_GRAM_ROWS:
                    continue
                row, holds = certify(case, solver, stored, computed)
                failed += not holds
                print(row, flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
