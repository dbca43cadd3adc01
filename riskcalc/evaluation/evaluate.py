"""The public function `evaluate`: any formula at any inputs, in every number system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import sympy

from riskcalc.evaluation.inputs import Inputs, read
from riskcalc.evaluation.plan import Plan, Records, Step, definitions_of, make_plan, possible_inputs
from riskcalc.evaluation.roots import enclose, solve
from riskcalc.exact import count
from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.records import Definitions, Equation, FixedPoint, Formula
from riskcalc.formulas.symbols import refuse_namesakes, refuse_undeclared
from riskcalc.lookup import look_up
from riskcalc.lowering.balls import Balls
from riskcalc.lowering.evaluator import evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.multiprecision import GUARD, Multiprecision, context
from riskcalc.results.values import rounded
from riskcalc.theory.library import library_of

Values = dict[str, np.ndarray]  # by the id of a step
_ENCLOSED_DIGITS = 15


def evaluate(
    formula: str | Formula | sympy.Expr,
    inputs: Mapping[str, Any],
    digits: int | None = None,
    *,
    enclosed: bool = False,
    chapter: Chapter | None = None,
) -> Any:
    """Evaluate a formula, with all that it needs.

    What the formula needs and the inputs do not give is evaluated, too: by its definitions, by the formulas that it is
    derived from (the nearest ones first), and by those of its chapter. Equations are solved.

    Parameters
    ----------
    formula : str, Formula or SymPy expression
        The id of a registered formula, or of one in `chapter`; the formula itself; or an expression in declared
        symbols, with means over the law by `riskcalc.formulas.expectation.E`.
    inputs : mapping of str to array_like
        Values by the names of symbols: numbers as exact as they are written ("1/10" is a tenth), within the domains of
        the symbols. Symbols with one value per regime have shape (...); symbols of the law have shape (..., K), one
        value per atom, and so have their "weights", which add up to one. All broadcast as a batch.
    digits : int, optional
        Significant digits, computed by mpmath; float64 if not given.
    enclosed : bool
        Enclose the value in a ball of python-flint, with so many digits (15 if not given): a rigorous error bound. For
        an equation the ball holds a root of it; of another root elsewhere it says nothing.
    chapter : Chapter, optional
        Of your own, in which ids are looked up beside riskcalc's.

    Returns
    -------
    float, mpf or arb; or an array of them
        Shape (...), or (..., K) for what varies over the law; nan where a formula has no real value.

    Raises
    ------
    ValueError
        If an input is missing, not used (the near names are told), outside its domain, or of another shape; if
        several formulas give what is missing; if an equation has no root in its bracket; if the formula is written in
        symbols that were not declared, or cannot be enclosed.
    TypeError
        If `formula` is none of the above.

    Examples
    --------
    >>> import riskcalc as rc
    >>> fit = {"kappa": "10/3", "ridge": 0, "Lambda": [25, 1], "D": 1, "weights": ["1/10", "9/10"]}
    >>> round(rc.evaluate("dense.risk", fit | {"B": 1, "sigma2": 0}), 4)
    0.9765
    >>> rc.evaluate("dense.effective_ridge", fit | {"kappa": [2, 3], "ridge": "1/10"}).round(3)
    array([1.43 , 2.878])
    """
    library = library_of(chapter)
    digits = None if digits is None else count(digits, "digits")
    asked = formula_of(formula, library.records, chapter)
    (value,) = evaluate_all((asked,), inputs, library.records, library.meanings, digits, enclosed)
    return value


def formula_of(formula: Any, records: Records, chapter: Chapter | None) -> Formula:
    """The formula of an id, of an expression, or itself."""
    if isinstance(formula, str):
        return look_up(formula, records, "formula")
    if isinstance(formula, sympy.Expr):
        id = "the expression" if chapter is None else f"{chapter.id}.the expression"
        formula = Formula(id=id, title=id, defines=sympy.Dummy(), statement=formula, source="")
        refuse_undeclared(formula.statement.free_symbols, "the expression")
    if not isinstance(formula, Formula):
        raise TypeError(f"formula must be the id of a formula, a Formula or a SymPy expression, got {formula!r}")
    refuse_undeclared(formula.symbols() - {formula.defines}, formula.id)
    refuse_namesakes(formula.symbols(), formula.id)
    if isinstance(formula, Equation):
        formula.check()
    return formula


def evaluate_all(
    formulas: Iterable[str | Formula],
    given: Mapping[str, Any],
    records: Records,
    meanings: Definitions,
    digits: int | None = None,
    enclosed: bool = False,
) -> list[Any]:
    """Several formulas, or their ids, at the same inputs; see `evaluate`."""
    asked = [records[one] if isinstance(one, str) else one for one in formulas]
    names = " and ".join(one.id for one in asked)
    inputs = read(given, possible_inputs(asked, records, meanings), definitions_of(asked), names)
    plan = make_plan(asked, records, meanings, inputs.exact)
    values = _run(plan, inputs, digits, enclosed)
    return [_shaped(plan.steps[formula.id], values[formula.id], inputs, digits, enclosed) for formula in asked]


def _run(plan: Plan, inputs: Inputs, digits: int | None, enclosed: bool) -> Values:
    """Every step in the number system asked for, and before in coarser ones where roots are found near theirs."""
    equations = any(isinstance(step.formula, (Equation, FixedPoint)) for step in plan.steps.values())
    coarse: Values = {}
    if enclosed:
        wanted = digits or _ENCLOSED_DIGITS
        coarse = _run(plan, inputs, wanted, False) if equations else {}
        return _in_system(plan, inputs, Balls(wanted + GUARD), coarse, wanted)
    if digits is not None:
        coarse = _run(plan, inputs, None, False) if equations else {}
        return _in_system(plan, inputs, Multiprecision(digits), coarse, digits)
    return _in_system(plan, inputs, FLOAT64, coarse, 0)


def _in_system(plan: Plan, inputs: Inputs, system: Any, coarse: Values, digits: int) -> Values:
    work = evaluator(system, {})
    values: Values = {}
    with system.precision():
        state = {name: system.number(array) for name, array in inputs.exact.items()}
        for id, step in plan.steps.items():
            own = state | {name: values[source] for name, source in step.sources.items()}
            try:
                if not isinstance(step.formula, (Equation, FixedPoint)):
                    value = work.lower(step.forms, step.where, id, scalar_output=True)(own)
                elif isinstance(system, Balls):
                    value = enclose(step, own, work, coarse[id], digits)
                else:
                    value = solve(step, own, work, coarse.get(id))
            except ZeroDivisionError as error:
                raise ValueError(f"{id} divides by zero at these inputs") from error
            values[id] = value + 0 * state["total"]
    return values


def _shaped(step: Step, values: np.ndarray, inputs: Inputs, digits: int | None, enclosed: bool) -> Any:
    """Values of regimes and atoms in the shape of the batch."""
    shape = (*inputs.batch, values.shape[1]) if step.varies else inputs.batch
    values = np.broadcast_to(values, (len(inputs.exact["total"]), values.shape[1])).reshape(shape)
    if enclosed:
        finite = np.frompyfunc(lambda ball: ball.is_finite(), 1, 1)(values)
        if not np.all(finite):
            raise ValueError(f"{step.formula.id} is not enclosed: a ball reaches across a switch, or has no real value")
        return values if values.ndim else values.item()
    if digits is not None:
        real = np.frompyfunc(lambda x: x if isinstance(x, context().mpf) else np.nan, 1, 1)
        values = np.asarray(real(values), dtype=object)
    return rounded(values, digits)
