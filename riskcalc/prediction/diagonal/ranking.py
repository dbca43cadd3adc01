"""Rankings without noise: the top of a score, ties at the boundary sharing what is left."""

from __future__ import annotations

import numpy as np

from riskcalc.lowering.compensated import total_of
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem

# Scores that agree to this many roundings are the same number, computed twice.
TIED = 16


def ranked(state: State, score: np.ndarray, surplus: Surplus, system: SolvingSystem) -> State:
    """The `score`, the threshold `t` at its boundary and the `part` kept (and `partbar` dropped) of the
    atoms tied there.

    `surplus` is (1 - alpha) * total, exact, so that exactly the fraction alpha is kept.
    """
    weights = state["weights"]
    last = score.shape[-1] - 1
    # The running sum may miss by its rounding and by the weights' own; the loop below goes on from there, exactly.
    whole = state["total"] * (1 - score.shape[-1] * system.epsilon)
    target = whole - abs(surplus.gain) - surplus.high
    ordered, boundary = _descending(score, weights, target)
    while True:
        t = np.take_along_axis(ordered, boundary, axis=-1)
        score = np.where(abs(score - t) <= TIED * system.epsilon * t, t, score)
        # What stands at t or above must exceed the target.
        spare = surplus.beyond(total_of(weights, score < t))
        short = (spare < 0) & (boundary < last)
        if not short.any():
            break
        boundary = boundary + short
    missing = -surplus.beyond(total_of(weights, score <= t))
    tied = sum(total_of(weights, score == t))
    part, partbar = (np.clip(side / tied, 0, 1) for side in (missing, spare))
    return {"score": score, "t": t, "part": part, "partbar": partbar}


def _descending(score: np.ndarray, weights: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores from the largest on, and the place of that at which the mass so far reaches a target, or one before."""
    if weights.dtype != object and weights.strides[-1] == 0:  # equal weights, which are counted
        reached = np.floor(target / weights[..., :1]).astype(int) - 1
        return np.sort(score, axis=-1)[..., ::-1], np.clip(reached, 0, score.shape[-1] - 1)
    order = np.argsort(-score, axis=-1)
    mass = np.cumsum(np.take_along_axis(np.broadcast_to(weights, score.shape), order, axis=-1), axis=-1)
    place = np.minimum((mass < target).sum(axis=-1, keepdims=True), score.shape[-1] - 1)
    return np.take_along_axis(score, order, axis=-1), place
