"""Formulas on one line, in the part of LaTeX that matplotlib's mathtext draws."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from riskcalc.typesetting.displays import Equation, Extra

# What mathtext does not know, and what it knows instead; brackets take the size of what they hold.
_INSTEAD = {
    r"\\[bB]igg?l(?![A-Za-z])": r"\\left",
    r"\\[bB]igg?r(?![A-Za-z])": r"\\right",
    r"\\[lr]vert(?![A-Za-z]) ?": "|",
    r"\\(le|ge)(?![A-Za-z])": r"\\\1q",
}


def mathtext(stated: Sequence[Equation], where: Sequence[Equation | str], extra: Extra | None = None) -> str:
    """Equations and their where-definitions between dollar signs; ValueError for what has lines of its own."""
    first, rest = (", \\quad ".join(_line(one, extra) for one in some) for some in (stated, where))
    text = rf"{first} \quad \mathrm{{where}} \quad {rest}" if rest else first
    for pattern, known in _INSTEAD.items():
        text = re.sub(pattern, known, text)
    if r"\begin" in text:
        raise ValueError("with these numbers the law of the features is listed, which takes several lines")
    return f"${text}$"


def _line(equation: Equation | str, extra: Extra | None) -> str:
    if isinstance(equation, str):
        return equation
    (row,) = equation.rows(extra, line=math.inf)
    return row.replace("&", "", 1).strip()
