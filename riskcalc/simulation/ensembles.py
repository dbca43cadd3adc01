"""Stacks of trials in a backend's arrays: how samples are drawn, fitted and measured. Written against the array API."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from riskcalc.simulation.backends import Backend
from riskcalc.simulation.choices import Fitted
from riskcalc.simulation.populations import Population


class Ensemble:
    """A stack of trials in the backend's arrays: independent features, each with its variance.

    Attributes
    ----------
    noise_variance, ridge : float
        Of the target; of the first fit.
    eigenvalues, truth, penalty, ranks : array of shape (1, p) or (T, p)
        Variances, true coefficients, penalty weights, places among the distinct variance * coefficient^2.
    live : array of bool
        Which features have variance.
    """

    def __init__(self, features: Population, noise_variance: float, ridge: float, backend: Backend):
        self.noise_variance, self.ridge, self.backend, self.xp = noise_variance, ridge, backend, backend.xp
        self.eigenvalues, self.penalty, self.ranks, self.truth = (
            self.xp.asarray(array)
            for array in (features.eigenvalues, features.penalty, features.ranks, features.coefficients)
        )
        self.live = self.eigenvalues > 0

    def sample(self, entries: Any, noise: Any) -> tuple[Any, Any]:
        """Designs and targets, from independent standardised entries."""
        design = self.design(entries)
        return design, self._applied(design, self.truth) + self.noise_variance**0.5 * noise

    def design(self, entries: Any) -> Any:
        """The features of a sample, in place of their entries."""
        entries *= self.xp.sqrt(self.eigenvalues)[:, None, :]
        return entries

    def excess_risk(self, error: Any) -> Any:
        """Test risk beyond the noise, exactly, given the error of the coefficients; shape (T,)."""
        return self.xp.sum(self.eigenvalues * error**2, axis=-1)

    def measured(self, design: Any, target: Any, coefficients: Any) -> Any:
        """Test risk and mean squared residual; shape (T, 2)."""
        residuals = target - self._applied(design, coefficients)
        return self.xp.stack([self.risk(coefficients), self.xp.mean(residuals**2, axis=-1)], axis=-1)

    def risk(self, coefficients: Any) -> Any:
        """Test risk, exact given the fit; shape (T,)."""
        return self.noise_variance + self.excess_risk(self.truth - coefficients)

    def tested_on(self, entries: Any) -> None:
        """Take the entries of test rows, if the sampler asks for any, where no exact risk is known."""

    def places(self) -> Any:
        """The features' places in the true ranking."""
        return self.ranks

    def _applied(self, design: Any, coefficients: Any) -> Any:
        return self.xp.matmul(design, coefficients[..., None])[..., 0]

    def fitted(self, coefficients: Any, design: Any, luck: Any) -> Fitted:
        """A fit, and what a policy may look at; what its sample tells is found once."""

        @cache
        def curvatures() -> Any:
            return self.curvatures(design, self.penalty, self.live, self.ridge)

        @cache
        def effective_ridge() -> Any:
            return self.effective_ridge(design, self.ridge)

        known = (self.eigenvalues, self.truth, self.places, self.penalty)
        return Fitted(self.xp, coefficients, *known, luck, curvatures, effective_ridge)

    def effective_ridge(self, design: Any, ridge: float, rows: Any = 1.0) -> Any:
        """The effective ridge of a first fit, from its sample alone: one over the mean of 1/(eigenvalue + ridge), over
        the n eigenvalues of X D^-1 X'/n; zero where features are few and there is no ridge; shape (T, 1).

        That mean is the Stieltjes transform v at -ridge of what the eigenvalues tend to, for which Silverstein's
        equation is 1/v = ridge + (p/n) mean(l/(1 + v l)) over the features' l = variance/D. It is that of the diagonal
        of the inverse of X D^-1 X'/n + ridge, in which a row of a multiple of the variance counts as much more.
        """
        xp, n = self.xp, design.shape[1]
        counts = xp.sum(xp.astype(self.live, design.dtype), axis=-1, keepdims=True) + xp.zeros_like(design[:, :1, 0])
        if ridge == 0 and bool(xp.all(counts <= n)):
            return xp.zeros_like(counts)
        scaled = design / xp.sqrt(self.penalty)[:, None, :]
        gram = xp.matmul(scaled, xp.matrix_transpose(scaled)) / n + ridge * xp.eye(n, dtype=design.dtype)
        return 1 / xp.mean(rows * xp.linalg.diagonal(xp.linalg.inv(gram)), axis=-1, keepdims=True)

    def curvatures(self, design: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """The diagonal of the inverse Hessian of the penalised loss, up to a factor per trial; its limit as the ridge
        vanishes, where there is none and features are many."""
        xp, n = self.xp, design.shape[1]
        scaled = design / xp.sqrt(penalty)[:, None, :]
        transposed = xp.matrix_transpose(scaled)
        counts = xp.sum(xp.astype(live, design.dtype), axis=-1)
        if bool(xp.all(counts <= n)):
            gram = xp.matmul(transposed, scaled) + self._diagonal(live, n * ridge, design)
            return xp.linalg.diagonal(xp.linalg.inv(gram)) / penalty
        gram = xp.matmul(scaled, transposed) + n * ridge * xp.eye(n, dtype=design.dtype)
        seen = xp.sum(scaled * xp.matmul(xp.linalg.inv(gram), scaled), axis=1)
        return (1 - seen) / penalty

    def _diagonal(self, live: Any, ridge: float, design: Any) -> Any:
        """A ridge on live features, as a matrix; one on the others, which have no rows or columns."""
        xp = self.xp
        diagonal = xp.where(live, xp.asarray(ridge, dtype=design.dtype), xp.asarray(1.0, dtype=design.dtype))
        return diagonal[:, :, None] * xp.eye(design.shape[2], dtype=design.dtype)

    def fit(self, design: Any, target: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """The minimiser of |y - X b|^2/n + ridge * sum(penalty * b^2), of least penalty where there are several.

        With a negative ridge and many features it is the stationary point among the combinations of rows. By the
        Cholesky factorisation of the smaller Gram matrix. Features without variance get zero.
        """
        xp, n = self.xp, design.shape[1]
        plain = bool(xp.all(penalty == 1))
        root = xp.sqrt(penalty)
        scaled = design if plain else design / root[:, None, :]
        counts = xp.sum(xp.astype(live, design.dtype), axis=-1)
        few, many = bool(xp.all(counts <= n)), bool(xp.all(counts > n))
        if not (few or many or ridge > 0):
            raise ValueError(
                "features without variance leave some trials with more live features than samples and some with "
                "fewer; give a ridge, or another n_samples or keep"
            )
        transposed = xp.matrix_transpose(scaled)
        if few:
            gram = xp.matmul(transposed, scaled) + self._diagonal(live, n * ridge, design)
            solution = self.backend.solve(gram, self._applied(transposed, target))
        else:
            gram = xp.matmul(scaled, transposed)
            if ridge != 0:
                gram = gram + n * ridge * xp.eye(n, dtype=design.dtype)
            solution = self._applied(transposed, self.backend.solve(gram, target))
        return solution if plain else solution / root


class UnequalRows(Ensemble):
    """Rows of unequal length: `rows` are factors of their features' variances, of shape (1, n) or (T, n).

    A row without variance has no part in a fit but to be counted among the n.
    """

    def __init__(self, rows: np.ndarray, features: Population, noise_variance: float, ridge: float, backend: Backend):
        super().__init__(features, noise_variance, ridge, backend)
        self.rows = self.xp.asarray(rows)

    def design(self, entries: Any) -> Any:
        """The features of a sample: each row by its length."""
        return super().design(entries) * self.xp.sqrt(self.rows)[:, :, None]

    def effective_ridge(self, design: Any, ridge: float, rows: Any = 1.0) -> Any:
        """From the rows that have variance, each by its own."""
        kept, share = self._lively(design)
        return super().effective_ridge(kept, ridge / share, self._taken(self.rows[:, :, None])[:, :, 0])

    def curvatures(self, design: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """Of the rows that have variance."""
        kept, share = self._lively(design)
        return super().curvatures(kept, penalty, live, ridge / share)

    def fit(self, design: Any, target: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """To the rows that have variance: the others change nothing."""
        kept, share = self._lively(design)
        return super().fit(kept, self._taken(target[:, :, None])[:, :, 0], penalty, live, ridge / share)

    def _lively(self, design: Any) -> tuple[Any, float]:
        """The rows that have variance, and which part of all rows they are."""
        kept = self._taken(design)
        return kept, kept.shape[1] / design.shape[1]

    def _taken(self, array: Any) -> Any:
        """Rows that have variance in some trial."""
        found = self.xp.nonzero(self.xp.any(self.rows > 0, axis=0))[0]
        return array if found.shape[0] == array.shape[1] else self.xp.take(array, found, axis=1)


class Mixed(Ensemble):
    """Correlated features: each mixes independent entries by its row of `mixing`, of shape (1, p, m) or (T, p, m), and
    adds one of its own where there are `deviations`, of shape (1, p) or (T, p).

    Where there are more features than rows of `mixing`, they are independent copies of those that it makes. Of a
    covariance that may be singular the `rank` is told: fits without a ridge are then by the pseudo-inverse.
    """

    def __init__(
        self,
        mixing: np.ndarray,
        features: Population,
        noise_variance: float,
        ridge: float,
        backend: Backend,
        deviations: np.ndarray | None = None,
        rank: int | None = None,
    ):
        super().__init__(features, noise_variance, ridge, backend)
        self.mixing = self.xp.asarray(mixing)
        self.deviations = None if deviations is None else self.xp.asarray(deviations)
        self.rank = rank
        self.copies = self.eigenvalues.shape[-1] // mixing.shape[1]

    def design(self, entries: Any) -> Any:
        """The features of a sample: entries times the mixing."""
        trials, n, _ = entries.shape
        count, common = self.copies * self.mixing.shape[2], self.mixing.shape[2]
        mixed = self.xp.matmul(
            self.xp.reshape(entries[:, :, :count], (trials, -1, common)), self.xp.matrix_transpose(self.mixing)
        )
        mixed = self.xp.reshape(mixed, (trials, n, -1))
        return mixed if self.deviations is None else mixed + self.deviations[:, None, :] * entries[:, :, count:]

    def excess_risk(self, error: Any) -> Any:
        """Test risk beyond the noise: the squared norm of the error as the entries see it."""
        of_copies = self.xp.reshape(error, (error.shape[0], self.copies, -1))
        seen = self.xp.sum(self.xp.matmul(of_copies, self.mixing) ** 2, axis=(-2, -1))
        return seen if self.deviations is None else seen + self.xp.sum((self.deviations * error) ** 2, axis=-1)

    def effective_ridge(self, design: Any, ridge: float, rows: Any = 1.0) -> Any:
        """Zero without a ridge where the rank, too, is no larger than the sample."""
        if ridge == 0 and self.rank is not None and self.rank <= design.shape[1]:
            return self.xp.zeros_like(design[:, :1, 0])
        return super().effective_ridge(design, ridge, rows)

    def fit(self, design: Any, target: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """As for independent features, whose Gram matrices are regular."""
        if self.rank is None or ridge != 0:
            return super().fit(design, target, penalty, live, ridge)
        return self._applied(self.xp.linalg.pinv(design, rtol=1e-10), target)
