"""Arrays and files that scores are written to."""

import h5py
import numpy as np
import pytest
import zarr
from small_matrices import GOOD

import memwave


def outputs(folder, X):
    """Arrays that scores cannot be written to, and what the message says."""
    np.save(folder / "x.npy", X)
    yield np.zeros(X.shape, "i8"), "out has type int64, expected floats"
    yield np.broadcast_to(0.0, X.shape), "out is read-only"
    yield X, "out shares memory with X"
    yield np.lib.format.open_memmap(folder / "x.npy", "r+"), "x.npy: is the input"
    yield folder / "x.npy", "x.npy: is the input"
    (folder / "folder.npy").mkdir()
    yield folder / "folder.npy", "is a folder, expected the name of a file"
    yield folder / "x.npy/deeper.npy", "cannot be written: File exists"


def test_what_is_read_is_not_written_to(tmp_path):
    X = GOOD.copy()
    pca = memwave.PCA(6).fit(X)
    for out, message in outputs(tmp_path, X):
        source = tmp_path / "x.npy" if "x.npy" in message else X
        with pytest.raises(memwave.MemwaveError, match=message):
            pca.transform(source, out=out)
    both = np.zeros((44, 6))
    both[:40] = X
    with pytest.raises(memwave.MemwaveError, match="out shares memory"):
        pca.transform(both[:40], out=both[4:])
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", data=X)
        with pytest.raises(memwave.MemwaveError, match="out shares memory"):
            pca.transform(dataset, out=file["x"])
        pca.transform(dataset, out=file.create_dataset("scores", X.shape, "f4"))  # in one file
    with pytest.raises(memwave.MemwaveError, match="is the input"):
        pca.write_projection(tmp_path / "x.npy", tmp_path / "x.npy")
    with (
        h5py.File(tmp_path / "x.h5") as file,
        pytest.raises(memwave.MemwaveError, match=r"x\.h5: is the input"),
    ):
        pca.write_projection(tmp_path / "x.h5", file["x"])
    view = np.load(tmp_path / "x.npy", mmap_mode="r")[::2]
    for rows in (view, np.asarray(view)):
        with pytest.raises(memwave.MemwaveError, match=r"x\.npy: is the input"):
            pca.transform(rows, out=tmp_path / "x.npy")
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["x"], X)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)
    np.testing.assert_array_equal(X, GOOD)


@pytest.mark.filterwarnings("error")
def test_scores_that_an_output_cannot_hold(tmp_path):
    pca = memwave.PCA(2).fit(GOOD)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for out in (
            np.zeros((40, 2), "f2"),
            file.create_dataset("half", (40, 2), "f2"),
            zarr.create_array(tmp_path / "x.zarr", shape=(40, 2), dtype="f2", chunks=(9, 2)),
        ):
            pca.transform(GOOD, out=out)
            np.testing.assert_allclose(out[:], pca.transform(GOOD), rtol=1e-3, atol=1e-3)
            with pytest.raises(memwave.MemwaveError, match=r"type float16, which cannot hold"):
                pca.transform(GOOD * 1e5, out=out)
    with pytest.raises(
        memwave.MemwaveError, match=r"^\S*p\.h5: scores has a value near row 0 that"
    ):
        pca.write_projection(tmp_path / "p.h5", GOOD * 1e39)
