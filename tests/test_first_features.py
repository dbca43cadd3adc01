"""A problem seen through the first of its features, against problems that are written feature by feature."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from helpers import two_level
from hypothesis import given, settings
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc.problems.first_features import first_features


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9), st.integers(-4, 4)), min_size=1, max_size=4),
    st.data(),
    st.booleans(),
)
def test_the_law_is_that_of_the_features(kinds: list[tuple[int, int, int]], data, by_count: bool):
    """Each feature written by itself: the first are kept, and what the others do is added to the noise."""
    numbers, variances, betas = zip(*kinds, strict=True)
    p = sum(numbers)
    q = data.draw(st.integers(1, p))
    whole = {"eigenvalues": variances, "weights": [Fraction(number, p) for number in numbers], "noise_variance": 2}
    if by_count:
        problem = rc.LinearGaussian(n_samples=7, n_features=p, coefficients=betas, **whole)
        found = first_features(problem, "n_features", q)
        assert found.n_features == q
    else:
        problem = rc.LinearGaussian(aspect_ratio=Fraction(p, 7), signal=np.sqrt(p) * np.array(betas), **whole)
        found = first_features(problem, "aspect_ratio", Fraction(q, 7))
    assert found.aspect_ratio == Fraction(q, 7)
    each, beta = np.repeat(variances, numbers), np.repeat(betas, numbers)
    kept = {}
    for variance, one in zip(each[:q], np.sqrt(q) * beta[:q], strict=True):
        kept[variance, round(one, 9)] = kept.get((variance, round(one, 9)), 0) + Fraction(1, q)
    told = {}
    for variance, signal, weight in zip(
        *(np.ravel(one) for one in (found.law.eigenvalues, found.law.signal, found.law.weights)), strict=True
    ):
        if weight:
            told[variance, round(float(signal), 9)] = told.get((variance, round(float(signal), 9)), 0) + weight
    assert told == kept
    assert float(found.noise_variance) == pytest.approx(2 + (each * beta**2)[q:].sum(), rel=1e-12)


def test_least_squares_on_the_first_features():
    """With more samples than features the mean test risk is (noise + lost) (n - 1) / (n - q - 1) whatever the law is;
    with fewer it is drawn, feature by feature, without the library. Three standard errors and 3 % for finite size."""
    n, p, rng = 100, 300, np.random.default_rng(0)
    variances = np.where(np.arange(p) < 30, 25.0, 1.0)
    problem = rc.LinearGaussian(
        n_samples=n, n_features=p, eigenvalues=[25, 1], weights=["1/10", "9/10"], signal=1, noise_variance="1/2"
    )
    beta = np.full(p, p**-0.5)
    for q in (20, 60, 220):
        lost = 0.5 + (variances * beta**2)[q:].sum()
        risks = []
        for _ in range(60):
            design = rng.standard_normal((n, p)) * np.sqrt(variances)
            target = design @ beta + rng.standard_normal(n) * 0.5**0.5
            off = np.linalg.lstsq(design[:, :q], target, rcond=None)[0] - beta[:q]
            risks.append(lost + (variances[:q] * off**2).sum())
        mean, error = np.mean(risks), np.std(risks, ddof=1) / 60**0.5
        predicted = rc.predict(first_features(problem, "n_features", q))
        assert abs(mean - predicted.risk) < 3 * error + 0.03 * predicted.risk
        if q < n:
            assert predicted.risk == pytest.approx(lost / (1 - q / n), rel=1e-12)


def test_correlated_features_tell_of_those_left_out():
    """The first q features and the target are jointly normal: the problem has the same covariance of all of them."""
    rng, p, q = np.random.default_rng(1), 9, 4
    loadings, variances, beta = rng.standard_normal((p, 2)), rng.uniform(0.5, 2, p), rng.standard_normal(p)
    covariance = loadings @ loadings.T + np.diag(variances)
    for given_as in (covariance, rc.FactorCovariance(loadings, variances)):
        whole = rc.Correlated(given_as, beta, n_samples=20, noise_variance=0.3, ridge=0.1)
        first = first_features(whole, "n_features", q)
        own = np.asarray(first.covariance) if isinstance(given_as, np.ndarray) else covariance[:q, :q]
        np.testing.assert_allclose(own, covariance[:q, :q], rtol=1e-13)
        np.testing.assert_allclose(own @ first.coefficients, covariance[:q] @ beta, rtol=1e-10)
        total = first.coefficients @ own @ first.coefficients + float(first.noise_variance)
        assert total == pytest.approx(beta @ covariance @ beta + 0.3, rel=1e-12)
        assert (first.n_features, first.n_samples, float(first.ridge)) == (q, 20, 0.1)
    np.testing.assert_allclose(
        rc.predict(first).risk,
        rc.predict(
            first_features(
                rc.Correlated(covariance, beta, n_samples=20, noise_variance=0.3, ridge=0.1), "n_features", q
            )
        ).risk,
        rtol=1e-8,
    )


def test_neurons_are_alike():
    problem = rc.RandomFeatures("relu", n_inputs=30, n_features=60, n_samples=50, noise_variance=0.1)
    fewer = rc.RandomFeatures("relu", n_inputs=30, n_features=20, n_samples=50, noise_variance=0.1)
    assert first_features(problem, "n_features", 20) == fewer


def test_all_features_are_the_problem():
    problem = two_level(noise_variance="1/3")
    assert first_features(problem, "aspect_ratio", "10/3").law.weights.tolist() == problem.law.weights.tolist()
    assert rc.predict(first_features(problem, "aspect_ratio", "10/3")).risk == rc.predict(problem).risk


@pytest.mark.parametrize(
    ("problem", "value", "words"),
    [
        (two_level(), 4, "aspect_ratio must be above 0 and at most 10/3"),
        (two_level(), [1, 0], "at most 10/3, .* got 0"),
        (two_level(basis="generic"), 1, "only in the principal basis"),
        (rc.LinearGaussian(aspect_ratio=2, law=rc.laws.Uniform(1, 2)), 1, "continuous law have no order"),
    ],
    ids=["more", "none", "generic", "continuous"],
)
def test_what_has_no_first_features(problem, value, words: str):
    with pytest.raises(ValueError, match=words):
        first_features(problem, "aspect_ratio", value)


def test_one_factor_has_no_first_features():
    problem = rc.RankOne(loadings=[1, 1], coefficients=[1, 2], n_samples=9)
    with pytest.raises(TypeError, match="have no order in which they could be left out"):
        first_features(problem, "n_features", 1)
