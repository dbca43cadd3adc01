"""Whether what was derived is what is registered, in every form that the record holds."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Derivative

from riskcalc.derivation.algebra import unfold, vanishes
from riskcalc.derivation.claims import Equal, Expands
from riskcalc.formulas.records import Definitions, Expansion, FixedPoint, Formula
from riskcalc.formulas.symbols import Expression


def is_registered(formula: Formula, derived: Expression | Equal | Expands, where: Definitions) -> bool:
    """Whether the statement is what was derived, and every other form of the record agrees with the statement.

    The record's own definitions come before those of the step, but for symbols that the step maps to themselves,
    which stay symbols.
    """
    whole = dict(where) | {s: rule for s, rule in formula.where.items() if where.get(s) != s}
    if isinstance(derived, Expands):
        return isinstance(formula, Expansion) and _is_expansion(formula, derived, where, whole)
    if isinstance(derived, Equal):
        if not formula.statement.is_Relational:
            raise TypeError(f"{formula.id} is not an equation; give the expression that it should be")
        residual = formula.statement.lhs - formula.statement.rhs
        same = (unfold(derived.left - derived.right, where) - sign * unfold(residual, whole) for sign in (1, -1))
        return any(map(vanishes, same)) and all(vanishes(unfold(form, whole)) for form in _solved_forms(formula))
    if not vanishes(unfold(derived, where) - unfold(formula.statement, whole)):
        return False
    return formula.evaluation is None or vanishes(unfold(formula.evaluation - formula.statement, whole))


def _solved_forms(formula: Formula) -> Iterator[Expression]:
    """What must vanish if an equation's other forms are the statement, and its terms are what they claim to be."""
    residual = formula.statement.lhs - formula.statement.rhs
    if not isinstance(formula, FixedPoint):
        yield (formula.evaluation - residual) if formula.evaluation is not None else sympy.S.Zero
        return
    x, balance = formula.defines, formula.balance()
    excess = (balance.lhs - balance.rhs) * (-x if formula.supply != 0 else 1)
    yield residual - excess
    yield formula.part + formula.remainder - 1
    yield formula.slope + x * Derivative(formula.part, x)
    yield formula.bend - x * Derivative(formula.slope, x)
    for rate, side in zip(formula.rates, (formula.part, formula.remainder), strict=False):
        yield rate * side - formula.slope


def _is_expansion(formula: Expansion, derived: Expands, where: Definitions, whole: Definitions) -> bool:
    own = (formula.defines, formula.variable, formula.point, formula.side)
    if own != (derived.expression, derived.variable, derived.point, derived.side):
        return False
    pairs = ((derived.terms, formula.statement), (derived.error, formula.error))
    return all(vanishes(unfold(one, where) - unfold(other, whole)) for one, other in pairs)
