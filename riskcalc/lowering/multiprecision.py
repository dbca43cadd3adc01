"""The mpmath routines of the nodes: the same arrays, holding mpf at any number of digits."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from mpmath import mp, mpf

from riskcalc.lowering.closed_forms import ELEMENTARY, ERRORS, elementwise, extrema, rates, tents
from riskcalc.lowering.surplus import Surplus, difference

# Digits carried beyond those asked for; the evaluation forms lose fewer.
GUARD = 25
_NO_SPREAD = mpf(10) ** -100


def _ratio(x, y):
    if y == 0:
        return mp.zero if x == 0 else mp.sign(x) * mp.inf
    return x / y


def _positive_root(b, c):
    spread = mp.sqrt(b * b + 4 * c)
    if b >= 0:
        return (b + spread) / 2
    return 2 * c / (spread - b)


def _tail(x):
    """P(H > x)."""
    return mp.erfc(x / mp.sqrt(2)) / 2


def _between(z, u, near, far):
    if u > 1:
        return (1 - near if z >= 0 else near) - far
    if u == 0:
        return mp.zero
    with mp.workprec(mp.prec + 8 - int(mp.log(u, 2))):
        return _tail(-z) - _tail(2 * u - z)


def _inside(z, u):
    return _between(z, u, _tail(abs(z)), _tail(2 * u - z))


def _thin(function):
    """A moment over (-u, u) as it is, and where that is narrow from (mu, u, P, phi, phi) at more digits."""

    def careful(z, u, wide):
        if u > 1 or u == 0:
            return wide if u else mp.zero
        with mp.workprec(mp.prec + 8 - 3 * int(mp.log(u, 2))):
            mass, near, far = _tail(-z) - _tail(2 * u - z), mp.npdf(z), mp.npdf(2 * u - z)
            return function(u - z, u, mass, near, far)

    return careful


def _first(mu, u, mass, near, far):
    return mu * mass - near + far


def _slope(mu, u, mass, near, far):
    return mass - u * (near + far)


def _cancelling(function):
    """A function of (mu, u) whose closed form cancels for narrow or far tents, at twice the precision and more."""

    def careful(mu, u):
        spare = 4 * (max(0, -mp.mag(u)) + max(0, mp.mag(1 + mu)))
        with mp.workprec(2 * mp.prec + int(spare)):
            return function(mu, u)

    return careful


def _chi_density(mu, u, k, size):
    x, shift = u * u, size * mu * mu
    if shift == 0:
        return x ** (k / 2 - 1) * mp.exp(-x / 2) / (2 ** (k / 2) * mp.gamma(k / 2))
    bessel = mp.besseli(k / 2 - 1, mp.sqrt(shift * x))
    return mp.exp(-(x + shift) / 2) * (x / shift) ** (k / 4 - mpf(1) / 2) * bessel / 2


def _chi_mixture(central):
    """A Poisson mixture of central chi-squared probabilities, from its heaviest term both ways."""

    def mixture(mu, u, size):
        mean = size * mu * mu / 2
        start, total = int(mean), mp.zero
        for steps in (range(start, -1, -1), itertools.count(start + 1)):
            for j in steps:
                weight = mp.exp(j * mp.log(mean) - mean - mp.loggamma(j + 1)) if mean else mpf(j == 0)
                term = weight * central(size / 2 + j, u * u / 2)
                total += term
                if weight < mp.eps * mp.eps or (term < mp.eps * total and term == 0):
                    break
        return total

    return mixture


@dataclass(frozen=True)
class Multiprecision:
    """Arrays of mpf, correct to `digits` significant digits."""

    digits: int
    guard: int = GUARD

    tiny = mp.ldexp(1, -(10**30))
    functions: ClassVar[dict[str, Any]] = {
        "rational": lambda p, q: mpf(p) / q,
        "pi": lambda: mp.pi,
        "sqrt": elementwise(mp.sqrt, 1),
        "Abs": np.abs,
        "exp": elementwise(mp.exp, 1),
        "log": elementwise(lambda x: mp.log(x) if x else -mp.inf, 1),
        **{name: elementwise(getattr(mp, name), 1) for name in (*ELEMENTARY, *ERRORS)},
        "sign": elementwise(mp.sign, 1),
        **extrema(np.maximum, np.minimum),
        "ratio": elementwise(_ratio, 2),
        "spread": elementwise(lambda x: x or _NO_SPREAD, 1),
        "share": elementwise(lambda x, y: x / (x + y) if x else mp.zero, 2),
        "rest": elementwise(lambda x, y: y / (x + y) if x else mp.one, 2),
        "positive": elementwise(lambda x: mp.one if x > 0 else mp.zero, 1),
        "positive_root": elementwise(_positive_root, 2),
        "top": elementwise(lambda score, t, part: mp.one if score > t else part if score == t else mp.zero, 3),
        "two_sided_quantile": elementwise(lambda p: mp.sqrt(2) * mp.erfinv(1 - p), 1),
        "phi": elementwise(mp.npdf, 1),
        "tail": elementwise(_tail, 1),
        "fall": elementwise(lambda z, u: -mp.expm1(min(2 * u * (z - u), mp.zero)), 2),
        "between": elementwise(_between, 4),
        "thin_first": elementwise(_thin(_first), 3),
        "thin_second": elementwise(_thin(lambda mu, *others: _slope(mu, *others) + mu * _first(mu, *others)), 3),
        "thin_slope": elementwise(_thin(_slope), 3),
        "beyond": elementwise(lambda z, near, far: (near if z >= 0 else 1 - near) + far, 3),
        **{name: elementwise(f, 2) for name, f in rates(_tail, mp.npdf, _inside).items()},
        "discounted": elementwise(lambda mu, theta: mp.exp(theta * (theta / 2 - mu)) * _tail(theta - mu), 2),
        **{name: elementwise(_cancelling(f), 2) for name, f in tents(_tail, mp.npdf).items()},
        "chi_density": elementwise(_chi_density, 4),
        "chi_outside": elementwise(_chi_mixture(lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True)), 3),
        "chi_inside": elementwise(_chi_mixture(lambda a, x: mp.gammainc(a, 0, x, regularized=True)), 3),
    }

    @property
    def epsilon(self) -> Any:
        """Relative size of a step that is rounding."""
        return mpf(10) ** (-self.digits - self.guard // 2)

    @property
    def tolerance(self) -> Any:
        """Relative mismatch that a root substituted back may leave."""
        return mp.sqrt(self.epsilon)

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array as mpf, rounded at the working precision."""
        return elementwise(_mpf, 1)(array)

    def surplus(self, scale: np.ndarray, weights: np.ndarray, share: np.ndarray) -> Surplus:
        """``scale * sum(weights) - share`` of exact arrays."""
        high = self.number(np.asarray(difference(scale, weights, share, fractions=True)))
        return Surplus(high, 0 * high, resolution=mpf(10) ** (-self.digits - self.guard + 5))

    @contextmanager
    def precision(self):
        """mpmath at this precision."""
        # NumPy warns of nan in arrays of objects too.
        with mp.workdps(self.digits + self.guard), np.errstate(all="ignore"):
            yield


def _mpf(x: float | Fraction) -> Any:
    return mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mpf(x)
