"""The record of a sweep: every finished cell, appended to a file, by the key of its content.

After a header, a line is a checksum and a JSON object: the key, the arrays as base64 of their doubles, and a note. What
was cut off or changed is told by its checksum.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from riskcalc.files import check_output
from riskcalc.questions.sweep.cells import Result
from riskcalc.quoting import printable

try:
    import fcntl
except ImportError:  # where there are no such locks
    fcntl = None

# Seconds after which what was appended is written to the disk itself.
SAFE = 1.0
LETTERS = 16  # of a checksum
HEADER = b"cells of a riskcalc sweep, 1"

# Records that this process is writing: its lock keeps others off, but not itself.
_written: set[str] = set()


class Record:
    """Finished cells in a file.

    Raises
    ------
    ValueError
        If the file cannot be read or written, is no record, or another sweep is writing it.
    """

    def __init__(self, path: Path):
        self._name, self._synced = printable(str(path)), time.monotonic()
        self._lines: dict[str, dict[str, Any]] = {}
        check_output(path)
        self._place = os.path.realpath(path)
        if self._place in _written:
            raise ValueError(self._busy)
        try:
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise ValueError(f"cannot write {self._name}: {error.strerror}") from error
        _written.add(self._place)
        try:
            self._lock()
            self._read()
        except BaseException:
            self._close()
            raise

    @property
    def _busy(self) -> str:
        return f"{self._name} is being written by another sweep; wait for it, or end it"

    def _lock(self) -> None:
        """For this process alone: one that it started may outlive it."""
        try:
            if fcntl is not None:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise ValueError(self._busy) from error
        except OSError:  # a file system without locks
            pass

    def _close(self) -> None:
        self._file.close()
        _written.discard(self._place)

    def _read(self) -> None:
        """What is there. A last line that is not whole is cut off; other damaged lines are passed over."""
        self._file.seek(0)
        *lines, rest = self._file.readall().split(b"\n")
        first = lines.pop(0) if lines else None
        if first != HEADER and not (first is None and HEADER.startswith(rest)):
            raise ValueError(f"{self._name} is no record of a sweep; move it away, or write to another file")
        if first is None:
            self._file.truncate(0)
            self._write(HEADER)
            return
        told = [_checked(line) for line in lines]
        if not rest and told and told[-1] is None:
            rest = lines[-1] + b"\n"
            told.pop()
        if rest:
            self._file.truncate(self._file.tell() - len(rest))
            warnings.warn(f"the last line of {self._name} was not whole; its cell is run again", stacklevel=2)
        if damaged := [number for number, one in enumerate(told, 2) if one is None]:
            some = f"{len(damaged)} damaged lines of {self._name}, the first of them line {damaged[0]}"
            warnings.warn(f"{some}, are passed over; what else is needed of them is run again", stacklevel=2)
        self._lines = {one["key"]: one for one in told if one is not None}

    def get(self, key: str) -> Result | None:
        """What was found before, if it was."""
        if (told := self._lines.pop(key, None)) is None:
            return None
        arrays = {
            name: np.frombuffer(b64decode(text), "<f8").reshape(shape) for name, (shape, text) in told["arrays"].items()
        }
        return Result(arrays, told["note"])

    def append(self, key: str, result: Result) -> None:
        """Keep what was found. ValueError if it cannot be written."""
        arrays = {
            name: (array.shape, b64encode(np.asarray(array, "<f8").tobytes()).decode())
            for name, array in result.arrays.items()
        }
        text = json.dumps({"key": key, "arrays": arrays, "note": result.note}).encode()
        self._write(_checksum(text) + b" " + text)

    def _write(self, line: bytes) -> None:
        rest, end = memoryview(line + b"\n"), self._file.seek(0, os.SEEK_END)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            if time.monotonic() - self._synced > SAFE:
                self._sync()
        except OSError as error:
            self._file.truncate(end)
            raise ValueError(
                f"cannot write {self._name}: {error.strerror}; the cells finished before are kept: "
                "make room, and run it again"
            ) from error

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def __enter__(self) -> Record:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        try:
            self._sync()
        finally:
            self._close()


def _checksum(text: bytes) -> bytes:
    return sha256(text).hexdigest()[:LETTERS].encode()


def _checked(line: bytes) -> dict[str, Any] | None:
    """What a line tells; None if it is not as it was written."""
    sum, _, text = line.partition(b" ")
    return json.loads(text) if sum == _checksum(text) else None
