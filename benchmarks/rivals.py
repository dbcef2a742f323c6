"""What one would use instead: the original script, repaired, and the libraries' own PCA.

Each function runs in a process of its own and writes components and explained variances to an .npz
file. Nothing here imports memwave.
"""

import time
from pathlib import Path

import numpy as np
import pywt
from sklearn.decomposition import PCA, IncrementalPCA

TRANSFORM_ROWS = 10_000


def repaired_script(
    recording: str, window: int, dtype: str, components: int, folder: str, model: str
) -> dict[str, float]:
    """The script memwave began with, with what was wrong in it put right and nothing else.

    Windows one by one into a memmap of floats, flushed and opened again read-only;
    IncrementalPCA as it comes; the projection in batches.

    Returns
    -------
    dict
        Seconds of each part.
    """
    Path(folder).mkdir()
    begin = time.perf_counter()
    features = extract_by_window(recording, window, dtype, f"{folder}/features.dat")
    extracted = time.perf_counter()
    pca = IncrementalPCA(n_components=components).fit(features)
    fitted = time.perf_counter()
    scores = np.lib.format.open_memmap(
        f"{folder}/scores.npy", "w+", np.float32, (len(features), components)
    )
    for start in range(0, len(features), TRANSFORM_ROWS):
        batch = features[start : start + TRANSFORM_ROWS]
        scores[start : start + TRANSFORM_ROWS] = pca.transform(batch)
    scores.flush()
    end = time.perf_counter()
    _save(model, pca)
    return {"extract": extracted - begin, "fit": fitted - extracted, "project": end - fitted}


def extract_by_window(recording: str, window: int, dtype: str, path: str) -> np.memmap:
    """Haar details of every window, in a Python loop; returns them opened read-only."""
    signal = np.load(recording)
    shape = (len(signal) - window + 1, -(-window * signal.shape[1] // 2))
    out = np.memmap(path, dtype, "w+", shape=shape)
    for row in range(shape[0]):
        out[row] = pywt.dwt(signal[row : row + window].ravel(), "haar")[1]
    out.flush()
    del out
    return np.memmap(path, dtype, "r", shape=shape)


def loop_only(recording: str, window: int, dtype: str, path: str) -> None:
    """`extract_by_window` as a job."""
    extract_by_window(recording, window, dtype, path)


def incremental_fit(features: str, components: int, model: str) -> None:
    """scikit-learn's IncrementalPCA with its default batch, on a memmap."""
    _save(model, IncrementalPCA(n_components=components).fit(np.load(features, mmap_mode="r")))


def incremental_batches(features: str, components: int, batch_rows: int, model: str) -> None:
    """scikit-learn's IncrementalPCA given batch after batch of a memmap by hand."""
    rows = np.load(features, mmap_mode="r")
    pca = IncrementalPCA(n_components=components)
    for start in range(0, len(rows), batch_rows):
        stop = start + batch_rows
        if len(rows) - stop < components:  # too few rows for a batch of their own
            pca.partial_fit(rows[start:])
            break
        pca.partial_fit(rows[start:stop])
    _save(model, pca)


def in_core(features: str, components: int, solver: str, model: str) -> None:
    """scikit-learn's PCA on all rows in memory."""
    rows = np.load(features)
    if rows.dtype == np.float16:
        rows = rows.astype(np.float32)
    _save(model, PCA(components, svd_solver=solver, random_state=0).fit(rows))


def _save(path: str, pca: PCA | IncrementalPCA) -> None:
    np.savez(path, components=pca.components_, explained_variance=pca.explained_variance_)
