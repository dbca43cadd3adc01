"""Laws of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from riskcalc.exact import count
from riskcalc.laws import Atoms, Beta, Continuous, Empirical, Law, MarchenkoPastur, PowerLaw, Uniform
from riskcalc.strategies.numbers import COEFFICIENTS, floats, numbers, zero_or
from riskcalc.strategies.problem import LAW, atoms_of


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
    kinds = kinds_of_laws(singular, count(max_atoms, "max_atoms"))
    wanted = [kind for kind in kinds if continuous is None or issubclass(kind, Continuous) == continuous]
    return st.one_of([kinds[kind] for kind in wanted])


def kinds_of_laws(singular: bool | None, max_atoms: int) -> dict[type[Law], st.SearchStrategy[Law]]:
    """Every kind of law that can be as it is wanted, simplest first."""
    atoms, some = atoms_of(singular, max_atoms), numbers(*COEFFICIENTS)
    ratios = {False: numbers(0.1, 1.0), True: numbers(1.01, 10.0, simplest=2.0)}  # above one it is singular
    ratio = st.one_of([ratios[dead] for dead in ratios if singular in (None, dead)])
    kinds: dict[type[Law], st.SearchStrategy[Law]] = {
        Atoms: atoms.map(lambda given: Atoms(*(given[name] for name in LAW))),
        Empirical: atoms.map(lambda given: Empirical(given["eigenvalues"], given["signal"])),
    }
    if singular is not True:
        kinds |= {PowerLaw: _power_laws(max_atoms), Uniform: _bounded(Uniform), Beta: _bounded(Beta, a=some, b=some)}
    return kinds | {MarchenkoPastur: _continuous(MarchenkoPastur, ratio=ratio)}


def _power_laws(max_atoms: int) -> st.SearchStrategy[Law]:
    # Finite laws and limits alike: decays at which the limits have few enough atoms to be fast.
    sizes = st.none() | st.integers(1, max_atoms)
    return st.builds(PowerLaw, floats(0, 0.5), floats(-0.5, 0.1), sizes)


def _continuous(kind: Callable[..., Law], **parameters: st.SearchStrategy[float]) -> st.SearchStrategy[Law]:
    """A continuous law whose coefficients are a power of the eigenvalues, by few nodes, to be fast."""
    nodes = st.sampled_from([16, 64])
    return st.builds(kind, **parameters, signal=numbers(*COEFFICIENTS), signal_power=floats(0, 2), nodes=nodes)


def _bounded(kind: Callable[..., Law], **parameters: st.SearchStrategy[float]) -> st.SearchStrategy[Law]:
    """A continuous law between two bounds, of which the lower may be zero."""

    def between(low: float, width: float, **rest: Any) -> Law:
        return kind(low=low, high=low + width, **rest)

    low, width = zero_or(None, numbers(*COEFFICIENTS)), numbers(*COEFFICIENTS)
    return _continuous(between, low=low, width=width, **parameters)
