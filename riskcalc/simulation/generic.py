"""Samples of features in general position to the eigenvectors: every trial has a uniformly distributed basis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riskcalc.policies import Group, Optimal, Procedure, Random, Variance
from riskcalc.simulation.backends import Backend
from riskcalc.simulation.ensembles import Ensemble, Mixed
from riskcalc.simulation.populations import Population, stacked
from riskcalc.simulation.samplers import DiagonalSampler, in_basis


@in_basis("generic")
class GenericSampler(DiagonalSampler):
    """Features that mix those of the law by a rotation, drawn anew in every trial."""

    @property
    def trial_bytes(self) -> int:
        """The rotation, and what it is made from."""
        return 8 * 4 * self.n_features**2

    def redrawn(self, trials: int, seed: np.random.SeedSequence) -> tuple[np.ndarray, Population]:
        """Rotations, with the law's features at its quantiles or drawn from it; what mixes them, and what comes out."""
        own = super().redrawn(trials, seed)
        own = stacked([self.features] * trials) if own is None else own
        rotations = rotated(trials, self.n_features, np.random.default_rng(seed.spawn(1)[0]))
        mixing = rotations * np.sqrt(own.eigenvalues)[:, None, :]
        signal = (rotations @ own.signal[..., None])[..., 0]
        ranks = np.argsort(np.argsort(abs(signal), axis=-1), axis=-1).astype(float)
        return mixing, Population((mixing**2).sum(axis=-1), signal, own.penalty, ranks)

    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """Those of each trial."""
        mixing, features = zip(*drawn, strict=True)
        return Mixed(np.concatenate(mixing), stacked([*features]), self.noise_variance, self.ridge, backend)

    def check(self, procedure: Procedure) -> None:
        """As of independent features; without a ridge no fit may have more features than there are eigenvectors with
        variance."""
        p, n = self.n_features, self.n_samples
        rank = int(np.count_nonzero(self.features.eigenvalues))
        super().check(Procedure())
        _check_rank(p, n, rank, self.ridge)
        for policy, retrain in procedure.rounds:
            if isinstance(policy, (Optimal, Variance)):
                raise ValueError(
                    f"in a generic basis {policy.kind} is not simulated: what it looks at is known in the limit only"
                )
            if isinstance(policy, Group) and p % policy.size:
                raise ValueError(
                    f"groups of {policy.size} do not divide the {p} features; take another n_samples or size"
                )
            if retrain is not None:
                kept = policy.whole(p, np.array(p)).n_keep or 0
                super().check(Procedure(Random(n_keep=kept), retrain))
                _check_rank(kept, n, rank, self.ridge if retrain.ridge is None else float(retrain.ridge))


def rotated(trials: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Orthogonal matrices of uniform (Haar) distribution, shape (trials, size, size): Mezzadri 2007."""
    q, r = np.linalg.qr(rng.standard_normal((trials, size, size)))
    return q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[:, None, :]


def _check_rank(n_fitted: int, n: int, rank: int, ridge: float) -> None:
    if ridge == 0 and min(n_fitted, n) > rank:
        raise ValueError(
            f"a fit without a ridge to {n_fitted} features has no single solution: only {rank} eigenvectors have "
            "variance; give a ridge, or keep fewer"
        )
