"""Limits of the statistics of a projection, and intervals above them."""
