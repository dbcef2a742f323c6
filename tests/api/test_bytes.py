"""Components of `memwave.PCA` are those of the workflow's stages, to the byte."""

import numpy as np
import pytest
from fitting import options_of, save_shard

import memwave
from memwave.core.ranges import rows_per_block, shard_range
from memwave.pca.model import Model
from memwave.pca.solvers import feature_solvers, load_libraries, make_solver
from memwave.pca.standardizer import load_standardizer
from memwave.pca.streaming import fit_shards, summarize
from memwave.storage import hdf5
from memwave.storage.shards import Shard

K, SHARDS, BLOCK_MB = 4, 3, 0.02


def fitted_by_stages(folder, rows, solver, standardize) -> Model:
    """Fit as `summarize_features` and `fit_model` do: shards in files, summaries in files."""
    load_libraries(solver)
    paths = []
    for i in range(SHARDS):
        start, stop = shard_range(len(rows), i, SHARDS)
        paths.append(folder / f"{i}.npy")
        save_shard(paths[i], rows[start:stop])
    options = options_of(solver, n_components=K, solver=solver, standardize=standardize)
    dtype = "float64" if rows.dtype == np.float64 else "float32"
    shards = [Shard(path) for path in paths]
    ranges = [[(0, shard.shape[0])] for shard in shards]
    measures = []
    if standardize:
        from measure_features import measure_features
        from memwave.workflow.requests.features import FeatureMeasurement

        for i, path in enumerate(paths):
            measures.append(folder / f"{i}.moments")
            block_rows = rows_per_block(BLOCK_MB, rows.shape[1], "float64")
            request = FeatureMeasurement(train_ranges=ranges[i], block_rows=block_rows)
            measure_features(request, shard=str(path), measures=str(measures[i]))
    how = {
        "dtype": dtype,
        "block_rows": rows_per_block(BLOCK_MB, rows.shape[1], dtype),
        "standardizer": load_standardizer(measures, dtype),
    }
    merging = make_solver(solver, rows.shape[1], options, dtype)
    if not merging.ONE_PASS:
        return fit_shards(shards, ranges, options, threads=2, progress=Quiet(), **how)
    for i, shard in enumerate(shards):
        one = make_solver(solver, rows.shape[1], options, dtype)
        part = summarize(one, shard, ranges[i], progress=lambda rows: None, **how)
        hdf5.save_arrays(folder / f"{i}.h5", part.arrays())
        merging.merge(merging.restore(hdf5.load_arrays(folder / f"{i}.h5")))
    model = merging.finish()
    return how["standardizer"].in_units(model) if standardize else model


class Quiet:
    """Progress that nobody sees."""

    def add(self, rows):
        assert rows > 0

    def restart(self):
        """Nothing to do."""


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("solver", feature_solvers())
def test_package_and_stages_agree_to_the_byte(solver, dtype, standardize, tmp_path):
    random = np.random.default_rng(1)
    rows = (random.normal(size=(1501, 40)) @ random.normal(size=(40, 40)) + 3).astype(dtype)
    expected = fitted_by_stages(tmp_path, rows, solver, standardize)
    raw = tmp_path / "x.mmap"
    rows.tofile(raw)
    pca = memwave.PCA(
        K, solver=solver, shards=SHARDS, block_mb=BLOCK_MB, standardize=standardize
    ).fit(raw, dtype=dtype, columns=40)
    for name in ("components", "mean", "explained_variance"):
        assert getattr(pca, f"{name}_").tobytes() == getattr(expected, name).tobytes(), name
    shards = [str(tmp_path / f"{i}.npy") for i in range(SHARDS)]
    again = memwave.PCA(
        K, solver=solver, shards=SHARDS, block_mb=BLOCK_MB, standardize=standardize
    ).fit(shards)
    assert again.components_.tobytes() == expected.components.tobytes()
