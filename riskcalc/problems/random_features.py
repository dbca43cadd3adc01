"""Random features: a network whose first layer is drawn and stays, and whose second layer is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, at_least_zero, count, counts, exact_array, matching_shapes
from riskcalc.laws import MarchenkoPastur
from riskcalc.problems.activations import Activation, activation_of
from riskcalc.problems.base import Problem
from riskcalc.problems.hermite import parts, polynomials


class RandomFeatures(Problem):
    """Ridge regression on random features act(w'x) of standard normal inputs x, in the limit d, n, p -> infinity.

    The rows w of the p neurons are drawn uniformly from the unit sphere of R^d. Features are centred by their true
    means, and no intercept is fitted. The target is a function of one linear index of the inputs, and noise; the fit
    minimises ``|y - features @ beta|^2/n + ridge * sum(beta^2)``.

    Parameters
    ----------
    activation : str or callable
        "relu", "erf", "tanh", "sign", "linear" or "softplus", another that is registered
        (`riskcalc.problems.activations.register`), or a vectorised function, whose constants are integrated to ten
        digits and more, kinks and jumps included.
    n_inputs : int
        d, the dimension of an input.
    n_features : int
        p, the number of neurons.
    n_samples : array_like of int
    noise_variance, ridge : array_like >= 0
    target : None, number, array_like or callable, optional
        What is to be learnt, of the index z = x'b with a unit vector b, so that z is standard normal: z itself if not
        given; a number times z; the coefficients of normalised Hermite polynomials, from degree 1 on
        ([1, 1/2] is z + (z^2 - 1)/sqrt(8)); or a vectorised function of z, of which the mean is left out.
    nodes : int >= 2
        Of the quadrature of the spectrum of the weights.

    Attributes
    ----------
    law : MarchenkoPastur
        Of the eigenvalues of W W', by which expectations are taken.
    signal, unseen : number
        Slope of the target in its index, and variance of the rest of it.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right; for an activation or a target that is not finite, has
        no finite variance, or (an activation) is constant.

    Notes
    -----
    With the mean of the activation left out, features are in the limit ``slope * w'x`` and independent noise of the
    rest of its variance (Mei and Montanari 2022; Hu and Lu 2023): Gaussian features in general position to the
    eigenvectors of their covariance, for which `LinearGaussian` with ``basis="generic"`` has the theory. What of the
    target no linear function is acts as noise, as long as samples and features are in proportion to the inputs. An
    activation without a linear part (even ones) hence learns nothing. At d = 100 risks are some percent
    higher than in the limit.

    Retraining what is kept on the same sample has the peak of a model with as many features as samples: near it (a kept
    fraction of n/p, and no ridge) the pruned model is better as it is, and still better than a small network.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.RandomFeatures("relu", n_inputs=100, n_features=1000, n_samples=200, noise_variance="9/100")
    >>> problem.aspect_ratio.item()
    Fraction(5, 1)
    >>> rc.RandomFeatures("tanh", n_inputs=20, n_features=40, n_samples=30, target=[1, "1/2"]).null_risk.item()
    1.25
    """

    batched = ("n_samples", "noise_variance", "ridge")
    _read: ClassVar[Mapping[str, Any]] = {"activation": activation_of}

    def __init__(
        self,
        activation: str | Activation | type[Activation] | Callable[[np.ndarray], Any] = "relu",
        *,
        n_inputs: int,
        n_features: int,
        n_samples: ArrayLike,
        noise_variance: ArrayLike | str = 0.0,
        ridge: ArrayLike | str = 0.0,
        target: ArrayLike | str | Callable[[np.ndarray], Any] | None = None,
        nodes: int = 512,
    ):
        self.activation = activation_of(activation)
        d, p = count(n_inputs, "n_inputs"), count(n_features, "n_features")
        self.n_inputs, self.n_features, self.n_samples = np.array(d), np.array(p), counts(n_samples, "n_samples")
        self.noise_variance = at_least_zero(noise_variance, "noise_variance")
        self.ridge = at_least_zero(ridge, "ridge")
        self.target = target if target is None or callable(target) else _hermite(target)
        self.nodes, self.law = nodes, MarchenkoPastur(Fraction(p, d), nodes=nodes)
        self.n_atoms = self.law.n_atoms
        self.aspect_ratio = np.asarray(np.frompyfunc(lambda n: Fraction(p, int(n)), 1, 1)(self.n_samples), dtype=object)
        given = {"n_samples": self.n_samples, "noise_variance": self.noise_variance, "ridge": self.ridge}
        self.shape = matching_shapes(given)
        parts(self.activation)  # which refuses what has none
        self.signal, self.unseen = self._of_target()

    def _of_target(self) -> tuple[Any, Any]:
        """The slope of the target in its index, and the variance of the rest: exact, or floats of a function."""
        if self.target is None:
            return Fraction(1), Fraction(0)
        if not callable(self.target):
            slope, *others = np.atleast_1d(self.target)
            return slope, sum((Fraction(other) ** 2 for other in others), Fraction(0))
        found = parts(self.target, "target", constant=True)
        return found.slope, found.rest

    def index(self, z: np.ndarray) -> np.ndarray:
        """The target without its noise and its mean, given the index."""
        if callable(self.target):
            return np.asarray(self.target(z), dtype=float) - parts(self.target, "target", constant=True).mean
        coefficients = as_float(np.atleast_1d(np.ones(1) if self.target is None else self.target))
        return polynomials(z, len(coefficients))[..., 1:] @ coefficients

    @property
    def null_risk(self) -> np.ndarray:
        """Test risk of predicting zero, in every regime."""
        return as_float(self.noise_variance) + float(self.signal) ** 2 + float(self.unseen)

    def with_law(self, law: MarchenkoPastur) -> Self:
        """The same problem with the nodes of another rule."""
        return type(self)(**{**self.given(), "nodes": law.nodes})


def _hermite(target: Any) -> np.ndarray:
    array = exact_array(target, "target")
    if array.ndim > 1:
        raise ValueError(f"target must be a number, Hermite coefficients or a function, got shape {array.shape}")
    return array
