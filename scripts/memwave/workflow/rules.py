"""The interface for the Snakefile: functions of wildcards, bound to the plan."""

import csv
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from inspect import signature
from typing import Any

from memwave.core.errors import ConfigurationError, MemwaveError
from memwave.storage.receipts import is_stale
from memwave.workflow import paths
from memwave.workflow.config.given_files import missing_files, repeated_option
from memwave.workflow.config.plain_yaml import require_plain
from memwave.workflow.config.settings import SECTIONS
from memwave.workflow.planning import memory, resources
from memwave.workflow.planning.batches import batches
from memwave.workflow.planning.digests import Digests, Job, maker_of, missing_conversions
from memwave.workflow.planning.inputs import Wildcards, foreign_models, unique
from memwave.workflow.planning.jobs import dependencies
from memwave.workflow.planning.plan import (
    Plan,
    is_applied,
    make_plan,
    of_experiments,
    recording_keys,
    shard_names,
)
from memwave.workflow.process.current import Ticket, load_plan, start_run, wanted_of
from memwave.workflow.requests import Compared
from memwave.workflow.sources.parts import readings_of
from memwave.workflow.sources.versions import Source, plan_sources

# Names that a pattern of a wildcard lists.
MOST_ALTERNATIVES = 100

# Rules that ask a cluster for time of their own; others make do with what a profile gives.
TIMED = (
    "extract_features",
    "measure_features",
    "summarize_features",
    "summarize_lags",
    "fit_model",
    "adopt_model",
    "project_features",
    "project_recordings",
    "write_projection",
    "write_summary",
)


def check_config_files(
    files: Iterable[str], arguments: Sequence[str] = (), defaults: Sequence[str] = ()
) -> None:
    """Check configuration files before they are read; if one is rejected, end the process.

    Parameters
    ----------
    files : iterable of path
    arguments : sequence of str
        Those of Snakemake.
    defaults : sequence of path
        Files that are read where none is given. They must exist.
    """
    try:
        if findings := [*repeated_option(arguments), *missing_files(defaults)]:
            raise ConfigurationError(findings)
        require_plain([*defaults, *files])
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _replaced(plan: Plan) -> Iterator[str]:
    """Warn where the summary of another configuration is replaced."""
    path = paths.SUMMARY.format(run=plan.run)
    ours = {(e.dataset, e.features, e.model) for e in plan.experiments}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
            others = [found for r in rows if (found := tuple(map(r.get, SECTIONS))) not in ours]
    except (OSError, ValueError, csv.Error):
        return  # nothing that can be read is lost
    if others:
        yield (
            f"{path} has experiments that this configuration has not, such as "
            f"{'/'.join(map(str, others[0]))}, and is replaced. Add a name such as `run: second` "
            "to the configuration to keep both."
        )


class Rules:
    """The plan as the rules see it.

    Parameters
    ----------
    plan : Plan
    sources : callable
        Returns everything that is read and that no job makes, by path.
    submits : callable
        Returns whether jobs are submitted to a cluster, where a Snakemake of its own starts each
        job. Called when jobs are made, since Snakemake does not know it before.
    repeat : callable
        Makes Snakemake repeat the jobs that write some files. Called when jobs are made.
    as_it_is : callable
        Marks an input as one that no job of the run makes, and whose time is ignored.
    starts : callable
        Tells whether the run starts when its first job is made, and not by `start`.
    is_planning : bool
        Whether this process plans the run; else it starts a job of it.
    """

    def __init__(
        self,
        plan: Plan,
        sources: Callable[[], dict[str, Source]],
        submits: Callable[[], bool],
        repeat: Callable[[Iterable[str]], None],
        as_it_is: Callable[[str], Any],
        starts: Callable[[], bool],
        *,
        is_planning: bool = True,
    ):
        self.plan = plan
        self._starts, self._started = starts, False
        self._look, self._submits, self._repeat = sources, submits, repeat
        self._as_it_is = as_it_is
        self._is_planning, self._asked = is_planning, False
        self._done: set[Job] = set()
        if is_planning:
            self._digests = Digests(plan, lambda: self._versions)
        else:
            self._digests = Digests(plan, lambda: self._versions, _planned_digest)

    def files(self, function: Callable[[Plan, Wildcards], Any]) -> Callable[[Wildcards], Any]:
        """Return the input function of a rule: a function of the plan, bound to the plan."""

        def files_of_job(wildcards: Wildcards) -> Any:
            self._repeat_stale()
            return function(self.plan, wildcards)

        return _with_signature(files_of_job)

    def conversions(
        self, stage: str, function: Callable[[Plan, Wildcards], Any]
    ) -> Callable[[Wildcards], list[Any]]:
        """Return the input function for converted files: receipts of the jobs that make them.

        A job that is done takes the receipts as they are, unless a file of it is converted again:
        other files of a batch may be converted without the job. Snakemake (9.27) leaves out jobs
        below a job that runs if it comes to them by `ancient` files only, even if they are to be
        repeated. A job that is not done waits: Snakemake deletes a receipt while its job runs.
        """

        def receipts_of_job(wildcards: Wildcards) -> list[Any]:
            self._repeat_stale()
            waits: dict[str, bool] = {}
            is_done = Job.of(stage, wildcards) in self._done
            for part in filter(None, map(maker_of, function(self.plan, wildcards))):
                receipt = self._digests.converting(part).receipt
                waits[receipt] = waits.get(receipt, not is_done) or part not in self._done
            return [
                receipt if wait or not os.path.exists(receipt) else self._as_it_is(receipt)
                for receipt, wait in waits.items()
            ]

        return _with_signature(receipts_of_job)

    def params(self, stage: str) -> dict[str, Callable[[Wildcards], Any]]:
        """Parameters of a rule: the request, digests of the code, versions of what is read.

        Snakemake compares only parameters of built-in types with those of the last run. So the
        request is in a list. The ticket is not: `is_stale` compares it where it matters.
        """
        found: dict[str, Callable[[Wildcards], Any]] = {
            "request": lambda wildcards: _compared_request(self._request(stage, wildcards)),
            "code": lambda wildcards: _compared_all(dependencies.code(self.plan, stage, wildcards)),
            "ticket": lambda wildcards: self._ticket(Job.of(stage, wildcards)),
        }
        if stage in dependencies.READING:
            found["versions"] = lambda wildcards: _compared_all(
                self._versions_of(dependencies.read_inputs(self.plan, stage, wildcards))
            )
        return {name: _with_signature(function) for name, function in found.items()}

    def resources(self, stage: str) -> dict[str, Callable]:
        """Resources of a rule: memory and, where it can be known, time."""
        found: dict[str, Callable] = {
            "mem_mb": lambda wildcards: (
                self._launcher_mb() + resources.memory_mb(self.plan, stage, wildcards)
            )
        }
        if stage in TIMED or stage.startswith("plot_"):
            found["runtime"] = lambda wildcards, attempt: resources.minutes(
                self.plan, stage, wildcards, attempt
            )
        return {name: _with_signature(function) for name, function in found.items()}

    def threads(self, wildcards: Wildcards) -> int:
        """Threads of `fit_model`."""
        return resources.threads(self.plan, wildcards)

    def of_experiments(self, *patterns: str) -> list[str]:
        """Fill patterns with the names of every experiment."""
        return [path for pattern in patterns for path in of_experiments(self.plan, pattern)]

    def of_run(self, pattern: str) -> str:
        """Fill a pattern of what compares all experiments."""
        return pattern.format(run=self.plan.run)

    def figures(self) -> list[str]:
        """All figures that the configuration requests."""
        wanted = self.plan.settings["plots"]
        figures = self.of_experiments(*paths.FIGURES) if wanted is True else []
        if self.plan.settings["explore"]:
            figures += self.of_experiments(paths.EXPLORE)
        return figures + [self.of_run(paths.COMPARISON), self.of_run(paths.MEMORY)] * bool(wanted)

    def require_reported(self, arguments: Iterable[str]) -> None:
        """End the process if a report is wanted (``--report``) of a run that is not finished."""
        if not any(argument.partition("=")[0] == "--report" for argument in arguments):
            return
        for path in (self.of_run(paths.SUMMARY_PAGE), *self.figures()):
            if not os.path.exists(path):
                print(
                    f"{path}: is not there. A report shows the results of a finished run: run "
                    "first, with the same configuration and without --report.",
                    file=sys.stderr,
                )
                sys.exit(1)

    def temporary(self, path: str, temp: Callable[[str], Any]) -> Any:
        """Mark a file that is deleted when no job needs it any more, unless summaries are kept."""
        return path if self.plan.settings["keep_summaries"] else temp(path)

    @property
    def names(self) -> dict[str, str]:
        """Patterns of the wildcards of all rules: exactly the names in this plan."""
        plan = self.plan
        pairs = dict.fromkeys((e.dataset, e.features) for e in plan.experiments)
        known: dict[str, Iterable[str]] = {
            "dataset": plan.recordings,
            "recording": unique(k for name in plan.recordings for k in recording_keys(plan, name)),
            "features": unique(e.features for e in plan.experiments),
            "model": unique(e.model for e in plan.experiments),
            "batch": unique(
                b
                for d in plan.recordings
                for s in paths.PARTS.values()
                for b in batches(plan, d, s)
            ),
            "shard": unique(s for p in pairs for s in shard_names(plan, *p)),
        }
        names = {name: _one_of(list(of)) for name, of in known.items()}
        # Without parentheses, Snakemake takes an empty pattern for any text.
        return names | {"run": f"({re.escape(plan.run)})"}

    @property
    def applied(self) -> str:
        """Pattern of the names of models that are applied."""
        return self._pattern(applied=True)

    @property
    def fitted(self) -> str:
        """Pattern of the names of models that are fitted."""
        return self._pattern(applied=False)

    def start(self) -> None:
        """Make this run the current one of the folder, when it starts."""
        if self._is_planning and not self._started:
            self._started = True
            jobs = [*self._digests.needed(), *self._digests.figures()]
            wanted = {job.receipt: self._made(job) for job in jobs}
            start_run(self.plan, self._sources, wanted)

    def _request(self, stage: str, wildcards: Wildcards) -> Any:
        return self._digests.request(Job.of(stage, wildcards))

    def _repeat_stale(self) -> None:
        """Repeat the jobs whose results belong to another plan or have changed.

        Snakemake compares only results whose metadata it has.
        """
        if not self._is_planning or self._asked:
            return
        self._asked = True
        if not any(map(os.path.exists, paths.results_of(self.plan.recordings))):
            return
        digests, needed = self._digests, self._digests.needed()
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

    def _ticket(self, job: Job) -> Ticket:
        if self._starts():
            self.start()
        predicted = resources.memory_mb(self.plan, job.stage, job)
        parts = tuple(self._ticket_of(part, predicted) for part in self._digests.parts(job))
        return self._ticket_of(job, predicted, parts)

    def _ticket_of(self, job: Job, predicted_mb: int, parts: tuple[Ticket, ...] = ()) -> Ticket:
        digests = self._digests
        makers = {maker.receipt: digests.of(maker) for maker in digests.makers(job)}
        files, made = tuple(digests.files(job)), self._made(job)
        read = {} if parts else digests.sources(job)
        readings = readings_of(self.plan, job, read, self._sources)
        return Ticket(job.receipt, *made, makers, files, readings, predicted_mb, parts)

    def _made(self, job: Job) -> tuple[str, str]:
        return self._digests.of(job), self._digests.made_with(job)

    def _launcher_mb(self) -> int:
        return memory.LAUNCHER_MB if self._submits() else 0

    def _pattern(self, *, applied: bool) -> str:
        models = self.plan.settings["models"].items()
        return "|".join(name for name, m in models if is_applied(m) == applied) or "(?!)"

    @cached_property
    def _sources(self) -> dict[str, Source]:
        """Everything that is read and that no job makes, by path."""
        return self._look()

    @cached_property
    def _versions(self) -> dict[str, str]:
        return {path: source.version for path, source in self._sources.items()}

    def _versions_of(self, files: Iterable[str]) -> dict[str, str]:
        """Versions of the given paths; a converted recording has none."""
        return {file: self._versions[file] for file in files if file in self._versions}


def _with_signature(function: Callable[..., Any]) -> Callable[..., Any]:
    """Attach its signature to a function: Snakemake looks at it several times for each job."""
    function.__signature__ = signature(function)  # type: ignore[attr-defined]
    return function


def _one_of(names: list[str]) -> str:
    """A pattern of names. Of many, since each is tried one by one, of all that look like them."""
    if len(names) <= MOST_ALTERNATIVES:
        return "|".join(map(re.escape, names))
    return r"[A-Za-z0-9_-]+(?:\.\d+)?"


def _planned_digest(receipt: str) -> str | None:
    """What a job is made for, as the process that planned the run wrote it down."""
    wanted = wanted_of(receipt)
    return wanted[0] if wanted else None


def _compared_request(request: Any) -> Compared:
    return Compared([request], repr(request))


def _compared_all(digests: dict[str, str]) -> Compared:
    """Digests by name, all compared; the report shows how many there are."""
    return Compared(digests.items(), f"{len(digests)} files")


def open_rules(
    config: dict,
    *,
    is_planning: bool,
    submits: Callable[[], bool],
    repeat: Callable[[Iterable[str]], None],
    as_it_is: Callable[[str], Any],
    starts: Callable[[], bool] = lambda: False,
) -> Rules:
    """Check a configuration; if it is invalid, print the reasons and end the process.

    Warnings go to standard error. See `Rules`.
    """
    try:
        if not is_planning:
            plan, sources = load_plan()
            return Rules(
                plan, lambda: sources, submits, repeat, as_it_is, starts, is_planning=False
            )
        plan = make_plan(config)
    except MemwaveError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for warning in [*plan.warnings, *_replaced(plan)]:
        print(f"Warning: {warning}", file=sys.stderr)
    read = [path for name in plan.recordings for path in dependencies.all_inputs(plan, name)]
    read = unique(read + foreign_models(plan))
    folders = paths.results_of(plan.recordings)
    return Rules(plan, lambda: plan_sources(read, folders), submits, repeat, as_it_is, starts)
