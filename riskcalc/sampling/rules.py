"""How each policy prunes a fitted sample: which features it prefers, how many it keeps, and at which values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Fitted:
    """A stack of T fits, and what a policy may look at; arrays of shape (T, p) or (1, p).

    Attributes
    ----------
    coefficients : array
    eigenvalues, truth, ranks : array
        True variances, coefficients, and places among the distinct eigenvalue * coefficient^2.
    luck : array
        Independent uniform numbers, one per feature.
    curvatures : callable
        The diagonal of the inverse of the loss's Hessian, up to a factor per trial.
    """

    xp: Any
    coefficients: Any
    eigenvalues: Any
    truth: Any
    ranks: Any
    luck: Any
    curvatures: Callable[[], Any]


class Budget(Protocol):
    """What a rule is told: how many features to keep, and how many stand or fall together."""

    @property
    def n_keep(self) -> int:
        """Number kept."""
        ...

    @property
    def group(self) -> int:
        """Size of a group; one where there are none."""
        ...


@dataclass(frozen=True)
class Choice:
    """What a rule makes of a fit: the features with the highest `scores` are kept, `counts` of them (shape (T, 1), or
    one number for all), with the coefficients `values`."""

    scores: Any
    counts: Any
    values: Any


def _ranked(score: Callable[[Fitted], Any]) -> Callable[[Fitted, Budget], Choice]:
    return lambda fit, budget: Choice(score(fit), budget.n_keep, fit.coefficients)


def _grouped(score: Callable[[Fitted], Any]) -> Callable[[Fitted, Budget], Choice]:
    """Groups of consecutive features by their sums of squared scores."""

    def choose(fit: Fitted, budget: Budget) -> Choice:
        xp, squares = fit.xp, score(fit) ** 2
        trials, features = squares.shape
        sums = xp.sum(xp.reshape(squares, (trials, features // budget.group, budget.group)), axis=-1)
        places = xp.argsort(xp.argsort(sums, axis=-1), axis=-1)  # distinct, so that groups stay together
        return Choice(xp.repeat(places, budget.group, axis=-1), budget.n_keep, fit.coefficients)

    return choose


def _sure_top(fit: Fitted, budget: Budget) -> Choice:
    """Systematic sampling in a random order: of a fixed size, and kept with exactly the wanted probabilities."""
    xp, scores = fit.xp, _sensitivity(fit)
    falling = xp.sort(scores, axis=-1, descending=True)
    # t is such that min(1, score / t) adds up to the budget: try every number of sure features.
    sums = xp.flip(xp.cumulative_sum(xp.flip(falling, axis=-1), axis=-1), axis=-1)[:, : budget.n_keep]
    trials = sums / xp.astype(xp.arange(budget.n_keep, 0, -1), sums.dtype)
    enough = falling[:, : budget.n_keep] <= trials
    first = xp.argmax(xp.astype(enough, xp.int64), axis=-1, keepdims=True)
    t = xp.take_along_axis(trials, xp.where(xp.any(enough, axis=-1, keepdims=True), first, budget.n_keep - 1), axis=-1)
    chance = xp.clip(scores / t, max=1.0)
    order = xp.argsort(fit.luck, axis=-1)
    sums = xp.cumulative_sum(xp.take_along_axis(chance, order, axis=-1), axis=-1)
    offset = xp.sum(fit.luck, axis=-1, keepdims=True) % 1.0  # uniform, whatever the order
    steps = xp.floor(sums + offset)
    before = xp.concat([xp.zeros_like(steps[:, :1]), steps[:, :-1]], axis=-1)
    chosen = xp.take_along_axis(xp.astype(steps > before, xp.int64), xp.argsort(order, axis=-1), axis=-1)
    return _picked(fit, chosen, fit.coefficients / xp.where(chance > 0, chance, 1.0))


def _replaced(fit: Fitted, budget: Budget) -> Choice:
    """As many draws with replacement as the budget has features; values are multiplied by counts over mean counts."""
    xp, scores = fit.xp, _sensitivity(fit)
    sums = xp.cumulative_sum(scores, axis=-1)
    whole = sums[:, -1:]
    trials, features = scores.shape
    draws = xp.sort(fit.luck[:, : budget.n_keep], axis=-1)
    # one search for all trials: those of each lie in a unit interval of their own
    trial = xp.astype(xp.arange(trials), scores.dtype)[:, None]
    ends = xp.reshape(xp.clip(sums / whole, max=1.0) + trial, (-1,))
    found = xp.reshape(xp.searchsorted(xp.reshape(draws + trial, (-1,)), ends), (trials, features))
    found = found - budget.n_keep * xp.astype(xp.arange(trials), found.dtype)[:, None]
    before = xp.concat([xp.zeros_like(found[:, :1]), found[:, :-1]], axis=-1)
    counts = found - before
    mean = budget.n_keep * scores / whole
    values = fit.coefficients * xp.astype(counts, scores.dtype) / xp.where(mean > 0, mean, 1.0)
    return _picked(fit, xp.astype(counts > 0, xp.int64), values)


def _picked(fit: Fitted, chosen: Any, values: Any) -> Choice:
    """The features that ones choose, whose number differs from trial to trial."""
    xp = fit.xp
    return Choice(xp.astype(chosen, values.dtype), xp.sum(chosen, axis=-1, keepdims=True), values)


def _sensitivity(fit: Fitted) -> Any:
    return abs(fit.coefficients) * fit.xp.sqrt(fit.eigenvalues)


def _gain(fit: Fitted) -> Any:
    """Of keeping a coefficient, where variance and penalty tell the true one."""
    return fit.eigenvalues * fit.coefficients * (2 * fit.truth - fit.coefficients)


def _oracle(fit: Fitted) -> Any:
    return fit.ranks + fit.luck  # luck makes places different, so that ties share


RULES: dict[str, Callable[[Fitted, Budget], Choice]] = {
    "magnitude": _ranked(lambda fit: abs(fit.coefficients)),
    "hessian": _ranked(_sensitivity),
    "surgeon": _ranked(lambda fit: abs(fit.coefficients) / fit.xp.sqrt(fit.curvatures())),
    "oracle": _ranked(_oracle),
    "random": _ranked(lambda fit: fit.luck),
    "sampled": _sure_top,
    "replaced": _replaced,
    "optimal": _ranked(_gain),
    "optimal_rescaled": lambda fit, budget: Choice(_oracle(fit), budget.n_keep, fit.truth + 0 * fit.coefficients),
    "group_magnitude": _grouped(lambda fit: abs(fit.coefficients)),
    "group_hessian": _grouped(_sensitivity),
}
