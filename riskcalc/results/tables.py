"""Tables for people, declared once: as text within a line of the terminal, and as HTML in notebooks."""

from __future__ import annotations

import math
import re
import shutil
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import zip_longest
from typing import Any

import mpmath

# Longer tables are cut, with a line that says so.
MOST_ROWS = 24
# Text is not wider than this, whatever the terminal; words are not wrapped to less than this.
WIDEST, NARROWEST = 80, 14
GAP = 2


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : str
    words : bool
        Words stand at the left, and are wrapped; numbers stand at the right, and are never broken.
    """

    name: str
    words: bool = False


@dataclass(frozen=True)
class Table:
    """What is printed of a result.

    Attributes
    ----------
    title : str
    columns : sequence of Column
        In the order of their importance.
    rows : sequence of sequences of str
        A cell for each column.
    keys : int
        How many of the first columns say what a row is of.
    notes : sequence of str
        Lines below it.
    brief : Table or None
        Printed in its place where not all columns fit on a line.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    keys: int = 1
    notes: Sequence[str] = ()
    brief: Table | None = None


Part = Table | str


class Shown(ABC):
    """A result that is read: printed within the width of the terminal, 80 columns at most, and a table in notebooks."""

    @abstractmethod
    def _parts(self) -> Iterable[Part]:
        """Tables and lines."""

    def __str__(self) -> str:
        return to_text(self._parts())

    def _repr_html_(self) -> str:
        return to_html(self._parts())


def number(value: Any, digits: int | None = None) -> str:
    """A number as a table shows it: five significant digits; or as many as were asked for, zeros at its end, too."""
    if value is None:
        return ""
    if digits is None:
        return f"{float(value):.5g}"
    if value == 0 or not mpmath.isfinite(value):
        return f"{float(value):g}"
    text = str(mpmath.nstr(value, digits, strip_zeros=False, min_fixed=-5, max_fixed=digits))
    return text.replace(".e", "e").removesuffix(".")


def cut(rows: Iterable[Sequence[str]], count: int) -> dict[str, Any]:
    """Of so many regimes the first rows, and a note that says so where there are more: arguments of a `Table`."""
    first = [row for _, row in zip(range(MOST_ROWS), rows, strict=False)]
    return {"rows": first, "notes": [] if count <= MOST_ROWS else [f"the first {MOST_ROWS} of {count} regimes"]}


# --- text

_NUMBER = re.compile(r"[-+]?\d[\d.]*(e[-+]?\d+)?[.,;]?")


def line_width() -> int:
    """Of a line: the terminal's, as the variable COLUMNS or itself says; 80 at most, and where there is none."""
    return min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)


def to_text(parts: Iterable[Part], width: int | None = None) -> str:
    """Tables and lines as plain text. Of all lines only those of one number that is longer exceed the width."""
    width = width or line_width()
    found: list[str] = []
    for part in parts:
        if isinstance(part, Table):
            found += ["", *_lines(part, width), ""]
        else:
            found += _wrapped(part, width, hang=2 * part.startswith(" "))
    text = "\n".join(line.rstrip() for line in found).strip("\n")
    return re.sub("\n{3,}", "\n\n", text)


def _wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    """Words on lines, those after the first indented by so much; what is too long is broken, but for a number."""
    indent = len(text) - len(text.lstrip(" "))
    after = indent + (hang if _longest(text) <= width - indent - hang else 0)
    room = max(width - after, 1)

    def folded(word: re.Match[str]) -> str:
        parts = textwrap.wrap(re.sub(r"(?<=[._+/])", " ", word[0]), room, break_on_hyphens=False)
        return word[0] if _NUMBER.fullmatch(word[0]) else " ".join(part.replace(" ", "") for part in parts)

    text = " " * indent + re.sub(rf"\S{{{room + 1},}}", folded, text.lstrip(" "))
    return textwrap.wrap(
        text, width, subsequent_indent=" " * after, break_long_words=False, break_on_hyphens=False
    ) or [""]


def _lines(table: Table, width: int) -> list[str]:
    title = _wrapped(table.title, width) if table.title else []
    notes = [line for note in table.notes for line in _wrapped(note, width)]
    blocks = _blocks(table, width)
    if len(blocks) != 1 and table.brief is not None:
        return _lines(table.brief, width)
    if not blocks:
        return [*title, "", *_upright(table, width), *notes]
    grids = [line for block in blocks for line in ("", *_grid(table, block, width))]
    return [*title, *grids, *notes]


def _blocks(table: Table, width: int) -> list[list[int]]:
    """The columns of every part of a table that has to be broken; none where a part would have but one of several."""
    keys, others = list(range(table.keys)), list(range(table.keys, len(table.columns)))

    def filled(most: int) -> list[list[int]]:
        blocks = [keys]
        for other in others:
            if len(blocks[-1]) < table.keys + most and _widths(table, [*blocks[-1], other], width):
                blocks[-1] = [*blocks[-1], other]
            else:
                blocks.append([*keys, other])
        return blocks

    full = filled(len(others))
    several = len(others) == 1 or all(len(block) > table.keys + 1 for block in full[:-1])
    if not (several and all(_widths(table, block, width) for block in full)):
        return []
    even = filled(math.ceil(len(others) / len(full)))
    return even if len(even) == len(full) else full


def _widths(table: Table, block: list[int], width: int) -> list[int]:
    """Of columns that stand side by side: names on one line and words, too, if they fit; none if nothing does."""
    columns = [table.columns[i] for i in block]
    cells = [max((len(row[i]) for row in table.rows), default=0) for i in block]
    room = width - GAP * (len(block) - 1)
    widths: list[int] = []
    for most in (1, 2, 3, WIDEST):  # lines of names
        names = [_narrowest(column.name, most) for column in columns]
        widths = [max(cell, name) for cell, name in zip(cells, names, strict=True)]
        if sum(widths) <= room:
            return widths
    words = [i for i, column in enumerate(columns) if column.words]
    for broken in (False, True):  # what is no number
        least = {i: max([NARROWEST, *(_longest(row[block[i]], broken) for row in table.rows)]) for i in words}
        while sum(widths) > room:
            wide = [i for i in words if widths[i] > least[i]]
            if not wide:
                break
            widths[max(wide, key=lambda i: widths[i])] -= 1
        if sum(widths) <= room:
            return widths
    return []


def _longest(text: str, broken: bool = False) -> int:
    """Of the longest word; or the longest number, where other words may be broken."""
    return max((len(word) for word in text.split() if not broken or _NUMBER.fullmatch(word)), default=0)


@cache
def _narrowest(name: str, most: int) -> int:
    """The width at which a name takes at most so many lines."""
    widths = range(max(_longest(name), 1), len(name) + 1)
    return next((wide for wide in widths if len(_wrapped(name, wide)) <= most), 0)


def _grid(table: Table, block: list[int], width: int) -> list[str]:
    columns, widths = [table.columns[i] for i in block], _widths(table, block, width)

    def line(cells: Iterable[str]) -> str:
        pairs = zip(cells, columns, widths, strict=True)
        return (" " * GAP).join(f"{cell:{'<' if column.words else '>'}{wide}}" for cell, column, wide in pairs)

    names = [_wrapped(column.name, wide) for column, wide in zip(columns, widths, strict=True)]
    tallest = max(map(len, names))
    head = zip(*([""] * (tallest - len(name)) + name for name in names), strict=True)
    found = [*map(line, head), "─" * (sum(widths) + GAP * (len(block) - 1))]
    for row in table.rows:
        cells = [
            _wrapped(row[i], wide, hang=2) if column.words else [row[i]]
            for i, column, wide in zip(block, columns, widths, strict=True)
        ]
        found += map(line, zip_longest(*cells, fillvalue=""))
    return found


def _upright(table: Table, width: int) -> list[str]:
    """Row by row: what it is of, and below that a line for each column; its number on the next line if it is long."""
    keys, others = table.columns[: table.keys], table.columns[table.keys :]
    wide = max(len(column.name) for column in others)
    longest = max((len(cell) for row in table.rows for cell in row[table.keys :]), default=0)
    found: list[str] = []
    for row in table.rows:
        told = [cell if key.words else f"{key.name} = {cell}" for key, cell in zip(keys, row, strict=False)]
        deep = len(told[0]) - len(told[0].lstrip(" ")) + 2
        found += _wrapped(", ".join(told), width)
        if len(others) == 1:
            found += _wrapped(f"{'':{deep}}{row[-1]}", width)
            continue
        for column, cell in zip(others, row[table.keys :], strict=True):
            if not cell:
                continue
            if deep + wide + GAP + longest <= width:
                found.append(f"{'':{deep}}{column.name:{wide + GAP}}{cell}")
            else:
                found += _wrapped(f"{'':{deep}}{column.name}", width)
                found += _wrapped(f"{'':{max(0, min(deep + 2, width - len(cell)))}}{cell}", width)
        found.append("")
    return found


# --- HTML


def to_html(parts: Iterable[Part]) -> str:
    """Tables and lines as HTML without scripts."""
    found = [_table_html(part) if isinstance(part, Table) else _line_html(part) for part in parts]
    return f"<div>{''.join(found)}</div>"


def _table_html(table: Table) -> str:
    sides = ["left" if column.words else "right" for column in table.columns]

    def row(cells: Iterable[str], kind: str) -> str:
        styled = zip(cells, sides, strict=True)
        tagged = (f'<{kind} style="text-align:{side}">{_html(cell)}</{kind}>' for cell, side in styled)
        return f"<tr>{''.join(tagged)}</tr>"

    head = row((column.name for column in table.columns), "th")
    body = "".join(row(cells, "td") for cells in table.rows)
    caption = f'<caption style="text-align:left">{_html(table.title)}</caption>'
    notes = "".join(map(_line_html, table.notes))
    return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>{notes}"


def _line_html(text: str) -> str:
    return f"<p>{_html(text)}</p>"


def _html(text: str) -> str:
    """Escaped, with the spaces at its start."""
    return "&#160;" * (len(text) - len(text.lstrip(" "))) + escape(text.lstrip(" "))
