"""Things that people ask for by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from riskcalc.quoting import printable, quoted

Value = TypeVar("Value")


def look_up(name: str, table: Mapping[str, Value], kind: str) -> Value:
    """The entry of a name; LookupError with the near matches, or all names, if there is none."""
    if name in table:
        return table[name]
    near = get_close_matches(name, table, n=4, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(table)}"
    raise ValueError(f"no {kind} is called {quoted(name)}; {printable(hint)}")
