"""``memwave update MODEL FILE... -o OUT``: add rows to a model that kept its summary."""

import argparse
import sys

from memwave.api.estimator import load_model
from memwave.cli.pca import add_missing, add_shape
from memwave.readers import file_of
from memwave.storage.atomic import require_unread


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="a model.h5 of memwave pca --summary")
    parser.add_argument("files", nargs="+", metavar="FILE", help="the new rows, as for memwave pca")
    add_shape(parser)
    add_missing(parser)
    parser.add_argument("-o", "--out", required=True, help="the model.h5 to write")


def run(given: argparse.Namespace) -> int:
    """Add the rows, write the model of all rows and its summary."""
    require_unread(given.out, map(file_of, given.files))
    pca = load_model(given.model).set_params(verbose=sys.stderr.isatty(), missing=given.missing)
    before = pca.n_samples_
    pca.update(given.files, dtype=given.dtype, columns=given.columns)
    pca.save(given.out, summary=True)
    print(f"wrote {given.out}: {before:,} rows and {pca.n_samples_ - before:,} more")
    return 0
