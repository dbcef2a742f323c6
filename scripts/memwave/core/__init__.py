"""Code that all rooms share: errors, messages, ranges of rows, moments, quantiles, precision.

Imports nothing of memwave.
"""
