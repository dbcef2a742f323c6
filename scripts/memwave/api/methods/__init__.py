"""Methods of `memwave.PCA` beside `fit`: its base classes."""
