"""Writers of matrices, good ones and bad ones: each returns what is fitted, and how it is read."""

import h5py
import numpy as np
import zarr
from small_matrices import GOOD


def saved(folder, array, name="x.npy", **options):
    np.save(folder / name, array, **options)
    return str(folder / name), {}


def raw(folder, n_bytes, **how):
    (folder / "x.mmap").write_bytes(b"\x01" * n_bytes)
    return str(folder / "x.mmap"), how


def hdf5(folder, place="x", write=None, where="x", name="x.h5", **options):
    with h5py.File(folder / name, "w") as file:
        if write is None:
            file.create_dataset(place, data=GOOD, **options)
        else:
            write(file)
    return f"{folder / name}::/{where}" if where else str(folder / name), {}


def spoiled(row, column, value, dtype="float32"):
    rows = GOOD.astype(dtype)
    rows[row, column] = value
    return rows


def cut_short(folder):
    path, how = saved(folder, GOOD)
    data = (folder / "x.npy").read_bytes()
    (folder / "x.npy").write_bytes(data[:-100])
    return path, how


def fortran_map(folder):
    np.asfortranarray(GOOD).T.tofile(folder / "x.mmap")
    return np.memmap(folder / "x.mmap", "f8", "r", shape=GOOD.shape, order="F"), {}


def sparse_h5ad(folder):
    def write(file):
        file.create_group("X").attrs["encoding-type"] = "csc_matrix"

    return hdf5(folder, write=write, where=None, name="x.h5ad")


def csr_h5ad(folder, lost=None, ends=None, columns=None):
    def write(file):
        arrays = {"data": np.ones(9), "indices": columns or range(9), "indptr": ends or range(10)}
        for name, values in arrays.items():
            if name != lost:
                file.create_dataset(f"X/{name}", data=np.array(values))
        file["X"].attrs["encoding-type"] = "csr_matrix"
        file["X"].attrs["shape"] = (9, 9)

    return hdf5(folder, write=write, where=None, name="x.h5ad")


def group_of_zarr(folder):
    group = zarr.open_group(str(folder / "x.zarr"), mode="w")
    group.create_array("inner", data=GOOD)
    return str(folder / "x.zarr"), {}


def two(folder, first, second):
    return [saved(folder, first, "a.npy")[0], saved(folder, second, "b.npy")[0]], {}


def table(folder, frame, name):
    write = frame.to_parquet if name.endswith("parquet") else frame.to_feather
    write(folder / name)
    return str(folder / name), {}


def written(folder, text, name="x.csv"):
    (folder / name).write_text(text)
    return str(folder / name), {}
