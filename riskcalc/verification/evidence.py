"""What trials say: simulated until verdicts are reached, and laid beside what theories predict."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from riskcalc.verification.equivalence import extrapolate, half_width
from riskcalc.verification.subjects import Subject

# Trials at the largest size, at first; a size half as large gets twice as many, which scatter more and cost less.
FIRST_TRIALS = 32


def gather(
    subject: Subject,
    sizes: tuple[int, ...],
    theories: np.ndarray,
    scales: np.ndarray,
    tolerance: float,
    level: float,
    seconds: float,
) -> Evidence:
    """Simulate until every verdict is reached, or the time is up."""
    began = time.monotonic()
    values: list[np.ndarray] = [np.empty((0, theories.shape[1])) for _ in sizes]
    found: Evidence | None = None
    for look in itertools.count(1):
        wanted = [FIRST_TRIALS * 2 ** (look - 1) * sizes[-1] // n for n in sizes]
        try:
            values = [
                np.concatenate([old, subject.trials(rung, n, len(old), size - len(old))])
                for rung, (n, old, size) in enumerate(zip(sizes, values, wanted, strict=True))
            ]
        except KeyboardInterrupt:
            if found is None:
                raise
            return replace(found, interrupted=True)  # with what the looks before this one found
        found = Evidence.of(sizes, values, level, look)
        undecided = "undecided" in found.beside(theories, scales).verdicts(tolerance)
        if not undecided or 2 * (time.monotonic() - began) > seconds:
            break
    assert found is not None
    return found


@dataclass(frozen=True)
class Evidence:
    """What trials measured at each size: means and their standard errors, shape (R, m); and how often one looked."""

    sizes: np.ndarray
    trials: tuple[int, ...]
    means: np.ndarray
    errors: np.ndarray
    level: float
    look: int
    interrupted: bool = False

    @classmethod
    def of(cls, sizes: Sequence[int], values: list[np.ndarray], level: float, look: int) -> Evidence:
        """From the values of the trials, by size, shape (trials, m) each."""
        means = np.array([rows.mean(axis=0) for rows in values])
        errors = np.array([rows.std(axis=0, ddof=1) / math.sqrt(len(rows)) for rows in values])
        return cls(np.array(sizes), tuple(map(len, values)), means, errors, level, look)

    def beside(self, theories: np.ndarray, scales: np.ndarray) -> Deviations:
        """Beside what theories say at these sizes, over scales; shape (R, m) both."""
        limit = extrapolate(self.sizes, (self.means - theories) / scales, self.errors / scales)
        width = half_width(limit.error, min(self.trials), self.level, self.look) + limit.curvature
        return Deviations(limit.value, width)


@dataclass(frozen=True)
class Deviations:
    """Relative deviations at infinite size, and half the widths of their intervals; shape (m,)."""

    deviation: np.ndarray
    uncertainty: np.ndarray

    def verdicts(self, tolerance: float) -> list[str]:
        """Of each quantity."""
        inside = tolerance - abs(self.deviation)
        agree, disagree = inside >= self.uncertainty, inside <= -self.uncertainty
        return np.where(agree, "agree", np.where(disagree, "disagree", "undecided")).tolist()
