"""Features that are the columns of a matrix: what `FeatureSpec` is for windows of recordings."""

from dataclasses import dataclass

import numpy as np

# What stands for a band in a table of features.
BAND = "column"


@dataclass(frozen=True)
class MatrixSpec:
    """Columns of a matrix.

    Attributes
    ----------
    n_features : int
    dtype : str
        Type of the stored values.
    names : tuple of str, optional
        Of the columns.
    grain : int
        Rows that are stored together; see `memwave.storage.rows.Rows`.
    library_bytes : int
        Memory of the libraries that read the files.
    """

    n_features: int
    dtype: str
    names: tuple[str, ...] | None = None
    grain: int = 1
    library_bytes: int = 0

    # As of feature sets that are stored, and whose channels are not scaled.
    store = True
    scale = "none"

    def reading_bytes(self, rows: int) -> int:
        """Memory of reading so many rows, with the chunks that are kept between two reads."""
        row = self.n_features * np.dtype(self.dtype).itemsize
        kept = 2 * self.grain * row if self.grain > 1 else 0
        return rows * row + kept + self.library_bytes

    def feature_table(self) -> np.ndarray:
        """What each feature is: shape (d,), fields channels, band, position.

        ``channels`` is the name of the column, ``position`` its number.
        """
        fields = [("channels", "O"), ("band", "O"), ("position", "i8")]
        table = np.empty(self.n_features, fields)
        table["channels"] = self.names or [f"column {i}" for i in range(self.n_features)]
        table["band"], table["position"] = BAND, np.arange(self.n_features)
        return table

    def describe(self, feature: int) -> str:
        """Say which column a feature is."""
        return f"column {feature}" + (f" ({self.names[feature]})" if self.names else "")
