"""Text that strangers wrote, such as names in files, as messages and tables show it."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from reprlib import Repr
from typing import Any

# Longer text is cut in a message, and of more names the first are shown.
LONGEST, MOST_NAMES = 60, 12
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = LONGEST


def printable(text: str) -> str:
    r"""Text with escapes in place of what a terminal would obey or not show.

    Examples
    --------
    >>> printable("a red \x1b[31mname\u202e")
    'a red \\x1b[31mname\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def quoted(value: Any) -> str:
    """A value as a message quotes it: escaped, on one line, and not long.

    Examples
    --------
    >>> quoted(" y")
    "' y'"
    >>> quoted("1" * 1000)
    "'111111111111111111111111111...1111111111111111111111111111'"
    """
    try:
        text = " ".join(printable(_SHORT.repr(value)).split())
    except ValueError:  # an integer with more digits than Python writes
        text = f"<{type(value).__name__}>"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 13]}...{text[-10:]}"


def names(values: Iterable[Any]) -> str:
    """Names as a message lists them, quoted; of many the first.

    Examples
    --------
    >>> names(["a", " b"])
    "'a', ' b'"
    >>> names(range(1000))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 988 more'
    """
    values = values if isinstance(values, Sized) else [*values]
    first = [quoted(value) for value, _ in zip(values, range(MOST_NAMES), strict=False)]
    rest = len(values) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest else "")
