"""Scores of the rows of a matrix and back, block by block, into an array or a file."""
