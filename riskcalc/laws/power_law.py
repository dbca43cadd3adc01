"""Power laws of a feature's rank, and their limit."""

from __future__ import annotations

import numpy as np

from riskcalc.exact import count, one_number
from riskcalc.laws.base import Law
from riskcalc.memory import fits

# The limit of a power law is resolved down to exp(-40) of its variance: at a heavier tail that leaves double precision.
HEAVIEST = 0.94


class PowerLaw(Law):
    """Eigenvalues and coefficients that are powers of a feature's rank: Lambda = x^-decay, B = x^-signal_decay.

    Parameters
    ----------
    decay : float >= 0
        Exponent of the eigenvalues ("capacity").
    signal_decay : float
        Exponent of the coefficients ("source"); negative if they grow with the rank.
    n_features : int, optional
        With p features, the ranks are x = (i - 1/2)/p for i = 1..p. Without, x is uniform on (0, 1): the limit
        p -> infinity, as about 2000 atoms (composite Gauss-Legendre in log x, twelve points to each factor e).

    Raises
    ------
    ValueError
        If the limit has infinite variance of features or signal, or nearly: decay and decay + 2*signal_decay must be
        at most 0.94 there.

    Examples
    --------
    >>> PowerLaw(decay=1.5, signal_decay=0.25, n_features=500).n_atoms
    500
    """

    def __init__(self, decay: float, signal_decay: float, n_features: int | None = None):
        self.decay, self.signal_decay = one_number(decay, "decay"), one_number(signal_decay, "signal_decay")
        if self.decay < 0:
            raise ValueError(f"decay must be at least 0, got {decay}")
        if n_features is not None:
            self.n_features = count(n_features, "n_features")
            fits(100 * self.n_features, f"a power law of {self.n_features:,} features")
            ranks = (np.arange(n_features) + 0.5) / n_features
            weights = None
        else:
            heaviest = max(self.decay, self.decay + 2 * self.signal_decay)
            if heaviest > HEAVIEST:
                raise ValueError(
                    f"the limit of this power law has infinite variance, or nearly: decay and decay + 2*signal_decay "
                    f"must be at most {HEAVIEST}, got {heaviest:g}; give n_features for a finite one"
                )
            ranks, weights = _uniform_in_log(depth=40 / (1 - heaviest))
        with np.errstate(over="ignore"):  # what overflows is refused by name
            super().__init__(ranks**-self.decay, ranks**-self.signal_decay, weights)

    @property
    def nodes_only(self) -> bool:
        """In the limit."""
        return self.n_features is None

    def _features(self, number: int, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self.n_features is not None:
            return super()._features(number, rng)
        ranks = (np.arange(number) + 0.5) / number if rng is None else 1 - rng.random(number)
        return ranks**-self.decay, ranks**-self.signal_decay, np.full(number, -1)


def _uniform_in_log(depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for x uniform on (0, 1): Gauss-Legendre panels of width one in -log x, down to exp(-depth)."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    panels = np.arange(np.ceil(depth))[:, None]
    y = (panels + (nodes + 1) / 2).ravel()
    mass = np.exp(-y) * np.tile(weights / 2, panels.size)
    return np.exp(-y), mass
