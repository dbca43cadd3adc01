"""Files that somebody names: read in bounded time and memory, and refused before work if they cannot be written."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from riskcalc.quoting import printable

# Bytes of a file, and seconds that a pipe may take to say more.
MOST_BYTES = 1 << 30
PATIENCE = 10.0


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """What a regular file or a pipe holds.

    Raises ValueError for what is neither, holds more bytes than `most`, is a pipe to which nobody writes, or cannot be
    read.
    """
    try:
        # A pipe is opened whether somebody writes to it or not.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb", buffering=0) as file:
            return _read(file, path, most)
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {printable(str(path))}: {_cause(error)}") from error


def _read(file, path: Path, most: int) -> bytes:
    status = os.fstat(file.fileno())
    if stat.S_ISDIR(status.st_mode):
        raise ValueError("it is a folder")
    piped = stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode)
    if not (stat.S_ISREG(status.st_mode) or piped):
        raise ValueError("it is neither a file nor a pipe")
    parts, got, size = [], 0, status.st_size
    while size <= most:
        if piped and not select.select([file], [], [], PATIENCE)[0]:
            raise ValueError(f"it is a pipe to which nothing was written for {PATIENCE:g} s; write a file first")
        part = file.read(1 << 20)
        if part is None:  # a pipe that says nothing yet
            continue
        if not part:
            return b"".join(parts)
        parts.append(part)
        got += len(part)
        size = max(size, got)
    raise ValueError(f"it holds more than {most >> 20} MiB")


def check_output(path: Path) -> None:
    """Refuse, by a ValueError, a path to which no file can be written, before the work that makes it."""
    try:
        target = Path(os.path.realpath(path))
        mode = _mode(path)
        if stat.S_ISDIR(mode):
            raise ValueError("it is a folder")
        if stat.S_ISFIFO(mode) and not path.is_relative_to("/dev"):
            raise ValueError("it is a pipe, which may have no reader; give a file")
        if not (mode or target.parent.is_dir()):
            raise ValueError(f"there is no folder {target.parent}")
        if not os.access(path if mode else target.parent, os.W_OK):
            raise ValueError("there is no permission")
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot write {printable(str(path))}: {_cause(error)}") from error


def _mode(path: Path) -> int:
    """What is there, as the system says it; 0 for nothing."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return 0


def _cause(error: Exception) -> str:
    return printable(getattr(error, "strerror", None) or str(error))
