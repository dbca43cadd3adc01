"""Strategies draw valid problems over the ranges they promise, as their arguments say, simplest first."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc import strategies
from riskcalc.laws import Atoms, Beta, Continuous, Empirical, MarchenkoPastur, PowerLaw, Uniform
from riskcalc.policies import by_budget

# Enough to find a corner, without shrinking what is found.
SEARCH = settings(
    max_examples=3000, phases=[Phase.generate], derandomize=True, database=None, suppress_health_check=[*HealthCheck]
)
EITHER = st.sampled_from([None, False, True])
MODELS = st.none() | strategies.policies()


@pytest.mark.parametrize(
    "corner",
    [
        lambda problem: problem.aspect_ratio < 0.1,
        lambda problem: problem.aspect_ratio > 25,
        lambda problem: problem.aspect_ratio == 1,
        lambda problem: problem.n_atoms == 8,
        lambda problem: problem.law.eigenvalues.max() > 1e4 * problem.law.eigenvalues.min() > 0,
        lambda problem: (problem.law.eigenvalues == 0).any() and problem.n_atoms > 1,
        lambda problem: (problem.law.eigenvalues == 0).all(),
        lambda problem: (problem.law.signal == 0).any() and (problem.law.signal < 0).any(),
        lambda problem: problem.law.weights.min() < 0.01,
        lambda problem: problem.noise_variance == 0 and problem.ridge > 1,
        lambda problem: problem.noise_variance > 1 and problem.ridge == 0,
        lambda problem: problem.penalty == "natural" if isinstance(problem.penalty, str) else False,
        lambda problem: isinstance(problem.penalty, np.ndarray) and problem.penalty.max() > 10 * problem.penalty.min(),
    ],
)
def test_corners_of_problems_are_reached(corner):
    assert corner(find(strategies.problems(), corner, settings=SEARCH))


@pytest.mark.parametrize("kind", [Atoms, Empirical, PowerLaw, MarchenkoPastur, Uniform, Beta])
def test_every_law_is_reached(kind):
    assert type(find(strategies.laws(), lambda law: type(law) is kind, settings=SEARCH)) is kind


@pytest.mark.parametrize(
    "corner",
    [
        lambda law: isinstance(law, PowerLaw) and law.n_features is None,
        lambda law: isinstance(law, PowerLaw) and law.n_features == 8,
        lambda law: isinstance(law, MarchenkoPastur) and law.ratio > 1,
        lambda law: isinstance(law, MarchenkoPastur) and law.ratio == 1,
        lambda law: isinstance(law, Uniform) and law.low == 0,
        lambda law: isinstance(law, Uniform) and law.low > 0,
        lambda law: isinstance(law, Beta) and law.a < 0.5,
    ],
)
def test_corners_of_laws_are_reached(corner):
    assert corner(find(strategies.laws(), corner, settings=SEARCH))


@pytest.mark.parametrize("policy", by_budget().values())
@pytest.mark.parametrize(("low", "high"), [(0, 0.01), (0.99, 1)])
def test_every_policy_is_reached_at_every_budget(policy, low: float, high: float):
    def corner(drawn) -> bool:
        return type(drawn) is policy and low < drawn.keep <= high

    assert corner(find(strategies.policies(), corner, settings=SEARCH))


@given(st.data(), EITHER, EITHER, EITHER, EITHER, st.integers(1, 4))
def test_problems_are_as_asked(data, noise, ridge, penalty, singular, atoms):
    problem = data.draw(
        strategies.problems(
            noise=noise, ridge=ridge, penalty=penalty, singular=singular, max_atoms=atoms, aspect_ratio=(2, 3)
        )
    )
    assert problem.shape == ()
    assert problem.n_atoms <= atoms
    assert 2 <= problem.aspect_ratio <= 3
    found = {
        "noise": (noise, problem.noise_variance > 0),
        "ridge": (ridge, problem.ridge > 0),
        "penalty": (penalty, problem.penalty is not None),
        "singular": (singular, (problem.law.eigenvalues == 0).any()),
    }
    assert all(asked is None or asked == drawn for asked, drawn in found.values()), found
    live = problem.law.eigenvalues[problem.law.eigenvalues > 0]
    assert ((live >= 1e-3) & (live <= 1e3)).all()


@pytest.mark.parametrize(
    "corner",
    [
        lambda problem: problem.n_atoms == 6 and problem.n_samples < 6,
        lambda problem: problem.n_atoms == 6 and problem.n_samples > 12,
        lambda problem: problem.n_atoms == problem.n_samples > 1,
        lambda problem: np.linalg.matrix_rank(problem.covariance) < problem.n_atoms,
        lambda problem: problem.feature_variances.max() > 100 * problem.feature_variances.min() > 0,
        lambda problem: (abs(_correlations(problem)) > 0.9).any() and (problem.coefficients == 0).any(),
        lambda problem: (_correlations(problem) < -0.5).any(),
    ],
)
def test_corners_of_correlated_problems_are_reached(corner):
    assert corner(find(strategies.correlated_problems(), corner, settings=SEARCH))


def _correlations(problem: rc.Correlated) -> np.ndarray:
    """Of different features."""
    covariance = np.asarray(problem.covariance, float)
    scales = np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
    return np.where(scales > 0, covariance / np.where(scales > 0, scales, 1), 0) - np.eye(len(covariance))


@given(st.data(), EITHER, EITHER, EITHER, EITHER, st.integers(1, 4))
def test_correlated_problems_are_as_asked(data, noise, ridge, factors, singular, features):
    problem = data.draw(
        strategies.correlated_problems(
            noise=noise, ridge=ridge, factors=factors, singular=singular, max_features=features
        )
    )
    assert problem.n_atoms <= features
    assert 1 <= problem.n_samples <= 3 * problem.n_atoms
    rank = np.linalg.matrix_rank(problem.covariance)
    found = {
        "noise": (noise, problem.noise_variance > 0),
        "ridge": (ridge, problem.ridge > 0),
        "factors": (factors, isinstance(problem.covariance, rc.FactorCovariance)),
    }
    assert all(asked is None or asked == drawn for asked, drawn in found.values()), found
    assert singular is None or (rank <= 2 if singular else rank == problem.n_atoms)


@settings(max_examples=200)  # there are many kinds
@given(st.data(), EITHER, EITHER)
def test_laws_are_as_asked(data, continuous, singular):
    law = data.draw(strategies.laws(continuous=continuous, singular=singular, max_atoms=3))
    assert continuous is None or isinstance(law, Continuous) == continuous
    assert singular is None or (law.eigenvalues == 0).any() == singular
    assert isinstance(law, Continuous) or law.n_atoms <= 3 or law.n_features is None


@given(strategies.policies(keep=(0.2, 0.3)))
def test_policies_are_as_asked(policy):
    assert 0.2 <= policy.keep <= 0.3


@given(strategies.arguments(singular=False, penalty=True))
def test_arguments_are_plain_numbers(given):
    assert all(type(x) is float for name in ("eigenvalues", "signal", "weights", "penalty") for x in given[name])
    problem = rc.LinearGaussian(**given)
    assert (problem.penalty == given["penalty"]).all()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(strategies.problems() | strategies.problems(law=strategies.laws()), MODELS)
def test_predictions_are_labelled(problem, policy):
    """A risk is a number of at least the noise; or infinite or not a number, and said so."""
    prediction = rc.predict(problem, policy)
    assert math.isnan(prediction.risk) == (prediction.status == "not_converged")
    assert math.isinf(prediction.risk) == (prediction.status == "infinite")
    if math.isfinite(prediction.risk):
        assert prediction.risk >= problem.noise_variance * (1 - 1e-12)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: strategies.problems(aspect_ratio=(3, 2)), r"0 < low <= high, got \(3, 2\)"),
        (lambda: strategies.problems(aspect_ratio=(0, 2)), r"aspect_ratio must be bounds 0 < low"),
        (lambda: strategies.problems(max_atoms=0), r"max_atoms must be at least 1, got 0"),
        (lambda: strategies.laws(max_atoms=0), r"max_atoms must be at least 1, got 0"),
        (lambda: strategies.problems(law=strategies.laws(), singular=True), r"with a law leave it out, got True"),
        (lambda: strategies.policies(keep=(0, 1)), r"keep must be bounds 0 < low <= high <= 1, got \(0, 1\)"),
        (lambda: strategies.policies(keep=(0.5, 1.5)), r"got \(0\.5, 1\.5\)"),
    ],
)
def test_bad_arguments(ask, message: str):
    with pytest.raises(ValueError, match=message):
        ask()


def test_without_hypothesis_the_extra_is_named():
    code = "import sys; sys.modules['hypothesis'] = None; from riskcalc import strategies"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(
        "ImportError: riskcalc.strategies needs Hypothesis: pip install 'riskcalc[strategies]'\n"
    )


def test_nothing_is_drawn_that_some_processes_flush_to_zero():
    """Where a library has set the flags of -ffast-math, Hypothesis refuses to draw subnormal numbers."""
    places = [*Path(strategies.__file__).parent.glob("*.py"), *Path(__file__).parent.glob("test_*.py")]
    lines = (line for path in places for line in path.read_text().splitlines())
    drawn = [line for line in lines if re.search(r"st\.floats\([^\"]", line)]
    # Bounds above zero keep them out, too.
    above = re.compile(r"st\.floats\((0\.0*[1-9]|[1-9]|\*)")
    assert any("allow_subnormal=False" in line for line in drawn)
    assert [line for line in drawn if "allow_subnormal=False" not in line and not above.search(line)] == []
