"""The float64 routines of the nodes: where switches, tails and quadrature live."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from scipy import special
from scipy.special import erfcx, log_ndtr, ndtr, ndtri

from riskcalc.exact import as_float, as_fractions
from riskcalc.lowering import chi_squared
from riskcalc.lowering.closed_forms import ELEMENTARY, ERRORS, extrema, tents
from riskcalc.lowering.surplus import Surplus, difference

_SQRT_2PI = np.sqrt(2 * np.pi)
# An interval this narrow loses digits as a difference of two tails; over it seven Gauss-Legendre points integrate the
# density to rounding, out to ten standard deviations.
_NARROW = 1 / 16
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(7)


def _nonzero(y):
    return y + (y == 0)


def _rest(x, y):
    whole = x + y
    empty = whole == 0
    return (y + empty) / (whole + empty)


def _positive_root(b, c):
    spread = np.hypot(b, 2 * np.sqrt(c))
    return np.where(b >= 0, (b + spread) / 2, 2 * c / _nonzero(spread - b))


# The routines below run at every trial of a threshold: they work in place on arrays of their own, and stop where a
# tail would leave the normal range of doubles, because arithmetic on denormal numbers is many times slower.
_FAR = 36.0


def _phi(x):
    density = x * x
    np.minimum(density, _FAR**2, out=density)
    density *= -0.5
    np.exp(density, out=density)
    density /= _SQRT_2PI
    return density


def _tail(x):
    mass = np.minimum(x, _FAR)
    np.negative(mass, out=mass)
    return ndtr(mass, out=mass)


def _beyond(z, near, far):
    mass = 1 - 2 * near
    mass *= z < 0
    mass += near
    mass += far
    return mass


def _between(z, u, near, far):
    mass = 1 - 2 * near
    mass *= z >= 0
    mass += near
    mass -= far
    # Picked from flat views in memory order: a mask over rows of columns costs several passes.
    order = "F" if mass.flags.f_contiguous else "C"
    width = u.ravel(order)
    narrow = np.flatnonzero(width < _NARROW)
    if narrow.size:
        width = width[narrow]
        middle = z.ravel(order)[narrow] - width
        mass.ravel(order)[narrow] = width * (_WEIGHTS @ _phi(middle + width * _NODES[:, None]))
    return mass


def _thin(narrow):
    """A moment over (-u, u) as it is, and where that is narrow by its integral: of y and both densities at its ends."""

    def routine(z, u, wide):
        order = "F" if wide.flags.f_contiguous else "C"
        mean = np.array(wide, order=order)
        width = u.ravel(order)
        places = np.flatnonzero(width < _NARROW)
        if places.size:
            width, mu = width[places], width[places] - z.ravel(order)[places]
            y = width * (_NODES[:, None] + 1) / 2
            mean.ravel(order)[places] = width / 2 * (_WEIGHTS @ narrow(y, mu, _phi(mu - y)))
        return mean

    return routine


def _odd(y, mu, density):
    return y * density * -np.expm1(-2 * mu * y)


def _even(y, mu, density):
    return y * y * density * (1 + np.exp(-2 * mu * y))


def _fall(z, u):
    # u >= z, but for rounding
    return -np.expm1(np.minimum(2 * u * (z - u), 0))


def _log_phi(z):
    return -0.5 * z * z - np.log(_SQRT_2PI)


def _log_inside(z, u):
    upper = log_ndtr(z)
    wide = upper + np.log1p(-np.exp(log_ndtr(z - 2 * u) - upper))
    narrow = _log_phi(z - u) + np.log(u * _mean_density(z - u, u))
    return np.where(_is_narrow(z, u), narrow, wide)


def _is_narrow(z, u):
    return (u < _NARROW) & (np.abs((z - u) * u) < 1)


def _mean_density(middle, u):
    """Twice the mean of the density over a narrow interval, relative to its middle."""
    return sum(w * np.exp(-u * x * (middle + u * x / 2)) for x, w in zip(_NODES, _WEIGHTS, strict=True))


def _mills(x):
    """P(H > x) / phi(x)."""
    return np.sqrt(np.pi / 2) * erfcx(x / np.sqrt(2))


def _outside_rate(z, u):
    far = 1 - _fall(z, u)
    return u * (1 + far) / (_mills(z) + far * _mills(2 * u - z))


def _inside_rate(z, u):
    far = 1 - _fall(z, u)
    wide = u / (_mills(-z) - far * _mills(2 * u - z))
    narrow = np.exp(-u * (z - u / 2)) / _mean_density(z - u, u)
    return (1 + far) * np.where(_is_narrow(z, u), narrow, wide)


def _discounted(mu, theta):
    beyond = theta - mu
    return np.where(beyond > 0, _phi(mu + 0 * theta) * _mills(beyond), np.exp(theta * (theta / 2 - mu)) * ndtr(-beyond))


# Tents: closed forms where they are wide, Gauss-Legendre of their two sides where those would cancel.
_TENT = 1.0
_SIDE, _SIDE_WEIGHTS = np.polynomial.legendre.leggauss(10)
_SIDE, _SIDE_WEIGHTS = (_SIDE + 1) / 2, _SIDE_WEIGHTS / 2


def _shortfall(x):
    """E[max(H - x, 0)]."""
    size = np.abs(x)
    tail = _phi(size) - size * _tail(size)
    return tail + np.maximum(-x, 0)


def _tented(wide, height, power: int, polynomial):
    """A mean over a tent as a function of (mu, u): its closed form `wide` and, where that would cancel, its integral.

    The integrand is a height (of v = |y|/u) times a polynomial of H, over y = mu + H, times a power of u.
    """
    heights = _SIDE_WEIGHTS * height(_SIDE)

    def routine(mu, u):
        mean = wide(mu, np.maximum(u, _TENT))
        narrow = u < _TENT
        if narrow.any():
            width, centre = u[narrow], mu[narrow]
            up, down = width * _SIDE[:, None] - centre, -width * _SIDE[:, None] - centre
            mean[narrow] = width**power * (heights @ sum(polynomial(h) * _phi(h) for h in (up, down)))
        return mean

    return routine


def _wide_tent(mu, u):
    return (_shortfall(mu - u) - 2 * _shortfall(mu) + _shortfall(mu + u)) / u


def _wide_loss(mu, u):
    z, far = u - mu, mu + u
    above, below = ndtr(z) - _tail(mu), _tail(mu) - _tail(far)
    sides = mu * (z * above + _phi(z)) - mu * (far * below + _phi(far))
    return sides - above - below + (z + far) * _phi(mu)


_CLOSED = tents(_tail, _phi)
_tent = _tented(_wide_tent, lambda v: 1 - v, 1, lambda h: 1)


def _off_tent(mu, u):
    far = (mu + 2 * _shortfall(mu) - _shortfall(u - mu) - _shortfall(mu + u)) / _nonzero(u)
    return np.where((u >= mu) & (u >= _TENT), far, 1 - _tent(mu, u))


class Float64:
    """Double precision arrays."""

    epsilon = float(np.finfo(np.float64).eps)
    tolerance = float(np.sqrt(epsilon))
    tiny = 1e-275  # above the smallest tail
    functions: ClassVar[dict[str, Any]] = {
        "rational": lambda p, q: p / q,
        "pi": lambda: np.pi,
        "sqrt": np.sqrt,
        "Abs": np.abs,
        "exp": np.exp,
        "log": np.log,
        **{name: getattr(np, name) for name in ELEMENTARY},
        **{name: getattr(special, name) for name in ERRORS},
        "sign": np.sign,
        **extrema(np.maximum, np.minimum),
        "ratio": lambda x, y: x / (y + ((x == 0) & (y == 0))),
        "spread": lambda x: x + 1e-100 * (x == 0),
        "share": lambda x, y: x / _nonzero(x + y),
        "rest": _rest,
        "positive": lambda x: (x > 0) * 1.0,
        "positive_root": _positive_root,
        "top": lambda score, t, part: (score > t) + part * (score == t),
        "phi": _phi,
        "two_sided_quantile": lambda p: -ndtri(p / 2),
        "tail": _tail,
        "fall": _fall,
        "between": _between,
        "beyond": _beyond,
        "thin_first": _thin(_odd),
        "thin_second": _thin(_even),
        "thin_slope": _thin(lambda y, mu, density: _even(y, mu, density) - mu * _odd(y, mu, density)),
        "log_Inside": _log_inside,
        "log_Outside": lambda z, u: np.logaddexp(log_ndtr(-z), log_ndtr(z - 2 * u)),
        "outside_rate": _outside_rate,
        "inside_rate": _inside_rate,
        "discounted": _discounted,
        "tent": _tent,
        "off_tent": _off_tent,
        "tent_drop": _tented(_CLOSED["tent_drop"], lambda v: 1 - v, 1, lambda h: -h),
        "tent_moment": _tented(_CLOSED["tent_moment"], lambda v: 1 - v, 1, lambda h: 1 - h * h),
        "tent_loss": _tented(_wide_loss, lambda v: v * (1 - v), 3, lambda h: 1),
        "chi_density": chi_squared.density64,
        "chi_outside": chi_squared.outside64,
        "chi_inside": chi_squared.inside64,
    }

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array as float64; few atoms are laid out atom by atom, so that a mean adds long columns."""
        numbers = as_float(array)
        rows, columns = numbers.shape
        return np.asfortranarray(numbers) if columns < rows else numbers

    def surplus(self, scale: np.ndarray, weights: np.ndarray, share: np.ndarray) -> Surplus:
        """``scale * sum(weights) - share`` of exact arrays."""
        exact = difference(scale, weights, share, fractions=False)
        if isinstance(exact, tuple):
            return Surplus(*exact, resolution=1e-30)
        high = exact.astype(np.float64)
        low = (exact - as_fractions(high)).astype(np.float64)
        return Surplus(high, low, resolution=16 * self.epsilon)

    @contextmanager
    def precision(self):
        """Double precision, silent where a limit is meant."""
        with np.errstate(all="ignore"):
            yield


FLOAT64 = Float64()
