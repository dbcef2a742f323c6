"""dask as a rival, apart from the others because importing it takes a second."""

import dask
import dask.array
import numpy as np


def dask_svd(features: str, components: int, block_rows: int, iterations: int, model: str) -> None:
    """dask's compressed SVD of the centred rows, two threads."""
    stored = np.load(features, mmap_mode="r")
    rows = dask.array.from_array(stored, chunks=(block_rows, stored.shape[1]))
    rows = rows.astype(np.float32)
    with dask.config.set(scheduler="threads", num_workers=2):
        mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32).compute()
        _, singular, right = dask.array.linalg.svd_compressed(
            rows - mean, components, iterator="QR", n_power_iter=iterations, seed=0
        )
        singular, right = dask.compute(singular, right)
    variance = singular.astype(np.float64) ** 2 / (len(stored) - 1)
    np.savez(model, components=right, explained_variance=variance)
