"""Checks of the datasets: the sheets, the headers of the files, the options of a dataset."""
