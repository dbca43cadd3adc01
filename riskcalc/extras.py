"""Packages that only some questions need: imported late, and named with how to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra(name: str, group: str | None = None) -> Any:
    """A package of an extra; ImportError that says how it is installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"this needs {name}: pip install 'riskcalc[{group or name}]'") from error
