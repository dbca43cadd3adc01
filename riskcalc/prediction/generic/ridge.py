"""The effective ridge of a second fit in a generic basis, and how far its mean shrinkage is from its bounds (T12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskcalc.lowering.compensated import total_of
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.solve import Balance, balance_root, open_bracket
from riskcalc.lowering.state import State, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.prediction.diagonal.regimes import Budget, Chunk
from riskcalc.references import dense, generic_retraining

# A mass that is this near to its bound tells nothing of the root's size.
NEAREST = 1e-6


@dataclass(frozen=True)
class SecondRidge:
    """What is known of a second fit before its errors; arrays of shape (N, 1).

    Attributes
    ----------
    state : State
        With its ridge, nu2, eta, what is unused of alpha, and kappa alpha - 1.
    converged, near, critical : ndarray of bool, shape (N,)
        Whether a root is found; whether rounded inputs leave open on which side of the threshold it is; whether it is
        at the threshold.
    """

    state: State
    converged: np.ndarray
    near: np.ndarray
    critical: np.ndarray


@dataclass(frozen=True)
class _Supplied(Balance):
    """A balance with more on its falling side, which the means of its state tell."""

    supplied: Lowered | None = None

    def gap(self, x: np.ndarray, system: SolvingSystem) -> tuple[Any, ...]:
        """As of a balance; without a second derivative."""
        assert self.supplied is not None
        (falling, fall, _), (rising, rise, _) = self.sides(x)
        own = self.state | self.place(x, self.state) | {"weights": self.state["all_weights"]}
        more, slope = self.supplied(own)
        unit = self.state["unit"]
        falling, rising = np.maximum(falling + unit * more, system.tiny), np.maximum(rising, system.tiny)
        return system.functions["log"](falling / rising), -(fall + unit * slope) / falling - rise / rising, None


def second_ridge(
    chunk: Chunk, state: State, budget: Budget, ridge: np.ndarray, start: np.ndarray | None, work: Evaluator
) -> SecondRidge:
    """Solve for the effective ridge of every regime; without a root it is zero, and all that has variance is found."""
    beyond, near = budget.small_surplus.judged()
    spare = (beyond.high + beyond.low) / state["total"]
    live = state["Lambda"] > 0
    weights = state["weights"] * live
    state = state | {"ridge2": ridge, "alpha": budget.alpha, "small_excess": spare, "live_weights": weights}
    over = np.asarray(spare > 0, bool)
    # What a mean shrinkage of one would have beyond the smaller of alpha and 1/kappa, in units of 1 or kappa.
    dead = total_of(state["weights"], ~live)
    some, _ = budget.keep_surplus.judged()
    of_budget = some.without(dead)
    of_sample, _ = chunk.ridge_surplus.judged()
    of_sample = of_sample.weighing(weights, chunk.live_mass, state["kappa"])
    rows_of = ((~over, of_budget, None), (over, of_sample, state["kappa"]))

    shape = state["kappa"].shape
    nu2, converged = abs(0 * spare), np.ones(len(spare), bool)
    for side, surplus, scale in rows_of:
        left = (surplus.high + surplus.low) / state["total"] + 0 * spare
        rows = np.flatnonzero((side & ((ridge > 0) | (left > 0)))[:, 0])
        if rows.size:
            own = take(state, rows)
            unit = own["total"] if scale is None else own["kappa"] * own["total"]
            near_bound = left[rows] <= NEAREST * (1 if scale is None else own["kappa"])
            trial = None if start is None else start[rows]
            nu2[rows], converged[rows] = _root(own, surplus.rows(rows), scale, unit, near_bound, trial, work)
    state = state | {"nu2": nu2}
    eta, unused = abs(0 * spare), abs(0 * spare)
    rooted = np.asarray(nu2 > 0, bool)[:, 0]
    rows = np.flatnonzero(rooted)
    if rows.size:
        own = take(state, rows)
        eta[rows] = work.value(generic_retraining.SLACK, own)
        unused[rows] = work.value(generic_retraining.UNUSED, own)
    rows = np.flatnonzero(~rooted)
    if rows.size:
        excess = (of_sample.high + of_sample.low) / state["total"] + np.zeros(shape)
        eta[rows] = work.value(dense.LEAST_SQUARES_SLACK, {"excess": excess[rows]})
        unused[rows] = -((of_budget.high + of_budget.low) / state["total"] + 0 * spare)[rows]
    del state["live_weights"]
    critical = np.asarray((ridge == 0) & (eta == 0) & ((unused == 0) | ~rooted[:, None]), bool)[:, 0]
    near = np.asarray(near & (ridge == 0), bool)[:, 0]
    return SecondRidge(state | {"refit_slack": eta, "unused": unused}, converged, near, critical)


def _root(
    state: State,
    surplus: Surplus,
    scale: np.ndarray | None,
    unit: np.ndarray,
    near_bound: np.ndarray,
    start: np.ndarray | None,
    work: Evaluator,
) -> tuple[np.ndarray, np.ndarray]:
    """The root, and where it satisfies its equation."""
    formula = work.of(generic_retraining.EFFECTIVE_RIDGE)
    shrinkage = generic_retraining.SHRINKAGE
    ends = work.lower((formula.lower, formula.upper), shrinkage, "generic_retraining.bracket")(state)
    lower, upper = (end + 0 * state["kappa"] for end in ends)
    if start is None:
        start = lower
    lower, upper = open_bracket(np.where(near_bound & (state["ridge2"] == 0), 0 * lower, lower), upper)
    kept = {name: state[name] for name in ("Lambda", "kappa", "ridge2", "small_excess", "total")}
    balance = _Supplied(
        terms=work.lower(generic_retraining.TERMS, shrinkage, "generic_retraining.terms"),
        state=kept | {"weights": state["live_weights"], "all_weights": state["weights"], "unit": unit},
        place=lambda x, _: {"nu2": x},
        surplus=surplus,
        scale=None if scale is None else state["kappa"],
        supply=None,
        supplied=work.lower(generic_retraining.SUPPLIED, shrinkage, "generic_retraining.supplied"),
    )
    root = balance_root(balance, lower, upper, start, work.system, gap=_Supplied.gap)
    both = (formula.statement.lhs, formula.statement.rhs)
    left, right = work.lower(both, shrinkage, "generic_retraining.sides")(state | {"nu2": root.x})
    allowed = work.system.tolerance * state["alpha"] + 2 * abs(surplus.gain) / unit
    return root.x, root.converged & np.asarray(abs(left - right) <= allowed, bool)[:, 0]
