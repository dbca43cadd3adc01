"""A table of measurements as the population of a problem: what would training on some of its rows give?"""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.files import read_bytes
from riskcalc.laws import PrincipalComponents
from riskcalc.problems import LinearGaussian

# A sample covariance of fewer rows per feature is too far from the population's.
LONG_TABLE = 10


def from_data(
    X: ArrayLike,
    y: ArrayLike,
    n_samples: ArrayLike,
    basis: str = "principal",
    ridge: ArrayLike | str = 0.0,
) -> LinearGaussian:
    """Take a table as the population; ask what training on `n_samples` of its rows would give.

    The features are the table's principal components: their variances are the eigenvalues, their least-squares
    coefficients the signal, the residual variance the noise. Features and target are centred by the means of the table;
    an intercept fitted on the sample would cost one of its rows and a factor 1 + 1/n_samples. The prediction treats
    rows as Gaussian and their number as large; heavy tails and few rows move the measured risks away from it. Rows
    that are not in the table have about rows/(rows - rank) times its residual variance. The interpolation threshold is
    at n_samples = rank, which columns without variance keep below p.

    Parameters
    ----------
    X : array_like, shape (rows, p)
    y : array_like, shape (rows,)
    n_samples : array_like of int
        Size of the training sample; an array asks for a batch.
    basis : "principal"
        What is pruned: principal components.
    ridge : array_like >= 0

    Returns
    -------
    LinearGaussian

    Raises
    ------
    ValueError, TypeError
        If the table is not two-dimensional, not finite, not numeric, or does not match the target.

    Warns
    -----
    UserWarning
        If the table has fewer than 10 rows per feature: its covariance then stands badly for the population's.

    Examples
    --------
    >>> import numpy as np, riskcalc as rc
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 3)) * [3, 2, 1]
    >>> problem = rc.from_data(X, X @ [1, 0, 0] + rng.normal(size=1000), n_samples=6)
    >>> problem.n_atoms, str(problem.aspect_ratio)
    (3, '1/2')
    """
    if basis != "principal":
        raise ValueError(f"basis must be 'principal', the only one available, got {basis!r}")
    features, target = _numeric(X, "X", 2), _numeric(y, "y", 1)
    rows, p = features.shape
    if len(target) != rows:
        raise ValueError(f"X has {rows} rows but y has {len(target)} values; give one value of y per row")
    if rows < 2 or p < 1:
        raise ValueError(f"X must have at least two rows and one column, got shape {features.shape}")
    if rows < LONG_TABLE * p:
        warnings.warn(
            f"the table has {rows} rows for {p} features; with fewer than {LONG_TABLE} rows per feature its covariance "
            "stands badly for the population's, and predictions are unreliable",
            stacklevel=2,
        )
    target = target - target.mean()
    left, singular, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    present = singular > singular.max(initial=0) * max(rows, p) * np.finfo(float).eps
    projected = left.T @ target
    eigenvalues, coefficients = np.zeros(p), np.zeros(p)
    eigenvalues[: len(singular)] = np.where(present, singular**2 / rows, 0)
    coefficients[: len(singular)] = np.divide(projected, singular, out=np.zeros_like(projected), where=present)
    residual = target - left[:, present] @ projected[present]
    noise = np.mean(residual**2)
    if noise <= (rows * np.finfo(float).eps) ** 2 * np.mean(target**2):
        noise = 0.0  # what is left is rounding
    return LinearGaussian(
        n_samples=n_samples,
        n_features=p,
        law=PrincipalComponents(eigenvalues, np.sqrt(p) * coefficients),
        noise_variance=noise,
        ridge=ridge,
    )


def _numeric(values: Any, name: str, ndim: int) -> np.ndarray:
    try:
        given = np.asarray(values)
        if given.dtype.kind in "cUS":
            raise TypeError(f"its type is {given.dtype}")
        array = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers: {error}") from error
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite, got {array[where]} at {where}; drop or fill missing values first")
    return array


def read_csv(path: Path, target: str) -> tuple[np.ndarray, np.ndarray]:
    """The features and the target of a CSV file with a header line.

    Raises ValueError for a file that cannot be read, a target that is not a column, and the first cell that is not a
    finite number, by line and column.
    """
    try:
        with io.StringIO(read_bytes(path).decode("utf-8-sig"), newline="") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                raise ValueError(f"{path} is empty; it must start with a line of column names")
            if target not in header:
                raise ValueError(f"{path} has no column {target!r}; its columns are {', '.join(header)}")
            rows = [_row(path, reader.line_num, header, cells) for cells in reader if cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    if not rows:
        raise ValueError(f"{path} has no rows below its header")
    table = np.array(rows)
    column = header.index(target)
    return np.delete(table, column, axis=1), table[:, column]


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> list[float]:
    if len(cells) != len(header):
        raise ValueError(f"{path}, line {line}: {len(cells)} cells under {len(header)} column names")
    values = []
    for name, cell in zip(header, cells, strict=True):
        try:
            value = float(cell)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            shown = repr(cell) if cell.strip() else "nothing"
            raise ValueError(f"{path}, line {line}, column {name!r}: a finite number is needed, found {shown}")
        values.append(value)
    return values
