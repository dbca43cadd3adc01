"""What heavy rows cost, and which rows those are."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.lowering.evaluator import PLAIN
from riskcalc.prediction.row_law.fit import fit_rows
from riskcalc.problems import Table
from riskcalc.results.tables import number

# Of the risk with Gaussian rows, what is worth a line; rows that it names.
WORTH, MOST_NAMED = 0.1, 3


def leverages(table: Table) -> np.ndarray:
    """What each row of a table takes of its own residual where a dense fit has it in its sample: 0 to 1.

    Rows of leverages near one are fitted whatever they say; where they are not drawn, fits miss them. They are why real
    rows cost more than Gaussian ones, whose leverages are all about the same.

    Parameters
    ----------
    table : Table

    Returns
    -------
    ndarray, shape (N,)
        nan where there is no finite fit.

    Raises
    ------
    TypeError
        If it is no table.

    Notes
    -----
    The pull of a row in derivation 28. In a sample of fewer rows than the table has dimensions, and without a ridge,
    all are one.

    Examples
    --------
    >>> import numpy as np, riskcalc as rc
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> X[7] *= 10
    >>> table = rc.Table(X, X[:, 0] + rng.normal(size=200), n_samples=20)
    >>> int(rc.leverages(table).argmax())
    7
    """
    if not isinstance(table, Table):
        raise TypeError(f"leverages are of the rows of a riskcalc.Table, got {type(table).__name__}")
    fit = fit_rows(table, float(as_float(table.ridge)), table.fraction, PLAIN)
    return fit.state.get("pull", np.full((1, table.n_rows), np.nan))[0]


def heavy_rows(prediction: Any) -> list[str]:
    """A line on what the rows of a table cost, where they cost much more or less than Gaussian ones."""
    risk, gaussian = prediction.risk, prediction.gaussian_risk
    if gaussian is None or np.ndim(risk) or not (np.isfinite(risk) and np.isfinite(gaussian) and gaussian > 0):
        return []
    if abs(risk - gaussian) <= WORTH * gaussian:
        return []
    pulls = leverages(prediction.problem)
    rows = ", ".join(f"{i} ({pulls[i]:.2f})" for i in np.argsort(-pulls)[:MOST_NAMED])
    cost = f"{100 * abs(risk / gaussian - 1):.0f} % {'more' if risk > gaussian else 'less'}"
    return [
        f"With Gaussian rows of the same covariance the risk would be {number(gaussian)}: the rows of this table cost "
        f"{cost}. Those of the largest leverages, from row 0 on: {rows}."
    ]
