"""Correlated features at a finite size: roots of their covariance, and copies of them in larger samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.memory import fits
from riskcalc.policies import BrainSurgeon, Optimal, Procedure
from riskcalc.problems import Correlated, FactorCovariance
from riskcalc.simulation.backends import Backend
from riskcalc.simulation.ensembles import Ensemble, Mixed
from riskcalc.simulation.populations import Population, dense_ranks
from riskcalc.simulation.samplers import Sampler, check_choice, check_sizes, check_spread, sampler, sized


@dataclass(frozen=True)
class Root:
    """Features as combinations of independent entries of variance one: mixing z + deviations z', and what follows.

    Attributes
    ----------
    mixing : ndarray, shape (p, m)
    deviations : ndarray, shape (p,), or None
    variances : ndarray, shape (p,)
        Of the features.
    rank : int
    scales : ndarray, or None
        Bounds of the eigenvalues of features that have variance; None where some may be zero.
    """

    mixing: np.ndarray
    deviations: np.ndarray | None
    variances: np.ndarray
    rank: int
    scales: np.ndarray | None

    @property
    def columns(self) -> int:
        """Independent entries in a row of a design."""
        return self.mixing.shape[1] + (0 if self.deviations is None else len(self.deviations))


@singledispatch
def root_of(covariance: np.ndarray) -> Root:
    """By eigenvectors, of which those without variance are left out."""
    eigenvalues, vectors = np.linalg.eigh(as_float(covariance))
    live = eigenvalues > _floor(eigenvalues.max(), len(eigenvalues))
    mixing, variances = vectors[:, live] * np.sqrt(eigenvalues[live]), as_float(covariance).diagonal()
    rank, scales = int(np.count_nonzero(live)), eigenvalues[live]
    return Root(mixing, None, variances, rank, scales if rank == np.count_nonzero(variances) else None)


@root_of.register
def _(covariance: FactorCovariance) -> Root:
    """The factors, and what each feature has of its own."""
    loadings, own = as_float(covariance.loadings), as_float(covariance.variances)
    own = np.broadcast_to(own, len(loadings))
    variances, strongest = np.sum(loadings**2, axis=1) + own, float(np.linalg.norm(loadings, 2)) ** 2
    shared = np.linalg.svd(loadings[own == 0], compute_uv=False) ** 2
    rank = np.count_nonzero(own) + np.count_nonzero(shared > _floor(strongest, len(loadings)))
    weakest = own[variances > 0].min(initial=np.inf)
    scales = np.array([weakest, strongest + own.max()]) if weakest > 0 else None
    return Root(loadings, np.sqrt(own), variances, int(rank), scales)


def _floor(largest: float, size: int) -> float:
    """What eigenvalues that are zero may come out as."""
    return 8 * size * np.finfo(float).eps * largest


@singledispatch
def repeated(covariance: np.ndarray, copies: int) -> Any:
    """The covariance of independent copies of the features."""
    size = copies * len(covariance)
    fits(8 * size**2, f"a covariance of {size:,} features")
    return np.kron(np.eye(copies), as_float(covariance))


@repeated.register
def _(covariance: FactorCovariance, copies: int) -> FactorCovariance:
    """Each copy has factors of its own."""
    loadings = as_float(covariance.loadings)
    fits(8 * copies**2 * loadings.size, f"loadings of {copies * len(loadings):,} features")
    own = np.tile(np.broadcast_to(as_float(covariance.variances), len(loadings)), copies)
    return FactorCovariance(np.kron(np.eye(copies), loadings), own)


@sized.register
def _(problem: Correlated, n_samples: int) -> Correlated:
    """In a larger sample independent copies of the features, each with its share of the signal: the limit is the
    same."""
    copies, left = divmod(n_samples, int(problem.n_samples))
    if left or not copies:
        raise ValueError(
            f"n_samples = {n_samples} is no multiple of the {problem.n_samples} of this problem: its features are "
            "given, and a larger sample has copies of them; take a multiple, or a problem of another n_samples"
        )
    if copies == 1:
        return problem
    return Correlated(
        covariance=repeated(problem.covariance, copies),
        coefficients=np.tile(as_float(problem.coefficients), copies) / np.sqrt(copies),
        n_samples=n_samples,
        noise_variance=problem.noise_variance.item(),
        ridge=problem.ridge.item(),
    )


@sampler.register
def _(problem: Correlated, n_samples: int, drawn: bool) -> Sampler:
    if drawn:
        raise ValueError('correlated features are given; leave features="drawn" out')
    finite = sized(problem, n_samples)
    root = root_of(problem.covariance)
    coefficients, p = as_float(finite.coefficients), int(finite.n_features)
    variances = np.tile(root.variances, p // len(root.variances))
    columns = (variances, np.sqrt(p) * coefficients, np.ones(p), dense_ranks(variances * coefficients**2))
    given = Given(n_samples, p, finite.noise_variance, finite.ridge)
    return CorrelatedSampler(given, root, Population(*(column[None, :] for column in columns)))


@dataclass(frozen=True)
class Given:
    """What a sampler says of its problem: workers get no covariance beside its root."""

    n_samples: int
    n_features: int
    noise_variance: np.ndarray
    ridge: np.ndarray


@dataclass(frozen=True)
class CorrelatedSampler(Sampler):
    """The same features in all trials: copies of those whose covariance has this root."""

    problem: Given
    root: Root
    features: Population

    @property
    def copies(self) -> int:
        """Of the features that are given."""
        return self.n_features // len(self.root.variances)

    @property
    def rank(self) -> int:
        """Of the covariance."""
        return self.copies * self.root.rank

    @property
    def columns(self) -> int:
        """Those of every copy."""
        return self.copies * self.root.columns

    @property
    def singular(self) -> bool:
        """Whether some combination of the features that have variance has none."""
        return self.root.rank < int(np.count_nonzero(self.root.variances))

    def check(self, procedure: Procedure) -> None:
        """Without a ridge the sizes of a fit must differ; what a policy looks at must be there."""
        check_sizes(self, procedure, self.rank, "dimensions of the features")
        if self.rank > self.n_samples and self.ridge == 0 and self.root.scales is not None:
            check_spread(self.root.scales, "eigenvalues of the covariance")
        for policy, _ in procedure.rounds:
            check_choice(policy, self.features, False)
            if isinstance(policy, Optimal):
                raise ValueError("the optimal rule is of independent features; correlated ones are not pruned by it")
            if isinstance(policy, BrainSurgeon) and self.singular and self.ridge == 0 and self.rank < self.n_samples:
                raise ValueError(
                    f"the covariance is singular, of rank {self.rank}: what {policy.kind} looks at needs a ridge"
                )

    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """The same features in all trials."""
        own = None if self.root.deviations is None else np.tile(self.root.deviations, self.copies)[None, :]
        rank = self.rank if self.root.scales is None else None
        return Mixed(
            self.root.mixing[None], self.features, self.noise_variance, self.ridge, backend, deviations=own, rank=rank
        )
