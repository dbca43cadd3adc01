"""Products taken apart: powers above and below a fraction line, and factors side by side."""

from __future__ import annotations

import re
from typing import Any

import sympy
from sympy import Mul, Pow, Rational

from riskcalc.formulas.symbols import Expression
from riskcalc.typesetting.textbook import Written

HALF = Rational(1, 2)
NUMBER = re.compile(r"\\frac\{(\d+)\}\{(\d+)\}")


def power_of(factor: Expression) -> tuple[Expression, Expression]:
    """A factor as base and exponent."""
    return factor.args if isinstance(factor, Pow) else (factor, sympy.S.One)


def sides(factors: list[tuple[Expression, Expression]]) -> tuple[list, list]:
    """The powers above and below a fraction line; a fraction below is turned over."""
    above, below = [], []
    for base, power in factors:
        negative = power.as_coeff_Mul()[0].is_negative
        fraction = NUMBER.fullmatch(base.name) if isinstance(base, Written) else None
        if negative and fraction is not None:
            over, under = fraction.groups()
            above.append((Written(rf"\frac{{{under}}}{{{over}}}" if over != "1" else under, positive=True), -power))
        else:
            (below if negative else above).append((base, -power if negative else power))
    return above, below


def rationalised(number: Any, above: list, below: list) -> tuple[Any, list, list]:
    """Undo SymPy's sqrt(2)/2 for 1/sqrt(2), and put roots that stand over roots under one root."""
    for base, power in list(above):
        if power == HALF and base.is_Integer and number.q % int(base) == 0:
            above, below = [factor for factor in above if factor != (base, power)], [*below, (base, power)]
            number *= base
    tops, bottoms = ([base for base, power in side if power == HALF] for side in (above, below))
    if tops and bottoms:
        above = [(base, power) for base, power in above if power != HALF]
        below = [(base, power) for base, power in below if power != HALF]
        quotient = Mul(Mul(*tops), Pow(Mul(*bottoms), -1, evaluate=False), evaluate=False)
        above.append((quotient, HALF))
    return number, above, below


def joined(parts: list[str]) -> str:
    """Factors side by side, with a dot where two numbers would run together."""
    text = ""
    for part in parts:
        if text and re.match(r"\d|\\frac\{\d+\}\{\d+\}", part) and re.search(r"(\d|\\frac\{\d+\}\{\d+\})$", text):
            text += r" \cdot"
        if text and part:
            text += r"\," if part.startswith(r"\mathb") or re.search(r"\\sqrt\{[^{}]*\}$", text) else " "
        text += part
    return text
