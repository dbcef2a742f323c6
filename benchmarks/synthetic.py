"""A synthetic recording: drift, wandering tones and noise in several channels.

Every channel is the sum of

- a constant offset, up to 5 in size,
- a slow drift: a random walk that forgets (AR(1), coefficient 0.9995, steps of 0.02),
- 16 tones common to all channels, each with its own amplitude and phase in every channel. Their
  frequencies lie between 0.003 and 0.15 cycles a row, their amplitudes fall with frequency to the
  power -0.35, and their phases walk at random (variance 0.02 a row), so each is a band and not a
  line,
- white noise of standard deviation 5.

It is meant to be hard for PCA. The bands fill many directions with slowly falling variance, and
the noise lifts all others: with windows of 1001 rows, the variance along component 50 is about 90,
along 51 one per cent less, along 500 still 40.

Run as ``python benchmarks/synthetic.py out.npy --rows 141000``.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

N_TONES = 16
FREQUENCIES = (0.003, 0.15)  # cycles a row
FALL = -0.35
WANDER = 0.02  # variance of a phase's steps, rad^2
FORGET, DRIFT_STEP = 0.9995, 0.02
NOISE = 5.0
OFFSET = 5.0

CHUNK = 16_384


def signal(n_rows: int, n_channels: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the recording in chunks of rows.

    The first rows are the same, however many are asked for.

    Parameters
    ----------
    n_rows, n_channels : int
        Size of the recording.
    seed : int
        Makes everything.

    Yields
    ------
    ndarray, shape (m, n_channels), float32
    """
    fixed, wander, drift, noise = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(4))
    frequencies = np.geomspace(*FREQUENCIES, N_TONES)
    amplitudes = (frequencies / frequencies[0]) ** FALL
    mixing = fixed.standard_normal((N_TONES, n_channels)) * amplitudes[:, None]
    phases = fixed.uniform(0, 2 * np.pi, (N_TONES, n_channels))
    offset = fixed.uniform(-OFFSET, OFFSET, n_channels)
    angle, state = np.zeros(N_TONES), np.zeros((1, n_channels))
    for start in range(0, n_rows, CHUNK):
        rows = min(CHUNK, n_rows - start)
        steps = np.sqrt(WANDER) * wander.standard_normal((rows, N_TONES))
        angles = angle + np.cumsum(2 * np.pi * frequencies + steps, axis=0)
        angle = angles[-1] % (2 * np.pi)
        pushes = DRIFT_STEP * drift.standard_normal((rows, n_channels))
        chunk, state = lfilter([1.0], [1.0, -FORGET], pushes, axis=0, zi=state * FORGET)
        state = chunk[-1:]
        chunk += offset + NOISE * noise.standard_normal((rows, n_channels))
        for tone in range(N_TONES):
            chunk += mixing[tone] * np.sin(angles[:, tone, None] + phases[tone])
        yield chunk.astype(np.float32)


def write_recording(path: str | Path, n_rows: int, n_channels: int = 7, seed: int = 3) -> None:
    """Stream the recording into a .npy file, rows x channels, float32."""
    with open(path, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (n_rows, n_channels)}
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in signal(n_rows, n_channels, seed):
            chunk.tofile(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the synthetic recording.")
    parser.add_argument("path")
    parser.add_argument("--rows", type=int, default=141_000)
    parser.add_argument("--channels", type=int, default=7)
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    write_recording(given.path, given.rows, given.channels, given.seed)
