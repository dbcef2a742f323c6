"""``memwave init FILES...``: write a sheet and a configuration for some files."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import yaml

from memwave.cli.pca import add_shape
from memwave.core.errors import MemwaveError
from memwave.core.messages import listed, shown
from memwave.readers import (
    ArraySource,
    FileSource,
    StreamSource,
    file_of,
    is_converted,
    open_source,
    reader_of,
)
from memwave.readers.matrices.converted import open_stream
from memwave.readers.matrices.files import open_file
from memwave.recordings.resampling import ratio_of
from memwave.storage.atomic import replacing, require_folder
from memwave.workflow.config.checks.datasets.matrices import SHEETS
from memwave.workflow.planning.plan import make_plan

# Components of the first model, if there are rows and columns enough.
COMPONENTS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="parts of a matrix, or with --window recordings"
    )
    parser.add_argument(
        "--window", type=int, help="rows of a window: the files are recordings, rows x channels"
    )
    add_shape(parser)
    parser.add_argument("--name", default="mine", help="of the dataset (default: mine)")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("."), help="folder to write to (default: here)"
    )


def run(given: argparse.Namespace) -> int:
    """Look at the files, write sheet and configuration, and say what comes next."""
    sheet, config = given.out / f"{given.name}.tsv", given.out / f"{given.name}.yaml"
    if not Path("Snakefile").is_file():  # elsewhere, relative paths would start in that folder
        given.files, sheet = [os.path.abspath(path) for path in given.files], sheet.absolute()
    for path in (sheet, config):
        if path.exists():
            raise MemwaveError(f"{path}: is there already. Choose another --name or --out.")
    require_folder(given.out)
    for path in given.files:
        require_name_of_sheet(path)
    is_one = given.window is None and len(given.files) == 1
    settings = matrix(given, sheet) if given.window is None else recordings(given, sheet)
    if not is_one:
        write(sheet, sheet_of(given.files, given.dtype))
    try:
        make_plan(settings)
        write(config, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
    except BaseException:
        with suppress(OSError):
            sheet.unlink()
        raise
    where, command = next_command(config)
    print(f"wrote {config}" + ("" if is_one else f" and {sheet}") + f". Next, in {where}:")
    print(f"  {shlex.join(command)}")
    return 0


def require_name_of_sheet(path: str) -> None:
    """Require a path that a line of a sheet can have: UTF-8, and within one cell."""
    is_text = path.isascii() or path == path.encode("utf-8", "ignore").decode()
    if not is_text or path != path.strip() or any(sign in path for sign in "\t\r\n"):
        raise MemwaveError(
            f"{path!a}: a sheet cannot have this path, expected UTF-8 without tabs, line "
            "breaks, or spaces around it. Rename the file."
        )


def next_command(config: Path) -> tuple[str, list[str]]:
    """Where Snakemake is called for a configuration, and how."""
    program, options = Path(".venv/bin/snakemake"), ["--cores", "4", "--configfile", str(config)]
    if Path("Snakefile").exists():
        return "this folder", [str(program) if program.exists() else "snakemake", *options]
    clone = Path(__file__).resolve().parents[3]
    if not (clone / "Snakefile").exists():  # the package is installed without the workflow
        return "a clone of memwave", [str(program), *options[:-1], str(config.absolute())]
    found = clone / program
    chosen = [str(found) if found.exists() else "snakemake", "--snakefile"]
    return "this folder", [*chosen, str(clone / "Snakefile"), *options]


def matrix(given: argparse.Namespace, sheet: Path) -> dict:
    """The configuration of a matrix."""
    rows, width = 0, 0
    for path in given.files:
        with open_matrix(path, given.dtype, given.columns) as source:
            rows, width = rows + source.shape[0], source.shape[1]
    is_one = len(given.files) == 1
    dataset: dict[str, Any] = {"matrix": given.files[0] if is_one else str(sheet)}
    if any(reader_of(path).NEEDS_DTYPE for path in given.files):
        dataset |= {"dtype": given.dtype} if is_one else {}
        dataset["columns"] = given.columns
    return {
        "datasets": {given.name: dataset},
        "models": {"pca": model(rows - 1, width)},
        "experiments": [{"dataset": given.name, "model": "pca"}],
    }


def open_matrix(
    path: str, dtype: str | None, columns: int | None
) -> AbstractContextManager[ArraySource | StreamSource]:
    """Open a part of a matrix, as the workflow does; a table is converted there."""
    if Path(file_of(path)).suffix.lower() in SHEETS:
        raise MemwaveError(
            f"{path}: as a matrix, a file with this ending is a sheet of parts. Save the table as "
            ".csv; or give --window, if the file is a recording."
        )
    opener = open_stream if is_converted(path) else open_file
    return opener(path, dtype, columns)


def recordings(given: argparse.Namespace, sheet: Path) -> dict:
    """The configuration of recordings: channels, rates and units from the files."""
    found = [look_at(path, given.dtype, given.columns) for path in given.files]
    channels, rates = found[0]["channels"], set()
    units: dict[str, str] = {}
    for path, facts in zip(given.files, found, strict=True):
        if facts["channels"] != channels:
            raise MemwaveError(
                f"{path}: has the channels {shown(facts['channels'])}, expected those of "
                f"{given.files[0]}: {shown(channels)}. Write init once for each kind of file."
            )
        units |= facts["units"]
        rates |= {facts["rate"]} - {None}
    dataset: dict[str, Any] = {"recordings": str(sheet), "channels": channels}
    if rates:
        dataset["sampling_rate"] = min(rates)
        if len(rates) > 1:
            require_ratios(rates)
            dataset["resample"] = "polyphase"
    if units:
        dataset["units"] = units
    rows = sum(max(facts["rows"] - given.window + 1, 0) for facts in found)
    return {
        "datasets": {given.name: dataset},
        "features": {"haar": {"window": given.window, "layout": "per-channel"}},
        "models": {"pca": model(rows - 1, len(channels) * max(given.window // 2, 1))},
        "experiments": [{"dataset": given.name, "features": "haar", "model": "pca"}],
    }


def require_ratios(rates: set[float]) -> None:
    """Require rates that can be brought to the lowest of them."""
    for rate in rates:
        if ratio_of(rate, min(rates)) is None:
            raise MemwaveError(
                f"the files have {', '.join(f'{r:g}' for r in sorted(rates))} rows a second, which "
                "cannot be resampled to one another. Write init once for each rate."
            )


def model(most: int, width: int) -> dict:
    """The first model: chosen by size, with a tolerance."""
    return {"solver": "auto", "n_components": max(1, min(COMPONENTS, most, width))}


def look_at(path: str, dtype: str | None, columns: int | None) -> dict:
    """Channels, rows, rate and units of a recording."""
    is_raw = reader_of(path).NEEDS_DTYPE
    if is_raw and (dtype is None or columns is None):
        raise MemwaveError(
            f"{path}: a raw file does not state its shape. Give --dtype and --columns (channels)."
        )
    names = [f"channel{i}" for i in range(1, (columns or 0) + 1)] if is_raw else None
    with open_source(path, dtype if is_raw else None, names) as source:
        if len(source.shape) != 2:
            raise MemwaveError(f"{path}: has shape {source.shape}, expected rows x channels.")
        for note in source.notes:
            print(f"{path}: {note}.", file=sys.stderr)
        channels = names or names_of(source)
        texts = [name for name in channels if name in source.text_channels()]
        if texts:
            if len(texts) == len(channels):
                raise MemwaveError(
                    f"{path}: no column begins with numbers. If decimals have commas, write the "
                    'configuration yourself, with decimal: "," in the dataset; config/README.md '
                    "has one to copy."
                )
            print(
                f"{path}: left out {listed(map(shown, texts))}, which hold no numbers. A column of "
                f"labels is named {file_of(path)}::{texts[0]} in the column labels of the sheet.",
                file=sys.stderr,
            )
        return {
            "channels": [name for name in channels if name not in texts],
            "rows": source.shape[0],
            "rate": source.sampling_rate,
            "units": dict(source.units),
        }


def names_of(source: FileSource) -> list[str]:
    """Names of the channels, as the file has them, or numbers."""
    return source.channel_names or [f"channel{i}" for i in range(1, source.shape[1] + 1)]


def sheet_of(files: Sequence[str], dtype: str | None) -> str:
    """The sheet of all files, by their names without endings."""
    lines = ["recording\tpath\tsplit\tdtype"]
    stems = [Path(file_of(path)).stem for path in files]
    for number, (stem, path) in enumerate(zip(stems, files, strict=True), 1):
        name = stem if stems.count(stem) == 1 else f"{stem}-{number}"
        kind = dtype if reader_of(path).NEEDS_DTYPE and dtype else ""
        lines.append(f"{name}\t{path}\ttrain\t{kind}")
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
