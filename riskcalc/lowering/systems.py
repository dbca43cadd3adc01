"""What a number system provides: numbers, exact differences, and one routine per node and elementary function."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

import numpy as np

from riskcalc.lowering.surplus import Surplus


class NumberSystem(Protocol):
    """One kind of number that formulas are evaluated in: float64, mpmath or balls at some number of digits."""

    functions: ClassVar[dict[str, Any]]  # routines, by the names that generated code uses

    def number(self, array: np.ndarray) -> np.ndarray:
        """An exact array in this system's numbers."""
        ...

    def precision(self) -> AbstractContextManager:
        """The context in which this system's arithmetic must run."""
        ...


class SolvingSystem(NumberSystem, Protocol):
    """A number system that fixed points are solved in, too: float64 or mpmath."""

    @property
    def epsilon(self) -> Any:
        """Relative size of a step that is rounding."""

    @property
    def tolerance(self) -> Any:
        """Relative mismatch that a root substituted back may leave."""

    @property
    def tiny(self) -> Any:
        """A side of a balance below this has underflowed."""

    def surplus(self, scale: np.ndarray, weights: np.ndarray, share: np.ndarray) -> Surplus:
        """``scale * sum(weights) - share`` of exact arrays."""
        ...
