"""Parameters, and calls of a model, that are refused with what to do."""

import h5py
import numpy as np
import pandas as pd
import pytest
from matrix_files import spoiled
from small_matrices import GOOD

import memwave

PARAMETERS = {
    "n_components": (0, "n_components is 0, expected a whole number from 1"),
    "n_components ": (1.5, "n_components is 1.5, .*a share of the variance"),
    "n_components  ": (7, "n_components is 7, expected at most 6: the matrix has 40 rows and 6"),
    "solver": ("covarance", 'solver is "covarance", .*Did you mean "covariance"'),
    "solver ": ("lag-covariance", "solver is .lag-covariance., expected"),
    "compute_dtype": ("float16", 'compute_dtype: found "float16", expected "auto", "float32"'),
    "standardize": ("yes", 'standardize: found "yes", expected true or false'),
    "solver_options": ({"passes": 0}, "passes: "),
    "shards": (0, "shards: found 0, expected a whole number of at least 1"),
    "threads": (1.5, "threads: found 1.5"),
    "block_mb": (-1, "block_mb: found -1, expected a number above 0"),
    "block_mb ": (float("nan"), "block_mb: found nan, expected a number above 0"),
    "block_mb  ": (float("inf"), "block_mb: found inf, expected a number above 0"),
    "solver_options ": (3, "solver_options is 3, expected a dict"),
    "tolerance": (0, "tolerance: found 0, expected a number greater than 0"),
    "random_state": (-1, "random_state: found -1, expected a whole number of at least 0, or None"),
    "random_state ": (np.random.RandomState(0), "random_state: found RandomState.*, expected"),
    "max_components": (0, "max_components: found 0, expected a whole number of at least 1"),
    "certify": ("no", 'certify: found "no", expected True or False'),
    "max_mem_mb": (100, r"needs \d+ MB, more than max_mem_mb=100. Allow more"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_bad_parameter_is_refused(name, tmp_path):
    value, message = PARAMETERS[name]
    with pytest.raises(memwave.MemwaveError, match=message):
        memwave.PCA(**{name.strip(): value}).fit(GOOD)


def test_what_does_not_fit_the_model_is_refused(tmp_path):
    pca = memwave.PCA(2).fit(GOOD)
    cases = {
        "X has 5 features, but PCA is expecting 6": lambda: pca.transform(GOOD[:, :5]),
        r"out has shape \(3, 3\), expected \(40, 2\)": lambda: pca.transform(
            GOOD, out=np.zeros((3, 3))
        ),
        "scores.txt: cannot be written, expected a name that ends in .npy": lambda: pca.transform(
            GOOD, out="scores.txt"
        ),
        "has 6 columns, expected the 2 scores": lambda: pca.inverse_transform(GOOD),
        "X: is an iterator, which can be read once": lambda: pca.transform(iter([GOOD])),
        "an iterator can be read once": lambda: pca.fit_transform(iter([GOOD])),
        "row 3, column 1 is NaN": lambda: pca.transform(
            spoiled(3, 1, np.nan, "f8"), out=tmp_path / "out.npy"
        ),
        "no parameter of PCA. Did you mean": lambda: pca.set_params(n_component=3),
        "which reads the rows several times": lambda: memwave.PCA(2, solver="randomized").fit(
            iter([GOOD])
        ),
        "expected at least 2 for": lambda: memwave.PCA(2).partial_fit(GOOD[:1]).components_,
        "not fitted yet": lambda: memwave.PCA().transform(GOOD),
    }
    for message, call in cases.items():
        with pytest.raises(memwave.MemwaveError, match=message):
            call()
    assert list(tmp_path.iterdir()) == []
    named = memwave.PCA(2).fit(pd.DataFrame(GOOD, columns=list("abcdef")))
    with pytest.raises(memwave.MemwaveError, match="column 0 is called 'b', expected 'a'"):
        named.transform(pd.DataFrame(GOOD, columns=list("bacdef")))


@pytest.mark.parametrize("name", ["gone.h5", ".", "x.npy", "other.h5"])
def test_no_model_is_never_to_be_deleted(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", GOOD)
    with h5py.File("other.h5", "w") as file:
        file["x"] = GOOD
    with pytest.raises(memwave.MemwaveError, match=f"{name}: .*expected a model.h5") as raised:
        memwave.load_model(name)
    assert "rm " not in str(raised.value)
