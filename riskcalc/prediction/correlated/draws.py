"""Draws of the dense fit's law, in pairs of opposite noise: the same ones for every model of a problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from riskcalc.prediction.correlated.fit import Fit

# Pairs that are drawn together; numbers of draws that are held for the next model.
PAIRS, MOST_HELD = 16, 1 << 23


@dataclass(frozen=True)
class Batch:
    """Pairs of draws: in the first half of the rows the noise, in the second half its opposite.

    Everything is per sqrt(n), in terms of the root of the covariance.

    Attributes
    ----------
    fit : Fit
    noise : ndarray, shape (2 PAIRS, m)
        Of the fit.
    chance : SeedSequence
        Of what else chance decides.
    """

    fit: Fit
    noise: np.ndarray
    chance: np.random.SeedSequence

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Fitted ones, shape (2 PAIRS, p)."""
        fit = self.fit
        return fit.features.shrunk(fit.ridge, fit.truth + self.noise)

    @cached_property
    def fitted(self) -> np.ndarray:
        """What they predict, V1."""
        return self.fit.features.seen(self.coefficients)

    @cached_property
    def residual(self) -> np.ndarray:
        """What the fit leaves of truth and noise, W + G1 - V1."""
        return self.fit.truth + self.noise - self.fitted

    @cached_property
    def error(self) -> np.ndarray:
        """W - V1."""
        return self.fit.truth - self.fitted

    @cached_property
    def controls(self) -> np.ndarray:
        """Averages over pairs of three squares, less what these are on average; shape (PAIRS, 3)."""
        squares = [(rows**2).sum(axis=1) for rows in (self.noise, self.error, self.residual)]
        return in_pairs(np.stack(squares, axis=1)) - self.fit.mean_squares

    @property
    def luck(self) -> np.ndarray:
        """For every draw an order of the features by chance alone."""
        rng = np.random.default_rng(self.chance)
        return rng.random((len(self.noise), self.fit.features.size), dtype=np.float32)


def in_pairs(rows: np.ndarray) -> np.ndarray:
    """Averages over the pairs of a batch."""
    half = len(rows) // 2
    return (rows[:half] + rows[half:]) / 2


@dataclass(frozen=True, eq=False)
class Draws:
    """All draws of a fit, in batches."""

    fit: Fit
    seed: int
    _held: dict[int, Batch] = field(default_factory=dict)

    def batch(self, place: int) -> Batch:
        """The batch of this place, the same whenever it is asked for; the first ones, and the last, are held."""
        if place not in self._held:
            of_noise, of_luck = np.random.SeedSequence(self.seed, spawn_key=(place,)).spawn(2)
            noise = np.random.default_rng(of_noise).standard_normal((PAIRS, self.fit.features.dimension))
            noise *= self.fit.deviation
            if (len(self._held) + 1) * 2 * noise.size > MOST_HELD and self._held:
                self._held.popitem()
            self._held[place] = Batch(self.fit, np.concatenate([noise, -noise]), of_luck)
        return self._held[place]
