"""What the Snakefile uses: the plan, bound to the functions of wildcards that rules ask for."""

import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from memwave.core.errors import ConfigurationError
from memwave.workflow import paths
from memwave.workflow.input_checksums import planned_checksums, take_checksums
from memwave.workflow.planning import jobs, memory, resources
from memwave.workflow.planning.inputs import Wildcards, unique
from memwave.workflow.planning.plan import Plan, is_applied, make_plan, of_experiments

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


class Rules:
    """The plan as the rules see it.

    Parameters
    ----------
    plan : Plan
    is_planning : bool
        Whether this process plans the run, and does not run a job of it on a cluster.
    submits : callable
        Tells whether jobs go to a cluster, each with a Snakemake of its own to start it. Called
        when jobs are made, since Snakemake does not know before.
    """

    def __init__(self, plan: Plan, is_planning: bool, submits: Callable[[], bool]):
        self.plan = plan
        self._is_planning, self._submits = is_planning, submits

    def files(self, function: Callable[[Plan, Wildcards], Any]) -> Callable[[Wildcards], Any]:
        """Return the input function of a rule: a function of the plan, bound to the plan."""

        def files_of_job(wildcards: Wildcards) -> Any:
            return function(self.plan, wildcards)

        return files_of_job

    def params(self, stage: str) -> dict[str, Callable[[Wildcards], Any]]:
        """Parameters of a rule: the request, digests of the code, checksums of what is read.

        Snakemake compares parameters of built-in types with those of the last run, and only them.
        The request is therefore in a list.
        """
        found: dict[str, Callable[[Wildcards], Any]] = {
            "request": lambda wildcards: [self._request(stage, wildcards)],
            "code": lambda wildcards: jobs.code(self.plan, stage, wildcards),
        }
        if stage in jobs.READING:
            found["checksums"] = lambda wildcards: self._checksums_of(
                jobs.read_inputs(self.plan, stage, wildcards)
            )
        return found

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
        return found

    def threads(self, wildcards: Wildcards) -> int:
        """Threads of `fit_model`."""
        return resources.threads(self.plan, wildcards)

    def of_experiments(self, *patterns: str) -> list[str]:
        """Fill patterns with the names of every experiment."""
        return [path for pattern in patterns for path in of_experiments(self.plan, pattern)]

    def figures(self) -> list[str]:
        """All figures that the configuration wants."""
        wanted = self.plan.settings["plots"]
        each = (paths.SPECTRUM, paths.COMPONENTS, paths.SCORES, paths.RECONSTRUCTION)
        figures = self.of_experiments(*each) if wanted is True else []
        return figures + [paths.COMPARISON, paths.MEMORY] * bool(wanted)

    @property
    def applied(self) -> str:
        """Pattern of the names of models that are applied."""
        return self._pattern(applied=True)

    @property
    def fitted(self) -> str:
        """Pattern of the names of models that are fitted."""
        return self._pattern(applied=False)

    def _request(self, stage: str, wildcards: Wildcards) -> Any:
        if stage == "write_projection":
            checksums = self._checksums_of(jobs.all_inputs(self.plan, wildcards.dataset))
            return jobs.assembly(self.plan, wildcards, checksums)
        return jobs.request(self.plan, stage, wildcards)

    def _launcher_mb(self) -> int:
        return memory.LAUNCHER_MB if self._submits() else 0

    def _pattern(self, *, applied: bool) -> str:
        models = self.plan.settings["models"].items()
        return "|".join(name for name, m in models if is_applied(m) == applied) or "(?!)"

    @cached_property
    def _checksums(self) -> dict[str, str]:
        """Checksums of everything that is read, by path."""
        take = take_checksums if self._is_planning else planned_checksums
        return take(
            unique(
                path for name in self.plan.recordings for path in jobs.all_inputs(self.plan, name)
            )
        )

    def _checksums_of(self, files: Iterable[str]) -> dict[str, str]:
        """Those of the paths that were given; a converted recording has none."""
        return {file: self._checksums[file] for file in files if file in self._checksums}


def open_rules(config: dict, *, is_planning: bool, submits: Callable[[], bool]) -> Rules:
    """Check a configuration; if it cannot be run, say why and end the process.

    Warnings go to standard error. See `Rules`.
    """
    try:
        plan = make_plan(config)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for warning in plan.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    return Rules(plan, is_planning, submits)
