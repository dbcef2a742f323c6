"""Memory of the stages that read recordings or features, and that write projections."""

from collections.abc import Iterable

from memwave.core.moments import moments_bytes
from memwave.features import sliding
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.pca.diagnostics.certificate import bounds_bytes
from memwave.readers import SCRATCH_BYTES, library_bytes, scratch_bytes
from memwave.recordings import channels
from memwave.recordings.gaps import margin_bytes
from memwave.recordings.labels.coding import labels_bytes
from memwave.recordings.resampling import Ratio, resampling_bytes
from memwave.results.monitoring.highest import contribution_bytes
from memwave.results.monitoring.limits import monitoring_bytes
from memwave.results.monitoring.single_rows import single_row_bytes
from memwave.results.projection_file import writer_bytes
from memwave.workflow.planning.memory.blocks import (
    Sizes,
    at_most,
    extraction_rows,
    measured_rows,
    measuring_rows,
)
from memwave.workflow.planning.memory.processes import stage_mb

# Memory of all intervals of labels of a recording.
INTERVALS_BYTES = 80_000_000


def reading_bytes(dataset: dict, paths: Iterable[str], ratios: Iterable[Ratio | None]) -> int:
    """Memory, in bytes, of reading, without the rows: libraries, margins for gaps, resampling.

    Parameters
    ----------
    dataset : dict
        Complete entry of ``datasets`` in the configuration.
    paths : iterable of str
        Paths of its recordings.
    ratios : iterable of (up, down) or None
        Resampling ratios of its recordings.
    """
    n_channels = len(dataset["channels"])
    margins = margin_bytes(dataset["max_gap"], n_channels)
    paths = list(paths)
    libraries = library_bytes(paths) + scratch_bytes(paths)
    return libraries + margins + resampling_bytes(ratios, n_channels)


def conversion_mb(library_bytes: int) -> int:
    """Return the MB of converting a recording. The output is a memory map and does not count."""
    return stage_mb(library_bytes + SCRATCH_BYTES)


def labelling_mb(library_bytes: int) -> int:
    """Return the MB of converting labels."""
    return stage_mb(library_bytes + INTERVALS_BYTES + SCRATCH_BYTES)


def measuring_bytes(n_channels: int, rows: int | None = None) -> int:
    """Memory, in bytes, of measuring the channels of a dataset, of recordings of so many rows."""
    block_rows = at_most(measuring_rows(n_channels), rows)
    return channels.measuring_bytes(n_channels, block_rows)


def gap_bytes(n_channels: int, rows: int | None = None) -> int:
    """Memory, in bytes, of looking for gaps: rows as read, flags of values, runs of rows."""
    block_rows = at_most(measuring_rows(n_channels), rows)
    return block_rows * ((8 + 3) * n_channels + 48)


def extraction_bytes(spec: FeatureSpec, block_mb: float, shard_rows: int | None = None) -> int:
    """Memory, in bytes, of extracting a block, without the block, which is a memory map."""
    rows = at_most(extraction_rows(spec, block_mb), shard_rows)
    return sliding.working_bytes(spec, rows)


def feature_moments_bytes(n_features: int, block_mb: float, shard_rows: int | None = None) -> int:
    """Memory, in bytes, of measuring the features of a shard."""
    return moments_bytes(n_features, at_most(measured_rows(n_features, block_mb), shard_rows))


def model_file_bytes(n_features: int, n_components: int) -> int:
    """Memory of a model and of its table of features, which are written or read."""
    return 4 * 8 * n_components * n_features + 400 * n_features


def vector_bytes(model: dict, n_features: int) -> int:
    """Memory, in bytes, of a few numbers per feature: shifts, sums, means and scales."""
    return (192 if model["standardize"] else 64) * n_features


def writing_bytes(
    spec: FeatureSpec | MatrixSpec, n_components: int, window_label: str, window: int
) -> int:
    """Memory, in bytes, of writing a projection, without that of reading."""
    d, k = spec.n_features, n_components
    certified = model_file_bytes(d, k) + 6 * 8 * d * (k + 1) + bounds_bytes(d, k)
    monitored = monitoring_bytes() + contribution_bytes(d, k) + single_row_bytes(spec)
    return certified + monitored + labels_bytes(window_label, window)


def in_one_job(
    stages: dict[str, int], sizes: Sizes, n_features: int, n_components: int
) -> dict[str, int]:
    """Bytes of the stages that have jobs: `write_projection` may project all shards itself.

    One after the other, so it needs the larger memory, and the open projection with the products
    of the shards before.
    """
    if not sizes.together:
        return stages
    left = {name: need for name, need in stages.items() if not name.startswith("project_")}
    (projecting,) = (need for name, need in stages.items() if name not in left)
    products = 8 * n_features * (n_components + 1) * (sizes.shards > 1)
    writing = max(left["write_projection"], projecting + writer_bytes() + products)
    return left | {"write_projection": writing}
