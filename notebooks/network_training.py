"""What `networks` trains: small networks by full-batch descent, all seeds of a width at once, pruned and tuned again.

A network's parameters are one vector, and a pruned network is that vector and a mask of zeros and ones. Needs JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from network_data import Images

from riskcalc.questions.sweep.cells import Result, digest
from riskcalc.questions.sweep.record import Record
from riskcalc.results.labelled import extra

jax, optax = extra("jax", "networks"), extra("optax", "networks")
jnp, ravel_pytree = jax.numpy, extra("jax.flatten_util", "networks").ravel_pytree

RULES = ("magnitude", "second order", "random")
TOLERANCE = 0.05  # of prunability: rise of the training loss, over that of the best constant
FRACTIONS = np.geomspace(0.01, 1, 33)  # of weights kept, at which the loss is looked at


@dataclass(frozen=True)
class Training:
    """How networks are trained.

    Attributes
    ----------
    n_samples : int
        Images drawn for training; what is left is tested on.
    noise : float
        Fraction of the training labels that are replaced by another one.
    steps, tuning_steps : int
        Of Adam on the whole sample, first, and after pruning; the rate falls to zero as a cosine.
    rate : float
    rounds : int
        Of pruning, where it is not done in one.
    n_keep : int
        Weights of a pruned network.
    """

    n_samples: int
    n_keep: int
    noise: float = 0.2
    steps: int = 2000
    tuning_steps: int = 1000
    rate: float = 0.003
    rounds: int = 4


@dataclass(frozen=True)
class Network:
    """A family of networks, one for each width.

    Attributes
    ----------
    name : str
    init : callable
        Parameters, of a random key, the shape of an image (side, side, channels), the width and the number of classes.
    last : callable
        The features of the last layer, of parameters and images.
    """

    name: str
    init: Callable[..., dict[str, Any]]
    last: Callable[[dict[str, Any], Any], Any]

    def start(self, seeds: Sequence[int], shape: Sequence[int], width: int, classes: int) -> Any:
        """Parameters of one network for each seed, shape (seeds, weights)."""
        keys = jax.vmap(jax.random.key)(jnp.array(seeds))
        return jax.vmap(lambda key: ravel_pytree(self.init(key, shape, width, classes))[0])(keys)

    def unravel(self, shape: Sequence[int], width: int, classes: int) -> Callable[[Any], dict[str, Any]]:
        """From a vector to parameters by name."""
        return ravel_pytree(self.init(jax.random.key(0), shape, width, classes))[1]

    def size(self, shape: Sequence[int], width: int, classes: int) -> int:
        """How many weights there are."""
        return jax.eval_shape(lambda: ravel_pytree(self.init(jax.random.key(0), shape, width, classes))[0]).size


def _layer(key: Any, inputs: int, outputs: int, gain: float) -> Any:
    return jax.random.normal(key, (inputs, outputs)) * jnp.sqrt(gain / inputs)


def _dense_init(key: Any, shape: Sequence[int], width: int, classes: int) -> dict[str, Any]:
    first, last = jax.random.split(key)
    return {
        "in": _layer(first, int(np.prod(shape)), width, 2),
        "shift": jnp.zeros(width),
        "out": _layer(last, width, classes, 1),
        "constant": jnp.zeros(classes),
    }


def _dense_last(parameters: dict[str, Any], X: Any) -> Any:
    return jax.nn.relu(X.reshape(len(X), -1) @ parameters["in"] + parameters["shift"])


def _convolution_init(key: Any, shape: Sequence[int], width: int, classes: int) -> dict[str, Any]:
    first, second, last = jax.random.split(key, 3)
    side = -(-shape[0] // 4)
    return {
        "first": _layer(first, 9 * shape[-1], width, 2),
        "first shift": jnp.zeros(width),
        "second": _layer(second, 9 * width, width, 2),
        "second shift": jnp.zeros(width),
        "out": _layer(last, side**2 * width, classes, 1),
        "constant": jnp.zeros(classes),
    }


def _patches(X: Any) -> Any:
    """The 3 x 3 neighbours of every pixel, side by side: a convolution is then a product, which vmap keeps fast."""
    side = X.shape[1]
    padded = jnp.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return jnp.concatenate([padded[:, i : i + side, j : j + side] for i in range(3) for j in range(3)], axis=-1)


def _pooled(X: Any) -> Any:
    """Means of 2 x 2 pixels; a last odd row and column are repeated."""
    X = jnp.pad(X, ((0, 0), *[(0, X.shape[1] % 2)] * 2, (0, 0)), mode="edge")
    return X.reshape(len(X), X.shape[1] // 2, 2, X.shape[2] // 2, 2, -1).mean(axis=(2, 4))


def _convolution_last(parameters: dict[str, Any], X: Any) -> Any:
    for layer in ("first", "second"):
        X = _pooled(jax.nn.relu(_patches(X) @ parameters[layer] + parameters[f"{layer} shift"]))
    return X.reshape(len(X), -1)


DENSE = Network("one hidden layer", _dense_init, _dense_last)
CONVOLUTION = Network("two convolutions", _convolution_init, _convolution_last)


@dataclass(frozen=True)
class Sample:
    """Training and test images of one seed after another: arrays of shape (seeds, images, ...)."""

    X: np.ndarray
    labels: np.ndarray
    X_test: np.ndarray
    labels_test: np.ndarray


def draw(images: Images, training: Training, seeds: Sequence[int]) -> Sample:
    """A sample and its wrong labels for each seed."""
    parts = []
    for seed in seeds:
        rng = np.random.default_rng([2021, seed])
        order = rng.permutation(len(images.labels))
        chosen, rest = order[: training.n_samples], order[training.n_samples :][: images.n_test]
        labels = images.labels[chosen]
        wrong = rng.random(len(chosen)) < training.noise
        labels = np.where(wrong, (labels + rng.integers(1, images.classes, len(chosen))) % images.classes, labels)
        parts.append((images.X[chosen], labels, images.X[rest], images.labels[rest]))
    return Sample(*(np.stack(part) for part in zip(*parts, strict=True)))


class Trainer:
    """Compiled functions of the networks of one width, each over all seeds.

    Targets are one for the label's class and zero for others, less their mean, 1/classes; the loss is the squared
    distance to them, whose mean is 1 - 1/classes for the constant 0.
    """

    def __init__(self, network: Network, width: int, images: Images, training: Training):
        self.network, self.width, self.images, self.training = network, width, images, training
        self.shape = images.X.shape[1:]
        self.unravel = network.unravel(self.shape, width, images.classes)
        self.first = jax.jit(jax.vmap(partial(self._train, steps=training.steps)))
        self.again = jax.jit(jax.vmap(partial(self._train, steps=training.tuning_steps)))
        self.measure = jax.jit(jax.vmap(self._measure))
        self.curvature = jax.jit(jax.vmap(self._curvature))
        self.losses = jax.jit(jax.vmap(self._losses))

    def outputs(self, vector: Any, X: Any) -> Any:
        """What a network says of images, shape (images, classes)."""
        parameters = self.unravel(vector)
        return self.network.last(parameters, X) @ parameters["out"] + parameters["constant"]

    def targets(self, labels: Any) -> Any:
        """Of labels, shape (images, classes)."""
        return jax.nn.one_hot(labels, self.images.classes) - 1 / self.images.classes

    def _loss(self, vector: Any, X: Any, labels: Any) -> Any:
        return jnp.mean(jnp.sum((self.outputs(vector, X) - self.targets(labels)) ** 2, axis=1))

    def _train(self, vector: Any, mask: Any, X: Any, labels: Any, steps: int) -> Any:
        descent = optax.adam(optax.cosine_decay_schedule(self.training.rate, steps))

        def step(state: Any, _: None) -> Any:
            vector, moments = state
            slope = jax.grad(lambda vector: self._loss(mask * vector, X, labels))(vector)
            change, moments = descent.update(slope, moments)
            return (vector + change, moments), None

        (vector, _), _ = jax.lax.scan(step, (vector, descent.init(vector)), length=steps)
        return mask * vector

    def _measure(self, vector: Any, X: Any, labels: Any) -> Any:
        """The fraction of images put in a wrong class, and the loss."""
        wrong = jnp.argmax(self.outputs(vector, X), axis=1) != labels
        return jnp.mean(wrong), self._loss(vector, X, labels)

    def _curvature(self, vector: Any, X: Any) -> Any:
        """The diagonal of the Gauss-Newton matrix of the loss, over two: mean squared slopes of the outputs."""

        def add(total: Any, x: Any) -> Any:
            slopes = jax.jacrev(lambda vector: self.outputs(vector, x[None])[0])(vector)
            return total + jnp.sum(slopes**2, axis=0), None

        return jax.lax.scan(add, jnp.zeros_like(vector), X)[0] / len(X)

    def _losses(self, vector: Any, X: Any, labels: Any) -> Any:
        """The loss with only the largest weights, at every one of FRACTIONS."""
        size = jnp.abs(vector)
        bounds = jnp.sort(size)[len(size) - jnp.ceil(FRACTIONS * len(size)).astype(int)]
        return jax.lax.map(lambda bound: self._loss(jnp.where(size >= bound, vector, 0), X, labels), bounds)
