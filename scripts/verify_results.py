"""Compare results, and the recordings they were made of, with their checksums.

``python scripts/verify_results.py [FOLDER]`` is ``memwave verify [FOLDER]``, without installing
memwave.
"""

import sys

from memwave.cli import main

if __name__ == "__main__":
    sys.exit(main(["verify", *sys.argv[1:]]))
