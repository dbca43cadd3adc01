"""Text in files: in UTF-8 or, as some editors and shells write it, UTF-16; also compressed by gzip."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path

from riskcalc.quoting import printable

# Bytes of what is unpacked, the most.
MOST_BYTES = 1 << 28
_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """The text in a file, line ends as they are.

    Raises
    ------
    ValueError
        That names the file and the cause: it cannot be opened, is cut off, or is no text.
    """
    try:
        raw = path.read_bytes()
        return _decoded(_unpacked(raw) if raw.startswith(_GZIP) else raw)
    except UnicodeError as error:
        cause = f"it is no text in UTF-8, nor in UTF-16 with a byte order mark: {error}"
    except OSError as error:
        cause = error.strerror or str(error)
    except (ValueError, EOFError, zlib.error) as error:
        cause = str(error)
    raise ValueError(f"cannot read {printable(str(path))}: {printable(cause)}")


def _unpacked(raw: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
        found = file.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise ValueError(f"unpacked, it holds more than {MOST_BYTES >> 20} MiB")
    return found


def _decoded(raw: bytes) -> str:
    text = raw.decode("utf-16" if raw.startswith(_UTF16) else "utf-8-sig")
    if "\0" in text:
        raise UnicodeError(f"there is a zero character in position {text.index(chr(0))}")
    return text
