"""The report: tables a person can read, made from the figures alone."""

from pathlib import Path

import figures as stored
from figures import Figures, Place
from targets import scaled, targets

TITLES = {
    "extract": "Extracting features",
    "project": "Projecting",
    "fit-covariance": "Fitting: exact",
    "fit-randomized": "Fitting: randomized",
    "fit-incremental": "Fitting: incremental",
    "pipeline": "Everything: from the recording to the projection",
}

OPENING = """\
**How to read this page.** Each table compares memwave with other programs (rivals) on the same
data, and with a *floor*: the least work that any program has to do. `x memwave` is the time of a
row divided by that of the first row; above 1, memwave is faster. `MB, largest` is the memory of the
largest process, and `MB, together` that of all processes at the same time. `1 - msc` is the error
of the components: 0 is exact, 1 is perpendicular to the exact ones. Work a is a synthetic signal,
work b are ten recordings of people with a phone at the waist."""

METHOD = """\
## What stands between a stage and its floor

- *Project* does more work than its floor, which multiplies the rows and writes the scores. It
  compares every chunk of features with its checksum, sums the squares of the rows for the
  reconstruction errors, compresses the scores, and joins the partial projections in one file. In a
  profile of one shard (35,000 x 3,504 float32, one core, 0.29 s) the product takes 0.17 s,
  checksums 0.04 s (with the first access to the rows), compression 0.03 s, squares 0.01 s, and
  mapping and reading ahead less than 0.01 s. Joining takes 0.07 s for all windows, on one core.
  The product reaches 81 GFlop/s, where a large one reaches 96 here.
- *The whole workflow* fits with `lag-covariance`, which `solver: auto` chooses here; this takes a
  fifth of its time. The rest is extracting, projecting and start-up: of Snakemake, and half a
  second for the libraries of each job.
- *The memory of the whole workflow* is that of this fit (half of the covariance matrix of the
  features) and of Snakemake.

## How it is measured

- Every program runs in new processes. Its time begins when its imports are complete, and ends with
  its last result. `snakemake --cores 2` is the exception: its time includes the start-up of
  Python and of all jobs. pandas is hidden from it: memwave does not need pandas, but Snakemake
  imports it if it is there.
- The stages of memwave are the functions of its scripts with the parameters of the workflow, two
  processes at a time (solver randomized: two threads). Rivals and floors may use two threads of
  BLAS, or two processes. The whole workflow fits with `solver: auto`.
- Programs that are compared run in turns (A B A B ...). Times are medians, ratios are medians of
  the ratios of pairs. Runs that take minutes are done once. Before each run its input files are
  read once, so that they are in the page cache; old output is deleted, and dirty pages are
  written. Before features are written, free memory is touched once: the host of a virtual machine
  takes unused memory and returns it slowly, here in up to 2.5 s a gigabyte, and this time would
  count for the program that runs.
- The output of a program is on the disk when its time ends (fsync).
- Memory is anonymous resident memory (RssAnon, sampled every 10 ms): of the largest process, and
  of all processes at the same time. Resident memory (VmHWM) includes pages of file maps, which
  the kernel takes back when it needs them.
- A *floor* is the least work that any program has to do: the same bytes copied, the same
  products computed, without checks, shifts, certificates or HDF5.
- Accuracy is against the exact PCA, computed block by block in float64 from the same features:
  `1 - msc`, 1 - mean squared cosine of the principal angles between the subspaces; the largest
  angle; the worst relative error of an eigenvalue; and the lost variance, as a share of the
  variance that the best subspace of that dimension captures.
- The synthetic signal (drift, tones of varying frequency and noise in 7 channels) is described in
  `benchmarks/synthetic.py`. A longer signal begins with the same rows as a shorter one.
- *The original script, repaired* computes the same without memwave: `pywt.dwt` window by window
  into a memmap, flushed and opened again read-only; scikit-learn's `IncrementalPCA` with its
  defaults; `transform` in batches. Its fit is the row *scikit-learn IncrementalPCA* of the
  synthetic signal.
"""


def write(figures: Figures, path: Path) -> None:
    """Write the figures, and the report beside them, made of the figures as written."""
    raw = path.with_suffix(".json")
    stored.save(figures, raw)
    path.write_text(render(stored.load(raw), raw.name), encoding="utf-8")


def render(figures: Figures, raw: str) -> str:
    """Return the report as Markdown; `raw` names the file of the figures."""
    parts = [
        "# Benchmarks",
        f"Measured by `make bench` on {figures.machine['date']}; all figures: [`{raw}`]({raw}).",
        OPENING,
        machine(figures),
    ]
    skipped = [f"Work {s['work']}, {s['dtype']}, skipped: {s['message']}." for s in figures.skipped]
    parts += dict.fromkeys(skipped)
    parts += ["## Targets"]
    if figures.size["name"] != "full":
        parts.append("Targets are for the full size; these figures are of another.")
    parts.append(target_table(figures))
    for experiment, title in TITLES.items():
        places = [place for place in figures.places() if place[0] == experiment]
        places = [place for place in places if place[1] != "c"]
        if places:
            parts.append(f"## {title}")
        for place in places:
            parts += [caption(figures, place), comparison(figures, place)]
    if any(place[1] == "c" for place in figures.places()):
        parts += [f"## {figures.size['tenfold']} times the rows", scaling(figures)]
    return "\n\n".join([*parts, METHOD, "## When it was measured", moments(figures)]) + "\n"


def machine(figures: Figures) -> str:
    about = figures.machine
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['processor']}, {about['cores']} cores, {about['memory_gb']} GB of memory, "
        f"{about['system']}. {versions}."
    )


def moments(figures: Figures) -> str:
    """When each part was measured, with which memwave, and how busy the machine was before."""
    parts = {
        tuple(run[name] for name in ("part", "work", "dtype", "at", "load", "commit")): None
        for run in figures.runs
    }
    header = ("experiment", "work", "features", "begun", "load before", "memwave")
    return table(header, [[str(cell) for cell in part] for part in parts])


def target_table(figures: Figures) -> str:
    verdicts = {True: "yes", False: "**no**", None: "-"}
    if figures.size["name"] != "full":
        verdicts = dict.fromkeys(verdicts, "-")
    rows = [(t.text, t.measured, verdicts[t.met]) for t in targets(figures)]
    return table(("target", "measured", "met"), rows)


def caption(figures: Figures, place: Place) -> str:
    (run, *_) = (r for r in figures.runs if (r["experiment"], r["work"], r["dtype"]) == place)
    gigabytes = run["windows"] * run["features"] * int(place[2].removeprefix("float")) / 8e9
    return (
        f"Work {place[1]}: {run['title']}, {run['windows']:,} x {run['features']:,} {place[2]} "
        f"({gigabytes:.3g} GB), {figures.size['components']} components."
    )


def comparison(figures: Figures, place: Place) -> str:
    """Time, memory and accuracy of all contenders on one work."""
    names = figures.contenders(place)
    judged = any("accuracy" in run for name in names for run in figures.of(place, name))
    header = ["", "runs", "seconds", "x memwave", "MB, largest", "MB, together", "MB, resident"]
    header += ["1 - msc", "angle", "eigenvalue", "lost"] if judged else []
    rows = []
    for name in names:
        runs = figures.of(place, name)
        rows.append(
            [
                ("floor: " if runs[0]["kind"] == "floor" else "") + name,
                str(len(runs)),
                spread([run["seconds"] for run in runs], figures.seconds(place, name)),
                "" if name == names[0] else f"{figures.ratio(place, name, names[0]):.3g}",
                *(megabytes(figures.peak(place, name, size)) for size in MEMORY),
                *(accuracy(figures, place, name) if judged else ()),
            ]
        )
    return table(header, rows)


MEMORY = ("peak_mb", "together_mb", "resident_mb")


def accuracy(figures: Figures, place: Place, name: str) -> list[str]:
    """The four cells on accuracy."""
    try:
        found = figures.accuracy(place, name)
    except LookupError:
        return [""] * 4
    return [
        f"{found['lost_cosine']:.1e}",
        f"{found['angle']:.2g}°",
        f"{found['eigenvalue_error']:.1e}",
        f"{found['lost']:.1e}",
    ]


def megabytes(size: float) -> str:
    """Rounded; nothing where it was not measured, as resident memory of a command is not."""
    return f"{size:.0f}" if size else ""


def spread(values: list[float], middle: float) -> str:
    if len(values) == 1:
        return f"{middle:.3g}"
    return f"{middle:.3g} ({min(values):.3g} to {max(values):.3g})"


def scaling(figures: Figures) -> str:
    """Time and memory of every stage at few and at many rows."""
    header = ("stage", "seconds", "at more rows", "of linear", "MB, largest", "at more rows")
    rows = []
    for small, large, name in scaled():
        try:
            seconds = [figures.seconds(place, name) for place in (small, large)]
            peaks = [figures.peak(place, name) for place in (small, large)]
        except LookupError:
            continue
        share = seconds[1] / seconds[0] / figures.size["tenfold"]
        rows.append(
            [
                name,
                *(f"{value:.3g}" for value in seconds),
                f"{share:.2f}",
                *(f"{value:.0f}" for value in peaks),
            ]
        )
    return table(header, rows)


def table(header, rows) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def line(record: dict) -> str:
    """One run, for the terminal."""
    text = (
        f"  {record['contender']:<48} {record['seconds']:8.2f} s {record['peak_mb']:7.0f} MB "
        f"(together {record['together_mb']:.0f}, resident {record['resident_mb']:.0f})"
    )
    if "accuracy" in record:
        text += "".join(f"  {name} {value:.2g}" for name, value in record["accuracy"].items())
    return text
