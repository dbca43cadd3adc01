"""A table as measurements: what is missing, what is text, what says nothing; and a sentence for all that was done."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from riskcalc.problems.components import ROUNDING, check_units
from riskcalc.problems.measurements import Column
from riskcalc.quoting import names, printable, quoted

FILLS = ("drop", "mean")
_DATE = re.compile(r"\d{4}[-/]\d{1,2}([-/]\d{1,2}.*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(\s.*)?|\d{1,2}:\d{2}(:\d{2}.*)?")
_NUMERAL = re.compile(r"\s*[+-]?(\d+([.,]\d*)*|[.,]\d+)([eE][+-]?\d+)?\s*")
_IDENTIFIER = re.compile(r"(?i:(.*[\W_])?(id|uuid|guid|index|key))|.*[a-z]I[Dd]")
# Of the standardised entries of two columns: the difference of copies, which may be in other units.
_COPY = 1e-9


@dataclass(frozen=True)
class Measured:
    """Finite numbers, and what they were made of.

    Attributes
    ----------
    X : ndarray, shape (rows, p)
    y : ndarray, shape (rows,)
    names : tuple of str, shape (p,)
    groups : tuple of int, shape (p,)
        The column of the table that each was made of.
    notes : tuple of str
        Sentences that say what was left out, filled in or coded.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    groups: tuple[int, ...]
    notes: tuple[str, ...]


def measured(columns: list[Column], target: Column, missing: str | None) -> Measured:
    """The columns as numbers, and the target.

    Raises ValueError or TypeError for missing cells, unless `missing` says what to do, and for columns that are no
    measurements, with advice.
    """
    notes: list[str] = []
    columns, target = _complete(columns, target, missing, notes)
    for column in columns:
        _check_measured(column)
    aim = _coded(target, notes)
    parts, heads, groups = [], [], []
    for place, column in enumerate(columns):
        levels = _one_hot(column, notes) if column.words else {column.name: column.values}
        for head, values in levels.items():
            parts.append(np.where(np.isnan(values), np.nanmean(values), values))
            heads.append(head)
            groups.append(place)
    return Measured(np.column_stack(parts), aim, tuple(heads), tuple(groups), tuple(notes))


def distinct(table: Measured) -> Measured:
    """The table without columns that are constant, or copies of others, which say nothing."""
    lowest, highest = table.X.min(axis=0), table.X.max(axis=0)
    largest = np.maximum(abs(lowest), abs(highest))
    constant = highest / 2 - lowest / 2 <= ROUNDING * largest / 2
    if constant.all():
        raise ValueError(f"no column of X varies, of {len(constant)}; give at least one that does")
    check_units(table.X[:, ~constant], table.y)
    copies = _copies(table.X, ~constant)
    notes = []
    if constant.any():
        notes.append(f"Left out as constant: {_listed(table, np.flatnonzero(constant))}.")
    if copies:
        told = [f"{quoted(table.names[one])} of {quoted(table.names[other])}" for one, other in sorted(copies.items())]
        more = f" and {len(told) - 12} more" if len(told) > 12 else ""
        notes.append(f"Left out as copies, perhaps in other units: {', '.join(told[:12])}{more}.")
    kept = np.array([place for place in np.flatnonzero(~constant) if place not in copies])
    return Measured(
        table.X[:, kept],
        table.y,
        tuple(table.names[i] for i in kept),
        tuple(table.groups[i] for i in kept),
        (*table.notes, *notes),
    )


def _complete(
    columns: list[Column], target: Column, missing: str | None, notes: list[str]
) -> tuple[list[Column], Column]:
    """The rows that are used; under "mean" those without features stay as they are."""
    gaps = {column.name: column.missing for column in columns if column.missing.any()}
    empty = [name for name, gap in gaps.items() if gap.all()]
    aimless = target.missing
    if missing is None and (gaps or aimless.any()):
        name, gap = next(iter(gaps.items())) if gaps else (target.name, aimless)
        what = "the target" if not gaps else "column"
        more = f", and {len(gaps) - 1} columns more have some" if len(gaps) > 1 else ""
        raise ValueError(
            f"{what} {quoted(name)} has {gap.sum()} missing of {len(gap)} cells, the first in row "
            f"{int(np.flatnonzero(gap)[0]) + 1}{more}; missing='drop' leaves out such rows, missing='mean' fills in "
            "means of columns"
        )
    if empty:
        notes.append(f"Left out as empty: {names(empty)}.")
        columns = [column for column in columns if column.name not in empty]
        gaps = {name: gap for name, gap in gaps.items() if name not in empty}
        if not columns:
            raise ValueError("no column of X holds anything; give at least one that does")
    without = aimless
    if aimless.any():
        notes.append(f"{aimless.sum()} of {len(aimless)} rows have no target; they are left out.")
    if gaps and missing == "drop":
        incomplete = np.logical_or.reduce(list(gaps.values())) & ~aimless
        notes.append(f"{incomplete.sum()} of {len(aimless)} rows have missing cells; they are left out.")
        without = aimless | incomplete
    elif gaps:
        cells = sum(int((gap & ~aimless).sum()) for gap in gaps.values())
        notes.append(f"{cells} missing cells of {names(gaps)} are filled with means of their columns.")
    if without.all():
        raise ValueError(f"every one of {len(without)} rows has missing cells; missing='mean' fills them")
    if without.any():
        columns = [replace(column, values=column.values[~without]) for column in columns]
        target = replace(target, values=target.values[~without])
    return columns, target


def _check_measured(column: Column) -> None:
    """Refuse columns that are no measurements, with advice."""
    values, where = column.values[~column.missing], f"column {quoted(column.name)}"
    count = len(set(values.tolist())) if column.words or column.named else 0
    if not column.words:
        whole = column.named and len(values) > 2 and count == len(values) and np.all(values == np.round(values))
        if whole and values[0] in (0, 1) and np.all(np.diff(values) == 1):
            raise ValueError(f"{where} numbers the rows, and is no measurement; leave it out")
        if whole and _IDENTIFIER.fullmatch(column.name):
            raise ValueError(
                f"{where} differs in every row, and its name says that it tells rows apart; leave it out, or name it "
                "otherwise if it was measured"
            )
        return
    if all(map(_DATE.fullmatch, values)):
        raise TypeError(
            f"{where} holds dates or times, such as {quoted(values[0])}; give times as numbers, such as days since "
            "the first"
        )
    if not column.categorical and all(map(_NUMERAL.fullmatch, values)):
        raise TypeError(
            f"{where} holds numbers as text, such as {quoted(values[0])}; convert text to numbers first, or make it "
            "a category"
        )
    if count > 2 and count > len(values) / 2:
        raise ValueError(
            f"{where} is text that differs in most rows ({count} values in {len(values)} rows), such as "
            f"{quoted(values[0])}: names tell rows apart, and are no measurements; leave it out, or group its values"
        )


def _one_hot(column: Column, notes: list[str]) -> dict[str, np.ndarray]:
    """A column of 0 and 1 for each category but the most frequent; nan where it is missing."""
    there = ~column.missing
    levels, places, counts = np.unique(column.values[there].astype(str), return_inverse=True, return_counts=True)
    if len(levels) == 1:
        return {column.name: np.zeros(len(there))}
    usual, words = int(counts.argmax()), levels.tolist()
    found = {}
    for place, level in enumerate(words):
        if place != usual:
            values = np.full(len(there), np.nan)
            values[there] = places == place
            found[f"{column.name}={level}"] = values
    notes.append(
        f"{quoted(column.name)} is text: a column of 0 and 1 for each of its {len(words)} categories but the most "
        f"frequent, {quoted(words[usual])}."
    )
    return found


def _coded(target: Column, notes: list[str]) -> np.ndarray:
    """The target as numbers; of two values -1 and 1."""
    where = f"the target {quoted(target.name)}"
    values, places = np.unique(target.values.astype(str) if target.words else target.values, return_inverse=True)
    if len(values) == 1:
        raise ValueError(
            f"{where} is constant, {quoted(values.tolist()[0])} in every row: there is nothing to predict; give "
            "another column, or rows that differ in it"
        )
    if len(values) == 2:
        low, high = values.tolist()
        if (low, high) != (-1.0, 1.0):
            shown = [f"{one:g}" if isinstance(one, float) else quoted(one) for one in (low, high)]
            notes.append(f"The target {quoted(target.name)} has two values: {shown[0]} is coded -1, {shown[1]} is 1.")
        return np.where(places.ravel() == 1, 1.0, -1.0)
    if target.words:
        raise TypeError(
            f"{where} is text of {len(values)} values, such as {names(values.tolist()[:3])}: squared errors need "
            "numbers; convert text to numbers first, or ask about one of them against the others, 1 and -1"
        )
    return target.values


def _copies(X: np.ndarray, varying: np.ndarray) -> dict[int, int]:
    """Columns that are another one before them, up to units and sign, each with that other one."""
    places = np.flatnonzero(varying)
    columns = X[:, places] / abs(X[:, places]).max(axis=0)
    columns = columns - columns.mean(axis=0)
    columns /= columns.std(axis=0)
    keys = abs(np.random.default_rng(0).normal(size=len(X)) @ columns) / len(X) ** 0.5
    order = np.argsort(keys, kind="stable")
    found: dict[int, int] = {}
    for before, after in pairwise(order.tolist()):
        if keys[after] - keys[before] > _COPY:
            continue
        one, other = columns[:, before], columns[:, after]
        sign = np.sign(one @ other)
        if abs(one - sign * other).max() <= _COPY * abs(one).max():
            first = found.get(int(places[before]), int(places[before]))
            low, high = sorted((first, int(places[after])))
            found = {place: low if of == high else of for place, of in found.items()} | {high: low}
    return found


def _listed(table: Measured, places: np.ndarray) -> str:
    return printable(names([table.names[place] for place in places]))
