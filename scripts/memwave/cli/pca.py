"""``memwave pca FILE``: fit PCA to a matrix, in one process."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from memwave.api.conventions.checks import MISSING
from memwave.api.estimator import PCA
from memwave.core.errors import MemwaveError
from memwave.pca.solvers import feature_solvers
from memwave.readers import file_of, open_array
from memwave.results.monitoring.highest import open_contributions
from memwave.storage.atomic import require_folder, require_unread

# Length of the longest bar of the spectrum, and components that are printed.
BAR, PRINTED = 40, 20

# Written where it is asked for; of an earlier model, it is removed.
CONTRIBUTIONS = "contributions.h5"

# Files of labels that are text.
TEXTS = (".txt", ".csv", ".tsv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="rows x columns: .npy, raw, x.h5::/path, .zarr, .h5ad, or a table such as .parquet; "
        "several are stacked in order",
    )
    add_shape(parser)
    add_missing(parser)
    parser.add_argument(
        "-k",
        "--components",
        type=components,
        required=True,
        metavar="K",
        help="their number; or a share of the variance, such as 0.9; or a criterion, such as auto",
    )
    parser.add_argument("-o", "--out", type=Path, default=Path("."), help="folder (default: here)")
    parser.add_argument("--solver", choices=["auto", *feature_solvers()], default="auto")
    parser.add_argument(
        "--standardize", action="store_true", help="divide columns by their standard deviations"
    )
    parser.add_argument(
        "--max-mem-mb", type=int, default=2000, metavar="MB", help="memory limit (default: 2000)"
    )
    parser.add_argument(
        "--block-mb", type=float, default=32, metavar="MB", help="rows read at once (default: 32)"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads that compute (default: 1)")
    parser.add_argument(
        "--labels", metavar="FILE", help="one whole number a row, such as y.npy or y.txt"
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="keep the sums over the rows in model.h5, which memwave update and merge need",
    )
    parser.add_argument(
        "--contributions",
        action="store_true",
        help="write contributions.h5, too: which columns make T2 and SPE of the highest rows large",
    )


def components(text: str) -> int | float | str:
    """Read a number, a share or a criterion, as `memwave.PCA` takes them."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def add_missing(parser: argparse.ArgumentParser) -> None:
    """Describe what is done with missing values."""
    parser.add_argument(
        "--missing",
        choices=MISSING,
        default="error",
        help="rows with NaN: an error (default), or they are left out",
    )


def add_shape(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments for the shape of a raw file."""
    parser.add_argument("--dtype", help="type of the values of a raw file, such as float16")
    parser.add_argument("--columns", type=int, help="columns of a raw file")


def run(given: argparse.Namespace) -> int:
    """Fit, write both files, print the spectrum."""
    pca = PCA(
        given.components,
        solver=given.solver,
        max_mem_mb=given.max_mem_mb,
        standardize=given.standardize,
        block_mb=given.block_mb,
        threads=given.threads,
        missing=given.missing,
        certify=False,  # by the projection, which reads the matrix anyway
        verbose=sys.stderr.isatty(),
    )
    model, projection = given.out / "model.h5", given.out / "projection.h5"
    contributions = given.out / CONTRIBUTIONS if given.contributions else None
    files = [model, projection, *([contributions] if contributions else [])]
    require_folder(given.out)
    read = [*given.files, *([given.labels] if given.labels else [])]
    for file in files:
        require_unread(file, map(file_of, read))
    labels = None if given.labels is None else load_labels(given.labels)
    shape = {"dtype": given.dtype, "columns": given.columns}
    fit = pca.partial_fit if given.summary else pca.fit
    fit(given.files, **shape)
    pca.write_projection(
        projection,
        given.files,
        labels=labels,
        is_train=True,
        contributions=contributions,
        **shape,
    )
    old = given.out / CONTRIBUTIONS
    removed = not given.contributions and remove_contributions(old, map(file_of, read))
    pca.save(model, summary=given.summary)
    print(spectrum(pca))
    if removed:
        print(f"removed {old}, which was of an earlier model")
    print(f"wrote {' and '.join(map(str, files))}")
    return 0


def remove_contributions(path: Path, read: Iterable[str]) -> bool:
    """Remove contributions to an earlier projection, unless they are read; return whether."""
    try:
        require_unread(path, read)
        with open_contributions(path):
            pass
    except (OSError, MemwaveError):
        return False  # there are none, or the file is something else
    path.unlink()
    return True


def load_labels(path: str) -> np.ndarray:
    """Read whole numbers, one a row."""
    if Path(path).suffix in TEXTS:
        try:
            return np.loadtxt(path, np.int64, ndmin=1)
        except (OSError, ValueError) as error:
            raise MemwaveError(
                f"{path}: cannot be read as labels ({error}). Expected one whole number a line."
            ) from error
    with open_array(path, values="stored") as source:
        if len(source.shape) != 1 or source.dtype.kind not in "iu":
            raise MemwaveError(
                f"{path}: holds {source.dtype} of shape {source.shape}, expected labels: one whole "
                "number a row."
            )
        return source.read(0, source.shape[0])


def spectrum(pca: PCA) -> str:
    """Print the explained variance of the components, and their error bounds."""
    shares = pca.explained_variance_ratio_
    lines = [
        f"{pca.n_samples_:,} rows x {pca.n_features_in_:,} columns, solver {pca.solver_}",
        "component   variance   share   added up",
    ]
    total = np.cumsum(shares)
    for i in range(min(len(shares), PRINTED)):
        bar = "#" * round(BAR * shares[i] / max(shares[0], 1e-300))
        variance = pca.explained_variance_[i]
        lines.append(f"{i + 1:9d} {variance:10.4g} {shares[i]:7.1%} {total[i]:10.1%}  {bar}")
    if len(shares) > PRINTED:
        lines.append(f"      ...  (all {len(shares)}: {total[-1]:.1%})")
    first = pca.explained_variance_[0]
    worst = float(pca.residual_.max() / first) if first > 0 else 0.0
    lines.append(
        f"left out: {pca.reconstruction_error_:.3g} of the variance. Every explained variance is "
        f"within {worst:.1e} of the largest from a true one."
    )
    return "\n".join(lines)
