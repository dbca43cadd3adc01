"""The threshold of the best rule blind to a feature's own coefficient, where its kind tells it: a root in depth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.solve import Balance, balance_root, open_bracket
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.prediction.diagonal.intervals import NAMES
from riskcalc.references import masks, optimal, symbols

# The root is hardly more than so many times its lower bound.
ABOVE_LOWEST = 6


def solve_best(state: State, surplus: Surplus, start: np.ndarray | None, work: Evaluator) -> tuple[np.ndarray, State]:
    """Which regimes converged, and the state with the threshold `t` and its `depth` below the gain of some feature.

    Features without variance have a gain of zero: they are kept before any that would do harm.
    """
    gains = work.lower((masks.ORACLE_SCORE,), {}, "optimal.gain", scalar_output=True)(state) + 0 * state["alpha"]
    live = state["Lambda"] > 0
    weights, wanted = state["weights"] * live, state["alpha"] * state["total"]
    dead, kept, free = 0 * wanted, wanted, np.zeros(wanted.shape, bool)
    if not live.all():
        useful = work.lower((symbols.M0,), optimal.MASK, "optimal.kept", scalar_output=True)(
            state | {"crest": dead, "depth": dead}
        )
        dead = (state["weights"] * ~live).sum(axis=-1, keepdims=True) + dead
        useful = (weights * useful).sum(axis=-1, keepdims=True)
        kept = np.where(dead > 0, np.maximum(np.minimum(wanted, useful), wanted - dead), wanted)
        free = (dead > 0) & (kept == useful)  # nothing harmful is kept, nothing useful dropped: the price is zero

    fixed = dict(zip(("s", "abar"), work.lower(optimal.FIXED, optimal.MASK, "optimal.spread")(state), strict=True))
    terms = work.terms(optimal.THRESHOLD, optimal.SEARCHED)
    known = state | fixed | {"weights": weights, "crest": wanted}
    mass = (state["total"] - dead, 0 * dead)
    balance = Balance(
        terms=terms,
        state={name: known[name] for name in (*terms.law_inputs, "weights") if name != "depth"},
        place=lambda x, _: {"depth": x},
        surplus=Surplus(kept, 0 * kept, surplus.resolution).weighing(weights, mass),
        scale=None,
        supply=None,
    )
    crest, room, missed, excess = _nearest(balance, np.where(live, gains, -np.inf), start, kept, work)
    share = state | {"alpha": np.minimum(kept / mass[0], 1 - work.system.epsilon), "crest": crest}
    # The largest density of a score bounds what any interval of this width, not only the first, can hold.
    least = work.value(masks.THRESHOLD_LOWER, known | {"live_excess": missed / state["total"]}) ** 2
    lowest, upper = open_bracket(least, work.value(optimal.UPPER, share).max(axis=-1, keepdims=True))
    upper = np.minimum(upper, room)
    trial = np.minimum(room * (missed / (missed + excess)) ** 2, ABOVE_LOWEST * lowest)
    trial = trial if start is None else crest - start
    # Where hardly anything is missed the threshold is so near to the gain (with many digits, at any distance) that
    # nothing of the feature is kept.
    depth, found = 0 * crest, np.ones(len(crest), bool)
    rows = np.flatnonzero(missed > 2.0**-450 * wanted)
    if rows.size:
        own = replace(balance, state=balance.state | {"crest": crest}).rows(rows)
        root = balance_root(own, lowest[rows], upper[rows], trial[rows], work.system)
        depth[rows], found[rows] = root.x, root.converged | root.underflow
    depth = np.where(free, crest, depth)
    state = state | {"crest": crest, "depth": depth, "t": crest - depth}
    if (dead > 0).any():
        state |= _with_dead(state, ~live, (wanted - kept) / np.where(dead > 0, dead, 1), work)
    return found | free[:, 0], state


def _nearest(
    balance: Balance, gains: np.ndarray, start: np.ndarray | None, wanted: np.ndarray, work: Evaluator
) -> tuple[np.ndarray, ...]:
    """The least gain of a feature that is above the threshold, and its distance from the next; by how much a threshold
    at the one would keep less than is wanted, and at the other more.

    What is kept of a feature goes with the root of its gain's distance from the threshold: between two gains it is
    smooth in the logarithm of the distance from the upper one, which that from the largest would not resolve.
    """
    order = -np.sort(-gains, axis=-1)
    low, high = np.zeros(len(gains), int), (gains > -np.inf).sum(axis=-1)
    missed, excess = wanted.copy(), np.inf + 0 * wanted
    while (rows := np.flatnonzero(high - low > 1)).size:
        middle = (low[rows] + high[rows]) // 2
        crest = order[rows, middle][:, None]
        own = balance.rows(rows)
        left = replace(own, state=own.state | {"crest": crest}).left(0 * crest)
        few = (left > 0)[:, 0]
        low[rows[few]], missed[rows[few]] = middle[few], left[few]
        high[rows[~few]], excess[rows[~few]] = middle[~few], -left[~few]
    crest, after = (
        np.take_along_axis(order, at[:, None], axis=-1) for at in (low, np.minimum(high, order.shape[1] - 1))
    )
    return crest, np.where(excess < np.inf, crest - after, np.inf), missed, excess


def _with_dead(state: State, dead: np.ndarray, part: np.ndarray, work: Evaluator) -> State:
    """The moments of the masks, with a part kept of the features without variance."""
    moments = (symbols.M0, symbols.M0bar, symbols.M1, symbols.M2c)
    own = work.lower(moments, optimal.MASK, "optimal.moments")(state)
    of_dead = (part, 1 - part, 0 * part, 0 * part)
    return {name: np.where(dead, other, one) for name, one, other in zip(NAMES, own, of_dead, strict=True)}
