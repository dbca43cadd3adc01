"""The numbers in results: at the digits asked for, and plain where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskcalc.exact import decades, decimal, subtracted

# Plain for one regime, and an array for a batch. Type checkers know nothing of mpf, which acts as a float does.
Number = float | np.ndarray


def rounded(values: np.ndarray, digits: int | None) -> Any:
    """Values at the digits asked for, without the guard digits: decimal numbers of so many digits, which print and are
    read without loss. An array of no dimensions gives its plain number.
    """
    if digits is not None:
        with np.errstate(invalid="ignore"):
            values = np.asarray(np.frompyfunc(lambda x: decimal(x, digits), 1, 1)(values), dtype=object)
    return plain_scalar(values)


def plain_scalar(values: np.ndarray) -> Any:
    """An array, or the plain number in an array of no dimensions."""
    return values if values.ndim else values.item()


def below(one: Any, other: Any, digits: int | None = None, error: Any = 0.0) -> Any:
    """Whether a risk is below another by more than rounding: 1e-12 of it, or the relative error of the two if that is
    larger; digits asked for are rounded already.
    """
    with np.errstate(invalid="ignore"):
        return one < (other * (1 - np.maximum(1e-12, error)) if digits is None else other)


def digits_left(difference: Any, term: Any, digits: int | None) -> int | None:
    """How many of the digits asked for a difference has, of two terms that have them all."""
    if digits is None or not (-np.inf < difference < np.inf and -np.inf < term < np.inf) or 0 in (difference, term):
        return digits
    return max(1, digits - max(0, decades(term, difference)))


def difference(one: Any, other: Any, digits: int | None) -> Any:
    """one - other, of results or arrays of them; their own arithmetic would be at whatever precision mpmath has."""
    if digits is None:
        return one - other
    return np.frompyfunc(lambda x, y: subtracted(x, y, digits), 2, 1)(one, other)
