"""Hypothesis strategies for problems, laws and policies, to property-test theories of your own.

They need the extra `strategies` and load by ``from riskcalc import strategies``. What a failing test shrinks to is
simple: one atom, no noise, no ridge, two features per sample. A first prediction compiles its formula, which takes
longer than Hypothesis's deadline: set ``deadline=None``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from riskcalc.exact import count
from riskcalc.laws import Atoms, Beta, Empirical, Law, MarchenkoPastur, PowerLaw, Uniform
from riskcalc.policies import Policy, by_budget
from riskcalc.problems import LinearGaussian

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("riskcalc.strategies needs Hypothesis: pip install 'riskcalc[strategies]'") from error

# Eigenvalues over six decades; coefficients, penalty weights and budgets over two or three.
EIGENVALUES, COEFFICIENTS, PENALTIES, KEPT = (1e-3, 1e3), (0.1, 10.0), (0.1, 10.0), (1e-3, 1.0)
NOISE, RIDGES, RATIOS = (1e-4, 10.0), (1e-6, 10.0), (0.05, 50.0)


def problems(
    *,
    law: st.SearchStrategy[Law] | None = None,
    noise: bool | None = None,
    ridge: bool | None = None,
    penalty: bool | None = None,
    singular: bool | None = None,
    max_atoms: int = 8,
    aspect_ratio: tuple[float, float] = RATIOS,
) -> st.SearchStrategy[LinearGaussian]:
    """Problems: one each, not batches.

    Parameters
    ----------
    law : strategy of laws, optional
        Such as `laws`; by default atoms, drawn as `singular` and `max_atoms` say.
    noise, ridge : bool, optional
        Whether there is any; either if not given.
    penalty : bool, optional
        Whether the penalty has weights, of atoms or "natural"; either if not given.
    singular : bool, optional
        Whether some features have no variance; either if not given.
    max_atoms : int >= 1
    aspect_ratio : (low, high)
        Bounds, within which exactly 1, the interpolation threshold, comes up often.

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
    numbers = arguments(
        noise=noise, ridge=ridge, penalty=penalty, singular=singular, max_atoms=max_atoms, aspect_ratio=aspect_ratio
    )

    @st.composite
    def drawn(draw: st.DrawFn) -> LinearGaussian:
        given = draw(numbers)
        if given["penalty"] is not None and draw(st.booleans()):
            given["penalty"] = "natural"
        if law is None:
            return LinearGaussian(**given)
        given["law"] = draw(law)
        if isinstance(given["penalty"], tuple):  # one weight fits every law
            given["penalty"] = given["penalty"][0]
        rest = ("law", "aspect_ratio", "noise_variance", "ridge", "penalty")
        return LinearGaussian(**{name: given[name] for name in rest})

    return drawn()


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
    atoms = _atoms(singular, count(max_atoms, "max_atoms"))

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, Any]:
        law = draw(atoms)
        penalties = st.tuples(*[_decades(*PENALTIES)] * len(law["weights"]))
        # Drawn in any case: what takes fewer draws is simpler to Hypothesis, and the threshold is not simple.
        ratio = draw(_decades(low, high, simplest=2.0))
        return {
            "aspect_ratio": 1.0 if _chance(draw, 8) and low <= 1 <= high else ratio,
            **law,
            "noise_variance": draw(_decades(*NOISE)) if _either(draw, noise) else 0.0,
            "ridge": draw(_decades(*RIDGES)) if _either(draw, ridge) else 0.0,
            "penalty": draw(penalties) if _either(draw, penalty) else None,
        }

    return drawn()


def laws(*, continuous: bool | None = None, singular: bool | None = None, max_atoms: int = 8) -> st.SearchStrategy[Law]:
    """Laws of every kind, simplest first.

    Parameters
    ----------
    continuous : bool, optional
        True for `MarchenkoPastur`, `Uniform` and `Beta`; False for `Atoms`, `Empirical` and `PowerLaw`; either if not
        given.
    singular : bool, optional
        Whether some features have no variance; either if not given.
    max_atoms : int >= 1
        Of `Atoms` and `Empirical`, and as many features of a `PowerLaw` that is not a limit.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(laws(), lambda law: law.n_atoms == 2 and law.weights is not None)
    Atoms(eigenvalues=[1.0, 1.0], signal=[1.0, 1.0], weights=[0.5, 0.5])
    """
    kinds, max_atoms = [], count(max_atoms, "max_atoms")
    if continuous is not True:
        atoms = _atoms(singular, max_atoms)
        kinds.append(atoms.map(lambda given: Atoms(**given)))
        kinds.append(atoms.map(lambda given: Empirical(given["eigenvalues"], given["signal"])))
        if singular is not True:
            kinds.append(_power_laws(max_atoms))
    if continuous is not False:
        if singular is not True:
            kinds += [_bounded(Uniform), _bounded(Beta, a=_decades(*COEFFICIENTS), b=_decades(*COEFFICIENTS))]
            kinds.append(_continuous(MarchenkoPastur, ratio=_decades(0.1, 1.0)))
        if singular is not False:
            kinds.append(_continuous(MarchenkoPastur, ratio=_decades(1.01, 10.0, simplest=2.0)))
    return st.one_of(kinds)


def policies(*, keep: tuple[float, float] = KEPT) -> st.SearchStrategy[Policy]:
    """Policies with a budget.

    Parameters
    ----------
    keep : (low, high)
        Bounds of the fraction of features kept, in (0, 1].

    Examples
    --------
    >>> from hypothesis import find
    >>> find(policies(), lambda policy: policy.name != "magnitude")
    Hessian(keep=0.5)
    """
    low, high = keep
    if not 0 < low <= high <= 1:
        raise ValueError(f"keep must be bounds 0 < low <= high <= 1, got {keep}")
    kinds = st.sampled_from([*by_budget().values()])
    return st.builds(lambda kind, kept: kind(keep=kept), kinds, _decades(low, high, 0.5))


@st.composite
def _atoms(draw: st.DrawFn, singular: bool | None, max_atoms: int) -> dict[str, tuple[float, ...]]:
    """Keyword arguments of `Atoms`."""
    number = draw(st.integers(1, max_atoms))
    masses = np.array([draw(st.integers(1, 1000)) for _ in range(number)])
    eigenvalues = [draw(_decades(*EIGENVALUES)) for _ in range(number)]
    if singular or (singular is None and _chance(draw, 8)):
        eigenvalues[draw(st.integers(0, number - 1))] = 0.0
    signs = st.sampled_from([1.0, -1.0, 0.0])
    return {
        "eigenvalues": tuple(eigenvalues),
        "signal": tuple(draw(signs) * draw(_decades(*COEFFICIENTS)) for _ in range(number)),
        "weights": tuple((masses / masses.sum()).tolist()),
    }


def _power_laws(max_atoms: int) -> st.SearchStrategy[Law]:
    # Finite laws and limits alike: decays at which the limits have few enough atoms to be fast.
    sizes = st.none() | st.integers(1, max_atoms)
    return st.builds(PowerLaw, st.floats(0, 0.5), st.floats(-0.5, 0.1), sizes)


def _continuous(kind: Callable[..., Law], **parameters: st.SearchStrategy[float]) -> st.SearchStrategy[Law]:
    """A continuous law whose coefficients are a power of the eigenvalues, by few nodes, to be fast."""
    nodes = st.sampled_from([16, 64])
    return st.builds(kind, **parameters, signal=_decades(*COEFFICIENTS), signal_power=st.floats(0, 2), nodes=nodes)


def _bounded(kind: Callable[..., Law], **parameters: st.SearchStrategy[float]) -> st.SearchStrategy[Law]:
    """A continuous law between two bounds, of which the lower may be zero."""

    def between(low: float, width: float, **rest: Any) -> Law:
        return kind(low=low, high=low + width, **rest)

    return _continuous(between, low=st.just(0.0) | _decades(*COEFFICIENTS), width=_decades(*COEFFICIENTS), **parameters)


def _decades(low: float, high: float, simplest: float = 1.0) -> st.SearchStrategy[float]:
    """Numbers between two bounds, evenly in their logarithm; they shrink towards the simplest."""
    start = min(max(simplest, low), high)
    exponents = st.floats(math.log10(low / start), math.log10(high / start))
    return exponents.map(lambda x: min(max(start * 10.0**x, low), high))


def _either(draw: st.DrawFn, wanted: bool | None) -> bool:
    return draw(st.booleans()) if wanted is None else wanted


def _chance(draw: st.DrawFn, times: int) -> bool:
    """True about once in so many times."""
    return draw(st.integers(1, times)) == times
