"""The dense fit of a finite table by the row law: leverages by iteration, variances by a linear system."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.prediction.status import Status
from riskcalc.problems import Table
from riskcalc.problems.table import RCOND
from riskcalc.references import row_law

# Steps of the iteration and of the linear system, at most; relative changes that end them.
MOST_STEPS, LAST_CHANGE, RESIDUAL = 5000, 1e-13, 1e-12
LEAST = 1e-100


@dataclass(frozen=True)
class RowFit:
    """A dense fit, in coordinates in which the features of the table have as many dimensions as they span.

    Attributes
    ----------
    rows : ndarray, shape (N, r)
        Of the table.
    turn : ndarray, shape (r, p)
        The features are rows @ turn.
    mean, equivalent : ndarray, shape (r,) and (r, r)
        Of the coefficients; Q.
    state : State
        What formulas need, of rows in arrays of shape (1, N).
    status : int
    """

    rows: np.ndarray
    turn: np.ndarray
    mean: np.ndarray
    equivalent: np.ndarray
    state: State = field(repr=False)
    status: int

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Their mean, shape (p,)."""
        return self.mean @ self.turn

    @cached_property
    def shocks(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues above zero, and eigenvectors as columns, of the covariance of rows by what they add to V."""
        if self.status != Status.OK:
            return np.zeros(0), np.zeros((len(self.turn), 0))
        values, vectors = np.linalg.eigh(second_moment(self.rows, self.state["shock"][0]))
        live = values > RCOND**2 * max(values[-1], 0)
        return values[live], vectors[:, live]

    @cached_property
    def root(self) -> np.ndarray:
        """R with V = R R', of the coefficients of features: shape (p, m)."""
        values, vectors = self.shocks
        return self.turn.T @ (self.equivalent @ (vectors * np.sqrt(values)))

    @cached_property
    def pushes(self) -> np.ndarray:
        """Of each row, what a residual of one, drawn, moves the coefficients by, in units of the root; shape (N, m)."""
        values, vectors = self.shocks
        weights = self.state["row_weight"][0] / self.state["n_samples"].item()
        return (self.rows @ (vectors / np.sqrt(values))) * weights[:, None]


def second_moment(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of weight x x' over rows."""
    return (rows * weights[:, None]).T @ rows / len(rows)


def fit_rows(table: Table, ridge: float, fraction: float, work: Evaluator) -> RowFit:
    """The row law of a table whose rows are drawn with this probability."""
    target = table.target
    left, singular, turn = np.linalg.svd(table.features, full_matrices=False)
    rank = int(np.count_nonzero(singular > RCOND * singular[0]))
    rows, turn = left[:, :rank] * singular[:rank], turn[:rank]
    one = np.ones((1, 1))
    state = {"n_samples": int(table.n_samples) * one, "drawn": fraction * one, "ridge": ridge * one}
    state |= {"weights": np.full((1, len(rows)), 1 / len(rows)), "total": one}
    if ridge == 0 and rank == int(table.n_samples):
        return _without(rows, turn, state, Status.INFINITE)
    interpolates = ridge == 0 and rank > int(table.n_samples)
    found = _leverages(rows, state, interpolates, work)
    if found is None:
        return _without(rows, turn, state, Status.NOT_CONVERGED)
    leverages, equivalent = found
    state |= leverages
    nothing = np.zeros((1, len(rows)))
    rest = {"pull": nothing + 1, "pullbar": nothing}
    if not interpolates:
        rest = {"pull": work.value(row_law.PULL, state), "pullbar": work.value(row_law.REST, state)}
    state |= rest | {"nu": work.value(row_law.EFFECTIVE_RIDGE, state | ({"ridge": one} if interpolates else {}))}
    mean = equivalent @ (rows.T @ (state["row_weight"][0] * target)) / len(rows)
    state["mean_residual"] = (target - rows @ mean)[None]
    state["miss"] = work.value(row_law.MISS, state)
    squares = _squares(rows @ equivalent, rows, state, work)
    if squares is None:
        return _without(rows, turn, state, Status.NOT_CONVERGED)
    state["miss_square"] = squares
    state["shock"] = work.value(row_law.SHOCK, state)
    for name, formula in (("risk", row_law.RISK), ("training_error", row_law.TRAINING_ERROR)):
        state[name] = work.value(formula, state)
    return RowFit(rows, turn, mean, equivalent, state, Status.OK)


def _without(rows: np.ndarray, turn: np.ndarray, state: State, status: int) -> RowFit:
    """A fit that has no finite risk, or none that was found."""
    risk, others = (np.inf, 0.0) if status == Status.INFINITE else (np.nan, np.nan)
    own = {"risk": np.full((1, 1), risk), "training_error": np.full((1, 1), others), "nu": np.full((1, 1), others)}
    return RowFit(rows, turn, np.full(len(turn), np.nan), np.full((len(turn),) * 2, np.nan), state | own, status)


def _leverages(rows: np.ndarray, state: State, interpolates: bool, work: Evaluator) -> tuple[State, np.ndarray] | None:
    """Odds and weights of the rows, and Q, by iteration; None where it does not end."""
    weight, odds = row_law.WEIGHT, row_law.ODDS
    if interpolates:
        weight, odds = row_law.INTERPOLATING_WEIGHT, row_law.INTERPOLATING_ODDS
    n, rank = state["n_samples"].item(), rows.shape[1]
    ridge = 1.0 if interpolates else state["ridge"].item()
    found = np.full((1, len(rows)), rank / n)
    for _ in range(MOST_STEPS):
        state = state | {"row_odds": found}
        weights = work.value(weight, state)
        moment = second_moment(rows, weights[0])
        moment.flat[:: rank + 1] += ridge
        try:
            inverse = np.linalg.inv(moment)
        except np.linalg.LinAlgError:
            return None
        lever = np.einsum("ij,ij->i", rows @ inverse, rows)[None] / n
        new = work.value(odds, state | {"lever": lever})
        if not np.isfinite(new).all():
            return None
        new = np.maximum(new, LEAST * new.max())  # of a row that is the mean of all
        change, found = abs(new - found).max() / new.max(), new
        if change < LAST_CHANGE:
            return {
                "row_odds": found,
                "row_weight": work.value(weight, state | {"row_odds": found}),
                "lever": lever,
            }, inverse
    return None


def _squares(shrunk: np.ndarray, rows: np.ndarray, state: State, work: Evaluator) -> np.ndarray | None:
    """Mean squares of residuals over samples without each row, of which the variances of fitted values are made again;
    None where there is no solution above zero."""
    from scipy.sparse.linalg import LinearOperator, gmres

    def again(squares: np.ndarray) -> np.ndarray:
        own = state | {"miss_square": squares[None]}
        moment = second_moment(rows, work.value(row_law.SHOCK, own)[0])
        variances = np.einsum("ij,ij->i", shrunk @ moment, shrunk)[None]
        return work.value(row_law.MISS_SQUARE, own | {"fit_variance": variances})[0]

    alone = again(np.zeros(len(rows)))
    system = LinearOperator((len(rows),) * 2, matvec=lambda x: x - (again(np.ravel(x)) - alone), dtype=float)
    found, failed = gmres(system, alone, rtol=RESIDUAL, restart=100, maxiter=10)
    return None if failed or found.min() < 0 else found[None]
