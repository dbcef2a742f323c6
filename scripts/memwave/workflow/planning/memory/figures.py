"""Memory of drawing."""

from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.results.figures.explore.content import content_bytes, page_bytes, reading_bytes
from memwave.results.figures.sizes import FIGURE_BYTES, figure_bytes
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.stages import model_file_bytes

# Memory of Bokeh's modules (25 MB) and of a page without data (8 MB), and copies of the data of a
# page while it is written. The largest page took 8.3 copies.
BOKEH_BYTES, PAGE_COPIES = 50_000_000, 9


def figures_mb(spec: FeatureSpec | MatrixSpec, model: dict) -> int:
    """Return the MB of drawing all figures of one experiment."""
    model_file = model_file_bytes(spec.n_features, model["n_components"])
    return stage_mb(figure_bytes(spec, model_file))


def explore_mb(spec: FeatureSpec | MatrixSpec, model: dict, library_bytes: int = 0) -> int:
    """Return the MB of writing the page of one experiment.

    Parameters
    ----------
    library_bytes : int
        Memory of reading recordings, if features are not stored; see `stages.reading_bytes`.
    """
    k = model["n_components"]
    # What is read is gone when the page is written.
    made = reading_bytes(spec, k) + library_bytes
    written = PAGE_COPIES * page_bytes(spec, k)
    kept = model_file_bytes(spec.n_features, k) + content_bytes(spec, k)
    return stage_mb(BOKEH_BYTES + kept + max(made, written))


def table_figure_mb(n_experiments: int) -> int:
    """Return the MB of the figures that compare all experiments."""
    return stage_mb(FIGURE_BYTES + 100_000 * n_experiments)
