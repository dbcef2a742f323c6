# From recordings to projections, in the order that data travels:
#
#   recordings -> extract_features -> feature shards -> summarize_features -> fit_model -> model.h5
#      \-> convert_recording -^           \-> project_features -> write_projection -> projection.h5
#   without features: recordings -> summarize_lags -> fit_model, and project_recordings -> ...
#   model.h5, projection.h5 -> plot_* -> figures;  all experiments -> write_summary -> summary.tsv
#
# A job is a process with memory and, for a cluster, time known beforehand (resources), from sizes
# alone.
# What is `ancient` may be touched: not its time, its checksums tell whether it changed.

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from memwave.workflow import open_workflow
from memwave.workflow.script_path import import_own_modules
from memwave.workflow.termination import heed_sigterm

import_own_modules()


configfile: "config/config.yaml"


report: "report/workflow.rst"


memwave = open_workflow(
    config,
    planning=workflow.is_main_process,
    submits=lambda: workflow.non_local_exec,
)


wildcard_constraints:
    dataset="[A-Za-z0-9_-]+",
    recording="[0-9]+",
    features="[A-Za-z0-9_-]+",
    model="[A-Za-z0-9_-]+",
    shard="[0-9]+-of-[0-9]+",


localrules:
    all,


rule all:
    """Everything that the experiments ask for."""
    input:
        memwave.of_experiments("results/{dataset}/{features}/{model}/projection.h5"),
        "results/summary.tsv",
        memwave.plots(
            "results/{dataset}/{features}/{model}/plots/spectrum.svg",
            "results/{dataset}/{features}/{model}/plots/components.svg",
            "results/{dataset}/{features}/{model}/plots/scores.svg",
            "results/{dataset}/{features}/{model}/plots/reconstruction.svg",
        ),
        memwave.comparisons("results/plots/comparison.svg", "results/plots/memory.svg"),
    message:
        "all"


rule convert_recording:
    """A recording in a format that cannot be read piece by piece -> .npy, once."""
    input:
        source=ancient(memwave.source_files),
    output:
        recording="results/{dataset}/recordings/{recording}.npy",
        usage="results/{dataset}/usage/convert_recording/{recording}.json",
    log:
        "logs/convert_recording/{dataset}/{recording}.log",
    benchmark:
        "logs/benchmarks/convert_recording/{dataset}/{recording}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("convert_recording", w),
    params:
        source=memwave.source,
        checksums=memwave.source_checksums,
        code=lambda w: memwave.code("convert_recording", w),
    message:
        "convert_recording: {wildcards.dataset}, recording {wildcards.recording} ({resources.mem_mb} MB)"
    script:
        "scripts/convert_recording.py"


rule measure_channels:
    """Mean, spread and quartiles of the channels, where a feature set scales by them."""
    input:
        recordings=ancient(memwave.train_files),
        converted=memwave.converted_train_files,
    output:
        table="results/{dataset}/channels.tsv",
        usage="results/{dataset}/usage/measure_channels.json",
    log:
        "logs/measure_channels/{dataset}.log",
    benchmark:
        "logs/benchmarks/measure_channels/{dataset}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("measure_channels", w),
    params:
        recordings=memwave.train_recordings,
        checksums=memwave.train_checksums,
        channels=memwave.channels,
        block_rows=memwave.measuring_rows,
        code=lambda w: memwave.code("measure_channels", w),
    message:
        "measure_channels: {wildcards.dataset} ({resources.mem_mb} MB)"
    script:
        "scripts/measure_channels.py"


rule convert_labels:
    """Labels that are texts, of intervals or rows -> a number a row, once."""
    input:
        source=ancient(memwave.label_source_files),
    output:
        labels="results/{dataset}/labels/{recording}.h5",
        usage="results/{dataset}/usage/convert_labels/{recording}.json",
    log:
        "logs/convert_labels/{dataset}/{recording}.log",
    benchmark:
        "logs/benchmarks/convert_labels/{dataset}/{recording}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("convert_labels", w),
    params:
        source=memwave.label_source,
        checksums=memwave.label_source_checksums,
        code=lambda w: memwave.code("convert_labels", w),
    message:
        "convert_labels: {wildcards.dataset}, recording {wildcards.recording} ({resources.mem_mb} MB)"
    script:
        "scripts/convert_labels.py"


rule find_gaps:
    """Which windows of a shard touch no missing value, where others are left out."""
    input:
        recordings=ancient(memwave.recording_files),
        converted=memwave.converted_files,
    output:
        kept="results/{dataset}/{features}/gaps/{shard}.h5",
        usage="results/{dataset}/{features}/usage/find_gaps/{shard}.json",
    log:
        "logs/find_gaps/{dataset}/{features}/{shard}.log",
    benchmark:
        "logs/benchmarks/find_gaps/{dataset}/{features}/{shard}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("find_gaps", w),
    params:
        features=memwave.features,
        windows=memwave.shard_windows,
        checksums=memwave.recording_checksums,
        block_rows=memwave.measuring_rows,
        most_runs=memwave.most_runs,
        code=lambda w: memwave.code("find_gaps", w),
    message:
        "find_gaps: {wildcards.dataset}/{wildcards.features}, shard {wildcards.shard} ({resources.mem_mb} MB)"
    script:
        "scripts/find_gaps.py"


rule extract_features:
    """Wavelet features of a shard's windows: recordings -> .npy, row by row."""
    input:
        kept=memwave.kept_file,
        recordings=ancient(memwave.recording_files),
        converted=memwave.converted_files,
        channels=memwave.channel_tables,
    output:
        shard="results/{dataset}/{features}/features/{shard}.npy",
        checksums="results/{dataset}/{features}/features/{shard}.npy.xxh3",
        usage="results/{dataset}/{features}/usage/extract_features/{shard}.json",
    log:
        "logs/extract_features/{dataset}/{features}/{shard}.log",
    benchmark:
        "logs/benchmarks/extract_features/{dataset}/{features}/{shard}.tsv"
    priority: 1  # before a fit without features, which takes the most memory, is ready
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("extract_features", w),
        runtime=lambda w, attempt: memwave.minutes("extract_features", w, attempt),
    params:
        features=memwave.features,
        windows=memwave.shard_windows,
        checksums=memwave.recording_checksums,
        block_rows=memwave.extraction_rows,
        code=lambda w: memwave.code("extract_features", w),
    message:
        "extract_features: {wildcards.dataset}/{wildcards.features}, shard {wildcards.shard} ({resources.mem_mb} MB)"
    script:
        "scripts/extract_features.py"


rule measure_features:
    """Mean and deviation of each feature in a shard, where a model standardizes by them."""
    input:
        kept=memwave.kept_file,
        shard=ancient("results/{dataset}/{features}/features/{shard}.npy"),
        checksums="results/{dataset}/{features}/features/{shard}.npy.xxh3",
    output:
        measures=temp("results/{dataset}/{features}/measures/{shard}.h5"),
        usage="results/{dataset}/{features}/usage/measure_features/{shard}.json",
    log:
        "logs/measure_features/{dataset}/{features}/{shard}.log",
    benchmark:
        "logs/benchmarks/measure_features/{dataset}/{features}/{shard}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("measure_features", w),
        runtime=lambda w, attempt: memwave.minutes("measure_features", w, attempt),
    params:
        train_ranges=memwave.train_ranges,
        block_rows=memwave.measured_rows,
        code=lambda w: memwave.code("measure_features", w),
    message:
        "measure_features: {wildcards.dataset}/{wildcards.features}, shard {wildcards.shard} ({resources.mem_mb} MB)"
    script:
        "scripts/measure_features.py"


rule summarize_features:
    """What a solver that reads the features once needs to know of a shard."""
    input:
        kept=memwave.kept_file,
        shard=ancient("results/{dataset}/{features}/features/{shard}.npy"),
        checksums="results/{dataset}/{features}/features/{shard}.npy.xxh3",
        measures=memwave.feature_measures,
    output:
        summary=temp("results/{dataset}/{features}/{model}/summaries/{shard}.h5"),
        usage="results/{dataset}/{features}/{model}/usage/summarize_features/{shard}.json",
    log:
        "logs/summarize_features/{dataset}/{features}/{model}/{shard}.log",
    benchmark:
        "logs/benchmarks/summarize_features/{dataset}/{features}/{model}/{shard}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("summarize_features", w),
        runtime=lambda w, attempt: memwave.minutes("summarize_features", w, attempt),
    params:
        model=memwave.model,
        train_ranges=memwave.train_ranges,
        block_rows=memwave.block_rows,
        dtype=memwave.compute_dtype,
        code=lambda w: memwave.code("summarize_features", w),
    message:
        "summarize_features: {wildcards.dataset}/{wildcards.features}/{wildcards.model}, shard {wildcards.shard} ({resources.mem_mb} MB)"
    script:
        "scripts/summarize_features.py"


rule summarize_lags:
    """What a solver that needs no features has to know of the recordings, for a shard's windows."""
    input:
        kept=memwave.kept_file,
        recordings=ancient(memwave.summed_files),
        converted=memwave.converted_summed_files,
        channels=memwave.channel_tables,
    output:
        summary=temp("results/{dataset}/{features}/{model}/lags/{shard}.h5"),
        usage="results/{dataset}/{features}/{model}/usage/summarize_lags/{shard}.json",
    log:
        "logs/summarize_lags/{dataset}/{features}/{model}/{shard}.log",
    benchmark:
        "logs/benchmarks/summarize_lags/{dataset}/{features}/{model}/{shard}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("summarize_lags", w),
        runtime=lambda w, attempt: memwave.minutes("summarize_lags", w, attempt),
    params:
        features=memwave.features,
        windows=memwave.train_windows,
        checksums=memwave.summed_checksums,
        code=lambda w: memwave.code("summarize_lags", w),
    message:
        "summarize_lags: {wildcards.dataset}/{wildcards.features}/{wildcards.model}, shard {wildcards.shard} ({resources.mem_mb} MB)"
    script:
        "scripts/summarize_lags.py"


rule fit_model:
    """PCA: from the summaries, merged in their order, or from the shards in several passes."""
    input:
        kept=memwave.kept_files,
        summaries=memwave.fit_summaries,
        shards=ancient(memwave.fit_shards),
        checksums=memwave.fit_checksums,
        measures=memwave.feature_measures,
        channels=memwave.channel_tables,
    output:
        model="results/{dataset}/{features}/{model}/model.h5",
        usage="results/{dataset}/{features}/{model}/usage/fit_model.json",
    log:
        "logs/fit_model/{dataset}/{features}/{model}.log",
    benchmark:
        "logs/benchmarks/fit_model/{dataset}/{features}/{model}.tsv"
    wildcard_constraints:
        model=memwave.fitted,
    conda:
        "envs/memwave.yaml"
    threads: memwave.threads
    resources:
        mem_mb=lambda w: memwave.memory_mb("fit_model", w),
        runtime=lambda w, attempt: memwave.minutes("fit_model", w, attempt),
    params:
        features=memwave.features,
        model=memwave.model,
        train_ranges=memwave.all_train_ranges,
        block_rows=memwave.block_rows,
        dtype=memwave.compute_dtype,
        provenance=memwave.provenance,
        code=lambda w: memwave.code("fit_model", w),
    message:
        "fit_model: {wildcards.dataset}/{wildcards.features}/{wildcards.model} ({resources.mem_mb} MB)"
    script:
        "scripts/fit_model.py"


rule adopt_model:
    """A model that was fitted before, where it is applied to new recordings."""
    input:
        fitted=memwave.applied_file,
    output:
        model="results/{dataset}/{features}/{model}/model.h5",
        usage="results/{dataset}/{features}/{model}/usage/adopt_model.json",
    log:
        "logs/adopt_model/{dataset}/{features}/{model}.log",
    benchmark:
        "logs/benchmarks/adopt_model/{dataset}/{features}/{model}.tsv"
    wildcard_constraints:
        model=memwave.applied,
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("adopt_model", w),
        runtime=lambda w, attempt: memwave.minutes("adopt_model", w, attempt),
    params:
        code=lambda w: memwave.code("adopt_model", w),
    message:
        "adopt_model: {wildcards.dataset}/{wildcards.features}/{wildcards.model} ({resources.mem_mb} MB)"
    script:
        "scripts/adopt_model.py"


rule project_features:
    """Scores of a shard, and what its rows tell of the model's accuracy."""
    input:
        kept=memwave.kept_file,
        shard=ancient("results/{dataset}/{features}/features/{shard}.npy"),
        checksums="results/{dataset}/{features}/features/{shard}.npy.xxh3",
        model="results/{dataset}/{features}/{model}/model.h5",
    output:
        part=temp("results/{dataset}/{features}/{model}/parts/{shard}.h5"),
        usage="results/{dataset}/{features}/{model}/usage/project_features/{shard}.json",
    log:
        "logs/project_features/{dataset}/{features}/{model}/{shard}.log",
    benchmark:
        "logs/benchmarks/project_features/{dataset}/{features}/{model}/{shard}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("project_features", w),
        runtime=lambda w, attempt: memwave.minutes("project_features", w, attempt),
    params:
        train_ranges=memwave.fitted_ranges,
        first_row=memwave.first_row,
        n_windows=memwave.n_windows,
        block_rows=memwave.projection_rows,
        dtype=memwave.compute_dtype,
        score_dtype=memwave.settings["score_dtype"],
        code=lambda w: memwave.code("project_features", w),
    message:
        "project_features: {wildcards.dataset}/{wildcards.features}/{wildcards.model}, shard {wildcards.shard} ({resources.mem_mb} MB)"
    script:
        "scripts/project_features.py"


rule project_recordings:
    """Scores of a shard's windows where features are not stored: from recordings, by blocks."""
    input:
        kept=memwave.kept_file,
        recordings=ancient(memwave.recording_files),
        converted=memwave.converted_files,
        channels=memwave.channel_tables,
        model="results/{dataset}/{features}/{model}/model.h5",
    output:
        part=temp("results/{dataset}/{features}/{model}/scores/{shard}.h5"),
        usage="results/{dataset}/{features}/{model}/usage/project_recordings/{shard}.json",
    log:
        "logs/project_recordings/{dataset}/{features}/{model}/{shard}.log",
    benchmark:
        "logs/benchmarks/project_recordings/{dataset}/{features}/{model}/{shard}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("project_recordings", w),
        runtime=lambda w, attempt: memwave.minutes("project_recordings", w, attempt),
    params:
        features=memwave.features,
        windows=memwave.shard_windows,
        checksums=memwave.recording_checksums,
        train_ranges=memwave.fitted_ranges,
        first_row=memwave.first_row,
        n_windows=memwave.n_windows,
        block_rows=memwave.projection_rows,
        dtype=memwave.compute_dtype,
        score_dtype=memwave.settings["score_dtype"],
        code=lambda w: memwave.code("project_recordings", w),
    message:
        "project_recordings: {wildcards.dataset}/{wildcards.features}/{wildcards.model}, shard {wildcards.shard} ({resources.mem_mb} MB)"
    script:
        "scripts/project_recordings.py"


rule write_projection:
    """Scores of all windows with recording, start row, label and split."""
    input:
        kept=memwave.kept_files,
        parts=memwave.parts,
        model="results/{dataset}/{features}/{model}/model.h5",
        labels=ancient(memwave.label_files),
        converted=memwave.converted_label_files,
        checksums=memwave.shard_checksums,
    output:
        projection="results/{dataset}/{features}/{model}/projection.h5",
        provenance="results/{dataset}/{features}/{model}/provenance.json",
        usage="results/{dataset}/{features}/{model}/usage/write_projection.json",
    log:
        "logs/write_projection/{dataset}/{features}/{model}.log",
    benchmark:
        "logs/benchmarks/write_projection/{dataset}/{features}/{model}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("write_projection", w),
        runtime=lambda w, attempt: memwave.minutes("write_projection", w, attempt),
    params:
        features=memwave.features,
        windows=memwave.recording_windows,
        checksums=memwave.label_checksums,
        inputs=memwave.input_checksums,
        window_label=memwave.window_label,
        score_dtype=memwave.settings["score_dtype"],
        provenance=memwave.provenance,
        code=lambda w: memwave.code("write_projection", w),
    message:
        "write_projection: {wildcards.dataset}/{wildcards.features}/{wildcards.model} ({resources.mem_mb} MB)"
    script:
        "scripts/write_projection.py"


rule write_summary:
    """One row an experiment: sizes, accuracy, time and memory."""
    input:
        models=memwave.of_experiments("results/{dataset}/{features}/{model}/model.h5"),
        projections=ancient(
            memwave.of_experiments(
                "results/{dataset}/{features}/{model}/projection.h5"
            )
        ),
        usage=memwave.usage_files("results/{job}.json"),
    output:
        summary="results/summary.tsv",
        table=report(
            "results/summary.html",
            caption="report/summary.rst",
            category="Comparison",
            labels={"figure": "table of all experiments"},
        ),
        usage="results/usage/write_summary.json",
    log:
        "logs/write_summary.log",
    benchmark:
        "logs/benchmarks/write_summary.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.summary_mb(),
        runtime=lambda w, attempt: 10 * attempt,
    params:
        experiments=memwave.summary_rows(),
        code=memwave.code("write_summary"),
    message:
        "write_summary ({resources.mem_mb} MB)"
    script:
        "scripts/write_summary.py"


rule plot_spectrum:
    """Variance that the components explain, with its error bound."""
    input:
        model="results/{dataset}/{features}/{model}/model.h5",
        projection="results/{dataset}/{features}/{model}/projection.h5",
    output:
        figure=report(
            "results/{dataset}/{features}/{model}/plots/spectrum.svg",
            caption="report/spectrum.rst",
            category="Spectrum",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
            },
        ),
        usage="results/{dataset}/{features}/{model}/usage/plot_spectrum.json",
    log:
        "logs/plot_spectrum/{dataset}/{features}/{model}.log",
    benchmark:
        "logs/benchmarks/plot_spectrum/{dataset}/{features}/{model}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("plot_spectrum", w),
        runtime=lambda w, attempt: memwave.minutes("plot_spectrum", w, attempt),
    params:
        code=lambda w: memwave.code("plot_spectrum", w),
    message:
        "plot_spectrum: {wildcards.dataset}/{wildcards.features}/{wildcards.model} ({resources.mem_mb} MB)"
    script:
        "scripts/plot_spectrum.py"


rule plot_components:
    """The components as signals: which wave shape each stands for."""
    input:
        model="results/{dataset}/{features}/{model}/model.h5",
    output:
        figure=report(
            "results/{dataset}/{features}/{model}/plots/components.svg",
            caption="report/components.rst",
            category="Components",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
            },
        ),
        usage="results/{dataset}/{features}/{model}/usage/plot_components.json",
    log:
        "logs/plot_components/{dataset}/{features}/{model}.log",
    benchmark:
        "logs/benchmarks/plot_components/{dataset}/{features}/{model}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("plot_components", w),
        runtime=lambda w, attempt: memwave.minutes("plot_components", w, attempt),
    params:
        features=memwave.features,
        dataset=memwave.dataset,
        code=lambda w: memwave.code("plot_components", w),
    message:
        "plot_components: {wildcards.dataset}/{wildcards.features}/{wildcards.model} ({resources.mem_mb} MB)"
    script:
        "scripts/plot_components.py"


rule plot_scores:
    """Scores: components against each other, and along the recordings."""
    input:
        model="results/{dataset}/{features}/{model}/model.h5",
        projection="results/{dataset}/{features}/{model}/projection.h5",
    output:
        against_each_other=report(
            "results/{dataset}/{features}/{model}/plots/scores.svg",
            caption="report/scores.rst",
            category="Scores",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
                "figure": "against each other",
            },
        ),
        in_time=report(
            "results/{dataset}/{features}/{model}/plots/scores-in-time.svg",
            caption="report/scores-in-time.rst",
            category="Scores",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
                "figure": "in time",
            },
        ),
        usage="results/{dataset}/{features}/{model}/usage/plot_scores.json",
    log:
        "logs/plot_scores/{dataset}/{features}/{model}.log",
    benchmark:
        "logs/benchmarks/plot_scores/{dataset}/{features}/{model}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("plot_scores", w),
        runtime=lambda w, attempt: memwave.minutes("plot_scores", w, attempt),
    params:
        dataset=memwave.dataset,
        code=lambda w: memwave.code("plot_scores", w),
    message:
        "plot_scores: {wildcards.dataset}/{wildcards.features}/{wildcards.model} ({resources.mem_mb} MB)"
    script:
        "scripts/plot_scores.py"


rule plot_reconstruction:
    """How well the components reproduce the windows, along the recordings."""
    input:
        model="results/{dataset}/{features}/{model}/model.h5",
        projection="results/{dataset}/{features}/{model}/projection.h5",
    output:
        figure=report(
            "results/{dataset}/{features}/{model}/plots/reconstruction.svg",
            caption="report/reconstruction.rst",
            category="Reconstruction error",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
            },
        ),
        usage="results/{dataset}/{features}/{model}/usage/plot_reconstruction.json",
    log:
        "logs/plot_reconstruction/{dataset}/{features}/{model}.log",
    benchmark:
        "logs/benchmarks/plot_reconstruction/{dataset}/{features}/{model}.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.memory_mb("plot_reconstruction", w),
        runtime=lambda w, attempt: memwave.minutes("plot_reconstruction", w, attempt),
    params:
        dataset=memwave.dataset,
        code=lambda w: memwave.code("plot_reconstruction", w),
    message:
        "plot_reconstruction: {wildcards.dataset}/{wildcards.features}/{wildcards.model} ({resources.mem_mb} MB)"
    script:
        "scripts/plot_reconstruction.py"


rule plot_comparison:
    """What the accuracy of the models costs in time and memory."""
    input:
        summary="results/summary.tsv",
    output:
        figure=report(
            "results/plots/comparison.svg",
            caption="report/comparison.rst",
            category="Comparison",
            labels={"figure": "accuracy, time and memory"},
        ),
        usage="results/usage/plot_comparison.json",
    log:
        "logs/plot_comparison.log",
    benchmark:
        "logs/benchmarks/plot_comparison.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.table_figure_mb(),
        runtime=lambda w, attempt: 10 * attempt,
    params:
        code=memwave.code("plot_comparison"),
    message:
        "plot_comparison ({resources.mem_mb} MB)"
    script:
        "scripts/plot_comparison.py"


rule plot_memory:
    """Memory of every stage, predicted and measured."""
    input:
        summary="results/summary.tsv",
    output:
        figure=report(
            "results/plots/memory.svg",
            caption="report/memory.rst",
            category="Comparison",
            labels={"figure": "memory"},
        ),
        usage="results/usage/plot_memory.json",
    log:
        "logs/plot_memory.log",
    benchmark:
        "logs/benchmarks/plot_memory.tsv"
    conda:
        "envs/memwave.yaml"
    resources:
        mem_mb=lambda w: memwave.table_figure_mb(),
        runtime=lambda w, attempt: 10 * attempt,
    params:
        limit_mb=memwave.settings["max_mem_mb"],
        code=memwave.code("plot_memory"),
    message:
        "plot_memory ({resources.mem_mb} MB)"
    script:
        "scripts/plot_memory.py"


onstart:
    heed_sigterm()


onerror:
    print(memwave.condolence())


onsuccess:
    print(memwave.farewell())
