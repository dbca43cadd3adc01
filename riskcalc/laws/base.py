"""Laws with finitely many atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc import exact
from riskcalc.exact import as_float, at_least_zero, counts, exact_array, matching_shapes
from riskcalc.inert import Inert


class Law(Inert):
    """A joint law of (Lambda, B) with finitely many atoms.

    Attributes
    ----------
    eigenvalues, signal : ndarray, shape (..., K)
        Variance of a feature (>= 0) and its scaled coefficient B = sqrt(p)*beta, atom by atom.
    coefficients : ndarray, shape (..., K), or None
        beta itself, exact, where it was given; the signal is then rounded to double precision.
    n_features : ndarray of int, or None
        The number p that scales the coefficients, or that a finite law has.
    weights : ndarray of shape (..., K), or None
        Probability of each atom; None for equal weights, exactly 1/K each.
    nodes_only : bool
        Whether its atoms are nodes of a quadrature, and no kinds of features.
    note : str
        What a table of results must say about its features.
    """

    note = ""
    nodes_only: Any = False
    coefficients: Any = None
    n_features: Any = None

    def __init__(
        self,
        eigenvalues: ArrayLike | str,
        signal: ArrayLike | str | None = None,
        weights: ArrayLike | str | None = None,
        *,
        coefficients: ArrayLike | str | None = None,
        n_features: ArrayLike | None = None,
    ):
        self.eigenvalues = np.atleast_1d(at_least_zero(eigenvalues, "eigenvalues"))
        if (signal is None) == (coefficients is None):
            raise ValueError(
                f"give exactly one of signal, which is sqrt(p)*beta, and coefficients, which are beta, "
                f"got signal={signal!r} and coefficients={coefficients!r}"
            )
        if coefficients is None:
            if n_features is not None and self.n_features is None:
                raise ValueError(f"n_features scales coefficients; with a signal leave it out, got {n_features!r}")
            self.signal = np.atleast_1d(exact_array(signal, "signal"))
        else:
            if n_features is None:
                raise ValueError("coefficients need n_features, by whose root they are scaled; or give the signal")
            self.coefficients = np.atleast_1d(exact_array(coefficients, "coefficients"))
            self.n_features = counts(n_features, "n_features")
            self.signal = self._scaled()
        self.weights = None if weights is None else np.atleast_1d(at_least_zero(weights, "weights"))
        arrays = {"eigenvalues": self.eigenvalues, "signal": self.signal, "weights": self.weights}
        self.shape = matching_shapes({name: array for name, array in arrays.items() if array is not None})
        if self.weights is not None:
            check_sum(self.weights, self.n_atoms)

    def _scaled(self) -> np.ndarray:
        """The signal of coefficients, in double precision."""
        scale = self.n_features[..., None]
        matching_shapes({"n_features and an axis of atoms": scale, "coefficients": self.coefficients})
        with np.errstate(over="ignore"):  # what overflows is refused by name
            return exact_array(np.sqrt(scale) * as_float(self.coefficients), "sqrt(n_features) * coefficients")

    def given(self) -> dict[str, Any]:
        """Its arguments; of signal and coefficients, what was given."""
        found = super().given()
        return found if self.coefficients is None else {name: found[name] for name in found if name != "signal"}

    @property
    def n_atoms(self) -> int:
        """Number of atoms, K."""
        return self.shape[-1]

    def features(self, count: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Finitely many features of this law, for a simulation.

        Parameters
        ----------
        count : int
            Number of features.
        rng : numpy.random.Generator, optional
            Draws the features independently. Without it they are the law's quantiles at (i - 1/2)/count in the order of
            the eigenvalues: every atom then has its count within one of ``count * weight``, exactly that number where
            it is an integer for all atoms, and an `Empirical` law of `count` features gives those features.

        Returns
        -------
        eigenvalues, signal : ndarray of shape (count,)
        atom : ndarray of int, shape (count,)
            Which atom each feature is; -1 where the law has a density.

        Raises
        ------
        ValueError, TypeError
            If the law is a batch of laws, or an argument is not what it should be.

        Examples
        --------
        >>> law = Atoms(eigenvalues=[25, 1], signal=1, weights=["1/5", "4/5"])
        >>> law.features(5)[0].tolist()
        [25.0, 1.0, 1.0, 1.0, 1.0]
        """
        number = exact.count(count, "count")
        if len(self.shape) != 1:
            raise ValueError(f"features are drawn from one law, but this is a batch of laws of shape {self.shape[:-1]}")
        if not (rng is None or isinstance(rng, np.random.Generator)):
            raise TypeError(f"rng must be None or a numpy.random.Generator, got {rng!r}")
        return self._features(number, rng)

    def _features(self, number: int, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        given = (self.eigenvalues, self.signal, np.ones(1) if self.weights is None else self.weights)
        eigenvalues, signal, weights = (np.broadcast_to(as_float(array), self.shape) for array in given)
        weights = weights / weights.sum()
        if rng is None:
            order = np.lexsort((signal, eigenvalues))
            # Where a cumulated count is an integer, the quantiles are half a feature away: rounding is no risk.
            cumulated = number * np.cumsum(weights[order])
            atom = np.sort(order[np.searchsorted(cumulated, np.arange(number) + 0.5, side="right")])
        else:
            atom = rng.choice(self.n_atoms, size=number, p=weights)
        return eigenvalues[atom], signal[atom], atom


class Atoms(Law):
    """Finitely many kinds of features, with weights.

    Parameters
    ----------
    eigenvalues, signal, weights : array_like, shape (..., K)
        As in `Law`; a scalar fills all atoms. Leading axes are a batch of laws.
    coefficients : array_like, shape (..., K), optional
        In place of the signal: beta itself, which is exact at any number of digits.
    n_features : array_like of int, optional
        With coefficients: p. An array asks for a batch of laws.

    Raises
    ------
    ValueError, TypeError
        If values are not finite, eigenvalues or weights are negative, weights do not sum to one within 1e-12, shapes
        do not match, or not exactly one of `signal` and `coefficients` is given.

    Examples
    --------
    >>> Atoms(eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"]).n_atoms
    2
    """


class Empirical(Law):
    """One atom per feature, all of weight 1/p: a measured spectrum and coefficients.

    Parameters
    ----------
    eigenvalues, signal : array_like, shape (p,)
    coefficients : array_like, shape (p,), optional
        In place of the signal: beta itself.

    Examples
    --------
    >>> import numpy as np
    >>> Empirical(np.linspace(1, 2, 1000), np.ones(1000)).n_atoms
    1000
    >>> Empirical([3, 2, 1, 0], coefficients=[1, 0, 0, 1]).signal.tolist()
    [2.0, 0.0, 0.0, 2.0]
    """

    def __init__(
        self, eigenvalues: ArrayLike, signal: ArrayLike | None = None, *, coefficients: ArrayLike | None = None
    ):
        given: list[Any] = [eigenvalues, coefficients]
        number = None if coefficients is None else max(np.atleast_1d(one).shape[-1] for one in given)
        super().__init__(eigenvalues, signal, coefficients=coefficients, n_features=number)


class PrincipalComponents(Empirical):
    """The principal components of a table as features."""

    note = (
        "Features are the table's principal components; pruning components is not pruning columns. Features and target "
        "are centred; an intercept fitted beside them (scikit-learn's default) would cost a sample, so that the "
        "threshold is at n = rank + 1, and a factor 1 + 1/n."
    )


def check_sum(weights: np.ndarray, atoms: int) -> None:
    """Raise ValueError for weights that do not sum to one over the atoms."""
    sums = as_float(np.broadcast_to(weights, (*weights.shape[:-1], atoms)).sum(axis=-1, keepdims=True))
    wrong = abs(sums - 1) > 1e-12
    if wrong.any():
        raise ValueError(f"weights must sum to one over the atoms, got a sum of {sums[wrong].flat[0]:.15g}")
