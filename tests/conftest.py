"""Makes the package importable as the workflow does, before anything loads numpy."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

import memwave  # noqa: F401
