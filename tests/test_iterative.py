"""Iterative pruning: against one-shot pruning, simulation, symmetries and special cases."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import riskcalc as rc
from riskcalc.lowering.evaluator import PLAIN
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.policies import Hessian, Iterative, Magnitude, Random, Retrain
from riskcalc.prediction.diagonal.columns import calibrated
from riskcalc.prediction.diagonal.fit import fit_dense
from riskcalc.prediction.diagonal.regimes import chunks
from riskcalc.prediction.diagonal.rounds import MEASURED, Rounds, _Regime, prune_repeatedly
from riskcalc.prediction.policies import score
from riskcalc.prediction.status import Status
from riskcalc.simulation.simulate import make_plan, run_trials

# A prediction agrees with another number within so many standard errors.
SIGMAS = 5.0
# What sizes of a few hundred leave out, relatively.
FINITE_SIZE = 0.02

TWO_LEVEL = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
NOISY = rc.LinearGaussian(
    aspect_ratio=2, eigenvalues=[4, 1], signal=[1, "1/2"], weights=["1/4", "3/4"], noise_variance=0.3
)
FEW = rc.LinearGaussian(
    aspect_ratio="1/2", eigenvalues=[4, 1], signal=[1, "1/2"], weights=["1/4", "3/4"], noise_variance=0.5
)
MANY = rc.LinearGaussian(aspect_ratio=5, eigenvalues=[4, 1], signal=1, weights=["1/5", "4/5"])
WEIGHTED = rc.LinearGaussian(
    aspect_ratio=3,
    eigenvalues=[4, 1, "1/4"],
    signal=[1, "3/2", "1/2"],
    weights=["1/4", "1/4", "1/2"],
    noise_variance=0.5,
    ridge=0.3,
    penalty=["1/2", 1, 2],
)


def rounds(problem: rc.LinearGaussian, keeps, policy=Magnitude, ridge: float = 0.0, **options) -> Rounds:
    with FLOAT64.precision():
        (chunk,) = chunks(problem, problem.shape, FLOAT64)
        fit = fit_dense(chunk.state, chunk.ridge_surplus, chunk.live_mass, PLAIN)
    return prune_repeatedly(fit, keeps, [ridge] * len(keeps), score(policy(keep=1)), PLAIN, **options)


@pytest.mark.parametrize("problem", [TWO_LEVEL, NOISY, FEW, MANY, WEIGHTED])
@pytest.mark.parametrize("policy", [Magnitude, Hessian])
@pytest.mark.parametrize("keep", [0.02, 0.3, 0.9])
def test_one_round_is_pruning_once(problem, policy, keep):
    found = rounds(problem, [keep], policy)
    once = rc.predict(problem, prune=policy(keep=keep))
    for name in ("pruned_risk", "threshold"):
        wanted = once.risk if name == "pruned_risk" else once.threshold
        error = found.errors[name].item()
        assert 0 < error < 0.02 * wanted
        # The replicates' spread is itself known to a quarter only, and tails are few columns.
        assert abs(getattr(found, name).item() - wanted) < SIGMAS * error + 5e-4 * wanted
    assert np.average(found.kept[0, 0], weights=problem.law.weights.astype(float)) == pytest.approx(keep, rel=1e-12)


@pytest.mark.parametrize("retrain", [None, Retrain(), Retrain(0.1, "fresh")])
@pytest.mark.parametrize("digits", [None, 20])
def test_one_round_is_predicted_as_pruning_once(retrain, digits):
    many = rc.predict(NOISY, Iterative(Hessian, ["1/3"], ridge=0.2), retrain, digits)
    once = rc.predict(NOISY, Hessian(keep="1/3"), retrain, digits)
    for name in ("risk", "excess_risk", "training_error", "misfit", "threshold", "status"):
        assert getattr(many, name) == getattr(once, name)
    assert many.kept.tolist() == once.kept.tolist()
    assert many.integration_error == 0


@pytest.mark.parametrize("keep", ["1/4", "29/100"])
def test_the_fit_on_a_fresh_sample_has_its_own_error(keep):
    """Near its threshold the fit multiplies what the masks are uncertain by."""
    problem = rc.LinearGaussian(
        aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"], noise_variance=1
    )
    found = rounds(problem, [float(Fraction(keep))])
    once = rc.predict(problem, Magnitude(keep=keep), Retrain(sample="fresh"))
    for name in ("risk", "training_error"):
        error = found.errors[f"fresh_{name}"].item()
        assert abs(getattr(found, f"fresh_{name}").item() - getattr(once, name)) < SIGMAS * error + 1e-12
    many = rc.predict(problem, Iterative(Magnitude, [1, keep]), Retrain(sample="fresh"))
    assert abs(many.risk - once.risk) < SIGMAS * many.integration_error


RARE = {
    "the top of a heavy tail is kept": (
        rc.LinearGaussian(
            aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"], noise_variance=1
        ),
        Hessian,
        1e-6,
        None,
    ),
    "strong features are hardly ever dropped": (
        rc.LinearGaussian(
            aspect_ratio=1.5,
            eigenvalues=[257.5, 34.13, 0.062],
            signal=1,
            weights=["1/5", "3/10", "1/2"],
            noise_variance=8,
        ),
        Magnitude,
        0.3,
        Retrain(0.1),
    ),
}


@pytest.mark.parametrize("case", RARE)
def test_the_error_covers_events_that_no_point_meets(case):
    """After a first round that keeps everything, and fits it again, what follows is pruning once."""
    problem, policy, keep, retrain = RARE[case]
    many, once = (
        rc.predict(problem, Iterative(policy, [1, keep]), retrain),
        rc.predict(problem, policy(keep=keep), retrain),
    )
    assert 0 < many.integration_error < 1e-3 * many.risk
    assert abs(many.risk - once.risk) < SIGMAS * many.integration_error


def test_the_documented_number():
    """Retrained on the same sample, at the problem that the documentation shows (1.46466 by exact moments)."""
    found = rounds(TWO_LEVEL, [0.1], Hessian, columns_per_replicate=1 << 15)
    assert found.errors["risk"].item() < 1e-3
    assert found.risk.item() == pytest.approx(1.46466, abs=SIGMAS * found.errors["risk"].item())


CASES = {
    "fewer features than samples": (FEW, Magnitude, [0.6, 0.36, 0.2], 0.0),
    "fewer features than samples, hessian": (FEW, Hessian, [0.6, 0.36, 0.2], 0.0),
    "from more to fewer, noiseless": (MANY, Hessian, [0.6, 0.3, 0.1], 0.0),
    "from more to fewer": (NOISY, Magnitude, [0.75, 0.3], 0.0),
    "ridge and penalty": (WEIGHTED, Hessian, [0.5, 0.3, 0.1], 0.2),
    "ridge and penalty, magnitude": (WEIGHTED, Magnitude, [0.5, 0.1], 0.2),
}


@pytest.mark.parametrize("case", CASES)
def test_rounds_agree_with_simulation(case):
    """Every number of every round; the dense fit of the same trials is its control variate."""
    problem, policy, keeps, ridge = CASES[case]
    found = rounds(problem, keeps, policy, ridge)
    models = [rc.Procedure()]
    for number in range(1, len(keeps) + 1):
        budget = Iterative(policy, keeps=keeps[:number], ridge=ridge)
        models += [rc.Procedure(budget), rc.Procedure(budget, Retrain(ridge))]
    trials = run_trials(make_plan(problem, models, 400), 7, 48, device="cpu", workers=1)
    means, errors = trials.mean(axis=0), trials.std(axis=0, ddof=1) / np.sqrt(len(trials))
    assert found.status.tolist() == [[Status.OK] * len(keeps)]
    for number in range(len(keeps)):
        for name, model, column in (
            ("pruned_risk", 1 + 2 * number, 0),
            ("pruned_training_error", 1 + 2 * number, 1),
            ("risk", 2 + 2 * number, 0),
            ("training_error", 2 + 2 * number, 1),
        ):
            predicted, error = getattr(found, name)[0, number], found.errors[name][0, number]
            spread = np.hypot(errors[model, column], error)
            allowed = SIGMAS * spread + FINITE_SIZE * predicted + 1e-12
            assert abs(predicted - means[model, column]) < allowed, (name, number)


def test_keeping_everything_changes_nothing():
    """With the same ridge the second fit is the first, free of integration error."""
    for problem, ridge in ((NOISY, 0.0), (WEIGHTED, 0.3)):
        found, dense = rounds(problem, [1.0], ridge=ridge), rc.predict(problem)
        for name in ("pruned_risk", "risk"):
            assert getattr(found, name).item() == pytest.approx(dense.risk, rel=1e-12)
        for name in ("pruned_training_error", "training_error"):
            assert getattr(found, name).item() == pytest.approx(dense.training_error, rel=1e-10, abs=1e-12)
        assert max(found.errors[name].item() for name in MEASURED[:4]) < 1e-12
    gentle = rounds(NOISY, [1.0, 0.9999, 0.999])
    assert gentle.risk == pytest.approx(rc.predict(NOISY).risk, rel=1e-5)


def test_a_first_round_that_keeps_everything_does_not_matter():
    """Without noise every fit is exact, and features of a tied score are no better one than the other."""
    exact = rc.LinearGaussian(aspect_ratio=0.8, eigenvalues=[4, 1], signal=[2, 1], weights=[0.3, 0.7])
    found = rounds(exact, [1.0, 0.5])
    assert found.status.tolist() == [[Status.EXACT_RECOVERY, Status.OK]]
    once = rc.predict(exact, Magnitude(keep=0.5), retrain=True)
    assert found.risk[0] == pytest.approx([0, once.risk], rel=1e-12)


def test_keeping_everything_at_the_threshold():
    """After a ridge, least squares on as many features as samples: weights that add up to one but for rounding."""
    peak = rc.LinearGaussian(
        aspect_ratio=1, eigenvalues=[4, 1], signal=[2, 1], weights=[0.3, 0.7], noise_variance=1, ridge=0.1
    )
    assert rounds(peak, [1.0]).status.tolist() == [[Status.INFINITE]]


def test_a_verdict_says_where_nothing_is_known():
    schedule = rc.rounds(NOISY, "hessian", ["3/5", "1/2", "1/5"])
    assert str(schedule).endswith("At 0.5 the fit is at its interpolation threshold: nothing is known after it.")
    assert not schedule.rounds_pay
    plain = schedule.to_dict()
    assert (plain["gain"], plain["error"]) == ("nan", "nan")
    peak = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1)
    assert "At 0.5 nothing is known" in str(rc.rounds(peak, "magnitude", [0.5, 0.2]))


def test_a_difference_within_rounding_is_none():
    sparse = rc.LinearGaussian(aspect_ratio=0.8, eigenvalues=[4, 1], signal=[1, 0], weights=["1/4", "3/4"])
    for keeps in ([0.2], [0.5, 0.2]):
        schedule = rc.rounds(sparse, "hessian", keeps)
        assert schedule.gain == schedule.to_dict()["gain"] == 0
        assert schedule.error < 1e-12
        assert str(schedule).endswith("No difference beyond the error of integration.")


def test_features_without_variance_are_dropped_first():
    with_dead = rc.LinearGaussian(
        aspect_ratio=4,
        eigenvalues=[4, 1, 0],
        signal=[2**0.5, 2**-0.5, 3],
        weights=[0.125, 0.375, 0.5],
        noise_variance=0.3,
    )
    found, alone = rounds(with_dead, [0.8, 0.3, 0.1]), rounds(NOISY, [0.6, 0.2])
    assert found.risk[0, 0] == pytest.approx(rc.predict(with_dead).risk, rel=1e-12)
    assert found.kept[0, 0].tolist() == pytest.approx([1, 1, 0])
    # The same problem once the dead features are taken out of it.
    assert rounds(with_dead, [0.3, 0.1]).risk == pytest.approx(alone.risk, rel=0.02)
    assert found.risk[0, 1:] == pytest.approx(alone.risk[0], rel=0.02)


def test_at_the_peak_the_risk_is_infinite_and_what_follows_is_unknown():
    found = rounds(NOISY, [0.6, 0.5, 0.2])
    assert found.status.tolist() == [[Status.OK, Status.INFINITE, Status.NOT_CONVERGED]]
    assert found.pruned_status.tolist() == [[Status.OK, Status.OK, Status.INFINITE]]
    assert found.risk[0, 1] == np.inf
    assert found.training_error[0, 1] == 0
    assert found.pruned_risk[0, 2] == np.inf
    assert np.isnan(found.risk[0, 2])
    assert np.isfinite(found.pruned_risk[0, :2]).all()
    peak = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1)
    assert rounds(peak, [0.5]).pruned_status.tolist() == [[Status.INFINITE]]
    assert np.isfinite(rounds(NOISY, [0.6, 0.5, 0.2], ridge=0.01).risk).all()


def test_exact_recovery():
    sparse = rc.LinearGaussian(aspect_ratio=0.8, eigenvalues=[4, 1], signal=[1, 0], weights=["1/4", "3/4"])
    found = rounds(sparse, [0.6, 0.5, 0.2], Hessian)
    assert found.status.tolist() == [[Status.EXACT_RECOVERY, Status.EXACT_RECOVERY, Status.OK]]
    assert found.risk[0, :2].tolist() == [0, 0]
    assert found.pruned_risk[0, 2] == pytest.approx(0.2)
    assert found.risk[0, 2] == pytest.approx(0.2 / (1 - 0.16))  # a known subset: nothing was learnt from noise
    tied = rc.LinearGaussian(aspect_ratio=0.8, eigenvalues=[4, 1], signal=[1, 2], weights=["1/4", "3/4"])
    assert rounds(tied, [0.4], Hessian).kept[0, 0] == pytest.approx([0.4, 0.4], abs=1e-3)


def test_scaling_the_target_scales_the_risks():
    loud = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[4, 1], signal=[2, 1], weights=["1/4", "3/4"], noise_variance=1.2
    )
    one, other = rounds(NOISY, [0.6, 0.2]), rounds(loud, [0.6, 0.2])
    for name in MEASURED[:4]:
        assert getattr(other, name) == pytest.approx(4 * getattr(one, name), rel=1e-9)


def test_laws_of_many_features():
    problem = rc.LinearGaussian(
        law=rc.laws.PowerLaw(1.2, 0.3, 2000), n_samples=500, n_features=2000, noise_variance=0.1
    )
    found, once = rounds(problem, [0.2, 0.1]), rc.predict(problem, prune=Magnitude(keep=0.2))
    assert found.pruned_risk[0, 0] == pytest.approx(once.risk, abs=SIGMAS * found.errors["pruned_risk"][0, 0])
    assert (found.errors["risk"] < 0.02 * found.risk).all()


THREE = rc.LinearGaussian(
    aspect_ratio="3/2", eigenvalues=[4, 8, "2/5"], signal=[1, "6/5", "1/5"], weights=["3/7", "3/7", "1/7"]
)
SPECTRUM = np.geomspace(0.1, 100, 400)
ALIKE = {
    "rounds that drop next to nothing": (THREE, [0.9999, 0.9998, 0.9997, 0.9996]),
    "rounds that drop little": (THREE, [0.99, 0.98, 0.97, 0.96]),
    "nearly equal budgets after a large step": (THREE, [0.9, 0.5, 0.45, 0.4]),
    "every feature of its own": (
        rc.LinearGaussian(aspect_ratio=3, law=rc.laws.Empirical(SPECTRUM, 1), noise_variance=0.3),
        [0.76, 0.53],
    ),
    "many features of few kinds": (
        rc.LinearGaussian(aspect_ratio=3, law=rc.laws.Empirical(np.repeat([4, 8, 0.4], [66, 66, 22]), 1)),
        [0.76, 0.53],
    ),
}


@pytest.mark.parametrize("case", ALIKE)
@pytest.mark.parametrize("policy", [Magnitude, Hessian])
def test_fits_that_see_nearly_the_same_noise_are_told_apart(case, policy):
    """The default columns agree with sixteen times as many, and their errors are at most 1 % of the risk."""
    problem, keeps = ALIKE[case]
    found, finer = (rounds(problem, keeps, policy, columns_per_replicate=1 << k) for k in (11, 15))
    for name in ("risk", "training_error"):
        values, errors = getattr(found, name), found.errors[name]
        assert (errors <= 0.01 * found.risk).all()
        assert (abs(values - getattr(finer, name)) <= SIGMAS * np.hypot(errors, finer.errors[name])).all()


@pytest.mark.parametrize(
    "problem", [THREE, WEIGHTED, rc.LinearGaussian(aspect_ratio=3, law=rc.laws.Empirical(SPECTRUM, 1))]
)
def test_errors_of_the_fits_have_the_covariance_of_their_noises(problem):
    with FLOAT64.precision():
        (chunk,) = chunks(problem, problem.shape, FLOAT64)
        fit = fit_dense(chunk.state, chunk.ridge_surplus, chunk.live_mass, PLAIN)
        regime = _Regime(fit.state, 4, 1 << 11, 4, PLAIN)
        regime.rounds(Status.OK, [0.8, 0.6, 0.4, 0.3], [0.0, 0.2, 0.0, 0.0], score(Hessian(keep=1)))
    law, weights = regime.law, regime.law["weights"] / regime.scalars["total"]
    noises = np.stack([law[f"G{k}"] for k in (1, 2, 3, 4)], axis=1)
    errors = np.sqrt(law["Lambda"] / regime.scalars["kappa"]) * law["B"]
    errors = errors[:, None] - np.stack([law[f"V{k}"] for k in (1, 2, 3, 4)], axis=1)
    sigma2, kappa = (regime.scalars[name][:, :, None] for name in ("sigma2", "kappa"))
    of_noises, of_errors = ((weights[:, None] * x) @ x.swapaxes(1, 2) for x in (noises, errors))
    assert sigma2 + kappa * of_errors == pytest.approx(of_noises, rel=1e-7)


def test_with_too_few_columns_to_be_exact_the_error_says_so():
    """A column or two are kept of 2048, and what they lack is not hidden."""
    problem = rc.LinearGaussian(
        aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"], noise_variance=1
    )
    keeps = [0.0005, 0.0004, 0.0003, 0.0002]
    found, finer = (rounds(problem, keeps, columns_per_replicate=1 << k) for k in (11, 16))
    off = abs(found.risk - finer.risk)
    assert (off <= SIGMAS * np.hypot(found.errors["risk"], finer.errors["risk"])).all()


def test_calibrated_normals_have_the_moments_of_normals():
    rng = np.random.default_rng(0)
    normal, slope, other = rng.standard_normal((3, 4, 500))
    weights = rng.random((4, 500))
    found = calibrated(normal, weights, slope, [slope * other, other, 2 * other])

    def mean(values: np.ndarray) -> np.ndarray:
        return (weights * values).sum(axis=1) / weights.sum(axis=1)

    for moment, wanted in (
        (found**2, np.ones(4)),
        ((slope * found) ** 2, mean(slope**2)),
        (found * slope * other, np.zeros(4)),
        (found * other, np.zeros(4)),
    ):
        assert mean(moment) == pytest.approx(wanted, abs=1e-6)  # without, 0.05
    assert abs(found - normal).max() < 0.5


def test_a_batch_is_its_regimes():
    both = rc.LinearGaussian(
        aspect_ratio=[2, 0.5], eigenvalues=[4, 1], signal=[1, 0.5], weights=[0.25, 0.75], noise_variance=[0.3, 0.5]
    )
    found = rounds(both, [0.4, 0.2])
    for row, problem in enumerate((NOISY, FEW)):
        assert found.risk[row] == pytest.approx(rounds(problem, [0.4, 0.2]).risk[0], rel=1e-12)
    policy = Iterative(Magnitude, ["2/5", "1/5"])
    errors = [rc.predict(problem, policy, True).integration_error for problem in (NOISY, FEW)]
    assert rc.predict(both, policy, True).integration_error == pytest.approx(errors, rel=1e-6)


def test_policies_say_what_they_are():
    policy = Iterative(Magnitude, keeps=[0.6, 0.36, 0.2])
    assert (policy.name, policy.policy, policy.keep.item()) == ("iterative", Magnitude(keep=1), 0.2)
    assert policy.budget(None).shape == ()
    assert repr(policy) == "Iterative(policy='magnitude', keeps=[0.6, 0.36, 0.2])"
    assert repr(Iterative("hessian", ["1/2", "1/4"])) == "Iterative(policy='hessian', keeps=[0.5, 0.25])"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keeps": [0.2, 0.36]}, r"keeps must decrease from round to round, got 0\.36 after 0\.2"),
        ({"keeps": ["1/2", 0.5]}, "keeps must decrease from round to round, got 1/2 after 1/2"),
        ({"keeps": []}, "keeps is empty"),
        ({"keeps": [0.5, float("nan")]}, "keeps must be finite"),
        ({"keeps": [1.5, 0.5]}, r"keeps must be in \(0, 1\], got 1\.5"),
        ({"keeps": [0.5, 0]}, r"keeps must be in \(0, 1\], got 0"),
        ({"keeps": 0.5}, "keeps must be a list of fractions"),
        ({"keeps": [[0.5], [0.2]]}, "keeps must be a list of fractions"),
        ({"policy": Random}, "policy must be a policy that ranks by a score, or its name"),
        ({"policy": "random"}, "policy must be a policy that ranks by a score, or its name"),
        ({"policy": Random(keep=0.5)}, "policy must be a policy that ranks by a score, or its name"),
        ({"policy": rc.BrainSurgeon}, "policy must rank the fits of later rounds, too, which surgeon does not"),
        ({"ridge": [0, 1]}, r"ridge must be one number, got \[0, 1\]"),
    ],
)
def test_bad_rounds_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Iterative(**({"policy": Magnitude, "keeps": [0.5, 0.2]} | arguments))


def test_rounds_that_cannot_be_simulated_are_refused():
    def simulate(keeps):
        return rc.simulate(NOISY, Iterative(Magnitude, keeps), True, n_samples=40, trials=2, device="cpu", workers=1)

    with pytest.raises(ValueError, match="too near the 40 features kept"):
        simulate([0.5, 0.2])
    with pytest.raises(ValueError, match="leaves none"):
        simulate([0.9, 0.001])
    assert simulate([0.9, 0.2]).trials == 2


def test_rounds_are_nested_in_the_simulation():
    """Features without variance are kept before any that was dropped: a second round that drops nothing else."""
    dead = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[1, 0], signal=1, weights=[0.5, 0.5], ridge=0.1)
    budgets = (["1/4"], ["1/4", "1/8"], ["1/8"])
    models = [rc.Procedure(Iterative(Magnitude, keeps, ridge=0.1), Retrain(0.1)) for keeps in budgets]
    once, twice, _ = run_trials(make_plan(dead, models, 40), 0, 4, device="cpu", workers=1)[:, :, 0].T
    assert (twice > once).all()
