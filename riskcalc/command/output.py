"""What commands print."""

from __future__ import annotations

import json
import sys
from typing import Any

import click


def watched() -> bool:
    """Whether somebody sees a progress bar."""
    return sys.stderr.isatty()


def show(result: Any, as_json: bool) -> None:
    """Print a result, for people or for machines."""
    click.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False) if as_json else str(result))
