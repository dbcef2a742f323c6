"""From the parameters of an estimator to a solver with all its options that fits the memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from memwave.api.conventions.checks import findings_of
from memwave.core.errors import InvalidMatrix, MemwaveError
from memwave.core.messages import did_you_mean, listed, shown
from memwave.core.precision import compute_dtype
from memwave.core.ranges import count_shards, rows_per_block
from memwave.features.columns import MatrixSpec
from memwave.pca.model import CRITERIA, Model
from memwave.pca.solvers import feature_solvers, row_solvers, solver_module
from memwave.readers import library_bytes
from memwave.readers.matrices.matrix import Matrix
from memwave.workflow.config.settings import complete_model, model_findings
from memwave.workflow.planning.choice import resolve
from memwave.workflow.planning.memory.blocks import Sizes, projection_rows
from memwave.workflow.planning.memory.matrix import predict


class InvalidParameter(MemwaveError, ValueError):
    """A parameter of an estimator has an invalid value."""


@dataclass(frozen=True)
class FitPlan:
    """How a matrix is fitted.

    Attributes
    ----------
    model : dict
        Complete entry of ``models`` in the configuration; names a solver.
    dtype : str
        Type that is computed in.
    block_rows : int
        Rows processed at once.
    shards : int
        Ranges of rows that are summarized one by one.
    memory_mb : int
        Predicted need of the process.
    select : dict
        Which of the components are kept; see `memwave.pca.diagnostics.selection.select`.
    """

    model: dict
    dtype: str
    block_rows: int
    shards: int
    memory_mb: int
    select: dict = field(default_factory=dict)

    def selected(self, model: Model) -> Model:
        """Keep as many components of a fitted model as were asked for."""
        if not self.select:
            return model
        # Only here: loading SciPy's special functions takes time.
        from memwave.pca.diagnostics.selection import select

        return select(model, self.select, model.n_samples)


def spec_of(matrix: Matrix) -> MatrixSpec:
    """Describe the columns of a matrix."""
    names = tuple(matrix.names) if matrix.names else None
    dtype = str(matrix.dtype.newbyteorder("="))
    libraries = library_bytes(matrix.files())
    return MatrixSpec(matrix.shape[1], dtype, names, matrix.grain, libraries)


def most_components(params: dict) -> tuple[Any, dict]:
    """Return how many components are fitted, and which of them are kept.

    Parameters
    ----------
    params : dict
        Of `memwave.PCA`.

    Returns
    -------
    n_components : int or None
        As given, or ``max_components``.
    select : dict
        Empty for all of them; see `memwave.pca.diagnostics.selection.select`.
    """
    given, most = params["n_components"], params["max_components"]
    if isinstance(given, str):
        wanted = "parallel" if given == "auto" else given
        if wanted not in CRITERIA:
            raise InvalidParameter(
                f"n_components is {shown(given)}, expected a number, "
                f"{listed(map(shown, ('auto', *CRITERIA)))}.{did_you_mean(given, CRITERIA)}"
            )
        select: dict[str, Any] = {"criterion": wanted}
    elif isinstance(given, float) and 0.0 < given < 1.0:
        select = {"fraction": given}
    else:
        return given, {}
    if not isinstance(most, int) or most < 1:
        raise InvalidParameter(
            f"max_components is {shown(most)}, expected a whole number of at least 1."
        )
    return most, select


def components_of(n_components: Any, n_rows: int, n_features: int) -> int:
    """Return the number of components to fit; None: as many as possible."""
    most = min(n_rows, n_features)
    if n_components is None:
        return most
    is_whole = hasattr(n_components, "__index__") and not isinstance(n_components, bool)
    if not is_whole or n_components < 1:
        raise InvalidParameter(
            f"n_components is {shown(n_components)}, expected a whole number from 1, a share of "
            "the variance between 0 and 1, a criterion such as 'auto', or None for as many as "
            "there are."
        )
    if n_components > most:
        raise InvalidMatrix(
            f"n_components is {n_components}, expected at most {most}: the matrix has {n_rows} "
            f"rows and {n_features} columns."
        )
    return int(n_components)


def plan_fit(params: dict, spec: MatrixSpec, n_rows: int, n_stored: int | None = None) -> FitPlan:
    """Choose solver and options.

    Parameters
    ----------
    params : dict
        Of `memwave.PCA`.
    spec : MatrixSpec
    n_rows : int
        Rows that are fitted.
    n_stored : int, optional
        Rows of the matrix, if some of them are left out.

    Raises
    ------
    InvalidParameter
        If a parameter is none the solver knows, or what is predicted exceeds ``max_mem_mb``.
    InvalidMatrix
        If the matrix has too few rows or columns.
    """
    if n_rows < 2:
        raise InvalidMatrix(
            "the matrix has 1 sample (n_samples=1), expected at least 2 rows: there is no "
            "variance in one."
        )
    k, select = most_components(params)
    if select:
        k = min(k, n_rows - 1, spec.n_features)
    k = components_of(k, n_rows, spec.n_features)
    model = entry(params, k)
    n_stored = n_stored or n_rows
    shards = min(count_shards(params["shards"], n_stored, spec.row_bytes), n_stored)
    sizes = Sizes(params["block_mb"], shards, params["threads"])
    if params["solver"] == "auto":
        model = resolve(model, spec, n_rows, sizes, params["max_mem_mb"], predict=predict)
        if "random_state" in model:
            model["random_state"] = params["random_state"] or 0
    needs = predict(spec, model, sizes, n_rows)
    require_memory(max(needs.values()), params, spec, model, sizes, n_rows)
    dtype = compute_dtype(model["compute_dtype"], spec.dtype)
    rows = rows_per_block(params["block_mb"], spec.n_features, dtype)
    return FitPlan(model, dtype, rows, shards, max(needs.values()), select)


def entry(params: dict, k: int) -> dict:
    """Return the complete entry of ``models`` for the parameters of an estimator."""
    solver = params["solver"]
    known = ["auto", *feature_solvers()]
    if solver not in known:
        raise InvalidParameter(
            f"solver is {shown(solver)}, expected {listed(map(shown, known))}."
            f"{did_you_mean(solver, known)}"
        )
    options = solver_module(solver).OPTIONS
    if not isinstance(params["solver_options"] or {}, dict):
        raise InvalidParameter(
            f"solver_options is {shown(params['solver_options'])}, expected a dict, or None."
        )
    given: dict[str, Any] = {
        "solver": solver,
        "n_components": k,
        "standardize": params["standardize"],
        "compute_dtype": params["compute_dtype"],
        **(params["solver_options"] or {}),
    }
    if "random_state" in options:
        given["random_state"] = params["random_state"] or 0
    if params["tolerance"] is not None and "tolerance" in options:
        given["tolerance"] = params["tolerance"]
    findings = model_findings(given) + findings_of(params)
    if findings:
        raise InvalidParameter(" ".join(findings))
    return complete_model(given)


def require_memory(
    needed_mb: int,
    params: dict,
    spec: MatrixSpec,
    model: dict,
    sizes: Sizes,
    n_rows: int | None = None,
) -> None:
    """Require that the prediction is within ``max_mem_mb``; the error names settings that fit.

    Where the number of rows is not known, solvers that read columns are not among them.
    """
    limit = params["max_mem_mb"]
    if needed_mb <= limit:
        return
    others = []
    common = {key: model[key] for key in ("n_components", "standardize", "compute_dtype")}
    for name in row_solvers() if n_rows is None else feature_solvers():
        other = complete_model({"solver": name, **common})
        need = max(predict(spec, other, sizes, n_rows or 0).values())
        if name != model["solver"] and need < needed_mb:
            others.append(f"solver={name!r} ({need} MB)")
    chunk = spec.grain * spec.n_features * 8 / 1e6
    band = ""
    if spec.grain > 1 and chunk > sizes.block_mb:
        band = (
            f" Its chunks are of {spec.grain} rows, which are read together: store it in chunks of "
            "fewer rows."
        )
    raise InvalidParameter(
        f"fitting {spec.n_features} columns with solver={model['solver']!r} needs {needed_mb} MB, "
        f"more than max_mem_mb={limit}.{band} Allow more, or use fewer n_components, a smaller "
        f"block_mb than {params['block_mb']}{''.join(f', {other}' for other in others)}."
    )


def block_of_projection(params: dict, n_features: int, dtype: str) -> int:
    """Rows that are projected at once."""
    return projection_rows(n_features, params["block_mb"], dtype)


def checked_levels(levels: float | Sequence[float]) -> tuple[float, ...]:
    """Sort the levels of limits; one number is one level.

    Raises
    ------
    InvalidParameter
        If one is not between 0 and 1.
    """
    several: Any = levels if isinstance(levels, Iterable) else [levels]
    given: list[Any] = [several] if isinstance(several, str) else list(several)
    try:
        found = tuple(sorted(map(float, given)))
    except (TypeError, ValueError):
        found = ()
    if not found or not all(0.0 < level < 1.0 for level in found):
        raise InvalidParameter(
            f"levels are {shown(given)}, expected numbers between 0 and 1, such as 0.99: "
            "the share of ordinary rows below each limit."
        )
    return found
