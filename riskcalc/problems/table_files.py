"""Tables in files, CSV or Parquet, by pandas; here are only the conventions of writing numbers."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskcalc.extras import extra
from riskcalc.problems.measurements import check_names
from riskcalc.quoting import printable, quoted
from riskcalc.text import decoded, read_unpacked

_PARQUET = b"PAR1"
SEPARATORS = "\t;,|"
# Cells that say that nothing is known, in small letters: pandas' list.
MISSING = {
    "",
    "#n/a",
    "#n/a n/a",
    "#na",
    "-1.#ind",
    "-1.#qnan",
    "-nan",
    "1.#ind",
    "1.#qnan",
    "<na>",
    "n/a",
    "na",
    "nan",
}
MISSING |= {"null", "none", "nat"}
# The western encoding of files that are not in UTF-8.
WESTERN = "cp1252"


class Format(NamedTuple):
    """How numbers are written: the decimal sign, and what stands between thousands."""

    decimal: str
    thousands: str

    def fits(self, cells: Any) -> np.ndarray:
        """Which of the cells are numbers."""
        digits = r"\d+"
        if self.thousands:
            digits = rf"(?:\d+|[1-9]\d{{0,2}}(?:{self.thousands}\d{{3}})+)".replace(".", r"\.")
        point = re.escape(self.decimal)
        pattern = rf"[+-]?(?:{digits}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?"
        return cells.str.fullmatch(pattern).to_numpy(dtype=bool)

    def read(self, cells: Any) -> np.ndarray:
        """The numbers that the cells are."""
        if self.thousands:
            cells = cells.str.replace(self.thousands, "", regex=False)
        if self.decimal != ".":
            cells = cells.str.replace(self.decimal, ".", regex=False)
        return cells.to_numpy(dtype=str).astype(float)

    @property
    def words(self) -> str:
        """In a sentence."""
        between = f", and {_SIGNS[self.thousands]} between thousands" if self.thousands else ""
        return f"{_SIGNS[self.decimal]} as their decimal sign{between}"


_SIGNS = {".": "a point", ",": "a comma", " ": "a blank", "'": "an apostrophe"}
# The first is meant wherever it is possible.
FORMATS = [Format(".", ""), Format(".", ","), Format(",", ""), Format(",", ".")]
FORMATS += [Format(decimal, between) for between in (" ", "'") for decimal in ".,"]


def read_table(path: Path) -> tuple[Any, list[str]]:
    """The table in a file, as a frame of pandas, and sentences that say what had to be guessed.

    Raises
    ------
    ValueError, ImportError
        For a file that cannot be read, holds no table, or has columns without a name or with that of another.
    """
    raw = read_unpacked(path)
    pandas = extra("pandas", "files")
    shown = printable(str(path))
    if raw.startswith(_PARQUET):
        extra("pyarrow", "files")
        try:
            return pandas.read_parquet(io.BytesIO(raw), engine="pyarrow"), []
        except (OSError, ValueError) as error:
            raise ValueError(f"cannot read {shown}: {printable(str(error))}") from error
    text, notes = _text(raw, shown)
    cells = _cells(pandas, text, shown)
    frame, written = _as_measured(pandas, cells, shown)
    return frame, notes + written


def _text(raw: bytes, shown: str) -> tuple[str, list[str]]:
    """The text, and a sentence if its encoding had to be guessed."""
    try:
        return decoded(raw), []
    except UnicodeError as error:
        cause = error
    try:
        text = raw.decode(WESTERN)
    except UnicodeError:
        text = "\0"
    if any(one < " " and one not in "\t\r\n\x1b" for one in text[:10_000]) or "\0" in text:
        raise ValueError(
            f"cannot read {shown}: it is no text in UTF-8, nor in UTF-16 with a byte order mark, nor in {WESTERN}: "
            f"{printable(str(cause))}"
        )
    return text, [f"{shown} is no UTF-8; it is read as {WESTERN}."]


def _cells(pandas: Any, text: str, shown: str) -> Any:
    """The cells of a CSV file as text, blanks around them left out, under its checked header."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise ValueError(f"{shown} is empty; it must start with a line of column names")
    separator = max(SEPARATORS, key=lambda one: len(next(csv.reader([first], delimiter=one))))
    options = {"sep": separator, "header": None, "dtype": str, "keep_default_na": False, "skipinitialspace": True}
    try:
        table = pandas.read_csv(io.StringIO(text), **options)
    except (ValueError, OverflowError) as error:
        cause = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise ValueError(f"cannot read {shown}: {printable(cause)}") from error
    flat = pandas.Series(table.to_numpy(dtype=object).ravel(), dtype=str).fillna("").str.strip()
    flat = flat.str.replace("\xa0", " ", regex=False)
    table = pandas.DataFrame(flat.to_numpy(dtype=object).reshape(table.shape))
    header = table.iloc[0].tolist()
    check_names(header, shown)
    if len(table) < 2:
        raise ValueError(f"{shown} has no rows below its header")
    return table.iloc[1:].set_axis(header, axis=1).reset_index(drop=True)


def _as_measured(pandas: Any, cells: Any, shown: str) -> tuple[Any, list[str]]:
    """Columns of numbers as such, those of text as they are, None for what is missing; how numbers are written."""
    flat = pandas.Series(cells.to_numpy(dtype=object).ravel(), dtype=str)
    small = flat.str.lower()
    missing = small.isin(MISSING).to_numpy(dtype=bool)

    def shaped(array: np.ndarray) -> np.ndarray:
        return array.reshape(cells.shape)

    written = FORMATS[0]
    fits: dict[Format, np.ndarray] = {written: written.fits(flat) | missing}
    told = shaped(fits[written]).all(axis=0) | shaped(small.isin(("true", "false")).to_numpy(dtype=bool)).all(axis=0)
    if not told.all():
        fits |= {one: np.logical_or(one.fits(flat), missing) for one in FORMATS[1:]}
        whole = {one: shaped(fit).all(axis=0) for one, fit in fits.items()}
        written = max(FORMATS, key=lambda one: int(whole[one].sum()))  # the first of several
        if written != FORMATS[0]:
            _check_unambiguous(flat, cells, whole, written, shown)
    found = {}
    numeric, known = shaped(fits[written]), ~shaped(missing)
    for place, name in enumerate(cells):
        column, there = cells[name], known[:, place]
        if numeric[:, place].all():
            values = np.full(len(column), np.nan)
            values[there] = written.read(column[there].astype(str))
        elif set(column[there].str.lower()) <= {"true", "false"}:
            values = np.full(len(column), np.nan)
            values[there] = column[there].str.lower() == "true"
        else:
            _check_words(column, there, numeric[:, place], f"{shown}, column {quoted(name)}")
            values = column.to_numpy(dtype=object, copy=True)
            values[~there] = None
        found[name] = values
    notes = [] if written == FORMATS[0] else [f"Numbers are read with {written.words}."]
    return pandas.DataFrame(found), notes


def _check_unambiguous(flat: Any, cells: Any, whole: dict[Format, np.ndarray], written: Format, shown: str) -> None:
    """Refuse numbers that may mean two things, as 1,234 does, and that no other column tells."""
    for other, columns in whole.items():
        if other.decimal == written.decimal or columns.sum() < whole[written].sum():
            continue
        for place in np.flatnonzero(columns & whole[written]):
            column = flat[place :: cells.shape[1]]
            column = column[~column.str.lower().isin(MISSING)]
            one, two = written.read(column), other.read(column)
            if len(rows := np.flatnonzero(one != two)):
                raise ValueError(
                    f"{shown}, column {quoted(cells.columns[place])}: {quoted(column.iloc[rows[0]])} may be "
                    f"{one[rows[0]]:g} or {two[rows[0]]:g}; write numbers with a decimal point, and nothing between "
                    "thousands"
                )


def _check_words(column: Any, there: np.ndarray, numeric: np.ndarray, where: str) -> None:
    """Refuse a cell that is no number in a column of numbers."""
    odd = np.flatnonzero(~numeric)
    if 2 * len(odd) < there.sum():
        raise ValueError(
            f"{where}, row {odd[0] + 1}: a finite number is needed, found {quoted(column.iloc[odd[0]])}; mend or empty "
            "the cell"
        )
