"""Budgets that end where a kind of feature does, fits that are nearly exact, and answers that must be none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers import two_level
from scipy.special import ndtr

import riskcalc as rc
from riskcalc.lowering.float64 import FLOAT64

BETWEEN = {"aspect_ratio": 0.5, "eigenvalues": [1, 10], "signal": [0.88, 3.7]}


@pytest.mark.parametrize("noise", [1.0, 1e-2, 1e-6, 1e-10])
@pytest.mark.parametrize("kind", [rc.Hessian, rc.Optimal, lambda keep: rc.Group(2, keep=keep)])
def test_a_budget_between_two_kinds(kind, noise: float):
    """What the noise mixes vanishes: the risk is that of keeping the better kind whole."""
    problem = rc.LinearGaussian(**BETWEEN, noise_variance=noise)
    found, whole = rc.predict(problem, kind(0.5)), rc.predict(problem, rc.Oracle(0.5))
    assert found.status == "ok"
    assert np.mean(found.kept) == pytest.approx(0.5, abs=1e-12)
    assert found.risk == pytest.approx(whole.risk, rel=1e-4 if noise == 1 else 1e-12)


@pytest.mark.parametrize(("noise", "second"), [*itertools.product([1.0, 0.1], [[-0.3, 2.0], [0.02, -2.3]])])
def test_a_threshold_at_the_edge_of_a_kind_is_resolved(noise: float, second: list[float]):
    """What is kept of a kind goes with the root of its distance from the threshold."""
    problem = rc.LinearGaussian(aspect_ratio=0.4, eigenvalues=[1, 5], signal=second, noise_variance=noise)
    found, exact = (rc.predict(problem, rc.Optimal(0.5), digits=digits) for digits in (None, 30))
    assert found.status == exact.status == "ok"
    assert found.risk == pytest.approx(float(exact.risk), rel=1e-13)
    assert np.allclose(found.kept, np.array(exact.kept, float), rtol=1e-9, atol=1e-100)


def _chi(name: str, shift: float, u: float, *degrees: float) -> float:
    size = degrees[-1]
    arguments = [np.array([[value]]) for value in (shift / np.sqrt(size), u, *degrees)]
    return FLOAT64.functions[name](*arguments)[0, 0]


@pytest.mark.parametrize("shift", [20.0, 499.0, 501.0, 3000.0])
@pytest.mark.parametrize("away", [-6.0, -1.0, 0.5, 4.0])
def test_noncentral_laws_of_long_shifts(shift: float, away: float):
    """Q(k + 2) - Q(k) = 2 f(k + 2), and Q(1) is normal; u itself is rounded."""
    u, rounding = shift + away, 1e-15 * shift
    assert _chi("chi_outside", shift, u, 1.0) == pytest.approx(ndtr(-away) + ndtr(-u - shift), rel=1e-9)
    for k in (1.0, 2.0, 5.0, 30.0):
        less, more = (_chi("chi_outside", shift, u, size) for size in (k, k + 2))
        density = FLOAT64.functions["chi_density"](*(np.array([[x]]) for x in (shift, u, k + 2, 1.0)))[0, 0]
        assert more - less == pytest.approx(2 * density, rel=1e-9, abs=20 * rounding)
        assert _chi("chi_inside", shift, u, k) + less == pytest.approx(1, rel=1e-12)


def test_groups_that_no_series_reaches():
    """Lengths far from the threshold are certain, whatever the series."""
    problem = rc.LinearGaussian(aspect_ratio=0.4, eigenvalues=[1, 300], signal=[0.3, 7], noise_variance=1)
    for size in (1, 3):
        assert rc.predict(problem, rc.Group(size, keep=0.999999)).status == "ok"
    with pytest.raises(ValueError, match="size must be at most 1,000,000 features, got 10000000"):
        rc.Group(10**7, keep=0.5)


EXACT = rc.LinearGaussian(aspect_ratio=0.5, eigenvalues=[4, 1], signal=[1, 3])


@pytest.mark.parametrize(
    "policy", [rc.Sampled(0.4), rc.Sampled(0.4, replacement=True), rc.Optimal(0.4, rescale=True), rc.Hessian(0.4)]
)
def test_after_an_exact_fit_the_sample_is_as_a_fresh_one(policy):
    same, fresh = rc.predict(EXACT, policy, True), rc.predict(EXACT, policy, rc.Retrain(sample="fresh"))
    assert same.status == "ok"
    assert same.risk == fresh.risk
    assert float(rc.predict(EXACT, policy, True, digits=20).risk) == pytest.approx(same.risk, rel=1e-12)


@pytest.mark.parametrize("kind", [rc.Oracle, rc.Random])
def test_masks_that_need_no_fit_are_known_after_an_infinite_one(kind):
    """At the peak as beside it; what the sample decides is not known there."""
    ratios = [1 - 1e-9, 1, 1 + 1e-9]
    peak = rc.LinearGaussian(aspect_ratio=ratios, eigenvalues=[4, 1], signal=[1, 3], noise_variance=1)
    found = rc.predict(peak, kind(0.5), True)
    assert found.status.tolist() == ["ok"] * 3
    assert found.risk == pytest.approx(np.full(3, found.risk[0]), rel=1e-6)
    assert found.training_error == pytest.approx(np.full(3, found.training_error[0]), rel=1e-6)
    assert rc.predict(peak, kind(0.5)).status.tolist() == ["ok", "infinite", "ok"]
    assert rc.predict(peak, rc.Hessian(0.5), True).status.tolist() == ["ok", "not_converged", "ok"]


@pytest.mark.parametrize("policy", [rc.Magnitude(0.5), rc.Sampled(0.5), rc.Sampled(0.5, replacement=True)])
def test_an_excess_risk_far_below_the_noise(policy):
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=[1e-8, 2e-8], noise_variance=1, ridge=1e9)
    found, exact = (rc.predict(problem, policy, digits=digits).excess_risk for digits in (None, 30))
    assert found == pytest.approx(float(exact), rel=1e-12)


def test_sampling_budgets_under_a_large_ridge():
    """Coefficients shrink together: the budget has a limit, to first order in 1/ridge."""
    problem = two_level(noise_variance=1, ridge=[1e6, 1e9, 1e12])
    budget = rc.sampling_budget(problem, 0.5)
    for found in (budget.sure_top, budget.replacement):
        assert found[1] == pytest.approx(found[2], rel=1e-6)
        assert found[0] == pytest.approx(found[2], rel=1e-3)


def test_sampling_budgets_that_rarely_fail():
    problem = two_level(noise_variance=1)
    budgets = [rc.sampling_budget(problem, 0.5, failure).replacement for failure in (1e-15, 1e-16, 1e-17)]
    assert np.diff(budgets) == pytest.approx(np.diff(budgets)[0], rel=0.01)  # 2 log 10 times a constant
    assert rc.sampling_budget(problem, 1e200).replacement == 0
    assert rc.sampling_budget(problem, 1e-200).sure_top == 1


def test_no_sampling_budget_where_the_dense_fit_is_infinite():
    found = rc.sampling_budget(two_level(aspect_ratio=[1, 1], noise_variance=1), 0.5)
    assert np.isnan([found.sure_top, found.replacement, found.chernoff, found.chebyshev]).all()


def test_no_sampling_budget_where_there_is_nothing_to_predict():
    peak = rc.LinearGaussian(aspect_ratio=[1, 2], eigenvalues=[4, 1], signal=1, noise_variance=1)
    assert np.isnan(rc.sampling_budget(peak, 0.5).sure_top).tolist() == [True, False]
    silent = rc.sampling_budget(rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=0), 0.5)
    assert np.isnan([silent.sure_top, silent.replacement, silent.chernoff, silent.chebyshev]).all()


def test_prunability_passes_over_what_is_not_found(monkeypatch: pytest.MonkeyPatch):
    """A fraction whose masks are not found neither passes nor fails."""
    import riskcalc.questions.prunability as tolerances

    problem = two_level(noise_variance=1)
    before = rc.prunability(problem, 5, [rc.Hessian]).keep["hessian"]
    found = tolerances._errors

    def failing(*arguments):
        errors = np.array(found(*arguments))
        if errors.ndim > 1:
            errors[:, tolerances.GRID == 0.5] = np.nan
        return errors

    monkeypatch.setattr(tolerances, "_errors", failing)
    assert rc.prunability(problem, 5, [rc.Hessian]).keep["hessian"] == before
    monkeypatch.setattr(tolerances, "GRID", np.array([0.5]))
    assert np.isnan(rc.prunability(problem, 5, [rc.Hessian]).keep["hessian"])


def test_prunability_takes_a_list_of_policies():
    for wrong in (rc.Magnitude, (kind for kind in (rc.Magnitude,)), [], [rc.Group], ["magnitude"]):
        with pytest.raises(TypeError, match=r"policies must be |Group needs its size"):
            rc.prunability(two_level(noise_variance=1), 0.1, wrong)
