"""The dense fit of every regime of a state (T1): effective ridge, slack, risk, and which case applies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskcalc.lowering.compensated import Pair
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.solve import Balance, balance_root, open_bracket
from riskcalc.lowering.state import State, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.prediction.diagonal.negative import effective_ridge as negative_ridges
from riskcalc.prediction.status import Status
from riskcalc.references import dense


@dataclass(frozen=True)
class Fit:
    """A dense fit: the state with nu, q and gamma added, its risks, and a status per regime."""

    state: State
    excess_risk: np.ndarray
    training_error: np.ndarray
    status: np.ndarray

    @property
    def risk(self) -> np.ndarray:
        """The test risk, which is the noise that the coefficients are seen through where rows are alike."""
        return self.state["gamma"]


def fit_dense(state: State, surplus: Surplus, mass: Pair, work: Evaluator, start: np.ndarray | None = None) -> Fit:
    """Solve T1 for every regime.

    `mass` is what the weights of the atoms with positive variance are meant to add up to, `surplus` is
    kappa * mass - total, exact; `start` is a first trial for the effective ridge.
    """
    surplus, near = surplus.judged()
    excess = (surplus.high + surplus.low) / state["total"]
    live = state["Lambda"] > 0
    state = state | {"excess": excess, "live_weights": state["weights"] if live.all() else state["weights"] * live}
    surplus = surplus.weighing(state["live_weights"], mass, state["kappa"])
    negative = (state["ridge"] < 0)[:, 0]
    ridged = ((state["ridge"] > 0) | (excess > 0))[:, 0] & ~negative
    critical = ((state["ridge"] == 0) & (excess == 0))[:, 0]

    nu, q = abs(0 * excess), work.value(dense.LEAST_SQUARES_SLACK, state)
    status = np.zeros(len(excess), dtype=int)
    for some, solve in ((ridged, effective_ridge), (negative, negative_ridges)):
        rows = np.flatnonzero(some)
        if rows.size == 0:
            continue
        part = take(state, rows)
        trial = None if start is None else start[rows]
        nu[rows], solved = solve(part, surplus.rows(rows), trial, work)
        q[rows] = work.value(dense.SLACK, part | {"nu": nu[rows]})
        status[rows[~solved]] = Status.NOT_CONVERGED
    state = state | {"nu": nu, "q": q}
    if (nu < 0).any():  # a penalty on features without variance changes nothing, but has no root
        state["D"] = np.where((state["Lambda"] > 0) | (nu >= 0), state["D"], 0 * nu)

    gamma, beyond_noise, training = (abs(0 * excess) for _ in range(3))
    rows = np.flatnonzero(~critical)
    if rows.size:
        gamma[rows], beyond_noise[rows] = _risks(work)(take(state, rows))
    infinite = critical & (state["sigma2"] > 0)[:, 0]
    gamma[infinite], beyond_noise[infinite] = np.inf, np.inf
    status[infinite] = Status.INFINITE
    status[(gamma == 0)[:, 0] & (status == Status.OK)] = Status.EXACT_RECOVERY
    status[(near & (state["ridge"] == 0))[:, 0]] = Status.NEAR_THRESHOLD
    state = state | {"gamma": gamma}

    rows = np.flatnonzero((q != 0)[:, 0])  # elsewhere the fit interpolates
    if rows.size:
        training[rows] = work.value(dense.TRAINING_ERROR, take(state, rows))
    del state["live_weights"]
    return Fit(state, beyond_noise, training, status)


def _risks(work: Evaluator) -> Lowered:
    both = (work.form(dense.RISK), work.form(dense.EXCESS_RISK))
    return work.lower(both, dense.SHRINKAGE, "dense.risks")


def effective_ridge(
    state: State, surplus: Surplus, start: np.ndarray | None, work: Evaluator
) -> tuple[np.ndarray, np.ndarray]:
    """The root, and where it satisfies its equation."""
    formula = dense.EFFECTIVE_RIDGE
    lowest, upper = open_bracket(
        work.value(dense.EFFECTIVE_RIDGE_LOWER, state),
        work.value(dense.EFFECTIVE_RIDGE_UPPER, state),
    )
    balance = Balance(
        terms=work.terms(formula, formula.where),
        state={"Lambda": state["Lambda"], "D": state["D"], "weights": state["live_weights"]},
        place=lambda x, _: {"nu": x},
        surplus=surplus,
        scale=state["kappa"],
        supply=state["ridge"] * state["total"],
    )
    root = balance_root(balance, lowest, upper, start, work.system)
    (mismatch,) = work.lower((work.mismatch(formula),), formula.where, "dense.mismatch")(state | {"nu": root.x})
    allowed = work.system.tolerance + 2 * abs(surplus.gain) / state["total"]
    return root.x, root.converged & (abs(mismatch) <= allowed)[:, 0]
