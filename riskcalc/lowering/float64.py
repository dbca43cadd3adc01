"""The float64 routines of the nodes: where switches, tails and quadrature live."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr, ndtri

from riskcalc.exact import as_float, as_fractions
from riskcalc.lowering.surplus import Surplus, difference

_SQRT_2PI = np.sqrt(2 * np.pi)
# An interval this narrow loses digits as a difference of two tails; over it seven Gauss-Legendre points integrate the
# density to rounding, out to ten standard deviations.
_NARROW = 1 / 16
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(7)


def _nonzero(y):
    return y + (y == 0)


def _ratio(x, y):
    return x / (y + ((x == 0) & (y == 0)))


def _spread(x):
    return x + 1e-100 * (x == 0)


def _share(x, y):
    return x / _nonzero(x + y)


def _rest(x, y):
    whole = x + y
    empty = whole == 0
    return (y + empty) / (whole + empty)


def _positive_root(b, c):
    spread = np.hypot(b, 2 * np.sqrt(c))
    return np.where(b >= 0, (b + spread) / 2, 2 * c / _nonzero(spread - b))


def _top(score, t, part):
    return (score > t) + part * (score == t)


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


def _log_outside(z, u):
    return np.logaddexp(log_ndtr(-z), log_ndtr(z - 2 * u))


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
        "ratio": _ratio,
        "spread": _spread,
        "share": _share,
        "rest": _rest,
        "positive": lambda x: (x > 0) * 1.0,
        "positive_root": _positive_root,
        "top": _top,
        "phi": _phi,
        "two_sided_quantile": lambda p: -ndtri(p / 2),
        "tail": _tail,
        "fall": _fall,
        "between": _between,
        "beyond": _beyond,
        "log_Inside": _log_inside,
        "log_Outside": _log_outside,
        "outside_rate": _outside_rate,
        "inside_rate": _inside_rate,
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
