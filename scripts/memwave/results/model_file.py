"""model.h5: the file of a fitted PCA."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from memwave.core.errors import MemwaveError
from memwave.features.spec import FeatureSpec
from memwave.pca.model import Model
from memwave.recordings.channels import Scaling
from memwave.results.extraction import ENCODING, SCALING, is_of_matrix
from memwave.storage import hdf5

MODEL = "model.h5"
VERSION = "1"

DESCRIPTIONS = {
    "components": "Loadings, orthonormal rows: components x features.",
    "mean": "Mean of the features over the fitted windows.",
    "explained_variance": "Variance of the scores on each component (n - 1): eigenvalues of the "
    "covariance of the features.",
    "explained_variance_ratio": "Explained variance as a share of the total variance.",
    "singular_values": "Singular values of the centred feature matrix.",
    "noise_variance": "Mean variance along the components that were not kept.",
}

RESIDUAL = (
    "||C v - l v|| of each component v with explained variance l, as computed: but for rounding, "
    "the covariance C of the train windows has an eigenvalue within this distance of l."
)

ERROR_BOUND = (
    "The covariance of the train windows has an eigenvalue within this distance of each explained "
    "variance, all rounding counted."
)

SUMMARY = "Sums over the fitted rows, to which more rows can be added."

# What of a plan is stored with sums over rows, and these, by name.
Summary = tuple[dict[str, Any], dict[str, np.ndarray]]

SCALE = "Standard deviation of the features, which the centred features are divided by."

RESIDUAL_MOMENTS = (
    "Of the eigenvalues that belong to no component: their sum, the sum of their squares over "
    "their sum, and the sum of their cubes over that of their squares; nan where it is unknown."
)

ROTATION = (
    "Varimax rotation: scores over their standard deviations, times this, are rotated scores."
)
ROTATED = "Loadings after the rotation, in units of the features: components x features."
SPECTRUM = "Explained variance of all components that were fitted, also of those not kept."

# For each dataset of the limits: its description in the file.
LIMITS = {
    "limit_level": "Share of the rows below each limit.",
    "t2_limit": "Limits of Hotelling's T2: of train rows, and of other rows.",
    "spe_limit": "Limits of the squared prediction error: of train rows, and of other rows.",
}


def save_model(
    path: str | Path,
    model: Model,
    feature_table: np.ndarray,
    provenance: dict,
    scaling: Scaling | None = None,
    spec: FeatureSpec | None = None,
    summary: Summary | None = None,
) -> None:
    """Write a model.

    Parameters
    ----------
    path : path
        The file appears under this name when it is complete.
    model : Model
        The model to write.
    feature_table : ndarray, shape (d,), fields channels, band, position
        See `FeatureSpec.feature_table`.
    provenance : dict
        Configuration of the run, and versions; stored as JSON.
    scaling : Scaling, optional
        Scaling of the channels before the features were computed.
    spec : FeatureSpec, optional
        Specification of the features. Without it, the model cannot be applied to recordings.
    summary : (dict, dict of str to ndarray), optional
        What more rows can be added to; see `memwave.api.streams.updating`.
    """
    table = fixed_width(feature_table)
    facts, arrays = summary or ({}, {})
    size = 2 * model.components.nbytes + table.nbytes + 64 * len(table)
    size += sum(array.nbytes for array in arrays.values())
    with hdf5.create(path, size) as file:
        hdf5.mark(file, ENCODING, VERSION)
        for name, description in DESCRIPTIONS.items():
            data = np.asarray(getattr(model, name), dtype=np.float64)
            options = {"fletcher32": True, "chunks": data.shape} if data.ndim else {}
            hdf5.dataset(file, name, data, description, **options)
        if model.residual is not None:
            hdf5.dataset(file, "residual", model.residual, RESIDUAL)
            hdf5.dataset(file, "error_bound", model.error_bound, ERROR_BOUND)
        hdf5.dataset(
            file,
            "features",
            table,
            "Which channels, band and position in the band each feature is.",
            fletcher32=True,
            chunks=(min(len(table), 4096),),
        )
        if model.scale is not None:
            hdf5.dataset(file, "scale", model.scale, SCALE, fletcher32=True, chunks=table.shape)
        save_limits(file, model)
        save_selection(file, model)
        if scaling is not None:
            for name, (attribute, description) in SCALING.items():
                hdf5.dataset(file, name, getattr(scaling, attribute), description)
        if spec is not None:
            file.attrs["extraction"] = json.dumps(asdict(spec), sort_keys=True)
        for name, array in arrays.items():
            hdf5.dataset(file, f"summary_{name}", array, SUMMARY)
        if summary is not None:
            file.attrs["summary"] = json.dumps(facts, sort_keys=True)
        file.attrs["n_samples"] = model.n_samples
        file.attrs["n_features"] = model.n_features
        file.attrs["total_variance"] = model.total_variance
        file.attrs["solver"] = model.solver
        file.attrs["eigenvalue_error_bound"] = model.eigenvalue_error_bound
        file.attrs["rounding"] = model.rounding
        file.attrs["next_variance"] = model.next_variance
        file.attrs["solver_notes"] = json.dumps(model.notes, sort_keys=True)
        file.attrs["provenance"] = json.dumps(provenance, sort_keys=True)


def load_given(path: str | Path) -> Model:
    """Read a model that is an input of a run, as `load_model` does; it is not to be deleted."""
    with hdf5.given(path, MODEL):
        return load_model(path)


def save_selection(file: h5py.File, model: Model) -> None:
    """Write how the components were selected, and their rotation."""
    if model.spectrum is not None:
        hdf5.dataset(file, "spectrum", model.spectrum, SPECTRUM)
    if model.rotation is not None:
        hdf5.dataset(file, "rotation", model.rotation, ROTATION)
        hdf5.dataset(file, "rotated_loadings", model.rotated_loadings, ROTATED)
    file.attrs["selection"] = json.dumps(model.selection, sort_keys=True)


def save_limits(file: h5py.File, model: Model) -> None:
    """Write what is known of the residual eigenvalues, and limits by the formulas."""
    # Only here: Snakemake's own process, which reads models, has no use for it.
    from memwave.pca.diagnostics.monitoring import LEVELS, model_limits

    if model.residual_moments is not None:
        hdf5.dataset(file, "residual_moments", model.residual_moments, RESIDUAL_MOMENTS)
    pairs = [model_limits(model, LEVELS, is_train=is_train) for is_train in (True, False)]
    t2, spe = (np.array(limits) for limits in zip(*pairs, strict=True))
    for name, values in {"limit_level": np.array(LEVELS), "t2_limit": t2, "spe_limit": spe}.items():
        hdf5.dataset(file, name, values, LIMITS[name])


def load_model(path: str | Path) -> Model:
    """Read a model written by `save_model`."""
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        model = Model(
            components=file["components"][()],
            mean=file["mean"][()],
            explained_variance=file["explained_variance"][()],
            total_variance=float(file.attrs["total_variance"]),
            n_samples=int(file.attrs["n_samples"]),
            solver=str(file.attrs["solver"]),
            eigenvalue_error_bound=float(file.attrs["eigenvalue_error_bound"]),
            residual=file["residual"][()] if "residual" in file else None,
            notes=json.loads(file.attrs["solver_notes"]),
            rounding=float(file.attrs.get("rounding", np.nan)),
            next_variance=float(file.attrs.get("next_variance", np.nan)),
            scale=file["scale"][()] if "scale" in file else None,
            residual_moments=file["residual_moments"][()] if "residual_moments" in file else None,
            rotation=file["rotation"][()] if "rotation" in file else None,
            spectrum=file["spectrum"][()] if "spectrum" in file else None,
            selection=json.loads(file.attrs.get("selection", "{}")),
        )
    require_usable(model, path)
    return model


def has_summary(path: str | Path) -> bool:
    """Whether more rows can be added to a model."""
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        return "summary" in file.attrs


def load_summary(path: str | Path) -> Summary:
    """Read what more rows can be added to, as given to `save_model`."""
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        names = [name for name in file if name.startswith("summary_")]
        arrays = {name.removeprefix("summary_"): file[name][()] for name in names}
        return json.loads(file.attrs["summary"]), arrays


def require_usable(model: Model, path: str | Path) -> None:
    """Raise MemwaveError unless shapes agree, and all numbers that a projection uses are finite."""
    _require_shapes(model, path)
    numbers: dict[str, np.ndarray | float] = {
        "components": model.components,
        "mean": model.mean,
        "explained_variance": model.explained_variance,
        "total_variance": model.total_variance,
        "scale": 1.0 if model.scale is None else model.scale,
    }
    for name, values in numbers.items():
        if not np.isfinite(values).all():
            raise MemwaveError(
                f"{path}: {name} has values that are not finite, expected numbers only. The model "
                "is damaged or was made by another program: fit it again."
            )
    if model.scale is not None and not (model.scale > 0).all():
        raise MemwaveError(
            f"{path}: scale has values of zero or below, expected standard deviations. The model "
            "is damaged or was made by another program: fit it again."
        )


def _require_shapes(model: Model, path: str | Path) -> None:
    k, d = (*model.components.shape, 0, 0)[:2]
    expected: dict[str, tuple[int, ...]] = {
        "mean": (d,),
        "explained_variance": (k,),
        "residual": (k,),
        "scale": (d,),
    }
    for name, shape in {"components": (k, d), **expected}.items():
        values = getattr(model, name)
        if values is not None and (values.shape != shape or not values.size):
            raise MemwaveError(
                f"{path}: {name} has shape {values.shape}, expected {shape} for {k} components of "
                f"{d} features. The model is damaged or was made by another program: fit it again."
            )


def is_of_recordings(path: str | Path) -> bool:
    """Whether a model was fitted to features of recordings, rather than to columns of a matrix."""
    with (
        hdf5.given(path, MODEL),
        hdf5.reading(path),
        hdf5.open_read_only(path, ENCODING) as file,
    ):
        return not is_of_matrix(file["features"])


def load_column_names(path: str | Path) -> list[str] | None:
    """Read the names of the columns that a model was fitted to; None if they have none."""
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        if not is_of_matrix(file["features"]):
            return None
        names = [name.decode() for name in file["features"]["channels"]]
    return None if names == [f"column {i}" for i in range(len(names))] else names


def load_provenance(path: str | Path) -> dict:
    """Read the provenance of a model: its part of the configuration, and versions."""
    with hdf5.reading(path), hdf5.open_read_only(path, ENCODING) as file:
        return json.loads(file.attrs["provenance"])


def fitted_dataset(path: str | Path) -> dict:
    """Read the configuration of the dataset of a model's fit; empty if it is unknown."""
    datasets = load_provenance(path).get("configuration", {}).get("datasets", {})
    return next(iter(datasets.values()), {})


def fixed_width(table: np.ndarray) -> np.ndarray:
    """Convert the text fields of a table to fixed width, that of their longest entry."""
    fields = []
    names = table.dtype.names or ()
    for name in names:
        if table.dtype[name].hasobject:
            width = max((len(text.encode()) for text in table[name]), default=1)
            fields.append((name, h5py.string_dtype("utf-8", max(width, 1))))
        else:
            fields.append((name, table.dtype[name]))
    fixed = np.empty(len(table), dtype=fields)
    for name in names:
        column = table[name]
        fixed[name] = [t.encode() for t in column] if column.dtype.hasobject else column
    return fixed
