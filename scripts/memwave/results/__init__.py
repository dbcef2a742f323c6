"""Results of a run: model and projection files, summary, provenance, verification, figures.

May import `core`, `storage`, `readers`, `recordings`, `features` and `pca`.
"""
