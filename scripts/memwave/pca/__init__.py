"""PCA in bounded memory: the model, the solvers, passes over shards, projection.

May import `core`, `storage`, `readers`, `recordings` and `features`.
"""
