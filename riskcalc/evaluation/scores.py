"""Thresholds of sampling, of groups and of the optimal rule: roots of their balances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskcalc.lowering.compensated import total
from riskcalc.lowering.compile import lower, lower_formula
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.solve import Balance, Root, balance_root, open_bracket
from riskcalc.theory import groups, masks, optimal, sampling
from riskcalc.theory.symbols import M0, M1, M0bar, M2c, abar, m, mu, omega, s

# How near to the threshold, beside its depth below the largest gain, a feature's gain is resolved for itself.
NEAR = 2.0**-20

Solved = tuple[np.ndarray, State]  # which regimes converged, and the state with their thresholds


def solve_sampling(state: State, surplus: Surplus, start: np.ndarray | None, system: SolvingSystem) -> Solved:
    """The scores from which on features are kept surely; the state then holds `t`."""
    scored = state | _scores(state, sampling.SCORED, system)
    scored |= {"mean_score": lower_formula(sampling.MEAN_SCORE, system)(state)}
    upper = lower_formula(sampling.UPPER, system)(scored)
    terms = lower(sampling.THRESHOLD.terms(), masks.INTERVAL, system, sampling.THRESHOLD.id)
    return _threshold(terms, scored, {}, upper, upper if start is None else start, surplus, system)


def solve_groups(kind: str, state: State, surplus: Surplus, start: np.ndarray | None, system: SolvingSystem) -> Solved:
    """The norms that groups must reach; the state then holds `t`."""
    scored = state | _scores(state, masks.COEFFICIENT | {omega: groups.WEIGHTS[kind]} | masks.SCORE, system)
    upper = lower_formula(groups.UPPER, system)(scored).max(axis=-1, keepdims=True)
    terms = lower(groups.THRESHOLD.terms(), groups.INTERVAL, system, groups.THRESHOLD.id)
    return _threshold(terms, scored, {"size": state["size"]}, upper, start, surplus, system)


def _scores(state: State, where: dict, system: SolvingSystem) -> State:
    names = ("m", "s", "mu")
    return dict(zip(names, lower((m, s, mu), where, system, "masks.score")(state), strict=True))


def _threshold(
    terms, scored: State, more: State, upper: np.ndarray, start, surplus: Surplus, system: SolvingSystem
) -> Solved:
    live = scored["Lambda"] > 0
    balance = Balance(
        terms=terms,
        state={"mu": scored["mu"], "s": scored["s"], "weights": scored["weights"] * live} | more,
        place=lambda x, _: {"t": x},
        surplus=surplus.without(total(scored["weights"] * ~live)),
        scale=None,
        supply=None,
    )
    lowest, upper = open_bracket(lower_formula(masks.THRESHOLD_LOWER, system)(scored), upper)
    root = balance_root(balance, lowest, upper, start, system)
    added = ("m", "s", "mu", "mean_score")
    solved = {name: array for name, array in scored.items() if name not in added} | {"t": root.x}
    return root.converged | root.underflow, solved


def solve_optimal(state: State, surplus: Surplus, start: np.ndarray | None, system: SolvingSystem) -> Solved:
    """The depth of the threshold below the largest gain; the state then also holds the threshold `t` itself.

    Features without variance have a gain of zero: they are kept before any that would do harm.
    """
    gains = lower((masks.ORACLE_SCORE,), {}, system, "optimal.gain", scalar_output=True)(state)
    live = state["Lambda"] > 0
    state = state | {"crest": (gains + 0 * state["alpha"]).max(axis=-1, keepdims=True)}
    weights = state["weights"] * live
    wanted, dead = state["alpha"] * state["total"], (state["weights"] * ~live).sum(axis=-1, keepdims=True)
    useful = lower((M0,), optimal.MASK, system, "optimal.kept", scalar_output=True)(state | {"depth": state["crest"]})
    useful = (weights * useful).sum(axis=-1, keepdims=True)
    kept = np.where(dead > 0, np.maximum(np.minimum(wanted, useful), wanted - dead), wanted)

    fixed = dict(zip(("s", "abar"), lower((s, abar), optimal.MASK, system, "optimal.spread")(state), strict=True))
    where = {symbol: rule for symbol, rule in (optimal.MASK | optimal.REACH).items() if str(symbol) not in fixed}
    terms = lower(optimal.THRESHOLD.terms(), where, system, optimal.THRESHOLD.id)
    known = state | fixed | {"weights": weights}
    inputs = {name: known[name] for name in (*terms.law_inputs, "weights") if name != "depth"}
    mass = (state["total"] - dead, 0 * dead)
    share = state | {"alpha": np.minimum(kept / mass[0], 1 - system.epsilon)}
    lowest, upper = open_bracket(0 * kept, lower_formula(optimal.UPPER, system)(share).max(axis=-1, keepdims=True))
    balance = Balance(
        terms=terms,
        state=inputs,
        place=lambda x, _: {"depth": x},
        surplus=Surplus(kept, 0 * kept, surplus.resolution).weighing(weights, mass),
        scale=None,
        supply=None,
    )
    trial = state["crest"] - (0 if start is None else start)
    root = balance_root(balance, lowest, upper, trial, system)
    depth, crest = _resolved(balance, root, np.where(live, gains, -np.inf), system)
    free = (dead > 0) & (kept == useful)  # nothing harmful is kept, nothing useful dropped: the price is zero
    depth = np.where(free, crest, depth)
    state |= {"crest": crest, "depth": depth, "t": crest - depth}
    if (dead > 0).any():
        state |= _with_dead(state, ~live, (wanted - kept) / np.where(dead > 0, dead, 1), system)
    return root.converged | root.underflow | free[:, 0], state


def _resolved(balance: Balance, root: Root, gains: np.ndarray, system: SolvingSystem) -> tuple[np.ndarray, np.ndarray]:
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
    beyond = (own.gap(lowest, system)[0] > 0) | (np.take_along_axis(gaps, nearest, axis=-1)[rows] > 0)
    found = balance_root(own, lowest, upper, None, system)
    near[rows] = beyond
    depth = root.x.copy()
    depth[rows] = found.x
    return np.where(near, depth, root.x), np.where(near, origin, crest)


def _with_dead(state: State, dead: np.ndarray, part: np.ndarray, system: SolvingSystem) -> State:
    """The moments of the masks, with a part kept of the features without variance."""
    symbols = (M0, M0bar, M1, M2c)
    own = lower(symbols, optimal.MASK, system, "optimal.moments")(state)
    of_dead = (part, 1 - part, 0 * part, 0 * part)
    return {str(s): np.where(dead, other, one) for s, one, other in zip(symbols, own, of_dead, strict=True)}
