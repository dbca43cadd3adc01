"""What pruning drops of correlated features without draws: against draws, the diagonal theory, and all masks."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import riskcalc as rc
from riskcalc.lowering.evaluator import PLAIN
from riskcalc.prediction.correlated.expansion import FittedLaw, by_chance, expanded, named

P = 30
BETA = np.where(np.arange(P) % 5 == 0, np.linspace(-1, 1.2, P), 0)
WEIGHTS = np.linspace(0.6, 1.8, P)


def problem_of(covariance: np.ndarray, n: int, ridge: float = 0) -> rc.Correlated:
    """With noise of .3, and signals on one feature in five."""
    beta = BETA[: len(covariance)]
    return rc.Correlated(covariance, coefficients=beta, n_samples=n, noise_variance=0.3, ridge=ridge)


def law_of(problem: rc.Correlated) -> tuple[FittedLaw, float, np.ndarray]:
    """The law of its fitted coefficients, its dense risk, and what times standard normal noise is that of a fit."""
    dense, n = rc.predict(problem), int(problem.n_samples)
    covariance, beta = (np.asarray(one, float) for one in (problem.covariance, problem.coefficients))
    inverse = np.linalg.inv(covariance + (dense.effective_ridge or 0) * np.eye(len(beta)))
    hat = covariance @ inverse
    noise = np.sqrt(dense.risk / n) * inverse @ np.linalg.cholesky(covariance)
    return FittedLaw(hat.T @ beta, noise @ noise.T, covariance, beta, hat.diagonal() / n), float(dense.risk), noise


def autoregressive(rho: float, p: int = P) -> np.ndarray:
    """Covariance rho^|i-j|."""
    return rho ** abs(np.subtract.outer(np.arange(p), np.arange(p)))


@pytest.mark.parametrize(("rho", "n", "ridge"), [(0.5, 15, 0), (0.5, 60, 0), (-0.7, 60, 0), (0.7, 20, 0.2)])
def test_the_series_is_what_plain_draws_average_to(rho: float, n: int, ridge: float):
    """100,000 draws of the fit, masked at the threshold that keeps ten of the scores on average."""
    law, gamma, noise = law_of(problem_of(autoregressive(rho), n, ridge))
    found = expanded(law, gamma, WEIGHTS, 10, 1e-5, PLAIN)
    assert found is not None
    assert found.remainder <= 1e-5 * (gamma + 2 * found.D1 + found.D2)
    assert found.kept.sum() == pytest.approx(10, rel=1e-12)
    standard = np.random.default_rng(n).standard_normal((100_000, P))
    fitted = law.mean + standard @ noise.T
    scores = abs(fitted) * WEIGHTS
    threshold = np.quantile(scores, 1 - 10 / P)
    dropped = np.where(scores < threshold, fitted, 0)
    seen = dropped @ np.linalg.cholesky(law.features)
    drawn = np.stack(
        [
            -np.einsum("ti,ti->t", (fitted - law.truth) @ law.features, dropped),
            np.einsum("ti,ti->t", seen, seen),
            np.einsum("ti,ti->t", standard, seen) / np.sqrt(gamma * n),
            (np.count_nonzero(dropped, axis=1) - (P - 10.0)) ** 2,
        ]
    )
    errors = drawn.std(axis=1) / np.sqrt(len(standard))
    told = np.array([found.D1, found.D2, found.h, found.variance])
    # The sample's threshold is that of its own scores: their number is right, and what is dropped off by little.
    assert np.all(abs(drawn.mean(axis=1) - told) <= 4.5 * errors)
    kept = np.sqrt(found.kept * (1 - found.kept) / len(standard))
    assert np.all(abs((scores >= threshold).mean(axis=0) - found.kept) <= 4.5 * kept + 1e-9)


@pytest.mark.parametrize(("n", "ridge"), [(15, 0), (60, 0.1)])
def test_uncorrelated_features_are_the_diagonal_theory(n: int, ridge: float):
    variances = np.linspace(0.3, 3, P)
    law, gamma, _ = law_of(problem_of(np.diag(variances), n, ridge))
    found = expanded(law, gamma, np.ones(P), 10, 0.0, PLAIN)
    assert found is not None
    assert found.remainder == 0
    given = {"coefficients": BETA, "n_samples": n, "n_features": P, "noise_variance": 0.3, "ridge": ridge}
    pruned = rc.predict(rc.LinearGaussian(eigenvalues=variances, **given), rc.Magnitude(n_keep=10))
    assert gamma + 2 * found.D1 + found.D2 == pytest.approx(pruned.risk, rel=1e-9)
    slack = 1 - law.hat.sum() + found.h
    assert gamma * slack**2 + 2 * found.D1 * slack + found.D2 == pytest.approx(pruned.training_error, rel=1e-9)
    assert found.kept == pytest.approx(pruned.kept, abs=1e-9)


@pytest.mark.parametrize("rho", [0.3, -0.6, 0.8])
def test_what_the_series_leaves_out_is_bounded(rho: float):
    law, gamma, _ = law_of(problem_of(autoregressive(rho), 60))
    exact = expanded(law, gamma, WEIGHTS, 10, 1e-9, PLAIN)
    assert exact is not None
    left = []
    for tolerance in (0.3, 0.03, 0.003):
        found = expanded(law, gamma, WEIGHTS, 10, tolerance, PLAIN)
        assert found is not None
        assert abs(found.D2 - exact.D2) <= found.remainder + exact.remainder
        left.append(found.remainder)
    assert left == sorted(left, reverse=True)
    assert left[-1] < left[0]


def test_coefficients_that_hardly_vary():
    """Six of them are 10^10 of their deviations from zero: kept for sure, without a trace in any order."""
    problem = problem_of(autoregressive(0.95), 60)
    law, gamma, _ = law_of(rc.Correlated(problem.covariance, problem.coefficients, 60, noise_variance=1e-22))
    found = expanded(law, gamma, np.ones(P), 12, 1e-7, PLAIN)
    assert found is not None
    assert found.kept[BETA != 0] == pytest.approx(1, abs=1e-12)
    # The others, alone: their covariance and means of zero.
    rest = np.ix_(BETA == 0, BETA == 0)
    mean = 0 * law.mean[BETA == 0]
    own = FittedLaw(mean, law.covariance[rest], law.features[rest], mean, law.hat[BETA == 0])
    alone = expanded(own, gamma, np.ones(len(mean)), 6, 1e-7, PLAIN)
    assert alone is not None
    assert (found.D2, found.h, found.variance) == pytest.approx((alone.D2, alone.h, alone.variance), rel=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_two_coefficients_that_are_one_have_no_precise_series(sign: int):
    """A correlation of one: orders add what the squares of Hermite coefficients of a jump do, which fall slowly."""
    law, gamma, _ = law_of(problem_of(np.eye(4), 8))
    same = law.covariance.copy()
    same[1, 2] = same[2, 1] = sign * same[1, 1]
    features = law.features + 0.5 * (1 - np.eye(4))
    law = FittedLaw(law.mean, same, features, law.truth, law.hat)
    assert expanded(law, gamma, np.ones(4), 2, 1e-4, PLAIN) is None
    assert expanded(law, gamma, np.ones(4), 2, 0.1, PLAIN) is not None


def test_nothing_is_dropped_of_all():
    law, gamma, _ = law_of(problem_of(autoregressive(0.5), 15))
    for found in (
        expanded(law, gamma, WEIGHTS, P, 1e-3, PLAIN),
        named(law, np.ones(P, bool)),
        by_chance(law, P, PLAIN),
    ):
        assert found is not None
        assert (found.D1, found.D2, found.h, found.variance) == pytest.approx((0, 0, 0, 0), abs=1e-15)
        assert found.kept == pytest.approx(np.ones(P))


@pytest.mark.parametrize("n_keep", [1, 2, 5])
def test_chance_is_the_average_over_all_sets(n_keep: int):
    law, _, _ = law_of(problem_of(autoregressive(0.6, 6), 4))
    sets = [np.isin(np.arange(6), kept) for kept in combinations(range(6), n_keep)]
    every = np.mean([(one.D1, one.D2, one.h, *one.kept) for one in (named(law, kept) for kept in sets)], axis=0)
    chance = by_chance(law, n_keep, PLAIN)
    assert (chance.D1, chance.D2, chance.h, *chance.kept) == pytest.approx(every, rel=1e-12)


def test_named_features_against_draws():
    law, gamma, noise = law_of(problem_of(autoregressive(0.6), 15))
    kept = np.arange(P) % 3 == 0
    found = named(law, kept)
    standard = np.random.default_rng(0).standard_normal((50_000, P))
    fitted = law.mean + standard @ noise.T
    dropped = np.where(kept, 0, fitted)
    seen = dropped @ np.linalg.cholesky(law.features)
    drawn = np.stack(
        [
            -np.einsum("ti,ti->t", (fitted - law.truth) @ law.features, dropped),
            np.einsum("ti,ti->t", seen, seen),
            np.einsum("ti,ti->t", standard, seen) / np.sqrt(gamma * 15),
        ]
    )
    errors = drawn.std(axis=1) / np.sqrt(len(standard))
    assert np.all(abs(drawn.mean(axis=1) - (found.D1, found.D2, found.h)) <= 4.5 * errors)
