"""Samples of a finite table: rows drawn without replacement, and the others to test on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.policies import Group, Optimal, Procedure, Retrain
from riskcalc.problems import Table
from riskcalc.problems.table import RCOND
from riskcalc.simulation.backends import Backend
from riskcalc.simulation.ensembles import Ensemble
from riskcalc.simulation.populations import Population, dense_ranks
from riskcalc.simulation.samplers import Sampler, check_choice, sampler, sized


@sized.register
def _(problem: Table, n_samples: int) -> Table:
    """The same table."""
    return problem if n_samples == int(problem.n_samples) else Table(**problem.given() | {"n_samples": n_samples})


@sampler.register
def _(problem: Table, n_samples: int, drawn: bool) -> Sampler:
    if drawn:
        raise ValueError('the columns of a table are given; leave features="drawn" out')
    if n_samples >= problem.n_rows:
        raise ValueError(
            f"n_samples must be below the {problem.n_rows} rows of the table, which fits are tested on, got {n_samples}"
        )
    return TableSampler(sized(problem, n_samples))


@dataclass(frozen=True)
class TableSampler(Sampler):
    """The same table in all trials; each draws an order of its rows."""

    problem: Table

    @property
    def columns(self) -> int:
        """Random numbers per row of a sample, so that there is one for each row of the table."""
        return math.ceil(self.problem.n_rows / self.n_samples)

    @property
    def own_entries(self) -> bool:
        """Rows have entries of their own."""
        return True

    @property
    def trial_bytes(self) -> int:
        """Orders of the rows, and residuals of all of them."""
        return 8 * 6 * self.problem.n_rows

    def settled(self, procedure: Procedure) -> Procedure:
        """On one sample, where no fit has chosen the columns: so more rows are left to test on."""
        if procedure.prune is None or procedure.retrain is None or procedure.prune.sees_fit:
            return procedure
        ridge = self.ridge if procedure.retrain.ridge is None else procedure.retrain.ridge
        return Procedure(procedure.prune, Retrain(ridge))

    def check(self, procedure: Procedure) -> None:
        """There must be rows left; what a policy looks at must be there."""
        retrain, rows = procedure.retrain, self.problem.n_rows
        if retrain is not None and retrain.sample == "fresh" and 2 * self.n_samples >= rows:
            raise ValueError(f"two samples of {self.n_samples} rows leave none of the table's {rows} to test on")
        for policy, _ in procedure.rounds:
            if isinstance(policy, (Group, Optimal)):
                raise ValueError(
                    f"columns of a table are not pruned by {policy.kind}, which is of features of one kind"
                )
            check_choice(policy, self._features, False)

    @property
    def _features(self) -> Population:
        variances, coefficients = self.problem.feature_variances, self.problem.coefficients
        p = len(variances)
        columns = (variances, np.sqrt(p) * coefficients, np.ones(p), dense_ranks(variances * coefficients**2))
        return Population(*(column[None, :] for column in columns))

    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """The same table in all trials."""
        return Rows(self.problem, self._features, float(as_float(self.problem.ridge)), backend)


class Rows(Ensemble):
    """Trials that draw rows of a table: no row is in two samples of a trial, and fits are tested on those in none."""

    def __init__(self, table: Table, features: Population, ridge: float, backend: Backend):
        super().__init__(features, 0.0, ridge, backend)
        self.table, self.target = self.xp.asarray(table.features), self.xp.asarray(table.target)
        self._drawn: Any = None

    def sample(self, entries: Any, noise: Any) -> tuple[Any, Any]:
        """Rows by the order of random numbers, those of a sample before last."""
        xp, (trials, n, _) = self.xp, entries.shape
        order = xp.reshape(entries, (trials, -1))[:, : self.table.shape[0]]
        if self._drawn is not None:
            order = xp.where(self._drawn, xp.max(order) + 1, order)
        places = xp.argsort(order, axis=-1)
        drawn = xp.argsort(places, axis=-1) < n
        self._drawn = drawn if self._drawn is None else self._drawn | drawn
        flat = xp.reshape(places[:, :n], (-1,))
        return xp.reshape(xp.take(self.table, flat, axis=0), (trials, n, -1)), xp.reshape(
            xp.take(self.target, flat, axis=0), (trials, n)
        )

    def risk(self, coefficients: Any) -> Any:
        """Mean square on the rows of no sample."""
        xp = self.xp
        residuals = self.target[None, :] - xp.matmul(coefficients, xp.matrix_transpose(self.table))
        tested = xp.astype(~self._drawn, residuals.dtype)
        return xp.sum(tested * residuals**2, axis=-1) / xp.sum(tested, axis=-1)

    def fit(self, design: Any, target: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """Without a ridge by the pseudo-inverse: in a sample columns may be constant, or follow from others."""
        if ridge != 0:
            return super().fit(design, target, penalty, live, ridge)
        return self._applied(self.xp.linalg.pinv(design, rtol=RCOND), target)
