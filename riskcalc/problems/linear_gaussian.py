"""What can be asked: a linear Gaussian regression problem in the proportional limit."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, at_least_zero, counts, exact_array, matching_shapes
from riskcalc.inert import parameters
from riskcalc.laws import Atoms, Continuous, Law
from riskcalc.problems.base import Problem
from riskcalc.problems.rows import check_rows, read_rows, rows_law

# How features stand to the eigenvectors of their covariance.
BASES = ("principal", "generic")
INTERCEPT = "The threshold is at n = p; with an intercept, which scikit-learn fits by default, it is at n = p + 1."


class LinearGaussian(Problem):
    """Linear regression with Gaussian features of diagonal covariance, in the limit n, p -> infinity with p/n fixed.

    A feature has variance Lambda and coefficient beta = B/sqrt(p), drawn from a law; y = x'beta + noise. Features and
    target are centred, and no intercept is fitted. The fit minimises ``|y - X beta|^2/n + ridge * sum(penalty *
    beta^2)``; with ridge = 0 it is least squares, or the interpolator of least (penalty-weighted) norm.

    Parameters
    ----------
    aspect_ratio : array_like > 0, optional
        Features per sample, p/n. Give this, or `n_samples` and `n_features`.
    n_samples, n_features : array_like of int, optional
        The same as two counts; policies may then use `n_keep`.
    law : Law, optional
        The joint law of (Lambda, B). Give this, or `eigenvalues` and `signal` (and `weights`) as for `laws.Atoms`.
    eigenvalues, signal, weights : array_like, shape (..., K), optional
        Of each kind of features: variance, sqrt(p)*beta, and probability.
    coefficients : array_like, shape (..., K), optional
        In place of `signal`: beta itself, where there is a number of features p; exact at any number of digits.
    noise_variance : array_like >= 0
    ridge : array_like
        Corresponds to ``alpha = n_samples * ridge`` in scikit-learn's `Ridge`. It may be negative, as the optimal ridge
        can be, down to minus the lower edge of the spectrum of a sample's Gram matrix: a prediction beyond says where
        that is. With more features than samples the fit is then the stationary point among the combinations of rows, in
        which all ridge regressions lie.
    penalty : None, "natural" or array_like > 0 of shape (..., K)
        Penalty weight per feature: None for 1 (gradient descent's geometry), "natural" for Lambda (natural
        gradient's; features of zero variance then get zero), or weights. A continuous law takes one weight only.
    row_variances : array_like >= 0 of shape (..., M), or Law, optional
        Rows of unequal length: the features of a row have its variance T times theirs, and the noise stays as it is.
        The values that T takes, or a law whose eigenvalues they are (its coefficients play no part). Left out, T = 1
        in every row. So it is in the row that a test risk is of: one of variance T has the risk
        ``noise_variance + T * excess_risk``, and one drawn like those of the sample has that at the mean of T.
    row_weights : array_like, shape (..., M), optional
        Probability of each of these values; equal if left out.

    Attributes
    ----------
    shape : tuple of int
        Shape of the batch of problems: the broadcast of all scalars, and of the atom arguments (and those of rows)
        without their last axis.
    rows : Law or None
        The law of T, as eigenvalues; None where all rows are alike.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right; also for a law of more kinds of features than there are
        features.

    Notes
    -----
    A Python float means its exact binary value; Fraction, Decimal and strings such as "10/3" are exact.

    What an intercept costs: fitted beside n samples it centres them, which leaves n - 1 independent ones (with a ridge
    n/(n - 1) times as large), and its own error, independent of theirs, multiplies the test risk by 1 + 1/n. In the
    limit that is nothing; but the interpolation threshold of scikit-learn's estimators, which fit an intercept unless
    ``fit_intercept=False``, is at n = p + 1, not at n = p: next to it, ask about one sample less.

    Rows of unequal length are those of elliptical features, X = T^(1/2) Z Sigma^(1/2), and those of a sample that a
    known graph filters: independent nodes Z Sigma^(1/2), labelled with independent noise through a filter F, have in
    the eigenvectors of F F' the row variances that are its eigenvalues. Rows of variance zero hold noise only; they
    count among the samples.

    Examples
    --------
    >>> problem = LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=[0.1, 0.9])
    >>> problem.shape, problem.n_atoms
    ((), 2)
    >>> LinearGaussian(n_samples=30, n_features=100, eigenvalues=1, coefficients=0.1).law.signal.tolist()
    [1.0]

    Each node of a ring of 60 sees the mean of itself and its two neighbours:

    >>> import numpy as np, riskcalc as rc
    >>> lowpass = (np.eye(60) + np.roll(np.eye(60), 1, axis=0) + np.roll(np.eye(60), -1, axis=0)) / 3
    >>> lengths = np.maximum(np.linalg.eigvalsh(lowpass @ lowpass.T), 0)
    >>> ring = {"n_samples": 60, "n_features": 30, "eigenvalues": 1, "signal": 2, "noise_variance": 0.5}
    >>> seen = LinearGaussian(**ring, row_variances=lengths)
    >>> round(rc.predict(LinearGaussian(**ring)).risk, 4), round(rc.predict(seen).risk, 4)
    (1.0, 3.9949)
    """

    batched = ("aspect_ratio", "n_samples", "n_features", "noise_variance", "ridge")
    _read: ClassVar[Mapping[str, Any]] = {"law": Law, "row_variances": read_rows}

    def __init__(
        self,
        *,
        aspect_ratio: ArrayLike | str | None = None,
        n_samples: ArrayLike | None = None,
        n_features: ArrayLike | None = None,
        law: Law | None = None,
        eigenvalues: ArrayLike | str | None = None,
        signal: ArrayLike | str | None = None,
        coefficients: ArrayLike | str | None = None,
        weights: ArrayLike | str | None = None,
        noise_variance: ArrayLike | str = 0.0,
        ridge: ArrayLike | str = 0.0,
        penalty: ArrayLike | str | None = None,
        basis: str = "principal",
        row_variances: Law | ArrayLike | str | None = None,
        row_weights: ArrayLike | str | None = None,
    ):
        self.law = _law(law, n_features, eigenvalues, signal, coefficients, weights)
        self.n_samples, self.n_features, self.aspect_ratio = _sizes(aspect_ratio, n_samples, n_features)
        self.noise_variance = at_least_zero(noise_variance, "noise_variance")
        self.ridge = exact_array(ridge, "ridge")
        self.penalty, self.basis = _penalty(penalty), _basis(basis, penalty)
        self.row_variances, self.row_weights = check_rows(row_variances, row_weights)
        self.rows = rows_law(self.row_variances, self.row_weights)
        if self.rows is not None and self.basis != BASES[0]:
            raise ValueError(f"in a {basis} basis rows are of equal length; leave row_variances or basis out")
        if isinstance(self.law, Continuous) and isinstance(self.penalty, np.ndarray) and self.penalty.shape[-1] != 1:
            raise ValueError(
                "penalty must be None, 'natural' or one number where the law is continuous (its atoms are nodes of a "
                f"quadrature, not kinds of features), got {self.penalty.shape[-1]} weights"
            )
        atoms = {"law": np.empty(self.law.shape, bool)}
        if isinstance(self.penalty, np.ndarray):
            atoms["penalty"] = self.penalty
        atom_shape = matching_shapes(atoms)
        self.n_atoms = atom_shape[-1]
        if self.law.weights is not None and self.n_atoms != self.law.n_atoms:
            raise ValueError(f"penalty has {self.n_atoms} atoms, but the weights of the law are for {self.law.n_atoms}")
        self.shape = matching_shapes(
            {
                "the law without its atoms": np.empty(atom_shape[:-1], bool),
                "aspect_ratio": self.aspect_ratio,
                "noise_variance": self.noise_variance,
                "ridge": self.ridge,
            }
            | ({} if self.rows is None else {"row_variances": np.empty(self.rows.shape[:-1], bool)})
        )
        if self.n_features is not None and not self.law.nodes_only:
            _check_number(self.law, self.n_atoms, self.n_features)
        if self.n_features is not None and self.law.coefficients is not None:
            _check_scale(self.law.n_features, self.n_features)

    def given(self) -> dict[str, Any]:
        """Its arguments: sizes or their ratio; a law, or its atoms."""
        law = self.law
        sizes = ("aspect_ratio",) if self.n_samples is None else ("n_samples", "n_features")
        told = self._attributes((*sizes, "noise_variance", "ridge", "penalty", "row_variances", "row_weights"))
        own = type(law) is Atoms and (law.coefficients is None or self.n_features is not None)
        atoms = {name: value for name, value in law.given().items() if name != "n_features"}  # it is the problem's
        told |= atoms if own else {"law": law}
        told |= {} if self.basis == BASES[0] else {"basis": self.basis}
        others = [name for name in parameters(type(self)) if name not in parameters(LinearGaussian)]
        told |= self._attributes(others)
        return {name: told[name] for name in parameters(type(self)) if name in told}

    @property
    def note(self) -> str:
        """What its law says of its features; beside the threshold, where an intercept would move it."""
        if self.law.note or self.n_samples is None or np.any(self.law.eigenvalues == 0):
            return self.law.note
        near = np.isin(self.n_samples - self.n_features, (0, 1)) & (self.ridge == 0)
        return INTERCEPT if near.any() else ""

    @property
    def null_risk(self) -> np.ndarray:
        """Test risk of predicting zero, in every regime."""
        law = self.law
        weights = 1 if law.weights is None else as_float(law.weights) * law.n_atoms
        signal = as_float(law.eigenvalues) * as_float(law.signal) ** 2
        return as_float(self.noise_variance) + np.mean(np.broadcast_to(weights * signal, law.shape), axis=-1)

    def with_law(self, law: Law) -> Self:
        """The same problem with another law."""
        ours = ("law", "eigenvalues", "signal", "coefficients", "weights")
        rest = {name: value for name, value in self.given().items() if name not in ours}
        return type(self)(**rest, law=law)


def _law(law: Law | None, n_features: Any, eigenvalues: Any, signal: Any, coefficients: Any, weights: Any) -> Law:
    if law is not None:
        if not isinstance(law, Law):
            raise TypeError(f"law must be a riskcalc.laws.Law, got {law!r}")
        if any(argument is not None for argument in (eigenvalues, signal, coefficients, weights)):
            raise ValueError("give either law, or eigenvalues, signal (or coefficients) and weights, not both")
        return law
    if eigenvalues is None:
        raise ValueError("eigenvalues is missing; give eigenvalues and signal, or a law")
    if signal is None and coefficients is None:
        raise ValueError("signal is missing; give eigenvalues and signal (or coefficients), or a law")
    if coefficients is None:
        return Atoms(eigenvalues, signal, weights)
    if n_features is None:
        raise ValueError(
            "coefficients need a number of features, by whose root they are scaled; give n_samples and n_features in "
            "place of aspect_ratio, or the signal, sqrt(p)*beta"
        )
    return Atoms(eigenvalues, signal, weights, coefficients=coefficients, n_features=n_features)


def _check_number(law: Law, n_atoms: int, n_features: np.ndarray) -> None:
    """Refuse more kinds of features than there are features."""
    kinds = np.array(n_atoms) if law.weights is None else np.count_nonzero(law.weights, axis=-1)
    wrong = np.broadcast_to(kinds > n_features, np.broadcast_shapes(kinds.shape, n_features.shape))
    if wrong.any():
        kinds, sizes = (np.broadcast_to(array, wrong.shape)[wrong][0] for array in (kinds, n_features))
        raise ValueError(
            f"the law has {kinds} atoms, which are kinds of features, but there are {sizes} features; give at most as "
            "many atoms of positive weight as n_features"
        )


def _check_scale(scale: np.ndarray, n_features: np.ndarray) -> None:
    """Refuse coefficients of another number of features."""
    if not np.array_equal(scale, n_features):
        raise ValueError(
            f"the law has the coefficients of {scale.tolist()} features, but the problem has {n_features.tolist()}"
        )


def _sizes(aspect_ratio: Any, n_samples: Any, n_features: Any):
    if aspect_ratio is not None:
        if n_samples is not None or n_features is not None:
            raise ValueError("give either aspect_ratio, or n_samples and n_features, not both")
        ratio = exact_array(aspect_ratio, "aspect_ratio")
        if np.any(ratio <= 0):
            raise ValueError(f"aspect_ratio must be above 0, got {ratio[ratio <= 0].flat[0]}")
        return None, None, ratio
    if n_samples is None or n_features is None:
        raise ValueError("give aspect_ratio, or both n_samples and n_features")
    n, p = counts(n_samples, "n_samples"), counts(n_features, "n_features")
    matching_shapes({"n_samples": n, "n_features": p})
    return n, p, np.asarray(np.frompyfunc(lambda p, n: Fraction(int(p), int(n)), 2, 1)(p, n), dtype=object)


def _penalty(penalty: Any) -> str | np.ndarray | None:
    if penalty is None or (isinstance(penalty, str) and penalty == "natural"):
        return penalty
    if isinstance(penalty, str):
        raise ValueError(f"penalty must be None, 'natural' or an array of weights above 0, got {penalty!r}")
    array = np.atleast_1d(exact_array(penalty, "penalty"))
    if np.any(array <= 0):
        raise ValueError(f"penalty must be above 0, got {array[array <= 0].flat[0]}")
    return array


def _basis(basis: str, penalty: Any) -> str:
    if not (isinstance(basis, str) and basis in BASES):
        raise ValueError(f"basis must be {' or '.join(map(repr, BASES))}, got {basis!r}")
    if basis != BASES[0] and penalty is not None:
        raise ValueError(f"penalty must be None, which is 1, in a {basis} basis, got {penalty!r}")
    return basis
