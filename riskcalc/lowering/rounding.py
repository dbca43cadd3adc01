"""What rounding has made of a value, from the sizes of its terms (`riskcalc.lowering.sizes`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

# Roundings of a term on its way into a sum.
ROUNDINGS = 4


def relative_error(
    values: Iterable[np.ndarray], sizes: Iterable[np.ndarray], epsilon: Any, roundings: int = ROUNDINGS
) -> np.ndarray:
    """The largest relative error by rounding of several values whose terms are of these sizes; of their shape.

    In the numbers of `epsilon`. A zero whose terms are none has no error.
    """
    errors = [
        np.asarray(size / np.where(value == 0, epsilon * size + (size == 0), abs(value)), dtype=float)
        for value, size in zip(values, sizes, strict=True)
    ]
    return roundings * epsilon * np.max(errors, axis=0)
