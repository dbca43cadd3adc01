"""Draws of the row law of the coefficients, what a policy keeps in each, and what that does to the rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.policies import Policy
from riskcalc.prediction.correlated.averages import jackknife
from riskcalc.prediction.correlated.choices import scores_of, top
from riskcalc.prediction.row_law.fit import RowFit
from riskcalc.problems import Table
from riskcalc.references import row_law

# Pairs of draws of a batch; batches at first, from which the error is told, and at most.
PAIRS, FIRST, MOST = 16, 8, 256


@dataclass(frozen=True)
class Columns:
    """What scores see of the columns of a table.

    Attributes
    ----------
    table : Table
    rows : RowFit
    """

    table: Table
    rows: RowFit

    @property
    def size(self) -> int:
        """p."""
        return int(self.table.n_features)

    @property
    def variances(self) -> np.ndarray:
        """Over the table."""
        return self.table.feature_variances

    @property
    def whole(self) -> Columns:
        """All of them."""
        return self

    def inverse_diagonal(self, ridge: float) -> np.ndarray:
        """Of what stands for the inverse of a sample covariance, as if all rows had their mean weight."""
        inverse = np.einsum("ij,ik,kj->j", self.rows.turn, self.rows.equivalent, self.rows.turn)
        return inverse * float(np.mean(self.rows.state["row_weight"]))


@dataclass(frozen=True)
class Seen:
    """A dense fit of a table, as scores look at it."""

    features: Columns

    @property
    def ridge(self) -> float:
        """Effective."""
        return self.features.rows.state["nu"].item()

    @property
    def scale(self) -> float:
        """Of coefficients, as scores see them."""
        return float(np.sqrt(self.features.size))

    @property
    def signal(self) -> np.ndarray:
        """Coefficients of least squares on the table, to scale."""
        return self.features.table.coefficients * self.scale


@dataclass(frozen=True)
class Batch:
    """Pairs of draws: in the first half of the rows the noise, in the second half its opposite; shape (2 PAIRS, m)."""

    fit: RowFit
    noise: np.ndarray
    chance: np.random.SeedSequence

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Fitted ones, shape (2 PAIRS, p)."""
        return self.fit.coefficients + self.noise @ self.fit.root.T

    @cached_property
    def luck(self) -> np.ndarray:
        """For every draw an order of the columns by chance alone."""
        size = self.fit.turn.shape[1]
        return np.random.default_rng(self.chance).random((len(self.noise), size), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Draws:
    """All draws of a fit, in batches, the same ones for every model."""

    table: Table
    fit: RowFit
    seed: int
    _held: dict[int, Batch] = field(default_factory=dict)

    def batch(self, place: int) -> Batch:
        """The batch of this place."""
        if place not in self._held:
            of_noise, of_luck = np.random.SeedSequence(self.seed, spawn_key=(place,)).spawn(2)
            noise = np.random.default_rng(of_noise).standard_normal((PAIRS, self.fit.root.shape[1]))
            self._held[place] = Batch(self.fit, np.concatenate([noise, -noise]), of_luck)
        return self._held[place]


@dataclass(frozen=True)
class Drawing:
    """Draws of a dense fit, and what a policy keeps of so many columns in each."""

    draws: Draws
    policy: Policy
    number: int
    work: Evaluator

    def masks(self, place: int) -> np.ndarray:
        """What is kept in each draw of a batch; shape (1, p) where that is the same in all."""
        batch: Any = self.draws.batch(place)
        seen: Any = Seen(Columns(self.draws.table, self.draws.fit))
        return top(scores_of(self.policy, seen, batch, self.work), self.number, batch)

    def kept(self, batches: int) -> np.ndarray:
        """How often each column is kept in the first batches."""
        return np.mean([self.masks(place).mean(axis=0) for place in range(batches)], axis=0)

    def moments(self, place: int) -> np.ndarray:
        """Of each row, means over a batch of the square of its pruned residual, of the product with the dense one, and
        of what the pruned fit takes of a residual of its own; shape (3, N)."""
        fit, table, batch = self.draws.fit, self.draws.table, self.draws.batch(place)
        values = table.features @ np.where(self.masks(place), batch.coefficients, 0).T
        residuals = table.target[:, None] - values
        dense = table.target[:, None] - table.features @ batch.coefficients.T
        taken = values * (fit.pushes @ batch.noise.T)
        return np.stack([np.mean(one, axis=1) for one in (residuals**2, residuals * dense, taken)])


def prune(drawing: Drawing) -> tuple[dict[str, np.ndarray], int]:
    """Risk and training error of the dense fit behind masks, with the standard error of the risk, and the batches."""
    work, state, wanted = drawing.work, drawing.draws.fit.state, FIRST
    moments: list[np.ndarray] = []
    while True:
        moments += [drawing.moments(place) for place in range(len(moments), wanted)]
        every = np.stack(moments)
        without = (every.sum(axis=0) - every) / (len(every) - 1)
        found = _errors(np.concatenate([every.mean(axis=0)[None], without]), state, work)
        error = jackknife(found["risk"])
        if error <= work.integration.tolerance * found["risk"][0] or wanted >= MOST or not np.isfinite(error):
            break
        wanted = min(MOST, 3 * wanted // 2)
    return {name: one[:1] for name, one in found.items()} | {"integration_error": np.array([error])}, wanted


def _errors(moments: np.ndarray, state: Any, work: Evaluator) -> dict[str, np.ndarray]:
    """Of averages of the moments, shape (k, 3, N)."""
    own = dict(zip(("all_square", "all_product", "recall"), np.moveaxis(moments, 1, 0), strict=True))
    state = {name: state[name] for name in ("weights", "total", "drawn", "pull", "pullbar", "miss_square")} | own
    state["miss_product"] = work.value(row_law.MISS_PRODUCT, state)
    state["pruned_square"] = work.value(row_law.PRUNED_SQUARE, state)
    formulas = {"risk": row_law.PRUNED_RISK, "training_error": row_law.PRUNED_TRAINING_ERROR}
    return {name: work.value(formula, state)[:, 0] for name, formula in formulas.items()}
