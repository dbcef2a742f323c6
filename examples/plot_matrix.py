"""
PCA of a matrix on disk
=======================

This example computes spectra of sliding windows of a recording, writes them to a raw float16 file as a
program without memwave would, and computes the PCA of this file. Spectra do not change with the
position of a wave in the window, so they suit rhythms better than wavelet coefficients do.

The recordings are those in ``resources/hapt``: a smartphone at the waist of people who walk, climb
stairs, sit, stand and lie, 6 channels at 50 Hz.
"""

# %%
# A matrix in a file
# ------------------
# Each row of the matrix has the spectra of all channels in a window of 2.56 s, on a logarithmic scale.
# A window begins at every fifth row of the recording.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import memwave

RATE, WINDOW, STEP = 50, 128, 5
CHANNELS = ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]


def find_recordings() -> Path:
    """The folder resources/hapt of the clone in which this example is."""
    here = Path.cwd()
    return next(p / "resources/hapt" for p in [here, *here.parents] if (p / "resources").is_dir())


def spectra(recording: np.ndarray) -> np.ndarray:
    """Logarithms of the power spectra of all windows, shape (windows, channels * frequencies)."""
    windows = np.lib.stride_tricks.sliding_window_view(recording, WINDOW, axis=0)[::STEP]
    windows = (windows - windows.mean(axis=-1, keepdims=True)) * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(windows, axis=-1)) ** 2
    return np.log10(power + 1e-4).reshape(len(power), -1)


folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "spectra.mmap"
labels = []
with open(path, "wb") as file:
    for name in ("user01-run1", "user02-run1", "user04-run2"):
        recording = np.load(find_recordings() / f"{name}.npy")
        file.write(spectra(recording).astype("float16").tobytes())
        last_rows = np.load(find_recordings() / f"{name}.labels.npy")[WINDOW - 1 :: STEP]
        labels.append(last_rows)
label = np.concatenate(labels)
columns = len(CHANNELS) * (WINDOW // 2 + 1)
print(f"{path.stat().st_size / 1e6:.1f} MB, {len(label)} rows x {columns} columns")

# %%
# Three lines
# -----------
# The file is read block by block. ``max_mem_mb`` limits the memory of the process, Python and libraries
# included; a fit that would need more is an error before it begins.

pca = memwave.PCA(n_components=10, max_mem_mb=500)
pca.fit(path, dtype="float16", columns=columns)
scores = pca.transform(path, dtype="float16", columns=columns)
print(f"solver: {pca.solver_}")
print(f"share of the variance: {pca.explained_variance_ratio_.sum():.2f}")
print(f"largest residual: {pca.residual_.max() / pca.explained_variance_[0]:.1e} of the first variance")

# %%
# How exact is it?
# ----------------
# The residual of each component bounds the distance of its explained variance from an eigenvalue of the
# covariance. Here it is many orders of magnitude below the variances.

figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
number = np.arange(1, 11)
axes.semilogy(number, pca.explained_variance_, "o-", label="explained variance")
axes.semilogy(number, pca.residual_, "s--", label="residual")
axes.set(xlabel="component", ylabel="variance", xticks=number)
axes.legend()

# %%
# What the components are
# -----------------------
# Each component is a spectrum for each channel. Where it is positive, windows with a large score have
# more power than the mean.

figure, axes = plt.subplots(1, 3, figsize=(9, 3.5), sharey=True, layout="constrained")
frequency = np.fft.rfftfreq(WINDOW, 1 / RATE)
for k, one in enumerate(axes):
    for channel, loadings in zip(CHANNELS, pca.components_[k].reshape(6, -1), strict=True):
        one.plot(frequency, loadings, label=channel)
    one.axhline(0, color="0.7", zorder=0)
    one.set(xlabel="frequency (Hz)", title=f"component {k + 1}")
axes[0].set_ylabel("loading")
axes[-1].legend(fontsize="small")

# %%
# Where the windows are
# ---------------------
# Walking, climbing stairs and resting are apart, although PCA did not use the labels.

ACTIVITIES = {1: "walking", 2: "upstairs", 3: "downstairs", 4: "sitting", 5: "standing", 6: "laying"}
figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
for number, name in ACTIVITIES.items():
    rows = label == number
    axes.scatter(scores[rows, 0], scores[rows, 1], s=3, alpha=0.4, label=name)
axes.set(xlabel="component 1", ylabel="component 2")
axes.legend(markerscale=4)

# %%
# The model and its scores can be written to files, and read again without the matrix.

pca.save(Path(folder.name) / "model.h5")
again = memwave.load_model(Path(folder.name) / "model.h5")
print(np.array_equal(again.components_, pca.components_))
folder.cleanup()
