"""How many rows each stage reads, computes and projects at once."""

from dataclasses import dataclass

from memwave.core.ranges import rows_per_block
from memwave.features.spec import FeatureSpec

# Size of the blocks in which recordings are measured. The last bits of means depend on it, so it is
# not configurable.
MEASURED_MB = 8

# Size of the blocks that are projected, unless block_mb is smaller. Blocks of this size stay in the
# cache while they are checked, multiplied and squared.
PROJECTED_MB = 4

# Rows that a BLAS kernel multiplies at once; an incomplete group takes as long as a full one.
KERNEL_ROWS = 8


@dataclass(frozen=True)
class Sizes:
    """Sizes that the configuration sets for a whole run.

    Attributes
    ----------
    block_mb : float
        Size of a block of rows.
    shards : int
        Number of shards of the feature matrix. A fit that reads shards uses at most as many
        threads.
    threads : int
        Number of threads of a fit that reads the features or the recordings several times.
    together : bool
        Whether one job does the short steps of all shards: projecting them, and their lag sums.
    """

    block_mb: float
    shards: int
    threads: int
    together: bool = False


def extraction_rows(spec: FeatureSpec, block_mb: float) -> int:
    """Return the number of windows extracted at once; coefficients are computed in float64."""
    return rows_per_block(block_mb, spec.n_features, "float64")


def measuring_rows(n_channels: int) -> int:
    """Return the number of rows of recordings measured at once."""
    return rows_per_block(MEASURED_MB, n_channels, "float64")


def measured_rows(n_features: int, block_mb: float) -> int:
    """Return the number of rows of features measured at once, in float64."""
    return rows_per_block(block_mb, n_features, "float64")


def projection_rows(n_features: int, block_mb: float, dtype: str) -> int:
    """Return the number of rows projected at once: if possible, a multiple of `KERNEL_ROWS`."""
    rows = rows_per_block(min(block_mb, PROJECTED_MB), n_features, dtype)
    return rows - rows % KERNEL_ROWS or rows


def at_most(rows: int, shard_rows: int | None) -> int:
    """Return the rows of a block of a shard, if that may have fewer; at least one."""
    return rows if shard_rows is None else max(1, min(rows, shard_rows))
