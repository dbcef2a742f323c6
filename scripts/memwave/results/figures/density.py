"""Two-dimensional histograms of rows by class."""

import numpy as np

CELLS = 120

# Side of the square of cells around a name that stays free of other names.
ROOM = 16

# Lower limit of the opacity of a cell with rows. The cell with most rows has opacity 1.
WEAKEST = 0.5


class Density:
    """A histogram of rows on a grid, filled block by block.

    Parameters
    ----------
    extent : (float, float, float, float)
        Left, right, bottom, top. Rows outside are counted in the cells at the border.
    n_classes : int

    Attributes
    ----------
    counts : ndarray, shape (n_classes, CELLS, CELLS)
        Number of rows by class, cell along y, cell along x.
    """

    def __init__(self, extent: tuple[float, float, float, float], n_classes: int):
        self.extent = extent
        self.counts = np.zeros((n_classes, CELLS, CELLS), dtype=np.int64)

    def add(self, x: np.ndarray, y: np.ndarray, classes: np.ndarray) -> None:
        """Count rows; all three arrays have shape (n,)."""
        left, right, bottom, top = self.extent
        column, row = _cells(x, left, right), _cells(y, bottom, top)
        cells = (classes * CELLS + row) * CELLS + column
        self.counts += np.bincount(cells, minlength=self.counts.size).reshape(self.counts.shape)

    def image(self, colours: tuple[str, ...]) -> np.ndarray:
        """Colour each cell by its most frequent class. Opacity increases with the number of rows.

        Returns
        -------
        ndarray of uint8, shape (CELLS, CELLS, 4)
            Red, green, blue, opacity; the first row of cells is at the bottom.
        """
        total = self.counts.sum(axis=0)
        strength = np.log1p(total) / np.log1p(max(1, total.max()))
        opacity = np.where(total > 0, WEAKEST + (1 - WEAKEST) * strength, 0.0)
        rgb = np.array([list(bytes.fromhex(colour[1:])) for colour in colours])
        image = np.dstack([rgb[self.counts.argmax(axis=0)], np.round(255 * opacity)])
        return image.astype(np.uint8)

    def places(self) -> list[tuple[float, float] | None]:
        """Choose a position for the name of each class: a dense cell without another name nearby.

        Returns
        -------
        list of (x, y) or None
            None for a class without rows or without a free cell.
        """
        left, right, bottom, top = self.extent
        free = np.ones((CELLS, CELLS), dtype=bool)
        leads = self.counts.argmax(axis=0)
        places: list[tuple[float, float] | None] = []
        for i, counts in enumerate(self.counts):
            dense = _smooth(_smooth(counts * (leads == i) * 1.0).T).T * free
            row, column = (int(n) for n in np.unravel_index(dense.argmax(), dense.shape))
            if dense[row, column] <= 0:
                places.append(None)
                continue
            near = ROOM // 2
            free[max(0, row - near) : row + near, max(0, column - near) : column + near] = False
            across, up = (column + 0.5) / CELLS, (row + 0.5) / CELLS
            places.append((left + across * (right - left), bottom + up * (top - bottom)))
        return places


def _cells(values: np.ndarray, low: float, high: float) -> np.ndarray:
    scaled = (values.astype(np.float64) - low) * (CELLS / (high - low))
    return np.clip(scaled, 0, CELLS - 1).astype(np.int64)


def _smooth(rows: np.ndarray, width: int = 9) -> np.ndarray:
    """Return moving averages of `width` entries along each row."""
    return np.apply_along_axis(np.convolve, 1, rows, np.ones(width) / width, "same")


def density_bytes(n_classes: int, block_rows: int) -> int:
    """Memory, in bytes, of filling and drawing a density."""
    return CELLS * CELLS * (2 * 8 * n_classes + 100) + 60 * block_rows
