"""Say what is wrong with the configuration files that the arguments of Snakemake name.

``python scripts/check_configfiles.py ARGUMENTS``, with the arguments of ``snakemake``. Snakemake
reads these files before the Snakefile, and its errors name neither file nor line. ``make`` calls
this after a run that failed; it prints nothing if the files can be read.
"""

import sys

from memwave.core.errors import ConfigurationError
from memwave.workflow.config.given_files import given_files, unreachable_files
from memwave.workflow.config.plain_yaml import require_readable


def main(arguments: list[str]) -> int:
    """Print the findings; return the status."""
    try:
        if findings := list(unreachable_files(arguments)):
            raise ConfigurationError(findings)
        require_readable(file for files in given_files(arguments) for file in files)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
