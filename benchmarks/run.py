"""Measure memwave against floors and rivals, and write docs/benchmarks.md.

Everything (half an hour on two cores)::

    python benchmarks/run.py

The same in small, in seconds; some of it; the report again from the last whole run::

    python benchmarks/run.py --size small --output small.md
    python benchmarks/run.py --only fit-covariance --work a --no-rivals
    python benchmarks/run.py --report

Without ``--output``, only a whole run in full size writes the report.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import experiments
import machine
import report
from experiments import Bench, Contender, Entry
from measure import warm
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
    add("--report", action="store_true", help="only write the report again from its figures")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    given = parse(arguments)
    output = given.output or REPORT
    if given.report:
        report.write(json.loads(output.with_suffix(".json").read_text()), output)
        return
    size = SIZES[given.size]
    size = replace(
        size, windows=given.windows or size.windows, repeats=given.repeats or size.repeats
    )
    whole = not (given.only or given.dtype or given.no_rivals or given.windows)
    whole = whole and given.size == "full" and given.work == list("abc")
    figures = {"machine": machine.describe(), "size": asdict(size), "skipped": [], "runs": []}
    try:
        for entry in chosen(given):
            measure_entry(entry, given, size, figures)
    finally:
        if not given.keep:
            shutil.rmtree(given.scratch, ignore_errors=True)
    if whole or given.output:
        report.write(figures, output)
        print(f"\nwritten: {output}, {output.with_suffix('.json')}")


def chosen(given: argparse.Namespace) -> Iterator[Entry]:
    """The part of the plan that was asked for."""
    for entry in experiments.PLAN:
        names = tuple(n for n in entry.experiments if not given.only or n in given.only)
        kinds = tuple(k for k in entry.kinds if k != "rival" or not given.no_rivals)
        if names and entry.work in given.work and given.dtype in (None, entry.dtype):
            yield replace(entry, experiments=names, kinds=kinds)


def measure_entry(entry: Entry, given: argparse.Namespace, size: Size, figures: dict) -> None:
    """Run the experiments of one entry of the plan; what they find is added to `figures`."""
    work = make_work(entry.work, given, size)
    needed = 1.3 * work.feature_bytes(entry.dtype)
    free = shutil.disk_usage(given.scratch).free
    if free < needed:
        skip(figures, f"work {work.name}: needs {needed:,.0f} bytes of disk, {free:,} are free")
        return
    bench = Bench(work, entry.dtype, "rival" in entry.kinds)
    for name in entry.experiments:
        print(f"\n{name}: {work.title}, {entry.dtype}", flush=True)
        bench.make_features()
        contenders = [c for c in experiments.EXPERIMENTS[name](bench) if c.kind in entry.kinds]
        place = {"experiment": name, "work": work.name, "title": work.title, "dtype": entry.dtype}
        place |= {"windows": work.n_windows, "features": work.n_features}
        for contender, run in take_turns(contenders, size.repeats if entry.repeated else 1):
            record = run_once(contender, bench if entry.judged else None, figures)
            if record is not None:
                figures["runs"].append({**place, "repeat": run, **record})
                save(figures)
    if work.name == "c" and not given.keep:
        shutil.rmtree(work.folder)


def make_work(name: str, given: argparse.Namespace, size: Size) -> Work:
    """Prepare a work's recordings."""
    given.scratch.mkdir(parents=True, exist_ok=True)
    scratch = given.scratch.resolve()
    if name == "b":
        return hapt_work(scratch, size, given.hapt)
    return synthetic_work(name, scratch, size)


def take_turns(contenders: list[Contender], repeats: int) -> Iterator[tuple[Contender, int]]:
    """Every contender once, then all that repeat again: A B C, A B, A B."""
    for run in range(repeats):
        for contender in contenders:
            if contender.repeats is None or run < contender.repeats:
                yield contender, run


def run_once(contender: Contender, bench: Bench | None, figures: dict) -> dict | None:
    """Run a contender, and compare the model it leaves with the exact one of `bench`."""
    available = machine.available_memory()
    if available < contender.memory_bytes:
        skip(
            figures,
            f"{contender.name}: needs about {contender.memory_bytes / 1e9:.1f} GB of memory, "
            f"{available / 1e9:.1f} GB are available",
        )
        return None
    reference = bench.reference() if bench and contender.model else None
    for path in contender.writes:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    os.sync()
    warm(contender.reads)
    measured = contender.run()
    record = {"contender": contender.name, "kind": contender.kind, **asdict(measured)}
    if reference is not None and contender.model is not None:
        record["accuracy"] = reference.judge(contender.model)
    print(report.line(record), flush=True)
    return record


def skip(figures: dict, message: str) -> None:
    print(f"skipped: {message}", flush=True)
    figures["skipped"].append(message)


def save(figures: dict) -> None:
    """Keep what was measured so far."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "runs.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
