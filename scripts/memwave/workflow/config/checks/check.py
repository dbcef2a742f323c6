"""All checks before the first job; all problems are reported at once.

Only headers of files are read. Only datasets, feature sets and models that an experiment uses are
checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from memwave.core.errors import ConfigurationError
from memwave.core.messages import shown
from memwave.core.ranges import BY_RECORDING, count_shards, recording_ranges
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.readers import library_bytes
from memwave.workflow import paths
from memwave.workflow.config.checks.applied import (
    applied_findings,
    applied_options,
    scale_findings,
)
from memwave.workflow.config.checks.features import feature_findings
from memwave.workflow.config.checks.matrices import applied_matrix_findings, checked_matrix
from memwave.workflow.config.checks.pair import Pair
from memwave.workflow.config.checks.recordings import (
    CheckedRecording,
    checked_recordings,
    same_files,
)
from memwave.workflow.config.checks.units import file_units, unit_warnings
from memwave.workflow.config.matrices import MATRIX
from memwave.workflow.config.settings import experiments, is_matrix
from memwave.workflow.planning.choice import Features, resolve
from memwave.workflow.planning.memory import matrix as matrix_memory
from memwave.workflow.planning.memory import recordings as recording_memory
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.stages import conversion_mb, labelling_mb, reading_bytes


@dataclass(frozen=True)
class Checked:
    """Result of all checks.

    Attributes
    ----------
    recordings : dict of str to tuple of CheckedRecording
        By the names of the datasets that experiments use.
    models : dict of (dataset, features, model) to dict
        Complete options of the model of every experiment; ``auto`` is replaced by a solver.
    warnings : tuple of str
        What is odd but no reason to stop.
    matrices : dict of str to MatrixSpec
        Columns of the datasets that are matrices.
    """

    recordings: dict[str, tuple[CheckedRecording, ...]]
    models: dict[tuple[str, str, str], dict]
    warnings: tuple[str, ...]
    matrices: dict[str, MatrixSpec]


def check(settings: dict) -> Checked:
    """Check that every experiment can run.

    Parameters
    ----------
    settings : dict
        Configuration that `memwave.workflow.config.settings.complete` returned.

    Raises
    ------
    ConfigurationError
        Lists all problems of configuration, sheets and recordings.
    """
    findings: list[str] = []
    warnings: list[str] = []
    recordings: dict[str, tuple[CheckedRecording, ...]] = {}
    options: dict[tuple[str, str, str], dict] = {}
    matrices: dict[str, MatrixSpec] = {}
    for dataset in dict.fromkeys(experiment.dataset for experiment in experiments(settings)):
        try:
            by_name = settings["shards"] == BY_RECORDING
            recordings[dataset], columns = _files(dataset, settings["datasets"][dataset], by_name)
        except ConfigurationError as error:
            findings += error.findings
        else:
            matrices |= {} if columns is None else {dataset: columns}
            findings += _gap_findings(dataset, settings["datasets"][dataset])
            findings += _resample_findings(dataset, settings["datasets"][dataset])
            findings += _conversion_findings(recordings[dataset], settings["max_mem_mb"])
            warnings += [
                f"{dataset}: recording {shown(recording.name)}: {note}."
                for recording in recordings[dataset]
                for note in recording.notes
            ]
            warnings += same_files(dataset, recordings[dataset])
            units = settings["datasets"][dataset].get("units", {})
            warnings += file_units(dataset, units, recordings[dataset])
    for (dataset, features), models in _models_by_pair(settings).items():
        if is_matrix(settings["datasets"][dataset]):
            if dataset in matrices:
                parts = recordings[dataset]
                pair, unfit = _matrix_pair(settings, dataset, models, matrices[dataset], parts)
                findings += unfit
                options |= {(dataset, features, name): m for name, m in pair.models.items()}
            continue
        spec, unfit = _spec(settings, dataset, features)
        findings += unfit
        if spec is not None:
            known = recordings.get(dataset, ())
            train = _train_windows(known, spec)
            sizes = _sizes(settings, known, spec)
            resolved, unfit = _resolved(settings, models, features, spec, sizes, train)
            findings += unfit
            units = settings["datasets"][dataset]["units"]
            warnings += unit_warnings(dataset, features, spec, units, resolved.values())
            options |= {(dataset, features, name): model for name, model in resolved.items()}
            need = reading_bytes(
                settings["datasets"][dataset],
                [recording.path for recording in known],
                [ratio for recording in known for ratio in recording.ratios],
            )
            pair = Pair(dataset, features, spec, resolved, settings, sizes, need, train)
            findings += [*pair.size_findings(), *pair.memory_findings(), *pair.store_findings()]
            findings += pair.figure_findings() if settings["plots"] is True else ()
            if dataset in recordings:
                findings += pair.window_findings(recordings[dataset])
                warnings += pair.short_recordings(recordings[dataset])
    if findings:
        raise ConfigurationError(tuple(dict.fromkeys(findings)))
    return Checked(recordings, options, tuple(warnings), matrices)


def _files(
    name: str, settings: dict, by_name: bool
) -> tuple[tuple[CheckedRecording, ...], MatrixSpec | None]:
    """The recordings of a dataset, or the parts of a matrix and its columns."""
    if not is_matrix(settings):
        return checked_recordings(name, settings, by_name=by_name), None
    found = checked_matrix(name, settings, by_name=by_name)
    return found.parts, found.spec


def _matrix_pair(
    settings: dict,
    dataset: str,
    models: list[str],
    spec: MatrixSpec,
    parts: tuple[CheckedRecording, ...],
) -> "tuple[Pair, list[str]]":
    """The models of a matrix, and what forbids them."""
    train = _train_windows(parts, spec)
    sizes = _sizes(settings, parts, spec)
    resolved, findings = _resolved(settings, models, MATRIX, spec, sizes, train)
    pair = Pair(dataset, MATRIX, spec, resolved, settings, sizes, 0, train)
    unfit = [*pair.solver_findings()]
    if not unfit:
        unfit = [*pair.size_findings(), *pair.memory_findings(), *pair.window_findings(parts)]
        unfit += pair.figure_findings() if settings["plots"] is True else ()
    return pair, findings + unfit


def _spec(settings: dict, dataset: str, features: str) -> tuple[FeatureSpec | None, list[str]]:
    """The features of a dataset, or what forbids them."""
    chosen = settings["features"][features]
    channels = settings["datasets"][dataset]["channels"]
    if unfit := list(feature_findings(features, chosen, channels)):
        return None, unfit
    spec = FeatureSpec.from_settings(chosen, channels)
    models = {
        paths.MODEL.format(dataset=e.dataset, features=e.features, model=e.model)
        for e in experiments(settings)
    }
    unfit = list(scale_findings(features, spec, models))
    return None if unfit else spec, unfit


def _models_by_pair(settings: dict) -> dict[tuple[str, str], list[str]]:
    """Return the names of the models for each feature set of each dataset."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for experiment in experiments(settings):
        key = (experiment.dataset, experiment.features)
        pairs.setdefault(key, []).append(experiment.model)
    return pairs


def _gap_findings(name: str, dataset: dict) -> Iterator[str]:
    """Check that ``max_gap`` is set if gaps are filled, and only then."""
    most, missing = dataset["max_gap"], dataset["missing"]
    if missing == "interpolate" and most is None:
        yield (
            f"datasets.{name}.max_gap: missing: interpolate needs the length of the longest gap to "
            "fill, in rows; add it."
        )
    if missing != "interpolate" and most is not None:
        yield (
            f"datasets.{name}.max_gap: found {most}, but missing is {missing}: no gap is filled. "
            "Set missing: interpolate, or remove max_gap."
        )


def _resample_findings(name: str, dataset: dict) -> Iterator[str]:
    """Check that a dataset with resampling has a sampling rate and allows no gaps."""
    if dataset["resample"] == "none":
        return
    if dataset["sampling_rate"] is None:
        yield (
            f"datasets.{name}.sampling_rate: resample: polyphase needs the rate to which all "
            "recordings are resampled, in Hz; add it."
        )
    if dataset["missing"] != "error":
        yield (
            f"datasets.{name}.resample: recordings with gaps cannot be resampled, but missing is "
            f"{dataset['missing']}. Set missing: error, or resample: none and a dataset for each "
            "sampling rate."
        )


def _conversion_findings(recordings: tuple[CheckedRecording, ...], limit: int) -> Iterator[str]:
    """Find recordings and labels whose conversion needs more than ``max_mem_mb``."""
    needs = {}
    for recording in recordings:
        if recording.path != recording.source:
            need = conversion_mb(library_bytes([recording.source]))
            needs["convert_recordings", recording.source] = need
        if recording.label_source and recording.converts_labels:
            need = labelling_mb(library_bytes([recording.label_source]))
            needs["convert_labels", recording.label_source] = need
    for (stage, path), need in needs.items():
        if need > limit:
            yield (
                f"max_mem_mb: stage {stage} of {path} needs {need} MB, max_mem_mb is {limit}. "
                f"Raise it to {need}, or convert the file to .npy."
            )


def _train_windows(recordings: tuple[CheckedRecording, ...], spec: Features) -> int:
    train = (recording for recording in recordings if recording.split == "train")
    return sum(spec.windows.count(recording.rows) for recording in train)


def _sizes(settings: dict, recordings: tuple[CheckedRecording, ...], spec: Features) -> Sizes:
    """Sizes of blocks, shards and threads on a feature matrix."""
    counts = [spec.windows.count(recording.rows) for recording in recordings]
    if settings["shards"] == BY_RECORDING:
        shards = sum(map(len, recording_ranges(counts, spec.row_bytes, spec.grain)))
    else:
        shards = count_shards(settings["shards"], sum(counts), spec.row_bytes)
    return Sizes(settings["block_mb"], shards, settings["threads"])


def _resolved(
    settings: dict, models: list[str], features: str, spec: Features, sizes: Sizes, n_train: int
) -> tuple[dict[str, dict], list[str]]:
    """Return the options of models by name, and findings about models that cannot be applied."""
    resolved, findings = {}, []
    for name in models:
        path = settings["models"][name].get("apply")
        if path is None:
            resolved[name] = _resolve(settings, name, spec, sizes, n_train)
            continue
        if isinstance(spec, MatrixSpec):
            found = list(applied_matrix_findings(name, path, spec))
        else:
            found = list(applied_findings(name, path, features, spec))
        findings += found
        if not found:
            resolved[name] = applied_options(path)
    return resolved, findings


def _resolve(settings: dict, model: str, spec: Features, sizes: Sizes, n_train: int) -> dict:
    """Options of a model's solver, chosen if it says ``auto``."""
    of_kind = matrix_memory if isinstance(spec, MatrixSpec) else recording_memory
    limit = settings["max_mem_mb"]
    most = min(spec.n_features, n_train - 1)
    entry, wanted = with_most_components(settings["models"][model], most)
    wanted["rotation"] = entry["rotation"]
    return resolve(entry, spec, n_train, sizes, limit, predict=of_kind.predict_stages) | wanted


def with_most_components(model: dict, most: int) -> tuple[dict, dict]:
    """Plan a model with as many components as there may be, of which the fit keeps some.

    Parameters
    ----------
    model : dict
        Complete entry of ``models`` in the configuration.
    most : int
        Components that the windows allow.

    Returns
    -------
    model : dict
        With a number as ``n_components``.
    wanted : dict
        ``select``, which says how many are kept, unless a number is given; see
        `memwave.pca.diagnostics.selection.select`.
    """
    given = model["n_components"]
    if isinstance(given, int):
        return model, {}
    wanted = {"criterion": model["criterion"]} if given == "auto" else {"fraction": given}
    k = max(1, min(model["max_components"], most))
    return {**model, "n_components": k}, {"select": wanted}
