"""The recordings sheet: the list of the recordings of a dataset."""
