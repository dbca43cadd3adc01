"""Negative ridges: where they end, what they cost, and that the simulator agrees."""

from __future__ import annotations

import re

import numpy as np
import pytest
from helpers import command_line
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from scipy.optimize import minimize_scalar

import riskcalc as rc
from riskcalc import strategies
from riskcalc.policies import Procedure, Retrain
from riskcalc.simulation.simulate import make_plan, run_trials

ISOTROPIC = {"eigenvalues": 1, "signal": 1, "noise_variance": 0.5}
# Of either sign of the effective ridge, a third kind of features without variance, and penalty weights that differ.
FEW = {
    "aspect_ratio": "1/3",
    "eigenvalues": [4, 1, 0],
    "signal": [1, 1.5, 1],
    "weights": ["1/4", "1/2", "1/4"],
    "noise_variance": 0.3,
    "penalty": [2, 1, 3],
}
MANY = FEW | {"aspect_ratio": "10/3"}


def lowest(problem: dict) -> float:
    """The lowest ridge, as it is told of one that is lower."""
    with pytest.raises(ValueError, match="stops being positive definite, got -1") as told:
        rc.predict(rc.LinearGaussian(**problem, ridge=-1e9))
    found = re.search(r"must be above (\S+) ", str(told.value))
    assert found
    return float(found[1])


@pytest.mark.parametrize("ratio", [0.05, 0.3, 1 - 1e-6, 1 + 1e-6, 3.0, 50.0])
def test_of_isotropic_features_it_ends_at_the_edge_of_marchenko_and_pastur(ratio: float):
    """All of it in closed form: nu solves nu^2 + (1 - kappa - ridge) nu = ridge, by its larger root."""
    edge = lowest(ISOTROPIC | {"aspect_ratio": ratio})
    with mp.workdps(70):
        kappa = mpf(ratio)
        exact = -((1 - mp.sqrt(kappa)) ** 2)
        assert edge == pytest.approx(float(exact), rel=1e-13)
        for share in (1e-12, 0.01, 0.5, 0.99):
            ridge = mpf(float(share * exact))
            b = kappa - 1 + ridge
            nu = (b + mp.sqrt(b * b + 4 * ridge)) / 2
            a = 1 / (1 + nu)
            risk = (mpf("0.5") + (1 - a) ** 2) / (1 - kappa * a**2)
            for digits, within in ((None, 1e-12), (30, 1e-29)):
                asked = rc.LinearGaussian(**ISOTROPIC, aspect_ratio=ratio, ridge=float(ridge))
                found = rc.predict(asked, digits=digits)
                assert found.status == "ok"
                assert abs(found.effective_ridge / nu - 1) < within
                assert abs(found.risk / risk - 1) < within
                assert abs(found.training_error / (risk * (ridge / nu) ** 2) - 1) < within


@pytest.mark.parametrize("problem", [FEW, MANY])
def test_the_lowest_ridge_is_minus_the_least_eigenvalue_of_a_large_sample(problem: dict):
    n = 1200
    p = n * 10 // 3 if problem is MANY else n // 3
    scales = np.repeat([4 / 2, 1 / 1], [p // 4, p // 2])
    rows = np.random.default_rng(0).standard_normal((n, len(scales))) * np.sqrt(scales)
    gram = rows.T @ rows if len(scales) < n else rows @ rows.T
    # The least eigenvalue is within a few n^(-2/3) of the edge, relatively (Tracy and Widom).
    assert -np.linalg.eigvalsh(gram / n)[0] == pytest.approx(lowest(problem), rel=5 * n ** (-2 / 3))


def test_at_the_edge_there_is_no_answer_and_just_above_it_there_are_digits():
    at = rc.LinearGaussian(aspect_ratio="1/4", eigenvalues=1, signal=1, noise_variance=1, ridge="-1/4")
    with pytest.raises(ValueError, match=r"ridge must be above -0\.25 for a fit of 0\.25 live features per sample"):
        rc.predict(at, digits=30)
    with pytest.raises(ValueError, match=r"ridge must be above 0 for a fit of 1 live features per sample"):
        rc.predict(rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, ridge=-1e-300))
    for digits, ridge in ((None, "-0.26"), (None, "-0.2500000001"), (40, "-1/4")):
        with pytest.raises(ValueError, match="small, on the best features: ridge must be above"):
            rc.small_model(
                rc.LinearGaussian(aspect_ratio="1/2", eigenvalues=1, signal=1, ridge=ridge), "1/2", digits=digits
            )
    closer = rc.LinearGaussian(
        aspect_ratio="1/4", eigenvalues=1, signal=1, noise_variance=1, ridge="-0.24999999999999999"
    )
    assert rc.predict(closer, digits=30).status == "ok"  # in double precision it is beyond
    near = rc.LinearGaussian(aspect_ratio="1/4", eigenvalues=1, signal=1, noise_variance=1, ridge="-0.2499999999999")
    assert rc.predict(near).status == "not_converged"
    found = rc.predict(near, digits=30)
    assert found.status == "ok"
    with mp.workdps(50):
        ridge = mpf("-0.2499999999999")
        b = mpf("-0.75") + ridge
        a = 1 / (1 + (b + mp.sqrt(b * b + 4 * ridge)) / 2)
        assert abs(found.risk / ((1 + (1 - a) ** 2) / (1 - a**2 / 4)) - 1) < mpf(10) ** -29


def test_a_batch_mixes_signs_and_names_what_is_refused():
    ridges = np.array([0.1, 0.0, -0.1])
    batch = rc.predict(rc.LinearGaussian(**MANY, ridge=ridges), rc.Magnitude(0.25), retrain=True)
    alone = [rc.predict(rc.LinearGaussian(**MANY, ridge=one), rc.Magnitude(0.25), retrain=True).risk for one in ridges]
    assert batch.risk.tolist() == alone
    with pytest.raises(ValueError, match=r"of 0\.5 live .* got -0\.2"):
        rc.predict(rc.LinearGaussian(aspect_ratio=[0.25, 0.5], eigenvalues=1, signal=1, ridge=-0.2))


def test_budgets_share_a_fit():
    """Also where features without variance have a penalty, whose effective ridge would be below zero."""
    keeps, problem = np.array([0.2, 0.4, 0.7]), rc.LinearGaussian(**FEW, ridge=-0.05)
    several = rc.predict(problem, rc.BrainSurgeon(keeps)).risk
    assert several == pytest.approx([rc.predict(problem, rc.BrainSurgeon(keep)).risk for keep in keeps], rel=1e-14)


def test_second_fits_have_bounds_of_their_own():
    problem = rc.LinearGaussian(**ISOTROPIC, aspect_ratio=4, ridge=-0.5)  # down to -1; -(1 - sqrt(1/2))^2 = -.0858
    assert rc.predict(problem, rc.Random("1/8")).status == "ok"
    for asked in (Procedure.small("1/8"), Procedure(rc.Random("1/8"), Retrain(-0.086))):
        with pytest.raises(ValueError, match=r"above -0\.0857\d*"):
            rc.predict(problem, asked)
    assert rc.predict(problem, rc.Random("1/8"), Retrain(-0.085)).risk > 10
    with pytest.raises(ValueError, match="covers second fits without a ridge"):
        rc.predict(rc.RankOne([1, 2], [1, 1], 10), rc.Magnitude(0.5), Retrain(-0.1))


WEIGHTS = ("0.25", "0.75")


def textbook(problem: dict, ridge: str, keep: str) -> tuple[mpf, mpf]:
    """Magnitude-pruned test risk and training error by T1, T3 and T5 as they are printed; D = 1."""
    given = zip(problem["eigenvalues"], problem["signal"], WEIGHTS, strict=True)
    law = [tuple(map(mpf, atom)) for atom in given]
    kappa, noise, lam, alpha = (mpf(x) for x in (problem["aspect_ratio"], problem["noise_variance"], ridge, keep))

    def mean(f):
        return mp.fsum(w * f(l, b) for l, b, w in law)

    nu = mp.findroot(lambda x: x - lam - kappa * x * mean(lambda l, b: l / (l + x)), problem["near"])
    gamma = (noise + mean(lambda l, b: l * b**2 * (nu / (l + nu)) ** 2)) / (
        1 - kappa * mean(lambda l, b: (l / (l + nu)) ** 2)
    )

    def ends(l, b, t):
        centre, tau = l / (l + nu) * b, mp.sqrt(kappa * gamma * l) / (l + nu)
        return (-t - centre) / tau, (t - centre) / tau

    def integrals(l, b):
        """The means of 1, H, and H^2 over |aB + tau H| >= t, by quadrature."""
        low, high = ends(l, b, t)
        sides = ([-10, low], [high, 10])
        return [mp.fsum(mp.quad(lambda h, k=k: h**k * mp.npdf(h), side) for side in sides) for k in range(3)]

    t = mp.findroot(lambda t: mean(lambda l, b: 1 - mp.ncdf(ends(l, b, t)[1]) + mp.ncdf(ends(l, b, t)[0])) - alpha, 1)
    parts = {(l, b): integrals(l, b) for l, b, _ in law}
    tau = lambda l: mp.sqrt(kappa * gamma * l) / (l + nu)  # noqa: E731

    def kept(l, b, with_truth):
        m0, m1, m2 = parts[l, b]
        x1 = l / (l + nu) * b * m0 + tau(l) * m1
        x2 = (l / (l + nu) * b) ** 2 * m0 + 2 * l / (l + nu) * b * tau(l) * m1 + tau(l) ** 2 * m2
        return l * with_truth(x1, x2)

    risk = noise + mean(lambda l, b: kept(l, b, lambda x1, x2: b**2 - 2 * b * x1 + x2))
    # T5 in the units of coefficients: E[f G1] = sqrt(l/kappa) E[S X sqrt(gamma) H].
    bf = mean(lambda l, b: mp.sqrt(l / kappa / gamma) * (l / (l + nu) * b * parts[l, b][1] + tau(l) * parts[l, b][2]))
    both = noise + mean(lambda l, b: l * (b * (b - l / (l + nu) * b)) - kept(l, b, lambda x1, x2: b * x1 - x2))
    return risk, risk - 2 * kappa * bf * both + kappa**2 * bf**2 * gamma


@pytest.mark.parametrize(("ratio", "near"), [("0.5", -0.05), ("4", 2)])
def test_pruned_risks_are_those_of_the_textbook_by_quadrature(ratio: str, near: float):
    problem = {"aspect_ratio": ratio, "eigenvalues": ["4", "1"], "signal": ["1", "1.5"], "noise_variance": "0.3"}
    asked = rc.LinearGaussian(**problem, weights=WEIGHTS, ridge="-0.03")
    with mp.workdps(24):
        risk, training = textbook(problem | {"near": near}, "-0.03", "0.4")
        for digits, within in ((None, 1e-13), (18, 1e-17)):
            found = rc.predict(asked, rc.Magnitude("0.4"), digits=digits)
            assert abs(found.risk / risk - 1) < within
            assert abs(found.training_error / training - 1) < within


def procedures(ridge: float) -> list[Procedure]:
    """A model of every kind, second fits with a ridge that is negative, too."""
    keep, again, kinds = "1/2", (Retrain(ridge), Retrain(ridge, "fresh")), (rc.Magnitude, rc.Hessian, rc.Random)
    pruned = [*kinds, rc.BrainSurgeon, rc.Oracle, rc.Optimal, rc.Sampled]
    found = [Procedure(), *(Procedure(kind(keep)) for kind in pruned)]
    found += [Procedure(kind(keep), second) for kind in kinds for second in again]
    return [*found, Procedure(rc.Iterative("hessian", ["3/4", "1/2"], ridge), again[0])]


@pytest.mark.parametrize(("problem", "ridge", "n", "trials"), [(FEW, -0.06, 320, 100), (MANY, -0.006, 160, 60)])
def test_simulations_agree(problem: dict, ridge: float, n: int, trials: int):
    """Within five standard errors and what finite size changes, of the order of 1/n: at most ten times that."""
    asked = rc.LinearGaussian(**problem, ridge=ridge)
    every = procedures(ridge)
    found = run_trials(make_plan(asked, every, n), 1, trials, workers=1)
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(trials)
    for procedure, means, errors in zip(every, mean, error, strict=True):
        prediction = rc.predict(asked, procedure)
        assert prediction.status == "ok"
        told = np.array([prediction.risk, prediction.training_error])
        assert np.all(abs(means - told) < 5 * errors + 10 / n * told), procedure.key


def test_where_the_signal_lies_in_strong_features_the_best_ridge_is_negative():
    """Kobak, Lomond and Sanchez (2020): spikes carry the signal, and many weak features regularise by themselves."""
    law = {"aspect_ratio": 5, "eigenvalues": [20, 1], "signal": [1, 0], "weights": ["1/10", "9/10"]}
    end = lowest(law)

    def risk(ridge: float) -> float:
        return rc.predict(rc.LinearGaussian(**law, ridge=ridge)).risk

    best = minimize_scalar(risk, bounds=(0.999 * end, 1), method="bounded")
    assert end < best.x < 0.8 * end
    assert best.fun < 0.6 * risk(0)
    n, trials = 100, 60
    simulated = {}
    for ridge in (0.0, -1.3):  # on the same samples; short of the best, which some samples of this size have not
        plan = make_plan(rc.LinearGaussian(**law, ridge=ridge), [Procedure()], n)
        simulated[ridge] = run_trials(plan, 2, trials, workers=1)[:, 0, 0]
    gain = simulated[0.0] - simulated[-1.3]
    error = gain.std(ddof=1) / np.sqrt(trials)
    assert gain.mean() > 5 * error
    assert abs(gain.mean() - (risk(0) - risk(-1.3))) < 5 * error + 10 / n * risk(0)


def test_it_is_written_and_read(monkeypatch, capsys, tmp_path):
    prediction = rc.predict(rc.LinearGaussian(**MANY, ridge="-1/30"), rc.Magnitude(0.6), Retrain("-1/50"))
    assert type(prediction).from_dict(prediction.to_dict()) == prediction
    path = tmp_path / "problem.toml"
    path.write_text("aspect_ratio = 4.0\neigenvalues = [1.0]\nsignal = [1.0]\nridge = -0.5\n")
    code, out, _ = command_line(monkeypatch, capsys, "predict", str(path), "--json")
    assert code == 0
    assert '"ridge": -0.5' in out
    code, _, told = command_line(monkeypatch, capsys, "predict", str(path), "--ridge", "-1")
    assert code == 2
    assert "ridge must be above -1" in told


@settings(deadline=None, max_examples=30)
@given(strategies.problems(ridge="negative"), st.sampled_from([None, rc.Magnitude(0.25), rc.Hessian(0.7)]))
def test_random_problems(problem: rc.LinearGaussian, policy: rc.Magnitude | None):
    """Where the ridge is above the lowest there is an answer, and it has digits."""
    found = rc.predict(problem, policy)
    assert found.status in ("ok", "exact_recovery", "infinite")
    assert found.risk >= problem.noise_variance[()]
    more = rc.predict(problem, policy, digits=30)
    assert found.risk == pytest.approx(float(more.risk), rel=1e-10)
