"""The input files of each rule, as functions of the plan and the wildcards of a job."""

import os
import re
from collections.abc import Iterable

from memwave.pca.solvers import scales_itself
from memwave.readers import file_of, files_of
from memwave.recordings.channels import MEASURED_SCALES, is_model
from memwave.workflow import paths
from memwave.workflow.config.checks.datasets.recordings import CheckedRecording
from memwave.workflow.planning.jobs import batches, recordings
from memwave.workflow.planning.models import (
    fits_recordings,
    fitted_before,
    has_summaries,
    is_applied,
    limits_beside,
    model_of,
    summarizing_stage,
)
from memwave.workflow.planning.plan import (
    Plan,
    Wildcards,
    feature_spec,
    has_files,
    projecting_stage,
    shard_names,
    shards_together,
)


def source_files(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of the recordings that a batch converts."""
    return _files_of(batches.sources_of(plan, "convert_recordings", w))


def label_source_files(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of the labels that a batch converts."""
    return _files_of(batches.sources_of(plan, "convert_labels", w))


def recordings_of_shard(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of the recordings in a shard that are read without conversion."""
    return given_files(recordings.of_shard(plan, w))


def converted_of_shard(plan: Plan, w: Wildcards) -> list[str]:
    """Return the converted files of the recordings in a shard."""
    return converted_files(recordings.of_shard(plan, w))


def train_recordings_of_shard(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of the train recordings in a shard that are read without conversion."""
    return given_files(recordings.train_of_shard(plan, w))


def converted_train_of_shard(plan: Plan, w: Wildcards) -> list[str]:
    """Return the converted files of the train recordings in a shard."""
    return converted_files(recordings.train_of_shard(plan, w))


def train_recordings(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of all train recordings that are read without conversion."""
    return given_files(recordings.train_of_dataset(plan, w))


def converted_train(plan: Plan, w: Wildcards) -> list[str]:
    """Return the converted files of all train recordings."""
    return converted_files(recordings.train_of_dataset(plan, w))


def channels(plan: Plan, w: Wildcards) -> list[str]:
    """Return the table of channels or the model with the scaling of a feature set, if any."""
    scale = feature_spec(plan, w.dataset, w.features).scale
    if is_model(scale):
        return [fitted_before(plan, scale)]
    return [paths.CHANNELS.format(dataset=w.dataset)] if scale in MEASURED_SCALES else []


def valid_windows(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of valid windows of all shards; none if the dataset drops no windows."""
    if plan.settings["datasets"][w.dataset]["missing"] != "drop":
        return []
    return of_shards(plan, paths.VALID_WINDOWS, w)


def valid_windows_of_shard(plan: Plan, w: Wildcards) -> list[str]:
    """Return the file of valid windows of a shard; none if the dataset drops no windows."""
    if plan.settings["datasets"][w.dataset]["missing"] != "drop":
        return []
    return [_filled(paths.VALID_WINDOWS, w)]


def feature_measures(plan: Plan, w: Wildcards) -> list[str]:
    """Return the moments of the features of all shards; none if the model does not use them."""
    model = model_of(plan, w)
    wanted = model["standardize"] and not scales_itself(model["solver"])
    return of_shards(plan, paths.FEATURE_MEASURES, w) if wanted else []


def summaries(plan: Plan, w: Wildcards) -> list[str]:
    """Return the summaries of all shards, for a solver that reads features or the signal once.

    There are none if the fit summarizes the shards itself.
    """
    if not has_summaries(plan, w):
        return []
    patterns = {"summarize_features": paths.FEATURE_SUMMARY, "summarize_lags": paths.LAG_SUMMARY}
    return of_shards(plan, patterns[summarizing_stage(model_of(plan, w))], w)


def shard(plan: Plan, w: Wildcards) -> list[str]:
    """The file of a shard; none of a matrix, whose shards are ranges of its rows."""
    return [] if w.dataset in plan.matrices else [_filled(paths.SHARD, w)]


def checksums_of_shard(plan: Plan, w: Wildcards) -> list[str]:
    """The checksums of a shard that is a file."""
    return [] if w.dataset in plan.matrices else [_filled(paths.SHARD_CHECKSUMS, w)]


def matrix_of_shard(plan: Plan, w: Wildcards) -> list[str]:
    """Files of the parts of a matrix that a shard has rows of."""
    return given_files(recordings.parts_of_shard(plan, w))


def converted_of_matrix(plan: Plan, w: Wildcards) -> list[str]:
    """Converted files of the parts of a matrix that a shard has rows of."""
    return converted_files(recordings.parts_of_shard(plan, w))


def converted_fitted_matrix(plan: Plan, w: Wildcards) -> list[str]:
    """Converted files of a matrix, for a solver that reads it several times."""
    return converted_files(recordings.parts_of_fit(plan, w))


def fitted_matrix(plan: Plan, w: Wildcards) -> list[str]:
    """Files of a matrix, for a solver that reads it several times."""
    return given_files(recordings.parts_of_fit(plan, w))


def fitted_shards(plan: Plan, w: Wildcards) -> list[str]:
    """Return all shards, for a solver that reads them several times."""
    return of_shards(plan, paths.SHARD, w) if _reads_shards(plan, w) else []


def fitted_shard_checksums(plan: Plan, w: Wildcards) -> list[str]:
    """Return the checksums of all shards, for a solver that reads them several times."""
    return of_shards(plan, paths.SHARD_CHECKSUMS, w) if _reads_shards(plan, w) else []


def fitted_recordings(plan: Plan, w: Wildcards) -> list[str]:
    """Return the train recordings read without conversion, for a solver that reads recordings."""
    return given_files(recordings.of_fit(plan, w))


def converted_fitted(plan: Plan, w: Wildcards) -> list[str]:
    """Return the converted train recordings, for a solver that reads recordings."""
    return converted_files(recordings.of_fit(plan, w))


def applied_model(plan: Plan, w: Wildcards) -> str:
    """Return the file of the model that is applied."""
    return fitted_before(plan, model_of(plan, w)["apply"])


def limits_of_applied_model(plan: Plan, w: Wildcards) -> list[str]:
    """Return the table of limits beside the model that is applied, if there is one."""
    model = model_of(plan, w)
    if not is_applied(model):
        return []
    path = limits_beside(applied_model(plan, w))
    return [path] if os.path.exists(path) or not os.path.isabs(path) else []


def partial_projections(plan: Plan, w: Wildcards) -> list[str]:
    """Return the partial projections of all shards, if other jobs make them."""
    if shards_together(plan, w.dataset, w.features):
        return []
    stage = projecting_stage(feature_spec(plan, w.dataset, w.features))
    pattern = {
        "project_features": paths.FEATURE_PROJECTION,
        "project_recordings": paths.RECORDING_PROJECTION,
    }[stage]
    return of_shards(plan, pattern, w)


def shard_checksums(plan: Plan, w: Wildcards) -> list[str]:
    """Checksums of all shards; none where features are not stored."""
    stored = has_files(plan, w.dataset, w.features)
    return of_shards(plan, paths.SHARD_CHECKSUMS, w) if stored else []


def stored_shards(plan: Plan, w: Wildcards) -> list[str]:
    """All shards; none where features are not stored."""
    stored = has_files(plan, w.dataset, w.features)
    return of_shards(plan, paths.SHARD, w) if stored else []


def rows_not_stored(plan: Plan, w: Wildcards) -> list[str]:
    """Files of recordings, or of the parts of a matrix, that features are read from."""
    return given_files(recordings.not_stored(plan, w))


def converted_rows_not_stored(plan: Plan, w: Wildcards) -> list[str]:
    """Converted files of recordings, or of parts of a matrix, that features are read from."""
    return converted_files(recordings.not_stored(plan, w))


def labels(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of labels that are read without conversion."""
    labelled = (r for r in plan.recordings[w.dataset] if r.labels)
    return plain(unique(file_of(str(r.labels)) for r in labelled if not r.converts_labels))


def converted_labels(plan: Plan, w: Wildcards) -> list[str]:
    """Return the files of converted labels."""
    labelled = (r for r in plan.recordings[w.dataset] if r.labels)
    return unique(file_of(str(r.labels)) for r in labelled if r.converts_labels)


def usages(plan: Plan, _: Wildcards = None) -> list[str]:
    """Return the usage files (time and memory) of all jobs of the experiments."""
    found: list[str] = []
    for e in plan.experiments:
        spec, model = feature_spec(plan, e.dataset, e.features), model_of(plan, e)
        found += batches.receipts(plan, e.dataset)
        if spec.scale in MEASURED_SCALES:
            found.append(_usage("measure_channels", e))
        stages = ["find_gaps"] * bool(valid_windows(plan, e)) + ["extract_features"] * has_files(
            plan, e.dataset, e.features
        )
        stages += ["measure_features"] * bool(feature_measures(plan, e))
        if has_summaries(plan, e):
            stages.append(summarizing_stage(model))
        shards = shard_names(plan, e.dataset, e.features)
        found += [_usage(stage, e, shard=s) for stage in stages for s in shards]
        found.append(_usage("adopt_model" if is_applied(model) else "fit_model", e))
        if not shards_together(plan, e.dataset, e.features):
            found += [_usage(projecting_stage(spec), e, shard=s) for s in shards]
        found.append(_usage("write_projection", e))
    return unique(found)


def of_shards(plan: Plan, pattern: str, w: Wildcards) -> list[str]:
    """Return the paths of all shards of an experiment or a feature set for a path pattern."""
    names = {"dataset": w.dataset, "features": w.features, "model": getattr(w, "model", "")}
    return [
        pattern.format(**names, shard=shard) for shard in shard_names(plan, w.dataset, w.features)
    ]


def given_files(chosen: Iterable[CheckedRecording]) -> list[str]:
    """Return the files of those recordings that are read without conversion."""
    given = (file for r in chosen if r.path == r.source for file in files_of(r.path))
    return plain(unique(given))


def _files_of(paths_read: Iterable[str]) -> list[str]:
    return plain(unique(file for path in paths_read for file in files_of(path)))


def plain(files: Iterable[str]) -> list[str]:
    """Leave out files that Snakemake takes for patterns, such as ``a{b}.npy``.

    Jobs read them all the same, and compare their checksums.
    """
    return [file for file in files if not re.search(r"{\s*\w", file)]


def converted_files(chosen: Iterable[CheckedRecording]) -> list[str]:
    """Return the converted files of those recordings that are converted."""
    return unique(r.path for r in chosen if r.path != r.source)


def unique(items: Iterable[str]) -> list[str]:
    """Return the items in their order, without duplicates."""
    return list(dict.fromkeys(items))


def _reads_shards(plan: Plan, w: Wildcards) -> bool:
    """Whether the fit of a model reads the shards."""
    if w.dataset in plan.matrices:
        return False
    return not has_summaries(plan, w) and not fits_recordings(plan, w)


def _filled(pattern: str, w: Wildcards) -> str:
    return pattern.format(dataset=w.dataset, features=w.features, shard=w.shard)


def _usage(stage: str, w: Wildcards, **each: object) -> str:
    names = {"dataset": w.dataset, "features": w.features, "model": w.model}
    return paths.usage(stage).format(**names, **each)
