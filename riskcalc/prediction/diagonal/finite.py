"""What a finite number of samples makes of a test risk: its size, and where it is known the mean risk itself."""

from __future__ import annotations

import numpy as np

from riskcalc.exact import as_float
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import take
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.references import small_model


def finite_size(fit: Fit, n_samples: np.ndarray, work: Evaluator) -> np.ndarray:
    """What a sample of this size adds to the risk of a fit, relatively; inf where the limit says nothing of it."""
    found = work.value(small_model.FINITE_SIZE, fit.state | {"n_samples": work.system.number(n_samples)})
    return np.where(found < 0, np.inf, found)


def finite_sample_risk(fit: Fit, n_samples: np.ndarray, known: np.ndarray, work: Evaluator) -> np.ndarray:
    """The mean risk of a fit where it is known at every size; nan elsewhere.

    That is, without a ridge, where features are `known` not to be chosen by the sample and their number is whole: of
    least squares, and wherever samples and features differ by one at most, where noise makes it infinite.
    """
    state = fit.state
    spare = -state["excess"].astype(float) * as_float(n_samples)  # samples beyond live features
    whole = np.rint(spare)
    known = known & np.asarray(state["ridge"] == 0, bool) & (abs(spare - whole) < 1e-9 * as_float(n_samples))
    noisy = np.asarray(state["sigma2"] > 0, bool)
    found = np.where(known & (abs(whole) <= 1) & noisy, np.inf, np.nan + 0 * state["gamma"])
    rows = np.flatnonzero((known & ((whole > 1) | ((whole >= 0) & ~noisy)))[:, 0])
    if rows.size:
        spare = np.maximum(whole[rows], 2)  # without noise the risk is zero, however many are spared
        numbers = {"n_samples": n_samples[rows], "n_keep": n_samples[rows] - spare}
        own = {name: work.system.number(array) for name, array in numbers.items()}
        own["sigma2_small"] = take({"sigma2": state["sigma2"] + 0 * state["gamma"]}, rows)["sigma2"]
        found[rows] = work.value(small_model.FINITE_SAMPLE_RISK, own)
    return found
