"""T1 against published closed forms."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import riskcalc as rc


def isotropic(kappa: float, power: float, noise: float, ridge: float = 0.0) -> rc.Prediction:
    """E[B^2] = power, all eigenvalues one."""
    problem = rc.LinearGaussian(
        aspect_ratio=kappa, eigenvalues=1.0, signal=np.sqrt(power), noise_variance=noise, ridge=ridge
    )
    return rc.predict(problem)


@pytest.mark.parametrize("kappa", [0.05, 0.5, 0.99, 1.01, 2.0, 7.0, 100.0])
@pytest.mark.parametrize(("power", "noise"), [(1.0, 1.0), (4.0, 0.1), (0.0, 2.0), (3.0, 0.0)])
def test_isotropic_ridgeless_risk_of_hastie_et_al(kappa: float, power: float, noise: float):
    """Hastie, Montanari, Rosset, Tibshirani (2022), Theorems 1 and 3."""
    excess = noise * kappa / (1 - kappa) if kappa < 1 else power * (1 - 1 / kappa) + noise / (kappa - 1)
    prediction = isotropic(kappa, power, noise)
    assert prediction.excess_risk == pytest.approx(excess, rel=1e-13, abs=1e-300)
    assert prediction.risk == pytest.approx(noise + excess, rel=1e-13, abs=1e-300)
    expected = noise * (1 - kappa) if kappa < 1 else 0.0
    assert prediction.training_error == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("kappa", [0.3, 1.0, 3.0])
@pytest.mark.parametrize(("power", "noise"), [(1.0, 1.0), (4.0, 0.3)])
def test_optimal_ridge(kappa: float, power: float, noise: float):
    """The risk is lowest at ridge = noise kappa / power, where the excess is power * (1 - a), a the shrinkage."""
    best = noise * kappa / power
    found = minimize_scalar(lambda x: isotropic(kappa, power, noise, np.exp(x)).risk, bracket=(-3, 2), tol=1e-9)
    assert np.exp(found.x) == pytest.approx(best, rel=1e-3)
    prediction = isotropic(kappa, power, noise, best)
    assert prediction.risk <= found.fun * (1 + 1e-14)
    nu = prediction.effective_ridge
    assert prediction.excess_risk == pytest.approx(power * nu / (1 + nu), rel=1e-13)
    # nu = kappa * risk / power there, which makes the risk the root of a quadratic
    b = kappa * noise + power * (kappa - 1)
    risk = (b + np.sqrt(b**2 + 4 * noise * power * kappa)) / (2 * kappa)
    assert prediction.risk == pytest.approx(risk, rel=1e-13)


@pytest.mark.parametrize("kappa", ["1.0001", "1.5", "10/3", "40"])
def test_two_level_spectrum(kappa: str):
    """Chang et al. 2021: with two levels, 1/xi solves a quadratic."""
    low, high = 1, 25
    problem = rc.LinearGaussian(
        aspect_ratio=kappa, eigenvalues=[high, low], signal=1, weights=["1/10", "9/10"], noise_variance="1/2"
    )
    with mpmath.workdps(40):
        k = mpmath.mpf(Fraction(kappa).numerator) / Fraction(kappa).denominator
        share = mpmath.mpf(1) / 10
        mean = share * high + (1 - share) * low
        # (low + nu)(high + nu) = kappa (nu mean + low high)
        b, c = low + high - k * mean, low * high * (1 - k)
        nu = (-b + mpmath.sqrt(b * b - 4 * c)) / 2
        assert rc.predict(problem).effective_ridge == pytest.approx(float(nu), rel=1e-14)
        assert abs(rc.predict(problem, digits=30).effective_ridge - nu) < mpmath.mpf(10) ** -29 * nu


def test_ridge_training_error_and_risk_by_monte_carlo():
    """One ridge problem with penalty weights, fitted as it stands: n = 600, p = 900, twenty samples."""
    rng = np.random.default_rng(2)
    n, p = 600, 900
    eigenvalues, signal, penalty = (
        np.repeat([9.0, 1.0, 0.2], 300),
        np.repeat([1.0, 2.0, 0.5], 300),
        np.repeat([1.0, 3.0, 0.5], 300),
    )
    noise, ridge = 0.7, 0.05
    beta = signal / np.sqrt(p)
    tests, trains = [], []
    for _ in range(20):
        X = rng.normal(size=(n, p)) * np.sqrt(eigenvalues)
        y = X @ beta + np.sqrt(noise) * rng.normal(size=n)
        fit = np.linalg.solve(X.T @ X / n + ridge * np.diag(penalty), X.T @ y / n)
        tests.append(noise + np.sum(eigenvalues * (fit - beta) ** 2))
        trains.append(np.mean((y - X @ fit) ** 2))
    problem = rc.LinearGaussian(
        n_samples=n,
        n_features=p,
        eigenvalues=[9, 1, 0.2],
        signal=[1, 2, 0.5],
        noise_variance=noise,
        ridge=ridge,
        penalty=[1, 3, 0.5],
    )
    prediction = rc.predict(problem)
    for measured, predicted in ((tests, prediction.risk), (trains, prediction.training_error)):
        # five standard errors: false alarm below 1e-5 for Student's t with 19 degrees of freedom; and 2/n for the limit
        error = 5.5 * np.std(measured, ddof=1) / np.sqrt(20) + 2 / n * predicted
        assert abs(np.mean(measured) - predicted) < error


def test_natural_gradient_geometry_fits_whitened_features():
    """penalty = Lambda is the plain ridge in whitened coordinates."""
    shared = {"aspect_ratio": 2.5, "noise_variance": 0.3, "ridge": 0.2}
    natural = rc.LinearGaussian(eigenvalues=[16, 1, 0.25], signal=[1, 2, 3], penalty="natural", **shared)
    white = rc.LinearGaussian(eigenvalues=1, signal=[4, 2, 1.5], **shared)
    assert rc.predict(natural).risk == pytest.approx(rc.predict(white).risk, rel=1e-13)


def test_features_of_no_variance_are_a_smaller_problem():
    """Half the features dead: the same as half the aspect ratio, coefficients scaled by their density."""
    for penalty in (None, "natural"):
        with_dead = rc.LinearGaussian(
            aspect_ratio=3, eigenvalues=[4, 1, 0, 0], signal=[1, 2, 5, 1], noise_variance=0.2, penalty=penalty
        )
        without = rc.LinearGaussian(
            aspect_ratio=1.5,
            eigenvalues=[4, 1],
            signal=np.array([1, 2]) / np.sqrt(2),
            noise_variance=0.2,
            penalty=penalty,
        )
        assert rc.predict(with_dead).risk == pytest.approx(rc.predict(without).risk, rel=1e-13)


def test_only_dead_features():
    problem = rc.LinearGaussian(aspect_ratio=3, eigenvalues=0, signal=1, noise_variance=0.5, ridge=[0.0, 0.1])
    comparison = rc.compare(problem, keep=0.4)
    for model, risk in comparison.risks.items():
        assert risk == pytest.approx([0.5, 0.5]), model
        assert comparison.predictions[model].kept == pytest.approx(1.0 if model == "dense" else 0.4)


@pytest.mark.parametrize("kappa", ["1", "1/2"])
def test_recovery_without_noise(kappa: str):
    prediction = rc.predict(rc.LinearGaussian(aspect_ratio=kappa, eigenvalues=[3, 1], signal=[1, 2]))
    assert (prediction.risk, prediction.excess_risk, prediction.status) == (0.0, 0.0, "exact_recovery")


def test_infinite_at_the_interpolation_threshold():
    counts = rc.LinearGaussian(n_samples=300, n_features=300, eigenvalues=[3, 1, 1], signal=1, noise_variance=0.1)
    dead = rc.LinearGaussian(
        aspect_ratio="10/3", eigenvalues=[2, 0], signal=1, weights=["3/10", "7/10"], noise_variance=1
    )
    rounded = rc.LinearGaussian(
        aspect_ratio=1.0, eigenvalues=[2, 1, 3], signal=1, weights=[1 / 3] * 3, noise_variance=1
    )
    for problem in (counts, dead, rounded):
        for digits in (None, 30):
            comparison = rc.compare(problem, keep="1/5", digits=digits)
            for model in ("dense", "magnitude", "hessian", "oracle", "random"):
                prediction = comparison.predictions[model]
                assert prediction.risk == prediction.excess_risk == np.inf
                assert prediction.status == "infinite"
            # What is left within the budget needs no dense fit.
            blind = ("small_by_variance", "small_by_chance", "random+retrain")
            low, high, _ = sorted(float(comparison.predictions[model].risk) for model in blind)
            assert float(comparison.predictions[comparison.best].risk) == low
            assert float(comparison.margin) == pytest.approx(high - low, rel=1e-12)
    ridged = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1, ridge=0.1)
    assert rc.predict(ridged).status == "ok"
