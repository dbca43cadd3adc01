"""Trials of a finite problem: draw a sample, fit, prune, retrain, measure. Written against the array API.

A stack of T trials has a leading axis: designs (T, n, p), targets (T, n), coefficients (T, p).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskcalc.problems import LinearGaussian
from riskcalc.sampling.backends import Backend
from riskcalc.sampling.populations import Population, population, stacked
from riskcalc.sampling.rules import RULES, Choice, Fitted

# Entries of the designs of a block, the trials that share a seed. Fixed, so that draws depend on nothing else.
BLOCK = 1 << 19
MOST_TRIALS = 64


@dataclass(frozen=True)
class Recipe:
    """One model made of a sample.

    Attributes
    ----------
    policy : str or None
        A key of `RULES`; None for the dense fit.
    n_keep : int
    retrain : "same", "fresh" or None
        The sample of the second fit.
    ridge : float
        Of the second fit.
    earlier : tuple of (int, float)
        Rounds of pruning before: how many are kept, and the ridge of the fit on the same sample that follows.
    group : int
        Features that stand or fall together.
    """

    policy: str | None = None
    n_keep: int = 0
    retrain: str | None = None
    ridge: float = 0.0
    earlier: tuple[tuple[int, float], ...] = ()
    group: int = 1


@dataclass(frozen=True)
class Plan:
    """What every trial does: one sample (and a fresh one, where asked for), from which every model is made.

    Attributes
    ----------
    n_samples : int
    features : Population
        Those of every trial, or an example of them where `law` is given.
    noise_variance, ridge : float
    distribution : str
        Of the entries of the design, a key of `DISTRIBUTIONS`.
    recipes : tuple of Recipe
    law : LinearGaussian or None
        The problem whose law every trial draws its features from anew.
    """

    n_samples: int
    features: Population
    noise_variance: float
    ridge: float
    distribution: str = "gaussian"
    recipes: tuple[Recipe, ...] = (Recipe(),)
    law: LinearGaussian | None = None

    @property
    def n_features(self) -> int:
        """Number of features, p."""
        return self.features.eigenvalues.shape[-1]

    @property
    def block(self) -> int:
        """Trials that share a seed."""
        return min(max(BLOCK // (self.n_samples * self.n_features), 1), MOST_TRIALS)

    @property
    def trial_bytes(self) -> int:
        """Memory of one trial: its designs, a scaled copy of one, and a Gram matrix."""
        n, p = self.n_samples, self.n_features
        return 8 * (n * p * (3 if self.fresh else 2) + min(n, p) ** 2 + 16 * (n + p))

    @property
    def fresh(self) -> bool:
        """Whether a second sample is drawn."""
        return any(recipe.retrain == "fresh" for recipe in self.recipes)


def run_blocks(
    plan: Plan, seed: int | tuple[int, ...], blocks: Sequence[int], backend: Backend, at_once: int | None = None
) -> np.ndarray:
    """Test risk and training error of every model in every trial of some blocks, shape (blocks * block, models, 2).

    `at_once` blocks are stacked; by default as many as fit the backend's memory.
    """
    if at_once is None:
        at_once = max(1, backend.memory // (plan.trial_bytes * plan.block))
    results = []
    for start in range(0, len(blocks), at_once):
        draws = [_Draw(plan, seed, block, backend) for block in blocks[start : start + at_once]]
        results.append(_run(plan, draws, backend))
    return np.concatenate(results)


class _Draw:
    """The random numbers of one block, drawn in an order that no option after them changes."""

    def __init__(self, plan: Plan, seed: int | tuple[int, ...], block: int, backend: Backend):
        sequence = np.random.SeedSequence(seed, spawn_key=(block,))
        rng = backend.generator(sequence)
        entries = DISTRIBUTIONS[plan.distribution]
        shape = (plan.block, plan.n_samples, plan.n_features)
        self.design, self.noise = entries(rng, shape, backend.xp), rng.standard_normal(shape[:2])
        self.luck = rng.random((shape[0], shape[2]))
        if plan.fresh:
            self.fresh_design, self.fresh_noise = entries(rng, shape, backend.xp), rng.standard_normal(shape[:2])
        if plan.law is not None:
            numbers = np.random.default_rng(sequence.spawn(1)[0])
            self.features = stacked([population(plan.law, plan.n_features, numbers) for _ in range(plan.block)])


def _run(plan: Plan, draws: list[_Draw], backend: Backend) -> np.ndarray:
    xp = backend.xp

    def stack(name: str) -> Any:
        return xp.concat([getattr(draw, name) for draw in draws]) if len(draws) > 1 else getattr(draws[0], name)

    features = plan.features if plan.law is None else stacked([draw.features for draw in draws])
    model = _Model(plan, features, backend)
    sample = model.sample(stack("design"), stack("noise"))
    fresh = model.sample(stack("fresh_design"), stack("fresh_noise")) if plan.fresh else sample
    dense = model.fit(*sample, model.penalty, model.live, plan.ridge)
    results = []
    for recipe in plan.recipes:
        coefficients, last = dense, sample
        if recipe.policy is not None:
            fitted, kept, luck = dense, None, stack("luck")
            for n_keep, ridge in recipe.earlier:
                choice = model.chosen(replace(recipe, n_keep=n_keep), fitted, sample[0], luck)
                order, places = model.ranked(choice.scores, kept)
                fitted, kept = model.refit(*sample, order, places, n_keep, ridge), places < n_keep
            choice = model.chosen(recipe, fitted, sample[0], luck)
            order, places = model.ranked(choice.scores, kept)
            if recipe.retrain is None:
                coefficients = xp.where(places < choice.counts, choice.values, xp.zeros_like(fitted))
            else:
                last = fresh if recipe.retrain == "fresh" else sample
                coefficients = model.refit(*last, order, places, choice.counts, recipe.ridge)
        results.append(model.measured(*last, coefficients))
    return backend.to_numpy(xp.stack(results, axis=1))


class _Model:
    """The population in the backend's arrays, and what a trial does with a sample of it."""

    def __init__(self, plan: Plan, features: Population, backend: Backend):
        self.plan, self.backend, self.xp = plan, backend, backend.xp
        self.eigenvalues, self.penalty, self.ranks = (
            self.xp.asarray(array) for array in (features.eigenvalues, features.penalty, features.ranks)
        )
        self.truth = self.xp.asarray(features.signal / np.sqrt(plan.n_features))
        self.live = self.eigenvalues > 0

    def sample(self, design: Any, noise: Any) -> tuple[Any, Any]:
        """Designs (in place of their standardised entries) and targets."""
        design *= self.xp.sqrt(self.eigenvalues)[:, None, :]
        return design, self._applied(design, self.truth) + self.plan.noise_variance**0.5 * noise

    def _applied(self, design: Any, coefficients: Any) -> Any:
        return self.xp.matmul(design, coefficients[..., None])[..., 0]

    def chosen(self, recipe: Recipe, coefficients: Any, design: Any, luck: Any) -> Choice:
        """What the policy of a recipe makes of a fit to a sample."""
        fitted = Fitted(
            self.xp,
            coefficients,
            self.eigenvalues,
            self.truth,
            self.ranks,
            luck,
            lambda: self.curvatures(design, self.penalty, self.live, self.plan.ridge),
        )
        return RULES[recipe.policy or ""](fitted, recipe)

    def curvatures(self, design: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """The diagonal of the inverse Hessian of the penalised loss, up to a factor per trial; its limit as the ridge
        vanishes, where there is none and features are many."""
        xp, n = self.xp, design.shape[1]
        scaled = design / xp.sqrt(penalty)[:, None, :]
        transposed = xp.matrix_transpose(scaled)
        counts = xp.sum(xp.astype(live, design.dtype), axis=-1)
        if bool(xp.all(counts <= n)):
            diagonal = n * ridge + xp.astype(~live, design.dtype)
            gram = xp.matmul(transposed, scaled) + diagonal[:, :, None] * xp.eye(design.shape[2], dtype=design.dtype)
            return xp.linalg.diagonal(xp.linalg.inv(gram)) / penalty
        gram = xp.matmul(scaled, transposed) + n * ridge * xp.eye(n, dtype=design.dtype)
        seen = xp.sum(scaled * xp.matmul(xp.linalg.inv(gram), scaled), axis=1)
        return (1 - seen) / penalty

    def fit(self, design: Any, target: Any, penalty: Any, live: Any, ridge: float) -> Any:
        """The minimiser of |y - X b|^2/n + ridge * sum(penalty * b^2), of least penalty where there are several.

        By the Cholesky factorisation of the smaller Gram matrix. Features without variance get zero.
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
            diagonal = n * ridge + xp.astype(~live, design.dtype)
            gram = xp.matmul(transposed, scaled) + diagonal[:, :, None] * xp.eye(design.shape[2], dtype=design.dtype)
            solution = self.backend.solve(gram, self._applied(transposed, target))
        else:
            gram = xp.matmul(scaled, transposed)
            if ridge > 0:
                gram = gram + n * ridge * xp.eye(n, dtype=design.dtype)
            solution = self._applied(transposed, self.backend.solve(gram, target))
        return solution if plain else solution / root

    def ranked(self, scores: Any, kept: Any) -> tuple[Any, Any]:
        """Features from the highest score down, and the place of each; those not `kept` come last."""
        xp = self.xp
        if kept is not None:
            scores = xp.where(kept, scores, -xp.ones_like(scores))
        order = xp.argsort(scores, axis=-1, descending=True)
        return order, xp.argsort(order, axis=-1)

    def refit(self, design: Any, target: Any, order: Any, places: Any, counts: Any, ridge: float) -> Any:
        """The fit on the first features in `order`; zero elsewhere. Trials may differ in how many these are."""
        xp = self.xp
        n_keep = counts if isinstance(counts, int) else int(xp.max(counts))
        chosen = order[:, :n_keep]
        penalty, live = (
            xp.take_along_axis(xp.broadcast_to(array, order.shape), chosen, axis=-1)
            for array in (self.penalty, self.live)
        )
        own = xp.take_along_axis(design, chosen[:, None, :], axis=-1)
        if not isinstance(counts, int):
            inside = xp.arange(n_keep)[None, :] < counts
            own, live = own * xp.astype(inside, own.dtype)[:, None, :], live & inside
        fitted = self.fit(own, target, penalty, live, ridge)
        spread = xp.take_along_axis(fitted, xp.clip(places, max=n_keep - 1), axis=-1)
        return xp.where(places < counts, spread, xp.zeros_like(spread))

    def measured(self, design: Any, target: Any, coefficients: Any) -> Any:
        """Test risk, exact given the fit, and mean squared residual; shape (T, 2)."""
        xp = self.xp
        risk = self.plan.noise_variance + xp.sum(self.eigenvalues * (self.truth - coefficients) ** 2, axis=-1)
        residuals = target - self._applied(design, coefficients)
        return xp.stack([risk, xp.mean(residuals**2, axis=-1)], axis=-1)


# Entries of mean zero and variance one.
DISTRIBUTIONS: dict[str, Callable[[Any, tuple[int, ...], Any], Any]] = {
    "gaussian": lambda rng, shape, xp: rng.standard_normal(shape),
    "rademacher": lambda rng, shape, xp: 2 * xp.floor(2 * rng.random(shape)) - 1,
    "uniform": lambda rng, shape, xp: (2 * rng.random(shape) - 1) * 3**0.5,
    "student5": lambda rng, shape, xp: rng.standard_normal(shape) * xp.sqrt(3 / rng.chisquare(5, shape)),
}
