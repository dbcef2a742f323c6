"""The files that a virtual dataset of HDF5 is made of."""

import os
from typing import Any


def missing_sources(dataset: Any) -> list[str]:
    """Return the files of a dataset of h5py that are not there.

    HDF5 reads the fill value in place of what they hold, without an error. Files whose names are
    patterns (with %) are not looked for.

    Source of where HDF5 looks: reference manual, ``H5Pset_virtual_prefix``.
    """
    if not getattr(dataset, "is_virtual", False):
        return []
    folders = [os.environ.get("HDF5_VDS_PREFIX", ""), os.path.dirname(dataset.file.filename), ""]
    names = dict.fromkeys(source.file_name for source in dataset.virtual_sources())
    return [
        name
        for name in names
        if name != "."
        and "%" not in name
        and not any(os.path.exists(os.path.join(folder, name)) for folder in folders)
    ]
