"""Mutants: formulas of a library with one small error each, of the kinds that people make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations
from typing import Any

import sympy

from riskcalc.formulas.chapters import Library
from riskcalc.formulas.records import Expansion, FixedPoint, Formula
from riskcalc.formulas.symbols import Expression, H, LawSymbol, S, Scalar
from riskcalc.theory.library import LIBRARY


@dataclass(frozen=True, eq=False)
class Mutant:
    """One error in one expression of the theory."""

    formulas: tuple[str, ...]  # ids of the records that hold the expression
    slot: Any  # the field of the records that holds it, or the symbol that it defines in their where-definitions
    kind: str  # what was done to it
    original: Expression
    mutated: Expression
    library: Library = LIBRARY

    def __str__(self) -> str:
        first, *rest = self.formulas
        others = f" and {len(rest)} more" if rest else ""
        return f"{first}{others}, {self.slot}: {self.kind}: {_printed(self.original)}  ->  {self.mutated}"

    @cached_property
    def records(self) -> dict[str, Formula]:
        """All formulas, with this error in them."""
        return {f.id: self._changed(f) if f.id in self.formulas else f for f in self.library.records.values()}

    def _changed(self, formula: Formula) -> Formula:
        if not isinstance(self.slot, str):
            return replace(formula, where=dict(formula.where) | {self.slot: self.mutated})
        if self.slot == "rates" and isinstance(formula, FixedPoint):
            rates = tuple(self.mutated if rate == self.original else rate for rate in formula.rates)
            return replace(formula, rates=rates)
        return replace(formula, **{self.slot: self.mutated})


@cache
def _printed(expression: Expression) -> str:
    """An expression of the theory, as its mutants show it."""
    return str(expression)


@cache
def mutants(library: Library = LIBRARY) -> list[Mutant]:
    """Every mutant of every formula of a library's own; an expression that several records share is mutated once."""
    holders: dict[tuple[Any, Expression], list[str]] = {}
    for formula in library.formulas.values():
        for slot, expression in _expressions(formula):
            holders.setdefault((slot, expression), []).append(formula.id)
    found = []
    for (slot, expression), ids in holders.items():
        seen = {expression}
        for kind, mutated in _mutations(expression):
            if mutated not in seen:
                seen.add(mutated)
                found.append(Mutant(tuple(ids), slot, kind, expression, mutated, library))
    return found


def _expressions(formula: Formula) -> Iterator[tuple[Any, Expression]]:
    """The expressions of a record and their slots: its own forms, and the definitions that these need.

    The bracket of an equation claims nothing: without the root in it there is an error, with it the same root.
    """
    own = [("statement", formula.statement), ("evaluation", formula.evaluation)]
    if isinstance(formula, FixedPoint):
        fields = ("part", "remainder", "slope", "bend", "scale", "supply", "target")
        own += [(slot, getattr(formula, slot)) for slot in fields] + [("rates", rate) for rate in formula.rates]
    if isinstance(formula, Expansion):
        own.append(("error", formula.error))
    own = [(slot, expression) for slot, expression in own if expression is not None]
    yield from own
    pending = set().union(*(expression.free_symbols for _, expression in own))
    if formula.moments is not None:
        pending |= set(vars(formula.moments).values())
    defined: set[Any] = set()
    while pending & formula.where.keys() - defined:
        symbol = min(pending & formula.where.keys() - defined, key=str)
        defined.add(symbol)
        pending |= formula.where[symbol].free_symbols
        yield symbol, formula.where[symbol]


def _mutations(expression: Expression) -> Iterator[tuple[str, Expression]]:
    """An expression with one error, for every place and kind of error."""
    for path, node in _places(expression, ()):
        for kind, changed in _errors(node):
            yield kind, _put(expression, path, changed)
    symbols = sorted(expression.free_symbols - {H, S}, key=str)
    for one, other in combinations(symbols, 2):
        yield f"swap {one} and {other}", expression.xreplace({one: other, other: one})
    if not isinstance(expression, sympy.Equality):
        yield "double it", 2 * expression
        yield "flip its sign", -expression


def _places(expression: Expression, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Expression]]:
    yield path, expression
    for i, argument in enumerate(expression.args):
        yield from _places(argument, (*path, i))


def _put(expression: Expression, path: tuple[int, ...], changed: Expression) -> Expression:
    if not path:
        return changed
    first, *rest = path
    arguments = list(expression.args)
    arguments[first] = _put(arguments[first], tuple(rest), changed)
    return expression.func(*arguments)


def _errors(node: Expression) -> Iterator[tuple[str, Expression]]:
    if isinstance(node, sympy.Add):
        for term in node.args:
            yield f"drop the term {term}", node - term
            yield f"flip the sign of {term}", node - 2 * term
            yield f"double {term}", node + term
    elif isinstance(node, sympy.Mul):
        for factor in node.args:
            if factor != -1:
                yield f"drop the factor {factor}", node / factor
    elif isinstance(node, sympy.Pow):
        yield f"another exponent of {node.base}", node.base ** (node.exp + 1)
        if node.exp != 2:
            yield f"another exponent of {node.base}", node.base ** (2 * node.exp)
    elif isinstance(node, (Scalar, LawSymbol)):
        yield f"square {node}", node**2
    elif node.is_Number and node not in (0, -1, 1):
        yield f"double the constant {node}", 2 * node
