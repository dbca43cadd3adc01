"""What trials say: simulated until verdicts are reached, and laid beside what theories predict."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from riskcalc.verification.equivalence import extrapolate, half_width
from riskcalc.verification.expected import Expected
from riskcalc.verification.subjects import Subject

# Trials at the largest size, at first; a size half as large gets twice as many, which scatter more and cost less.
FIRST_TRIALS = 32


def gather(
    subject: Subject,
    sizes: tuple[int, ...],
    expected: Expected,
    tolerance: float,
    level: float,
    seconds: float,
) -> Evidence:
    """Simulate until every verdict is reached, or the time is up; what has its verdict is no longer simulated."""
    began = time.monotonic()
    undecided = np.arange(expected.values.shape[1])
    values: list[np.ndarray] = [np.empty((0, len(undecided))) for _ in sizes]
    found: Evidence | None = None
    for look in itertools.count(1):
        wanted = [FIRST_TRIALS * 2 ** (look - 1) * sizes[-1] // n for n in sizes]
        left = subject.only(undecided)
        try:
            values = [
                np.concatenate([old, left.trials(rung, n, len(old), size - len(old))])
                for rung, (n, old, size) in enumerate(zip(sizes, values, wanted, strict=True))
            ]
        except KeyboardInterrupt:
            if found is None:
                raise
            return replace(found, interrupted=True)  # with what the looks before this one found
        new = Evidence.of(sizes, values, level, look)
        found = new if found is None else found.replaced(undecided, new)
        verdicts = new.beside(expected.only(undecided)).verdicts(tolerance)
        still = np.array(verdicts) == "undecided"
        undecided, values = undecided[still], [rows[:, still] for rows in values]
        if undecided.size == 0 or 2 * (time.monotonic() - began) > seconds:
            break
    assert found is not None
    return found


@dataclass(frozen=True)
class Evidence:
    """What trials measured at each size.

    Attributes
    ----------
    sizes : ndarray, shape (R,)
    means, errors : ndarray, shape (R, m)
        Of each quantity, and their standard errors.
    trials : ndarray, shape (R, m)
        How many there were of each.
    looks : ndarray, shape (m,)
        How often one looked at each.
    level : float
        Probability of a wrong verdict on one of them.
    """

    sizes: np.ndarray
    means: np.ndarray
    errors: np.ndarray
    trials: np.ndarray
    looks: np.ndarray
    level: float
    interrupted: bool = False

    @classmethod
    def of(cls, sizes: Sequence[int], values: list[np.ndarray], level: float, look: int) -> Evidence:
        """From the values of the trials, by size, shape (trials, m) each."""
        means = np.array([rows.mean(axis=0) for rows in values])
        errors = np.array([rows.std(axis=0, ddof=1) / math.sqrt(len(rows)) for rows in values])
        trials = np.array([np.full(rows.shape[1], len(rows)) for rows in values])
        return cls(np.array(sizes), means, errors, trials, np.full(means.shape[1], look), level)

    def replaced(self, places: np.ndarray, new: Evidence) -> Evidence:
        """With newer evidence of some of the quantities."""
        changed = {}
        for name in ("means", "errors", "trials", "looks"):
            changed[name] = getattr(self, name).copy()
            changed[name][..., places] = getattr(new, name)
        return replace(self, **changed)

    def beside(self, expected: Expected) -> Deviations:
        """Beside what theories say at these sizes, whose own errors are as good as those of the trials."""
        errors = np.hypot(self.errors, expected.errors)
        limit = extrapolate(self.sizes, (self.means - expected.values) / expected.scales, errors / expected.scales)
        width = half_width(limit.error, self.trials.min(axis=0), self.level, self.looks) + limit.curvature
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
