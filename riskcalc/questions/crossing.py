"""Where a question's answer changes as a fraction grows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize.elementwise import find_root


def first_within(excess: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Between `low`, where an excess is above zero, and `high`, where it is not: the least found where it is not.

    `excess` takes and gives arrays of the shape of all regimes, whichever of them are still at work. Where it is not
    finite on the way, the end of the bracket so far is the answer.
    """
    low, high = np.broadcast_arrays(low, high)
    known = high.ravel().copy()

    def at(x: np.ndarray, place: np.ndarray) -> np.ndarray:
        known[place] = x
        return excess(known.reshape(high.shape)).ravel()[place]

    found = find_root(at, (low.ravel(), high.ravel()), args=(np.arange(high.size),), tolerances={"xrtol": 1e-12})
    ends, values = np.array(found.bracket), np.array(found.f_bracket)
    within = np.where(values <= 0, ends, np.inf).min(axis=0)
    return np.where(np.isfinite(within), within, high.ravel()).reshape(high.shape)
