"""Retraining on the same sample (T6) and training errors (T5): known values, limits, and simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import ROUNDING, Regime, regimes
from hypothesis import assume, given

import riskcalc as rc
from riskcalc.simulation.simulate import make_plan, run_trials

TWO_LEVEL = {"aspect_ratio": "10/3", "eigenvalues": [25, 1], "signal": 1, "weights": ["1/10", "9/10"]}
MASKED = (rc.Magnitude, rc.Hessian, rc.BrainSurgeon, rc.Sampled)  # the sample decides what is kept
EVERY = (*MASKED, rc.Oracle, rc.Random, rc.Optimal)


def test_the_papers_example():
    """Hessian-pruned 1.2064, retrained on the same sample 1.4647, and by the fresh formula 1.453."""
    problem, policy = rc.LinearGaussian(**TWO_LEVEL), rc.Hessian(keep="1/10")
    risks = [rc.predict(problem, policy, second).risk for second in (None, True, rc.Retrain(sample="fresh"))]
    assert risks == pytest.approx([1.2064, 1.4647, 1.4534], abs=5e-5)


def test_fifty_digits_agree_with_float64():
    problem = rc.LinearGaussian(**TWO_LEVEL | {"noise_variance": "1/10"})
    for policy in (rc.Hessian(keep="1/10"), rc.Sampled(keep="1/3"), rc.Group(3, keep="1/5")):
        for second in (None, rc.Retrain(), rc.Retrain(ridge="1/4")):
            fast, exact = (rc.predict(problem, policy, second, digits=digits) for digits in (None, 50))
            for name in ("risk", "excess_risk", "training_error", "misfit"):
                assert getattr(fast, name) == pytest.approx(float(getattr(exact, name)), rel=1e-11), (policy, name)


@given(regimes(noise=True))
def test_keeping_everything_retrains_the_dense_fit(regime: Regime):
    """With the same ridge nothing changes: rho is one and c is zero."""
    problem, dense = regime.problem(), rc.predict(regime.problem())
    assume(dense.status == "ok")
    for kind in (rc.Magnitude, rc.Sampled, rc.Random):
        again = rc.predict(problem, kind(keep=1.0), rc.Retrain(ridge=regime.ridge))
        assert again.risk == pytest.approx(dense.risk, rel=1e-9)
        assert again.training_error == pytest.approx(dense.training_error, rel=1e-9, abs=1e-12 * dense.risk)


@given(regimes(noise=True, ridge=True))
def test_keeping_nearly_everything_is_nearly_the_dense_fit(regime: Regime):
    """The same by the equations of T6 themselves, which the mask that keeps everything does not go through.

    Dropping the coefficients d of the fit raises the penalised loss by d'(X'X/n + ridge D)d, and the second fit, which
    is a step s away from the first, raises it by no more: s'(X'X/n + ridge D)s. The eigenvalues of X'X/n, over the
    variances, lie between (1 - sqrt(kappa))^2, or zero, and (1 + sqrt(kappa))^2; and Lambda d^2 is at most the squared
    threshold, on a fraction that is dropped. Errors are squared lengths, whose roots differ by at most that of s.
    """
    problem, dense = regime.problem(), rc.predict(regime.problem())
    assume(dense.status == "ok")
    dropped, root = 1e-9, np.sqrt(regime.aspect_ratio)
    again = rc.predict(problem, rc.Hessian(keep=1 - dropped), rc.Retrain(ridge=regime.ridge))
    weights = regime.ridge * np.array(regime.penalty or [1.0]) / np.array(regime.eigenvalues)
    raised = ((1 + root) ** 2 + weights.max()) * dropped * again.threshold**2
    step = raised / (max(1 - root, 0) ** 2 + weights.min())
    for name, most in (("excess_risk", step), ("training_error", raised)):
        found, first = np.sqrt(getattr(again, name)), np.sqrt(getattr(dense, name))
        assert abs(found - first) <= np.sqrt(most) + ROUNDING * np.sqrt(dense.risk), name


@pytest.mark.parametrize("kind", [rc.Oracle, rc.Random])
@given(regimes(noise=True))
def test_masks_that_the_sample_does_not_decide_know_no_sample(kind, regime: Regime):
    problem, policy = regime.problem(), kind(keep=regime.keep)
    same, fresh = (rc.predict(problem, policy, rc.Retrain(sample=sample)).risk for sample in ("same", "fresh"))
    assert same == fresh or (np.isnan(same) and np.isnan(fresh))


def test_a_mask_without_moments_is_that_of_chance():
    """T6 for a mask that happens to be independent of the noise gives T4."""
    from riskcalc.lowering.evaluator import PLAIN
    from riskcalc.prediction.diagonal.regimes import chunks
    from riskcalc.prediction.diagonal.retraining import fit_same
    from riskcalc.prediction.diagonal.solver import DiagonalSolver

    problem = rc.LinearGaussian(**TWO_LEVEL | {"noise_variance": 0.2, "ridge": 0.1})
    (chunk,) = chunks(problem, (), PLAIN.system)
    with PLAIN.system.precision():
        solver = DiagonalSolver(problem, chunk, PLAIN)
        pruned = solver.prune(solver.fit(None), rc.Random(keep=0.4), None)
        for ridge in (0.0, 0.3):
            fresh = solver.refit(pruned, rc.Retrain(ridge, "fresh"), None)
            given = [replace(group, of_fit=True) for group in pruned.groups]
            by_equations = fit_same(fresh.second, dict(fresh.values), given, solver.sample, PLAIN)
            assert by_equations["risk"] == pytest.approx(fresh.values["risk"], rel=1e-12)
            assert by_equations["training_error"] == pytest.approx(fresh.values["training_error"], rel=1e-10)


@given(regimes(noise=True))
def test_excess_risk_is_the_risk_beyond_the_noise(regime: Regime):
    for kind in EVERY:
        for second in (None, rc.Retrain(), rc.Retrain(ridge=0.5)):
            found = rc.predict(regime.problem(), kind(keep=regime.keep), second)
            if found.status == "ok":
                expected = found.risk - regime.noise_variance
                assert found.excess_risk == pytest.approx(expected, rel=1e-6, abs=1e-9 * found.risk), kind
                assert -1e-9 * found.risk <= found.misfit
                assert found.training_error >= -1e-9 * found.risk


def test_an_interpolator_has_no_training_error():
    problem = rc.LinearGaussian(**TWO_LEVEL | {"noise_variance": 0.3})
    above = rc.predict(problem, rc.Magnitude(keep=0.6), True)  # two features kept per sample
    below = rc.predict(problem, rc.Magnitude(keep=0.1), True)
    assert above.training_error == 0
    assert 0 < below.training_error < rc.predict(problem, rc.Magnitude(keep=0.1)).training_error


def test_pruned_training_errors_reach_their_ends():
    problem = rc.LinearGaussian(**TWO_LEVEL | {"noise_variance": 0.3, "ridge": 0.2})
    dense, null = rc.predict(problem).training_error, 0.3 + 2.5 + 0.9
    for kind in (*MASKED[:3], rc.Random):
        everything, nothing = (rc.predict(problem, kind(keep=keep)).training_error for keep in (1.0, 1e-9))
        assert everything == pytest.approx(dense, rel=1e-12)
        assert nothing == pytest.approx(null, rel=1e-4)


@given(regimes(noise=True))
def test_sampling_grows_both_errors_alike(regime: Regime):
    problem, dense = regime.problem(), rc.predict(regime.problem())
    assume(dense.status == "ok")
    for replacement in (False, True):
        found = rc.predict(problem, rc.Sampled(keep=regime.keep, replacement=replacement))
        growth = found.risk - dense.risk
        assert found.training_error - dense.training_error == pytest.approx(growth, rel=1e-7, abs=1e-9 * found.risk)
        assert growth >= -1e-9 * dense.risk


def test_at_the_threshold_of_the_second_fit():
    problem = rc.LinearGaussian(**TWO_LEVEL)
    for sample in ("same", "fresh"):
        found = rc.predict(problem, rc.Hessian(keep="3/10"), rc.Retrain(sample=sample))
        assert (found.risk, found.status) == (np.inf, "infinite")
    ridged = rc.predict(problem, rc.Hessian(keep="3/10"), rc.Retrain(ridge=1e-3))
    assert ridged.status == "ok"
    near = [rc.predict(problem, rc.Hessian(keep=0.3 + sign * 1e-6), True).risk for sign in (-1, 1)]
    assert min(near) > 1e4


def test_an_exact_fit_is_retrained_as_on_a_fresh_sample():
    """Without noise and below the threshold the first fit is exact: its ranking does not depend on the sample."""
    problem = rc.LinearGaussian(aspect_ratio=0.5, eigenvalues=[4, 1], signal=[1, 3], weights=[0.5, 0.5])
    for kind in MASKED[:3]:
        same, fresh = (rc.predict(problem, kind(keep=0.4), rc.Retrain(sample=sample)) for sample in ("same", "fresh"))
        assert same.status == "ok"
        assert same.risk == fresh.risk
        assert rc.predict(problem, kind(keep=0.4)).training_error == pytest.approx(
            rc.predict(problem, kind(keep=0.4)).risk, rel=1e-12
        )


# Four standard errors and what is left of 1/n at n = 500: the 64 comparisons raise a false alarm with probability 1e-4
# for each standard error's worth of luck, were the rest zero.
SIGMAS, FINITE_SIZE = 4.0, 0.02


@pytest.mark.parametrize("near", [0.75, 1.35])
def test_simulation_near_the_threshold_of_the_second_fit(near: float):
    """Where the same sample matters most: risks and training errors, and the fresh formula is refuted."""
    problem = rc.LinearGaussian(
        aspect_ratio=2.5, eigenvalues=[9, 1], signal=[0.5, 1], weights=["1/5", "4/5"], noise_variance=0.5
    )
    policies = [kind(keep=near / 2.5) for kind in (rc.Magnitude, rc.Hessian, rc.BrainSurgeon)]
    models = [(policy, second) for policy in policies for second in (rc.Retrain(), rc.Retrain(ridge=0.05))]
    plan = make_plan(problem, [rc.Procedure(*model) for model in models], 500)
    values = run_trials(plan, 5, 60, device="cpu", workers=1)
    means, errors = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
    refuted = False
    for (policy, second), mean, error in zip(models, means, errors, strict=True):
        found = rc.predict(problem, policy, second)
        for predicted, measured, stderr in zip((found.risk, found.training_error), mean, error, strict=True):
            assert abs(measured - predicted) <= SIGMAS * stderr + FINITE_SIZE * predicted + 1e-20, (policy, second)
        fresh = rc.predict(problem, policy, rc.Retrain(second.ridge, "fresh")).risk
        refuted |= abs(mean[0] - fresh) > 2 * (SIGMAS * error[0] + FINITE_SIZE * fresh)
    assert refuted


def test_bad_input():
    problem = rc.LinearGaussian(**TWO_LEVEL)
    with pytest.raises(ValueError, match="retrain needs a policy to prune by before it"):
        rc.predict(problem, retrain=True)
    with pytest.raises(TypeError, match=r"retrain must be True, False or a riskcalc\.Retrain, got 'same'"):
        rc.predict(problem, rc.Magnitude(keep=0.1), "same")
    with pytest.raises(ValueError, match=r"ridge must be one number, got \[0, 1\]"):
        rc.Retrain(ridge=[0, 1])
