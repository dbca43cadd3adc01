"""Integrals of polynomials times exponentials of a quadratic, by recursion: what means over a normal variable are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy import Add, Dummy, Mul, Poly, S, erf, exp, pi, sqrt

from riskcalc.formulas.symbols import Expression


def gaussian_integral(node: Any) -> Expression | None:
    """The integral of a sum of P(h) exp(-A h^2 + L h + C), with A > 0, between any limits; None for any other.

    It holds whatever real values the symbols in it have, zero included.
    """
    if len(node.limits) != 1 or len(node.limits[0]) != 3:
        return None
    h, low, high = node.limits[0]
    found = S.Zero
    for exponent, factor in _terms(node.function, h):
        square = -exponent.coeff_monomial(h**2)
        if exponent.degree() > 2 or not square.is_positive or not factor.is_polynomial(h):
            return None
        found += _of_polynomial(Poly(factor, h), exponent, h, low, high)
    return found


def _terms(integrand: Expression, h: Expression) -> Iterator[tuple[Poly, Expression]]:
    """Summands, each as the exponent of an exponential, as a polynomial, and the factor beside it."""
    powers = {power: Dummy() for power in integrand.atoms(exp) if power.has(h) and power.exp.is_polynomial(h)}
    exponents = {name: power.exp for power, name in powers.items()}
    for term in Add.make_args(sympy.expand(integrand.xreplace(powers))):
        counts: dict[Any, Any] = term.as_powers_dict()
        exponent = Add(*(counts[name] * exponents[name] for name in counts if name in exponents))
        yield Poly(exponent, h), Mul(*(base**count for base, count in counts.items() if base not in exponents))


def _of_polynomial(factor: Poly, exponent: Poly, h: Expression, low: Any, high: Any) -> Expression:
    """The integral of one polynomial times one exponential.

    From (h^k e^q)' = (k h^(k-1) + h^k q') e^q with q' = L - 2 A h, an integral follows from the two before it.
    """
    square, slope, constant = (sign * exponent.coeff_monomial(h**k) for k, sign in ((2, -1), (1, 1), (0, 1)))
    middle, root = slope / (2 * square), sqrt(square)

    def at_ends(power: Any) -> Expression:
        ends = (S.Zero if end.is_infinite else end**power * exp(exponent.as_expr().subs(h, end)) for end in (high, low))
        return next(ends) - next(ends)

    rise: Any = erf(root * (high - middle)) - erf(root * (low - middle))
    integrals: list[Any] = [sqrt(pi) / (2 * root) * exp(constant + slope * middle / 2) * rise]
    for k in range(int(factor.degree())):
        before = k * integrals[k - 1] if k else S.Zero
        integrals.append((slope * integrals[k] + before - at_ends(k)) / (2 * square))
    return Add(*(coefficient * integrals[power] for (power,), coefficient in factor.terms()))
