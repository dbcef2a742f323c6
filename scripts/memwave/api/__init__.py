"""What ``import memwave`` offers: `PCA` of a matrix, and functions for recordings.

Stands above all rooms, as `cli` does, and may import any of them.
"""
