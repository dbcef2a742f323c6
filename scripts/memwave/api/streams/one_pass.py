"""`partial_fit` is an attribute only where the solver reads each row once."""

from collections.abc import Callable
from functools import update_wrapper
from types import MethodType
from typing import Any

from memwave.api.planning import InvalidParameter
from memwave.core.messages import either, shown
from memwave.pca.solvers import feature_solvers, row_solvers, solver_module


class NotOnePass(InvalidParameter, AttributeError):
    """A solver that reads the rows several times cannot take in blocks."""


def one_pass_solvers() -> list[str]:
    """Return the names of the solvers that read each row once."""
    return [name for name in row_solvers() if solver_module(name).Solver.ONE_PASS]


def require_one_pass(solver: Any) -> None:
    """Require a solver that reads each row once; an unknown name is an error later on."""
    known = one_pass_solvers()
    if solver in feature_solvers() and solver not in known:
        raise NotOnePass(
            f"solver is {shown(solver)}, which reads the rows several times; blocks that come once "
            f"are fitted by {either(map(shown, known))}."
        )


class available_with_one_pass:
    """Decorate a method: with another solver, programs find no attribute of its name."""

    def __init__(self, method: Callable):
        self._method = method
        update_wrapper(self, method)  # type: ignore[arg-type]

    def __get__(self, estimator: Any, owner: type) -> Any:
        if estimator is None:
            return self._method
        require_one_pass(estimator.solver)
        return MethodType(self._method, estimator)
