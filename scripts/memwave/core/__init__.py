"""What every other room builds on: errors, messages, ranges of rows, streaming statistics, precision.

Imports nothing of memwave.
"""
