"""How each policy prunes a fitted sample: which features it prefers, how many it keeps, and at which values.

`choose` dispatches on the class of a policy, and `score` on those that rank by a score:

    @score.register
    def _(policy: Steep, fit: Fitted) -> Any:
        return fit.eigenvalues * abs(fit.coefficients)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from riskcalc.policies import (
    BrainSurgeon,
    Group,
    Hessian,
    Magnitude,
    Optimal,
    Oracle,
    Policy,
    Random,
    Ranking,
    Sampled,
    Score,
    Subset,
    Variance,
)
from riskcalc.policies.scores import by_function, check_scores


@dataclass(frozen=True)
class Fitted:
    """A stack of T fits, and what a policy may look at; arrays of shape (T, p) or (1, p).

    Attributes
    ----------
    coefficients : array
    eigenvalues, truth, penalty : array
        True variances, coefficients, and penalty weights.
    places : callable
        Places of the features among the distinct eigenvalue * coefficient^2.
    luck : array
        Independent uniform numbers, one per feature.
    curvatures : callable
        The diagonal of the inverse of the loss's Hessian, up to a factor per trial.
    effective_ridge : callable
        What the fit's sample tells of its effective ridge, shape (T, 1).
    """

    xp: Any
    coefficients: Any
    eigenvalues: Any
    truth: Any
    places: Callable[[], Any]
    penalty: Any
    luck: Any
    curvatures: Callable[[], Any]
    effective_ridge: Callable[[], Any]


@dataclass(frozen=True)
class Choice:
    """What a policy makes of a fit: the features with the highest `scores` are kept, `counts` of them (shape (T, 1), or
    one number for all), with the coefficients `values`."""

    scores: Any
    counts: Any
    values: Any


@singledispatch
def choose(policy: Policy, fit: Fitted, n_keep: int) -> Choice:
    """What a policy makes of a fit if it keeps so many features; TypeError where nothing is registered for it."""
    raise TypeError(
        f"how {type(policy).__name__} chooses on a sample is not registered (riskcalc.simulation.choices.choose)"
    )


@choose.register
def _(policy: Ranking, fit: Fitted, n_keep: int) -> Choice:
    return Choice(score(policy, fit), n_keep, fit.coefficients)


@singledispatch
def score(policy: Ranking, fit: Fitted) -> Any:
    """The scores that a ranking policy gives to features; TypeError where nothing is registered for its class."""
    raise TypeError(
        f"how {type(policy).__name__} scores features is not registered (riskcalc.simulation.choices.score)"
    )


@score.register
def _(policy: Magnitude, fit: Fitted) -> Any:
    return abs(fit.coefficients)


@score.register
def _(policy: Hessian, fit: Fitted) -> Any:
    return abs(fit.coefficients) * fit.xp.sqrt(fit.eigenvalues)


@score.register
def _(policy: BrainSurgeon, fit: Fitted) -> Any:
    return abs(fit.coefficients) / fit.xp.sqrt(fit.curvatures())


@score.register
def _(policy: Score, fit: Fitted) -> Any:
    xp, X = fit.xp, fit.coefficients * fit.coefficients.shape[-1] ** 0.5
    nu = fit.effective_ridge() if "nu" in policy.expression.names else xp.zeros_like(X[:, :1])
    given = {"X": X, "Lambda": fit.eigenvalues, "D": fit.penalty, "nu": nu}
    scores = policy.scores(xp, **given) if policy.function is None else by_function(policy.function, xp, **given)
    check_scores(xp, scores, given, f"the score {policy.name}, simulated,")
    return scores


@choose.register
def _(policy: Score, fit: Fitted, n_keep: int) -> Choice:
    """Of features that tie, those that luck prefers."""
    xp, order = fit.xp, fit.xp.argsort(fit.luck, axis=-1)
    scores = xp.take_along_axis(score(policy, fit), order, axis=-1)
    places = xp.argsort(xp.argsort(scores, axis=-1), axis=-1)
    return Choice(xp.take_along_axis(places, xp.argsort(order, axis=-1), axis=-1), n_keep, fit.coefficients)


@choose.register
def _(policy: Oracle, fit: Fitted, n_keep: int) -> Choice:
    return Choice(_oracle(fit), n_keep, fit.coefficients)


@choose.register
def _(policy: Variance, fit: Fitted, n_keep: int) -> Choice:
    """In the order of the variances; a stable sort leaves ties in the order of luck."""
    xp, by_luck = fit.xp, fit.xp.argsort(fit.luck, axis=-1)
    shuffled = xp.take_along_axis(fit.eigenvalues + 0 * fit.luck, by_luck, axis=-1)
    order = xp.take_along_axis(by_luck, xp.argsort(shuffled, axis=-1, stable=True), axis=-1)
    return Choice(xp.argsort(order, axis=-1), n_keep, fit.coefficients)


@choose.register
def _(policy: Random, fit: Fitted, n_keep: int) -> Choice:
    return Choice(fit.luck, n_keep, fit.coefficients)


@choose.register
def _(policy: Subset, fit: Fitted, n_keep: int) -> Choice:
    """One for the features named, zero for the others."""
    xp, count = fit.xp, fit.coefficients.shape[-1]
    named = xp.asarray(np.isin(np.arange(count), policy.features), dtype=fit.coefficients.dtype)
    return Choice(named + xp.zeros_like(fit.coefficients), n_keep, fit.coefficients)


@choose.register
def _(policy: Optimal, fit: Fitted, n_keep: int) -> Choice:
    """Where variance and penalty tell the true coefficient: by what keeping a fitted one gains."""
    if policy.rescale:
        return Choice(_oracle(fit), n_keep, fit.truth + 0 * fit.coefficients)
    return Choice(fit.eigenvalues * fit.coefficients * (2 * fit.truth - fit.coefficients), n_keep, fit.coefficients)


@choose.register
def _(policy: Group, fit: Fitted, n_keep: int) -> Choice:
    """Groups of consecutive features by their sums of squared scores."""
    xp, squares = fit.xp, score(policy.ranking, fit) ** 2
    trials, features = squares.shape
    sums = xp.sum(xp.reshape(squares, (trials, features // policy.size, policy.size)), axis=-1)
    places = xp.argsort(xp.argsort(sums, axis=-1), axis=-1)  # distinct, so that groups stay together
    return Choice(xp.repeat(places, policy.size, axis=-1), n_keep, fit.coefficients)


@choose.register
def _(policy: Sampled, fit: Fitted, n_keep: int) -> Choice:
    scores = score(policy.ranking, fit)
    return _replaced(fit, scores, n_keep) if policy.replacement else _sure_top(fit, scores, n_keep)


def _sure_top(fit: Fitted, scores: Any, n_keep: int) -> Choice:
    """Systematic sampling in a random order: of a fixed size, and kept with exactly the wanted probabilities."""
    xp = fit.xp
    falling = xp.sort(scores, axis=-1, descending=True)
    # t is such that min(1, score / t) adds up to the budget: try every number of sure features.
    sums = xp.flip(xp.cumulative_sum(xp.flip(falling, axis=-1), axis=-1), axis=-1)[:, :n_keep]
    trials = sums / xp.astype(xp.arange(n_keep, 0, -1), sums.dtype)
    enough = falling[:, :n_keep] <= trials
    first = xp.argmax(xp.astype(enough, xp.int64), axis=-1, keepdims=True)
    t = xp.take_along_axis(trials, xp.where(xp.any(enough, axis=-1, keepdims=True), first, n_keep - 1), axis=-1)
    chance = xp.clip(scores / t, max=1.0)
    order = xp.argsort(fit.luck, axis=-1)
    sums = xp.cumulative_sum(xp.take_along_axis(chance, order, axis=-1), axis=-1)
    offset = xp.sum(fit.luck, axis=-1, keepdims=True) % 1.0  # uniform, whatever the order
    steps = xp.floor(sums + offset)
    before = xp.concat([xp.zeros_like(steps[:, :1]), steps[:, :-1]], axis=-1)
    chosen = xp.take_along_axis(xp.astype(steps > before, xp.int64), xp.argsort(order, axis=-1), axis=-1)
    return _picked(fit, chosen, fit.coefficients / xp.where(chance > 0, chance, 1.0))


def _replaced(fit: Fitted, scores: Any, n_keep: int) -> Choice:
    """As many draws with replacement as the budget has features; values are multiplied by counts over mean counts."""
    xp = fit.xp
    sums = xp.cumulative_sum(scores, axis=-1)
    whole = sums[:, -1:]
    trials, features = scores.shape
    draws = xp.sort(fit.luck[:, :n_keep], axis=-1)
    # one search for all trials: those of each lie in a unit interval of their own
    trial = xp.astype(xp.arange(trials), scores.dtype)[:, None]
    ends = xp.reshape(xp.clip(sums / whole, max=1.0) + trial, (-1,))
    found = xp.reshape(xp.searchsorted(xp.reshape(draws + trial, (-1,)), ends), (trials, features))
    found = found - n_keep * xp.astype(xp.arange(trials), found.dtype)[:, None]
    before = xp.concat([xp.zeros_like(found[:, :1]), found[:, :-1]], axis=-1)
    counts = found - before
    mean = n_keep * scores / whole
    values = fit.coefficients * xp.astype(counts, scores.dtype) / xp.where(mean > 0, mean, 1.0)
    return _picked(fit, xp.astype(counts > 0, xp.int64), values)


def _picked(fit: Fitted, chosen: Any, values: Any) -> Choice:
    """The features that ones choose, whose number differs from trial to trial."""
    xp = fit.xp
    return Choice(xp.astype(chosen, values.dtype), xp.sum(chosen, axis=-1, keepdims=True), values)


def _oracle(fit: Fitted) -> Any:
    return fit.places() + fit.luck  # luck makes places different, so that ties share
