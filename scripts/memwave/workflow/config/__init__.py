"""The configuration: its schema and defaults, grids, checks before the run."""
