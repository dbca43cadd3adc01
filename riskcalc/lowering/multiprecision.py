"""The mpmath routines of the nodes: the same arrays, holding mpf at any number of digits."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from mpmath import MPContext
from mpmath.libmp import (
    dps_to_prec,
    fhalf,
    mpf_div,
    mpf_erfc,
    mpf_exp,
    mpf_mul,
    mpf_neg,
    mpf_pi,
    mpf_shift,
    mpf_sqrt,
    round_nearest,
)

from riskcalc.lowering import chi_squared
from riskcalc.lowering.closed_forms import ELEMENTARY, ERRORS, elementwise, extrema, rates, tents
from riskcalc.lowering.surplus import Surplus, difference

# Digits carried beyond those asked for; the evaluation forms lose fewer.
GUARD = 25
# A difference of the tails of an interval this wide loses ten bits or so of the guard.
_NARROW = 2.0**-10
# Bits that are spent on what cancels in a far tail: out to 160 standard deviations.
MOST_SPARE = 20_000


class _Own(threading.local):
    """mpmath's own context is everybody's: one thread would compute at the precision of another."""

    def __init__(self):
        self.context = MPContext()


_own = _Own()


def context() -> Any:
    """The mpmath of this thread, which nobody else computes with."""
    return _own.context


def _of_mpmath(name: str) -> Any:
    return elementwise(lambda x: getattr(_own.context, name)(x), 1)


def _log(x):
    mp = _own.context
    return mp.log(x) if x else mp.ninf


def _ratio(x, y):
    if y == 0:
        mp = _own.context
        return mp.zero if x == 0 else mp.sign(x) * mp.inf
    return x / y


def _positive_root(b, c):
    spread = _own.context.sqrt(b * b + 4 * c)
    if b >= 0:
        return (b + spread) / 2
    return 2 * c / (spread - b)


def _top(score, t, part):
    mp = _own.context
    return mp.one if score > t else part if score == t else mp.zero


def _two_sided_quantile(p):
    mp = _own.context
    return mp.sqrt(2) * mp.erfinv(1 - p)


# The two that take most of the time are called without what mpmath wraps around them.


def _phi(x):
    mp = _own.context
    _, peak = _roots(mp.prec)
    x = mp.convert(x)._mpf_
    square = mpf_exp(mpf_shift(mpf_neg(mpf_mul(x, x)), -1), mp.prec, round_nearest)
    return mp.make_mpf(mpf_mul(square, peak, mp.prec, round_nearest))


def _tail(x):
    """P(H > x)."""
    mp = _own.context
    half, _ = _roots(mp.prec)
    scaled = mpf_mul(mp.convert(x)._mpf_, half, mp.prec + 10, round_nearest)
    return mp.make_mpf(mpf_shift(mpf_erfc(scaled, mp.prec, round_nearest), -1))


@lru_cache(maxsize=64)
def _roots(precision: int) -> tuple[Any, Any]:
    """The roots of 1/2 and of 1/(2 pi)."""
    own = precision + 10
    half = mpf_sqrt(fhalf, own, round_nearest)
    return half, mpf_div(half, mpf_sqrt(mpf_pi(own, round_nearest), own, round_nearest), own, round_nearest)


def _fall(z, u):
    mp = _own.context
    power = 2 * u * (z - u)
    if power >= 0:
        return mp.zero
    with mp.workprec(mp.prec + max(0, -mp.mag(power))):
        return 1 - mp.exp(power)


def _between(z, u, near, far):
    mp = _own.context
    if u != u:
        return u
    if u > _NARROW:
        return (1 - near if z >= 0 else near) - far
    if u == 0:
        return mp.zero
    with mp.workprec(mp.prec + 8 - int(mp.log(u, 2))):
        return _tail(-z) - _tail(2 * u - z)


def _inside(z, u):
    return _between(z, u, _tail(abs(z)), _tail(2 * u - z))


def _discounted(mu, theta):
    return _own.context.exp(theta * (theta / 2 - mu)) * _tail(theta - mu)


def _thin(function):
    """A moment over (-u, u) as it is, and where that is narrow from (mu, u, P, phi, phi) at more digits."""

    def careful(z, u, wide):
        mp = _own.context
        if u != u or u > 1 or u == 0:
            return wide if u else mp.zero
        with mp.workprec(mp.prec + 8 - 3 * int(mp.log(u, 2))):
            mass, near, far = _tail(-z) - _tail(2 * u - z), _phi(z), _phi(2 * u - z)
            return function(u - z, u, mass, near, far)

    return careful


def _first(mu, u, mass, near, far):
    return mu * mass - near + far


def _slope(mu, u, mass, near, far):
    return mass - u * (near + far)


def _cancelling(function):
    """A function of (mu, u) whose closed form cancels for narrow or far tents, at twice the precision and more.

    A tent in the tail, at u < mu, is exp(-(u - mu)**2 / 2) of terms that cancel.
    """

    def careful(mu, u):
        mp = _own.context
        spare = 4 * (max(0, -mp.mag(u)) + max(0, mp.mag(1 + mu))) + min(0.75 * min(u - mu, 0) ** 2, MOST_SPARE)
        with mp.workprec(2 * mp.prec + int(spare)):
            return function(mu, u)

    return careful


@dataclass(frozen=True)
class Multiprecision:
    """Arrays of mpf, correct to `digits` significant digits."""

    digits: int
    guard: int = GUARD

    functions: ClassVar[dict[str, Any]] = {
        "rational": lambda p, q: _own.context.mpf(p) / q,
        "pi": lambda: +_own.context.pi,
        "sqrt": _of_mpmath("sqrt"),
        "Abs": np.abs,
        "exp": _of_mpmath("exp"),
        "log": elementwise(_log, 1),
        **{name: _of_mpmath(name) for name in (*ELEMENTARY, *ERRORS)},
        "sign": _of_mpmath("sign"),
        **extrema(np.maximum, np.minimum),
        "ratio": elementwise(_ratio, 2),
        "spread": elementwise(lambda x: x or _own.context.mpf(10) ** -100, 1),
        "share": elementwise(lambda x, y: x / (x + y) if x else _own.context.zero, 2),
        "rest": elementwise(lambda x, y: y / (x + y) if x else _own.context.one, 2),
        "positive": elementwise(lambda x: _own.context.one if x > 0 else _own.context.zero, 1),
        "positive_root": elementwise(_positive_root, 2),
        "top": elementwise(_top, 3),
        "two_sided_quantile": elementwise(_two_sided_quantile, 1),
        "phi": elementwise(_phi, 1),
        "tail": elementwise(_tail, 1),
        "fall": elementwise(_fall, 2),
        "between": elementwise(_between, 4),
        "thin_first": elementwise(_thin(_first), 3),
        "thin_second": elementwise(_thin(lambda mu, *others: _slope(mu, *others) + mu * _first(mu, *others)), 3),
        "thin_slope": elementwise(_thin(_slope), 3),
        "beyond": elementwise(lambda z, near, far: (near if z >= 0 else 1 - near) + far, 3),
        **{name: elementwise(f, 2) for name, f in rates(_tail, _phi, _inside).items()},
        "discounted": elementwise(_discounted, 2),
        **{name: elementwise(_cancelling(f), 2) for name, f in tents(_tail, _phi).items()},
        "chi_density": elementwise(lambda *of: chi_squared.density(_own.context, *of), 4),
        "chi_inside": elementwise(lambda *of: chi_squared.probabilities(_own.context, *of)[0], 3),
        "chi_outside": elementwise(lambda *of: chi_squared.probabilities(_own.context, *of)[1], 3),
    }

    @property
    def tiny(self) -> Any:
        """A side of a balance below this has underflowed."""
        return _own.context.ldexp(1, -(10**30))

    @property
    def epsilon(self) -> Any:
        """Relative size of a step that is rounding."""
        return _own.context.ldexp(1, -dps_to_prec(self.digits + self.guard // 2))

    @property
    def tolerance(self) -> Any:
        """Relative mismatch that a root substituted back may leave."""
        return _own.context.ldexp(1, -dps_to_prec(self.digits + self.guard // 2) // 2)

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array as mpf, rounded at the working precision."""
        return _numbers(array)

    def surplus(self, scale: np.ndarray, weights: np.ndarray, share: np.ndarray) -> Surplus:
        """``scale * sum(weights) - share`` of exact arrays."""
        high = self.number(np.asarray(difference(scale, weights, share, fractions=True)))
        return Surplus(high, 0 * high, resolution=_own.context.mpf(10) ** (-self.digits - self.guard + 5))

    @contextmanager
    def precision(self):
        """The mpmath of this thread at this precision."""
        # NumPy warns of nan in arrays of objects too.
        with _own.context.workdps(self.digits + self.guard), np.errstate(all="ignore"):
            yield


def _mpf(x: float | Fraction) -> Any:
    mp = _own.context
    return mp.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mp.mpf(x)


_numbers = elementwise(_mpf, 1)
