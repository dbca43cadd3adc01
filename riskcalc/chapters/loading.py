"""A chapter from where it is defined: a Python file, or an installed package."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from riskcalc.formulas.chapters import Chapter
from riskcalc.lookup import look_up
from riskcalc.modules import failures_of, run_file
from riskcalc.theory import CHAPTERS
from riskcalc.theory.library import library_of

GROUP = "riskcalc.chapters"


def load_chapter(source: str | Path) -> Chapter:
    """The chapter that a Python file or an installed package defines.

    Parameters
    ----------
    source : str or Path
        The path of a file that ends in .py, or the name of an entry point of the group ``riskcalc.chapters``. Either
        gives one `Chapter`: the value of the entry point itself, or of one variable of the file or the module.

    Returns
    -------
    Chapter

    Raises
    ------
    ValueError
        If the file is not there, fails (the message tells its own lines), or defines no chapter or several; if no
        package has that name (the near ones are told); if ids are taken, formulas are named that are not there, or the
        chapter is not what a `Chapter` must be.
    TypeError
        If `source` is neither a string nor a path.

    Examples
    --------
    >>> import riskcalc as rc
    >>> rc.load_chapter("nowhere.py")
    Traceback (most recent call last):
    ValueError: there is no file nowhere.py
    """
    if not isinstance(source, (str, Path)):
        raise TypeError(f"source must be the path of a file or the name of an entry point, got {source!r}")
    path = Path(source)
    if path.suffix == ".py" or isinstance(source, Path):
        chapter = _of(run_file(path), str(source))
    else:
        chapter = _installed(source)
    library_of(chapter)  # which refuses ids that are taken or unknown
    return chapter


def _installed(name: str) -> Chapter:
    """The chapter of an entry point."""
    known: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not known:
        raise ValueError(f"no chapter is called {name!r}: no installed package has any; a file ends in .py")
    entry = look_up(name, known, "chapter")
    with failures_of(f"{name} ({entry.value})"):
        found = entry.load()
    return found if isinstance(found, Chapter) else _of(found, f"{name} ({entry.value})")


def _of(module: Any, source: str) -> Chapter:
    """The one chapter that a module defines; those of riskcalc that it imports are not its own."""
    own = {id(value): value for value in getattr(module, "__dict__", {}).values() if isinstance(value, Chapter)}
    own = [chapter for chapter in own.values() if chapter not in CHAPTERS.values()]
    if len(own) != 1:
        several = f"{len(own)} chapters, {' and '.join(chapter.id for chapter in own)}; give each its own file"
        raise ValueError(f"{source} defines {several if own else 'no riskcalc.chapters.Chapter'}")
    return own[0]
