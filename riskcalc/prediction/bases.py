"""Linear Gaussian problems by the basis that their features stand in."""

from __future__ import annotations

from collections.abc import Iterator

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.prediction.diagonal.regimes import chunks
from riskcalc.prediction.diagonal.solver import DiagonalSolver
from riskcalc.prediction.generic.solver import GenericSolver
from riskcalc.prediction.solvers import Solver, solver
from riskcalc.problems import LinearGaussian

BASES = {"principal": DiagonalSolver, "generic": GenericSolver}


@solver.register
def _(problem: LinearGaussian, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    for chunk in chunks(problem, shape, work.system):
        yield BASES[problem.basis](problem, chunk, work)
