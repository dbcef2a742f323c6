"""Matrices as solvers read them: files and arrays, stacked in order."""
