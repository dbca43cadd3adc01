"""Functions of a standard normal number in Hermite polynomials, by adaptive quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

# Beyond it the normal density underflows.
FAR = 38.0
# Of a piece; a jump is within 2^-50 of its place when nothing is halved any more.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_POINTS, _WEIGHTS = (_POINTS + 1) / 2, _WEIGHTS / 2
_HALVINGS, MOST_PIECES = 50, 10_000
# What integrals and series are told to, relatively.
ACCURACY = 1e-10

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Parts:
    """A function of a standard normal z: mean + slope * z + what no linear function is.

    Attributes
    ----------
    mean, slope : float
    rest : float
        Variance of what is left.
    """

    mean: float
    slope: float
    rest: float

    @property
    def variance(self) -> float:
        """Of the function."""
        return self.slope**2 + self.rest


@lru_cache(maxsize=256)
def parts(function: Function, name: str = "activation", constant: bool = False) -> Parts:
    """Mean, linear part and the rest of a function.

    Gauss rules on pieces that are halved where they do not agree, so that a kink or a jump anywhere costs some
    forty pieces, and no digits.

    Raises
    ------
    ValueError
        If the function is not finite, has no finite variance, varies too wildly to be integrated, or, unless it may be
        `constant`, hardly varies.
    """
    probe = _values(function, np.linspace(-FAR, FAR, 4001), name)
    edges = np.abs(probe[[0, -1]])
    if np.any(2 * np.log(np.maximum(edges, 1.0)) > FAR**2 / 2 - 50):
        raise ValueError(f"{name} must have a finite variance under a standard normal input; it grows too fast")

    def linear(z: np.ndarray) -> np.ndarray:
        return _values(function, z, name)[:, None] * np.stack([np.ones_like(z), z], axis=-1)

    mean, slope = integrals(linear, name)

    def rest(z: np.ndarray) -> np.ndarray:
        return (_values(function, z, name)[:, None] - mean - slope * z[:, None]) ** 2

    size = float(mean**2 + slope**2)
    beyond = float(integrals(rest, name, size)[0])
    # What is rounding of a linear function is no part of it.
    found = Parts(float(mean), float(slope), beyond if beyond > (1e-13) ** 2 * size else 0.0)
    if not (constant or found.variance > ACCURACY**2 * size):
        raise ValueError(f"{name} must vary; it is constant, at {found.mean:g}, or nearly")
    return found


def coefficients(function: Function, order: int) -> np.ndarray:
    """Of normalised Hermite polynomials, from degree 0 up to `order`; shape (order + 1,)."""
    return integrals(lambda z: _values(function, z, "activation")[:, None] * polynomials(z, order), "activation")


def polynomials(z: np.ndarray, order: int) -> np.ndarray:
    """Normalised Hermite polynomials He_k(z)/sqrt(k!) at some points, from degree 0 on; shape (..., order + 1)."""
    found = [np.ones_like(z), z]
    for k in range(1, order):
        found.append((z * found[k] - math.sqrt(k) * found[k - 1]) / math.sqrt(k + 1))
    return np.stack(found[: order + 1], axis=-1)


def integrals(of: Callable[[np.ndarray], np.ndarray], name: str, scale: float = 0.0) -> np.ndarray:
    """Means of functions of a standard normal number, given as one of points (N,) with values (N, M); shape (M,).

    They are known to rounding of their absolute values' largest mean, or of `scale`. By Gauss-Legendre rules on pieces,
    halved until they agree with their halves. (scipy.integrate.cubature gets stuck on several pieces.)
    """

    def terms(low: np.ndarray, width: np.ndarray) -> np.ndarray:
        z = low[:, None] + width[:, None] * _POINTS
        density = width[:, None] * _WEIGHTS * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return density[:, :, None] * of(z.ravel()).reshape(*z.shape, -1)

    low = np.concatenate([[-FAR], np.arange(-8.0, 9.0)])
    width = np.diff(np.append(low, FAR))
    first = terms(low, width)
    whole, scale = first.sum(1), max(scale, float(np.abs(first).sum((0, 1)).max()))
    found = np.zeros(whole.shape[1])
    for _ in range(_HALVINGS):
        low, width = np.concatenate([low, low + width / 2]), np.tile(width / 2, 2)
        halves = np.stack(np.split(terms(low, width).sum(1), 2))
        open_ = np.max(np.abs(halves.sum(0) - whole), axis=-1) > 1e-15 * scale
        found = found + halves[:, ~open_].sum((0, 1))
        if not open_.any():
            return found
        if open_.sum() > MOST_PIECES:
            raise ValueError(f"{name} varies too wildly to be integrated to {ACCURACY:g}; give a smoother function")
        still = np.tile(open_, 2)
        low, width, whole = low[still], width[still], np.concatenate(halves[:, open_])
    return found + whole.sum(0)


def _values(function: Function, z: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        values = np.asarray(function(z), dtype=float)
    if not np.isfinite(values).all():
        wrong = ~np.isfinite(values)
        raise ValueError(f"{name} must be finite, got {values[wrong][0]} at {z[wrong][0]:g}")
    return values
