"""Expressions in the form in which they are typeset: nodes by their definitions, the normal distribution by Phi."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Add, Mul, Rational

from riskcalc.formulas import nodes
from riskcalc.formulas.symbols import Expression
from riskcalc.lowering.closed_forms import tents


class Phi(nodes.Node):
    """The standard normal distribution function; SymPy writes it by erf."""

    nargs = 1


class Phi_inverse(nodes.Node):
    """The quantile of the standard normal distribution; SymPy writes it by erfinv."""

    nargs = 1


class above(nodes.Node):
    """The indicator of score > threshold."""

    nargs = 2


class tied(nodes.Node):
    """The indicator of score = threshold."""

    nargs = 2


class Written(sympy.Symbol):
    """A positive number that stays apart from other numbers; its name is its LaTeX."""


def is_number(expression: Expression) -> bool:
    """Whether an expression consists of numbers, whether or not they stay apart."""
    return all(isinstance(symbol, Written) for symbol in expression.free_symbols)


def _fraction(x: Expression, y: Expression) -> Expression:
    return x if x == 0 else x / y  # 0/0 = 0


def _larger_root(b: Expression, c: Expression) -> Expression:
    return Mul(Rational(1, 2), b + sympy.sqrt(b**2 + 4 * c), evaluate=False) if c != 0 else sympy.Max(b, 0)


def _boundary(z: Expression, u: Expression) -> Expression:
    return u * (nodes.phi(z) + nodes.phi(z - 2 * u))


def _outside(z: Expression, u: Expression) -> Expression:
    return 1 - Phi(z) + Phi(z - 2 * u)


def _inside(z: Expression, u: Expression) -> Expression:
    return Phi(z) - Phi(z - 2 * u)


_TENTS = tents(lambda x: Phi(-x), nodes.phi)

# How nodes, and SymPy's own forms of the normal distribution, stand in a textbook.
_TEXTBOOK: dict[Any, Any] = {
    nodes.ratio: _fraction,
    nodes.share: lambda x, y: _fraction(x, x + y),
    nodes.rest: lambda x, y: sympy.S.One if x == 0 else y / (x + y),
    nodes.spread: lambda x: x,
    nodes.positive: lambda x: sympy.Integer(bool(x > 0)) if is_number(x) else nodes.positive(x),
    nodes.positive_root: _larger_root,
    nodes.top: lambda score, t, part: above(score, t) + part * tied(score, t),
    nodes.tail: lambda x: Phi(-x),
    nodes.two_sided_quantile: lambda p: Phi_inverse(1 - p / 2),
    nodes.fall: lambda z, u: 1 - nodes.phi(z - 2 * u) / nodes.phi(z),
    nodes.Inside: _inside,
    nodes.Outside: _outside,
    nodes.boundary: _boundary,
    nodes.inside_rate: lambda z, u: _boundary(z, u) / _inside(z, u),
    nodes.outside_rate: lambda z, u: _boundary(z, u) / _outside(z, u),
    nodes.edge_drop: lambda z, u: nodes.phi(z) - nodes.phi(z - 2 * u),
    nodes.edge_moment: lambda z, u: z * nodes.phi(z) - (z - 2 * u) * nodes.phi(z - 2 * u),
    nodes.inner_first: lambda z, u: (u - z) * _inside(z, u) - (nodes.phi(z) - nodes.phi(z - 2 * u)),
    nodes.inner_second: lambda z, u: (
        (1 + (u - z) ** 2) * _inside(z, u) - _boundary(z, u) - (u - z) * (nodes.phi(z) - nodes.phi(z - 2 * u))
    ),
    nodes.inner_slope: lambda z, u: _inside(z, u) - _boundary(z, u),
    nodes.discounted: lambda mu, theta: sympy.exp(theta**2 / 2 - theta * mu) * Phi(mu - theta),
    nodes.tent: _TENTS["tent"],
    nodes.off_tent: _TENTS["off_tent"],
    nodes.tent_drop: lambda mu, u: (2 * Phi(mu) - Phi(mu + u) - Phi(mu - u)) / u,
    nodes.tent_moment: _TENTS["tent_moment"],
    sympy.erf: lambda x: 2 * Phi(sympy.sqrt(2) * x) - 1,
    sympy.erfc: lambda x: 2 * Phi(-sympy.sqrt(2) * x),
    sympy.erfinv: lambda y: Phi_inverse((1 + y) / 2) / sympy.sqrt(2),
}


def textbook(expression: Expression) -> Expression:
    """The expression with its nodes in the form in which they are typeset."""
    if not expression.args:
        return expression
    parts = [textbook(part) for part in expression.args]
    form = _TEXTBOOK.get(expression.func)
    if form is not None:
        return form(*parts)
    same = all(new is old for new, old in zip(parts, expression.args, strict=True))
    rebuilt = expression if same else expression.func(*parts)
    if not expression.is_Add:
        return rebuilt
    terms = [term for part in parts for term in Add.make_args(part)]
    if len(Add.make_args(rebuilt)) < len(terms) and not expression.has(sympy.erf, sympy.erfc):
        rebuilt = Add(*terms, evaluate=False)  # what cancels is there to be seen
    coefficients: list[Any] = [term.as_coeff_Mul()[0] for term in Add.make_args(rebuilt)]
    below = {coefficient.q for coefficient in coefficients if coefficient.is_Rational}
    if len(below) != 1 or below == {1} or not rebuilt.is_Add:
        return rebuilt
    content, primitive = rebuilt.primitive()
    return Mul(content, primitive, evaluate=False)  # one fraction line for all
