"""The four ways to check a claim, strongest first: symbolic, enclosed, sampled, simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import sympy

from riskcalc.derivation.algebra import are_roots, is_positive, unfold, vanishes
from riskcalc.derivation.background import Background
from riskcalc.derivation.claims import Equal, Expands, Less, Limit, Registered, Roots
from riskcalc.derivation.points import BALLS, admissible, enclosed, sampled
from riskcalc.derivation.registered import is_registered
from riskcalc.derivation.series import expands
from riskcalc.formulas.records import Definitions
from riskcalc.policies import Policy, Retrain
from riskcalc.problems import LinearGaussian
from riskcalc.verification.subjects import Theory
from riskcalc.verification.verify import verify

LEVELS = ("symbolic", "enclosed", "sampled", "simulated", "vacuous")


@dataclass(frozen=True)
class Outcome:
    """Whether a claim passed, at which level, and what was seen."""

    passed: bool
    level: str
    seen: str


VACUOUS = Outcome(True, "vacuous", "no random point met the assumptions")


class Check(Protocol):
    """A way to check some kinds of claims."""

    checks: ClassVar[tuple[type, ...]]
    level: ClassVar[str]

    def run(self, claim: Any, where: Definitions, assuming: Sequence[Less], background: Background) -> Outcome:
        """Check a claim whose symbols are defined by `where`, under assumptions, before the background of a theory."""
        ...


@dataclass(frozen=True)
class Symbolic:
    """SymPy reduces the difference to zero, factors the sign, or finds the solution set exact: for every law."""

    checks: ClassVar[tuple[type, ...]] = (Equal, Less, Roots, Expands, Registered)
    level: ClassVar[str] = "symbolic"

    def run(self, claim: Any, where: Definitions, assuming: Sequence[Less], background: Background) -> Outcome:
        """Check a claim; nothing is assumed but the domains of the symbols."""
        match claim:
            case Equal(left, right):
                passed, seen = vanishes(unfold(left - right, where, background)), "the difference reduces to zero"
            case Less(left, right, strict):
                passed = is_positive(unfold(right - left, where, background), strict)
                seen = "every factor has a sign" + (", if symbols are positive" if strict else "")
            case Roots(Equal(left, right), unknown, roots):
                _refuse_definition(unknown, where)
                equation, *found = (unfold(side, where, background) for side in (left - right, *roots))
                passed, seen = are_roots(equation, unknown, tuple(found)), "the equation factors"
            case Expands(expression, terms, error, variable, point, side):
                _refuse_definition(variable, where)
                whole, known, beyond = (unfold(part, where, background) for part in (expression, terms, error))
                passed, seen = expands(whole, known, beyond, variable, point, side), "the series agree"
            case Registered(formula):
                passed, seen = is_registered(claim, where, background), f"it is {formula.id}"
            case _:
                raise TypeError(f"there is no symbolic check of {claim!r}")
        return Outcome(passed, self.level, seen if passed else "SymPy does not show it")


def _refuse_definition(symbol: Any, where: Definitions) -> None:
    if where.get(symbol, symbol) != symbol:
        raise ValueError(f"{symbol} is what the claim is about, and cannot be defined as {where[symbol]}")


@dataclass(frozen=True)
class Enclosed:
    """Ball arithmetic at random rational points: the difference's ball contains zero and is narrow, or has its sign."""

    points: int = 12

    checks: ClassVar[tuple[type, ...]] = (Equal, Less)
    level: ClassVar[str] = "enclosed"
    WIDEST: ClassVar[float] = 1e-40

    def run(self, claim: Any, where: Definitions, assuming: Sequence[Less], background: Background) -> Outcome:
        """Check a claim at points that certainly meet the assumptions."""
        difference = unfold(claim.right - claim.left, where, background)
        points = admissible((difference,), where, assuming, background, self.points)
        if points is None:
            return VACUOUS
        balls = enclosed(difference, points).ravel()
        met = f"at {len(points['total'])} points"
        with BALLS.precision():
            if isinstance(claim, Less):
                passed = all(ball.is_finite() and (ball > 0 if claim.strict else ball >= 0) for ball in balls)
                return Outcome(passed, self.level, f"on one side {met}" if passed else f"not on one side {met}")
            width = max(float(ball.rad()) if ball.is_finite() else np.inf for ball in balls)
            passed = width < self.WIDEST and all(ball.contains(0) for ball in balls)
        return Outcome(passed, self.level, f"zero within {width:.0e} {met}" if passed else f"not zero {met}")


@dataclass(frozen=True)
class Sampled:
    """mpmath at random points, integrals by quadrature: the sides agree to twenty digits, or differ in their order."""

    points: int = 4

    checks: ClassVar[tuple[type, ...]] = (Equal, Less)
    level: ClassVar[str] = "sampled"
    DIGITS: ClassVar[int] = 20

    def run(self, claim: Any, where: Definitions, assuming: Sequence[Less], background: Background) -> Outcome:
        """Check a claim at points that certainly meet the assumptions."""
        left, right = (unfold(side, where, background) for side in (claim.left, claim.right))
        points = admissible((left, right), where, assuming, background, self.points)
        if points is None:
            return VACUOUS
        passed = all(self._holds(claim, left, right, points, row) for row in range(len(points["total"])))
        seen = f"to {self.DIGITS} digits" if passed else "not"
        return Outcome(passed, self.level, f"{seen} at {len(points['total'])} points")

    def _holds(self, claim: Any, left: Any, right: Any, points: Any, row: int) -> bool:
        low, high = (sampled(side, points, row, self.DIGITS + 10) for side in (left, right))
        if not (low.is_finite and high.is_finite):
            return False  # a pole on either side says nothing
        room = (abs(low) + abs(high)) * sympy.Rational(1, 10**self.DIGITS)
        if isinstance(claim, Equal):
            return bool(abs(high - low) <= room)
        return bool(high - low > (room if claim.strict else -room))


@dataclass(frozen=True)
class Simulated:
    """Simulated samples agree with the predictions, by the verifier's equivalence test."""

    theory: LinearGaussian | Theory
    prune: Policy | Sequence[Policy | None] | None = None
    retrain: Retrain | None = None
    training_error: bool = False
    tolerance: float = 0.03
    confidence: float = 1 - 1e-6
    seconds: float = 300.0  # so much that the trials decide, also on a busy machine

    checks: ClassVar[tuple[type, ...]] = (Limit,)
    level: ClassVar[str] = "simulated"

    def run(self, claim: Any, where: Definitions, assuming: Sequence[Less], background: Background) -> Outcome:
        """Verify the models that the claim is about."""
        found = verify(
            self.theory,
            self.prune,
            self.retrain,
            training_error=self.training_error,
            tolerance=self.tolerance,
            confidence=self.confidence,
            seconds=self.seconds,
            device="cpu",
            workers=1,
        )
        if found.verdict == "vacuous":
            return VACUOUS
        seen = f"{found.verdict} within {100 * self.tolerance:g} %, n up to {found.sizes[-1]}"
        return Outcome(found.verdict == "agree", self.level, seen)
