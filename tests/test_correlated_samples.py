"""Samples of correlated features: that they are what they should be, by plain linear algebra and exact results."""

from __future__ import annotations

import math

import numpy as np
import pytest

import riskcalc as rc
from riskcalc.policies import Variance
from riskcalc.simulation.backends import backend
from riskcalc.simulation.correlated import root_of
from riskcalc.simulation.samplers import sampler, sized

HERE = {"device": "cpu", "workers": 1}
SIGMAS = 5
P = 12
INDEX = np.arange(P)
RNG = np.random.default_rng(5)
LOADINGS, OWN = RNG.standard_normal((P, 2)), RNG.uniform(0.2, 1, P)
SOME = np.where(INDEX < 4, OWN, 0)
COEFFICIENTS = RNG.standard_normal(P)
COVARIANCES = {
    "AR": 0.6 ** abs(INDEX[:, None] - INDEX),
    "blocks": np.kron(np.eye(3), 0.7 + 0.3 * np.eye(4)),
    "equicorrelated": 0.4 + 0.6 * np.eye(P),
    "factor": rc.FactorCovariance(LOADINGS, OWN),
    "singular": LOADINGS @ LOADINGS.T + np.diag(SOME),
    "singular factor": rc.FactorCovariance(LOADINGS, SOME),
    "a feature without variance": np.diag((INDEX > 0).astype(float)),
}
RANKS = dict.fromkeys(COVARIANCES, P) | {"singular": 6, "singular factor": 6, "a feature without variance": P - 1}


def problem(name: str, n_samples: int, **more: float) -> rc.Correlated:
    return rc.Correlated(COVARIANCES[name], COEFFICIENTS, n_samples, **more)


def trials(asked: rc.Correlated, n_samples: int, count: int):
    """An ensemble, and designs and targets of some trials without noise."""
    own = sampler(asked, n_samples, False)
    ensemble = own.ensemble([None], backend("cpu"))
    entries = np.random.default_rng(1).standard_normal((count, n_samples, own.columns))
    return ensemble, *ensemble.sample(entries, np.zeros((count, n_samples)))


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("name", COVARIANCES)
def test_features_have_the_covariance_that_is_given(name: str, copies: int):
    asked = problem(name, 20)
    expected = np.kron(np.eye(copies), np.asarray(asked.covariance))
    ensemble, design, target = trials(asked, 20 * copies, 1000)
    rows = design.reshape(-1, copies * P)
    scale = np.sqrt(np.outer(expected.diagonal(), expected.diagonal()) + expected**2)
    assert np.all(abs(rows.T @ rows / len(rows) - expected) <= 5.5 * scale / math.sqrt(len(rows)) + 1e-12)
    beta = np.tile(COEFFICIENTS, copies) / math.sqrt(copies)
    np.testing.assert_allclose(target, design @ beta, rtol=1e-12, atol=1e-12)
    error = np.random.default_rng(2).standard_normal((3, copies * P))
    np.testing.assert_allclose(ensemble.excess_risk(error), np.sum(error @ expected * error, axis=1), rtol=1e-10)


@pytest.mark.parametrize("name", COVARIANCES)
def test_copies_are_the_problem_that_is_simulated_at_another_size(name: str):
    asked = problem(name, 20, noise_variance=0.3, ridge=0.1)
    larger = sized(asked, 60)
    copied = np.kron(np.eye(3), np.asarray(asked.covariance))
    np.testing.assert_allclose(np.asarray(larger.covariance), copied, rtol=1e-12, atol=1e-12)
    assert larger.null_risk == pytest.approx(asked.null_risk, rel=1e-12)
    assert (larger.n_samples, larger.n_features, larger.ridge, larger.noise_variance) == (60, 3 * P, 0.1, 0.3)
    assert sized(asked, 20) is asked


@pytest.mark.parametrize("name", COVARIANCES)
def test_the_rank_of_a_covariance(name: str):
    root = root_of(COVARIANCES[name])
    assert root.rank == RANKS[name] == np.linalg.matrix_rank(np.asarray(COVARIANCES[name]))
    np.testing.assert_allclose(root.variances, np.asarray(COVARIANCES[name]).diagonal())
    assert (root.scales is None) == (root.rank < P - (name == "a feature without variance"))
    if root.scales is None:
        return
    live = np.linalg.eigvalsh(np.asarray(COVARIANCES[name]))[-root.rank :]
    assert root.scales.min() <= live[0] * (1 + 1e-9)
    assert root.scales.max() >= live[-1] * (1 - 1e-9)


@pytest.mark.parametrize("ridge", [0.0, 0.2])
@pytest.mark.parametrize("n", [3, 20])
@pytest.mark.parametrize("name", COVARIANCES)
def test_fits_are_least_squares_of_least_norm_or_ridge_fits(name: str, n: int, ridge: float):
    asked = problem(name, n, ridge=ridge)
    ensemble, design, target = trials(asked, n, 4)
    target = target + np.random.default_rng(3).standard_normal(target.shape)
    found = ensemble.fit(design, target, ensemble.penalty, ensemble.live, ridge)
    for X, y, coefficients in zip(design, target, found, strict=True):
        if ridge:
            expected = np.linalg.solve(X.T @ X + n * ridge * np.eye(P), X.T @ y)
        else:
            expected = np.linalg.pinv(X, rcond=1e-10) @ y
        np.testing.assert_allclose(coefficients, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("name", COVARIANCES)
def test_least_squares_has_its_exact_risk(name: str, copies: int):
    """Of rank r, whatever the covariance: sigma^2 (n - 1) / (n - r - 1), at every size."""
    estimate = rc.simulate(problem(name, 25, noise_variance=0.7), n_samples=25 * copies, trials=400, seed=3, **HERE)
    n, r = 25 * copies, RANKS[name] * copies
    assert abs(estimate.mean - 0.7 * (n - 1) / (n - r - 1)) < SIGMAS * estimate.stderr


def test_a_matrix_and_its_factors_are_one_problem():
    """Every policy, with and without another fit: two samples of one law."""
    one = problem("factor", 24, noise_variance=0.3, ridge=0.1)
    other = rc.Correlated(np.asarray(one.covariance), COEFFICIENTS, 24, 0.3, 0.1)
    for policy in (rc.Magnitude, rc.Hessian, rc.BrainSurgeon, rc.Oracle, rc.Random, Variance):
        for retrain in (None, rc.Retrain(), rc.Retrain(0.1, "fresh")):
            asked = {"trials": 200, **HERE}
            first = rc.simulate(one, policy(n_keep=4), retrain, seed=1, **asked)
            second = rc.simulate(other, policy(n_keep=4), retrain, seed=2, **asked)
            assert abs(first.mean - second.mean) < SIGMAS * math.hypot(first.stderr, second.stderr), (policy, retrain)


def test_the_oracle_ranks_by_what_a_feature_alone_explains():
    variances = np.array([4.0, 1.0, 1.0, 0.25])
    mixed = np.sqrt(np.outer(variances, variances)) * (0.5 + 0.5 * np.eye(4))
    own = sampler(rc.Correlated(mixed, [1, -3, 1, 2], 20), 20, False)
    assert own.features.ranks.tolist() == [[1, 2, 0, 0]]


@pytest.mark.parametrize(
    ("asked", "arguments", "message"),
    [
        (lambda: problem("AR", 20), {"n_samples": 30}, "n_samples = 30 is no multiple of the 20 of this problem"),
        (lambda: problem("AR", 20), {"n_samples": 10}, "n_samples = 10 is no multiple of the 20"),
        (lambda: problem("AR", 20), {"features": "drawn"}, 'leave features="drawn" out'),
        (lambda: problem("AR", P + 2), {}, f"too near the {P} dimensions of the features"),
        (lambda: problem("singular", 8), {}, "too near the 6 dimensions of the features"),
        (
            lambda: problem("AR", 5, ridge=0.1),
            {"prune": rc.Magnitude(n_keep=4), "retrain": True},
            "too near the 4 features kept",
        ),
        (lambda: problem("singular", 20), {"prune": rc.BrainSurgeon(0.5)}, "singular, of rank 6: what surgeon"),
        (lambda: problem("AR", 20), {"prune": rc.Optimal(0.5)}, "optimal rule"),
        (lambda: problem("AR", 20), {"prune": rc.Group(2, keep=0.5)}, "groups of 2"),
        (lambda: problem("AR", 20), {"n_samples": 20 * 10**6}, "would need .* of memory"),
        (
            lambda: rc.Correlated(np.diag([1e-13, 1, 1, 1, 1, 1, 1, 1]), np.ones(8), 4),
            {},
            "eigenvalues of the covariance from 1e-13 to 1 are too far apart",
        ),
    ],
)
def test_what_has_no_answer_is_refused(asked, arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        rc.simulate(asked(), **arguments, trials=2, **HERE)
