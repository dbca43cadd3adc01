"""The library of this package, its derivations in files; and a chapter of one's own, which builds on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from riskcalc.formulas.chapters import Chapter, Library
from riskcalc.formulas.records import Formula
from riskcalc.modules import run_file
from riskcalc.theory import CHAPTERS

_PACKAGE = Path(__file__).parents[1]
# Installed, the files lie inside the package; in a checkout, beside it.
_FOLDERS = (_PACKAGE / "_derivations", _PACKAGE.parent / "derivations")


def _files() -> dict[str, Path]:
    """The files of the derivations by name, in the order of reading: 01_ridge.py is "ridge"."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return {path.stem.split("_", 1)[1]: path for path in sorted(folder.glob("[0-9]*.py"))}


def from_file(path: Path, records: Mapping[str, Formula]) -> Any:
    """The derivation in a file, on these records. ValueError if it is none."""
    module = run_file(path)
    if not callable(getattr(module, "derivation", None)):
        raise ValueError(f"{path} has no function derivation(records)")
    return module.derivation(records)


LIBRARY = Library(CHAPTERS, {name: partial(from_file, path) for name, path in _files().items()})


@cache
def library_of(chapter: Chapter | None) -> Library:
    """A chapter of one's own on the basis of riskcalc's; without one, riskcalc's."""
    if not (chapter is None or isinstance(chapter, Chapter)):
        raise TypeError(f"chapter must be a Chapter, such as riskcalc.load_chapter gives, got {chapter!r}")
    return LIBRARY if chapter is None else LIBRARY.with_chapter(chapter)
