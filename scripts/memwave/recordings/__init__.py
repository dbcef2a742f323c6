"""Recordings as the workflow sees them: sheet, windows, gaps, resampling, channels, labels.

May import `core`, `storage` and `readers`.
"""
