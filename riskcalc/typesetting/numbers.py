"""The numbers of one problem put into a formula, as they were typed; a mean over few atoms becomes a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import singledispatch
from typing import Any

import numpy as np
import sympy
from sympy import Add

from riskcalc.formulas.expectation import E, reduce_expectations
from riskcalc.formulas.records import Definitions, Expansion, Formula
from riskcalc.formulas.symbols import QUANTITIES, Expression, H, LawSymbol, Quantity
from riskcalc.laws import Continuous, Law
from riskcalc.problems import Correlated, LinearGaussian, RandomFeatures, RankOne, Table, check_problem
from riskcalc.problems.base import facts_latex
from riskcalc.problems.latex import as_typed, law_latex, number_latex, rows_latex
from riskcalc.theory.row_law_symbols import drawn
from riskcalc.theory.symbols import (
    B,
    D,
    Lambda,
    coefficient,
    excess,
    kappa,
    loading,
    n_features,
    n_samples,
    psi,
    ridge,
    sigma2,
    spanned,
    unspanned,
)
from riskcalc.typesetting.displays import Equation, definitions, equations
from riskcalc.typesetting.textbook import Written, textbook

MOST_ATOMS = 3  # a mean over more is left as it is,
MOST_DEFINITIONS = 2  # and so is one that needs more definitions at each atom

# Equations; where-definitions, or the law of a feature as LaTeX; symbols of single atoms.
Stated = tuple[list[Equation], Sequence[Equation | str], dict[Any, Quantity]]
Atoms = list[tuple[Expression, dict[Any, Expression]]]  # weight; symbols of the law


@dataclass(frozen=True)
class Numbers:
    """What one problem gives."""

    scalars: Definitions  # what has one value for all features
    where: Definitions  # symbols of the law that follow from others, such as a penalty that is the variance
    atoms: Atoms  # of the law; none if they are too many to be written out
    law: str  # as LaTeX


@singledispatch
def numbers_of(problem: Any) -> Numbers:
    """The numbers of one problem; a kind of problem registers its own. ValueError for a batch of problems."""
    raise TypeError(
        f"the numbers of a {type(problem).__name__} are not registered (riskcalc.typesetting.numbers.numbers_of)"
    )


@numbers_of.register
def _(problem: LinearGaussian) -> Numbers:
    if problem.shape != ():
        raise ValueError(f"numbers can be put in for one problem, not for a batch of shape {problem.shape}")
    law, penalty = problem.law, problem.penalty
    natural = isinstance(penalty, str)
    given = {kappa: problem.aspect_ratio, sigma2: problem.noise_variance, ridge: problem.ridge}
    scalars: dict[Any, Any] = {symbol: value[()] for symbol, value in given.items()}
    if penalty is None or (not natural and np.ptp(penalty) == 0):
        scalars[D] = 1 if penalty is None else penalty[0]
    atoms = []
    if not isinstance(law, Continuous):
        weights = np.array([as_typed(1) / problem.n_atoms], dtype=object) if law.weights is None else law.weights
        penalties = np.ones(1) if penalty is None else law.eigenvalues if natural else penalty
        signal = abs(law.signal if law.coefficients is None else law.coefficients)
        atoms = [atom for atom in np.broadcast(weights, law.eigenvalues, signal, penalties) if atom[0] != 0]
        live = [as_typed(weight) for weight, variance, *_ in atoms if variance > 0]
        scalars[excess] = as_typed(scalars[kappa]) * (1 if len(live) == len(atoms) else sum(live)) - 1
    return Numbers(
        scalars={symbol: _number(value) for symbol, value in scalars.items()},
        where={D: Lambda} if natural else {},
        atoms=[
            (_number(weight), {Lambda: _number(variance), B: _scaled(size, law), D: _number(penalty)})
            for weight, variance, size, penalty in (atoms if problem.n_atoms <= MOST_ATOMS else ())
        ],
        law=r",\quad ".join([law_latex(problem), *([] if problem.rows is None else [rows_latex(problem.rows)])]),
    )


def _scaled(value: Any, law: Law) -> Expression:
    """B of a signal, or of coefficients: the root of their number is a number of its own where it is irrational."""
    if law.coefficients is None:
        return _number(value)
    root = sympy.sqrt(int(law.n_features))
    return _number(as_typed(value) * int(root)) if root.is_Integer else root * _number(value)


@numbers_of.register
def _(problem: RankOne) -> Numbers:
    given = {n_samples: problem.n_samples, n_features: problem.n_features, sigma2: problem.noise_variance}
    each = _number(Fraction(1, problem.n_atoms))
    rows = zip(problem.loadings, problem.coefficients, strict=True) if problem.n_atoms <= MOST_ATOMS else ()
    return Numbers(
        scalars={symbol: _number(value[()]) for symbol, value in given.items()},
        where={},
        atoms=[(each, {loading: _number(v), coefficient: _number(beta)}) for v, beta in rows],
        law=facts_latex(problem)[-1],
    )


@numbers_of.register
def _(problem: Correlated) -> Numbers:
    given = {n_samples: problem.n_samples, n_features: problem.n_features, kappa: problem.aspect_ratio}
    given |= {sigma2: problem.noise_variance, ridge: problem.ridge}
    return Numbers(
        scalars={symbol: _number(value[()]) for symbol, value in given.items()},
        where={},
        atoms=[],
        law=facts_latex(problem)[-1],
    )


@numbers_of.register
def _(problem: Table) -> Numbers:
    """Its rows are data; no formula is written out for each."""
    given = {n_samples: problem.n_samples, n_features: problem.n_features, kappa: problem.aspect_ratio}
    scalars = {symbol: _number(value[()]) for symbol, value in (given | {ridge: problem.ridge}).items()}
    scalars[drawn] = _number(Fraction(int(problem.n_samples), problem.n_rows) if problem.fraction else 0)
    return Numbers(scalars=scalars, where={}, atoms=[], law=facts_latex(problem)[-1])


@numbers_of.register
def _(problem: RandomFeatures) -> Numbers:
    """Not the noise, which in the formulas of a fit is that of the equivalent linear problem."""
    facts = facts_latex(problem)
    ratio = Fraction(int(problem.n_features), int(problem.n_inputs))
    given = {kappa: problem.aspect_ratio[()], ridge: problem.ridge[()], psi: ratio, spanned: min(ratio, 1)}
    given |= {unspanned: 1 - given[spanned], n_features: problem.n_features[()], n_samples: problem.n_samples[()]}
    scalars = {symbol: _number(value) for symbol, value in given.items()}
    return Numbers(scalars=scalars, where={}, atoms=[], law=facts[1])


def with_numbers(formula: Formula, problem: Any) -> Stated:
    """What a formula states of one problem; its unknowns stay symbols.

    Where the formula has no finite value at the numbers of the problem, none are put in.
    """
    check_problem(problem)
    numbers = numbers_of(problem)
    about = {formula.defines, *formula.where, *([formula.variable] if isinstance(formula, Expansion) else [])}
    values = {symbol: value for symbol, value in numbers.scalars.items() if symbol not in about}
    where = {symbol: rule.xreplace(values) for symbol, rule in formula.where.items()}
    put = replace(formula, where=where | dict(numbers.where))
    stated = [_with_values(equation, values) for equation in equations(formula)]
    where, extra = definitions(put, stated), {}
    law = bool(numbers.atoms) and _varies(stated + where)
    if law and _is_short(put, stated + where, numbers.atoms):
        stated, where, extra = _Sums(put, numbers.atoms).stated(stated)
        law = False
    if any(side.has(sympy.nan, sympy.zoo, sympy.oo) for equation in stated + where for side in equation.sides):
        stated = equations(formula)
        return stated, definitions(formula, stated), {}
    return stated, [*where, *([numbers.law] if law else [])], extra


def _number(value: Any) -> Expression:
    """A number of the problem, apart from the numbers around it; but zero and one go into the formula."""
    typed = as_typed(value)
    if typed in (0, 1):
        return sympy.Integer(int(typed))
    number = Written(number_latex(abs(value)), positive=True)
    return number if typed > 0 else -number


def _with_values(equation: Equation, values: dict[Any, Expression]) -> Equation:
    left, right = (sympy.sympify(side).xreplace(values) for side in (equation.left, equation.right))
    return replace(equation, left=left, right=right)


def _varies(equations: list[Equation]) -> set[Expression]:
    """The symbols of the law in equations."""
    return {symbol for one in equations for side in one.sides for symbol in side.atoms(LawSymbol)}


def _is_short(formula: Formula, equations: list[Equation], atoms: Atoms) -> bool:
    """Whether everything that varies over the law is defined, in few definitions."""
    needed = _varies(equations) - {*atoms[0][1], H, formula.defines}
    defined = {symbol for symbol in needed if symbol in formula.where}
    return needed == defined and sum(not formula.where[symbol].has(H) for symbol in defined) <= MOST_DEFINITIONS


class _Sums:
    """A formula whose means become sums over atoms."""

    def __init__(self, formula: Formula, atoms: Atoms):
        self.formula, self.rules, self.atoms = formula, formula.where, atoms
        self.where: dict[Any, Expression] = {}
        self.extra: dict[Any, Quantity] = {}

    def stated(self, equations: list[Equation]) -> tuple[list[Equation], list[Equation], dict[Any, Quantity]]:
        """The equations, one for each atom if they vary over the law; their where-definitions, and new symbols."""
        found = []
        for equation in equations:
            left, right = equation.left, equation.right
            if isinstance(left, LawSymbol):
                found += [
                    replace(equation, left=self._named(left, k), right=self._at(right, k))
                    for k in range(len(self.atoms))
                ]
            else:
                found.append(replace(equation, left=self._mean(left), right=self._mean(right)))
        scalars = {symbol: self._mean(rule) for symbol, rule in self.rules.items() if not isinstance(symbol, LawSymbol)}
        put = replace(self.formula, where=self.where | scalars, moments=None)
        return found, definitions(put, found, self.extra), self.extra

    def _mean(self, expression: Expression) -> Expression:
        expression = expression.subs({symbol: rule for symbol, rule in self.rules.items() if rule.has(H)})
        if expression.has(H):
            expression = reduce_expectations(expression)
        return expression.replace(lambda node: isinstance(node, E), self._sum)

    def _sum(self, mean: Any) -> Expression:
        parts = [self._at(mean.integrand, k) for k in range(len(self.atoms))]
        if parts.count(1) == len(parts):  # a probability of one
            return sympy.S.One
        return Add(*(weight * part for (weight, _), part in zip(self.atoms, parts, strict=True)))

    def _at(self, expression: Expression, k: int) -> Expression:
        """An expression at one atom."""
        numbers = self.atoms[k][1]
        symbols = sorted(expression.atoms(LawSymbol) - {H, *numbers}, key=str)
        return textbook(expression.xreplace(numbers | {symbol: self._named(symbol, k) for symbol in symbols}))

    def _named(self, symbol: Any, k: int) -> Expression:
        """What a symbol of the law is at one atom: a number, or a symbol with an index and a definition."""
        name = LawSymbol(f"{symbol}_{k + 1}", **symbol.assumptions0)
        if name not in self.extra:
            if symbol in self.rules:
                value = self._at(self.rules[symbol], k)
                if not value.free_symbols - value.atoms(Written):
                    return value
                self.where[name] = value
            quantity = QUANTITIES[symbol]
            self.extra[name] = replace(quantity, symbol=name, latex=_indexed(quantity.latex, k + 1))
        return name


def _indexed(latex: str, index: int) -> str:
    head, _, below = latex.partition("_")
    return f"{head}_{{{below.strip('{}')},{index}}}" if below else f"{latex}_{index}"
