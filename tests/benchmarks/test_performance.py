"""Performance as ratios to a floor measured in the same run. Times are printed, never asserted.

Run:  python -m pytest tests/benchmarks --benchmark-only -s
"""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc

import mpmath
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr
from timing import of_children, ratio

import riskcalc as rc
from riskcalc.prediction.predict import evaluate


def three_atoms(count: int = 20_000) -> tuple[rc.LinearGaussian, np.ndarray]:
    rng = np.random.default_rng(0)
    problem = rc.LinearGaussian(
        aspect_ratio=10 ** rng.uniform(-1, 1.3, count),
        eigenvalues=10 ** rng.uniform(-2, 2, (count, 3)),
        signal=rng.uniform(0, 2, (count, 3)),
        weights=rng.dirichlet(np.ones(3), count),
        noise_variance=rng.uniform(0, 1, count),
    )
    return problem, rng.uniform(0.02, 0.9, count)


def smooth(count: int) -> tuple[rc.LinearGaussian, np.ndarray]:
    """One law; aspect ratios and budgets along a line."""
    problem = rc.LinearGaussian(
        aspect_ratio=np.geomspace(0.1, 20, count),
        eigenvalues=[25, 5, 1],
        signal=[1, 0.7, 0.3],
        weights=[0.1, 0.2, 0.7],
        noise_variance=0.3,
    )
    return problem, np.linspace(0.02, 0.9, count)


def magnitude_by_brentq(problem: rc.LinearGaussian, keep: np.ndarray, i: int) -> float:
    """The pruned risk of one regime as a script would compute it: textbook forms and scalar root finding."""
    kappa, noise = problem.aspect_ratio[i], problem.noise_variance[i]
    lam, b, w = problem.law.eigenvalues[i], problem.law.signal[i], problem.law.weights[i]
    nu = 0.0 if kappa < 1 else brentq(lambda x: kappa * np.sum(w * lam / (lam + x)) - 1, 1e-12, kappa * np.sum(w * lam))
    a = lam / (lam + nu)
    gamma = (noise + np.sum(w * lam * b**2 * (1 - a) ** 2)) / (1 - kappa * np.sum(w * a**2))
    m, s = a * b, np.sqrt(kappa * gamma * lam) / (lam + nu)

    def kept(t: float) -> np.ndarray:
        return ndtr((m - t) / s) + ndtr((-t - m) / s)

    t = brentq(lambda x: np.sum(w * kept(x)) - keep[i], 0, np.max(m + 10 * s))
    up, low = (t - m) / s, (-t - m) / s
    density = [np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) for x in (up, low)]
    m0, m1 = kept(t), density[0] - density[1]
    m2 = m0 + up * density[0] - low * density[1]
    first, second = m * m0 + s * m1, m**2 * m0 + 2 * m * s * m1 + s**2 * m2
    return noise + np.sum(w * lam * (b**2 - 2 * b * first + second))


@pytest.mark.benchmark
def test_many_regimes(benchmark):
    problem, keep = three_atoms()
    policy = rc.Magnitude(keep=keep)
    median, best = ratio(
        benchmark,
        lambda: rc.predict(problem, prune=policy),
        lambda: [ndtr(problem.law.eigenvalues) for _ in range(12)],
        rounds=40,
    )
    print(f"\n20,000 regimes / 12 passes of ndtr: {median:.1f} (smallest {best:.1f}; aim: within 4)")
    risks = rc.predict(problem, prune=policy).risk
    start = time.perf_counter()
    looped = [magnitude_by_brentq(problem, keep, i) for i in range(500)]
    per_regime = (time.perf_counter() - start) / 500
    start = time.perf_counter()
    rc.predict(problem, prune=policy)
    print(f"brentq loop / riskcalc, per regime: {per_regime / (time.perf_counter() - start) * 20_000:.0f} (aim: 50)")
    assert np.allclose(looped, risks[:500], rtol=1e-6)


@pytest.mark.benchmark
@pytest.mark.parametrize("kind", ["random", "smooth"])
def test_every_column(benchmark, kind: str):
    problem, keep = three_atoms(10_000) if kind == "random" else smooth(10_000)
    policy = rc.Magnitude(keep=keep)
    median, best = ratio(
        benchmark, lambda: rc.compare(problem, keep=keep), lambda: rc.predict(problem, prune=policy), rounds=7
    )
    print(f"\n10,000 {kind} regimes, compare / magnitude alone: {median:.1f} (smallest {best:.1f}; aim: within 5)")


@pytest.mark.benchmark
def test_features_that_share_an_eigenvalue(benchmark):
    problem = rc.LinearGaussian(
        aspect_ratio=np.linspace(0.5, 4, 500), eigenvalues=1, signal=[3, 0.5], weights=[0.1, 0.9], noise_variance=1
    )
    magnitude, optimal = rc.Magnitude(keep=0.1), rc.Optimal(keep=0.1)
    median, best = ratio(
        benchmark, lambda: rc.predict(problem, optimal), lambda: rc.predict(problem, magnitude), rounds=3
    )
    print(f"\n500 isotropic regimes with spikes, the bound / magnitude: {median:.0f} (smallest {best:.0f})")


@pytest.mark.benchmark
def test_one_regime(benchmark):
    many, keeps = three_atoms(20)
    i = int(np.argmax(many.aspect_ratio > 1))  # one with two roots
    keep = float(keeps[i])

    def problem() -> rc.LinearGaussian:
        return rc.LinearGaussian(
            aspect_ratio=many.aspect_ratio[i],
            eigenvalues=many.law.eigenvalues[i],
            signal=many.law.signal[i],
            weights=many.law.weights[i],
            noise_variance=many.noise_variance[i],
        )

    def by_hand() -> float:
        return magnitude_by_brentq(many, keeps, i)

    assert rc.predict(problem(), rc.Magnitude(keep=keep)).risk == pytest.approx(by_hand(), rel=1e-6)
    median, best = ratio(benchmark, lambda: rc.predict(problem(), rc.Magnitude(keep=keep)), by_hand, rounds=50)
    print(f"\none regime, magnitude / by brentq: {median:.1f} (smallest {best:.1f}; aim: 0.5)")
    ratios = []
    for _ in range(15):
        start = time.perf_counter()
        str(rc.compare(problem(), keep=keep))
        middle = time.perf_counter()
        by_hand()
        ratios.append((middle - start) / (time.perf_counter() - middle))
    print(f"one regime, compare printed / by brentq: {np.median(ratios):.0f} (smallest {min(ratios):.0f}; aim: 8)")


@pytest.mark.benchmark
def test_memory_of_many_regimes():
    problem, keep = three_atoms(100_000)
    rc.compare(problem, keep=keep)
    tracemalloc.start()
    comparison = rc.compare(problem, keep=keep)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    numbers = sum(np.size(value) for one in comparison.predictions.values() for value in one.values.values())
    print(f"\n100,000 regimes, compare: {held / 1e5:.0f} bytes held per regime, {peak / 1e5:.0f} at most,", end=" ")
    print(f"for {numbers / 1e5:.0f} values")


@pytest.mark.benchmark
def test_a_retrained_column(benchmark):
    problem, keep = three_atoms(10_000)
    policy = rc.Magnitude(keep=keep)
    median, best = ratio(
        benchmark, lambda: rc.predict(problem, policy, True), lambda: rc.predict(problem, prune=policy), rounds=25
    )
    print(f"\nretrained on the same sample / magnitude alone: {median:.2f} (smallest {best:.2f}; aim: under 1.5)")


@pytest.mark.benchmark
def test_rounds(benchmark):
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[25, 1], signal=1, weights=[".1", ".9"], noise_variance=1)
    rounds, once = rc.Iterative(rc.Magnitude, keeps=[".32", ".1", ".032", ".01"]), rc.Magnitude(keep=".01")
    median, best = ratio(
        benchmark, lambda: rc.predict(problem, rounds, True), lambda: rc.predict(problem, once, True), rounds=9
    )
    error = rc.predict(problem, rounds, True)
    print(f"\nfour rounds / one retraining: {median:.0f} (smallest {best:.0f}; aim: under 100),", end=" ")
    print(f"integration error {error.integration_error / error.risk:.1e} (aim: 1e-2)")


@pytest.mark.benchmark
def test_a_million_features(benchmark):
    rng = np.random.default_rng(1)
    spectrum = rng.pareto(2.0, 1_000_000) + 0.01
    problem = rc.LinearGaussian(
        aspect_ratio=2.0, law=rc.laws.Empirical(spectrum, rng.normal(size=spectrum.size)), noise_variance=0.5
    )
    rules = [None, *(rule(keep=0.1) for rule in (rc.Magnitude, rc.Hessian, rc.Oracle, rc.Random))]
    six = [rc.Procedure.small(0.1), *map(rc.Procedure, rules)]
    median, best = ratio(benchmark, lambda: evaluate(problem, six), lambda: ndtr(spectrum), rounds=3)
    print(f"\nmillion features, six models / one pass of ndtr: {median:.0f} (smallest {best:.0f}; aim: within 80)")
    tracemalloc.start()
    rc.compare(problem, keep=0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"peak memory / the spectrum: {peak / spectrum.nbytes:.1f} (aim: within 6)")


THREE = rc.LinearGaussian(
    aspect_ratio="10/3", eigenvalues=[25, 5, 1], signal=1, weights=[".1", ".2", ".7"], noise_variance=".1"
)


def in_plain_mpmath(problem: rc.LinearGaussian, keep: str, digits: int) -> mpmath.mpf:
    """The risk after Hessian pruning as a script would compute it: roots by `brentq`, then by `findroot` from there."""
    with mpmath.workdps(digits):
        kappa, noise, alpha = mpmath.mpf(10) / 3, mpmath.mpf(".1"), mpmath.mpf(keep)
        weights = [mpmath.mpf(w.numerator) / w.denominator for w in problem.law.weights]
        atoms = [
            (w, mpmath.mpf(float(x)), mpmath.mpf(1)) for w, x in zip(weights, problem.law.eigenvalues, strict=True)
        ]

        def gap(nu):
            return kappa * sum(w * lam / (lam + nu) for w, lam, _ in atoms) - 1

        nu = mpmath.findroot(gap, brentq(lambda nu: float(gap(nu)), 1e-9, 100))
        shrunk = [lam / (lam + nu) for _, lam, _ in atoms]
        gamma = noise + sum(w * lam * (b * (1 - a)) ** 2 for (w, lam, b), a in zip(atoms, shrunk, strict=True))
        gamma /= 1 - kappa * sum(w * a * a for (w, _, _), a in zip(atoms, shrunk, strict=True))
        scores = [
            (mpmath.sqrt(lam) * a * b, mpmath.sqrt(kappa * gamma) * a)
            for (_, lam, b), a in zip(atoms, shrunk, strict=True)
        ]
        root = mpmath.sqrt(2)

        def kept(t, m, s):
            return (mpmath.erfc((t - m) / s / root) + mpmath.erfc((t + m) / s / root)) / 2

        def missing(t):
            return sum(w * kept(t, *score) for w, score in zip(weights, scores, strict=True)) - alpha

        t = mpmath.findroot(missing, brentq(lambda t: float(missing(t)), 1e-9, 100))
        risk = noise
        for (w, lam, b), a, (m, s) in zip(atoms, shrunk, scores, strict=True):
            up, low = (t - m) / s, (t + m) / s
            near, far, mass = mpmath.npdf(up), mpmath.npdf(low), kept(t, m, s)
            risk += w * lam * b**2 * (1 - mass + (1 - a) ** 2 * mass)
            risk += w * (s**2 * (mass + up * near + low * far) - 2 * (1 - a) * mpmath.sqrt(lam) * b * s * (near - far))
        return risk


@pytest.mark.benchmark
def test_fifty_digits(benchmark):
    problem, policy = THREE, rc.Hessian(keep=".2")
    prediction = rc.predict(problem, prune=policy, digits=50)
    with mpmath.workdps(75):
        kappa, nu, gamma, t = (
            mpmath.mpf(x) for x in (10, prediction.effective_ridge, prediction.dense_risk, prediction.threshold)
        )
        atoms = [tuple(map(mpmath.mpf, atom)) for atom in ((25, 1, ".1"), (5, 1, ".2"), (1, 1, ".7"))]

    def formula() -> mpmath.mpf:
        with mpmath.workdps(75):
            total = mpmath.mpf(0)
            for lam, b, w in atoms:
                a = lam / (lam + nu)
                m, s = mpmath.sqrt(lam) * a * b, mpmath.sqrt(lam * kappa / 3 * gamma * lam) / (lam + nu)
                up, low = (t - m) / s, (t + m) / s
                m0 = (mpmath.erfc(up / mpmath.sqrt(2)) + mpmath.erfc(low / mpmath.sqrt(2))) / 2
                m1 = mpmath.npdf(up) - mpmath.npdf(low)
                m2 = m0 + up * mpmath.npdf(up) + low * mpmath.npdf(low)
                total += w * (lam * b**2 * (1 - m0) + (1 - a) ** 2 * lam * b**2 * m0)
                total += w * (-2 * (1 - a) * mpmath.sqrt(lam) * b * s * m1 + s**2 * m2)
            return total + mpmath.mpf(".1")

    assert abs(formula() - prediction.risk) < mpmath.mpf(10) ** -14
    median, best = ratio(benchmark, lambda: rc.predict(problem, prune=policy, digits=50), formula)
    print(f"\n50 digits, predict / one evaluation of the risk: {median:.0f} (smallest {best:.0f}; aim: under 10)")


@pytest.mark.benchmark
def test_fifty_digits_in_plain_mpmath(benchmark):
    problem, policy = THREE, rc.Hessian(keep=".2")
    with mpmath.workdps(60):
        risk = rc.predict(problem, prune=policy, digits=50).risk
        assert abs(in_plain_mpmath(problem, ".2", 50) / risk - 1) < mpmath.mpf(10) ** -48
    median, best = ratio(
        benchmark,
        lambda: rc.predict(problem, prune=policy, digits=50),
        lambda: in_plain_mpmath(problem, ".2", 50),
    )
    print(f"\n50 digits, predict / plain mpmath with findroot: {median:.2f} (smallest {best:.2f}; aim: under 1)")


@pytest.mark.benchmark
@pytest.mark.parametrize("law", [rc.laws.MarchenkoPastur(0.5), rc.laws.Uniform(0, 1), rc.laws.Beta(0.3, 7)], ids=repr)
def test_quadratures(benchmark, law):
    normals, given = np.random.default_rng(2).normal(size=10**6), law.arguments | {"nodes": 4096}
    median, best = ratio(benchmark, lambda: type(law)(**given), lambda: ndtr(normals), rounds=7)
    print(f"\n4096 nodes / ndtr of a million numbers: {median:.1f} (smallest {best:.1f}; aim: within 20)")


@pytest.mark.benchmark
def test_cold_start(benchmark):
    example = [sys.executable, "-m", "riskcalc", "compare", "riskcalc/examples/two_level.toml"]
    median, best = ratio(
        benchmark,
        lambda: subprocess.run(example, check=True, capture_output=True),
        lambda: subprocess.run([sys.executable, "-c", "import sympy"], check=True),
        rounds=5,
        clock=of_children,
    )
    print(f"\ncold compare / import sympy, CPU time: {median:.2f} (smallest {best:.2f}; aim: under 2)")
