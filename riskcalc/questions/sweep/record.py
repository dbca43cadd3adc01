"""The record of a sweep: every finished cell, appended to a file, by the key of its content.

A line is a checksum and a JSON object: the key, the arrays as base64 of their doubles, and a note. What was cut off or
changed is told by its checksum.
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
        try:
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise ValueError(f"cannot write {self._name}: {error.strerror}") from error
        try:
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ValueError(f"{self._name} is being written by another sweep; wait for it, or end it") from error

    def _read(self) -> None:
        """What is there. A last line that is none is cut off; others are left, and their cells run again."""
        self._file.seek(0)
        *lines, rest = self._file.readall().split(b"\n")
        bad = []
        for number, line in enumerate(lines):
            if (told := _checked(line)) is None:
                bad.append(number)
            else:
                self._lines[told["key"]] = told
        if lines and len(bad) == len(lines):
            raise ValueError(f"{self._name} is no record of a sweep; move it away, or write to another file")
        if rest or (bad and bad[-1] == len(lines) - 1):
            if not rest:
                bad.pop()
                rest = lines[-1] + b"\n"
            self._file.truncate(self._file.tell() - len(rest))
            warnings.warn(f"the last line of {self._name} was not whole; its cell is run again", stacklevel=2)
        if bad:
            damaged = f"{len(bad)} lines of {self._name} are damaged, the first is line {bad[0] + 1}"
            warnings.warn(f"{damaged}; their cells are run again", stacklevel=2)

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
        line, written, end = _checksum(text) + b" " + text + b"\n", 0, self._file.seek(0, os.SEEK_END)
        try:
            while written < len(line):
                written += self._file.write(line[written:])
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
        with self._file:
            self._sync()


def _checksum(text: bytes) -> bytes:
    return sha256(text).hexdigest()[:LETTERS].encode()


def _checked(line: bytes) -> dict[str, Any] | None:
    """What a line tells; None if it is not as it was written."""
    sum, _, text = line.partition(b" ")
    return json.loads(text) if sum == _checksum(text) else None
