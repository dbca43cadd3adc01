"""Random rational points: a state of exact numbers for every symbol, each in its domain."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from riskcalc.formulas.symbols import QUANTITIES, LawSymbol
from riskcalc.lowering.state import State

_GRID = 1009  # a prime: numbers on it satisfy no relation by chance
_AT_ZERO = 0.2  # probability of zero for law symbols that may be zero: features without variance or coefficient


def random_points(symbols: Iterable[Any], rng: np.random.Generator, points: int, atoms: int = 3) -> State:
    """Exact Fractions for regimes of `atoms` atoms: shape (points, 1) for scalars, (points, atoms) for law symbols.

    The state also holds the law's `weights`, which add up to one, and their `total`.
    """
    state: State = {}
    for symbol in sorted(symbols, key=str):
        shape = (points, atoms if isinstance(symbol, LawSymbol) else 1)
        domain = QUANTITIES[symbol].domain
        numbers = _in_domain(domain, rng, shape)
        if isinstance(symbol, LawSymbol) and domain.inf == 0 and 0 in domain:
            numbers = numbers * (rng.random(shape) > _AT_ZERO)
        state[str(symbol)] = numbers
    parts = _fractions(rng.integers(1, _GRID, (points, atoms)))
    state["weights"] = parts / parts.sum(axis=-1, keepdims=True)
    state["total"] = np.full((points, 1), Fraction(1), dtype=object)
    return state


def _in_domain(domain: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers inside an interval; on a half-line or a line, of either size and (on a line) of either sign."""
    ends = domain.inf, domain.sup
    unit = _fractions(rng.integers(1, _GRID, shape), _GRID)
    if all(end.is_finite for end in ends):
        low, high = (Fraction(int(end.p), int(end.q)) for end in ends)
        return low + (high - low) * unit
    size = unit / _fractions(rng.integers(1, _GRID, shape), _GRID)
    if ends[0].is_finite:
        return Fraction(int(ends[0].p), int(ends[0].q)) + size
    return size * rng.choice([-1, 1], shape)


def _fractions(numbers: np.ndarray, denominator: int = 1) -> Any:
    return np.frompyfunc(lambda k: Fraction(int(k), denominator), 1, 1)(numbers)
