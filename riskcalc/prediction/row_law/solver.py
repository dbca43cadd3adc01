"""A finite table: fit, prune, fit again, by the row law; retrained fits by the theory of Gaussian rows, corrected."""

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
from riskcalc.prediction.correlated.solver import CorrelatedModel, CorrelatedSolver
from riskcalc.prediction.row_law.draws import Drawing, Draws, prune
from riskcalc.prediction.row_law.fit import RowFit, fit_rows
from riskcalc.prediction.row_law.second import Second, refitted, retrained
from riskcalc.prediction.row_law.sketch import Sketch
from riskcalc.prediction.solvers import Model, NotCovered, Solver, solver, whole_counts
from riskcalc.prediction.status import Status
from riskcalc.problems import Table

# Columns whose covariance is taken as a matrix, for Gaussian rows.
MOST_COLUMNS = 2000

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class TableModel(Model):
    """A model.

    Attributes
    ----------
    fit : RowFit
    drawings : list of Drawing
        Of each regime; none of a dense fit.
    batches : list of int
        How many of them its numbers are averages over.
    first : bool
        Whether there is a fit before the mask.
    gaussian : CorrelatedModel or None
        The same with Gaussian rows, where that is known.
    """

    fit: RowFit
    drawings: list[Drawing] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    first: bool = True
    gaussian: CorrelatedModel | None = None

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """With what is told of the dense fit; of a small model, it is itself that."""
        like, told = self.values["risk"], dict(self.values)
        if self.first:
            state = self.fit.state
            told |= {"dense_risk": state["risk"] + 0 * np.zeros_like(like)}
            told |= {"effective_ridge": state["nu"] + 0 * np.zeros_like(like)}
        if self.gaussian is not None and "risk" in self.gaussian.values:
            told["gaussian_risk"] = self.gaussian.values["risk"]
        return self.status, told

    def kept(self, work: Evaluator) -> np.ndarray:
        """How often each column is kept."""
        if not self.drawings:
            return np.ones((len(self.status), self.fit.turn.shape[1]))
        if self.fit.status != Status.OK and self.drawings[0].policy.sees_fit:
            return np.full((len(self.status), self.fit.turn.shape[1]), np.nan)
        pairs = zip(self.drawings, self.batches, strict=True)
        return np.stack([drawing.kept(batches) for drawing, batches in pairs])


@solver.register
def _(problem: Table, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    if work.system is not FLOAT64:
        raise NotCovered("digits: tables are predicted in double precision; leave digits out")
    yield (
        CorrelatedSolver(problem.gaussian, shape, work)
        if problem.rows == "gaussian"
        else TableSolver(problem, shape, work)
    )


class TableSolver(Solver):
    """All budgets, which share the dense fit and its draws."""

    def __init__(self, problem: Table, shape: tuple[int, ...], work: Evaluator):
        self.problem, self.shape, self.work = problem, shape, work
        self._drawings: dict[tuple[Policy, int], Drawing] = {}

    @cached_property
    def _sketch(self) -> Sketch:
        return Sketch.of(self.problem, self.work)

    @cached_property
    def _fit(self) -> RowFit:
        return fit_rows(self._sketch.table, float(as_float(self.problem.ridge)), self.problem.fraction, self.work)

    @cached_property
    def _draws(self) -> Draws:
        return Draws(self._sketch.table, self._fit, self.work.integration.seed)

    @cached_property
    def _second(self) -> Second:
        return Second(self._sketch.table, self.problem.fraction, self.work)

    @cached_property
    def _gaussian(self) -> CorrelatedSolver | None:
        few = int(self.problem.n_features) <= MOST_COLUMNS
        return CorrelatedSolver(self.problem.gaussian, self.shape, self.work) if few else None

    def fit(self, first: Any) -> TableModel:
        """The row law."""
        regimes, state = int(np.prod(self.shape)), self._fit.state
        values = {name: np.repeat(state[name], regimes, axis=0) for name in ("risk", "training_error")}
        gaussian = None if self._gaussian is None else self._gaussian.fit(None)
        values |= self._sketch.error(values)
        return TableModel(np.full(regimes, self._fit.status), values, self._fit, gaussian=gaussian)

    def prune(self, model: TableModel | None, policy: Policy, first: Any) -> TableModel:
        """By draws; only the mask where nothing is fitted yet."""
        check_covered(policy)
        counts = np.broadcast_to(whole_counts(policy, self.problem), self.shape).ravel().tolist()
        drawings = [self._drawing(policy, number) for number in counts]
        ones = [1] * len(counts)
        gaussian = None if self._gaussian is None else self._gaussian.prune(model and model.gaussian, policy, None)
        if model is None:
            return TableModel(np.zeros(len(counts), int), {}, self._fit, drawings, ones, False, gaussian)
        if self._fit.status != Status.OK:
            lost = model.values["risk"]
            values = {"risk": lost, "training_error": lost + np.nan}
            return TableModel(model.status, values, self._fit, drawings, ones, True, gaussian)
        values, batches, _ = self._each(drawings, lambda drawing: (*prune(drawing), Status.OK))
        return TableModel(model.status, values, self._fit, drawings, batches, True, gaussian)

    def refit(self, model: TableModel, retrain: Retrain, first: Any) -> TableModel:
        """The row law of the columns kept; corrected by Gaussian rows where they were chosen on the same sample."""
        ridge = float(as_float(retrain.ridge_of(self.problem)))
        if ridge < 0:
            raise NotCovered(f"with tables the theory covers ridges of at least 0, got {ridge:g}")
        chosen = model.drawings[0].policy.sees_fit
        gaussian = model.gaussian and self._gaussian and self._gaussian.refit(model.gaussian, retrain, None)
        if self._fit.status != Status.OK and chosen:
            lost = np.full((len(model.drawings), 1), np.nan)
            status = np.full(len(lost), Status.NOT_CONVERGED)
            values = {"risk": lost, "training_error": lost}
            return TableModel(status, values, self._fit, model.drawings, model.batches, model.first, gaussian)
        same = chosen and retrain.sample == "same"
        if same and gaussian is None:
            raise NotCovered(
                f"retraining on the same sample is predicted for tables of up to {MOST_COLUMNS} columns, got "
                f"{int(self.problem.n_features)}; measure it (rc.measure), or give fewer"
            )
        values, batches, status = self._each(model.drawings, lambda one: refitted(self._second, one, ridge, same))
        if same and gaussian is not None:
            values = retrained(values, gaussian.values, self.work)
        told = {name: values[name] for name in ("risk", "training_error", "integration_error")}
        return TableModel(status, told, self._fit, model.drawings, batches, model.first, gaussian)

    def in_rounds(self, procedure: Procedure, dense: Any) -> Any:
        """Not covered."""
        raise NotCovered("with tables the theory covers pruning once, but not in rounds; measure it (rc.measure)")

    def _drawing(self, policy: Policy, number: int) -> Drawing:
        return self._drawings.setdefault((policy, number), Drawing(self._draws, policy, number, self.work))

    def _each(
        self, drawings: list[Drawing], solve: Callable[[Drawing], tuple[dict[str, np.ndarray], int, int]]
    ) -> tuple[dict[str, np.ndarray], list[int], np.ndarray]:
        """The values of all regimes, each number of columns once."""
        found = {drawing.number: solve(drawing) for drawing in {one.number: one for one in drawings}.values()}
        values, batches, statuses = zip(*(found[drawing.number] for drawing in drawings), strict=True)
        stacked = {name: np.stack([one[name] for one in values]) for name in values[0]}
        return stacked | self._sketch.error(stacked), list(batches), np.array(statuses)
