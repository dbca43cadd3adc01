"""Problems: by atoms or laws, of one factor, and of correlated features."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st

from riskcalc.exact import as_float, count
from riskcalc.laws import Law
from riskcalc.problems import BASES, Correlated, FactorCovariance, LinearGaussian, RandomFeatures, RankOne
from riskcalc.problems.activations import ACTIVATIONS
from riskcalc.strategies.numbers import NOISE, RIDGES, either, numbers, once_in, signed, zero_or

# Eigenvalues over six decades.
EIGENVALUES, PENALTIES, RATIOS = (1e-3, 1e3), (0.1, 10.0), (0.05, 50.0)
LENGTHS = (0.05, 20.0)  # variances of rows
BELOW_ZERO = (1e-6, 0.99)  # negative ridges, in units of what they may surely be
AT_THRESHOLD = 1e-6  # nearer to which there is no negative ridge to speak of
SAMPLES = 1000  # of `RankOne` and `RandomFeatures`, the most
# Of correlated features: what each has of its own, and its slopes in factors, in steps.
VARIANCES, SLOPES = (1e-2, 1e2), st.integers(-64, 64).map(lambda steps: steps / 32)


def problems(
    *,
    law: st.SearchStrategy[Law] | None = None,
    noise: bool | None = None,
    ridge: bool | Literal["negative"] | None = None,
    penalty: bool | None = None,
    singular: bool | None = None,
    rows: bool | None = False,
    max_atoms: int = 8,
    aspect_ratio: tuple[float, float] = RATIOS,
    basis: str = BASES[0],
) -> st.SearchStrategy[LinearGaussian]:
    """Problems: one each, not batches.

    Parameters
    ----------
    law : strategy of laws, optional
        Such as `laws`; by default atoms, drawn as `singular` and `max_atoms` say.
    noise : bool, optional
        Whether there is any; either if not given.
    ridge : bool or "negative", optional
        Whether there is any, of zero or more; or a negative one, above the lowest of the first fit.
    penalty : bool, optional
        Whether the penalty has weights, of atoms or "natural"; either if not given.
    singular : bool, optional
        Whether some features have no variance; either if not given.
    rows : bool or None
        Whether rows are of unequal length, some of them of none; either if None.
    max_atoms : int >= 1
    aspect_ratio : (low, high)
        Bounds, within which exactly 1, the interpolation threshold, comes up often.
    basis : "principal" or "generic"
        Of all of them; a generic one goes with no penalty but 1.

    Examples
    --------
    >>> from hypothesis import find, given, settings
    >>> from riskcalc import predict, strategies
    >>> @settings(deadline=None, max_examples=20)
    ... @given(strategies.problems(noise=True))
    ... def test_no_fit_beats_the_noise(problem):
    ...     assert predict(problem).risk >= problem.noise_variance
    >>> test_no_fit_beats_the_noise()
    >>> find(strategies.problems(), lambda problem: True)
    LinearGaussian(aspect_ratio=2.0, eigenvalues=[1.0], signal=[1.0], weights=[1.0])
    """
    if law is not None and singular is not None:
        raise ValueError(f"singular says how atoms are drawn; with a law leave it out, got {singular}")
    if basis != BASES[0]:
        if penalty:
            raise ValueError(f"a {basis} basis goes with no penalty but 1; leave penalty out, got {penalty}")
        penalty = False
    if ridge == "negative" and rows is not False:
        raise ValueError(f"negative ridges go with rows of equal length; leave rows out, got {rows}")
    # One weight of a penalty fits every law.
    plain = arguments(
        noise=noise,
        ridge=False if ridge == "negative" else ridge,
        penalty=penalty,
        singular=singular,
        max_atoms=max_atoms if law is None else 1,
        aspect_ratio=aspect_ratio,
    )

    @st.composite
    def drawn(draw: st.DrawFn) -> LinearGaussian:
        natural, given = draw(once_in(2)), dict[str, Any](draw(plain))
        if given["penalty"] is not None and natural:
            given["penalty"] = "natural"
        if law is not None:
            given = {name: value for name, value in given.items() if name not in LAW}
            given["law"] = draw(law)
        given["basis"] = basis
        if draw(either(rows)):
            given |= draw(_rows())
        if ridge == "negative":
            given["ridge"] = -_reach(LinearGaussian(**given)) * draw(numbers(*BELOW_ZERO, simplest=0.5))
        return LinearGaussian(**given)

    return drawn()


def _reach(problem: LinearGaussian) -> float:
    """How far below zero a ridge of its first fit may surely be: as if all live features were the weakest of them."""
    law = problem.law
    weights = np.full(law.shape, 1 / law.n_atoms) if law.weights is None else as_float(law.weights)
    eigenvalues, penalty = as_float(law.eigenvalues), problem.penalty
    live = (eigenvalues > 0) & (weights > 0)
    if not live.any():
        return 0.0
    scale = eigenvalues if isinstance(penalty, str) else 1.0 if penalty is None else as_float(penalty)
    levels = np.broadcast_to(eigenvalues / np.where(live, scale, 1), live.shape)[live]
    features = as_float(problem.aspect_ratio) * np.sum(np.broadcast_to(weights, live.shape)[live])
    distance = 1 - np.sqrt(features)
    return float(levels.min() * distance**2) if abs(distance) > AT_THRESHOLD else 0.0


def arguments(
    *,
    noise: bool | None = None,
    ridge: bool | None = None,
    penalty: bool | None = None,
    singular: bool | None = None,
    max_atoms: int = 8,
    aspect_ratio: tuple[float, float] = RATIOS,
) -> st.SearchStrategy[dict[str, Any]]:
    """Keyword arguments of `LinearGaussian` as plain numbers and tuples, for tests that transform a problem.

    Parameters
    ----------
    noise, ridge, singular, max_atoms, aspect_ratio
        As for `problems`.
    penalty : bool, optional
        Whether the penalty has weights of atoms.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(arguments(penalty=True, noise=True), lambda given: len(given["weights"]) == 2)["penalty"]
    (1.0, 1.0)
    """
    low, high = aspect_ratio
    if not 0 < low <= high < math.inf:
        raise ValueError(f"aspect_ratio must be bounds 0 < low <= high, got {aspect_ratio}")
    ratios, atoms = numbers(low, high, simplest=2.0), atoms_of(singular, count(max_atoms, "max_atoms"))
    noises, ridges = zero_or(noise, numbers(*NOISE)), zero_or(ridge, numbers(*RIDGES))

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, Any]:
        ratio, threshold = draw(ratios), draw(once_in(8)) and low <= 1 <= high
        rest = {"noise_variance": draw(noises), "ridge": draw(ridges)}
        penalised, given = draw(either(penalty)), draw(atoms)
        return {"aspect_ratio": 1.0 if threshold else ratio} | given | rest | ({} if penalised else {"penalty": None})

    return drawn()


def rank_one_problems(*, noise: bool | None = None, max_features: int = 8) -> st.SearchStrategy[RankOne]:
    """Problems with one common factor, up to a thousand samples.

    Parameters
    ----------
    noise : bool, optional
        Whether there is any; either if not given.
    max_features : int >= 1

    Examples
    --------
    >>> from hypothesis import find
    >>> find(rank_one_problems(), lambda problem: problem.n_features > 1).loadings
    array([1., 1.])
    """
    sizes, noises = st.integers(1, count(max_features, "max_features")), zero_or(noise, numbers(*NOISE))

    @st.composite
    def drawn(draw: st.DrawFn) -> RankOne:
        n_samples, noise_variance = draw(st.integers(3, SAMPLES)), draw(noises)
        loadings, coefficients = zip(*((draw(signed()), draw(signed())) for _ in range(draw(sizes))), strict=True)
        return RankOne(loadings if any(loadings) else [1.0] * len(loadings), coefficients, n_samples, noise_variance)

    return drawn()


def correlated_problems(
    *,
    noise: bool | None = None,
    ridge: bool | None = None,
    factors: bool | None = None,
    singular: bool | None = None,
    max_features: int = 6,
) -> st.SearchStrategy[Correlated]:
    """Problems with correlated features, of equal or other variances, and up to three samples for each of them.

    Parameters
    ----------
    noise, ridge : bool, optional
        Whether there is any; either if not given.
    factors : bool, optional
        Whether the covariance is a `FactorCovariance`; a matrix or either, if not given.
    singular : bool, optional
        Whether features mix one or two factors and have nothing of their own; mostly not, if not given.
    max_features : int >= 1

    Examples
    --------
    >>> from hypothesis import find
    >>> find(correlated_problems(factors=False), lambda problem: problem.n_features > 1).covariance
    array([[1., 0.],
           [0., 1.]])
    """
    noises, ridges = zero_or(noise, numbers(*NOISE)), zero_or(ridge, numbers(*RIDGES))
    most = count(max_features, "max_features")

    @st.composite
    def drawn(draw: st.DrawFn) -> Correlated:
        structured, noise_variance, ridge_of_it = draw(either(factors)), draw(noises), draw(ridges)
        some = draw(once_in(8)) if singular is None else singular
        feature = st.tuples(numbers(*VARIANCES), signed(), *[SLOPES] * draw(st.integers(1, 2)))
        rows = np.array(draw(st.lists(feature, min_size=1, max_size=most)))
        n_samples = draw(st.sampled_from([2 * len(rows), *range(1, 3 * len(rows) + 1)]))
        own, coefficients, loadings = rows[:, 0] * (not some), rows[:, 1], rows[:, 2:]
        if some and not loadings.any():
            loadings = np.ones_like(loadings)
        covariance = FactorCovariance(loadings, own) if structured else loadings @ loadings.T + np.diag(own)
        return Correlated(covariance, coefficients, n_samples, noise_variance, ridge_of_it)

    return drawn()


# The arguments of `Atoms`.
LAW = ("eigenvalues", "signal", "weights")
# Mass, eigenvalue, whether it may be zero instead, coefficient and penalty.
_ATOM = (st.integers(0, 1000), numbers(*EIGENVALUES), once_in(4), signed(), numbers(*PENALTIES))


# Mass and variance of a value of rows, and whether that may be zero instead.
_ROW = (st.integers(1, 1000), numbers(*LENGTHS), once_in(4))


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, tuple[float, ...]]:
    """Arguments of rows of unequal length, the first of which is not zero."""
    drawn = [[draw(part) for part in _ROW] for _ in range(draw(st.integers(1, 3)))]
    masses, lengths, zero = zip(*drawn, strict=True)
    lengths = (lengths[0], *(0.0 if gone else own for own, gone in zip(lengths[1:], zero[1:], strict=True)))
    return {"row_variances": lengths, "row_weights": tuple((np.array(masses) / sum(masses)).tolist())}


@st.composite
def atoms_of(draw: st.DrawFn, singular: bool | None, max_atoms: int) -> dict[str, tuple[float, ...]]:
    """Arguments of `Atoms` and weights of a penalty, by name."""
    some = draw(once_in(8)) if singular is None else singular
    drawn = [[draw(part) for part in _ATOM] for _ in range(draw(st.integers(1, max_atoms)))]
    atoms = [atom for atom in drawn if atom[0]] or [[1, *drawn[-1][1:]]]
    masses, eigenvalues, zero, signal, penalty = zip(*atoms, strict=True)
    if some:
        zero = zero if any(zero) else (True, *zero[1:])
        eigenvalues = tuple(0.0 if gone else value for gone, value in zip(zero, eigenvalues, strict=True))
    weights = tuple((np.array(masses) / sum(masses)).tolist())
    return {"eigenvalues": eigenvalues, "signal": signal, "weights": weights, "penalty": penalty}


def random_features_problems(
    *, noise: bool | None = None, ridge: bool | None = None, max_features: int = 1000
) -> st.SearchStrategy[RandomFeatures]:
    """Random features of every activation that is registered, up to a thousand inputs and samples.

    Parameters
    ----------
    noise, ridge : bool, optional
        Whether there is any; either if not given.
    max_features : int >= 1

    Examples
    --------
    >>> from hypothesis import find
    >>> find(random_features_problems(), lambda problem: True)
    RandomFeatures(activation='relu', n_inputs=1, n_features=1, n_samples=1, target=[1.0], nodes=64)
    """
    neurons = st.integers(1, count(max_features, "max_features"))
    noises, ridges = zero_or(noise, numbers(*NOISE)), zero_or(ridge, numbers(*RIDGES))
    targets = st.lists(signed(), min_size=1, max_size=3).filter(lambda one: one[0] != 0)

    @st.composite
    def drawn(draw: st.DrawFn) -> RandomFeatures:
        sizes = {"n_inputs": draw(st.integers(1, SAMPLES)), "n_features": draw(neurons)}
        sizes["n_samples"] = draw(st.integers(1, SAMPLES))
        given = {"noise_variance": draw(noises), "ridge": draw(ridges), "target": draw(targets)}
        return RandomFeatures(draw(st.sampled_from([*ACTIVATIONS])), **sizes, **given, nodes=64)

    return drawn()
