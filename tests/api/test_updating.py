"""Models that take in more rows after they were saved, and models that are merged."""

import numpy as np
import pandas as pd
import pytest

import memwave
from memwave.api.streams import accumulator
from memwave.core.errors import MemwaveError
from memwave.core.precision import load_shifted

K = 4


def matrix(n_rows, seed):
    random = np.random.default_rng(seed)
    scales = np.linspace(9, 1, 30)
    return random.normal(size=(n_rows, 30)) * scales + 5 * scales + 100 * (seed == 3)


@pytest.fixture
def parts(tmp_path):
    found = [matrix(400, 1), matrix(70, 2), matrix(200, 3)]
    for i, rows in enumerate(found):
        np.save(tmp_path / f"{i}.npy", rows)
    return found


def require_same(pca, rows):
    """The model of all rows, as a dense decomposition finds it."""
    covariance = np.cov(rows.T)
    values, vectors = np.linalg.eigh(covariance)
    assert pca.n_samples_ == len(rows)
    np.testing.assert_allclose(pca.mean_, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(pca.explained_variance_, values[: -K - 1 : -1], rtol=1e-10)
    cosines = np.abs(np.sum(pca.components_ * vectors[:, : -K - 1 : -1].T, axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-10)
    scores = (rows - rows.mean(axis=0)) @ pca.components_.T
    np.testing.assert_allclose(pca.transform(rows), scores, atol=1e-8)
    assert (pca.error_bound_ >= np.abs(pca.explained_variance_ - values[: -K - 1 : -1])).all()


def saved(folder, i, **options):
    path = folder / f"model{i}.h5"
    memwave.PCA(K, **options).partial_fit(folder / f"{i}.npy").save(path, summary=True)
    return path


def test_a_saved_model_takes_in_more_rows(tmp_path, parts):
    path = saved(tmp_path, 0, solver="covariance")
    require_same(memwave.load_model(path), parts[0])
    pca = memwave.load_model(path).update(tmp_path / "1.npy")
    require_same(pca, np.vstack(parts[:2]))
    pca.save(path, summary=True)
    pca = memwave.load_model(path).update([tmp_path / "2.npy"])
    require_same(pca, np.vstack(parts))
    pca.partial_fit(parts[1])
    require_same(pca, np.vstack([*parts, parts[1]]))


def test_blocks_have_the_columns_of_the_first_by_name(tmp_path, parts):
    tables = [pd.DataFrame(rows, columns=[f"c{i}" for i in range(30)]) for rows in parts]
    other = tables[1].iloc[:, ::-1]
    pca = memwave.PCA(K, solver="covariance").partial_fit(tables[0])
    assert pca.feature_names_in_.tolist() == tables[0].columns.tolist()
    message = "column 0 is called 'c29', expected 'c0'"
    for method in (pca.partial_fit, pca.update, pca.transform):
        with pytest.raises(MemwaveError, match=message):
            method(other)
    with pytest.raises(MemwaveError, match=message):
        memwave.PCA(K, solver="covariance").fit(iter([tables[0], other]))
    pca.save(tmp_path / "model.h5", summary=True)
    loaded = memwave.load_model(tmp_path / "model.h5")
    with pytest.raises(MemwaveError, match=message):
        loaded.partial_fit(other)
    require_same(loaded.partial_fit(tables[1]).update(parts[2]), np.vstack(parts))
    assert loaded.feature_names_in_.tolist() == tables[0].columns.tolist()


def test_saved_models_are_merged(tmp_path, parts):
    paths = [saved(tmp_path, i, solver="covariance") for i in range(3)]
    models = [memwave.load_model(path) for path in paths]
    merged = models[0].merge(models[1]).merge(models[2])
    require_same(merged, np.vstack(parts))
    require_same(models[2], parts[2])


def test_updates_are_the_same_to_the_byte(tmp_path, parts):
    for name in ("once.h5", "twice.h5"):
        pca = memwave.load_model(saved(tmp_path, 0)).update(tmp_path / "1.npy")
        pca.save(tmp_path / name, summary=True)
    assert (tmp_path / "once.h5").read_bytes() == (tmp_path / "twice.h5").read_bytes()


def test_the_incremental_solver_keeps_its_bound(tmp_path, parts):
    path = saved(tmp_path, 0, solver="incremental", solver_options={"inner_rank": 12})
    pca = memwave.load_model(path).update(tmp_path / "1.npy").update(parts[2])
    values = np.linalg.eigvalsh(np.cov(np.vstack(parts).T))[: -K - 1 : -1]
    error = np.abs(pca.explained_variance_ - values).max()
    assert 0 < error <= pca.eigenvalue_error_bound_


def test_an_update_that_fails_changes_nothing(tmp_path, parts):
    pca = memwave.load_model(saved(tmp_path, 0))
    bad = parts[1].copy()
    bad[50, 3] = np.nan
    with pytest.raises(MemwaveError, match="row 50"):
        pca.update(bad)
    require_same(pca, parts[0])
    require_same(pca.update(parts[1]), np.vstack(parts[:2]))


@pytest.mark.parametrize("solver", ["covariance", "incremental"])
def test_a_block_with_a_bad_value_is_not_added_in_part(solver, parts):
    bad = np.vstack(parts)
    bad[660, 7] = np.nan
    pca = memwave.PCA(K, solver=solver, block_mb=0.01)  # about 80 rows at once
    with pytest.raises(MemwaveError, match="row 660, column 7"):
        pca.partial_fit(bad)
    pca.partial_fit(parts[0])
    with pytest.raises(MemwaveError, match="row 260, column 7"):
        pca.partial_fit(bad[400:])
    for rows in parts[1:]:
        pca.partial_fit(rows)
    assert pca.n_samples_ == 670
    expected = np.linalg.eigvalsh(np.cov(np.vstack(parts).T))[: -K - 1 : -1]
    tolerance = 1e-10 if solver == "covariance" else 0.02
    np.testing.assert_allclose(pca.explained_variance_, expected, rtol=tolerance)


def test_sums_that_an_interruption_spoiled_are_not_used(parts, monkeypatch):
    pca = memwave.PCA(K, solver="covariance", block_mb=0.01).partial_fit(parts[0])
    before, calls = pca.explained_variance_, iter(range(9))

    def interrupted(*arrays):
        if next(calls) == 2:
            raise KeyboardInterrupt
        load_shifted(*arrays)

    with monkeypatch.context() as patch:
        patch.setattr(accumulator, "load_shifted", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pca.partial_fit(parts[2])
    np.testing.assert_array_equal(pca.explained_variance_, before)
    for use in (pca.partial_fit, pca.update):
        with pytest.raises(MemwaveError, match="added in part: it was interrupted"):
            use(parts[2])
    require_same(memwave.PCA(K).partial_fit(parts[2]), parts[2])


def test_a_block_continues_a_saved_model_and_no_other(tmp_path, parts):
    pca = memwave.load_model(saved(tmp_path, 0)).partial_fit(parts[1])
    require_same(pca, np.vstack(parts[:2]))
    fitted = memwave.PCA(K).fit(parts[0])
    with pytest.warns(UserWarning, match="begins a new model: the rows that were fitted before"):
        fitted.partial_fit(parts[1])
    require_same(fitted, parts[1])
    with pytest.raises(MemwaveError, match="the other model is null"):
        pca.merge(None)
    with pytest.raises(MemwaveError, match="its rows would count twice"):
        pca.merge(pca)


def test_a_solver_of_several_reads_says_that_it_takes_no_blocks(parts):
    pca = memwave.PCA(K, solver="gram")
    assert not hasattr(pca, "partial_fit")
    for error in (MemwaveError, AttributeError):
        with pytest.raises(error, match='solver is "gram", which reads the rows several times'):
            pca.partial_fit(parts[0])
    with pytest.raises(AttributeError, match="'PCA' object has no attribute 'partial'"):
        pca.partial  # noqa: B018


@pytest.mark.parametrize("summary", [True, False])
def test_a_summary_of_another_model_is_not_used(summary, tmp_path, parts):
    pca = memwave.load_model(saved(tmp_path, 0, solver="covariance"))
    other = memwave.load_model(saved(tmp_path, 1, solver="covariance"))
    (other if summary else pca).save(tmp_path / "model0.h5", summary=summary)
    with pytest.raises(MemwaveError, match=r"model0.h5: is another model than when it was loaded"):
        pca.update(parts[2])
    assert pca.n_samples_ == 400


def test_what_cannot_be_updated_says_why(tmp_path, parts):
    fitted = memwave.PCA(K).fit(parts[0])
    with pytest.raises(MemwaveError, match="Fit with partial_fit"):
        fitted.update(parts[1])
    with pytest.raises(MemwaveError, match="Fit with partial_fit"):
        fitted.save(tmp_path / "model.h5", summary=True)
    fitted.save(tmp_path / "model.h5")
    with pytest.raises(MemwaveError, match="has no summary"):
        memwave.load_model(tmp_path / "model.h5").update(parts[1])
    kept = memwave.load_model(saved(tmp_path, 0))
    with pytest.raises(MemwaveError, match="has 29 features"):
        kept.update(parts[1][:, 1:])
    with pytest.raises(MemwaveError, match="has no summary"):
        kept.merge(fitted)
    other = memwave.PCA(K).partial_fit(parts[1][:, 1:])
    with pytest.raises(MemwaveError, match="of 29 columns, expected 30"):
        kept.merge(other)
    other = memwave.PCA(K, solver="incremental").partial_fit(parts[1])
    with pytest.raises(MemwaveError, match="has solver 'incremental', expected 'covariance'"):
        kept.merge(other)
    require_same(kept, parts[0])
