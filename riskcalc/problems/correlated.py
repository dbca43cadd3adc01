"""Correlated features: any covariance, in the coordinates that features are pruned in."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property, singledispatch
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, at_least_zero, count, exact_array
from riskcalc.inert import Inert
from riskcalc.problems.base import Problem

# Of the largest entry or eigenvalue and per feature: what rounding may have changed of a covariance.
ROUNDING = 8 * np.finfo(float).eps


class FactorCovariance(Inert):
    """The covariance of features with a few common factors: loadings loadings' + diag(variances).

    It is never formed, so that there may be many features.

    Parameters
    ----------
    loadings : array_like, shape (p, r)
        Slopes of the features in r independent standard normal factors.
    variances : float or array_like >= 0, shape () or (p,)
        Of what a feature shares with no other; one number for all.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right.

    Examples
    --------
    >>> import numpy as np
    >>> covariance = FactorCovariance(loadings=[[2], [1], [1]], variances=0.5)
    >>> np.asarray(covariance)
    array([[4.5, 2. , 2. ],
           [2. , 1.5, 1. ],
           [2. , 1. , 1.5]])
    """

    def __init__(self, loadings: ArrayLike, variances: ArrayLike | str):
        self.loadings = exact_array(loadings, "loadings")
        if self.loadings.ndim != 2:
            raise ValueError(
                f"loadings must have a row for each feature and a column for each factor, got shape "
                f"{self.loadings.shape}"
            )
        self.variances = at_least_zero(variances, "variances")
        if self.variances.shape not in ((), self.loadings.shape[:1]):
            raise ValueError(
                f"variances must be one number, or one for each of the {len(self.loadings)} features, got shape "
                f"{self.variances.shape}"
            )

    def __len__(self) -> int:
        return len(self.loadings)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        loadings = as_float(self.loadings)
        return loadings @ loadings.T + np.diag(np.broadcast_to(as_float(self.variances), len(self)))


class Correlated(Problem):
    """Linear regression on Gaussian features of any covariance, pruned in the coordinates given.

    The target is y = x'coefficients + noise with x ~ N(0, covariance), and the fit minimises
    ``|y - X beta|^2 / n + ridge * |beta|^2``.

    Parameters
    ----------
    covariance : array_like, shape (p, p), or FactorCovariance
        Symmetric, and with no eigenvalue below zero. Features without variance change nothing; of a budget they are
        kept last.
    coefficients : array_like, shape (p,)
        The true ones, themselves: not times sqrt(p).
    n_samples : int >= 1
    noise_variance : float >= 0
    ridge : float >= 0
        0 for least squares, or the interpolator of least norm.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right.

    Notes
    -----
    The features need not be eigenvectors of their covariance, so that what pruning drops may be predicted by what it
    keeps: retraining can then find much again that pruning alone loses. Predictions average over draws of the fitted
    coefficients' law where no closed form is known; `Prediction.integration_error` is the standard error of that.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.Correlated(covariance=[[1, 0.5], [0.5, 1]], coefficients=[1, -1], n_samples=8, noise_variance=0.5)
    >>> float(problem.null_risk)
    1.5
    """

    whole = True
    _read: ClassVar[Mapping[str, Any]] = {
        "covariance": lambda value: FactorCovariance.from_dict(value) if isinstance(value, Mapping) else value
    }

    def __init__(
        self,
        covariance: ArrayLike | FactorCovariance,
        coefficients: ArrayLike,
        n_samples: int,
        noise_variance: float | str = 0.0,
        ridge: float | str = 0.0,
    ):
        self.covariance = covariance if isinstance(covariance, FactorCovariance) else _matrix(covariance)
        self.coefficients = exact_array(coefficients, "coefficients")
        p = len(self.covariance)
        if self.coefficients.shape != (p,):
            raise ValueError(
                f"coefficients must be one for each of the {p} features of the covariance, got shape "
                f"{self.coefficients.shape}"
            )
        self.n_samples, self.n_features = np.array(count(n_samples, "n_samples")), np.array(p)
        self.noise_variance, self.ridge = _one(noise_variance, "noise_variance"), _one(ridge, "ridge")
        self.shape, self.n_atoms = (), p
        self.aspect_ratio = np.array(Fraction(p, int(self.n_samples)), dtype=object)
        if not self.feature_variances.any():
            raise ValueError("covariance is zero: no feature has variance; give at least one that has")

    @cached_property
    def feature_variances(self) -> np.ndarray:
        """The diagonal of the covariance, shape (p,)."""
        return _diagonal(self.covariance)

    @property
    def note(self) -> str:
        """How many features have no variance."""
        dead = np.count_nonzero(self.feature_variances == 0)
        if not dead:
            return ""
        return f"{dead} of {len(self.covariance)} features have no variance: they change nothing, and are kept last."

    @property
    def null_risk(self) -> np.ndarray:
        """Test risk of predicting zero."""
        return as_float(self.noise_variance) + _variance_of(self.covariance, as_float(self.coefficients))


@singledispatch
def _diagonal(covariance: np.ndarray) -> np.ndarray:
    return as_float(covariance).diagonal()


@_diagonal.register
def _(covariance: FactorCovariance) -> np.ndarray:
    return (as_float(covariance.loadings) ** 2).sum(axis=1) + as_float(covariance.variances)


@singledispatch
def _variance_of(covariance: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The variance of a combination of features."""
    return np.asarray(max(coefficients @ as_float(covariance) @ coefficients, 0.0))


@_variance_of.register
def _(covariance: FactorCovariance, coefficients: np.ndarray) -> np.ndarray:
    shared = coefficients @ as_float(covariance.loadings)
    return np.asarray(shared @ shared + (as_float(covariance.variances) * coefficients**2).sum())


def _one(value: Any, name: str) -> np.ndarray:
    """One number of at least zero."""
    array = at_least_zero(value, name)
    if array.ndim:
        raise ValueError(f"{name} must be one number, got shape {array.shape}; take one problem for each")
    return array


def _matrix(value: Any) -> np.ndarray:
    """A covariance as a matrix, symmetric to the last digit."""
    array = exact_array(value, "covariance")
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ValueError(f"covariance must be a square matrix, got shape {array.shape}")
    numbers, p = as_float(array), len(array)
    gaps = abs(numbers - numbers.T)
    i, j = divmod(int(gaps.argmax()), p)
    if gaps[i, j] > ROUNDING * p * abs(numbers).max():
        raise ValueError(
            f"covariance must be symmetric, got {numbers[i, j]:.6g} at ({i}, {j}) and {numbers[j, i]:.6g} at ({j}, {i})"
        )
    if gaps[i, j]:
        array = (array + array.T) / 2
        array.flags.writeable = False
    _check_spectrum(as_float(array))
    return array


def _check_spectrum(covariance: np.ndarray) -> None:
    """Refuse eigenvalues below zero, which a factorisation that succeeds excludes at less cost."""
    try:
        np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        eigenvalues = np.linalg.eigvalsh(covariance)
        if eigenvalues[0] < -ROUNDING * len(covariance) * max(eigenvalues[-1], 0):
            raise ValueError(
                f"covariance must have no eigenvalue below zero, got {eigenvalues[0]:.6g} beside {eigenvalues[-1]:.6g}"
            ) from None
