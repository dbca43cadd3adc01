"""The ball routines of the nodes: real numbers enclosed with their error, by python-flint.

A ball that reaches across a switch (a sign, a zero) gives nan, which encloses everything.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import flint
import numpy as np
from flint import arb, fmpq

_NO_SPREAD = arb(fmpq(1, 10**100))


def _switch(test: Any, yes: Any, no: Any) -> Any:
    """`yes()` or `no()` by the sign of a ball: > 0, or <= 0; nan if the ball reaches across."""
    return yes() if test > 0 else no() if test <= 0 else arb.nan()


def _unless_zero(x: Any, at_zero: int, otherwise: Any) -> Any:
    if x.is_zero():
        return arb(at_zero)
    return arb.nan() if x.contains(0) else otherwise()


def _ratio(x, y):
    return _unless_zero(x, 0, lambda: x / y)


def _share(x, y):
    return _unless_zero(x, 0, lambda: x / (x + y))


def _rest(x, y):
    return _unless_zero(x, 1, lambda: y / (x + y))


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


def _boundary(z, u):
    return u * (_phi(z) + _phi(z - 2 * u))


def _outside(z, u):
    return _tail(z) + _tail(2 * u - z)


def _elementwise(function, inputs: int):
    return np.frompyfunc(function, inputs, 1)


@dataclass(frozen=True)
class Balls:
    """Arrays of arb, at `digits` working digits."""

    digits: int

    functions: ClassVar[dict[str, Any]] = {
        "pi": arb.pi,
        "rational": lambda p, q: arb(fmpq(p, q)),
        "sqrt": _elementwise(lambda x: arb(x).sqrt(), 1),
        "Abs": np.abs,
        "exp": _elementwise(lambda x: arb(x).exp(), 1),
        "log": _elementwise(lambda x: arb(x).log(), 1),
        "ratio": _elementwise(_ratio, 2),
        "spread": _elementwise(lambda x: _NO_SPREAD if x.is_zero() else x, 1),
        "share": _elementwise(_share, 2),
        "rest": _elementwise(_rest, 2),
        "positive": _elementwise(lambda x: _switch(x, lambda: arb(1), lambda: arb(0)), 1),
        "positive_root": _elementwise(_positive_root, 2),
        "top": _elementwise(_top, 3),
        "two_sided_quantile": _elementwise(lambda p: arb(2).sqrt() * p.erfcinv(), 1),
        "phi": _elementwise(_phi, 1),
        "tail": _elementwise(_tail, 1),
        "fall": _elementwise(lambda z, u: -(2 * u * (z - u)).expm1(), 2),
        "between": _elementwise(lambda z, u, near, far: _inside(z, u), 4),
        "beyond": _elementwise(lambda z, near, far: _switch(-z, lambda: 1 - near, lambda: near) + far, 3),
        "outside_rate": _elementwise(lambda z, u: _boundary(z, u) / _outside(z, u), 2),
        "inside_rate": _elementwise(lambda z, u: _boundary(z, u) / _inside(z, u), 2),
    }

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array as balls around it, rationals to the working precision."""
        return np.frompyfunc(_ball, 1, 1)(array)

    @contextmanager
    def precision(self):
        """python-flint at this precision."""
        with flint.ctx.workdps(self.digits):
            yield


def _ball(x: float | Fraction) -> Any:
    return arb(fmpq(x.numerator, x.denominator)) if isinstance(x, Fraction) else arb(x)
