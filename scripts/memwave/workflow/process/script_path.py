"""The place from which jobs import memwave."""

import os

from memwave.workflow.code_digests import SCRIPTS


def import_own_modules() -> None:
    """Make the processes of the rules import this memwave, even if another one is installed.

    Snakemake appends the folder of a script to the search path: an installed package comes first.
    """
    paths = [str(SCRIPTS), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
