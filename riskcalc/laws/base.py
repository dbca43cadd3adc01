"""Laws with finitely many atoms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from riskcalc import exact
from riskcalc.exact import as_float, at_least_zero, exact_array, matching_shapes, plain


class Law:
    """A joint law of (Lambda, B) with finitely many atoms.

    Attributes
    ----------
    eigenvalues, signal : ndarray, shape (..., K)
        Variance of a feature (>= 0) and its scaled coefficient sqrt(p)*beta, atom by atom.
    weights : ndarray of shape (..., K), or None
        Probability of each atom; None for equal weights, exactly 1/K each.
    note : str
        What a table of results must say about its features.
    """

    note = ""

    def __init__(self, eigenvalues: ArrayLike | str, signal: ArrayLike | str, weights: ArrayLike | str | None = None):
        self.eigenvalues = np.atleast_1d(at_least_zero(eigenvalues, "eigenvalues"))
        self.signal = np.atleast_1d(exact_array(signal, "signal"))
        self.weights = None if weights is None else np.atleast_1d(at_least_zero(weights, "weights"))
        self.shape = matching_shapes(self._given())
        if self.weights is not None:
            check_sum(self.weights, self.n_atoms)

    def _given(self) -> dict[str, np.ndarray]:
        arrays = {"eigenvalues": self.eigenvalues, "signal": self.signal, "weights": self.weights}
        return {name: array for name, array in arrays.items() if array is not None}

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

    def __repr__(self) -> str:
        fields = (f"{name}={plain(array)}" for name, array in self._given().items())
        return f"{type(self).__name__}({', '.join(fields) if self.n_atoms <= 8 else f'{self.n_atoms} atoms'})"


class Atoms(Law):
    """Finitely many kinds of features, with weights.

    Parameters
    ----------
    eigenvalues, signal, weights : array_like, shape (..., K)
        As in `Law`; a scalar fills all atoms. Leading axes are a batch of laws.

    Raises
    ------
    ValueError
        If values are not finite, eigenvalues or weights are negative, weights do not sum to one within 1e-12, or
        shapes do not match.

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

    Examples
    --------
    >>> import numpy as np
    >>> Empirical(np.linspace(1, 2, 1000), np.ones(1000)).n_atoms
    1000
    """

    def __init__(self, eigenvalues: ArrayLike, signal: ArrayLike):
        super().__init__(eigenvalues, signal)


def check_sum(weights: np.ndarray, atoms: int) -> None:
    """Raise ValueError for weights that do not sum to one over the atoms."""
    sums = as_float(np.broadcast_to(weights, (*weights.shape[:-1], atoms)).sum(axis=-1, keepdims=True))
    wrong = abs(sums - 1) > 1e-12
    if wrong.any():
        raise ValueError(f"weights must sum to one over the atoms, got a sum of {sums[wrong].flat[0]:.15g}")
