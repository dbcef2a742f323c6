"""Files: written atomically, checked by checksums, mapped; `.npy`, shards of features, HDF5.

May import `core`.
"""
