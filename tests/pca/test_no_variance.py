"""Windows that are all alike have no components; the fit says so."""

import numpy as np
import pytest
from oracles import make_spec

from fit_model import require_variance
from memwave.core.errors import MemwaveError
from memwave.pca.model import Model


def model_of(total):
    return Model(np.eye(2, 8), np.zeros(8), np.zeros(2), total, 100, "covariance")


@pytest.mark.parametrize(
    ("layout", "words"), [("interleaved", "use layout: per-channel"), ("per-channel", "constant")]
)
@pytest.mark.parametrize("total", [0.0, np.nan])
def test_no_variance_is_an_error_that_says_what_to_do(layout, words, total):
    with pytest.raises(MemwaveError, match=f"all 100 windows .* the same 8 features.*{words}"):
        require_variance(model_of(total), make_spec(channels=2, layout=layout))


def test_any_variance_will_do():
    require_variance(model_of(1e-300), make_spec(channels=2))
