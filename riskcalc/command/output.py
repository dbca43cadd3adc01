"""What commands print."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from riskcalc.quoting import printable


def watched() -> bool:
    """Whether somebody sees a progress bar."""
    return sys.stderr.isatty()


def warned(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning, as `warnings.showwarning` does, and keep it for the JSON of the result."""
    text = printable(" ".join(str(message).split()))
    _warnings().append(text)
    click.echo(f"riskcalc: warning: {text}", err=True)


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
