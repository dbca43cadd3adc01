"""How the rows of a sample enter the fits: alike (T1, T4, T6), or of unequal length (`unequal_rows`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskcalc.lowering.compensated import Pair
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.prediction.diagonal.fit import Fit, fit_dense
from riskcalc.prediction.policies import Errors
from riskcalc.references import merged, retraining, small_model

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions

# Test risk, its part beyond the noise and training error, and the sizes of their terms.
Sized = tuple[list[np.ndarray], list[np.ndarray]]


class Rows(ABC):
    """The rows of the samples of a chunk of regimes."""

    @abstractmethod
    def fit(
        self,
        state: State,
        surplus: Surplus,
        mass: Pair,
        start: np.ndarray | None,
        misfit: np.ndarray | None = None,
        regimes: np.ndarray | None = None,
    ) -> Fit:
        """Fits as `fit_dense` makes them, of all regimes or some; `misfit` is the signal of features left out."""

    @abstractmethod
    def fit_again(self, state: State, regimes: np.ndarray, second: Fit, where: Definitions) -> Sized:
        """The second fit, on the sample of the first, of some regimes whose state and masks are those of a group.

        `second` are all regimes' fits of the features kept on a sample of its own, with the same effective ridges.
        """

    def errors(self, errors: Errors) -> Errors:
        """Errors of a fit behind a mask, as its policy knows them, on a sample of such rows."""
        return errors


class EqualRows(Rows):
    """Rows that are alike."""

    def __init__(self, work: Evaluator):
        self.work = work

    def fit(
        self,
        state: State,
        surplus: Surplus,
        mass: Pair,
        start: np.ndarray | None,
        misfit: np.ndarray | None = None,
        regimes: np.ndarray | None = None,
    ) -> Fit:
        """T1; what is left out acts as noise (T4)."""
        if misfit is None:
            return fit_dense(state, surplus, mass, self.work, start)
        noise = self.work.value(small_model.NOISE, state | {"misfit": misfit})
        fit = fit_dense(state | {"sigma2": noise}, surplus, mass, self.work, start)
        known = {"misfit": misfit, "fit_excess_risk": fit.excess_risk}
        return replace(fit, excess_risk=self.work.value(small_model.EXCESS_RISK, known))

    def fit_again(self, state: State, regimes: np.ndarray, second: Fit, where: Definitions) -> Sized:
        """T6, by its two linear equations; among the sizes are those of the unknowns."""
        work, own = self.work, second.state
        state = state | take({"nu2": own["nu"], "q2": own["q"], "ridge2": own["ridge"]}, regimes)
        where = merged(retraining.REFITTED, where)
        forms = work.linear_terms((retraining.STATIONARITY, retraining.COVARIANCE))
        state |= solved(work.lower(forms, where, "retraining.equations", sized=(0, 6))(state), ("rho", "c"))
        wanted = (work.form(retraining.RISK), work.form(retraining.EXCESS_RISK))
        lowered = work.lower(wanted, where, "retraining.risk", sized=(0, 2), inexact=("c", "rho"))
        risk, beyond_noise, *sizes_of_risks = lowered(state)
        state |= {"retrained_risk": risk, "retrained_risk_size": sizes_of_risks[0]}
        wanted, inexact = (work.form(retraining.TRAINING_ERROR),), ("c", "retrained_risk", "rho")
        training, size = work.lower(wanted, where, "retraining.training_error", sized=(0, 1), inexact=inexact)(state)
        return [risk, beyond_noise, training], [*sizes_of_risks, size]


def solved(terms: tuple[np.ndarray, ...], names: tuple[str, str]) -> State:
    """Two unknowns and their sizes, of two linear equations: constant and coefficients of each, then their sizes."""
    (k, f, g), (l, h, m) = terms[:3], terms[3:6]  # k + f x + g y = 0 and l + h x + m y = 0
    (ks, fs, gs), (ls, hs, ms) = terms[6:9], terms[9:]
    determinant, lost = f * m - g * h, fs * ms + gs * hs
    one, other = names
    state = {one: (g * l - k * m) / determinant, other: (k * h - f * l) / determinant}
    sizes = {one: gs * ls + ks * ms, other: ks * hs + fs * ls}
    return state | {f"{name}_size": (own + abs(state[name]) * lost) / abs(determinant) for name, own in sizes.items()}
