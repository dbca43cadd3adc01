"""Rankings without noise: the top of a score, ties at the boundary sharing what is left."""

from __future__ import annotations

import numpy as np

from riskcalc.lowering.compensated import total
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem

# Scores that agree to this many roundings are the same number, computed twice.
TIED = 16


def ranked(state: State, score: np.ndarray, surplus: Surplus, system: SolvingSystem) -> State:
    """The state with `score`, the threshold `t` at its boundary and the `part` kept (and `partbar` dropped) of the
    atoms tied there.

    `surplus` is (1 - alpha) * total, exact, so that exactly the fraction alpha is kept.
    """
    weights = state["weights"]
    order = np.argsort(-score, axis=-1)
    mass = np.cumsum(np.take_along_axis(np.broadcast_to(weights, score.shape), order, axis=-1), axis=-1)
    last = score.shape[-1] - 1
    # The running sum may miss by its rounding and by the weights' own; the loop below goes on from there, exactly.
    whole = state["total"] * (1 - score.shape[-1] * system.epsilon)
    target = whole - abs(surplus.gain) - surplus.high
    boundary = np.minimum((mass < target).sum(axis=-1, keepdims=True), last)
    del mass
    while True:
        t = np.take_along_axis(score, np.take_along_axis(order, boundary, axis=-1), axis=-1)
        score = np.where(abs(score - t) <= TIED * system.epsilon * t, t, score)
        # What stands at t or above must exceed the target.
        spare = surplus.beyond(total(weights * (score < t)))
        short = (spare < 0) & (boundary < last)
        if not short.any():
            break
        boundary = boundary + short
    missing = -surplus.beyond(total(weights * (score <= t)))
    tied = (weights * (score == t)).sum(axis=-1, keepdims=True)
    part, partbar = (np.clip(side / tied, 0, 1) for side in (missing, spare))
    return state | {"score": score, "t": t, "part": part, "partbar": partbar}
