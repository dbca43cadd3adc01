"""Correlated features: predictions as ratios to products and eigendecompositions of their covariance.

Run:  python -m pytest tests/benchmarks/test_correlated_performance.py --benchmark-only -s
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from timing import ratio

import riskcalc as rc

RNG = np.random.default_rng(0)
COVARIANCE = 0.5 ** abs(np.subtract.outer(np.arange(1000), np.arange(1000)))
PROBLEM = rc.Correlated(
    COVARIANCE, RNG.normal(size=1000) * (RNG.random(1000) < 0.1), 500, noise_variance=0.5, ridge=0.1
)
LOADINGS, OWN = RNG.normal(size=(50_000, 20)) / 4, RNG.uniform(0.5, 1.5, 50_000)
FACTORS = rc.Correlated(
    rc.FactorCovariance(LOADINGS, OWN), RNG.normal(size=50_000) / 50_000**0.5, 20_000, noise_variance=0.5, ridge=0.1
)


@pytest.mark.benchmark
@pytest.mark.parametrize("keep", [None, 100, 300, 900])
def test_dense_and_pruned(benchmark, keep: int | None):
    policy = None if keep is None else rc.Magnitude(n_keep=keep)
    median, best = ratio(benchmark, lambda: rc.predict(PROBLEM, policy), lambda: np.linalg.eigh(COVARIANCE), rounds=3)
    found = rc.predict(PROBLEM, policy)
    print(
        f"\n1,000 features, {found.label} to {keep} / eigendecompositions: {median:.2f} (smallest {best:.2f}; aim: 3)"
    )


@pytest.mark.benchmark
@pytest.mark.parametrize("ridge", [0, 0.1])
@pytest.mark.parametrize("keep", [100, 300])
def test_retraining(benchmark, keep: int, ridge: float):
    policy, retrain = rc.Magnitude(n_keep=keep), rc.Retrain(ridge)
    median, best = ratio(
        benchmark, lambda: rc.predict(PROBLEM, policy, retrain), lambda: COVARIANCE @ COVARIANCE, rounds=3
    )
    found: Any = rc.predict(PROBLEM, policy, retrain)
    assert found.integration_error <= 0.01 * found.risk
    print(f"\n1,000 features, retrained on {keep} / products: {median:.1f} (smallest {best:.1f}; aim: 60)")


@pytest.mark.benchmark
@pytest.mark.parametrize("retrain", [None, rc.Retrain(), rc.Retrain(sample="fresh")], ids=["pruned", "same", "fresh"])
def test_factors(benchmark, retrain: rc.Retrain | None):
    """A pass takes a block of draws, 32 rows, through the loadings."""
    policy, rows = rc.Magnitude(n_keep=5000), RNG.normal(size=(32, 20))
    median, best = ratio(benchmark, lambda: rc.predict(FACTORS, policy, retrain), lambda: rows @ LOADINGS.T, rounds=3)
    found: Any = rc.predict(FACTORS, policy, retrain)
    assert found.integration_error <= 0.01 * found.risk
    print(f"\n50,000 features, 20 factors, {found.label} / passes: {median:.0f} (smallest {best:.0f}; aim: 200)")
