"""The record of a sweep: every finished cell, appended to a file, by the key of its content.

After a header, a line is a checksum, the key, and a JSON object: the arrays, as base64 of their bytes, and a note. What
was cut off or changed is told by its checksum.
"""

from __future__ import annotations

import io
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
HEADER = b"cells of a riskcalc sweep, 1\n"

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
        self._places: dict[str, tuple[int, int]] = {}  # of the lines, with their lengths
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
        """Where things are. A last line that is not whole is cut off; other damaged lines are passed over."""
        reader = io.BufferedReader(self._file)
        try:
            reader.seek(0)
            first, number, bad = reader.readline(len(HEADER)), 1, []
            if first != HEADER and not (HEADER.startswith(first) and not reader.peek(1)):
                raise ValueError(f"{self._name} is no record of a sweep; move it away, or write to another file")
            place = len(HEADER)
            for number, line in enumerate(reader, 2):
                if (key := _key(line)) is None:
                    bad.append((number, place))
                else:
                    self._places[key] = place, len(line)
                place += len(line)
        finally:
            reader.detach()
        if first != HEADER:
            self._file.truncate(0)
            self._write(HEADER)
        if bad and bad[-1][0] == number:
            self._file.truncate(bad.pop()[1])
            warnings.warn(f"the last line of {self._name} was not whole; its cell is run again", stacklevel=4)
        if bad:
            some = f"{len(bad)} damaged lines of {self._name}, the first of them line {bad[0][0]}"
            warnings.warn(f"{some}, are passed over; what else is needed of them is run again", stacklevel=4)

    def get(self, key: str) -> Result | None:
        """What was found before, if it was."""
        if key not in self._places:
            return None
        place, length = self._places[key]
        self._file.seek(place)
        told = json.loads(self._file.read(length).split(b" ", 2)[2])
        arrays = {
            name: np.frombuffer(b64decode(text), kind).reshape(shape)
            for name, (kind, shape, text) in told["arrays"].items()
        }
        return Result(arrays, told["note"])

    def append(self, key: str, result: Result) -> None:
        """Keep what was found. ValueError if it cannot be written."""
        arrays = {
            name: (array.dtype.str, array.shape, b64encode(array.tobytes()).decode())
            for name, array in result.arrays.items()
        }
        text = f"{key} {json.dumps({'arrays': arrays, 'note': result.note})}".encode()
        self._write(_checksum(text) + b" " + text + b"\n")

    def _write(self, line: bytes) -> None:
        rest, end = memoryview(line), self._file.seek(0, os.SEEK_END)
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


def _key(line: bytes) -> str | None:
    """The key of a line; None if it is not as it was written."""
    sum, _, text = line.removesuffix(b"\n").partition(b" ")
    whole = line.endswith(b"\n") and sum == _checksum(text)
    return text.partition(b" ")[0].decode() if whole else None
