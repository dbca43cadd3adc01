"""The numbers in results: at the digits asked for, plain where there is one, and as JSON holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp, mpf

# Plain for one regime, and an array for a batch. Type checkers know nothing of mpf, which acts as a float does.
Number = float | np.ndarray


def rounded(values: np.ndarray, digits: int | None) -> Any:
    """Values at the digits asked for, without the guard digits; the plain number in an array of no dimensions."""
    if digits is not None:
        with mp.workdps(digits), np.errstate(all="ignore"):
            values = np.asarray(np.frompyfunc(lambda x: +mpf(x), 1, 1)(values), dtype=object)
    return values if values.ndim else values.item()


def plain_scalar(values: np.ndarray) -> Any:
    """An array, or the plain number in an array of no dimensions."""
    return values if values.ndim else values.item()


def below(one: Any, other: Any, digits: int | None = None) -> Any:
    """Whether a risk is below another by more than rounding: 1e-12 of it, or 100 units in the last digit asked for."""
    return one < other * (1 - (1e-12 if digits is None else mpf(10) ** (2 - digits)))


def digits_left(difference: Any, term: Any, digits: int | None) -> int | None:
    """How many of the digits asked for a difference has, of two terms that have them all."""
    if digits is None or difference == 0 or not (mp.isfinite(difference) and mp.isfinite(term)):
        return digits
    return max(1, digits - max(0, int(mp.ceil(mp.log10(abs(term / difference))))))


def json_value(values: Any, digits: int | None) -> Any:
    """Numbers as JSON holds them: nan and inf become None, mpf become strings of all their digits."""
    if values is None or isinstance(values, str):
        return values
    if isinstance(values, np.ndarray):
        return [json_value(value, digits) for value in values]
    if not mp.isfinite(values):
        return None
    return mp.nstr(values, digits) if digits else float(values)
