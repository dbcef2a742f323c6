"""PCA straight from the signal: sums of lagged products of a recording, and what follows."""
