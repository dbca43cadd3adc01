"""The threshold of a noisy score: its root, in plain form, in the logarithm of tails, or as a distance from a pivot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy

from riskcalc.lowering.compensated import Pair
from riskcalc.lowering.compile import Lowered, lower, lower_formula
from riskcalc.lowering.state import State, take
from riskcalc.lowering.systems import NumberSystem
from riskcalc.solve import Balance, Root, balance_root, open_bracket
from riskcalc.theory import masks
from riskcalc.theory.symbols import B, a, abar, m, omega, s

# Below this ratio of spread to mean, a threshold in double precision no longer resolves the score's distribution.
STIFF = 0.01


def solve_thresholds(
    policy: str, state: State, surplus: Pair, start: np.ndarray | None, system: NumberSystem
) -> tuple[np.ndarray, Iterator[tuple[np.ndarray, bool, State]]]:
    """The thresholds of a policy's noisy scores.

    Returns which regimes converged, and groups ``(rows, pivoted, state)``: the state then holds `t`, and for pivoted
    regimes also `lag` and `step`, its resolved distances from the atoms' mean scores.
    """
    score_where = masks.COEFFICIENT | {omega: masks.SCORE_WEIGHTS[policy]} | masks.SCORE
    means, spreads = lower((m, s), score_where, system, "masks.score")(state)
    scored = state | {"m": means, "s": spreads}
    balance = Balance(
        terms=lower(masks.THRESHOLD.terms(), masks.PLAIN_ORIGIN | masks.INTERVAL, system, masks.THRESHOLD.id),
        state={name: scored[name] for name in ("m", "s", "weights")},
        place=lambda x, _: {"t": x},
        surplus=surplus,
        scale=0 * state["alpha"] + 1,
        supply=0 * state["alpha"],
    )
    lowest, upper = open_bracket(
        lower_formula(masks.THRESHOLD_LOWER, system)(scored),
        lower_formula(masks.THRESHOLD_UPPER, system)(scored).max(axis=-1, keepdims=True),
    )
    if start is None:
        start = lower_formula(masks.THRESHOLD_START, system)(scored)
    root = balance_root(balance, lowest, upper, start, system)
    tails = np.flatnonzero(root.underflow)
    if tails.size:
        _resolve_tails(balance, tails, lowest, upper, root, system)
    return root.converged, _groups(policy, state, balance, root, system)


def _resolve_tails(
    balance: Balance, rows: np.ndarray, lowest: np.ndarray, upper: np.ndarray, root: Root, system: NumberSystem
) -> None:
    """Go on in logarithms where a side of the balance underflowed: no atom has its boundary near t."""
    logs = [sympy.log(term) for term in masks.THRESHOLD.terms()]
    own = balance.rows(rows)
    own = Balance(
        lower(logs, masks.PLAIN_ORIGIN | masks.INTERVAL, system, "masks.threshold_tails"),
        own.state,
        own.place,
        own.surplus,
        own.scale,
        own.supply,
    )
    tails = balance_root(own, lowest[rows], upper[rows], root.x[rows], system, gap=Balance.log_gap)
    root.x[rows], root.converged[rows] = tails.x, tails.converged


def _stiff(balance: Balance, root: Root) -> tuple[np.ndarray, np.ndarray]:
    """Which regimes have a boundary atom of small spread, and the index of that atom."""
    state = balance.state
    candidates = (state["s"] < STIFF * state["m"]).any(axis=-1) & root.converged & ~root.underflow
    rows = np.flatnonzero(candidates)
    if rows.size == 0:
        return rows, rows
    own = take(state, rows) | {"t": root.x[rows]}
    slope = balance.terms(own)[2] * own["weights"]
    pivot = np.argmax(slope, axis=-1)[:, None]
    spread, mean, steep = (np.take_along_axis(array, pivot, axis=-1) for array in (own["s"], own["m"], slope))
    stiff = ((spread < STIFF * mean) & (steep > 0))[:, 0]
    return rows[stiff], pivot[stiff]


def _groups(
    policy: str, state: State, balance: Balance, root: Root, system: NumberSystem
) -> Iterator[tuple[np.ndarray, bool, State]]:
    stiff, pivot = _stiff(balance, root)
    plain = np.setdiff1d(np.arange(len(root.x)), stiff, assume_unique=True)
    if plain.size:
        yield plain, False, take(state, plain) | {"t": root.x[plain]}
    if stiff.size:
        yield stiff, True, _pivoted(policy, take(state, stiff), balance.rows(stiff), root.x[stiff], pivot, system)


def _pivoted(
    policy: str, state: State, balance: Balance, t: np.ndarray, pivot: np.ndarray, system: NumberSystem
) -> State:
    """The state with thresholds resolved as distances from the mean score of the pivot atom."""
    where = masks.COEFFICIENT | {omega: masks.SCORE_WEIGHTS[policy]}
    means, spreads = balance.state["m"], balance.state["s"]
    shrinkage, *others = lower((a, abar, omega, B), where, system, "masks.pivot")(state)

    def at_pivot(array):
        return np.take_along_axis(np.broadcast_to(array, means.shape), pivot, axis=-1)

    names = ("abar_pivot", "omega_pivot", "B_pivot")
    state = state | dict(zip(names, map(at_pivot, others), strict=True))
    origin, unit = at_pivot(means), at_pivot(spreads)
    unshrunk = (2 * shrinkage > 1) & (2 * at_pivot(shrinkage) > 1)
    lag = np.where(unshrunk, _lag(policy, system)(state), origin - means)
    resolved = Balance(
        terms=lower(masks.THRESHOLD.terms(), masks.INTERVAL, system, "masks.threshold_pivoted"),
        state={"lag": lag, "s": spreads, "weights": state["weights"], "origin": origin, "unit": unit},
        place=lambda x, own: {"step": x, "t": own["origin"] + x},
        surplus=balance.surplus,
        scale=balance.scale,
        supply=balance.supply,
    )
    room = t * 2.0**-40
    root = balance_root(
        resolved,
        t - room - origin,
        t + room - origin,
        t - origin,
        system,
        offset=lambda own: (own["origin"], own["unit"]),
    )
    return state | {"t": origin + root.x, "step": root.x, "lag": lag}


def _lag(policy: str, system: NumberSystem) -> Lowered:
    where = masks.LAG.where | {omega: masks.SCORE_WEIGHTS[policy]}
    return lower((masks.LAG.reduced(),), where, system, masks.LAG.id, scalar_output=True)
