"""The public function `source`: the array code that evaluates a formula."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from riskcalc.evaluation.evaluate import formula_of
from riskcalc.evaluation.plan import unfolded
from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.records import Definitions, FixedPoint, Formula, LinearEquation
from riskcalc.formulas.symbols import Expression
from riskcalc.lowering.evaluator import PLAIN
from riskcalc.theory.library import library_of


def source(formula: str | Formula | sympy.Expr, *, chapter: Chapter | None = None) -> str:
    """The array code that evaluates a formula, as it is generated.

    Parameters
    ----------
    formula : str, Formula or SymPy expression
        As for `riskcalc.evaluate`.
    chapter : Chapter, optional
        Of your own, in which ids are looked up beside riskcalc's.

    Returns
    -------
    str
        Python: ``law``, what varies over the law, for every atom at once; ``value``, what combines the means of what
        ``law`` returns. Of an equation that riskcalc solves it is what the solver evaluates at every trial. Functions
        that are called and not defined are those of a number system, such as the ``functions`` of
        `riskcalc.lowering.float64.FLOAT64`.

    Raises
    ------
    ValueError
        If no formula has this id (the message names the near ones); if the formula cannot be evaluated.
    TypeError
        If `formula` is none of the above.

    Examples
    --------
    >>> import riskcalc as rc
    >>> print(rc.source("sampling.risk"))
    # sampling.risk: risk
    def value(gamma, growth):
        return (
            gamma + growth,
        )
    """
    return "\n".join(_sources(formula_of(formula, library_of(chapter).records, chapter))).rstrip("\n")


def _sources(formula: Formula) -> Iterator[str]:
    """Of the definitions that are means, and of the formula itself."""
    forms, where, told = _evaluated(formula)
    if not isinstance(formula, LinearEquation):
        step, inner = unfolded(formula)
        where = step.where
        for definition in inner.values():
            yield from _sources(definition)
    yield f"# {formula.id}: {told}\n{PLAIN.lower(forms, where, formula.id).source}"


def _evaluated(formula: Formula) -> tuple[tuple[Expression, ...], Definitions, str]:
    """What of a formula is lowered, the definitions that it uses, and what it is in words."""
    if isinstance(formula, FixedPoint):
        left, right = formula.sides()
        return formula.terms(), formula.where, f"part, remainder, slope and bend, in {left} = {right}"
    if isinstance(formula, LinearEquation):
        unknowns = ", ".join(map(str, formula.unknowns))
        return formula.terms(), formula.where, f"left minus right side at zero, and the coefficients of {unknowns}"
    form = formula.reduced()
    if isinstance(form, sympy.Eq):
        return (form.lhs, form.rhs), formula.where, f"both sides of the equation that {formula.defines} solves"
    return (form,), formula.where, str(formula.defines)
