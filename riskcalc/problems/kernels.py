"""Covariances of neurons with given weights: exact kernels where there are any, or else Hermite series.

`kernel` dispatches on the class of an activation. One of your own may register its closed form:

    @kernel.register
    def _(activation: Steps, cosines: np.ndarray) -> np.ndarray:
        return ...
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, exact_array
from riskcalc.problems.activations import Activation, Erf, Linear, Relu, Sign, activation_of
from riskcalc.problems.hermite import ACCURACY, coefficients, integrals, parts

# Norms of weights may miss one by this much: what single precision leaves.
UNIT = 1e-6
_ORDERS = (32, 128, 512)
_SAME = 8 * np.finfo(float).eps


def random_features_covariance(weights: ArrayLike, activation: Any = "relu") -> np.ndarray:
    """Covariance of the features act(w'x) of neurons with given weights, under standard normal inputs x.

    Parameters
    ----------
    weights : array_like, shape (p, d)
        A row of unit length for each neuron.
    activation : str or callable
        "relu", "erf", "tanh", "sign", "linear" or "softplus", another that is registered, or a vectorised function.

    Returns
    -------
    ndarray, shape (p, p)
        For relu, erf, sign and linear exact, by the arc-cosine and the arcsine kernel; otherwise by a Hermite series,
        to 1e-10 of the variance of a feature.

    Raises
    ------
    ValueError, TypeError
        If a row is no unit vector, numbers are not finite, the activation is not finite or does not vary, or it has
        kinks and two rows are so nearly parallel that its series is too long.

    Notes
    -----
    The kernels are those of Cho and Saul 2009 (relu) and Williams 1998 (erf), of features of mean zero. A target
    y = x'b + noise has covariance ``slope * weights @ b`` with the features, slope = E[z act(z)] (1/2 for relu): as a
    regression on the features it has the coefficients that solve ``covariance @ coefficients = slope * weights @ b``,
    and the noise variance ``noise + b @ b - slope * (weights @ b) @ coefficients``.

    Examples
    --------
    >>> import numpy as np
    >>> weights = np.array([[1, 0], [0, 1], [0.6, 0.8]])
    >>> random_features_covariance(weights, "relu").round(2).tolist()
    [[0.34, 0.0, 0.18], [0.0, 0.34, 0.25], [0.18, 0.25, 0.34]]
    """
    rows = as_float(exact_array(weights, "weights"))
    if rows.ndim != 2:
        raise ValueError(f"weights must be a matrix, a row for each neuron, got shape {rows.shape}")
    norms = np.linalg.norm(rows, axis=1)
    worst = np.argmax(np.abs(norms - 1))
    if abs(norms[worst] - 1) > UNIT:
        raise ValueError(f"rows of weights must be unit vectors; row {worst} has norm {norms[worst]:.10g}, scale it")
    return neurons(activation_of(activation), rows)


def neurons(activation: Activation, weights: np.ndarray) -> np.ndarray:
    """Covariances of stacks of neurons, whose weights of shape (..., p, d) are unit vectors; shape (..., p, p)."""
    cosines = np.clip(weights @ np.swapaxes(weights, -1, -2), -1.0, 1.0)
    cosines[..., *np.diag_indices(cosines.shape[-1])] = 1.0
    return kernel(activation, cosines)


@singledispatch
def kernel(activation: Activation, cosines: np.ndarray) -> np.ndarray:
    """Covariance of act(u) and act(v) for standard normal u and v, given their correlations."""
    own, ends = parts(activation), np.abs(cosines) >= 1 - _SAME
    reach = float(np.max(np.abs(cosines), where=~ends, initial=0.0))
    series = own.variance * np.where(cosines > 0, 1.0, _opposite(activation) if np.any(cosines[ends] < 0) else 0.0)
    for order in _ORDERS:
        squares = coefficients(activation, order)[1:] ** 2
        # What is left of the variance bounds what the terms that are left out add.
        left = np.maximum(own.variance - np.cumsum(squares), 0) * reach ** np.arange(2, order + 2)
        enough = np.flatnonzero(left <= ACCURACY * own.variance)
        if enough.size:
            terms = np.append(0.0, squares[: enough[0] + 1])
            return np.where(ends, series, np.polynomial.polynomial.polyval(cosines, terms))
    raise ValueError(
        f"two rows of weights have the cosine {reach:.9g}, and the Hermite series of {activation!r} is longer than "
        f"{_ORDERS[-1]} terms there; register its kernel, or leave one of the two out"
    )


def _opposite(activation: Activation) -> float:
    """Correlation of act(z) and act(-z)."""
    own = parts(activation)

    def product(z: np.ndarray) -> np.ndarray:
        return ((activation(z) - own.mean) * (activation(-z) - own.mean))[:, None]

    return float(integrals(product, "activation", own.variance)[0]) / own.variance


@kernel.register
def _(activation: Relu, cosines: np.ndarray) -> np.ndarray:
    sines = np.sqrt((1 - cosines) * (1 + cosines))
    return (sines + cosines * (np.pi - np.arccos(cosines)) - 1) / (2 * np.pi)


@kernel.register
def _(activation: Sign, cosines: np.ndarray) -> np.ndarray:
    return 2 / np.pi * np.arcsin(cosines)


@kernel.register
def _(activation: Erf, cosines: np.ndarray) -> np.ndarray:
    return 2 / np.pi * np.arcsin(2 / 3 * cosines)


@kernel.register
def _(activation: Linear, cosines: np.ndarray) -> np.ndarray:
    return cosines
