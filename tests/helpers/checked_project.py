"""A configuration with its files, for tests of what is found before the first job."""

import numpy as np
import pytest

from memwave.core.errors import ConfigurationError
from memwave.workflow.config import settings
from memwave.workflow.config.checks.check import check

# One level of two channels in turn: 8 features.
HAAR = {"window": 8, "level": 1, "bands": ["d1"], "layout": "interleaved"}


class Project:
    """A configuration with its files in a folder, right until a test spoils it."""

    def __init__(self, folder):
        self.folder = folder
        self.sheet = folder / "sheet.tsv"
        self.config = {
            "datasets": {"pilot": {"recordings": str(self.sheet), "channels": ["x", "y"]}},
            "features": {"haar": dict(HAAR)},
            "models": {"exact": {"solver": "covariance", "n_components": 3}},
            "experiments": [{"dataset": "pilot", "features": "haar", "model": "exact"}],
            "plots": False,
        }
        self.save("one.npy", np.zeros((40, 2)))
        self.save("two.npy", np.zeros((30, 2)))
        self.rows = [
            {"recording": "one", "path": "one.npy"},
            {"recording": "two", "path": "two.npy"},
        ]

    def save(self, name, array):
        np.save(self.folder / name, array)

    def label(self, *labels):
        for row, array in zip(self.rows, labels, strict=False):
            row["labels"] = f"{row['recording']}.labels.npy"
            self.save(row["labels"], array)

    def write_sheet(self):
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        lines = ["\t".join(columns)]
        for row in self.rows:
            cells = {key: row.get(key, "") for key in columns}
            for key in ("path", "labels"):
                if cells.get(key):
                    cells[key] = str(self.folder / cells[key])
            lines.append("\t".join(cells.values()))
        self.sheet.write_text("\n".join(lines))

    def check(self):
        self.write_sheet()
        return check(settings.complete(self.config))

    def findings(self):
        with pytest.raises(ConfigurationError) as caught:
            self.check()
        return caught.value.findings

    def refused(self, *words):
        (finding,) = self.findings()
        assert all(word in finding for word in words), finding
