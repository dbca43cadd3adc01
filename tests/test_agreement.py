"""Theory and simulation agree in random regimes, pruned and retrained: test risks and training errors.

One family of checks. Each regime's verification has a confidence of 1 - 1e-7 for all its models together, so that even
the 510 regimes (and 90 of one policy each) of the randomised profile raise a false alarm with probability under 1e-4:

    python -m pytest tests/test_agreement.py -n 2 --hypothesis-profile=randomised
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc.subjects import Models
from riskcalc.verification import verify_subject

FALSE_ALARM = 1e-7
TOLERANCE = 0.08
# Regimes of each of the six strata: 5 by default, 85 in the randomised profile.
REGIMES = 85 if settings.default.max_examples > 100 else 5
# Regimes with fewer, and with more features kept than samples, in which a policy is retrained on the same sample.
MANY = 45 if settings.default.max_examples > 100 else 4

RATIOS = {"below one": (0.2, 0.65), "one to three": (1.5, 3.0), "above three": (3.0, 8.0)}


@st.composite
def questions(draw, ratio: tuple[float, float], ridge: bool) -> tuple[rc.LinearGaussian, float]:
    """A problem and a budget, off the interpolation thresholds so that samples of a few hundred are near the limit."""
    atoms = draw(st.integers(1, 3))
    masses = [draw(st.integers(1, 4)) for _ in range(atoms)]
    aspect_ratio, keep = draw(st.floats(*ratio)), draw(st.floats(0.1, 0.6))
    assume(abs(1 - aspect_ratio * keep) > 0.4)
    problem = rc.LinearGaussian(
        aspect_ratio=aspect_ratio,
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
    @settings(max_examples=REGIMES, suppress_health_check=list(HealthCheck))
    @given(questions(RATIOS[ratio], ridge), st.integers(0, 2**32))
    def agree(question: tuple[rc.LinearGaussian, float], seed: int):
        problem, keep = question
        pruned = [kind(keep=keep) for kind in (rc.Magnitude, rc.Hessian, rc.Oracle, rc.Random)]
        fresh = rc.Retrain(sample="fresh")
        models = [(None, None), *((policy, second) for policy in pruned for second in (None, fresh))]
        _agree(problem, models, keep, seed)

    agree()


@pytest.mark.parametrize("kept", ["fewer than samples", "more than samples"])
def test_a_policy_agrees_retrained_on_the_same_sample(kept: str):
    """Test risks and training errors of one policy a regime, before and after a second fit; no groups, no rounds."""
    ratio, low, high = (2.0, 0.1, 0.3) if kept == "fewer than samples" else (3.0, 0.45, 0.7)

    @settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
    @given(questions((ratio, ratio + 1), ridge=False), st.floats(low, high), st.sampled_from([0.0, 0.2]), st.data())
    def agree(question: tuple[rc.LinearGaussian, float], keep: float, ridge: float, data: st.DataObject):
        problem, _ = question
        kinds = np.stack(np.broadcast_arrays(problem.law.eigenvalues, problem.law.signal))
        assume(len(np.unique(kinds[0])) == kinds.shape[1])  # the optimal rule is told
        policy = data.draw(st.sampled_from(DRAWN))(keep)
        models = [(policy, None), (policy, rc.Retrain(ridge))]
        _agree(problem, models, keep, data.draw(st.integers(0, 2**32)), training_error=True)

    agree()


DRAWN = (
    rc.Magnitude,
    rc.Hessian,
    rc.BrainSurgeon,
    rc.Oracle,
    rc.Random,
    rc.Sampled,
    partial(rc.Sampled, replacement=True),
    rc.Optimal,
    partial(rc.Optimal, rescale=True),
)


def _agree(problem: rc.LinearGaussian, models: list, keep: float, seed: int, training_error: bool = False) -> None:
    subject = Models(problem, models, seed, "gaussian", "cpu", None, 1, False, training_error)
    found = verify_subject(subject, None, TOLERANCE, 1 - FALSE_ALARM, seconds=120, seed=seed)
    assert found.verdict == "agree", f"{problem}, keep={keep}\n{found}"
