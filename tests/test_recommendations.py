"""What a comparison recommends: the lowest risk within the budget of what data alone can give."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import HERE, Regime, regimes, two_level
from hypothesis import assume, given
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc import strategies
from riskcalc.policies import Policy
from riskcalc.simulation import backends
from riskcalc.simulation.choices import choose
from riskcalc.simulation.simulate import make_plan

# Said by hand, not by the attributes that the library goes by.
FEASIBLE = {
    "small_by_variance",
    "small_by_chance",
    *(f"{rule}{after}" for rule in ("magnitude", "hessian", "random") for after in ("", "+retrain")),
}
OTHERS = {"dense", "small", "oracle", "optimal", "oracle+retrain", "magnitude+fresh", "hessian+fresh"}
# Features of little variance carry the signal: only who is told it finds them.
HIDDEN = rc.LinearGaussian(
    aspect_ratio=2, eigenvalues=[9, 1], signal=[0, 3], weights=["4/5", "1/5"], noise_variance="1/10"
)


@given(strategies.problems(), st.floats(0.001, 1))
def test_the_best_is_the_lowest_of_what_data_give(problem: rc.LinearGaussian, keep: float):
    found = rc.compare(problem, keep)
    assert found.risks.keys() == FEASIBLE | OTHERS
    known = sorted((risk, model) for model, risk in found.risks.items() if model in FEASIBLE and np.isfinite(risk))
    if not known:
        assert found.best is None
        assert np.isnan(found.margin)
        return
    assert found.best in FEASIBLE
    assert found.risks[found.best] == known[0][0]
    if len(known) > 1:
        assert found.margin == pytest.approx(known[1][0] - known[0][0], abs=1e-12 * known[1][0])


@given(regimes(noise=True))
def test_no_small_model_beats_the_one_that_is_told(regime: Regime):
    """Where it is far from its own interpolation threshold: least squares on fewer features than samples."""
    assume(regime.aspect_ratio * regime.keep < 1)
    regime = regime.scaled(ridge=0.0)
    risks = rc.compare(regime.problem(), keep=regime.keep).risks
    assert risks["small"] <= min(risks["small_by_variance"], risks["small_by_chance"]) * (1 + 1e-9)


def test_what_is_told_the_truth_is_not_recommended():
    found = rc.compare(HIDDEN, "1/5")
    risks = found.risks
    assert min(risks, key=risks.__getitem__) == "small"
    assert found.best in FEASIBLE
    assert found.best == min(FEASIBLE, key=risks.__getitem__)
    assert found.margin > 0
    assert not found.prune_beats_small
    text = " ".join(str(found).split())
    assert f"* Best within the budget: {found.predictions[found.best].label}, by" in text
    assert "Pruning the large model does not beat training the small one." in text
    assert "small, on the best features²" in text
    assert "² sees the true coefficients" in text
    assert found.predictions["small"].procedure.note == "sees the true coefficients"


def test_a_batch_is_recommended_as_its_elements():
    keeps = ["1/20", "1/5", "1/2", 1]
    found = rc.compare(HIDDEN, keeps)
    single = [rc.compare(HIDDEN, keep) for keep in keeps]
    assert found.best.tolist() == [one.best for one in single]
    assert found.margin.tolist() == pytest.approx([one.margin for one in single], rel=1e-9, abs=1e-12)
    assert found.prune_beats_small.tolist() == [one.prune_beats_small for one in single]
    assert "small" not in found.best


def test_the_papers_question_is_asked_of_the_model_that_is_told():
    """Also where another small model is as good, or lower than both."""
    found = rc.compare(two_level(), "1/10")
    assert (found.best, found.prune_beats_small) == ("hessian", True)
    assert found.risks["small_by_variance"] == found.risks["small"]
    low = rc.compare(HIDDEN, "1/5")
    pruned = min(low.risks[f"{rule}{after}"] for rule in ("magnitude", "hessian") for after in ("", "+retrain"))
    assert low.prune_beats_small == (pruned < low.risks["small"])


# --- the small models


def test_small_models_by_their_closed_form():
    """Least squares on what is kept: the noise with the dropped signal, over 1 - features kept per sample."""
    problem = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[9, 4, 1], signal=[1, 0, 2], weights=["1/10", "3/10", "6/10"], noise_variance=1
    )
    found = rc.compare(problem, "1/4").risks
    whole = 0.1 * 9 + 0.6 * 4
    dropped = {
        "small": whole - 0.15 * 4 - 0.1 * 9,
        "small_by_variance": whole - 0.1 * 9,
        "small_by_chance": 0.75 * whole,
    }
    for model, signal in dropped.items():
        assert found[model] == pytest.approx((1 + signal) / 0.5, rel=1e-12)


@pytest.mark.parametrize("digits", [None, 30])
def test_ties_share_and_features_without_variance_come_last(digits: int | None):
    problem = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[4, 1, 1, 0], signal=[1, 2, 0, 1], weights=["1/10", "2/10", "3/10", "4/10"]
    )
    for keep, kept in (("1/10", [1, 0, 0, 0]), ("1/5", [1, 0.2, 0.2, 0]), ("4/5", [1, 1, 1, 0.5]), (1, [1] * 4)):
        for second in (None, rc.Retrain(), rc.Retrain(None, "fresh")):
            assert rc.predict(problem, rc.Variance(keep), second, digits).kept.astype(float) == pytest.approx(kept)


def test_where_all_variances_tie_it_is_chance():
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[2, 2], signal=[1, 3], noise_variance=0.5)
    found = rc.compare(problem, ["1/5", "4/5"], policies=[rc.Variance, rc.Random]).risks
    for variance, chance in (
        ("variance", "random"), ("variance+retrain", "random+retrain"), ("small_by_variance", "small_by_chance")
    ):  # fmt: skip
        assert found[variance] == pytest.approx(found[chance], rel=1e-12)


LAWS = {
    "ties": {"eigenvalues": [4, 1, 1], "signal": [1, 2, -1], "weights": ["1/10", "3/10", "6/10"]},
    "without variance": {"eigenvalues": [4, 1, 0], "signal": [1, 2, 1], "weights": ["1/5", "1/5", "3/5"]},
    "continuous": {"law": rc.laws.Uniform(1, 5, signal=2, signal_power=-0.5)},
}


@pytest.mark.parametrize("law", LAWS)
def test_theory_and_simulation_agree(law: str):
    """Pruned by variance, retrained, and small models by variance and by chance; training errors, too."""
    problem = rc.LinearGaussian(aspect_ratio=2.5, noise_variance=1, ridge="1/5", **LAWS[law])
    keep = "1/2"  # without variance: more than there are features that have some
    models = [
        rc.Procedure(rc.Variance(keep), second) for second in (None, rc.Retrain("1/5"), rc.Retrain("1/5", "fresh"))
    ]
    models += [rc.Procedure.small(keep, by=kind) for kind in (rc.Variance, rc.Random)]
    found = rc.verify(
        problem, models, training_error=True, n_samples=40, tolerance=0.1, confidence=1 - 1e-5, seconds=120, **HERE
    )
    assert [check for check in found.checks if check.verdict != "agree"] == [], f"\n{found}"


def test_the_simulator_takes_the_largest_variances_and_ties_by_luck():
    problem = rc.LinearGaussian(
        n_samples=20, n_features=40, eigenvalues=[3, 2, 2, 0], signal=[1, 5, 0, 9], noise_variance=1
    )
    plan, own = make_plan(problem, [rc.Procedure(rc.Variance(0.5))], 20), backends.cpu()
    ensemble = plan.sampler.ensemble([None], own)
    luck = np.random.default_rng(0).random((2000, 40))
    fit = ensemble.fitted(np.zeros_like(luck), np.zeros((2000, 20, 40)), luck)
    choice = choose(rc.Variance(0.5), fit, 20)
    top = np.argsort(choice.scores, axis=-1)[:, -20:]
    variances = np.broadcast_to(ensemble.eigenvalues, luck.shape)
    assert (np.take_along_axis(variances, top, axis=-1) == 3).sum(axis=-1).tolist() == [10] * 2000
    assert np.take_along_axis(variances, top, axis=-1).min() == 2
    taken = np.zeros(luck.shape)
    np.put_along_axis(taken, top, 1, axis=-1)
    share = taken.mean(axis=0)[variances[0] == 2]
    assert share == pytest.approx([0.5] * 20, abs=5 * 0.5 / 2000**0.5)


def test_one_factor_has_a_small_model_by_variance():
    problem = rc.RankOne([3, -2, 1.5, 1], [0.5, 0.5, -1, 1], 12, noise_variance=1.5)
    found = rc.compare(problem, n_keep=2)
    assert found.risks["small_by_variance"] == found.risks["small"] == found.risks["dense"]
    assert "small_by_chance" not in found.risks
    assert rc.predict(problem, rc.Variance(n_keep=2)).risk == rc.predict(problem, rc.Magnitude(n_keep=2)).risk
    checked = rc.verify(problem, [rc.Variance(n_keep=2)], tolerance=0.2, confidence=0.999, **HERE)
    assert checked.verdict == "agree"


def test_words_of_small_models():
    class Blind(rc.Random):
        label = "pruned with eyes shut"
        small_name = small_label = ""

    told = {by: rc.Procedure.small("1/5", by=by) for by in (rc.Oracle, rc.Variance, rc.Random, Blind)}
    names = ["small", "small_by_variance", "small_by_chance", "small_by_random"]
    assert [one.name for one in told.values()] == [one.key for one in told.values()] == names
    assert [one.feasible for one in told.values()] == [False, True, True, True]
    assert told[Blind].label == "small, pruned with eyes shut"
    assert rc.Procedure.small("1/5") == told[rc.Oracle]
    assert r"\gamma_\Delta" in rc.latex(rc.predict(two_level(), told[rc.Random]))
    for wrong, error, message in (
        (rc.Magnitude, ValueError, "a small model is not on features that magnitude keeps, which looks at a fit"),
        (Policy, TypeError, "prune must be a policy"),
    ):
        with pytest.raises(error, match=message):
            rc.Procedure.small("1/5", by=wrong)
