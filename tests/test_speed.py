"""What is fast is right: roots between gains, regimes in one batch, counted weights, blocks in threads, memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from accuracy import random_regimes

import riskcalc as rc


def test_the_optimal_rule_keeps_its_digits():
    """Gains that nearly tie, plateaus and thresholds beside a gain, against 40 digits."""
    regimes = random_regimes(np.random.default_rng(3), 25, 4)
    policy = rc.Optimal(keep=regimes.keep)
    fast, exact = (rc.predict(regimes.problem, policy, digits=digits) for digits in (None, 40))
    assert list(np.where(fast.status == "imprecise", "ok", fast.status)) == list(exact.status)
    assert fast.risk.tolist() == pytest.approx([float(x) for x in exact.risk], rel=1e-12, nan_ok=True)


def test_features_that_share_an_eigenvalue_are_a_batch_of_their_own():
    """Regimes with kinds of one, two or three features, some without variance, are what each is alone."""
    eigenvalues = np.array([[1, 1, 1, 4], [1, 1, 4, 4], [1, 1, 4, 0], [1, 2, 3, 4.0]])
    signal = np.array([[3, 0.5, -1, 1], [2, 0.3, 1, 4], [1, -2, 2, 1], [1, 2, 3, 1]])
    given = {"aspect_ratio": 2, "weights": [0.1, 0.2, 0.3, 0.4], "noise_variance": 0.5}
    for rescale in (False, True):
        policy = rc.Optimal(keep=0.3, rescale=rescale)
        together = rc.predict(rc.LinearGaussian(eigenvalues=eigenvalues, signal=signal, **given), policy)
        for i, (own, coefficients) in enumerate(zip(eigenvalues, signal, strict=True)):
            alone = rc.predict(rc.LinearGaussian(eigenvalues=own, signal=coefficients, **given), policy)
            assert together.risk[i] == pytest.approx(alone.risk, rel=1e-12)
            assert together.kept[i] == pytest.approx(alone.kept, abs=1e-9)


def test_equal_weights_are_counted():
    """As weights that are given one by one, over several blocks; threads make no difference from run to run."""
    rng = np.random.default_rng(0)
    count = 40_000
    eigenvalues, signal = rng.pareto(2.0, count) + 0.01, rng.normal(size=count)
    given = {"aspect_ratio": 2.0, "noise_variance": 0.5, "eigenvalues": eigenvalues, "signal": signal}
    counted, again = (rc.compare(rc.LinearGaussian(**given), keep=0.1).risks for _ in range(2))
    summed = rc.compare(rc.LinearGaussian(**given, weights=np.full(count, 1 / count)), keep=0.1).risks
    assert counted == again
    assert counted == pytest.approx(summed, rel=1e-11)


def test_results_hold_no_states():
    """What is kept of each feature is computed when asked for, and until then takes no room."""
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=np.arange(1.0, 50_001), signal=1, noise_variance=1)
    rc.compare(problem, keep=0.1)  # which compiles what it needs
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    comparison = rc.compare(problem, keep=0.1)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert comparison.predictions["magnitude"].kept.mean() == pytest.approx(0.1, rel=1e-12)
    several = rc.compare(rc.LinearGaussian(aspect_ratio=[2, 3], eigenvalues=[4, 1], signal=1), keep=0.1)
    shared = [prediction.dense_risk for prediction in several.predictions.values()]
    assert all(one is shared[0] for one in shared[4:8])
    assert held < problem.law.eigenvalues.nbytes
