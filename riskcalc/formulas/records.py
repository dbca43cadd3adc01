"""The formula record: one statement, its where-definitions, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

import sympy

from riskcalc.formulas.expectation import E, MaskedMoments, reduce_expectations
from riskcalc.formulas.symbols import Expression, H, LawSymbol, S

Definitions = Mapping[Any, Expression]


@dataclass(frozen=True, eq=False)
class Formula:
    """One formula of the theory: `defines = statement`, as a textbook writes it.

    Attributes
    ----------
    id : str
        Permanent name, ``group.quantity``.
    title : str
        What the formula gives, in a few words; here and below TeX stands between dollar signs.
    defines : Symbol
        The left side.
    statement : Expr or Eq
        The right side, with expectations over the law, H and S; an equation if it is implicit.
    where : mapping of Symbol to Expr
        Definitions of the symbols that the statement and its evaluation form use. A symbol without a definition is
        an input: part of the problem, or given by another formula.
    evaluation : Expr or None
        An equal form that keeps its digits, where the statement itself does not. Equality is proved in the tests.
    assumptions, source : str
        When it holds, and who published it.
    derived_from : tuple of str
        Ids of the formulas it follows from.
    moments : MaskedMoments or None
        The masked moments that replace H and S, for formulas about pruned coefficients.
    relation : "=", "<=", ">=" or "~"
        Between the two sides: a bound, or a first trial, is no equation.
    """

    id: str
    title: str
    defines: Expression
    statement: Expression
    source: str
    where: Definitions = field(default_factory=dict)
    evaluation: Expression | None = None
    assumptions: str = "none beyond the domains of the symbols"
    derived_from: tuple[str, ...] = ()
    moments: MaskedMoments | None = None
    relation: str = "="
    complements: Mapping[Any, Any] = field(default_factory=dict)

    def _repr_latex_(self) -> str:
        public = import_module("riskcalc")  # formulas know no printer: they are written as anyone would write them
        return f"$${public.latex(self).replace('align*', 'aligned')}$$"

    def symbols(self) -> set[Any]:
        """All symbols that the record is written in."""
        forms = [form for form in vars(self).values() if hasattr(form, "free_symbols")]
        moments = () if self.moments is None else vars(self.moments).values()
        pairs = (*self.where.items(), *self.complements.items())
        return set().union(
            *(form.free_symbols for form in (*forms, *moments, *(side for pair in pairs for side in pair)))
        )

    def reduced(self) -> Expression:
        """The evaluation form (or the statement), with H and S averaged out: what is lowered."""
        return self._averaged(self.statement if self.evaluation is None else self.evaluation)

    def _averaged(self, form: Expression) -> Expression:
        """An expression with the definitions that lead to H or S put in, and H and S averaged out."""
        random: dict[Any, Expression] = {}
        for _ in self.where:
            random = {symbol: rule for symbol, rule in self.where.items() if rule.has(H, S, *random)}
        for _ in random:
            form = form.xreplace(random)
        return reduce_expectations(form, self.moments, dict(self.complements))


@dataclass(frozen=True, eq=False)
class FixedPoint(Formula):
    """An equation that its left symbol x solves.

    Its evaluation is the balance form  ``scale * E[part] + supply / x = target``, in which `part` falls from 1 to 0
    as x grows. `remainder` is 1 - part, `slope` is -d part / d log x and `bend` is d slope / d log x, each with its
    own stable form; `rates` are slope / part and slope / remainder, for balances of tails that underflow. The tests
    prove them, and that the balance is equivalent to the statement.
    """

    part: Expression = sympy.S.Zero
    remainder: Expression = sympy.S.Zero
    slope: Expression = sympy.S.Zero
    bend: Expression = sympy.S.Zero
    rates: tuple[Expression, ...] = ()
    scale: Expression = sympy.S.One
    supply: Expression = sympy.S.Zero
    target: Expression = sympy.S.One

    @property
    def has_rates(self) -> bool:
        """Whether `rates` are given, with which it is solved where its terms underflow."""
        return bool(self.rates)

    def balance(self) -> Expression:
        """The equation that the solver balances."""
        return sympy.Eq(self.scale * E(self.part) + self.supply / self.defines, self.target)

    def sides(self) -> tuple[Expression, Expression]:
        """Both sides of the balance."""
        balance = self.balance()
        return balance.lhs, balance.rhs

    @cached_property
    def mismatch(self) -> Expression:
        """The relative amount by which a root misses the balance: what substituting it back must leave near zero."""
        left, right = self.sides()
        return left / right - 1

    def terms(self) -> tuple[Expression, ...]:
        """What the solver evaluates at every trial."""
        return self.part, self.remainder, self.slope, self.bend

    def log_terms(self) -> tuple[Expression, ...]:
        """What it evaluates where the terms underflow."""
        return sympy.log(self.part), sympy.log(self.remainder), *self.rates


@dataclass(frozen=True, eq=False)
class Equation(Formula):
    """An equation that its left symbol solves, by its one root between `lower` and `upper`.

    The sides of the equation must differ in opposite directions at the ends of the bracket, which are expressions in
    what else the equation is written in.
    """

    lower: Expression = sympy.S.NaN
    upper: Expression = sympy.S.NaN

    def __post_init__(self) -> None:
        for end in ("lower", "upper"):  # plain numbers, too
            object.__setattr__(self, end, sympy.sympify(getattr(self, end)))

    def check(self) -> None:
        """Raise ValueError if it cannot be solved for what it defines."""
        x, ends = self.defines, (self.lower, self.upper)
        has_it = any(form.has(x) for form in (self.statement, *self.where.values()))
        if not (isinstance(self.statement, sympy.Eq) and has_it) or isinstance(x, LawSymbol):
            raise ValueError(f"{self.id} is no equation in {x}, with one value per regime: {self.statement}")
        if any(end.has(x, sympy.nan) for end in ends):
            raise ValueError(f"{self.id} is solved between lower and upper, which must be free of {x}, got {ends}")

    def sides(self) -> tuple[Expression, Expression]:
        """Both sides, with H and S averaged out."""
        return self._averaged(self.statement.lhs), self._averaged(self.statement.rhs)


@dataclass(frozen=True, eq=False)
class LinearEquation(Formula):
    """One of several equations that are linear in the same unknowns; its evaluation form is left minus right side."""

    unknowns: tuple[Any, ...] = ()

    def reduced(self) -> Expression:
        """Left minus right side, with H and S averaged out."""
        return self._averaged(self.evaluation or self.statement.lhs - self.statement.rhs)

    def terms(self) -> tuple[Expression, ...]:
        """Left minus right side at unknowns of zero, and the coefficient of each unknown."""
        gap = self.reduced()
        none = dict.fromkeys(self.unknowns, sympy.S.Zero)
        return gap.xreplace(none), *(gap.diff(unknown) for unknown in self.unknowns)


@dataclass(frozen=True, eq=False)
class Expansion(Formula):
    """Leading terms of a quantity in a limit: the statement is `defines` up to terms of the order of `error`.

    `variable` tends to `point` from the side `side` ("+" from above, "-" from below).
    """

    variable: Expression = None
    point: Expression = sympy.S.Zero
    side: str = "+"
    error: Expression = sympy.S.One
