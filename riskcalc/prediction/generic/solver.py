"""Linear Gaussian problems in a generic basis: fit, prune, fit again (T12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskcalc.inert import frozen
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State, take
from riskcalc.policies import Optimal, Oracle, Policy, Procedure, Retrain
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.pruned import thresholds
from riskcalc.prediction.diagonal.regimes import Budget, Chunk
from riskcalc.prediction.diagonal.solver import fit_distinct
from riskcalc.prediction.generic.second_ridge import second_ridge
from riskcalc.prediction.generic.share import Share, share_of
from riskcalc.prediction.policies import UNCHANGED, Drawn, mask
from riskcalc.prediction.solvers import Model, NotCovered, Solver
from riskcalc.prediction.status import Status
from riskcalc.problems import LinearGaussian
from riskcalc.references import generic_basis, generic_refit, sampling

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions, Formula

ERRORS = ("risk", "excess_risk", "training_error")


@dataclass(frozen=True)
class GenericModel(Model):
    """A model, and what fits after it need.

    Attributes
    ----------
    fit : Fit or None
        The dense fit; None where nothing looked at one.
    policy : Policy or None
    budget : Budget or None
    share : Share or None
    nu2 : ndarray or None
        Effective ridge of the second fit.
    """

    fit: Fit | None
    policy: Policy | None = None
    budget: Budget | None = None
    share: Share | None = None
    nu2: np.ndarray | None = field(default=None, compare=False)

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """A risk that overflowed is no risk; what is not known is nan."""
        risk = self.values["risk"]
        with np.errstate(invalid="ignore"):
            sound = np.asarray(abs(risk) < np.inf, bool)[:, 0]
        sound |= (self.status == Status.INFINITE) | (self.status == Status.NEAR_THRESHOLD)
        status = np.where(sound, self.status, Status.NOT_CONVERGED)
        lost = ((status == Status.NOT_CONVERGED) | (status == Status.NEAR_THRESHOLD))[:, None]
        values = {name: np.where(lost, np.nan, self.values[name]) for name in self.values.keys() - {"threshold"}}
        values |= {name: array for name, array in self.values.items() if name == "threshold"}
        if self.fit is None:
            return status, values | {"dense_risk": values["risk"]}
        unknown = ((self.fit.status == Status.NOT_CONVERGED) | (self.fit.status == Status.NEAR_THRESHOLD))[:, None]
        dense = {
            "dense_risk": np.where(unknown, np.nan, self.fit.state["gamma"]),
            "effective_ridge": self.fit.state["nu"],
        }
        return status, values | dense

    def kept(self, work: Evaluator) -> np.ndarray:
        """The same fraction along every eigenvector."""
        risk = self.values["risk"]
        kept = 0 * risk + 1 if self.share is None else self.share.state["alpha"]
        return np.where(np.asarray(self.status == Status.NOT_CONVERGED)[:, None], np.nan, kept)


class GenericSolver(Solver):
    """One chunk of regimes."""

    def __init__(self, problem: LinearGaussian, chunk: Chunk, work: Evaluator):
        self.problem, self.chunk, self.work = problem, chunk, work
        self._budgets: dict[Any, Budget] = {}

    def fit(self, first: GenericModel | None) -> GenericModel:
        """T1: the basis makes no difference to a fit that is not pruned."""
        trial = None if first is None or first.fit is None else self.work.system.number(first.fit.state["nu"])
        fit = fit_distinct(self.chunk, self.work, trial)
        values = dict(zip(ERRORS, (fit.state["gamma"], fit.excess_risk, fit.training_error), strict=True))
        return GenericModel(fit.status, values, fit)

    def prune(self, model: GenericModel | None, policy: Policy, first: GenericModel | None) -> GenericModel:
        """By what a mask keeps of the square of the vector that it looks at."""
        fit, budget = None if model is None else model.fit, self._budget(policy)
        share = share_of(policy, fit, self.chunk, budget, self.work)
        status = share.status
        values = {name: np.full_like(budget.alpha, np.nan) for name in ERRORS}
        if fit is not None:
            masked = np.zeros(len(status), bool)
            for group in share.groups:
                masked[group.rows] = True
            masked &= (fit.status == Status.OK) | (fit.status == Status.EXACT_RECOVERY)
            status = np.where(masked, status, fit.status)
            values |= self._pruned(policy, fit, share, np.flatnonzero(masked))
            infinite = (status == Status.INFINITE)[:, None]
            values |= {name: np.where(infinite, np.inf, values[name]) for name in ("risk", "excess_risk")}
        if not isinstance(mask(policy), Drawn):
            values["threshold"] = thresholds(share.groups, status, budget.alpha)
        return GenericModel(status, values, fit, policy, budget, share)

    def _pruned(self, policy: Policy, fit: Fit, share: Share, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Errors of a fit behind masks."""
        own, work = take(fit.state | share.state, rows), self.work
        growth = [group for group in share.groups if group.errors is not UNCHANGED]
        where: Definitions = generic_basis.LAW
        found: dict[str, np.ndarray] = {}
        if isinstance(policy, (Oracle, Optimal)):
            needs, errors = (_TRUTH, _ORACLE) if isinstance(policy, Oracle) else (_FACTOR, _RESCALED)
            own = own | self._valued((needs,), own)
        elif growth:
            (group,) = growth
            if group.errors.risk != sampling.RISK:
                raise NotCovered(f"in a generic basis the theory does not cover the errors of {policy.kind}")
            state = group.state
            for need in group.errors.needs:
                state = state | {work.defines(need): work.given(need, group.where, state)}
            added = fit.state["gamma"] * np.nan
            added[group.rows] = state["growth"]
            own, errors = own | {"growth": added[rows]}, _SAMPLED
            name = work.defines(sampling.DISTORTION)
            found[name] = 0 * fit.state["gamma"]
            found[name][rows] = work.value(sampling.DISTORTION, own)
        else:
            errors = _PRUNED
        values = work.lower(tuple(map(work.form, errors)), where, "generic.errors")(own) if rows.size else ()
        for name, value in zip(ERRORS, values, strict=False):
            found[name] = fit.state["gamma"] * np.nan
            found[name][rows] = value
        return found

    def refit(self, model: GenericModel, retrain: Retrain, first: GenericModel | None) -> GenericModel:
        """A ridge fit to all features, what the mask saw, and an echo of it."""
        policy, budget, share = model.policy, model.budget, model.share
        assert policy is not None and budget is not None and share is not None
        work = self.work
        ridge = work.system.number(self.chunk.regimes_of(retrain.ridge_of(self.problem)))
        trial = None if first is None or first.nu2 is None else work.system.number(first.nu2)
        own = replace(budget, alpha=share.state["alpha"]) if policy.repeats else budget
        second = second_ridge(self.chunk, own, ridge, work, trial)
        sees = (policy.sees_fit and not policy.sees_truth) or isinstance(policy, Optimal)
        known = np.ones(len(ridge), bool)
        if sees:
            assert model.fit is not None
            known = (model.status == Status.OK) | (model.status == Status.EXACT_RECOVERY)
        values = {name: np.full_like(budget.alpha, np.nan) for name in ERRORS}
        rows = np.flatnonzero(known & (second.status == Status.OK))
        if rows.size:
            state = take(second.state | share.state | ({} if model.fit is None else self._dense(model.fit)), rows)
            state |= self._valued(_SECOND, state)
            if sees and retrain.sample == "same":
                found = self._blended(state)
            else:
                seen = generic_refit.FIT if sees else generic_refit.TRUTH
                chance = not policy.sees_fit and not policy.sees_truth
                found = self._apart(state, seen, chance)
            for name, value in zip(ERRORS, found, strict=True):
                values[name][rows] = value
        status = np.where(known, second.status, np.where(second.status == Status.OK, model.status, second.status))
        status = np.where(~known & (model.status == Status.INFINITE), Status.NOT_CONVERGED, status)
        infinite = (status == Status.INFINITE)[:, None]
        values |= {name: np.where(infinite, np.inf, values[name]) for name in ("risk", "excess_risk")}
        values |= {name: array for name, array in model.values.items() if name == "threshold"}
        return replace(model, status=status, values=values, nu2=second.state["nu2"])

    def _dense(self, fit: Fit) -> State:
        return {name: fit.state[name] for name in ("nu", "gamma", "q")}

    def _blended(self, state: State) -> list[np.ndarray]:
        """On the same sample: with the dense fit. Where the second fit interpolates what the first one, with a ridge,
        did not, nothing of the first is left."""
        state = state | self._valued(_JOINT, state)
        gap = np.asarray(state["ridge2"] != state["ridge"], bool)
        slack = np.where(state["q2"] == 0, 1, state["q2"])
        changed = self._valued((generic_refit.RIDGE_GAP,), state | {"q2": slack})["ridge_gap"]
        state["ridge_gap"] = np.where(gap, changed, 0 * changed)
        state |= self._valued((generic_refit.BLEND,), state)
        forgotten = gap & np.asarray(state["q2"] == 0, bool) | np.asarray(state["nu2"] == 0, bool)
        state["blend"] = np.where(forgotten, 0 * state["blend"], state["blend"])
        state["blendbar"] = 1 - state["blend"]
        state |= self._valued((generic_refit.SQUARES, generic_refit.ECHO), state)
        state |= self._valued((generic_refit.RETRAINED_RISK,), state)
        return self._errors(generic_refit.RETRAINED_TRAINING_ERROR, {}, state)

    def _apart(self, state: State, seen: Definitions, chance: bool) -> list[np.ndarray]:
        """On a sample that the mask does not know."""
        if chance:
            state = state | {"kept_extra": 0 * state["kept_extra"]}
        steps = (
            generic_refit.UNSEEN,
            generic_refit.VECTOR_WEIGHT,
            generic_refit.REST_RISK,
            generic_refit.REST_SQUARES,
            generic_refit.REST_ECHO,
            generic_refit.FRESH_RISK,
        )
        for step in steps:
            state = state | self._valued((step,), state, seen)
        return self._errors(generic_refit.FRESH_TRAINING_ERROR, seen, state)

    def _errors(self, training: Formula, seen: Definitions, state: State) -> list[np.ndarray]:
        excess = self.work.value(generic_refit.EXCESS_RISK, state)
        return [state["retrained_risk"], excess, self.work.given(training, seen, state)]

    def _valued(self, formulas: Any, state: State, seen: Definitions | None = None) -> State:
        """Each formula, those before it known."""
        found: State = {}
        for formula in formulas:
            known = state | found
            value = self.work.value(formula, known) if seen is None else self.work.given(formula, seen, known)
            found[self.work.defines(formula)] = value + 0 * state["total"]
        return found

    def in_rounds(self, procedure: Procedure, dense: Any) -> Any:
        """Rounds look at several vectors."""
        raise NotCovered("in a generic basis the theory covers one round of pruning; prune once, or simulate")

    def _budget(self, policy: Policy) -> Budget:
        keep = policy.budget(self.problem.n_features)
        if (key := frozen(keep)) not in self._budgets:
            self._budgets[key] = self.chunk.budget(keep, self.work.system)
        return self._budgets[key]


_TRUTH, _FACTOR = generic_basis.TRUTH_SHARE, generic_basis.FACTOR
_PRUNED = (generic_basis.RISK, generic_basis.EXCESS_RISK, generic_basis.TRAINING_ERROR)
_ORACLE = (generic_basis.ORACLE_RISK, generic_basis.ORACLE_EXCESS_RISK, generic_basis.ORACLE_TRAINING_ERROR)
_RESCALED = (
    generic_basis.RESCALED_RISK,
    generic_basis.RESCALED_EXCESS_RISK,
    generic_basis.RESCALED_TRAINING_ERROR,
)
_SAMPLED = (sampling.RISK, generic_basis.SAMPLED_EXCESS_RISK, sampling.TRAINING_ERROR)
_SECOND = (generic_refit.FULL_RISK, generic_refit.ECHO_LOSS, generic_refit.ECHO_NORM)
_JOINT = (generic_refit.SEEN_SQUARE, generic_refit.JOINT_RISK, generic_refit.OVERLAP)
