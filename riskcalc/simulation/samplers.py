"""Problems at a finite size: how samples of each kind are drawn, fitted and measured. No formula of the theory.

`sampler` dispatches on the class of a problem; `sized` gives the problem that is simulated at a size. A new kind
registers both; where its features are not independent, an `Ensemble` of its own says how it is drawn and measured.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.exact import as_float, as_fractions, count
from riskcalc.laws import Empirical
from riskcalc.memory import fits
from riskcalc.policies import Group, Optimal, Policy, Procedure, Ranking, Subset
from riskcalc.problems import LinearGaussian, Problem, RankOne
from riskcalc.simulation.backends import Backend
from riskcalc.simulation.ensembles import Ensemble, Mixed, UnequalRows
from riskcalc.simulation.populations import Population, dense_ranks, population, stacked

# Without a ridge the risk of a sample of n rows in r dimensions has a finite variance only if they differ by this much.
NEAREST = 4
# Largest over smallest variance per penalty of an interpolator that keeps four digits and more.
MOST_SPREAD = 1e12
# Of every feature: arrays of what it is, and as many on the way.
BYTES = 100


class Sampler(ABC):
    """A problem at a finite size, for the process that draws its trials.

    Attributes
    ----------
    problem : Problem
        With whole numbers of samples and features: those of every trial, or an example of them.
    columns : int
        Independent entries in a row of a design.
    test_rows : int
        Rows that a trial draws to measure fits on, where their risk is not known exactly.
    own_entries : bool
        Whether rows have entries of their own, so that nobody chooses their distribution.
    """

    problem: Any
    test_rows: Any = 0
    own_entries: Any = False

    @property
    def columns(self) -> int:
        """One for each feature."""
        return self.n_features

    @property
    def n_samples(self) -> int:
        """Rows of a sample."""
        return int(self.problem.n_samples)

    @property
    def n_live(self) -> int:
        """Rows that hold more than noise."""
        return self.n_samples

    @property
    def n_features(self) -> int:
        """Number of features."""
        return int(self.problem.n_features)

    @property
    def noise_variance(self) -> float:
        """Of the target."""
        return float(as_float(self.problem.noise_variance)[()])

    @property
    def ridge(self) -> float:
        """Of the first fit."""
        return float(as_float(self.problem.ridge)[()])

    @property
    def trial_bytes(self) -> int:
        """Memory of a trial besides its samples and fits."""
        return 0

    def settled(self, procedure: Procedure) -> Procedure:
        """A procedure as it is carried out."""
        return procedure

    @abstractmethod
    def check(self, procedure: Procedure) -> None:
        """Refuse a procedure, in whole numbers, that has no finite error at this size, or that is not simulated."""

    @abstractmethod
    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """Trials of some blocks, given what `redrawn` gave for each."""

    def redrawn(self, trials: int, seed: np.random.SeedSequence) -> Any:
        """The features of some trials, if they are drawn anew; None if all trials have the same."""
        return None


@singledispatch
def sized(problem: Problem, n_samples: int) -> Any:
    """The problem of this many samples whose features are those of a simulation."""
    raise TypeError(
        f"what a {type(problem).__name__} is at a finite size is not registered (riskcalc.simulation.samplers.sized)"
    )


@singledispatch
def sampler(problem: Problem, n_samples: int, drawn: bool) -> Sampler:
    """Samples of so many rows; `drawn` asks for features drawn anew in every trial."""
    raise TypeError(
        f"how a {type(problem).__name__} is sampled is not registered (riskcalc.simulation.samplers.sampler)"
    )


def rows_of(problem: Problem, n_samples: int | None) -> int:
    """The number of rows asked for, or the problem's own."""
    if n_samples is None:
        if problem.n_samples is None:
            raise ValueError("n_samples (--size) is missing: this problem is an aspect ratio; say at what size to draw")
        n_samples = int(problem.n_samples)
    return count(n_samples, "n_samples")


@sized.register
def _(problem: LinearGaussian, n_samples: int) -> LinearGaussian:
    """Features at the quantiles of the law, each an atom."""
    ratio: Any = as_fractions(problem.aspect_ratio)[()]
    p = round(ratio * n_samples)
    if p < 1:
        raise ValueError(
            f"n_samples = {n_samples} at {float(ratio):g} features per sample leaves no feature; take more samples"
        )
    fits(BYTES * p, f"{p:,} features at n_samples = {n_samples:,}")
    own = population(problem, p)
    rows = None if problem.rows is None else problem.rows.features(n_samples)[0]
    return LinearGaussian(
        n_samples=n_samples,
        n_features=p,
        law=Empirical(own.eigenvalues[0], own.signal[0]),
        noise_variance=problem.noise_variance,
        ridge=problem.ridge,
        penalty=None if problem.penalty is None else own.penalty[0],
        basis=problem.basis,
        row_variances=rows,
    )


@sampler.register
def _(problem: LinearGaussian, n_samples: int, drawn: bool) -> Sampler:
    finite = sized(problem, n_samples)
    kind = _SAMPLERS[problem.basis] if finite.rows is None else UnequalRowsSampler
    return kind(finite, population(finite, int(finite.n_features)), problem if drawn else None)


_SAMPLERS: dict[str, Any] = {}


def in_basis(name: str) -> Callable[[Any], Any]:
    """Register what samples linear Gaussian problems in a basis: a decorator."""

    def register(kind: Any) -> Any:
        _SAMPLERS[name] = kind
        return kind

    return register


@in_basis("principal")
@dataclass(frozen=True)
class DiagonalSampler(Sampler):
    """Independent Gaussian features; with a `law`, they are drawn from it anew in every trial."""

    problem: LinearGaussian
    features: Population
    law: LinearGaussian | None

    def redrawn(self, trials: int, seed: np.random.SeedSequence) -> Any:
        """From the law."""
        if self.law is None:
            return None
        rng = np.random.default_rng(seed.spawn(1)[0])
        return stacked([population(self.law, self.n_features, rng) for _ in range(trials)])

    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """The same features in all trials, or those of each."""
        own = self.features if self.law is None else stacked(list(drawn))
        return Ensemble(own, self.noise_variance, self.ridge, backend)

    def check(self, procedure: Procedure) -> None:
        """Without a ridge the sizes of a fit must differ; weak features must not be lost beside strong ones."""
        live = self.features.eigenvalues > 0
        check_sizes(self, procedure, int(np.count_nonzero(live)), "features with variance")
        if np.count_nonzero(live) > self.n_live:
            check_spread((self.features.eigenvalues / self.features.penalty)[live], "eigenvalues over penalties")
        for policy, _ in procedure.rounds:
            check_choice(policy, self.features, self.law is not None)
            if isinstance(policy, Subset):
                raise ValueError("the features of a law have no names; a subset is of correlated features")


class UnequalRowsSampler(DiagonalSampler):
    """Rows of unequal length, at the quantiles of their law, or drawn from it."""

    @property
    def lengths(self) -> np.ndarray:
        """The variances of rows at the quantiles, shape (1, n)."""
        assert self.problem.rows is not None
        return as_float(self.problem.rows.eigenvalues)[None, :]

    @property
    def n_live(self) -> int:
        """Rows that have variance; of drawn ones the mean number."""
        return int(np.count_nonzero(self.lengths))

    def check(self, procedure: Procedure) -> None:
        """As with equal rows; their number that has variance must be the same in all trials."""
        if self.law is not None and self.n_live < self.n_samples:
            raise ValueError('rows without variance are simulated with features="quantiles" only')
        super().check(procedure)

    def redrawn(self, trials: int, seed: np.random.SeedSequence) -> Any:
        """Features and rows from their laws."""
        if self.law is None or self.law.rows is None:
            return None
        rng = np.random.default_rng(seed.spawn(1)[0])
        rows = np.stack([self.law.rows.features(self.n_samples, rng)[0] for _ in range(trials)])
        return super().redrawn(trials, seed), rows

    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """The same features and rows in all trials, or those of each."""
        if self.law is None:
            features, rows = self.features, self.lengths
        else:
            own, lengths = zip(*drawn, strict=True)
            features, rows = stacked([*own]), np.concatenate(lengths)
        return UnequalRows(rows, features, self.noise_variance, self.ridge, backend)


@sized.register
def _(problem: RankOne, n_samples: int) -> RankOne:
    """The same features at any size."""
    return RankOne(problem.loadings, problem.coefficients, n_samples, problem.noise_variance.item())


@sampler.register
def _(problem: RankOne, n_samples: int, drawn: bool) -> Sampler:
    if drawn:
        raise ValueError('the features of one factor are given; leave features="drawn" out')
    return OneFactorSampler(sized(problem, n_samples))


@dataclass(frozen=True)
class OneFactorSampler(Sampler):
    """The same features in all trials, of one factor."""

    problem: RankOne

    @property
    def columns(self) -> int:
        """The factor."""
        return 1

    def check(self, procedure: Procedure) -> None:
        """Every least-squares fit is one."""
        for policy, retrain in procedure.rounds:
            if isinstance(policy, (Group, Optimal)) or (isinstance(policy, Ranking) and not policy.again):
                raise ValueError(f"with one factor {policy.kind} is not simulated: what it looks at is not defined")
            if retrain is not None and retrain.ridge is not None and float(retrain.ridge) != 0:
                raise ValueError("with one factor second fits are simulated without a ridge; leave it out")

    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """The same features in all trials."""
        loadings, coefficients = as_float(self.problem.loadings), as_float(self.problem.coefficients)
        p = self.n_features
        ranks = dense_ranks((loadings * coefficients) ** 2)
        columns = (loadings**2, np.sqrt(p) * coefficients, np.ones(p), ranks)
        features = Population(*(column[None, :] for column in columns))
        return Mixed(loadings[None, :, None], features, self.noise_variance, self.ridge, backend, rank=1)


@singledispatch
def check_choice(policy: Policy, features: Population, drawn: bool) -> None:
    """Refuse a policy that these features do not allow to be simulated."""


@check_choice.register
def _(policy: Group, features: Population, drawn: bool) -> None:
    _check_given(policy, drawn)
    own = np.stack([features.eigenvalues[0], features.signal[0], features.penalty[0]])
    p, size = own.shape[-1], policy.size
    if p % size or np.any(own.reshape(3, -1, size) != own.reshape(3, -1, size)[:, :, :1]):
        raise ValueError(
            f"groups of {size} do not divide the features of every kind, which are {p} together; groups are of one "
            "kind, so take another n_samples or size"
        )


@check_choice.register
def _(policy: Optimal, features: Population, drawn: bool) -> None:
    _check_given(policy, drawn)
    kinds = np.stack([features.eigenvalues[0], features.penalty[0], features.signal[0]])
    if np.unique(kinds, axis=1).shape[1] != np.unique(kinds[:2], axis=1).shape[1]:
        raise ValueError(
            "the optimal rule is simulated only where no two features share their eigenvalue and penalty but not "
            "their coefficient; it is predicted for others, too"
        )


def _check_given(policy: Policy, drawn: bool) -> None:
    if drawn:
        raise ValueError(f'{policy.kind} is simulated with features="quantiles" only')


def looks_at_first_fit(procedure: Procedure) -> bool:
    """Whether anything of the fit to all features is left in a model: a refit on features that it did not choose has
    nothing of it."""
    first = next(iter(procedure.rounds), None)
    return first is None or first[1] is None or first[0].sees_fit


def check_sizes(sampler: Sampler, procedure: Procedure, rank: int, what: str) -> None:
    """Refuse fits without a ridge to about as many rows as what they fit has dimensions: `rank`, or as many as are
    kept."""
    n = sampler.n_live
    if looks_at_first_fit(procedure):
        _check_variance(n, rank, sampler.ridge, what)
    for policy, retrain in procedure.rounds:
        if retrain is None:
            continue
        kept = policy.whole(sampler.n_features, np.array(sampler.n_features)).n_keep or 0
        ridge = sampler.ridge if retrain.ridge is None else float(retrain.ridge)
        if policy.repeats and ridge == 0 and kept > n:
            raise ValueError(
                "with replacement the number of distinct features is random; retrain with a ridge, or keep fewer"
            )
        _check_variance(n, kept if policy.by_chance else min(kept, rank), ridge, "features kept")


def _check_variance(n: int, rank: int, ridge: float, what: str) -> None:
    if ridge == 0 and abs(n - rank) < NEAREST:
        raise ValueError(
            f"n_samples = {n} is too near the {rank} {what}: without a ridge the risk then has no finite variance; "
            f"they must differ by at least {NEAREST}, so take more samples or a ridge"
        )


def check_spread(scales: np.ndarray, what: str) -> None:
    """With more features than samples, weak features are lost to rounding beside strong ones."""
    if scales.max() > MOST_SPREAD * scales.min():
        raise ValueError(
            f"{what} from {scales.min():g} to {scales.max():g} are too far apart to simulate with "
            f"more features than samples in double precision; their ratio must be at most {MOST_SPREAD:g}"
        )
