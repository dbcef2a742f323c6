"""How far a PCA is from the exact one, which is computed in float64."""

import math
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from scipy.linalg import eigh

BLOCK_ROWS = 2000


def write_reference(shards: list[str], components: int, path: str) -> None:
    """Compute covariance and eigenpairs exactly, block by block in float64.

    Parameters
    ----------
    shards : list of path
        Files of the features, in order.
    components : int
        Eigenpairs kept; one more eigenvalue is.
    path : path
        The .npz file to write: covariance, values (descending), vectors (d, k), next_value.
    """
    maps = [np.load(shard, mmap_mode="r") for shard in shards]
    n, d = sum(map(len, maps)), maps[0].shape[1]
    mean = sum(block.sum(axis=0) for block in _blocks(maps)) / n
    covariance = np.zeros((d, d))
    for block in _blocks(maps):
        block -= mean
        covariance += block.T @ block
    covariance /= n - 1
    values, vectors = eigh(covariance, subset_by_index=[max(0, d - components - 1), d - 1])
    values, vectors = values[::-1], vectors[:, ::-1]
    with open(path, "wb") as file:
        np.savez(
            file,
            covariance=covariance,
            values=values[:components],
            vectors=vectors[:, :components],
            next_value=values[components] if len(values) > components else 0.0,
        )


def _blocks(maps: Sequence[np.ndarray]):
    for rows in maps:
        for start in range(0, len(rows), BLOCK_ROWS):
            yield rows[start : start + BLOCK_ROWS].astype(np.float64)


class Reference:
    """The exact PCA of a feature matrix.

    Parameters
    ----------
    path : path
        What `write_reference` wrote.
    """

    def __init__(self, path: Path):
        with np.load(path) as stored:
            self._covariance = stored["covariance"]
            self.values, self._vectors = stored["values"], stored["vectors"]
            self.next_value = float(stored["next_value"])

    def judge(self, path: Path) -> dict[str, float]:
        """Compare a model with the exact one.

        Parameters
        ----------
        path : path
            A model of memwave (.h5), or an .npz file with components and explained_variance.

        Returns
        -------
        dict
            ``lost_cosine``: 1 - mean squared cosine of the principal angles; ``angle``: the
            largest of them in degrees; ``eigenvalue_error``: the worst, relative; ``lost``:
            variance the best subspace captures and this one does not, as a share of the former.
        """
        components, values = load_components(path)
        basis = np.linalg.qr(components.T)[0]
        outside = basis - self._vectors @ (self._vectors.T @ basis)
        sine = min(1.0, float(np.linalg.norm(outside, 2)))
        captured = float(np.einsum("ij,ij->", basis, self._covariance @ basis))
        best = float(self.values.sum())
        return {
            "lost_cosine": float(np.sum(outside**2)) / len(components),
            "angle": math.degrees(math.asin(sine)),
            "eigenvalue_error": float(np.max(np.abs(values - self.values) / self.values)),
            "lost": (best - captured) / best,
        }


def load_components(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Components (k, d) and their variances, in float64."""
    if path.suffix == ".h5":
        with h5py.File(path, "r") as file:
            return file["components"][()], file["explained_variance"][()]
    with np.load(path) as stored:
        components = stored["components"].astype(np.float64)
        return components, stored["explained_variance"].astype(np.float64)
