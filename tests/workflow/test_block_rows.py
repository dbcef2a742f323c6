"""Rows of the blocks that stages take at once."""

from hypothesis import given
from hypothesis import strategies as st

from memwave.core.ranges import rows_per_block
from memwave.workflow.planning.memory.blocks import KERNEL_ROWS, projection_rows


@given(n_features=st.integers(1, 10**6), dtype=st.sampled_from(["float32", "float64"]))
def test_a_block_that_is_projected_is_of_whole_groups_of_rows(n_features, dtype):
    fit, rows = rows_per_block(4, n_features, dtype), projection_rows(n_features, 32, dtype)
    assert rows == fit if fit < KERNEL_ROWS else rows == fit // KERNEL_ROWS * KERNEL_ROWS
