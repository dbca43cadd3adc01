"""Every pruning rule at one budget, side by side."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import command_line, two_level
from scipy.optimize import brentq
from scipy.special import ndtr

import riskcalc as rc
from riskcalc.pictures.declared import Line, Points, Text
from riskcalc.pictures.style import STAGES
from riskcalc.policies import POLICIES, Policy, Ranking, register
from riskcalc.policies.base import required
from riskcalc.policies.taxonomy import OWN, TAXA
from riskcalc.prediction.policies import Thresholded, mask
from riskcalc.theory.symbols import Lambda

NOISY = two_level(noise_variance="1/2", ridge="1/5")
KINDS: dict[str, tuple[Any, Any]] = {
    "two levels": (NOISY, "1/10"),
    "generic": (rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=[1, 2], basis="generic"), "1/4"),
    "unequal rows": (rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=1, row_variances=[1, 3]), "1/4"),
    "neurons": (rc.RandomFeatures("relu", n_inputs=50, n_features=100, n_samples=80, noise_variance=0.1), "1/5"),
    "correlated": (rc.Correlated([[2, 1, 0], [1, 2, 1], [0, 1, 2]], coefficients=[1, 2, 3], n_samples=9), "2/3"),
    "one factor": (rc.RankOne([3, -2, 1.5, 1], [0.5, 0.5, -1, 1], 12, noise_variance=1.5), "1/2"),
}


@cache
def surveyed(kind: str) -> rc.Survey:
    return rc.survey(*KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_says_is_predicted(kind: str):
    """Of what is covered, by itself; and the rest is refused by itself."""
    survey, problem = surveyed(kind), KINDS[kind][0]
    assert survey.keep == rc.Oracle(keep=KINDS[kind][1]).keep
    for key, one in survey.predictions.items():
        assert one.procedure.key == key
        assert one.prune is None or one.budget == survey.keep
        if one.integration_error and key not in ("magnitude", "iterative_hessian+fresh"):  # those take their time
            continue
        again = rc.predict(problem, one.procedure)
        np.testing.assert_allclose(again.risk, one.risk, rtol=1e-12)
        assert again.status == one.status
    assert not survey.predictions.keys() & set(survey.left_out)
    for rule in (rc.Hessian, rc.Random, rc.Sampled):
        if rule.name in survey.left_out:
            with pytest.raises(ValueError, match=r".{20}"):
                rc.predict(problem, rule(keep=survey.keep))


def test_every_rule_appears():
    """Those registered, but for ones of which nothing is usual: the user names features, or a score."""
    rules = [rule for rules in surveyed("two levels").rules.values() for rule in rules]
    assert {type(rule) for rule in rules} >= {*POLICIES.values()} - {rc.Subset, rc.Score}
    assert not surveyed("two levels").left_out
    assert [*surveyed("two levels").rules] == [kind for kind in TAXA if kind != OWN]
    shown = surveyed("two levels")._repr_html_().replace("&#x27;", "'").replace("&#160;", "")
    for rule in rules:
        assert f">{rule.label}" in shown
        assert f">{rule.kind.replace('_', ' ')}<" in shown
    retrained = {key for key in surveyed("two levels").predictions if key.endswith("+fresh")}
    assert retrained == {f"{rule.kind}+fresh" for rule in rules if rule.sees_fit and not rule.is_bound}


def test_rules_say_what_they_are():
    """What stands for them keeps the budget, exactly; those that see truth say so."""
    for kind in POLICIES.values():
        for count in (None, 30, 37):
            keep = Fraction("1/10" if count is None else f"3/{count}")
            usual = kind.usual(keep, count)
            assert usual or required(kind)
            assert all(one.budget(None) == keep for one in usual)
            assert all(one.taxon in TAXA for one in usual if type(one).__module__.startswith("riskcalc."))
            assert len({one.kind for one in usual}) == len(usual)
    truths = {"true coefficients", "their law"}
    ours = [kind for kind in POLICIES.values() if kind.__module__.startswith("riskcalc.") and not required(kind)]
    assert all(kind.sees_truth == bool(truths & {*kind(keep=1).needs}) for kind in ours)
    assert rc.Random(0.5).needs == ()
    assert rc.Score("own_score", "abs(X)*Lambda + nu", keep=0.5).needs == ("the fit", "variances", "effective ridge")
    assert rc.Group(4, "hessian", keep=0.5).needs == ("the fit", "variances", "groups")


def test_fits():
    """Of which fractions of the features a model's fits are; none comes before a choice that looks at none."""

    def fits(*steps: Any) -> list[float]:
        return [float(size) for size in rc.Procedure(*steps).fits(None)]

    again = rc.Retrain()
    assert fits() == fits(rc.Magnitude(0.25)) == fits(rc.Random(0.25)) == [1]
    assert fits(rc.Magnitude(0.25), again) == [1, 0.25]
    assert fits(rc.Random(0.25), again) == fits(rc.Oracle(0.25), again) == [0.25]
    assert fits(rc.Iterative("hessian", [0.5, 0.25])) == [1, 0.5]
    assert fits(rc.Iterative("hessian", [0.5, 0.25]), again) == [1, 0.5, 0.25]
    assert [float(size) for size in rc.Procedure.small(0.25).fits(None)] == [0.25]


@pytest.mark.parametrize("kind", KINDS)
def test_the_best_is_had_from_data_alone(kind: str):
    survey = surveyed(kind)
    chosen = {key: one.procedure for key, one in survey.predictions.items()}
    feasible = sorted(survey.risks[key] for key, one in chosen.items() if one.feasible and not one.note)
    assert survey.risks[str(survey.best)] == feasible[0]
    assert not str(survey.best).startswith(("oracle", "optimal", "group", "dense"))
    assert survey.margin in (0, pytest.approx(feasible[1] - feasible[0], rel=1e-9))


# --- guarantees


def test_guarantees_invert_sampling_budgets():
    """The relative error at a budget is that of which this is the budget."""
    for name in ("two levels", "unequal rows"):
        survey = surveyed(name)
        assert survey.relative_errors.keys() >= {"sampled", "replaced"}
        budgets = {key: rc.sampling_budget(survey.problem, error) for key, error in survey.relative_errors.items()}
        assert budgets["sampled"].sure_top == pytest.approx(float(survey.keep), rel=1e-6)
        assert budgets["replaced"].replacement == pytest.approx(float(survey.keep), rel=1e-6)


def test_guarantees_hold_on_samples():
    """At new points, a prediction leaves its bounds with probability 0.05: known given a sample and what was drawn."""
    n, p, keep, trials = 200, 400, 0.3, 40
    problem = rc.LinearGaussian(aspect_ratio=p / n, eigenvalues=[4, 1], signal=[1, 2], noise_variance=0.5, ridge=0.3)
    errors = rc.survey(problem, keep).relative_errors
    rng, variances = np.random.default_rng(16), np.repeat([4.0, 1.0], p // 2)
    beta, kept, outside = np.repeat([1.0, 2.0], p // 2) / p**0.5, round(keep * p), []
    for _ in range(trials):
        X = rng.normal(size=(n, p)) * variances**0.5
        y = X @ beta + rng.normal(size=n) * 0.5**0.5
        fit = X.T @ np.linalg.solve(X @ X.T + n * 0.3 * np.eye(n), y)
        score = variances**0.5 * abs(fit)
        chance = np.minimum(1, score / brentq(lambda t, s=score: np.minimum(1, s / t).sum() - kept, 1e-9, 1e3))
        share = score / score.sum()
        drawn = {
            "sampled": np.where(rng.random(p) < chance, fit / chance, 0),
            "replaced": fit * rng.multinomial(kept, share) / (kept * share),
        }
        spread = {key: (variances @ (sampled - fit) ** 2) ** 0.5 for key, sampled in drawn.items()}
        outside.append([2 * ndtr(-errors[key] * (variances @ fit**2) ** 0.5 / spread[key]) for key in drawn])
    error = 4 * np.std(outside, axis=0) / trials**0.5
    assert (abs(np.mean(outside, axis=0) - 0.05) < error).all()
    assert (error < 2 * ndtr(-0.9 * 1.96) - 0.05).all()  # bounds a tenth tighter would be found out


def test_bounds_bound():
    """No rule that keeps or drops, blind to the truth, has a lower risk; rescaling is free to do better."""
    for name in ("two levels", "unequal rows"):
        risks = surveyed(name).risks
        blind = [rule for rules in surveyed(name).rules.values() for rule in rules if not rule.sees_truth]
        rounds = {rule.kind for rule in blind if len(rule.rounds) > 1} | {"sampled", "replaced", "group_magnitude"}
        told = [risks[rule.kind] for rule in blind if rule.kind not in rounds | {"group_hessian"}]
        assert risks["optimal_rescaled"] <= risks["optimal"] <= min(told)


# --- one's own


class Steep(Ranking):
    """Keep the features with the largest Lambda |X|."""

    name = "steep"
    label = "pruned by steep score"
    knows = ("variances",)


class Pairs(Policy):
    """A rule with an option, and a kind of its own."""

    name = "pairs"
    label = "pruned in pairs"
    taxon = "in pairs"

    def __init__(self, weight: float, keep: Any = None, n_keep: int | None = None):
        super().__init__(keep, n_keep)
        self.weight = weight

    @property
    def _arguments(self) -> dict[str, Any]:
        return {"weight": self.weight}

    @classmethod
    def usual(cls, keep: Any, n_features: int | None) -> tuple[Policy, ...]:
        return (cls(2.0, keep=keep),)


@pytest.fixture
def own():
    for kind in (Steep, Pairs):
        register(kind)
        mask.register(kind, lambda policy: Thresholded(Lambda))
    yield
    for kind in (Steep, Pairs):
        del POLICIES[kind.name]


@pytest.mark.usefixtures("own")
def test_a_rule_of_ones_own_appears():
    problem, budget = KINDS["unequal rows"]
    survey = rc.survey(problem, budget)
    assert [*survey.rules][-2:] == [TAXA[-1], "in pairs"]
    assert survey.rules[OWN] == (Steep(keep=budget),)
    assert survey.risks["steep+retrain"] == rc.predict(problem, Steep(budget), True).risk
    assert "the fit, variances" in str(survey)
    assert "  pruned in pairs" in str(survey)


# --- as it is printed and written


@pytest.mark.parametrize("kind", ["two levels", "correlated", "one factor"])
def test_it_is_written_and_read(kind: str):
    survey = surveyed(kind)
    again = rc.Survey.from_dict(json.loads(json.dumps(survey.to_dict(), allow_nan=False)))
    assert again == survey
    assert str(again) == str(survey)
    assert again.rules == survey.rules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left_out": "sampled"}, "left_out must be a list of models, got 'sampled'"),
        ({"best": "oracle"}, "best is 'oracle', but the rest says"),
        ({"keep": 0.25}, "keep is 0.25, but the model"),
        ({"relative_errors": {"sampled": 0.1}}, "but the rest says"),
        ({"models": {}}, "this is no Survey that riskcalc wrote"),
        ({"kind": "Comparison"}, "no Survey is called 'Comparison'"),
    ],
)
def test_a_survey_that_was_changed_is_refused(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        rc.Survey.from_dict(surveyed("one factor").to_dict() | change)


def test_arrays():
    survey = surveyed("one factor")
    frame, dataset = survey.to_pandas(), survey.to_xarray()
    assert [*frame.model] == [*dataset.model.values] == [*survey.predictions]
    np.testing.assert_array_equal(frame.risk, [*survey.risks.values()])
    assert dataset.best.item() == survey.best


def test_the_picture(tmp_path: Path):
    """A dot for every model that prunes, in the row of its rule; what is off the scale is told."""
    survey = surveyed("two levels")
    (panel,) = survey._panels()
    dots = {one.key: one for one in panel.marks if isinstance(one, Points)}
    places = {name: place for place, name in panel.y.rows if name}
    assert [*places] == [rule.kind.replace("_", " ") for rules in survey.rules.values() for rule in rules]
    for stage, again in zip(STAGES, ("", "+retrain", "+fresh"), strict=True):
        of = {place: name.replace(" ", "_") + again for name, place in places.items()}
        risks = [float(survey.risks[of[place]]) for place in dots[stage].y]
        np.testing.assert_allclose(dots[stage].x, risks, rtol=1e-12)
    assert sum(len(one.x) for one in dots.values()) + 4 == len(survey.predictions)
    survey.plot(path=tmp_path / "survey.svg")
    assert (tmp_path / "survey.svg").read_text().startswith("<?xml")
    (peak,) = rc.survey(KINDS["one factor"][0], 1)._panels()
    assert not [one for one in peak.marks if isinstance(one, Text) and one.x == np.inf]
    (infinite,) = rc.survey(two_level(aspect_ratio=10, row_variances=[1, 2]), "1/10")._panels()
    told = {one.y: one.text for one in infinite.marks if isinstance(one, Text) and one.x == np.inf}
    rows = {name: told.get(place) for place, name in infinite.y.rows}
    assert (rows["hessian"], rows["oracle"], rows["optimal"]) == ("▪◇ ∞", "▪ ∞", None)
    assert "small ∞" in {one.label for one in infinite.marks if isinstance(one, Line)}


def test_what_is_left_out_is_told():
    """A rule once, not every model of it."""
    survey = surveyed("one factor")
    told = " ".join(str(survey).splitlines()[-4:])
    assert "Left out (not covered by the theory of a RankOne): " in told
    assert "sampled," in told
    assert "sampled+retrain" not in told
    assert "surgeon+retrain" in survey.left_out


def test_errors_of_integration_are_told():
    assert "Standard errors of integration are 0.00" in str(surveyed("two levels"))


def test_digits():
    problem, budget = KINDS["one factor"]
    survey = rc.survey(problem, budget, digits=30)
    for key, risk in survey.risks.items():
        assert float(risk) == pytest.approx(float(surveyed("one factor").risks[key]), rel=1e-9)
    assert len(str(survey.risks["magnitude"]).replace(".", "").lstrip("0")) == 30
    assert rc.Survey.from_dict(json.loads(json.dumps(survey.to_dict()))) == survey


def test_infinite_risks_have_no_guarantee():
    survey = rc.survey(two_level(aspect_ratio=1, noise_variance=1, row_variances=[1, 2]), "1/10")
    assert survey.relative_errors == {}
    assert "with probability" not in str(survey)
    assert survey.best == "small_by_variance"


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: Any):
    problem, budget = KINDS["one factor"]
    flags = ("survey", "--loadings", "3,-2,3/2,1", "--coefficients", "1/2,1/2,-1,1", "--n-samples", "12")
    given = (*flags, "--noise-variance", "3/2", "--keep", budget, "--retrain-ridge", "1/5")
    code, out, err = command_line(monkeypatch, capsys, *given, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == rc.survey(problem, budget, retrain_ridge="1/5").to_dict()
    code, out, err = command_line(monkeypatch, capsys, *flags, "--keep", "1/4,1/2")
    assert (code, out) == (2, "")
    assert "a survey is of one problem at one budget" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, ValueError, "exactly one of keep and n_keep"),
        ({"keep": [0.1, 0.2]}, ValueError, r"one problem at one budget, got .* keep of shape \(2,\)"),
        ({"problem": two_level(aspect_ratio=[1, 2]), "keep": 0.1}, ValueError, r"got a problem of shape \(2,\)"),
        ({"keep": 0}, ValueError, r"keep must be in \(0, 1\]"),
        ({"keep": "nan"}, ValueError, "keep must be a finite number"),
        ({"n_keep": 3}, ValueError, "n_keep needs a problem given by n_samples and n_features"),
        ({"problem": 3, "keep": 0.1}, TypeError, "problem must be"),
        ({"keep": 0.1, "tolerance": 2}, ValueError, "tolerance must be"),
        ({"keep": 0.1, "retrain_ridge": [0, 1]}, ValueError, "ridge must be one number"),
    ],
)
def test_bad_input(given: dict[str, Any], error: type[Exception], message: str):
    asked: Any = {"problem": NOISY} | given
    with pytest.raises(error, match=message):
        rc.survey(**asked)


@pytest.mark.parametrize("kind", ["two levels", "correlated"])
def test_error_bars_are_two_standard_errors_within_the_picture(kind: str):
    survey = surveyed(kind)
    (panel,) = survey._panels()
    errors = {2 * float(one.integration_error or 0) for one in survey.predictions.values()}
    several = [mark for mark in panel.marks if isinstance(mark, Points) and mark.x_error is not None]
    assert ("bars: two standard errors" in panel.title) == bool(several)
    for mark in several:
        assert {*np.asarray(mark.x_error).tolist()} <= errors
        assert panel.x.limits is not None
        assert np.nanmax(mark.x + mark.x_error) < panel.x.limits[1]


def test_rules_have_one_name_in_all_tables():
    assert "optimal rescaled" in str(surveyed("two levels"))
    assert "optimal_rescaled  no rule" not in str(surveyed("two levels"))
