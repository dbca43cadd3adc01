"""Rows of unequal length (T13)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import command_line
from hypothesis import given, settings

import riskcalc as rc
from riskcalc import strategies
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.solvers import NotCovered

LAW = {"eigenvalues": [4, 1, "1/4"], "signal": [1, "3/2", "1/2"], "weights": ["1/4", "1/4", "1/2"]}
POLICIES = (
    rc.Magnitude(keep="3/10"),
    rc.Hessian(keep="3/10"),
    rc.BrainSurgeon(keep="3/10"),
    rc.Oracle(keep="3/10"),
    rc.Random(keep="3/10"),
    rc.Sampled(keep="3/10"),
    rc.Sampled(keep="3/10", replacement=True),
    rc.Optimal(keep="3/10"),
    rc.Optimal(keep="3/10", rescale=True),
    rc.Group(size=2, keep="3/10"),
)
REFITS = (None, rc.Retrain(), rc.Retrain(ridge="3/10"), rc.Retrain(sample="fresh"))
MODELS = [rc.Procedure(), rc.Procedure.small("3/10"), *(rc.Procedure(p, r) for p in POLICIES for r in REFITS)]
ERRORS = ("risk", "excess_risk", "training_error")
# Cases of a fit: an interpolator, least squares, ridges.
FITS = {
    "many": {"aspect_ratio": 4},
    "few": {"aspect_ratio": "1/2"},
    "ridge": {"aspect_ratio": "3/2", "ridge": "1/5", "penalty": [1, 2, "1/2"]},
    "natural": {"aspect_ratio": 3, "ridge": "1/100", "penalty": "natural"},
}


def problem(**changes) -> rc.LinearGaussian:
    return rc.LinearGaussian(**({"noise_variance": "1/2", **LAW} | changes))


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("rows", [{"row_variances": 1}, {"row_variances": [1, 1], "row_weights": [0.1, 0.9]}], ids=str)
def test_rows_of_variance_one_are_equal_rows(fit: str, rows: dict):
    """To rounding, every model of T1 to T6; the training error of an interpolator is zero."""
    equal, same = (evaluate(problem(**FITS[fit], **more), MODELS) for more in ({}, rows))
    for model in MODELS:
        assert equal[model].status == same[model].status == "ok"
        for name in ERRORS:
            assert getattr(same[model], name) == pytest.approx(getattr(equal[model], name), rel=1e-13, abs=1e-15)


def test_rows_without_variance_count_among_the_samples():
    """A tenth of the rows holds noise only: the other nine are a sample of 9/10 the size, whose ridge weighs more."""
    empty = {"row_variances": [1, 0], "row_weights": ["9/10", "1/10"]}
    for fit in ({"aspect_ratio": 3}, {"aspect_ratio": "1/2"}, {"aspect_ratio": 2, "ridge": "9/50"}):
        less = fit | {"aspect_ratio": {3: "10/3", "1/2": "5/9", 2: "20/9"}[fit["aspect_ratio"]]}
        less |= {"ridge": "1/5"} if "ridge" in fit else {}
        models = [rc.Procedure(), *(rc.Procedure(rc.Hessian(keep="1/5"), refit) for refit in (None, rc.Retrain()))]
        found, wanted = evaluate(problem(**fit, **empty), models), evaluate(problem(**less), models)
        for model in models:
            assert found[model].risk == pytest.approx(wanted[model].risk, rel=1e-13)
            expected = 0.9 * wanted[model].training_error + 0.1 * 0.5  # rows that hold no features keep their noise
            assert found[model].training_error == pytest.approx(expected, rel=1e-13)


def test_only_variances_relative_to_those_of_features_matter():
    """Rows of c times the variance, features of a c-th: the same errors on the sample, and a new row of variance c."""
    rows = {"row_variances": [2, "1/2", 1], "aspect_ratio": 2, "ridge": "1/5"}
    scaled = rows | {"row_variances": [8, 2, 4], "eigenvalues": [1, "1/4", "1/16"]}
    for refit in REFITS:
        one, other = (rc.predict(problem(**given), rc.Hessian(keep="1/4"), refit) for given in (rows, scaled))
        assert one.training_error == pytest.approx(other.training_error, rel=1e-13)
        assert one.excess_risk == pytest.approx(4 * other.excess_risk, rel=1e-13)


def test_an_interpolator_sees_the_harmonic_mean_of_rows():
    """Dense and pruned, it is that of equal rows with the noise sigma^2 E[1/T]."""
    rows = rc.predict(problem(aspect_ratio=3, row_variances=[4, 1, "1/2"]))
    noisier = rc.predict(problem(aspect_ratio=3, noise_variance="13/24"))  # times the mean of 1/4, 1 and 2
    assert rows.excess_risk == pytest.approx(noisier.excess_risk, rel=1e-13)
    pruned, equal = (
        rc.predict(problem(aspect_ratio=3, **given), rc.Hessian(keep="1/4"))
        for given in ({"row_variances": [4, 1, "1/2"]}, {"noise_variance": "13/24"})
    )
    assert pruned.excess_risk == pytest.approx(equal.excess_risk, rel=1e-13)


def test_one_feature_and_one_kind_of_row_in_closed_form():
    """Least squares with one kind of feature: E[T/(T + eta)] = kappa, and R solves a linear equation, by hand."""
    lengths, kappa, noise = np.array([4.0, 1.0, 0.25]), 0.4, 0.5
    low, high = 1e-9, 1e9
    for _ in range(200):
        eta = np.sqrt(low * high)
        low, high = (eta, high) if np.mean(lengths / (lengths + eta)) > kappa else (low, eta)
    part = lengths / (lengths + eta)
    excess = noise * np.mean(part**2 / lengths) / kappa / (1 - np.mean(part**2) / kappa)
    found = rc.predict(
        rc.LinearGaussian(aspect_ratio="2/5", eigenvalues=1, signal=1, noise_variance="1/2", row_variances=lengths)
    )
    assert found.excess_risk == pytest.approx(excess, rel=1e-12)
    assert found.training_error == pytest.approx(np.mean((1 - part) ** 2 * (noise + lengths * excess)), rel=1e-12)


@pytest.mark.parametrize("fit", FITS)
def test_many_digits_agree(fit: str):
    rows = {"row_variances": [4, 1, "1/10", 0], "row_weights": [".2", ".3", ".4", ".1"]}
    for refit in (None, rc.Retrain(ridge="3/10")):
        for prune in (rc.Hessian(keep="1/4"),):
            plain, exact = (rc.predict(problem(**FITS[fit], **rows), prune, refit, digits=n) for n in (None, 30))
            for name in ERRORS:
                assert getattr(plain, name) == pytest.approx(float(getattr(exact, name)), rel=1e-13)


def test_the_threshold_is_at_as_many_live_features_as_live_rows():
    """kappa P(Lambda > 0) = P(T > 0): infinite with noise, exact without; undecided for a rounded ratio."""
    rows = {"row_variances": [4, 1, 0], "row_weights": [".2", ".7", ".1"]}
    assert rc.predict(problem(aspect_ratio="9/10", **rows)).status == "infinite"
    assert rc.predict(problem(aspect_ratio="9/10", noise_variance=0, **rows)).status == "exact_recovery"
    assert rc.predict(problem(aspect_ratio=0.9, **rows)).status == "near_threshold"
    counted = problem(n_samples=40, n_features=36, row_variances=[0] * 4 + [1, 2] * 18)
    assert rc.predict(counted).status == "infinite"
    assert rc.predict(problem(aspect_ratio=3, **rows), rc.Hessian(keep=".3"), True).status == "infinite"
    beside = [rc.predict(problem(aspect_ratio=r, **rows)).risk for r in (".8999", ".9001")]
    assert min(beside) > 1000


def test_nothing_is_shared_where_no_feature_has_variance():
    for refit in (None, rc.Retrain()):
        found = rc.predict(problem(eigenvalues=0, aspect_ratio=2, ridge=1, row_variances=[1, 2]), POLICIES[0], refit)
        assert (found.status, found.risk, found.training_error) == ("ok", 0.5, 0.5)


def test_batches_are_their_problems():
    lengths, ratios = [[1, 2], [1, 0], [3, 1]], [0.5, 1, 2]
    batch = problem(aspect_ratio=ratios, row_variances=lengths, ridge="1/10")
    assert batch.shape == (3,)
    found = rc.predict(batch, rc.Hessian(keep=[[".2"], [".5"]]), True)
    assert found.risk.shape == (2, 3)
    for i, keep in enumerate((".2", ".5")):
        for j, (own, ratio) in enumerate(zip(lengths, ratios, strict=True)):
            alone = problem(aspect_ratio=ratio, row_variances=own, ridge="1/10")
            assert found.risk[i, j] == pytest.approx(rc.predict(alone, rc.Hessian(keep=keep), True).risk, rel=1e-13)


@given(strategies.problems(rows=True, noise=True))
@settings(max_examples=40)
def test_no_fit_beats_the_noise(drawn: rc.LinearGaussian):
    found = rc.predict(drawn, rc.Hessian(keep="1/2"), rc.Retrain(ridge="1/2"))
    assert found.status in ("ok", "infinite", "near_threshold", "not_converged", "imprecise")
    if found.status == "ok":
        assert found.risk >= drawn.noise_variance
        assert found.training_error >= 0
    assert rc.LinearGaussian.from_dict(json.loads(json.dumps(drawn.to_dict()))) == drawn


@pytest.mark.parametrize("features", ["quantiles", "drawn"])
def test_simulation_agrees(features: str):
    """Dense, and pruned and fitted again on the same sample, within 5 standard errors and 3 %, which is the size's."""
    rows = {"row_variances": [4, 1, "1/10"], "row_weights": [".2", ".4", ".4"]}
    unequal = problem(aspect_ratio=2, ridge="1/5", **rows)
    for prune, refit in ((None, None), (rc.Magnitude(keep="1/4"), rc.Retrain(ridge="3/10"))):
        found = rc.simulate(unequal, prune, refit, n_samples=200, trials=60, features=features, workers=1)
        wanted = rc.predict(unequal, prune, refit)
        for measured, value in ((found, wanted.risk), (found.training_error, wanted.training_error)):
            assert abs(measured.mean - value) < 5 * measured.stderr + 0.03 * value


def test_fits_of_a_sample_ignore_rows_that_hold_noise():
    rows = {"row_variances": [1, 0], "row_weights": ["4/5", "1/5"]}
    for fit in ({"aspect_ratio": 3}, {"aspect_ratio": "2/5"}):
        unequal = problem(**fit, **rows)
        found = rc.simulate(unequal, n_samples=100, trials=100, workers=1)
        wanted = rc.predict(unequal)
        assert abs(found.mean - wanted.risk) < 5 * found.stderr + 0.05 * wanted.risk
        assert abs(found.training_error.mean - wanted.training_error) < 5 * found.training_error.stderr + 0.02


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"row_variances": -1}, "row_variances must be at least 0, got -1"),
        ({"row_variances": [0, 0]}, "row_variances are all zero"),
        ({"row_variances": [1, 0], "row_weights": [0, 1]}, "row_variances are all zero"),
        ({"row_variances": float("nan")}, "row_variances must be finite"),
        ({"row_variances": []}, "row_variances is empty"),
        ({"row_variances": [1, 2], "row_weights": [0.5, 0.4]}, "row_weights must sum to one over the row_variances"),
        ({"row_variances": [1, 2], "row_weights": [1, 2, 3]}, "row_variances"),
        ({"row_weights": [1]}, "row_weights are of rows of variances that are given"),
        ({"row_variances": rc.laws.Uniform(1, 2), "row_weights": [1]}, "this law has its own"),
    ],
    ids=str,
)
def test_bad_rows_are_refused(given: dict, message: str):
    with pytest.raises(ValueError, match=message):
        problem(aspect_ratio=2, **given)


def test_what_is_not_covered_is_refused_in_words():
    with pytest.raises(NotCovered, match="ridges of zero or more"):
        rc.predict(problem(aspect_ratio=3, ridge=-0.001, row_variances=[1, 2]))
    with pytest.raises(NotCovered, match="rounds of pruning"):
        rc.predict(problem(aspect_ratio=3, row_variances=[1, 2]), rc.Iterative(rc.Magnitude, [0.5, 0.3]), True)


def test_a_law_gives_the_variances_of_rows():
    """By its nodes; written and read."""
    law = rc.laws.Uniform(1, 3)
    unequal = problem(aspect_ratio=3, row_variances=law)
    noisier = problem(aspect_ratio=3, noise_variance=0.5 * np.log(3) / 2)  # E[1/T]
    assert rc.predict(unequal).excess_risk == pytest.approx(rc.predict(noisier).excess_risk, rel=1e-12)
    assert rc.LinearGaussian.from_dict(unequal.to_dict()) == unequal
    assert r"T \sim \text{Uniform}(1, 3)" in rc.latex(unequal)


def test_rows_are_asked_for_on_the_command_line(monkeypatch, capsys):
    flags = "--aspect-ratio 2 --eigenvalues 4,1 --signal 1 --noise-variance 1/2"
    rows = "--row-variances 4,0 --row-weights 3/4,1/4"
    code, out, _ = command_line(monkeypatch, capsys, "predict", *flags.split(), *rows.split(), "--json")
    told = json.loads(out)
    assert code == 0
    own = rc.LinearGaussian(
        aspect_ratio=2,
        eigenvalues=[4, 1],
        signal=1,
        noise_variance="1/2",
        row_variances=[4, 0],
        row_weights=["3/4", "1/4"],
    )
    assert told["risk"] == rc.predict(own).risk
    assert r"T = \begin{cases} 4 & \text{with probability } \frac{3}{4}" in rc.latex(own)
