"""What `networks` trains: small networks by full-batch descent, all seeds of a width at once, pruned and tuned again.

A network's parameters are one vector, and a pruned network is that vector and a mask of zeros and ones. Needs JAX.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

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
    n_keep : int
        Weights of a pruned network.
    noise : float
        Fraction of the training labels that are replaced by another one.
    steps : int
        Of Adam on the whole sample, first, and again after pruning; the rate falls to zero as a cosine.
    rate : float
    rounds : int
        Of pruning, where it is not done in one.
    """

    n_samples: int
    n_keep: int
    noise: float = 0.2
    steps: int = 1500
    rate: float = 0.01
    rounds: int = 4


@dataclass(frozen=True)
class Network:
    """A family of networks, one for each width.

    Attributes
    ----------
    name : str
    init : callable
        Parameters by name, of a random generator, the shape of an image (side, side, channels), the width and the
        number of classes.
    last : callable
        The features of the last layer, of parameters and images.
    """

    name: str
    init: Callable[..., dict[str, Any]]
    last: Callable[[dict[str, Any], Any], Any]

    def size(self, shape: Sequence[int], width: int, classes: int) -> int:
        """How many weights there are."""
        return sum(array.size for array in self.init(np.random.default_rng(0), shape, width, classes).values())


def _layer(rng: np.random.Generator, inputs: int, outputs: int, gain: float) -> np.ndarray:
    return rng.normal(scale=np.sqrt(gain / inputs), size=(inputs, outputs)).astype(np.float32)


def _dense_init(rng: np.random.Generator, shape: Sequence[int], width: int, classes: int) -> dict[str, np.ndarray]:
    return {
        "in": _layer(rng, int(np.prod(shape)), width, 2),
        "in shift": np.zeros(width, np.float32),
        "out": _layer(rng, width, classes, 1),
        "out shift": np.zeros(classes, np.float32),
    }


def _dense_last(parameters: dict[str, Any], X: Any) -> Any:
    return jax.nn.relu(X.reshape(len(X), -1) @ parameters["in"] + parameters["in shift"])


def _convolution_init(
    rng: np.random.Generator, shape: Sequence[int], width: int, classes: int
) -> dict[str, np.ndarray]:
    return {
        "in": _layer(rng, 9 * shape[-1], width, 2),
        "in shift": np.zeros(width, np.float32),
        "out": _layer(rng, (-(-shape[0] // 2)) ** 2 * width, classes, 1),
        "out shift": np.zeros(classes, np.float32),
    }


def _convolution_last(parameters: dict[str, Any], X: Any) -> Any:
    """3 x 3 pixels at every other place, side by side: the convolution is then a product, which vmap keeps fast."""
    side = X.shape[1]
    padded = jnp.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifts = [padded[:, i : i + side : 2, j : j + side : 2] for i in range(3) for j in range(3)]
    return jax.nn.relu(jnp.concatenate(shifts, axis=-1) @ parameters["in"] + parameters["in shift"]).reshape(len(X), -1)


DENSE = Network("one hidden layer", _dense_init, _dense_last)
CONVOLUTION = Network("convolution", _convolution_init, _convolution_last)


class Sample(NamedTuple):
    """Training and test images of one seed after another: arrays of shape (seeds, images, ...)."""

    X: np.ndarray
    labels: np.ndarray
    X_test: np.ndarray
    labels_test: np.ndarray


def draw(images: Images, training: Training, seeds: Sequence[int]) -> Sample:
    """A sample and its wrong labels for each seed. ValueError if that leaves no images to test on."""
    if not 1 <= training.n_samples < len(images.labels):
        raise ValueError(
            f"n_samples must be from 1 to {len(images.labels) - 1:,}, so that images of {images.name} are left to test "
            f"on, got {training.n_samples}"
        )
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
        shape = images.X.shape[1:]
        some = network.init(np.random.default_rng(0), shape, width, images.classes)
        vector, self.unravel = ravel_pytree(some)
        self.n_weights = vector.size
        self.train = jax.jit(jax.vmap(self._train, in_axes=(0, 0, 0, 0, None)))
        self.measure = jax.jit(jax.vmap(self._measure))
        self.curvature = jax.jit(jax.vmap(self._curvature))
        self.losses = jax.jit(jax.vmap(self._losses))

    def start(self, seeds: Sequence[int]) -> np.ndarray:
        """Weights before training, shape (seeds, weights)."""
        rngs = [np.random.default_rng([8, self.width, seed]) for seed in seeds]
        made = [self.network.init(rng, self.images.X.shape[1:], self.width, self.images.classes) for rng in rngs]
        return np.stack([np.concatenate([one[name].ravel() for name in sorted(one)]) for one in made])  # as JAX ravels

    def outputs(self, vector: Any, X: Any) -> Any:
        """What a network says of images, shape (images, classes)."""
        parameters = self.unravel(vector)
        return self.network.last(parameters, X) @ parameters["out"] + parameters["out shift"]

    def targets(self, labels: Any) -> Any:
        """Of labels, shape (images, classes)."""
        return jax.nn.one_hot(labels, self.images.classes) - 1 / self.images.classes

    def _loss(self, vector: Any, X: Any, labels: Any) -> Any:
        return jnp.mean(jnp.sum((self.outputs(vector, X) - self.targets(labels)) ** 2, axis=1))

    def _train(self, vector: Any, mask: Any, X: Any, labels: Any, steps: Any) -> Any:
        descent = optax.adam(lambda step: self.training.rate * (1 + jnp.cos(jnp.pi * step / steps)) / 2)

        def step(_: Any, state: Any) -> Any:
            vector, moments = state
            slope = jax.grad(lambda vector: self._loss(mask * vector, X, labels))(vector)
            change, moments = descent.update(slope, moments)
            return vector + change, moments

        return mask * jax.lax.fori_loop(0, steps, step, (vector, descent.init(vector)))[0]

    def _measure(self, vector: Any, sample: Sample) -> Any:
        """The fraction of images put in a wrong class, and the loss, of the training images and the test images."""
        found = []
        for X, labels in ((sample.X, sample.labels), (sample.X_test, sample.labels_test)):
            found += [jnp.mean(jnp.argmax(self.outputs(vector, X), axis=1) != labels), self._loss(vector, X, labels)]
        return jnp.stack(found)

    def _curvature(self, vector: Any, X: Any) -> Any:
        """The diagonal of the Gauss-Newton matrix of the loss, over two: mean squared slopes of the outputs."""

        def add(total: Any, x: Any) -> Any:
            slopes = jax.jacrev(lambda vector: self.outputs(vector, x[None])[0])(vector)
            return total + jnp.sum(slopes**2, axis=0), None

        return jax.lax.scan(add, jnp.zeros_like(vector), X)[0] / len(X)

    def tangent(self, vector: np.ndarray, X: np.ndarray, along: np.ndarray) -> np.ndarray:
        """Slopes in all weights of one network's outputs, summed with factors `along`, shape (images, weights)."""

        def output(vector: Any, x: Any) -> Any:
            return self.outputs(vector, x[None])[0] @ along

        slopes = jax.jit(lambda vector, X: jax.lax.map(lambda x: jax.grad(output)(vector, x), X))
        return np.asarray(slopes(vector, X))

    def _losses(self, vector: Any, bounds: Any, X: Any, labels: Any) -> Any:
        """The loss with only the weights of these absolute values and more, for one bound after the other."""
        return jax.lax.map(lambda least: self._loss(jnp.where(jnp.abs(vector) < least, 0, vector), X, labels), bounds)

    def scores(self, rule: str, vector: np.ndarray, X: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """What is kept first has the largest score."""
        if rule == "magnitude":
            return np.abs(vector)
        if rule == "second order":
            return vector**2 * np.asarray(self.curvature(vector, X))
        return np.stack([np.random.default_rng([7, seed]).random(self.n_weights) for seed in seeds])

    def prunability(self, vector: np.ndarray, X: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The smallest of FRACTIONS from which on, up to all weights, the loss rises by no more than TOLERANCE."""
        counts = np.ceil(FRACTIONS * self.n_weights).astype(int)
        bounds = -np.sort(-np.abs(vector), axis=1)[:, counts - 1]
        losses = np.asarray(self.losses(vector, bounds, X, labels))
        fine = losses - losses[:, -1:] <= TOLERANCE * (1 - 1 / self.images.classes)
        return FRACTIONS[len(FRACTIONS) - np.cumprod(fine[:, ::-1], axis=1).sum(axis=1)]


def masks(scores: np.ndarray, n_keep: int, before: np.ndarray) -> np.ndarray:
    """Ones for the n_keep largest scores of every network, among those kept before."""
    kept = np.argsort(-np.where(before > 0, scores, -1), axis=1, kind="stable")[:, :n_keep]
    mask = np.zeros_like(before)
    np.put_along_axis(mask, kept, 1, axis=1)
    return mask * before


# What is measured of every model, and the models, in order.
MEASURED = ("training error", "training loss", "test error", "test loss")
MODELS = (
    "dense",
    *(f"{rule}, {what}" for rule in RULES for what in ("pruned", "tuned", "rewound")),
    *(f"{rule}, rounds" for rule in RULES[:2]),
)
MEASURES = ("prunability", "squared norm", "squared way from the start", "weights", "training loss")


@np.errstate(over="ignore", invalid="ignore")  # of which the errors tell
def train_all(trainer: Trainer, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """All models of one width: "errors", shape (seeds, MODELS, MEASURED), and "measures", shape (seeds, MEASURES)."""
    training, sample = trainer.training, draw(trainer.images, trainer.training, seeds)
    X, labels = sample.X, sample.labels
    start = trainer.start(seeds)
    whole = np.ones_like(start)
    dense = np.asarray(trainer.train(start, whole, X, labels, training.steps))
    found = {"dense": dense}
    for rule in RULES:
        mask = masks(trainer.scores(rule, dense, X, seeds), training.n_keep, whole)
        found[f"{rule}, pruned"] = mask * dense
        found[f"{rule}, tuned"] = trainer.train(dense, mask, X, labels, training.steps)
        found[f"{rule}, rewound"] = trainer.train(start, mask, X, labels, training.steps)
    for rule in RULES[:2]:
        found[f"{rule}, rounds"] = _in_rounds(trainer, rule, dense, X, labels, seeds)
    errors = np.stack([np.asarray(trainer.measure(found[model], sample)) for model in MODELS], axis=1)
    if not np.isfinite(errors).all():
        raise ValueError(f"training at width {trainer.width} diverged; a rate lower than {training.rate:g} may do")
    measures = {
        "prunability": trainer.prunability(dense, X, labels),
        "squared norm": np.sum(dense.astype(float) ** 2, axis=1),
        "squared way from the start": np.sum((dense - start).astype(float) ** 2, axis=1),
        "weights": np.full(len(seeds), trainer.n_weights),
        "training loss": errors[:, 0, MEASURED.index("training loss")],
    }
    return {"errors": errors, "measures": np.stack([measures[name] for name in MEASURES], axis=1)}


def _in_rounds(trainer: Trainer, rule: str, vector: np.ndarray, X: Any, labels: Any, seeds: Sequence[int]) -> Any:
    """Pruned by the same factor in every round, and tuned after each; as many steps in all as in one shot."""
    training, mask = trainer.training, np.ones_like(vector)
    for part in range(1, training.rounds + 1):
        n_keep = round(trainer.n_weights * (training.n_keep / trainer.n_weights) ** (part / training.rounds))
        mask = masks(trainer.scores(rule, vector, X, seeds), n_keep, mask)
        vector = np.asarray(trainer.train(vector, mask, X, labels, training.steps // training.rounds))
    return vector


@dataclass(frozen=True)
class Trained:
    """What was found of a family of networks.

    Attributes
    ----------
    widths : tuple of int
    n_weights : ndarray, shape (widths,)
    errors : ndarray, shape (widths, seeds, MODELS, MEASURED)
    measures : ndarray, shape (widths, seeds, MEASURES)
        Of dense networks.
    seconds : float
        That training took, before and now.
    """

    widths: tuple[int, ...]
    errors: np.ndarray
    measures: np.ndarray
    seconds: float

    @property
    def n_weights(self) -> np.ndarray:
        return self.measures[:, 0, MEASURES.index("weights")].astype(int)

    def of(self, model: str, measured: str) -> tuple[np.ndarray, np.ndarray]:
        """Mean over seeds and its standard error, for every width."""
        values = self.errors[:, :, MODELS.index(model), MEASURED.index(measured)]
        return values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


def train_widths(
    network: Network,
    images: Images,
    training: Training,
    widths: Sequence[int],
    seeds: int,
    path: Path,
    at_once: int = 5,
) -> Trained:
    """All models of every width, for seeds from 0 on.

    Every width and seed is kept in the record at `path` as soon as it is finished; an interrupted run goes on from
    there, to the same numbers. So many seeds as `at_once` are trained together. ValueError for widths, seeds or a
    training that cannot be.
    """
    whole = all(isinstance(width, int) for width in widths)
    if not (len(widths) and whole and all(earlier < later for earlier, later in pairwise([0, *widths]))):
        raise ValueError(f"widths must be increasing integers from 1 on, such as (2, 4, 8), got {widths!r}")
    if seeds < 2:
        raise ValueError(f"seeds must be at least 2, for standard errors, got {seeds}")
    blocks = [range(first, min(first + at_once, seeds)) for first in range(0, seeds, at_once)]
    content = digest([network.name, images.digest, asdict(training), jax.__version__])
    results = []
    with Record(path) as record:
        for width in widths:
            trainer = Trainer(network, width, images, training)
            results.append([one for block in blocks for one in _block(trainer, block, content, record)])
    stacked = {
        name: np.array([[one.arrays[name] for one in of_width] for of_width in results])
        for name in results[0][0].arrays
    }
    return Trained(tuple(widths), stacked["errors"], stacked["measures"], float(stacked["seconds"].sum()))


def _block(trainer: Trainer, seeds: range, content: str, record: Record) -> list[Result]:
    """Results of some seeds that are trained together, for how many these are decides on their last digits."""
    keys = [digest([content, trainer.width, seeds.start, seeds.stop, seed]) for seed in seeds]
    known = [record.get(key) for key in keys]
    if all(one is not None for one in known):
        return known
    began = time.perf_counter()
    found = train_all(trainer, seeds)
    share = np.array((time.perf_counter() - began) / len(seeds))
    results = [
        Result({name: array[i] for name, array in found.items()} | {"seconds": share}) for i in range(len(seeds))
    ]
    for key, result in zip(keys, results, strict=True):
        record.append(key, result)
    return results
