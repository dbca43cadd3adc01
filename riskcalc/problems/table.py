"""A finite table of real rows as the population: what would training on some of its rows give?"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, at_least_zero, count, flag
from riskcalc.policies import Procedure
from riskcalc.problems.base import Problem
from riskcalc.problems.correlated import Correlated
from riskcalc.quoting import quoted

ROWS = ("real", "gaussian")
# Singular values below this, relatively, are those of columns that follow from others.
RCOND = 1e-10
# Of the mean variance, a ridge that is as good as none; of the rank, how near to it a sample is; rows of a sample that
# carry a column at least.
SLIGHT, NEAR, FEWEST = 1e-3, 0.2, 2
# Columns that a sentence names.
MOST_NAMED = 5


class Table(Problem):
    """Regression on some rows of a finite table, tested on the others; its columns are pruned.

    Of the N rows n_samples are drawn, each set of so many with the same probability, and fitted by
    ``|y - X beta|^2 / n + ridge * |beta|^2``. Features and target are centred by the means of the table.

    Parameters
    ----------
    X : array_like, shape (N, p)
        Finite numbers; no column is constant.
    y : array_like, shape (N,)
        Not constant.
    n_samples : int >= 1
        From N on, of rows like those of the table: none of them is drawn twice, and all of them are tested on.
    ridge : float >= 0
        Of the features as they are fitted: scaled, if they are.
    scale : bool
        Divide every column by its standard deviation over the table.
    names : sequence of str, shape (p,), optional
        Of the columns; their places if not given.
    groups : sequence of int, shape (p,), optional
        Columns of one group are one column of the data, such as one of text.
    rows : "real" or "gaussian"
        What predictions take rows to be: those of the table, or Gaussian ones of the same covariance. What is measured
        is always about the rows of the table.
    notes : sequence of str
        Sentences that every printed answer repeats.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right.

    Examples
    --------
    >>> import numpy as np, riskcalc as rc
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_t(3, size=(300, 4))
    >>> table = rc.Table(X, X[:, 0] + rng.normal(size=300), n_samples=30, ridge=0.05)
    >>> int(table.n_features), table.features.std(axis=0).round(6).tolist()
    (4, [1.0, 1.0, 1.0, 1.0])
    """

    whole = True

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        n_samples: int,
        *,
        ridge: float | str = 0.0,
        scale: bool = True,
        names: Sequence[str] | None = None,
        groups: Sequence[int] | None = None,
        rows: str = "real",
        notes: Sequence[str] = (),
    ):
        self.X, self.y = _finite(X, "X", 2), _finite(y, "y", 1)
        rows_, p = self.X.shape
        if rows_ < 2 or p < 1:
            raise ValueError(f"X must have at least two rows and one column, got shape {self.X.shape}")
        if len(self.y) != rows_:
            raise ValueError(f"X has {rows_} rows but y has {len(self.y)} values; give one value of y per row")
        self.names = None if names is None else _of_columns(names, str, "names", p)
        self.groups = None if groups is None else _of_columns(groups, (int, np.integer), "groups", p)
        self.n_samples, self.n_features = np.array(count(n_samples, "n_samples")), np.array(p)
        self.ridge, self.scale = at_least_zero(ridge, "ridge"), flag(scale, "scale")
        if self.ridge.ndim:
            raise ValueError(f"ridge must be one number, got shape {self.ridge.shape}; take one problem for each")
        if rows not in ROWS:
            raise ValueError(f"rows must be one of {', '.join(ROWS)}, got {quoted(rows)}")
        self.rows, self.notes = rows, _sentences(notes)
        self.shape, self.n_atoms = (), p
        self.aspect_ratio = np.array(Fraction(p, int(self.n_samples)), dtype=object)
        constant = np.flatnonzero(self.X.min(axis=0) == self.X.max(axis=0))
        if len(constant):
            raise ValueError(
                f"column {self.name_of(int(constant[0]))} of X is constant; leave it out, as riskcalc.from_data does"
            )
        if self.y.min() == self.y.max():
            raise ValueError(f"y is constant, {self.y[0]:g} in every row; there is nothing to predict")

    def name_of(self, place: int) -> str:
        """The name of a column, for messages."""
        return str(place) if self.names is None else quoted(self.names[place])

    @property
    def n_rows(self) -> int:
        """Rows of the table, N."""
        return len(self.y)

    @property
    def fraction(self) -> float:
        """Of the rows, how many are drawn, n/N; zero where that is no part of them."""
        share = int(self.n_samples) / self.n_rows
        return share if share < 1 else 0.0

    def columns(self, places: np.ndarray, ridge: float | None = None) -> Table:
        """The table with these columns only, and this ridge or its own."""
        chosen = {name: getattr(self, name) for name in ("names", "groups")}
        chosen = {name: value and tuple(value[i] for i in places) for name, value in chosen.items()}
        chosen |= {} if ridge is None else {"ridge": ridge}
        return Table(**self.given() | {"X": self.X[:, places]} | chosen)

    def some_rows(self, places: np.ndarray) -> Table:
        """The table with these rows only."""
        return Table(**self.given() | {"X": self.X[places], "y": self.y[places]})

    def components(self) -> Table:
        """The principal components of the features, the widest first, in the place of columns.

        Examples
        --------
        >>> table = Table([[0, 0, 1], [1, 1, 0], [2, 2, 3], [1, 1, 1]], [0, 1, 2, 4], n_samples=2)
        >>> table.components().names
        ('component 1', 'component 2')
        """
        left, singular, _ = np.linalg.svd(self.features, full_matrices=False)
        scores = (left * singular)[:, : self.rank]
        named = [f"component {i + 1}" for i in range(self.rank)]
        return Table(**self.given() | {"X": scores, "scale": False, "names": named, "groups": None})

    @cached_property
    def features(self) -> np.ndarray:
        """As they are fitted: centred, and scaled if they are; shape (N, p)."""
        centred = self.X - self.X.mean(axis=0)
        return _fixed(centred / centred.std(axis=0) if self.scale else centred)

    @cached_property
    def target(self) -> np.ndarray:
        """Centred, shape (N,)."""
        return _fixed(self.y - self.y.mean())

    @cached_property
    def covariance(self) -> np.ndarray:
        """Of the features over the table, shape (p, p)."""
        found = self.features.T @ self.features / self.n_rows
        np.fill_diagonal(found, self.feature_variances)
        return _fixed(found)

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Of least squares on all rows, of least norm, shape (p,)."""
        return _fixed(np.linalg.lstsq(self.features, self.target, rcond=None)[0])

    @cached_property
    def noise_variance(self) -> np.ndarray:
        """Mean squared residual of least squares on all rows."""
        return np.asarray(np.mean((self.target - self.features @ self.coefficients) ** 2))

    @cached_property
    def feature_variances(self) -> np.ndarray:
        """Of the features over the table, shape (p,); the same, to the last digit, if they are scaled."""
        return _fixed(np.ones(self.n_atoms) if self.scale else np.mean(self.features**2, axis=0))

    @property
    def null_risk(self) -> np.ndarray:
        """Test risk of predicting the mean."""
        return np.asarray(np.mean(self.target**2))

    @cached_property
    def gaussian(self) -> Correlated:
        """Gaussian rows of the same covariance, coefficients and noise."""
        return Correlated(
            self.covariance, self.coefficients, int(self.n_samples), float(self.noise_variance), self.ridge
        )

    @cached_property
    def rank(self) -> int:
        """Of the features: how many dimensions the rows of the table have."""
        singular = np.linalg.svd(self.features, compute_uv=False)
        return int(np.count_nonzero(singular > RCOND * singular[0]))

    @cached_property
    def thin_columns(self) -> np.ndarray:
        """Places of columns half of whose variance is in so few rows that a sample has less than two of them."""
        squares = np.sort(self.features**2, axis=0)[::-1].cumsum(axis=0)
        rows = (squares < squares[-1] / 2).sum(axis=0) + 1
        return np.flatnonzero(rows * int(self.n_samples) < FEWEST * self.n_rows)

    @cached_property
    def caution(self) -> str:
        """What must be said before any number: where neither predictions nor means of few draws are to be relied on."""
        n, N, told = int(self.n_samples), self.n_rows, []
        if n >= N:
            told.append(f"A sample of {n} rows is no part of the table's {N}: predictions are for rows like those.")
        if float(as_float(self.ridge)) < SLIGHT * self.feature_variances.mean():
            if abs(n - self.rank) <= NEAR * self.rank:
                told.append(
                    f"Without a ridge, n_samples = {n} is near the {self.rank} dimensions of the columns: predictions "
                    "may be far off there, and few draws make most of a measured mean."
                )
            if len(thin := self.thin_columns):
                named = ", ".join(self.name_of(int(i)) for i in thin[:MOST_NAMED])
                more = f" and {len(thin) - MOST_NAMED} others" if len(thin) > MOST_NAMED else ""
                told.append(
                    f"Few rows carry {'column' if len(thin) == 1 else 'columns'} {named}{more}: without a ridge their "
                    "coefficients are noise in most samples, and predictions may be far off; leave them out, or give a "
                    "ridge."
                )
        return "\n".join(told)

    def remark(self, procedure: Procedure) -> str:
        """How well predictions of a model are known to do, where they are a heuristic."""
        prune, retrain = procedure.prune, procedure.retrain
        same = retrain is not None and retrain.sample == "same"
        if self.rows != "real" or prune is None or not (same and prune.sees_fit):
            return ""
        return (
            "retrained fits of a table are predicted by a heuristic, whose median difference from measured risks was "
            "under 4 %"
        )

    @property
    def note(self) -> str:
        """What every printed answer repeats."""
        scaled = ["Columns are divided by their standard deviations over the table."] if self.scale else []
        return "\n".join([*self.notes, *scaled])


def _fixed(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _finite(value: Any, name: str, dimensions: int) -> np.ndarray:
    """A copy of finite doubles that nobody changes."""
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be numbers, got {type(value).__name__}; riskcalc.from_data reads others"
        ) from error
    if array.ndim != dimensions:
        what = "rows and columns" if dimensions == 2 else "one value per row"
        raise ValueError(f"{name} must have {what}, got shape {array.shape}")
    if not np.isfinite(array).all():
        wrong = array[~np.isfinite(array)].flat[0]
        raise ValueError(
            f"{name} must be finite, got {wrong:g}; riskcalc.from_data leaves out or fills in missing cells"
        )
    return _fixed(array)


def _of_columns(values: Any, kind: Any, name: str, p: int) -> tuple[Any, ...]:
    """One value of a kind for each column."""
    found = tuple(values.tolist() if isinstance(values, np.ndarray) else values)
    if isinstance(values, str) or len(found) != p:
        raise ValueError(f"{name} must be one for each of the {p} columns, got {quoted(values)}")
    wrong = [one for one in found if not isinstance(one, kind) or isinstance(one, bool)]
    if wrong:
        what = "text" if kind is str else "integers"
        raise TypeError(f"{name} must be {what}, got {quoted(wrong[0])}")
    return found if kind is str else tuple(map(int, found))


def _sentences(notes: Any) -> tuple[str, ...]:
    if isinstance(notes, str) or not all(isinstance(one, str) for one in notes):
        raise TypeError(f"notes must be a sequence of sentences, got {quoted(notes)}")
    return tuple(notes)
