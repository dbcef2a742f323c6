"""Stages held to the predicted memory by the kernel: enough, flat in the rows, and a hard limit."""

import shutil
import sys
from dataclasses import replace
from functools import partial

import h5py
import numpy as np
import pytest
from fitting import decaying, fit, options_of
from oracles import make_spec
from stage_run import StageRun, planned
from stages import run_stage

from memwave.core.moments import moments_bytes
from memwave.core.ranges import MEGABYTE, rows_per_block
from memwave.features.columns import RowSources
from memwave.pca.lags.lags import windows_of
from memwave.pca.lags.signal.sizes import KEPT_BYTES, chunk_of, fourier_length
from memwave.pca.projection import Projector
from memwave.recordings import channels
from memwave.recordings.segments import LabelledRecording, Segment
from memwave.results.model_file import load_model, save_model
from memwave.results.partial_projection import PartialWriter
from memwave.results.projection_file import writer_bytes
from memwave.storage import hdf5
from memwave.workflow.planning.memory.blocks import (
    Sizes,
    extraction_rows,
    measured_rows,
    projection_rows,
)
from memwave.workflow.planning.memory.processes import stage_mb
from memwave.workflow.planning.memory.recordings import predict_stages
from memwave.workflow.planning.models import summarizing_stage
from memwave.workflow.requests.features import GapSearch
from memwave.workflow.requests.projection import Assembly
from memwave.workflow.requests.recordings import ChannelMeasurement

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")

SPEC = make_spec(window=256, channels=6, dtype="float32")
BLOCK_MB = 4
THREADS = 2
MEASURED_ROWS = 2000
SMALL, LARGE = 15_000, 120_000
# A prediction above `SMALL_MB` is at most so many times what is used. The two loose ones include
# buffers for products in double precision, or for windows that hardly overlap, as other data need.
SMALL_MB, MOST_TIMES = 100, 2.5
LOOSE = ("fit lag-randomized", "project recordings")
# Peaks are measured every few hundredths of a second, and allocators keep a little.
FLAT_MB = 5

COVARIANCE = options_of("covariance", n_components=10)
LAG_COVARIANCE = options_of("lag-covariance", n_components=10)
LAG_RANDOMIZED = options_of("lag-randomized", n_components=10, passes=4)
LAG_RANDOMIZED |= {"compute_dtype": "auto"}
INCREMENTAL = options_of("incremental", n_components=10, inner_rank=10)
RANDOMIZED = options_of("randomized", n_components=10, passes=2)


def predicted(solver, options, stage, block_mb=BLOCK_MB, spec=SPEC, shards=4):
    model = {"solver": solver, **options, "compute_dtype": "auto"}
    sizes = Sizes(block_mb, shards, threads=THREADS, together=shards == 1)
    return predict_stages(spec, model, sizes, window_label="majority")[stage]


class Limited:
    """All stages on `n` windows of one recording, in one shard, each in a limited process."""

    def __init__(self, folder, n, block_mb=BLOCK_MB):
        self.folder, self.n, self.block_mb = folder, n, block_mb
        self.block_rows = rows_per_block(block_mb, SPEC.n_features, "float32")
        rows = n + SPEC.window - 1
        random = np.random.default_rng(0)
        np.save(folder / "recording.npy", random.normal(size=(rows, 6)).astype(np.float32))
        self.recording = planned(folder / "recording.npy", rows)
        self.segment = Segment(self.recording, 0, n, 0)

    def stages(self, memory_mb, block_rows, solver="covariance", options=COVARIANCE, shards=1):
        """Stages with a limit; the shard counts several times if wanted."""
        return StageRun(
            self.folder,
            SPEC,
            {"solver": solver, **options},
            [[(0, self.n)]] * shards,
            self.n,
            [self.segment],
            block_rows=block_rows,
            run=partial(run_in, self.folder, memory_mb),
        )

    def of_model(self, stage, solver, options, memory_mb=None, **changes):
        limit = memory_mb or predicted(solver, options, stage, self.block_mb)
        return self.stages(limit, self.block_rows, solver, options, **changes)

    def extract(self):
        limit = predicted("covariance", COVARIANCE, "extract_features", self.block_mb)
        return self.stages(limit, extraction_rows(SPEC, self.block_mb)).extract()

    def measure_channels(self):
        return run_stage(
            "measure_channels",
            self.folder,
            ChannelMeasurement((self.recording,), SPEC.channels, MEASURED_ROWS),
            memory_mb=stage_mb(channels.measuring_bytes(6, MEASURED_ROWS)),
            table=self.folder / "channels.tsv",
        )

    def find_gaps(self):
        return run_stage(
            "find_gaps",
            self.folder,
            GapSearch(SPEC, (self.segment,), MEASURED_ROWS, max_ranges=100),
            memory_mb=stage_mb(channels.measuring_bytes(6, MEASURED_ROWS)),
            valid=self.folder / "valid.h5",
        )

    def measure_features(self):
        rows = measured_rows(SPEC.n_features, self.block_mb)
        limit = stage_mb(moments_bytes(SPEC.n_features, rows))
        return self.stages(limit, rows).measure()

    def summarize(self, solver, options, memory_mb=None):
        return self.of_model("summarize_features", solver, options, memory_mb).summarize()

    def summarize_lags(self):
        return self.of_model("summarize_lags", "lag-covariance", LAG_COVARIANCE).summarize_lags()

    def fit(self, solver, options, memory_mb=None):
        stages = self.of_model("fit_model", solver, options, memory_mb, shards=2)
        if solver == "lag-randomized":
            return replace(stages, threads=THREADS).fit()
        if solver != "randomized":
            return stages.fit(summaries=[self.folder / "summary0.h5"] * 2)
        return replace(stages, threads=THREADS).fit(shards=[self.folder / "0.npy"] * 2)

    def fit_one_shard(self, solver, options):
        """Summarize and fit in one job, with threads that share the end of the fit."""
        needs = (
            predicted(solver, options, stage, self.block_mb, shards=1)
            for stage in (summarizing_stage({"solver": solver}), "fit_model")
        )
        stages = self.stages(max(needs), self.block_rows, solver, options)
        shards = [] if solver == "lag-covariance" else [self.folder / "0.npy"]
        return replace(stages, threads=THREADS).fit(summaries=[], shards=shards)

    def project(self, memory_mb=None, block_rows=None):
        limit = memory_mb or predicted("covariance", COVARIANCE, "project_features", self.block_mb)
        rows = projection_rows(SPEC.n_features, self.block_mb, "float32")
        return self.stages(limit, block_rows or rows).project()

    def project_recordings(self):
        spec = replace(SPEC, store=False)
        limit = predicted("lag-covariance", LAG_COVARIANCE, "project_recordings", spec=spec)
        rows = projection_rows(SPEC.n_features, self.block_mb, "float32")
        return self.stages(limit, rows).project_recordings()

    def write_one_shard(self):
        """Project and write in one job, in double precision as what is measured."""
        of = ("covariance", COVARIANCE, "write_projection", self.block_mb)
        rows = projection_rows(SPEC.n_features, self.block_mb, "float64")
        stages = self.stages(predicted(*of, shards=1), rows)
        recording = LabelledRecording("monday", "train", self.n)
        return replace(stages, dtype="float64", recordings=[recording]).write(projects=True)

    def of_features(self):
        """Stages that write or read features, in blocks."""
        ended = {"extract": self.extract(), "measure features": self.measure_features()}
        for solver, options in (("covariance", COVARIANCE), ("incremental", INCREMENTAL)):
            ended[f"summarize {solver}"] = self.summarize(solver, options)
            ended[f"fit {solver}"] = self.fit(solver, options)
            ended[f"summarize and fit {solver}"] = self.fit_one_shard(solver, options)
        ended["fit randomized"] = self.fit("randomized", RANDOMIZED)
        ended["project"] = self.project()
        ended["project and write"] = self.write_one_shard()
        return ended

    def of_recordings(self):
        ended = {"measure channels": self.measure_channels(), "find gaps": self.find_gaps()}
        ended["summarize lags"] = self.summarize_lags()
        ended["fit lag-covariance"] = self.fit("lag-covariance", LAG_COVARIANCE)
        of_one = self.fit_one_shard("lag-covariance", LAG_COVARIANCE)
        ended["summarize and fit lag-covariance"] = of_one
        ended["fit lag-randomized"] = self.fit("lag-randomized", LAG_RANDOMIZED)
        ended["project recordings"] = self.project_recordings()
        return ended


def run_in(folder, memory_mb, stage, request, **files):
    return run_stage(stage, folder, request, memory_mb=memory_mb, **files)


STAGES = [
    "measure channels",
    "find gaps",
    "extract",
    "measure features",
    "summarize covariance",
    "fit covariance",
    "summarize and fit covariance",
    "summarize incremental",
    "fit incremental",
    "summarize and fit incremental",
    "summarize lags",
    "fit lag-covariance",
    "summarize and fit lag-covariance",
    "fit lag-randomized",
    "project recordings",
    "fit randomized",
    "project",
    "project and write",
]


def run_all(folder, n):
    stages = Limited(folder, n)
    ended = stages.of_features() | stages.of_recordings()
    size = (folder / "0.npy").stat().st_size
    shutil.rmtree(folder)
    return ended, size


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return run_all(tmp_path_factory.mktemp("small"), SMALL)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return run_all(tmp_path_factory.mktemp("large"), LARGE)


@pytest.mark.parametrize("stage", STAGES)
def test_memory_is_as_predicted_and_flat_in_the_rows(small, large, stage):
    peaks = []
    for ended, _ in (small, large):
        assert ended[stage].status == 0, ended[stage].told
        usage = ended[stage].usage
        peaks.append(usage["peak_anonymous_mb"])
        assert peaks[-1] <= usage["predicted_mb"]
    assert usage["predicted_mb"] * MEGABYTE < large[1] / 1.5
    if stage not in LOOSE:
        assert usage["predicted_mb"] <= max(SMALL_MB, MOST_TIMES * peaks[-1])
    assert peaks[1] * MEGABYTE < large[1] / 4
    kept = kept_mb(LARGE) - kept_mb(SMALL) if stage == "fit lag-randomized" else 0.0
    if stage == "project and write":  # no chunk of a column is full in the small one
        kept = writer_bytes() / MEGABYTE
    assert -FLAT_MB <= peaks[1] - peaks[0] <= FLAT_MB + kept, peaks


def kept_mb(n):
    """Spectra of two shards of n windows, which `lag-randomized` keeps since they are small."""
    windows = windows_of(SPEC)
    bins = fourier_length(windows) // 2 + 1
    kept = 2 * -(-n // chunk_of(windows)) * bins * windows.width * 8
    assert kept <= KEPT_BYTES
    return kept / MEGABYTE


def test_the_large_file_is_large(large):
    assert large[1] > 300 * MEGABYTE


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small model."""
    folder = tmp_path_factory.mktemp("model")
    rows = decaying(200, 20)
    fitted = fit("covariance", [rows], n_components=2)
    table = np.array([("x", "d1", i) for i in range(20)], dtype=SPEC.feature_table().dtype)
    save_model(folder / "model.h5", fitted, table, {})
    return folder / "model.h5"


def write_many(folder, n, model, memory_mb):
    """Write a projection of `n` windows, all from one shard, with labels."""
    with hdf5.create(folder / "partial.h5", 0) as file:
        writer = PartialWriter(file, 0, n, n, 2, "float32")
        writer.append(np.zeros((n, 2)), np.zeros(n), np.zeros(n))
        writer.finish(Projector(load_model(model), "float32"))
    np.save(folder / "labels.npy", np.zeros(n + 9, np.int64))
    recording = LabelledRecording("r", "train", n, str(folder / "labels.npy"))
    spec = replace(make_spec(window=10, channels=4), store=False)
    signal = np.lib.format.open_memmap(folder / "r.npy", "w+", "f4", (n + 9, spec.n_channels))
    signal.flush()
    del signal
    ended = run_stage(
        "write_projection",
        folder,
        Assembly(
            spec,
            (recording,),
            "majority",
            "float32",
            provenance={},
            inputs={},
            levels=(0.95, 0.99),
            limit_method="quantile",
            rates=(None,),
            sources=RowSources(spec, (n,), recordings=(planned(folder / "r.npy", n + 9, "r"),)),
        ),
        memory_mb=memory_mb,
        partials=[folder / "partial.h5"],
        model=model,
        projection=folder / "projection.h5",
        provenance=folder / "provenance.json",
        limits=folder / "limits.tsv",
        alarms=folder / "alarms.tsv",
        contributions=folder / "contributions.h5",
    )
    if ended.status == 0:
        with h5py.File(folder / "projection.h5") as file:
            assert file["start_row"][n - 1] == n - 1
    shutil.rmtree(folder)
    return ended


def test_a_projection_of_millions_of_windows_is_written_in_flat_memory(tmp_path, model):
    limit = predicted("covariance", COVARIANCE, "write_projection")
    peaks = []
    for n in (1_000_000, 8_000_000):  # the caches of HDF5 are full in both
        (tmp_path / str(n)).mkdir()
        ended = write_many(tmp_path / str(n), n, model, limit)
        assert ended.status == 0, ended.told
        peaks.append(ended.usage["peak_anonymous_mb"])
    assert peaks[1] <= limit
    assert peaks[1] - peaks[0] <= FLAT_MB, peaks  # a column alone has 64 MB


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Stages of features on few rows, in blocks larger than the limits below."""
    folder = tmp_path_factory.mktemp("short")
    run = Limited(folder, SMALL, block_mb=64)
    assert all(ended.status == 0 for ended in run.of_features().values())
    yield run
    shutil.rmtree(folder)


@pytest.mark.parametrize("memory_mb", [10, 45])
@pytest.mark.parametrize("stage", ["summarize", "fit", "project"])
def test_a_stage_that_needs_more_ends_and_says_so(short, stage, memory_mb):
    if stage == "summarize":
        ended = short.summarize("covariance", COVARIANCE, memory_mb)
    elif stage == "fit":
        ended = short.fit("randomized", RANDOMIZED, memory_mb)
    else:
        ended = short.project(memory_mb, short.block_rows)
    assert_refused(ended, memory_mb)


def test_writing_ends_and_says_so_where_a_chunk_finds_no_memory(tmp_path, model):
    assert_refused(write_many(tmp_path, 500_000, model, 10), 10)


def assert_refused(ended, memory_mb):
    assert ended.status == 1
    assert f"needs more than the {memory_mb} MB predicted for it. Set a smaller" in ended.told
    assert len(ended.told.splitlines()) == 1
    assert ended.usage == {}
