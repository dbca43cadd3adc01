"""Where a risk is least, and where it peaks: against closed forms, by brute force, at ends, over batches."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from helpers import two_level
from scipy.optimize import minimize_scalar

import riskcalc as rc
from riskcalc.laws import MarchenkoPastur


def isotropic(**changes: Any) -> rc.LinearGaussian:
    return rc.LinearGaussian(**{"aspect_ratio": 2, "eigenvalues": 1, "signal": 1, "noise_variance": "1/4"} | changes)


def correlated(**changes: Any) -> rc.Correlated:
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(20, 30))
    given = {"covariance": factors @ factors.T / 30, "coefficients": rng.normal(size=20) / 4, "n_samples": 30}
    return rc.Correlated(**given | {"noise_variance": 0.1} | changes)


# --- the best ridge


@pytest.mark.parametrize(
    "problem",
    [
        isotropic(),
        two_level(noise_variance="3/10"),
        two_level(aspect_ratio="1/2", noise_variance=2),
        rc.LinearGaussian(aspect_ratio="3/2", law=MarchenkoPastur(0.5, 2, nodes=24), noise_variance=1),
    ],
    ids=["isotropic", "two levels", "few features", "continuous"],
)
def test_the_best_ridge_of_equal_coefficients(problem: rc.LinearGaussian):
    """kappa sigma2 / E[B^2], whatever the variances are, if coefficients know nothing of them: Dobriban and Wager."""
    found = rc.optimum(problem, "ridge")
    signal = problem.law.signal.ravel()[0]
    best = float(problem.aspect_ratio * problem.noise_variance) / float(signal) ** 2
    assert found.status == "interior"
    assert found.place == pytest.approx(best, rel=1e-5)
    assert found.bracket[0] < best < found.bracket[1]
    assert found.bracket[1] - found.bracket[0] < 1e-3 * best


def test_to_thirty_digits():
    found = rc.optimum(two_level(noise_variance="3/10"), "ridge", digits=30)
    assert str(found.place) == "1." + "0" * 29
    assert found.bracket[1] > 1 > found.bracket[0]
    at = rc.predict(two_level(noise_variance="3/10", ridge=1), digits=30)
    assert found.risk == at.risk


def test_the_best_ridge_may_be_negative():
    """Where the signal lies in the features of large variance, and there are many of the others."""
    problem = rc.LinearGaussian(
        aspect_ratio=5, eigenvalues=[25, 1], signal=[1, 0], weights=["1/10", "9/10"], noise_variance="1/100"
    )
    found = rc.optimum(problem, "ridge")
    assert found.status == "interior"
    assert found.place < -0.1

    def risk(ridge: float) -> float:
        return rc.predict(rc.LinearGaussian(**problem.given() | {"ridge": ridge})).risk

    brute = minimize_scalar(risk, bounds=(found.place - 0.2, found.place + 0.2), method="bounded")
    assert found.place == pytest.approx(brute.x, rel=1e-4)
    assert found.risk <= brute.fun * (1 + 1e-12)


def test_no_signal_is_best_predicted_by_zero():
    found = rc.optimum(isotropic(signal=0), "ridge")
    assert (found.status, found.place == found.bracket[1]) == ("at the upper end", True)


def test_a_batch_is_its_elements():
    kappas, noises = [0.5, 2.0, 5.0], [[0.25], [1.0]]
    problem = two_level(aspect_ratio=kappas, noise_variance=noises)
    found = rc.optimum(problem, "ridge", within=(0, 100))
    assert found.place == pytest.approx(np.multiply(kappas, noises), rel=1e-5)
    assert found.status.tolist() == [["interior"] * 3] * 2
    budgets = rc.optimum(problem, "keep", "hessian")
    for place in np.ndindex(2, 3):
        one = two_level(aspect_ratio=kappas[place[1]], noise_variance=noises[place[0]][0])
        alone = rc.optimum(one, "keep", "hessian")
        assert budgets.status[place] == alone.status
        assert budgets.risk[place] == pytest.approx(alone.risk, rel=1e-9)
        assert budgets.place[place] == pytest.approx(alone.place, rel=1e-3)


# --- other numbers


def test_the_best_budget_is_the_best_of_many():
    problem = two_level(noise_variance=1)
    found = rc.optimum(problem, "keep", "hessian")
    risks = rc.predict(problem, rc.Hessian(np.linspace(0.001, 1, 3000))).risk
    assert found.status == "interior"
    assert found.risk <= risks.min() <= found.risk * (1 + 1e-5)


def test_counts_are_counted():
    """All of a few, and by and by of many."""
    counted = {"eigenvalues": [25, 1], "signal": 1, "weights": ["1/10", "9/10"], "noise_variance": 1}
    for problem in (
        rc.LinearGaussian(n_samples=30, n_features=100, **counted),
        rc.LinearGaussian(n_samples=900, n_features=3000, **counted),
    ):
        found = rc.optimum(problem, "n_keep", "hessian")
        keep = np.array([Fraction(n, int(problem.n_features)) for n in range(1, int(problem.n_features) + 1)])
        risks = rc.predict(problem, rc.Hessian(keep)).risk
        assert found.place == np.argmin(risks) + 1
        assert found.risk == pytest.approx(risks.min(), rel=1e-12)
    samples = rc.optimum(correlated(), "n_samples", within=(30, 500))
    assert (samples.place, samples.status) == (500, "at the upper end")


def test_budgets_of_a_batch_by_counts():
    """A number of features is of each problem another share."""
    given: dict[str, Any] = {"n_samples": 20, "eigenvalues": 1, "signal": 1, "noise_variance": "1/100"}
    found = rc.optimum(rc.LinearGaussian(n_features=[40, 60], **given), "n_keep", "hessian")
    for place, risk, features in zip(found.place, found.risk, (40, 60), strict=True):
        alone = rc.optimum(rc.LinearGaussian(n_features=features, **given), "n_keep", "hessian", (1, 40))
        assert (place, risk) == (alone.place, pytest.approx(alone.risk, rel=1e-12))


def test_ends():
    found = rc.optimum(two_level(noise_variance=1), "aspect_ratio", within=("1/10", "1/2"))
    assert (found.place, found.status) == (0.1, "at the lower end")
    kept = rc.optimum(two_level(), "keep", "hessian", within=("1/10", "1/2"))
    assert (kept.place, kept.status) == (0.5, "at the upper end")


def test_a_flat_risk():
    """Without noise and with fewer features than samples there is no error, whatever their number."""
    found = rc.optimum(two_level(), "aspect_ratio", within=("1/10", 3))
    assert (found.status, found.risk, found.place) == ("flat", 0, 0.1)
    assert found.bracket == (0.1, pytest.approx(1, abs=1e-3))
    assert "flat" in str(found)


def test_nowhere_finite():
    found = rc.optimum(two_level(aspect_ratio=[1, 2], noise_variance=1), "keep", "hessian")
    assert found.status.tolist() == ["nowhere finite", "interior"]
    assert np.isnan(found.place).tolist() == [True, False]
    one = rc.optimum(two_level(aspect_ratio=1, noise_variance=1), "keep", "hessian", digits=10)
    assert one.status == "nowhere finite"
    assert str(one.risk) == "nan"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"over": "aspect_ratio"}, r"within, the interval \(low, high\) of aspect_ratio, is needed"),
        ({"over": "keep"}, "keep makes no difference to dense"),
        ({"over": "Ridge"}, "is called 'Ridge'; did you mean ridge"),
        ({"model": "best"}, "no model is called 'best'"),
        ({"within": (1, 0)}, "the lower end of within must be below the upper"),
        ({"problem": two_level(ridge=[0, 1]), "over": "noise_variance", "within": ([0, 0], [1, 0])}, "must be below"),
        ({"problem": two_level(ridge=[0, 1]), "digits": 9}, r"digits are found for one problem .* of shape \(2,\)"),
        ({"problem": two_level(ridge=[0, 1]), "over": "n_samples"}, "no number of a LinearGaussian .* 'n_samples'"),
        ({"problem": two_level(ridge=[0, 1]), "fix": "features"}, "is of one problem, got a batch"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_is_refused(asked: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        rc.optimum(**{"problem": two_level()} | asked)


# --- peaks


@pytest.mark.parametrize("model", ["dense", "magnitude", "hessian", "random"])
def test_what_is_pruned_peaks_where_the_dense_fit_does(model: str):
    found = rc.peak(two_level(noise_variance=1), "aspect_ratio", model, (".2", 5), keep="3/10")
    (one,) = found.peaks
    assert (one.place, one.risk, one.status) == (1, np.inf, "infinite")
    assert found.highest == one


@pytest.mark.parametrize(("model", "several"), [("hessian+fresh", 2), ("small", 1), ("random+retrain", 1)])
@pytest.mark.parametrize("keep", ["3/10", 0.3])
def test_what_is_fitted_again_peaks_where_it_keeps_as_many_as_samples(model: str, several: int, keep: Any):
    """Exactly: a decimal is not the fraction that it looks like."""
    found = rc.peak(two_level(noise_variance=1), "aspect_ratio", model, (".2", 5), keep=keep, digits=40)
    assert len(found.peaks) == several
    exact = 1 / Fraction(keep)
    assert (found.highest.status, str(found.highest.risk)) == ("infinite", "inf")
    assert abs(Fraction(str(found.highest.place)) - exact) < Fraction(1, 10**38)
    over_keep = rc.peak(two_level(noise_variance=1), "keep", model, ("1/10", 1))
    assert over_keep.highest.place == 0.3
    assert over_keep.highest.risk == np.inf


def test_peaks_along_counts():
    found = rc.peak(correlated(), "n_samples", "dense", (5, 200))
    assert [(one.place, one.risk) for one in found.peaks] == [(20, np.inf)]
    small = rc.peak(correlated(), "n_samples", "small", (5, 200), n_keep=8)
    assert [(one.place, one.risk) for one in small.peaks] == [(8, np.inf)]


def test_the_limit_of_a_fit_after_an_infinite_one():
    """There scores of Hessian are noise alone, equal for all features: it keeps any, as random pruning does."""
    found = rc.peak(two_level(noise_variance=1), "aspect_ratio", "hessian+fresh", ("1/2", "3/2"), keep="1/2")
    (one,) = found.peaks
    assert (one.place, one.status) == (1, "limit")
    at_one = two_level(noise_variance=1, aspect_ratio=1)
    assert one.risk == pytest.approx(rc.predict(at_one, rc.Random("1/2"), rc.Retrain(sample="fresh")).risk, rel=1e-5)


@pytest.mark.parametrize("digits", [None, 20])
def test_features_without_variance_do_not_count(digits: int | None):
    """Not in the dense fit, whatever their share; nor are they ever kept before others."""
    share = Fraction(123457, 1000000)
    law = {"eigenvalues": [1, 0], "signal": 1, "weights": [share, 1 - share]}
    problem = rc.LinearGaussian(aspect_ratio=1, noise_variance=1, **law)
    for model, place in (("dense", 1 / share), ("magnitude+retrain", Fraction(10000, 371))):
        found = rc.peak(problem, model=model, within=(5, 40), keep="371/10000", digits=digits).highest
        assert found is not None
        assert (found.status, float(found.risk), float(found.place)) == ("infinite", np.inf, float(place))


def test_a_threshold_that_nobody_named():
    """Half of the features are always zero: what counts is the other half."""
    problem = rc.LinearGaussian(aspect_ratio=1, eigenvalues=[1, 0], signal=1, noise_variance=1)
    found = rc.peak(problem, "aspect_ratio", "dense", (".5", 4))
    assert [(one.place, one.risk, one.status) for one in found.peaks] == [(2, np.inf, "infinite")]


def test_a_jump_is_a_limit():
    """Without noise the threshold is a tie up to aspect ratio 1, and the risk falls beyond it."""
    found = rc.peak(two_level(), "aspect_ratio", "magnitude", ("1/2", "3/2"), keep="3/10")
    (one,) = found.peaks
    beyond = rc.predict(two_level(aspect_ratio="1000001/1000000"), rc.Magnitude("3/10")).risk
    assert (one.place, one.status) == (1, "limit")
    assert one.risk == pytest.approx(beyond, rel=1e-3)
    assert one.risk > rc.predict(two_level(aspect_ratio=1), rc.Magnitude("3/10")).risk * 1.2


def ridge_risk(kappa: Any, ridge: Any, noise: Any) -> Any:
    """Of isotropic features with a signal of one: E[1/(s + ridge)] and E[1/(s + ridge)^2] over Marchenko and Pastur's
    law, in closed form.
    """
    rest = 1 - kappa + ridge
    root = kappa.context.sqrt(rest**2 + 4 * kappa * ridge)
    first = (root - rest) / (2 * kappa * ridge)
    second = first / ridge - ((rest + 2 * kappa) / root - 1) / (2 * kappa * ridge)
    return noise + ridge**2 * second + noise * kappa * (first - ridge * second)


def test_a_finite_peak_has_the_place_of_its_closed_form():
    own = mpmath.MPContext()
    own.dps = 60
    noise, ridge = own.mpf(1) / 4, own.mpf(1) / 100
    problem = isotropic(noise_variance="1/4", ridge="1/100")
    found = rc.peak(problem, "aspect_ratio", "dense", ("1/2", 2), digits=20)
    (one,) = found.peaks
    ends = own.mpf(1), own.mpf("1.1")
    expected = own.findroot(
        lambda x: own.diff(lambda kappa: ridge_risk(kappa, ridge, noise), x), ends, solver="anderson"
    )
    assert one.status == "ok"
    assert abs(own.convert(one.place) - expected) < own.mpf(10) ** -18
    assert abs(own.convert(one.risk) - ridge_risk(expected, ridge, noise)) < own.mpf(10) ** -18
    rough = rc.peak(problem, "aspect_ratio", "dense", ("1/2", 2)).highest
    assert rough.place == pytest.approx(float(expected), rel=1e-5)
    assert rough.bracket[0] < expected < rough.bracket[1]


def test_no_peak():
    found = rc.peak(two_level(noise_variance=1), "aspect_ratio", "dense", ("1/10", "1/2"))
    assert found.peaks == ()
    assert found.highest is None
    assert str(found).startswith("No peaks of the risk of dense, over aspect_ratio")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"within": None}, "within, the interval"),
        ({"within": (5, 2)}, "the lower end of within must be below the upper"),
        ({"keep": None}, "magnitude needs a budget"),
        ({"keep": [0.1, 0.2]}, "peaks are of one budget"),
        ({"problem": two_level(ridge=[0, 1])}, "a peak is of one problem"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_peaks_that_are_refused(asked: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        rc.peak(**{"problem": two_level(), "within": (1, 2), "keep": "1/10"} | asked)
