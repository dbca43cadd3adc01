"""Text in files: in UTF-8 or, as some editors and shells write it, UTF-16; also compressed by gzip."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path

from riskcalc.files import MOST_BYTES, read_bytes
from riskcalc.quoting import printable

_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The text in a file or a pipe, line ends as they are.

    Raises
    ------
    ValueError
        That names the file and the cause: it cannot be opened, holds more bytes than `most`, packed or unpacked, is
        cut off, or is no text.
    """
    try:
        return decoded(read_unpacked(path, most))
    except UnicodeError as error:
        raise ValueError(
            f"cannot read {printable(str(path))}: it is no text in UTF-8, nor in UTF-16 with a byte order mark: "
            f"{printable(str(error))}"
        ) from error


def read_unpacked(path: Path, most: int = MOST_BYTES) -> bytes:
    """What a file or a pipe holds, unpacked if it was compressed; ValueError that names it and the cause."""
    raw = read_bytes(path, most)
    try:
        return _unpacked(raw, most) if raw.startswith(_GZIP) else raw
    except OSError as error:
        cause = error.strerror or str(error)
    except (ValueError, EOFError, zlib.error) as error:
        cause = str(error)
    raise ValueError(f"cannot read {printable(str(path))}: {printable(cause)}")


def _unpacked(raw: bytes, most: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise ValueError(f"unpacked, it holds more than {most >> 20} MiB")
    return found


def decoded(raw: bytes) -> str:
    """Bytes as text; UnicodeError for what is none."""
    text = raw.decode("utf-16" if raw.startswith(_UTF16) else "utf-8-sig")
    if "\0" in text:
        raise UnicodeError(f"there is a zero character in position {text.index(chr(0))}")
    return text
