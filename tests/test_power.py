"""The checks can fail: a fixed sample of mutants is caught. All of them: riskcalc verify --mutants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sympy import Integer

import riskcalc as rc
from riskcalc.power.derivations import refusals, uses
from riskcalc.power.measure import (
    FAILURES,
    TRIALS,
    Power,
    Witness,
    contradicted,
    equivalent,
    regimes,
    risks,
    simulate_regimes,
    try_mutants,
    violated,
)
from riskcalc.power.mutation import Mutant, mutants
from riskcalc.prediction.predict import evaluate
from riskcalc.theory import REGISTRY, dense, pruning
from riskcalc.theory.symbols import B, Lambda, X, a, abar, omega


def _find(formula: str, slot: object, kind: str) -> Mutant:
    (found,) = [m for m in mutants() if formula in m.formulas and m.slot == slot and m.kind == kind]
    return found


@pytest.fixture(scope="module")
def witness() -> Witness:
    """A sixteenth of the trials."""
    return simulate_regimes(tuple(trials // 16 for trials in TRIALS), workers=1)


def test_the_formulas_as_they_are_pass(witness: Witness):
    """And so do their derivations: tests/test_derivation.py."""
    found = risks(regimes())
    assert contradicted(found, witness) == []
    assert violated(found) == []


def test_a_sample_of_mutants_is_caught(witness: Witness):
    power = try_mutants(witness, every=150, workers=1)
    assert power.survivors == []
    assert len(power.caught) >= 60
    assert f"{len(power.caught)} of {len(power.caught)} mutants caught: 100.0 %" in str(power)


def test_simulation_catches_errors_in_the_retraining_equations(witness: Witness):
    """Near the threshold of the second fit, without derivations: all of a sample that changes a prediction by 5 %."""
    before = risks(regimes())
    equations = {"retraining.stationarity", "retraining.covariance", "retraining.risk"}
    changed = 0
    for mutant in [mutant for mutant in mutants() if equations & set(mutant.formulas)][::9]:
        if not all(id.startswith(("retraining", "training_error")) for id in mutant.formulas):
            continue
        try:
            after = risks(regimes(), records=mutant.records)
        except FAILURES:
            continue
        if any(np.any(abs(after[name] - before[name]) > 0.05 * abs(before[name]) + 1e-6) for name in before):
            changed += 1
            assert contradicted(after, witness), mutant
    assert changed >= 30


def test_every_registered_formula_has_mutants():
    assert {id for mutant in mutants() for id in mutant.formulas} == set(REGISTRY)
    assert len({str(mutant) for mutant in mutants()}) >= 0.99 * len(mutants())


def test_equivalent_mutants_are_told_from_others():
    assert equivalent(_find("dense.coefficient_risk", "statement", f"swap {B} and {X}"))
    assert not equivalent(_find("dense.effective_ridge", a, "swap D and Lambda"))
    for mutant in mutants()[::40]:
        same = replace(mutant, mutated=mutant.original)
        assert equivalent(same)


def test_derivations_fall_only_with_the_formulas_they_ask_for():
    assert set().union(*uses().values()) == set(REGISTRY)
    wrong = _find("dense.risk", "evaluation", f"drop the factor {abar}")
    refused = list(refusals(wrong.records, wrong.formulas))
    assert "derivation(ridge: dense.risk)" in refused
    assert all("dense.risk" in uses()[text.removeprefix("derivation(").split(":")[0]] for text in refused)


def test_a_formula_that_breaks_a_derivation_is_refused():
    broken = dict(REGISTRY) | {"dense.risk": replace(dense.RISK, statement=None)}
    assert any(": " in text for text in refusals(broken, ["dense.risk"]))


def test_records_that_are_passed_reach_predictions_and_leave_no_trace():
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[2, 1], signal=1, noise_variance=0.3)
    asked = rc.Procedure(rc.Magnitude(keep=0.3))
    before = rc.predict(problem, asked).risk
    mutant = _find("pruning.risk", "statement", "drop the factor Lambda")
    assert evaluate(problem, [asked], records=mutant.records)[asked].risk != pytest.approx(before, rel=1e-3)
    assert evaluate(problem, [asked])[asked].risk == rc.predict(problem, asked).risk == before


@pytest.mark.parametrize("digits", [None, 30])
def test_a_changed_definition_is_changed_wherever_it_is_used(digits):
    """The weight of the Hessian score, as a record of its own has it, decides its masks."""
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[2, 1], signal=1, noise_variance=0.3)
    hessian = REGISTRY["pruning.hessian_risk"]
    changed = replace(hessian, where=dict(hessian.where) | {omega: Integer(1)})
    asked, magnitude = rc.Procedure(rc.Hessian(keep=0.3)), rc.Procedure(rc.Magnitude(keep=0.3))
    found = evaluate(problem, [asked], digits, records=REGISTRY | {hessian.id: changed})[asked]
    assert found.risk == pytest.approx(rc.predict(problem, magnitude, digits=digits).risk, rel=1e-14)


def test_records_of_no_registered_formula_are_refused():
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1)
    with pytest.raises(ValueError, match=r"records hold dense\.rsik, but nothing of that id is registered"):
        evaluate(problem, [rc.Procedure()], records={"dense.rsik": dense.RISK})


def test_power_prints_and_serialises():
    power = Power({"a": ["simulation(dense)"], "b": ["derivation(ridge: x)"]}, ["c"], ["d"])
    assert power.fraction == pytest.approx(2 / 3)
    assert "2 of 3 mutants caught: 66.7 %" in str(power)
    assert "1 more are equal" in str(power)
    assert power.to_dict()["survivors"] == ["c"]


def test_mutants_change_one_expression():
    for mutant in mutants()[::25]:
        changed = [id for id, f in REGISTRY.items() if mutant.records[id] is not f]
        assert sorted(changed) == sorted(mutant.formulas)
    assert dense.RISK.statement.has(Lambda)
    assert pruning.RISK.statement.has(X)
