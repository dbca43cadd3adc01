"""Which formulas give what another needs: the order of evaluation, which every number system follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy

from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Definitions, Equation, Expansion, FixedPoint, Formula, LinearEquation
from riskcalc.formulas.symbols import Expression, LawSymbol
from riskcalc.lowering.compile import closure, reduced


@dataclass(frozen=True)
class Step:
    """One formula, and where what it needs comes from."""

    formula: Formula
    forms: tuple[Expression, ...]  # what is lowered of it
    where: Definitions
    sources: Mapping[str, str]  # for symbols by name, the step that gives them

    @property
    def varies(self) -> bool:
        """Whether its value varies over the law."""
        outside = (form.replace(lambda node: isinstance(node, E), lambda _: sympy.S.One) for form in self.forms[:1])
        return any(isinstance(symbol, LawSymbol) for symbol in closure(outside, self.where))


@dataclass(frozen=True)
class Plan:
    """Steps by the ids of their formulas, in order of evaluation."""

    steps: Mapping[str, Step]


Records = Mapping[str, Formula]


def make_plan(formulas: Iterable[Formula], records: Records, meanings: Definitions, given: Iterable[str]) -> Plan:
    """How formulas are evaluated on these records, if symbols of these names are given.

    Raises
    ------
    ValueError
        If something is needed that is neither given nor has a formula among those that the one at hand is derived
        from, or in its chapter; or if several have one.
    """
    planner = _Planner(records, meanings, set(given))
    for formula in formulas:
        planner.add(formula)
    if planner.missing:
        raise ValueError(f"inputs lack {', '.join(sorted(planner.missing))}")
    return Plan(planner.steps)


def possible_inputs(formulas: Iterable[Formula], records: Records, meanings: Definitions) -> dict[str, Any]:
    """The symbols that formulas and those behind them take values of, by name; the weights are no symbol."""
    planner = _Planner(records, meanings, set())
    found: dict[str, Any] = {}
    for formula in formulas:
        found |= planner.reach(formula)
    return found


def definitions_of(formulas: Iterable[Formula]) -> dict[str, str]:
    """For the names of the symbols that formulas define themselves, their ids."""
    return {str(symbol): formula.id for formula in formulas for symbol in formula.where}


def forms_of(formula: Formula) -> tuple[Expression, ...]:
    """What is evaluated of a formula: itself, or what its solution takes."""
    if isinstance(formula, Equation):
        return *formula.sides(), formula.lower, formula.upper
    if isinstance(formula, FixedPoint):
        return *formula.sides(), formula.scale, formula.supply, formula.target, *formula.terms()
    if isinstance(formula, LinearEquation):
        unknowns = ", ".join(map(str, formula.unknowns))
        raise ValueError(f"{formula.id} is one of several equations in {unknowns}; give what they define as inputs")
    return (reduced(formula),)


class _Planner:
    """Collects the steps that lead to formulas."""

    def __init__(self, records: Records, meanings: Definitions, given: set[str]):
        self.records, self.meanings, self.given = records, meanings, given
        self.steps: dict[str, Step] = {}
        self.missing: set[str] = set()

    def add(self, formula: Formula, busy: tuple[str, ...] = ()) -> None:
        """Add the step of a formula, after those that it needs."""
        if formula.id in self.steps:
            return
        step, inner = unfolded(formula)
        sources: dict[str, str] = {}
        for symbol in sorted(_needs(step), key=str):
            if symbol in inner:
                source = inner[symbol]
            elif str(symbol) in self.given:
                continue
            else:
                source = self.source(symbol, formula, (*busy, formula.id))
            if source is None:
                self.missing.add(str(symbol))
                continue
            self.add(source, (*busy, formula.id))
            sources[str(symbol)] = source.id
        if any(form.has(E) for form in step.forms) and "weights" not in self.given:
            self.missing.add("weights")
        self.steps[formula.id] = replace(step, sources=sources)

    def source(self, symbol: Any, formula: Formula, busy: tuple[str, ...]) -> Formula | None:
        """The formula, or the meaning, that gives a symbol in another formula; the nearest ones are asked first."""
        for level in self._levels(formula):
            found = [one for one in level if one.id not in busy and _gives(one, symbol)]
            if len(found) > 1:
                raise ValueError(
                    f"{symbol} in {formula.id} is given by {' and by '.join(one.id for one in found)}; "
                    f"give it among the inputs"
                )
            if found:
                return found[0]
        if symbol in self.meanings:
            return _definition(symbol, self.meanings[symbol], formula, {})
        return None

    def _levels(self, formula: Formula) -> Iterator[list[Formula]]:
        """The formulas that a formula is derived from, those behind them, and at last those of its chapter."""
        seen, level = {formula.id}, [*formula.derived_from]
        while level:
            level = [id for id in dict.fromkeys(level) if id not in seen]
            seen |= set(level)
            here = [self.records[id] for id in level]
            yield here
            level = [id for one in here for id in one.derived_from]
        chapter = formula.id.partition(".")[0]
        yield [one for id, one in self.records.items() if id.startswith(f"{chapter}.") and id not in seen]

    def reach(self, formula: Formula, seen: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The symbols, by name, that a formula and those behind it are written in: inputs that are no mistakes."""
        if formula.id in seen:
            return {}
        seen |= {formula.id}
        step, inner = unfolded(formula)
        found = {"weights": None} if any(form.has(E) for form in step.forms) else {}
        for symbol in sorted(_needs(step) - inner.keys(), key=str):
            found[str(symbol)] = symbol
            giving = [one for level in self._levels(formula) for one in level if _gives(one, symbol)]
            if symbol in self.meanings:
                giving.append(_definition(symbol, self.meanings[symbol], formula, {}))
            for one in giving:
                found |= self.reach(one, seen)
        for one in inner.values():
            found |= self.reach(one, seen)
        return found


def _gives(formula: Formula, symbol: Any) -> bool:
    """Whether a formula says what a symbol is: a bound and leading terms do not."""
    return formula.defines == symbol and formula.relation == "=" and not isinstance(formula, Expansion)


def _needs(step: Step) -> set[Any]:
    """The symbols whose values a step needs."""
    solved = {step.formula.defines} if isinstance(step.formula, (Equation, FixedPoint)) else set()
    return closure(step.forms, step.where) - step.where.keys() - solved


def unfolded(formula: Formula) -> tuple[Step, dict[Any, Formula]]:
    """A formula whose definitions hold no means: these are steps of their own, or put in if the unknown is in them."""
    forms, where = forms_of(formula), dict(formula.where)
    means = {s: rule for s, rule in where.items() if rule.has(E) and not isinstance(s, LawSymbol)}
    inner, put = {}, {}
    for symbol, rule in means.items():
        if isinstance(formula, (Equation, FixedPoint)) and formula.defines in closure([rule], formula.where):
            put[symbol] = rule
        else:
            inner[symbol] = _definition(symbol, rule, formula, formula.where)
        del where[symbol]
    for _ in put:
        forms = tuple(form.xreplace(put) for form in forms)
    return Step(formula, forms, where, {}), inner


def _definition(symbol: Any, rule: Expression, formula: Formula, where: Definitions) -> Formula:
    """A definition that a formula uses, as a formula."""
    others = {other: its for other, its in where.items() if other != symbol}
    return Formula(
        id=f"{formula.id}: {symbol}",
        title=str(symbol),
        defines=symbol,
        statement=rule,
        source=formula.source,
        where=others,
        derived_from=formula.derived_from,
        moments=formula.moments,
        complements=formula.complements,
    )
