"""Text with TeX between dollar signs, as a terminal shows it."""

from __future__ import annotations

import unicodedata
from xml.etree import ElementTree

from latex2mathml.converter import convert


def plain(text: str) -> str:
    """Text with its TeX in Unicode: Greek letters, roots, fractions and powers on one line."""
    parts = text.split("$")
    return "".join(_one_line(part) if place % 2 else part for place, part in enumerate(parts))


def _one_line(tex: str) -> str:
    return _text(ElementTree.fromstring(convert(tex))).strip()


def _text(node: ElementTree.Element) -> str:
    """What an element of MathML shows, on one line."""
    kind = node.tag.rpartition("}")[2]
    parts = [_text(child) for child in node]
    if kind == "mo":
        sign = (node.text or "").strip()
        return f" {sign} " if sign not in "|∥" and unicodedata.category(sign) == "Sm" else sign
    if kind == "mfrac":
        return "/".join(map(_bracketed, parts))
    if kind == "msqrt":
        return f"√{_bracketed(''.join(parts))}"
    if kind in ("msub", "msup"):
        return parts[0] + "_^"[kind == "msup"] + _bracketed(parts[1])
    if kind == "mover":
        return parts[0] + "\N{COMBINING MACRON}"
    return (node.text or "").strip() + "".join(parts)


def _bracketed(part: str) -> str:
    return part if len(part) == 1 else f"({part})"
