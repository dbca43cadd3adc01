"""A table of measurements as the population of a problem: what would training on some of its rows give?"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.laws import PrincipalComponents
from riskcalc.problems import LinearGaussian
from riskcalc.problems.measurements import column_names, measurements
from riskcalc.quoting import quoted

# A sample covariance of fewer rows per feature is too far from the population's.
LONG_TABLE = 10
# Of a column's largest entry: what equal numbers differ by that were found in two ways.
ROUNDING = 8 * np.finfo(float).eps


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
    features, target = measurements(X, "X", 2), measurements(y, "y", 1)
    rows, p = features.shape
    if len(target) != rows:
        raise ValueError(f"X has {rows} rows but y has {len(target)} values; give one value of y per row")
    if rows < 2 or p < 1:
        raise ValueError(f"X must have at least two rows and one column, got shape {features.shape}")
    name = getattr(y, "name", None)
    if isinstance(name, str) and name in column_names(X):
        raise ValueError(f"X has a column {quoted(name)}, which is the name of y; leave the target out of the features")
    found = _components(features, target)
    if rows <= found.rank + 1:
        raise ValueError(
            f"the table has {rows} rows for {found.rank} independent features: a fit passes through all of them, and "
            f"nothing tells the noise; give at least {found.rank + 2} rows, and {LONG_TABLE} per feature to rely on "
            "predictions, or state what is known as a LinearGaussian with its noise_variance"
        )
    if rows < LONG_TABLE * p:
        warnings.warn(
            f"the table has {rows} rows for {p} features; with fewer than {LONG_TABLE} rows per feature its covariance "
            "stands badly for the population's, and predictions are unreliable",
            stacklevel=2,
        )
    return LinearGaussian(
        n_samples=n_samples,
        n_features=p,
        law=PrincipalComponents(found.eigenvalues, found.signal),
        noise_variance=found.noise,
        ridge=ridge,
    )


class _Components(NamedTuple):
    """Of all features, with zeros for directions without variance; how many have some; and the residual variance."""

    eigenvalues: np.ndarray
    signal: np.ndarray
    rank: int
    noise: float


def _components(features: np.ndarray, target: np.ndarray) -> _Components:
    """Principal components of a table and the coefficients of its target.

    How many directions there are is asked of standardised columns, and their variances keep their digits whatever the
    columns' units: the singular values of what remains come from Jacobi's method, after pivoting.
    """
    rows, p = features.shape
    columns, exponents = _centred(features)
    (aim,), (power,) = (part.T for part in _centred(target[:, None]))
    lengths = np.linalg.norm(columns, axis=0)
    directions, spread, _ = np.linalg.svd(columns / np.where(lengths > 0, lengths, 1), full_matrices=False)
    directions = directions[:, spread > spread.max() * max(rows, p) * np.finfo(float).eps]
    rank, explained = directions.shape[1], directions.T @ aim
    noise = np.mean((aim - directions @ explained) ** 2)
    if noise <= (rows * np.finfo(float).eps) ** 2 * np.mean(aim**2):
        noise = 0.0  # what is left is rounding
    largest = exponents.max()
    singular, turn = _singular(np.ldexp(columns.T @ directions, (exponents - largest)[:, None]))
    eigenvalues, signal = np.zeros(p), np.zeros(p)
    with np.errstate(over="ignore", under="ignore"):
        lengths = np.ldexp(singular, largest)
        eigenvalues[:rank] = lengths**2 / rows
        variances = np.ldexp([np.mean(aim**2), noise], 2 * power)
        _check_squares("X", features, eigenvalues[:rank])
        _check_squares("y", target, variances[: 1 + (noise > 0)] if aim.any() else variances[:0])
        signal[:rank] = np.sqrt(p) * np.ldexp(turn.T @ explained, power) / lengths
    return _Components(eigenvalues, signal, rank, variances[1])


def _centred(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of mean zero, each over a power of two near its largest entry, and the exponents of these powers.

    A column that varies by rounding alone is zero.
    """
    exponents = np.frexp(np.abs(table).max(axis=0))[1]
    scaled = np.ldexp(table, -exponents)
    columns = scaled - scaled.mean(axis=0)
    columns -= columns.mean(axis=0)  # which is the rounding of the first mean
    columns[:, np.ptp(scaled, axis=0) <= ROUNDING] = 0
    return columns, exponents


def _singular(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Singular values, and right singular vectors as columns, of a matrix of full rank with rows of any scales."""
    from scipy.linalg import get_lapack_funcs

    if not matrix.size:
        return np.zeros(0), np.zeros((0, 0))
    (gejsv,) = get_lapack_funcs(["gejsv"], [matrix])
    # LAPACK's JOBA = F, JOBU = N, JOBV = V, JOBR = N, JOBP = N: for rows and columns of any scales; no left vectors.
    values, _, vectors, scale, _, failed = gejsv(matrix, joba=2, jobu=3, jobv=0, jobr=0, jobp=0)
    if failed:
        raise ArithmeticError("the singular values of X were not found")
    return values * scale[0] / scale[1], vectors


def _check_squares(name: str, entries: np.ndarray, squares: np.ndarray) -> None:
    """Refuse what is so large or small that double precision does not hold its squares, of which none is zero."""
    if np.all((squares >= np.finfo(float).tiny) & (squares < np.inf)):
        return
    largest = np.abs(entries).max(axis=0)
    sizes = {f"{size:.1g}": None for size in (largest[largest > 0].min(), largest.max())}
    raise ValueError(
        f"{name} has entries of about {' to '.join(sizes)}, whose squares leave double precision; measure it in other "
        "units"
    )
