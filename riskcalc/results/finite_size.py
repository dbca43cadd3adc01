"""Words for risks at a size at which their limit does not stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskcalc.results.tables import number

# Told of risks that a finite sample changes by more, relatively.
LEAST = 0.05


def off_limit(prediction: Any) -> np.ndarray:
    """Which regimes of a prediction have a risk, not zero or infinite, that their size changes by more than this."""
    risk, size = (np.asarray(value) for value in (prediction.risk, prediction.finite_size))
    if size[()] is None:
        return np.zeros(risk.shape, bool)
    return np.asarray((risk > 0) & (risk < np.inf) & (size > LEAST))


def at_size(prediction: Any) -> str:
    """What the mean test risk of one regime is at its number of samples; empty where its limit stands."""
    if not off_limit(prediction):
        return ""
    exact, size = prediction.finite_sample_risk, float(prediction.finite_size)
    if exact is not None and exact == exact:
        return "infinite" if exact == np.inf else f"exactly {number(exact, prediction.digits)}"
    return f"off the limit by about {100 * size:.2g} %" if size < 1 else "far from the limit"


def counted(several: np.ndarray) -> list[str]:
    """A note on so many regimes, if there are any."""
    if not several.any():
        return []
    return [
        f"In {several.sum()} of {several.size} regimes a risk is off its limit by more than {100 * LEAST:g} % at the "
        "number of samples given: see finite_size."
    ]
