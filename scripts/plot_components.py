"""Draw the components of a model as signals: the inverse wavelet transform of their loadings."""

import h5py

from memwave.features.spec import FeatureSpec
from memwave.results.figures.components import draw_components
from memwave.results.figures.style import save_figure
from memwave.results.model_file import load_model
from memwave.storage import hdf5
from memwave.workflow import stage


def plot_components(
    *, model_path: str, features: dict, rate: float | None, units: dict[str, str], figure: str
) -> None:
    """Draw a figure.

    Parameters
    ----------
    model_path : path
    features : dict
        A feature set and the names of the channels; see `FeatureSpec`.
    rate : float or None
        Rows a second.
    units : dict of str to str
        Units of the channels, by name.
    figure : path
        The SVG file to write.
    """
    spec = FeatureSpec.from_settings(features, features["channels"])
    with hdf5.reading(model_path), h5py.File(model_path, "r", locking=False) as file:
        spread = file["channel_spread"][()] if "channel_spread" in file else 1.0
    model = load_model(model_path)
    save_figure(draw_components(model, spec, rate=rate, units=units, spread=spread), figure)


if "snakemake" in globals():
    with stage.stage(
        "plot_components",
        memory_mb=snakemake.resources.mem_mb,
        log_path=snakemake.log[0],
        usage_path=snakemake.output.usage,
    ):
        plot_components(
            model_path=snakemake.input.model,
            features=snakemake.params.features,
            rate=snakemake.params.dataset["sampling_rate"],
            units=snakemake.params.dataset["units"],
            figure=snakemake.output.figure,
        )
