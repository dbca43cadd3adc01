"""Random regimes for property tests: 1 to 8 atoms, eigenvalues over six decades, aspect ratios from 0.05 to 50."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

import riskcalc as rc
from riskcalc import strategies


@dataclass(frozen=True)
class Regime:
    """One problem as plain numbers, so that tests can transform it."""

    aspect_ratio: float
    eigenvalues: tuple[float, ...]
    signal: tuple[float, ...]
    weights: tuple[float, ...]
    noise_variance: float
    ridge: float
    penalty: tuple[float, ...] | None
    keep: float

    def problem(self) -> rc.LinearGaussian:
        return rc.LinearGaussian(
            aspect_ratio=self.aspect_ratio,
            eigenvalues=self.eigenvalues,
            signal=self.signal,
            weights=self.weights,
            noise_variance=self.noise_variance,
            ridge=self.ridge,
            penalty=self.penalty,
        )

    def scaled(self, **changes) -> Regime:
        return replace(self, **changes)

    def total_signal(self) -> float:
        """E[Lambda B^2] + noise: the risk of predicting zero."""
        terms = [w * lam * b * b for w, lam, b in zip(self.weights, self.eigenvalues, self.signal, strict=True)]
        return self.noise_variance + sum(terms)


@st.composite
def regimes(draw, noise: bool | None = None, ridge: bool | None = None, penalty: bool = True) -> Regime:
    """A regime; `noise` and `ridge` force it to have some or none."""
    weighted = penalty and draw(st.integers(0, 3)) == 0
    numbers = strategies.arguments(noise=noise, ridge=ridge, penalty=weighted, singular=False)
    return Regime(**draw(numbers), keep=draw(st.floats(0.001, 0.999)))


def all_risks(regime: Regime) -> dict[str, float]:
    """The risk of every model."""
    return rc.compare(regime.problem(), keep=regime.keep).risks


# Every model's risk stays within this of its exact value (tests/accuracy.py measures 6e-14), and inputs that are
# rounded on the way move it by its condition, which these regimes keep below a thousand.
ROUNDING = 1e-11
