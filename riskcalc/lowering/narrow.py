"""Where functions that need not be smooth, or known beyond their values, change their sign: in any number system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# Halvings alone take as many for a hundred digits of a number that may be near zero.
MOST = 1000


def narrowed(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
    least: Any,
    epsilon: Any,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Brackets, narrowed to a few roundings around a place where a function stops, or begins, to be above zero.

    Interpolation while that is good, bisection otherwise (Chandrupatla, Adv. Eng. Softw. 28, 1997): a jump is found as
    surely as a root.

    Parameters
    ----------
    function : callable
        Of places x and of the numbers of the brackets that they lie in, shape (M,) each; values of that shape.
    low, high : ndarray, shape (M,)
        Ends between which it is above zero at one and not at the other. Elsewhere a bracket stays as it is.
    least : ndarray, shape (M,) or number
        A width that is no longer narrowed.
    epsilon : number
        The same in units of the place.

    Returns
    -------
    ends, values : ndarray, shape (M,) each
        The lower end, the upper one, and the function there.
    """
    least = np.broadcast_to(least, low.shape)
    every = np.arange(len(low))
    ends, values = [low.copy(), high.copy()], [function(low, every), function(high, every)]
    places = every[(values[0] > 0) != (values[1] > 0)]
    # The newest end, the one beyond the change of sign, and one before: where they are, and the function there.
    (a, b), (fa, fb) = ([part[places] for part in pair] for pair in (ends, values))
    t = np.full(len(places), 0.5) + 0 * a
    for _ in range(MOST):
        if places.size == 0:
            break
        x = a + t * (b - a)
        fx = function(x, places)
        same = (fx > 0) == (fa > 0)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        tolerance = least[places] + epsilon * np.maximum(abs(a), abs(b))
        width = abs(b - a)
        first = a < b
        ends[0][places], ends[1][places] = np.where(first, a, b), np.where(first, b, a)
        values[0][places], values[1][places] = np.where(first, fa, fb), np.where(first, fb, fa)
        left = width > tolerance
        places, a, b, c, fa, fb, fc = (array[left] for array in (places, a, b, c, fa, fb, fc))
        t = _step(a, b, c, fa, fb, fc, tolerance[left] / width[left] / 2)
    return ends[0], ends[1], values[0], values[1]


def _step(a: Any, b: Any, c: Any, fa: Any, fb: Any, fc: Any, least: Any) -> Any:
    """How far from a to b the next trial is: by inverse quadratic interpolation where that is sure to be good."""
    half = 0.5 + 0 * a
    straight = (c != b) & (fc != fb) & (fa != fb) & (fa != fc)
    xi = (a - b) / np.where(straight, c - b, 1)
    phi = (fa - fb) / np.where(straight, fc - fb, 1)
    good = straight & (phi * phi < xi) & ((1 - phi) * (1 - phi) < 1 - xi)
    rise, whole = np.where(good, fb - fa, 1), np.where(good, fc - fb, 1)
    far = np.where(good, fc - fa, 1)
    t = fa / rise * fc / -whole + (c - a) / (b - a) * fa / far * fb / whole
    return np.where(good, np.minimum(np.maximum(t, least), 1 - least), half)
