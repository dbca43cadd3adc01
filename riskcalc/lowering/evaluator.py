"""Formulas at work: in one number system, as they are registered or with others in the place of some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from riskcalc.formulas.records import Definitions, FixedPoint, Formula, LinearEquation
from riskcalc.formulas.symbols import Expression
from riskcalc.lowering.compile import Lowered, linear_terms, lower, reduced
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.state import State
from riskcalc.lowering.systems import SolvingSystem


@dataclass(frozen=True, eq=False)
class Evaluator:
    """What evaluates formulas.

    Attributes
    ----------
    system : SolvingSystem
    instead : mapping of Formula to Formula
        What is evaluated in the place of a formula: a variant of one's own, or a mutant. A definition that it changes
        is changed wherever formulas share it.
    """

    system: SolvingSystem
    instead: Mapping[Formula, Formula] = field(default_factory=dict)
    _lowered: dict[Formula, Lowered] = field(default_factory=dict, repr=False)

    def __reduce__(self):
        return evaluator, (self.system, self.instead)  # compiled code stays in its process

    def of(self, formula: Formula) -> Any:
        """The formula that is evaluated in the place of one."""
        return self.instead.get(formula, formula)

    def form(self, formula: Formula) -> Expression:
        """What of a formula is evaluated, with H and S averaged out."""
        return reduced(self.of(formula))

    def value(self, formula: Formula, state: State) -> Any:
        """What a formula defines."""
        if formula not in self._lowered:
            own = self.of(formula)
            self._lowered[formula] = self.lower((reduced(own),), own.where, formula.id, scalar_output=True)
        return self._lowered[formula](state)

    def given(self, formula: Formula, where: Definitions, state: State) -> Any:
        """What a formula defines, with definitions of what it leaves open."""
        own = self.of(formula)
        return self.lower((reduced(own),), dict(where) | dict(own.where), formula.id, scalar_output=True)(state)

    def mismatch(self, equation: FixedPoint) -> Expression:
        """By how much, relatively, a root misses its equation."""
        return self.of(equation).mismatch

    def terms(self, equation: FixedPoint, where: Definitions, *, logs: bool = False) -> Lowered:
        """What the solver evaluates of an equation at every trial, or the logarithms where these underflow."""
        own = self.of(equation)
        return self.lower(own.log_terms() if logs else own.terms(), where, f"{equation.id}{'_tails' if logs else ''}")

    def linear_terms(self, equations: Iterable[LinearEquation]) -> tuple[Expression, ...]:
        """Constants and coefficients of linear equations."""
        return sum((linear_terms(self.of(equation)) for equation in equations), ())

    def lower(
        self,
        expressions: Iterable[Expression],
        where: Definitions,
        name: str,
        scalar_output: bool = False,
        sized: Iterable[Expression] = (),
        inexact: Iterable[str] = (),
    ) -> Lowered:
        """Compile expressions that share definitions; after them the sizes of those that are `sized`."""
        if self._changed:
            where = {symbol: self._changed.get((symbol, rule), rule) for symbol, rule in where.items()}
        return lower(expressions, where, self.system, name, scalar_output, sized, inexact)

    @cached_property
    def _changed(self) -> dict[tuple[Any, Expression], Expression]:
        """The definitions that are changed: of a symbol by its rule, the other rule."""
        found: dict[tuple[Any, Expression], Expression] = {}
        for old, new in self.instead.items():
            found[old.defines, old.statement] = new.statement
            found |= {(symbol, rule): new.where.get(symbol, rule) for symbol, rule in old.where.items()}
        return {pair: rule for pair, rule in found.items() if pair[1] != rule}


def instead_of(registered: Mapping[str, Formula], records: Mapping[str, Formula]) -> dict[Formula, Formula]:
    """The records that differ from those registered, by the ones that they stand for.

    ValueError for an id that is not registered, or not the record's own.
    """
    unknown = sorted(records.keys() - registered.keys())
    if unknown:
        raise ValueError(f"records hold {', '.join(unknown)}, but nothing of that id is registered")
    for id, record in records.items():
        if record.id != id:
            raise ValueError(f"records hold {record.id} as {id}; a variant keeps the id of what it stands for")
    return {registered[id]: record for id, record in records.items() if record is not registered[id]}


def evaluator(system: SolvingSystem, instead: Mapping[Formula, Formula]) -> Evaluator:
    """What evaluates formulas; the same one for the same system, with the formulas as they are."""
    return Evaluator(system, instead) if instead else _plain(system)


@cache
def _plain(system: SolvingSystem) -> Evaluator:
    return Evaluator(system)


# What evaluates the formulas as they are, in double precision.
PLAIN = evaluator(FLOAT64, {})
