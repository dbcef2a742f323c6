"""What docs/faq.md and docs/choosing.md say is so."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from oracles import make_spec, oracle
from tiny_run import TINY_RUN

from memwave.features.spec import band_names

ROOT = Path(__file__).parents[2]
FAQ = (ROOT / "docs/faq.md").read_text(encoding="utf-8")


def commands(question):
    """The commands below a question."""
    (answer,) = re.findall(rf"^## {question}\n(.*?)(?=^## |\Z)", FAQ, re.M | re.DOTALL)
    return re.findall(r"^\$ (.*)$", answer, re.MULTILINE)


def test_features_may_be_deleted_after_a_run(tiny_results, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_results, folder)
    (command,) = commands(r"May I delete the features after a run\?")
    subprocess.run(command.split(), cwd=folder, check=True)
    assert not (folder / "results/hapt/haar/features").exists()
    planned = subprocess.run(
        [*TINY_RUN, "--dry-run"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert planned.returncode == 0, planned.stderr[-4000:]
    assert "Nothing to be done" in planned.stdout + planned.stderr


@pytest.mark.parametrize("wavelet", ["haar", "db4"])
def test_with_all_bands_features_are_rotated_windows(wavelet):
    """Where nothing happens at the ends: distances between windows are kept."""
    bands = band_names(3)
    spec = make_spec(
        window=64, channels=2, wavelet=wavelet, level=3, bands=bands, layout="per-channel",
        mode="periodization",
    )  # fmt: skip
    recording = np.random.default_rng(0).normal(size=(163, 2))
    features = oracle(recording, spec, 100)
    windows = np.stack([recording[i : i + 64].ravel() for i in range(100)])
    of_features, of_windows = (np.linalg.svd(x - x.mean(axis=0))[1] for x in (features, windows))
    np.testing.assert_allclose(of_features[:90], of_windows[:90], rtol=1e-9)


def test_interleaved_haar_details_of_equal_channels_are_zero():
    spec = make_spec(window=16, channels=2, layout="interleaved", level=1, bands=["d1"])
    channel = np.random.default_rng(0).normal(size=(30, 1))
    assert not oracle(np.hstack([channel, channel]), spec, 15).any()
