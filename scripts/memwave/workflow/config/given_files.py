"""The configuration files that the arguments of Snakemake name, and mistakes in how they do it."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from memwave.core.messages import listed

OPTIONS = ("--configfile", "--configfiles")
ENDINGS = (".yaml", ".yml")


def given_files(arguments: Sequence[str]) -> list[list[str]]:
    """Return the files of each ``--configfile`` among the arguments of Snakemake."""
    given: list[list[str]] = []
    reads = False
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in OPTIONS:
            given.append([value] if value else [])
            reads = not value
        elif argument.startswith("-"):
            reads = False
        elif reads:
            given[-1].append(argument)
    return given


def repeated_option(arguments: Sequence[str]) -> Iterator[str]:
    """Find a second ``--configfile``: Snakemake reads the files of the last one only."""
    given = given_files(arguments)
    if len(given) > 1:
        files = [file for files in given for file in files]
        yield (
            f"--configfile is given {len(given)} times, and Snakemake reads the last one only. "
            f"Name all files after one: --configfile {' '.join(files)}"
        )


def missing_files(files: Iterable[str]) -> Iterator[str]:
    """Find files that a Snakefile names and that are not there, as the default configuration."""
    for file in (file for file in files if not os.path.exists(file)):
        yield (
            f"{file}: No such file or directory. It is read where no configuration is given: give "
            f"yours by --configfile my.yaml. Relative paths start in {os.getcwd()}."
        )


def unreachable_files(arguments: Sequence[str]) -> Iterator[str]:
    """Find files that are not there, and files that are given without ``--configfile``."""
    named = [file for files in given_files(arguments) for file in files]
    for file in named:
        if os.path.isdir(file):
            yield f"{file}: is a folder. Expected a configuration file."
        elif not os.path.exists(file):
            result = "" if file.endswith(ENDINGS) else " Name a result to make before --configfile."
            yield (
                f"{file}: No such file or directory. Expected a configuration file; relative paths "
                f"start in {os.getcwd()}.{result}"
            )
    loose = [
        argument
        for argument in arguments
        if argument.endswith(ENDINGS) and not re.match("-|.*=", argument) and argument not in named
    ]
    if loose and not named:
        yield (
            f"{listed(loose)}: was taken for a result to make. To run a configuration, write "
            f"--configfile before it: --configfile {' '.join(loose)}"
        )
