"""Remove gravity, the slow part of acceleration, from one recording."""

import numpy as np
from scipy.signal import butter, sosfiltfilt

acceleration = np.load(snakemake.input[0], mmap_mode="r")[:, :3]
highpass = butter(3, snakemake.params.cutoff, "highpass", fs=snakemake.params.rate, output="sos")
filtered = sosfiltfilt(highpass, acceleration, axis=0)
np.save(snakemake.output[0], np.ascontiguousarray(filtered, dtype=np.float32))
