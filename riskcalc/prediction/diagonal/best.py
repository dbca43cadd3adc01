"""The threshold of the best rule blind to a feature's own coefficient, where its kind tells it: a root in depth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.solve import Balance, Root, balance_root, open_bracket
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.prediction.diagonal.intervals import NAMES
from riskcalc.references import masks, optimal, symbols

# How near to the threshold, beside its depth below the largest gain, a feature's gain is resolved for itself.
NEAR = 2.0**-20


def solve_best(state: State, surplus: Surplus, start: np.ndarray | None, work: Evaluator) -> tuple[np.ndarray, State]:
    """Which regimes converged, and the state with the threshold `t` and its `depth` below the largest gain.

    Features without variance have a gain of zero: they are kept before any that would do harm.
    """
    gains = work.lower((masks.ORACLE_SCORE,), {}, "optimal.gain", scalar_output=True)(state)
    live = state["Lambda"] > 0
    state = state | {"crest": (gains + 0 * state["alpha"]).max(axis=-1, keepdims=True)}
    weights = state["weights"] * live
    wanted, dead = state["alpha"] * state["total"], (state["weights"] * ~live).sum(axis=-1, keepdims=True)
    useful = work.lower((symbols.M0,), optimal.MASK, "optimal.kept", scalar_output=True)(
        state | {"depth": state["crest"]}
    )
    useful = (weights * useful).sum(axis=-1, keepdims=True)
    kept = np.where(dead > 0, np.maximum(np.minimum(wanted, useful), wanted - dead), wanted)

    fixed = dict(zip(("s", "abar"), work.lower(optimal.FIXED, optimal.MASK, "optimal.spread")(state), strict=True))
    terms = work.terms(optimal.THRESHOLD, optimal.SEARCHED)
    known = state | fixed | {"weights": weights}
    inputs = {name: known[name] for name in (*terms.law_inputs, "weights") if name != "depth"}
    mass = (state["total"] - dead, 0 * dead)
    share = state | {"alpha": np.minimum(kept / mass[0], 1 - work.system.epsilon)}
    lowest, upper = open_bracket(0 * kept, work.value(optimal.UPPER, share).max(axis=-1, keepdims=True))
    balance = Balance(
        terms=terms,
        state=inputs,
        place=lambda x, _: {"depth": x},
        surplus=Surplus(kept, 0 * kept, surplus.resolution).weighing(weights, mass),
        scale=None,
        supply=None,
    )
    trial = state["crest"] - (0 if start is None else start)
    root = balance_root(balance, lowest, upper, trial, work.system)
    depth, crest = _resolved(balance, root, np.where(live, gains, -np.inf), work)
    free = (dead > 0) & (kept == useful)  # nothing harmful is kept, nothing useful dropped: the price is zero
    depth = np.where(free, crest, depth)
    state |= {"crest": crest, "depth": depth, "t": crest - depth}
    if (dead > 0).any():
        state |= _with_dead(state, ~live, (wanted - kept) / np.where(dead > 0, dead, 1), work)
    return root.converged | root.underflow | free[:, 0], state


def _resolved(balance: Balance, root: Root, gains: np.ndarray, work: Evaluator) -> tuple[np.ndarray, np.ndarray]:
    """Depths, and the gains that they are measured from: that of the feature at the threshold if it is very near.

    What is kept of such a feature goes with the root of its distance from the threshold, which the depth below the
    largest gain does not resolve.
    """
    crest = balance.state["crest"]
    gaps = root.x - (crest - gains)
    nearest = np.argmin(abs(gaps), axis=-1)[:, None]
    near = abs(np.take_along_axis(gaps, nearest, axis=-1)) < root.x * NEAR
    rows = np.flatnonzero(near & ~root.underflow[:, None])
    if rows.size == 0:
        return root.x, crest
    origin = np.take_along_axis(gains, nearest, axis=-1)
    own = balance.rows(rows)
    own = replace(own, state=own.state | {"crest": origin[rows]})
    lowest, upper = open_bracket(0 * root.x[rows], root.x[rows] * NEAR)
    # The threshold may be before the feature; then it is resolved, or so near that nothing of the feature is kept.
    beyond = (own.gap(lowest, work.system)[0] > 0) | (np.take_along_axis(gaps, nearest, axis=-1)[rows] > 0)
    found = balance_root(own, lowest, upper, None, work.system)
    near[rows] = beyond
    depth = root.x.copy()
    depth[rows] = found.x
    return np.where(near, depth, root.x), np.where(near, origin, crest)


def _with_dead(state: State, dead: np.ndarray, part: np.ndarray, work: Evaluator) -> State:
    """The moments of the masks, with a part kept of the features without variance."""
    moments = (symbols.M0, symbols.M0bar, symbols.M1, symbols.M2c)
    own = work.lower(moments, optimal.MASK, "optimal.moments")(state)
    of_dead = (part, 1 - part, 0 * part, 0 * part)
    return {name: np.where(dead, other, one) for name, one, other in zip(NAMES, own, of_dead, strict=True)}
