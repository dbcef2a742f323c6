"""Wavelet features of sliding windows: specification, computation, and the inverse transform.

May import `core`, `storage`, `readers` and `recordings`.
"""
