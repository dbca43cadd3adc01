"""The mpmath routines of the nodes: the same arrays, holding mpf at any number of digits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from mpmath import mp, mpf

from riskcalc.exact import as_fractions
from riskcalc.lowering.compensated import Pair

# Digits carried beyond those asked for; the evaluation forms lose fewer.
GUARD = 25


def _ratio(x, y):
    if y == 0:
        return mp.zero if x == 0 else mp.sign(x) * mp.inf
    return x / y


def _share(x, y):
    return mp.zero if x == 0 else x / (x + y)


def _rest(x, y):
    return mp.one if x == 0 else y / (x + y)


def _positive_root(b, c):
    spread = mp.sqrt(b * b + 4 * c)
    if b >= 0:
        return (b + spread) / 2
    return 2 * c / (spread - b)


def _top(score, t, part):
    return mp.one if score > t else part if score == t else mp.zero


def _tail(x):
    """P(H > x)."""
    return mp.zero if x == mp.inf else mp.one if x == -mp.inf else mp.erfc(x / mp.sqrt(2)) / 2


def _ends(z, u):
    return (z, -mp.inf) if mp.isinf(u) else (z, z - 2 * u)


def _phi(x):
    return mp.zero if mp.isinf(x) else mp.npdf(x)


def _inside(z, u):
    if u == 0:
        return mp.zero
    lost = 0 if mp.isinf(u) or u > 1 else int(-mp.log(u, 2)) + 8
    with mp.workprec(mp.prec + lost):
        upper, lower = _ends(z, u)
        mass = _tail(-lower if upper + lower < 0 else lower) - _tail(-upper if upper + lower < 0 else upper)
        mass = abs(mass)
    return +mass


def _outside(z, u):
    upper, lower = _ends(z, u)
    return _tail(upper) + _tail(-lower)


def _fall(z, u):
    return mp.one if mp.isinf(u) else -mp.expm1(-2 * u * (u - z))


def _boundary(z, u):
    return mp.zero if mp.isinf(u) else u * _phi(z) * (2 - _fall(z, u))


def _edge_drop(z, u):
    return _phi(z) * _fall(z, u)


def _edge_moment(z, u):
    return sum(mp.zero if mp.isinf(x) else sign * x * _phi(x) for sign, x in zip((1, -1), _ends(z, u), strict=True))


def _elementwise(function, inputs: int):
    return np.frompyfunc(function, inputs, 1)


@dataclass(frozen=True)
class Multiprecision:
    """Arrays of mpf, correct to `digits` significant digits."""

    digits: int

    functions = {
        "rational": lambda p, q: mpf(p) / q,
        "sqrt": _elementwise(mp.sqrt, 1),
        "exp": _elementwise(mp.exp, 1),
        "log": _elementwise(lambda x: mp.log(x) if x else -mp.inf, 1),
        "ratio": _elementwise(_ratio, 2),
        "share": _elementwise(_share, 2),
        "rest": _elementwise(_rest, 2),
        "positive": _elementwise(lambda x: mp.one if x > 0 else mp.zero, 1),
        "positive_root": _elementwise(_positive_root, 2),
        "top": _elementwise(_top, 3),
        "two_sided_quantile": _elementwise(lambda p: mp.sqrt(2) * mp.erfinv(1 - p), 1),
        "phi": _elementwise(_phi, 1),
        "Inside": _elementwise(_inside, 2),
        "Outside": _elementwise(_outside, 2),
        "boundary": _elementwise(_boundary, 2),
        "edge_drop": _elementwise(_edge_drop, 2),
        "edge_moment": _elementwise(_edge_moment, 2),
    }

    @property
    def epsilon(self) -> mpf:
        return mpf(10) ** (-self.digits - GUARD // 2)

    @property
    def exactness(self) -> mpf:
        return mpf(10) ** (-self.digits - GUARD + 5)

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array as mpf, rounded at the working precision."""
        return np.frompyfunc(_mpf, 1, 1)(array)

    def exact(self, array: np.ndarray) -> np.ndarray:
        return as_fractions(array)

    def pair(self, exact: np.ndarray) -> Pair:
        high = self.number(exact)
        return high, 0 * high

    def precision(self):
        return mp.workdps(self.digits + GUARD)


def _mpf(x: float | Fraction) -> mpf:
    return mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mpf(x)
