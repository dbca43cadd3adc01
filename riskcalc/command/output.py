"""What commands print."""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractContextManager, suppress
from typing import Any

import click

from riskcalc.quoting import printable

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


def warned(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning, as `warnings.showwarning` does, and keep it for the JSON of the result."""
    text = one_line(str(message))
    _warnings().append(text)
    say(f"warning: {text}")


def _warnings() -> list[str]:
    """What this run of the command line has warned of, in order."""
    run = click.get_current_context(silent=True)
    return [] if run is None else run.find_root().meta.setdefault(__name__, [])


def show(result: Any, as_json: bool) -> None:
    """Print a result, for people or for machines; these are told of the warnings, too."""
    if not as_json:
        click.echo(str(result))
        return
    told = {"warnings": _warnings()} if _warnings() else {}
    click.echo(json.dumps(result.to_dict() | told, indent=2, allow_nan=False))


def say(text: str) -> None:
    """Say something about the command itself on stderr."""
    with suppress(OSError):  # there is nowhere else to say it
        click.echo(f"riskcalc: {one_line(text)}", err=True)


def one_line(text: str) -> str:
    """Text in one line of bounded length, what moves the cursor or cannot be seen escaped."""
    words = " ".join(text.split())
    if len(words) > 2 * LONGEST:
        words = words[:LONGEST] + words[-LONGEST:]
    line = printable(words)
    return line if len(line) <= LONGEST else f"{line[: 2 * LONGEST // 3]} ... {line[-LONGEST // 3 :]}"


def told(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, RecursionError):
        return "what was given is nested too deeply"
    if isinstance(error, MemoryError):
        return f"what was asked for needs more memory than there is{f': {error}' if str(error) else ''}"
    if isinstance(error, ArithmeticError):
        return f"the numbers asked about are out of reach: {type(error).__name__}: {error}"
    return str(error) if isinstance(error, (ValueError, TypeError, OSError)) else f"{type(error).__name__}: {error}"


def discard_output() -> None:
    """Write nothing more to an output that cannot be written, also when the process ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except AttributeError:
        pass  # there is none
