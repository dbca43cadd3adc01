"""Samples of true random features: neurons, with weights of their own in every trial; no Gaussian equivalent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskcalc.policies import Optimal, Procedure
from riskcalc.problems import RandomFeatures
from riskcalc.problems.hermite import parts
from riskcalc.problems.kernels import neurons
from riskcalc.simulation.backends import Backend
from riskcalc.simulation.ensembles import Ensemble
from riskcalc.simulation.populations import Population, dense_ranks
from riskcalc.simulation.samplers import DiagonalSampler, Sampler, sampler, sized

# Rows that measure a fit, for each row of a sample: what they leave to chance is then little beside what samples do.
TEST_ROWS = 4


@sized.register
def _(problem: RandomFeatures, n_samples: int) -> RandomFeatures:
    """Inputs and features in proportion to the samples."""
    own = int(problem.n_samples)
    d, p = (round(int(size) * n_samples / own) for size in (problem.n_inputs, problem.n_features))
    if min(d, p) < 1:
        raise ValueError(
            f"n_samples = {n_samples} leaves no input or no feature of {problem.n_inputs} and {problem.n_features} at "
            f"n_samples = {own}; take more samples"
        )
    sizes = {"n_inputs": d, "n_features": p, "n_samples": n_samples}
    return RandomFeatures(**{**problem.given(), **sizes})


@sampler.register
def _(problem: RandomFeatures, n_samples: int, drawn: bool) -> Sampler:
    if drawn:
        raise ValueError('weights of random features are drawn anew in every trial; leave features="drawn" out')
    own = sized(problem, n_samples)
    alike = np.ones((1, int(own.n_features)))
    features = Population(parts(own.activation).variance * alike, 0 * alike, alike, 0 * alike)
    return NeuronSampler(own, features, None)


@dataclass(frozen=True)
class NeuronSampler(DiagonalSampler):
    """Neurons of standard normal inputs, or of others of variance one."""

    problem: Any

    @property
    def columns(self) -> int:
        """The inputs."""
        return int(self.problem.n_inputs)

    @property
    def test_rows(self) -> int:
        """In proportion to those of a sample."""
        return TEST_ROWS * self.n_samples

    @property
    def trial_bytes(self) -> int:
        """Weights, inputs, and the features of the test rows."""
        rows = self.n_samples + self.test_rows
        return 8 * (self.n_features * (self.columns + self.test_rows) + rows * self.columns)

    def redrawn(self, trials: int, seed: np.random.SeedSequence) -> Any:
        """Weights of the neurons and direction of the target, uniform on the unit sphere."""
        rng = np.random.default_rng(seed.spawn(1)[0])
        rows = rng.standard_normal((trials, self.n_features + 1, self.columns))
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)

    def ensemble(self, drawn: Sequence[Any], backend: Backend) -> Ensemble:
        """Each trial with its own weights."""
        rows = np.concatenate(drawn)
        return Neurons(self.problem, rows[:, 1:], rows[:, 0], self.features, self.noise_variance, self.ridge, backend)

    def check(self, procedure: Procedure) -> None:
        """A linear network has no more independent features than inputs."""
        super().check(procedure)
        d, n, linear = self.columns, self.n_samples, parts(self.problem.activation).rest == 0
        fits = [(self.n_features, self.ridge)]
        for policy, retrain in procedure.rounds:
            if isinstance(policy, Optimal):
                raise ValueError(f"{policy.kind} is not simulated with random features; it is predicted")
            if linear and policy.sees_truth and self.n_features > d:
                raise ValueError("a linear network of more features than inputs has no true coefficients to rank")
            if retrain is not None:
                kept = policy.whole(self.n_features, np.array(self.n_features)).n_keep or 0
                fits.append((kept, self.ridge if retrain.ridge is None else float(retrain.ridge)))
        if linear and any(ridge == 0 and min(p, n) > d for p, ridge in fits):
            raise ValueError(
                f"a linear network of {d} inputs has that many independent features; without a ridge, fits of more of "
                f"them to {n} samples are not simulated: take a ridge, or fewer samples or features"
            )


class Neurons(Ensemble):
    """Features act(w'x) less their means, and a target that is a function of the same inputs x.

    Attributes
    ----------
    weights, direction : array of shape (T, p, d), (T, d)
    """

    def __init__(
        self,
        problem: RandomFeatures,
        weights: np.ndarray,
        direction: np.ndarray,
        features: Population,
        noise_variance: float,
        ridge: float,
        backend: Backend,
    ):
        super().__init__(features, noise_variance, ridge, backend)
        self.problem, self._rows, self._index = problem, weights, direction
        self.weights, self.direction = (self.xp.asarray(array) for array in (weights, direction))

    def _by_numpy(self, function: Any, inputs: Any) -> Any:
        return self.xp.asarray(function(self.backend.to_numpy(inputs)))

    def sample(self, entries: Any, noise: Any) -> tuple[Any, Any]:
        """Features and targets of the inputs that the entries are."""
        return self.design(entries), self.target(entries) + self.noise_variance**0.5 * noise

    def design(self, entries: Any) -> Any:
        """The neurons' values."""
        activation = self.problem.activation
        inputs = self.xp.matmul(entries, self.xp.matrix_transpose(self.weights))
        return self._by_numpy(activation, inputs) - parts(activation).mean

    def target(self, entries: Any) -> Any:
        """The target without its noise."""
        return self._by_numpy(self.problem.index, self._applied(entries, self.direction))

    def tested_on(self, entries: Any) -> None:
        """Take inputs on which fits are measured."""
        self._tests = self.design(entries), self.target(entries)

    def risk(self, coefficients: Any) -> Any:
        """Mean over the test rows."""
        design, target = self._tests
        return self.noise_variance + self.xp.mean((target - self._applied(design, coefficients)) ** 2, axis=-1)

    def places(self) -> Any:
        """By coefficients of the regression of the target's linear part on the features, whose covariance is known."""
        covariances = neurons(self.problem.activation, self._rows)
        cross = (self._rows @ self._index[..., None])[..., 0]
        slope = parts(self.problem.activation).slope * float(self.problem.signal)
        true = np.linalg.solve(covariances, slope * cross[..., None])[..., 0]
        return self.xp.asarray(np.stack([dense_ranks(row) for row in true**2]))
