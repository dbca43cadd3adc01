"""The features of a problem at finite size: variances, coefficients, penalties, and their true ranking."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from riskcalc.exact import as_float
from riskcalc.problems import LinearGaussian


@dataclass(frozen=True)
class Population:
    """The features of one or several draws of a law; arrays of shape (1, p) or (T, p).

    Attributes
    ----------
    eigenvalues, signal, penalty : ndarray
        As in `LinearGaussian`, feature by feature.
    ranks : ndarray
        Place of each feature's true eigenvalue * signal^2 among the distinct values, from the smallest up.
    """

    eigenvalues: np.ndarray
    signal: np.ndarray
    penalty: np.ndarray
    ranks: np.ndarray

    @property
    def coefficients(self) -> np.ndarray:
        """The true coefficients themselves."""
        return self.signal / np.sqrt(self.signal.shape[-1])


def population(problem: LinearGaussian, n_features: int, rng: np.random.Generator | None = None) -> Population:
    """Features at the quantiles of the problem's law, or drawn from it by a generator; shape (1, p)."""
    eigenvalues, signal, atom = problem.law.features(n_features, rng)
    if problem.penalty is None:
        penalty = np.ones(n_features)
    elif isinstance(problem.penalty, str):
        penalty = np.where(eigenvalues > 0, eigenvalues, 1)  # without variance the coefficient is zero anyway
    else:
        given = as_float(problem.penalty)
        penalty = np.broadcast_to(given, (problem.n_atoms,))[atom]
    columns = (eigenvalues, signal, penalty, dense_ranks(eigenvalues * signal**2))
    return Population(*(column[None, :] for column in columns))


def stacked(populations: list[Population]) -> Population:
    """Several draws as one, shape (T, p)."""
    return Population(
        *(np.concatenate([getattr(one, field.name) for one in populations]) for field in fields(Population))
    )


def dense_ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks from zero up, in which scores that agree to rounding are tied."""
    order = np.argsort(scores)
    steps = np.diff(scores[order]) > 1e-13 * scores[order][1:]
    ranks = np.empty(len(scores))
    ranks[order] = np.concatenate([[0], np.cumsum(steps)])
    return ranks
