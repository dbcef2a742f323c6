"""
How many components has a heartbeat?
====================================

An electrocardiogram that comes with PyWavelets (1024 samples), in windows that overlap. The
criteria disagree, and overlapping windows are not independent: both are normal. The
reconstruction shows what a few components keep.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import pywt

import memwave
from memwave.pca.diagnostics.selection import effective_rows, suggestions

signal = pywt.data.ecg().astype(float)
WINDOW, STEP = 128, 2
rows = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::STEP]

# %%
# Components that explain more than 95 % of the variance.
pca = memwave.PCA(0.95).fit(rows)
print(pca.n_components_, "components explain more than 95 %:", pca.selection_["reached"])

# %%
# What the criteria say: with all windows as independent rows, and with as many as fit side by
# side.
spectrum = memwave.PCA().fit(rows)
values, total = spectrum.explained_variance_, float(spectrum.explained_variance_.sum())
for n in (len(rows), effective_rows(len(rows), WINDOW, STEP)):
    print(n, "independent rows:", suggestions(values[:50], total, WINDOW, n))

# %%
# One window, and what is left of it.
window = rows[200]
figure, axes = plt.subplots(figsize=(9, 3), layout="constrained")
axes.plot(window, color="0.7", linewidth=3, label="signal")
axes.plot(pca.inverse_transform(pca.transform(window[None]))[0], label="0.95 of the variance")
axes.set(xlabel="sample", ylabel="ECG")
axes.legend(frameon=False)
plt.show()
