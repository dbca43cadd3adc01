"""A failing property test shrinks to one atom and simple numbers, whatever is wrong; and what Hypothesis is told."""

from __future__ import annotations

import inspect
import math
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc import strategies
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import S
from riskcalc.laws import Atoms, Beta, Empirical, Law, MarchenkoPastur, PowerLaw, Uniform
from riskcalc.policies import POLICIES, Policy
from riskcalc.prediction.predict import evaluate
from riskcalc.problems import Problem
from riskcalc.theory import REGISTRY, dense, pruning
from riskcalc.theory.symbols import B, Lambda, X, a, abar, kappa, q, sigma2

SEARCH = settings(
    max_examples=500,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[*HealthCheck],
)


def _differ(problem: rc.LinearGaussian, procedure: rc.Procedure, *variants) -> bool:
    right = evaluate(problem, [procedure])[procedure]
    wrong = evaluate(problem, [procedure], records=REGISTRY | {one.id: one for one in variants})[procedure]
    return right.status == "ok" and abs(right.risk - wrong.risk) > 1e-9 * right.risk


def noise_counted_twice(problem: rc.LinearGaussian) -> bool:
    doubled = (2 * sigma2 + E(Lambda * B**2 * abar**2)) / (q + kappa * E(a * abar))
    return _differ(problem, rc.Procedure(), replace(dense.RISK, evaluation=doubled))


def dropped_signal_forgotten(problem: rc.LinearGaussian, policy: Policy) -> bool:
    kept = sigma2 + E(S * Lambda * (B - X) ** 2)
    return _differ(problem, rc.Procedure(policy), replace(pruning.RISK, statement=kept))


def singular_features_fail(problem: rc.LinearGaussian) -> bool:
    return bool((problem.law.eigenvalues == 0).any()) and math.isfinite(rc.predict(problem).risk)


def penalty_ignored(problem: rc.LinearGaussian) -> bool:
    if not isinstance(problem.penalty, np.ndarray) or problem.ridge == 0:
        return False  # without a ridge it takes two atoms to show
    given = {"law": problem.law, "noise_variance": problem.noise_variance, "ridge": problem.ridge}
    plain = rc.predict(rc.LinearGaussian(aspect_ratio=problem.aspect_ratio, **given))
    return abs(rc.predict(problem).risk - plain.risk) > 1e-9 * plain.risk


def large_variance_fails(problem: rc.LinearGaussian) -> bool:
    return bool((problem.law.eigenvalues > 100).any())


def risk_is_far_above_the_noise(problem: rc.LinearGaussian) -> bool:
    prediction = rc.predict(problem)
    return prediction.status == "ok" and prediction.risk > 5 * problem.noise_variance > 0


def _simple(problem: rc.LinearGaussian) -> bool:
    """Of zeros and powers of two."""
    law, ratio = problem.law, float(problem.aspect_ratio)
    numbers = [*law.eigenvalues, *law.signal, ratio, float(problem.noise_variance), float(problem.ridge)]
    numbers += [] if problem.penalty is None else [*problem.penalty]
    return all(x == 0 or math.log2(abs(x)) == round(math.log2(abs(x))) for x in map(float, numbers))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "wrong",
    [noise_counted_twice, singular_features_fail, penalty_ignored, large_variance_fails, dropped_signal_forgotten],
)
def test_what_one_atom_exposes_shrinks_to_one_atom_of_simple_numbers(wrong, seed: int):
    some = [strategies.problems(), strategies.policies()][: len(inspect.signature(wrong).parameters)]
    problem, *policy = find(st.tuples(*some), lambda drawn: wrong(*drawn), settings=SEARCH, random=random.Random(seed))
    assert problem.n_atoms == 1, problem
    assert _simple(problem), problem
    assert all(one.keep == 0.5 for one in policy)
    assert wrong(eval(repr(problem), vars(rc)), *policy), "its repr can be pasted"


@pytest.mark.parametrize("seed", range(4))
def test_a_bound_on_the_risk_shrinks_to_one_atom(seed: int):
    problem = find(strategies.problems(), risk_is_far_above_the_noise, settings=SEARCH, random=random.Random(seed))
    assert problem.n_atoms == 1, problem


def test_what_two_atoms_expose_shrinks_to_two():
    def wrong(problem: rc.LinearGaussian) -> bool:
        return len(set(problem.law.eigenvalues.tolist())) > 1

    problem = find(strategies.problems(), wrong, settings=SEARCH, random=random.Random(0))
    assert problem.n_atoms == 2
    assert _simple(problem)
    assert problem.law.weights.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("seed", range(3))
def test_what_correlation_exposes_shrinks_to_two_features(seed: int):
    def wrong(problem: rc.Correlated) -> bool:
        return bool((np.triu(problem.covariance, 1) > 0.1).any())

    drawn = strategies.correlated_problems(factors=False).filter(lambda problem: problem.n_atoms > 1)
    problem = find(drawn, wrong, settings=SEARCH, random=random.Random(seed))
    assert problem.n_atoms == 2
    assert (problem.noise_variance, problem.ridge, problem.n_samples) == (0, 0, 4)
    assert eval(repr(problem), vars(rc)) == problem, "its repr can be pasted"


PROBLEMS = [Problem, rc.LinearGaussian, rc.RankOne, rc.Correlated]
LAWS = [Atoms, Beta, Empirical, MarchenkoPastur, PowerLaw, Uniform]


@pytest.mark.parametrize(
    "kind",
    [*PROBLEMS, Policy, *POLICIES.values(), Law, *LAWS, rc.Retrain, rc.Procedure],
    ids=lambda kind: kind.__name__,
)
def test_hypothesis_knows_the_types(kind: type):
    @settings(SEARCH, max_examples=15)
    @given(st.from_type(kind))
    def check(drawn):
        assert isinstance(drawn, kind)

    check()


def test_arguments_are_drawn_by_their_annotations():
    @settings(SEARCH, max_examples=5)
    @given(...)
    def check(problem: rc.LinearGaussian, policy: rc.Hessian):
        assert rc.predict(problem, policy).model == "hessian"

    check()


def test_policies_have_all_their_choices():
    for chosen in ("replacement", "rescale"):
        assert find(strategies.policies(), lambda one, chosen=chosen: one.options.get(chosen), settings=SEARCH)
    kinds = st.from_type(rc.Iterative)
    assert find(kinds, lambda one: len(one.keeps) == 3, settings=SEARCH).keeps[0] <= 1
    assert find(st.from_type(rc.Group), lambda one: one.size > 1 and one.score == "surgeon", settings=SEARCH).size == 2


@pytest.mark.parametrize("key", ["dense", "small", "magnitude", "hessian+retrain", "oracle+fresh", "small_by_chance"])
def test_every_procedure_is_reached(key: str):
    assert find(strategies.procedures(), lambda one: one.key == key, settings=settings(SEARCH, max_examples=3000))


@settings(max_examples=30)
@given(strategies.rank_one_problems(max_features=3), strategies.procedures(keep=(0.6, 1)))
def test_problems_with_one_factor_are_as_asked(problem, procedure):
    assert problem.n_features <= 3
    found = evaluate(problem, [procedure], covered=True)
    assert all(one.risk >= problem.noise_variance for one in found.values())


def test_noise_of_one_factor_is_as_asked():
    for noise in (False, True):
        found = find(strategies.rank_one_problems(noise=noise), lambda problem: True, settings=SEARCH)
        assert (found.noise_variance > 0) == noise
    with pytest.raises(ValueError, match="max_features must be at least 1, got 0"):
        strategies.rank_one_problems(max_features=0)


def test_the_budget_of_verifications():
    budget = strategies.settings(seconds=2.5, total=10)
    assert (budget.max_examples, budget.deadline) == (4, None)
    assert HealthCheck.too_slow in budget.suppress_health_check
    assert Phase.shrink in budget.phases
    assert Phase.explain not in budget.phases
    assert strategies.settings(seconds=4).max_examples == 15
    for seconds, total in ((0, 1), (math.nan, 1), (1, math.inf), ("1", 2), (1, True)):
        with pytest.raises(ValueError, match=r"must be a number above 0 and below inf"):
            strategies.settings(seconds=seconds, total=total)
    with pytest.raises(ValueError, match="total must be at least the seconds of one example, 3, got 2"):
        strategies.settings(seconds=3, total=2)


def test_a_wrong_theory_is_found_within_the_budget():
    """As the documentation has it, for a theory of one's own that forgets the noise that is fitted."""

    @strategies.settings(seconds=2, total=6)
    @given(strategies.problems(noise=True, ridge=False, penalty=False, singular=False, aspect_ratio=(0.3, 0.6)))
    def check(problem):
        ratio, noise = float(problem.aspect_ratio), float(problem.noise_variance)

        def trial(n: int, rng: np.random.Generator) -> float:
            design, response = rng.standard_normal((n, round(ratio * n))), noise**0.5 * rng.standard_normal(n)
            return noise + (np.linalg.lstsq(design, response)[0] ** 2).sum()

        mine = rc.Theory(predict=lambda n: noise, trial=trial)
        assert rc.verify(mine, n_samples=40, tolerance=0.1, confidence=0.9999, seconds=2, workers=1).verdict == "agree"

    with pytest.raises(AssertionError, match="disagree"):
        check()


def test_strategies_are_an_attribute_and_no_part_of_a_star():
    code = "import riskcalc; from riskcalc import *; import sys; assert 'hypothesis' not in sys.modules; {}"
    for then in ("riskcalc.strategies.problems()", "sys.modules['hypothesis'] = None; predict"):
        subprocess.run([sys.executable, "-c", code.format(then)], check=True)
    assert "strategies" in dir(rc)
    assert "strategies" not in rc.__all__


def test_no_number_is_subnormal():
    """Some processes flush those to zero, and Hypothesis then refuses to draw them."""
    code = """
import sys
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies._internal.numbers import FloatStrategy

def flushed(self, *, made=FloatStrategy.__init__, **given):
    made(self, **given)
    seen.append(self)
    assert self.smallest_nonzero_magnitude >= sys.float_info.min

FloatStrategy.__init__, seen = flushed, []
import riskcalc.strategies as some

@settings(max_examples=100, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.problems() | some.problems(law=some.laws()), some.procedures(), some.rank_one_problems())
def check(problem, procedure, factor):
    pass

check()
assert len(seen) > 10
"""
    subprocess.run([sys.executable, "-c", code], check=True)
