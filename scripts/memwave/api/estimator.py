"""`PCA`: scikit-learn's names, for matrices that do not fit in memory."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Self

import numpy as np

from memwave import __version__
from memwave.api import projecting
from memwave.api.conventions.containers import Containers
from memwave.api.conventions.parameters import Parameters
from memwave.api.conventions.state import FITTED, fitted_value, not_fitted
from memwave.api.fitting import (
    Certificate,
    computing,
    fit_matrix,
    known_certificate,
    measure_certificate,
)
from memwave.api.planning import block_of_projection, checked_levels, entry, plan_fit, spec_of
from memwave.api.streams.accumulator import Accumulator, is_stream, plan_stream
from memwave.api.streams.one_pass import available_with_one_pass
from memwave.api.streams.updating import Updating, stored
from memwave.core.errors import InvalidMatrix
from memwave.core.precision import compute_dtype
from memwave.core.progress import Progress
from memwave.features.columns import MatrixSpec
from memwave.pca.diagnostics.contributions import contributions
from memwave.pca.diagnostics.monitored import LEVELS, Monitoring, compared
from memwave.pca.model import Model, t2_weights
from memwave.pca.projection import Projector
from memwave.readers.matrices.matrix import Matrix
from memwave.readers.matrices.objects import as_matrix
from memwave.results import model_file
from memwave.workflow.planning.memory import measuring_rows


class PCA(Updating, Containers, Parameters):
    """Principal component analysis of a matrix that may be larger than the memory.

    The matrix is read in place, block by block, as often as the solver needs it. The memory is
    predicted before anything is read, and bounded by `max_mem_mb`. Names and conventions are those
    of `sklearn.decomposition.PCA`.

    Parameters
    ----------
    n_components : int, float or str, optional
        Number of components; by default the smaller of the numbers of rows and columns. A number
        between 0 and 1: as many as explain more than this share of the variance. ``"parallel"``,
        ``"gavish-donoho"``, ``"mle"``, ``"profile-likelihood"``: as many as this criterion says;
        ``"auto"`` is the first. Rows count as independent of each other.
    max_components : int
        Components that are fitted, and of which some are kept, if `n_components` is a share or a
        criterion. Memory and time are those of this number.
    solver : {"auto", "covariance", "gram", "randomized", "incremental"}
        How the components are found. ``covariance`` is exact and reads the matrix once; it needs
        memory for columns squared. ``gram`` is exact and reads it twice; it needs memory for rows
        squared. ``randomized`` reads it a few times. ``incremental`` reads it once, and bounds its
        own error. ``auto`` takes the fastest that keeps eigenvalues within
        `tolerance` and fits `max_mem_mb`.
    max_mem_mb : int
        Memory that fitting and transforming may need, in MB (10**6 bytes), Python and libraries
        included. What exceeds it is refused before it begins.
    tolerance : float, optional
        How far an eigenvalue may be from the true one, as a share of the largest. By default that
        of the solver.
    standardize : bool
        Divide the centred columns by their standard deviations: a PCA of the correlations.
    compute_dtype : {"auto", "float32", "float64"}
        Type of the products; sums over rows are kept in float64. ``auto`` is float32 for values
        that it holds (float16, float32, integers of up to 16 bits).
    shards : int or "auto"
        Ranges of rows that are summarized one by one; ``auto`` is one for every 256 MB. The last
        bits depend on it, and on nothing else: neither on `threads` nor on the machine's load.
    block_mb : float
        Size of the blocks of rows that are processed at once.
    threads : int
        Threads that compute, and shards that are read at the same time.
    missing : {"error", "drop"}
        What is done with rows that have missing values (NaN): an error that names row and column,
        or they are left out, which takes one more read. Their scores are NaN.
    certify : bool
        Whether residuals that the solver does not compute are measured by one more read.
    random_state : int, optional
        Seed of ``randomized``.
    solver_options : dict, optional
        Further options of the solver, as in the configuration of the workflow.
    verbose : bool
        Draw progress bars on standard error.

    Attributes
    ----------
    components_ : ndarray, shape (n_components, n_features), float64
        Orthonormal, largest variance first; the entry of largest magnitude is positive.
    explained_variance_ : ndarray, shape (n_components,)
        Eigenvalues of the covariance (n - 1 in the denominator).
    explained_variance_ratio_ : ndarray, shape (n_components,)
        Their share of the total variance.
    singular_values_ : ndarray, shape (n_components,)
        Of the centred matrix.
    mean_ : ndarray, shape (n_features,)
    scale_ : ndarray, shape (n_features,), or None
        Standard deviations, if `standardize`.
    noise_variance_ : float
        Mean of the other eigenvalues.
    n_components_, n_samples_, n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)
        Only where the file or the table names its columns.
    residual_ : ndarray, shape (n_components,), or None
        ``||C v - l v||``: the covariance C has an eigenvalue within this distance of each
        explained variance l. None where it was not measured.
    selection_ : dict
        How the number of components was chosen: ``suggested`` has what all criteria say, `reached`
        whether a share was reached. Empty if a number was given.
    error_bound_ : ndarray, shape (n_components,), or None
        No explained variance is further from an eigenvalue of the true covariance than this,
        rounding included; nan where it is not known.
    reconstruction_error_ : float
        Share of the variance of the fitted rows that the components leave; nan if not measured.
    eigenvalue_error_bound_ : float
        No eigenvalue is further from the true one than this; nan if the solver knows no bound.
    solver_ : str
        The solver that ran.

    See Also
    --------
    memwave.load_model : Read a model that `save` or the workflow wrote.

    Notes
    -----
    The same code fits models in the workflow: components are equal to the byte for the same
    matrix, shards and options. BLAS computes in one thread meanwhile, since its sums depend on
    the number of its threads.

    Examples
    --------
    >>> import numpy as np
    >>> import memwave
    >>> X = np.random.default_rng(0).normal(size=(500, 8)) * [9, 5, 3, 1, 1, 1, 1, 1]
    >>> pca = memwave.PCA(n_components=3).fit(X)
    >>> pca.components_.shape
    (3, 8)
    >>> scores = pca.transform(X)
    >>> bool(np.allclose(scores.var(axis=0, ddof=1), pca.explained_variance_))
    True
    >>> bool((pca.residual_ < 1e-9 * pca.explained_variance_[0]).all())
    True
    """

    # The measured accuracy of the model, set by a fit.
    _certificate: Certificate | None

    def __init__(
        self,
        n_components: int | float | str | None = None,
        *,
        max_components: int = 100,
        solver: str = "auto",
        max_mem_mb: int = 2000,
        tolerance: float | None = None,
        standardize: bool = False,
        compute_dtype: str = "auto",
        shards: int | str = "auto",
        block_mb: float = 32,
        threads: int = 1,
        missing: str = "error",
        certify: bool = True,
        random_state: int | None = 0,
        solver_options: dict | None = None,
        verbose: bool = False,
    ):
        self.n_components = n_components
        self.max_components = max_components
        self.solver = solver
        self.max_mem_mb = max_mem_mb
        self.tolerance = tolerance
        self.standardize = standardize
        self.compute_dtype = compute_dtype
        self.shards = shards
        self.block_mb = block_mb
        self.threads = threads
        self.missing = missing
        self.certify = certify
        self.random_state = random_state
        self.solver_options = solver_options
        self.verbose = verbose

    def fit(
        self, X: Any, y: Any = None, *, dtype: str | None = None, columns: int | None = None
    ) -> Self:
        """Fit the rows of a matrix.

        Parameters
        ----------
        X : path, array, list of these, or iterable of blocks; shape (n_samples, n_features)
            A file (``.npy``, raw, ``x.h5::/path``, ``.zarr``, ``.h5ad``), a NumPy array or map, a
            dataset of h5py, an array of Zarr, a DataFrame; a list of these is stacked. A table
            (``.parquet``, ``.feather``, ``.csv``) or an array of an archive (``x.npz::array``) is
            copied to a temporary file meanwhile. An iterator of blocks of rows is read once, which
            the solvers ``covariance`` and ``incremental`` can do. Floats of 16, 32 or 64 bits, or
            integers.
        y : None
            Ignored; for pipelines.
        dtype, columns : str, int, optional
            Type of the values and length of a row of a raw file.

        Returns
        -------
        PCA
            This object. If the fit fails or is interrupted, it is as it was before.

        Raises
        ------
        MemwaveError
            If `X` is no matrix of finite numbers, or does not fit the parameters.
        """
        if is_stream(X):
            return self._fit_stream(X)
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._fit_matrix(matrix)
        return self

    def _fit_matrix(self, matrix: Matrix) -> None:
        params, spec = self._plain_params(), spec_of(matrix)
        entry(params, 1)  # parameters are checked before anything is read
        self._drop_missing(matrix)
        plan = plan_fit(params, spec, matrix.n_rows, matrix.shape[0])
        model = fit_matrix(
            matrix,
            plan,
            shards=plan.shards,
            threads=params["threads"],
            block_mb=params["block_mb"],
            bar=self._bar,
        )
        found = known_certificate(model)
        if found is None and self.certify:
            rows = block_of_projection(params, spec.n_features, "float64")
            found = measure_certificate(model, matrix, rows, self._bar)
            model.residual = found.residual
            if model.residual_moments is None:
                model.residual_moments = found.residual_moments
        self._keep(model, spec, found)

    def _fit_stream(self, blocks: Iterable) -> Self:
        accumulator, spec = None, None
        for block in blocks:
            with as_matrix(block) as matrix, computing():
                self._drop_missing(matrix)
                if accumulator is None:
                    spec = spec_of(matrix)
                    plan = plan_stream(self._plain_params(), spec, None)
                    accumulator = Accumulator(plan, spec.n_features)
                self._require_width(matrix, accumulator.n_features)
                accumulator.add(matrix)
        if accumulator is None or spec is None:
            raise InvalidMatrix("X: has 0 blocks of rows, expected at least one.")
        with computing():
            model = accumulator.model()
        self._keep(model, spec, known_certificate(model))
        return self

    @available_with_one_pass
    def partial_fit(self, X: Any, y: Any = None, *, check_input: bool = True) -> Self:
        """Take in a block of rows; blocks may come from anywhere, and are not kept.

        Parameters
        ----------
        X : array or path, shape (n_samples, n_features)
            As for `fit`.
        y : None
            Ignored.
        check_input : bool
            Ignored; for programs that call scikit-learn's `IncrementalPCA`.

        Returns
        -------
        PCA
            This object. The model is computed when an attribute of it is asked for. `fit` begins
            anew.

        Raises
        ------
        MemwaveError
            If the solver reads rows several times (``gram``, ``randomized``), as an AttributeError,
            or if `X` is no matrix of finite numbers.
        """
        with as_matrix(X) as matrix, computing():
            self._drop_missing(matrix)
            accumulator = self.__dict__.get("_accumulator")
            if accumulator is None:
                spec = spec_of(matrix)
                plan = plan_stream(self._plain_params(), spec, matrix.n_rows)
                accumulator = Accumulator(plan, spec.n_features)
                self._require_width(matrix, accumulator.n_features)
                accumulator.add(matrix)
                self._forget()
                self._accumulator, self._spec = accumulator, spec
                self.n_features_in_ = spec.n_features
            else:
                self._require_width(matrix, accumulator.n_features)
                accumulator.add(matrix)
                self.__dict__.pop("_model", None)
        return self

    def transform(
        self, X: Any, *, out: Any = None, dtype: str | None = None, columns: int | None = None
    ) -> np.ndarray:
        """Project rows onto the components, block by block.

        Parameters
        ----------
        X : path, array or list of these, shape (n_samples, n_features)
            As for `fit`.
        out : path or array, optional
            A ``.npy`` file to write, or an array, map or dataset of shape (n_samples,
            n_components) to fill. By default a new array.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        ndarray, shape (n_samples, n_components)
            Scores, float32 or float64, as was computed; `out`, or a read-only map of the file. A
            DataFrame after `set_output`.
        """
        model = self._fitted()
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._require_same_columns(matrix)
            shape = (matrix.shape[0], model.n_components)
            computed = self._computed_in(matrix)
            rows = block_of_projection(self._plain_params(), model.n_features, computed)
            made: list[np.ndarray] = []
            self._drop_missing(matrix)
            with projecting.target(out, shape, computed, made, matrix) as store:
                if matrix.complete is not None:
                    store = projecting.spreading(store, matrix, shape[1], rows)
                for start, stop, scores, _ in self._projected(model, matrix, computed, rows):
                    store(start, stop, scores.astype(computed, copy=False))
        return self._contained(made[0], X) if made else _result(out)

    def _projected(
        self, model: Model, matrix: Matrix, dtype: str, rows: int
    ) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        projector = Projector(model, dtype)
        with closing(projecting.projected(projector, matrix, dtype, rows, self._bar)) as found:
            yield from found

    def fit_transform(
        self,
        X: Any,
        y: Any = None,
        *,
        out: Any = None,
        dtype: str | None = None,
        columns: int | None = None,
    ) -> np.ndarray:
        """Fit rows, then project them; see `fit` and `transform`."""
        if is_stream(X):
            raise InvalidMatrix(
                "X: an iterator can be read once, expected what can be read again. Call fit, then "
                "transform with a new iterator's blocks one by one."
            )
        self.fit(X, dtype=dtype, columns=columns)
        return self.transform(X, out=out, dtype=dtype, columns=columns)

    def inverse_transform(self, X: Any, *, out: Any = None) -> np.ndarray:
        """Go back from scores to rows, block by block.

        Parameters
        ----------
        X : path or array, shape (n_samples, n_components)
            Scores.
        out : path or array, optional
            As for `transform`, shape (n_samples, n_features).

        Returns
        -------
        ndarray, shape (n_samples, n_features), float64
            The nearest points in the space of the components.
        """
        model = self._fitted()
        with as_matrix(X) as scores, computing():
            self._drop_missing(scores)
            if scores.shape[1] != model.n_components:
                raise InvalidMatrix(
                    f"{scores.path}: has {scores.shape[1]} columns, expected the "
                    f"{model.n_components} scores of this model."
                )
            shape = (scores.shape[0], model.n_features)
            rows = block_of_projection(self._plain_params(), model.n_features, "float64")
            made: list[np.ndarray] = []
            with (
                projecting.target(out, shape, "float64", made, scores) as store,
                closing(projecting.reconstruct(model, scores, rows, self._bar)) as found,
            ):
                if scores.complete is not None:
                    store = projecting.spreading(store, scores, shape[1], rows)
                for start, stop, values in found:
                    store(start, stop, values)
        return made[0] if made else _result(out)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log-likelihood of rows under probabilistic PCA.

        Tipping and Bishop, "Probabilistic principal component analysis", J. Royal Statistical
        Society B 61 (1999), equation 4: a Gaussian with the explained variances along the
        components, and the noise variance along all other directions.
        """
        model = self._fitted()
        noise, rest = model.noise_variance, model.n_features - model.n_components
        variances = model.explained_variance
        total = 0.0
        with as_matrix(X) as matrix, computing(), np.errstate(divide="ignore"):
            self._require_same_columns(matrix)
            self._drop_missing(matrix)
            computed = self._computed_in(matrix)
            rows = block_of_projection(self._plain_params(), model.n_features, computed)
            for _, _, scores, errors in self._projected(model, matrix, computed, rows):
                total += float((scores**2 / variances).sum())
                total += float(errors.sum() / noise) if rest else 0.0
            logarithms = float(np.log(variances).sum()) + (
                rest * float(np.log(noise)) if rest else 0.0
            )
        constant = model.n_features * math.log(2 * math.pi) + logarithms
        return -0.5 * (constant + total / matrix.n_rows)

    def monitor(
        self,
        X: Any,
        *,
        levels: float | Sequence[float] = LEVELS,
        is_train: bool = False,
        dtype: str | None = None,
        columns: int | None = None,
    ) -> Monitoring:
        """Say how unlike the fitted rows each row is: Hotelling's T2 and SPE, with limits.

        The limits are those of independent rows of a normal distribution (F or beta distribution,
        and Jackson and Mudholkar's formula, or Box's where the solver knows too little). Compare
        the shares of known rows above them with ``1 - levels`` before you trust them.

        Parameters
        ----------
        X : path, array or list of these, shape (n_samples, n_features)
            As for `fit`.
        levels : float or sequence of float
            Share of ordinary rows below each limit.
        is_train : bool
            Whether these are the rows that the model was fitted to.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        Monitoring
            Four arrays of `n_samples` numbers, and the limits. Rows that ``missing="drop"``
            leaves out have NaN, and are above no limit.
        """
        model, given = self._fitted(), checked_levels(levels)
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._require_same_columns(matrix)
            self._drop_missing(matrix)
            computed = self._computed_in(matrix)
            rows = block_of_projection(self._plain_params(), model.n_features, computed)
            both, weights = np.empty((2, matrix.shape[0])), t2_weights(model)
            store = projecting.array_store(both.T)
            if matrix.complete is not None:
                store = projecting.spreading(store, matrix, 2, rows)
            for start, stop, scores, errors in self._projected(model, matrix, computed, rows):
                found = np.vecdot(scores * weights, scores)
                store(start, stop, np.column_stack([found, errors]))
        return compared(model, both[0], both[1], given, is_train=is_train)

    def contributions(
        self, X: Any, *, dtype: str | None = None, columns: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Divide Hotelling's T2 and SPE of some rows among the columns.

        Parameters
        ----------
        X : path, array or list of these, shape (n_samples, n_features)
            The rows in question: the result has as many numbers as they have.
        dtype, columns : str, int, optional
            Of a raw file.

        Returns
        -------
        t2, spe : ndarray, shape (n_samples, n_features), float64
            Their sums over the columns are the statistics of `monitor`. A negative contribution to
            T2 pulls the row towards the mean. Rows that ``missing="drop"`` leaves out have NaN.
        """
        model = self._fitted()
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._require_same_columns(matrix)
            self._drop_missing(matrix)
            (rows,) = matrix.ranges(1)
            t2, spe = contributions(model, rows.rows(0, rows.shape[0]))
            return projecting.spread(t2, matrix), projecting.spread(spe, matrix)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the scores: pca0, pca1, ..."""
        return np.array([f"pca{i}" for i in range(self._fitted().n_components)], dtype=object)

    def write_projection(
        self,
        path: str | os.PathLike,
        X: Any,
        *,
        labels: Any = None,
        is_train: bool = False,
        contributions: str | os.PathLike | None = None,
        dtype: str | None = None,
        columns: int | None = None,
    ) -> None:
        """Write scores as ``projection.h5``, as the workflow does, with errors of all rows.

        Parameters
        ----------
        path : path
            The HDF5 file; appears when it is complete.
        X : path, array or list of these, shape (n_samples, n_features)
            As for `fit`.
        labels : array of int, shape (n_samples,), optional
            Of the rows; stored beside the scores.
        is_train : bool
            Whether these are the rows that the model was fitted to. Then it is certified with
            them: `residual_` and `reconstruction_error_` are measured, and stored.
        contributions : path, optional
            Another HDF5 file to write, as the workflow's ``contributions.h5``: what makes the
            statistics of the highest rows of each part large.
        dtype, columns : str, int, optional
            Of a raw file.
        """
        model = self._fitted()
        with as_matrix(X, dtype, columns) as matrix, computing():
            self._require_same_columns(matrix)
            self._drop_missing(matrix)
            if is_train and matrix.n_rows != model.n_samples:
                raise InvalidMatrix(
                    f"{matrix.path}: has {matrix.n_rows} rows, and the model was fitted to "
                    f"{model.n_samples}: these are other rows. Leave is_train out."
                )
            # In float64: a certificate must include the rounding of a fit in float32.
            computed = "float64" if is_train else self._computed_in(matrix)
            found = projecting.write_projection(
                path,
                model,
                matrix,
                dtype=computed,
                block_rows=block_of_projection(self._plain_params(), model.n_features, computed),
                is_train=is_train,
                labels=projecting.row_labels(labels, matrix.shape[0]),
                contributions=contributions,
                provenance=self._made_by(),
                bar=self._bar,
            )
        if found is not None:
            self._certificate = found
            model.residual = found.residual
            if model.residual_moments is None:
                model.residual_moments = found.residual_moments

    def _made_by(self) -> dict:
        return {"parameters": self._plain_params(), "versions": {"memwave": __version__}}

    def save(self, path: str | os.PathLike, *, summary: bool = False) -> None:
        """Write ``model.h5``, as the workflow writes it; `memwave.load_model` reads it.

        Parameters
        ----------
        path : path
            The file appears when it is complete.
        summary : bool
            Whether to write the sums that the model was computed from, too, for `update` and
            `merge`. They are there after `partial_fit`; for d columns and ``covariance``, they
            have 4 d**2 bytes.
        """
        model, spec = self._fitted(), self._spec
        kept = stored(self._summed()) if summary else None
        table = spec.feature_table()
        model_file.save_model(os.fspath(path), model, table, self._made_by(), summary=kept)

    def _keep(self, model: Model, spec: MatrixSpec, certificate: Certificate | None) -> None:
        """Replace what was fitted before, all at once."""
        self._forget()
        self._model, self._spec = model, spec
        self._certificate = certificate
        self.n_features_in_ = model.n_features
        if spec.names:
            self.feature_names_in_ = np.array(spec.names, dtype=object)

    def _forget(self) -> None:
        names = ("_model", "_accumulator", "_certificate", "feature_names_in_", "_summary_file")
        for name in names:
            self.__dict__.pop(name, None)

    def _fitted(self) -> Model:
        """Return the model; raises what scikit-learn raises if there is none."""
        if "_model" not in self.__dict__:
            accumulator = self.__dict__.get("_accumulator")
            if accumulator is None:
                raise not_fitted(type(self).__name__)
            with computing():
                self._model = accumulator.model()
            self._certificate = known_certificate(self._model)
        return self._model

    def __getattr__(self, name: str) -> Any:
        if name not in FITTED:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return fitted_value(name, self._fitted(), self.__dict__.get("_certificate"))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(FITTED if self.__sklearn_is_fitted__() else ())})

    def __sklearn_is_fitted__(self) -> bool:
        return "_model" in self.__dict__ or "_accumulator" in self.__dict__

    def _drop_missing(self, matrix: Matrix) -> None:
        """Leave rows with missing values out, if that is wanted."""
        if self.missing != "drop":
            return
        progress = self._bar(matrix.shape[0], "look for missing values")
        try:
            matrix.drop_missing(measuring_rows(matrix.shape[1]), progress.add)
        finally:
            progress.close()

    def _require_width(self, matrix: Matrix, n_features: int) -> None:
        if matrix.shape[1] != n_features:
            raise InvalidMatrix(
                f"X has {matrix.shape[1]} features, but {type(self).__name__} is expecting "
                f"{n_features} features as input ({matrix.path}; every block has the columns of "
                "the rows it was fitted to)."
            )

    def _require_same_columns(self, matrix: Matrix) -> None:
        """Require the columns that were fitted, by number and, where both have them, by name."""
        self._require_width(matrix, self._fitted().n_features)
        known = self.__dict__.get("feature_names_in_")
        if known is None or not matrix.names:
            return
        for i, (name, expected) in enumerate(zip(matrix.names, known, strict=True)):
            if name != expected:
                raise InvalidMatrix(
                    f"{matrix.path}: column {i} is called {name!r}, expected {expected!r}. The "
                    "feature names should match those that were passed during fit."
                )

    def _computed_in(self, matrix: Matrix) -> str:
        return compute_dtype(self.compute_dtype, matrix.dtype.newbyteorder("=").name)

    def _bar(self, total: int, label: str) -> Progress:
        return Progress(total, label, on_terminal=self.verbose)


def _result(out: Any) -> Any:
    """What a method returns that wrote to `out`."""
    return np.load(out, mmap_mode="r") if isinstance(out, (str, os.PathLike)) else out


def load_model(path: str | os.PathLike) -> PCA:
    """Read a fitted model.

    Parameters
    ----------
    path : path
        A ``model.h5`` that `PCA.save`, ``memwave pca`` or the workflow wrote.

    Returns
    -------
    PCA
        Ready to transform matrices whose columns are the features of the model.

    Raises
    ------
    MemwaveError
        If it is missing, damaged, or no model.
    """
    path = os.fspath(path)
    model, names = model_file.load_given(path), model_file.load_column_names(path)
    pca = PCA(model.n_components, solver=model.solver, standardize=model.scale is not None)
    spec = MatrixSpec(model.n_features, "float64", tuple(names) if names else None)
    pca._keep(model, spec, known_certificate(model))
    if model_file.has_summary(path):
        pca._summary_file = os.path.abspath(path)
    return pca
