"""Random features (T10): the linear problem in a generic basis that they are equivalent to, and its solver.

`constants` gives the linear part of an activation and the variance of the rest. One of your own may register formulas:

    @constants.register
    def _(activation: Steps, work: Evaluator) -> tuple[Any, Any]:
        return work.value(STEPS_SLOPE, {}), work.value(STEPS_REST, {})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.exact import as_fractions
from riskcalc.laws import Atoms
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.prediction.solvers import Model, NotCovered, Solver, solver
from riskcalc.problems import LinearGaussian, RandomFeatures
from riskcalc.problems.activations import Activation, Erf, Linear, Relu, Sign
from riskcalc.problems.hermite import parts
from riskcalc.references import random_features


@singledispatch
def constants(activation: Activation, work: Evaluator) -> tuple[Any, Any]:
    """Linear part of an activation, and the variance of the rest: by quadrature, in double precision."""
    if work.system is not FLOAT64:
        raise NotCovered(
            f"digits: the constants of {activation!r} are integrated in double precision; leave digits out, or take an "
            "activation whose constants are in closed form, such as relu, erf, sign or linear"
        )
    found = parts(activation)
    return abs(found.slope), found.rest


@constants.register
def _(activation: Relu, work: Evaluator) -> tuple[Any, Any]:
    return work.value(random_features.RELU_SLOPE, {}), work.value(random_features.RELU_REST, {})


@constants.register
def _(activation: Erf, work: Evaluator) -> tuple[Any, Any]:
    return work.value(random_features.ERF_SLOPE, {}), work.value(random_features.ERF_REST, {})


@constants.register
def _(activation: Sign, work: Evaluator) -> tuple[Any, Any]:
    return work.value(random_features.SIGN_SLOPE, {}), work.value(random_features.SIGN_REST, {})


@constants.register
def _(activation: Linear, work: Evaluator) -> tuple[Any, Any]:
    """The identity itself."""
    return 1, 0


@dataclass(frozen=True)
class RandomFeaturesModel(Model):
    """A model of the equivalent linear problem, in whose noise is what is hidden of the target, shape (1, 1)."""

    linear: Any
    hidden: np.ndarray

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """Beyond the noise of the target there is what the features do not see of it."""
        status, values = self.linear.answer()
        return status, {**values, "excess_risk": values["excess_risk"] + self.hidden}

    def kept(self, work: Evaluator) -> np.ndarray:
        """Of the equivalent problem."""
        return self.linear.kept(work)


@solver.register
def _(problem: RandomFeatures, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    linear, hidden = equivalent(problem, work)
    for own in solver(linear, shape, work):
        yield RandomFeaturesSolver(own, hidden)


class RandomFeaturesSolver(Solver):
    """That of the equivalent linear problem."""

    def __init__(self, linear: Solver, hidden: np.ndarray):
        self.linear, self.hidden = linear, hidden

    def _of(self, model: Any) -> RandomFeaturesModel:
        return RandomFeaturesModel(model.status, model.values, model, self.hidden)

    def fit(self, first: RandomFeaturesModel | None) -> RandomFeaturesModel:
        """The second layer, fitted."""
        return self._of(self.linear.fit(_linear(first)))

    def prune(
        self, model: RandomFeaturesModel | None, policy: Policy, first: RandomFeaturesModel | None
    ) -> RandomFeaturesModel:
        """Neurons are left out."""
        return self._of(self.linear.prune(_linear(model), policy, _linear(first)))

    def refit(
        self, model: RandomFeaturesModel, retrain: Retrain, first: RandomFeaturesModel | None
    ) -> RandomFeaturesModel:
        """The second layer of the neurons that are left."""
        return self._of(self.linear.refit(model.linear, retrain, _linear(first)))

    def in_rounds(self, procedure: Procedure, dense: RandomFeaturesModel) -> RandomFeaturesModel:
        """As far as the theory of the equivalent problem has rounds."""
        return self._of(self.linear.in_rounds(procedure, dense.linear))


def _linear(model: RandomFeaturesModel | None) -> Any:
    return None if model is None else model.linear


class _Nodes(Atoms):
    """Nodes of a quadrature."""

    nodes_only = True


def equivalent(problem: RandomFeatures, work: Evaluator) -> tuple[LinearGaussian, np.ndarray]:
    """The linear problem in a generic basis that has the same risks, and what of its noise is hidden, shape (1, 1)."""
    if callable(problem.target) and work.system is not FLOAT64:
        raise NotCovered("digits: a target that is a function is integrated in double precision; leave digits out")
    slope, rest = constants(problem.activation, work)
    number, law = work.system.number, problem.law
    weights = np.asarray(law.weights)
    live = law.eigenvalues > 0
    psi, share = as_fractions(problem.n_features)[()] / int(problem.n_inputs), weights[live]
    exact = {
        "gram": law.eigenvalues[live][None],
        "weights": share[None],
        "total": np.array([[share.sum()]]),
        "per_input": np.array([[psi]]),
        "spanned": np.array([[min(psi, 1)]]),
        "unspanned": np.array([[1 - min(psi, 1)]]),
        "target_slope2": np.array([[problem.signal**2]]),
        "target_rest": np.array([[problem.unseen]]),
        "sigma2": np.reshape(problem.noise_variance, (-1, 1)),
    }
    state = {name: number(array) for name, array in exact.items()}
    state |= {"mu_1": slope + 0 * state["per_input"], "mu_rest": rest + 0 * state["per_input"]}
    state["Lambda"] = work.value(random_features.VARIANCE, state)
    signal = work.value(random_features.SIGNAL, state)
    # No input moves the features along the other eigenvectors: they are noise.
    variances = np.where(live, 0 * law.eigenvalues, 0) + state["mu_rest"][0, 0]
    coefficients = 0 * variances
    variances[live], coefficients[live] = state["Lambda"][0], signal[0]
    state["hidden"] = work.value(random_features.HIDDEN, state)
    noise = work.value(random_features.NOISE, state)
    linear = LinearGaussian(
        n_samples=problem.n_samples,
        n_features=problem.n_features,
        law=_Nodes(variances, coefficients, weights),
        noise_variance=noise.reshape(problem.noise_variance.shape),
        ridge=problem.ridge,
        basis="generic",
    )
    return linear, state["hidden"]
