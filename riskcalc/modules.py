"""Python that somebody brings, run as a module; what goes wrong in it is told by its own lines, without ours."""

from __future__ import annotations

import importlib.util
import linecache
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType

import cloudpickle

# Lines that a failure went through, of which are told: the first and the last.
MOST_PLACES = 8
MOST_BYTES = 1 << 24
# What cloudpickle calls the file of every function.
_PICKLED = "<dynamic-code>"
# Where frames are ours, or of the machinery that imports.
_OURS = Path(__file__).parent, Path(importlib.util.__file__).parent


class Failure(ValueError):
    """What went wrong in Python that somebody brings, told once, by its innermost source."""


def run_file(path: Path) -> ModuleType:
    """The module that a file defines; run once, and again when the file has changed.

    Raises ValueError for a file that is not there, is too large, is no Python, or fails.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} holds more than {MOST_BYTES >> 20} MiB, which is no Python that somebody wrote")
    return _run(path.resolve(), path.stat().st_mtime_ns)


@cache
def _run(path: Path, _changed: int) -> ModuleType:
    name = f"riskcalc file {path}"  # by which nothing can import it
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for it there
    cloudpickle.register_pickle_by_value(module)
    with failures_of(str(path)):
        spec.loader.exec_module(module)
    return module


@contextmanager
def failures_of(source: str) -> Iterator[None]:
    """Turn whatever goes wrong in the running of a source into a `Failure` that says where in it, in one line.

    What it prints is no answer of ours: it goes to stderr.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Failure, KeyboardInterrupt):
        raise
    except BaseException as error:
        if isinstance(error, SyntaxError):
            line = "" if error.lineno is None else f", line {error.lineno}"
            raise Failure(f"{error.filename or source}{line}: {error.msg}") from error
        told = [*_places(error)]
        if len(told) > MOST_PLACES:
            told[MOST_PLACES // 2 : -MOST_PLACES // 2] = ["..."]
        places = "; ".join(told) or "no line of its own"
        raise Failure(f"{source} fails: {places}: {type(error).__name__}: {error}") from error


def _places(error: BaseException) -> Iterator[str]:
    """The lines of the source that an error went through, from the first on: those of files beside its own, too."""
    frames = [(file, frame, line) for file, frame, line in _frames(error) if _is_foreign(file)]
    for file, frame, line in frames:
        root, path = Path(frames[0][0]).parent, Path(file)
        if path.is_relative_to(root) and "site-packages" not in path.relative_to(root).parts:
            shown = "" if file == frames[0][0] else f"{path.name}, "
            yield f"{shown}line {line}, in {frame.f_code.co_name}, {linecache.getline(file, line).strip()}"


def _frames(error: BaseException) -> Iterator[tuple[str, FrameType, int]]:
    """Files and lines; a function that was pickled for another process knows its file by its globals only."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        yield frame.f_globals.get("__file__", file) if file == _PICKLED else file, frame, line


def _is_foreign(filename: str) -> bool:
    """Whether a file is neither of riskcalc nor of the machinery that imports, or of its backport."""
    own = any(Path(filename).is_relative_to(folder) for folder in _OURS)
    return not (filename.startswith("<") or own or Path(filename).parent.name == "importlib_metadata")
