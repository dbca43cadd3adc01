"""Chapters: theorem groups with their derivations and trials; and a library, in which one builds on others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from riskcalc.formulas.records import Definitions, Equation, Formula
from riskcalc.formulas.symbols import refuse_namesakes, refuse_undeclared
from riskcalc.lookup import look_up

# A function of formulas by id that gives a riskcalc.derivation.record.Derivation.
Derive = Callable[[Mapping[str, Formula]], Any]


@dataclass(frozen=True, eq=False)
class Trial:
    """An experiment that formulas predict.

    Attributes
    ----------
    formulas : tuple of str
        Ids of the formulas whose values it measures.
    inputs : mapping of str to array_like
        Where: the symbols of the formulas by name, as for `riskcalc.evaluate`.
    simulate : callable
        A function of the sample size and a NumPy generator that simulates it once: one number for each formula, which
        tends to what the formula says as samples grow in number.
    """

    formulas: tuple[str, ...]
    inputs: Mapping[str, Any]
    simulate: Callable[[int, Any], Any]

    def __post_init__(self) -> None:
        if isinstance(self.formulas, str) or not all(isinstance(id, str) for id in self.formulas):
            raise TypeError(f"formulas of a trial are a tuple of ids, got {self.formulas!r}")
        if not callable(self.simulate):
            raise TypeError(f"simulate must be a function of the sample size and a generator, got {self.simulate!r}")


@dataclass(frozen=True, eq=False)
class Chapter:
    """One theorem group.

    Parameters
    ----------
    id, title : str
        A permanent name, with which the ids of its formulas begin (``id.quantity``), and a heading.
    formulas : tuple of Formula
    meanings : mapping of Symbol to Expr
        What symbols stand for that have no formula of their own.
    derivations : mapping of str to callable
        By name, functions ``derivation(records)`` that give a `Derivation`; they take formulas by id from `records`
        only, those of riskcalc too, so that wrong ones can be put before them.
    trials : tuple of Trial
        The experiments that test its formulas.

    Raises
    ------
    ValueError
        If ids are no names, do not begin with the chapter's, or are used twice; if a formula has no title or no source;
        if a symbol was not declared with its meaning by `scalar` or `law_symbol`; if an `Equation` is no equation in
        what it defines, or has no bracket.
    TypeError
        If a part is not of its type.
    """

    id: str
    title: str
    formulas: tuple[Formula, ...]
    meanings: Definitions = field(default_factory=dict)
    derivations: Mapping[str, Derive] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]\w*", self.id):
            raise ValueError(f"the id of a chapter is a name in small letters, got {self.id!r}")
        for name, kind in (("formulas", Formula), ("trials", Trial)):
            part = getattr(self, name)
            if not (isinstance(part, tuple) and all(isinstance(one, kind) for one in part)):
                raise TypeError(f"{name} of the chapter {self.id!r} must be a tuple of {kind.__name__}, got {part!r}")
        if not (isinstance(self.derivations, Mapping) and all(map(callable, self.derivations.values()))):
            raise TypeError(f"derivations of {self.id!r} must be functions by name, got {self.derivations!r}")
        for formula in self.formulas:
            if not re.fullmatch(rf"{self.id}\.[a-z]\w*", formula.id):
                raise ValueError(
                    f"formula {formula.id!r} is in the chapter {self.id!r}; its id must begin with '{self.id}.'"
                )
            if not (formula.title.strip() and formula.source.strip()):
                raise ValueError(f"{formula.id} needs a title and a source")
            refuse_undeclared(formula.symbols(), formula.id)
            refuse_namesakes(formula.symbols(), formula.id)
            if isinstance(formula, Equation):
                formula.check()
        registry(self.formulas)
        rules = self.meanings.values()
        refuse_undeclared(set(self.meanings).union(*(rule.free_symbols for rule in rules)), f"chapter {self.id!r}")


Entry = TypeVar("Entry", Formula, Chapter)


def registry(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Formulas or chapters by id, in the order given; a second one of the same id is an error."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.id in found:
            kind = "chapter" if isinstance(entry, Chapter) else "formula"
            raise ValueError(f"{kind} {entry.id!r} is registered twice")
        found[entry.id] = entry
    return found


@dataclass(frozen=True, eq=False)
class Library:
    """Chapters, the derivations of their formulas by name, and the chapters that they build on.

    Raises ValueError if ids are taken, or formulas are named that are not there.
    """

    chapters: Mapping[str, Chapter]
    derivations: Mapping[str, Derive]
    basis: Mapping[str, Chapter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for id in self.chapters.keys() & self.basis.keys():
            raise ValueError(f"the chapter id {id!r} is taken: {self.basis[id].title}")
        for formula in self.formulas.values():
            for id in formula.derived_from:
                look_up(id, self.records, f"formula behind {formula.id}")
        for id in chain.from_iterable(trial.formulas for chapter in self.chapters.values() for trial in chapter.trials):
            look_up(id, self.records, "formula of a trial")

    @cached_property
    def formulas(self) -> dict[str, Formula]:
        """Those of its own chapters, by id."""
        return registry(chain.from_iterable(chapter.formulas for chapter in self.chapters.values()))

    @cached_property
    def records(self) -> dict[str, Formula]:
        """All formulas, by id."""
        return registry(chain(*(chapter.formulas for chapter in self.basis.values()), self.formulas.values()))

    @cached_property
    def meanings(self) -> dict[Any, Any]:
        """What symbols stand for that have no formula of their own."""
        chapters = (*self.basis.values(), *self.chapters.values())
        return {symbol: rule for chapter in chapters for symbol, rule in chapter.meanings.items()}

    def with_chapter(self, chapter: Chapter) -> Library:
        """A chapter that builds on those of this library."""
        return Library({chapter.id: chapter}, chapter.derivations, {**self.basis, **self.chapters})
