"""Columns of a table, whatever holds it: numbers, or words; anything else is refused by name."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from riskcalc.exact import as_meant
from riskcalc.quoting import quoted

# What pandas calls a column without a name, once it has been written and read.
_NAMELESS = re.compile(r"\s*(Unnamed: \d+(\.\d+)*(_level_\d+)?)?\s*")
_NUMBERS = (Real, Decimal, np.bool_)
_TIMES = (np.datetime64, np.timedelta64, datetime.date, datetime.time, datetime.timedelta)
_MISSING = ("NoneType", "NAType")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    values : ndarray, shape (rows,)
        Doubles, nan for what is missing; or words, None for what is missing.
    named : bool
        Whether the table names it; otherwise its name is its place.
    categorical : bool
        Whether the table says that its words, which may be numerals, are categories.
    """

    name: str
    values: np.ndarray
    named: bool = False
    categorical: bool = False

    @property
    def words(self) -> bool:
        """Whether it holds words."""
        return self.values.dtype == object

    @property
    def missing(self) -> np.ndarray:
        """Where there is nothing."""
        return np.equal(self.values, None) if self.words else np.isnan(self.values)


def columns_of(table: Any, name: str) -> list[Column]:
    """The columns of a frame of pandas, polars or pyarrow, by name, or of an array, by place.

    Raises TypeError or ValueError that names the column and what would be right.
    """
    frame = _framed(table, name)
    if frame is not None:
        check_names(frame.columns, name)
        heads = zip(frame.columns, frame.iter_columns(), strict=True)
        return [_of_series(series, str(head), f"column {quoted(head)} of {name}") for head, series in heads]
    array = _array(table, name, 2)
    return [Column(str(place), _values(one, name, lambda row, j=place: (row, j))) for place, one in enumerate(array.T)]


def column_of(value: Any, name: str) -> Column:
    """One column by itself, such as a target, under the name that it has, or else the one given."""
    series = nw.from_native(value, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        own = series.name
        return _of_series(series, own if isinstance(own, str) and own else name, name)
    return Column(name, _values(_array(value, name, 1), name, lambda row: (row,)))


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


def _framed(table: Any, name: str) -> Any:
    """A frame as narwhals reads it; None for what is none."""
    if isinstance(table, (np.ndarray, list, tuple)):
        return None
    try:
        frame = nw.from_native(table, eager_only=True, pass_through=True)
    except DuplicateError:
        check_names(getattr(table, "column_names", None) or table.columns, name)
        raise
    return frame if isinstance(frame, nw.DataFrame) else None


def _array(value: Any, name: str, ndim: int) -> np.ndarray:
    as_meant(value, name)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers: {error}") from error
    if array.dtype.kind not in "biufOU":
        raise TypeError(f"{name} must be an array of numbers, got {array.dtype}{_remedy(array.flat[:1])}")
    if array.ndim != ndim:
        if array.dtype.kind in "OU":
            _values(array.ravel(), name, lambda place: np.unravel_index(place, array.shape))
        raise ValueError(f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}")
    return array


def _of_series(series: nw.Series, head: str, where: str) -> Column:
    """A column of a frame."""
    kind, missing = series.dtype, series.is_null().to_numpy()
    if kind.is_temporal():
        raise TypeError(f"{where} must be numbers, got {kind}; give times as numbers, such as days since the first")
    categorical = isinstance(kind, (nw.Categorical, nw.Enum))
    if kind.is_numeric() or kind == nw.Boolean:
        series = series.cast(nw.Float64)
        numbers = np.array(series.to_numpy() if not missing.any() else _without(series, missing), dtype=float)
        return Column(head, _finite(numbers, where, lambda row: (row,)), named=True)
    objects = np.empty(len(series), dtype=object)
    objects[:] = series.to_list()
    objects[missing] = None
    if categorical:
        objects[~missing] = [str(one) for one in objects[~missing]]
    return Column(head, _values(objects, where, lambda row: (row,)), named=True, categorical=categorical)


def _without(series: nw.Series, missing: np.ndarray) -> np.ndarray:
    """Numbers, nan for what is missing."""
    numbers = np.full(len(missing), np.nan)
    numbers[~missing] = series.drop_nulls().to_numpy()
    return numbers


def _values(given: np.ndarray, name: str, place: Any) -> np.ndarray:
    """Doubles or words."""
    if given.dtype.kind == "U":
        return given.astype(object)
    if given.dtype.kind == "O":
        missing = np.array([type(one).__name__ in _MISSING or (isinstance(one, float) and one != one) for one in given])
        if all(isinstance(one, str) for one in given[~missing]) and not missing.all():
            words = given.copy()
            words[missing] = None
            return words
        for row, value in enumerate(given):
            if not missing[row] and not isinstance(value, _NUMBERS):
                at = tuple(map(int, place(row)))
                raise TypeError(f"{name} must be an array of numbers, got {quoted(value)} at {at}{_remedy([value])}")
        given = np.where(missing, np.nan, given)
    try:
        numbers = given.astype(np.float64)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers within double precision: {error}") from error
    return _finite(numbers, name, place)


def _finite(numbers: np.ndarray, name: str, place: Any) -> np.ndarray:
    """Numbers of which none is infinite."""
    if np.isinf(numbers).any():
        row = int(np.flatnonzero(np.isinf(numbers))[0])
        raise ValueError(f"{name} must be finite, got {numbers[row]} at {tuple(map(int, place(row)))}")
    return numbers


def _remedy(values: Iterable[Any]) -> str:
    """What would be right in place of a value that is no number."""
    for value in values:
        if isinstance(value, str):
            return "; convert text to numbers first"
        if isinstance(value, _TIMES) or hasattr(value, "year"):
            return "; give times as numbers, such as days since the first"
    return ""
