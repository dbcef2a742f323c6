"""Recordings: sheet, segments and windows, gaps, resampling, channels, labels.

May import `core`, `storage` and `readers`.
"""
