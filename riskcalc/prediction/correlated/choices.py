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
from riskcalc.prediction.policies import mask, score
from riskcalc.prediction.solvers import NotCovered


@singledispatch
def scores_of(policy: Policy, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """What ranks the features, shape (draws, p), or (1, p) where it is the same in every draw."""
    raise NotCovered(
        "with correlated features the theory covers policies that rank features by a score of their own, the oracle, "
        f"variance, chance and named features, but not {policy.kind}; simulate it"
    )


@scores_of.register
def _(policy: Ranking, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """Of a feature's own coefficient and variance."""
    state = _state(fit) | {"X": batch.coefficients * fit.scale}
    if isinstance(policy, BrainSurgeon):  # whose Lambda + nu is one over the diagonal of (covariance + nu)^-1
        state["Lambda"] = 1 / fit.features.whole.inverse_diagonal(fit.ridge)[None] - fit.ridge
    with np.errstate(all="ignore"):
        (found,) = work.lower((score(policy),), {}, "correlated.score")(state)
    found = found + 0 * state["X"]
    check_scores(np, found, {"X": state["X"]}, f"the score of {policy.kind}")
    return found


@scores_of.register(Oracle)
@scores_of.register(Variance)
def _(policy: Oracle | Variance, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """Of the features alone."""
    (found,) = work.lower((mask(policy).score,), {}, "correlated.score")(_state(fit))
    return found


@scores_of.register
def _(policy: Random, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """None: luck decides."""
    return np.zeros((1, fit.features.size))


@scores_of.register
def _(policy: Subset, fit: Fit, batch: Batch, work: Evaluator) -> np.ndarray:
    """Whether they are named."""
    return np.isin(np.arange(fit.features.size), policy.features).astype(float)[None]


def _state(fit: Fit) -> State:
    one = np.ones((1, 1))
    return {"Lambda": fit.features.variances[None], "B": fit.signal[None], "D": one, "nu": fit.ridge * one}


def top(scores: np.ndarray, count: int, batch: Batch) -> np.ndarray:
    """The features of the largest scores, as booleans of their shape; of those that tie, any, by the luck of a draw."""
    last = np.partition(scores, -count, axis=1)[:, [-count]]
    above, level = scores > last, scores == last
    places = count - above.sum(axis=1, keepdims=True)
    if np.all(level.sum(axis=1, keepdims=True) == places):
        return above | level
    lucky = np.argsort(np.argsort(np.where(level, batch.luck, 2), axis=1), axis=1)
    return above | (level & (lucky < places))
