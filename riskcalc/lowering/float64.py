"""The float64 routines of the nodes: where switches, tails and quadrature live."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from riskcalc.exact import as_float
from riskcalc.lowering.compensated import Pair
from riskcalc.lowering.systems import split

_SQRT_2PI = np.sqrt(2 * np.pi)
# An interval this narrow loses digits as a difference of two tails; twelve Gauss-Legendre points integrate it exactly
# to rounding wherever its mass is not below 1e-300.
_NARROW = 0.25
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


def _nonzero(y):
    return y + (y == 0)


def _ratio(x, y):
    return x / (y + ((x == 0) & (y == 0)))


def _share(x, y):
    return x / _nonzero(x + y)


def _rest(x, y):
    whole = x + y
    return np.where(whole == 0, 1.0, y / _nonzero(whole))


def _positive_root(b, c):
    spread = np.hypot(b, 2 * np.sqrt(c))
    return np.where(b >= 0, (b + spread) / 2, 2 * c / _nonzero(spread - b))


def _top(score, t, part):
    return (score > t) + part * (score == t)


def _phi(x):
    return np.exp(-0.5 * x * x) / _SQRT_2PI


def _lower_end(z, u):
    """z - 2u; minus infinity for the interval around a coefficient without spread, where both are infinite."""
    lower = z - 2 * u
    unbounded = np.isnan(lower)
    if unbounded.any():
        lower[unbounded] = -np.inf
    return lower


def _inside(z, u):
    mass = ndtr(z) - ndtr(_lower_end(z, u))
    narrow = np.broadcast_to(u < _NARROW, mass.shape)
    if narrow.any():
        width = np.broadcast_to(u, mass.shape)[narrow]
        middle = np.broadcast_to(z, mass.shape)[narrow] - width
        mass[narrow] = width * sum(w * _phi(middle + width * x) for x, w in zip(_NODES, _WEIGHTS, strict=True))
    return mass


def _outside(z, u):
    return ndtr(-z) + ndtr(_lower_end(z, u))


def _fall(z, u):
    """1 - phi(z - 2u) / phi(z); 1 where both ends are infinite."""
    exponent = -2 * u * (u - z)
    unbounded = np.isnan(exponent)
    if unbounded.any():
        exponent[unbounded] = -np.inf
    return -np.expm1(exponent)


def _boundary(z, u):
    flow = u * _phi(z) * (2 - _fall(z, u))
    flow[np.isnan(flow)] = 0.0  # no spread, no density
    return flow


def _edge_drop(z, u):
    return _phi(z) * _fall(z, u)


def _edge_moment(z, u):
    return _x_phi(z) - _x_phi(_lower_end(z, u))


def _x_phi(x):
    moment = x * _phi(x)
    moment[np.isinf(x)] = 0.0
    return moment


def _log_phi(z):
    return -0.5 * z * z - np.log(_SQRT_2PI)


def _log_inside(z, u):
    upper = log_ndtr(z)
    wide = upper + np.log1p(-np.exp(log_ndtr(_lower_end(z, u)) - upper))
    # A narrow interval: the density is nearly exponential across it.
    middle = z - u
    narrow = _log_phi(middle) + np.log(2 * u) + np.log(np.sinh(middle * u) / _nonzero(middle * u))
    return np.where((u < _NARROW) & (np.abs(middle * u) < 1), narrow, wide)


def _log_outside(z, u):
    return np.logaddexp(log_ndtr(-z), log_ndtr(_lower_end(z, u)))


def _log_boundary(z, u):
    return np.log(u) + _log_phi(z) + np.log(2 - _fall(z, u))


class Float64:
    """Double precision arrays."""

    epsilon = float(np.finfo(np.float64).eps)
    exactness = 1e-30
    functions = {
        "rational": lambda p, q: p / q,
        "sqrt": np.sqrt,
        "exp": np.exp,
        "log": np.log,
        "ratio": _ratio,
        "share": _share,
        "rest": _rest,
        "positive": lambda x: (x > 0) * 1.0,
        "positive_root": _positive_root,
        "top": _top,
        "phi": _phi,
        "two_sided_quantile": lambda p: -ndtri(p / 2),
        "Inside": _inside,
        "Outside": _outside,
        "boundary": _boundary,
        "edge_drop": _edge_drop,
        "edge_moment": _edge_moment,
        "log_Inside": _log_inside,
        "log_Outside": _log_outside,
        "log_boundary": _log_boundary,
    }

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array as float64; few atoms are laid out atom by atom, so that a mean adds long columns."""
        numbers = as_float(array)
        rows, columns = numbers.shape
        return np.asfortranarray(numbers) if columns < rows else numbers

    def exact(self, array: np.ndarray) -> np.ndarray:
        return array

    def pair(self, exact: np.ndarray | Pair) -> Pair:
        if isinstance(exact, tuple):
            return exact
        high, low = np.frompyfunc(split, 1, 2)(exact)
        return high.astype(np.float64), low.astype(np.float64)

    @contextmanager
    def precision(self):
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            yield


FLOAT64 = Float64()
