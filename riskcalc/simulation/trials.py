"""Trials of a finite problem: draw a sample, fit, prune, retrain, measure. Written against the array API.

A stack of T trials has a leading axis: designs (T, n, p), targets (T, n), coefficients (T, p).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskcalc.policies import Procedure
from riskcalc.policies.base import whole_number
from riskcalc.simulation.backends import Backend
from riskcalc.simulation.choices import choose
from riskcalc.simulation.ensembles import Ensemble
from riskcalc.simulation.samplers import Sampler

# Entries of the designs of a block, the trials that share a seed. Fixed, so that draws depend on nothing else.
BLOCK = 1 << 19
MOST_TRIALS = 64


@dataclass(frozen=True)
class Plan:
    """What every trial does: one sample (and a fresh one, where asked for), from which every model is made.

    Attributes
    ----------
    sampler : Sampler
        A problem at a finite size.
    procedures : tuple of Procedure
        With whole numbers of features.
    distribution : str
        Of the entries of the design, a key of `DISTRIBUTIONS`.
    masks : bool
        Whether it is told which features are kept.
    """

    sampler: Sampler
    procedures: tuple[Procedure, ...] = (Procedure(),)
    distribution: str = "gaussian"
    masks: bool = False

    @property
    def n_samples(self) -> int:
        """Rows of a sample, n."""
        return self.sampler.n_samples

    @property
    def n_features(self) -> int:
        """Number of features, p."""
        return self.sampler.n_features

    @property
    def block(self) -> int:
        """Trials that share a seed."""
        return min(max(BLOCK // (self.n_samples * self.n_features), 1), MOST_TRIALS)

    @property
    def trial_bytes(self) -> int:
        """Memory of one trial: designs, a scaled copy and columns of each, a Gram matrix, and the sampler's own."""
        n, p = self.n_samples, self.n_features
        return 8 * (n * p * (5 if self.fresh else 3) + min(n, p) ** 2 + 16 * (n + p)) + self.sampler.trial_bytes

    @property
    def fresh(self) -> bool:
        """Whether a second sample is drawn."""
        return any(one.retrain is not None and one.retrain.sample == "fresh" for one in self.procedures)


def run_blocks(
    plan: Plan, seed: int | tuple[int, ...], blocks: Sequence[int], backend: Backend, at_once: int | None = None
) -> np.ndarray:
    """Test risk and training error of every model in every trial of some blocks, shape (blocks * block, models, 2).

    With masks, shape (..., 2 + p): then there is a one for every feature that is kept, and else a zero.

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
        shape = (plan.block, plan.n_samples, plan.sampler.columns)
        self.design, self.noise = entries(rng, shape, backend.xp), rng.standard_normal(shape[:2])
        self.luck = rng.random((plan.block, plan.n_features))
        if plan.fresh:
            self.fresh_design, self.fresh_noise = entries(rng, shape, backend.xp), rng.standard_normal(shape[:2])
        self.features = plan.sampler.redrawn(plan.block, sequence)
        if plan.sampler.test_rows:
            self.tests = entries(rng, (plan.block, plan.sampler.test_rows, plan.sampler.columns), backend.xp)


def _run(plan: Plan, draws: list[_Draw], backend: Backend) -> np.ndarray:
    xp = backend.xp

    def stack(name: str) -> Any:
        return xp.concat([getattr(draw, name) for draw in draws]) if len(draws) > 1 else getattr(draws[0], name)

    ensemble = plan.sampler.ensemble([draw.features for draw in draws], backend)
    if plan.sampler.test_rows:
        ensemble.tested_on(stack("tests"))
    sample = ensemble.sample(stack("design"), stack("noise"))
    fresh = ensemble.sample(stack("fresh_design"), stack("fresh_noise")) if plan.fresh else sample
    dense = ensemble.fit(*sample, ensemble.penalty, ensemble.live, plan.sampler.ridge)
    seen = ensemble.fitted(dense, sample[0], stack("luck"))
    columns: dict[str, Any] = {}
    results = []
    for procedure in plan.procedures:
        coefficients, kept, last = dense, None, sample
        for policy, retrain in procedure.rounds:
            n_keep = whole_number(policy.budget(np.array(plan.n_features)), plan.n_features)
            choice = choose(policy, replace(seen, coefficients=coefficients), n_keep)
            order, places = _placed(xp, choice.scores, kept)
            kept = places < choice.counts
            if retrain is None:
                coefficients = xp.where(kept, choice.values, xp.zeros_like(coefficients))
            else:
                last = fresh if retrain.sample == "fresh" else sample
                if retrain.sample not in columns:
                    columns[retrain.sample] = xp.reshape(xp.matrix_transpose(last[0]), (-1, plan.n_samples))
                ridge = plan.sampler.ridge if retrain.ridge is None else float(retrain.ridge)
                own = columns[retrain.sample], last[1]
                coefficients = _refitted(ensemble, *own, order, places, choice.counts, ridge)
        found = ensemble.measured(*last, coefficients)
        if plan.masks:
            mask = xp.ones_like(coefficients) if kept is None else xp.astype(kept, coefficients.dtype)
            found = xp.concat([found, mask], axis=-1)
        results.append(found)
    return backend.to_numpy(xp.stack(results, axis=1))


def _placed(xp: Any, scores: Any, kept: Any) -> tuple[Any, Any]:
    """Features from the highest score down, and the place of each; those not `kept` come last."""
    if kept is not None:
        scores = xp.where(kept, scores, -xp.ones_like(scores))
    order = xp.argsort(scores, axis=-1, descending=True)
    return order, xp.argsort(order, axis=-1)


def _refitted(ensemble: Ensemble, columns: Any, target: Any, order: Any, places: Any, counts: Any, ridge: float) -> Any:
    """The fit on the first features in `order`; zero elsewhere. Trials may differ in how many these are.

    `columns` are those of the designs of all trials, one below the other, so that each is copied as a whole.
    """
    xp, (trials, n_features) = ensemble.xp, order.shape
    n_keep = counts if isinstance(counts, int) else int(xp.max(counts))
    chosen = order[:, :n_keep]
    penalty, live = (
        xp.take_along_axis(xp.broadcast_to(array, order.shape), chosen, axis=-1)
        for array in (ensemble.penalty, ensemble.live)
    )
    whole = xp.reshape(chosen + n_features * xp.arange(trials)[:, None], (-1,))
    own = xp.matrix_transpose(xp.reshape(xp.take(columns, whole, axis=0), (trials, n_keep, -1)))
    if not isinstance(counts, int):
        inside = xp.arange(n_keep)[None, :] < counts
        own, live = own * xp.astype(inside, own.dtype)[:, None, :], live & inside
    fitted = ensemble.fit(own, target, penalty, live, ridge)
    spread = xp.take_along_axis(fitted, xp.clip(places, max=n_keep - 1), axis=-1)
    return xp.where(places < counts, spread, xp.zeros_like(spread))


# Entries of mean zero and variance one.
DISTRIBUTIONS: dict[str, Callable[[Any, tuple[int, ...], Any], Any]] = {
    "gaussian": lambda rng, shape, xp: rng.standard_normal(shape),
    "rademacher": lambda rng, shape, xp: 2 * xp.floor(2 * rng.random(shape)) - 1,
    "uniform": lambda rng, shape, xp: (2 * rng.random(shape) - 1) * 3**0.5,
    "student5": lambda rng, shape, xp: rng.standard_normal(shape) * xp.sqrt(3 / rng.chisquare(5, shape)),
}
