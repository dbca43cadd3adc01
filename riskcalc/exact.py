"""Exact input: what a number that a user wrote means.

A Python float means its exact binary value; Fraction, Decimal, int and strings such as "1/10" are exact. Arrays of
plain floats stay float64 arrays; anything else becomes an object array of Fractions. Both convert to any number system.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

import mpmath
import numpy as np
from mpmath.libmp import to_rational

_FLOATS: Any = (float, np.floating)
_LONG_DOUBLE: Any = np.longdouble
_MPF: Any = mpmath.mpf


def exact_array(value: Any, name: str) -> np.ndarray:
    """`value` as an array of exact finite numbers: float64, or Fractions in an object array.

    Raises TypeError for what is not a number, ValueError for what is not finite, is ragged, or does not fit a double.
    """
    value = np.asarray(value) if hasattr(value, "__array__") else value
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.dtype.itemsize <= 8:
        array = value.astype(np.float64)
    else:
        try:
            given = np.array(value, dtype=object)
        except ValueError as error:
            raise ValueError(_ragged(name)) from error
        flat = [_exact(item, name) for item in given.ravel()]
        if all(isinstance(item, float) for item in flat):
            array = np.array(flat, dtype=np.float64).reshape(given.shape)
        else:
            array = np.array([_fraction(item, name) for item in flat], dtype=object).reshape(given.shape)
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one value")
    if array.dtype != object and not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)].flat[0]}")
    array.flags.writeable = False  # what was checked stays as it was
    return array


def _ragged(name: str) -> str:
    return f"{name} is ragged: its rows have different lengths; pad them with atoms of zero weight"


def _exact(item: Any, name: str) -> float | Fraction:
    if isinstance(item, (list, tuple)):
        raise ValueError(_ragged(name))
    if isinstance(item, (bool, np.bool_)):
        raise TypeError(f"{name} must be a number, got {item!r}")
    if isinstance(item, _FLOATS):
        return (
            Fraction(*item.as_integer_ratio()) if isinstance(item, _LONG_DOUBLE) and np.isfinite(item) else float(item)
        )
    if isinstance(item, Integral):
        return float(item) if abs(int(item)) <= 2**53 else Fraction(int(item))
    if isinstance(item, (Rational, Decimal, str)):
        _check_exponent(item, name)
        try:
            if isinstance(item, (Decimal, str)):
                return Fraction(item)
            return Fraction(int(item.numerator), int(item.denominator))
        except ZeroDivisionError as error:
            raise ValueError(f"{name} divides by zero: {item!r}") from error
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{name} must be a finite number such as 0.1, '1/10' or '1e-3', got {item!r}") from error
    if isinstance(item, _MPF):
        if not mpmath.isfinite(item):
            raise ValueError(f"{name} must be finite, got {item}")
        return Fraction(*to_rational(item._mpf_))
    raise TypeError(f"{name} must be a number or an array of numbers, got {item!r}")


def _check_exponent(item: Any, name: str) -> None:
    """Refuse 1e999999999 before its digits are written out."""
    if isinstance(item, str) and "/" not in item:
        try:
            item = Decimal(item)
        except InvalidOperation:
            return
    if isinstance(item, Decimal) and item.is_finite() and item and abs(item.adjusted()) > 400:
        size = "large" if item.adjusted() > 0 else "small"
        raise ValueError(f"{name} is too {size} for double precision: about 1e{item.adjusted()}")


def _fraction(item: float | Fraction, name: str) -> Fraction:
    if isinstance(item, float) and not np.isfinite(item):
        raise ValueError(f"{name} must be finite, got {item}")
    value = Fraction(item)
    try:
        rounded = float(value)
    except OverflowError as error:
        raise ValueError(f"{name} is too large for double precision: about 1e{_decade(value)}") from error
    if rounded == 0 and value != 0:
        raise ValueError(f"{name} is too small for double precision: about 1e{_decade(value)}; rescale the problem")
    return value


def _decade(value: Fraction) -> int:
    return len(str(abs(value.numerator))) - len(str(value.denominator))


def as_float(array: np.ndarray) -> np.ndarray:
    """An exact array rounded to float64."""
    return array if array.dtype != object else array.astype(np.float64)


def as_fractions(array: np.ndarray) -> np.ndarray:
    """An exact array as Fractions."""
    return array if array.dtype == object else np.asarray(np.frompyfunc(Fraction, 1, 1)(array), dtype=object)
