"""Coefficients themselves beside the signal; kinds of features beside their number; what an intercept costs."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from helpers import HERE, command_line

import riskcalc as rc
from riskcalc.laws import Atoms, Empirical, MarchenkoPastur, PowerLaw, Uniform
from riskcalc.results.values import plain_scalar

REST: dict[str, Any] = {"eigenvalues": [4, 1, "1/2"], "weights": ["1/4", "1/4", "1/2"], "noise_variance": "1/3"}
BETA = ["1/10", "-3/7", 0.25]


def by_coefficients(n: Any, p: Any, **changes: Any) -> rc.LinearGaussian:
    return rc.LinearGaussian(n_samples=n, n_features=p, coefficients=BETA, **REST | changes)


def by_signal(n: Any, p: int, digits: int, **changes: Any) -> rc.LinearGaussian:
    with mpmath.workdps(digits):
        signal = [mpmath.sqrt(p) * mpmath.mpf(1) / 10, -3 * mpmath.sqrt(p) / 7, mpmath.sqrt(p) / 4]
    return rc.LinearGaussian(n_samples=n, n_features=p, signal=signal, **REST | changes)


MODELS = [None, rc.Magnitude("1/4"), rc.Oracle("1/4"), rc.Optimal("1/4"), rc.Group(2, keep="1/4"), rc.Sampled("1/4")]


@pytest.mark.parametrize("p", [1000, 64])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_signal_is_coefficients_times_the_root(model: Any, p: int):
    own, other = by_coefficients(24, p), by_signal(24, p, 30)
    for retrain in (None, True) if model is not None else (None,):
        one, two = rc.predict(own, model, retrain), rc.predict(other, model, retrain)
        assert one.status == two.status == "ok"
        assert one.risk == pytest.approx(two.risk, rel=1e-13)
        assert one.kept == pytest.approx(two.kept, abs=1e-12)


@pytest.mark.parametrize("p", [2, 3, 16])
def test_coefficients_are_exact_at_fifty_digits(p: int):
    """Of two features no double holds the root."""
    given = {"eigenvalues": [4, 1], "weights": None, "ridge": "1/10"}
    with mpmath.workdps(90):
        signal = [mpmath.sqrt(p) / 10, -3 * mpmath.sqrt(p) / 7]
    own = rc.LinearGaussian(n_samples=5, n_features=p, coefficients=["1/10", "-3/7"], **REST | given)
    other = rc.LinearGaussian(n_samples=5, n_features=p, signal=signal, **REST | given)
    for model in (None, rc.Magnitude("1/2"), rc.Oracle("1/2")):
        one, two = (rc.predict(problem, model, digits=50).risk for problem in (own, other))
        with mpmath.workdps(60):
            assert abs(one - two) <= mpmath.mpf(10) ** -49 * two
    if math.isqrt(p) ** 2 != p:
        rounded = rc.LinearGaussian(n_samples=5, n_features=p, signal=own.law.signal, **REST | given)
        assert rc.predict(rounded, digits=50).risk != rc.predict(own, digits=50).risk


def test_a_batch_of_numbers_of_features():
    """Fixed coefficients of more and more features: every element is the problem of that number."""
    sizes = [8, 20, 60]
    batch = by_coefficients(24, sizes)
    assert batch.shape == (3,)
    found = rc.predict(batch, rc.Hessian("1/4"), True)
    fine = rc.predict(batch, rc.Hessian("1/4"), True, digits=30)
    for i, p in enumerate(sizes):
        one = rc.predict(by_coefficients(24, p), rc.Hessian("1/4"), True)
        assert found.risk[i] == pytest.approx(one.risk, rel=1e-13)
        assert float(fine.risk[i]) == pytest.approx(one.risk, rel=1e-12)
    grid = by_coefficients([[20], [40]], sizes)
    assert rc.predict(grid).risk.shape == (2, 3)
    assert rc.predict(grid).risk[1, 2] == pytest.approx(rc.predict(by_coefficients(40, 60)).risk, rel=1e-13)


def test_many_regimes_of_few_atoms():
    """The atoms' arrays of a chunk are laid out otherwise there."""
    noise = np.linspace(0.1, 1, 50)
    own, other = by_coefficients(24, 36, noise_variance=noise), by_signal(24, 36, 30, noise_variance=noise)
    assert rc.predict(own, rc.Magnitude(0.3)).risk == pytest.approx(
        rc.predict(other, rc.Magnitude(0.3)).risk, rel=1e-13
    )


def test_in_simulation_and_verification():
    """The same draws."""
    own, other = by_coefficients(24, 60), by_signal(24, 60, 30)
    one, two = (rc.simulate(problem, rc.Hessian(0.2), trials=8, seed=3, **HERE) for problem in (own, other))
    assert one.mean == pytest.approx(two.mean, rel=1e-12)
    assert rc.verify(own, rc.Magnitude("1/4"), tolerance=0.1, seed=1, **HERE).verdict == "agree"


def test_predicting_zero_prunability_and_tables():
    own, other = by_coefficients(24, 60), by_signal(24, 60, 30)
    assert own.null_risk == pytest.approx(other.null_risk, rel=1e-14)
    first, second = (rc.prunability(problem, 0.1).keep for problem in (own, other))
    assert first == pytest.approx(second, rel=1e-9)
    assert plain_scalar(own.null_risk) == pytest.approx(60 * (4 / 400 + 9 / 196 + 0.0625 / 4) + 1 / 3)


def test_in_formulas():
    """Written out: the root of two stays a root, that of 16 goes into the number."""
    two = rc.LinearGaussian(n_samples=3, n_features=2, eigenvalues=[4, 1], coefficients=["1/10", 3])
    assert r"(4, \frac{1}{10}) & \text{with probability } \frac{1}{2}" in rc.latex(two)
    assert r"B = \sqrt{2}\,\beta" in rc.latex(two)
    assert r"2 \Bigl(\frac{1}{10}\Bigr)^2" in rc.latex("dense.risk", problem=two)
    square = rc.LinearGaussian(n_samples=3, n_features=16, eigenvalues=[4, 1], coefficients=["1/10", 3])
    same = rc.LinearGaussian(n_samples=3, n_features=16, eigenvalues=[4, 1], signal=["4/10", 12])
    assert rc.latex("dense.risk", problem=square) == rc.latex("dense.risk", problem=same)


def test_laws_of_coefficients():
    law = Atoms([4, 1], coefficients=[1, 2], n_features=[4, 9])
    assert law.signal.tolist() == [[2, 4], [3, 6]]
    assert Empirical([3, 2, 1, 0], coefficients=[1, 0, 0, 2]).signal.tolist() == [2, 0, 0, 4]
    law = Atoms([4, 1], coefficients=[1, 2], n_features=9)
    assert rc.LinearGaussian(n_samples=3, n_features=9, law=law) == rc.LinearGaussian(
        n_samples=3, n_features=9, eigenvalues=[4, 1], coefficients=[1, 2]
    )
    assert rc.predict(rc.LinearGaussian(aspect_ratio=3, law=law)).risk == pytest.approx(
        rc.predict(rc.LinearGaussian(aspect_ratio=3, eigenvalues=[4, 1], signal=[3, 6])).risk
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: by_coefficients(3, 9, signal=1), r"exactly one of signal, which is sqrt\(p\)\*beta, and coefficients"),
        (
            lambda: rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, coefficients=1),
            "coefficients need a number of features, by whose root they are scaled; give n_samples and n_features",
        ),
        (
            lambda: rc.LinearGaussian(aspect_ratio=2, law=Uniform(1, 2), coefficients=1),
            "give either law, or eigenvalues",
        ),
        (lambda: rc.LinearGaussian(aspect_ratio=2, coefficients=1), "eigenvalues is missing"),
        (lambda: rc.LinearGaussian(aspect_ratio=2, eigenvalues=1), "signal is missing"),
        (lambda: Atoms(1, coefficients=1), "coefficients need n_features"),
        (lambda: Atoms(1, 1, n_features=3), "n_features scales coefficients; with a signal leave it out, got 3"),
        (lambda: Atoms(1), "give exactly one of signal"),
        (lambda: Atoms(1, coefficients=[np.nan], n_features=3), "coefficients must be finite, got nan"),
        (lambda: Atoms(1, coefficients=1e308, n_features=10**6), r"sqrt\(n_features\) \* coefficients must be finite"),
        (lambda: Atoms([1, 2], coefficients=[[1, 2], [1, 2]], n_features=[1, 2, 3]), "shapes do not match: n_features"),
        (lambda: Atoms(1, coefficients=1, n_features=0), "n_features must be at least 1, got 0"),
        (
            lambda: rc.LinearGaussian(n_samples=3, n_features=8, law=Atoms(1, coefficients=1, n_features=9)),
            "the law has the coefficients of 9 features, but the problem has 8",
        ),
    ],
)
def test_bad_scales(ask: Any, message: str):
    with pytest.raises(ValueError, match=message):
        ask()


# --- kinds of features, and their number


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_features": 2, "eigenvalues": [1, 2, 3], "signal": 1}, "the law has 3 atoms, .*but there are 2 features"),
        ({"n_features": [9, 2], "eigenvalues": [1, 2, 3], "signal": 1}, "the law has 3 atoms, .*there are 2 features"),
        ({"n_features": 100, "law": PowerLaw(0.5, 0.1, 101)}, "the law has 101 atoms, .*there are 100 features"),
        ({"n_features": 3, "law": Empirical([1, 2, 3, 4], [1, 1, 1, 1])}, "the law has 4 atoms"),
        ({"n_features": 1, "eigenvalues": 1, "signal": 1, "penalty": [1, 2]}, "the law has 2 atoms"),
    ],
)
def test_more_kinds_than_features_are_refused(given: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        rc.LinearGaussian(n_samples=5, **given)


@pytest.mark.parametrize(
    "given",
    [
        {"eigenvalues": [1, 2, 3], "signal": 1, "weights": [0.5, 0.5, 0]},  # an atom without weight is no kind
        {"law": Uniform(1, 2)},  # nodes are no kinds
        {"law": MarchenkoPastur(2, nodes=16)},
        {"law": PowerLaw(0.5, 0.1)},
        {"law": PowerLaw(0.5, 0.1, 2)},
        {"eigenvalues": [1, 2], "signal": 1},
    ],
)
def test_laws_that_two_features_may_have(given: dict[str, Any]):
    assert rc.predict(rc.LinearGaussian(n_samples=5, n_features=2, noise_variance=1, **given)).status == "ok"


# --- the command line


def test_files_and_flags(monkeypatch, capsys, tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text("n_samples = 24\nn_features = 60\neigenvalues = [4, 1]\ncoefficients = [0.1, -0.3]\n")
    problem = rc.LinearGaussian(n_samples=24, n_features=60, eigenvalues=[4, 1], coefficients=["1/10", "-3/10"])

    def risk(*arguments: str) -> float:
        code, out, err = command_line(monkeypatch, capsys, "predict", *arguments, "--json")
        assert code == 0, err
        import json

        return json.loads(out)["risk"]

    assert risk(str(path)) == rc.predict(problem).risk
    flags = ["--n-samples", "24", "--n-features", "60", "--eigenvalues", "4,1", "--coefficients", ".1,-.3"]
    assert risk(*flags) == rc.predict(problem).risk
    signal = rc.LinearGaussian(n_samples=24, n_features=60, eigenvalues=[4, 1], signal=2)
    assert risk(str(path), "--signal", "2") == rc.predict(signal).risk
    uniform = rc.LinearGaussian(n_samples=24, n_features=60, law=Uniform(1, 2))
    assert risk(str(path), "--uniform", "1,2") == rc.predict(uniform).risk
    factor = rc.RankOne([2, 1], ["1/10", "-3/10"], 24)
    path.write_text("n_samples = 24\neigenvalues = [4, 1]\nsignal = 1\n")
    assert risk(str(path), "--loadings", "2,1", "--coefficients", ".1,-.3") == rc.predict(factor).risk
    path.write_text("n_samples = 24\nn_features = 60\nuniform = [1, 2]\ncoefficients = 1\n")
    code, _, err = command_line(monkeypatch, capsys, "predict", str(path))
    assert (code, "the law uniform determines coefficients; leave it out" in err) == (2, True)


# --- intercepts


@pytest.mark.parametrize("ridge", [0, 0.5])
def test_an_intercept_costs_a_sample_and_a_factor(ridge: float):
    """Exactly so at every size, for any fit and pruning of centred samples: here measured, in both ways."""
    rng = np.random.default_rng(0)
    n, p, trials, noise = 12, 4, 60_000, 0.7
    scales, beta, mean = np.sqrt([4, 1, 1, 0.25]), np.array([1, -1, 0.5, 2]), np.array([3, -1, 0, 2])

    def fitted(design: np.ndarray, target: np.ndarray, penalty: float) -> np.ndarray:
        gram = design.swapaxes(1, 2) @ design + penalty * np.eye(p)
        found = np.linalg.solve(gram, (design.swapaxes(1, 2) @ target[..., None]))[..., 0]
        weakest = np.argmin(abs(found), axis=1)
        found[np.arange(len(found)), weakest] = 0  # pruned
        return found

    def risks(found: np.ndarray, offset: np.ndarray | float) -> np.ndarray:
        return noise + ((scales * (found - beta)) ** 2).sum(axis=1) + offset**2

    X = rng.normal(size=(trials, n, p)) * scales + mean
    y = X @ beta + 5 + math.sqrt(noise) * rng.normal(size=(trials, n))
    centre, level = X.mean(axis=1), y.mean(axis=1)
    slopes = fitted(X - centre[:, None], y - level[:, None], n * ridge)
    missed = level - (slopes * centre).sum(axis=1) + (slopes - beta) @ mean - 5  # of the prediction at the mean
    with_intercept = risks(slopes, missed)

    X = rng.normal(size=(trials, n - 1, p)) * scales
    y = X @ beta + math.sqrt(noise) * rng.normal(size=(trials, n - 1))
    centred = risks(fitted(X, y, n * ridge), 0.0)
    expected = (1 + 1 / n) * centred.mean()
    error = math.hypot(with_intercept.std(), (1 + 1 / n) * centred.std()) / math.sqrt(trials)
    assert error < 0.01 * expected
    assert abs(with_intercept.mean() - expected) < 4.5 * error


def test_intercepts_are_said():
    assert "no intercept is fitted" in rc.LinearGaussian.__doc__
    assert "intercept" in rc.from_data.__doc__
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    problem = rc.from_data(X, X @ [1, 2, 3] + rng.normal(size=60), n_samples=20, basis="principal")
    assert "an intercept" in str(rc.compare(problem, 0.5))
