"""Linear Gaussian problems are solved by how their features stand to the eigenvectors: a solver for each basis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.prediction.solvers import Solver, solver
from riskcalc.problems import LinearGaussian

Solve = Callable[[LinearGaussian, tuple[int, ...], Evaluator], Iterator[Solver]]
_SOLVERS: dict[str, Solve] = {}


def in_basis(name: str) -> Callable[[Solve], Solve]:
    """Register what solves problems in a basis: a decorator."""

    def register(solve: Solve) -> Solve:
        _SOLVERS[name] = solve
        return solve

    return register


@solver.register
def _(problem: LinearGaussian, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    return _SOLVERS[problem.basis](problem, shape, work)
