"""How problems are predicted: a solver for each kind of them, and the walk along procedures.

`solver` dispatches on the class of a problem. A new kind registers how it is fitted, pruned and fitted again:

    @solver.register
    def _(problem: Grouped, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
        yield GroupedSolver(problem, work)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.exact import as_fractions
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.prediction.coefficients import Coefficients
from riskcalc.problems import Problem

DENSE = Procedure()


class NotCovered(ValueError):
    """The theory of a kind of problem does not answer what is asked; the message says what, and what it does."""


class NoSolution(ValueError):
    """A fit that has no solution; where it just has one, double precision may not tell."""


@dataclass(frozen=True)
class Model:
    """A model of a block of N regimes.

    Attributes
    ----------
    status : ndarray of int, shape (N,)
    values : mapping of str to ndarray, shape (N, 1)
        By the names of quantities; a quantity that is left out does not exist.
    """

    status: np.ndarray
    values: Mapping[str, np.ndarray]

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """Status and quantities as they are told: what fits after it need may say more."""
        return self.status, self.values

    def kept(self, work: Evaluator) -> np.ndarray:
        """Fraction kept of each of K atoms, shape (N, K)."""
        raise TypeError(f"{type(self).__name__} does not say which features are kept (kept)")

    def coefficients(self, policy: Policy | None, work: Evaluator) -> Coefficients:
        """The law of the coefficients that a policy prunes; of one regime."""
        raise NotCovered(
            "the law of the coefficients is shown of LinearGaussian problems whose features are their own eigenvectors "
            "(basis 'principal'), pruned once; of others, plot a comparison (rc.compare) or a batch"
        )


class Solver(ABC):
    """What a kind of problem does with a block of N regimes, in one number system.

    In each method `first` is the same model in double precision, whose roots are first trials; None in that system.
    """

    @abstractmethod
    def fit(self, first: Any) -> Any:
        """The dense fit."""

    @abstractmethod
    def prune(self, model: Any, policy: Policy, first: Any) -> Any:
        """A fit pruned by a policy; without a fit (None), the mask of a policy that looks at none."""

    @abstractmethod
    def refit(self, model: Any, retrain: Retrain, first: Any) -> Any:
        """A pruned model, fitted again on the features kept."""

    def in_rounds(self, procedure: Procedure, dense: Any) -> Any:
        """A dense fit after several rounds: step by step, where a pruned fit can be pruned again."""
        for policy, retrain in procedure.rounds:
            dense = self.prune(dense, policy, None)
            dense = dense if retrain is None else self.refit(dense, retrain, None)
        return dense


@singledispatch
def solver(problem: Problem, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    """The solvers of a problem's regimes, block by block; `shape` is that of the batch, budgets included."""
    raise TypeError(
        f"how a {type(problem).__name__} is predicted is not registered (riskcalc.prediction.solvers.solver)"
    )


def whole_counts(policy: Policy, problem: Problem) -> np.ndarray:
    """The whole numbers of features that a policy keeps of a problem of finite size, the nearest to its budgets."""
    exact: Any = as_fractions(policy.budget(problem.n_features)) * int(problem.n_features)
    counts = np.array(np.frompyfunc(round, 1, 1)(exact), dtype=int)
    if counts.min() < 1:
        raise ValueError(f"keep = {policy.keep} of {problem.n_features} features leaves none; keep more")
    return counts


class Walk:
    """The models of a block, each made once: what procedures share, they share."""

    def __init__(self, solver: Solver, first: Walk | None = None):
        self.solver, self.first = solver, {} if first is None else first.found
        self.found: dict[Procedure, Any] = {}

    def model(self, procedure: Procedure) -> Any:
        """The model of a procedure."""
        if procedure not in self.found:
            self.found[procedure] = self._made(procedure)
        return self.found[procedure]

    def _made(self, procedure: Procedure) -> Any:
        first, prune, retrain = self.first.get(procedure), procedure.prune, procedure.retrain
        if prune is None:
            return self.solver.fit(first)
        *earlier, (policy, _) = prune.rounds
        if earlier:
            return self.solver.in_rounds(procedure, self.model(DENSE))
        if retrain is None:
            return self.solver.prune(self.model(DENSE), policy, first)
        pruned = self.solver.prune(None, policy, None) if procedure.is_small else self.model(Procedure(policy))
        return self.solver.refit(pruned, retrain, first)
