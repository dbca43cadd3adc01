"""Problems seen through the first of their features."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from helpers import HERE, two_level

import riskcalc as rc
from riskcalc.problems import first_features
from riskcalc.questions.axes import varied

P, KEPT = 10, 4
VARIANCES, COEFFICIENTS = [9, 7, 5, 4, 3, "5/2", 2, 1, "1/2", "1/3"], [1, -1, "1/3", 2, 0, 1, -2, "1/7", 3, 1]
COUNTED = rc.LinearGaussian(
    n_samples=8, n_features=P, eigenvalues=VARIANCES, coefficients=COEFFICIENTS, noise_variance="1/3", ridge="1/10"
)
RNG = np.random.default_rng(5)
LOADINGS, OWN = RNG.normal(size=(12, 2)), RNG.uniform(0.5, 2, 12)
FACTORS = rc.FactorCovariance(LOADINGS, OWN)
BETA = RNG.normal(size=12)
CORRELATED = rc.Correlated(np.asarray(FACTORS), BETA, n_samples=30, noise_variance=0.5, ridge=0.2)
NEURONS = rc.RandomFeatures("relu", n_inputs=20, n_features=30, n_samples=40, noise_variance="1/3")


# --- by kinds of features


def test_features_one_by_one():
    """As if the problem had been written with the first of them alone, noise and all, exactly."""
    seen = first_features(COUNTED, "n_features", KEPT)
    lost = sum(Fraction(v) * Fraction(b) ** 2 for v, b in zip(VARIANCES[KEPT:], COEFFICIENTS[KEPT:], strict=True))
    written = rc.LinearGaussian(
        n_samples=8,
        n_features=KEPT,
        eigenvalues=VARIANCES[:KEPT],
        coefficients=COEFFICIENTS[:KEPT],
        noise_variance=Fraction(1, 3) + lost,
        ridge="1/10",
    )
    assert seen.noise_variance == Fraction(1, 3) + lost
    assert (seen.n_samples, seen.n_features, seen.ridge) == (8, KEPT, written.ridge)
    for prune, retrain in ((None, None), (rc.Hessian(n_keep=2), None), (rc.Magnitude(n_keep=2), True)):
        found, expected = (rc.predict(one, prune, retrain, digits=30) for one in (seen, written))
        assert float(found.risk) == pytest.approx(float(expected.risk), rel=1e-13)
        assert float(found.training_error) == pytest.approx(float(expected.training_error), rel=1e-13)


@pytest.mark.parametrize("share", ["1/20", "1/10", "1/2", 1])
def test_a_law_of_kinds(share: Any):
    """Of a tenth of strong features the first come first; the signal of the rest is noise."""
    whole = two_level(aspect_ratio=4, noise_variance="1/5", penalty=[1, 2], ridge="1/7")
    kept = Fraction(share)
    seen = first_features(whole, "aspect_ratio", 4 * kept)
    strong, weak = min(kept, Fraction(1, 10)), max(kept - Fraction(1, 10), Fraction(0))
    assert seen.law.weights.tolist() == [strong / kept, weak / kept]
    assert seen.noise_variance == Fraction(1, 5) + 25 * (Fraction(1, 10) - strong) + (Fraction(9, 10) - weak)
    assert seen.aspect_ratio == 4 * kept
    np.testing.assert_allclose(seen.law.signal, float(kept) ** 0.5, rtol=1e-15)
    assert float(seen.null_risk) == pytest.approx(float(whole.null_risk), rel=1e-14)  # nothing is lost on the way
    assert rc.predict(seen, rc.Hessian("1/3")).status == "ok"


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


def test_all_of_them_change_nothing():
    for problem, count in ((COUNTED, P), (CORRELATED, 12), (NEURONS, 30)):
        seen: Any = first_features(problem, "n_features", count)
        assert seen.noise_variance == problem.noise_variance
        assert rc.predict(seen).risk == pytest.approx(rc.predict(problem).risk, rel=1e-12)


def test_samples_with_the_last_features_left_out():
    """Samples of the whole problem, fitted by the first features, err as the problem seen through these says."""
    n, p, kept, trials = 100, 240, 60, 60
    whole = two_level(n_samples=n, n_features=p, aspect_ratio=None, noise_variance="1/2", ridge="1/10")
    predicted = rc.predict(first_features(whole, "n_features", kept)).risk
    rng, variances, beta = np.random.default_rng(3), np.repeat([25.0, 1.0], [24, 216]), np.ones(p) / p**0.5
    risks = []
    for _ in range(trials):
        X = rng.normal(size=(n, p)) * variances**0.5
        y, seen = X @ beta + 0.5**0.5 * rng.normal(size=n), X[:, :kept]
        fit = np.zeros(p)
        fit[:kept] = np.linalg.solve(seen.T @ seen + n / 10 * np.eye(kept), seen.T @ y)
        risks.append(0.5 + variances @ (fit - beta) ** 2)
    error = np.std(risks) / trials**0.5
    assert 4 * error < 0.1 * predicted
    assert np.mean(risks) == pytest.approx(predicted, abs=4 * error + predicted / n)


# --- correlated features


def test_correlated_features_left_out_are_those_of_a_small_model():
    """The dense fit of the problem seen is the small model on the same features: a way of its own."""
    for count in (1, 5, 11):
        seen = first_features(CORRELATED, "n_features", count)
        small = rc.small_model(CORRELATED, features=range(count))
        assert rc.predict(seen).risk == pytest.approx(small.risk, rel=1e-9)
        assert float(seen.null_risk) == pytest.approx(float(CORRELATED.null_risk), rel=1e-12)


def test_factors_are_what_their_covariance_is():
    for count in (1, 3, 11):
        given = {"coefficients": BETA, "n_samples": 30, "noise_variance": 0.5}
        seen: Any = first_features(rc.Correlated(FACTORS, **given), "n_features", count)
        dense: Any = first_features(CORRELATED, "n_features", count)
        assert isinstance(seen.covariance, rc.FactorCovariance)
        np.testing.assert_allclose(np.asarray(seen.covariance), np.asarray(dense.covariance, float), rtol=1e-13)
        np.testing.assert_allclose(seen.coefficients, dense.coefficients, rtol=1e-10)
        assert float(seen.noise_variance) == pytest.approx(float(dense.noise_variance), rel=1e-12)


def test_what_correlated_features_lose_on_samples():
    """Regression of the target on the first features, by covariances of a sample: an independent way to their noise."""
    rng, kept, rows = np.random.default_rng(11), 5, 200_000
    X = rng.normal(size=(rows, 2)) @ LOADINGS.T + rng.normal(size=(rows, 12)) * OWN**0.5
    y = X @ BETA + 0.5**0.5 * rng.normal(size=rows)
    seen: Any = first_features(CORRELATED, "n_features", kept)
    found = np.linalg.lstsq(X[:, :kept], y, rcond=None)[0]
    noise = np.mean((y - X[:, :kept] @ found) ** 2)
    assert noise == pytest.approx(float(seen.noise_variance), rel=5 * (2 / rows) ** 0.5)
    spread = (noise * np.diag(np.linalg.inv(X[:, :kept].T @ X[:, :kept]))) ** 0.5
    assert (abs(found - seen.coefficients.astype(float)) < 5 * spread).all()


def test_features_that_copy_others():
    """A covariance without an inverse: what is left out is known from what stays, and nothing is lost."""
    seen: Any = first_features(rc.Correlated([[1, 1], [1, 1]], [1, 2], n_samples=5), "n_features", 1)
    assert (seen.coefficients.item(), seen.noise_variance.item()) == (pytest.approx(3), pytest.approx(0, abs=1e-15))


def test_neurons_are_alike():
    fewer = rc.RandomFeatures("relu", n_inputs=20, n_features=12, n_samples=40, noise_variance="1/3")
    assert first_features(NEURONS, "n_features", 12) == fewer


def test_simulations_take_such_problems():
    seen = first_features(COUNTED, "n_features", KEPT)
    assert rc.simulate(seen, trials=2, n_samples=8, **HERE).trials == 2


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
        (CORRELATED, "n_features", [3, 4], ValueError, "must be one number here"),
        (
            rc.Correlated(rc.FactorCovariance([[1], [2]], 0), [1, 1], 9),
            "n_features",
            1,
            ValueError,
            "variances must be",
        ),
        (CORRELATED, "n_features", 2.5, ValueError, "a whole number of features is needed"),
        (3, "n_features", 1, TypeError, "problem must be a problem"),
    ],
)
def test_bad_input(problem: Any, size: str, values: Any, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        first_features(problem, size, values)
