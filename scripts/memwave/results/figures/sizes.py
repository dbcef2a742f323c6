"""Memory of each figure. It does not depend on the length of the projection."""

from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.results.figures.classes import MOST_CLASSES
from memwave.results.figures.density import density_bytes
from memwave.results.figures.rows import BLOCK_ROWS, RECORDINGS, SHOWN, block_bytes
from memwave.results.figures.timeline import timeline_bytes

# Memory of matplotlib, without Python and NumPy: its modules, fonts, some hundred lines, and the
# text of the figure.
FIGURE_BYTES = 60_000_000

# Number of components drawn as signals.
COMPONENTS = 4


def figure_bytes(spec: FeatureSpec | MatrixSpec, model_file: int) -> int:
    """Memory, in bytes, of drawing all figures of one experiment.

    Parameters
    ----------
    spec : FeatureSpec or MatrixSpec
    model_file : int
        Memory of loading the model, in bytes.
    """
    alone = FIGURE_BYTES + model_file
    block = block_bytes(SHOWN)
    pairs = SHOWN * (SHOWN - 1) // 2
    in_time = RECORDINGS * timeline_bytes(SHOWN, MOST_CLASSES, BLOCK_ROWS)
    drawn = pairs * density_bytes(MOST_CLASSES, BLOCK_ROWS) + 3 * in_time + block_bytes(1)
    # A window, its reconstruction and its contributions, as features and as signals.
    highest = 8 * 12 * (spec.window * spec.n_channels + spec.n_features)
    return alone + _waves_bytes(spec) + highest + block + drawn


def _waves_bytes(spec: FeatureSpec | MatrixSpec) -> int:
    """Memory of the inverse transforms of the components that are drawn, and of their errors."""
    return 8 * COMPONENTS * (16 * spec.window * spec.n_channels + 3 * spec.n_features)
