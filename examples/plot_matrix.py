"""
PCA of a matrix on disk
=======================

This example computes spectra of sliding windows of a recording, writes them to a raw file of
float16, and computes the PCA of this file. Spectra do not change with the position of a wave in
the window, so they suit rhythms better than wavelet coefficients do.

The recordings are those in ``resources/hapt``: a smartphone at the waist of people who walk,
climb stairs, sit, stand and lie, 6 channels at 50 Hz.
"""

# %%
# A matrix in a file
# ------------------
# Each row of the matrix has the spectra of all channels in a window of 2.56 s, on a logarithmic
# scale. A window begins at every fifth row of the recording.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import memwave

RATE, WINDOW, STEP = 50, 128, 5
CHANNELS = ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]


def find_recordings():
    """Return the folder resources/hapt of the clone that has this example."""
    here = Path.cwd()
    folders = (folder / "resources/hapt" for folder in [here, *here.parents])
    return next(folder for folder in folders if folder.is_dir())


def spectra(recording):
    """Return log power spectra of all windows, shape (windows, channels * frequencies)."""
    view = np.lib.stride_tricks.sliding_window_view
    windows = view(recording, WINDOW, axis=0)[::STEP]
    windows = windows - windows.mean(axis=-1, keepdims=True)
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=-1)) ** 2
    return np.log10(power + 1e-4).reshape(len(power), -1)


recordings = find_recordings()
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "spectra.mmap"
labels = []
with open(path, "wb") as file:
    for name in ("user01-run1", "user02-run1", "user04-run2"):
        rows = spectra(np.load(recordings / f"{name}.npy"))
        file.write(rows.astype("float16").tobytes())
        label_of_rows = np.load(recordings / f"{name}.labels.npy")
        labels.append(label_of_rows[WINDOW - 1 :: STEP])  # of the last row
label = np.concatenate(labels)
columns = len(CHANNELS) * (WINDOW // 2 + 1)
print(f"{path.stat().st_size / 1e6:.1f} MB, {len(label)} rows x {columns} columns")

# %%
# Three lines
# -----------
# The file is read block by block. ``max_mem_mb`` limits the memory of the process, Python and
# libraries included; a fit that would need more is an error before it begins.

pca = memwave.PCA(n_components=10, max_mem_mb=500)
pca.fit(path, dtype="float16", columns=columns)
scores = pca.transform(path, dtype="float16", columns=columns)
print(f"solver: {pca.solver_}")
print(f"share of the variance: {pca.explained_variance_ratio_.sum():.2f}")
largest = pca.residual_.max() / pca.explained_variance_[0]
print(f"largest residual: {largest:.1e} of the first variance")

# %%
# How exact is it?
# ----------------
# The residual of each component bounds the distance of its explained variance from an eigenvalue
# of the covariance. Here it is many orders of magnitude below the variances.

figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
number = np.arange(1, 11)
axes.semilogy(number, pca.explained_variance_, "o-", label="explained variance")
axes.semilogy(number, pca.residual_, "s--", label="residual")
axes.set(xlabel="component", ylabel="variance", xticks=number)
axes.legend()

# %%
# What the components are
# -----------------------
# Each component is a spectrum for each channel. Where it is positive, windows with a large score
# have more power than the mean.

figure, axes = plt.subplots(1, 3, figsize=(9, 3.5), sharey=True, layout="constrained")
frequency = np.fft.rfftfreq(WINDOW, 1 / RATE)
for k, one in enumerate(axes):
    loadings = pca.components_[k].reshape(len(CHANNELS), -1)
    one.plot(frequency, loadings.T, label=CHANNELS)
    one.axhline(0, color="0.7", zorder=0)
    one.set(xlabel="frequency (Hz)", title=f"component {k + 1}")
axes[0].set_ylabel("loading")
axes[-1].legend(fontsize="small")

# %%
# Where the windows are
# ---------------------
# Walking, climbing stairs and resting are apart, although PCA did not use the labels.

ACTIVITIES = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"]
figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
for number, name in enumerate(ACTIVITIES, start=1):
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
