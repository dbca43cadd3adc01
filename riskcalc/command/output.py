"""What commands print."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

# Letters of a message.
LONGEST = 1000


def watched() -> bool:
    """Whether somebody sees a progress bar."""
    return sys.stderr.isatty()


def one_line(message: str) -> str:
    """A message as one line of bounded length; what moves the cursor or cannot be seen is escaped."""
    line = " ".join(message[: 100 * LONGEST].split())
    if len(line) > LONGEST:
        line = f"{line[: 2 * LONGEST // 3]} ... {line[-LONGEST // 3 :]}"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)


def show(result: Any, as_json: bool) -> None:
    """Print a result, for people or for machines."""
    click.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False) if as_json else str(result))
