"""What questions are asked of: models by name, and numbers that are varied."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from helpers import two_level

import riskcalc as rc
from riskcalc.questions.axes import axes_of, check_axis, grid, varied
from riskcalc.questions.models import model_of, named

COUNTED = rc.LinearGaussian(n_samples=30, n_features=100, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
NEURONS = rc.RandomFeatures("relu", n_inputs=20, n_features=30, n_samples=40)
FACTOR = rc.RankOne([3, -2, 1.5], [0.5, 0.5, -1], 12)


def test_a_name_means_the_model_of_a_comparison():
    found = rc.compare(two_level(), "1/10").predictions
    for name, prediction in found.items():
        assert model_of(name, keep="1/10") == prediction.procedure
    assert named()["dense"] == rc.Procedure()
    assert all(name == one.key for name, one in named().items())


def test_what_else_a_model_may_be():
    kept = rc.Hessian(n_keep=3)
    assert model_of(rc.Hessian, n_keep=3) == model_of(rc.Hessian(0.5), n_keep=3) == model_of(kept) == rc.Procedure(kept)
    whole = rc.Procedure(rc.Group(4, keep=0.5), rc.Retrain("1/10"))
    assert model_of(whole) == whole
    assert model_of(whole, keep=0.25) == rc.Procedure(rc.Group(4, keep=0.25), rc.Retrain("1/10"))
    assert model_of("dense") == model_of("dense", keep=0.1) == rc.Procedure()
    assert model_of("small", keep=None, n_keep=2) == rc.Procedure.small(n_keep=2)


@pytest.mark.parametrize(
    ("model", "budget", "error", "message"),
    [
        ("hesian", {"keep": 0.1}, ValueError, "no model is called 'hesian'; did you mean hessian"),
        ("hessian", {}, ValueError, "hessian needs a budget: give keep or n_keep"),
        ("hessian", {"keep": 0.1, "n_keep": 3}, ValueError, "exactly one of keep and n_keep"),
        ("hessian", {"keep": 2}, ValueError, r"keep must be in \(0, 1\]"),
        (rc.Group, {"keep": 0.1}, TypeError, "Group needs its size"),
        (rc.Iterative("hessian", [0.5, 0.2]), {"keep": 0.1}, ValueError, "has the budgets of its rounds"),
        (3, {}, TypeError, "prune must be a policy"),
        (int, {"keep": 0.1}, TypeError, "policies must be policies"),
    ],
)
def test_what_is_no_model(model: Any, budget: dict[str, Any], error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        model_of(model, **budget)


def test_axes():
    """The numbers that a problem is given by, and the budget."""
    sizes = {"n_samples": "problem", "n_features": "problem"}
    always = {"noise_variance": "problem", "ridge": "problem", "keep": "budget", "n_keep": "budget"}
    assert axes_of(two_level()) == {"aspect_ratio": "problem"} | always
    assert axes_of(COUNTED) == sizes | always
    assert axes_of(NEURONS) == sizes | {"n_inputs": "problem"} | always
    assert "n_features" not in axes_of(FACTOR)
    assert "n_features" in axes_of(rc.Correlated([[1, 0], [0, 1]], [1, 1], 9), "features")
    with pytest.raises(
        ValueError, match=r"no number of a LinearGaussian .* is called 'aspect'; did you mean aspect_ratio"
    ):
        check_axis(two_level(), "aspect")
    with pytest.raises(ValueError, match="fix must be 'law' or 'features', got 'nothing'"):
        axes_of(two_level(), "nothing")
    with pytest.raises(ValueError, match="batch"):
        axes_of(two_level(noise_variance=[0, 1]))


def test_grids():
    assert grid("keep", ["1/10", 0.5]).tolist() == [Fraction(1, 10), Fraction(1, 2)]
    assert grid("n_features", np.array([3, 5])).dtype.kind == "i"
    for name, values, error, message in (
        (
            "keep",
            [0.1, 0.1],
            ValueError,
            "keep must increase from value to value, got 0.1 after 0.1",
        ),
        ("ridge", [1, 0.5], ValueError, "ridge must increase from value to value, got 0.5 after 1"),
        ("ridge", [], ValueError, "ridge is empty"),
        ("ridge", 3, ValueError, "ridge must be a list of numbers, got 3"),
        ("ridge", [[1, 2]], ValueError, "ridge must be a list of numbers"),
        ("ridge", [1, np.nan], ValueError, "ridge must be finite"),
        ("keep", [0.5, 1.5], ValueError, r"keep must be in \(0, 1\], got 1.5"),
        ("n_keep", [1, 2.5], TypeError, "n_keep must be an integer"),
        ("n_samples", [0, 3], ValueError, "n_samples must be at least 1"),
    ):
        with pytest.raises(error, match=message):
            grid(name, values)


def test_a_varied_problem_is_written_so():
    given = {"aspect_ratio": ["1/2", 3], "noise_variance": [[0], ["1/3"]]}
    assert varied(two_level(), given) == two_level(**given)
    assert varied(two_level(), {}) == two_level()
    fewer = rc.LinearGaussian(n_samples=9, n_features=50, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    assert varied(COUNTED, {"n_features": 50, "n_samples": 9}) == fewer
    seen = varied(COUNTED, {"n_features": 50, "n_samples": 9}, "features")
    assert (seen.n_samples, seen.n_features, seen.noise_variance) == (9, 50, Fraction(1, 2))
