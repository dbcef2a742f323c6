"""What each job is made for: a digest of its request and of everything that it reads.

The digest of a job covers those of the jobs whose files it reads, and theirs in turn (a Merkle
tree), down to the versions of the recordings. Two runs whose plans give a job the same digest ask
it for the same bytes. The code is not part of it: Snakemake, and `Digests.made_with`, look at that.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from memwave.workflow import paths
from memwave.workflow.planning.jobs import dependencies
from memwave.workflow.planning.jobs.batches import batch_of, batches
from memwave.workflow.planning.jobs.job import Job, maker_of
from memwave.workflow.planning.jobs.request import request
from memwave.workflow.planning.jobs.results import assembly
from memwave.workflow.planning.models import is_applied, model_of
from memwave.workflow.planning.plan import Plan

DIGEST_LENGTH = 32


class _Read(NamedTuple):
    """Files that a job reads and that other jobs made, also of other runs, which are foreign."""

    files: tuple[str, ...]
    makers: tuple[Job, ...]
    foreign: tuple[str, ...]


class Digests:
    """Digests of the jobs of a plan.

    Parameters
    ----------
    plan : Plan
    versions : callable
        Returns the versions, by path, of all recordings, labels and models that are read and not
        made by this plan; see `memwave.workflow.sources.versions`.
    known : callable, optional
        Returns the digest of a job, given its receipt, as the process that planned the run
        computed it; None if it did not.
    """

    def __init__(
        self,
        plan: Plan,
        versions: Callable[[], Mapping[str, str]],
        known: Callable[[str], str | None] = lambda receipt: None,
    ):
        self._plan, self._versions, self._find = plan, versions, known
        self._known: dict[str, str] = {}
        self._reads: dict[Job, _Read] = {}

    def of(self, job: Job) -> str:
        """Digest of a job, hexadecimal."""
        digest = self._known.get(job.receipt) or self._find(job.receipt)
        if digest is None:
            made_of = [(maker.receipt, self.of(maker)) for maker in self.makers(job)]
            facts: tuple = (job, self.request(job), sorted(self.sources(job).items()), made_of)
            if parts := self.parts(job):  # say what the batch converts
                facts = (job, [(part.receipt, self.of(part)) for part in parts])
            digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:DIGEST_LENGTH]
        self._known[job.receipt] = digest
        return digest

    def made_with(self, job: Job) -> str:
        """Digest of the code that a job runs."""
        return _digest_of_code(dependencies.code(self._plan, job.stage, job))

    def request(self, job: Job) -> Any:
        """The request of a job."""
        if job.stage == "write_projection":
            found, files = self._versions(), dependencies.all_inputs(self._plan, job.dataset)
            return assembly(self._plan, job, {file: found[file] for file in files})
        return request(self._plan, job.stage, job)

    def sources(self, job: Job) -> dict[str, str]:
        """Versions of what a job reads and no job makes."""
        found = self._versions()
        read = (
            dependencies.read_inputs(self._plan, job.stage, job)
            if job.stage in dependencies.READING
            else []
        )
        read = [path for path in read if path in found]
        return {path: found[path] for path in (*read, *self._read(job).foreign)}

    def makers(self, job: Job) -> tuple[Job, ...]:
        """The jobs whose files a job reads."""
        return self._read(job).makers

    def converting(self, job: Job) -> Job:
        """The job that Snakemake runs for a converted file: its batch. Others run by themselves."""
        stage = paths.PARTS.get(job.stage)
        if stage is None:
            return job
        batch = batch_of(self._plan, job.dataset, stage, job.recording)
        return Job(stage, dataset=job.dataset, batch=batch)

    def parts(self, job: Job) -> list[Job]:
        """The converted files of a batch, each with a receipt of its own."""
        part = next((part for part, stage in paths.PARTS.items() if stage == job.stage), None)
        if part is None:
            return []
        keys = batches(self._plan, job.dataset, job.stage)[job.batch]
        return [Job(part, dataset=job.dataset, recording=key) for key in keys]

    def needed(self) -> list[Job]:
        """The jobs that all experiments need, those first whose files others read."""
        found: dict[Job, None] = {}
        for job in self.final():
            self._add(job, found)
        return list(found)

    def files(self, job: Job) -> tuple[str, ...]:
        """The files of other jobs that a job reads."""
        return self._read(job).files

    def final(self) -> list[Job]:
        """The jobs whose files a run is for."""
        plan = self._plan
        last = [self._adopting(Job.of("fit_model", e)) for e in plan.experiments]
        last += [Job.of("write_projection", e) for e in plan.experiments]
        last.append(Job("write_summary", run=plan.run))
        wanted = {
            "plot_summary": plan.settings["plots"],
            "plot_experiment": plan.settings["plots"] is True,
            "plot_explore": plan.settings["explore"],
        }
        return last + [job for job in self.figures() if wanted[job.stage]]

    def figures(self) -> list[Job]:
        """The jobs that draw: also those that only run when a user names a figure as the target."""
        stages, plan = ("plot_experiment", "plot_explore"), self._plan
        found = [Job.of(stage, e) for stage in stages for e in plan.experiments]
        return [Job("plot_summary", run=plan.run), *found]

    def _add(self, job: Job, found: dict[Job, None]) -> None:
        if job not in found:
            for maker in self.makers(job):
                self._add(maker, found)
            found[job] = None
            found.setdefault(self.converting(job))

    def _read(self, job: Job) -> "_Read":
        if job not in self._reads:
            paths_read = dependencies.read_outputs(self._plan, job)
            makers = {path: maker_of(path) for path in paths_read}
            made = dict.fromkeys(map(self._adopting, filter(None, makers.values())))
            self._reads[job] = _Read(
                tuple(path for path in paths_read if makers[path]),
                tuple(made),
                tuple(path for path in paths_read if not makers[path]),
            )
        return self._reads[job]

    def _adopting(self, job: Job) -> Job:
        """The job that copies a model, where it is not fitted."""
        if job.stage != "fit_model" or not is_applied(model_of(self._plan, job)):
            return job
        return Job.of("adopt_model", job)


def missing_conversions(digests: Digests, jobs: Sequence[Job], repeated: set[Job]) -> set[Job]:
    """Converted files that are missing, if a job of this run reads them.

    Snakemake knows only their batch. This follows its rule: what is missing is made if a job that
    runs reads it, and jobs run that are repeated, or read what a job that runs writes.

    Parameters
    ----------
    digests : Digests
    jobs : sequence of Job
        All, those first whose files others read.
    repeated : set of Job
        Jobs that run anyway.
    """
    absent = {job for job in jobs if not all(map(os.path.exists, job.outputs))}
    missing = {job for job in absent if job.stage in paths.PARTS} - repeated
    runs = repeated | (absent & set(digests.final())) if missing else set()
    known = -1
    while known < len(runs):
        known = len(runs)
        for job in reversed(jobs):
            runs |= absent.intersection(digests.makers(job)) if job in runs else set()
        for job in jobs:
            makers = (maker for maker in digests.makers(job) if maker.stage not in paths.PARTS)
            runs |= {job} if not runs.isdisjoint(makers) else set()
    return missing & runs


@cache
def _digest_of_code(code: tuple[tuple[str, str], ...]) -> str:
    return hashlib.sha256(repr(sorted(code)).encode()).hexdigest()[:DIGEST_LENGTH]
