"""Which part of the bytes of its sources each job takes the checksums of."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

from memwave.readers import file_of
from memwave.workflow.planning.jobs import dependencies
from memwave.workflow.planning.jobs.job import Job
from memwave.workflow.planning.plan import Plan, shard_segments, window_counts
from memwave.workflow.sources.readings import NOTHING, READ_AGAIN_BYTES, WHOLE, Reading, Share
from memwave.workflow.sources.versions import Source

Sources = Mapping[str, Source]


def readings_of(plan: Plan, job: Job, read: Iterable[str], sources: Sources) -> dict[str, Reading]:
    """The sources of a job, and the parts whose checksums it takes.

    Each job of a shard takes the part of a recording that it reads, going by windows: the jobs of
    all shards take all of it. What one job reads as a whole beside them is left to them if it is
    large. `write_projection` looks at all inputs of its dataset, and reads labels only.

    Parameters
    ----------
    plan : Plan
    job : Job
    read : iterable of str
        Paths of what it reads and no job makes.
    sources : mapping of str to Source
        Everything that is read and that no job makes, by path.
    """
    found = {path: Reading(sources[path]) for path in read}
    if job.stage == "write_projection":
        others = {
            path: Reading(sources[path], NOTHING)
            for path in dependencies.all_inputs(plan, job.dataset)
        }
        return others | found
    if job.stage == "plot_explore":  # other jobs took the checksums of all of them
        return {path: replace(reading, shares=NOTHING) for path, reading in found.items()}
    if job.stage in ("measure_channels", "fit_model"):
        is_large = sum(reading.source.size for reading in found.values()) > READ_AGAIN_BYTES
        shares = NOTHING if is_large else WHOLE
        return {path: replace(reading, shares=shares) for path, reading in found.items()}
    if job.features and job.shard:
        parts = _parts(plan, job, sources)
        return {path: replace(r, shares=parts.get(path, WHOLE)) for path, r in found.items()}
    return found


def _parts(plan: Plan, w: Job, sources: Sources) -> dict[str, tuple[Share, ...]]:
    """The parts of each recording's bytes that a job of a shard reads, going by windows.

    Recordings that are in one file share its bytes in the order of the sheet.
    """
    totals = _windows_by_name(plan, w.dataset, w.features)
    places = _places(plan, w.dataset)
    found: dict[str, tuple[Share, ...]] = {}
    for segment in shard_segments(plan, w.dataset, w.features, w.shard):
        path, total = segment.recording.path, totals[segment.recording.name]
        if path not in sources:
            continue
        place, of = places[segment.recording.name]
        if sources[path].name != file_of(path):
            place, of = 0, 1
        begin = place * total + segment.first
        part = (begin, begin + segment.count, of * total)
        found[path] = (*found.get(path, ()), part)
    return found


@cache
def _windows_by_name(plan: Plan, dataset: str, features: str) -> dict[str, int]:
    names = (recording.name for recording in plan.recordings[dataset])
    return dict(zip(names, window_counts(plan, dataset, features), strict=True))


@cache
def _places(plan: Plan, dataset: str) -> dict[str, tuple[int, int]]:
    """By recording: which one it is of those in its file, and how many there are."""
    recordings = plan.recordings[dataset]
    counts, seen = Counter(file_of(r.path) for r in recordings), Counter[str]()
    found = {}
    for recording in recordings:
        file = file_of(recording.path)
        found[recording.name] = (seen[file], counts[file])
        seen[file] += 1
    return found
