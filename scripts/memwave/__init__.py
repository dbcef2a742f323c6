"""Wavelet features of sliding windows, and their PCA, in bounded memory."""

__version__ = "0.1.0"
