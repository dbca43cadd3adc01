"""What can be asked: a linear Gaussian regression problem in the proportional limit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, at_least_zero, exact_array, matching_shapes, plain
from riskcalc.laws import Atoms, Continuous, Law
from riskcalc.problems.base import Problem


class LinearGaussian(Problem):
    """Linear regression with Gaussian features of diagonal covariance, in the limit n, p -> infinity with p/n fixed.

    A feature has variance Lambda and coefficient B/sqrt(p), drawn from a law; y = x'beta + noise. Features and target
    are centred. The fit minimises ``|y - X beta|^2/n + ridge * sum(penalty * beta^2)``; with ridge = 0 it is least
    squares, or the interpolator of least (penalty-weighted) norm.

    Parameters
    ----------
    aspect_ratio : array_like > 0, optional
        Features per sample, p/n. Give this, or `n_samples` and `n_features`.
    n_samples, n_features : array_like of int, optional
        The same as two counts; policies may then use `n_keep`.
    law : Law, optional
        The joint law of (Lambda, B). Give this, or `eigenvalues` and `signal` (and `weights`) as for `laws.Atoms`.
    eigenvalues, signal, weights : array_like, shape (..., K), optional
    noise_variance : array_like >= 0
    ridge : array_like >= 0
        Corresponds to ``alpha = n_samples * ridge`` in scikit-learn's `Ridge`.
    penalty : None, "natural" or array_like > 0 of shape (..., K)
        Penalty weight per feature: None for 1 (gradient descent's geometry), "natural" for Lambda (natural
        gradient's; features of zero variance then get zero), or weights. A continuous law takes one weight only.

    Attributes
    ----------
    shape : tuple of int
        Shape of the batch of problems: the broadcast of all scalars, and of the atom arguments without their last
        axis.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right.

    Notes
    -----
    A Python float means its exact binary value; Fraction, Decimal and strings such as "10/3" are exact.

    Examples
    --------
    >>> problem = LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=[0.1, 0.9])
    >>> problem.shape, problem.n_atoms
    ((), 2)
    """

    def __init__(
        self,
        *,
        aspect_ratio: ArrayLike | str | None = None,
        n_samples: ArrayLike | None = None,
        n_features: ArrayLike | None = None,
        law: Law | None = None,
        eigenvalues: ArrayLike | str | None = None,
        signal: ArrayLike | str | None = None,
        weights: ArrayLike | str | None = None,
        noise_variance: ArrayLike | str = 0.0,
        ridge: ArrayLike | str = 0.0,
        penalty: ArrayLike | str | None = None,
    ):
        self.law = _law(law, eigenvalues, signal, weights)
        self.n_samples, self.n_features, self.aspect_ratio = _sizes(aspect_ratio, n_samples, n_features)
        self.noise_variance = at_least_zero(noise_variance, "noise_variance")
        self.ridge = at_least_zero(ridge, "ridge")
        self.penalty = _penalty(penalty)
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
        )

    def __repr__(self) -> str:
        shown = self.to_dict()
        if self.law.n_atoms > 8:
            shown = {name: value for name, value in shown.items() if name not in ("eigenvalues", "signal", "weights")}
            shown["law"] = repr(self.law)
        return f"LinearGaussian({', '.join(f'{name}={value}' for name, value in shown.items())})"

    @property
    def note(self) -> str:
        """What its law says of its features."""
        return self.law.note

    @property
    def null_risk(self) -> np.ndarray:
        """Test risk of predicting zero, in every regime."""
        law = self.law
        weights = 1 if law.weights is None else as_float(law.weights) * law.n_atoms
        signal = as_float(law.eigenvalues) * as_float(law.signal) ** 2
        return as_float(self.noise_variance) + np.mean(np.broadcast_to(weights * signal, law.shape), axis=-1)

    def with_law(self, law: Law) -> LinearGaussian:
        """The same problem with another law."""
        counts = {"n_samples": self.n_samples, "n_features": self.n_features}
        sizes: dict[str, Any] = {"aspect_ratio": self.aspect_ratio} if self.n_samples is None else counts
        rest = {name: getattr(self, name) for name in ("noise_variance", "ridge", "penalty")}
        return LinearGaussian(**sizes, law=law, **rest)

    def to_dict(self) -> dict[str, Any]:
        """The resolved problem as plain values (exact numbers that are not floats as strings)."""
        sizes = {"aspect_ratio": plain(self.aspect_ratio)}
        if self.n_samples is not None and self.n_features is not None:
            sizes = {"n_samples": plain(self.n_samples), "n_features": plain(self.n_features)} | sizes
        arrays = {"eigenvalues": self.law.eigenvalues, "signal": self.law.signal, "weights": self.law.weights}
        law = {name: plain(array) for name, array in arrays.items() if array is not None}
        rest = {"noise_variance": plain(self.noise_variance), "ridge": plain(self.ridge)}
        if self.penalty is not None:
            rest["penalty"] = self.penalty if isinstance(self.penalty, str) else plain(self.penalty)
        return sizes | law | rest


def _law(law: Law | None, eigenvalues: Any, signal: Any, weights: Any) -> Law:
    if law is not None:
        if not isinstance(law, Law):
            raise TypeError(f"law must be a riskcalc.laws.Law, got {law!r}")
        if any(argument is not None for argument in (eigenvalues, signal, weights)):
            raise ValueError("give either law, or eigenvalues, signal and weights, not both")
        return law
    for name, argument in (("eigenvalues", eigenvalues), ("signal", signal)):
        if argument is None:
            raise ValueError(f"{name} is missing; give eigenvalues and signal, or a law")
    return Atoms(eigenvalues, signal, weights)


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
    n, p = _counts(n_samples, "n_samples"), _counts(n_features, "n_features")
    matching_shapes({"n_samples": n, "n_features": p})
    return n, p, np.asarray(np.frompyfunc(lambda p, n: Fraction(int(p), int(n)), 2, 1)(p, n), dtype=object)


def _counts(value: Any, name: str) -> np.ndarray:
    array = np.asarray(value)
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one value")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if np.any(array < 1):
        raise ValueError(f"{name} must be at least 1, got {array.min()}")
    return array


def _penalty(penalty: Any) -> str | np.ndarray | None:
    if penalty is None or (isinstance(penalty, str) and penalty == "natural"):
        return penalty
    if isinstance(penalty, str):
        raise ValueError(f"penalty must be None, 'natural' or an array of weights above 0, got {penalty!r}")
    array = np.atleast_1d(exact_array(penalty, "penalty"))
    if np.any(array <= 0):
        raise ValueError(f"penalty must be above 0, got {array[array <= 0].flat[0]}")
    return array
