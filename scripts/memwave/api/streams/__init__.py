"""Sums over rows that come bit by bit: blocks, and models that take in more rows later."""
