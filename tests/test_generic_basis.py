"""Features in general position to their eigenvectors, against values, limits, samples and means that are exact.

Values: an independent implementation of the same theory (T12), checked there by simulation.
"""

from __future__ import annotations

import json
from math import sqrt
from typing import Any

import numpy as np
import pytest
from helpers import HERE, command_line, examples

import riskcalc as rc
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.solvers import NotCovered
from riskcalc.simulation.generic import rotated
from riskcalc.simulation.simulate import make_plan, run_trials

LAW = {
    "eigenvalues": [4, 1, "1/10"],
    "signal": [sqrt(0.2), 1, sqrt(3)],
    "weights": ["1/5", "1/2", "3/10"],
    "noise_variance": "3/10",
    "aspect_ratio": "5/2",
    "basis": "generic",
}
FEW = {"aspect_ratio": "3/5", "noise_variance": 1, "ridge": "1/2"}
KEEP = "3/10"
SAME, FRESH = rc.Retrain(0), rc.Retrain(0, "fresh")


def problem(**changes: Any) -> rc.LinearGaussian:
    return rc.LinearGaussian(**LAW | changes)


RIDGE = problem(ridge="1/5")
RIDGELESS = problem()
VALUES = {
    "pruned": (RIDGE, rc.Magnitude(KEEP), None, 1.023584557, 0.1752790895),
    "retrained": (RIDGE, rc.Magnitude(KEEP), rc.Retrain("1/5"), 1.125385599, 0.06536340941),
    "random": (RIDGE, rc.Random(KEEP), rc.Retrain("1/5"), 1.325495929, None),
    "another ridge": (RIDGE, rc.Magnitude(KEEP), rc.Retrain("1/20"), 1.298876678, None),
    "interpolators": (RIDGELESS, rc.Magnitude("3/5"), SAME, 1.242466258, 0.0),
    "few features": (problem(**FEW), rc.Magnitude(KEEP), SAME, 1.708386296, None),
    "oracle": (RIDGELESS, rc.Oracle(KEEP), None, 0.9380096361, None),
    "oracle, retrained": (RIDGELESS, rc.Oracle(KEEP), SAME, 2.102539255, None),
    "fresh": (RIDGELESS, rc.Magnitude(KEEP), FRESH, 2.865516391, None),
}
POLICIES = (
    rc.Magnitude(KEEP),
    rc.BrainSurgeon(KEEP),
    rc.Random(KEEP),
    rc.Group(3, keep=KEEP),
    rc.Sampled(KEEP),
    rc.Sampled(KEEP, replacement=True),
    rc.Oracle(KEEP),
    rc.Optimal(KEEP, rescale=True),
    rc.Score("twice", "2*abs(X)*sqrt(Lambda)", keep=KEEP),
)
REFITS = (None, SAME, rc.Retrain("1/20"), FRESH, rc.Retrain(None, "fresh"))
MODELS = [rc.Procedure(policy, refit) for policy in POLICIES for refit in REFITS]
ERRORS = ("risk", "excess_risk", "training_error")


@pytest.mark.parametrize("name", VALUES)
def test_reference_values(name: str):
    asked, policy, refit, risk, training_error = VALUES[name]
    found = rc.predict(asked, policy, refit)
    assert found.risk == pytest.approx(risk, rel=1e-9)
    assert found.status == "ok"
    if training_error is not None:
        assert found.training_error == pytest.approx(training_error, rel=1e-9)


@pytest.mark.parametrize("asked", [RIDGE, problem(**FEW)], ids=["many", "few"])
def test_more_digits_say_the_same(asked: rc.LinearGaussian):
    rough, fine = evaluate(asked, MODELS), evaluate(asked, MODELS, digits=50)
    for model in MODELS:
        for name in ERRORS:
            assert float(fine[model].values[name]) == pytest.approx(rough[model].values[name], rel=1e-11, abs=1e-15)


def test_a_batch_is_its_regimes():
    ratios, keeps, ridges = [0.5, 2, 3, 1.5], [0.2, 0.7, 1 / 3, 1.0], [0.0, 0.1, 0.0, 0.0]
    batch = problem(aspect_ratio=ratios, ridge=ridges)
    for refit in REFITS:
        found = rc.predict(batch, rc.Magnitude(keeps), refit)
        for i, (ratio, keep, ridge) in enumerate(zip(ratios, keeps, ridges, strict=True)):
            one = rc.predict(problem(aspect_ratio=ratio, ridge=ridge), rc.Magnitude(keep), refit)
            assert found.status[i] == one.status
            for name in ERRORS:
                assert found.values[name][i] == pytest.approx(one.values[name], rel=1e-12, abs=1e-15, nan_ok=True)


# --- limits


def test_keeping_everything_changes_nothing():
    dense, other = rc.predict(RIDGE), rc.predict(problem(ridge="1/20"))
    for policy in (rc.Magnitude(1), rc.Random(1), rc.Group(2, keep=1), rc.Sampled(1), rc.Oracle(1)):
        for refit, expected in ((None, dense), (rc.Retrain(None), dense), (rc.Retrain("1/20"), other)):
            found = rc.predict(RIDGE, policy, refit)
            for name in ERRORS:
                assert found.values[name] == pytest.approx(expected.values[name], rel=1e-13)


@pytest.mark.parametrize("refit", [None, SAME, rc.Retrain("1/5"), FRESH], ids=["pruned", "same", "ridge", "fresh"])
@pytest.mark.parametrize("ratio", ["1/2", "5/2"])
def test_features_of_one_variance_have_no_basis(ratio: str, refit: rc.Retrain | None):
    """Any basis is as good as another, but the coefficients that a generic one sees are Gaussian."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    shared = {"aspect_ratio": ratio, "noise_variance": 1, "ridge": "1/5"}
    generic = rc.LinearGaussian(eigenvalues=2, signal=1.5, basis="generic", **shared)
    own = rc.LinearGaussian(
        eigenvalues=[2] * 100, signal=1.5 * nodes, weights=(weights / weights.sum()).tolist(), **shared
    )
    for policy in (rc.Magnitude(KEEP), rc.Random(KEEP), rc.Sampled(KEEP)):
        there, here = rc.predict(own, policy, refit), rc.predict(generic, policy, refit)
        for name in ("risk", "training_error"):
            assert here.values[name] == pytest.approx(there.values[name], rel=1e-9)
    fine = rc.laws.Empirical(np.full(20_000, 2), 1.5 * _normal_quantiles(20_000))
    for name in ("risk", "training_error"):
        there = rc.predict(rc.LinearGaussian(law=fine, **shared), rc.Oracle(KEEP), refit).values[name]
        assert rc.predict(generic, rc.Oracle(KEEP), refit).values[name] == pytest.approx(there, rel=1e-4)


def _normal_quantiles(count: int) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri((np.arange(count) + 0.5) / count)


def test_two_interpolators():
    """Retraining never beats the dense fit: in closed form, and that grows where few features are kept."""
    keeps = np.array([0.41, 0.5, 0.6, 0.8, 0.99])
    dense, found = rc.predict(RIDGELESS), rc.predict(RIDGELESS, rc.Magnitude(keeps), SAME)
    lam, b2, w = np.array([4, 1, 0.1]), np.array([0.2, 1, 3]), np.array([0.2, 0.5, 0.3])
    nu, gamma, kappa = dense.effective_ridge, dense.risk, 2.5
    square = np.sum(w * (lam / (lam + nu)) ** 2 * b2 + w * kappa * gamma * lam / (lam + nu) ** 2)
    from scipy.stats import chi2, norm

    kept = chi2.sf(norm.isf(keeps / 2) ** 2, 3)
    growth = square * nu / (kappa - 1) * (1 - kept) / kept * kappa * keeps / (kappa * keeps - 1)
    np.testing.assert_allclose(found.risk, gamma + growth, rtol=1e-11)
    assert np.all(found.training_error == 0)


def test_ridges_vanish_and_thresholds_are_peaks():
    for keep in (KEEP, "3/5"):
        limit = rc.predict(RIDGE, rc.Magnitude(keep), SAME)
        near = rc.predict(RIDGE, rc.Magnitude(keep), rc.Retrain("1e-9"))
        assert near.risk == pytest.approx(limit.risk, rel=1e-6)
        assert near.training_error == pytest.approx(limit.training_error, abs=1e-6)
    for policy in (rc.Magnitude("2/5"), rc.Random("2/5"), rc.Oracle("2/5")):
        peak = rc.predict(RIDGE, policy, SAME)
        assert (peak.risk, peak.status) == (np.inf, "infinite")
        assert rc.predict(RIDGE, policy, rc.Retrain("1/1000")).status == "ok"
    unsure = rc.predict(problem(aspect_ratio=1 / 0.3, ridge="1/5"), rc.Magnitude(0.3), SAME)
    assert unsure.status == "near_threshold"
    dense = problem(aspect_ratio=1)
    assert rc.predict(dense, rc.Magnitude(KEEP)).status == "infinite"
    assert rc.predict(dense, rc.Random(KEEP), SAME).status == "ok"  # a small model, which no dense fit precedes


def test_fits_without_error_and_without_variance():
    """A fit without error is the truth: its mask is the oracle's, and is as good as on a fresh sample."""
    exact = problem(aspect_ratio="1/2", noise_variance=0)
    assert {rc.predict(exact, rule(KEEP)).status for rule in (rc.Magnitude, rc.Oracle, rc.Random)} == {"exact_recovery"}
    for refit in (None, SAME, rc.Retrain("1/10"), FRESH):
        told = rc.predict(exact, rc.Oracle(KEEP), refit)
        assert rc.predict(exact, rc.Magnitude(KEEP), refit).risk == pytest.approx(told.risk, rel=1e-12)
    flat = problem(eigenvalues=0)
    assert rc.predict(flat, rc.Magnitude(KEEP), SAME).excess_risk == 0
    # Where more features are kept than there are directions with variance, all of these are found.
    thin = problem(eigenvalues=[4, 1, 0], aspect_ratio="6/5")
    for policy in (rc.Magnitude("4/5"), rc.Random("4/5"), rc.Oracle("4/5")):
        found = rc.predict(thin, policy, SAME)
        assert found.risk == pytest.approx(0.3 / (1 - 1.2 * 0.7), rel=1e-12)
        assert found.training_error == pytest.approx(0.3 * (1 - 1.2 * 0.7), rel=1e-12)


def test_rules_by_what_they_look_at():
    """Scores that weigh |X| act as magnitude, variance as chance; the best rule that sees a fit rescales it."""
    by_size, by_chance = rc.predict(RIDGE, rc.Magnitude(KEEP)), rc.predict(RIDGE, rc.Random(KEEP))
    for policy in (rc.Hessian(KEEP), rc.BrainSurgeon(KEEP), rc.Group(1, keep=KEEP), POLICIES[-1]):
        assert rc.predict(RIDGE, policy).risk == pytest.approx(by_size.risk, rel=1e-12)
    assert rc.predict(RIDGE, rc.Variance(KEEP)).risk == pytest.approx(by_chance.risk, rel=1e-14)
    others = (rc.Magnitude, rc.Random, rc.Sampled, lambda keep: rc.Group(4, keep=keep))
    for asked in (RIDGE, RIDGELESS, problem(**FEW), problem(ridge=20)):
        best = rc.predict(asked, rc.Optimal(KEEP, rescale=True)).risk
        assert all(best <= rc.predict(asked, rule(KEEP)).risk for rule in others)
    sampled, dense = rc.predict(RIDGE, rc.Sampled(KEEP)), rc.predict(RIDGE)
    growth = sampled.risk - dense.risk
    assert sampled.training_error - dense.training_error == pytest.approx(growth, rel=1e-12)
    assert sampled.distortion == pytest.approx(growth / _power(dense), rel=1e-12)


def _power(dense: rc.Prediction) -> float:
    lam, b2, w = np.array([4, 1, 0.1]), np.array([0.2, 1, 3]), np.array([0.2, 0.5, 0.3])
    a = lam / (lam + dense.effective_ridge)
    return float(np.sum(w * lam * (a**2 * b2 + 2.5 * dense.risk * a**2 / lam)))


def test_small_models():
    """By chance the same as pruning at random and fitting again; told the largest coefficients, as an oracle."""
    chance = rc.predict(RIDGE, rc.Procedure.small(KEEP, by=rc.Random))
    assert chance.risk == pytest.approx(rc.predict(RIDGE, rc.Random(KEEP), rc.Retrain(None)).risk, rel=1e-13)
    assert chance.risk == chance.dense_risk
    told = rc.small_model(RIDGE, keep=KEEP)
    assert told.risk == pytest.approx(rc.predict(RIDGE, rc.Oracle(KEEP), rc.Retrain(None)).risk, rel=1e-13)
    assert told.risk < chance.risk


# --- what is refused


@pytest.mark.parametrize(
    ("policy", "refit", "words"),
    [
        (rc.Optimal(KEEP), None, "where it may rescale"),
        (rc.Iterative("magnitude", ["1/2", KEEP]), SAME, "rounds"),
        (rc.Score("bent", "abs(X) + X*X", keep=KEEP), None, "abs.X. . X.X"),
        (rc.Magnitude(KEEP), rc.Retrain("-1/100"), "zero or more"),
    ],
    ids=["optimal", "rounds", "score", "ridge"],
)
def test_what_is_not_covered_is_refused_in_words(policy: rc.policies.Policy, refit: Any, words: str):
    with pytest.raises(NotCovered, match=words):
        rc.predict(RIDGE, policy, refit)


@pytest.mark.parametrize("basis", ["haar", "", None, 2, ["generic"]])
def test_bases_have_names(basis: Any):
    with pytest.raises(ValueError, match="basis must be 'principal' or 'generic'"):
        problem(basis=basis)


def test_a_generic_basis_has_one_penalty():
    for penalty in ("natural", [1, 2, 3]):
        with pytest.raises(ValueError, match="penalty must be None"):
            problem(penalty=penalty)


ROUNDS = {"iterative magnitude", "iterative hessian"}
NOT_PREDICTED = {"optimal", "own", *ROUNDS}
NOT_SIMULATED = {"optimal", "optimal rescale", "variance"}


@pytest.mark.parametrize("name", examples())
def test_every_policy_is_covered_or_refused(name: str):
    """With every refit, by both witnesses; masks keep the budget, and digits are right."""
    rule = examples()[name](KEEP)
    models = [rc.Procedure(rule, refit) for refit in REFITS]
    found = evaluate(RIDGE, models, covered=True)
    assert (name in NOT_PREDICTED) == (found == {})
    for one in found.values():
        assert one.status == "ok"
        assert one.misfit is None
        assert one.risk == pytest.approx(0.3 + one.excess_risk, rel=1e-12)
        assert one.training_error > 0
        share = float(one.kept.mean())
        assert share < 0.3 if name == "sampled replacement" else share == pytest.approx(0.3, rel=1e-12)
    if name in NOT_SIMULATED:
        with pytest.raises(ValueError, match="is not simulated"):
            make_plan(RIDGE, models, 40)
    else:
        assert run_trials(make_plan(RIDGE, models, 40), 0, 1, **HERE).min() >= 0


# --- the same problem everywhere


def test_the_basis_is_part_of_a_problem():
    principal = rc.LinearGaussian(**{name: value for name, value in LAW.items() if name != "basis"})
    assert principal != RIDGELESS
    assert "basis" not in principal.to_dict()
    assert rc.LinearGaussian.from_dict(RIDGELESS.to_dict()) == RIDGELESS
    assert "basis='generic'" in repr(RIDGELESS)
    assert "generic basis" in rc.latex(rc.predict(RIDGELESS))


def test_command_line(monkeypatch: pytest.MonkeyPatch, capsys: Any):
    flags = ["--aspect-ratio", "5/2", "--eigenvalues", "4,1", "--signal", "1", "--noise-variance", "0.3"]
    asked = rc.LinearGaussian(aspect_ratio="5/2", eigenvalues=[4, 1], signal=1, noise_variance="0.3", basis="generic")
    status, out, _ = command_line(
        monkeypatch, capsys, "predict", *flags, "--basis", "generic", "--policy", "magnitude", "--keep", "0.3", "--json"
    )
    assert status == 0
    assert json.loads(out)["risk"] == pytest.approx(rc.predict(asked, rc.Magnitude("0.3")).risk, rel=1e-12)


# --- samples


def test_samples_agree():
    """Rotated features: within 4.5 standard errors of 40 trials, and 2 % for n = 120; fresh noise 4 %."""
    models = [
        rc.Procedure(),
        rc.Procedure(rc.Magnitude(KEEP)),
        rc.Procedure(rc.Magnitude(KEEP), rc.Retrain("1/5")),
        rc.Procedure(rc.Oracle(KEEP), rc.Retrain("1/5")),
        rc.Procedure(rc.Random(KEEP), rc.Retrain("1/5")),
    ]
    values = run_trials(make_plan(RIDGE, models, 120), seed=3, trials=40, device="cpu", workers=1)
    means, errors = values.mean(axis=0), values.std(axis=0, ddof=1) / sqrt(40)
    expected = evaluate(RIDGE, models)
    theory = np.array([[expected[model].risk, expected[model].training_error] for model in models])
    assert np.all(abs(means - theory) <= 4.5 * errors + 0.02 * theory)
    fresh = run_trials(make_plan(RIDGE, [rc.Procedure(rc.Magnitude(KEEP), rc.Retrain("1/5"))], 120), 4, 40, workers=1)
    assert abs(fresh[:, 0, 0].mean() - expected[models[4]].risk) > 0.1  # so near are the models that must differ


def test_rotations_are_orthogonal_and_uniform():
    found = rotated(400, 6, np.random.default_rng(0))
    np.testing.assert_allclose(found @ found.swapaxes(1, 2), np.broadcast_to(np.eye(6), found.shape), atol=1e-12)
    # Each entry has mean 0 and variance 1/6: within 5 standard errors, of which the diagonal of QR's own frame is not.
    assert np.all(abs(found.mean(axis=0)) < 5 / sqrt(6 * 400))


@pytest.mark.parametrize(
    ("policy", "words"),
    [(rc.Optimal(KEEP, rescale=True), "limit only"), (rc.Variance(KEEP), "limit only"), (rc.Group(7, keep=KEEP), "7")],
    ids=["optimal", "variance", "group"],
)
def test_what_is_not_simulated(policy: rc.policies.Policy, words: str):
    with pytest.raises(ValueError, match=words):
        make_plan(RIDGE, [rc.Procedure(policy)], 40)


def test_samples_without_variance_need_a_ridge():
    thin = problem(eigenvalues=[4, 0, 0], aspect_ratio="1/2")
    with pytest.raises(ValueError, match="only 4 eigenvectors have"):
        make_plan(thin, [rc.Procedure()], 40)


def test_two_interpolators_exactly():
    """At n = 8, s = 15, p = 24: the mean over 2,000 bases is as the formulas say, within 4.5 standard errors."""
    n, s, p, bases = 8, 15, 24, 2000
    rng = np.random.default_rng(5)
    spread = np.linspace(0.2, 3, p)
    design, targets = rng.standard_normal((n, p)) * spread, rng.exponential(size=n)
    covariance = np.diag(spread**2) + 0.1
    interpolator = np.linalg.pinv(design) @ targets
    square, unseen = interpolator @ interpolator, np.eye(p) - np.linalg.pinv(design) @ design
    rotations = rotated(bases, p, rng)
    turned = interpolator @ rotations
    for by_size in (True, False):
        scores = abs(turned) if by_size else rng.random((bases, p))
        kept = np.argsort(np.argsort(-scores, axis=-1), axis=-1) < s
        # Back in the eigenbasis: the columns of the rotation that are kept, and least norm on them.
        own = (design @ rotations) * kept[:, None, :]
        refit = (
            own.swapaxes(1, 2)
            @ np.linalg.solve(own @ own.swapaxes(1, 2), np.broadcast_to(targets[:, None], (bases, n, 1)))
        )[..., 0]
        moved = (rotations @ (refit - turned)[..., None])[..., 0]
        share = (kept * turned**2).sum(axis=-1) / square
        found = (moved**2).sum(axis=-1)
        given = {"n_samples": n, "n_keep": s, "n_features": p, "interpolator_square": square}
        each = rc.evaluate("interpolators.distance", given | {"dropped_over_kept": (1 - share) / share})
        assert abs(np.mean(found - each)) < 4.5 * np.std(found - each) / sqrt(bases)
        if not by_size:
            mean = rc.evaluate("interpolators.distance_by_chance", given)
            assert abs(np.mean(found) - mean) < 4.5 * np.std(found) / sqrt(bases)
        # The risk: nothing but the distance times the variance that the sample does not see.
        growth = 2 * moved @ covariance @ interpolator + np.einsum("bi,ij,bj->b", moved, covariance, moved)
        told = {"distance": each, "interpolator_risk": 0.0}
        told["unseen_variance"] = np.trace(covariance @ unseen) / (p - n)
        gap = growth - rc.evaluate("interpolators.risk", told)
        assert abs(gap.mean()) < 4.5 * gap.std() / sqrt(bases)


def test_what_is_all_kept_is_not_distorted():
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=1, noise_variance=0.5, basis="generic")
    assert rc.predict(problem, rc.Sampled(keep=1)).values["distortion"] == 0
    assert 0 < rc.sampling_budget(problem, 0.1).sure_top < 1
