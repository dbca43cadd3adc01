"""A CSV file as a table of measurements."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from riskcalc.problems.measurements import check_names
from riskcalc.quoting import names, printable, quoted
from riskcalc.text import read_text


def read_csv(path: Path, target: str) -> tuple[np.ndarray, np.ndarray]:
    """The features and the target of a CSV file with a header line; blanks around names and numbers count for nothing.

    Raises ValueError for a file that cannot be read, a column without a name or with that of another, a target that is
    not a column, and the first cell that is not a finite number, by line and column.
    """
    shown, target = printable(str(path)), target.strip()
    reader = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not header:
            raise ValueError(f"{shown} is empty; it must start with a line of column names")
        check_names(header, shown)
        if target not in header:
            hint = "; separate columns by commas" if len(header) == 1 else ""
            raise ValueError(f"{shown} has no column {quoted(target)}; its columns are {names(header)}{hint}")
        rows = list(_rows(reader, header, shown))
    except csv.Error as error:
        raise ValueError(f"cannot read {shown}, line {reader.line_num}: {error}") from error
    if not rows:
        raise ValueError(f"{shown} has no rows below its header")
    table, column = np.array(rows), header.index(target)
    return np.delete(table, column, axis=1), table[:, column]


def _rows(reader, header: list[str], shown: str) -> Iterator[list[float]]:
    for cells in filter(None, reader):
        if len(cells) != len(header):
            raise ValueError(f"{shown}, line {reader.line_num}: {len(cells)} cells under {len(header)} column names")
        values = [*map(_number, cells)]
        if not np.isfinite(values).all():
            name, cell = next((header[i], cells[i]) for i, value in enumerate(values) if not np.isfinite(value))
            found = quoted(cell) if cell.strip() else "nothing"
            raise ValueError(
                f"{shown}, line {reader.line_num}, column {quoted(name)}: a finite number is needed, found {found}"
            )
        yield values


def _number(cell: str) -> float:
    """What a cell says; nan if it is no number as tables write them."""
    try:
        return np.nan if "_" in cell else float(cell)
    except ValueError:
        return np.nan
