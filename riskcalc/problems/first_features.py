"""A problem seen through the first of its features: what the others do is noise."""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.exact import as_float, as_fractions, exact_array
from riskcalc.laws import Continuous
from riskcalc.problems.base import Problem
from riskcalc.problems.correlated import Correlated, FactorCovariance
from riskcalc.problems.linear_gaussian import BASES, LinearGaussian
from riskcalc.problems.random_features import RandomFeatures
from riskcalc.problems.table import Table


def first_features(problem: Problem, size: str, values: Any) -> Problem:
    """The same samples with the first of the features only, those left out a part of the noise.

    Features are in the order in which the problem gives their kinds, all of a kind beside each other.

    Parameters
    ----------
    problem : Problem
    size : "n_features" or "aspect_ratio"
        What says how many.
    values : array_like
        Exact; at most the problem's own. Arrays give a batch of problems, where the kind of problem has batches.

    Raises
    ------
    TypeError, ValueError
        If there are not so many features, or they have no order in which they could be left out.

    Examples
    --------
    >>> whole = LinearGaussian(n_samples=300, n_features=1000, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> half = first_features(whole, "n_features", 500)
    >>> half.law.weights.tolist(), half.noise_variance.item()
    ([Fraction(1, 5), Fraction(4, 5)], Fraction(1, 2))
    """
    own = getattr(problem, size)
    share = np.asarray(as_fractions(exact_array(values, size)) / as_fractions(np.asarray(own)), dtype=object)
    wrong = (share <= 0) | (share > 1)
    if wrong.any():
        first = np.asarray(values, dtype=object)[wrong].flat[0] if np.ndim(values) else values
        raise ValueError(
            f"{size} must be above 0 and at most {own}, that of the problem whose first features they are, got {first}"
        )
    return _first(problem, share)


@singledispatch
def _first(problem: Problem, share: np.ndarray) -> Problem:
    raise TypeError(f"the features of a {type(problem).__name__} have no order in which they could be left out")


@_first.register
def _(problem: LinearGaussian, share: np.ndarray) -> LinearGaussian:
    """The law of the features kept; coefficients themselves stay."""
    law = problem.law
    if isinstance(law, Continuous):
        raise ValueError("the features of a continuous law have no order in which they could be left out")
    if problem.basis != BASES[0] or problem.rows is not None:
        raise ValueError("what features leave out is noise only in the principal basis, with rows of equal length")
    atoms = (law.eigenvalues, law.signal, [Fraction(1, law.n_atoms)] if law.weights is None else law.weights)
    variances, signal, weights = (np.broadcast_to(as_fractions(np.asarray(one)), law.shape) for one in atoms)
    before = np.cumsum(weights, axis=-1) - weights
    kept = np.minimum(np.maximum(share[..., None] - before, 0 * weights), weights)
    squares = signal**2
    if law.coefficients is not None:  # exact, which the signal is not
        squares = as_fractions(law.coefficients) ** 2 * as_fractions(law.n_features)[..., None]
    lost = ((weights - kept) * variances * squares).sum(axis=-1)
    own = ("law", "eigenvalues", "signal", "coefficients", "weights", "aspect_ratio", "n_features", "noise_variance")
    given = {name: value for name, value in problem.given().items() if name not in own}
    given |= {"eigenvalues": law.eigenvalues, "weights": kept / share[..., None]}
    given["noise_variance"] = as_fractions(problem.noise_variance) + lost
    if problem.n_features is None:
        given["aspect_ratio"] = as_fractions(problem.aspect_ratio) * share
    else:
        given["n_features"] = np.rint(as_float(as_fractions(problem.n_features) * share)).astype(int)
    if law.coefficients is None:
        return LinearGaussian(**given, signal=as_float(law.signal) * np.sqrt(as_float(share))[..., None])
    return LinearGaussian(**given, coefficients=law.coefficients)


@_first.register
def _(problem: RandomFeatures, share: np.ndarray) -> RandomFeatures:
    """Any neurons are as good as the first."""
    given: dict[str, Any] = problem.given() | {"n_features": _number(share, problem.n_features)}
    return RandomFeatures(**given)


@_first.register
def _(problem: Table, share: np.ndarray) -> Table:
    """The first columns."""
    return problem.columns(np.arange(_number(share, problem.n_features)))


@_first.register
def _(problem: Correlated, share: np.ndarray) -> Correlated:
    """What the features kept tell of the others goes with them."""
    p, coefficients = _number(share, problem.n_features), as_float(problem.coefficients)
    covariance, told, lost = _parted(problem.covariance, p, coefficients[p:])
    given: dict[str, Any] = problem.given() | {"covariance": covariance, "coefficients": coefficients[:p] + told}
    given["noise_variance"] = as_float(problem.noise_variance) + lost
    return Correlated(**given)


@singledispatch
def _parted(covariance: np.ndarray, p: int, coefficients: np.ndarray) -> tuple[Any, np.ndarray, float]:
    """The covariance of the first p features, the coefficients on these of what the others do, and the variance of what
    of that they do not tell."""
    numbers = as_float(covariance)
    shared = numbers[:p, p:] @ coefficients
    told = np.linalg.lstsq(numbers[:p, :p], shared, rcond=None)[0]
    return covariance[:p, :p], told, max(float(coefficients @ numbers[p:, p:] @ coefficients - shared @ told), 0.0)


@_parted.register
def _(covariance: FactorCovariance, p: int, coefficients: np.ndarray) -> tuple[Any, np.ndarray, float]:
    loadings, variances = (
        as_float(covariance.loadings),
        np.broadcast_to(as_float(covariance.variances), len(covariance)),
    )
    if not variances[:p].all():
        raise ValueError("variances must be above 0 for features to be left out; give the covariance as a matrix")
    scaled = loadings[:p] / variances[:p, None]
    shared = loadings[p:].T @ coefficients
    untold = np.linalg.solve(np.eye(len(shared)) + loadings[:p].T @ scaled, shared)
    own = covariance.variances if covariance.variances.ndim == 0 else covariance.variances[:p]
    lost = float(variances[p:] @ coefficients**2 + shared @ untold)
    return FactorCovariance(covariance.loadings[:p], own), scaled @ untold, lost


def _number(share: np.ndarray, n_features: np.ndarray) -> int:
    if share.ndim:
        raise ValueError("n_features must be one number here; take one problem for each")
    return round(share.item() * int(n_features))
