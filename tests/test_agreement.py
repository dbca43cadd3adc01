"""Theory and simulation agree in random regimes, pruned and retrained: test risks and training errors.

One family of checks. Each regime's verification has a confidence of 1 - 1e-7 for all its models together, so that even
the 644 regimes of the randomised profile raise a false alarm with probability under 1e-4:

    python -m pytest tests/test_agreement.py -n 2 --hypothesis-profile=randomised
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from helpers import examples
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc.verification.subjects import Models
from riskcalc.verification.verify import verify_subject

FALSE_ALARM = 1e-7
TOLERANCE = 0.08
# Regimes of each of the six strata: 5 by default, 85 in the randomised profile.
REGIMES = 85 if settings.default.max_examples > 100 else 5
# Regimes with fewer, and with more features kept than samples, in which every policy is retrained on the same sample.
RETRAINED = 22 if settings.default.max_examples > 100 else 2
# The same, in which one policy only prunes.
PRUNED = 45 if settings.default.max_examples > 100 else 4
# Of samples, the fewest simulated then: at this size, and twice and four times it, features of a kind come in pairs.
SIZE = 50

# What fails is told as it is: each attempt to make it simpler would take as long.
PATIENT = partial(settings, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate])

RATIOS = {"below one": (0.2, 0.65), "one to three": (1.5, 3.0), "above three": (3.0, 8.0)}


POLICIES = examples()
# Aspect ratios and budgets with fewer, and with more features kept than samples.
KEPT = {"fewer than samples": ((2.0, 3.0), (0.1, 0.3)), "more than samples": ((3.0, 4.0), (0.45, 0.7))}


@st.composite
def questions(
    draw, ratio: tuple[float, float], ridge: bool, share: tuple[float, float] = (0.1, 0.6), pairs: bool = False
) -> tuple[rc.LinearGaussian, Fraction]:
    """A problem and a budget, off the interpolation thresholds so that samples of a few hundred are near the limit."""
    atoms = draw(st.integers(1, 3))
    masses = [draw(st.integers(1, 4)) for _ in range(atoms)]
    aspect_ratio, keep = Fraction(draw(st.floats(*ratio))), Fraction(draw(st.floats(*share)))
    if pairs:
        step = Fraction(2, SIZE)
        aspect_ratio = step * sum(masses) * round(aspect_ratio / (step * sum(masses)))
        keep = step * round(aspect_ratio * keep / step) / aspect_ratio
    assume(abs(1 - aspect_ratio * keep) > 0.4)
    problem = rc.LinearGaussian(
        aspect_ratio=str(aspect_ratio),
        eigenvalues=[draw(st.floats(0.3, 10)) for _ in range(atoms)],
        signal=[draw(st.floats(0.2, 2)) for _ in range(atoms)],
        weights=[f"{mass}/{sum(masses)}" for mass in masses],
        noise_variance=draw(st.one_of(st.just(0.0), st.floats(0.05, 1)))
        if aspect_ratio > 1
        else draw(st.floats(0.05, 1)),
        ridge=draw(st.floats(0.05, 1)) if ridge else 0.0,
        penalty=draw(st.sampled_from([None, "natural"])),
    )
    return problem, keep


@pytest.mark.parametrize("ridge", [False, True], ids=["no ridge", "ridge"])
@pytest.mark.parametrize("ratio", RATIOS)
def test_theory_and_simulation_agree(ratio: str, ridge: bool):
    @PATIENT(max_examples=REGIMES)
    @given(questions(RATIOS[ratio], ridge), st.integers(0, 2**32))
    def agree(question: tuple[rc.LinearGaussian, Fraction], seed: int):
        problem, keep = question
        pruned = [kind(keep=keep) for kind in (rc.Magnitude, rc.Hessian, rc.Oracle, rc.Random)]
        fresh = rc.Retrain(sample="fresh")
        models = [(None, None), *((policy, second) for policy in pruned for second in (None, fresh))]
        _agree(problem, models, keep, seed)

    agree()


@pytest.mark.parametrize("kept", KEPT)
def test_a_policy_agrees_before_retraining(kept: str):
    """Test risk and training error of one policy in each regime."""
    ratio, share = KEPT[kept]

    @PATIENT(max_examples=PRUNED)
    @given(
        questions(ratio, ridge=False, share=share, pairs=True),
        st.sampled_from([*POLICIES]),
        st.integers(0, 2**32),
    )
    def agree(question: tuple[rc.LinearGaussian, Fraction], policy: str, seed: int):
        problem, keep = question
        _assume_usable(problem, keep)
        _agree(problem, [(POLICIES[policy](keep), None)], keep, seed, training_error=True, n_samples=SIZE)

    agree()


@pytest.mark.parametrize("kept", KEPT)
def test_every_policy_agrees_retrained_on_the_same_sample(kept: str):
    """Test risks and training errors of all policies in each regime."""
    ratio, share = KEPT[kept]

    @PATIENT(max_examples=RETRAINED)
    @given(
        questions(ratio, ridge=False, share=share, pairs=True),
        st.sampled_from([0.0, 0.2, 1.0]),
        st.integers(0, 2**32),
    )
    def agree(question: tuple[rc.LinearGaussian, Fraction], ridge: float, seed: int):
        problem, keep = question
        _assume_usable(problem, keep)
        policies = [policy(keep) for policy in POLICIES.values()]
        # How many features drawn with replacement are distinct is chance: a ridge keeps the fit off its threshold.
        models = [(rule, rc.Retrain(1.0 if rule.options.get("replacement") else ridge)) for rule in policies]
        _agree(problem, models, keep, seed, training_error=True, n_samples=SIZE)

    agree()


def _assume_usable(problem: rc.LinearGaussian, keep: Fraction) -> None:
    """By every policy: eigenvalues tell the optimal rule what kind a feature is; a first round is off its threshold."""
    assume(len(np.unique(problem.law.eigenvalues)) == problem.n_atoms)
    assume(abs(1 - problem.aspect_ratio * (1 + keep) / 2) > 0.1)


def _agree(
    problem: rc.LinearGaussian,
    models: list,
    keep: Fraction,
    seed: int,
    training_error: bool = False,
    n_samples: int | None = None,
) -> None:
    procedures = [rc.Procedure(*model) for model in models]
    subject = Models(problem, procedures, seed, "gaussian", "cpu", None, 1, False, training_error)
    found = verify_subject(subject, n_samples, TOLERANCE, 1 - FALSE_ALARM, seconds=240, seed=seed)
    assert found.verdict == "agree", f"{problem}, keep={keep}\n{found}"
