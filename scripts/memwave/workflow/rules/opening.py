"""From the configuration to the rules; an invalid configuration ends the process."""

import csv
import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from memwave.core.errors import ConfigurationError, MemwaveError
from memwave.workflow import paths
from memwave.workflow.config.given_files import missing_files, repeated_option
from memwave.workflow.config.names import SECTIONS
from memwave.workflow.config.plain_yaml import require_plain
from memwave.workflow.planning.inputs import unique
from memwave.workflow.planning.jobs import dependencies
from memwave.workflow.planning.models import foreign_models
from memwave.workflow.planning.plan import Plan, make_plan
from memwave.workflow.process.current import load_plan
from memwave.workflow.rules.interface import Rules
from memwave.workflow.rules.run import Run
from memwave.workflow.sources.versions import plan_sources

# New objects after which the process that plans looks for unreachable ones (Python: 700), and how
# many such rounds go by before older objects are looked at, too. A plan of many jobs is many
# objects, nearly all of which are needed: looking at them took a quarter of the time.
COLLECTED_AFTER = (10_000, 20, 100)


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


def open_rules(
    config: dict,
    *,
    is_planning: bool,
    submits: Callable[[], bool],
    repeat: Callable[[Iterable[str]], None],
    ancient: Callable[[str], Any],
    as_it_is: Callable[[str], Any],
    starts: Callable[[], bool] = lambda: False,
) -> Rules:
    """Check a configuration; if it is invalid, print the reasons and end the process.

    Warnings go to standard error. See `Rules` and `Run`.
    """
    try:
        if not is_planning:
            plan, sources = load_plan()
            run = Run(plan, lambda: sources, repeat, starts, is_planning=False)
            return Rules(plan, run, submits, ancient=ancient, as_it_is=as_it_is)
        gc.set_threshold(*COLLECTED_AFTER)
        plan = make_plan(config)
    except MemwaveError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for warning in [*plan.warnings, *_replaced(plan)]:
        print(f"Warning: {warning}", file=sys.stderr)
    read = [path for name in plan.recordings for path in dependencies.all_inputs(plan, name)]
    read = unique(read + foreign_models(plan))
    folders = paths.results_of(plan.recordings)
    run = Run(plan, lambda: plan_sources(read, folders), repeat, starts)
    return Rules(plan, run, submits, ancient=ancient, as_it_is=as_it_is)


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
