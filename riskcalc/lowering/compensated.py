"""Compensated arithmetic: numbers carried as unevaluated sums (high, low) of two doubles, or as mpf and zero.

References: Knuth, TAOCP 2, 4.2.2 (two_sum); Dekker 1971 (two_product). Used only where a difference of nearly equal
masses decides the answer; everything else is ordinary double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Pair = tuple[Any, Any]


def two_sum(a, b) -> Pair:
    """a + b and its exact rounding error."""
    high = a + b
    if _has_guard(high):
        return high, np.zeros(high.shape)
    shadow = high - a
    return high, (a - (high - shadow)) + (b - shadow)


def two_product(a, b) -> Pair:
    """a * b and its exact rounding error (barring overflow and underflow)."""
    high = a * b
    if _has_guard(high):
        return high, np.zeros(high.shape)
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return high, a_low * b_low - (((high - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _has_guard(a) -> bool:
    """Whether numbers are mpf, which carry digits enough."""
    return isinstance(a, np.ndarray) and a.dtype == object


def _halves(a) -> Pair:
    scaled = 134217729.0 * a  # 2**27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def add(a: Pair, b: Pair) -> Pair:
    """The sum of two pairs."""
    high, low = two_sum(a[0], b[0])
    return high, low + (a[1] + b[1])


def product(a: Pair, b: Pair) -> Pair:
    """The product of two pairs."""
    high, low = two_product(a[0], b[0])
    return high, low + (a[0] * b[1] + a[1] * b[0])


def total(array: np.ndarray) -> Pair:
    """The sum over the last axis, kept as an axis of length one, of numbers between zero and one.

    Each number is cut at a common grid so coarse that the upper parts add without rounding (Rump's extraction).
    """
    if _has_guard(array):
        high = array.sum(axis=-1, keepdims=True)
        return high, np.zeros(high.shape)
    grid = 2.0 ** ((array.shape[-1] - 1).bit_length() + 1)
    high = (array + grid) - grid
    return high.sum(axis=-1, keepdims=True), (array - high).sum(axis=-1, keepdims=True)


def total_of(weights: np.ndarray, mask: np.ndarray) -> Pair:
    """The sum over the last axis of the weights where a mask holds; equal weights that are held once are counted."""
    if weights.dtype != object and weights.strides[-1] == 0:
        return two_product(weights[..., :1], np.count_nonzero(mask, axis=-1, keepdims=True).astype(float))
    return total(weights * mask)
