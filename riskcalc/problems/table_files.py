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

    def pattern(self) -> str:
        """Of a number."""
        digits = r"\d+"
        if self.thousands:
            digits = rf"(?:\d+|[1-9]\d{{0,2}}(?:{re.escape(self.thousands)}\d{{3}})+)"
        point = re.escape(self.decimal)
        return rf"[+-]?(?:{digits}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?"

    def plain(self, cells: Any) -> Any:
        """The cells as Python writes numbers."""
        for one in (self.thousands, "\xa0" if self.thousands == " " else ""):
            cells = cells.str.replace(one, "", regex=False) if one else cells
        return cells if self.decimal == "." else cells.str.replace(self.decimal, ".", regex=False)


# Those tried first are meant where several are possible.
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
    short = np.flatnonzero(table.isna().any(axis=1))
    if short.size:
        count = int(table.iloc[short[0]].notna().sum())
        raise ValueError(f"{shown}, row {short[0]}: {count} cells under {table.shape[1]} column names")
    table = table.apply(lambda column: column.str.strip())
    header = table.iloc[0].tolist()
    check_names(header, shown)
    if len(table) < 2:
        raise ValueError(f"{shown} has no rows below its header")
    return table.iloc[1:].set_axis(header, axis=1).reset_index(drop=True)


def _as_measured(pandas: Any, cells: Any, shown: str) -> tuple[Any, list[str]]:
    """Columns of numbers as such, those of text as they are, None for what is missing; how numbers are written."""
    known = ~cells.apply(lambda column: column.str.lower().isin(MISSING))
    fits = {one: {name for name in cells if _share(cells[name][known[name]], one) == 1} for one in FORMATS}
    best = max(FORMATS, key=lambda one: len(fits[one]))  # the first of several
    _check_unambiguous(cells, known, fits, best, shown)
    found = {}
    for name in cells:
        column, there = cells[name], known[name]
        if name in fits[best]:
            values = np.full(len(column), np.nan)
            values[there] = best.plain(column[there]).to_numpy(dtype=str).astype(float)
            found[name] = values
        elif set(column[there].str.lower()) <= {"true", "false"}:
            values = np.full(len(column), np.nan)
            values[there] = column[there].str.lower() == "true"
            found[name] = values
        else:
            _check_words(column, there, best, f"{shown}, column {quoted(name)}")
            found[name] = column.where(there, None)
    notes = []
    if best != FORMATS[0]:
        thousands = f", and {_SIGNS[best.thousands]} between thousands" if best.thousands else ""
        notes = [f"Numbers are read with {_SIGNS[best.decimal]} as their decimal sign{thousands}."]
    return pandas.DataFrame(found), notes


_SIGNS = {".": "a point", ",": "a comma", " ": "a blank", "'": "an apostrophe"}


def _share(cells: Any, written: Format) -> float:
    """How many of the cells are numbers, of all; of none all."""
    blanks = cells.str.replace("\xa0", " ", regex=False) if written.thousands == " " else cells
    return float(blanks.str.fullmatch(written.pattern()).mean()) if len(cells) else 1.0


def _check_unambiguous(cells: Any, known: Any, fits: dict[Format, set], best: Format, shown: str) -> None:
    """Refuse numbers that may mean two things, as 1,234 does, and that no other column tells."""
    for other, columns in fits.items():
        if other.decimal == best.decimal or len(columns) < len(fits[best]):
            continue
        for name in columns & fits[best]:
            there = cells[name][known[name]]
            one, two = (form.plain(there).to_numpy(dtype=str).astype(float) for form in (best, other))
            if len(places := np.flatnonzero(one != two)):
                raise ValueError(
                    f"{shown}, column {quoted(name)}: {quoted(there.iloc[places[0]])} may be {one[places[0]]:g} or "
                    f"{two[places[0]]:g}; write numbers with a decimal point, and nothing between thousands"
                )


def _check_words(column: Any, there: Any, written: Format, where: str) -> None:
    """Refuse a cell that is no number in a column of numbers."""
    if _share(column[there], written) > 0.5:
        odd = column[there][~column[there].str.fullmatch(written.pattern())]
        raise ValueError(
            f"{where}, row {odd.index[0] + 1}: a finite number is needed, found {quoted(odd.iloc[0])}; mend or empty "
            "the cell"
        )
