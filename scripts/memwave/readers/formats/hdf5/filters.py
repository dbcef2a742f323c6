"""The filters of an HDF5 dataset that are not available, for an error."""

from contextlib import suppress
from typing import Any

# Names of filters, by their numbers in the registry of The HDF Group.
NAMES = {
    4: "szip",
    305: "LZO",
    307: "bzip2",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32013: "zfp",
    32015: "zstd",
    32017: "sz",
    32018: "fcidecomp",
    32024: "sz3",
    32026: "blosc2",
    32028: "sperr",
}


def missing_filters(dataset: Any) -> list[str]:
    """Names of a dataset's filters that neither HDF5 nor an installed hdf5plugin has."""
    import h5py

    pipeline = dataset.id.get_create_plist()
    filters = [pipeline.get_filter(i) for i in range(pipeline.get_nfilters())]
    missing = [entry for entry in filters if not h5py.h5z.filter_avail(entry[0])]
    if missing:
        with suppress(ImportError):
            import hdf5plugin  # noqa: F401 - adds its filters to HDF5
        missing = [entry for entry in missing if not h5py.h5z.filter_avail(entry[0])]
    return [
        f"{NAMES.get(number, name.decode('utf-8', 'replace') or 'unknown')} (filter {number})"
        for number, _, _, name in missing
    ]
