"""One module, or one folder, a format. `memwave.readers.suffixes` says which reads which files."""
