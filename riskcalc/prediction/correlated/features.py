"""Correlated features in numbers: roots of their covariance, and what ridges make of parts of it.

A root is any F with F F' the covariance: the features are F u of uncorrelated u of variance one. A matrix has the root
of its eigenvectors; of factors it is [loadings, diag(sqrt(variances))], which is never written out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property, singledispatch
from typing import Any

import numpy as np
import scipy  # whose linalg is loaded when it is used

from riskcalc.exact import as_float
from riskcalc.prediction.solvers import NotCovered
from riskcalc.problems import FactorCovariance
from riskcalc.problems.correlated import ROUNDING

# Features of a singular covariance of factors that are taken as a matrix.
MOST_FEATURES = 4000


class Part(ABC):
    """Some features: of the shrinkages a = l/(l + ridge) of the eigenvalues l of their covariance S, sums; solutions.

    Attributes
    ----------
    size : int
    variance : float
        The trace of S.
    rank : int
        Of S, to rounding.
    """

    size: int
    variance: float
    rank: int

    @abstractmethod
    def sums(self, ridge: float) -> tuple[float, float]:
        """Of a over eigenvalues above 0, and of a (1 - a)."""

    @abstractmethod
    def solve(self, ridge: float, columns: np.ndarray) -> np.ndarray:
        """(S + ridge)^-1 columns; for no ridge the pseudo-inverse's."""

    @abstractmethod
    def inverse_diagonal(self, ridge: float) -> np.ndarray:
        """The diagonal of (S + ridge)^-1."""


class MatrixPart(Part):
    """A covariance as a matrix; the eigenvalues are found, the eigenvectors only where it is singular."""

    def __init__(self, covariance: np.ndarray, floor: float, eigenvalues: np.ndarray | None = None):
        self.covariance, self.size, self.variance = covariance, len(covariance), float(np.trace(covariance))
        found = np.linalg.eigvalsh(covariance) if eigenvalues is None else eigenvalues
        self.eigenvalues, self._floor = found[found > floor], floor
        self.rank = len(self.eigenvalues)

    def sums(self, ridge: float) -> tuple[float, float]:
        """From the eigenvalues."""
        shrinkage, rest = self.eigenvalues / (self.eigenvalues + ridge), ridge / (self.eigenvalues + ridge)
        return float(shrinkage.sum()), float(shrinkage @ rest)

    def solve(self, ridge: float, columns: np.ndarray) -> np.ndarray:
        """By Cholesky's factorisation."""
        if ridge == 0 and self.rank < self.size:
            eigenvalues, vectors = np.linalg.eigh(self.covariance)
            live = vectors[:, eigenvalues > self._floor]
            return (live / eigenvalues[eigenvalues > self._floor]) @ (live.T @ columns)
        return scipy.linalg.solve(self._shifted(ridge), columns, assume_a="pos")

    def inverse_diagonal(self, ridge: float) -> np.ndarray:
        """Of the inverse."""
        if ridge == 0 and self.rank < self.size:
            raise NotCovered("the surgeon's score has no limit where least squares has many solutions; give a ridge")
        return np.linalg.inv(self._shifted(ridge)).diagonal()

    def _shifted(self, ridge: float) -> np.ndarray:
        shifted = self.covariance.copy()
        shifted.flat[:: self.size + 1] += ridge
        return shifted


class FactorPart(Part):
    """Factors, and what each feature has of its own: by the identity of Woodbury."""

    def __init__(self, loadings: np.ndarray, own: np.ndarray):
        self.loadings, self.own, self.size = loadings, own, len(own)
        self.variance = float((loadings**2).sum() + own.sum())
        alone = own == 0  # whose variance is that of factors
        shared = np.linalg.svd(loadings[alone], compute_uv=False) ** 2 if alone.any() else np.zeros(0)
        self.rank = int(np.count_nonzero(~alone) + np.count_nonzero(shared > _floor(shared.max(initial=0), self.size)))
        self._solved: tuple[float, Any] = (np.nan, None)

    def _woodbury(self, ridge: float) -> tuple[np.ndarray, np.ndarray, Any]:
        """1/(own + ridge), the loadings over that, and the factor of 1 + loadings' loadings/(own + ridge)."""
        if self._solved[0] != ridge:
            inverse = 1 / (self.own + ridge)
            scaled = self.loadings * inverse[:, None]
            inner = self.loadings.T @ scaled
            inner.flat[:: len(inner) + 1] += 1
            self._solved = ridge, (inverse, scaled, scipy.linalg.cho_factor(inner))
        return self._solved[1]

    def sums(self, ridge: float) -> tuple[float, float]:
        """Traces of S R and ridge S R^2, where R = (S + ridge)^-1 and S R = 1 - ridge R."""
        if ridge == 0:
            return float(self.rank), 0.0
        inverse, scaled, inner = self._woodbury(ridge)
        squares = scipy.linalg.cho_solve(inner, scaled.T @ scaled)
        cubes = scipy.linalg.cho_solve(inner, scaled.T @ (scaled * inverse[:, None]))
        trace = inverse.sum() - np.trace(squares)
        trace_of_square = inverse @ inverse - 2 * np.trace(cubes) + (squares * squares.T).sum()
        return float(self.size - ridge * trace), float(ridge * (trace - ridge * trace_of_square))

    def solve(self, ridge: float, columns: np.ndarray) -> np.ndarray:
        """A few products with the loadings."""
        if ridge == 0 and not self.own.all():
            return self._as_matrix.solve(ridge, columns)
        inverse, scaled, inner = self._woodbury(ridge)
        return columns * inverse[:, None] - scaled @ scipy.linalg.cho_solve(inner, scaled.T @ columns)

    def inverse_diagonal(self, ridge: float) -> np.ndarray:
        """Of Woodbury's identity."""
        if ridge == 0 and not self.own.all():
            return self._as_matrix.inverse_diagonal(ridge)
        inverse, scaled, inner = self._woodbury(ridge)
        return inverse - (scaled * scipy.linalg.cho_solve(inner, scaled.T).T).sum(axis=1)

    @cached_property
    def _as_matrix(self) -> MatrixPart:
        if self.size > MOST_FEATURES:
            raise NotCovered(
                f"least squares on {self.size} features, of which some have no variance of their own, is predicted up "
                f"to {MOST_FEATURES} features; give variances above 0, or a ridge"
            )
        return MatrixPart(self.loadings @ self.loadings.T + np.diag(self.own), _floor(self.variance, self.size))


class Features(ABC):
    """All features, by a root F of shape (p, m) of their covariance.

    Attributes
    ----------
    dimension : int
        m.
    variances : ndarray, shape (p,)
    whole : Part
    """

    dimension: int
    variances: np.ndarray
    whole: Part

    @property
    def size(self) -> int:
        """p."""
        return len(self.variances)

    @abstractmethod
    def mixed(self, rows: np.ndarray) -> np.ndarray:
        """F u for rows u."""

    @abstractmethod
    def seen(self, rows: np.ndarray) -> np.ndarray:
        """F'b for rows b: what they predict, in terms of u."""

    @abstractmethod
    def part(self, kept: np.ndarray) -> Part:
        """Features by their places."""

    def shrunk(self, ridge: float, rows: np.ndarray) -> np.ndarray:
        """The coefficients (S + ridge)^-1 F u that a fit of u has."""
        return self.whole.solve(ridge, self.mixed(rows).T).T


class MatrixFeatures(Features):
    """By eigenvectors, of which those without variance are left out."""

    def __init__(self, covariance: np.ndarray):
        eigenvalues, vectors = np.linalg.eigh(covariance)
        self.covariance, self.variances = covariance, covariance.diagonal()
        self._floor = _floor(eigenvalues[-1], len(eigenvalues))
        self.whole = MatrixPart(covariance, self._floor, eigenvalues)
        live = len(eigenvalues) - self.whole.rank
        self._vectors, self._roots = vectors[:, live:], np.sqrt(eigenvalues[live:])
        self.dimension = self.whole.rank

    def mixed(self, rows: np.ndarray) -> np.ndarray:
        """By the eigenvectors."""
        return (rows * self._roots) @ self._vectors.T

    def seen(self, rows: np.ndarray) -> np.ndarray:
        """By the eigenvectors."""
        return (rows @ self._vectors) * self._roots

    def shrunk(self, ridge: float, rows: np.ndarray) -> np.ndarray:
        """Along the eigenvectors."""
        return (rows * (self._roots / (self._roots**2 + ridge))) @ self._vectors.T

    def fitted_law(self, ridge: float, truth: np.ndarray, deviation: float) -> tuple[np.ndarray, ...]:
        """Mean and covariance of the coefficients of a fit, and the diagonal of S (S + ridge)^-1."""
        shrunk = self._vectors * (self._roots / (self._roots**2 + ridge))
        return shrunk @ truth, deviation**2 * (shrunk @ shrunk.T), (shrunk * self._vectors) @ self._roots

    def part(self, kept: np.ndarray) -> Part:
        """Rows and columns."""
        return MatrixPart(self.covariance[np.ix_(kept, kept)], self._floor)


class FactorFeatures(Features):
    """By the factors, and one variable of its own for each feature."""

    def __init__(self, loadings: np.ndarray, own: np.ndarray):
        self.whole = self._whole = FactorPart(loadings, own)
        self._deviations, self._factors = np.sqrt(own), loadings.shape[1]
        self.variances, self.dimension = (loadings**2).sum(axis=1) + own, self._factors + len(own)

    def mixed(self, rows: np.ndarray) -> np.ndarray:
        """Factors times loadings, and what is a feature's own."""
        return rows[:, : self._factors] @ self._whole.loadings.T + rows[:, self._factors :] * self._deviations

    def seen(self, rows: np.ndarray) -> np.ndarray:
        """What goes by each factor, and by what is a feature's own."""
        return np.concatenate([rows @ self._whole.loadings, rows * self._deviations], axis=1)

    def part(self, kept: np.ndarray) -> Part:
        """Their loadings."""
        return FactorPart(self._whole.loadings[kept], self._whole.own[kept])


@singledispatch
def features_of(covariance: np.ndarray) -> Features:
    """The numbers of a covariance."""
    return MatrixFeatures(as_float(covariance))


@features_of.register
def _(covariance: FactorCovariance) -> Features:
    loadings = as_float(covariance.loadings)
    return FactorFeatures(loadings, np.broadcast_to(as_float(covariance.variances), len(loadings)).copy())


def _floor(largest: float, size: int) -> float:
    """What eigenvalues that are zero may come out as."""
    return ROUNDING * size * largest
