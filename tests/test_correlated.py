"""Correlated features: predictions beside the diagonal theory, one factor, reference values and draws of one's own."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from helpers import command_line

import riskcalc as rc
from riskcalc.prediction.correlated.averages import jackknife, leaving_out
from riskcalc.prediction.correlated.features import FactorPart, MatrixPart, features_of
from riskcalc.prediction.correlated.fit import effective_ridge
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.solvers import NotCovered


def autoregressive(p: int, rho: float) -> np.ndarray:
    """Covariance rho^|i-j|."""
    return rho ** abs(np.subtract.outer(np.arange(p), np.arange(p)))


def reference(**changes: Any) -> rc.Correlated:
    """The problem whose values were found by another implementation."""
    beta = np.zeros(40)
    beta[[0, 10, 20, 30]] = [1, -1, 1, -1]
    given: dict[str, Any] = {"covariance": autoregressive(40, 0.5), "coefficients": beta, "n_samples": 20}
    given |= {"noise_variance": 0.2, "ridge": 0.1}
    return rc.Correlated(**given | changes)


def predicted(*asked: Any, **how: Any) -> Any:
    """A prediction whose numbers are known to be there."""
    return rc.predict(*asked, **how)


RNG = np.random.default_rng(7)
FACTORS = rc.FactorCovariance(RNG.normal(size=(30, 3)) / 2, RNG.uniform(0.2, 1.5, 30))
BETA = RNG.normal(size=30) / 4
MAGNITUDE = rc.Magnitude(n_keep=8)


def test_reference_values():
    """An independent implementation and simulation: nu, the dense fit, a small model on the support, retraining."""
    problem = reference()
    dense = predicted(problem)
    assert dense.effective_ridge == pytest.approx(0.9447439967, rel=1e-9)
    assert dense.risk == pytest.approx(1.910582223, rel=1e-9)
    support = rc.small_model(problem, features=[0, 10, 20, 30])
    assert support.risk == pytest.approx(0.2938478467, rel=1e-9)
    assert support.risk == rc.small_model(problem, n_keep=4).risk
    retrained = predicted(problem, MAGNITUDE, rc.Retrain(0.1), tolerance=0.015)
    assert retrained.integration_error <= 0.015 * retrained.risk
    assert abs(retrained.risk - 1.047) <= 4 * np.hypot(0.007, retrained.integration_error)


@pytest.mark.parametrize("n", [60, 24], ids=["few", "many"])
@pytest.mark.parametrize("ridge", [0, 0.3])
def test_a_diagonal_covariance_is_the_diagonal_theory(n: int, ridge: float):
    """One atom for each feature. Masks of exactly s features and of s on average differ by some 2 Var/s^2."""
    p, rng = 40, np.random.default_rng(1)
    variances, beta = rng.uniform(0.2, 3, p), rng.normal(size=p) / 4
    given = {"coefficients": beta, "n_samples": n, "noise_variance": 0.5, "ridge": ridge}
    correlated = rc.Correlated(np.diag(variances), **given)
    diagonal = rc.LinearGaussian(eigenvalues=variances, n_features=p, **given)
    procedures = {rc.Procedure(): 1e-9}
    procedures |= {rc.Procedure.small(n_keep=10): 1e-9, rc.Procedure(rc.Oracle(n_keep=10), rc.Retrain(ridge)): 1e-9}
    procedures |= {rc.Procedure(rc.Oracle(n_keep=10)): 1e-9, rc.Procedure(rc.Variance(n_keep=10)): 1e-9}
    found, expected = evaluate(correlated, procedures), evaluate(diagonal, procedures)
    for procedure, tolerance in procedures.items():
        for name in ("risk", "excess_risk", "training_error"):
            assert getattr(found[procedure], name) == pytest.approx(
                getattr(expected[procedure], name), rel=tolerance, abs=1e-12
            ), (procedure.key, name)
    kept = predicted(diagonal, rc.Magnitude(n_keep=20)).kept
    for retrain in (None, rc.Retrain(0.2)):
        asked = rc.Procedure(rc.Magnitude(n_keep=20), retrain)
        one, other = (predicted(problem, asked) for problem in (correlated, diagonal))
        slack = 2 * (kept * (1 - kept)).sum() / 20**2 * other.risk
        assert abs(one.risk - other.risk) <= 4 * (one.integration_error or 0) + slack, asked.key


def test_factors_are_the_matrix_that_they_make():
    """The same numbers, whichever way the covariance is given; draws differ, as roots do."""
    given = {"coefficients": BETA, "n_samples": 18, "noise_variance": 0.5, "ridge": 0.2}
    one, other = rc.Correlated(FACTORS, **given), rc.Correlated(np.asarray(FACTORS), **given)
    assert one.null_risk == pytest.approx(float(other.null_risk), rel=1e-12)
    exact = [rc.Procedure(), rc.Procedure.small(n_keep=10), rc.Procedure.small(n_keep=10, by=rc.Variance)]
    drawn = [
        rc.Procedure(kind(n_keep=10), again) for kind in (rc.Hessian, rc.BrainSurgeon) for again in (None, rc.Retrain())
    ]
    drawn += [rc.Procedure(rc.Hessian(n_keep=10), rc.Retrain(0.1, "fresh")), rc.Procedure(rc.Random(n_keep=10))]
    found, expected = (evaluate(problem, [*exact, *drawn], tolerance=0.03) for problem in (one, other))
    for procedure in exact:
        for name in ("risk", "training_error", "misfit"):
            assert getattr(found[procedure], name) == pytest.approx(
                getattr(expected[procedure], name), rel=1e-9, abs=1e-13
            )
    for procedure in drawn:
        a, b = found[procedure], expected[procedure]
        error = np.hypot(a.integration_error or 0, b.integration_error or 0)
        assert abs(a.risk - b.risk) <= 4.5 * error, procedure.key


@pytest.mark.parametrize("ridge", [1e-6, 0.3, 40.0])
def test_parts_of_factors(ridge: float):
    """Woodbury's identity against the matrix: sums, solutions, diagonals, effective ridges."""
    factors, matrix = features_of(FACTORS), features_of(np.asarray(FACTORS))
    kept, columns = np.arange(3, 20), RNG.normal(size=(17, 2))
    one, other = factors.part(kept), matrix.part(kept)
    assert isinstance(one, FactorPart)
    assert isinstance(other, MatrixPart)
    assert one.rank == other.rank == 17
    assert one.sums(ridge) == pytest.approx(other.sums(ridge), rel=1e-8)
    np.testing.assert_allclose(one.solve(ridge, columns), other.solve(ridge, columns), rtol=1e-8)
    np.testing.assert_allclose(one.inverse_diagonal(ridge), other.inverse_diagonal(ridge), rtol=1e-8)
    for own in (0.0, ridge):
        found = effective_ridge(one, own, 12)
        assert found == pytest.approx(effective_ridge(other, own, 12), rel=1e-9)
        assert found == pytest.approx(own + found * other.sums(found)[0] / 12, rel=1e-12)
    assert effective_ridge(one, 0.0, 18) == 0


@pytest.mark.parametrize("n", [400, 4000])
def test_one_factor_is_the_limit(n: int):
    """RankOne is exact at every size; the limit at a rank of one is off it by the order of 1/n^2."""
    loadings, beta = np.array([2, -1.5, 1, 0.5, 0.25]), np.array([1, 0, 1, -2, 0.5])
    exact = rc.RankOne(loadings, beta, n, noise_variance=1.5)
    given = {"coefficients": beta, "n_samples": n, "noise_variance": 1.5}
    for covariance in (np.outer(loadings, loadings), rc.FactorCovariance(loadings[:, None], 0)):
        problem = rc.Correlated(covariance, **given)
        for retrain in (None, rc.Retrain(), rc.Retrain(sample="fresh")):
            one = predicted(problem, rc.Magnitude(n_keep=2), retrain)
            other = predicted(exact, rc.Magnitude(n_keep=2), retrain)
            assert one.risk == pytest.approx(other.risk, abs=20 / n**2 + 4 * (one.integration_error or 0)), retrain
        assert predicted(problem).risk == pytest.approx(predicted(exact).risk, abs=20 / n**2)
        assert rc.small_model(problem, features=[1, 2]).risk == pytest.approx(
            rc.small_model(exact, features=[1, 2]).risk, abs=20 / n**2
        )


@pytest.mark.parametrize("policy", [MAGNITUDE, rc.Oracle(n_keep=6), rc.Random(n_keep=12)], ids=lambda one: one.name)
def test_pruned_fits_are_averages_over_their_law(policy: Any):
    """Against draws without pairs and controls, by the definition of the risk; and the training error's formula."""
    problem = reference(covariance=autoregressive(40, 0.7), coefficients=np.linspace(-1, 1, 40) ** 3)
    n, S, beta, draws = 20, np.asarray(problem.covariance), np.asarray(problem.coefficients), 20_000
    dense, rng = predicted(problem), np.random.default_rng(3)
    inverse, root = np.linalg.inv(S + dense.effective_ridge * np.eye(40)), np.linalg.cholesky(S)
    noise = rng.standard_normal((draws, 40)) * np.sqrt(dense.risk)
    fitted = (S @ beta + noise @ root.T / np.sqrt(n)) @ inverse
    scores = {"magnitude": abs(fitted), "oracle": beta**2 + 0 * fitted, "random": rng.random(fitted.shape)}[policy.name]
    order = np.argsort(-scores, axis=1)[:, : policy.n_keep]
    mask = np.zeros(fitted.shape, bool)
    np.put_along_axis(mask, order, True, axis=1)
    dropped = np.where(mask, 0, fitted)
    own = np.einsum("ij,ij->i", (beta - fitted + dropped) @ S, beta - fitted + dropped)
    along = np.einsum("ij,ij->i", dropped @ S, beta - fitted)
    shrunk = 0.1 / dense.effective_ridge + np.einsum("ij,ij->i", dropped @ root, noise).mean() / np.sqrt(n) / dense.risk
    square = np.einsum("ij,ij->i", dropped @ S, dropped)
    training = dense.risk * shrunk**2 + 2 * along.mean() * shrunk + square.mean()
    found = predicted(problem, policy, tolerance=0.003)
    error = np.hypot(own.std() / np.sqrt(draws), found.integration_error or 0)
    assert abs(found.risk - 0.2 - own.mean()) <= 4 * error
    assert abs(found.training_error - training) <= 4 * np.hypot(0.005, 0.01) * training
    kept = np.sqrt(mask.mean(axis=0) * (1 - mask.mean(axis=0)) / 200) + 0.02
    assert np.all(abs(found.kept - mask.mean(axis=0)) <= 4.5 * kept)
    assert found.kept.sum() == pytest.approx(policy.n_keep)


def test_retrained_fits_of_samples():
    """Both fits of 600 samples of 120 features, 3 independent copies of the reference problem."""
    p, n, copies, rng = 40, 20, 3, np.random.default_rng(11)
    S, one = np.kron(np.eye(copies), autoregressive(p, 0.5)), reference()
    beta = np.tile(np.asarray(one.coefficients), copies) / np.sqrt(copies)
    problem = reference(covariance=S, coefficients=beta, n_samples=copies * n)
    entries = rng.standard_normal((600, copies * n, copies * p)) @ np.linalg.cholesky(S).T
    target = entries @ beta + np.sqrt(0.2) * rng.standard_normal(entries.shape[:2])
    gram = entries @ entries.transpose(0, 2, 1) + 0.1 * copies * n * np.eye(copies * n)
    first = np.einsum("tnp,tn->tp", entries, np.linalg.solve(gram, target[..., None])[..., 0])
    kept = np.argsort(-abs(first), axis=1)[:, : 8 * copies]
    design = np.take_along_axis(entries, kept[:, None, :], axis=2)
    gram = design.transpose(0, 2, 1) @ design + 0.1 * copies * n * np.eye(8 * copies)
    second = np.zeros_like(first)
    again = np.linalg.solve(gram, np.einsum("tns,tn->ts", design, target)[..., None])[..., 0]
    np.put_along_axis(second, kept, again, axis=1)
    errors = second - beta
    risks = 0.2 + np.einsum("ti,ij,tj->t", errors, S, errors)
    training = np.mean((target - np.einsum("tnp,tp->tn", entries, second)) ** 2, axis=1)
    found = predicted(problem, rc.Magnitude(n_keep=8 * copies), rc.Retrain(0.1))
    # What is left of the limit at 60 samples: 3 %, or 6 % of the training error.
    error = np.hypot(risks.std() / np.sqrt(600), found.integration_error)
    assert abs(risks.mean() - found.risk) <= 4 * error + 0.03 * found.risk
    assert (
        abs(training.mean() - found.training_error) <= 4 * training.std() / np.sqrt(600) + 0.08 * found.training_error
    )
    fresh = predicted(problem, rc.Magnitude(n_keep=8 * copies), rc.Retrain(0.1, "fresh"))
    assert fresh.risk < risks.mean() - 6 * error  # as if the masks knew nothing of the sample


def test_errors_of_draws_are_what_they_spread_by():
    """The jackknife's standard error against the spread over seeds, and more draws for a smaller tolerance."""
    found = [predicted(reference(), MAGNITUDE, tolerance=0.05, seed=seed) for seed in range(60)]
    spread = np.std([one.risk for one in found], ddof=1)
    told = np.sqrt(np.mean([one.integration_error**2 for one in found]))
    assert 0.65 < spread / told < 1.5  # 4.5 standard errors of a spread over 60
    finer = predicted(reference(), MAGNITUDE, tolerance=0.005)
    assert finer.integration_error <= 0.005 * finer.risk
    mean, error = np.mean([one.risk for one in found]), spread / np.sqrt(60)
    assert abs(finer.risk - mean) <= 4 * np.hypot(error, finer.integration_error)


def test_averages_regressed_on_controls():
    """Where the controls say all, nothing is left to average; leaving one out is doing so."""
    rng = np.random.default_rng(0)
    controls = rng.normal(size=(30, 2))
    values = np.column_stack([3 + controls @ [1, -2], rng.normal(size=30)])
    found = leaving_out(values, controls)
    np.testing.assert_allclose(found[:, 0], 3)
    rest = np.arange(30) != 4
    np.testing.assert_allclose(found[5], leaving_out(values[rest], controls[rest])[0], atol=1e-12)
    plain = leaving_out(values, np.zeros((30, 0)))
    np.testing.assert_allclose(plain[0], values.mean(axis=0))
    off = np.column_stack([controls[:, 0], np.full(30, 1e-200)])  # which rounding alone takes off zero
    np.testing.assert_allclose(leaving_out(values, off), leaving_out(values, controls[:, :1]))
    assert jackknife(plain[:, 1]) == pytest.approx(values[:, 1].std(ddof=1) / np.sqrt(30))


def test_models_share_their_draws():
    """Each alone is what it is beside the others; the same seed gives the same numbers, another others."""
    together = rc.compare(reference(), n_keep=8, tolerance=0.04)
    alone = predicted(reference(), MAGNITUDE, True, tolerance=0.04)
    assert together.predictions["magnitude+retrain"].risk == alone.risk
    assert alone.risk != predicted(reference(), MAGNITUDE, True, tolerance=0.04, seed=1).risk
    assert predicted(reference(), rc.Magnitude(keep=[0.1, 0.2]), True, tolerance=0.04).risk[1] == alone.risk


def test_a_comparison_counts_integration_errors():
    """Variances are equal, so that magnitude and Hessian are one rule: neither is better."""
    found = rc.compare(reference(), n_keep=8, tolerance=0.03)
    assert {"small", "small_by_variance", "small_by_chance", "magnitude+retrain", "hessian+fresh"} <= found.risks.keys()
    assert found.margin == 0
    assert found.prune_beats_small is False
    assert type(found).from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"covariance": [[1, 0.5], [0.4, 1]]}, r"must be symmetric, got 0.5 at \(0, 1\) and 0.4 at \(1, 0\)"),
        ({"covariance": [[1, 2], [2, 1]]}, "no eigenvalue below zero, got -1 beside 3"),
        ({"covariance": [[1, 2, 3], [2, 1, 3]]}, r"square matrix, got shape \(2, 3\)"),
        ({"covariance": [1, 2]}, r"square matrix, got shape \(2,\)"),
        ({"covariance": [[1, np.nan], [np.nan, 1]]}, "must be finite, got nan"),
        ({"covariance": [[0, 0], [0, 0]]}, "no feature has variance"),
        ({"coefficients": [1, 2, 3]}, r"one for each of the 2 features of the covariance, got shape \(3,\)"),
        ({"coefficients": [1, np.inf]}, "coefficients must be finite"),
        ({"n_samples": 0}, "n_samples must be at least 1"),
        ({"noise_variance": -1}, "noise_variance must be at least 0, got -1"),
        ({"ridge": [0.1, 0.2]}, r"ridge must be one number, got shape \(2,\)"),
        ({"ridge": -0.1}, "ridge must be at least 0"),
    ],
    ids=str,
)
def test_wrong_problems_are_refused(changes: dict[str, Any], words: str):
    given = {"covariance": [[1, 0.5], [0.5, 1]], "coefficients": [1, -1], "n_samples": 5}
    with pytest.raises((ValueError, TypeError), match=words):
        rc.Correlated(**given | changes)


@pytest.mark.parametrize(
    ("loadings", "variances", "words"),
    [
        ([1, 2], 1, "a column for each factor, got shape"),
        ([[1], [2]], [1, 2, 3], "one for each of the 2 features"),
        ([[1], [2]], -1, "variances must be at least 0"),
        ([[1], [np.inf]], 1, "loadings must be finite"),
    ],
)
def test_wrong_factors_are_refused(loadings: Any, variances: Any, words: str):
    with pytest.raises(ValueError, match=words):
        rc.FactorCovariance(loadings, variances)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: predicted(reference(), rc.Magnitude(n_keep=41)), "only 40 features"),
        (lambda: predicted(reference(), rc.Magnitude(keep=0.001)), "leaves none"),
        (lambda: predicted(reference(), digits=20), "double precision; leave digits out"),
        (lambda: predicted(reference(), rc.Group(2, keep=0.2)), "not group_hessian; simulate it"),
        (lambda: predicted(reference(), rc.Sampled(keep=0.2)), "not sampled"),
        (lambda: predicted(reference(), rc.Optimal(keep=0.2)), "not optimal"),
        (lambda: predicted(reference(), rc.Iterative("magnitude", [0.5, 0.2])), "not in rounds"),
        (lambda: predicted(reference(), MAGNITUDE, rc.Retrain(-0.1)), "ridges of at least 0, got -0.1"),
        (lambda: rc.small_model(reference(), features=[0, 40]), "features name 40, but there are 40, from 0"),
        (lambda: rc.small_model(reference(), features=[1, 1]), "features name 1 twice"),
        (lambda: rc.small_model(reference(), features=[-1]), "integers from 0"),
        (lambda: rc.small_model(reference(), features=[0.5]), "integers from 0"),
        (lambda: rc.small_model(reference(), 0.1, features=[1]), "leave keep and n_keep out"),
        (lambda: predicted(reference(coefficients=np.full(40, 1e160))), "too large for double precision"),
        (lambda: predicted(reference(), MAGNITUDE, tolerance=0), "tolerance must be a number above 0 and below 1"),
        (lambda: predicted(reference(), MAGNITUDE, seed=-1), "seed must be an integer of at least 0"),
        (
            lambda: rc.small_model(rc.LinearGaussian(n_samples=5, n_features=4, eigenvalues=1, signal=1), features=[1]),
            "features have no names where a problem is the law of them",
        ),
    ],
)
def test_what_is_not_covered_is_said(ask: Any, words: str):
    with pytest.raises(ValueError, match=words):
        ask()


def test_not_covered_is_left_out_of_comparisons():
    with pytest.raises(NotCovered):
        predicted(reference(), rc.Sampled(keep=0.2))
    found = evaluate(reference(), [rc.Procedure(rc.Sampled(keep=0.2)), rc.Procedure()], covered=True)
    assert [*found] == [rc.Procedure()]


def test_statuses():
    """Thresholds of the dense and of the second fit; a fit without error; masks of an infinite fit."""
    given = {"covariance": autoregressive(6, 0.3), "coefficients": np.arange(6.0), "n_samples": 6}
    noisy = rc.Correlated(**given, noise_variance=1)
    assert (predicted(noisy).status, predicted(noisy).risk) == ("infinite", np.inf)
    assert predicted(noisy, rc.Magnitude(n_keep=3)).status == "infinite"
    assert predicted(noisy, rc.Magnitude(n_keep=3), True).status == "not_converged"
    assert rc.small_model(noisy, n_keep=3).status == "ok"
    square = predicted(rc.Correlated(**given))
    assert (square.status, square.excess_risk, square.training_error) == ("exact_recovery", 0, 0)
    wide = rc.Correlated(**given | {"n_samples": 4}, noise_variance=1)
    for second in (rc.Retrain(), rc.Retrain(sample="fresh")):
        assert predicted(wide, rc.Magnitude(n_keep=4), second).status == "infinite"
    exact = rc.Correlated(**given | {"n_samples": 9})
    pruned = predicted(exact, rc.Magnitude(n_keep=5))
    assert pruned.kept.tolist() == [0, 1, 1, 1, 1, 1]
    assert predicted(exact, rc.Magnitude(n_keep=5), True).excess_risk == pytest.approx(0, abs=1e-12)


def test_a_covariance_of_no_size():
    """A ridge leaves nothing of it, least squares fits noise alone: known without an error by averaging."""
    problem = reference(covariance=1e-200 * autoregressive(40, 0.5))
    for retrain, risk in ((None, 0.2), (rc.Retrain(0.1), 0.2), (rc.Retrain(sample="fresh"), 0.2 / (1 - 8 / 20))):
        assert predicted(problem, MAGNITUDE, retrain).risk == pytest.approx(risk, rel=1e-12)


def test_features_without_variance_are_kept_last():
    """They are said, change nothing, and are chosen by name or by chance only."""
    S = np.zeros((8, 8))
    S[:6, :6] = autoregressive(6, 0.4)
    problem = rc.Correlated(S, np.ones(8), 20, noise_variance=1)
    without = rc.Correlated(S[:6, :6], np.ones(6), 20, noise_variance=1)
    assert "2 of 8 features have no variance" in problem.note
    assert problem.note in str(rc.compare(problem, n_keep=4, tolerance=0.1))
    for policy in (rc.Magnitude, rc.Variance, rc.Oracle):
        for number in (4, 6):
            one, other = (predicted(each, policy(n_keep=number), tolerance=0.05) for each in (problem, without))
            assert one.kept[6:].tolist() == [0, 0]
            assert one.risk == pytest.approx(other.risk, abs=5 * ((one.integration_error or 0) + 1e-12))
    named = predicted(problem, rc.Subset([0, 7]), True)
    assert named.kept.tolist() == [1, 0, 0, 0, 0, 0, 0, 1]
    assert named.risk == pytest.approx(rc.small_model(without, features=[0]).risk)


def test_a_problem_is_a_value():
    """It goes through JSON and pickles, and equals what is made of the same parts."""
    for covariance in (autoregressive(3, 0.5), rc.FactorCovariance([["1/3"], [1], [2]], "1/7")):
        problem = rc.Correlated(covariance, ["1/3", 1, 2], 5, "1/10", 0.5)
        assert type(problem).from_dict(problem.to_dict()) == problem == pickle.loads(pickle.dumps(problem))
        prediction = predicted(problem, rc.Magnitude(n_keep=2), True, tolerance=0.1)
        again = type(prediction).from_dict(prediction.to_dict())
        assert again == prediction == pickle.loads(pickle.dumps(prediction))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(prediction)).kept, prediction.kept)
    assert rc.Correlated([[1, 0], [0, 1]], [1, 1], 5) != rc.Correlated([[1, 0], [0, 2]], [1, 1], 5)
    nearly = autoregressive(30, 0.9)
    nearly[0, 1] *= 1 + 1e-15
    made = np.asarray(rc.Correlated(nearly, np.ones(30), 5).covariance)
    assert np.array_equal(made, made.T)


def test_scores_of_ones_own():
    """One that is a weight times |X| is thresholded as it is; another is drawn."""
    own = rc.Score("squared", "X**2*Lambda", n_keep=8)
    one, other = (predicted(reference(), policy, True, tolerance=0.05) for policy in (own, rc.Hessian(n_keep=8)))
    assert one.risk == other.risk


def test_the_command_line_takes_features_and_tolerances(tmp_path, monkeypatch, capsys):
    """As the library predicts."""
    files = {name: tmp_path / f"{name}.npy" for name in ("covariance", "coefficients")}
    for name, file in files.items():
        np.save(file, np.asarray(getattr(reference(), name)))
    problem = [f"--{name}={file}" for name, file in files.items()]
    problem += ["--n-samples=20", "--noise-variance=0.2", "--ridge=0.1", "--json"]
    drawn = ["--policy=magnitude", "--n-keep=8", "--retrain=same", "--tolerance=0.05", "--seed=3"]
    for flags, expected in (
        (drawn, predicted(reference(), MAGNITUDE, True, tolerance=0.05, seed=3)),
        (["--policy=subset", "--places=0,10"], predicted(reference(), rc.Subset([0, 10]))),
    ):
        code, out, err = command_line(monkeypatch, capsys, "predict", *problem, *flags)
        assert (code, err) == (0, "")
        assert json.loads(out)["risk"] == expected.risk
