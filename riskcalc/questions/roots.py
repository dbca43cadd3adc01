"""Where two risks along a line are equal, between values at which their order differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from scipy.optimize.elementwise import find_root

from riskcalc.exact import as_float, decimal
from riskcalc.questions.along import Line, Risks, order

# What two risks differ by at a place where they are equal, over their sum, is less; more is a jump.
RESIDUAL = 1e-6
# A jump so near a threshold, relatively, is at it: predictions as near as rounding are none.
_BESIDE = Fraction(1, 10**12)
# Digits carried beyond those asked for.
GUARD = 10
# A bracket in double precision is opened by this factor until it holds a change of sign.
_STEP = 100
# How closely a place is found where equality to rounding ends, and where averages over draws, whose errors are larger,
# cross.
_BLURRED, _DRAWN = 1e-9, 1e-4


@dataclass(frozen=True)
class Root:
    """A place, the values around it, and what was found: "ok", "jump" or "not_converged"."""

    place: Any
    bracket: Sequence[Any]
    status: str


def contrast(one: Risks, other: Risks) -> np.ndarray:
    """(r1 - r2)/(r1 + r2), which is bounded, in double precision; nan where both are infinite."""
    first, second = (as_float(model.risk) for model in (one, other))
    with np.errstate(invalid="ignore"):
        found = (first - second) / np.where(first + second == 0, 1, first + second)
        return np.where(np.isinf(first) ^ np.isinf(second), np.where(np.isinf(first), 1.0, -1.0), found)


def roots(line: Line, lows: np.ndarray, highs: np.ndarray, drawn: bool = False) -> list[Root]:
    """One in each bracket, all at once."""

    def gap(x: np.ndarray) -> np.ndarray:
        return contrast(*line.risks(x))

    found = find_root(gap, (as_float(lows), as_float(highs)), tolerances={"xrtol": _DRAWN} if drawn else None)
    if drawn:  # the order is that of the draws within a bracket, and decided at its ends only
        return [Root(float(x), ends, "ok") for x, *ends in zip(found.x, lows, highs, strict=True)]
    gaps = np.abs(found.f_bracket).min(axis=0)
    parts = zip(found.x, *found.bracket, found.success & (gaps <= RESIDUAL), gaps, strict=True)
    return [_root(line, *one) for one in parts]


def _root(line: Line, x: float, low: float, high: float, equal: bool, gap: float) -> Root:
    """What was found; at a threshold exactly that, as nothing else is near enough."""
    if equal:
        return Root(float(x), (float(low), float(high)), "ok")
    near = [one for one in line.thresholds() if abs(one - Fraction(x)) <= _BESIDE * abs(one)]
    ends = [*near, Fraction(low), Fraction(high)]
    status = "jump" if near or gap > RESIDUAL else "not_converged"
    return Root(near[0] if near else float(x), (min(ends), max(ends)), status)


def edges(line: Line, unequal: np.ndarray, equal: np.ndarray) -> list[float]:
    """Where, between values at which risks differ and at which they are equal to rounding, equality ends."""

    def differ(x: np.ndarray) -> np.ndarray:
        return np.where(order(*line.risks(x)) == 0, -1.0, 1.0)

    if not len(unequal):
        return []
    found = find_root(differ, (as_float(unequal), as_float(equal)), tolerances={"xrtol": _BLURRED})
    return [float(x) for x in found.x]


def changes(line: Line, lows: np.ndarray, highs: np.ndarray) -> list[Root]:
    """Of counts, the first at which the order is that at the upper end, in each bracket."""
    lows, highs, unit = lows.copy(), highs.copy(), line.unit or Fraction(1)
    last = order(*line.risks(highs))
    while (open_ := highs - lows > unit).any():
        middle = np.where(open_, lows + (highs - lows) // (2 * unit) * unit, lows)
        after = order(*line.risks(middle)) == last
        lows, highs = np.where(open_ & ~after, middle, lows), np.where(open_ & after, middle, highs)
    return [Root(high, (low, high), "ok") for low, high in zip(lows, highs, strict=True)]


def refined(
    function: Callable[[Any], Any], near: float, ends: Sequence[Any], digits: int
) -> tuple[Any, tuple[Any, Any], bool]:
    """Where a function changes its sign, to any number of digits: the place, a bracket one unit of its last digit to
    either side, and whether the function was seen to change its sign there.

    `function` takes and gives numbers of mpmath, with `GUARD` digits more than are asked for.
    """
    own = mpmath.MPContext()  # threads share no precision
    own.dps = digits + GUARD
    x, unit = own.mpf(near), own.mpf(10) ** (1 - digits)
    lowest, highest = (own.mpf(end.numerator) / end.denominator for end in map(_exact, ends))

    def changes_sign(low: Any, high: Any) -> bool:
        return bool(function(low) * function(high) <= 0)

    def around(width: Any) -> tuple[Any, Any]:
        return max(lowest, x - width), min(highest, x + width)

    width = (abs(x) or highest - lowest) * own.mpf(10) ** -14
    bracket = around(width)
    while not (found := changes_sign(*bracket)) and bracket != (lowest, highest):
        width *= _STEP
        bracket = around(width)
    if found:
        last = (abs(x) or highest - lowest) * unit
        x = own.findroot(function, bracket, solver="anderson", tol=last / 1000, maxsteps=20 * digits, verify=False)
        bracket = around(last)
        found = changes_sign(*bracket)
    low, high = bracket
    return x, (decimal(low, digits), decimal(high, digits)), found


def _exact(value: Any) -> Fraction:
    return Fraction(np.asarray(value).item())


def precise_contrast(line: Line) -> Callable[[Any], Any]:
    """(r1 - r2)/(r1 + r2) at a place, with the digits asked for and `GUARD`; for risks that are finite."""

    digits = (line.digits or 0) + GUARD

    def gap(x: Any) -> Any:
        first, second = (x.context.convert(one.risk.item()) for one in line.risks(np.array(x), digits))
        return (first - second) / (first + second or 1)

    return gap
