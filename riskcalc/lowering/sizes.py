"""What rounding makes of a formula: the sum of the sizes of its terms, beside its value.

Terms are rounded relative to their own size, so a sum that cancels has lost what its terms were larger than it. The
size of an expression is written from the expression itself: sums add sizes, products multiply them, a divisor that
cancels counts by how much. Nodes keep their digits, and count by their value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sympy

from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Definitions
from riskcalc.formulas.symbols import Expression


def size(expression: Expression, where: Definitions, inexact: Iterable[str] = ()) -> Expression:
    """The sum of the sizes of the terms of an expression, through definitions; itself where nothing can cancel.

    Parameters
    ----------
    expression : Expr
        Without H and S.
    where : mapping of Symbol to Expr
    inexact : iterable of str
        Symbols that may have lost digits: ``rho`` is as large as the input ``rho_size`` says.
    """
    sizes: dict[Any, Expression] = {}

    def of(form: Any) -> Expression:
        if form.is_Symbol:
            if form not in sizes:
                sizes[form] = _of_symbol(form, where, inexact, of)
            return sizes[form]
        if form.is_Add or form.is_Mul:
            return form.func(*map(of, form.args))
        if isinstance(form, E):
            return E(of(form.integrand))
        return _power(form.base, form.exp, of) if form.is_Pow else sympy.Abs(form)

    return of(expression)


def _of_symbol(symbol: Any, where: Definitions, inexact: Iterable[str], of: Callable[[Any], Expression]) -> Expression:
    if str(symbol) in inexact:
        return sympy.Symbol(f"{symbol}_size", nonnegative=True)
    own = of(where[symbol]) if symbol in where else symbol
    return own if symbol in where and _signed(own) != _signed(where[symbol]) else sympy.Abs(symbol)


def _signed(form: Expression) -> Expression:
    return form.replace(sympy.Abs, lambda x: x)


def _power(base: Any, exponent: Any, of: Callable[[Any], Expression]) -> Expression:
    own = of(base)
    if _signed(own) == _signed(base) or (exponent.is_integer and exponent.is_positive):
        return own**exponent
    return own * sympy.Abs(base) ** (exponent - 1)  # the value, times what its base has lost
