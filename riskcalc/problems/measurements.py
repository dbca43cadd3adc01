"""Columns of measurements: what others call arrays and frames as doubles, or why a column holds none."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from riskcalc.exact import as_meant
from riskcalc.quoting import quoted

# What pandas calls a column without a name, once it has been written and read.
_NAMELESS = re.compile(r"\s*(Unnamed: \d+(\.\d+)*(_level_\d+)?)?\s*")
_NUMBERS, _MISSING = (Real, Decimal, np.bool_), ("NoneType", "NAType")
_TIMES = (np.datetime64, np.timedelta64, datetime.date, datetime.time, datetime.timedelta)


def measurements(values: Any, name: str, ndim: int) -> np.ndarray:
    """An array, or a frame of pandas or polars, as finite doubles; True counts as 1.

    Raises TypeError or ValueError that names the column and what would be right.
    """
    if ndim == 2 and (heads := column_names(values)):
        check_names(heads, name)
        array = np.column_stack([measurements(values[head], f"column {quoted(head)} of {name}", 1) for head in heads])
    else:
        array = _numbers(values, name)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}")
    return array


def column_names(table: Any) -> list[Any]:
    """The names of a frame's columns; of anything else none."""
    framed = all(hasattr(type(table), part) for part in ("__array__", "columns", "dtypes"))
    return [*table.columns] if framed else []


def check_names(names: Iterable[Any], table: str) -> None:
    """Refuse columns without a name, which often are the index of the rows, and names that stand twice."""
    places: dict[Any, int] = {}
    for place, name in enumerate(names, start=1):
        if name is None or name != name or (isinstance(name, str) and _NAMELESS.fullmatch(name)):
            raise ValueError(
                f"{table} has no name for its column {place} (it is {quoted(name)}); leave it out if it numbers the "
                "rows (pandas writes no such column with index=False), and name it if it was measured"
            )
        if name in places:
            raise ValueError(
                f"{table} names its columns {places[name]} and {place} alike, {quoted(name)}; leave one of them out, "
                "or name them apart"
            )
        places[name] = place


def _numbers(values: Any, name: str) -> np.ndarray:
    """Finite doubles."""
    if str(getattr(values, "dtype", "")) == "category":
        raise TypeError(f"{name} is categorical, and no measurement; give a column of 0 and 1 for each category")
    as_meant(values, name)
    try:
        given = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers: {error}") from error
    if given.dtype.kind not in "biufO":
        raise TypeError(f"{name} must be an array of numbers, got {given.dtype}{_remedy(given.flat[:1])}")
    if given.dtype.kind == "O":
        others = {kind for kind in map(type, given.flat) if not issubclass(kind, _NUMBERS)}
        for at, value in np.ndenumerate(given) if others else ():
            if type(value) in others:
                raise TypeError(f"{name} must be an array of numbers, got {quoted(value)} at {at}{_remedy([value])}")
    try:
        array = given.astype(np.float64)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers within double precision: {error}") from error
    if not np.isfinite(array).all():
        at = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(f"{name} must be finite, got {array[at]} at {at}; drop or fill missing values first")
    return array


def _remedy(values: Iterable[Any]) -> str:
    """What would be right in place of a value that is no number."""
    for value in values:
        if isinstance(value, str):
            return "; convert text to numbers first"
        if isinstance(value, _TIMES) or hasattr(value, "year"):
            return "; give times as numbers, such as days since the first"
        if type(value).__name__ in _MISSING:
            return "; drop or fill missing values first"
    return ""
