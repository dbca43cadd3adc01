"""Formulas at work: in one number system, as they are registered or with others in the place of some."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, reduce
from typing import TYPE_CHECKING, Any

from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.recorded import recorded
from riskcalc.lowering.state import State
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.references import Reference, merged, resolved, text_of

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions, FixedPoint, Formula, LinearEquation
    from riskcalc.formulas.symbols import Expression


@dataclass(frozen=True)
class Integration:
    """How well what has no closed form is integrated.

    Attributes
    ----------
    tolerance : float
        The largest relative standard error of a risk.
    seed : int
        Of the draws.
    """

    tolerance: float = 0.01
    seed: int = 0


DEFAULT = Integration()


@dataclass(frozen=True, eq=False)
class Evaluator:
    """What evaluates formulas, or what refers to them: then their recorded code, if there is any, without SymPy.

    Attributes
    ----------
    system : SolvingSystem
    instead : mapping of Formula to Formula
        What is evaluated in the place of a formula: a variant of one's own, or a mutant. A definition that it changes
        is changed wherever formulas share it. Nothing recorded is then used.
    integration : Integration
        Where draws are averaged over.
    lowered : dict
        What was lowered of references alone, by their text and whether it has one output.
    facts : dict
        The plain values of references, by their text.
    """

    system: SolvingSystem
    instead: Mapping[Formula, Formula] = field(default_factory=dict)
    integration: Integration = DEFAULT
    lowered: dict[tuple[str, bool], Lowered] = field(default_factory=dict, repr=False)
    facts: dict[str, Any] = field(default_factory=dict, repr=False)
    _values: dict[Formula, Lowered] = field(default_factory=dict, repr=False)

    def __reduce__(self):
        return evaluator, (self.system, self.instead, self.integration)  # compiled code stays in its process

    def of(self, formula: Formula) -> Any:
        """The formula that is evaluated in the place of one."""
        if not self.instead:
            return formula
        return self.instead.get(resolved(formula), resolved(formula))

    def form(self, formula: Formula) -> Expression:
        """What of a formula is evaluated, with H and S averaged out."""
        own = self.of(formula)
        if isinstance(own, Reference):
            return own.reduced()
        from riskcalc.lowering.compile import reduced

        return reduced(own)

    def value(self, formula: Formula, state: State) -> Any:
        """What a formula defines."""
        if formula not in self._values:
            own = self.of(formula)
            self._values[formula] = self.lower((self.form(formula),), own.where, _name(formula), scalar_output=True)
        return self._values[formula](state)

    def given(self, formula: Formula, where: Definitions, state: State) -> Any:
        """What a formula defines, with definitions of what it leaves open."""
        where = merged(where, self.of(formula).where)
        return self.lower((self.form(formula),), where, _name(formula), scalar_output=True)(state)

    def fact(self, value: Any) -> Any:
        """A plain value, or the one that a reference stands for: a name, whether something is there."""
        if not isinstance(value, Reference):
            return value
        if value.text not in self.facts:
            known = recorded().facts
            self.facts[value.text] = known[value.text] if value.text in known else resolved(value)
        return self.facts[value.text]

    def defines(self, formula: Formula) -> str:
        """The name of the symbol that a formula defines."""
        return self.fact(formula.defines.name)

    def mismatch(self, equation: FixedPoint) -> Expression:
        """By how much, relatively, a root misses its equation."""
        return self.of(equation).mismatch

    def terms(self, equation: FixedPoint, where: Definitions, *, logs: bool = False) -> Lowered:
        """What the solver evaluates of an equation at every trial, or the logarithms where these underflow."""
        own = self.of(equation)
        name = f"{_name(equation)}{'_tails' if logs else ''}"
        return self.lower(own.log_terms() if logs else own.terms(), where, name)

    def linear_terms(self, equations: Iterable[LinearEquation]) -> tuple[Expression, ...]:
        """Constants and coefficients of linear equations."""
        return reduce(operator.add, map(self._linear_terms, equations))

    def _linear_terms(self, equation: LinearEquation) -> Any:
        own = self.of(equation)
        if isinstance(own, Reference):
            return own.terms()
        from riskcalc.lowering.compile import linear_terms

        return linear_terms(own)

    def lower(
        self,
        expressions: Iterable[Expression],
        where: Definitions,
        name: str,
        scalar_output: bool = False,
        sized: tuple[int, int] = (0, 0),
        inexact: tuple[str, ...] = (),
    ) -> Lowered:
        """Compile expressions that share definitions, or take their code from what is recorded.

        After them come the sizes of the terms of those that are `sized` (see `riskcalc.lowering.compile.lower`).
        """
        expressions = expressions if isinstance(expressions, Reference) else tuple(expressions)
        asked = None if self.instead else text_of((expressions, where, sized, inexact))
        if asked is None:
            return self._compiled(expressions, where, name, scalar_output, sized, inexact)
        if (asked, scalar_output) not in self.lowered:
            known = recorded().lowered(asked, name, scalar_output, self.system)
            made = known or self._compiled(expressions, where, name, scalar_output, sized, inexact)
            self.lowered[asked, scalar_output] = made
        return self.lowered[asked, scalar_output]

    def _compiled(
        self,
        expressions: Any,
        where: Definitions,
        name: str,
        scalar_output: bool,
        sized: tuple[int, int],
        inexact: tuple[str, ...],
    ) -> Lowered:
        from riskcalc.lowering.compile import lower

        expressions, where = resolved((expressions, where))
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


def _name(formula: Any) -> str:
    return formula.text if isinstance(formula, Reference) else formula.id


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


def evaluator(
    system: SolvingSystem, instead: Mapping[Formula, Formula], integration: Integration = DEFAULT
) -> Evaluator:
    """What evaluates formulas; the same one for the same system, with the formulas as they are."""
    return Evaluator(system, instead, integration) if instead else _plain(system, integration)


@cache
def _plain(system: SolvingSystem, integration: Integration = DEFAULT) -> Evaluator:
    if integration == DEFAULT:
        return Evaluator(system)
    return replace(_plain(system), integration=integration)  # with the same compiled code


# What evaluates the formulas as they are, in double precision.
PLAIN = evaluator(FLOAT64, {})
