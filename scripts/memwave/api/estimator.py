"""`PCA`: scikit-learn's names, for matrices that do not fit in memory."""

import os
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from memwave.api.fitting import computing, fit_certified, known_certificate
from memwave.api.methods.diagnosing import Diagnosing
from memwave.api.methods.saving import Saving
from memwave.api.planning import entry, spec_of
from memwave.api.streams.accumulator import is_stream
from memwave.core.errors import InvalidMatrix
from memwave.features.columns import MatrixSpec
from memwave.readers.matrices.objects import as_matrix
from memwave.results import model_file


class PCA(Saving, Diagnosing):
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
            dataset of h5py, an array of Zarr, a DataFrame or table of pyarrow; a list of these is
            stacked. A table in a file (``.parquet``, ``.feather``, ``.csv``) or an array of an
            archive (``x.npz::array``) is copied to a temporary file meanwhile. An iterator of
            blocks of rows is read once, which the solvers ``covariance`` and ``incremental`` can
            do. Floats of 16, 32 or 64 bits, or integers.
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
            params = self._plain_params()
            entry(params, 1)  # parameters are checked before anything is read
            self._drop_missing(matrix)
            matrix.require_rows()
            model, certificate = fit_certified(matrix, params, self._bar)
            self._keep(model, spec_of(matrix), certificate)
        return self

    def _fit_stream(self, blocks: Iterable) -> Self:
        accumulator, spec = None, None
        for block in blocks:
            with as_matrix(block) as matrix, computing():
                self._drop_missing(matrix)
                if accumulator is None or spec is None:
                    accumulator, spec = self._started(matrix, None)
                self._require_columns(matrix, accumulator.n_features, spec.names)
                accumulator.add(matrix)
        if accumulator is None or spec is None:
            raise InvalidMatrix("X: has 0 blocks of rows, expected at least one.")
        with computing():
            model = accumulator.model()
        self._keep(model, spec, known_certificate(model))
        return self

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
