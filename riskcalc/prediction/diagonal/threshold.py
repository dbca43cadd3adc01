"""The threshold of a noisy score: its root, in plain form, in the logarithm of tails, or as a distance from a pivot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskcalc.lowering.compensated import total_of
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.solve import Balance, Root, balance_root, open_bracket
from riskcalc.lowering.state import State, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.prediction.policies import Thresholded
from riskcalc.references import masks, merged, symbols

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions

# Above this ratio of mean to spread, a threshold in double precision does not resolve the score's distribution well.
STIFF = 100


Solved = Iterator[tuple[np.ndarray, State, "Definitions"]]


def solve_threshold(
    mask: Thresholded, state: State, surplus: Surplus, start: np.ndarray | None, work: Evaluator
) -> tuple[np.ndarray, Solved]:
    """The thresholds of noisy scores.

    Returns which regimes converged, and groups ``(rows, state, where)``: the state then holds `t`, and for pivoted
    regimes also `lag` and `step`, its resolved distances from the atoms' mean scores; `where` defines the moments.
    """
    score_where = mask.scored
    scores = zip(
        ("m", "s", "mu"), work.lower((symbols.m, symbols.s, symbols.mu), score_where, "masks.score")(state), strict=True
    )
    scored = state | dict(scores)
    for formula in mask.needs:
        scored[work.defines(formula)] = work.given(formula, score_where, state)
    live = state["Lambda"] > 0
    weights = state["weights"] if live.all() else state["weights"] * live
    balance = Balance(
        terms=work.terms(mask.threshold, mask.interval),
        state={name: scored[name] for name in ("mu", "s", *mask.numbers)} | {"weights": weights},
        place=lambda x, _: {"t": x},
        surplus=surplus.without(total_of(state["weights"], ~live)),
        scale=None,
        supply=None,
    )
    lowest, upper = open_bracket(
        work.value(masks.THRESHOLD_LOWER, scored), work.value(mask.upper, scored).max(axis=-1, keepdims=True)
    )
    if start is None and mask.start is not None:
        start = work.value(mask.start, scored)
    root = balance_root(balance, lowest, upper, start, work.system)
    if work.fact(mask.threshold.has_rates):
        _resolve_tails(mask, balance, lowest, upper, root, work)
        return root.converged, _groups(mask, state, scored["m"], balance, root, work)
    everything = np.arange(len(root.x))
    return root.converged | root.underflow, iter([(everything, state | {"t": root.x}, mask.where)])


def _resolve_tails(
    mask: Thresholded, balance: Balance, lowest: np.ndarray, upper: np.ndarray, root: Root, work: Evaluator
) -> None:
    """Go on in logarithms where a side of the balance underflowed: no atom has its boundary near t."""
    rows = np.flatnonzero(root.underflow)
    if rows.size == 0:
        return
    own = replace(balance.rows(rows), terms=work.terms(mask.threshold, mask.interval, logs=True))
    tails = balance_root(own, lowest[rows], upper[rows], root.x[rows], work.system, gap=Balance.log_gap)
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
    mask: Thresholded, state: State, means: np.ndarray, balance: Balance, root: Root, work: Evaluator
) -> Solved:
    stiff, pivot = _stiff(balance, root, work.system)
    plain = np.setdiff1d(np.arange(len(root.x)), stiff, assume_unique=True)
    if plain.size:
        yield plain, take(state, plain) | {"t": root.x[plain]}, mask.where
    if stiff.size:
        own = take(state | {"m": means}, stiff)
        pivoted = _pivoted(mask, own, balance.rows(stiff), root.x[stiff], pivot, work)
        yield stiff, pivoted, merged(mask.where, masks.PIVOTED_INTERVAL)


def _pivoted(
    mask: Thresholded, state: State, balance: Balance, t: np.ndarray, pivot: np.ndarray, work: Evaluator
) -> State:
    """The state with thresholds resolved as distances from the mean score of the pivot atom."""
    where = mask.scored
    means, spreads = state["m"], balance.state["s"]
    shrinkage, *others = work.lower((symbols.a, symbols.abar, symbols.omega, symbols.B), where, "masks.pivot")(state)

    def at_pivot(array):
        return np.take_along_axis(np.broadcast_to(array, means.shape), pivot, axis=-1)

    names = ("abar_pivot", "omega_pivot", "B_pivot")
    state = state | dict(zip(names, map(at_pivot, others), strict=True))
    origin, unit = at_pivot(means), at_pivot(spreads)
    unshrunk = (2 * shrinkage > 1) & (2 * at_pivot(shrinkage) > 1)
    lags = work.given(masks.LAG, {symbols.omega: mask.weight}, state)
    lag = np.where(unshrunk, lags, origin - means)
    resolved = replace(
        balance,
        terms=work.terms(mask.threshold, masks.PIVOTED_INTERVAL),
        state=balance.state | {"lag": lag, "origin": origin, "unit": unit},
        place=lambda x, own: {"step": x, "t": own["origin"] + x},
    )
    room = t * 2.0**-40
    root = balance_root(
        resolved,
        t - room - origin,
        t + room - origin,
        t - origin,
        work.system,
        offset=lambda own: (own["origin"], own["unit"]),
    )
    return state | {"t": origin + root.x, "step": root.x, "lag": lag}
