"""Problems as LaTeX. It knows no formula, so that a problem stays inert data."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.laws import Continuous, Law, PowerLaw
from riskcalc.problems.base import Problem, facts_latex, facts_of
from riskcalc.problems.correlated import Correlated, FactorCovariance
from riskcalc.problems.linear_gaussian import BASES, LinearGaussian
from riskcalc.problems.random_features import RandomFeatures
from riskcalc.problems.rank_one import RankOne
from riskcalc.problems.table import Table

MOST_ATOMS = 8  # more are not listed
MOST_ROWS = 4  # of a covariance, likewise


def as_typed(value: Any) -> Fraction:
    """The number that was typed: of a float the shortest decimal that means it."""
    return Fraction(repr(float(value))) if isinstance(value, (float, np.floating)) else Fraction(value)


def decimal_latex(text: str) -> str:
    """A decimal number such as 1.5e-07 as LaTeX."""
    if text in ("inf", "+inf", "nan"):
        return r"\text{undefined}" if text == "nan" else r"\infty"
    digits, _, power = text.partition("e")
    scale = f"10^{{{int(power)}}}" if power else ""
    return rf"{digits} \cdot {scale}" if power and digits not in ("1", "1.0") else scale or digits


def number_latex(value: Any) -> str:
    """A number as LaTeX: an integer, a decimal, or a fraction if that is no longer than its decimal."""
    typed = as_typed(value)
    sign, size = "-" if typed < 0 else "", abs(typed)
    if isinstance(value, (float, np.floating)) and size.denominator != 1:
        return sign + decimal_latex(repr(float(size)))
    if size.denominator == 1:
        return sign + (str(size) if size < 10**15 else decimal_latex(f"{float(size):.15g}"))
    decimal, digits = f"{float(size):.15g}", len(f"{size.numerator}{size.denominator}")
    if (Fraction(decimal) == size and len(decimal) < digits) or digits > 24:
        return sign + decimal_latex(decimal)
    return rf"{sign}\frac{{{size.numerator}}}{{{size.denominator}}}"


def law_latex(problem: LinearGaussian) -> str:
    """The law of a feature of one problem as LaTeX, atom by atom if there are few."""
    law, penalty = problem.law, problem.penalty
    own = () if penalty is None or isinstance(penalty, str) else (penalty,)
    if isinstance(law, Continuous) or problem.n_atoms > MOST_ATOMS:
        return _law_in_words(law)
    weights = np.array([Fraction(1, problem.n_atoms)]) if law.weights is None else law.weights
    given, symbol = (law.signal, "B") if law.coefficients is None else (law.coefficients, r"\beta")
    cases = [
        rf"({', '.join(map(number_latex, atom))}) & \text{{with probability }} {number_latex(weight)}"
        for weight, *atom in np.broadcast(weights, law.eigenvalues, given, *own)
    ]
    names = rf"(\Lambda, {symbol}, D)" if own else rf"(\Lambda, {symbol})"
    scale = "" if law.coefficients is None else rf",\quad B = \sqrt{{{law.n_features}}}\,\beta"
    return _cases(names, cases) + scale


def rows_latex(law: Law) -> str:
    """The law of the variances of rows as LaTeX, value by value if there are few."""
    if isinstance(law, Continuous):
        return rf"T \sim {_continuous_latex(law)}"
    if law.n_atoms > MOST_ATOMS:
        return rf"T \text{{ takes }} {law.n_atoms} \text{{ values}}"
    weights = np.array([Fraction(1, law.n_atoms)]) if law.weights is None else law.weights
    cases = [
        rf"{number_latex(value)} & \text{{with probability }} {number_latex(weight)}"
        for weight, value in np.broadcast(weights, law.eigenvalues)
    ]
    return rf"T = {number_latex(law.eigenvalues[0])}" if len(cases) == 1 else _cases("T", cases)


def _cases(names: str, cases: list[str]) -> str:
    return names + r" = \begin{cases} " + r" \\ ".join(cases) + r" \end{cases}"


def _continuous_latex(law: Continuous) -> str:
    arguments = ", ".join(number_latex(np.asarray(value)[()]) for value in law.arguments.values())
    return rf"\text{{{re.sub(r'(?<=[a-z])(?=[A-Z])', '--', type(law).__name__)}}}({arguments})"


def _law_in_words(law: Law) -> str:
    if isinstance(law, PowerLaw):
        ranks = r"x \text{ uniform on } (0, 1)" if law.n_features is None else r"x = (i - 1/2)/p"
        decays = number_latex(-law.decay), number_latex(-law.signal_decay)
        return rf"\Lambda = x^{{{decays[0]}}},\quad B = x^{{{decays[1]}}},\quad {ranks}"
    if not isinstance(law, Continuous):
        return rf"(\Lambda, B) \text{{ takes }} {law.n_atoms} \text{{ values}}"
    drawn = rf"\Lambda \sim {_continuous_latex(law)}"
    if callable(law.coefficient):
        return rf"{drawn},\quad B \text{{ a function of }} \Lambda"
    power = {0.0: "", 1.0: r" \Lambda"}.get(law.signal_power, rf" \Lambda^{{{number_latex(law.signal_power)}}}")
    scale = "" if law.coefficient == 1 and power else number_latex(law.coefficient)
    return rf"{drawn},\quad B = {scale}{power}"


@facts_of.register
def _(problem: LinearGaussian) -> list[str]:
    ratio = number_latex(problem.aspect_ratio[()])
    if problem.n_samples is not None and problem.n_features is not None:
        ratio = rf"p/n = {problem.n_features}/{problem.n_samples}"
    penalty = problem.penalty
    own = ["D = 1"] if penalty is None else [r"D = \Lambda"] if isinstance(penalty, str) else []
    facts = [rf"\kappa = {ratio}", rf"\sigma^2 = {number_latex(problem.noise_variance[()])}"]
    facts += [rf"\lambda = {number_latex(problem.ridge[()])}", *own]
    basis = [] if problem.basis == BASES[0] else [rf"\text{{features in a {problem.basis} basis}}"]
    rows = [] if problem.rows is None else [rows_latex(problem.rows)]
    return [r",\quad ".join([*facts, *basis]), law_latex(problem), *rows]


@facts_of.register
def _(problem: RankOne) -> list[str]:
    facts = [rf"p = {problem.n_features}", rf"n = {problem.n_samples}"]
    facts.append(rf"\sigma^2 = {number_latex(problem.noise_variance[()])}")
    rows = [r",\quad ".join(facts)]
    if problem.n_atoms > MOST_ATOMS:
        return [*rows, rf"\Sigma = vv^\top \text{{ of {problem.n_atoms} features}}"]
    vectors = ((r"v", problem.loadings), (r"\beta", problem.coefficients))
    return [*rows, r",\quad ".join(rf"{name} = ({', '.join(map(number_latex, given))})" for name, given in vectors)]


@facts_of.register
def _(problem: Correlated) -> list[str]:
    given = (("p", problem.n_features), ("n", problem.n_samples))
    numbers = ((r"\sigma^2", problem.noise_variance), (r"\lambda", problem.ridge))
    facts = [rf"{name} = {number_latex(value[()])}" for name, value in (*given, *numbers)]
    row = [covariance_latex(problem.covariance)]
    if problem.n_atoms <= MOST_ATOMS:
        row.append(rf"\beta = ({', '.join(map(number_latex, problem.coefficients))})")
    return [r",\quad ".join(facts), r",\quad ".join(row)]


@facts_of.register
def _(problem: Table) -> list[str]:
    drawn = rf"n = {problem.n_samples} \text{{ of }} N = {problem.n_rows} \text{{ rows}}"
    facts = [rf"p = {problem.n_features}", drawn, rf"\lambda = {number_latex(problem.ridge[()])}"]
    scaled = [r"\text{columns of variance one}"] if problem.scale else []
    return [r",\quad ".join([*facts, *scaled])]


@singledispatch
def covariance_latex(covariance: np.ndarray) -> str:
    """A covariance as LaTeX, entry by entry if there are few."""
    if len(covariance) > MOST_ROWS:
        return rf"\Sigma \text{{ of {len(covariance)} features}}"
    rows = r" \\ ".join(" & ".join(map(number_latex, row)) for row in covariance)
    return rf"\Sigma = \begin{{pmatrix}} {rows} \end{{pmatrix}}"


@covariance_latex.register
def _(covariance: FactorCovariance) -> str:
    features, factors = covariance.loadings.shape
    return (
        rf"\Sigma = LL^\top + \operatorname{{diag}}(d) \text{{ of {features} features, "
        rf"{factors} factor{'s' if factors > 1 else ''}}}"
    )


@facts_of.register
def _(problem: RandomFeatures) -> list[str]:
    sizes = {"d": problem.n_inputs, "p": problem.n_features, "n": problem.n_samples}
    given = {r"\sigma^2": problem.noise_variance[()], r"\lambda": problem.ridge[()]}
    first = [rf"{name} = {value}" for name, value in sizes.items()]
    first += [rf"{name} = {number_latex(value)}" for name, value in given.items()]
    name = problem.activation.name
    activation = rf"\text{{{re.sub(r'([_&%#$])', lambda found: chr(92) + found[0], name)}}}" if name else r"\phi"
    features = rf"{activation}(w_i^\top x),\quad w_i \text{{ uniform on the unit sphere}},\quad x \sim N(0, I_d)"
    return [r",\quad ".join(first), features, _target_latex(problem)]


def _target_latex(problem: RandomFeatures) -> str:
    """The target without its noise, in its index z."""
    if callable(problem.target):
        return r"y = g(z) + \text{noise},\quad z = x^\top b,\quad \|b\| = 1"
    coefficients = np.ones(1) if problem.target is None else np.atleast_1d(problem.target)
    terms = [(number_latex(one), degree) for degree, one in enumerate(coefficients, 1) if one != 0]
    several = [f"{'' if one == '1' else one} {'z' if degree == 1 else f'h_{{{degree}}}(z)'}" for one, degree in terms]
    where = r",\quad h_k = \mathit{He}_k/\sqrt{k!}" if any(degree > 1 for _, degree in terms) else ""
    told = " + ".join([*several, r"\text{noise}"]).replace("+ -", "- ")
    return rf"y = {told.strip()},\quad z = x^\top b,\quad \|b\| = 1{where}"


def results_latex(
    problem: Problem, keep: Any, label: str, values: dict[str, Any], as_text: Callable[[Any], str]
) -> list[str]:
    """Results and what is given, in rows of LaTeX; the first result is that of the model of this label."""
    shape = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
    if shape != ():
        raise ValueError(f"LaTeX is written for one regime, not for a batch of shape {shape}")
    facts = facts_latex(problem)
    if keep is not None:
        facts[0] += rf",\quad \alpha = {number_latex(keep[()])}"
    texts = {name: as_text(value) for name, value in values.items() if value is not None}
    first, *others = (f"{name} = {decimal_latex(text)}" for name, text in texts.items())
    short = sum(map(len, texts.values())) < 50
    return [rf"{first} \quad \text{{({label})}}", *([r",\quad ".join(others)] if short else others), *facts]
