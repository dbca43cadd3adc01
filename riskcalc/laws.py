"""Joint laws of a feature's variance and its coefficient, (Lambda, B), as atoms with weights.

The coefficients are scaled, ``B = sqrt(p) * beta``, so that E[Lambda B^2] is the variance that the signal explains.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, exact_array


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
        self.eigenvalues = _nonnegative(np.atleast_1d(exact_array(eigenvalues, "eigenvalues")), "eigenvalues")
        self.signal = np.atleast_1d(exact_array(signal, "signal"))
        self.weights = (
            None if weights is None else _nonnegative(np.atleast_1d(exact_array(weights, "weights")), "weights")
        )
        given = {"eigenvalues": self.eigenvalues, "signal": self.signal, "weights": self.weights}
        self.shape = matching_shapes({name: array for name, array in given.items() if array is not None})
        if self.weights is not None:
            _check_sum(self.weights, self.n_atoms)

    @property
    def n_atoms(self) -> int:
        """Number of atoms, K."""
        return self.shape[-1]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.n_atoms} atoms)"
            if self.n_atoms > 8
            else f"{type(self).__name__}({self._fields()})"
        )

    def _fields(self) -> str:
        given = {"eigenvalues": self.eigenvalues, "signal": self.signal, "weights": self.weights}
        return ", ".join(f"{name}={plain(array)}" for name, array in given.items() if array is not None)


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


# The limit of a power law is resolved down to exp(-40) of its variance: at a heavier tail that leaves double precision.
HEAVIEST = 0.94


class PowerLaw(Law):
    """Eigenvalues and coefficients that are powers of a feature's rank: Lambda = x^-decay, B = x^-signal_decay.

    Parameters
    ----------
    decay : float >= 0
        Exponent of the eigenvalues ("capacity").
    signal_decay : float
        Exponent of the coefficients ("source"); negative if they grow with the rank.
    n_features : int, optional
        With p features, the ranks are x = (i - 1/2)/p for i = 1..p. Without, x is uniform on (0, 1): the limit
        p -> infinity, as about 2000 atoms (composite Gauss-Legendre in log x, twelve points to each factor e).

    Raises
    ------
    ValueError
        If the limit has infinite variance of features or signal, or nearly: decay and decay + 2*signal_decay must be
        at most 0.94 there.

    Examples
    --------
    >>> PowerLaw(decay=1.5, signal_decay=0.25, n_features=500).n_atoms
    500
    """

    def __init__(self, decay: float, signal_decay: float, n_features: int | None = None):
        self.decay, self.signal_decay = (
            _one_number(value, name) for name, value in (("decay", decay), ("signal_decay", signal_decay))
        )
        if self.decay < 0:
            raise ValueError(f"decay must be at least 0, got {decay}")
        self.n_features = n_features
        if n_features is not None:
            ranks = (np.arange(count(n_features, "n_features")) + 0.5) / n_features
            weights = None
        else:
            heaviest = max(self.decay, self.decay + 2 * self.signal_decay)
            if heaviest > HEAVIEST:
                raise ValueError(
                    f"the limit of this power law has infinite variance, or nearly: decay and decay + 2*signal_decay "
                    f"must be at most {HEAVIEST}, got {heaviest:g}; give n_features for a finite one"
                )
            ranks, weights = _uniform_in_log(depth=40 / (1 - heaviest))
        with np.errstate(over="ignore"):  # what overflows is refused by name
            super().__init__(ranks**-self.decay, ranks**-self.signal_decay, weights)

    def __repr__(self) -> str:
        return f"PowerLaw(decay={self.decay}, signal_decay={self.signal_decay}, n_features={self.n_features})"


def _one_number(value: Any, name: str) -> float:
    array = exact_array(value, name)
    if array.ndim != 0:
        raise ValueError(f"{name} must be one number, got {value!r}")
    return float(as_float(array))


def _uniform_in_log(depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for x uniform on (0, 1): Gauss-Legendre panels of width one in -log x, down to exp(-depth)."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    panels = np.arange(np.ceil(depth))[:, None]
    y = (panels + (nodes + 1) / 2).ravel()
    mass = np.exp(-y) * np.tile(weights / 2, panels.size)
    return np.exp(-y), mass


def _nonnegative(array: np.ndarray, name: str) -> np.ndarray:
    if np.any(array < 0):
        raise ValueError(f"{name} must be at least 0, got {array[array < 0].flat[0]}")
    return array


def _check_sum(weights: np.ndarray, atoms: int) -> None:
    sums = as_float(np.broadcast_to(weights, (*weights.shape[:-1], atoms)).sum(axis=-1, keepdims=True))
    wrong = abs(sums - 1) > 1e-12
    if wrong.any():
        raise ValueError(f"weights must sum to one over the atoms, got a sum of {sums[wrong].flat[0]:.15g}")


def matching_shapes(arrays: dict[str, np.ndarray]) -> tuple[int, ...]:
    """The broadcast shape of named arrays; a ValueError that names them and their shapes if there is none."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"shapes do not match: {shapes}") from error


def count(value: Any, name: str) -> int:
    """`value` as a positive integer."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return int(value)


def plain(array: np.ndarray) -> Any:
    """An exact array as JSON values: numbers where doubles are exact, strings such as "1/10" elsewhere."""
    if array.dtype.kind in "iu":
        return array.tolist()
    values: Any = np.frompyfunc(lambda x: float(x) if float(x) == x else str(x), 1, 1)(array)
    return values.tolist() if array.ndim else values
