"""A table of measurements as the population of a problem: what would training on some of its rows give?"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.laws import PrincipalComponents
from riskcalc.problems.cleaning import FILLS, Measured, distinct, measured
from riskcalc.problems.components import components
from riskcalc.problems.linear_gaussian import LinearGaussian
from riskcalc.problems.measurements import Column, column_of, columns_of
from riskcalc.problems.table import Table
from riskcalc.problems.table_files import read_table
from riskcalc.quoting import names, quoted

COLUMNS, PRINCIPAL = TABLE_BASES = ("columns", "principal")
# A sample covariance of fewer rows per feature is too far from the population's.
LONG_TABLE = 10


def from_data(
    X: Any,
    y: Any,
    n_samples: Any,
    basis: str = COLUMNS,
    ridge: Any = 0.0,
    *,
    scale: bool = True,
    missing: str | None = None,
    rows: str = "real",
) -> Table | LinearGaussian:
    """Take a table as the population; ask what training on `n_samples` of its rows would give.

    What is pruned are its columns, or its principal components. Features and target are centred by the means of the
    table; an intercept fitted on the sample would cost one of its rows and a factor 1 + 1/n_samples.

    Parameters
    ----------
    X : array_like, shape (rows, columns), frame, or path
        An array, a frame of pandas, polars or pyarrow, or a CSV or Parquet file, which pandas reads (the extra
        ``files``): a header line, then numbers with decimal points or commas, separated by commas, semicolons or tabs.
        Booleans count as 0 and 1; text and categories are a column of 0 and 1 for each category but the most frequent.
        Constant columns, and copies of others, are left out. Dates, identifiers, columns without a name or with that of
        another, and infinite entries are refused.
    y : array_like, shape (rows,), or str
        The target, or the name of its column in X. Two values are coded -1 and 1.
    n_samples : int
        Size of the training sample. With ``basis="principal"`` an array asks for a batch.
    basis : "columns" or "principal"
        What is pruned.
    ridge : float >= 0
        With columns, of the scaled ones, if they are scaled. With ``basis="principal"`` an array asks for a batch.
    scale : bool
        Divide every column by its standard deviation, because magnitudes of coefficients depend on units. Principal
        components are those of the columns as they are.
    missing : "drop" or "mean", optional
        Leave out rows with missing cells, or fill in means; missing cells are refused if not given. Rows without a
        target are left out in both cases.
    rows : "real" or "gaussian"
        With columns: predict for the rows of the table, or for Gaussian ones of the same covariance.

    Returns
    -------
    Table or LinearGaussian
        A `Table` of the columns, whose `notes` say what was left out, filled in or coded; or the independent principal
        components, their variances the eigenvalues, their least-squares coefficients the signal, the residual variance
        the noise.

    Raises
    ------
    ValueError, TypeError, ImportError
        If the table is no table of measurements, naming the column and what would be right; does not match the target
        or holds it twice; if a fit passes through all its rows where a residual has to tell the noise (principal
        components, Gaussian rows); or if double precision does not hold its variances.

    Warns
    -----
    UserWarning
        Of principal components and Gaussian rows, if the table has fewer than 10 rows per feature: its covariance then
        stands badly for the population's. Of principal components, what was left out or coded, and, without a ridge,
        if n_samples is at the threshold of interpolation, which is the rank of the standardised table, or one above,
        where it is with an intercept.

    Notes
    -----
    Principal components are predicted for Gaussian rows; heavy tails and few rows move the measured risks away from
    that. Rows that are not in the table have about rows/(rows - rank) times its residual variance.

    Examples
    --------
    >>> import numpy as np, riskcalc as rc
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 3)) * [3, 2, 1]
    >>> y = X @ [1, 0, 0] + rng.normal(size=1000)
    >>> rc.from_data(X, y, n_samples=6).names
    ('0', '1', '2')
    >>> problem = rc.from_data(X, y, n_samples=6, basis="principal")
    >>> problem.n_atoms, str(problem.aspect_ratio)
    (3, '1/2')
    """
    if basis not in TABLE_BASES:
        raise ValueError(f"basis must be {' or '.join(map(repr, TABLE_BASES))}, got {quoted(basis)}")
    if missing is not None and missing not in FILLS:
        raise ValueError(f"missing must be {' or '.join(map(repr, FILLS))}, or left out, got {quoted(missing)}")
    columns, target, notes = _read(X, y)
    table = measured(columns, target, missing)
    if len(table.y) < 2:
        raise ValueError(f"X must have at least two rows and one column, got shape {table.X.shape}")
    if basis == PRINCIPAL:
        for note in (*notes, *table.notes):
            warnings.warn(note, stacklevel=2)
        return _principal(table, n_samples, ridge)
    table = distinct(table)
    given = {"names": table.names, "groups": table.groups, "notes": [*notes, *table.notes]}
    found = Table(table.X, table.y, n_samples, ridge=ridge, scale=scale, rows=rows, **given)
    if rows == "gaussian":
        rank = int(np.linalg.matrix_rank(found.features))
        _check_long(len(table.y), rank, int(found.n_features))
    return found


def _read(X: Any, y: Any) -> tuple[list[Column], Column, list[str]]:
    """The columns of the features, that of the target, and what had to be guessed."""
    notes: list[str] = []
    named = isinstance(y, str)
    if isinstance(X, (str, Path)):
        if not named:
            raise TypeError(f"y must be the name of a column of the file {quoted(str(X))}, got {type(y).__name__}")
        X, notes = read_table(Path(X))
    columns = columns_of(X, "X")
    if named:
        places = [place for place, column in enumerate(columns) if column.name == y.strip() or column.name == y]
        if not places or not columns[0].named:
            heads = names([column.name for column in columns if column.named]) or "without names"
            raise ValueError(f"X has no column {quoted(y)} that could be the target; its columns are {heads}")
        target = columns.pop(places[0])
    else:
        target = column_of(y, "y")
        if (any(column.name == target.name and column.named for column in columns) and target.name != "y") or (
            target.named and any(column.name == target.name for column in columns)
        ):
            raise ValueError(
                f"X has a column {quoted(target.name)}, which is the name of y; leave the target out of the features"
            )
    if not columns:
        raise ValueError("X must have at least two rows and one column, besides the target")
    rows = len(columns[0].values)
    if len(target.values) != rows:
        raise ValueError(f"X has {rows} rows but y has {len(target.values)} values; give one value of y per row")
    if rows < 2:
        raise ValueError(f"X must have at least two rows and one column, got shape {(rows, len(columns))}")
    return columns, target, notes


def _principal(table: Measured, n_samples: ArrayLike, ridge: ArrayLike | str) -> LinearGaussian:
    """Independent components in place of columns."""
    found = components(table.X, table.y)
    rows, p = table.X.shape
    _check_long(rows, found.rank, p)
    problem = LinearGaussian(
        n_samples=n_samples,
        n_features=p,
        law=PrincipalComponents(found.eigenvalues, found.signal),
        noise_variance=found.noise,
        ridge=ridge,
    )
    if np.isin(problem.n_samples, [found.rank, found.rank + 1]).any() and np.any(problem.ridge == 0):
        warnings.warn(
            f"the interpolation threshold of this table is at n_samples = {found.rank}; with an intercept, which "
            f"scikit-learn fits by default, it is at {found.rank + 1}: ask about one sample less for such a fit",
            stacklevel=3,
        )
    return problem


def _check_long(rows: int, rank: int, p: int) -> None:
    """Refuse a table that a fit passes through, whose residuals say nothing of noise; warn of a short one."""
    if rows <= rank + 1:
        raise ValueError(
            f"the table has {rows} rows for {rank} independent features: a fit passes through all of them, and "
            f"nothing tells the noise; give at least {rank + 2} rows, and {LONG_TABLE} per feature to rely on "
            "predictions, or state what is known as a LinearGaussian with its noise_variance"
        )
    if rows < LONG_TABLE * p:
        warnings.warn(
            f"the table has {rows} rows for {p} features; with fewer than {LONG_TABLE} rows per feature its covariance "
            "stands badly for the population's, and predictions are unreliable",
            stacklevel=4,
        )
