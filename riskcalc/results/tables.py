"""Tables for people: plain columns, five significant digits (rich)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import mpmath
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from riskcalc.exact import digits_of

# Longer tables are cut, with a line that says so.
MOST_ROWS = 24


def number(value: Any, digits: int | None = None) -> str:
    """A number as a table shows it: five significant digits, or as many as were asked for."""
    if value is None:
        return ""
    return digits_of(mpmath.mp.convert(value), digits) if digits else f"{float(value):.5g}"


def table(title: str, columns: Sequence[str], left: int = 1, right: int | None = None) -> Table:
    """An empty table; its columns are numbers, but for the first `left` ones and those from `right` on."""
    empty = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE)
    for i, column in enumerate(columns):
        text = i < left or (right is not None and i >= right)
        empty.add_column(column, justify="left" if text else "right", no_wrap=True)
    return empty


def filled(empty: Table, rows: Iterable[Iterable[str]], count: int = 0) -> list[RenderableType]:
    """The table with the first rows of `count`, and a line that says so where there are more."""
    for _, row in zip(range(MOST_ROWS), rows, strict=False):
        empty.add_row(*row)
    return [empty] if count <= MOST_ROWS else [empty, f"the first {MOST_ROWS} of {count} regimes"]


def to_text(parts: Iterable[RenderableType]) -> str:
    """Tables and lines as plain text, as wide as they are."""
    console = Console(width=100_000, color_system=None, highlight=False, markup=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().strip("\n").split("\n"))
