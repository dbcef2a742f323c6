"""Scores of all shards in a projection: copied from partial projections, or computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.pca.diagnostics.certificate import is_measured
from memwave.pca.linalg.covariance_products import CovarianceProducts
from memwave.pca.model import Model
from memwave.results.partial_projection import open_partial, require_visible
from memwave.results.projection_file import ProjectionWriter
from memwave.storage import hdf5
from memwave.workflow.requests.projection import Assembly
from memwave.workflow.requests.scores.shard_scores import open_scores


@dataclass
class Measured:
    """Sums over all rows that measure a model; see `memwave.pca.projection.Projector`.

    Attributes
    ----------
    error_sums : ndarray, shape (2, 2)
    moments : ndarray, shape (2, k)
    train : CovarianceProducts or None
        Centred.
    """

    error_sums: np.ndarray
    moments: np.ndarray
    train: CovarianceProducts | None = None


def copy_partials(
    writer: ProjectionWriter, partials: Sequence[str], n_rows: int, model: Model, *, is_fitted: bool
) -> Measured:
    """Copy the scores of every shard from its partial projection, and add up the sums."""
    total, row = Measured(np.zeros((2, 2)), np.zeros((2, model.n_components))), 0
    for partial in partials:
        with open_partial(partial) as file:
            with hdf5.reading(partial):
                row += len(file["reconstruction_error"])
                total.error_sums += file["losses"][()]
                total.moments += file["moments"][()]
                if is_fitted and is_measured(model):
                    total.train = merged(total.train, stored_products(file["train"]))
            if row <= n_rows:  # more are only counted, for the error message
                writer.append_partial(file)
    require_planned(partials[0], row, n_rows)
    return total


def stored_products(group: h5py.Group) -> CovarianceProducts:
    """Covariance products of a partial projection."""
    return CovarianceProducts.of_arrays({name: group[name][()] for name in group})


def merged(total: CovarianceProducts | None, train: CovarianceProducts) -> CovarianceProducts:
    """Add the covariance products of a shard to those of the shards before it."""
    if total is None:
        return train
    total.merge(train)
    return total


def project_all(
    writer: ProjectionWriter,
    request: Assembly,
    n_rows: int,
    model: Model,
    shards: Sequence[str],
    valid: Sequence[str],
    channels: str | None,
) -> Measured:
    """Project all shards, one after the other, and add up the sums.

    Parameters
    ----------
    writer : ProjectionWriter
    request : Assembly
        Its `projections` are those of the shards.
    n_rows : int
        Rows of all shards, as planned.
    model : Model
    shards, valid, channels
        See `write_projection`; the files of `open_scores`, of each shard.
    """
    total, row = Measured(np.zeros((2, 2)), np.zeros((2, model.n_components))), 0
    last = request.projections[-1]
    for each, shard, windows in zip_longest(request.projections, shards, valid):
        files = {"shard": shard, "valid": windows, "channels": channels}
        with open_scores(each, model, "write_projection", **files) as scores:
            row += scores.n_rows
            if each is last:
                require_planned(next(iter(shards), None), row, n_rows)
            if row > n_rows:
                continue  # they are only counted, for the error message
            for block in scores.blocks:
                writer.append_scores(*block)
        projector = scores.projector
        require_visible(projector, scores.n_rows, each.score_dtype)
        total.error_sums += projector.error_sums
        total.moments += projector.moments
        if projector.train is not None:
            projector.train.finish()
            total.train = merged(total.train, projector.train)
        del projector, scores  # as large as the model
    writer.finish_scores()
    return total


def require_planned(path: str | None, found: int, planned: int) -> None:
    """Require as many rows of features as windows; `path` is that of the first shard."""
    if found != planned:
        raise MemwaveError(
            f"{path}: all shards together have {found} rows, expected {planned}. A feature shard "
            "differs from the plan: delete the shards and run again to remake them."
        )
