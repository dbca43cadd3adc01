"""The effective ridge where the ridge is negative, and where such ridges end."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.signed import signed_gap
from riskcalc.lowering.solve import Balance, balance_root
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.prediction.solvers import NoSolution
from riskcalc.references import dense, negative_ridge

# A ridge that is nearer to the lowest, relatively, has no root that is told from the other one.
NEAREST = 2.0**-66


def effective_ridge(
    state: State, surplus: Surplus, start: np.ndarray | None, work: Evaluator
) -> tuple[np.ndarray, np.ndarray]:
    """The effective ridges of negative ridges, and where they are resolved.

    NoSolution where a ridge is not above the lowest, which it names.
    """
    side = np.where(state["excess"] > 0, 1, -1) + 0 * state["excess"]
    edge, lowest = _edge(state, side, surplus, work)
    distance = state["ridge"] - lowest
    refused = ~np.asarray(distance > 0, bool)
    if refused.any():
        row = int(np.flatnonzero(refused[:, 0])[0])
        lowest, ridge, excess = (float(array[row, 0]) for array in (lowest, state["ridge"], state["excess"]))
        raise NoSolution(
            f"ridge must be above {lowest:.15g} for a fit of {1 + excess:g} live features per sample, where the Gram "
            f"matrix of the sample stops being positive definite, got {ridge:.15g}"
        )
    # Positive and negative effective ridges lie between the edge and, of no ridge, the interpolator's and zero.
    upper = work.value(dense.EFFECTIVE_RIDGE_UPPER, state | {"ridge": 0 * distance})
    over = side > 0
    low = np.where(over, abs(edge), abs(state["ridge"] / state["excess"]))
    high = np.where(over, upper + upper / 1024, abs(edge))
    balance = Balance(
        terms=work.terms(dense.EFFECTIVE_RIDGE, dense.EFFECTIVE_RIDGE.where),
        state=_law(state, side) | {"turn": 0 * side + 1},
        place=lambda x, own: {"nu": own["side"] * x},
        surplus=surplus,
        scale=state["kappa"],
        supply=side * state["ridge"] * state["total"],
    )
    root = balance_root(balance, low, high, None if start is None else abs(start), work.system, gap=signed_gap)
    resolved = distance > abs(lowest) * max(work.system.tolerance, NEAREST)
    return side * root.x, root.converged & np.asarray(resolved, bool)[:, 0]


def _edge(state: State, side: Any, surplus: Surplus, work: Evaluator) -> tuple[np.ndarray, np.ndarray]:
    """The effective ridge where ridges end, and the ridge there."""
    live = state["live_weights"] > 0
    bounds = abs(work.value(negative_ridge.ONE_FEATURE, state)) + 0 * state["live_weights"]
    levels = work.system.functions["ratio"](state["Lambda"], state["D"]) + 0 * bounds
    low = _least(bounds, live) * (1 - 4 * work.system.epsilon)
    high = _most(bounds, live) * (1 + 4 * work.system.epsilon)
    last = _least(levels, live) * (1 - 4 * work.system.epsilon)
    high = np.where(side > 0, high, np.minimum(high, last))
    balance = Balance(
        terms=work.terms(negative_ridge.EDGE, negative_ridge.EDGE.where),
        state=_law(state, side) | {"turn": side},
        place=lambda x, own: {"nu_edge": own["side"] * x},
        surplus=surplus,
        scale=state["kappa"],
        supply=None,
    )
    edge = side * balance_root(balance, low, high, None, work.system, gap=signed_gap).x
    own = state | {"nu_edge": edge, "weights": state["live_weights"]}
    return edge, work.value(negative_ridge.LOWEST, own)


def _law(state: State, side: Any) -> State:
    return {"Lambda": state["Lambda"], "D": state["D"], "weights": state["live_weights"], "side": side}


def _least(values: np.ndarray, live: np.ndarray) -> np.ndarray:
    """The least value of live features; one, where none is."""
    least = np.where(live, values, np.inf).min(axis=-1, keepdims=True)
    return np.where(live.any(axis=-1, keepdims=True), least, 1)


def _most(values: np.ndarray, live: np.ndarray) -> np.ndarray:
    return np.where(live.any(axis=-1, keepdims=True), np.where(live, values, 0).max(axis=-1, keepdims=True), 1)
