"""Every number keeps its digits, or its status says that it has not; also where nobody can tell a threshold."""

from __future__ import annotations

import json

import accuracy
import numpy as np
import pytest
import sympy
from helpers import examples

import riskcalc as rc
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import share
from riskcalc.formulas.symbols import LawSymbol
from riskcalc.lowering.sizes import size
from riskcalc.prediction.status import MOST_ROUNDING
from riskcalc.results.schema import schema

# Nearly an interpolator before and after pruning: the equations of the second fit cancel.
NEARLY = rc.LinearGaussian(aspect_ratio="1.00000001", eigenvalues=[4, 1], signal=[1, 2], noise_variance=0.1)
AT = {"eigenvalues": [4, 1], "signal": 1, "noise_variance": 1}


def test_a_training_error_keeps_its_digits_where_hardly_anything_is_dropped():
    """It was negative: a difference of moments that are each as large as what is dropped is wide."""
    problem = rc.LinearGaussian(aspect_ratio=3, eigenvalues=[4, 1], signal=[1, 2], noise_variance=0.1)
    keep = 1 - 10.0 ** -np.arange(3, 8)
    for rule in (rc.Magnitude, rc.Hessian, rc.BrainSurgeon):
        found, exact = rc.predict(problem, rule(keep=keep)), rc.predict(problem, rule(keep=keep), digits=30)
        assert set(found.status) == {"ok"}
        assert accuracy.relative(found.training_error, exact.training_error).max() < 1e-12
    # From one to the next a thousandth is dropped of it: it goes with the cube of the width.
    errors = np.asarray(found.training_error)
    assert errors[1:] / errors[:-1] == pytest.approx(1e-3, rel=1e-2)


def test_the_rule_that_rescales_keeps_its_digits_beside_any_signal():
    """The risk was a difference of numbers of the size of the signal: 1 and 0 where it is .51."""
    signal = np.stack([10.0 ** np.arange(3, 10), np.ones(7)], axis=1)
    problem = rc.LinearGaussian(aspect_ratio="1/2", eigenvalues=[1, 2], signal=signal, noise_variance=1e-2)
    found = rc.predict(problem, rc.Optimal(keep="3/4", rescale=True))
    assert found.risk == pytest.approx(0.51, rel=1e-14)
    assert found.excess_risk == pytest.approx(0.5, rel=1e-14)
    assert set(found.status) == {"ok"}


@pytest.mark.parametrize("n", range(10, 200, 19))
def test_a_float_of_a_whole_number_of_features_is_that_number(n: int):
    """Of 3n features n/p is n: at the threshold, as n_keep says and as the simulator has it."""
    problem = rc.LinearGaussian(n_samples=n, n_features=3 * n, eigenvalues=1, signal=1, noise_variance=1)
    assert rc.small_model(problem, n_keep=n).status == "infinite"
    assert rc.small_model(problem, keep=n / (3 * n)).status == "infinite"


@pytest.mark.parametrize("digits", [None, 20])
@pytest.mark.parametrize(
    ("ratio", "keep", "status"),
    [
        (2.5, 0.4, "near_threshold"),
        ("5/2", 0.4, "near_threshold"),
        (10 / 3, "3/10", "near_threshold"),
        ("5/2", "2/5", "infinite"),
        (2.5, "2/5", "infinite"),  # a double that is exactly what it says
        (2, 0.5, "infinite"),
        ("5/2", 0.4000000000001, "ok"),
        ("5/2", "0.40000000000000000001", "ok"),
    ],
)
def test_a_budget_within_rounding_of_the_threshold(ratio, keep, status: str, digits: int | None):
    problem = rc.LinearGaussian(aspect_ratio=ratio, **AT)
    for found in (
        rc.small_model(problem, keep=keep, digits=digits),
        rc.predict(problem, rc.Hessian(keep=keep), retrain=True, digits=digits),
        rc.predict(problem, rc.Random(keep=keep), retrain=rc.Retrain(sample="fresh"), digits=digits),
    ):
        assert found.status == status
        assert np.isnan(float(found.risk)) == (status == "near_threshold")
    assert rc.predict(problem, rc.Hessian(keep=keep), rc.Retrain(0.1), digits=digits).status == "ok"


def test_a_dense_fit_near_its_threshold_takes_what_it_is_pruned_to_with_it():
    near = rc.LinearGaussian(aspect_ratio=10 / 3, eigenvalues=[4, 0], weights=[0.3, 0.7], signal=1, noise_variance=1)
    exact = rc.LinearGaussian(
        aspect_ratio="10/3", eigenvalues=[4, 0], weights=["3/10", "7/10"], signal=1, noise_variance=1
    )
    for problem, status in ((near, "near_threshold"), (exact, "infinite")):
        assert rc.predict(problem).status == status
        assert rc.predict(problem, rc.Magnitude(keep=0.1)).status == status
        assert rc.predict(problem, rc.Oracle(keep=0.1)).status == status
        assert rc.predict(problem, rc.Oracle(keep=0.1), retrain=True).status == "ok"
    assert rc.predict(near, rc.Magnitude(keep=0.1), retrain=True).status == "near_threshold"


def test_rounds_near_the_threshold():
    rounds = rc.Iterative("magnitude", keeps=[0.8, 0.4])
    assert rc.predict(rc.LinearGaussian(aspect_ratio=2.5, **AT), rounds, retrain=True).status == "near_threshold"
    exact = rc.Iterative("magnitude", keeps=["4/5", "2/5"])
    assert rc.predict(rc.LinearGaussian(aspect_ratio=2.5, **AT), exact, retrain=True).status == "infinite"


def test_verdicts_leave_out_what_is_near_its_threshold():
    found = rc.compare(rc.LinearGaussian(aspect_ratio=2.5, **AT), keep=0.4)
    assert found.predictions["small"].status == "near_threshold"
    assert (found.best, found.prune_beats_small) == ("hessian", False)
    text = " ".join(str(found).split())
    assert (
        "near threshold (give the budget or the ratio exactly: n_keep=, a Fraction, or a string such as '2/5')" in text
    )
    assert "training the small one" not in text
    assert "Retraining" not in text
    assert "e+1" not in text
    assert rc.Comparison.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    several = rc.compare(rc.LinearGaussian(aspect_ratio=[2.5, 2], **AT), keep=0.4)
    assert np.asarray(several.predictions["small"].status).tolist() == ["near_threshold", "ok"]
    assert "Some risks are near threshold" in str(several)


def test_what_has_lost_its_digits_says_so():
    rule = rc.Magnitude(keep="0.999999")
    found, exact = rc.predict(NEARLY, rule, retrain=True), rc.predict(NEARLY, rule, retrain=True, digits=20)
    assert (found.status, exact.status) == ("imprecise", "ok")
    assert (exact.rounding_error, rc.predict(NEARLY, rule).rounding_error) == (None, None)
    errors = [accuracy.relative(*pair)[0] for pair in zip(_errors(found), _errors(exact), strict=True)]
    assert MOST_ROUNDING < max(errors) < found.rounding_error
    assert "rounding error" in str(found)
    assert "imprecise" in str(found)
    assert rc.Prediction.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert "rounding_error" in found.to_dict()
    assert "rounding_error" in schema()


def _errors(prediction: rc.Prediction) -> list[np.ndarray]:
    return [np.array(prediction.risk), np.array(prediction.training_error)]


def test_sentences_quote_nothing_imprecise():
    found = rc.compare(NEARLY, keep="0.999999")
    text = str(found)
    assert "imprecise (ask for digits=)" in text
    assert "Retraining on the same sample" not in text
    assert "Retraining on the same sample" in str(rc.compare(NEARLY, keep="0.999999", digits=10))


def test_the_size_of_an_expression_is_the_sum_of_its_terms():
    x, y, w = (LawSymbol(name, positive=True) for name in "xyw")
    v = sympy.Symbol("v", real=True)
    assert size(x - y, {}) == x + y
    assert size(E(x * y + w), {}) == E(x * y + w)  # nothing cancels
    assert size((x - y) ** 2, {}) == (x + y) ** 2
    assert size(w / (x - y), {}) == w * (x + y) / sympy.Abs(x - y) ** 2
    assert size(sympy.sqrt(x - y), {}) == (x + y) / sympy.sqrt(sympy.Abs(x - y))
    assert size(x * v, {}) == x * sympy.Abs(v)
    assert size(w * x, {w: x - y}) == x * (x + y)  # through what cancels
    assert size(w * x, {w: share(x, y)}) == w * x  # not through what does not
    assert size(x - v, {}, inexact=["v"]) == x + sympy.Symbol("v_size", nonnegative=True)


def test_few_digits_asked_for_are_right_where_most_of_them_cancel():
    problem = rc.LinearGaussian(aspect_ratio="1.00000001", eigenvalues=[1, 2], signal=[1e9, 1], noise_variance=1e-2)
    for rule in (rc.Magnitude(keep="0.999999999"), rc.Random(keep=1 - 1e-9), rc.Optimal(keep="0.999999999")):
        few, many = (rc.predict(problem, rule, retrain=True, digits=digits) for digits in (15, 60))
        for name in ("risk", "excess_risk", "training_error"):
            assert accuracy.relative(getattr(few, name), getattr(many, name)).max() < 1e-14, (rule, name)


@pytest.mark.parametrize("atoms", [1, 3, 4])
def test_every_policy_and_second_fit_keeps_its_digits_or_says_so(atoms: int):
    """A few hard regimes of the accuracy study."""
    regimes = accuracy.random_regimes(np.random.default_rng([2026, atoms]), 2, atoms, hard=True)
    found = accuracy.tallies(regimes)
    assert {name for name in examples() if not name.startswith(accuracy.SLOW)} <= found.keys()
    assert {name: one.broken for name, one in found.items() if one.broken} == {}


def test_the_study_notices_a_number_that_lost_its_digits():
    problem, rule = rc.LinearGaussian(aspect_ratio=[3, 2], **AT), rc.Hessian(keep=0.3)
    right = rc.predict(problem, rule, digits=30)
    off = rc.predict(rc.LinearGaussian(aspect_ratio=np.array([3, 2 * (1 + 1e-5)]), **AT), rule)
    broken = accuracy.tally(off, right).broken
    assert {place for (_, place), _, _ in broken} == {1}
    assert {name for _, name, _ in broken} == {"risk", "excess_risk", "misfit", "training_error", "dense_risk"}
