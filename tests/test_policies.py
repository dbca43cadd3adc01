"""The policies beyond magnitude, Hessian, oracle and random: identities between them, bounds, and exact samples."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import Regime, regimes
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

import riskcalc as rc

THREE = {"aspect_ratio": 2.5, "eigenvalues": [9, 3, 1], "signal": [0.5, 1, 1.5], "weights": [0.2, 0.3, 0.5]}


@given(regimes(noise=True))
def test_the_surgeon_is_between_magnitude_and_hessian(regime: Regime):
    """Its score is Hessian's without shrinkage, and magnitude's under much of it (where penalties are equal)."""
    regime = regime.scaled(penalty=None, ridge=0.0)
    problem = regime.problem()
    exact = rc.predict(problem)
    if exact.effective_ridge == 0:
        hessian, surgeon = (rc.predict(problem, kind(keep=regime.keep)).risk for kind in (rc.Hessian, rc.BrainSurgeon))
        assert surgeon == pytest.approx(hessian, rel=1e-12)
    heavy = regime.scaled(ridge=1e9 * max(regime.eigenvalues)).problem()
    magnitude, surgeon = (rc.predict(heavy, kind(keep=regime.keep)).kept for kind in (rc.Magnitude, rc.BrainSurgeon))
    assert surgeon == pytest.approx(magnitude, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("n", "p", "ridge"), [(40, 25, 0.0), (40, 25, 0.3), (25, 40, 0.3)])
def test_full_compensation_is_the_refit(n: int, p: int, ridge: float):
    """Optimal brain surgeon, one feature after the other, its inverse Hessian downdated: exactly the ridge refit."""
    rng = np.random.default_rng(0)
    design, target = rng.standard_normal((n, p)), rng.standard_normal(n)
    hessian = design.T @ design / n + ridge * np.eye(p)
    coefficients, inverse = np.linalg.solve(hessian, design.T @ target / n), np.linalg.inv(hessian)
    kept = list(range(p))
    for _ in range(p // 2):
        saliency = coefficients[kept] ** 2 / np.diag(inverse)
        i = int(np.argmin(saliency))
        change = np.zeros(p)
        change[kept] = -coefficients[kept[i]] / inverse[i, i] * inverse[:, i]
        coefficients += change
        rows = [j for j in range(len(kept)) if j != i]
        inverse = inverse[np.ix_(rows, rows)] - np.outer(inverse[rows, i], inverse[rows, i]) / inverse[i, i]
        kept = [kept[j] for j in rows]
    own = design[:, kept]
    refit = np.linalg.solve(own.T @ own / n + ridge * np.eye(len(kept)), own.T @ target / n)
    assert coefficients[kept] == pytest.approx(refit, rel=1e-9, abs=1e-12)


def test_the_surgeons_saliency_tends_to_its_limit():
    """On a sample, the diagonal of the inverse Hessian is a multiple of 1/(Lambda + D nu)."""
    for ratio, ridge in ((2.5, 0.0), (2.5, 0.4), (0.5, 0.4)):
        rng = np.random.default_rng(1)
        n = 1200
        p = int(n * ratio)
        eigenvalues, penalty = np.repeat([4.0, 1.0], p // 2), np.tile([1.0, 2.0], p // 2)
        design = rng.standard_normal((n, p)) * np.sqrt(eigenvalues)
        hessian = design.T @ design / n + max(ridge, 1e-7) * np.diag(penalty)
        diagonal = np.diag(np.linalg.inv(hessian))
        kinds = {"eigenvalues": [4, 4, 1, 1], "penalty": [1, 2, 1, 2], "signal": 1}
        nu = rc.predict(rc.LinearGaussian(aspect_ratio=p / n, ridge=ridge, noise_variance=1, **kinds)).effective_ridge
        scaled = diagonal * (eigenvalues + penalty * nu)
        means = [scaled[(eigenvalues == lam) & (penalty == d)].mean() for lam in (4.0, 1.0) for d in (1.0, 2.0)]
        assert means == pytest.approx([means[0]] * 4, rel=0.02)


@given(regimes(noise=True), st.sampled_from(["magnitude", "hessian"]))
def test_groups_of_one_are_features(regime: Regime, score: str):
    problem, kind = regime.problem(), {"magnitude": rc.Magnitude, "hessian": rc.Hessian}[score]
    alone, grouped = (
        rc.predict(problem, policy) for policy in (kind(regime.keep), rc.Group(1, score, keep=regime.keep))
    )
    if alone.status == grouped.status == "ok":
        assert grouped.risk == pytest.approx(alone.risk, rel=1e-6)


def test_larger_groups_tell_kinds_apart_better():
    problem = rc.LinearGaussian(**THREE, noise_variance=0.5)
    most = [np.max(rc.predict(problem, rc.Group(size, keep=0.2)).kept) for size in (1, 4, 16, 64, 256)]
    assert most == sorted(most)
    assert most[-1] == pytest.approx(1, abs=1e-3)


@given(regimes(noise=True))
def test_the_optimal_rule_is_the_lowest(regime: Regime):
    """Among rules blind to B that keep or drop, at the same budget; rescaling can only help."""
    problem = regime.problem()
    bound = rc.predict(problem, rc.Optimal(keep=regime.keep))
    rescaled = rc.predict(problem, rc.Optimal(keep=regime.keep, rescale=True))
    assert rescaled.risk <= bound.risk * (1 + 1e-9)
    for kind in (rc.Magnitude, rc.Hessian, rc.BrainSurgeon, rc.Random):
        other = rc.predict(problem, kind(keep=regime.keep))
        if bound.status == other.status == "ok":
            assert bound.risk <= other.risk * (1 + 1e-9)
            assert rescaled.risk <= other.risk * (1 + 1e-9)


def shared(**changes) -> rc.LinearGaussian:
    """Features of one variance and three coefficients, one of them negative: the rule knows B by its posterior."""
    given = {"aspect_ratio": 2, "eigenvalues": [2, 2, 2, 0.5], "signal": [2, 0.1, -1, 1], "noise_variance": 0.3}
    return rc.LinearGaussian(**given | changes)


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("keep", [0.02, 0.3, 0.7, 0.97])
def test_the_posterior_rule_by_quadrature(keep: float, rescale: bool):
    """Direct integration over x, on a fine grid, of the rule that keeps the largest gains."""
    problem = shared()
    found, dense = rc.predict(problem, rc.Optimal(keep=keep, rescale=rescale)), rc.predict(problem)
    lam, b = np.array([2, 2, 2, 0.5]), np.array([2, 0.1, -1, 1])
    a = lam / (lam + dense.effective_ridge)
    tau = np.sqrt(2 * dense.risk * lam) / (lam + dense.effective_ridge)
    gains, masses, losses = [], [], []
    for kind in ([0, 1, 2], [3]):
        x = np.linspace(-12, 12, 400_001)
        density = norm.pdf(x[:, None], a[kind] * b[kind], tau[kind]) / 4
        mean = (density @ b[kind]) / density.sum(axis=1)
        value = mean if rescale else x
        gains.append(lam[kind[0]] * value * (2 * mean - value))
        masses.append(density.sum(axis=1) * (x[1] - x[0]))
        losses.append(gains[-1] * masses[-1])
    order = np.argsort(-np.concatenate(gains))
    kept = np.cumsum(np.concatenate(masses)[order]) <= keep
    risk = 0.3 + np.mean(lam * b**2) - np.concatenate(losses)[order][kept].sum()
    assert found.risk == pytest.approx(risk, rel=2e-4)
    assert np.mean(found.kept) == pytest.approx(keep, rel=1e-10)


def test_the_posterior_rule_by_drawing():
    """Its training error after rescaling, by fits of which every coefficient is replaced by its posterior mean."""
    problem, n, p = shared(), 400, 800
    rule = rc.Optimal(keep=0.4, rescale=True)
    found, dense = rc.predict(problem, rule), rc.predict(problem)
    lam, b = (np.repeat(values, p // 4) for values in ([2, 2, 2, 0.5], [2, 0.1, -1, 1]))
    nu, rng, errors = dense.effective_ridge, np.random.default_rng(3), []
    for _ in range(40):
        design = rng.standard_normal((n, p)) * np.sqrt(lam)
        target = design @ b / np.sqrt(p) + np.sqrt(0.3) * rng.standard_normal(n)
        x = np.sqrt(p) * design.T @ np.linalg.solve(design @ design.T, target)
        tau, a = np.sqrt(2 * dense.risk * lam) / (lam + nu), lam / (lam + nu)
        likelihood = np.exp(-0.5 * ((x[:, None] - a[:, None] * [2, 0.1, -1]) / tau[:, None]) ** 2)
        mean = np.where(lam == 2, likelihood @ [2, 0.1, -1] / likelihood.sum(axis=1), 1.0)
        keep = np.argsort(-lam * mean**2)[: int(0.4 * p)]
        value = np.zeros(p)
        value[keep] = mean[keep]
        residual = target - design @ value / np.sqrt(p)
        errors.append([0.3 + np.mean(lam * (b - value) ** 2), np.mean(residual**2)])
    mean, stderr = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1) / np.sqrt(40)
    predicted = np.array([found.risk, found.training_error])
    assert (abs(mean - predicted) <= 5 * stderr + 0.01 * predicted).all()


def test_signs_matter_only_where_coefficients_are_shared():
    flipped = shared(signal=[2, 0.1, 1, 1])
    assert rc.predict(flipped, rc.Magnitude(0.3)).risk == rc.predict(shared(), rc.Magnitude(0.3)).risk
    assert rc.predict(flipped, rc.Optimal(0.3)).risk < 0.999 * rc.predict(shared(), rc.Optimal(0.3)).risk
    told = shared(eigenvalues=[2, 1.9, 1.8, 0.5])
    other = shared(eigenvalues=[2, 1.9, 1.8, 0.5], signal=[2, 0.1, 1, 1])
    assert rc.predict(told, rc.Optimal(0.3)).risk == pytest.approx(rc.predict(other, rc.Optimal(0.3)).risk, rel=1e-13)


def test_the_optimal_rule_keeps_the_dead_before_the_harmful():
    """Weak features in much noise do harm; features without variance do none."""
    problem = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[4, 1, 0], signal=[2, 0.1, 1], weights=[0.2, 0.5, 0.3], noise_variance=2
    )
    risks = []
    for keep in (0.1, 0.2, 0.4, 0.95):
        found = rc.predict(problem, rc.Optimal(keep=keep))
        assert found.status == "ok"
        assert np.dot(found.kept, [0.2, 0.5, 0.3]) == pytest.approx(keep, rel=1e-12)
        risks.append(found.risk)
    assert risks[1] == pytest.approx(risks[2], rel=1e-12)  # only the dead are added
    assert risks[3] > risks[2] < risks[0]


def test_moments_of_sampling_by_quadrature():
    problem = rc.LinearGaussian(**THREE, noise_variance=0.5)
    dense = rc.predict(problem)
    lam, b, w = (np.array(THREE[name]) for name in ("eigenvalues", "signal", "weights"))
    nu = dense.effective_ridge
    m, s = np.sqrt(lam) * lam / (lam + nu) * b, np.sqrt(2.5 * dense.risk) * lam / (lam + nu)
    sure = rc.predict(problem, rc.Sampled(keep=0.3))

    def mean(function) -> np.ndarray:
        ends = [
            (-mean_ / sd, (sure.threshold - mean_) / sd, (-sure.threshold - mean_) / sd)
            for mean_, sd in zip(m, s, strict=True)
        ]
        return np.array(
            [
                quad(lambda h, i=i: function(abs(m[i] + s[i] * h)) * norm.pdf(h), -12, 12, points=ends[i], limit=200)[0]
                for i in range(3)
            ]
        )

    kept = mean(lambda y: min(1, y / sure.threshold))
    assert sure.kept == pytest.approx(kept, rel=1e-9)
    assert w @ kept == pytest.approx(0.3, rel=1e-9)
    growth = w @ mean(lambda y: y * max(sure.threshold - y, 0))
    assert sure.risk - dense.risk == pytest.approx(growth, rel=1e-8)
    drawn = rc.predict(problem, rc.Sampled(keep=0.3, replacement=True))
    average = w @ mean(lambda y: y)
    assert drawn.risk - dense.risk == pytest.approx(average**2 / 0.3, rel=1e-9)
    assert drawn.kept == pytest.approx(mean(lambda y: 1 - np.exp(-0.3 * y / average)), rel=1e-9)


def test_prunability_is_the_last_crossing():
    problem = rc.LinearGaussian(**THREE, noise_variance=0.5)
    found = rc.prunability(problem, tolerance=0.2)
    dense = rc.predict(problem).training_error
    for name, kind in (("magnitude", rc.Magnitude), ("hessian", rc.Hessian), ("random", rc.Random)):
        keep = found.keep[name]
        assert rc.predict(problem, kind(keep=keep)).training_error == pytest.approx(dense + 0.2, rel=1e-6)
        assert (rc.predict(problem, kind(keep=np.linspace(keep, 1, 50))).training_error <= dense + 0.2 + 1e-9).all()
    assert set(rc.prunability(problem, tolerance=100).keep.values()) == {0.0}
    assert np.isnan(rc.prunability(problem, 0.01, [rc.Sampled]).keep["sampled"]) == np.False_
    batch = rc.LinearGaussian(**THREE | {"aspect_ratio": [0.5, 1.0, 2.5]}, noise_variance=0.5)
    keeps = rc.prunability(batch, 0.2, [rc.Magnitude]).keep["magnitude"]
    assert keeps[2] == pytest.approx(found.keep["magnitude"], rel=1e-9)
    assert np.isnan(keeps[1])  # at the peak no fit has a training error to stay near
    assert "none" in str(rc.prunability(batch, 0.2, [rc.Magnitude]))


@pytest.mark.parametrize("tolerance", [-1, np.nan, np.inf, "0.1", True])
def test_a_tolerance_is_a_number(tolerance):
    with pytest.raises(ValueError, match="tolerance must be a finite number of at least 0"):
        rc.prunability(rc.LinearGaussian(**THREE), tolerance)


def test_the_sampling_budget_meets_its_error():
    problem = rc.LinearGaussian(**THREE, noise_variance=0.5)
    budget, dense = rc.sampling_budget(problem, relative_error=0.8, failure=0.1), rc.predict(problem)
    nu, lam, b, w = dense.effective_ridge, *(np.array(THREE[name]) for name in ("eigenvalues", "signal", "weights"))
    a = lam / (lam + nu)
    size = w @ (lam * (a * b) ** 2 + 2.5 * dense.risk * a**2)  # mean square of a prediction
    allowed = (0.8 / norm.isf(0.05)) ** 2 * size
    assert rc.predict(problem, rc.Sampled(keep=budget.sure_top)).risk - dense.risk == pytest.approx(allowed, rel=1e-9)
    unit = rc.predict(problem, rc.Sampled(keep=1.0, replacement=True)).risk - dense.risk
    assert unit / budget.replacement == pytest.approx(allowed, rel=1e-9)
    assert budget.chernoff / budget.replacement == pytest.approx(2 * np.log(20) / norm.isf(0.05) ** 2, rel=1e-9)
    for wrong in (0, -1, np.nan, "1"):
        with pytest.raises(ValueError, match="relative_error must be a number above 0"):
            rc.sampling_budget(problem, wrong)
    with pytest.raises(ValueError, match="failure must be a number above 0 and below 1"):
        rc.sampling_budget(problem, 0.5, 1.0)


def test_bad_input():
    counted = rc.LinearGaussian(n_samples=10, n_features=30, eigenvalues=1, signal=1)
    with pytest.raises(ValueError, match="the problem has 30 features, which groups of 4 do not divide"):
        rc.predict(counted, rc.Group(4, n_keep=8))
    with pytest.raises(ValueError, match="n_keep is 10, which groups of 4 do not divide"):
        rc.Group(4, n_keep=10)
    with pytest.raises(ValueError, match="groups of 4 do not divide the features of every kind"):
        rc.simulate(rc.LinearGaussian(**THREE), rc.Group(4, keep=0.2), n_samples=50)
    with pytest.raises(ValueError, match=r"score must be a policy that ranks by a score, or its name .* got 'oracle'"):
        rc.Group(2, "oracle", keep=0.1)
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        rc.Group(0, keep=0.1)
    with pytest.raises(TypeError, match="replacement must be True or False, got 1"):
        rc.Sampled(keep=0.1, replacement=1)
    with pytest.raises(TypeError, match="rescale must be True or False"):
        rc.Optimal(keep=0.1, rescale="yes")
    with pytest.raises(ValueError, match="digits: the optimal rule is computed in double precision"):
        rc.predict(shared(), rc.Optimal(0.3), digits=30)
    with pytest.raises(ValueError, match="digits: iterative pruning is integrated in double precision"):
        rc.predict(shared(), rc.Iterative("hessian", [0.5, 0.2]), digits=30)
    with pytest.raises(ValueError, match="no two features share their eigenvalue"):
        rc.simulate(shared(), rc.Optimal(0.3), n_samples=50)
    with pytest.raises(TypeError, match="Group needs its size; give a policy"):
        rc.prunability(shared(), 0.1, [rc.Group])
