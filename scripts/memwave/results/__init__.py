"""What a run leaves: model and projection files, summary, provenance, verification, figures.

May import every room above it: `core`, `storage`, `readers`, `recordings`, `features`, `pca`.
"""
