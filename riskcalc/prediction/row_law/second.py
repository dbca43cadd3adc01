"""Fits of a table on the columns that draws keep: small models by the row law, and what they make of retrained fits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.prediction.correlated.averages import jackknife
from riskcalc.prediction.correlated.draws import in_pairs
from riskcalc.prediction.correlated.fit import fit_dense
from riskcalc.prediction.row_law.draws import Drawing
from riskcalc.prediction.row_law.fit import fit_rows
from riskcalc.prediction.status import Status
from riskcalc.problems import Table
from riskcalc.references import row_law

# Batches of draws, at most.
MOST_BATCHES = 8
# What is told of a small model.
TOLD = ("risk", "training_error", "small_gaussian", "small_gaussian_error")


@dataclass(frozen=True)
class Second:
    """Small models of a table on some of its columns, each made once.

    Attributes
    ----------
    table : Table
    fraction : float
        Of the rows that a sample has.
    """

    table: Table
    fraction: float
    work: Evaluator
    _found: dict[tuple[bytes, float], tuple[np.ndarray, int]] = field(default_factory=dict)

    def alone(self, mask: np.ndarray, ridge: float) -> tuple[np.ndarray, int]:
        """What is told of a fit on these columns alone, and its status."""
        key = mask.tobytes(), ridge
        if key not in self._found:
            small = self.table.columns(np.flatnonzero(mask), ridge)
            rows, gaussian = fit_rows(small, ridge, self.fraction, self.work), fit_dense(small.gaussian, self.work)
            both = (
                rows.state["risk"],
                rows.state["training_error"],
                gaussian.state["gamma"],
                gaussian.state["training_error"],
            )
            self._found[key] = np.array([one.item() for one in both]), rows.status
        return self._found[key]


def refitted(second: Second, drawing: Drawing, ridge: float, same: bool) -> tuple[dict[str, np.ndarray], int, int]:
    """Means of what is told over small models on the columns that draws keep, the standard error of the risk (of its
    ratio to that of Gaussian rows, where the `same` sample chose them), the batches that they take, and the status."""
    pairs: list[np.ndarray] = []
    for place in range(MOST_BATCHES):
        found = [second.alone(mask, ridge) for mask in drawing.masks(place)]
        status = max(own for _, own in found)
        told = np.array([values for values, _ in found])
        if len(told) == 1 or status != Status.OK:
            mean = told[0] if len(told) == 1 else np.full(len(TOLD), np.inf if status == Status.INFINITE else np.nan)
            return dict(zip(TOLD, mean[:, None], strict=True)) | {"integration_error": np.zeros(1)}, place + 1, status
        pairs += [*in_pairs(told)]
        every = np.array(pairs)
        mean = every.mean(axis=0)
        without = np.concatenate([mean[None], (every.sum(axis=0) - every) / (len(every) - 1)])
        error = jackknife(without[:, 0] / without[:, 2]) * mean[2] if same else jackknife(without[:, 0])
        if place and error <= drawing.work.integration.tolerance * mean[0]:
            break
    return dict(zip(TOLD, mean[:, None], strict=True)) | {"integration_error": np.array([error])}, place + 1, status


def retrained(small: dict[str, np.ndarray], gaussian: dict[str, np.ndarray], work: Evaluator) -> dict[str, np.ndarray]:
    """Second fits on the sample that chose their columns: those of Gaussian rows, times what rows cost small models."""
    state = {"gaussian_retrained": gaussian["risk"], "small_rows": small["risk"]}
    risk = work.value(row_law.RETRAINED_RISK, state | {"small_gaussian": small["small_gaussian"]})
    own, trained = small["small_gaussian_error"], gaussian["training_error"]
    state = {"gaussian_retrained": trained, "small_rows": small["training_error"]}
    state["small_gaussian"] = np.where(own > 0, own, 1)  # of interpolators both are zero
    errors = [
        small["integration_error"] / small["risk"],
        gaussian.get("integration_error", 0 * risk) / gaussian["risk"],
    ]
    return {
        "risk": risk,
        "training_error": work.value(row_law.RETRAINED_RISK, state),
        "integration_error": risk * np.hypot(*errors),
    }
