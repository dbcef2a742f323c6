"""Figures of results: what is drawn is collected from blocks of rows, and never held whole."""
