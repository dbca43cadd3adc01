"""Answers that were once wrong or misleading, and are refused or right."""

from __future__ import annotations

import json

import pytest
import sympy
from helpers import two_level

import riskcalc as rc
from riskcalc.chapters import POSITIVE, Equation, scalar
from riskcalc.theory.symbols import Lambda, X

DEAD = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[1, 0], signal=1)  # a fit without error


def test_a_bracket_of_several_roots_is_refused():
    x = scalar("wrong_root", "an unknown", POSITIVE, "x")
    cubic = sympy.Eq((x - 1) * (x - 2) * (x - 3), 0)
    whole = Equation("wrong.roots", "three roots", x, cubic, "own", lower=0, upper=4)
    with pytest.raises(ValueError, match=r"cross 3 times between 0.0 and 4.0; give a bracket of one root"):
        rc.evaluate(whole, {})
    one = Equation("wrong.root", "one root", x, cubic, "own", lower=sympy.Rational(3, 2), upper=sympy.Rational(5, 2))
    assert rc.evaluate(one, {}) == pytest.approx(2, rel=1e-14)


@pytest.mark.parametrize("digits", [2, 3, 5])
def test_few_digits_tell_models_apart_that_differ_in_them(digits: int):
    found = rc.compare(two_level(), keep="1/10", digits=digits)
    assert (found.best, found.prune_beats_small) == ("hessian", True)
    assert float(found.margin) == pytest.approx(0.14, abs=0.07)


def test_numbers_print_the_digits_that_they_have():
    risk = rc.predict(two_level(), digits=50).risk
    assert str(risk) == "0.97647603485371820615334842858164452206491964479238"
    assert repr(risk) == f"mpf('{risk}')"


def test_scores_with_a_sign_and_any_power_are_scores():
    assert rc.predict(DEAD, rc.Score("signed", "sign(X) + 1", keep=0.3)).status == "exact_recovery"
    for power in (Lambda ** (1 / 3), Lambda**0.1):
        assert rc.predict(two_level(), rc.Score("power", abs(X) * power, keep=0.1)).status == "ok"


@pytest.mark.parametrize("score", ["abs(X)/Lambda", "abs(X)*log(Lambda)**2"])
def test_a_score_that_is_no_number_without_variance_is_refused_where_it_comes_to_that(score: str):
    with pytest.raises(ValueError, match=r"at Lambda = 0, .*; a score is a finite number of at least 0"):
        rc.predict(DEAD, rc.Score("wrong", score, keep=0.3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"best": "magnitude"}, "best is 'magnitude', but the rest says 'hessian'"),
        ({"keep": 0.5}, "keep is 0.5, but the model small keeps 1/10"),
        ({"models": None}, "this is no Comparison that riskcalc wrote"),
        ({"models": {}}, "this is no Comparison that riskcalc wrote"),
    ],
)
def test_a_comparison_that_was_changed_is_refused(change: dict, message: str):
    written = json.loads(json.dumps(rc.compare(two_level(), keep="1/10").to_dict()))
    with pytest.raises(ValueError, match=message):
        rc.Comparison.from_dict(written | change)


@pytest.mark.parametrize(
    "change", [{"status": "x"}, {"model": "dense"}, {"risk": {}}, {"risk": None}, {"problem": None}]
)
def test_a_prediction_that_was_changed_is_refused(change: dict):
    written = json.loads(json.dumps(rc.predict(two_level(), rc.Hessian(keep=0.1)).to_dict()))
    with pytest.raises(ValueError, match=r"but the rest says|must be one of|a number is needed|that riskcalc wrote"):
        rc.Prediction.from_dict(written | change)


def test_a_chapter_is_no_path():
    with pytest.raises(TypeError, match=r"such as riskcalc.load_chapter gives, got 'x.py'"):
        rc.evaluate("dense.risk", {}, chapter="x.py")
