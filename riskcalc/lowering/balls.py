"""The ball routines of the nodes: real numbers enclosed with their error, by python-flint.

A ball that reaches across a switch (a sign, a zero) gives nan, which encloses everything.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, ClassVar

import flint
import numpy as np
from flint import arb, fmpq

from riskcalc.lowering.chi_squared import MOST_TERMS
from riskcalc.lowering.closed_forms import ELEMENTARY, ERRORS, elementwise, rates, tents

# python-flint has one precision for the whole process: threads take turns.
_TURN = threading.RLock()
_NO_SPREAD = arb(fmpq(1, 10**100))


def _switch(test: Any, yes: Any, no: Any) -> Any:
    """`yes()` or `no()` by the sign of a ball: > 0, or <= 0; nan if the ball reaches across."""
    return yes() if test > 0 else no() if test <= 0 else arb.nan()


def _unless_zero(x: Any, at_zero: int, otherwise: Any) -> Any:
    if x.is_zero():
        return arb(at_zero)
    return arb.nan() if x.contains(0) else otherwise()


def _positive_root(b, c):
    spread = (b * b + 4 * c).sqrt()
    return _switch(-b, lambda: 2 * c / (spread - b), lambda: (b + spread) / 2)


def _top(score, t, part):
    return part if (score - t).is_zero() else _switch(score - t, lambda: arb(1), lambda: arb(0))


def _phi(x):
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def _tail(x):
    """P(H > x), which falls with x: enclosed by its values at both ends, because erfc of a far ball is useless."""
    x = x / arb(2).sqrt()
    return x.lower().erfc().union(x.upper().erfc()) / 2


def _inside(z, u):
    return _tail(-z) - _tail(2 * u - z)


def _chi_density(mu, u, k, size):
    shift, x = size * mu * mu, u * u
    power = (k / 2 - 1) / 2
    return (-(x + shift) / 2).exp() * (x / shift) ** power * (shift * x).sqrt().bessel_i(k / 2 - 1) / 2


def _chi_outside(mu, u, size):
    """A Poisson mixture of central probabilities, the terms beyond enclosed by their weight."""
    mean = size * mu * mu / 2
    if not mean < MOST_TERMS:
        return arb.nan()
    j, weight, total = 0, (-mean).exp(), arb(0)
    while j < 2 * mean + 50 or weight > arb(2) ** -flint.ctx.prec:
        total += weight * (u * u / 2).gamma_upper(size / 2 + j, regularized=True)
        j, weight = j + 1, weight * mean / (j + 1)
    return total + arb(0).union(2 * weight)


def _method(name: str) -> Any:
    return lambda x: getattr(arb(x), name)()


@dataclass(frozen=True)
class Balls:
    """Arrays of arb, at `digits` working digits."""

    digits: int

    functions: ClassVar[dict[str, Any]] = {
        "pi": arb.pi,
        "rational": lambda p, q: arb(fmpq(p, q)),
        "sqrt": elementwise(lambda x: arb(x).sqrt(), 1),
        "Abs": np.abs,
        "exp": elementwise(lambda x: arb(x).exp(), 1),
        "log": elementwise(lambda x: arb(x).log(), 1),
        **{name: elementwise(_method(name), 1) for name in (*ELEMENTARY, *ERRORS)},
        "Max": lambda *parts: reduce(elementwise(lambda x, y: arb(x).max(arb(y)), 2), parts),
        "Min": lambda *parts: reduce(elementwise(lambda x, y: arb(x).min(arb(y)), 2), parts),
        "ratio": elementwise(lambda x, y: _unless_zero(x, 0, lambda: x / y), 2),
        "spread": elementwise(lambda x: _NO_SPREAD if x.is_zero() else x, 1),
        "share": elementwise(lambda x, y: _unless_zero(x, 0, lambda: x / (x + y)), 2),
        "rest": elementwise(lambda x, y: _unless_zero(x, 1, lambda: y / (x + y)), 2),
        "positive": elementwise(lambda x: _switch(x, lambda: arb(1), lambda: arb(0)), 1),
        "positive_root": elementwise(_positive_root, 2),
        "top": elementwise(_top, 3),
        "two_sided_quantile": elementwise(lambda p: arb(2).sqrt() * p.erfcinv(), 1),
        "phi": elementwise(_phi, 1),
        "tail": elementwise(_tail, 1),
        "fall": elementwise(lambda z, u: -(2 * u * (z - u)).expm1(), 2),
        "between": elementwise(lambda z, u, near, far: _inside(z, u), 4),
        **dict.fromkeys(("thin_first", "thin_second", "thin_slope"), lambda z, u, wide: wide),
        "beyond": elementwise(lambda z, near, far: _switch(-z, lambda: 1 - near, lambda: near) + far, 3),
        "discounted": elementwise(lambda mu, theta: (theta * (theta / 2 - mu)).exp() * _tail(theta - mu), 2),
        **{name: elementwise(f, 2) for name, f in (rates(_tail, _phi, _inside) | tents(_tail, _phi)).items()},
        "chi_density": elementwise(_chi_density, 4),
        "chi_outside": elementwise(_chi_outside, 3),
        "chi_inside": elementwise(lambda mu, u, size: 1 - _chi_outside(mu, u, size), 3),
    }

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array as balls around it, rationals to the working precision."""
        return elementwise(_ball, 1)(array)

    @contextmanager
    def precision(self):
        """python-flint at this precision.

        Where other code sets another one meanwhile that stays, and balls are as wide as it makes them.
        """
        with _TURN:
            before = flint.ctx.prec
            flint.ctx.dps = self.digits
            own = flint.ctx.prec
            try:
                yield
            finally:
                if flint.ctx.prec == own:
                    flint.ctx.prec = before


def _ball(x: float | Fraction) -> Any:
    return arb(fmpq(x.numerator, x.denominator)) if isinstance(x, Fraction) else arb(x)
