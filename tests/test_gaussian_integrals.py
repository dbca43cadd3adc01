"""Integrals over a normal variable, by recursion: beside their quadrature; and what is no such integral."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from sympy import Integral, Rational, exp, oo, pi, sqrt

from riskcalc.derivation.gaussian import gaussian_integral

h, k = sympy.symbols("h k", real=True)
low, slope, weight = sympy.symbols("low slope weight", nonnegative=True)
rate = sympy.Symbol("rate", positive=True)

DENSITY = exp(-(h**2) / 2) / sqrt(2 * pi)
LIMITS = [(-oo, oo), (low, oo), (-oo, low - 1), (low - 1, slope), (slope, low - 1)]
INTEGRANDS = [
    DENSITY,
    h * DENSITY,
    (h**4 - 3 * h + weight) * DENSITY,
    (weight + h) ** 3 * DENSITY * exp(-slope * (weight + h)),
    (h + weight) ** 2 * DENSITY / (weight + rate) ** 2,
    sqrt(weight) * h**2 * exp(-rate * h**2 + slope * h / 3 + 1),
    DENSITY * (1 + h * exp(slope * h) + h**2 * exp(-rate * (h - low) ** 2)),
]
# Also where a symbol that may be zero is.
POINTS = [
    {low: Rational(1, 3), slope: Rational(5, 4), weight: Rational(3, 7), rate: Rational(2, 5)},
    {low: 0, slope: 0, weight: 0, rate: 3},
    {low: 2, slope: 0, weight: 1, rate: Rational(1, 4)},
]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("integrand", INTEGRANDS, ids=str)
def test_an_integral_is_its_quadrature(integrand: sympy.Expr, limits: tuple):
    done = gaussian_integral(Integral(integrand, (h, *limits)))
    assert not done.has(Integral, h)
    nodes, weights = np.polynomial.legendre.leggauss(300)
    for point in POINTS:
        bottom, top = (float(end.subs(point).subs({oo: 24, -oo: -24})) for end in limits)
        heights = (bottom + top) / 2 + (top - bottom) / 2 * nodes
        values = sympy.lambdify(h, integrand.subs(point))(heights)
        assert float(done.subs(point)) == pytest.approx(
            (top - bottom) / 2 * np.sum(weights * values), rel=1e-10, abs=1e-12
        )


@pytest.mark.parametrize(
    "other",
    [
        Integral(exp(slope * h), (h, 0, 1)),
        Integral(exp(-slope * h**2), (h, 0, 1)),  # the slope may be zero
        Integral(exp(-(h**4)) * exp(-(h**2)), (h, -oo, oo)),
        Integral(sqrt(h**2 + 1) * DENSITY, (h, -oo, oo)),
        Integral(abs(h) * DENSITY, (h, -oo, oo)),
        Integral(h**weight * DENSITY, (h, 0, 1)),
        Integral(DENSITY / (h + 2), (h, 0, 1)),
        Integral(DENSITY * exp(-(k**2)), (h, 0, 1), (k, 0, 1)),
        Integral(DENSITY, h),
    ],
    ids=str,
)
def test_what_is_no_such_integral_is_left_to_sympy(other: Integral):
    assert gaussian_integral(other) is None
