"""Which features a policy keeps in a draw of correlated features: exactly so many, those of the largest scores."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.policies import BrainSurgeon, Oracle, Policy, Random, Ranking, Subset, Variance
from riskcalc.policies.scores import check_scores
from riskcalc.prediction.correlated.draws import Batch
from riskcalc.prediction.correlated.fit import Fit
from riskcalc.prediction.policies import Ranked, Scored, Thresholded, mask, score
from riskcalc.prediction.solvers import NotCovered


@singledispatch
def scores_of(policy: Policy, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """What ranks the features, shape (draws, p), or (1, p) where it is the same in every draw."""
    raise TypeError(f"how {type(policy).__name__} scores correlated features is not registered")


@scores_of.register
def _(policy: Ranking, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """Of a feature's own coefficient and variance."""
    state = _state(policy, fit) | {"X": batch.coefficients * fit.scale}
    with np.errstate(all="ignore"):  # what comes of it is checked
        (found,) = work.lower((score(policy),), {}, "correlated.score")(state)
    if isinstance(mask(policy), Scored):
        check_scores(np, found, {"X": state["X"]}, f"the score of {policy.kind}")
    return _last(found, fit)


@scores_of.register(Oracle)
@scores_of.register(Variance)
def _(policy: Oracle | Variance, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """Of a feature alone, whatever it has in common with others."""
    ranked = mask(policy)
    assert isinstance(ranked, Ranked)
    (found,) = work.lower((ranked.score,), {}, "correlated.score")(_state(policy, fit))
    return _last(found, fit)


@scores_of.register
def _(policy: Random, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """None: luck decides."""
    return np.zeros((1, fit.features.size))


@scores_of.register
def _(policy: Subset, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """Whether they are named."""
    return np.isin(np.arange(fit.features.size), policy.features).astype(float)[None]


def _last(scores: np.ndarray, fit: Fit) -> np.ndarray:
    """Features without variance after all others."""
    return np.where(fit.features.variances > 0, scores, -1)


def check_covered(policy: Policy) -> None:
    """NotCovered for policies that are not."""
    if scores_of.dispatch(type(policy)) is scores_of.dispatch(object):
        raise NotCovered(
            "with correlated features the theory covers policies that rank features by a score of their own, the "
            f"oracle, variance, chance and named features, but not {policy.kind}; simulate it"
        )


def weight_of(policy: Ranking, fit: Fit, work: Evaluator) -> np.ndarray | None:
    """What the score multiplies |X| by, shape (p,); None where it is no such score."""
    found = mask(policy)
    if not isinstance(found, Thresholded):
        return None
    (weight,) = work.lower((found.weight,), {}, "correlated.weight")(_state(policy, fit))
    return np.broadcast_to(weight, (1, fit.features.size))[0]


def _state(policy: Policy, fit: Fit) -> State:
    one, variances = np.ones((1, 1)), fit.features.variances
    if isinstance(policy, BrainSurgeon):  # whose Lambda + nu is one over the diagonal of (covariance + nu)^-1
        variances = 1 / fit.features.whole.inverse_diagonal(fit.ridge) - fit.ridge
    return {"Lambda": variances[None], "B": fit.signal[None], "D": one, "nu": fit.ridge * one}


def top(scores: np.ndarray, count: int, batch: Batch) -> np.ndarray:
    """The features of the largest scores, as booleans of their shape; of those that tie, any, by the luck of a draw."""
    last = np.partition(scores, -count, axis=1)[:, [-count]]
    above, level = scores > last, scores == last
    places = count - above.sum(axis=1, keepdims=True)
    if np.all(level.sum(axis=1, keepdims=True) == places):
        return above | level
    lucky = np.argsort(np.argsort(np.where(level, batch.luck, 2), axis=1), axis=1)
    return above | (level & (lucky < places))
