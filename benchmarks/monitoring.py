"""Figures of docs/monitoring.md and docs/choosing-components.md that come from simulated rows.

    python benchmarks/monitoring.py

False alarms and detections on 20 simulated plants with three known faults, and the number of
components that each criterion finds in spiked covariances.
"""

from collections import defaultdict

import numpy as np
from scipy.signal import lfilter

import memwave
from memwave.pca.diagnostics.selection import suggestions
from memwave.pca.model import CRITERIA

SEEDS, LEVELS = 20, (0.95, 0.99)
SENSORS, STATES, ROWS = 20, 3, 20_000
FAULTS = {
    "drift": slice(5000, 7000),
    "stuck": slice(10_000, 12_000),
    "overload": slice(15_000, 17_000),
}
RANK, MOST = 5, 40


def plant(random: np.random.Generator, mixing: np.ndarray) -> np.ndarray:
    """Readings of sensors: states that change slowly, mixed, and noise."""
    states = lfilter([1], [1, -0.95], random.normal(size=(ROWS, STATES)), axis=0)
    return states @ mixing + random.normal(size=(ROWS, SENSORS))


def watch(seed: int) -> dict[tuple[str, str, str], np.ndarray]:
    """Shares of rows above the limits, by method, statistic and state of the plant."""
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(STATES, SENSORS))
    ordinary = plant(random, mixing)
    pca = memwave.PCA("parallel", max_components=10).fit(ordinary)
    watched = plant(random, mixing)
    watched[FAULTS["drift"], 4] += np.linspace(0, 12, 2000)
    watched[FAULTS["stuck"], 9] = watched[9999, 9]
    watched[FAULTS["overload"]] += 14 * mixing[0]
    healthy = np.ones(ROWS, bool)
    for place in FAULTS.values():
        healthy[place] = False
    found, before = pca.monitor(watched, levels=LEVELS), pca.monitor(ordinary)
    series = {
        "T2": (found.hotelling_t2, found.t2_limit, before.hotelling_t2),
        "SPE": (found.spe, found.spe_limit, before.spe),
    }
    shares = {}
    for name, (values, formula, known) in series.items():
        for method, limits in (("formula", formula), ("quantile", np.quantile(known, LEVELS))):
            above = values[:, None] > limits
            for state, rows in ({"healthy": healthy} | FAULTS).items():
                shares[method, name, state] = above[rows].mean(axis=0)
    return shares


def spiked(
    random: np.random.Generator, n: int, d: int, strength: float, colour: float = 0.0
) -> np.ndarray:
    """Noise, in which `RANK` directions have a variance of 1 + strength sqrt(d / n) or more."""
    rows = random.normal(size=(n, d))
    rows[:, :RANK] *= np.sqrt(1 + strength * np.sqrt(d / n) * np.linspace(1.5, 1, RANK))
    return lfilter([1], [1, -colour], rows, axis=1)


def ranks(n: int, d: int, strength: float, colour: float = 0.0) -> dict[str, tuple]:
    """Median, smallest and largest number of components by criterion."""
    found = defaultdict(list)
    for seed in range(SEEDS):
        rows = spiked(np.random.default_rng(seed), n, d, strength, colour)
        rows -= rows.mean(axis=0)
        small = rows @ rows.T if n < d else rows.T @ rows
        values = np.linalg.eigvalsh(small)[::-1] / (n - 1)
        for name, k in suggestions(values[:MOST], float(values.sum()), d, n).items():
            found[name].append(k)
    middle = {name: int(np.median(found[name])) for name in CRITERIA}
    return {name: (middle[name], min(found[name]), max(found[name])) for name in CRITERIA}


def main() -> None:
    """Print both tables."""
    all_shares = defaultdict(list)
    for seed in range(SEEDS):
        for key, shares in watch(seed).items():
            all_shares[key].append(shares)
    for key, shares in all_shares.items():
        mean, deviation = np.mean(shares, axis=0), np.std(shares, axis=0)
        print(
            *key, *(f"{m:.1%} +- {s:.1%}" for m, s in zip(mean, deviation, strict=True)), sep="\t"
        )
    for n, d in ((2000, 200), (400, 1000)):
        for strength in (0, 1, 2, 5, 20):
            print(n, d, strength, ranks(n, d, strength), sep="\t")
    print("coloured", ranks(2000, 200, 20, 0.5), sep="\t")


if __name__ == "__main__":
    main()
