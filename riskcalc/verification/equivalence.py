"""The statistics of agreement: extrapolation to infinite size, and intervals that stay valid while one looks on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True)
class Limit:
    """Relative deviations extrapolated to infinite size; arrays of shape (m,), one entry per model.

    Attributes
    ----------
    value : ndarray
        The deviation at infinite size.
    error : ndarray
        Its standard error.
    curvature : ndarray
        How far the next term of the expansion in 1/n may have moved it.
    """

    value: np.ndarray
    error: np.ndarray
    curvature: np.ndarray


def extrapolate(sizes: np.ndarray, deviations: np.ndarray, errors: np.ndarray) -> Limit:
    """The intercept of a weighted line in 1/n; of one size, what it is there.

    Deviations at finite size are taken as a series in c/n. The line leaves out its next term, of order (c/n)^2: with
    the fitted slope c (and its error) that term moves the intercept by at most `curvature`.

    Parameters
    ----------
    sizes : ndarray, shape (R,)
    deviations, errors : ndarray, shape (R, m)
        Relative deviations and their standard errors.
    """
    if len(sizes) == 1:
        return Limit(deviations[0], errors[0], np.zeros_like(errors[0]))
    x = 1 / sizes[:, None]
    weights = 1 / np.maximum(errors, 1e-13) ** 2  # what is exact is so up to rounding
    total = weights.sum(axis=0)
    center = (weights * x).sum(axis=0) / total
    spread = (weights * (x - center) ** 2).sum(axis=0)
    slope_part = weights * (x - center) / spread
    intercept_part = weights / total - center * slope_part
    slope = (slope_part * deviations).sum(axis=0)
    return Limit(
        value=(intercept_part * deviations).sum(axis=0),
        error=np.sqrt(1 / total + center**2 / spread),
        curvature=abs((intercept_part * x**2).sum(axis=0)) * (slope**2 + 1 / spread),
    )


def half_width(error: np.ndarray, trials: np.ndarray, level: float, look: np.ndarray) -> np.ndarray:
    """Half the width of an interval at the given look; arrays of shape (m,).

    The error level is spent over the looks as level / (look * (look + 1)), which adds up to `level` however many
    there are, so that stopping as soon as a verdict is reached keeps the level (alpha spending: Lan and DeMets,
    Biometrika 70, 1983, here by the union bound). Student's t with the degrees of freedom of the smallest sample.
    """
    return error * -stdtrit(trials - 1, level / (look * (look + 1)) / 2)
