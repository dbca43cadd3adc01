"""Where models cross: against closed forms, the same at many digits, jumps, stretches of equality, draws, counts."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers import command_line, two_level

import riskcalc as rc
from riskcalc.questions.along import Line

ISOTROPIC = {"aspect_ratio": 1, "eigenvalues": 1, "signal": 1, "noise_variance": "1/4"}


def isotropic(**changes: Any) -> rc.LinearGaussian:
    return rc.LinearGaussian(**ISOTROPIC | changes)


def correlated(**changes: Any) -> rc.Correlated:
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(20, 30))
    given = {"covariance": factors @ factors.T / 30, "coefficients": rng.normal(size=20) / 4, "n_samples": 30}
    return rc.Correlated(**given | {"noise_variance": 0.1} | changes)


def better(found: rc.Crossover) -> list[str]:
    return [one.better for one in found.stretches]


# --- against closed forms


@pytest.mark.parametrize("keep", ["1/10", "1/2", "9/10"])
def test_isotropic_least_squares_crosses_the_small_model_where_it_is_as_bad_as_none(keep: str):
    """s/(1-k) = (s + (1-a) r)/(1-a k) at k = r/(r + s), whatever is kept: there both are the risk of no model."""
    found = rc.crossover(isotropic(), ("dense", "small"), within=("1/10", "9/10"), keep=keep, digits=30)
    (one,) = found.crossings
    assert one.status == "ok"
    low, high = (Fraction(str(end)) for end in one.bracket)
    assert low < Fraction("0.8") < high < low + Fraction(1, 10**28)
    assert str(one.place) == "0." + "8" + "0" * 29
    assert {str(risk) for risk in one.risks} == {"1.25" + "0" * 27}
    assert better(found) == ["dense", "small"]


def closed_dense(k: float) -> float:
    """Ridgeless least squares of isotropic features, r = 1, s = 1/4."""
    return 0.25 / (1 - k) if k < 1 else 1 - 1 / k + 0.25 * k / (k - 1)


def test_all_crossings_on_both_sides_of_an_infinite_risk():
    """A cubic's roots above one, and the one below."""
    found = rc.crossover(isotropic(), ("dense", "small"), within=("1/2", "49/5"), keep="1/10")
    # (k-1)^2 (1 - k/10) + k^2 (1 - k/10)/4 = (1/4 + 9/10) k (k-1), where k > 1
    roots = np.roots(np.polysub(np.polymul([-0.1, 1], [1.25, -2, 1]), [1.15, -1.15, 0]))
    expected = sorted([0.8, *(root.real for root in roots if abs(root.imag) < 1e-12 and 1 < root.real < 9.8)])
    assert found.places == pytest.approx(expected, rel=1e-10)
    for one in found.crossings:
        assert one.risks[0] == pytest.approx(closed_dense(one.place), rel=1e-9)
        assert one.bracket[0] <= one.place <= one.bracket[1]
    assert len(expected) == 2
    assert better(found) == ["dense", "small", "dense"]


def test_along_the_noise():
    """The same equation solved for s: s = r (1-k)/k."""
    found = rc.crossover(isotropic(aspect_ratio="2/3"), ("dense", "small"), "noise_variance", (0, 10), keep="1/3")
    assert found.places == pytest.approx([0.5], rel=1e-12)


@pytest.mark.parametrize(("ratio", "winner"), [("1/2", "random"), ("9/10", "small")])
def test_along_the_budget(ratio: str, winner: str):
    """s + (1-a) r + a k s/(1-k), pruned at random, and (s + (1-a) r)/(1 - a k) are equal at a = 1 only, on either side
    of k = r/(r + s) = 8/10.
    """
    found = rc.crossover(isotropic(aspect_ratio=ratio), ("random", "small"), "keep", ("1/100", 1))
    assert found.crossings == ()
    assert better(found) == [winner, "equal"]
    assert found.stretches[-1].low == pytest.approx(1, abs=1e-6)


# --- many digits

NOISY = two_level(noise_variance="1/10")


def gap(place: Fraction, digits: int) -> int:
    """The sign of Hessian's risk less the small model's, which is (s + 9/10)/(1 - k/10), asked one by one."""
    problem = two_level(noise_variance="1/10", aspect_ratio=place)
    pruned = Fraction(str(rc.predict(problem, rc.Hessian("1/10"), digits=digits).risk))
    return 1 if pruned > 1 / (1 - place / 10) else -1


def test_thirty_digits():
    """The two-level problem with a noise variance of a tenth: risks agree to all digits at 0.8553... and 1.2245..."""
    found = rc.crossover(NOISY, within=("1/10", 9), keep="1/10", digits=30)
    rough = rc.crossover(NOISY, within=("1/10", 9), keep="1/10")
    assert better(found) == better(rough) == ["hessian", "small", "hessian"]
    assert [round(float(place), 4) for place in found.places] == [0.8553, 1.2245]
    assert [float(place) for place in found.places] == pytest.approx(rough.places, rel=1e-13)
    for one, side in zip(found.crossings, (1, -1), strict=True):
        assert one.status == "ok"
        assert str(one.risks[0]) == str(one.risks[1])
        low, high = (Fraction(str(end)) for end in one.bracket)
        assert low < Fraction(str(one.place)) < high < low + Fraction(1, 10**28)
        assert (gap(low, 45), gap(high, 45)) == (-side, side)


def test_without_noise_hessian_is_never_worse_than_small():
    found = rc.crossover(two_level(noise_variance=0), within=("1/10", 9), keep="1/10")
    assert found.crossings == ()
    assert better(found) == ["hessian"]
    assert "No crossing: hessian is better throughout." in str(found)
    assert (found.stretches[0].low, found.stretches[0].high) == (0.1, 9)


def test_first_features():
    """Those not seen are noise; the end, which no double holds, is reached exactly."""
    problem = two_level(noise_variance=0)
    found = rc.crossover(problem, fix="features", within=("3/10", "10/3"), keep="1/10")
    (one,) = found.crossings
    seen = Line(problem, ("hessian", "small"), "aspect_ratio", "features", {"keep": "1/10"})
    hessian, small = (model.risk for model in seen.risks(np.array([one.place * 0.999, one.place * 1.001])))
    assert (hessian > small).tolist() == [True, False]
    assert found.stretches[-1].high == 10 / 3


# --- equality, jumps


def test_a_stretch_of_equal_risks_is_told_as_one():
    """Without noise, below the threshold, Hessian keeps the best features exactly, as the small model is told."""
    found = rc.crossover(two_level(noise_variance=0), ("hessian+retrain", "small"), within=("3/10", 3), keep="1/10")
    assert better(found) == ["equal", "small"]
    assert found.crossings == ()
    assert 1 < found.stretches[0].high == found.stretches[1].low < 1.1


def test_equal_throughout():
    found = rc.crossover(isotropic(), ("hessian", "magnitude"), within=("1/2", 3), keep="1/2")
    assert better(found) == ["equal"]
    assert "equal throughout" in str(found)
    assert better(rc.crossover(isotropic(), ("dense", "dense"), within=("1/2", 3))) == ["equal"]


@pytest.mark.parametrize("digits", [None, 20])
def test_a_jump_is_no_crossing(digits: int | None):
    """Without noise the threshold is a tie among all features up to aspect ratio 1, and none beyond."""
    models = rc.Magnitude(keep="3/10"), rc.Random(keep="1/5")
    found = rc.crossover(two_level(noise_variance=0), models, within=("1/2", 3), digits=digits)
    jump = found.crossings[0]
    assert (jump.status, float(jump.place)) == ("jump", 1)
    assert found.places == tuple(one.place for one in found.crossings[1:])
    assert better(found)[:2] == ["magnitude", "random"]
    at_one = rc.predict(two_level(noise_variance=0, aspect_ratio=1), rc.Magnitude(keep="3/10")).risk
    assert float(jump.risks[0]) == pytest.approx(at_one, rel=1e-12)


def test_two_infinite_risks_do_not_compare():
    """Both at the threshold, where the better one stays it."""
    found = rc.crossover(two_level(noise_variance=1), ("magnitude", "oracle"), within=("9/10", "11/10"), keep="1/2")
    assert better(found) == ["oracle"]
    assert found.crossings == ()


# --- counts, draws


def test_along_a_count():
    """The first count at which the other model is better, of all of them."""
    problem = correlated()
    found = rc.crossover(problem, ("dense", "small"), "n_samples", (25, 200), keep="1/2")
    one = found.crossings[0]
    assert (one.place, one.bracket, len(found.crossings)) == (42, (41, 42), 1)
    before, after = (correlated(n_samples=count) for count in (41, 42))
    assert rc.small_model(before, keep="1/2").risk < rc.predict(before).risk
    assert rc.small_model(after, keep="1/2").risk > rc.predict(after).risk


def test_along_a_number_of_features_kept():
    """Of more counts than are scanned; as asking every one of them."""
    problem = rc.LinearGaussian(
        n_samples=300, n_features=1000, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"], noise_variance=1
    )
    found = rc.crossover(problem, ("hessian", "hessian+fresh"), "n_keep", (1, 1000))
    keep = np.array([Fraction(count, 1000) for count in range(1, 1001)], dtype=object)
    pruned, again = (rc.predict(problem, rc.Hessian(keep), fit).risk for fit in (None, FRESH))
    lower = pruned <= again * (1 + 1e-12)
    assert found.places == tuple(np.flatnonzero(np.diff(lower)) + 2)
    assert len(found.places) == 1
    assert found.scanned < 500


FRESH = rc.Retrain(sample="fresh")


def test_draws_have_an_error():
    """Four standard errors beside the place more draws find the order that there should be."""
    models, budget = ("magnitude+retrain", "dense"), {"keep": "1/2"}
    found = rc.crossover(correlated(), models, "noise_variance", ("1/10", 1), **budget, tolerance=0.1)
    (one,) = found.crossings
    assert 0 < one.error < 0.2 * one.place
    assert one.bracket[0] < one.place < one.bracket[1]
    line = Line(correlated(), models, "noise_variance", budget=budget, tolerance=0.02)
    again, dense = line.risks(np.array([one.place - 4 * one.error, one.place + 4 * one.error]))
    assert (again.risk > dense.risk).tolist() == [True, False]


def test_digits_decide_what_is_equal():
    """Along counts, which are exact."""
    problem = rc.RankOne([2, 1, 1, 1] * 2, [1, 1, 0, -1] * 2, 20, noise_variance=1)
    found = rc.crossover(problem, ("magnitude", "hessian"), "n_keep", (1, 8), digits=20)
    rough = rc.crossover(problem, ("magnitude", "hessian"), "n_keep", (1, 8))
    assert better(found) == better(rough)
    assert "equal" in better(found)
    assert str(found.stretches[-1].high) == "8." + "0" * 19


def test_undecided():
    found = rc.crossover(correlated(), ("random", "magnitude"), "noise_variance", (5, 20), keep="1/2", tolerance=0.05)
    assert "undecided" in better(found)


# --- what is refused

ASKED = {"problem": two_level(), "between": ("hessian", "small"), "within": (1, 2), "keep": "1/10"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"within": None}, r"within, the interval \(low, high\) of aspect_ratio, is needed"),
        ({"within": (2, 1)}, r"the lower end of within must be below the upper, got \(2, 1\)"),
        ({"within": (1, 1)}, "the lower end of within must be below the upper"),
        ({"within": ()}, r"within must be two numbers, \(low, high\), got \(\)"),
        ({"within": 3}, "within must be two numbers"),
        ({"within": "14"}, "within must be two numbers"),
        ({"within": (1, np.inf)}, "the upper end of within, a value of aspect_ratio, must be finite, got inf"),
        ({"within": (np.nan, 1)}, "the lower end of within, a value of aspect_ratio, must be finite, got nan"),
        ({"within": (0, 1)}, r"aspect_ratio must be above 0, got 0\.0"),
        ({"within": (["1", "2"], 3)}, "ends of within must be single numbers"),
        ({"over": "kappa"}, "no number of a LinearGaussian or of its models is called 'kappa'"),
        ({"over": "n_samples"}, "'n_samples'"),
        ({"over": "keep"}, "over='keep' varies the budget; leave keep out"),
        ({"over": "n_keep", "keep": None}, "n_keep needs a problem with n_features"),
        (
            {"problem": correlated(), "over": "n_keep", "keep": None, "within": (1, 21)},
            "n_keep is at most n_features = 20",
        ),
        ({"over": "keep", "keep": None, "between": ("dense", "dense")}, "keep makes no difference to dense"),
        ({"over": "keep", "keep": None, "within": (0, 1)}, r"must be in \(0, 1\], got 0"),
        ({"between": ("hessian", "smal")}, "no model is called 'smal'; did you mean small"),
        ({"between": "hessian"}, "between must be two models"),
        ({"between": ("hessian",)}, "between must be two models"),
        ({"keep": None}, "hessian needs a budget"),
        ({"keep": [0.1, 0.2]}, r"a crossover is of one budget, got budgets of shape \(2,\)"),
        ({"problem": two_level(ridge=[0, 1])}, r"a crossover is of one problem, got a batch of shape \(2,\)"),
        ({"fix": "nothing"}, "fix must be 'law' or 'features', got 'nothing'"),
        ({"fix": "features", "within": (1, 4)}, "aspect_ratio must be above 0 and at most 10/3"),
        ({"digits": 0}, "digits must be at least 1, got 0"),
        ({"problem": two_level(basis="generic"), "between": ("optimal", "small")}, "optimal"),
        ({"over": "ridge", "within": (-100, 1)}, "ridge must be above -"),
        ({"problem": correlated(), "over": "noise_variance", "digits": 9}, "leave digits out"),
        ({"problem": correlated(), "over": "keep", "keep": None, "within": (0.11, 0.14)}, "keep is a multiple of 1/20"),
    ],
    ids=lambda value: " ".join(f"{name}" for name in value) if isinstance(value, dict) else "",
)
def test_what_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        rc.crossover(**ASKED | changes)


def test_types_that_are_refused():
    for changes in ({"over": 3}, {"problem": 3}, {"digits": 2.5}, {"between": ("hessian", 3)}):
        with pytest.raises(TypeError):
            rc.crossover(**ASKED | changes)


# --- the command line


def test_commands(monkeypatch, capsys, tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text(
        "aspect_ratio = '10/3'\neigenvalues = [25, 1]\nsignal = 1\nweights = [0.1, 0.9]\nnoise_variance = 1\n"
    )
    run = partial(command_line, monkeypatch, capsys)
    problem = two_level(noise_variance=1)
    models = ["--between", "dense", "--between", "small", "--keep", "1/10", "--within", "1,3"]
    for asked, value in (
        (
            ["crossover", *models, "--digits", "20"],
            rc.crossover(problem, ("dense", "small"), within=(1, 3), keep="1/10", digits=20),
        ),
        (["optimum", "--model", "hessian", "--over", "keep"], rc.optimum(problem, "keep", "hessian")),
        (
            ["peak", "--within", ".5,2", "--keep", ".5", "--ridge", ".01"],
            rc.peak(two_level(noise_variance=1, ridge="1/100"), within=(0.5, 2), keep=0.5),
        ),
    ):
        code, out, err = run(asked[0], str(path), *asked[1:], "--json")
        assert (code, err) == (0, "")
        assert json.loads(out) == value.to_dict()
    for wrong, message in (
        (["crossover", *models, "--over", "keep"], "got --keep 1/10, but --over keep varies it; leave it out"),
        (["crossover", "--keep", ".1"], "within, the interval (low, high) of aspect_ratio, is needed"),
        (["optimum", "--over", "noise"], "is called 'noise'"),
        (["peak", "--within", "2,1", "--keep", ".1"], "the lower end of within must be below the upper"),
    ):
        code, out, err = run(wrong[0], str(path), *wrong[1:])
        assert (code, out) == (2, "")
        assert message in err
        assert len(err.splitlines()) == 1
