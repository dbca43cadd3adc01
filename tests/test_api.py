"""Shapes, exactness, results and their printing: what a caller sees."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from helpers import two_level

import riskcalc as rc


def test_public_names_are_pinned():
    assert sorted(rc.__all__) == [
        "Advice",
        "BrainSurgeon",
        "Comparison",
        "Correlated",
        "Crossing",
        "Crossover",
        "Estimate",
        "FactorCovariance",
        "Group",
        "Hessian",
        "Iterative",
        "LinearGaussian",
        "Magnitude",
        "Measured",
        "Optimal",
        "Optimum",
        "Oracle",
        "Peak",
        "Peaks",
        "Prediction",
        "Procedure",
        "Prunability",
        "Random",
        "RandomFeatures",
        "RankOne",
        "Retrain",
        "Sampled",
        "SamplingBudget",
        "Schedule",
        "Score",
        "Stretch",
        "Subset",
        "Survey",
        "Table",
        "Theory",
        "Variance",
        "Verification",
        "advise",
        "compare",
        "crossover",
        "derive",
        "evaluate",
        "from_data",
        "latex",
        "laws",
        "leverages",
        "load_chapter",
        "measure",
        "optimum",
        "peak",
        "plot",
        "predict",
        "prunability",
        "random_features_covariance",
        "rounds",
        "sampling_budget",
        "simulate",
        "small_model",
        "source",
        "survey",
        "sweep",
        "verify",
    ]
    for name in (*rc.__all__, "__version__"):
        assert getattr(rc, name) is not None
        assert name in dir(rc)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = rc.nonsense


@pytest.mark.parametrize("digits", [None, 20])
def test_a_batch_is_its_elements(digits: int | None):
    """Aspect ratios by noise by budgets, atoms batched too: every element equals the scalar problem."""
    kappa, noise, keep = [0.5, 1.0, 3.0], np.array([0.0, 0.3])[:, None], np.array([0.2, 0.9])[:, None, None]
    eigenvalues = np.array([[4.0, 1.0, 0.0], [9.0, 1.0, 1.0], [2.0, 1.0, 0.5]])
    shared = {"signal": [1, 2, 0.5], "weights": [0.2, 0.3, 0.5]}
    batch = rc.LinearGaussian(aspect_ratio=kappa, eigenvalues=eigenvalues, noise_variance=noise, **shared)
    assert batch.shape == (2, 3)
    comparison = rc.compare(batch, keep=keep, digits=digits)
    assert np.shape(comparison.margin) == (2, 2, 3)
    for index in np.ndindex(2, 2, 3):
        one = rc.LinearGaussian(
            aspect_ratio=kappa[index[2]], eigenvalues=eigenvalues[index[2]], noise_variance=noise[index[1], 0], **shared
        )
        single = rc.compare(one, keep=keep[index[0], 0, 0], digits=digits)
        assert comparison.best[index] == single.best
        assert comparison.prune_beats_small[index] == single.prune_beats_small
        for model, many in comparison.predictions.items():
            prediction = single.predictions[model]
            assert many.status[index] == prediction.status
            assert float(many.risk[index]) == pytest.approx(float(prediction.risk), rel=1e-13, nan_ok=True)
            assert many.kept.shape == (2, 2, 3, 3)
            assert many.kept[index].astype(float) == pytest.approx(
                prediction.kept.astype(float), abs=1e-13, nan_ok=True
            )


def test_large_batches_are_cut_into_chunks():
    rng = np.random.default_rng(0)
    kappa = rng.uniform(0.1, 5, 30_000)
    problem = rc.LinearGaussian(aspect_ratio=kappa, eigenvalues=[4, 1, 0.2], signal=1, noise_variance=0.1)
    prediction = rc.predict(problem, prune=rc.Magnitude(keep=0.3))
    for i in (0, 21_844, 21_845, 29_999):
        one = rc.LinearGaussian(aspect_ratio=kappa[i], eigenvalues=[4, 1, 0.2], signal=1, noise_variance=0.1)
        single = rc.predict(one, prune=rc.Magnitude(keep=0.3))
        assert prediction.risk[i] == pytest.approx(single.risk, rel=1e-13)
        assert prediction.kept[i] == pytest.approx(single.kept, rel=1e-12)


def test_empirical_features_are_atoms_of_equal_weight():
    rng = np.random.default_rng(0)
    eigenvalues, signal = rng.gamma(1.0, size=40_000), rng.normal(size=40_000)
    by_law = rc.LinearGaussian(law=rc.laws.Empirical(eigenvalues, signal), aspect_ratio=2, noise_variance=0.2)
    by_atoms = rc.LinearGaussian(
        eigenvalues=eigenvalues, signal=signal, weights=np.full(40_000, 1 / 40_000), aspect_ratio=2, noise_variance=0.2
    )
    first, second = rc.compare(by_law, keep=0.1).risks, rc.compare(by_atoms, keep=0.1).risks
    for model, risk in first.items():
        assert risk == pytest.approx(second[model], rel=1e-10)


def test_power_law_approaches_its_limit():
    kappa, keep = 2.0, 0.2
    limit = rc.LinearGaussian(law=rc.laws.PowerLaw(0.5, -0.2), aspect_ratio=kappa, noise_variance=0.5)
    risks = rc.compare(limit, keep=keep).risks
    gaps = {}
    for p in (1_000, 16_000):
        finite = rc.LinearGaussian(law=rc.laws.PowerLaw(0.5, -0.2, p), aspect_ratio=kappa, noise_variance=0.5)
        gaps[p] = {model: abs(risk / risks[model] - 1) for model, risk in rc.compare(finite, keep=keep).risks.items()}
    for model, gap in gaps[16_000].items():
        assert gap < 2e-3, model
        assert gap < max(gaps[1_000][model], 1e-4), model


def test_exactness_of_input():
    """A string, a Fraction and a Decimal mean what they say; a float means its binary value."""
    exact = [two_level(aspect_ratio=x) for x in ("10/3", Fraction(10, 3))]
    risks = [rc.predict(problem, digits=40).risk for problem in exact]
    binary = rc.predict(two_level(aspect_ratio=10 / 3), digits=40).risk
    assert risks[0] == risks[1]
    assert 0 < abs(binary - risks[0]) < 1e-14
    tenth = rc.predict(two_level(), prune=rc.Magnitude(keep=Decimal("0.1")), digits=40).risk
    assert tenth == rc.predict(two_level(), prune=rc.Magnitude(keep="1/10"), digits=40).risk
    mpf = two_level(aspect_ratio=mpmath.mpf(10) / 3)
    assert mpf.aspect_ratio[()] == Fraction(10 / 3)


@pytest.mark.parametrize(("live", "dead"), [(61, 3), (7, 57), (1, 2), (30, 19), (64, 0)])
def test_the_threshold_is_found_by_counting(live: int, dead: int):
    """n = number of features of positive variance: infinite in float64 too, though p/n is not a double."""
    law = rc.laws.Empirical([2.0] * live + [0.0] * dead, [1.0] * (live + dead))
    problem = rc.LinearGaussian(n_samples=live, n_features=live + dead, law=law, noise_variance=0.1)
    assert rc.predict(problem).status == "infinite"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"aspect_ratio": 10, "eigenvalues": [1, 0], "weights": ["1/10", "9/10"]}, "infinite"),
        ({"aspect_ratio": 1.5, "eigenvalues": [0, 1, 2], "weights": ["1/3"] * 3}, "infinite"),
        ({"aspect_ratio": "10/9", "eigenvalues": [0, 1], "weights": [0.1, 0.9]}, "near_threshold"),
        ({"aspect_ratio": Fraction(4 * 10**9 + 1, 10**9), "eigenvalues": [1, 0], "weights": [0.25, 0.75]}, "ok"),
        ({"n_samples": 700_000, "n_features": 1_000_001, "eigenvalues": [1] * 7 + [0] * 3}, "ok"),
    ],
)
def test_the_live_mass_is_exact(given: dict, status: str):
    problem = rc.LinearGaussian(signal=1, noise_variance=0.1, **given)
    fast, exact = rc.predict(problem), rc.predict(problem, digits=50)
    assert fast.status == exact.status == status
    assert fast.risk == pytest.approx(float(exact.risk), rel=1e-13, nan_ok=True)


@pytest.mark.parametrize(("eigenvalues", "signal"), [(["1/10", "9/10"], [3, 1]), (["1/49", "1"], [7, 1])])
@pytest.mark.parametrize("digits", [None, 30, 50])
def test_scores_that_tie_up_to_rounding_tie(eigenvalues, signal, digits):
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=eigenvalues, signal=signal, noise_variance=0.1)
    kept = rc.predict(problem, prune=rc.Oracle(keep="3/10"), digits=digits).kept
    assert kept.astype(float) == pytest.approx([0.3, 0.3])


def test_margins_have_their_digits():
    problem = two_level(noise_variance="1/10")
    low, high = (rc.compare(problem, keep="1/10", digits=digits).margin for digits in (30, 60))
    with mpmath.workdps(60):
        assert abs(low - high) < mpmath.mpf(10) ** -28


def test_overflow_is_no_risk():
    for change in ({"aspect_ratio": 1e308}, {"signal": 1e160}, {"noise_variance": 1e308}):
        problem = rc.LinearGaussian(**{"aspect_ratio": 2, "eigenvalues": [1, 2], "signal": 1} | change)
        for prediction in rc.compare(problem, keep=0.3).predictions.values():
            assert prediction.status == "not_converged"
            assert np.isnan(prediction.risk)


def test_what_was_checked_stays_as_it_was():
    eigenvalues, keep = np.array([3.0, 1.0]), np.array([0.2, 0.4])
    problem, policy = rc.LinearGaussian(aspect_ratio=2, eigenvalues=eigenvalues, signal=1), rc.Magnitude(keep=keep)
    before = rc.predict(problem, prune=policy).risk
    eigenvalues[:], keep[:] = -5, 7
    assert (rc.predict(problem, prune=policy).risk == before).all()
    with pytest.raises(ValueError, match="read-only"):
        problem.law.eigenvalues[0] = 2


def test_tiny_budgets_at_many_digits():
    problem = two_level()
    null = 25 * mpmath.mpf("0.1") + mpmath.mpf("0.9")
    for model, risk in rc.compare(problem, keep="1e-50", digits=20).risks.items():
        if model not in ("dense", "small"):
            assert abs(risk - null) < mpmath.mpf(10) ** -14, model


def test_counts_and_ratios_are_two_spellings():
    counts = rc.LinearGaussian(
        n_samples=[30, 60], n_features=100, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"]
    )
    ratios = two_level(aspect_ratio=["10/3", "5/3"])
    first = rc.predict(counts, prune=rc.Hessian(n_keep=10))
    second = rc.predict(ratios, prune=rc.Hessian(keep="1/10"))
    assert (first.risk == second.risk).all()
    assert rc.small_model(counts, n_keep=10).risk == pytest.approx(rc.small_model(ratios, keep="1/10").risk)


def test_digits_are_digits():
    problem = two_level(noise_variance="1/7")
    for policy in (None, rc.Magnitude(keep="1/5"), rc.Oracle(keep="1/5")):
        low, high = rc.predict(problem, prune=policy, digits=30), rc.predict(problem, prune=policy, digits=60)
        for name in ("risk", "excess_risk", "dense_risk", "effective_ridge"):
            with mpmath.workdps(70):
                difference = abs(getattr(low, name) - getattr(high, name))
                assert difference <= mpmath.mpf(10) ** -29 * abs(getattr(high, name))
        assert float(high.risk) == pytest.approx(rc.predict(problem, prune=policy).risk, rel=1e-13)


def test_dense_prediction_keeps_everything():
    prediction = rc.predict(two_level())
    assert prediction.kept.tolist() == [1, 1]
    assert prediction.threshold is None
    assert prediction.training_error == 0
    assert prediction.misfit == 0


def test_results_print_and_serialise():
    comparison = rc.compare(two_level(), keep="1/10")
    text = str(comparison)
    assert "Best within the budget: pruned by Hessian score, by 0.1436." in text
    assert "Pruning the large model beats training the small one." in text
    values = json.loads(json.dumps(comparison.to_dict()))
    assert values["keep"] == "1/10"
    assert values["best"] == "hessian"
    assert values["risks"]["hessian"] == pytest.approx(1.2064, abs=1e-4)
    grid = rc.compare(two_level(), keep=np.linspace(0.01, 1, 50))
    assert "the first 24 of 50 regimes" in str(grid)
    assert len(json.loads(json.dumps(grid.to_dict()))["risks"]["small"]) == 50
    assert "effective ridge" in str(rc.predict(two_level()))
    assert "0.1" in str(rc.predict(two_level(), prune=rc.Magnitude(keep=[0.1, 0.2])))
    precise = rc.predict(two_level(), digits=30)
    assert precise.to_dict()["risk"] == "0.976476034853718206153348428582"
    assert "0.976476034853718206153348428582" in str(precise)


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        (rc.Magnitude(keep=0.25), None),
        (rc.Group(4, "magnitude", keep=0.25), {"size": 4, "score": "magnitude"}),
        (rc.Sampled(keep=0.25, replacement=True), {"replacement": True, "score": "hessian"}),
        (rc.Optimal(keep=0.25), {"rescale": False}),
        (
            rc.Iterative("hessian", ["1/2", "1/3"], ridge="1/10"),
            {"policy": "hessian", "keeps": [0.5, "1/3"], "ridge": "1/10"},
        ),
    ],
)
def test_json_says_which_model_was_asked_for(policy, options):
    prediction = rc.predict(two_level(), policy, rc.Retrain(ridge="1/5", sample="fresh"))
    values = json.loads(json.dumps(prediction.to_dict()))
    assert values["model"] == policy.name
    assert values["keep"] == ("1/3" if isinstance(policy, rc.Iterative) else 0.25)
    assert values.get("options") == options
    assert values["retrain"] == {"sample": "fresh", "ridge": "1/5"}


def test_infinite_results_print_and_serialise():
    problem = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1)
    comparison = rc.compare(problem, keep=1)
    assert comparison.best is None
    assert "No model that meets the budget from data alone has a finite risk." in str(comparison)
    assert comparison.to_dict()["risks"]["dense"] == "inf"
    assert comparison.predictions["dense"].to_dict()["status"] == "infinite"
    assert not comparison.prune_beats_small


def test_a_tie_is_no_victory():
    comparison = rc.compare(two_level(noise_variance=0.3), keep=1)
    assert comparison.margin == 0
    assert not comparison.prune_beats_small


@pytest.mark.parametrize("digits", [None, 30])
def test_a_tie_has_no_reason(digits: int | None):
    """Where nothing is dropped and nothing penalised all models are one; what rounding adds is no story to tell."""
    comparison = rc.compare(two_level(noise_variance=1), keep=1, digits=digits)
    risk = "2.7207" if digits is None else comparison.to_dict()["risks"]["dense"]
    assert " ".join(str(comparison).split()).endswith(
        "Best within the budget: small, of largest variance; the next is equal. "
        "Pruning the large model is equal to training the small one. "
        f"Retraining on the same sample leaves its risk equal, at {risk}."
    )


def test_a_law_can_be_shared_and_shown():
    law = rc.laws.Atoms([1, 2], [1, 1], ["1/3", "2/3"])
    assert repr(law) == "Atoms(eigenvalues=[1.0, 2.0], signal=[1.0, 1.0], weights=['1/3', '2/3'])"
    problem = rc.LinearGaussian(law=law, aspect_ratio=2, penalty="natural")
    assert "penalty='natural'" in repr(problem)
