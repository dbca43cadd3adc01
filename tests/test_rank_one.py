"""Covariance of rank one: numbers by hand, near-miss proofs, simulation, and bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from sympy import Integral

import riskcalc as rc
from riskcalc.derivation.claims import Registered
from riskcalc.derivation.run import build, check
from riskcalc.theory import REGISTRY
from riskcalc.theory.symbols import n_samples, sigma2, target_slope, zeta

MODELS = ("dense", "magnitude", "hessian", "magnitude, retrained", "hessian, retrained")
TRIAL = rc.RankOne(loadings=[2, -1.5, 1, 0.5, 0.25], coefficients=[1, 0, 1, -2, 0.5], n_samples=9, noise_variance=1.5)


def test_numbers_by_hand():
    """v = (2, 1, 1), beta = (1, 1, -1): b = 2, and zeta = 4/6 if one feature is kept."""
    problem = rc.RankOne([2, 1, 1], [1, 1, -1], n_samples=12, noise_variance=3)
    pruned, again = (
        rc.predict(problem, rc.Magnitude(n_keep=1)),
        rc.predict(problem, rc.Magnitude(n_keep=1), retrain=True),
    )
    assert pruned.share == again.share == pytest.approx(2 / 3)
    assert pruned.excess_risk == pytest.approx(4 / 9 * 3 / 10 + 4 / 9)
    assert pruned.risk == pytest.approx(3 + 4 / 9 * 3 / 10 + 4 / 9)
    assert pruned.training_error == pytest.approx(3 * 11 / 12 + (4 + 3 / 12) / 9)
    assert again.excess_risk == pytest.approx(3 / 10)
    assert again.training_error == pytest.approx(3 * 11 / 12)


def test_numbers_are_exact():
    problem = rc.RankOne(["1/3", 1, "-1/7"], [1, "2/3", 0], n_samples=5, noise_variance="1/11")
    share = Fraction(1) / (1 + Fraction(1, 9) + Fraction(1, 49))
    excess = share**2 * Fraction(1, 33) + (1 - share) ** 2
    found = rc.predict(problem, rc.Magnitude(n_keep=1), digits=40)
    with mpmath.workdps(60):
        for number, exact in ((found.share, share), (found.excess_risk, excess)):
            assert abs(number * exact.denominator / exact.numerator - 1) < mpmath.mpf(10) ** -39
    assert rc.predict(problem, rc.Magnitude(n_keep=1)).excess_risk == pytest.approx(float(excess), rel=1e-14)
    assert float(found.to_dict()["share"]) == pytest.approx(float(share), rel=1e-15)


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_keeping_everything_is_the_dense_fit(noise: float):
    problem = rc.RankOne([3, -1, 0], [1, 2, 3], n_samples=7, noise_variance=noise)
    dense = rc.predict(problem)
    for policy, retrain in ((rc.Magnitude(n_keep=3), None), (rc.Magnitude(keep=1), None), (rc.Hessian(keep=1), True)):
        assert rc.predict(problem, policy, retrain).values == dense.values
    assert dense.share == 1
    assert dense.excess_risk == pytest.approx(noise / 5)


def test_correlated_features_need_retraining():
    """Ten copies of one feature, one kept: without retraining nine tenths of the signal is gone, at any sample size."""
    for n in (20, 2000, 200_000):
        copies = rc.RankOne(np.ones(10), np.full(10, 0.1), n_samples=n, noise_variance=1)
        pruned, again = (
            rc.predict(copies, rc.Magnitude(n_keep=1)),
            rc.predict(copies, rc.Magnitude(n_keep=1), retrain=True),
        )
        assert pruned.excess_risk == pytest.approx(0.81, rel=1e-3)
        assert again.excess_risk == rc.predict(copies).excess_risk == pytest.approx(1 / (n - 2))


def test_retraining_pays_where_the_signal_is_above_its_bound():
    """Above b^2/sigma^2 = (1 + zeta)/((1 - zeta)(n - 2)), and not below, where pruning shrinks what is mostly noise."""
    bound = (1 + 0.5) / ((1 - 0.5) * 10)
    for factor in (0.9, 1.1):
        problem = rc.RankOne([1, 1], [np.sqrt(factor * bound), 0], n_samples=12, noise_variance=1)
        gain = (
            rc.predict(problem, rc.Magnitude(n_keep=1)).risk
            - rc.predict(problem, rc.Magnitude(n_keep=1), retrain=True).risk
        )
        assert (gain > 0) == (factor > 1)


def test_the_largest_loadings_are_kept_and_ties_do_not_matter():
    shares = [
        rc.predict(rc.RankOne(v, np.ones(4), n_samples=5), rc.Magnitude(n_keep=2)).share
        for v in ([1, -3, 1, 1], [-1, 1, 1, 3])
    ]
    assert shares == [pytest.approx(10 / 12)] * 2
    assert rc.predict(rc.RankOne([1, 2, 3], [1, 1, 1], 5), rc.Magnitude(keep=0.6)).kept.tolist() == [0, 1, 1]


def test_scales():
    """Loadings times c and coefficients over c change nothing; extreme ones are within range."""
    plain = rc.predict(rc.RankOne([2, 1], [1, 3], n_samples=5, noise_variance=0.5), rc.Magnitude(n_keep=1))
    for c in (2.0**-600, 2.0**600):
        scaled = rc.predict(
            rc.RankOne([2 * c, c], [1 / c, 3 / c], n_samples=5, noise_variance=0.5), rc.Magnitude(n_keep=1)
        )
        assert scaled.values == plain.values
    with pytest.raises(ValueError, match="too large for double precision"):
        rc.predict(rc.RankOne([1e200, 1e199], [1, 1], n_samples=5), rc.Magnitude(n_keep=1))
    assert rc.predict(rc.RankOne([1e200, 1e199], [1, 1], n_samples=5), rc.Magnitude(n_keep=1), digits=20).risk > 1e300


def simulated(problem: rc.RankOne, n_keep: int, rng: np.random.Generator) -> list[float]:
    """Excess risk and training error of each model, from one sample. Knows no formula: fits, scores, keeps, fits."""
    loadings, coefficients = np.array(problem.loadings), np.array(problem.coefficients)
    design = np.outer(rng.standard_normal(problem.n_samples), loadings)
    noise = np.sqrt(float(problem.noise_variance)) * rng.standard_normal(problem.n_samples)
    target = design @ coefficients + noise

    def fitted(features: np.ndarray) -> np.ndarray:
        model = np.zeros(len(loadings))
        model[features] = np.linalg.lstsq(design[:, features], target, rcond=1e-10)[0]
        return model

    dense = fitted(np.arange(len(loadings)))
    covariance = np.outer(loadings, loadings)
    chosen = [np.argsort(-score)[:n_keep] for score in (abs(dense), np.sqrt(np.diag(covariance)) * abs(dense))]
    pruned = [np.where(np.isin(np.arange(len(loadings)), features), dense, 0) for features in chosen]
    models = [dense, *pruned, *map(fitted, chosen)]
    errors = [
        ((m - coefficients) @ covariance @ (m - coefficients), np.mean((target - design @ m) ** 2)) for m in models
    ]
    return list(np.ravel(errors))


def predicted(problem: rc.RankOne, n_keep: int) -> list[float]:
    pruned, again = (
        rc.predict(problem, rc.Magnitude(n_keep=n_keep)),
        rc.predict(problem, rc.Magnitude(n_keep=n_keep), retrain=True),
    )
    return [
        value
        for one in (rc.predict(problem), pruned, pruned, again, again)
        for value in (one.excess_risk, one.training_error)
    ]


def test_simulated_means_are_the_exact_ones():
    """Nine samples: 20,000 trials within five standard errors, 6e-7 for each of ten means that share their draws.

    The standard error of the retrained excess risk is then about 1.5 %, and 1/(n - 1) would be 12.5 % off.
    """
    rng = np.random.default_rng(7)
    values = np.array([simulated(TRIAL, 2, rng) for _ in range(20_000)])
    errors = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert errors[0] < 0.02 * predicted(TRIAL, 2)[0]
    assert np.all(abs(values.mean(axis=0) - predicted(TRIAL, 2)) < 5 * errors)


def test_the_verifier_agrees_and_refuses_a_theory_that_forgets_the_bias():
    """Over sample sizes n, 2n and 4n: the test risk within 3 % at a confidence of 1 - 1e-6, errors of 20 % refused."""

    def at(n: int) -> rc.RankOne:
        return rc.RankOne([2, 1, 1], [0.5, 0.5, 0.5], n_samples=n, noise_variance=0.5)

    def trial(n: int, rng: np.random.Generator) -> list[float]:
        return [0.5 + excess for excess in simulated(at(n), 1, rng)[::2]]

    def risks(n: int) -> list[float]:
        return [0.5 + excess for excess in predicted(at(n), 1)[::2]]

    def forgetful(n: int) -> list[float]:
        return [risk if i not in (1, 2) else 0.5 + 4 / 9 * 0.5 / (n - 2) for i, risk in enumerate(risks(n))]

    settings = {"tolerance": 0.03, "confidence": 1 - 1e-6, "workers": 1}
    assert rc.verify(rc.Theory(risks, trial, MODELS), **settings).verdict == "agree"
    wrong = rc.verify(rc.Theory(forgetful, trial, MODELS), **settings)
    assert [one.verdict for one in wrong.checks] == ["agree", "disagree", "disagree", "agree", "agree"]


STEPS = {step.name: step for step in build("rank_one").steps}


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("the mean of an inverse chi-square", 1 / (n_samples - 2), 1 / (n_samples - 1)),
        ("the mean of a chi-square", n_samples, n_samples - 1),
        ("bias and variance", (1 - zeta) ** 2, 1 - zeta**2),
        ("bias and variance", zeta**2, zeta),
        ("the mean of what pruning takes away", sigma2, 2 * sigma2),
        ("residuals split", (1 - zeta) ** 2, 1 - zeta),
        ("its mean", n_samples, n_samples - 1),
        ("what retraining gains", 1 + zeta, 1 - zeta),
        ("no sample removes the bias", target_slope**2, target_slope),
    ],
)
def test_a_proof_that_nearly_holds_is_refused(name: str, right, wrong):
    step = STEPS[name]
    assert check(step).passed
    mutated = replace(step.claim, right=step.claim.right.subs(right, wrong))
    assert mutated != step.claim
    assert not check(replace(step, claim=mutated)).passed


def test_the_least_norm_is_attained():
    step = STEPS["the norm of a fit"]
    assert check(step).passed
    assert not check(replace(step, claim=replace(step.claim, strict=True))).passed


def test_the_means_of_chi_squares_are_integrals():
    for name in ("the mean of an inverse chi-square", "the mean of a chi-square"):
        assert STEPS[name].claim.left.has(Integral)


@pytest.mark.parametrize("id", [id for id in REGISTRY if id.startswith("rank_one.")])
def test_a_wrong_record_is_refused(id: str):
    step = STEPS[id]
    wrong = REGISTRY[id].statement * (1 + 1 / n_samples)
    for mutated in (replace(REGISTRY[id], statement=wrong), replace(REGISTRY[id], evaluation=wrong)):
        assert not check(replace(step, claim=Registered(mutated, step.claim.derived))).passed


def test_predictions_print_and_serialise():
    problem = rc.RankOne([2, 1, 1], [1, 1, -1], n_samples=12, noise_variance="1/3")
    assert repr(problem) == (
        "RankOne(loadings=[2.0, 1.0, 1.0], coefficients=[1.0, 1.0, -1.0], n_samples=12, noise_variance='1/3')"
    )
    assert str(rc.predict(problem, digits=20)).startswith("dense, all features\n")
    again = rc.predict(problem, rc.Magnitude(n_keep=2), retrain=True)
    assert str(again).startswith("pruned by magnitude, retrained\n")
    assert "share" in str(again)
    values = json.loads(json.dumps(again.to_dict()))
    assert values["keep"] == "2/3"
    assert values["retrain"] == {"sample": "same", "ridge": 0}
    assert values["excess_risk"] == pytest.approx(1 / 30)


GOOD = {"loadings": [2, 1], "coefficients": [1, 1], "n_samples": 5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loadings": []}, r"loadings is empty"),
        ({"loadings": [1, np.nan]}, r"loadings must be finite, got nan"),
        ({"loadings": [0, 0.0]}, r"loadings are all zero; give at least one that is not"),
        ({"loadings": 1}, r"loadings must be a list of numbers, one per feature, got shape \(\)"),
        ({"loadings": [[1, 2]]}, r"loadings must be a list of numbers, one per feature, got shape \(1, 2\)"),
        ({"loadings": ["two", 1]}, r"loadings must be a finite number such as .* got 'two'"),
        ({"coefficients": []}, r"coefficients is empty"),
        ({"coefficients": [1, 2, 3]}, r"loadings and coefficients must have the same length, got 2 and 3"),
        ({"coefficients": [1, np.inf]}, r"coefficients must be finite, got inf"),
        ({"n_samples": 2}, r"n_samples must be at least 3, got 2: with fewer, noise makes the mean risk infinite"),
        ({"n_samples": 0}, r"n_samples must be at least 1, got 0"),
        ({"noise_variance": -0.5}, r"noise_variance must be one number of at least 0, got -0\.5"),
        ({"noise_variance": [1, 2]}, r"noise_variance must be one number of at least 0, got \[1, 2\]"),
        ({"noise_variance": np.nan}, r"noise_variance must be finite, got nan"),
    ],
)
def test_bad_problems(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        rc.RankOne(**GOOD | change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"prune": rc.Magnitude(n_keep=3)}, r"n_keep is 3, but the problem has only 2 features"),
        ({"prune": rc.Magnitude(keep=0.1)}, r"keep = 0\.1 of 2 features leaves none; keep more"),
        (
            {"prune": rc.Random(keep=0.5)},
            r"covers magnitude, hessian, variance, oracle and named features, but not random",
        ),
        ({"prune": rc.Magnitude(n_keep=1), "retrain": rc.Retrain(ridge=5)}, r"second fits without a ridge"),
        ({"retrain": True}, r"retrain needs a policy to prune by before it"),
        ({"digits": 0}, r"digits must be at least 1, got 0"),
    ],
)
def test_what_is_not_covered_is_refused(call: dict, message: str):
    with pytest.raises(ValueError, match=message):
        rc.predict(rc.RankOne(**GOOD | {"coefficients": [1, 2]}), **call)


def test_ties_of_the_oracle_between_unequal_loadings_are_left_to_chance():
    """Lambda beta^2 is the same, and so are equal loadings' shares; a second fit does not ask which is kept."""
    problem = rc.RankOne([2, 1, 1], [1, 2, 2], n_samples=7, noise_variance=1)
    assert rc.predict(problem, rc.Oracle(n_keep=1)).status == "not_converged"
    assert np.isnan(rc.predict(problem, rc.Oracle(keep=["1/3", 1])).risk).tolist() == [True, False]
    assert rc.predict(problem, rc.Oracle(n_keep=1), True).risk == rc.predict(problem).risk
    equal = rc.RankOne([2, 1, 1], [3, 1, -1], n_samples=7, noise_variance=1)
    assert rc.predict(equal, rc.Oracle(n_keep=2)).status == "ok"


def test_budgets_broadcast():
    problem = rc.RankOne([2, 1, 1], [1, 1, -1], n_samples=12, noise_variance=1)
    many = rc.predict(problem, rc.Magnitude(keep=["1/3", "2/3", 1]), digits=30)
    for i, keep in enumerate(("1/3", "2/3", 1)):
        one = rc.predict(problem, rc.Magnitude(keep=keep), digits=30)
        assert (many.risk[i], many.share[i], many.kept[i].tolist()) == (one.risk, one.share, one.kept.tolist())


def test_what_is_kept_of_a_second_fit_is_pruned_again():
    """In rounds a feature kept carries what those dropped before it carried."""
    rounds = rc.predict(TRIAL, rc.Iterative("magnitude", keeps=["3/5", "1/5"]))
    slope = np.array(TRIAL.loadings) @ np.array(TRIAL.coefficients)
    share = 4 / (4 + 2.25 + 1)
    assert rounds.excess_risk == pytest.approx(share**2 * 1.5 / 7 + (1 - share) ** 2 * slope**2)


def test_the_package_agrees_with_itself_on_every_door():
    """Compared, simulated, verified, small: as any problem is."""
    found = rc.compare(TRIAL, n_keep=1)
    assert list(found.risks) == [
        *("dense", "small", "small_by_variance", "magnitude", "hessian", "oracle"),
        *("magnitude+retrain", "hessian+retrain", "oracle+retrain", "magnitude+fresh", "hessian+fresh"),
    ]
    assert found.risks["small"] == found.risks["dense"] == rc.small_model(TRIAL, n_keep=1).risk
    policies = [None, rc.Magnitude(n_keep=2), rc.Oracle(n_keep=1), rc.Procedure.small(n_keep=2)]
    assert rc.verify(TRIAL, policies, tolerance=0.03, training_error=True, workers=1, device="cpu").verdict == "agree"
    estimate = rc.simulate(TRIAL, rc.Magnitude(n_keep=1), True, trials=4000, workers=1, device="cpu")
    assert abs(estimate.mean - found.risks["magnitude+retrain"]) < 5 * estimate.stderr
    assert r"v = (2, -1.5, 1, 0.5, 0.25)" in rc.latex(TRIAL)


def test_what_is_no_number_of_the_right_kind():
    for change in ({"n_samples": 4.5}, {"n_samples": True}, {"loadings": [None, 1]}):
        with pytest.raises(TypeError):
            rc.RankOne(**GOOD | change)
