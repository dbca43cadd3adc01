"""Pruned correlated features without draws, where their covariance is a matrix: closed forms, or a series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.policies import Policy, Ranking
from riskcalc.prediction.correlated.choices import weight_of
from riskcalc.prediction.correlated.expansion import Dropped, FittedLaw, by_chance, expanded, named
from riskcalc.prediction.correlated.features import MatrixFeatures
from riskcalc.prediction.correlated.fit import Fit


def without_draws(fit: Fit, policy: Policy, kept: np.ndarray | None, number: int, work: Evaluator) -> Dropped | None:
    """What a policy drops, given what it keeps without seeing the fit: in some draws, or in all.

    None where only draws tell.

    The series keeps so many features on average, draws exactly so many: it stands for these where that makes less of a
    difference than is tolerated.
    """
    if not isinstance(fit.features, MatrixFeatures):
        return None
    if kept is not None:
        if len(kept) == 1:
            return named(_law(fit), kept[0])
        return by_chance(_law(fit), number, work) if policy.by_chance else None
    weight = weight_of(policy, fit, work) if isinstance(policy, Ranking) else None
    live = fit.features.variances > 0
    if weight is None or fit.gamma == 0 or number > np.count_nonzero(live):
        return None
    tolerance = work.integration.tolerance
    found = expanded(_law(fit, live), fit.gamma, weight[live], number, tolerance / 2, work)
    if found is None or 2 * found.variance / number**2 > tolerance / 2:
        return None
    everywhere = np.zeros(len(live))
    everywhere[live] = found.kept
    return replace(found, kept=everywhere)


def _law(fit: Fit, live: np.ndarray | None = None) -> FittedLaw:
    """The law of the fitted coefficients, of all features or of some, without which the others have none."""
    assert isinstance(fit.features, MatrixFeatures)
    mean, covariance, hat = fit.features.fitted_law(fit.ridge, fit.truth, fit.deviation)
    law = FittedLaw(mean, covariance, fit.features.covariance, fit.signal / fit.scale, hat / fit.n_samples)
    if live is None or live.all():
        return law
    both = np.ix_(live, live)
    return FittedLaw(mean[live], covariance[both], law.features[both], law.truth[live], law.hat[live])
