"""What a number system provides: numbers, exact differences, and one routine per node and elementary function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from riskcalc.exact import as_fractions
from riskcalc.lowering.compensated import Pair, add, product, total


class NumberSystem(Protocol):
    """One kind of number: float64, or mpmath at some number of digits."""

    epsilon: Any  # relative size of a step that is rounding
    cube_root: Any  # its cube root
    tolerance: Any  # relative mismatch that a root substituted back may leave
    exactness: Any  # relative size of a difference of exact masses that is zero
    tiny: Any  # a side of a balance below this has underflowed
    functions: Mapping[str, Any]  # by the name that generated code calls it

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array in this system's numbers."""
        ...

    def exact(self, array: np.ndarray) -> np.ndarray:
        """An exact array in the form in which this system subtracts exactly."""
        ...

    def pair(self, exact: np.ndarray | Pair) -> Pair:
        """What `surplus` returns, as an unevaluated sum of two of this system's numbers."""
        ...

    def precision(self) -> AbstractContextManager:
        """The context in which this system's arithmetic must run."""
        ...


def surplus(scale: np.ndarray, weights: np.ndarray, share: np.ndarray, whole: np.ndarray) -> np.ndarray | Pair:
    """``scale * sum(weights) - share * whole``, exactly: its sign decides between regimes, its digits a root.

    All arguments are exact arrays of two dimensions. Fractions stay Fractions; float64 becomes a compensated pair,
    whose relative error is about 1e-32 of the larger term.
    """
    if any(array.dtype == object for array in (scale, weights, share, whole)):
        scale, weights, share, whole = (as_fractions(array) for array in (scale, weights, share, whole))
        return scale * weights.sum(axis=-1, keepdims=True) - share * whole
    gained = product((scale, 0.0), total(weights))
    spent = product((share, 0.0), (whole, 0.0))
    return add(gained, (-spent[0], -spent[1]))


def split(exact: Fraction) -> tuple[float, float]:
    """A Fraction as the double nearest to it and the double nearest to the rest."""
    high = float(exact)
    return high, float(exact - Fraction(high))
