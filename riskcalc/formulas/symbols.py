"""The two kinds of symbol a formula is written in, and what each one means.

A `Scalar` has one value per regime (the noise variance, the effective ridge); a `LawSymbol` varies over the law of
the features (an eigenvalue, a coefficient, the Gaussian H, the mask S). The expectation `E` averages over law symbols
only, so the distinction decides what can be pulled out of it.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import sympy
from sympy import Interval, oo

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
    domain: sympy.Set
    latex: str


QUANTITIES: dict[sympy.Symbol, Quantity] = {}


# Where quantities live. The domain decides what SymPy may assume of the symbol.
POSITIVE, NONNEGATIVE, UNIT = Interval.open(0, oo), Interval(0, oo), Interval(0, 1)
REAL = sympy.S.Reals


# The symbols of the theory by name: everywhere else a symbol of that name is the same one. Other names may stand for
# one symbol in one file and for another in another, if no formula and no claim has both.
_RESERVED: dict[str, Quantity] = {}

# Names that the law's measure has beside the symbols.
MEASURE = ("weights", "total")


def _declare(kind: type[sympy.Symbol], name: str, meaning: str, domain: sympy.Set, latex: str) -> Expression:
    if not name.isidentifier() or name.startswith("_") or keyword.iskeyword(name) or name in MEASURE:
        raise ValueError(f"a symbol cannot be called {name!r}; its LaTeX may be anything, its name is one in Python")
    if not (meaning.strip() and latex.strip()):
        raise ValueError(f"{name} needs a meaning and its LaTeX")
    assumption = next(
        (word for word, known in (("positive", POSITIVE), ("nonnegative", NONNEGATIVE)) if domain.is_subset(known)),
        "real",
    )
    symbol = kind(name, **{assumption: True})
    known = _RESERVED.get(name) or QUANTITIES.get(symbol)
    if known is not None and (type(known.symbol), known.domain) != (kind, domain):
        raise ValueError(
            f"{name} was declared in {known.domain} before, as {known.meaning}, and now in {domain}; take another name "
            "(its LaTeX may be the same)"
        )
    if known is not None and known.latex != latex:
        raise ValueError(
            f"{name} was written {known.latex} before, for {known.meaning}, and now {latex}; take another name"
        )
    QUANTITIES[symbol] = Quantity(symbol, meaning, domain, latex)
    return symbol


def scalar(name: str, meaning: str, domain: sympy.Set, latex: str) -> Expression:
    """Declare a symbol with one value per regime. ValueError if it is another already."""
    return _declare(Scalar, name, meaning, domain, latex)


def law_symbol(name: str, meaning: str, domain: sympy.Set, latex: str) -> Expression:
    """Declare a symbol that varies over the law. ValueError if it is another already."""
    return _declare(LawSymbol, name, meaning, domain, latex)


def reserve() -> None:
    """Keep the names of all symbols declared so far for these symbols."""
    _RESERVED.update({symbol.name: quantity for symbol, quantity in QUANTITIES.items()})


def refuse_namesakes(symbols: Iterable[sympy.Symbol], where: str) -> None:
    """Raise ValueError for two declared symbols of one name: they are one in numbers, and when taken as positive."""
    seen: set[str] = set()
    for symbol in set(symbols) & QUANTITIES.keys():
        if symbol.name in seen:
            raise ValueError(f"two symbols in {where} are called {symbol.name}; rename one")
        seen.add(symbol.name)


def refuse_undeclared(symbols: Iterable[sympy.Symbol], where: str) -> None:
    """Raise ValueError for a symbol without a meaning, naming the one that was probably meant."""
    for symbol in sorted(set(symbols) - QUANTITIES.keys(), key=str):
        declared = {known.name: quantity for known, quantity in QUANTITIES.items()}
        plain = f"{where} is written in {type(symbol).__name__}({symbol.name!r}), which was not declared"
        for name in get_close_matches(symbol.name, declared, n=1, cutoff=0.6):
            meant = declared[name]
            raise ValueError(
                f"{plain}; did you mean the declared {type(meant.symbol).__name__} {name}, {meant.meaning}?"
            )
        raise ValueError(f"{plain}; say what it means by scalar or law_symbol")


# The two random variables that every law shares; the reducer removes them.
H = law_symbol("H", "standard normal variable of a fitted coefficient", REAL, "H")
S = law_symbol("S", "mask: 1 if the feature is kept, 0 if it is dropped", sympy.FiniteSet(0, 1), "S")
