"""T2-T4: the known answer, direct integration, finite samples, ties and degenerate laws."""

from __future__ import annotations

from math import erfc, sqrt

import mpmath
import numpy as np
import pytest
from helpers import two_level

import riskcalc as rc

POLICIES = {"magnitude": rc.Magnitude, "hessian": rc.Hessian, "oracle": rc.Oracle, "random": rc.Random}


def test_the_known_answer():
    """Chang et al. 2021: n/p = 0.3, s/p = 0.1, variance 25 on the first s features: Hessian pruning beats the small
    model that is told the right features."""
    comparison = rc.compare(two_level(), keep="1/10")
    expected = {"dense": 0.9765, "magnitude": 2.261, "hessian": 1.206, "oracle": 1.188, "small": 1.35}
    for model, risk in expected.items():
        assert comparison.risks[model] == pytest.approx(risk, abs=5e-4), model
    assert comparison.prune_beats_small
    assert comparison.best == "hessian"
    assert comparison.margin == pytest.approx(1.35 - comparison.risks["hessian"])


@pytest.mark.parametrize("policy", ["magnitude", "hessian"])
@pytest.mark.parametrize("kappa", ["1/2", "10/3"])
def test_pruned_risk_by_direct_integration(policy: str, kappa: str):
    """E[Lambda (B - S X)^2] and the mass kept, by quadrature over H with the mask itself, at 25 digits."""
    problem = rc.LinearGaussian(
        aspect_ratio=kappa,
        eigenvalues=[9, 2, "1/4"],
        signal=["-1/2", 2, 1],
        weights=["1/5", "3/10", "1/2"],
        noise_variance="3/10",
        ridge="1/50",
        penalty=[1, 2, "1/2"],
    )
    prediction = rc.predict(problem, prune=POLICIES[policy](keep="1/4"), digits=25)
    with mpmath.workdps(30):
        k, nu, gamma, t = mpmath.mpf(1) / 2, prediction.effective_ridge, prediction.dense_risk, prediction.threshold
        k = k if kappa == "1/2" else mpmath.mpf(10) / 3
        risk, kept = mpmath.mpf(3) / 10, mpmath.mpf(0)
        atoms = [(9, "-.5", ".2", 1), (2, 2, ".3", 2), (".25", 1, ".5", ".5")]
        for (lam, b, w, d), expected in zip(
            [tuple(map(mpmath.mpf, atom)) for atom in atoms], prediction.kept, strict=True
        ):
            m, s = lam * b / (lam + d * nu), mpmath.sqrt(k * gamma * lam) / (lam + d * nu)
            score = mpmath.sqrt(lam) if policy == "hessian" else mpmath.mpf(1)
            low, high = (-t / score - m) / s, (t / score - m) / s

            def error(h, m=m, s=s, b=b, lam=lam):
                return lam * (b - m - s * h) ** 2 * mpmath.npdf(h)

            outside = mpmath.quad(error, [-mpmath.inf, low]) + mpmath.quad(error, [high, mpmath.inf])
            inside = mpmath.quad(mpmath.npdf, [low, high])
            risk += w * (outside + lam * b**2 * inside)
            kept += w * (1 - inside)
            assert abs(expected - (1 - inside)) < mpmath.mpf(10) ** -20
        assert abs(kept - mpmath.mpf(1) / 4) < mpmath.mpf(10) ** -20
        assert abs(prediction.risk - risk) < mpmath.mpf(10) ** -20


@pytest.mark.parametrize(("n", "ridge"), [(600, 0.0), (300, 0.0), (300, 0.1)])
def test_finite_samples(n: int, ridge: float):
    """Fit, prune, measure: p = 450, two hundred samples, every model at once."""
    p, s, trials, noise = 450, 90, 200, 0.5
    eigenvalues, signal = np.repeat([16.0, 4.0, 1.0], p // 3), np.repeat([1.0, 0.3, 2.0], p // 3)
    beta = signal / np.sqrt(p)
    best = np.argsort(-eigenvalues * beta**2)[:s]
    rng = np.random.default_rng(n)
    measured: dict[str, list[float]] = {}

    def least(X: np.ndarray, y: np.ndarray) -> np.ndarray:
        if X.shape[1] <= len(y):
            return np.linalg.solve(X.T @ X + n * ridge * np.eye(X.shape[1]), X.T @ y)
        return X.T @ np.linalg.solve(X @ X.T + n * ridge * np.eye(len(y)), y)

    def record(model: str, fitted: np.ndarray) -> None:
        measured.setdefault(model, []).append(noise + np.sum(eigenvalues * (fitted - beta) ** 2))

    for _ in range(trials):
        X = rng.normal(size=(n, p)) * np.sqrt(eigenvalues)
        y = X @ beta + sqrt(noise) * rng.normal(size=n)
        fit = least(X, y)
        record("dense", fit)
        chosen = {
            "magnitude": np.argsort(-np.abs(fit))[:s],
            "hessian": np.argsort(-eigenvalues * fit**2)[:s],
            "oracle": best,
            "random": rng.permutation(p)[:s],
        }
        for model, features in chosen.items():
            record(model, np.where(np.isin(np.arange(p), features), fit, 0))
        small = np.zeros(p)
        small[best] = least(X[:, best], y)
        record("small", small)
    problem = rc.LinearGaussian(
        n_samples=n, n_features=p, eigenvalues=[16, 4, 1], signal=[1, 0.3, 2], noise_variance=noise, ridge=ridge
    )
    risks = rc.compare(problem, n_keep=s).risks
    for model, values in measured.items():
        # 5 standard errors (18 comparisons: false alarm below 2e-5), and 3/n for the distance from the limit
        allowed = 5 * np.std(values, ddof=1) / np.sqrt(trials) + 3 / n * risks[model]
        assert abs(np.mean(values) - risks[model]) < allowed, model


def test_small_least_squares_model():
    """Chang et al. 2021: the dropped signal is noise, over 1 - s/n."""
    problem = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[4, 2, 1], signal=[1, 1, 3], weights=[0.25, 0.25, 0.5], noise_variance=0.5
    )
    prediction = rc.small_model(problem, keep=0.25)  # half of the third atom, the one of largest Lambda B^2
    dropped = 0.25 * 4 + 0.25 * 2 + 0.25 * 9
    assert prediction.risk == pytest.approx((0.5 + dropped) / (1 - 0.5), rel=1e-14)
    assert prediction.kept == pytest.approx([0, 0, 0.5])
    assert prediction.excess_risk == pytest.approx(prediction.risk - 0.5, rel=1e-14)


def test_small_model_at_its_own_threshold():
    with_noise = two_level(weights=["3/10", "7/10"])
    prediction = rc.small_model(with_noise, keep="3/10")  # the dropped signal is noise enough
    assert (prediction.risk, prediction.status) == (np.inf, "infinite")
    without = two_level(signal=[1, 0], weights=["3/10", "7/10"])
    prediction = rc.small_model(without, keep="3/10")
    assert (prediction.risk, prediction.status) == (0.0, "exact_recovery")


def test_ties_share_what_is_left():
    problem = rc.LinearGaussian(
        aspect_ratio="1/2", eigenvalues=[1, 4, 1], signal=[2, 1, 1], weights=["1/4", "1/4", "1/2"]
    )
    # The fit is exact. Lambda B^2 ties the first two atoms, |B| the last two.
    oracle, hessian, magnitude = (
        rc.predict(problem, prune=policy(keep="2/5")) for policy in (rc.Oracle, rc.Hessian, rc.Magnitude)
    )
    assert oracle.kept == pytest.approx([0.8, 0.8, 0.0])
    assert hessian.kept == pytest.approx([0.8, 0.8, 0.0])
    assert magnitude.kept == pytest.approx([1.0, 0.2, 0.2])
    assert oracle.status == magnitude.status == "exact_recovery"
    assert oracle.risk == pytest.approx(0.25 * 0.2 * 4 * 2 + 0.5)
    assert magnitude.threshold == 1.0


def test_budget_beyond_the_live_features_keeps_them_all():
    problem = rc.LinearGaussian(
        aspect_ratio=4, eigenvalues=[3, 1, 0], signal=1, weights=["1/4", "1/4", "1/2"], noise_variance=0.2
    )
    dense = rc.predict(problem)
    for policy in (rc.Magnitude, rc.Hessian):
        prediction = rc.predict(problem, prune=policy(keep="3/4"))
        assert prediction.risk == pytest.approx(dense.risk, rel=1e-14)
        assert prediction.kept == pytest.approx([1, 1, 0.5])
        assert prediction.threshold == 0
        below = rc.predict(problem, prune=policy(keep="2/5"))
        assert below.kept[2] == pytest.approx(0, abs=1e-200)


def test_thresholds_are_in_the_units_of_their_scores():
    """One atom without signal: the threshold is the two-sided quantile of its spread."""
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=9, signal=0, noise_variance=1)
    nu, gamma = rc.predict(problem).effective_ridge, rc.predict(problem).risk
    spread = sqrt(2 * gamma * 9) / (9 + nu)
    for policy, unit in ((rc.Magnitude, 1.0), (rc.Hessian, 3.0)):
        t = rc.predict(problem, prune=policy(keep=0.3)).threshold
        assert erfc(t / (unit * spread) / sqrt(2)) == pytest.approx(0.3, rel=1e-13)


def test_equal_variances_make_hessian_and_magnitude_one():
    problem = rc.LinearGaussian(aspect_ratio=[0.4, 3.0], eigenvalues=2, signal=[1, 3, 0.1], noise_variance=0.4)
    magnitude, hessian = (rc.predict(problem, prune=policy(keep=0.3)).risk for policy in (rc.Magnitude, rc.Hessian))
    assert magnitude == pytest.approx(hessian, rel=1e-13)
