"""What every other room uses: errors, messages, ranges of rows, moments, quantiles, precision.

Imports nothing of memwave.
"""
