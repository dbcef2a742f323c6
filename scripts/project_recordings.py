"""Project the windows of one shard whose features are not stored, straight from the recordings."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Protocol

import numpy as np

from memwave.features.feature_blocks import feature_blocks
from memwave.features.spec import FeatureSpec
from memwave.pca.lags.lags import stretches_of, windows_of
from memwave.pca.lags.signal_scores import SignalScores, has_signal_scores
from memwave.pca.model import Model
from memwave.pca.projection import Projector
from memwave.recordings.channel_table import load_scaling
from memwave.recordings.channels import Scaling
from memwave.recordings.gap_file import pieces_left, ranges_left
from memwave.recordings.prepared import load_reading, open_prepared
from memwave.results.model_file import load_model
from memwave.results.projection_file import PartWriter, part_size
from memwave.storage import hdf5
from memwave.workflow import stage
from memwave.workflow.input_checksums import unchanged
from memwave.workflow.stage import Progress


def project_recordings(
    *,
    model_path: str,
    part: str,
    features: dict,
    windows: list[dict],
    train_ranges: list[tuple[int, int]],
    first_row: int,
    n_windows: int,
    block_rows: int,
    dtype: str,
    score_dtype: str,
    channel_table: str | None = None,
    kept: str | None = None,
) -> None:
    """Project a shard.

    Parameters
    ----------
    model_path : path
        The fitted model.
    part : path
        The HDF5 file to write, as `project_features` writes it.
    features : dict
        A feature set and the names of the channels; see `FeatureSpec`.
    windows : list of dict
        What the shard was planned to hold, recording after recording: name, path, dtype, rows,
        first window, count.
    train_ranges : list of (start, stop)
        Rows, as planned, of the shard that PCA was fitted on.
    first_row, n_windows : int
        Where the shard begins among all windows, and how many there are.
    block_rows : int
        Windows computed at once.
    dtype, score_dtype : {"float32", "float64"}
        Type that is computed in, and type that scores are stored in.
    channel_table : path, optional
        What `measure_channels` wrote, where the channels are scaled.
    kept : path, optional
        What `find_gaps` wrote, where windows are left out.

    Raises
    ------
    MemwaveError
        If a recording is not what was planned, has a value that is not finite, or a feature
        overflows the dtype; names recording, row and channel.
    """
    spec = FeatureSpec.from_settings(features, features["channels"])
    scaling = load_scaling(spec.scale, channel_table)
    model = load_model(model_path)
    projector = Projector(model, dtype)
    windows, train_ranges = pieces_left(windows, kept), ranges_left(train_ranges, kept)
    n_rows = sum(piece["count"] for piece in windows)
    progress = Progress(n_rows, f"project_recordings {part}")
    products_size = 8 * (model.n_features + 1) * (model.n_components + 2) * 2
    size = part_size(n_rows, model.n_components, score_dtype) + products_size
    source: Source
    if has_signal_scores(spec, model):
        source = Correlated(spec, scaling, model, projector)
    else:
        source = Computed(spec, scaling, block_rows, dtype, projector)
    row = 0
    with hdf5.create(part, size) as file:
        writer = PartWriter(file, first_row, n_rows, n_windows, model.n_components, score_dtype)
        for piece in windows:
            is_train = any(start <= row < stop for start, stop in train_ranges)
            for scores, errors in source.project(piece, is_train=is_train):
                writer.append(scores, errors)
                progress.add(len(scores))
            row += piece["count"]
        writer.finish(projector)
    progress.close()


class Source(Protocol):
    """A way to scores and reconstruction errors of windows of a recording."""

    def project(self, piece: dict, *, is_train: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield scores and errors, some windows at a time; `is_train`: PCA was fitted on them."""


class Correlated:
    """Scores by correlation with the signal, stretch by stretch."""

    def __init__(
        self, spec: FeatureSpec, scaling: Scaling | None, model: Model, projector: Projector
    ):
        self._spec, self._scaling, self._projector = spec, scaling, projector
        self._signal = SignalScores(spec, model)

    def project(self, piece: dict, *, is_train: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        first = piece["first"] * self._spec.step
        with open_prepared(piece, self._spec, self._scaling) as recording:
            for low, high in stretches_of(windows_of(self._spec), piece["count"]):
                rows = recording.read(first + low, first + high)
                scores, distances = self._signal.project(rows)
                yield scores, self._projector.take_in(scores, distances, is_train=is_train)


class Computed:
    """Scores of features that are computed block by block, and rounded as if they were stored."""

    def __init__(
        self,
        spec: FeatureSpec,
        scaling: Scaling | None,
        block_rows: int,
        dtype: str,
        projector: Projector,
    ):
        self._spec, self._scaling, self._projector = spec, scaling, projector
        self._stored = np.empty((block_rows, spec.n_features), spec.dtype)
        self._loaded = np.empty((block_rows, spec.n_features), dtype)

    def project(self, piece: dict, *, is_train: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        stored, projector = self._stored, self._projector
        for block in feature_blocks(
            self._spec, [piece], len(stored), self._scaling, lambda n: nullcontext(stored[:n])
        ):
            loaded = self._loaded[: len(block)]
            projector.load(block, projector.shift, loaded)
            yield projector.project(loaded, is_train=is_train)


if "snakemake" in globals():
    load_reading(snakemake.params.windows)
    with (
        stage.stage(
            "project_recordings",
            memory_mb=snakemake.resources.mem_mb,
            log_path=snakemake.log[0],
            usage_path=snakemake.output.usage,
        ),
        unchanged(snakemake.params.checksums),
    ):
        project_recordings(
            model_path=snakemake.input.model,
            part=snakemake.output.part,
            features=snakemake.params.features,
            windows=snakemake.params.windows,
            train_ranges=snakemake.params.train_ranges,
            first_row=snakemake.params.first_row,
            n_windows=snakemake.params.n_windows,
            block_rows=snakemake.params.block_rows,
            dtype=snakemake.params.dtype,
            score_dtype=snakemake.params.score_dtype,
            channel_table=next(iter(snakemake.input.channels), None),
            kept=next(iter(snakemake.input.kept), None),
        )
