"""The run: what each job is made for, which jobs are done, and which are repeated."""

import os
import sys
from collections.abc import Callable, Iterable
from functools import cached_property

from memwave.storage.receipts import is_stale
from memwave.workflow import paths
from memwave.workflow.planning import resources
from memwave.workflow.planning.digests import Digests, missing_conversions
from memwave.workflow.planning.jobs.job import Job
from memwave.workflow.planning.plan import Plan
from memwave.workflow.process.current import Ticket, start_run, wanted_of
from memwave.workflow.sources.parts import readings_of
from memwave.workflow.sources.versions import Source


class Run:
    """A run of a plan in a folder that may have results.

    Parameters
    ----------
    plan : Plan
    sources : callable
        Returns everything that is read and that no job makes, by path.
    repeat : callable
        Makes Snakemake repeat the jobs that write some files. Called when jobs are made.
    starts : callable
        Tells whether the run starts when its first job is made, and not by `start`.
    is_planning : bool
        Whether this process plans the run; else it starts a job of it.
    """

    def __init__(
        self,
        plan: Plan,
        sources: Callable[[], dict[str, Source]],
        repeat: Callable[[Iterable[str]], None],
        starts: Callable[[], bool],
        *,
        is_planning: bool = True,
    ):
        self._plan, self._look, self._repeat = plan, sources, repeat
        self._starts, self._started = starts, False
        self._is_planning, self._asked = is_planning, False
        self._done: set[Job] = set()
        if is_planning:
            self.digests = Digests(plan, lambda: self._versions)
        else:
            self.digests = Digests(plan, lambda: self._versions, _planned_digest)

    def start(self) -> None:
        """Make this run the current one of the folder, when it starts."""
        if self._is_planning and not self._started:
            self._started = True
            jobs = [*self.digests.needed(), *self.digests.figures()]
            wanted = {job.receipt: self._made(job) for job in jobs}
            start_run(self._plan, self._sources, wanted)

    def repeat_stale(self) -> None:
        """Repeat the jobs whose results belong to another plan or have changed.

        Snakemake compares only results whose metadata it has.
        """
        if not self._is_planning or self._asked:
            return
        self._asked = True
        if not any(map(os.path.exists, paths.results_of(self._plan.recordings))):
            return
        digests, needed = self.digests, self.digests.needed()
        stale = {job for job in needed if is_stale(job.receipt, self._made(job))}
        stale |= missing_conversions(digests, needed, stale)
        jobs_to_repeat = [job for job in needed if job in stale]
        found = [job for job in jobs_to_repeat if any(map(os.path.exists, job.outputs))]
        if found:
            print(
                f"Results of {len(found)} job{'s' if len(found) > 1 else ''} belong to another "
                f"plan, or have changed, such as {found[0].outputs[0]}: they are computed again.",
                file=sys.stderr,
            )
        self._done = {
            job
            for job in needed
            if job.stage in paths.PARTS or all(map(os.path.exists, job.outputs))
        } - stale
        self._repeat(digests.converting(job).receipt for job in jobs_to_repeat)

    def is_done(self, job: Job) -> bool:
        """Whether the outputs of a job are those of this plan."""
        return job in self._done

    def ticket(self, job: Job) -> Ticket:
        """The part of the plan that a job takes along."""
        if self._starts():
            self.start()
        predicted = resources.memory_mb(self._plan, job.stage, job)
        parts = tuple(self._ticket_of(part, predicted) for part in self.digests.parts(job))
        return self._ticket_of(job, predicted, parts)

    def versions_of(self, files: Iterable[str]) -> dict[str, str]:
        """Versions of the given paths; a converted recording has none."""
        return {file: self._versions[file] for file in files if file in self._versions}

    def _ticket_of(self, job: Job, predicted_mb: int, parts: tuple[Ticket, ...] = ()) -> Ticket:
        digests = self.digests
        makers = {maker.receipt: digests.of(maker) for maker in digests.makers(job)}
        files, made = digests.files(job), self._made(job)
        read = {} if parts else digests.sources(job)
        readings = readings_of(self._plan, job, read, self._sources)
        return Ticket(job.receipt, *made, makers, files, readings, predicted_mb, parts)

    def _made(self, job: Job) -> tuple[str, str]:
        return self.digests.of(job), self.digests.made_with(job)

    @cached_property
    def _sources(self) -> dict[str, Source]:
        """Everything that is read and that no job makes, by path."""
        return self._look()

    @cached_property
    def _versions(self) -> dict[str, str]:
        return {path: source.version for path, source in self._sources.items()}


def _planned_digest(receipt: str) -> str | None:
    """What a job is made for, as the process that planned the run wrote it down."""
    wanted = wanted_of(receipt)
    return wanted[0] if wanted else None
