"""Whether what was derived is what is registered, in every form that the record holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sympy import Derivative

from riskcalc.derivation.algebra import as_positive, unfold, vanishes
from riskcalc.derivation.background import Background
from riskcalc.derivation.claims import Equal, Expands, Registered
from riskcalc.formulas.records import Definitions, Expansion, FixedPoint, Formula, LinearEquation
from riskcalc.formulas.symbols import Expression, S

Unfolding = Callable[[Expression], Expression]  # by the definitions of the step, or by those of the record


def is_registered(claim: Registered, where: Definitions, background: Background) -> bool:
    """Whether the statement is what was derived, and every other form of the record agrees with the statement.

    Raises ValueError if a definition of the step would narrow the record to a special case.
    """
    formula, derived = claim.formula, claim.derived
    mine = partial(unfold, where=where, background=background)
    its = partial(unfold, where=_definitions(formula, where, background), background=background)
    if claim.relation != formula.relation:
        return False
    if not all(vanishes(its(one + other - 1)) for one, other in formula.complements.items()):
        return False
    if formula.statement.is_Relational:
        return _is_equation(formula, derived, mine, its)
    if isinstance(formula, Expansion):
        same = isinstance(derived, Expands) and _is_expansion(formula, derived, mine, its)
    elif isinstance(derived, (Equal, Expands)):
        raise TypeError(f"{formula.id} is an expression; give the one that it should be")
    else:
        same = vanishes(mine(derived) - its(formula.statement))
    return same and vanishes(its(formula.reduced()) - its(formula.statement))


def _definitions(formula: Formula, where: Definitions, background: Background) -> Definitions:
    """The record's own definitions, and those of the step that hold for the record without narrowing it."""
    found = {**formula.where, **_moments(formula, background)}
    pending = _symbols(formula, background)
    while pending:
        symbol = pending.pop()
        rule = where.get(symbol, symbol)
        if symbol in found or rule == symbol:
            continue
        if not (rule == as_positive(symbol) or _follows(symbol, rule, formula, background)):
            raise ValueError(f"{symbol} is not {rule} in {formula.id}, or not in general")
        found[symbol] = rule
        pending |= rule.free_symbols
    return found


def _moments(formula: Formula, background: Background) -> Definitions:
    """What the moments of a mask are for the record, where it says that they are not any."""
    own = {} if formula.moments is None else vars(formula.moments)
    return {symbol: own[name] for name, symbol in vars(background.moments).items() if own.get(name, symbol) != symbol}


def _symbols(formula: Formula, background: Background) -> set[Expression]:
    """All symbols that the record is written in, and the moments of its mask."""
    forms = [form for form in vars(formula).values() if hasattr(form, "free_symbols") and form != formula.defines]
    symbols = set().union(*(form.free_symbols for form in (*forms, *formula.where.values())))
    return symbols | set(vars(background.moments).values()) if S in symbols else symbols


def _follows(symbol: Expression, rule: Expression, formula: Formula, background: Background) -> bool:
    """Whether the symbol means this, by its declaration or by a formula that the record follows from."""
    equations = [symbol - background.meanings[symbol]] if symbol in background.meanings else []
    behind = (one for one in _behind(formula, background) if one.relation == "=")
    equations += [unfold(_residual(one), one.where, background) for one in behind]
    known = dict(formula.where) | {symbol: rule}
    return any(one.has(symbol) and vanishes(unfold(one, known, background)) for one in equations)


def _behind(formula: Formula, background: Background) -> list[Formula]:
    """The formulas that a formula was derived from, and those behind them; leading terms are no equations."""
    parents = [background.records[id] for id in formula.derived_from]
    exact = [parent for parent in parents if not isinstance(parent, Expansion)]
    return exact + [one for parent in exact for one in _behind(parent, background)]


def _residual(formula: Formula) -> Expression:
    if formula.statement.is_Relational:
        return formula.statement.lhs - formula.statement.rhs
    return formula.defines - formula.statement


def _is_equation(formula: Formula, derived: Expression, mine: Unfolding, its: Unfolding) -> bool:
    if not isinstance(derived, Equal):
        raise TypeError(f"{formula.id} is an equation; give the one that it should be")
    found, registered = mine(derived.left - derived.right), its(_residual(formula))
    same = vanishes(found - registered) or vanishes(found + registered)
    if formula.evaluation is not None and not isinstance(formula, LinearEquation):
        return False
    return same and all(vanishes(its(form)) for form in _solved_forms(formula))


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


def _is_expansion(formula: Expansion, derived: Expands, mine: Unfolding, its: Unfolding) -> bool:
    own = (formula.defines, formula.variable, formula.point, formula.side)
    if own != (derived.expression, derived.variable, derived.point, derived.side):
        return False
    pairs = ((derived.terms, formula.statement), (derived.error, formula.error))
    return all(vanishes(mine(one) - its(other)) for one, other in pairs)
