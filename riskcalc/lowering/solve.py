"""One root finder for every fixed point: safeguarded Halley steps on a balance of positive terms.

It solves  scale * sum(weights * part(x)) + supply / x = target  for x > 0, where each `part` falls from 1 to 0 as x
grows. Written as P(x) = M(x) with both sides sums of positive terms,

    P = scale * sum_low(weights * part) + supply / x + e⁺,     M = scale * sum_high(weights * remainder) + e⁻,
    e = scale * sum_high(weights) - target,                    high: part >= 1/2,   remainder = 1 - part,

nothing cancels: log P - log M falls, is evaluated to a few roundings, and the iteration stops at the rounding floor.
The routine knows no model symbol and works in any number system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from riskcalc.lowering.compensated import Pair, add, total, total_of
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.state import State, by_block, take, weighed
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem

MAX_ITERATIONS = 200


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
        The `terms` of a `FixedPoint`, or its `log_terms` for `log_gap`.
    state : State
        What the terms need besides x, the law's weights, and what `place` and `offset` ask for.
    place : callable
        The entries of the state that a trial x sets.
    surplus : Surplus
        scale * (mass of all atoms) - target, exact.
    scale, supply : array of shape (N, 1) or None
        None stands for one and for zero.
    """

    terms: Lowered
    state: State
    place: Callable[[np.ndarray, State], State]
    surplus: Surplus
    scale: np.ndarray | None
    supply: np.ndarray | None

    def rows(self, rows) -> Balance:
        """The same balance for some of the regimes."""
        return replace(
            self,
            state=take(self.state, rows),
            surplus=self.surplus.rows(rows),
            scale=None if self.scale is None else self.scale[rows],
            supply=None if self.supply is None else self.supply[rows],
        )

    def sides(self, x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """P and M, each with its first derivative in log x (without its sign) and what it adds to the second."""
        found = by_block(self._of_block, self.state | self.place(x, self.state))
        low_mass, low_sums, high_sums = found[0]
        for mass, below, above in found[1:]:
            low_mass = add(low_mass, mass)
            low_sums, high_sums = map(np.add, low_sums, below), map(np.add, high_sums, above)
        low_sums, high_sums = list(low_sums), list(high_sums)
        if self.scale is not None:
            low_sums, high_sums = ([self.scale * side for side in sums] for sums in (low_sums, high_sums))
        if self.supply is not None:
            supply = self.supply / x
            low_sums = [low_sums[0] + supply, low_sums[1] + supply, low_sums[2] - supply]
        excess = self.surplus.beyond(low_mass, self.scale)
        low_sums[0], high_sums[0] = low_sums[0] + np.maximum(excess, 0), high_sums[0] + np.maximum(-excess, 0)
        return low_sums, high_sums

    def _of_block(self, block: State) -> tuple[Pair, list[np.ndarray], list[np.ndarray]]:
        """The mass of the atoms at the low end, and the sums of both sides."""
        part, remainder, slope, bend = self.terms(block)
        weights, mask = block["weights"], part < 0.5
        low = weights * mask.astype(weights.dtype)
        high = weights - low
        below = [weighed(low, term) for term in (part, slope, bend)]
        return total_of(weights, mask), below, [weighed(high, term) for term in (remainder, slope, bend)]

    def left(self, x: np.ndarray) -> np.ndarray:
        """P - M, to a few roundings of the larger."""
        (falling, *_), (rising, *_) = self.sides(x)
        return falling - rising

    def gap(self, x: np.ndarray, system: SolvingSystem) -> tuple[np.ndarray, ...]:
        """log P - log M (infinite where one side underflows, nan where both do), and its derivatives in log x."""
        log = system.functions["log"]
        (falling, below_slope, below_bend), (rising, above_slope, above_bend) = self.sides(x)
        gone, lost = falling <= system.tiny, rising <= system.tiny
        falling, rising = np.where(gone, system.tiny, falling), np.where(lost, system.tiny, rising)
        fall, rise = below_slope / falling, above_slope / rising
        curvature = rise * rise - fall * fall - below_bend / falling - above_bend / rising
        value = log(falling / rising)
        if gone.any() or lost.any():
            value = np.where(gone, np.where(lost, np.nan, -np.inf), np.where(lost, np.inf, value))
        return value, -fall - rise, curvature

    def log_gap(self, x: np.ndarray, system: SolvingSystem) -> tuple[np.ndarray, np.ndarray, None]:
        """The same, without the second derivative, from the logarithms of the terms: where both sides underflow.

        In float64, for balances without scale and supply.
        """
        block = self.state | self.place(x, self.state)
        part, remainder, part_rate, remainder_rate = self.terms(block)
        low = part < np.log(0.5)
        excess = self.surplus.beyond(total(block["weights"] * low))
        log_weights = np.log(block["weights"])

        def log_side(mask: np.ndarray, term: np.ndarray, rate: np.ndarray, rest: np.ndarray) -> Pair:
            """The logarithm of one side of the balance, and the size of its derivative."""
            logs = np.where(mask, log_weights + term, -np.inf)
            whole = np.logaddexp(np.logaddexp.reduce(logs, axis=-1, keepdims=True), np.log(np.maximum(rest, 0)))
            return whole, (np.exp(logs - whole) * np.where(mask, rate, 0)).sum(axis=-1, keepdims=True)

        falling, fall = log_side(low, part, part_rate, excess)
        rising, rise = log_side(~low, remainder, remainder_rate, -excess)
        return falling - rising, -fall - rise, None


@dataclass(frozen=True)
class Root:
    """Where each balance stands.

    `converged` says that the last step was final up to rounding (callers substitute x back), `underflow` that both
    sides of the balance vanish at x: it holds there to the smallest number, and where they would be equal, the
    logarithms of their terms tell (`Balance.log_gap`).
    """

    x: np.ndarray
    converged: np.ndarray
    underflow: np.ndarray


def balance_root(
    balance: Balance,
    lower: np.ndarray,
    upper: np.ndarray,
    start: np.ndarray | None,
    system: SolvingSystem,
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

    def middle(low, high):
        return (low + high) / 2 if offset else functions["sqrt"](low) * functions["sqrt"](high)

    result = middle(lower, upper)
    if start is not None:
        result = np.where((start > lower) & (start < upper), start, result)
    converged, underflow = np.zeros(len(result), bool), np.zeros(len(result), bool)
    # The regimes at work, and what is known of each: bracket, trial, and size of the last trusted step.
    rows, current = np.arange(len(result)), balance
    low, high, x, previous = lower, upper, result.copy(), np.full(result.shape, np.inf)
    for _ in range(MAX_ITERATIONS):
        value, derivative, curvature = gap(current, x, system)
        low, high = np.where(value > 0, x, low), np.where(value < 0, x, high)
        derivative = np.where(derivative == 0, -system.tiny, derivative)  # flat here: the bracket is halved
        step = -value / derivative
        # What a step leaves of the gap: its square after Newton's, its cube after Halley's, where the curve is tame.
        if curvature is None:
            leaves = value**2
        else:
            bend = curvature / derivative**2
            step = step / np.minimum(np.maximum(1 - value * bend / 2, 0.5), 2)
            leaves = abs(value * value * value) * (1 + 4 * bend * bend)
        if offset is None:
            moved, size = x * functions["exp"](step), abs(step)
        else:
            origin, unit = offset(current.state)
            step = step * (origin + x)
            moved, size = x + step, abs(step) / (abs(x) + unit)
        # A step is trusted while it stays inside the bracket and steps shrink; otherwise the bracket is halved.
        trusted = (moved > low) & (moved < high) & (4 * size <= 3 * previous)
        # Done when the step leaves less than rounding, at a step of rounding size, or when no number is left between.
        done = trusted & (4 * leaves <= system.epsilon * np.minimum(1, abs(derivative))) | (size <= 4 * system.epsilon)
        done = done & (abs(derivative) < np.inf)
        astray = np.flatnonzero(~trusted)
        if astray.size:
            below, above = low[astray], high[astray]
            halfway = middle(below, above)
            moved[astray] = np.where(done[astray], x[astray], halfway)
            size[astray] = np.inf
            done[astray] |= ~((halfway > below) & (halfway < above))
        lost = value != value
        result[rows] = np.where(lost, x, moved)
        underflow[rows] = lost[:, 0]
        converged[rows] = (done & ~lost)[:, 0]
        working = np.flatnonzero(~(done | lost))
        if working.size == 0:
            break
        if working.size < rows.size:
            rows, current = rows[working], current.rows(working)
            low, high, moved, size = (array[working] for array in (low, high, moved, size))
        x, previous = moved, size
    return Root(result, converged, underflow)
