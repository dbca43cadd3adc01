"""What theories say of some quantities, and how well they know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Expected:
    """Values at one size, shape (m,), or at several, shape (R, m).

    Attributes
    ----------
    values : ndarray
    scales : ndarray
        Of which deviations are fractions.
    errors : ndarray
        Standard errors of values that are integrals by points or draws; zero for all others.
    """

    values: np.ndarray
    scales: np.ndarray
    errors: np.ndarray

    @classmethod
    def exact(cls, values: np.ndarray) -> Self:
        """Free of integration error; its own scale, or one where it is zero."""
        return cls(values, np.where(values == 0, 1.0, abs(values)), np.zeros_like(values))

    @classmethod
    def stacked(cls, sizes: Iterable[Expected]) -> Self:
        """One size after the other."""
        every = [*sizes]
        return cls(*(np.stack([getattr(one, name) for one in every]) for name in ("values", "scales", "errors")))

    def only(self, places: np.ndarray) -> Expected:
        """Of some of the quantities."""
        return Expected(self.values[..., places], self.scales[..., places], self.errors[..., places])
