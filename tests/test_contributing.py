"""The recipes of CONTRIBUTING.md are true: followed to the letter, from a module outside the package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import riskcalc
from riskcalc.policies import POLICIES, Option, Policy, Ranking, register
from riskcalc.prediction.policies import mask, weight
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.solvers import Solver, solver
from riskcalc.problems import Problem
from riskcalc.simulation.choices import choose, score
from riskcalc.simulation.samplers import sampler, sized

ROOT = Path(riskcalc.__file__).parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)

# What is asked of a policy and of a kind of problem of one's own; it runs in a process that knows nothing else of them.
POLICY_TRIAL = """
import json, pickle, sys
import numpy as np
import riskcalc as rc
from own import Steep

problem = rc.LinearGaussian(
    aspect_ratio=2, eigenvalues=[4, 1, "1/4"], signal=[1, "3/2", "1/2"], weights=["1/4", "1/4", "1/2"],
    noise_variance="1/2",
)
policy = Steep(keep="1/4")
again = rc.Retrain(ridge="1/10")
pruned, retrained = rc.predict(problem, policy), rc.predict(problem, policy, again)
assert pruned.status == retrained.status == "ok"
many = rc.predict(problem, policy, again, digits=30)
assert abs(float(many.risk) - retrained.risk) < 1e-13 * retrained.risk
assert str(pruned).startswith("pruned by steep")
assert json.loads(json.dumps(retrained.to_dict()))["model"] == "steep"
assert pickle.loads(pickle.dumps(retrained)).risk == retrained.risk
assert "pruned by steep score, retrained" in rc.latex(retrained)
assert rc.compare(problem, keep="1/4", policies=[Steep]).risks["steep"] == pruned.risk
bound = rc.predict(problem, rc.Optimal(keep="1/4")).risk
assert bound < pruned.risk
keep = rc.prunability(problem, 0.2, [Steep]).keep["steep"]
assert abs(rc.predict(problem, Steep(keep=keep)).training_error - rc.predict(problem).training_error - 0.2) < 1e-9
assert rc.rounds(problem, Steep, ["3/4", "1/4"]).rounds[0].status == "ok"
group = rc.Group(2, Steep, keep="1/4")
models = [policy, rc.Procedure(policy, again), rc.Procedure(policy, rc.Retrain(again.ridge, "fresh")), group]
models.append(rc.Procedure(rc.Iterative("steep", ["3/4", "1/4"], ridge="1/2"), again))
assert rc.simulate(problem, policy, n_samples=40, trials=4, device="cpu", workers=1).trials == 4
found = rc.verify(
    problem, models, training_error=True, n_samples=48, tolerance=0.08, confidence=1 - 1e-6, seconds=200, device="cpu",
    workers=1,
)
assert {check.verdict for check in found.checks} == {"agree"}, str(found)
from hypothesis import find
from riskcalc import strategies
assert find(strategies.policies(), lambda one: isinstance(one, Steep)).keep == 0.5
from riskcalc.command.cli import main
sys.argv = ["riskcalc", "predict", "--aspect-ratio", "2", "--eigenvalues", "4,1", "--signal", "1", "--keep", ".2"]
sys.argv += ["--policy", "steep", "--json"]
main()
"""
KIND_TRIAL = """
import json
import riskcalc as rc
from own import Orthonormal

problem = Orthonormal(
    aspect_ratio="1/2", eigenvalues=1, signal=[2, "1/2"], weights=["1/4", "3/4"], noise_variance=1
)
dense = rc.predict(problem)
assert (dense.risk, dense.training_error) == (1.5, 0.5)
policies = [kind(keep="1/4") for kind in (rc.Magnitude, rc.Hessian, rc.Oracle, rc.Random)]
refits = [None, rc.Retrain(), rc.Retrain(sample="fresh")]
models = [None, rc.Procedure.small("1/4"), *(rc.Procedure(one, second) for one in policies for second in refits)]
for model in models[1:]:
    one, many = rc.predict(problem, model), rc.predict(problem, model, digits=30)
    assert abs(float(many.risk) - one.risk) < 1e-13 * one.risk
    assert one.risk > 1
    assert json.loads(json.dumps(one.to_dict()))["model"] == one.model
    assert one.label in rc.latex(one)
found = rc.verify(
    problem, models, training_error=True, tolerance=0.05, confidence=1 - 1e-6, seconds=200, device="cpu", workers=1
)
assert {check.verdict for check in found.checks} == {"agree"}, str(found)
compared = rc.compare(problem, keep="1/4")
assert compared.risks["small"] == rc.small_model(problem, keep="1/4").risk
assert "optimal" in compared.risks
assert "dense, all features" in str(compared)
assert set(rc.prunability(problem, 0.1).keep) == {"magnitude", "hessian", "surgeon", "oracle", "random"}
assert len(rc.rounds(problem, "magnitude", ["1/2", "1/4"]).rounds) == 2
try:
    rc.predict(problem, policies[0], rc.Retrain(ridge=1))
except ValueError as error:
    assert "without a ridge" in str(error)
"""


@pytest.mark.parametrize(("recipe", "trial"), [(0, POLICY_TRIAL), (1, KIND_TRIAL)], ids=["policy", "kind of problem"])
def test_a_recipe_is_true(recipe: int, trial: str, tmp_path: Path):
    (tmp_path / "own.py").write_text(BLOCKS[recipe], encoding="utf-8")
    (tmp_path / "trial.py").write_text(trial, encoding="utf-8")
    done = subprocess.run([sys.executable, "trial.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class _Nameless(Policy):
    label = "nameless"


class _Silent(Policy):
    name = "silent"


class _Twice(Ranking):
    name, label = "magnitude", "again"


class _Boasting(Policy):
    name, label = "boasting", "boasting"
    choices = (Option("loud", bool, "It is not."),)


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        (3, TypeError, "a policy is a subclass of riskcalc.policies.Policy, got 3"),
        (_Nameless, TypeError, "the policy _Nameless lacks its name"),
        (_Silent, TypeError, "the policy _Silent lacks its label"),
        (_Twice, ValueError, "a policy is called 'magnitude' already: Magnitude"),
        (_Boasting, TypeError, "the policy _Boasting has a choice 'loud' unknown to its constructor"),
    ],
)
def test_a_policy_that_lacks_a_part_is_refused_when_it_is_registered(kind, error, message: str):
    before = dict(POLICIES)
    with pytest.raises(error, match=message):
        register(kind)
    assert before == POLICIES


class Unfinished(Ranking):
    name, label = "unfinished", "unfinished"


class Bare(Problem):
    shape, n_samples, n_features = (), None, None
    aspect_ratio = noise_variance = ridge = riskcalc.exact.exact_array(1, "one")


class Pruneless(Solver):
    def fit(self, first): ...
    def refit(self, model, retrain, first): ...


@pytest.mark.parametrize(
    ("used", "message"),
    [
        (lambda: mask(Unfinished(0.5)), "what the mask of Unfinished is in theory is not registered"),
        (lambda: choose(Unfinished(0.5), None, 3), "how Unfinished scores features is not registered"),
        (lambda: score(Unfinished(0.5), None), r"\(riskcalc.simulation.choices.score\)"),
        (lambda: riskcalc.predict(riskcalc.RankOne([1], [1], 5), Unfinished(0.5)), "prune must be a policy such as"),
        (lambda: riskcalc.predict(Bare()), "how a Bare is predicted is not registered"),
        (lambda: sampler(Bare(), 10, False), "how a Bare is sampled is not registered"),
        (lambda: sized(Bare(), 10), "what a Bare is at a finite size is not registered"),
        (lambda: riskcalc.latex(Bare()), "how a Bare is written is not registered"),
        (lambda: riskcalc.latex("dense.risk", problem=Bare()), "the numbers of a Bare are not registered"),
        (lambda: riskcalc.prunability(Bare(), 1), "how a Bare is predicted is not registered"),
        (lambda: Bare().null_risk, "Bare does not say the risk of predicting zero"),
        (lambda: Bare().to_dict(), "Bare does not say what it is as plain values"),
        (lambda: riskcalc.predict(type("Sizeless", (Problem,), {"shape": ()})()), "a problem has n_samples, and Size"),
        (Pruneless, "abstract method '?prune"),
    ],
)
def test_what_is_not_registered_is_named_when_it_is_first_used(used, message: str):
    with pytest.raises(TypeError, match=message):
        used()


def test_a_policy_that_claims_to_rank_must_have_a_score():
    class Claiming(Ranking):
        name, label = "claiming", "claiming"

    mask.register(Claiming, lambda policy: mask(riskcalc.Oracle(0.5)))
    with pytest.raises(TypeError, match="Claiming claims to rank by a score, but its mask is ranked"):
        weight(Claiming(keep=1))


def test_a_policy_that_claims_to_see_no_fit_has_no_threshold():
    class Blindfold(Policy):
        name, label, sees_fit = "blindfold", "blindfold", False

    mask.register(Blindfold, lambda policy: mask(riskcalc.Magnitude(0.5)))
    POLICIES["blindfold"] = Blindfold
    try:
        with pytest.raises(TypeError, match="Blindfold says that it sees no fit, but its mask is Thresholded"):
            riskcalc.predict(riskcalc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1), Blindfold(0.5))
    finally:
        del POLICIES["blindfold"]


def test_a_kind_of_problem_is_found_by_its_nearest_class():
    assert solver.dispatch(Bare) is solver.dispatch(object)
    assert solver.dispatch(type("Mine", (riskcalc.LinearGaussian,), {})) is solver.dispatch(riskcalc.LinearGaussian)
    assert evaluate(riskcalc.RankOne([1], [1], 5), []) == {}
