"""Scores of one's own: against built-in rankings, direct quadrature, many digits and simulation; what is refused."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from helpers import HERE, OWN_SCORE, ROUNDING, Regime, command_line, regimes, two_level
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import riskcalc as rc
from riskcalc.policies import POLICIES
from riskcalc.prediction.policies import Scored, Thresholded, mask
from riskcalc.simulation.backends import backend
from riskcalc.simulation.samplers import sampler
from riskcalc.simulation.workers import process_pool
from riskcalc.theory.symbols import D, Lambda, X, nu

BETWEEN = "abs(X)*Lambda**(1/4)"
# Not |X| times a weight: of both signs of X, of one, rising and falling, flat, jumping, with the effective ridge.
GENERAL = {
    "mixed": OWN_SCORE,
    "clipped": "max(abs(X) - 1, 0)",
    "humped": "abs(X)*exp(-abs(X))",
    "one_sided": "exp(X)",
    "hollow": "abs(abs(X) - 1)",
    "signed": "1 + sign(X)",
    "ridged": "abs(X)*sqrt(Lambda + D*nu) + nu*X**2",
}
THREE = rc.LinearGaussian(
    aspect_ratio=2,
    eigenvalues=[4, 1, "1/4"],
    signal=[1, "-3/2", "1/2"],
    weights=["1/4", "1/4", "1/2"],
    noise_variance="1/2",
    ridge="1/10",
    penalty=[1, 2, 1],
)


def own(score: Any, keep: Any = "1/10", **more: Any) -> rc.Score:
    return rc.Score("mine", score, keep, **more)


# --- the example


@pytest.mark.parametrize("retrain", [False, True])
def test_a_score_between_two_lies_between_them(retrain: bool):
    kinds = (rc.Hessian, lambda keep: own(BETWEEN, keep), rc.Magnitude)
    risks = [rc.predict(two_level(), kind("1/10"), retrain).risk for kind in kinds]
    assert risks == sorted(risks)
    assert risks[0] + 0.1 < risks[1] < risks[2] - 0.1


def test_it_has_as_many_digits_as_are_asked_for():
    for retrain in (False, True):
        fast = rc.predict(two_level(), own(BETWEEN), retrain)
        many, more = (rc.predict(two_level(), own(BETWEEN), retrain, digits=digits).risk for digits in (30, 60))
        assert abs(many - more) < 1e-29 * more
        assert fast.risk == pytest.approx(float(more), rel=1e-13)


def test_it_agrees_with_its_simulation():
    """By a function of its own, which the simulator alone knows."""
    policy = own(BETWEEN, function=lambda X, Lambda, D, nu: np.abs(X) * np.sqrt(np.sqrt(Lambda)))
    models = [rc.Procedure(policy), rc.Procedure(policy, rc.Retrain())]
    found = rc.verify(two_level(), models, n_samples=90, tolerance=0.08, seconds=120, **HERE)
    assert found.verdict == "agree", str(found)
    assert found.note == ""


# --- the theory: one score, several ways


def test_a_weight_is_recognised():
    for score in (BETWEEN, "sqrt(X**2*Lambda)", "abs(X*Lambda)/(1+Lambda)", "abs(3*X)*sqrt(Lambda + D*nu)", "abs(X)"):
        assert isinstance(mask(own(score)), Thresholded), score
    for score in (*GENERAL.values(), "X**2*Lambda", "abs(X)*nu", "abs(X)*max(Lambda - 1, 0)"):
        assert isinstance(mask(own(score)), Scored), score


SAME = {
    "X**2*Lambda": rc.Hessian,
    "abs(X)/(1 + abs(X))": rc.Magnitude,
    "X**2*(Lambda + D*nu)/(1 + abs(X)*sqrt(Lambda + D*nu))": rc.BrainSurgeon,
}


@pytest.mark.parametrize("score", SAME)
@given(regime=regimes(), refit=st.sampled_from([None, rc.Retrain(), rc.Retrain("1/2"), rc.Retrain(sample="fresh")]))
def test_scores_that_rank_alike_are_the_ranking(score: str, regime: Regime, refit: rc.Retrain | None):
    """X**2 Lambda as Hessian, |X|/(1 + |X|) as magnitude: by scans as by closed forms."""
    problem = regime.problem()
    policies = (own(score, regime.keep), SAME[score](regime.keep))
    found, wanted = (rc.predict(problem, policy, refit) for policy in policies)
    # A fit whose error is next to nothing may have none by a scan, which sees no tail of far less than rounding.
    tiny = {found.status, wanted.status} == {"ok", "exact_recovery"}
    assert found.status == wanted.status or tiny
    for name in ("risk", "excess_risk", "training_error", "misfit"):
        scale = regime.total_signal() if tiny else wanted.risk if name in ("training_error", "misfit") else 0
        expected = pytest.approx(getattr(wanted, name), rel=ROUNDING, abs=ROUNDING * scale, nan_ok=True)
        assert getattr(found, name) == expected, name
    if found.status == "ok":
        assert 0 <= found.integration_error < 1e-9 * found.risk


@pytest.mark.parametrize("keep", [1e-12, 1e-3, "1/2", 1 - 1e-9, 1])
@pytest.mark.parametrize("noise", [0, 1e-8, 1])
@pytest.mark.parametrize("ratio", ["1/2", 2])
def test_extreme_budgets_and_fits(keep: Any, noise: float, ratio: Any):
    """Also of exact fits, which are ranked as they are, and of features without variance."""
    problem = rc.LinearGaussian(
        aspect_ratio=ratio, eigenvalues=[4, 1, "1/2", 0], signal=[1, -2, 1, 1], noise_variance=noise
    )
    found, wanted = (rc.predict(problem, policy) for policy in (own("X**2*Lambda", keep), rc.Hessian(keep)))
    if wanted.status == "not_converged":  # magnitude's equation resolves no tail of a far atom; a scan may
        assert found.status == "ok"
        return
    assert found.status == wanted.status
    assert found.risk == pytest.approx(wanted.risk, rel=1e-12, abs=1e-300)
    assert found.misfit == pytest.approx(wanted.misfit, rel=1e-9, abs=1e-20)


POINTS = 400_000
# A midpoint rule of so many points, cut where the score crosses its threshold, is off by about one of them.
QUADRATURE = 1e-4


def by_quadrature(problem: rc.LinearGaussian, score: Any, alpha: float) -> float:
    """The risk of keeping the top of a score, by a sum over H: sigma2 + E[Lambda (B - S X)^2]."""
    law, dense = problem.law, rc.predict(problem)
    lam, b, w = (np.asarray(x, dtype=float)[:, None] for x in (law.eigenvalues, law.signal, law.weights))
    penalty = np.ones_like(lam) if problem.penalty is None else np.asarray(problem.penalty, dtype=float)[:, None]
    a = lam / (lam + penalty * dense.effective_ridge)
    tau = np.sqrt(float(problem.aspect_ratio) * dense.risk * lam) / (lam + penalty * dense.effective_ridge)
    x = a * b + tau * norm.ppf((np.arange(POINTS) + 0.5) / POINTS)
    scores = score(x, lam, penalty, dense.effective_ridge)
    mass = w / POINTS + 0 * x
    order = np.argsort(-scores, axis=None)
    t = scores.ravel()[order][np.searchsorted(np.cumsum(mass.ravel()[order]), alpha)]
    above, at = scores > t, scores == t  # what ties shares what is left
    kept = above + at * (alpha - mass[above].sum()) / mass[at].sum()
    return float(problem.noise_variance) + float((mass * lam * (b**2 + kept * (x**2 - 2 * b * x))).sum())


NUMPY = {
    "mixed": lambda X, Lambda, D, nu: np.abs(X) * Lambda**0.25 + X**2 / 10,
    "clipped": lambda X, Lambda, D, nu: np.maximum(np.abs(X) - 1, 0),
    "humped": lambda X, Lambda, D, nu: np.abs(X) * np.exp(-np.abs(X)),
    "one_sided": lambda X, Lambda, D, nu: np.exp(X),
    "hollow": lambda X, Lambda, D, nu: np.abs(np.abs(X) - 1),
    "signed": lambda X, Lambda, D, nu: 1 + np.sign(X),
    "ridged": lambda X, Lambda, D, nu: np.abs(X) * np.sqrt(Lambda + D * nu) + nu * X**2,
}
# Spikes that are far narrower than any step of the scan, kinks, and plateaus of several heights.
HARD = {
    "abs(X) + 1000*exp(-((X - 1)*1000)**2)": lambda X, Lambda, *_: abs(X) + 1000 * np.exp(-(((X - 1) * 1000) ** 2)),
    "abs(X) + 1/(1/1000 + (10*X - 7)**2)": lambda X, *_: abs(X) + 1 / (0.001 + (10 * X - 7) ** 2),
    "max(2 - X, X**2, abs(X*Lambda - 3))": lambda X, Lambda, *_: np.maximum(
        np.maximum(2 - X, X**2), abs(X * Lambda - 3)
    ),
    "(2 + sign(X - 1) - sign(X + 1/2))*Lambda": lambda X, Lambda, *_: (2 + np.sign(X - 1) - np.sign(X + 0.5)) * Lambda,
    "min(abs(X), 1/2) + 10*max(abs(X) - 2, 0)**3": lambda X, *_: (
        np.minimum(abs(X), 0.5) + 10 * np.maximum(abs(X) - 2, 0) ** 3
    ),
}
INTEGRANDS = {GENERAL[name]: function for name, function in NUMPY.items()} | HARD


@pytest.mark.parametrize("keep", [0.1, 0.6, 0.95])
@pytest.mark.parametrize("score", INTEGRANDS)
def test_scans_agree_with_direct_quadrature(score: str, keep: float):
    found = rc.predict(THREE, own(score, keep))
    assert found.status == "ok"
    assert found.integration_error < 1e-12 * found.risk
    assert found.risk == pytest.approx(by_quadrature(THREE, INTEGRANDS[score], keep), rel=QUADRATURE)
    assert found.kept @ THREE.law.weights.astype(float) == pytest.approx(keep, rel=1e-12)


@pytest.mark.parametrize("keep", ["1/10", "9/10"])
@pytest.mark.parametrize("name", GENERAL)
def test_scans_have_as_many_digits_as_are_asked_for(name: str, keep: str):
    many, more = (rc.predict(THREE, own(GENERAL[name], keep), True, digits=digits) for digits in (25, 50))
    fast = rc.predict(THREE, own(GENERAL[name], keep), True)
    assert many.status == more.status == "ok"
    for quantity in ("risk", "training_error", "misfit", "threshold"):
        exact = getattr(more, quantity)
        assert abs(getattr(many, quantity) - exact) <= 1e-24 * abs(exact), quantity
        assert getattr(fast, quantity) == pytest.approx(float(exact), rel=1e-11, abs=1e-14), quantity


def test_signs_of_coefficients_count():
    """Turned around, coefficients and score give the same risk; coefficients alone another."""
    mirrored = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[4, 1], signal=[1, "-3/2"], weights=["1/4", "3/4"], noise_variance=1
    )
    turned = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[4, 1], signal=[-1, "3/2"], weights=["1/4", "3/4"], noise_variance=1
    )
    for refit in (None, rc.Retrain(), rc.Retrain("1/3", "fresh")):
        one, other, same = (
            rc.predict(problem, own(score, "1/5"), refit).risk
            for problem, score in ((mirrored, "exp(X)"), (turned, "exp(X)"), (turned, "exp(-X)"))
        )
        assert one == pytest.approx(same, rel=1e-12)
        assert abs(one - other) > 0.01
    exact = rc.LinearGaussian(aspect_ratio="1/2", eigenvalues=1, signal=[1, -1], noise_variance=0)
    assert rc.predict(exact, own("exp(X)", "1/2")).kept.tolist() == [1, 0]


def test_scores_that_tie_share_what_is_left():
    """Above one everything is kept; of what is below, all alike, the same part."""
    found = rc.predict(two_level(), own("max(abs(X) - 1, 0)", "9/10"))
    above = rc.predict(two_level(), own("max(abs(X) - 1, 0)", "9/10")).threshold
    assert above == 0
    dense = rc.predict(two_level())
    lam, share = np.array([25.0, 1.0]), []
    a, tau = lam / (lam + dense.effective_ridge), np.sqrt(10 / 3 * dense.risk * lam) / (lam + dense.effective_ridge)
    inside = norm.cdf((1 - a) / tau) - norm.cdf((-1 - a) / tau)
    share = (0.1 / np.average(inside, weights=[0.1, 0.9])) * inside
    assert found.kept == pytest.approx(1 - share, rel=1e-12)


def test_scores_that_tie_by_rounding_only_are_not_resolved():
    """The hyperbolic tangent is one to double precision from 19 on, and to 50 digits from 60."""
    large = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=[1000, 2000], noise_variance=1)
    for digits in (None, 20):
        assert rc.predict(large, own("tanh(abs(X))", "1/2"), digits=digits).status == "not_converged"
    assert rc.predict(large, own("abs(X)/(1 + abs(X))", "1/2")).status == "ok"


def test_batches_are_their_elements():
    batch = rc.LinearGaussian(
        aspect_ratio=["1/2", 2, 3], eigenvalues=[4, 1], signal=[1, -2], weights=["1/4", "3/4"], noise_variance=1
    )
    for score in GENERAL.values():
        many = rc.predict(batch, own(score, ["1/5", "2/5", "3/5"]), True)
        for i, (ratio, keep) in enumerate(zip(["1/2", 2, 3], ["1/5", "2/5", "3/5"], strict=True)):
            alone = rc.LinearGaussian(
                aspect_ratio=ratio, eigenvalues=[4, 1], signal=[1, -2], weights=["1/4", "3/4"], noise_variance=1
            )
            one = rc.predict(alone, own(score, keep), True)
            assert many.risk[i] == pytest.approx(one.risk, rel=1e-12)
            assert many.status[i] == one.status == "ok"


def test_continuous_laws_are_scanned():
    law = rc.laws.MarchenkoPastur(0.5)
    problem = rc.LinearGaussian(aspect_ratio=2, law=law, noise_variance=0.5)
    found, wanted = (rc.predict(problem, one) for one in (own("X**2*Lambda", 0.3), rc.Hessian(0.3)))
    assert found.risk == pytest.approx(wanted.risk, rel=1e-12)
    assert found.quadrature_error < 1e-6
    with pytest.raises(ValueError, match="scanned for laws of at most 16,384 atoms, got 20,000"):
        rc.predict(rc.LinearGaussian(aspect_ratio=2, law=rc.laws.Empirical(np.ones(20_000), 1)), own("X**2", 0.3))


# --- rounds and groups


def test_rounds_by_a_score():
    found = rc.rounds(THREE, own(BETWEEN), ["3/5", "3/10"], "1/10")
    assert [one.risk for one in found.one_shot] == [
        rc.predict(THREE, own(BETWEEN, k), rc.Retrain("1/10")).risk for k in ("3/5", "3/10")
    ]
    same = rc.rounds(THREE, own("X**2*Lambda"), ["3/5", "3/10"], "1/10")
    wanted = rc.rounds(THREE, "hessian", ["3/5", "3/10"], "1/10")
    assert same.rounds[-1].risk == pytest.approx(wanted.rounds[-1].risk, rel=1e-9)
    once = rc.rounds(THREE, own("exp(X)"), ["3/10"], "1/10")
    assert once.rounds[-1].risk == pytest.approx(once.one_shot[-1].risk, rel=0.02)  # both signs are told apart
    dead = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[1, 0], signal=1, noise_variance=1, ridge=1)
    with pytest.raises(ValueError, match="rounds by mine, which is no weight times"):
        rc.predict(dead, rc.Iterative(own("X**2"), ["1/2", "1/4"], 1))
    with pytest.raises(ValueError, match="the effective ridge is that of the first fit"):
        rc.Iterative(own(GENERAL["ridged"]), ["1/2", "1/4"])


def test_groups_by_a_score():
    found = rc.predict(THREE, rc.Group(3, own("abs(X)*sqrt(Lambda)"), keep="1/5"), True)
    assert found.risk == rc.predict(THREE, rc.Group(3, "hessian", keep="1/5"), True).risk
    with pytest.raises(ValueError, match=r"groups are predicted for scores that are \|X\| times a positive weight"):
        rc.predict(THREE, rc.Group(3, own("X**2*Lambda"), keep="1/5"))


def test_they_are_made_again_from_plain_values():
    policies = [
        own(OWN_SCORE, "1/5"),
        own(OWN_SCORE, None, n_keep=4),
        rc.Group(2, own(BETWEEN), keep="1/5"),
        rc.Iterative(own(OWN_SCORE), ["1/2", "1/5"]),
    ]
    for one in policies:
        told = json.loads(json.dumps(one.options))
        budget = {} if isinstance(one, rc.Iterative) else {"keep": one.keep, "n_keep": one.n_keep}
        again = type(one)(**told, **budget)
        assert again == one
        assert hash(again) == hash(one) == hash(pickle.loads(pickle.dumps(one)))
        assert eval(repr(one), {"Score": rc.Score, "Group": rc.Group, "Iterative": rc.Iterative}) == one
    assert own(BETWEEN, "1/5") != own(OWN_SCORE, "1/5")
    assert own("abs(X)*Lambda**0.25") == own(BETWEEN) == own(BETWEEN, function=NUMPY["mixed"])
    assert own(BETWEEN, function=NUMPY["mixed"]).at(keep=0.5).function is NUMPY["mixed"]
    assert rc.Group(2, own(BETWEEN, function=NUMPY["mixed"]), keep=0.1).at(keep=0.5).ranking.function is NUMPY["mixed"]


@pytest.mark.parametrize(
    "score",
    [
        "abs(X)*Lambda**0.25",
        sympy.Abs(X) * Lambda ** sympy.Rational(1, 4),
        Lambda**0.25 * abs(X),
        lambda X, Lambda, D, nu: abs(X) * Lambda ** sympy.Rational(1, 4),
        lambda *symbols: sympy.sqrt(sympy.sqrt(symbols[1])) * abs(symbols[0]),
    ],
)
def test_text_symbols_and_functions_say_the_same(score: Any):
    assert rc.predict(two_level(), own(score)).risk == rc.predict(two_level(), own(BETWEEN)).risk


def test_symbols_of_the_theory_are_read():
    score = own(sympy.Max(sympy.Abs(X) * sympy.sqrt(Lambda + D * nu) - 1, 0) + X**2 / 10)
    assert rc.predict(THREE, score).status == "ok"


# --- the simulator


@pytest.mark.parametrize("name", GENERAL)
def test_scores_agree_with_their_simulation(name: str):
    """By functions in NumPy: test risk and training error, retrained or not, within five standard errors and the 3 %
    that this size leaves out."""
    policy = own(GENERAL[name], "3/10", function=NUMPY[name])
    for refit in (None, rc.Retrain("1/5")):
        found = rc.simulate(THREE, policy, refit, n_samples=160, trials=60, seed=3, **HERE)
        wanted = rc.predict(THREE, policy, refit)
        assert found.note == ""
        assert abs(found.mean - wanted.risk) < 5 * found.stderr + 0.03 * wanted.risk
        training = found.training_error
        assert abs(training.mean - wanted.training_error) < 5 * training.stderr + 0.03 * wanted.training_error


def test_a_wrong_function_is_found():
    """The simulator scores by magnitude what the theory ranks as Hessian does."""
    wrong = own("X**2*Lambda", function=lambda X, *_: np.abs(X))
    found = rc.verify(two_level(), wrong, n_samples=60, tolerance=0.2, seconds=60, **HERE)
    assert found.verdict == "disagree"


def test_shared_witnesses_are_said():
    policy = own(OWN_SCORE, "1/5")
    estimate = rc.simulate(two_level(), policy, n_samples=60, trials=4, **HERE)
    assert "share the expression of a score (mine)" in str(estimate)
    assert estimate.to_dict()["note"] == estimate.note
    found = rc.verify(two_level(), [policy, rc.Hessian("1/5")], n_samples=60, tolerance=0.9, seconds=1e-9, **HERE)
    assert "share the expression of a score (mine)" in " ".join(str(found).split())
    assert found.to_dict()["note"] == found.note
    for one in (rc.Group(2, policy, keep="1/5"), rc.Iterative(policy, ["1/2", "1/5"])):
        assert one.shares_score
    assert not rc.Group(2, keep="1/5").shares_score
    by_function = own(OWN_SCORE, "1/5", function=NUMPY["mixed"])
    again = rc.simulate(two_level(), by_function, n_samples=60, trials=4, **HERE)
    assert (again.mean, again.note) == (estimate.mean, "")
    assert again.to_dict()["note"] == ""


def test_functions_reach_worker_processes():
    policy = own(BETWEEN, function=lambda X, Lambda, D, nu: np.abs(X) * Lambda**0.25)
    here = rc.simulate(two_level(), policy, n_samples=60, trials=8, **HERE)
    assert (
        rc.simulate(two_level(), policy, n_samples=60, trials=8, device="cpu", executor=process_pool(1)).mean
        == here.mean
    )


@pytest.mark.parametrize(
    "changes", [{}, {"ridge": 0.5}, {"ridge": 0.5, "aspect_ratio": "1/2"}, {"aspect_ratio": "1/2"}]
)
def test_a_sample_tells_its_effective_ridge(changes: dict[str, Any]):
    """Within 3 % at 300 samples, and zero where the theory's is."""
    problem = rc.LinearGaussian(
        **{"aspect_ratio": 2, "eigenvalues": [4, 1], "signal": 1, "noise_variance": 1, "penalty": [1, 3]} | changes
    )
    own_sampler, rng = sampler(problem, 300, False), np.random.default_rng(0)
    ensemble = own_sampler.ensemble([None], backend("cpu"))
    shape = (4, 300, own_sampler.n_features)
    design, _ = ensemble.sample(rng.standard_normal(shape), rng.standard_normal(shape[:2]))
    found, wanted = ensemble.effective_ridge(design, own_sampler.ridge), rc.predict(problem).effective_ridge
    assert found.shape == (4, 1)
    assert found == pytest.approx(wanted, rel=0.03)


def test_one_factor_is_simulated_by_scores_that_it_defines():
    problem = rc.RankOne([3, -2, 1, 1], [0.5, 0.5, -1, 1], 12, noise_variance=1.5)
    found, wanted = (
        rc.simulate(problem, one, trials=20, **HERE).mean for one in (own("X**2", "1/2"), rc.Magnitude("1/2"))
    )
    assert found == wanted
    with pytest.raises(ValueError, match="with one factor mine is not simulated"):
        rc.simulate(problem, own(GENERAL["ridged"], "1/2"), trials=2, **HERE)
    with pytest.raises(ValueError, match="with one factor the theory covers"):
        rc.predict(problem, own("X**2", "1/2"))


# --- questions and the command line


def test_questions_take_scores():
    policy = own("X**2*Lambda", keep=1)
    found = rc.compare(two_level(), "1/10", policies=[policy, rc.Magnitude])
    assert found.risks["mine"] == pytest.approx(rc.predict(two_level(), rc.Hessian("1/10")).risk, rel=1e-12)
    assert {"mine", "mine+retrain", "mine+fresh"} <= found.risks.keys()
    keep = rc.prunability(two_level(), 0.1, [policy, rc.Hessian]).keep
    assert keep["mine"] == pytest.approx(keep["hessian"], rel=1e-6)
    with pytest.raises(ValueError, match="policies must be of different names, got mine, mine"):
        rc.prunability(two_level(), 0.1, [policy, own(BETWEEN)])
    assert r"\text{(pruned by mine)}" in rc.latex(rc.predict(two_level(), own(OWN_SCORE)))
    assert rc.predict(two_level(), rc.Score("my_own", "X**2", 0.1)).label == "pruned by my own"


FLAGS = ["--aspect-ratio", "10/3", "--eigenvalues", "25,1", "--signal", "1", "--weights", "1/10,9/10"]


def test_the_command_line_takes_scores(monkeypatch, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        return command_line(monkeypatch, capsys, *arguments[:1], *FLAGS, *arguments[1:])

    score, keep = ("--score-expression", "abs(X)*Lambda**0.25"), ("--keep", "1/10")
    code, out, _ = run("predict", *keep, *score, "--score-name", "steep", "--json")
    values = json.loads(out)
    assert (code, values["model"], values["risk"]) == (0, "steep", rc.predict(two_level(), own(BETWEEN)).risk)
    assert values["options"] == {"name": "steep", "score": BETWEEN}
    sized = ("--size", "60", "--device", "cpu", "--workers", "1")
    assert "share the expression" in run("simulate", *keep, *score, *sized, "--trials", "4")[1]
    assert "share" in run("verify", *keep, *score, *sized, "--tolerance", "0.9", "--seconds", "1e-9")[1]
    assert "pruned by score" in " ".join(run("compare", *keep, *score)[1].split())
    assert "score" in run("prunability", "--tolerance", ".1", *score)[1]
    assert run("rounds", "--keeps", "1/2,1/5", *score)[0] == 0
    values = json.loads(run("predict", "--policy", "group", "--group-size", "2", *keep, *score, "--json")[1])
    assert values["risk"] == rc.predict(two_level(), rc.Group(2, own(BETWEEN), keep="1/10")).risk
    assert run("predict", "--policy", "iterative", "--keeps", "1/2,1/5", *score)[0] == 0
    for wrong, message in (
        (("predict", *keep, "--score-expression", "9**9**9**9"), "a power of an expression is at most 64"),
        (("predict", *keep, "--score-expression", "__import__('os')"), "no function of an expression is called"),
        (("predict", *keep, "--score-expression", "X"), "the score X is -10 at X = -10"),
        (("predict", *keep, "--score-name", "steep"), "--score-name needs"),
        (("predict", "--policy", "group", "--group-size", "2", *keep, "--score", "hessian", *score), "not both"),
        (("predict", "--policy", "group", "--group-size", "2", *keep, "--score-name", "x"), "--score-name needs"),
        (("predict", *keep, "--policy", "hessian", *score), "--score-expression needs --policy own"),
        (("predict", *keep, "--policy", "own"), "--policy own needs --score-expression"),
        (("predict", *score), "exactly one of keep and n_keep"),
        (("compare", *keep, "--score-name", "steep"), "--score-name needs --score-expression"),
        (("rounds", "--keeps", "1/2,1/5", "--score", "hessian", *score), "not both"),
    ):
        code, out, err = run(*wrong)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err


# --- what is refused


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("-abs(X)", r"the score -abs\(X\) is -10 at X = -10"),
        ("log(abs(X) + 1/2)", r"is -0\.0202027 at X = -0\.48"),
        ("sqrt(X)", "is no real number at X = -10"),
        ("(X - 20)**(1/3)", "is no real number"),
        ("1/abs(X)", "is infinite at X = 0"),
        ("abs(X)/Lambda - 1", r"is -0\.2.* at X = -0\.0079.*, Lambda = 0\.01"),
        ("Lambda", "does not depend on X"),
        ("abs(X) - abs(X) + Lambda", "is constant in X"),
        ("X/X", "is no real number at X = 0"),
        ("abs(X)*Lamda", "no symbol of an expression is called 'Lamda'; did you mean Lambda"),
        (sympy.Symbol("Lambda") * abs(X), "what is meant is riskcalc.theory.symbols.Lambda"),
        (sympy.sin(1 / X) + 1, "no function of an expression is called 'sin'"),
        (sympy.I * X, "I is no arithmetic"),
        (lambda X, Lambda, D, nu: np.sqrt(X), "what NumPy alone computes is function="),
        (lambda X: X, "gives no expression"),
        (lambda *_: "X", "gives no expression"),
    ],
)
def test_scores_that_cannot_rank_are_refused(score: Any, message: str):
    with pytest.raises(ValueError, match=message):
        own(score)


@pytest.mark.parametrize("score", [3, None, [1], np.ones(3)])
def test_what_is_no_score_is_refused(score: Any):
    with pytest.raises(TypeError, match="score must be a SymPy expression, its text, or a function"):
        own(score)


def test_scores_that_turn_too_often_are_refused():
    """Nested absolute values fold the line at each of 2**7 points."""
    folded = "abs(X)"
    for power in range(2, -5, -1):
        folded = f"abs({folded} - {2.0**power})"
    with pytest.raises(ValueError, match="is not piecewise monotone in X as far as it is scanned: it has"):
        own(folded)


def test_what_only_a_prediction_shows_is_refused_then():
    """Where it was not tried, at construction."""
    wide = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1000, noise_variance=1)
    with pytest.raises(ValueError, match=r"the score exp\(X\) is infinite at X = 7\d\d"):
        rc.predict(wide, own("exp(X)"))
    with pytest.raises(ValueError, match=r"is -\d.* at X = .*, Lambda = 1"):
        rc.predict(wide, own("max(100 - abs(X), -1)"))
    few = rc.LinearGaussian(aspect_ratio="1/2", eigenvalues=1, signal=1, noise_variance=1)
    with pytest.raises(ValueError, match=r"is infinite at X = .*nu = 0"):
        rc.predict(few, own("X**2/nu"))
    with pytest.raises(ValueError, match=r"is (infinite|no real number) at X = .*, nu = 0"):
        rc.simulate(few, own("X**2/nu"), n_samples=40, trials=2, **HERE)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (3, TypeError, "function must be a function of arrays"),
        (lambda X: X, ValueError, "function fails on arrays"),
        (lambda X, Lambda, D, nu: X[0], ValueError, r"function must give real scores of the shape of X, \(3, 5\)"),
        (lambda X, Lambda, D, nu: X * 1j, ValueError, "function must give real scores"),
        (lambda X, Lambda, D, nu: "score", ValueError, "function"),
        (lambda X, Lambda, D, nu: X, ValueError, "function is -.* at X = "),
        (lambda X, Lambda, D, nu: X * np.nan, ValueError, "function is no real number at X = "),
    ],
)
def test_functions_that_do_not_score_are_refused(function: Any, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        own(BETWEEN, function=function)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "two words",
        "a+b",
        "1st",
        "a-b",
        3,
        *POLICIES,
        "dense",
        "small",
        "small_by_x",
        "group_x",
        "replaced",
        "iterative_x",
        "optimal_x",
    ],
)
def test_names_that_are_taken_or_no_names_are_refused(name: Any):
    with pytest.raises(ValueError, match=r"name must be a word|a model is called"):
        rc.Score(name, BETWEEN, keep=0.1)


def test_a_score_needs_no_sympy():
    """Neither policies nor simulation import it, nor the theory."""
    code = (
        "import sys, riskcalc as rc\n"
        "problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=1, noise_variance=1)\n"
        "score = rc.Score('mine', 'abs(X)*Lambda**0.25 + nu*X**2', keep=0.5)\n"
        "rc.simulate(problem, score, n_samples=20, trials=2, device='cpu', workers=1)\n"
        "print([name for name in ('sympy', 'riskcalc.theory', 'riskcalc.formulas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(rc.__file__).parent.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
