"""Tables for people, declared once: as text within a line of the terminal, and as HTML in notebooks."""

from __future__ import annotations

import math
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from io import StringIO
from itertools import zip_longest
from typing import Any

import mpmath
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from riskcalc.exact import digits_of
from riskcalc.quoting import printable

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


def _printable(part: Part) -> Part:
    """A part whose text does nothing to a terminal, whoever wrote it."""
    if isinstance(part, str):
        return "\n".join(map(printable, part.split("\n")))
    columns = [replace(column, name=printable(column.name)) for column in part.columns]
    rows = [[printable(cell) for cell in row] for row in part.rows]
    notes, brief = [*map(_printable, part.notes)], part.brief and _printable(part.brief)
    return replace(part, title=_printable(part.title), columns=columns, rows=rows, notes=notes, brief=brief)


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
    return digits_of(mpmath.mp.convert(value), digits) if digits else f"{float(value):.5g}"


def cut(rows: Iterable[Sequence[str]], count: int) -> dict[str, Any]:
    """Of so many regimes the first rows, and a note that says so where there are more: arguments of a `Table`."""
    first = [row for _, row in zip(range(MOST_ROWS), rows, strict=False)]
    return {"rows": first, "notes": [] if count <= MOST_ROWS else [f"the first {MOST_ROWS} of {count} regimes"]}


# --- text

# What wraps asks for a console, of which it takes nothing but its tabs.
_PLAIN = Console(file=StringIO(), width=10**6, color_system=None, force_jupyter=False, legacy_windows=False)
_WORD, _NUMBER = re.compile(r"\S+"), re.compile(r"[-+]?\d[\d.]*(e[-+]?\d+)?[.,;]?")


def line_width() -> int:
    """Of a line: the terminal's, as the variable COLUMNS or itself says; 80 at most, and where there is none."""
    return min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)


def to_text(parts: Iterable[Part], width: int | None = None) -> str:
    """Tables and lines as plain text. Only what holds a number that is longer exceeds the width."""
    width = width or line_width()
    found: list[str] = []
    for part in map(_printable, parts):
        found += ["", *_shown(part, width), ""] if isinstance(part, Table) else [_line(part, width)]
    return re.sub("\n{3,}", "\n\n", "\n".join(found).strip("\n"))


def _wrapped(text: str, width: int) -> list[str]:
    """Lines below each other, as deep as the first."""
    if text.isprintable() and cell_len(text) <= width:  # nothing to wrap
        return [text.rstrip()]
    words = text.lstrip(" ")
    deep = text[: len(text) - len(words)]
    lines = Text(words).wrap(_PLAIN, max(1, width - len(deep)), overflow="fold")
    return [(deep + line.plain).rstrip() for line in lines]


def _line(text: str, width: int) -> str:
    return "\n".join(_wrapped(text, max(width, _longest(text, _NUMBER))))


def _longest(text: str, kind: re.Pattern[str] = _WORD) -> int:
    """The width of the longest word of a kind, with the spaces at the start of the text."""
    return len(text) - len(text.lstrip(" ")) + max((cell_len(x) for x in text.split() if kind.fullmatch(x)), default=0)


def _shown(table: Table, width: int) -> list[str]:
    blocks = _blocks(table, width)
    if len(blocks) != 1 and table.brief is not None:
        return _shown(table.brief, width)
    grids = [line for block in blocks for line in ("", _drawn(table, block, width))] or ["", *_upright(table, width)]
    return [*(_line(text, width) for text in [table.title] if text), *grids, *(_line(x, width) for x in table.notes)]


def _blocks(table: Table, width: int) -> list[list[int]]:
    """The columns of every part of a table that has to be broken; none where a part would have but one of several."""
    every = list(range(len(table.columns)))
    keys, others, least = every[: table.keys], every[table.keys :], _least(table, every)

    def fits(block: list[int]) -> bool:
        return _total([least[i] for i in block]) <= width

    def filled(most: int) -> list[list[int]]:
        blocks = [keys]
        for other in others:
            if len(blocks[-1]) < table.keys + most and fits([*blocks[-1], other]):
                blocks[-1] = [*blocks[-1], other]
            else:
                blocks.append([*keys, other])
        return blocks

    full = filled(len(others))
    several = len(others) == 1 or all(len(block) > table.keys + 1 for block in full[:-1])
    if not (several and all(map(fits, full))):
        return []
    even = filled(math.ceil(len(others) / len(full)))
    return even if len(even) == len(full) else full


def _drawn(table: Table, block: list[int], width: int) -> str:
    """Columns side by side; words are wrapped only where it does not help to wrap names."""
    whole = (_least(table, block, lines, wrapped=False) for lines in (1, 2, 3, WIDEST))
    widths = next((widths for widths in whole if _total(widths) <= width), None) or _shared(table, block, width)
    columns = [table.columns[i] for i in block]

    def parts(cells: Iterable[str]) -> list[list[str]]:
        return [_wrapped(cell, room) for cell, room in zip(cells, widths, strict=True)]

    def lines(parts: Iterable[Sequence[str]]) -> Iterator[str]:
        for line in zip_longest(*parts, fillvalue=""):
            cells = (_placed(text, room, one) for text, room, one in zip(line, widths, columns, strict=True))
            yield (" " * GAP).join(cells).rstrip()

    names = parts(column.name for column in columns)
    deep = max(map(len, names))
    found = [*lines([""] * (deep - len(name)) + name for name in names), "─" * _total(widths)]
    for row in table.rows:
        found += lines(parts(row[i] for i in block))
    return "\n".join(found)


def _placed(text: str, room: int, column: Column) -> str:
    blank = " " * (room - cell_len(text))
    return text + blank if column.words else blank + text


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _shared(table: Table, block: list[int], width: int) -> list[int]:
    """Widths where words are wrapped: none less than its least, and of the rest the widest give way."""
    least, most = _least(table, block), []
    for i, low in zip(block, least, strict=True):
        cells = [table.columns[i].name, *(row[i] for row in table.rows)]
        most.append(max(low, *map(cell_len, cells)) if _breaks(table, i) else low)
    shares = (
        [max(low, min(high, room)) for low, high in zip(least, most, strict=True)] for room in range(width, 0, -1)
    )
    widths = next(widths for widths in shares if _total(widths) <= width)
    for i in reversed(range(len(widths))):  # what is left is less than one for each
        widths[i] += widths[i] < most[i] and _total(widths) < width
    return widths


def _least(table: Table, block: list[int], lines: int = WIDEST, wrapped: bool = True) -> list[int]:
    """Widths with room for all rows; names take about so many lines. Numbers stay whole, and cells without a blank."""
    found = []
    for i in block:
        name, cells = table.columns[i].name, [row[i] for row in table.rows]
        if wrapped and _breaks(table, i):
            room = [max(_longest(cell, _NUMBER), min(_longest(cell), NARROWEST)) for cell in cells]
        else:
            room = [cell_len(cell) for cell in cells]
        found.append(max(_longest(name), math.ceil(len(name) / lines), *room))
    return found


def _breaks(table: Table, i: int) -> bool:
    return table.columns[i].words and any(" " in row[i].strip() for row in table.rows)


def _upright(table: Table, width: int) -> Iterator[str]:
    """Row by row: what it is of, and below that a line for each column; its number on the next line if it is long."""
    keys, others = table.columns[: table.keys], table.columns[table.keys :]
    wide = max(len(column.name) for column in others) + GAP
    longest = max((len(cell) for row in table.rows for cell in row[table.keys :]), default=0)
    for row in table.rows:
        told = [cell if key.words else f"{key.name} = {cell}" for key, cell in zip(keys, row, strict=False)]
        deep = " " * (len(told[0]) - len(told[0].lstrip(" ")) + 2)
        yield _line(", ".join(told), width)
        if len(others) == 1:
            yield _line(f"{deep}{row[-1]}", width)
            continue
        for column, cell in zip(others, row[table.keys :], strict=True):
            if cell and len(deep) + wide + longest <= width:
                yield f"{deep}{column.name:{wide}}{cell}"
            elif cell:
                yield _line(f"{deep}{column.name}", width)
                yield _line(f"{'':{max(0, min(len(deep) + 2, width - len(cell)))}}{cell}", width)
        yield ""


# --- HTML


def to_html(parts: Iterable[Part]) -> str:
    """Tables and lines as HTML without scripts."""
    found = [_table_html(part) if isinstance(part, Table) else _line_html(part) for part in map(_printable, parts)]
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
