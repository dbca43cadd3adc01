"""Which derivations fall if a formula is wrong: those that ask for it are built and checked with the error in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from riskcalc.derivation.checks import Check, Simulated
from riskcalc.derivation.claims import Claim, Less
from riskcalc.derivation.record import Step
from riskcalc.derivation.run import background_of, build, check
from riskcalc.formulas.chapters import Library
from riskcalc.formulas.records import Formula
from riskcalc.theory.library import LIBRARY


class _Read(dict[str, Formula]):
    """The formulas of a library, and which of them were asked for."""

    def __init__(self, library: Library) -> None:
        super().__init__(library.records)
        self.asked: set[str] = set()

    def __getitem__(self, id: str) -> Formula:
        self.asked.add(id)
        return super().__getitem__(id)


@cache
def uses(library: Library = LIBRARY) -> dict[str, frozenset[str]]:
    """The ids of the formulas that each derivation asks for."""
    found = {}
    for name in library.derivations:
        records = _Read(library)
        build(name, records, library)
        found[name] = frozenset(records.asked)
    return found


def refusals(records: Mapping[str, Formula], changed: Iterable[str], library: Library = LIBRARY) -> Iterator[str]:
    """The steps that fail with these records, one of each derivation that asks for a changed one; no simulation.

    A step that the records leave as it is, is taken to hold.
    """
    changed = set(changed)
    for name, asked in uses(library).items():
        failed = _failing_step(name, records, library) if asked & changed else None
        if failed is not None:
            yield f"derivation({name}: {failed})"


def _failing_step(name: str, records: Mapping[str, Formula], library: Library) -> str | None:
    try:
        steps = build(name, records, library).steps
    except Exception as error:  # a formula so wrong that the derivation cannot even be written down
        return type(error).__name__
    known = _questions(name, library)
    asked = (pair for pair in _asked(steps) if pair[1] not in known)
    return next((name for name, question in asked if not _passes(*question, library)), None)


Question = tuple[Check, Claim, tuple[tuple[Any, Any], ...], tuple[Less, ...]]


def _asked(steps: Iterable[Step]) -> Iterator[tuple[str, Question]]:
    """What the steps check, by their names; but for simulations."""
    for step in steps:
        if not isinstance(step.check, Simulated):
            yield step.name, (step.check, step.claim, tuple(step.where.items()), step.assuming)


@cache
def _questions(name: str, library: Library) -> frozenset[Question]:
    """What a derivation checks with the formulas as they are."""
    return frozenset(question for _, question in _asked(build(name, library=library).steps))


@cache
def _passes(
    method: Check, claim: Claim, where: tuple[tuple[Any, Any], ...], assuming: tuple[Less, ...], library: Library
) -> bool:
    """The same step is checked once, however many errors lead to it."""
    return check(Step("", claim, "", (), method, dict(where), assuming), background_of(library)).passed
