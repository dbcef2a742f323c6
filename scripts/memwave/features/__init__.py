"""Wavelet features of sliding windows: what they are, how they are computed, and the inverse.

May import `core`, `storage`, `readers` and `recordings`.
"""
