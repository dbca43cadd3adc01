"""Roots of equations in every number system; each is substituted back before it is returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb
from scipy.optimize import elementwise

from riskcalc.evaluation.plan import Step
from riskcalc.formulas.records import FixedPoint
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.multiprecision import GUARD, context
from riskcalc.lowering.solve import Balance, balance_root
from riskcalc.lowering.state import State, take
from riskcalc.lowering.surplus import Surplus

# The widest search for a root of a balance: from 2**-(2**_DOUBLINGS) to its inverse.
_DOUBLINGS = 10
# Places at which a bracket is looked at for more than one root.
_LOOKS = 65
# How near, relatively, a float64 root is to the one in more digits: one after the other is tried, and at last the
# bracket of the equation.
_NEAR = (2.0**-40, 2.0**-20, 2.0**-10)


@dataclass(frozen=True)
class Sides:
    """Both sides of an equation as functions of its unknown, in N regimes."""

    step: Step
    state: State
    work: Evaluator

    @property
    def name(self) -> str:
        """The unknown."""
        return str(self.step.formula.defines)

    def lowered(self, places: slice, state: State) -> tuple[np.ndarray, ...]:
        """Some of the forms of the equation; shape (N, 1) each, or (N, K)."""
        values = self.work.lower(self.step.forms[places], self.step.where, self.step.formula.id)(state)
        return tuple(value + 0 * state["total"] for value in values)

    def at(self, x: np.ndarray, rows: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Left minus right side, and the sum of their sizes; nan where something is divided by zero."""
        state = self.state if rows is None else take(self.state, rows)
        try:
            left, right = self.lowered(slice(2), state | {self.name: x})
        except ZeroDivisionError:
            return x * np.nan, x * np.nan
        return left - right, abs(left) + abs(right)

    def checked(self, x: np.ndarray, ends: np.ndarray | int = 0) -> np.ndarray:
        """The roots, if they solve the equation, whose sides have a size of `ends` around them."""
        gap, size = self.at(x)
        system = self.work.system
        wrong = ~np.asarray(abs(gap) <= system.tolerance * size + system.epsilon * ends, bool)
        if wrong.any():
            self.refuse(wrong, lambda row: f"the root {x[row, 0]} misses it by {gap[row, 0]}")
        return x

    def refuse(self, wrong: np.ndarray, words: Callable[[int], str]) -> None:
        """Raise ValueError for the first regime that is wrong."""
        row = int(np.flatnonzero(wrong[:, 0])[0])
        where = f" in regime {row}" if len(wrong) > 1 else ""
        formula = self.step.formula
        holds = "" if formula.assumptions.startswith("none") else f"; it assumes {formula.assumptions}"
        raise ValueError(f"{formula.id} is not solved for {self.name}{where}: {words(row)}{holds}")


def solve(step: Step, state: State, work: Evaluator, coarse: np.ndarray | None) -> np.ndarray:
    """The roots of an equation in float64 or mpmath, shape (N, 1), given those in float64 for the latter."""
    sides = Sides(step, state, work)
    if isinstance(step.formula, FixedPoint):
        return sides.checked(_balanced(sides))
    lower, upper = sides.lowered(slice(2, 4), state)
    x = _bracketed(sides, lower, upper) if coarse is None else _refined(sides, lower, upper, coarse)
    sizes = (sides.at(end)[1] for end in (lower, upper))
    return sides.checked(x, np.minimum(*(np.where(size < np.inf, size, 0) for size in sizes)))


def _bracketed(sides: Sides, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """In float64, by Chandrupatla's method."""
    (low, low_size), (high, high_size) = sides.at(lower), sides.at(upper)
    ends = np.where(_vanishes(low, low_size), lower, np.where(_vanishes(high, high_size), upper, np.nan))
    open_ = np.isnan(ends)
    wrong = open_ & ~(np.sign(low) * np.sign(high) < 0)
    if wrong.any():
        sides.refuse(
            wrong,
            lambda row: (
                f"its sides do not cross between {lower[row, 0]} and {upper[row, 0]}, where they differ by "
                f"{low[row, 0]} and {high[row, 0]}"
            ),
        )
    rows = np.flatnonzero(open_[:, 0])
    if rows.size:
        _refuse_several(sides, lower, upper)
        bracket = lower[rows, 0], upper[rows, 0]
        found = elementwise.find_root(lambda x, rows: sides.at(x[:, None], rows)[0][:, 0], bracket, args=(rows,))
        ends[rows, 0] = np.where(found.success, found.x, np.nan)
    return ends


def _refuse_several(sides: Sides, lower: np.ndarray, upper: np.ndarray) -> None:
    """Of several roots in a bracket none is meant; those that lie apart show on the way through it."""
    before = crossed = 0
    for share in np.linspace(0, 1, _LOOKS):
        now = np.sign(sides.at(lower + share * (upper - lower))[0])
        crossed = crossed + (now * before < 0)
        before = np.where(np.isfinite(now) & (now != 0), now, before)
    several = np.asarray(crossed) > 1
    if several.any():
        sides.refuse(
            several,
            lambda row: (
                f"its sides cross {np.asarray(crossed)[row, 0]} times between {lower[row, 0]} and {upper[row, 0]}; "
                "give a bracket of one root"
            ),
        )


def _vanishes(gap: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Whether a difference is rounding beside the size of what it is of."""
    return np.isfinite(size) & (abs(gap) <= 16 * FLOAT64.epsilon * size)


def _refined(sides: Sides, lower: np.ndarray, upper: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """In mpmath, regime by regime, near the float64 root if it can be."""
    roots, mp = [], context()
    for row, start in enumerate(coarse[:, 0]):
        near = mp.mpf(start)

        def gap(x: Any, row: int = row) -> Any:
            value = sides.at(np.array([[x]], dtype=object), np.array([row]))[0].item()
            return value if isinstance(value, mp.mpf) else mp.nan

        brackets = [(near * (1 - width), near * (1 + width)) for width in _NEAR] + [(lower[row, 0], upper[row, 0])]
        low, high = next((ends for ends in brackets if gap(ends[0]) * gap(ends[1]) <= 0), brackets[-1])
        tolerance = sides.work.system.epsilon * min(1, abs(near) or abs(high - low))
        roots.append(mp.findroot(gap, (low, high), solver="anderson", tol=tolerance, maxsteps=1000, verify=False))
    return np.array(roots, dtype=object).reshape(-1, 1)


def _balanced(sides: Sides) -> np.ndarray:
    """Of a balance, which falls in its unknown from above to below: a bracket is found by doubling its exponent."""
    system, state = sides.work.system, sides.state
    scale, supply, target = sides.lowered(slice(2, 5), state)
    mass = state["weights"].sum(axis=-1, keepdims=True)
    excess = scale * mass - target * state["total"]
    balance = Balance(
        terms=sides.work.lower(sides.step.forms[5:], sides.step.where, f"{sides.step.formula.id} at work"),
        state=state,
        place=lambda x, _: {sides.name: x},
        surplus=Surplus(excess, 0 * excess, resolution=16 * system.epsilon),
        scale=scale,
        supply=supply * state["total"],
    )
    ends = []
    for sign in (-1, 1):
        end = system.number(np.ones(excess.shape))
        beyond = np.ones(excess.shape, bool)
        for doubling in range(_DOUBLINGS):
            beyond = ~np.asarray(sign * balance.gap(end, system)[0] < 0, bool)
            end = np.where(beyond, end * 2.0 ** (sign * 2**doubling), end)
        if beyond.any():
            sides.refuse(beyond, lambda _: "its balance has one sign, however small or large that is")
        ends.append(end)
    return balance_root(balance, ends[0], ends[1], None, system).x


def enclose(step: Step, state: State, work: Evaluator, near: np.ndarray, digits: int) -> np.ndarray:
    """Balls that hold a root: between their ends the sides of the equation cross, and are continuous.

    Raises ValueError if that cannot be shown of a ball narrower than the digits asked for.
    """
    sides = Sides(step, state, work)
    balls, mp = np.array(near, dtype=object), context()
    open_ = np.ones(near.shape, bool)
    for spare in (15, 10, 5, 1):
        with mp.workdps(digits + GUARD):
            radius = mp.mpf(10) ** -(digits + spare)
            low, high = (_points(near + sign * radius * np.where(near == 0, 1, abs(near))) for sign in (-1, 1))
        whole = np.frompyfunc(lambda a, b: a.union(b), 2, 1)(low, high)
        below, above, through = (sides.at(x)[0] for x in (low, high, whole))
        crosses = np.asarray(np.frompyfunc(_crosses, 3, 1)(below, above, through), bool) & open_
        balls[crosses] = whole[crosses]
        open_ &= ~crosses
    if open_.any():
        sides.refuse(open_, lambda row: f"that its sides cross at {mp.nstr(near[row, 0], 15)} is not certain")
    return balls


def _crosses(below: Any, above: Any, through: Any) -> bool:
    return through.is_finite() and ((below < 0 and above > 0) or (below > 0 and above < 0))


def _points(x: np.ndarray) -> np.ndarray:
    """mpf as balls without width."""
    return np.asarray(np.frompyfunc(arb, 1, 1)(x))
