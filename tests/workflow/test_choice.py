"""Choice of a solver: first the tolerance, then the memory, then the time; with the reason."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from memwave.features.columns import MatrixSpec
from memwave.features.spec import FeatureSpec
from memwave.workflow.config.settings import complete_model
from memwave.workflow.planning.choice import Candidate, choose, resolve
from memwave.workflow.planning.memory import matrix as matrix_memory
from memwave.workflow.planning.memory.blocks import Sizes
from memwave.workflow.planning.memory.recordings import predict_stages

SIZES = Sizes(block_mb=8, shards=4, threads=2)


def spec(window: int, channels: int = 1, dtype: str = "float32") -> FeatureSpec:
    return FeatureSpec(
        window, 1, "haar", 1, ("d1",), "interleaved", "symmetric", dtype, ("c",) * channels
    )


def auto(**options) -> dict:
    return complete_model({"solver": "auto", **options})


def solver_for(features: FeatureSpec, n_train: int, max_mem_mb: int = 10_000, **options) -> str:
    chosen = resolve(auto(**options), features, n_train, SIZES, max_mem_mb)
    assert f"solver auto chose {chosen['solver']}" in chosen["chosen"]
    return chosen["solver"]


def test_a_named_solver_stays():
    model = complete_model({"solver": "incremental"})
    assert resolve(model, spec(100), 1000, SIZES, 1000) is model


def test_few_features_are_solved_exactly_and_many_by_iteration():
    few, many = spec(256, dtype="float16"), spec(20_000, dtype="float16")
    assert solver_for(few, 10**6, n_components=20) == "covariance"
    assert solver_for(many, 10**6, n_components=20) == "randomized"


def test_many_windows_are_solved_from_the_recordings_unless_features_are_rounded_much():
    assert solver_for(spec(1001, 7), 140_000, n_components=50) == "lag-covariance"
    assert solver_for(spec(1001, 7, "float16"), 140_000, n_components=50) != "lag-covariance"
    unstored = replace(spec(1001, 7, "float16"), store=False)
    assert solver_for(unstored, 140_000, n_components=50) == "lag-covariance"


def test_few_windows_of_many_features_are_not_solved_from_the_recordings():
    assert solver_for(spec(20_000), 2000, n_components=20) != "lag-covariance"


def test_the_fastest_gives_way_when_it_does_not_fit():
    large = Candidate({"solver": "covariance"}, 1.0, 900, guarantees=True)
    small = Candidate({"solver": "randomized"}, 9.0, 300, guarantees=True)
    assert choose([large, small], 900, 1e-6)["solver"] == "covariance"
    assert choose([large, small], 899, 1e-6)["solver"] == "randomized"


def test_the_reason_tells_what_the_others_would_have_needed():
    wide = spec(12_000, dtype="float16")
    exact = complete_model({"solver": "covariance", "n_components": 5})
    need = max(predict_stages(wide, exact, SIZES).values())
    chosen = resolve(auto(n_components=5), wide, 10**6, SIZES, 10_000)
    assert chosen["solver"] == "randomized"
    assert re.search(rf"over covariance \(about [0-9.e+]+ s, {need} MB\)", chosen["chosen"])


@dataclass(frozen=True)
class Corner:
    """A task: windows of a recording, or rows of a matrix, with 50 components."""

    n_rows: int
    features: FeatureSpec | MatrixSpec
    solver: str
    memory_mb: int = 2000

    def row(self) -> str:
        """Its row in the table of docs/numerics.md, but for its name."""
        chosen = resolve(
            auto(n_components=50),
            self.features,
            self.n_rows,
            Sizes(block_mb=32, shards=32, threads=2),
            self.memory_mb,
            matrix_memory.predict if isinstance(self.features, MatrixSpec) else predict_stages,
        )
        assert chosen["solver"] == self.solver
        seconds = re.findall(r"([a-z-]+) \(about ([0-9.e+]+) s", chosen["chosen"])
        others = [f"{name} {float(found):,.0f}" for name, found in seconds[1:]]
        size = f"{self.n_rows:,} x {self.features.n_features:,}"
        return (
            f"{size} | {self.features.dtype} | {self.memory_mb} | `{self.solver}` "
            f"{float(seconds[0][1]):,.0f} | {', '.join(others)} |"
        )


def matrix(columns: int, dtype: str = "float32") -> MatrixSpec:
    return MatrixSpec(columns, dtype)


WIDE, UNSTORED = spec(1001, 64), replace(spec(4000, 64), store=False)
CORNERS = {
    "where memwave began": Corner(140_000, spec(1001, 7), "lag-covariance"),
    "the same in float16": Corner(140_000, spec(1001, 7, "float16"), "randomized"),
    "short windows": Corner(1_000_000, spec(128), "lag-covariance"),
    "many channels": Corner(60_000, WIDE, "lag-randomized"),
    "many channels in float16": Corner(60_000, replace(WIDE, dtype="float16"), "randomized"),
    "wide windows, not stored": Corner(1_000_000, UNSTORED, "lag-randomized"),
    "few windows": Corner(922, replace(WIDE, step=1001), "gram"),
    "windows that hardly overlap": Corner(20_000, replace(WIDE, step=500), "randomized"),
    "little memory": Corner(140_000, spec(1001, 7), "incremental", 250),
    "matrix": Corner(140_000, matrix(3504), "randomized"),
    "matrix, float16": Corner(140_000, matrix(3504, "float16"), "randomized"),
    "matrix, few columns": Corner(10_000_000, matrix(100), "covariance"),
    "matrix, float64": Corner(140_000, matrix(3504, "float64"), "covariance"),
    "matrix, many columns": Corner(50_000, matrix(40_000), "randomized"),
}


@pytest.mark.parametrize("name", CORNERS)
def test_the_table_of_the_documentation_is_what_auto_does(name):
    numerics = Path(__file__).parents[2] / "docs" / "numerics.md"
    assert f"| {name} | {CORNERS[name].row()}" in numerics.read_text(encoding="utf-8")


def test_a_promise_is_worth_more_than_speed():
    fast = Candidate({"solver": "incremental"}, 1.0, 100, guarantees=False)
    slow = Candidate({"solver": "covariance"}, 9.0, 200, guarantees=True)
    assert choose([fast, slow], 1000, 1e-6)["solver"] == "covariance"
    assert choose([fast, slow], 150, 1e-6)["solver"] == "incremental"


def test_where_none_fits_the_smallest_is_left_for_the_check_to_refuse():
    small = Candidate({"solver": "randomized"}, 9.0, 300, guarantees=True)
    large = Candidate({"solver": "covariance"}, 1.0, 900, guarantees=True)
    assert choose([large, small], 100, 1e-6)["solver"] == "randomized"


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_the_tolerance_is_handed_on(tolerance):
    model = auto(tolerance=tolerance, n_components=5)
    chosen = resolve(model, spec(20_000, dtype="float16"), 10**6, SIZES, 10_000)
    assert chosen["tolerance"] == pytest.approx(tolerance)
    assert chosen["n_components"] == 5


def test_a_tolerance_below_rounding_is_raised_to_it():
    model = auto(tolerance=1e-12, n_components=5)
    chosen = resolve(model, spec(20_000, dtype="float16"), 10**6, SIZES, 10_000)
    assert chosen["tolerance"] == pytest.approx(1e-6)
