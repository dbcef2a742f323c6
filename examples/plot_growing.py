"""
A dataset that grows
====================

New rows arrive each month. The saved model keeps the sums that it was computed from, so that a
month is added without a look at the months before. Each month is first compared with the limits
of the model so far; a failure is not added. A second site has a model of its own, and the two are
merged without its rows.
"""

# %%
# Simulated spectra of 60 columns: four substances whose amounts vary, and noise. From March on
# there is a fifth substance, ever more often. In June, a lamp fails during 200 measurements.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import memwave

MONTHS = ("January", "February", "March", "April", "May", "June")
ROWS, COLUMNS, FAILURE = 2000, 60, slice(1000, 1200)
random = np.random.default_rng(3)
axis = np.linspace(0, 1, COLUMNS)
bands = np.exp(-(((axis - np.linspace(0.1, 0.9, 5)[:, None]) / 0.06) ** 2))


def measured(fifth):
    """Spectra, of which a share has the fifth substance."""
    amounts = random.gamma(4.0, 0.5, (ROWS, 5))
    amounts[:, 4] *= random.random(ROWS) < fifth
    return amounts @ bands + 0.05 * random.normal(size=(ROWS, COLUMNS))


months = {name: measured(max(0, i - 1) * 0.1) for i, name in enumerate(MONTHS)}
months["June"][FAILURE] += np.linspace(0, 1.5, COLUMNS)

# %%
# The first model. ``partial_fit`` keeps its sums, and ``summary=True`` writes them to the file.
folder = Path(tempfile.mkdtemp())
file = folder / "model.h5"
first = memwave.PCA(5, solver="covariance").partial_fit(months["January"])
first.save(file, summary=True)

# %%
# Each month: load the model, compare the new rows with its limit of SPE, which holds for 999 of
# 1000 ordinary rows, add them and save. Whether many rows above the limit are a new state or a
# failure is for people to say. Here, only the failure of June is left out.
above = {"of January": [], "so far": []}
for name in MONTHS[1:]:
    pca = memwave.load_model(file)
    now = pca.monitor(months[name], levels=(0.999,))
    then = first.monitor(months[name], levels=(0.999,))
    for model, found in (("of January", then), ("so far", now)):
        above[model].append(np.mean(found.above_spe > 0))
    rows = months[name]
    if name == "June":
        print(f"June: {np.mean(now.above_spe[FAILURE] > 0):.0%} of the failure is above the limit")
        rows = np.delete(rows, FAILURE, axis=0)
    pca.update(rows)
    pca.save(file, summary=True)
    shares = ", ".join(f"{100 * found[-1]:.1f}% {model}" for model, found in above.items())
    print(f"{name}: above the limit of the model: {shares}")

# %%
# The result is that of all rows at once, but for rounding.
grown = memwave.load_model(file)
ordinary = months | {"June": np.delete(months["June"], FAILURE, axis=0)}
rows = np.vstack(list(ordinary.values()))
whole = memwave.PCA(5, solver="covariance").fit(rows)
apart = np.abs(grown.explained_variance_ / whole.explained_variance_ - 1).max()
print(f"{grown.n_samples_} rows; largest relative difference of a variance: {apart:.0e}")

# %%
# Another site sends its file, not its rows.
memwave.PCA(5, solver="covariance").partial_fit(measured(0.3)).save(
    folder / "there.h5", summary=True
)
grown.merge(memwave.load_model(folder / "there.h5"))
print(f"{grown.n_samples_} rows of two sites")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for model, shares in above.items():
    left.plot(MONTHS[1:], 100 * np.array(shares), "o-", label=f"model {model}")
left.set(ylabel="rows above the limit of SPE (%)")
left.legend(frameon=False)
for i in (0, 4):
    right.plot(axis, first.components_[i], color="0.7")
    right.plot(axis, grown.components_[i], label=f"component {i + 1} in July")
right.plot([], [], color="0.7", label="the same in January")
right.set(xlabel="position in the spectrum")
right.set_ylim(top=0.8)  # room for the legend
right.legend(frameon=False, fontsize="small")
plt.show()
