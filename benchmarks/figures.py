"""Looking things up in what was measured."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

# A group of runs: experiment, work, dtype.
Place = tuple[str, str, str]


class Figures:
    """Everything that was measured, at once or part by part.

    Parameters
    ----------
    data : dict
        ``machine``, ``size``, ``skipped`` (a dict each: work, dtype, message) and ``runs`` (a dict
        each).
    """

    def __init__(self, data: dict):
        self.machine, self.size, self.skipped = data["machine"], data["size"], data["skipped"]
        self.runs: list[dict] = data["runs"]

    def skip(self, work: str, dtype: str, message: str) -> None:
        """Note that something was not measured, and why."""
        print(f"skipped: {message}", flush=True)
        self.skipped.append({"work": work, "dtype": dtype, "message": message})

    def drop(self, experiments: Iterable[str], work: str, dtype: str) -> None:
        """Forget experiments, to measure them again."""
        names = set(experiments)

        def is_other(run: dict) -> bool:
            return (run["work"], run["dtype"]) != (work, dtype) or run["part"] not in names

        self.runs = [run for run in self.runs if is_other(run)]
        self.skipped = [s for s in self.skipped if (s["work"], s["dtype"]) != (work, dtype)]

    def places(self) -> list[Place]:
        """Groups of runs, in the order they were measured."""
        return list(dict.fromkeys((r["experiment"], r["work"], r["dtype"]) for r in self.runs))

    def contenders(self, place: Place) -> list[str]:
        """Names of contenders, memwave's first."""
        runs = sorted(self._at(place), key=lambda run: run["kind"] != "memwave")
        return list(dict.fromkeys(run["contender"] for run in runs))

    def of(self, place: Place, contender: str) -> list[dict]:
        """Runs of a contender, in order; raises `LookupError` if there are none."""
        found = [run for run in self._at(place) if run["contender"] == contender]
        if not found:
            raise LookupError(f"{contender} was not measured: {place}")
        return found

    def seconds(self, place: Place, contender: str) -> float:
        """Median wall time."""
        return median(run["seconds"] for run in self.of(place, contender))

    def peak(self, place: Place, contender: str, which: str = "peak_mb") -> float:
        """Largest memory of all runs, in MB."""
        return max(run[which] for run in self.of(place, contender))

    def accuracy(self, place: Place, contender: str) -> dict[str, float]:
        """Accuracy; all runs of a contender have the same, or the worst is taken."""
        judged = [run["accuracy"] for run in self.of(place, contender) if "accuracy" in run]
        if not judged:
            raise LookupError(f"{contender} was not compared with the exact PCA: {place}")
        return max(judged, key=lambda accuracy: accuracy["lost_cosine"])

    def ratio(self, place: Place, slow: str, fast: str) -> float:
        """How much longer one contender takes than another.

        The median over their pairs of runs; where one ran less often, the ratio of medians.
        """
        ones, others = self.of(place, slow), self.of(place, fast)
        if len(ones) != len(others):
            return self.seconds(place, slow) / self.seconds(place, fast)
        pairs = zip(ones, others, strict=True)
        return median(one["seconds"] / other["seconds"] for one, other in pairs)

    def _at(self, place: Place) -> Iterator[dict]:
        return (r for r in self.runs if (r["experiment"], r["work"], r["dtype"]) == place)


def load(path: Path) -> Figures:
    """Read what `save` wrote."""
    return Figures(json.loads(path.read_text(encoding="utf-8")))


def save(figures: Figures, path: Path) -> None:
    """Write figures as JSON, one line a run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {name: getattr(figures, name) for name in ("machine", "size", "skipped")}
    lines = [f'"{name}": {json.dumps(value)},' for name, value in head.items()]
    runs = ",\n".join(json.dumps(rounded(run)) for run in figures.runs)
    path.write_text("\n".join(["{", *lines, f'"runs": [\n{runs}\n]', "}", ""]), encoding="utf-8")


def rounded(value: object) -> object:
    """Leave six digits of every float."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value
