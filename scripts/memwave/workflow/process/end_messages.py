"""Messages at the end of a run: its results, and the next steps."""

import os
import re
import shlex
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memwave.workflow import paths
from memwave.workflow.planning.plan import Plan, of_experiments

# When this process read the Snakefile: logs that are older are of earlier runs.
STARTED = time.time()

# How a line of a log begins; see `memwave.workflow.process.stage`.
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ (?:ERROR (?=\S)|)")

# What jobs say that were interrupted; see `memwave.workflow.process.stage`.
ENDED = ("interrupted; nothing was left half-written", "ended by SIGTERM")


@dataclass(frozen=True)
class Outcome:
    """Outcome of the jobs of a run.

    Attributes
    ----------
    ended : dict of str to int
        Jobs that ended well, by their rule.
    unfinished : dict of str to int
        Jobs that were needed and did not end well.
    unmade : frozenset of str
        Output files of these.
    errors : tuple of str
        The log of each job that failed and its last line, which names the rule.
    """

    ended: dict[str, int]
    unfinished: dict[str, int]
    unmade: frozenset[str]
    errors: tuple[str, ...] = ()


def outcome_of(dag: Any) -> Outcome:
    """Read the outcome from the graph of jobs of Snakemake (`snakemake.dag.DAG`)."""
    needed = [job for job in dag.needrun_jobs(exclude_finished=False) if job.output]
    ended = [job for job in needed if dag.finished(job)]
    unfinished = [job for job in needed if not dag.finished(job)]
    return Outcome(
        Counter(job.rule.name for job in ended),
        Counter(job.rule.name for job in unfinished),
        frozenset(str(path) for job in unfinished for path in job.output),
        tuple(_errors(log for job in unfinished for log in job.log)),
    )


def success(plan: Plan, outcome: Outcome, command: str, *, moved: bool = False) -> str:
    """Print the results of a run, their paths, and how to open them.

    Parameters
    ----------
    plan : Plan
    outcome : Outcome
    command : str
        How to call Snakemake with the same configuration; see `snakemake_command`.
    moved : bool
        Whether the results are in another folder than that in which Snakemake was called.
    """
    complete = _complete(plan, outcome)
    lines = ["", f"Done: {_jobs(outcome.ended)}. {_experiments(plan, complete)}"]
    lines += [f"  {'in':<9}{os.getcwd()}"] if moved else []
    summary, page, memory = (
        path.format(run=plan.run) for path in (paths.SUMMARY, paths.SUMMARY_PAGE, paths.MEMORY)
    )
    places = [
        ("compared", f"{summary}; in a browser: {page}", [summary]),
        ("figures", f"{os.path.dirname(memory)}/*.svg", [memory]),
        ("figures", f"{os.path.dirname(paths.SPECTRUM)}/*.svg", _of(plan, paths.SPECTRUM)),
        ("data", paths.MODEL, _of(plan, paths.MODEL)),
        ("data", paths.PROJECTION, complete),
    ]
    for name, place, files in places:
        if any(map(os.path.exists, files)):
            place = place.replace("{", "<").replace("}", ">")
            lines.append(f"  {name:<9}{place}")
    if complete:
        read = f'import h5py; f = h5py.File("{complete[0]}"); print(f["scores"])'
        lines.append(f"  {'read':<9}{_typed([_program('python'), '-c', read], moved)}")
    if os.path.exists(summary) and len(complete) == len(plan.experiments):
        lines.append(f"  {'report':<9}{command} --report report.html")
    return "\n".join(lines)


def failure(plan: Plan, outcome: Outcome, *, interrupted: bool = False) -> str:
    """Print the next steps after a run in which a job failed, or which was interrupted."""
    complete = _complete(plan, outcome)
    if interrupted:
        failed = [text for text in outcome.errors if not any(word in text for word in ENDED)]
        return "\n  ".join(
            [
                f"\nInterrupted: {_jobs(outcome.unfinished)} did not run to the end. "
                f"{_experiments(plan, complete)} Run again to continue: jobs that are done are not "
                "repeated.",
                *(["What failed before:", *failed] if failed else []),
            ]
        )
    reasons = "".join(f"\n  {error}" for error in outcome.errors) or (
        "\n  No log gives a reason, so a job was killed: docs/hpc.md tells by what."
    )
    return (
        f"\nNot done: {_jobs(outcome.unfinished)} failed or did not run. "
        f"{_experiments(plan, complete)} "
        "Correct the cause and run again: jobs that are done are not repeated. What failed, each "
        f"with its log:{reasons}"
    )


def snakemake_command(
    configfiles: Sequence[Any], config: dict, snakefile: Any, *, moved: bool = False
) -> str:
    """The command that calls Snakemake with the configuration of this run.

    Parameters
    ----------
    configfiles : sequence of path
        As given on the command line.
    config : dict
        Single keys as given on the command line.
    snakefile : path
    moved : bool
        Whether the run is in another folder than that in which Snakemake was called.
    """
    words = [_program("snakemake")]
    if Path(snakefile).resolve() != Path("Snakefile").resolve():
        words += ["--snakefile", str(snakefile)]
    if configfiles:
        words += ["--configfile", *(os.path.relpath(path) for path in configfiles)]
    if config:
        words += ["--config", *(f"{key}={value}" for key, value in config.items())]
    return _typed(words, moved)


def has_moved(workflow: Any) -> bool:
    """Whether ``--directory`` or ``workdir:`` changed the folder of a workflow of Snakemake.

    Snakemake changes to the former before it makes its record of the first folder.
    """
    first = Path(workflow.workdir_init).resolve()
    return workflow.overwrite_workdir is not None or first != Path.cwd()


def _typed(words: Sequence[str], moved: bool) -> str:
    """A command as it is typed, after a change to this folder if necessary."""
    before = f"cd {shlex.quote(os.getcwd())} && " if moved else ""
    return before + shlex.join(words)


def _program(name: str) -> str:
    """A program of this environment: relative to the folder if it is in it, else as it is found."""
    own = Path(sys.executable).parent / name
    relative = os.path.relpath(own)
    if own.exists() and not relative.startswith(".."):
        return relative
    found = shutil.which(name)
    is_ours = found is not None and Path(found).parent == own.parent
    return name if is_ours or not own.exists() else str(own)


def _errors(logs: Iterable[Any]) -> Iterable[str]:
    """The path and the last message of every log of this run that ends with an error."""
    for path in map(Path, logs):
        if path.exists() and path.stat().st_mtime >= STARTED:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            starts = [i for i, line in enumerate(lines) if LOG_LINE.match(line)]
            if starts and " ERROR " in lines[starts[-1]]:
                yield f"{path}: " + LOG_LINE.sub("", "\n".join(lines[starts[-1] :]))


def _complete(plan: Plan, outcome: Outcome) -> list[str]:
    """Projections that exist and are not to be made again."""
    return [
        path
        for path in _of(plan, paths.PROJECTION)
        if os.path.exists(path) and path not in outcome.unmade
    ]


def _of(plan: Plan, pattern: str) -> list[str]:
    return of_experiments(plan, pattern)


def _jobs(counts: dict[str, int]) -> str:
    """``3 jobs (extract_features 2, fit_model 1)``, the rules only if they are few."""
    total = sum(counts.values())
    rules = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    jobs = f"{total} job{'' if total == 1 else 's'}"
    return f"{jobs} ({rules})" if 0 < len(counts) <= 3 else jobs


def _experiments(plan: Plan, complete: Sequence[str]) -> str:
    total = len(plan.experiments)
    return f"{len(complete)} of {total} experiment{'' if total == 1 else 's'} complete."
