"""The dense fit of correlated features: its effective ridge by traces, and what draws of it start from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.prediction.correlated.features import Features, Part
from riskcalc.prediction.status import Status

MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Fit:
    """A dense fit.

    Attributes
    ----------
    features : Features
    truth : ndarray, shape (m,)
        W over sqrt(n): what the true coefficients predict.
    ridge : float
        Effective.
    state : dict
        Of the formulas.
    deviation : float
        Of each entry of the noise, over sqrt(n).
    mean_squares : ndarray, shape (3,)
        Of the noise, of the fit's error, and of what it leaves of truth and noise.
    """

    features: Features
    truth: np.ndarray
    ridge: float
    state: State = field(repr=False)
    deviation: float
    mean_squares: np.ndarray


def is_critical(part: Part, ridge: float, n_samples: int) -> bool:
    """Whether a fit is at its interpolation threshold."""
    return ridge == 0 and part.rank == n_samples


def effective_ridge(part: Part, ridge: float, n_samples: int, start: float | None = None) -> float:
    """The root x of x = ridge + x tr(A)/n with A = S/(S + x); zero for least squares.

    By Newton's method in logarithms within a bracket. Where x is large tr(A) is nearly proportional to 1/x: from above,
    few steps are needed.
    """
    if ridge == 0 and part.rank <= n_samples:
        return 0.0
    lowest, highest = ridge, ridge + part.variance / n_samples
    x = highest if start is None or not lowest < start <= highest else start
    for _ in range(MAX_ITERATIONS):
        total, bend = part.sums(x)
        left = ridge / x + total / n_samples
        lowest, highest = (x, highest) if left > 1 else (lowest, x)
        step = np.log(left) * left / (ridge / x + bend / n_samples)
        new = x * np.exp(min(step, 40.0)) if step > -40 else 0.0
        if abs(step) < 1e-8:  # whose square is what is left
            return float(new)
        if not lowest <= new <= highest:
            new = np.sqrt(lowest * highest) if lowest > 0 else x / 16
        x = float(new)
    return x
