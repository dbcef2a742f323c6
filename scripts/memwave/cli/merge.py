"""``memwave merge MODEL OTHER... -o OUT``: one model of the rows of several."""

import argparse
import os

from memwave.api.estimator import load_model
from memwave.core.errors import MemwaveError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="a model.h5 of memwave pca --summary")
    parser.add_argument(
        "others", nargs="+", metavar="OTHER", help="others, of other rows of the same columns"
    )
    parser.add_argument("-o", "--out", required=True, help="the model.h5 to write")


def run(given: argparse.Namespace) -> int:
    """Merge the models in their order, write the model of all rows and its summary."""
    pca = load_model(given.model)
    require_different([given.model, *given.others])
    for other in given.others:
        pca.merge(load_model(other))
    pca.save(given.out, summary=True)
    print(f"wrote {given.out}: {pca.n_samples_:,} rows of {1 + len(given.others)} models")
    return 0


def require_different(models: list[str]) -> None:
    """Require that no file is given twice, by whatever name: its rows would count twice."""
    known = set()
    for model in models:
        file = os.path.realpath(model)
        if file in known:
            raise MemwaveError(f"{model}: is given twice, expected other rows in each model.")
        known.add(file)
