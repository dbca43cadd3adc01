"""Where a risk along a line is least or largest, between values where it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from scipy.optimize.elementwise import find_minimum

from riskcalc.exact import as_float
from riskcalc.questions.along import Line, alike

# What a risk differs by within the last bracket, relatively, is less; more is a risk that jumps, or has no bound.
_UNSTEADY = 1e-3
# Of the way to the end of a bracket: where it is tried whether a risk is another.
_CLOSER = 2.0 ** -np.arange(0, 52, 2)
# Counts tried at once on the way to the best.
_AT_ONCE = 32


@dataclass(frozen=True)
class Extremes:
    """Places, values on either side, and whether they were followed to where the risk is steady; arrays."""

    place: np.ndarray
    low: np.ndarray
    high: np.ndarray
    steady: np.ndarray


def extremes(line: Line, low: np.ndarray, middle: np.ndarray, high: np.ndarray, side: int) -> Extremes:
    """The least risk (`side` one) or the largest (minus one) in each bracket of three values, all at once.

    Brackets are of one problem, any number of them, or one of each problem of a batch.
    """
    if line.unit is not None:
        return _of_counts(line, low, high, side)
    low, middle, high = (np.array(as_float(one)) for one in (low, middle, high))
    known, shape = middle.ravel().copy(), middle.shape
    scale = as_float(line.risks(middle)[0].risk).ravel()
    scale = np.where(scale > 0, scale, 1)

    def bounded(x: np.ndarray, place: np.ndarray) -> np.ndarray:
        """r/(r + scale), which infinite risks leave bounded; what is not known is no extreme."""
        if line.shape:
            known[place] = x
            risk = as_float(np.asarray(line.risks(known.reshape(shape))[0].risk)).ravel()[place]
        else:
            risk = as_float(line.risks(x)[0].risk)
        with np.errstate(invalid="ignore"):
            share = np.where(risk == np.inf, 1, risk / (risk + scale[place]))
        return side * np.where(share == share, share, 1.0 if side > 0 else 0.0)

    with np.errstate(invalid="ignore"):  # of its steps, where values are equal
        found = find_minimum(bounded, (low.ravel(), middle.ravel(), high.ravel()), args=(np.arange(middle.size),))
    rest = 1 - abs(np.array(found.f_bracket))  # scale/(r + scale), relatively as steady as the risk
    steady = np.isfinite(found.x) & (found.status != -1) & (np.ptp(rest, axis=0) < _UNSTEADY * rest.max(axis=0))
    place = np.where(np.isfinite(found.x), found.x, middle.ravel()).reshape(shape)
    return Extremes(place, _nearest(line, place, low), _nearest(line, place, high), steady.reshape(shape))


def _nearest(line: Line, place: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Between places and ends of their brackets, about the nearest value at which the risk differs from that at the
    place by more than rounding.
    """
    tried = place + (end - place) * _CLOSER.reshape(-1, *[1] * place.ndim)
    differ = ~alike(line.risks(tried)[0], line.risks(place)[0])
    last = len(_CLOSER) - 1 - np.argmax(differ[::-1], axis=0)
    return np.where(differ.any(axis=0), np.take_along_axis(tried, last[None], axis=0)[0], end)


def _of_counts(line: Line, low: np.ndarray, high: np.ndarray, side: int) -> Extremes:
    """By trying ever closer values about the best."""
    unit: Any = line.unit
    low, high = np.asarray(low), np.asarray(high)
    while True:
        width = (high - low) / unit
        steps = np.arange(_AT_ONCE + 1).reshape(-1, *[1] * low.ndim)
        tried = low + np.asarray(np.rint(as_float(width) * steps / _AT_ONCE), int) * unit
        tried = tried.astype(np.int64) if low.dtype != object else tried
        risk = side * as_float(line.risks(tried)[0].risk)
        best = np.argmin(np.where(risk == risk, risk, np.inf), axis=0)[None]
        place, low, high = (
            np.take_along_axis(tried, np.clip(best + step, 0, _AT_ONCE), axis=0)[0] for step in (0, -1, 1)
        )
        if np.all(as_float(width) <= _AT_ONCE):
            return Extremes(place, low, high, np.ones(place.shape, bool))


def precise_slope(line: Line, bracket: Sequence[Any]) -> Callable[[Any], Any]:
    """The slope of the risk in a bracket, from two values so close that its root has the digits asked for."""
    own, digits = mpmath.MPContext(), line.digits or 0
    own.dps = 2 * digits + 20
    step = own.mpf(float(bracket[1] - bracket[0])) * own.mpf(10) ** -(digits // 2 + 5)

    def slope(x: Any) -> Any:
        x = own.convert(x)
        before, after = line.risks(np.array([x - step, x + step], dtype=object), own.dps)[0].risk
        return (own.convert(after) - own.convert(before)) / (2 * step)

    return slope
