"""Thresholds of sampling, of groups and of the optimal rule: roots of their balances."""

from __future__ import annotations

import numpy as np

from riskcalc.lowering.compensated import total
from riskcalc.lowering.compile import lower, lower_formula
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.solve import Balance, balance_root, open_bracket
from riskcalc.theory import groups, masks, optimal, sampling
from riskcalc.theory.symbols import M0, M1, M0bar, M2c, abar, m, mu, omega, s

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
    return root.converged, {name: array for name, array in scored.items() if name not in added} | {"t": root.x}


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
    free = (dead > 0) & (kept == useful)  # nothing harmful is kept, nothing useful dropped: the price is zero
    depth = np.where(free, state["crest"], root.x)
    state |= {"depth": depth, "t": state["crest"] - depth}
    if (dead > 0).any():
        state |= _with_dead(state, ~live, (wanted - kept) / np.where(dead > 0, dead, 1), system)
    return root.converged | free[:, 0], state


def _with_dead(state: State, dead: np.ndarray, part: np.ndarray, system: SolvingSystem) -> State:
    """The moments of the masks, with a part kept of the features without variance."""
    symbols = (M0, M0bar, M1, M2c)
    own = lower(symbols, optimal.MASK, system, "optimal.moments")(state)
    of_dead = (part, 1 - part, 0 * part, 0 * part)
    return {str(s): np.where(dead, other, one) for s, one, other in zip(symbols, own, of_dead, strict=True)}
