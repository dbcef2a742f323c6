"""
Watch a machine
===============

A simulated machine: twenty sensors follow three states of operation that change slowly, with
noise of their own. Then three things go wrong, one after the other. Hotelling's T2 sees a state
that is far from the usual; SPE sees sensors that no longer agree with each other. The example
counts false alarms and detections.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import memwave

SENSORS, STATES, ROWS = 20, 3, 20_000
random = np.random.default_rng(7)
mixing = random.normal(size=(STATES, SENSORS))


def run(rows):
    """Readings of all sensors: states of operation, mixed, and noise."""
    states = np.zeros((rows, STATES))
    for i in range(1, rows):
        states[i] = 0.95 * states[i - 1] + random.normal(size=STATES)
    return states @ mixing + random.normal(size=(rows, SENSORS))


# %%
# Fit to a run without faults. The criterion finds the three states.
ordinary = run(ROWS)
pca = memwave.PCA("parallel", max_components=10).fit(ordinary)
print(pca.n_components_, "components, three states")

# %%
# Three faults in a new run: a sensor drifts, a sensor is stuck, and the machine is overloaded.
watched = run(ROWS)
faults = {
    "drift": slice(5000, 7000),
    "stuck": slice(10_000, 12_000),
    "overload": slice(15_000, 17_000),
}
watched[faults["drift"], 4] += np.linspace(0, 12, 2000)
watched[faults["stuck"], 9] = watched[9999, 9]
watched[faults["overload"]] += 14 * mixing[0]

# %%
# The share of ordinary rows above the limits, and of rows with a fault. Limits by the formulas
# fit here, since the noise is normal.
found = pca.monitor(watched, levels=(0.99,))
healthy = np.ones(ROWS, bool)
for place in faults.values():
    healthy[place] = False
rates = {"healthy": healthy} | faults
for name, rows in rates.items():
    t2, spe = np.mean(found.above_t2[rows] > 0), np.mean(found.above_spe[rows] > 0)
    print(f"{name:9s} above the limit of T2: {t2:6.1%}, of SPE: {spe:6.1%}")

# %%
figure, panels = plt.subplots(2, sharex=True, figsize=(9, 4), layout="constrained")
series = (("T2", found.hotelling_t2, found.t2_limit), ("SPE", found.spe, found.spe_limit))
for axes, (name, values, limit) in zip(panels, series, strict=True):
    axes.semilogy(values, color="0.6", linewidth=0.5)
    axes.axhline(limit[0], color="black", linestyle="--", linewidth=0.8)
    axes.set_ylabel(name)
    for place in faults.values():
        axes.axvspan(place.start, place.stop, color="#D55E00", alpha=0.2, linewidth=0)
for name, place in faults.items():
    panels[0].text(place.start, panels[0].get_ylim()[1], name, va="bottom")
panels[1].set_xlabel("row")
plt.show()
