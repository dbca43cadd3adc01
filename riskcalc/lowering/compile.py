"""From reduced formulas to array code: one generated source, run in the namespace of any number system.

Generated code has at most two functions. `law(...)` evaluates everything that varies over the law, atom by atom;
`value(...)` combines the means of what `law` returned. A formula without expectations is its `law` alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Node
from riskcalc.formulas.records import Definitions, Formula, LinearEquation
from riskcalc.formulas.symbols import Expression, LawSymbol
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.sizes import size
from riskcalc.lowering.systems import NumberSystem


class _Printer(StrPrinter):
    """Python source that is exact in every number system: rationals are emitted exactly, floats are refused.

    So is what the system has no routine for.
    """

    def __init__(self, routines: Container[str]):
        super().__init__()
        self.routines = routines
        self.called: set[str] = set()

    def _print_Function(self, expr):
        name = type(expr).__name__
        if name not in self.routines:
            raise ValueError(f"{expr} cannot be evaluated: {name} is no function that formulas are lowered with")
        self.called.add(name)
        return super()._print_Function(expr)

    def _print_Exp1(self, expr) -> Any:
        return "exp(rational(1, 1))"

    def _print_Float(self, expr):
        raise ValueError(f"the floating-point number {expr} stands in a formula; write an exact rational")

    def _print_Rational(self, expr):
        return f"rational({expr.p}, {expr.q})"

    def _print_Pi(self, expr) -> Any:
        return "pi()"  # to the precision at work

    def _print_log(self, expr):
        (argument,) = expr.args
        inner = ", ".join(self._print(part) for part in argument.args)
        name = type(argument).__name__
        return f"log_{name}({inner})" if name in _LOG_NODES else f"log({self._print(argument)})"


_LOG_NODES = {"Inside", "Outside"}
# What has no value in any number system, or none before it is done.
_NOT_LOWERED: tuple[Any, ...] = (
    *(
        sympy.Derivative,
        sympy.Integral,
        sympy.Sum,
        sympy.Product,
        sympy.Limit,
        sympy.Subs,
        sympy.Rel,
    ),
    *(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan, sympy.I, sympy.EulerGamma, sympy.Catalan, sympy.GoldenRatio),
    *(sympy.true, sympy.false, E),
)


@cache
def reduced(formula: Formula) -> Expression:
    """`formula.reduced()`, computed once."""
    return formula.reduced()


@cache
def linear_terms(equation: LinearEquation) -> tuple[Expression, ...]:
    """`equation.terms()`, computed once."""
    return equation.terms()


def lower(
    expressions: Iterable[Expression],
    where: Definitions,
    system: NumberSystem,
    name: str = "expressions",
    scalar_output: bool = False,
    sized: tuple[int, int] = (0, 0),
    inexact: tuple[str, ...] = (),
) -> Lowered:
    """Compile expressions that share their where-definitions, common subexpressions evaluated once.

    After them come the sizes of those that are `sized`, from one place to before another: of their terms, for how much
    rounding there is in them (see `riskcalc.lowering.sizes`, also for what is `inexact`).

    Raises ValueError for a Float, an expectation inside an expectation, or law symbols left outside one.
    """
    return _lower(tuple(expressions), tuple(where.items()), system, name, scalar_output, sized, inexact)


@cache
def _lower(
    outputs: tuple[Expression, ...],
    definitions: tuple[tuple[Any, Expression], ...],
    system: NumberSystem,
    name: str,
    scalar_output: bool,
    sized: tuple[int, int],
    inexact: tuple[str, ...],
) -> Lowered:
    where = dict(definitions)
    outputs += tuple(size(form, where, inexact) for form in outputs[slice(*sized)])
    used = closure(outputs, where)
    scalars = {symbol: rule for symbol, rule in where.items() if symbol in used and rule.has(E)}
    forms = (*outputs, *scalars.values())
    means = sorted({mean for form in forms for mean in form.atoms(E)}, key=sympy.default_sort_key)
    symbols = {mean: sympy.Symbol(f"_mean{i}") for i, mean in enumerate(means)}
    combined = [output.xreplace(symbols) for output in outputs]
    of_means = where | {symbol: rule.xreplace(symbols) for symbol, rule in scalars.items()}
    outside = sorted(str(symbol) for symbol in closure(combined, of_means) if isinstance(symbol, LawSymbol))
    if outside and not means:
        source, inputs = _emit("law", outputs, where, system)
        return Lowered(name, source, inputs, None, scalar_output, system)

    source, law_inputs = "", ()
    if means:
        if any(mean.integrand.has(E) for mean in means):
            raise ValueError(f"{name}: an expectation stands inside an expectation; give the inner one its own symbol")
        source, law_inputs = _emit("law", [mean.integrand for mean in means], where, system)
        source += "\n"
    if outside:
        raise ValueError(f"{name}: {', '.join(outside)} varies over the law but stands outside E[...]")
    text, value_inputs = _emit("value", combined, of_means, system, first=[str(symbol) for symbol in symbols.values()])
    return Lowered(name, source + text, law_inputs, value_inputs, scalar_output, system)


def closure(expressions: Iterable[Expression], where: Definitions) -> set[Any]:
    """All symbols that expressions depend on, through the where-definitions."""
    found: set[Any] = set()
    pending = _symbols(expressions)
    while pending:
        symbol = pending.pop()
        found.add(symbol)
        if symbol in where:
            pending |= where[symbol].free_symbols - found
    return found


def _symbols(expressions: Iterable[Expression]) -> set[Any]:
    return set().union(*(expression.free_symbols for expression in expressions))


def _emit(
    name: str, outputs: Sequence[Expression], where: Definitions, system: NumberSystem, first: Sequence[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """Source of one function that returns the outputs as a tuple, and the names of its inputs."""
    used = closure(outputs, where)
    defined = [symbol for symbol in where if symbol in used]
    rules = [_split(expression) for expression in [*(where[symbol] for symbol in defined), *outputs]]
    for rule in rules:
        if rule.has(*_NOT_LOWERED):
            raise ValueError(f"{rule} cannot be evaluated as it stands")
    shared: Any
    reduced: Any
    shared, reduced = sympy.cse(rules, symbols=sympy.numbered_symbols("_x"))
    assignments = dict(zip(defined, reduced, strict=False)) | dict(shared)
    results = reduced[len(defined) :]

    order = TopologicalSorter({symbol: sorted(rule.free_symbols, key=str) for symbol, rule in assignments.items()})
    printer = _Printer(system.functions)
    lines = [
        f"    {symbol} = {printer.doprint(assignments[symbol])}"
        for symbol in order.static_order()
        if symbol in assignments
    ]
    free = _symbols([*assignments.values(), *results]) - assignments.keys()
    inputs = sorted({str(symbol) for symbol in free} - set(first))
    lines.append("    return (")
    lines += [f"        {printer.doprint(result)}," for result in results]
    clash = printer.called & {*inputs, *map(str, assignments)}
    if clash:
        raise ValueError(f"{', '.join(sorted(clash))} is a symbol and a function in one formula; rename the symbol")
    lines.append("    )")
    return f"def {name}({', '.join([*first, *inputs])}):\n" + "\n".join(lines) + "\n", tuple(inputs)


def _split(expression: Expression) -> Expression:
    """Replace nodes by the pieces that they share; a node inside a logarithm keeps its own routine."""
    if isinstance(expression, sympy.log) and type(expression.args[0]).__name__ in _LOG_NODES:
        return expression
    if not expression.args:
        return expression
    rebuilt = expression.func(*(_split(argument) for argument in expression.args))
    return rebuilt.pieces() if isinstance(rebuilt, Node) else rebuilt
