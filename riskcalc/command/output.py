"""What commands print."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager
from typing import Any

import click

# Letters of a message.
LONGEST = 1000


def watched() -> bool:
    """Whether somebody sees a progress bar."""
    return sys.stderr.isatty()


# What all derivations take on one processor, and one of them, and all mutants: more or less, in seconds.
DERIVATIONS, DERIVATION, MUTANTS = 200.0, 20.0, 10_000.0


def announced(seconds: float, workers: int | None) -> AbstractContextManager:
    """A progress bar that is there before the formulas are read, of work that takes so long on one processor."""
    from riskcalc.simulation.progress import Progress
    from riskcalc.simulation.workers import processors

    expected = seconds / (workers or processors())
    return Progress("reading the formulas" if watched() else None, expected=expected)


def one_line(message: str) -> str:
    """A message as one line of bounded length; what moves the cursor or cannot be seen is escaped."""
    words = " ".join(message.split())
    line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in words[: 2 * LONGEST])
    if len(words) <= LONGEST >= len(line):
        return line
    end = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in words[-LONGEST // 3 :])
    return f"{line[: 2 * LONGEST // 3]} ... {end[-LONGEST // 3 :]}"


def show(result: Any, as_json: bool) -> None:
    """Print a result, for people or for machines."""
    click.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False) if as_json else str(result))
