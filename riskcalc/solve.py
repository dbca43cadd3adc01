"""One root finder for every fixed point: safeguarded Newton on a balance of positive terms.

It solves  scale * sum(weights * part(x)) + supply / x = target  for x > 0, where each `part` falls from 1 to 0 as x
grows. Written as P(x) = M(x) with both sides sums of positive terms,

    P = scale * sum_low(weights * part) + supply / x + e⁺,     M = scale * sum_high(weights * remainder) + e⁻,
    e = scale * sum_high(weights) - target,                    high: part >= 1/2,   remainder = 1 - part,

nothing cancels: log P - log M falls, is evaluated to a few roundings, and Newton on it stops at the rounding floor.
The routine knows no model symbol and works in any number system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from riskcalc.lowering.compensated import Pair, add, product, total
from riskcalc.lowering.compile import Lowered
from riskcalc.lowering.state import State, blocks, take
from riskcalc.lowering.systems import NumberSystem

MAX_ITERATIONS = 200


def excess_over(surplus: Pair, scale: np.ndarray, mass: Pair, system: NumberSystem) -> np.ndarray:
    """``surplus - scale * mass``: what the atoms outside `mass` exceed their target by; zero if exactly balanced."""
    spent = product((scale, 0 * scale), mass)
    high, low = add(surplus, (-spent[0], -spent[1]))
    excess = high + low
    return excess * (abs(excess) > abs(spent[0]) * system.exactness)


def open_bracket(lowest: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A bracket widened by more than its own rounding, its lower end above zero."""
    lowest = lowest - lowest / 1024
    upper = upper + upper / 1024
    return np.where(lowest > 0, lowest, upper * 2.0**-900), upper


@dataclass(frozen=True)
class Balance:
    """One balance per regime.

    Attributes
    ----------
    terms : Lowered
        Gives (part, remainder, -d part / d log x), or their logarithms for `log_gap`.
    state : State
        What the terms need besides x, the law's weights, and what `place` and `offset` ask for.
    place : callable
        The entries of the state that a trial x sets.
    surplus : Pair
        scale * sum(weights) - target, exact.
    scale, supply : array of shape (N, 1)
    """

    terms: Lowered
    state: State
    place: Callable[[np.ndarray, State], State]
    surplus: Pair
    scale: np.ndarray
    supply: np.ndarray

    def rows(self, rows) -> Balance:
        """The same balance for some of the regimes."""
        own = take(self._arrays(), rows)
        surplus = (own["surplus"], own["surplus_low"])
        return Balance(self.terms, take(self.state, rows), self.place, surplus, own["scale"], own["supply"])

    def _arrays(self) -> State:
        high, low = self.surplus
        return {"surplus": high, "surplus_low": low, "scale": self.scale, "supply": self.supply}

    def gap(self, x: np.ndarray, system: NumberSystem) -> tuple[np.ndarray, np.ndarray]:
        """log P - log M and its derivative in log x."""
        log = system.functions["log"]
        below = above = below_slope = above_slope = 0
        low_mass: Pair = (0 * self.scale, 0 * self.scale)
        for block in blocks(self.state | self.place(x, self.state)):
            part, remainder, slope = self.terms(block)
            weights = block["weights"]
            low = weights * (2 * part < 1).astype(weights.dtype)
            high = weights - low
            below = below + (low * part).sum(axis=-1, keepdims=True)
            above = above + (high * remainder).sum(axis=-1, keepdims=True)
            below_slope = below_slope + (low * slope).sum(axis=-1, keepdims=True)
            above_slope = above_slope + (high * slope).sum(axis=-1, keepdims=True)
            low_mass = add(low_mass, total(low))
        excess = excess_over(self.surplus, self.scale, low_mass, system)
        supply = self.supply / x
        falling = self.scale * below + supply + np.maximum(excess, 0)
        rising = self.scale * above + np.maximum(-excess, 0)
        derivative = -(self.scale * below_slope + supply) / falling - self.scale * above_slope / rising
        return log(falling) - log(rising), derivative

    def log_gap(self, x: np.ndarray, system: NumberSystem) -> tuple[np.ndarray, np.ndarray]:
        """The same, from the logarithms of the terms, where a side of the balance underflows; no supply, float64."""
        block = self.state | self.place(x, self.state)
        part, remainder, slope = self.terms(block)
        low = part < np.log(0.5)
        excess = excess_over(self.surplus, self.scale, total(block["weights"] * low), system)
        log_weights = np.log(block["weights"] * self.scale)

        def log_sum(mask, term):
            return logsumexp(np.where(mask, log_weights + term, -np.inf), axis=-1, keepdims=True)

        falling = np.logaddexp(log_sum(low, part), np.log(np.maximum(excess, 0)))
        rising = np.logaddexp(log_sum(~low, remainder), np.log(np.maximum(-excess, 0)))
        derivative = -np.exp(log_sum(low, slope) - falling) - np.exp(log_sum(~low, slope) - rising)
        return falling - rising, derivative


@dataclass(frozen=True)
class Root:
    """Where each balance stands.

    `converged` says that a last Newton step at x was within rounding of zero, `underflow` that a side of the balance
    vanished at x, so that its logarithm must be taken inside (`Balance.log_gap`).
    """

    x: np.ndarray
    converged: np.ndarray
    underflow: np.ndarray


def balance_root(
    balance: Balance,
    lower: np.ndarray,
    upper: np.ndarray,
    start: np.ndarray | None,
    system: NumberSystem,
    gap: Callable = Balance.gap,
    offset: Callable[[State], tuple[np.ndarray, np.ndarray]] | None = None,
) -> Root:
    """Solve every balance from a rigorous bracket.

    Parameters
    ----------
    lower, upper, start : arrays of shape (N, 1)
        The bracket, and the first trial: the middle of the bracket where it is None, or not inside.
    gap : callable
        `Balance.gap`, or `Balance.log_gap` for balances of tails that underflow.
    offset : callable, optional
        Given the state, ``(origin, unit)``: x is then the unknown's distance from `origin`, of either sign, in steps
        that are resolved to `unit` times the rounding. Without it x > 0 and steps are taken in log x.

    Returns
    -------
    Root
    """
    functions = system.functions
    lower, upper = lower.copy(), upper.copy()

    def middle(low, high):
        return (low + high) / 2 if offset else functions["sqrt"](low) * functions["sqrt"](high)

    x = middle(lower, upper)
    if start is not None:
        x = np.where((start > lower) & (start < upper), start, x)
    converged, underflow = np.zeros(len(x), bool), np.zeros(len(x), bool)
    previous = np.full(x.shape, np.inf)
    current, rows = balance, np.arange(len(x))
    for _ in range(MAX_ITERATIONS):
        at = x[rows]
        value, derivative = gap(current, at, system)
        low = np.where(value > 0, at, lower[rows])
        high = np.where(value < 0, at, upper[rows])
        step = -value / derivative
        if offset is None:
            moved, size = at * functions["exp"](step), abs(step)
        else:
            origin, unit = offset(current.state)
            step = step * (origin + at)
            moved, size = at + step, abs(step) / (abs(at) + unit)
        halfway = middle(low, high)
        inside = (moved > low) & (moved < high)
        # Done at a step of rounding size, when small steps stop shrinking, or when no number is left in the bracket.
        done = (size <= 4 * system.epsilon) | (size <= 1e-6) & (2 * size >= previous[rows])
        done |= ~((halfway > low) & (halfway < high))
        lower[rows], upper[rows] = low, high
        x[rows] = np.where(inside, moved, np.where(done, at, halfway))
        previous[rows] = np.where(inside, size, np.inf)
        underflow[rows] |= ~((value > -np.inf) & (value < np.inf))[:, 0]
        converged[rows] |= done[:, 0] & ~underflow[rows]
        remaining = rows[~(converged[rows] | underflow[rows])]
        if remaining.size == 0:
            break
        # Rows that are done stay with the others until enough are done to pay for the copy.
        if remaining.size < 0.75 * rows.size:
            current, rows = balance.rows(remaining), remaining
    return Root(x, converged, underflow)
