"""The command line: ``memwave <command>``; one module a command.

A command's module has two functions: ``add_arguments(parser)``, and ``run(given)``, which returns
the exit status. It is imported only when the command is called.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import memwave
from memwave.core.errors import MemwaveError

# Name of each command, which is also the name of its module, and its help.
COMMANDS = {
    "pca": "fit PCA to a matrix in a file; write model.h5 and projection.h5",
    "transform": "project a matrix or a recording onto a model",
    "inverse": "go back from scores to rows of a matrix or of a recording",
    "update": "add rows to a model that kept its summary",
    "merge": "merge models of the same columns that kept their summaries",
    "init": "write a sheet and a configuration for files",
    "verify": "compare results and recordings with their checksums",
    "doctor": "print versions, cores, memory, disk and optional packages",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process if left out.

    Returns
    -------
    int
        Exit status. A MemwaveError is printed and gives 1; wrong arguments exit with 2.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog="memwave",
        description=memwave.__doc__,
        usage="memwave [-h] [--version] COMMAND ...",
    )
    parser.add_argument("--version", action="version", version=f"memwave {memwave.__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND ...", required=True, prog="memwave"
    )
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name in arguments[:1]:
            module = import_module(f"{__name__}.{name}")
            module.add_arguments(command)
    if not arguments:
        parser.print_help(sys.stderr)
        parser.exit(2)
    given = parser.parse_args(arguments)
    return _run(module.run, given)


def _run(command: Callable[[argparse.Namespace], int], given: argparse.Namespace) -> int:
    """Run a command; print its error, and return the exit status."""
    _open_output()
    try:
        status = command(given)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # nobody reads on, as after `memwave doctor | head`
        _print_no_more()
        return 1
    except OSError as error:  # of the output, as on a full disk: those of files are explained
        print(f"the system reports: {error}.", file=sys.stderr)
        _print_no_more()
        return 1
    except MemwaveError as error:
        print(error, file=sys.stderr)
        return 1
    except MemoryError as error:
        print(
            f"the memory of this machine is not enough ({error}). Give what it has as the limit, "
            "for example --max-mem-mb 2000; `memwave doctor` prints it.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was left half-written.", file=sys.stderr)
        return 130


def _open_output() -> None:
    """Make what is printed go somewhere, whatever it is."""
    for name in ("stdout", "stderr"):  # closed ones, as some schedulers leave them
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):  # a name of a file may have letters that it has not
        sys.stdout.reconfigure(errors="backslashreplace")


def _print_no_more() -> None:
    """Discard what could not be printed: the exit would try it again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
