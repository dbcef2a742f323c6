"""What solvers share that read rows in their order and merge centred summaries."""

from collections.abc import Iterator
from typing import Any

import numpy as np


class Merging:
    """Row order and merging of `memwave.pca.solvers.PcaSolver`.

    Attributes
    ----------
    _total : summary or None
        All summaries of the pass so far. A summary has `center` and `merge`.
    """

    _total: Any = None

    @property
    def shift(self) -> np.ndarray | None:
        """None: each shard has its own."""
        return None

    def expect(self, n_rows: int) -> None:
        """Nothing depends on the number of rows."""

    def row_order(self, n_rows: int, row_bytes: int, grain: int = 1) -> Iterator[tuple[int, int]]:
        yield 0, n_rows

    @property
    def total(self) -> Any:
        """All summaries that were merged, as one."""
        return self._total

    def merge(self, summary: Any) -> None:
        summary.center()
        if self._total is None:
            self._total = summary
        else:
            self._total.merge(summary)
