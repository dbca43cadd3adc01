"""A derivation: what it proves, what it cites, and its steps in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from riskcalc.derivation.checks import Check, Simulated, Symbolic
from riskcalc.derivation.claims import Claim, Equal, Expands, Less, Limit, Registered
from riskcalc.formulas.records import Definitions, Formula
from riskcalc.formulas.symbols import Expression
from riskcalc.lookup import look_up


@dataclass(frozen=True)
class Step:
    """One claim, with its reason and its check."""

    name: str  # a few words, by which later steps cite it
    claim: Claim
    why: str  # the justification, in words; TeX between dollar signs
    uses: tuple[str, ...]  # names of the earlier steps it rests on
    check: Check  # how it is checked, and so its level
    where: Definitions  # of the symbols in the claim
    assuming: tuple[Less, ...]  # what holds of the symbols, where they are drawn at random


@dataclass
class Derivation:
    """A theorem and the steps that lead to it."""

    title: str
    statement: str  # the theorem; TeX between dollar signs
    assumptions: str
    cited: str  # what is not proved here: the theorems that are cited, by name, and what they are used for
    where: Definitions = field(default_factory=dict)  # definitions that hold throughout
    assuming: tuple[Less, ...] = ()  # conditions that hold throughout
    steps: list[Step] = field(default_factory=list)

    def step(
        self,
        name: str,
        claim: Claim,
        why: str,
        uses: Iterable[str] = (),
        check: Check | None = None,
        given: Mapping[Any, Expression] | None = None,
        assuming: Iterable[Less] = (),
    ) -> None:
        """Add a step; symbolic unless a check is given. `given` are definitions that hold in this step only.

        Raises
        ------
        ValueError
            If the name is taken, a step is cited that does not come before, or the check cannot check the claim.
        """
        earlier = {step.name: step for step in self.steps}
        if name in earlier:
            raise ValueError(f"two steps are called {name!r}")
        for cited in uses:
            look_up(cited, earlier, f"step before {name!r}")
        check = check or Symbolic()
        if not isinstance(claim, check.checks):
            possible = ", ".join(kind.__name__ for kind in check.checks)
            kind = type(check).__name__
            raise ValueError(f"step {name!r}: {kind} can check {possible}, but not {type(claim).__name__}")
        where = dict(self.where) | dict(given or {})
        self.steps.append(Step(name, claim, why, tuple(uses), check, where, (*self.assuming, *assuming)))

    def registered(
        self,
        formula: Formula,
        derived: Expression | Equal | Expands,
        why: str,
        uses: Iterable[str] = (),
        given: Mapping[Any, Expression] | None = None,
        relation: str = "=",
    ) -> None:
        """Add the step that what was derived is a registered formula; a bound has the relation "<=" or ">="."""
        self.step(formula.id, Registered(formula, derived, relation), why, uses, given=given)

    def simulated(self, name: str, words: str, why: str, check: Simulated, uses: Iterable[str] = ()) -> None:
        """Add a limit theorem in words, supported by simulation."""
        self.step(name, Limit(words), why, uses, check)
