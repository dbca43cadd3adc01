"""Averages over pairs of draws, better by what is known exactly, and by how much functions of them may be off."""

from __future__ import annotations

import numpy as np


def leaving_out(values: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """Averages of the columns of `values` (N, k) over N pairs of draws, and those without each pair; shape (1 + N, k).

    Each is regressed on controls (N, j), whose true averages are zero: the intercepts of least squares.
    """
    # One that varies by less than it is off zero is made of rounding.
    told = controls[:, controls.std(axis=0) > abs(controls.mean(axis=0))]
    design = np.column_stack([np.ones(len(values)), told / abs(told).max(axis=0, initial=0)])
    inverse = np.linalg.pinv(design)
    residuals = values - design @ (inverse @ values)
    leverage = np.einsum("ij,ji->i", design, inverse)
    # Without the i-th row least squares changes by this much (Sherman and Morrison).
    change = (inverse[0] / np.maximum(1 - leverage, 1e-6))[:, None] * residuals
    average = inverse[0] @ values
    return np.concatenate([average[None], average - change])


def jackknife(found: np.ndarray) -> float:
    """The standard error of a function of averages, from its value at these and at those without each pair."""
    without = found[1:]
    return float(np.sqrt((len(without) - 1) * np.mean((without - without.mean()) ** 2)))
