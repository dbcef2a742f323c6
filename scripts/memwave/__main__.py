"""``python -m memwave`` is the command ``memwave``."""

import sys

from memwave.cli import main

if __name__ == "__main__":
    sys.exit(main())
