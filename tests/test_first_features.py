"""A problem seen through the first of its features, against problems that are written feature by feature."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from helpers import two_level
from hypothesis import given, settings
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc.problems.first_features import first_features
from riskcalc.questions.axes import varied

COUNTED = rc.LinearGaussian(n_samples=8, n_features=10, eigenvalues=[4, 1], signal=1)
PAIR = rc.Correlated([[2, 1], [1, 2]], [1, 1], n_samples=9)


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


def test_a_batch_is_its_elements():
    whole, sizes = two_level(aspect_ratio=4, noise_variance=[[0], ["1/2"]]), ["1/3", 1, 4]
    together = varied(whole, {"aspect_ratio": sizes}, "features")
    assert together.shape == (2, 3)
    risks = rc.predict(together, rc.Hessian("1/5")).risk
    for place in np.ndindex(2, 3):
        noise, size = whole.noise_variance[place[0], 0], sizes[place[1]]
        alone = first_features(two_level(aspect_ratio=4, noise_variance=noise), "aspect_ratio", size)
        assert alone.noise_variance == together.noise_variance[place]
        assert rc.predict(alone, rc.Hessian("1/5")).risk == pytest.approx(risks[place], rel=1e-12)


def test_correlated_features_left_out_are_those_of_a_small_model():
    """The dense fit of the problem seen is the small model on the same features: a way of its own."""
    rng = np.random.default_rng(5)
    loadings, variances = rng.normal(size=(12, 2)), rng.uniform(0.5, 2, 12)
    covariance = loadings @ loadings.T + np.diag(variances)
    whole = rc.Correlated(covariance, rng.normal(size=12), n_samples=30, noise_variance=0.5, ridge=0.2)
    for count in (1, 5, 11):
        seen = first_features(whole, "n_features", count)
        small = rc.small_model(whole, features=range(count))
        assert rc.predict(seen).risk == pytest.approx(small.risk, rel=1e-9)
        assert float(seen.null_risk) == pytest.approx(float(whole.null_risk), rel=1e-12)


def test_features_that_copy_others():
    """A covariance without an inverse: what is left out is known from what stays, and nothing is lost."""
    seen: Any = first_features(rc.Correlated([[1, 1], [1, 1]], [1, 2], n_samples=5), "n_features", 1)
    assert (seen.coefficients.item(), seen.noise_variance.item()) == (pytest.approx(3), pytest.approx(0, abs=1e-15))


@pytest.mark.parametrize(
    ("problem", "size", "values", "error", "message"),
    [
        (COUNTED, "n_features", 11, ValueError, "n_features must be above 0 and at most 10"),
        (COUNTED, "n_features", [5, 0], ValueError, "at most 10, that of the problem .* got 0"),
        (COUNTED, "n_features", "5/2", ValueError, "a whole number of features is needed, exactly; got 2.5"),
        (COUNTED, "aspect_ratio", 1.1, ValueError, "a whole number of features is needed"),
        (COUNTED, "n_features", np.nan, ValueError, "n_features must be finite"),
        (COUNTED, "n_features", [], ValueError, "n_features is empty"),
        (COUNTED, "ridge", 1, ValueError, "has no 'ridge' of which some could be the first"),
        (two_level(), "n_features", 5, ValueError, "has no 'n_features'"),
        (two_level(), "aspect_ratio", 4, ValueError, "aspect_ratio must be above 0 and at most 10/3"),
        (two_level(basis="generic"), "aspect_ratio", 1, ValueError, "only in the principal basis"),
        (two_level(row_variances=[1, 2]), "aspect_ratio", 1, ValueError, "with rows of equal length"),
        (rc.LinearGaussian(aspect_ratio=2, law=rc.laws.Uniform(1, 2)), "aspect_ratio", 1, ValueError, "continuous law"),
        (rc.RankOne([1, 2], [1, 1], 9), "n_features", 1, TypeError, "features of a RankOne have no order"),
        (PAIR, "n_features", [1, 2], ValueError, "must be one number here"),
        (
            rc.Correlated(rc.FactorCovariance([[1], [2]], 0), [1, 1], 9),
            "n_features",
            1,
            ValueError,
            "variances must be",
        ),
        (PAIR, "n_features", 1.5, ValueError, "a whole number of features is needed"),
        (3, "n_features", 1, TypeError, "problem must be a problem"),
    ],
)
def test_bad_input(problem: Any, size: str, values: Any, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        first_features(problem, size, values)
