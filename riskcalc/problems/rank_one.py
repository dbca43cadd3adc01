"""Features with one common factor: a problem that is exact at every sample size above 2."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, count, exact_array
from riskcalc.problems.base import Problem


class RankOne(Problem):
    """Linear regression on features that are multiples of one factor: x = loadings * z, with a standard normal z.

    Their covariance is that of rank one, loadings loadings'. The target is y = x'coefficients + noise, and the fit is
    least squares of least norm on samples of this model.

    Parameters
    ----------
    loadings : array_like, shape (p,)
        Not all of them zero.
    coefficients : array_like, shape (p,)
        The true ones, themselves: not times sqrt(p).
    n_samples : int > 2
        With two samples or fewer, noise makes the mean risk infinite.
    noise_variance : float >= 0

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right.

    Notes
    -----
    Chang et al. 2021. The fit is that of y on the one variable z, spread over the features by their loadings. Pruning
    the features of the smallest loadings, which have the smallest fitted coefficients and the lowest Hessian scores
    alike, scales the predictions down to the kept share of the loadings' squares: a bias that no sample removes.
    Retraining removes it, and is as good as the dense fit whatever is kept. Without retraining a little pruning may
    still help, because it shrinks the fit where the noise is large.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.RankOne(loadings=[2, 1, 1], coefficients=[1, 1, -1], n_samples=12, noise_variance=1)
    >>> round(rc.predict(problem, rc.Magnitude(n_keep=1)).risk, 4)
    1.4889
    >>> retrained = rc.predict(problem, rc.Magnitude(n_keep=1), retrain=True)
    >>> retrained.excess_risk == rc.predict(problem).excess_risk
    True
    """

    whole = True

    def __init__(
        self,
        loadings: ArrayLike,
        coefficients: ArrayLike,
        n_samples: int,
        noise_variance: float | str = 0.0,
    ):
        self.loadings = _vector(loadings, "loadings")
        self.coefficients = _vector(coefficients, "coefficients")
        p = len(self.loadings)
        if len(self.coefficients) != p:
            raise ValueError(
                f"loadings and coefficients must have the same length, got {p} and {len(self.coefficients)}"
            )
        if not np.any(self.loadings != 0):
            raise ValueError("loadings are all zero; give at least one that is not, or no feature has variance")
        n = count(n_samples, "n_samples")
        if n <= 2:
            raise ValueError(
                f"n_samples must be at least 3, got {n_samples}: with fewer, noise makes the mean risk infinite"
            )
        self.noise_variance = exact_array(noise_variance, "noise_variance")
        if self.noise_variance.ndim != 0 or self.noise_variance[()] < 0:
            raise ValueError(f"noise_variance must be one number of at least 0, got {noise_variance!r}")
        self.shape, self.n_atoms = (), p
        self.n_samples, self.n_features = np.array(n), np.array(p)
        self.aspect_ratio, self.ridge = np.array(Fraction(p, n), dtype=object), np.zeros(())

    @property
    def null_risk(self) -> np.ndarray:
        """Test risk of predicting zero: that of the target's slope in the factor, and the noise."""
        slope = as_float(self.loadings) @ as_float(self.coefficients)
        return as_float(self.noise_variance) + slope**2


def _vector(value: Any, name: str) -> np.ndarray:
    array = exact_array(value, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, one per feature, got shape {array.shape}")
    return array
