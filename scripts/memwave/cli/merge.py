"""``memwave merge MODEL OTHER... -o OUT``: one model of the rows of several."""

import argparse

from memwave.api.estimator import load_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="a model.h5, written by save(..., summary=True)")
    parser.add_argument(
        "others", nargs="+", metavar="OTHER", help="others, of other rows of the same columns"
    )
    parser.add_argument("-o", "--out", required=True, help="the model.h5 to write")


def run(given: argparse.Namespace) -> int:
    """Merge the models in their order, write the model of all rows and its summary."""
    pca = load_model(given.model)
    for other in given.others:
        pca.merge(load_model(other))
    pca.save(given.out, summary=True)
    print(f"wrote {given.out}: {pca.n_samples_:,} rows of {1 + len(given.others)} models")
    return 0
