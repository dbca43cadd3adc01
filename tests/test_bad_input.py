"""Bad input never yields a number: it names the argument, its value, and what would be right."""

from __future__ import annotations

import numpy as np
import pytest

import riskcalc as rc

GOOD = {"aspect_ratio": 2.0, "eigenvalues": [4, 1], "signal": [1, 1]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aspect_ratio": 0}, r"aspect_ratio must be above 0, got 0"),
        ({"aspect_ratio": -1.5}, r"aspect_ratio must be above 0, got -1\.5"),
        ({"aspect_ratio": np.inf}, r"aspect_ratio must be finite, got inf"),
        ({"aspect_ratio": [1, np.nan]}, r"aspect_ratio must be finite, got nan"),
        ({"aspect_ratio": "ten"}, r"aspect_ratio must be a finite number such as .* got 'ten'"),
        ({"aspect_ratio": "1/0"}, r"aspect_ratio divides by zero: '1/0'"),
        ({"aspect_ratio": None}, r"give aspect_ratio, or both n_samples and n_features"),
        ({"n_samples": 3}, r"give either aspect_ratio, or n_samples and n_features, not both"),
        ({"aspect_ratio": None, "n_samples": 0, "n_features": 3}, r"n_samples must be at least 1, got 0"),
        ({"aspect_ratio": None, "n_samples": [], "n_features": 3}, r"n_samples"),
        ({"aspect_ratio": []}, r"aspect_ratio is empty"),
        ({"eigenvalues": [4, -1]}, r"eigenvalues must be at least 0, got -1"),
        ({"eigenvalues": []}, r"eigenvalues is empty"),
        ({"eigenvalues": [[1, 2], [3]]}, r"eigenvalues is ragged"),
        ({"eigenvalues": [1, 2, 3]}, r"shapes do not match: eigenvalues \(3,\), signal \(2,\)"),
        ({"eigenvalues": None}, r"eigenvalues is missing"),
        ({"eigenvalues": ["1e-400", 1]}, r"eigenvalues is too small for double precision"),
        ({"eigenvalues": ["1e400", 1]}, r"eigenvalues is too large for double precision"),
        ({"signal": np.nan}, r"signal must be finite, got nan"),
        ({"weights": [0.5, 0.6]}, r"weights must sum to one over the atoms, got a sum of 1\.1"),
        ({"weights": [1.5, -0.5]}, r"weights must be at least 0, got -0\.5"),
        ({"weights": [0.2, 0.3, 0.5]}, r"shapes do not match"),
        ({"weights": 1}, r"weights must sum to one over the atoms, got a sum of 2"),
        ({"noise_variance": -0.1}, r"noise_variance must be at least 0, got -0\.1"),
        ({"ridge": np.inf}, r"ridge must be finite, got inf"),
        ({"penalty": [1, 0]}, r"penalty must be above 0, got 0"),
        ({"penalty": "Newton"}, r"penalty must be None, 'natural' or an array .* got 'Newton'"),
        ({"penalty": [1, 2, 3]}, r"shapes do not match: law \(2,\), penalty \(3,\)"),
        ({"noise_variance": [1, 2], "ridge": [1, 2, 3]}, r"shapes do not match"),
        ({"law": rc.laws.Atoms(1, 1)}, r"give either law, or eigenvalues"),
    ],
)
def test_problem_values(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        rc.LinearGaussian(**GOOD | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aspect_ratio": True}, r"aspect_ratio must be a number, got True"),
        ({"signal": [1, None]}, r"signal must be a number or an array of numbers, got None"),
        ({"noise_variance": 1j}, r"noise_variance must be a number"),
        ({"aspect_ratio": None, "n_samples": 2.5, "n_features": 3}, r"n_samples must be an integer, got 2\.5"),
        ({"eigenvalues": None, "signal": None, "law": [1, 2]}, r"law must be a riskcalc\.laws\.Law, got \[1, 2\]"),
    ],
)
def test_problem_types(change: dict, message: str):
    with pytest.raises(TypeError, match=message):
        rc.LinearGaussian(**GOOD | change)


@pytest.mark.parametrize("keep", [0, -0.1, 1.0001, [0.5, 2]])
@pytest.mark.parametrize("policy", [rc.Magnitude, rc.Hessian, rc.Oracle, rc.Random])
def test_keep_is_a_fraction(policy, keep):
    with pytest.raises(ValueError, match=r"keep must be in \(0, 1\], got"):
        policy(keep=keep)


def test_budgets():
    problem, counted = rc.LinearGaussian(**GOOD), rc.LinearGaussian(n_samples=5, n_features=10, eigenvalues=1, signal=1)
    with pytest.raises(ValueError, match="exactly one of keep and n_keep"):
        rc.Magnitude()
    with pytest.raises(ValueError, match="exactly one of keep and n_keep"):
        rc.compare(problem, keep=0.1, n_keep=2)
    with pytest.raises(ValueError, match="n_keep needs a problem given by n_samples and n_features"):
        rc.compare(problem, n_keep=2)
    with pytest.raises(ValueError, match="n_keep is 11, but the problem has only 10 features"):
        rc.small_model(counted, n_keep=11)
    with pytest.raises(TypeError, match=r"n_keep must be an integer, got 2\.0"):
        rc.Random(n_keep=2.0)
    with pytest.raises(ValueError, match=r"shapes do not match: the problem \(2,\), keep \(3,\)"):
        rc.compare(rc.LinearGaussian(**GOOD | {"ridge": [1, 2]}), keep=[0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    "ask",
    [
        lambda problem: rc.predict(problem),
        lambda problem: rc.small_model(problem, keep=0.1),
        lambda problem: rc.compare(problem, keep=0.1),
        lambda problem: rc.rounds(problem, "hessian", keeps=[0.5, 0.1]),
        lambda problem: rc.prunability(problem, tolerance=0.1),
        lambda problem: rc.sampling_budget(problem, relative_error=0.1),
        lambda problem: rc.crossover(problem, within=(1, 2), keep=0.1),
        lambda problem: rc.optimum(problem),
        lambda problem: rc.peak(problem, within=(1, 2), keep=0.1),
        lambda problem: rc.simulate(problem),
        lambda problem: rc.verify(problem),
        lambda problem: rc.latex("dense.risk", problem=problem),
    ],
)
def test_what_is_no_problem_is_refused_alike(ask):
    with pytest.raises(TypeError, match=r"problem must be a problem such as riskcalc\.LinearGaussian, got 3"):
        ask(3)


def test_predict_arguments():
    problem = rc.LinearGaussian(**GOOD)
    with pytest.raises(TypeError, match=r"prune must be a policy such as .* got 'magnitude'"):
        rc.predict(problem, prune="magnitude")
    with pytest.raises(ValueError, match="digits must be at least 1, got 0"):
        rc.predict(problem, digits=0)
    with pytest.raises(TypeError, match=r"digits must be an integer, got 2.5"):
        rc.predict(problem, digits=2.5)


def test_power_laws():
    with pytest.raises(ValueError, match=r"infinite variance, or nearly.*at most 0\.94, got 1\.5"):
        rc.laws.PowerLaw(1.5, 0.0)
    with pytest.raises(ValueError, match="decay must be at least 0"):
        rc.laws.PowerLaw(-1, 0, 10)
    with pytest.raises(ValueError, match="n_features must be at least 1, got 0"):
        rc.laws.PowerLaw(1, 0, 0)
    with pytest.raises(ValueError, match="signal_decay must be one number"):
        rc.laws.PowerLaw(1, [0, 1], 10)


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_extreme_scales_give_the_right_number_or_none(scale: float):
    """Eigenvalues and noise at the edge of double precision: finite and right, or not a number and said so."""
    problem = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[4 * scale, scale], signal=1, noise_variance=scale, weights=[0.2, 0.8]
    )
    plain = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=1, noise_variance=1, weights=[0.2, 0.8])
    reference = rc.compare(plain, keep=0.3).risks
    for model, prediction in rc.compare(problem, keep=0.3).predictions.items():
        if prediction.status == "ok":
            assert prediction.risk == pytest.approx(scale * reference[model], rel=1e-12)
        else:
            assert prediction.status == "not_converged"
            assert np.isnan(prediction.risk)
