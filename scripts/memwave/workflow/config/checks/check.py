"""All checks before the first job; all problems are reported at once.

Only headers of files are read. Only datasets, feature sets and models that an experiment uses are
checked.
"""

from dataclasses import dataclass, field

from memwave.core.errors import ConfigurationError
from memwave.core.messages import shown
from memwave.core.ranges import BY_RECORDING
from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.workflow.config.checks.datasets.matrices import checked_matrix
from memwave.workflow.config.checks.datasets.options import (
    conversion_findings,
    gap_findings,
    resample_findings,
)
from memwave.workflow.config.checks.datasets.recordings import (
    CheckedRecording,
    checked_recordings,
    same_files,
)
from memwave.workflow.config.checks.datasets.units import file_units, unit_warnings
from memwave.workflow.config.checks.models import Models
from memwave.workflow.config.checks.pair import Pair
from memwave.workflow.config.matrices import MATRIX
from memwave.workflow.config.settings import experiments, is_matrix
from memwave.workflow.planning.memory.stages import reading_bytes


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


@dataclass
class _Found:
    """What the checks have found so far: reasons to stop, and what is odd."""

    findings: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


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
    found = _Found()
    recordings: dict[str, tuple[CheckedRecording, ...]] = {}
    matrices: dict[str, MatrixSpec] = {}
    for name in dict.fromkeys(experiment.dataset for experiment in experiments(settings)):
        try:
            recordings[name], columns = _files(settings, name)
        except ConfigurationError as error:
            found.findings += error.findings
            continue
        matrices |= {} if columns is None else {name: columns}
        _check_dataset(settings, name, recordings[name], found)
    options: dict[tuple[str, str, str], dict] = {}
    models = Models(settings, recordings, matrices)
    for (dataset, features), names in _models_by_pair(settings).items():
        known = recordings.get(dataset)
        if not is_matrix(settings["datasets"][dataset]):
            chosen = _check_features(settings, models, dataset, features, names, known, found)
        elif known is not None:
            spec = matrices[dataset]
            chosen = _check_matrix(settings, models, dataset, names, spec, known, found)
        else:
            continue  # its files are not as expected
        options |= {(dataset, features, name): model for name, model in chosen.items()}
    if found.findings:
        raise ConfigurationError(tuple(dict.fromkeys(found.findings)))
    return Checked(recordings, options, tuple(found.warnings), matrices)


def _files(settings: dict, name: str) -> tuple[tuple[CheckedRecording, ...], MatrixSpec | None]:
    """The recordings of a dataset, or the parts of a matrix and its columns."""
    dataset, by_name = settings["datasets"][name], settings["shards"] == BY_RECORDING
    if not is_matrix(dataset):
        return checked_recordings(name, dataset, by_name=by_name), None
    matrix = checked_matrix(name, dataset, by_name=by_name)
    return matrix.parts, matrix.spec


def _check_dataset(
    settings: dict, name: str, recordings: tuple[CheckedRecording, ...], found: _Found
) -> None:
    """Check the options of a dataset, whose files are as expected."""
    dataset = settings["datasets"][name]
    found.findings += [*gap_findings(name, dataset), *resample_findings(name, dataset)]
    found.findings += conversion_findings(recordings, settings["max_mem_mb"])
    found.warnings += [
        f"{name}: recording {shown(recording.name)}: {note}."
        for recording in recordings
        for note in recording.notes
    ]
    found.warnings += same_files(name, recordings)
    found.warnings += file_units(name, dataset.get("units", {}), recordings)


def _models_by_pair(settings: dict) -> dict[tuple[str, str], list[str]]:
    """Return the names of the models for each feature set of each dataset."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for experiment in experiments(settings):
        key = (experiment.dataset, experiment.features)
        pairs.setdefault(key, []).append(experiment.model)
    return pairs


def _check_features(
    settings: dict,
    models: Models,
    dataset: str,
    features: str,
    names: list[str],
    recordings: tuple[CheckedRecording, ...] | None,
    found: _Found,
) -> dict[str, dict]:
    """Check a feature set on a dataset; return the options of its models by name."""
    spec, unfit = models.spec(dataset, features)
    found.findings += unfit
    if not isinstance(spec, FeatureSpec):
        return {}
    known, chosen = recordings or (), settings["datasets"][dataset]
    train, sizes = models.n_train(dataset, spec), models.sizes(dataset, spec)
    resolved, unfit = models.resolved(dataset, features, names, spec)
    found.findings += unfit
    found.warnings += unit_warnings(dataset, features, spec, chosen["units"], resolved.values())
    need = reading_bytes(
        chosen,
        [recording.path for recording in known],
        [ratio for recording in known for ratio in recording.ratios],
    )
    pair = Pair(dataset, features, spec, resolved, settings, sizes, need, train)
    found.findings += [*pair.size_findings(), *pair.memory_findings(), *pair.store_findings()]
    found.findings += pair.figure_findings() if settings["plots"] is True else ()
    if recordings is not None:
        found.findings += pair.window_findings(recordings)
        found.warnings += pair.short_recordings(recordings)
    return resolved


def _check_matrix(
    settings: dict,
    models: Models,
    dataset: str,
    names: list[str],
    spec: MatrixSpec,
    parts: tuple[CheckedRecording, ...],
    found: _Found,
) -> dict[str, dict]:
    """Check the models of a matrix; return their options by name."""
    train, sizes = models.n_train(dataset, spec), models.sizes(dataset, spec)
    resolved, unfit = models.resolved(dataset, MATRIX, names, spec)
    found.findings += unfit
    pair = Pair(dataset, MATRIX, spec, resolved, settings, sizes, 0, train)
    if unfit := list(pair.solver_findings()):
        found.findings += unfit
        return resolved
    found.findings += [*pair.size_findings(), *pair.memory_findings(), *pair.window_findings(parts)]
    found.findings += pair.figure_findings() if settings["plots"] is True else ()
    return resolved
