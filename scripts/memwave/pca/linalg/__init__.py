"""Linear algebra that the solvers share: packed matrices, eigenpairs, covariance products."""
