"""Policies, second fits and procedures are values; what is compared, and with what, is anyone's choice."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from helpers import two_level
from sympy import Integer

import riskcalc as rc
from riskcalc.policies import Policy, Ranking
from riskcalc.prediction.predict import evaluate
from riskcalc.theory import REGISTRY

PROBLEM = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[25, 1], signal=[1, 2], weights=[0.1, 0.9], noise_variance=1)
FACTOR = rc.RankOne(loadings=[2, 1, 1], coefficients=[1, 1, -1], n_samples=12, noise_variance=1)


def test_values_are_equal_by_what_they_mean_and_do_not_change():
    half = rc.Magnitude(0.5)
    assert half == rc.Magnitude("1/2") == pickle.loads(pickle.dumps(half)) == rc.Magnitude(0.2).at(keep=0.5)
    assert hash(half) == hash(rc.Magnitude("1/2"))
    assert half not in (rc.Hessian(0.5), rc.Magnitude(n_keep=1), rc.Magnitude([0.5]), rc.Magnitude("1/3"))
    assert rc.Retrain(0.5) == rc.Retrain("1/2") != rc.Retrain(0.5, "fresh")
    with pytest.raises(AttributeError, match=r"keep of Magnitude\(keep=0.5\) is set; make another Magnitude"):
        half.keep = np.array(0.3)
    with pytest.raises(AttributeError, match="sample of Retrain"):
        rc.Retrain().sample = "fresh"


def test_another_budget_is_checked_like_the_first():
    with pytest.raises(ValueError, match="n_keep is 3, which groups of 4 do not divide"):
        rc.Group(4, keep=0.1).at(n_keep=3)
    assert rc.Group(4, "magnitude", keep=0.1).at(keep=0.2) == rc.Group(4, "magnitude", keep=0.2)


@pytest.mark.parametrize("prune", [Policy(0.2), Ranking(0.2), rc.Magnitude, "magnitude"])
def test_what_is_no_policy_is_refused(prune):
    with pytest.raises(TypeError, match=r"prune must be a policy such as rc.Magnitude\(keep=0.1\), got"):
        rc.predict(PROBLEM, prune)


def test_a_second_fit_is_a_retrain():
    with pytest.raises(TypeError, match=r"the fit after pruning must be a riskcalc.Retrain or None, got True"):
        rc.Procedure(rc.Magnitude(0.2), True)  # pyright: ignore[reportArgumentType]


def test_predictions_are_equal_and_list_their_quantities():
    one, other = (rc.predict(PROBLEM, rc.Magnitude(0.2)) for _ in range(2))
    assert one == other
    assert {"risk", "misfit", "kept", "quadrature_error"} <= set(dir(one))
    with pytest.raises(AttributeError, match="rsik"):
        _ = one.rsik


@pytest.mark.parametrize("policy", [rc.Optimal, rc.Oracle])
@pytest.mark.parametrize("keep", [0.2, [0.1, 0.2]])
def test_without_a_rule_that_can_be_computed_small_models_are_alone(policy, keep):
    found = rc.compare(PROBLEM, keep, policies=[policy])
    assert np.all(found.best == "small_by_variance")
    assert np.all(found.margin == found.risks["small_by_chance"] - found.risks["small_by_variance"])
    assert not np.any(found.prune_beats_small)
    assert "Pruning the large model" not in str(found)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(TypeError, match=r"Group needs its size; give a policy such as rc.Group\(4, keep=0.1\)"):
        rc.compare(PROBLEM, 0.2, policies=[rc.Group])
    with pytest.raises(ValueError, match="policies hold group_hessian twice"):
        rc.compare(PROBLEM, 0.2, policies=[rc.Group(4, keep=0.1), rc.Group(2, keep=0.1)])
    with pytest.raises(ValueError, match="has the budgets of its rounds"):
        rc.compare(PROBLEM, 0.2, policies=[rc.Iterative("magnitude", [0.5, 0.2])])
    with pytest.raises(TypeError, match="policies must be a list"):
        rc.compare(PROBLEM, 0.2, policies=[])


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("digits", [None, 20])
def test_a_fit_of_zeros_is_not_distorted(replacement: bool, digits: int | None):
    nothing = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=0)
    found = rc.predict(nothing, rc.Sampled(0.2, replacement=replacement), digits=digits)
    assert (found.distortion, found.status) == (0, "exact_recovery")
    assert np.isnan(rc.sampling_budget(nothing, 0.1).sure_top)


def test_one_factor_is_asked_only_for_what_its_theory_covers():
    assert set(rc.prunability(FACTOR, 0.1).keep) == {"magnitude", "hessian", "oracle"}
    with pytest.raises(ValueError, match="with one factor the theory covers magnitude, hessian, variance, oracle and"):
        rc.prunability(FACTOR, 0.1, [rc.Random])
    with pytest.raises(ValueError, match="with one factor optimal is not simulated"):
        rc.simulate(FACTOR, rc.Optimal(n_keep=1))


def test_rounds_that_keep_the_same_number_are_refused():
    with pytest.raises(ValueError, match=r"of 40 features two rounds keep the same number, \[20, 20\]"):
        rc.simulate(PROBLEM, rc.Iterative("magnitude", [0.5, 0.49]), n_samples=20)


@pytest.mark.parametrize(
    ("id", "problem", "asked"),
    [
        ("iterative.pruned_risk", two_level(), rc.Procedure(rc.Iterative("magnitude", [0.5, 0.2]))),
        ("iterative.risk", two_level(), rc.Procedure(rc.Iterative("magnitude", [0.5, 0.2]), rc.Retrain())),
    ],
)
def test_records_reach_the_rounds(id: str, problem, asked):
    record = REGISTRY[id]
    changed = replace(record, statement=record.statement + 1, evaluation=None)
    plain, found = (evaluate(problem, [asked], records=own)[asked].risk for own in (REGISTRY, REGISTRY | {id: changed}))
    assert found == pytest.approx(plain + 1, rel=1e-12)


def test_records_reach_the_quadrature_error():
    problem = rc.LinearGaussian(aspect_ratio=2, law=rc.laws.MarchenkoPastur(0.5), noise_variance=1)
    asked, record = rc.Procedure(rc.Oracle(0.3)), REGISTRY["pruning.risk"]
    doubled = replace(record, statement=Integer(2) * record.statement, evaluation=None)
    plain, found = (
        evaluate(problem, [asked], records=own)[asked] for own in (REGISTRY, REGISTRY | {record.id: doubled})
    )
    assert found.risk == pytest.approx(2 * plain.risk, rel=1e-12)
    assert found.quadrature_error == pytest.approx(2 * plain.quadrature_error, rel=1e-9)


def test_a_record_under_the_id_of_another_is_refused():
    with pytest.raises(ValueError, match=r"records hold dense.risk as pruning.risk; a variant keeps the id"):
        evaluate(PROBLEM, [rc.Procedure()], records={"pruning.risk": REGISTRY["dense.risk"]})
