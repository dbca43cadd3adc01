"""Arguments: what a number that a user wrote means, and what it must be.

A Python float means its exact binary value; Fraction, Decimal, int and strings such as "1/10" are exact. Arrays of
plain floats stay float64 arrays; anything else becomes an object array of Fractions. Both convert to any number system.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

import mpmath
import numpy as np
from mpmath.ctx_mp_python import _mpf
from mpmath.libmp import (
    dps_to_prec,
    from_str,
    mpf_abs,
    mpf_div,
    mpf_ln10,
    mpf_log,
    mpf_sub,
    round_ceiling,
    to_int,
    to_rational,
    to_str,
)

from riskcalc.quoting import quoted

# Of a count, the first that is too large.
MOST = 2**63
# Exponents whose digits are written out; double precision ends before.
LARGEST_DECADE = 400
_FLOATS: Any = (float, np.floating)
_LONG_DOUBLE: Any = np.longdouble
_MPF: Any = mpmath.mpf
_ANY_MPF: Any = _mpf  # of any context


def exact_array(value: Any, name: str) -> np.ndarray:
    """`value` as an array of exact finite numbers: float64, or Fractions in an object array.

    Raises TypeError for what is not a number, ValueError for what is not finite, is ragged, or does not fit a double.
    """
    value = as_meant(value, name)
    value = np.asarray(value) if hasattr(value, "__array__") else value
    if isinstance(value, np.ndarray) and value.dtype.kind in "mM":
        raise TypeError(f"{name} must be a number or an array of numbers, got {value.dtype}")
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


def as_meant(value: Any, name: str) -> Any:
    """`value` itself; refuses what NumPy would read as other numbers than it means.

    Raises ValueError for masked entries, whose numbers are none, and TypeError for sparse matrices.
    """
    if isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, (list, tuple, np.ndarray)):
                as_meant(item, name)
    elif isinstance(value, np.ndarray) and np.any(getattr(value, "mask", False)):
        first = tuple(np.argwhere(np.broadcast_to(getattr(value, "mask", False), value.shape))[0].tolist())
        where = f", the first at {first}" if first else ""
        raise ValueError(f"{name} has masked values{where}; drop or fill missing values first")
    elif hasattr(type(value), "todense"):
        raise TypeError(f"{name} is a sparse matrix; give it as a dense array, its .toarray()")
    return value


def _ragged(name: str) -> str:
    return f"{name} is ragged: its rows have different lengths; pad them with atoms of zero weight"


def _exact(item: Any, name: str) -> float | Fraction:
    if isinstance(item, (list, tuple)):
        raise ValueError(_ragged(name))
    if isinstance(item, (bool, np.bool_)):
        raise TypeError(f"{name} must be a number, got {quoted(item)}")
    if isinstance(item, _FLOATS):
        return (
            Fraction(*item.as_integer_ratio()) if isinstance(item, _LONG_DOUBLE) and np.isfinite(item) else float(item)
        )
    if isinstance(item, Integral):
        return float(item) if abs(int(item)) <= 2**53 else Fraction(int(item))
    if isinstance(item, (Rational, Decimal, str)):
        _check_exponent(item, name)
        if isinstance(item, str) and "_" in item:
            raise ValueError(_no_number(item, name))
        try:
            if isinstance(item, (Decimal, str)):
                return Fraction(item)
            return Fraction(int(item.numerator), int(item.denominator))
        except ZeroDivisionError as error:
            raise ValueError(f"{name} divides by zero: {quoted(item)}") from error
        except (ValueError, OverflowError) as error:
            raise ValueError(_no_number(item, name)) from error
    if isinstance(item, _ANY_MPF):
        if not mpmath.isfinite(item):
            raise ValueError(f"{name} must be finite, got {item}")
        return Fraction(*to_rational(item._mpf_))
    raise TypeError(f"{name} must be a number or an array of numbers, got {quoted(item)}")


def _no_number(item: Any, name: str) -> str:
    return f"{name} must be a finite number such as 0.1, '1/10' or '1e-3', got {quoted(item)}"


def _check_exponent(item: Any, name: str) -> None:
    """Refuse 1e999999999 before its digits are written out."""
    if isinstance(item, str) and "/" not in item:
        try:
            item = Decimal(item)
        except InvalidOperation as error:  # an exponent may be beyond decimal numbers, but not beyond fractions
            raise ValueError(_no_number(item, name)) from error
    if isinstance(item, Decimal) and item.is_finite() and item and abs(item.adjusted()) > LARGEST_DECADE:
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
    return round(math.log10(abs(value.numerator)) - math.log10(value.denominator))


def as_float(array: Any) -> np.ndarray:
    """An exact array, or what arithmetic makes of one without dimensions, rounded to float64."""
    return np.asarray(array, dtype=np.float64)


def as_fractions(array: np.ndarray) -> np.ndarray:
    """An exact array as Fractions."""
    return array if array.dtype == object else np.asarray(np.frompyfunc(Fraction, 1, 1)(array), dtype=object)


def plain(value: Any, digits: int | None = None) -> Any:
    """Numbers as JSON holds them, without loss; an array as lists.

    Doubles are numbers, other exact numbers strings such as "1/10", infinite and undefined ones the words "inf", "-inf"
    and "nan", and mpf strings of so many digits.
    """
    if isinstance(value, np.ndarray):
        if value.ndim and value.dtype.kind in "Of" and not _finite_doubles(value):
            return [plain(item, digits) for item in value]
        return value.tolist() if value.ndim else plain(value.item(), digits)
    if isinstance(value, dict):
        return {name: plain(item, digits) for name, item in value.items()}
    if isinstance(value, _ANY_MPF):
        return digits_of(value, digits)
    if isinstance(value, Fraction):
        return float(value) if float(value) == value else str(value)
    if isinstance(value, _FLOATS):
        return float(value) if np.isfinite(value) else _word(value)
    return value.item() if isinstance(value, np.generic) else value


def _finite_doubles(array: np.ndarray) -> bool:
    return array.dtype == np.float64 and bool(np.isfinite(array).all())


def _word(value: Any) -> str:
    return "nan" if value != value else "inf" if value > 0 else "-inf"


def digits_of(value: Any, digits: int | None) -> str:
    """An mpf as a decimal number of exactly so many digits."""
    if not mpmath.isfinite(value):
        return _word(value)
    if value == 0:
        return "0"  # to any number of digits
    text = str(to_str(value._mpf_, digits, strip_zeros=False, min_fixed=-5, max_fixed=digits))
    return text.replace(".e", "e").removesuffix(".")


def decimal(value: Any, digits: int) -> Any:
    """The decimal number of so many digits that is nearest, as an mpf: one that is written and read without loss."""
    return _decimal(_raw(value), digits)


def subtracted(one: Any, other: Any, digits: int) -> Any:
    """one - other as a decimal number of so many digits, whatever the precision of mpmath is."""
    return _decimal(mpf_sub(_raw(one), _raw(other)), digits)


def decades(one: Any, other: Any) -> int:
    """How many powers of ten a number is above another, both finite and not zero; rounded up."""
    ratio = mpf_abs(mpf_div(_raw(one), _raw(other), 64))
    rounded: Any = to_int(mpf_div(mpf_log(ratio, 64), mpf_ln10(64), 64), round_ceiling)
    return int(rounded)


def _raw(value: Any) -> Any:
    return mpmath.mp.convert(value)._mpf_  # exactly, also of the mpf of another context


def _decimal(raw: Any, digits: int) -> Any:
    return _read_digits(str(to_str(raw, digits)), digits)


class Digits(_MPF):
    """An mpf that prints all the digits that it has; what is computed from it is a plain mpf."""

    __slots__ = ("digits",)

    def __str__(self) -> str:
        return digits_of(self, self.digits)

    def __repr__(self) -> str:
        return f"mpf('{self}')"

    def __reduce__(self) -> tuple[Any, ...]:
        return _read_digits, (str(self), self.digits)


def _read_digits(text: str, digits: int) -> Any:
    found = object.__new__(Digits)
    found._mpf_, found.digits = from_str(text, dps_to_prec(digits), "n"), digits
    return found


def numbers(value: Any, digits: int | None = None) -> Any:
    """What `plain` wrote of results: floats, or mpf of so many digits; lists as arrays.

    ValueError for what is not such a number.
    """
    if isinstance(value, dict):
        return {name: numbers(item, digits) for name, item in value.items()}
    if isinstance(value, list):
        items = [numbers(item, digits) for item in value]
        kinds = {np.shape(item) for item in items}
        if len(kinds) != 1:
            raise ValueError(f"lists of numbers must be of one shape, got {quoted(value)}")
        return np.array(items, dtype=object if np.asarray(items[0]).dtype == object else None)
    if isinstance(value, str):
        try:
            return float(value) if digits is None else _read_digits(value, digits)
        except ValueError as error:
            raise ValueError(f"a number is needed, got {quoted(value)}") from error
    if value is not None and not isinstance(value, (bool, int, float)):
        raise ValueError(f"a number is needed, got {quoted(value)}")
    return value


def at_least_zero(value: Any, name: str) -> np.ndarray:
    """`value` as exact numbers; ValueError if one is negative."""
    array = exact_array(value, name)
    if np.any(array < 0):
        raise ValueError(f"{name} must be at least 0, got {array[array < 0].flat[0]}")
    return array


def one_number(value: Any, name: str) -> float:
    """`value` as one finite double."""
    array = exact_array(value, name)
    if array.ndim != 0:
        raise ValueError(f"{name} must be one number, got {quoted(value)}")
    return float(as_float(array))


def above_zero(value: Any, name: str, below: float) -> float:
    """`value` as a plain number above 0 and below another; ValueError for anything else."""
    size: Any = value  # which may be an integer that no float holds
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < size < below:
        raise ValueError(f"{name} must be a number above 0 and below {below:g}, got {quoted(value)}")
    return float(value)


def count(value: Any, name: str) -> int:
    """`value` as a positive integer."""
    value = as_meant(value, name)
    value = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {quoted(value)}")
    _check_counts(int(value), int(value), name)
    return int(value)


def whole(value: Any, name: str) -> int:
    """The integer that a text or an exact number is, such as "1e3"."""
    try:
        exact = _exact(value, name)
    except ValueError as error:
        raise ValueError(f"{name} must be an integer, got {quoted(value)}") from error
    if exact != int(exact):
        raise ValueError(f"{name} must be an integer, got {quoted(value)}")
    if abs(exact) >= MOST:
        raise ValueError(f"{name} must be below 2^63, got {quoted(value)}")
    return int(exact)


def _check_counts(least: int, most: int, name: str) -> None:
    if least < 1:
        raise ValueError(f"{name} must be at least 1, got {quoted(least)}")
    if most >= MOST:
        raise ValueError(f"{name} must be below 2^63, got {quoted(most)}")


def counts(value: Any, name: str) -> np.ndarray:
    """`value` as an array of positive integers."""
    array = np.array(as_meant(value, name))
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one value")
    if array.dtype.kind not in "iu" and not all(type(item) is int for item in array.flat):
        raise TypeError(f"{name} must be an integer, got {quoted(value)}")
    _check_counts(int(array.min()), int(array.max()), name)
    array.flags.writeable = False
    return array


def flag(value: Any, name: str) -> bool:
    """`value` as it is, if it is True or False: what only counts as one may mean something else."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {quoted(value)}")
    return value


def check_seed(seed: int) -> int:
    """The seed, if it is an integer of at least zero."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be an integer of at least 0, got {seed!r}")
    return int(seed)


def matching_shapes(arrays: dict[str, np.ndarray]) -> tuple[int, ...]:
    """The broadcast shape of named arrays; a ValueError that names them and their shapes if there is none."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"shapes do not match: {shapes}") from error
