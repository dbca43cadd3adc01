"""The two kinds of symbol a formula is written in, and what each one means.

A `Scalar` has one value per regime (the noise variance, the effective ridge); a `LawSymbol` varies over the law of
the features (an eigenvalue, a coefficient, the Gaussian H, the mask S). The expectation `E` averages over law symbols
only, so the distinction decides what can be pulled out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

# SymPy's annotations do not describe its expressions well enough to check arithmetic on them.
Expression = Any


class Scalar(sympy.Symbol):
    """A symbol with one value per regime."""


class LawSymbol(sympy.Symbol):
    """A symbol that varies over the law of the features."""


@dataclass(frozen=True)
class Quantity:
    """What a symbol means, where it lives, and how it is typeset."""

    symbol: sympy.Symbol
    meaning: str
    domain: str
    latex: str


QUANTITIES: dict[sympy.Symbol, Quantity] = {}


def _declare(kind: type[sympy.Symbol], name: str, meaning: str, domain: str, latex: str, **assumptions: bool):
    symbol = kind(name, **(assumptions or {"nonnegative": True}))
    QUANTITIES[symbol] = Quantity(symbol, meaning, domain, latex)
    return symbol


def scalar(name: str, meaning: str, domain: str, latex: str, **assumptions: bool) -> Expression:
    """Declare a symbol with one value per regime; nonnegative unless other assumptions are given."""
    return _declare(Scalar, name, meaning, domain, latex, **assumptions)


def law_symbol(name: str, meaning: str, domain: str, latex: str, **assumptions: bool) -> Expression:
    """Declare a symbol that varies over the law; nonnegative unless other assumptions are given."""
    return _declare(LawSymbol, name, meaning, domain, latex, **assumptions)


# The two random variables that every law shares; the reducer removes them.
H = law_symbol("H", "standard normal variable of a fitted coefficient", "real line", "H", real=True)
S = law_symbol("S", "mask: 1 if the feature is kept, 0 if it is dropped", "{0, 1}", "S", real=True)
