"""A score of one's own, read from its text: a weight times |X|, or any function of X and of what a feature is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import sympy
from sympy import Abs

from riskcalc.expressions import parse
from riskcalc.formulas.symbols import Expression
from riskcalc.theory.symbols import D, Lambda, X, nu


@dataclass(frozen=True)
class Read:
    """A score.

    Attributes
    ----------
    score : Expr
        In X, Lambda, D and nu.
    weight : Expr or None
        What it is |X| times, where that is known to be positive.
    bends, flat
        As of a `riskcalc.prediction.policies.Scored`.
    """

    score: Expression
    weight: Expression | None
    bends: tuple[Expression, ...]
    flat: bool


@lru_cache(maxsize=256)
def read(text: str) -> Read:
    """The score of a text."""
    names = {"X": X, "Lambda": Lambda, "D": D, "nu": nu}
    functions = {"abs": sympy.Abs, "max": sympy.Max, "min": sympy.Min}
    functions |= {name: getattr(sympy, name) for name in ("sqrt", "exp", "log", "sign", "tanh", "atan")}
    found = parse(text, tuple(names)).value(names, functions, lambda x: sympy.Rational(x.numerator, x.denominator))
    own = found.subs(X, 1)
    live = own.subs(Lambda, sympy.Dummy("Lambda", positive=True))
    # A weight that is infinite without variance is no weight there, and is refused by the scan if it comes to that.
    known = own.subs(Lambda, 0).is_finite is not False
    weighs = live.is_positive and known and sympy.simplify(found - Abs(X) * own) == 0
    flat = found.has(sympy.Max, sympy.Min, sympy.sign) or len(found.atoms(Abs)) > 1
    return Read(found, own if weighs else None, tuple(dict.fromkeys(_bends(found))), flat)


def _bends(score: Expression) -> Iterator[Expression]:
    node: Any
    for node in sympy.preorder_traversal(score):
        if node.func in (sympy.Max, sympy.Min):
            yield from (one - other for one, other in combinations(node.args, 2) if (one - other).has(X))
        elif node.is_Add and node.has(X):
            yield node
