"""The interface for the Snakefile: functions of wildcards, bound to the plan."""

import os
import sys
from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

from memwave.workflow import paths
from memwave.workflow.planning import resources
from memwave.workflow.planning.jobs import dependencies
from memwave.workflow.planning.jobs.job import Job, maker_of
from memwave.workflow.planning.memory.processes import LAUNCHER_MB
from memwave.workflow.planning.plan import Plan, Wildcards, of_experiments
from memwave.workflow.rules.compared import ComparedDigests, ComparedRequest, compared_code
from memwave.workflow.rules.names import model_pattern, wildcard_patterns
from memwave.workflow.rules.run import Run

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


# An input of a rule: its files.
Files = Callable[[Plan, Wildcards], Any]


class Rules:
    """The plan as the rules see it.

    Parameters
    ----------
    plan : Plan
    run : Run
    submits : callable
        Returns whether jobs are submitted to a cluster, where a Snakemake of its own starts each
        job. Called when jobs are made, since Snakemake does not know it before.
    ancient : callable
        Marks an input whose time is ignored.
    as_it_is : callable
        Marks an input as one that no job of the run makes, and whose time is ignored.
    """

    def __init__(
        self,
        plan: Plan,
        run: Run,
        submits: Callable[[], bool],
        *,
        ancient: Callable[[str], Any],
        as_it_is: Callable[[str], Any],
    ):
        self.plan = plan
        self._run, self._submits = run, submits
        self._ancient, self._as_it_is = ancient, as_it_is

    def files(self, function: Files) -> Callable[[Wildcards], Any]:
        """Return the input function of a rule: a function of the plan, bound to the plan."""

        def files_of_job(wildcards: Wildcards) -> Any:
            self._run.repeat_stale()
            return function(self.plan, wildcards)

        return _with_signature(files_of_job)

    def inputs(self, **functions: Files) -> Callable[[Wildcards], dict[str, Any]]:
        """Return the input function of a rule with several inputs, by name; see `files`.

        It is one function for all of them, to be unpacked, and inputs without files are left out:
        Snakemake needs more time to call a function than most of these take, and memory for a name.
        """

        def named(plan: Plan, wildcards: Wildcards) -> dict[str, Any]:
            found = ((name, function(plan, wildcards)) for name, function in functions.items())
            return {name: files for name, files in found if files}

        return self.files(named)

    def ancient(self, function: Files) -> Files:
        """Ignore the times of the files that a function of `inputs` gives."""
        return lambda plan, w: [self._ancient(file) for file in function(plan, w)]

    def conversions(self, stage: str, function: Files) -> Files:
        """Return a function of `inputs` for converted files: receipts of the jobs that make them.

        A job that is done takes the receipts as they are, unless a file of it is converted again:
        other files of a batch may be converted without the job. Snakemake (9.27) leaves out jobs
        below a job that runs if it comes to them by `ancient` files only, even if they are to be
        repeated. A job that is not done waits: Snakemake deletes a receipt while its job runs.
        """

        def receipts_of_job(plan: Plan, wildcards: Wildcards) -> list[Any]:
            run, waits = self._run, dict[str, bool]()
            parts = list(filter(None, map(maker_of, function(plan, wildcards))))
            is_done = bool(parts) and run.is_done(Job.of(stage, wildcards))
            for part in parts:
                receipt = run.digests.converting(part).receipt
                waits[receipt] = waits.get(receipt, not is_done) or not run.is_done(part)
            return [
                receipt if wait or not os.path.exists(receipt) else self._as_it_is(receipt)
                for receipt, wait in waits.items()
            ]

        return receipts_of_job

    def params(self, stage: str) -> dict[str, Callable[[Wildcards], Any]]:
        """Parameters of a rule: the request, digests of the code, versions of what is read.

        Snakemake compares only parameters of built-in types with those of the last run. So the
        request is in a list. The ticket is not: `is_stale` compares it where it matters.
        """
        run = self._run
        found: dict[str, Callable[[Wildcards], Any]] = {
            "request": lambda wildcards: ComparedRequest(
                run.digests.request(Job.of(stage, wildcards))
            ),
            "code": lambda wildcards: compared_code(dependencies.code(self.plan, stage, wildcards)),
            "ticket": lambda wildcards: run.ticket(Job.of(stage, wildcards)),
        }
        if stage in dependencies.READING:
            found["versions"] = lambda wildcards: ComparedDigests(
                run.versions_of(dependencies.read_inputs(self.plan, stage, wildcards)).items()
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
        return wildcard_patterns(self.plan)

    @property
    def applied(self) -> str:
        """Pattern of the names of models that are applied."""
        return model_pattern(self.plan, applied=True)

    @property
    def fitted(self) -> str:
        """Pattern of the names of models that are fitted."""
        return model_pattern(self.plan, applied=False)

    def start(self) -> None:
        """Make this run the current one of the folder, when it starts."""
        self._run.start()

    def _launcher_mb(self) -> int:
        return LAUNCHER_MB if self._submits() else 0


def _with_signature(function: Callable[..., Any]) -> Callable[..., Any]:
    """Attach its signature to a function: Snakemake looks at it several times for each job."""
    function.__signature__ = signature(function)  # type: ignore[attr-defined]
    return function
