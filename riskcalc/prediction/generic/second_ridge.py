"""The effective ridge of a second fit in a generic basis: that of the ridge fit to all features that a mask amounts to.

Fewer features kept than samples, it balances  E[b] + ridge g / (1 - kappa E[b]) = alpha,  b = Lambda/(Lambda + x) and
g = E[1/(Lambda + x)]; more features, the same equation as  kappa E[b] + ridge g / (alpha - E[b]) = 1.  Without a ridge
it is zero where the features kept span every direction that there is and are fewer than samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskcalc.lowering.compensated import total_of
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.solve import Balance, balance_root
from riskcalc.lowering.state import State, take
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.prediction.diagonal.regimes import Budget, Chunk
from riskcalc.prediction.status import Status
from riskcalc.references import generic_refit

# Times that an upper end is doubled until the balance has turned.
MOST_DOUBLINGS = 2000


@dataclass(frozen=True)
class Supplied(Balance):
    """A balance whose supply depends on x, too: `supplies` gives it over x, and how fast it falls in log x."""

    supplies: Lowered | None = None

    def gap(self, x: np.ndarray, system: SolvingSystem) -> tuple[np.ndarray, ...]:
        """As of every balance, without the second derivative; above zero where x is too small to supply anything."""
        assert self.supplies is not None
        law = self.state | self.place(x, self.state) | {"weights": self.state["all_weights"]}
        (falling, fall, _), (rising, rise, _) = self._sides(x)
        supply, rate = (side + 0 * falling for side in self.supplies(law))
        low = np.asarray(~(supply >= 0), bool)
        falling, fall = falling + supply, fall + supply * rate
        gone, lost = falling <= system.tiny, rising <= system.tiny
        falling, rising = np.where(gone, system.tiny, falling), np.where(lost, system.tiny, rising)
        value, slope = system.functions["log"](np.where(low, 1, falling / rising)), -fall / falling - rise / rising
        return np.where(low, 1, value), np.where(low, -1, slope), None  # pyright: ignore[reportReturnType]


@dataclass(frozen=True)
class SecondRidge:
    """Effective ridges, what is left of samples and features by them, and a status for each regime; shape (N, 1)."""

    state: State
    status: np.ndarray


def second_ridge(chunk: Chunk, budget: Budget, ridge: np.ndarray, work: Evaluator, start: Any) -> SecondRidge:
    """Solve for every regime; the state has nu2, q2 and spare."""
    kept, near = budget.small_surplus.judged()
    features, near_features = chunk.ridge_surplus.judged()
    total = chunk.state["total"]
    beyond, excess = ((one.high + one.low) / total for one in (kept, features))
    alphabar = (budget.keep_surplus.high + budget.keep_surplus.low) / total
    dead = total_of(chunk.state["weights"] + 0 * chunk.state["Lambda"], chunk.state["Lambda"] <= 0)
    spans = alphabar <= (dead[0] + dead[1]) / total  # the features kept span all directions with variance
    state = chunk.state | {
        "alpha": budget.alpha,
        "alphabar": alphabar,
        "beyond": beyond,
        "excess": excess,
        "ridge2": ridge,
    }
    margin, unsure = np.where(spans, excess, beyond), np.where(spans, near_features, near)
    plain = ridge == 0
    status = np.zeros(len(ridge), int)
    status[np.asarray(plain & (margin == 0), bool)[:, 0]] = Status.INFINITE
    status[np.asarray(plain & unsure, bool)[:, 0]] = Status.NEAR_THRESHOLD
    many = np.asarray(np.where(plain, margin, beyond) > 0, bool)[:, 0]
    none = np.asarray(plain & spans & (margin <= 0), bool)[:, 0]
    solved = {name: np.zeros_like(ridge) for name in ("nu2", "q2", "spare")}
    solved["q2"], solved["spare"] = -excess + solved["q2"], (dead[0] + dead[1]) / total - alphabar + solved["spare"]
    for some, solve in ((~many & ~none, _few), (many, _many)):
        rows = np.flatnonzero(some & (status == Status.OK))
        if rows.size == 0:
            continue
        found, converged = solve(take(state, rows), chunk, budget, rows, None if start is None else start[rows], work)
        for name, array in found.items():
            solved[name][rows] = array
        status[rows[~converged]] = Status.NOT_CONVERGED
    return SecondRidge(state | solved, status)


def _few(state: State, chunk: Chunk, budget: Budget, rows: np.ndarray, start: Any, work: Evaluator) -> Any:
    """With at most as many features kept as samples."""
    terms = work.terms(generic_refit.EFFECTIVE_RIDGE, generic_refit.SECOND)
    supplies = work.lower(generic_refit.SUPPLY, generic_refit.SECOND, "generic_refit.supply")
    balance = Supplied(terms, _law(state), _placed, budget.keep_surplus.rows(rows), None, None, supplies)
    lowest = work.value(generic_refit.LOWEST, state) + 0 * state["ridge2"]
    return _told(balance, lowest, state, (generic_refit.SLACK, generic_refit.SPARE), start, work)


def _many(state: State, chunk: Chunk, budget: Budget, rows: np.ndarray, start: Any, work: Evaluator) -> Any:
    """With more."""
    terms = work.terms(generic_refit.INTERPOLATING_RIDGE, generic_refit.SECOND)
    supplies = work.lower(
        generic_refit.INTERPOLATING_SUPPLY, generic_refit.SECOND, "generic_refit.interpolating_supply"
    )
    law = _law(state) | {"weights": state["weights"] * (state["Lambda"] > 0)}
    balance = Supplied(terms, law, _placed, chunk.ridge_surplus.rows(rows), state["kappa"], None, supplies)
    lowest = work.value(generic_refit.INTERPOLATING_LOWEST, state) + 0 * state["ridge2"]
    formulas = generic_refit.INTERPOLATING_SLACK, generic_refit.INTERPOLATING_SPARE
    return _told(balance, lowest, state, formulas, start, work)


def _law(state: State) -> State:
    return {name: state[name] for name in ("Lambda", "weights", "kappa", "alpha", "ridge2", "total")} | {
        "all_weights": state["weights"]
    }


def _placed(x: np.ndarray, state: State) -> State:
    return {"nu2": x}


def _told(
    balance: Supplied, lowest: np.ndarray, state: State, formulas: tuple[Any, Any], start: Any, work: Evaluator
) -> tuple[State, np.ndarray]:
    """The root, found from below, and what it leaves."""
    system = work.system
    lowest = lowest - lowest / 1024
    highest = work.value(generic_refit.HIGHEST, state) + 0 * state["ridge2"]
    highest = np.where(highest > 2 * lowest, highest, 2 * lowest)
    lowest = np.where(lowest > 0, lowest, highest * 2.0**-900)
    for _ in range(MOST_DOUBLINGS):
        below = np.asarray(balance.gap(highest, system)[0] > 0, bool)
        if not below.any():
            break
        highest = np.where(below, 4 * highest, highest)
    root = balance_root(balance, lowest, highest, start, system)
    state, found = state | {"nu2": root.x}, {"nu2": root.x}
    for name, formula in zip(("q2", "spare"), formulas, strict=True):
        state[name] = found[name] = work.value(formula, state) + 0 * root.x
    return found, root.converged
