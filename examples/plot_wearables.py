"""
Watch a wearable
================

A smartphone on the waist records walking, sitting, standing and lying. A model of these
activities does not know the short changes between them: the squared prediction error (SPE) of a
window rises there. This example fits a model to two people and watches a third one.

Data: three recordings of HAPT (Reyes-Ortiz and others, UCI Machine Learning Repository, 2015, CC
BY 4.0), which come with memwave.
"""

# %%
# Windows of 128 samples (2.56 s) of six channels, 16 samples apart, are rows of a matrix.
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import memwave

FOLDER = Path("../resources/hapt")  # seen from the folder of this example
WINDOW, STEP, RATE = 128, 16, 50


def windows(name):
    """Rows of a recording, and the label of the last sample of each."""
    signal, labels = np.load(FOLDER / f"{name}.npy"), np.load(FOLDER / f"{name}.labels.npy")
    view = np.lib.stride_tricks.sliding_window_view(signal / SCALE, WINDOW, axis=0)[::STEP]
    return view.reshape(len(view), -1), labels[WINDOW - 1 :: STEP]


SCALE = np.load(FOLDER / "user01-run1.npy").std(axis=0)
(first, known), (second, more), (third, labels) = map(
    windows, ("user01-run1", "user02-run1", "user04-run2")
)

# %%
# The ordinary state are the activities (labels 1 to 6) of two people. The number of components
# follows from parallel analysis.
ordinary = np.concatenate([first[(known >= 1) & (known <= 6)], second[(more >= 1) & (more <= 6)]])
pca = memwave.PCA("parallel").fit(ordinary)
print(pca.n_components_, "components;", pca.selection_["suggested"])

# %%
# Watch the third person. Formulas assume normal, independent rows. Here they do not hold, so the
# limit is a quantile of the ordinary rows.
found = pca.monitor(third)
limit = np.quantile(pca.monitor(ordinary).spe, 0.99)
transition = (labels >= 7) & (labels <= 12)
activity = (labels >= 1) & (labels <= 6)
for name, rows in (("activities", activity), ("transitions", transition)):
    print(f"{name}: {np.mean(found.spe[rows] > limit):.0%} of the windows are above the limit")

# %%
# The area under the ROC curve: the chance that a window of a transition has a larger SPE than one
# of an activity.
ranks = np.argsort(np.argsort(found.spe[activity | transition]))
positive = transition[activity | transition]
n = positive.sum()
area = (ranks[positive].sum() - n * (n - 1) / 2) / (n * (~positive).sum())
print(f"area under the ROC curve: {area:.3f}")

# %%
seconds = (np.arange(len(third)) * STEP + WINDOW) / RATE
figure, axes = plt.subplots(figsize=(9, 3), layout="constrained")
axes.semilogy(seconds, found.spe, color="0.6", linewidth=0.8)
axes.semilogy(seconds[transition], found.spe[transition], ".", color="#D55E00", label="transition")
axes.axhline(limit, color="black", linestyle="--", linewidth=0.8, label="99 % of ordinary windows")
axes.set(xlabel="time (s)", ylabel="SPE")
axes.legend(frameon=False)
plt.show()
