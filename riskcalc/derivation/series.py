"""Leading terms in a limit, by power series taken under the mean: exact for laws of finitely many atoms.

Every feature is taken to have variance, and every symbol to be positive.
"""

from __future__ import annotations

import sympy
from sympy import Order, S

from riskcalc.derivation.algebra import cases, evaluated, is_zero_in_general, vanishes
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import Expression

# Terms kept under the mean beyond those claimed: a division by what vanishes in the limit uses some up. What is left
# is carried along as an order, so that too few are noticed.
_SPARE = 5

_SMALL = sympy.Symbol("epsilon", positive=True)


def expands(
    expression: Expression, terms: Expression, error: Expression, variable: Expression, point: Expression, side: str
) -> bool:
    """Whether the unfolded `expression` is `terms` up to the order of `error`, no term being beyond that order."""
    near = 1 / _SMALL if point is S.Infinity else point + _SMALL if side == "+" else point - _SMALL

    def generic(part: Expression) -> Expression:
        case, _ = next(cases(evaluated(part)))
        names = {symbol.name: symbol for symbol in case.free_symbols}
        return case.xreplace({names[variable.name]: near} if variable.name in names else {})

    order = _order(generic(error))
    claimed = _coefficients(generic(terms), order)
    found = _coefficients(generic(expression), order)
    spelled = sympy.Add(*(coefficient * _SMALL**power for power, coefficient in claimed.items()))
    if not vanishes(generic(terms) - spelled):
        return False  # a term is beyond the error
    return all(vanishes(found.get(power, S.Zero) - claimed.get(power, S.Zero)) for power in {*found, *claimed})


def _order(error: Expression) -> Expression:
    """The power of epsilon that an error is of."""
    coefficient, power = _monomial(sympy.factor(error))
    if is_zero_in_general(coefficient):
        raise ValueError("an error of zero is no order")
    return power


def _monomial(term: Expression) -> tuple[Expression, Expression]:
    """Coefficient and power of a term in epsilon. ValueError if it is not of this form, such as a logarithm."""
    coefficient, power = term.as_coeff_exponent(_SMALL)
    if coefficient.has(_SMALL) or not power.is_number:
        raise ValueError(f"{term} is no multiple of a power of {_SMALL}")
    return coefficient, power


def _coefficients(expression: Expression, order: Expression) -> dict[Expression, Expression]:
    """The coefficients of the powers of epsilon below an order."""
    if any(power.base.has(_SMALL) and not power.exp.is_number for power in expression.atoms(sympy.Pow)):
        raise ValueError(f"{expression} has a power of {_SMALL} with an unknown exponent")
    depth = order + _SPARE
    series = expression.replace(lambda node: isinstance(node, E), lambda mean: _mean_series(mean, depth))
    series = sympy.series(series, _SMALL, 0, order) if series.has(_SMALL) else series
    rest = series.getO()
    if rest is not None and sympy.Order(_SMALL**order, _SMALL).contains(rest) is not True:
        raise ValueError(f"the series is known up to {rest} only, not to {_SMALL**order}")
    found: dict[Expression, Expression] = {}
    for term in sympy.Add.make_args(sympy.expand(series.removeO())):
        coefficient, power = _monomial(term)
        found[power] = found.get(power, S.Zero) + coefficient
    return {power: coefficient for power, coefficient in found.items() if power < order}


def _mean_series(mean: E, depth: Expression) -> Expression:
    """The mean of a power series in epsilon, term by term."""
    if not mean.has(_SMALL):
        return mean
    series = sympy.series(mean.integrand, _SMALL, 0, depth)
    rest = series.getO()
    terms = sympy.Add(*(E(term) for term in sympy.Add.make_args(sympy.expand(series.removeO()))))
    return terms + (0 if rest is None else Order(_SMALL ** _monomial(rest.expr)[1]))
