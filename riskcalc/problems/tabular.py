"""A table of measurements as the population of a problem: what would training on some of its rows give?"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.laws import PrincipalComponents
from riskcalc.problems import LinearGaussian
from riskcalc.problems.components import components
from riskcalc.problems.measurements import column_names, measurements
from riskcalc.quoting import quoted

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
    at n_samples = rank, which columns without variance keep below p; with an intercept it is at rank + 1. The rank is
    that of standardised columns: units do not decide it.

    Parameters
    ----------
    X : array_like, shape (rows, p)
        Or a frame of pandas or polars. Booleans count as 0 and 1. Text, dates, categories, missing and masked values
        are refused, and so are columns without a name or with one that stands twice: often no measurements.
    y : array_like, shape (rows,)
    n_samples : array_like of int
        Size of the training sample; an array asks for a batch.
    basis : "principal"
        What is pruned: principal components.
    ridge : array_like

    Returns
    -------
    LinearGaussian

    Raises
    ------
    ValueError, TypeError
        If the table is not two-dimensional, not finite, not numeric, does not match the target or holds it, has no more
        rows than its rank + 1, so that nothing tells its noise, or if double precision does not hold its variances.

    Warns
    -----
    UserWarning
        If the table has fewer than 10 rows per feature: its covariance then stands badly for the population's. Without
        a ridge, if n_samples is at one of the two thresholds.

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
    found = components(features, target)
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
            stacklevel=2,
        )
    return problem
