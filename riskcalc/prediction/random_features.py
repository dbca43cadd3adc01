"""Random features (T10): the linear problem in a generic basis that they are equivalent to, and its solver.

`constants` gives the linear part of an activation and the variance of the rest. One of your own may register formulas:

    @constants.register
    def _(activation: Steps, work: Evaluator) -> tuple[Any, Any]:
        return work.value(STEPS_SLOPE, {}), work.value(STEPS_REST, {})
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.exact import as_fractions
from riskcalc.laws import Atoms
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.prediction.solvers import NotCovered, Solver, solver
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
    return work.value(random_features.LINEAR_SLOPE, {}), work.value(random_features.LINEAR_REST, {})


@solver.register
def _(problem: RandomFeatures, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    return solver(equivalent(problem, work), shape, work)


class _Nodes(Atoms):
    """Nodes of a quadrature."""

    nodes_only = True


def equivalent(problem: RandomFeatures, work: Evaluator) -> LinearGaussian:
    """The linear problem in a generic basis that has the same risks; its numbers are those of the number system."""
    slope, rest = constants(problem.activation, work)
    number, law = work.system.number, problem.law
    live = law.eigenvalues > 0
    psi, share = as_fractions(problem.n_features)[()] / int(problem.n_inputs), law.weights[live]
    exact = {
        "gram": law.eigenvalues[live][None],
        "weights": share[None],
        "total": np.array([[share.sum()]]),
        "psi": np.array([[psi]]),
        "spanned": np.array([[min(psi, 1)]]),
        "unspanned": np.array([[1 - min(psi, 1)]]),
        "target_slope2": np.array([[problem.signal**2]]),
        "target_rest": np.array([[problem.unseen]]),
        "sigma2": np.reshape(problem.noise_variance, (-1, 1)),
    }
    state = {name: number(array) for name, array in exact.items()}
    state |= {"mu_1": slope + 0 * state["psi"], "mu_rest": rest + 0 * state["psi"]}
    state["Lambda"] = work.value(random_features.VARIANCE, state)
    signal = work.value(random_features.SIGNAL, state)
    # No input moves the features along the other eigenvectors: they are noise.
    variances = np.where(live, 0 * law.eigenvalues, 0) + state["mu_rest"][0, 0]
    coefficients = 0 * variances
    variances[live], coefficients[live] = state["Lambda"][0], signal[0]
    noise = work.value(random_features.NOISE, state) + 0 * state["sigma2"]
    return LinearGaussian(
        n_samples=problem.n_samples,
        n_features=problem.n_features,
        law=_Nodes(variances, coefficients, law.weights),
        noise_variance=noise.reshape(problem.noise_variance.shape),
        ridge=problem.ridge,
        basis="generic",
    )
