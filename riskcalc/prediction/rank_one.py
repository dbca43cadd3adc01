"""Features with one common factor (T7): the exact mean risk of a fit, pruned and retrained, at every sample size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.policies import Hessian, Magnitude, Oracle, Policy, Retrain, Subset, Variance
from riskcalc.prediction.solvers import Model, NotCovered, Solver, solver, whole_counts
from riskcalc.prediction.status import Status
from riskcalc.problems import RankOne
from riskcalc.references import rank_one

if TYPE_CHECKING:
    from riskcalc.formulas.records import Formula


@dataclass(frozen=True)
class RankOneModel(Model):
    """A model, which features it keeps, and which its last fit was on; shape (N, p)."""

    mask: np.ndarray
    fitted: np.ndarray

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """A risk that overflowed is refused; where chance decides what is kept, none is known."""
        if any(array.dtype != object and not np.isfinite(array).all() for array in self.values.values()):
            raise ValueError("the risk is too large for double precision; rescale loadings and coefficients")
        known = (self.status == Status.OK)[:, None]
        return self.status, {name: np.where(known, array, np.nan) for name, array in self.values.items()}

    def kept(self, work: Evaluator) -> np.ndarray:
        """The mask itself."""
        return work.system.number(self.mask.astype(float))


@solver.register
def _(problem: RankOne, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    yield RankOneSolver(problem, shape, work)


class RankOneSolver(Solver):
    """All budgets at once. The masks are the same in every sample."""

    def __init__(self, problem: RankOne, shape: tuple[int, ...], work: Evaluator):
        self.problem, self.shape, self.work = problem, shape, work

    def fit(self, first: Any) -> RankOneModel:
        """The fit of y on the factor, spread over the features."""
        return self._model(self._all, self._all)

    def prune(self, model: RankOneModel | None, policy: Policy, first: Any) -> RankOneModel:
        """The top of the loadings, or of what the oracle sees; of several that tie, which ones makes no difference."""
        problem = self.problem
        if isinstance(policy, (Magnitude, Hessian, Variance)):
            scores = abs(problem.loadings)
        elif isinstance(policy, Oracle):
            scores = abs(problem.loadings * problem.coefficients)
        elif isinstance(policy, Subset):
            scores = np.isin(np.arange(int(problem.n_features)), policy.features).astype(float)
        else:
            raise NotCovered(
                "with one factor the theory covers magnitude, hessian, variance, oracle and named features, but not "
                f"{policy.kind}; simulate it"
            )
        before, fitted = (self._all, self._all) if model is None else (model.mask, model.fitted)
        order = np.argsort(-np.where(before, scores, -1), axis=-1, kind="stable")
        places = np.argsort(order, axis=-1, kind="stable")
        counts = np.broadcast_to(whole_counts(policy, problem), self.shape).reshape(-1, 1)
        found = self._model((places < counts) & before, fitted)
        by_chance = _tied(scores[order], abs(problem.loadings)[order], counts) & isinstance(policy, Oracle)
        return replace(found, status=np.where(by_chance, Status.NOT_CONVERGED, found.status))

    def refit(self, model: RankOneModel, retrain: Retrain, first: Any) -> RankOneModel:
        """On either sample as good as the dense fit, whatever is kept of it."""
        if retrain.ridge is not None and retrain.ridge[()] != 0:
            raise NotCovered("with one factor the theory covers second fits without a ridge; leave the ridge out")
        if not np.all((model.mask & (self.problem.loadings != 0)).any(axis=-1)):
            raise NotCovered("the features kept have no variance; keep one that has")
        return self._model(model.mask, model.mask)

    @cached_property
    def _all(self) -> np.ndarray:
        return np.ones((int(np.prod(self.shape)), len(self.problem.loadings)), bool)

    def _model(self, mask: np.ndarray, fitted: np.ndarray) -> RankOneModel:
        """The model that keeps some of the features of its last fit."""
        state, all_features = self._state(mask, fitted), self._state(mask, self._all)
        refitted = bool(np.all(mask == fitted))

        def value(formula: Formula) -> np.ndarray:
            return self.work.value(formula, state) + 0 * state["zeta"]

        dense = value(rank_one.RETRAINED_EXCESS_RISK)
        excess_risk = dense if refitted else value(rank_one.PRUNED_EXCESS_RISK)
        values = {
            "risk": state["sigma2"] + excess_risk,
            "excess_risk": excess_risk,
            "misfit": 0 * dense if refitted else value(rank_one.MISFIT),
            "training_error": value(rank_one.RETRAINED_TRAINING_ERROR if refitted else rank_one.PRUNED_TRAINING_ERROR),
            "dense_risk": state["sigma2"] + dense,
            "share": all_features["zeta"],
        }
        return RankOneModel(np.full(len(mask), Status.OK, dtype=int), values, mask, fitted)

    def _state(self, mask: np.ndarray, fitted: np.ndarray) -> State:
        """What the formulas need of a fit to some features, and of a mask on it."""
        problem, work, p = self.problem, self.work, int(self.problem.n_features)
        exact = {
            "loading": problem.loadings[None],
            "coefficient": problem.coefficients[None],
            "M0": mask.astype(float),
            "M0bar": 1 - mask.astype(float),
            "weights": np.ones((1, p)),
            "total": np.full((1, 1), p),
            "n_features": np.full((1, 1), p),
            "n_samples": problem.n_samples.reshape(1, 1),
            "sigma2": problem.noise_variance.reshape(1, 1),
        }
        state = {name: work.system.number(numbers) for name, numbers in exact.items()}
        state["target_slope"] = work.value(rank_one.SLOPE, state)
        # Shares have no scale, but squares of loadings overflow.
        state["loading"] = state["loading"] / abs(state["loading"]).max() * work.system.number(fitted.astype(float))
        state["zeta"] = work.value(rank_one.SHARE, state)
        state["zetabar"] = work.value(rank_one.DROPPED_SHARE, state)
        return state


def _tied(scores: np.ndarray, loadings: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Where features of unequal loadings have the score at the budget: chance decides which of them are kept."""
    beyond = np.minimum(counts, scores.shape[1] - 1)
    last, first = (np.take_along_axis(scores, at, axis=-1) for at in (counts - 1, beyond))
    tied = (scores == last) & (last == first) & (counts < scores.shape[1])
    return np.where(tied, loadings, 0).max(axis=-1) > np.where(tied, loadings, np.inf).min(axis=-1)
