"""What memwave sets out to reach, and whether the figures say that it does."""

from collections.abc import Callable
from dataclasses import dataclass

from contenders import (
    COPY,
    EIGH,
    GEMM_PASSES,
    GEMM_WRITE,
    LOOP,
    SCRIPT,
    SKLEARN_INCREMENTAL,
    WORKFLOW,
)
from experiments import SCALED
from figures import Figures, Place

EXTRACT, PROJECT = "memwave extract", "memwave project"
COVARIANCE, INCREMENTAL = "memwave covariance", "memwave incremental"
RANDOMIZED = "memwave randomized"
LAG_COVARIANCE = "memwave lag-covariance"

# What is measured of a target, and whether it is met.
Finding = tuple[str, bool]


@dataclass(frozen=True)
class Target:
    """A target with what was measured.

    Attributes
    ----------
    text : str
        What is to be reached.
    measured : str
    met : bool or None
        None: not measured.
    """

    text: str
    measured: str
    met: bool | None


def targets(figures: Figures) -> list[Target]:
    """All targets, those that were not measured too."""
    found = []
    for text, check in CHECKS:
        try:
            found.append(Target(text, *check(figures)))
        except LookupError:
            found.append(Target(text, "not measured", None))
    return found


def in_synthetic(experiment: str) -> Place:
    return experiment, "a", "float32"


def in_real(experiment: str) -> Place:
    return experiment, "b", "float16"


def faster(place: Place, contender: str, other: str, least: float) -> Callable:
    """Check the speed of a contender, as a multiple of another's."""

    def check(figures: Figures) -> Finding:
        ratio = figures.ratio(place, other, contender)
        return f"{ratio:.2f}", ratio >= least

    return check


def slower(place: Place, contender: str, other: str, most: float) -> Callable:
    """Check the time of a contender, as a multiple of another's."""

    def check(figures: Figures) -> Finding:
        ratio = figures.ratio(place, contender, other)
        return f"{ratio:.2f}", ratio <= most

    return check


def lighter(place: Place, contender: str, most: float) -> Callable:
    """Check the anonymous memory of the largest process, in MB."""

    def check(figures: Figures) -> Finding:
        peak = figures.peak(place, contender)
        together = figures.peak(place, contender, "together_mb")
        return f"{peak:.0f} MB; two at once {together:.0f} MB", peak <= most

    return check


def accurate(place: Place, contender: str, most: float) -> Callable:
    """Check 1 - mean squared cosine."""

    def check(figures: Figures) -> Finding:
        lost = figures.accuracy(place, contender)["lost_cosine"]
        return f"{lost:.1e}", lost <= most

    return check


def above_sklearn(place: Place) -> Callable:
    """Check the incremental solver's mean squared cosine against scikit-learn's."""

    def check(figures: Figures) -> Finding:
        ours, theirs = (
            1 - figures.accuracy(place, contender)["lost_cosine"]
            for contender in (INCREMENTAL, SKLEARN_INCREMENTAL)
        )
        return f"{ours:.4f} against {theirs:.4f}", ours > theirs

    return check


def batch_matters(place: Place) -> Callable:
    """Check what other sizes of a batch change in the mean squared cosine."""

    def check(figures: Figures) -> Finding:
        names = [INCREMENTAL, *(f"{INCREMENTAL}-{n}" for n in figures.size["other_batches"])]
        lost = [figures.accuracy(place, name)["lost_cosine"] for name in names]
        return f"{max(lost) - min(lost):.4f}", max(lost) - min(lost) < 0.01

    return check


def share_of_script(which: str) -> Callable:
    """Check the memory of the whole workflow against the script's."""

    def check(figures: Figures) -> Finding:
        ours = figures.peak(in_synthetic("pipeline"), WORKFLOW, which)
        theirs = figures.peak(in_synthetic("pipeline"), SCRIPT)
        return f"1/{theirs / ours:.1f} ({ours:.0f} of {theirs:.0f} MB)", 20 * ours <= theirs

    return check


def flat_memory(figures: Figures) -> Finding:
    """Check the memory of every stage at more rows: the largest process's."""
    worst = max(
        (figures.peak(large, name) / figures.peak(small, name) - 1, name)
        for small, large, name in scaled()
    )
    return f"at most {worst[0]:+.1%} ({worst[1]})", worst[0] <= 0.05


def linear_time(figures: Figures) -> Finding:
    """Check the time of every stage at more rows."""
    worst = max(
        (
            figures.seconds(large, name) / figures.seconds(small, name) / figures.size["tenfold"],
            name,
        )
        for small, large, name in scaled()
    )
    return f"at most {worst[0]:.2f} of linear ({worst[1]})", worst[0] <= 1.2


def scaled() -> list[tuple[Place, Place, str]]:
    """Every stage that is measured at few and at many rows: both places, and its name."""
    names = [name.removeprefix("fit-") for name in ("extract", *SCALED)]
    return [
        ((experiment, "a", "float16"), (experiment, "c", "float16"), f"memwave {name}")
        for experiment, name in zip(("extract", *SCALED), names, strict=True)
    ]


CHECKS: list[tuple[str, Callable[[Figures], Finding]]] = [
    (
        "extract, float32: at least 0.8 of the speed of copying ready-made rows into maps",
        faster(in_synthetic("extract"), EXTRACT, COPY, 0.8),
    ),
    (
        "extract, float32: at least 3 times the speed of a loop over the windows",
        faster(in_synthetic("extract"), EXTRACT, LOOP, 3.0),
    ),
    (
        "extract, float16: at least 0.5 of the speed of copying ready-made rows into maps",
        faster(("extract", "a", "float16"), EXTRACT, COPY, 0.5),
    ),
    (
        "covariance: at most 1.25 times the time of bare syrk + eigh",
        slower(in_synthetic("fit-covariance"), COVARIANCE, EIGH, 1.25),
    ),
    (
        "covariance: at least 15 times as fast as scikit-learn's IncrementalPCA",
        lambda figures: times_sklearn(figures, COVARIANCE, 15.0),
    ),
    (
        "covariance: less than 250 MB of anonymous memory",
        lighter(in_synthetic("fit-covariance"), COVARIANCE, 250.0),
    ),
    (
        "lag-covariance: at most a quarter of the time of covariance",
        slower(in_synthetic("fit-covariance"), LAG_COVARIANCE, COVARIANCE, 0.25),
    ),
    (
        "lag-covariance: 1 - mean squared cosine at most 1e-9",
        accurate(in_synthetic("fit-covariance"), LAG_COVARIANCE, 1e-9),
    ),
    (
        "randomized: 1 - mean squared cosine at most 1e-5 within 4 reads (a)",
        accurate(in_synthetic("fit-randomized"), f"{RANDOMIZED}-4", 1e-5),
    ),
    (
        "randomized: 1 - mean squared cosine at most 1e-7 within 5 reads (a)",
        accurate(in_synthetic("fit-randomized"), RANDOMIZED, 1e-7),
    ),
    (
        "randomized: 1 - mean squared cosine at most 1e-5 within 4 reads (b)",
        accurate(in_real("fit-randomized"), f"{RANDOMIZED}-4", 1e-5),
    ),
    (
        "randomized: 1 - mean squared cosine at most 1e-7 within 5 reads (b)",
        accurate(in_real("fit-randomized"), RANDOMIZED, 1e-7),
    ),
    (
        "randomized: at most 1.5 times the time of bare GEMM passes",
        slower(in_synthetic("fit-randomized"), RANDOMIZED, GEMM_PASSES, 1.5),
    ),
    (
        "incremental: mean squared cosine above scikit-learn's at its default batch (a)",
        above_sklearn(in_synthetic("fit-incremental")),
    ),
    (
        "incremental: mean squared cosine above scikit-learn's at its default batch (b)",
        above_sklearn(in_real("fit-incremental")),
    ),
    (
        "incremental: at least 10 times as fast as scikit-learn's",
        lambda figures: times_sklearn(figures, INCREMENTAL, 10.0),
    ),
    (
        "incremental: at most 150 MB of anonymous memory",
        lighter(in_synthetic("fit-incremental"), INCREMENTAL, 150.0),
    ),
    (
        "incremental: other batches change the mean squared cosine by less than 0.01",
        batch_matters(in_synthetic("fit-incremental")),
    ),
    (
        "project: at least 0.7 of the speed of bare read + GEMM + write",
        faster(in_synthetic("project"), PROJECT, GEMM_WRITE, 0.7),
    ),
    (
        "whole workflow: at least 15 times as fast as the original script, repaired",
        faster(in_synthetic("pipeline"), WORKFLOW, SCRIPT, 15.0),
    ),
    (
        "whole workflow: at most a twentieth of its memory in any process",
        share_of_script("peak_mb"),
    ),
    (
        "whole workflow: at most a twentieth of its memory in all processes, Snakemake included",
        share_of_script("together_mb"),
    ),
    ("more rows: anonymous memory flat within 5 %", flat_memory),
    ("more rows: time within 20 % of linear", linear_time),
]


def times_sklearn(figures: Figures, contender: str, least: float) -> Finding:
    """Check the speed of a solver against scikit-learn's IncrementalPCA."""
    experiment = f"fit-{contender.removeprefix('memwave ')}"
    theirs = figures.seconds(in_synthetic("fit-incremental"), SKLEARN_INCREMENTAL)
    ratio = theirs / figures.seconds(in_synthetic(experiment), contender)
    return f"{ratio:.1f}", ratio >= least
