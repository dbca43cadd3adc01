"""The noncentral chi-squared law, as sums of positive terms: Poisson weights times central probabilities or densities.

With x = u**2 / 2, a = k / 2 and mean = size * mu**2 / 2, the weights w_j are Poisson probabilities of this mean, and
what goes with them are the steps T_j = x**(a+j) exp(-x) / Gamma(a+j+1) between central probabilities. Both are followed
by recurrence from near j(a+j) = mean*x, where their product is largest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln, ndtr, xlogy

# --- in double precision

# Beyond this shift the series is long, and a quadrature of few points exact.
_LONG, _POINTS = 100.0, 24
# So far from its mean a length is with a probability below the smallest number.
_CERTAIN = 38.5
# Terms that are formed at once, and how far from the largest one, in standard deviations and steps, they are rounding.
_AT_ONCE, _DEVIATIONS, _STEPS = 1 << 17, 8.6, 20
# Terms further out are too many.
_LARGEST = 1e10
_SQRT_2PI = np.sqrt(2 * np.pi)


def _nonzero(y):
    return y + (y == 0)


def _poisson(n, mean):
    """mean**n exp(-mean) / Gamma(n+1), for n that need not be whole."""
    few = n < 15
    low, high = np.where(few, n, 0), np.where(few, 15, n)
    away, square = (mean - high) / high, high * high
    stirling = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / high
    saddle = np.exp(high * (np.log1p(away) - away) - stirling) / np.sqrt(2 * np.pi * high)
    return np.where(few, np.exp(xlogy(low, mean) - mean - gammaln(low + 1)), saddle)


def _peak(a, x, mean):
    """Where j(a+j) = mean*x."""
    return 2 * mean * x / _nonzero(a + np.sqrt(a * a + 4 * mean * x))


class _Terms:
    """Steps j around the largest term of each row, and products of ratios from there on."""

    def __init__(self, largest: np.ndarray):
        self.first = np.floor(largest)[:, None]
        width = int(_DEVIATIONS * np.sqrt(self.first.max() + 1)) + _STEPS
        self.down = min(width, int(self.first.max()))
        self.j = self.first + np.arange(-self.down, width + 1)

    def product(self, rising: Callable[[np.ndarray], np.ndarray], falling: Callable[[np.ndarray], np.ndarray]):
        """1 at the first step; from j to j+1 times `rising(j)`, from j to j-1 times `falling(j)`."""
        up = np.cumprod(rising(self.j[:, self.down : -1]), axis=1)
        down = np.cumprod(falling(self.j[:, self.down : 0 : -1]), axis=1)[:, ::-1]
        return np.minimum(np.concatenate([down, np.ones_like(self.first), up], axis=1), 1e300)

    def weights(self, mean):
        """Poisson probabilities, relative to that of the first step."""
        return self.product(lambda j: mean / (j + 1), lambda j: np.maximum(j, 0) / _nonzero(mean))

    def steps(self, a, x):
        """T_j."""
        ratios = self.product(lambda j: x / (a + j + 1), lambda j: np.maximum(a + j, 0) / _nonzero(x))
        return _poisson(a + self.first, x) * ratios


def _inside(a, x, mean):
    terms = _Terms(np.minimum(mean, _peak(a, x, mean))[:, 0])
    steps = terms.steps(a, x)
    central = np.cumsum(steps[:, ::-1], axis=1)[:, ::-1] + gammainc(a + terms.j[:, -1:] + 1, x)
    return _poisson(terms.first, mean)[:, 0] * (terms.weights(mean) * central).sum(axis=1)


def _outside(a, x, mean):
    terms = _Terms(np.maximum(mean, _peak(a, x, mean))[:, 0])
    steps, lowest = terms.steps(a, x), np.maximum(terms.j[:, :1], 0)
    steps[terms.j < lowest] = 0
    central = np.cumsum(steps, axis=1) - steps + gammaincc(a + lowest, x)
    return _poisson(terms.first, mean)[:, 0] * (terms.weights(mean) * central).sum(axis=1)


def _density(a, x, mean):
    terms = _Terms(_peak(a - 1, x, mean)[:, 0])
    whole = mean * x
    ratios = terms.product(
        lambda j: whole / ((j + 1) * (a + j)), lambda j: np.maximum(j, 0) * (a + j - 1) / _nonzero(whole)
    )
    return (_poisson(terms.first, mean) * _poisson(a - 1 + terms.first, x))[:, 0] * ratios.sum(axis=1) / 2


def _series(function: Callable[..., np.ndarray], u: np.ndarray, shift: np.ndarray, k: np.ndarray) -> np.ndarray:
    """A sum over the terms of each row, nan where there are too many; rows of about as many are summed together."""
    rows = (k[:, None] / 2, u[:, None] ** 2 / 2, shift[:, None] ** 2 / 2)
    largest = np.maximum(rows[2], _peak(*rows))[:, 0]
    order, result = np.argsort(largest), np.full(len(u), np.nan)
    order = order[largest[order] < _LARGEST]
    if order.size == 0:
        return result
    places = np.cumsum(2 * _DEVIATIONS * np.sqrt(largest[order] + 1) + 2 * _STEPS) // _AT_ONCE
    for own in np.split(order, np.flatnonzero(np.diff(places)) + 1):
        result[own] = function(*(array[own] for array in rows))
    return result


def _sideways(u: np.ndarray, shift: np.ndarray, k: float, normal: Callable[..., np.ndarray]) -> np.ndarray:
    """The mean of a function of the length that u leaves in the direction of the shift, by Gauss and Laguerre.

    Its square is less by a central chi-squared variable, the squared length in the other directions.
    """
    from scipy.linalg import eigh_tridiagonal  # which nothing else needs

    places, shape = np.arange(_POINTS), (k - 1) / 2
    if shape == 0:
        return normal(u, shift)
    nodes, vectors = eigh_tridiagonal(2 * places + shape, np.sqrt(places[1:] * (places[1:] + shape - 1)))
    left = np.sqrt(np.maximum(u[:, None] ** 2 - 2 * nodes, 0))
    return normal(left, shift[:, None]) @ vectors[0] ** 2


def _normal_square(x, shift):
    """The density of a squared normal variable of this mean at x**2, far from zero."""
    return np.exp(-((x - shift) ** 2) / 2) / (2 * _SQRT_2PI * _nonzero(x))


def _float64(series: Callable[..., np.ndarray], normal: Callable[..., np.ndarray], mu, u, k, size) -> np.ndarray:
    """A function of u**2: by its series, and for a long shift by the normal law in its direction."""
    mu, u, k, size = np.broadcast_arrays(mu, u, k, size)
    shift = np.sqrt(size) * mu
    u = np.clip(u, shift - _CERTAIN, np.hypot(shift, np.sqrt(k)) + _CERTAIN)
    long = shift > np.maximum(_LONG, np.sqrt(k))
    value = np.empty(u.shape)
    if not long.all():
        value[~long] = _series(series, *(array[~long] for array in (u, shift, k)))
    for kind in np.unique(k[long]):
        own = long & (k == kind)
        value[own] = _sideways(u[own], shift[own], float(kind), normal)
    return value


def density64(mu, u, k, size):
    """`chi_density` of arrays of doubles."""
    return _float64(_density, _normal_square, mu, u, k, size)


def outside64(mu, u, size):
    """`chi_outside` of arrays of doubles."""
    return _float64(_outside, lambda x, far: ndtr(far - x), mu, u, size, size)


def inside64(mu, u, size):
    """`chi_inside` of arrays of doubles."""
    return _float64(_inside, lambda x, far: ndtr(x - far), mu, u, size, size)


# --- in mpmath

# There is no answer by more terms: it would take minutes.
MOST_TERMS = 50_000


class _Sum:
    """A sum around its largest term, which is followed as a whole number of units of rounding beside the first one."""

    def __init__(self, mp: Any, u: Any, k: Any, shift: Any, less: int = 0):
        self.mp, self.a, self.x, self.mean = mp, k / 2 - less, u * u / 2, shift / 2
        whole = self.a * self.a + 4 * self.mean * self.x
        self.peak = 2 * self.mean * self.x / (self.a + mp.sqrt(whole)) if self.mean * self.x else mp.zero
        self.reach = int(mp.sqrt(2 * mp.ln2 * (mp.prec + 40) * (self.peak + 1)))
        self.more = 30 + max(0, mp.mag(self.x + self.mean + abs(self.a)))

    @property
    def long(self) -> bool:
        """Whether there are too many terms."""
        return self.reach > MOST_TERMS

    def poisson(self, n: Any, mean: Any) -> Any:
        """mean**n exp(-mean) / Gamma(n+1)."""
        mp = self.mp
        return mp.exp(n * mp.log(mean) - mean - mp.loggamma(n + 1)) if mean else mp.mpf(n == 0)

    def first(self, i: int) -> Any:
        """The Poisson probability w_i times T_i."""
        return self.poisson(i, self.mean) * self.poisson(self.a + i, self.x)

    def scaled(self, value: Any, shift: int) -> tuple[int, int]:
        """A number as numerator and binary exponent of the denominator, times 2**shift."""
        _, numerator, exponent, _ = value._mpf_
        exponent += shift
        return (int(numerator) << exponent, 0) if exponent >= 0 else (int(numerator), -exponent)

    def rising(self, inside: bool) -> Any:
        """w_i T_i, or `inside` the Poisson probability of i and less times T_i, added up from below."""
        bits = self.mp.prec
        whole, more = self.scaled(self.mean * self.x, bits)
        step, further = self.scaled(self.x, bits)
        a, peak = int(self.mp.ldexp(self.a, bits)), int(self.peak)
        i = max(0, peak - self.reach)
        scale, product, total = self.first(i), 1 << bits, 0
        term = product
        while True:
            total += term
            if i > peak and term << bits < total:
                return scale * self.mp.ldexp(total, -bits)
            i += 1
            next_a = a + (i << bits)
            product = product * whole // (i * next_a << more)
            term = product + (term * step // (next_a << further) if inside else 0)

    def falling(self) -> Any:
        """T_i times the Poisson probability of more than i, from above down to the fraction of a; and what is left."""
        mp, bits = self.mp, self.mp.prec
        whole, more = self.scaled(self.mean * self.x, bits)
        step, further = self.scaled(self.x, bits)
        a, peak = int(mp.ldexp(self.a, bits)), int(self.peak)
        i = peak + self.reach + bits if self.mean else 0
        scale, product, term, total = self.first(i), 1 << bits, 0, 0
        while self.a + i >= 1:
            next_a = a + (i << bits)
            term = ((term + product) * next_a << further) // step
            product = (product * i * next_a << more) // whole if i > 0 else 0
            total += term
            i -= 1
            if i < peak and term << bits < total:
                return scale * mp.ldexp(total, -bits)
        return scale * mp.ldexp(total, -bits) + mp.gammainc(self.a + i, self.x, mp.inf, regularized=True)


def density(mp: Any, mu: Any, u: Any, k: Any, size: Any) -> Any:
    """`chi_density` of mpf; nan where it would take minutes."""
    if mu != mu or u != u or u == mp.inf:
        return mp.zero if u == mp.inf else mp.nan
    terms = _Sum(mp, u, k, size * mu * mu, less=1)
    if terms.long:
        return mp.nan
    with mp.workprec(mp.prec + terms.more):
        return terms.rising(inside=False) / 2


def probabilities(mp: Any, mu: Any, u: Any, size: Any) -> tuple[Any, Any]:
    """`chi_inside` and `chi_outside` of mpf, the smaller one by its own sum; nan where it would take minutes."""
    return _probabilities(mp, mp.prec, mu, u, size)


@lru_cache(maxsize=16)
def _probabilities(mp: Any, precision: int, mu: Any, u: Any, size: Any) -> tuple[Any, Any]:
    if mu != mu or u != u:
        return mp.nan, mp.nan
    if not u or u == mp.inf:
        return (mp.one, mp.zero) if u else (mp.zero, mp.one)
    terms = _Sum(mp, u, size, size * mu * mu)
    if terms.long:
        return mp.nan, mp.nan
    with mp.workprec(mp.prec + terms.more):
        if terms.x < terms.a + terms.mean:
            found = terms.rising(inside=True)
            return found, 1 - found
        found = terms.falling()
        return 1 - found, found
