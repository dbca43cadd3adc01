"""Correlated features: fit, prune, fit again (T8), by exact traces and by draws of the dense fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.prediction.correlated.choices import check_covered
from riskcalc.prediction.correlated.draws import Draws
from riskcalc.prediction.correlated.fit import Fit, fit_dense
from riskcalc.prediction.correlated.pruned import Drawing, Values, prune
from riskcalc.prediction.correlated.retraining import Second, refit_fresh, refit_same
from riskcalc.prediction.solvers import Model, NotCovered, Solver, solver, whole_counts
from riskcalc.prediction.status import Status
from riskcalc.problems import Correlated


@dataclass(frozen=True)
class CorrelatedModel(Model):
    """A model.

    Attributes
    ----------
    fit : Fit
    drawings : list of Drawing
        Of each regime; none of a dense fit.
    batches : list of int
        How many of them its numbers are averages over.
    first : bool
        Whether there is a fit before the mask.
    """

    fit: Fit
    drawings: list[Drawing] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    first: bool = True

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """With what is told of the dense fit; of a small model, it is itself that."""
        fit = {"dense_risk": self.fit.state["gamma"], "effective_ridge": self.fit.state["nu"]} if self.first else {}
        like = self.values["risk"]
        return self.status, dict(self.values) | {name: value + 0 * np.zeros_like(like) for name, value in fit.items()}

    def kept(self, work: Evaluator) -> np.ndarray:
        """How often each feature is kept."""
        if not self.drawings:
            return np.ones((len(self.status), self.fit.features.size))
        if self.fit.status == Status.INFINITE and self.drawings[0].policy.sees_fit:
            return np.full((len(self.status), self.fit.features.size), np.nan)
        pairs = zip(self.drawings, self.batches, strict=True)
        return np.stack([drawing.kept(batches) for drawing, batches in pairs])


@solver.register
def _(problem: Correlated, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    if work.system is not FLOAT64:
        raise NotCovered("digits: correlated features are predicted in double precision; leave digits out")
    yield CorrelatedSolver(problem, shape, work)


class CorrelatedSolver(Solver):
    """All budgets, which share the dense fit and its draws."""

    def __init__(self, problem: Correlated, shape: tuple[int, ...], work: Evaluator):
        self.problem, self.shape, self.work = problem, shape, work
        self._drawings: dict[tuple[Policy, int], Drawing] = {}
        self._seconds: dict[tuple[Policy, int, float], Second] = {}

    @cached_property
    def _fit(self) -> Fit:
        return fit_dense(self.problem, self.work)

    @cached_property
    def _draws(self) -> Draws:
        return Draws(self._fit, self.work.integration.seed)

    def fit(self, first: Any) -> CorrelatedModel:
        """T1."""
        state, regimes = self._fit.state, int(np.prod(self.shape))
        told = {"risk": state["gamma"], "excess_risk": state["excess_risk"], "training_error": state["training_error"]}
        told["misfit"] = 0 * state["sigma2"]
        values = {name: np.repeat(array, regimes, axis=0) for name, array in told.items()}
        return CorrelatedModel(np.full(regimes, self._fit.status), values, self._fit)

    def prune(self, model: CorrelatedModel | None, policy: Policy, first: Any) -> CorrelatedModel:
        """By closed forms, a series or draws; only the mask where nothing is fitted yet."""
        check_covered(policy)
        counts = np.broadcast_to(whole_counts(policy, self.problem), self.shape).ravel().tolist()
        drawings = [self._drawing(policy, number) for number in counts]
        if model is None:
            return CorrelatedModel(np.zeros(len(counts), int), {}, self._fit, drawings, [1] * len(counts), False)
        if self._fit.status == Status.INFINITE:
            lost = np.full((len(counts), 1), np.inf)
            values = {"risk": lost, "excess_risk": lost, "training_error": lost + np.nan}
            return CorrelatedModel(model.status, values, self._fit, drawings, [1] * len(counts))
        values, batches, _ = self._each(drawings, lambda drawing: (*prune(drawing), Status.OK))
        return CorrelatedModel(model.status, values, self._fit, drawings, batches)

    def refit(self, model: CorrelatedModel, retrain: Retrain, first: Any) -> CorrelatedModel:
        """T6 with matrices in the place of masked shrinkages; T1 of the features kept on a fresh sample."""
        ridge = float(as_float(retrain.ridge_of(self.problem)))
        if ridge < 0:
            raise NotCovered(f"with correlated features the theory covers ridges of at least 0, got {ridge:g}")
        refit = refit_same if retrain.sample == "same" else refit_fresh
        if self._fit.status == Status.INFINITE and model.drawings[0].policy.sees_fit:
            lost = np.full((len(model.drawings), 1), np.nan)
            values = {"risk": lost, "excess_risk": lost, "training_error": lost}
            return CorrelatedModel(
                np.full(len(lost), Status.NOT_CONVERGED), values, self._fit, model.drawings, model.batches, model.first
            )
        values, batches, status = self._each(model.drawings, lambda drawing: refit(self._second(drawing, ridge)))
        return CorrelatedModel(status, values, self._fit, model.drawings, batches, model.first)

    def in_rounds(self, procedure: Procedure, dense: Any) -> Any:
        """Not covered."""
        raise NotCovered("with correlated features the theory covers pruning once, but not in rounds; simulate it")

    def _drawing(self, policy: Policy, number: int) -> Drawing:
        return self._drawings.setdefault((policy, number), Drawing(self._draws, policy, number, self.work))

    def _second(self, drawing: Drawing, ridge: float) -> Second:
        return self._seconds.setdefault((drawing.policy, drawing.number, ridge), Second(drawing, ridge))

    def _each(
        self, drawings: list[Drawing], solve: Callable[[Drawing], tuple[Values, int, int]]
    ) -> tuple[Values, list[int], np.ndarray]:
        """The values of all regimes, each number of features once."""
        found = {drawing.number: solve(drawing) for drawing in {one.number: one for one in drawings}.values()}
        rows = [found[drawing.number] for drawing in drawings]
        values, batches, statuses = zip(*rows, strict=True)
        names = dict.fromkeys(name for one in values for name in one)
        zero = np.zeros(1)  # what is not drawn has no integration error
        stacked = {name: np.stack([one.get(name, zero) for one in values]) for name in names}
        return stacked, list(batches), np.array(statuses)
