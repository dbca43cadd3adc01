"""Whether what was derived is what is registered, in every form that the record holds."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Derivative, sqrt

from riskcalc.derivation.algebra import as_positive, unfold, vanishes
from riskcalc.derivation.claims import Equal, Expands, Registered
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive
from riskcalc.formulas.records import Definitions, Expansion, FixedPoint, Formula, LinearEquation
from riskcalc.formulas.symbols import Expression, S
from riskcalc.theory import REGISTRY
from riskcalc.theory.masks import MOMENTS
from riskcalc.theory.symbols import (
    G1,
    M0,
    B,
    Lambda,
    M0bar,
    X,
    cross,
    echo,
    excess,
    fit_excess_risk,
    gained,
    gamma,
    kappa,
    part,
    partbar,
    put,
    r2,
    sigma2_small,
    zeta,
    zetabar,
)

# Symbols that stand for others by their declaration, without a formula of their own.
_MEANINGS = {
    excess: kappa * E(positive(Lambda)) - 1,
    r2: E(B**2),
    M0bar: 1 - M0,
    partbar: 1 - part,
    zetabar: 1 - zeta,
    fit_excess_risk: gamma - sigma2_small,
    gained: E(Lambda * put**2),
    cross: E(Lambda * (B - X) * put),
    echo: E(sqrt(Lambda / gamma) * G1 * put),
}


def is_registered(claim: Registered, where: Definitions) -> bool:
    """Whether the statement is what was derived, and every other form of the record agrees with the statement.

    Raises ValueError if a definition of the step would narrow the record to a special case.
    """
    formula, derived, whole = claim.formula, claim.derived, _definitions(claim.formula, where)
    if claim.relation != formula.relation:
        return False
    if not all(vanishes(unfold(one + other - 1, whole)) for one, other in formula.complements.items()):
        return False
    if formula.statement.is_Relational:
        return _is_equation(formula, derived, where, whole)
    if isinstance(formula, Expansion):
        same = isinstance(derived, Expands) and _is_expansion(formula, derived, where, whole)
    elif isinstance(derived, (Equal, Expands)):
        raise TypeError(f"{formula.id} is an expression; give the one that it should be")
    else:
        same = vanishes(unfold(derived, where) - unfold(formula.statement, whole))
    return same and vanishes(unfold(formula.reduced(), whole) - unfold(formula.statement, whole))


def _definitions(formula: Formula, where: Definitions) -> Definitions:
    """The record's own definitions, and those of the step that hold for the record without narrowing it."""
    found, pending = {**formula.where, **_moments(formula)}, _symbols(formula)
    while pending:
        symbol = pending.pop()
        rule = where.get(symbol, symbol)
        if symbol in found or rule == symbol:
            continue
        if not (rule == as_positive(symbol) or _follows(symbol, rule, formula)):
            raise ValueError(f"{symbol} is not {rule} in {formula.id}, or not in general")
        found[symbol] = rule
        pending |= rule.free_symbols
    return found


def _moments(formula: Formula) -> Definitions:
    """What the moments of a mask are for the record, where it says that they are not any."""
    own = {} if formula.moments is None else vars(formula.moments)
    return {symbol: own[name] for name, symbol in vars(MOMENTS).items() if own.get(name, symbol) != symbol}


def _symbols(formula: Formula) -> set[Expression]:
    """All symbols that the record is written in, and the moments of its mask."""
    forms = [form for form in vars(formula).values() if hasattr(form, "free_symbols") and form != formula.defines]
    symbols = set().union(*(form.free_symbols for form in (*forms, *formula.where.values())))
    return symbols | set(vars(MOMENTS).values()) if S in symbols else symbols


def _follows(symbol: Expression, rule: Expression, formula: Formula) -> bool:
    """Whether the symbol means this, by its declaration or by a formula that the record follows from."""
    equations = [symbol - _MEANINGS[symbol]] if symbol in _MEANINGS else []
    equations += [unfold(_residual(one), one.where) for one in _behind(formula) if one.relation == "="]
    known = dict(formula.where) | {symbol: rule}
    return any(one.has(symbol) and vanishes(unfold(one, known)) for one in equations)


def _behind(formula: Formula) -> list[Formula]:
    """The formulas that a formula was derived from, and those behind them; leading terms are no equations."""
    parents = [REGISTRY[id] for id in formula.derived_from]
    exact = [parent for parent in parents if not isinstance(parent, Expansion)]
    return exact + [one for parent in exact for one in _behind(parent)]


def _residual(formula: Formula) -> Expression:
    if formula.statement.is_Relational:
        return formula.statement.lhs - formula.statement.rhs
    return formula.defines - formula.statement


def _is_equation(formula: Formula, derived: Expression, where: Definitions, whole: Definitions) -> bool:
    if not isinstance(derived, Equal):
        raise TypeError(f"{formula.id} is an equation; give the one that it should be")
    found, registered = unfold(derived.left - derived.right, where), unfold(_residual(formula), whole)
    same = vanishes(found - registered) or vanishes(found + registered)
    if formula.evaluation is not None and not isinstance(formula, LinearEquation):
        return False
    return same and all(vanishes(unfold(form, whole)) for form in _solved_forms(formula))


def _solved_forms(formula: Formula) -> Iterator[Expression]:
    """What must vanish if an equation's other forms are the statement, and its terms are what they claim to be."""
    if isinstance(formula, LinearEquation):
        yield formula.reduced() - _residual(formula)
    if not isinstance(formula, FixedPoint):
        return
    x, balance = formula.defines, formula.balance()
    excess_load = (balance.lhs - balance.rhs) * (-x if formula.supply != 0 else 1)
    yield _residual(formula) - excess_load
    yield formula.part + formula.remainder - 1
    yield formula.slope + x * Derivative(formula.part, x)
    yield formula.bend - x * Derivative(formula.slope, x)
    if formula.rates:
        for rate, side in zip(formula.rates, (formula.part, formula.remainder), strict=True):
            yield rate * side - formula.slope


def _is_expansion(formula: Expansion, derived: Expands, where: Definitions, whole: Definitions) -> bool:
    own = (formula.defines, formula.variable, formula.point, formula.side)
    if own != (derived.expression, derived.variable, derived.point, derived.side):
        return False
    pairs = ((derived.terms, formula.statement), (derived.error, formula.error))
    return all(vanishes(unfold(one, where) - unfold(other, whole)) for one, other in pairs)
