"""The threshold of a noisy score: its root, in plain form, in the logarithm of tails, or as a distance from a pivot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from riskcalc.lowering.compensated import total
from riskcalc.lowering.compile import Lowered, lower, lower_formula, reduced
from riskcalc.lowering.state import State, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.solve import Balance, Root, balance_root, open_bracket
from riskcalc.theory import masks
from riskcalc.theory.symbols import B, a, abar, m, mu, omega, s

# Above this ratio of mean to spread, a threshold in double precision does not resolve the score's distribution well.
STIFF = 100


def solve_thresholds(
    policy: str, state: State, surplus: Surplus, start: np.ndarray | None, system: SolvingSystem
) -> tuple[np.ndarray, Iterator[tuple[np.ndarray, bool, State]]]:
    """The thresholds of a policy's noisy scores.

    Returns which regimes converged, and groups ``(rows, pivoted, state)``: the state then holds `t`, and for pivoted
    regimes also `lag` and `step`, its resolved distances from the atoms' mean scores.
    """
    score_where = masks.COEFFICIENT | {omega: masks.SCORE_WEIGHTS[policy]} | masks.SCORE
    means, spreads, distances = lower((m, s, mu), score_where, system, "masks.score")(state)
    scored = state | {"m": means, "s": spreads}
    live = state["Lambda"] > 0
    balance = Balance(
        terms=lower(masks.THRESHOLD.terms(), masks.INTERVAL, system, masks.THRESHOLD.id),
        state={"mu": distances, "s": spreads, "weights": state["weights"] * live},
        place=lambda x, _: {"t": x},
        surplus=surplus.without(total(state["weights"] * ~live)),
        scale=None,
        supply=None,
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
    return root.converged, _groups(policy, state, means, balance, root, system)


def _resolve_tails(
    balance: Balance, rows: np.ndarray, lowest: np.ndarray, upper: np.ndarray, root: Root, system: SolvingSystem
) -> None:
    """Go on in logarithms where a side of the balance underflowed: no atom has its boundary near t."""
    logs = lower(masks.THRESHOLD.log_terms(), masks.INTERVAL, system, "masks.threshold_tails")
    own = replace(balance.rows(rows), terms=logs)
    tails = balance_root(own, lowest[rows], upper[rows], root.x[rows], system, gap=Balance.log_gap)
    root.x[rows], root.converged[rows] = tails.x, tails.converged


def _stiff(balance: Balance, root: Root, system: SolvingSystem) -> tuple[np.ndarray, np.ndarray]:
    """Which regimes have a boundary atom of small spread, and the index of that atom."""
    state = balance.state
    rows = np.flatnonzero((state["mu"] > STIFF).any(axis=-1) & root.converged)
    if rows.size == 0:
        return rows, rows
    own = take(state, rows) | {"t": root.x[rows]}
    slope = balance.terms(own)[2] * own["weights"]
    pivot = np.argmax(slope, axis=-1)[:, None]
    resolution, steep = (np.take_along_axis(array, pivot, axis=-1) for array in (own["mu"], slope))
    stiff = ((resolution > STIFF) & (steep > system.tiny**0.5))[:, 0]
    return rows[stiff], pivot[stiff]


def _groups(
    policy: str, state: State, means: np.ndarray, balance: Balance, root: Root, system: SolvingSystem
) -> Iterator[tuple[np.ndarray, bool, State]]:
    stiff, pivot = _stiff(balance, root, system)
    plain = np.setdiff1d(np.arange(len(root.x)), stiff, assume_unique=True)
    if plain.size:
        yield plain, False, take(state, plain) | {"t": root.x[plain]}
    if stiff.size:
        own = take(state | {"m": means}, stiff)
        yield stiff, True, _pivoted(policy, own, balance.rows(stiff), root.x[stiff], pivot, system)


def _pivoted(
    policy: str, state: State, balance: Balance, t: np.ndarray, pivot: np.ndarray, system: SolvingSystem
) -> State:
    """The state with thresholds resolved as distances from the mean score of the pivot atom."""
    where = masks.COEFFICIENT | {omega: masks.SCORE_WEIGHTS[policy]}
    means, spreads = state["m"], balance.state["s"]
    shrinkage, *others = lower((a, abar, omega, B), where, system, "masks.pivot")(state)

    def at_pivot(array):
        return np.take_along_axis(np.broadcast_to(array, means.shape), pivot, axis=-1)

    names = ("abar_pivot", "omega_pivot", "B_pivot")
    state = state | dict(zip(names, map(at_pivot, others), strict=True))
    origin, unit = at_pivot(means), at_pivot(spreads)
    unshrunk = (2 * shrinkage > 1) & (2 * at_pivot(shrinkage) > 1)
    lag = np.where(unshrunk, _lag(policy, system)(state), origin - means)
    resolved = replace(
        balance,
        terms=lower(masks.THRESHOLD.terms(), masks.PIVOTED_INTERVAL, system, "masks.threshold_pivoted"),
        state=balance.state | {"lag": lag, "origin": origin, "unit": unit},
        place=lambda x, own: {"step": x, "t": own["origin"] + x},
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


def _lag(policy: str, system: SolvingSystem) -> Lowered:
    where = dict(masks.LAG.where) | {omega: masks.SCORE_WEIGHTS[policy]}
    return lower((reduced(masks.LAG),), where, system, masks.LAG.id, scalar_output=True)
