"""Arrays in .npz archives."""

import numpy as np
import pytest
from test_tables import read_all

from memwave.core.errors import MemwaveError
from memwave.readers import open_source


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", "CF")
def test_members_of_archives(tmp_path, save, order):
    path = tmp_path / "a.npz"
    array = np.random.default_rng(0).normal(size=(400_000, 3))
    save(path, x=np.asarray(array, order=order), other=np.array(["a"]), one=np.arange(5))
    np.testing.assert_array_equal(read_all(f"{path}::x", None), array)
    np.testing.assert_array_equal(read_all(f"{path}::one", None)[:, 0], np.arange(5))
    with pytest.raises(MemwaveError, match=r'no array "y".*holds x, other, one'):
        open_source(f"{path}::y")
    with pytest.raises(MemwaveError, match="expected integers or floats"):
        open_source(f"{path}::other")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MemwaveError, match=r"not a whole \.npz"):
        open_source(f"{path}::x")


def test_a_damaged_member_of_an_archive(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(100_000.0))
    content = bytearray(path.read_bytes())
    content[300_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(MemwaveError, match="Bad CRC"):
        read_all(f"{path}::x", None)
