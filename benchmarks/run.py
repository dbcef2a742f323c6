"""Measure memwave against floors and rivals, and write docs/benchmarks.md.

Everything (more than half an hour on two cores)::

    python benchmarks/run.py

The same in small, in seconds; some of it; the report again from the last whole run::

    python benchmarks/run.py --size small --output small.md
    python benchmarks/run.py --only fit-covariance --work a --no-rivals
    python benchmarks/run.py --report

Without ``--output``, only a whole run in full size writes the report. With ``--update``, what was
measured goes into the report that is there, in place of the same experiments::

    python benchmarks/run.py --update --work b
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import experiments
import figures
import machine
import report
from accuracy import Reference
from contenders import SCRIPT, SKLEARN_INCREMENTAL, WORKFLOW, Bench, Contender
from experiments import Entry
from figures import Figures
from measure import JobFailed, warm
from works import SIZES, Size, Work, hapt_work, synthetic_work

RESULTS = Path(__file__).parent / "results"
REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", choices=SIZES, default="full")
    add("--windows", type=int, help="windows of work a, instead of those of the size")
    add("--repeats", type=int, help="runs of fast contenders, instead of those of the size")
    add("--work", nargs="+", choices="abc", default=list("abc"), metavar="a|b|c")
    add("--only", nargs="+", choices=experiments.EXPERIMENTS, help="only these experiments")
    add("--dtype", choices=("float16", "float32"), help="only features of this type")
    add("--no-rivals", action="store_true", help="only memwave and floors")
    add("--hapt", type=Path, help="folder with all HAPT recordings; without, the shipped ones")
    add("--scratch", type=Path, default=RESULTS / "scratch", help="folder for large files")
    add("--keep", action="store_true", help="do not delete them at the end")
    add("--output", type=Path, help="report to write (.md), with the figures beside it (.json)")
    add("--update", action="store_true", help="put what is measured into the report that is there")
    add("--report", action="store_true", help="only write the report again from its figures")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    given = parse(arguments)
    output = given.output or REPORT
    if given.report:
        report.write(figures.load(output.with_suffix(".json")), output)
        return
    size = SIZES[given.size]
    if given.windows:
        size = replace(size, name="other", windows=given.windows)
    size = replace(size, repeats=given.repeats or size.repeats)
    whole = size.name == "full" and not (given.only or given.dtype or given.no_rivals)
    whole = whole and given.work == list("abc")
    measured = Figures(
        {"machine": machine.describe(), "size": asdict(size), "skipped": [], "runs": []}
    )
    if given.update:
        before = figures.load(output.with_suffix(".json"))
        if before.size != json.loads(json.dumps(measured.size)):
            raise SystemExit(f"{output} is of other sizes: {before.size}, not {measured.size}.")
        measured.runs, measured.skipped = before.runs, before.skipped
        for entry in chosen(given):
            measured.drop(entry.experiments, entry.work, entry.dtype)
    try:
        for entry in chosen(given):
            measure_entry(entry, given, size, measured)
    finally:
        if not given.keep:
            shutil.rmtree(given.scratch, ignore_errors=True)
    if whole or given.output or given.update:
        report.write(measured, output)
        print(f"\nwritten: {output}, {output.with_suffix('.json')}")


def chosen(given: argparse.Namespace) -> Iterator[Entry]:
    """The part of the plan that was asked for."""
    for entry in experiments.PLAN:
        names = tuple(n for n in entry.experiments if not given.only or n in given.only)
        kinds = tuple(k for k in entry.kinds if k != "rival" or not given.no_rivals)
        if names and entry.work in given.work and given.dtype in (None, entry.dtype):
            yield replace(entry, experiments=names, kinds=kinds)


def measure_entry(entry: Entry, given: argparse.Namespace, size: Size, measured: Figures) -> None:
    """Run the experiments of one entry of the plan; what they find is added to `measured`."""
    skip = partial(measured.skip, entry.work, entry.dtype)
    work = make_work(entry.work, given, size)
    if work is None:
        return skip("there are no recordings in the folder of --hapt")
    needed = (5 if "rival" in entry.kinds else 1.3) * work.feature_bytes(entry.dtype)
    free = shutil.disk_usage(given.scratch).free
    if free < needed:
        return skip(f"needs {needed / 1e9:.1f} GB of disk, {free / 1e9:.1f} GB are free")
    bench = Bench(work, entry.dtype, "rival" in entry.kinds)
    for name in entry.experiments:
        print(f"\n{name}: {work.title}, {entry.dtype}", flush=True)
        bench.make_features()
        contenders = contenders_of(entry, name, bench)
        place = {"experiment": name, "part": name, "dtype": entry.dtype, **work.describe()}
        place |= machine.moment()
        touched = work.feature_bytes(entry.dtype) * experiments.TOUCHED.get(name, 0)
        for contender, repeat in take_turns(contenders, size.repeats):
            if contender.memory_bytes > machine.available_memory():
                skip(f"{contender.name} may need {contender.memory_bytes / 1e9:.1f} GB of memory")
                continue
            reference = bench.reference() if entry.judged and contender.model else None
            try:
                record = run_once(contender, reference, touched)
            except JobFailed as error:
                print(error, file=sys.stderr)
                skip(f"{contender.name}: {str(error).strip().splitlines()[-1]}")
                continue
            measured.runs += [{**place, "repeat": repeat, **r} for r in with_parts(record)]
            figures.save(measured, RESULTS / "last.json")
        for contender in contenders:
            if contender.kind != "memwave" or contender.name == WORKFLOW:
                remove(contender.writes)
    if work.name == "c" and not given.keep:
        shutil.rmtree(work.folder)


def contenders_of(entry: Entry, name: str, bench: Bench) -> list[Contender]:
    """The contenders of an experiment that an entry of the plan asks for."""
    found = [c for c in experiments.EXPERIMENTS[name](bench) if c.kind in entry.kinds]
    return found if entry.repeated else [replace(c, repeats=1) for c in found]


def make_work(name: str, given: argparse.Namespace, size: Size) -> Work | None:
    """Prepare a work's recordings; None where there are none."""
    given.scratch.mkdir(parents=True, exist_ok=True)
    scratch = given.scratch.resolve()
    if name == "b":
        return hapt_work(scratch, size, given.hapt)
    return synthetic_work(name, scratch, size)


def take_turns(contenders: list[Contender], repeats: int) -> Iterator[tuple[Contender, int]]:
    """Every contender once, then all that repeat again: A B C, A B, A B."""
    often = [repeats if c.repeats is None else c.repeats for c in contenders]
    for run in range(max(often, default=0)):
        for contender, runs in zip(contenders, often, strict=True):
            if run < runs:
                yield contender, run


def run_once(contender: Contender, reference: Reference | None, touched: int) -> dict:
    """Run a contender after touching free memory, and compare its model with the exact one."""
    remove(contender.writes)
    os.sync()
    machine.touch_free_memory(touched)
    warm(contender.reads)
    read = machine.read_from_disks()
    record = {"contender": contender.name, "kind": contender.kind, **asdict(contender.run())}
    # More than next to nothing: the page cache was taken away, and the time is not to be trusted.
    record["disk_mb"] = (machine.read_from_disks() - read) / 1e6
    if reference and contender.model:
        record["accuracy"] = reference.judge(contender.model)
    print(report.line(record), flush=True)
    return record


def remove(paths: Iterable[Path]) -> None:
    """Delete files and folders, if they are there."""
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def with_parts(record: dict) -> Iterator[dict]:
    """A record, and for the repaired script that of its fit by itself."""
    yield record
    if record["contender"] == SCRIPT:
        yield {
            **record,
            "experiment": "fit-incremental",
            "contender": SKLEARN_INCREMENTAL,
            "seconds": record["answers"][0]["fit"],
        }


if __name__ == "__main__":
    main(sys.argv[1:])
