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
from typing import Any

import mpmath
import rich.table
from rich.align import Align
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
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

# What it prints is given its width each time, so that a number longer than a line can be whole.
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


def _printed(what: RenderableType, width: int) -> str:
    with _PLAIN.capture() as found:
        _PLAIN.print(what, width=width)
    return "\n".join(line.rstrip() for line in found.get().splitlines())


def _words(text: str) -> Padding:
    """Wrapped below each other, as deep as the first."""
    words = text.lstrip(" ")
    return Padding(Text(words, overflow="fold"), (0, 0, 0, len(text) - len(words)))


def _line(text: str, width: int) -> str:
    if len(text) <= width and text.isascii() and text.isprintable():  # nothing to wrap
        return text.rstrip()
    return _printed(_words(text), max(width, _longest(text, _NUMBER)))


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
    keys, others = list(range(table.keys)), list(range(table.keys, len(table.columns)))

    def fits(block: list[int]) -> bool:
        return _PLAIN.measure(_grid(table, block)).minimum <= width

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
    grids = [_grid(table, block, lines, wrapped=False) for lines in (1, 2, 3, WIDEST)]
    grid = next((grid for grid in grids if _PLAIN.measure(grid).minimum <= width), _grid(table, block))
    for row in table.rows:
        grid.add_row(*(_words(row[i]) if table.columns[i].words else Text(row[i]) for i in block))
    # Rich takes from the widest first, whatever the least: of several that are wrapped one may then exceed its share.
    drawn = (_printed(grid, room) for room in range(width, 0, -1))
    return next(text for text in drawn if max(map(cell_len, text.splitlines())) <= width)


def _grid(table: Table, block: list[int], lines: int = WIDEST, wrapped: bool = True) -> rich.table.Table:
    """With room for all rows; names take about so many lines. Numbers are not broken, nor cells without a blank."""
    grid = rich.table.Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for column, cells in ((table.columns[i], [row[i] for row in table.rows]) for i in block):
        side = "left" if column.words else "right"
        head = Align(Text(column.name, overflow="fold"), side, vertical="bottom")
        name = max(_longest(column.name), math.ceil(len(column.name) / lines))
        if wrapped and column.words and any(" " in cell.strip() for cell in cells):
            least = [max(_longest(cell, _NUMBER), min(_longest(cell), NARROWEST)) for cell in cells]
            grid.add_column(head, justify=side, min_width=max(name, *least))
        else:
            grid.add_column(head, justify=side, width=max([name, *map(cell_len, cells)]))
    return grid


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
