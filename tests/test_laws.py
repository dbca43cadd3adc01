"""Laws: moments, quadrature and its reported error, features at finite p, and how they are asked for."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from fractions import Fraction
from functools import partial
from pathlib import Path

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner
from scipy.integrate import quad
from scipy.stats import beta as scipy_beta

import riskcalc as rc
from riskcalc.command.cli import app
from riskcalc.command.problem_files import question
from riskcalc.laws import Atoms, Beta, Continuous, Empirical, MarchenkoPastur, PowerLaw, Uniform

TWO_LEVEL = str(Path(rc.__file__).parent / "examples" / "two_level.toml")
RATIOS = [1e-6, 0.1, 0.5, 0.999, 1.0, 1.5, 2.0, 30.0]


def mean(law: rc.laws.Law, values: np.ndarray) -> float:
    return float(np.sum(law.weights.astype(float) * values))


# --- moments and quadrature


def test_importing_the_laws_imports_no_scipy():
    code = "import sys, riskcalc.laws; print([m for m in sys.modules if m.startswith('scipy')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("nodes", [2, 7, 512])
@pytest.mark.parametrize("ratio", RATIOS)
def test_marchenko_pastur_moments(ratio: float, nodes: int):
    law = MarchenkoPastur(ratio, nodes=nodes)
    known = [1, 1, 1 + ratio, 1 + 3 * ratio + ratio**2]
    for power, moment in enumerate(known):
        assert mean(law, law.eigenvalues**power) == pytest.approx(moment, rel=1e-13)


@pytest.mark.parametrize(("a", "b"), [(2, 3), (0.5, 0.5), (1, 1), (0.3, 0.7), (1e-3, 1), (1e4, 1e4), (1e6, 3)])
@pytest.mark.parametrize("nodes", [2, 7, 512])
def test_beta_moments(a: float, b: float, nodes: int):
    law = Beta(a, b, nodes=nodes)
    moment = 1.0
    for power in range(4):  # two nodes integrate a cubic exactly
        assert mean(law, law.eigenvalues**power) == pytest.approx(moment, rel=1e-13)
        moment *= (a + power) / (a + b + power)
    stretched = Beta(a, b, low=2, high=5, nodes=nodes)
    assert mean(stretched, stretched.eigenvalues) == pytest.approx(2 + 3 * a / (a + b), rel=1e-13)


def test_uniform_moments():
    law = Uniform(0.5, 2, nodes=6)
    for power in range(12):
        known = (2.0 ** (power + 1) - 0.5 ** (power + 1)) / (power + 1) / 1.5
        assert mean(law, law.eigenvalues**power) == pytest.approx(known, rel=1e-13)


@pytest.mark.parametrize("law", [MarchenkoPastur(0.3), MarchenkoPastur(3), Uniform(0, 1), Beta(0.2, 9)], ids=repr)
def test_weights_sum_to_one(law: Continuous):
    assert abs(float(law.weights.sum()) - 1) < 1e-13


def _stieltjes(y: mpmath.mpf, v: mpmath.mpf) -> mpmath.mpf:
    """E[1/(x + v)] of the Marchenko-Pastur law (Marchenko and Pastur 1967)."""
    return (-(1 - y + v) + mpmath.sqrt((1 - y + v) ** 2 + 4 * y * v)) / (2 * y * v)


@pytest.mark.parametrize("v", [0.05, 1.0, 40.0])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 2.0, 30.0])
def test_marchenko_pastur_stieltjes_transform(ratio: float, v: float):
    law = MarchenkoPastur(ratio)
    assert mean(law, 1 / (law.eigenvalues + v)) == pytest.approx(float(_stieltjes(ratio, v)), rel=1e-12)


@pytest.mark.parametrize(("ratio", "kappa", "ridge"), [(0.5, 2.0, 0.0), (0.5, 0.7, 0.3), (2.0, 3.0, 0.01), (1, 1.3, 0)])
def test_a_dense_fit_against_its_closed_form(ratio: float, kappa: float, ridge: float):
    """Effective ridge and risk from the Stieltjes transform alone, at 40 digits."""
    noise = 0.3
    with mpmath.workdps(40):

        def shrinkage(v):  # E[x/(x + v)]
            return 1 - v * _stieltjes(ratio, v)

        nu = mpmath.findroot(lambda v: v * (1 - kappa * shrinkage(v)) - ridge, (0.01, 100), solver="anderson")
        slope = mpmath.diff(shrinkage, nu)  # -E[x/(x + v)^2]
        risk = (noise - nu**2 * slope) / (1 - kappa * (shrinkage(nu) + nu * slope))
    problem = rc.LinearGaussian(law=MarchenkoPastur(ratio), aspect_ratio=kappa, ridge=ridge, noise_variance=noise)
    dense = rc.predict(problem)
    assert dense.effective_ridge == pytest.approx(float(nu), rel=1e-12)
    assert dense.risk == pytest.approx(float(risk), rel=1e-12)


@pytest.mark.parametrize("ratio", [2, "10/3", Fraction(7, 5), 2.3])
def test_the_interpolation_threshold_of_live_features_is_exact(ratio):
    problem = rc.LinearGaussian(law=MarchenkoPastur(ratio), aspect_ratio=ratio, noise_variance=0.1)
    assert rc.predict(problem).status == "infinite"
    assert rc.predict(problem, digits=20).status == "infinite"


def test_signals():
    x = Uniform(1, 2).eigenvalues
    assert Uniform(1, 2, signal="1/2", signal_power=-1.5).signal == pytest.approx(0.5 * x**-1.5, rel=1e-15)
    assert (Uniform(1, 2, signal=np.sin).signal == np.sin(x)).all()
    assert (Uniform(1, 2, signal=lambda x: 3.0).signal == 3).all()
    assert MarchenkoPastur(2, signal=lambda x: np.where(x > 0, 1 / np.maximum(x, 0.1), 0)).signal[0] == 0


# --- the reported error

LAWS = {
    "marchenko-pastur": lambda nodes: MarchenkoPastur(0.5, nodes=nodes),
    "uniform": lambda nodes: Uniform(0, 2, signal_power=0.5, nodes=nodes),
    "beta": lambda nodes: Beta(0.5, 2, signal_power=-0.25, nodes=nodes),
}
KEEP = np.linspace(0.05, 0.95, 41)
MODELS = {
    "dense": rc.predict,
    "magnitude": lambda problem: rc.predict(problem, prune=rc.Magnitude(keep=KEEP)),
    "oracle": lambda problem: rc.predict(problem, prune=rc.Oracle(keep=KEEP)),
    "small": lambda problem: rc.small_model(problem, keep=KEEP),
}
ROUNDING = 1e-13


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", LAWS)
def test_the_quadrature_error_covers_the_true_one_and_falls(name: str, model: str):
    """The largest over many budgets: a cut's error at one budget depends on where it falls between two nodes."""

    def problem(nodes: int) -> rc.LinearGaussian:
        return rc.LinearGaussian(law=LAWS[name](nodes), aspect_ratio=2, noise_variance=0.5, ridge=0.01)

    reported = {}
    for nodes in (16, 128):
        prediction, finer = MODELS[model](problem(nodes)), MODELS[model](problem(4 * nodes))
        reported[nodes] = np.max(prediction.quadrature_error)
        assert np.max(np.abs(prediction.risk - finer.risk)) <= reported[nodes] + ROUNDING
    # Second order would be a factor 64.
    assert reported[128] < reported[16] / 16 + ROUNDING
    assert reported[16] > 0


@pytest.mark.parametrize("law", [partial(MarchenkoPastur, 0.5), partial(Uniform, 0.5, 3)])
def test_the_quadrature_error_of_a_sharp_cut_does_not_depend_on_luck(law):
    """A ranking's error depends on where the cut falls between two nodes; the reported one covers nearly all."""
    keep = np.random.default_rng(0).uniform(0.02, 0.98, 200)
    coarse, fine = (
        rc.predict(rc.LinearGaussian(aspect_ratio=2, law=law(nodes=nodes), noise_variance=0.1), rc.Oracle(keep=keep))
        for nodes in (512, 8192)
    )
    covered = abs(coarse.risk - fine.risk) / coarse.quadrature_error
    assert np.mean(covered <= 1) > 0.98
    assert covered.max() < 3


def test_the_quadrature_error_of_a_batch_counts_and_digits():
    law = Uniform(0.5, 2, signal=2, nodes=32)
    batch = rc.LinearGaussian(n_samples=[30, 60], n_features=90, law=law, noise_variance=0.2, ridge=0.1, penalty=2)
    many = rc.predict(batch, prune=rc.Oracle(n_keep=20))
    assert many.quadrature_error.shape == (2,)
    one = rc.LinearGaussian(n_samples=60, n_features=90, law=law, noise_variance=0.2, ridge=0.1, penalty=2)
    fine = rc.predict(one, prune=rc.Oracle(n_keep=20), digits=25)
    assert isinstance(fine.quadrature_error, float)
    assert many.quadrature_error[1] == pytest.approx(fine.quadrature_error, abs=1e-12)
    assert fine.quadrature_error > 1e-6
    copied = pickle.loads(pickle.dumps(many))
    assert (copied.quadrature_error == many.quadrature_error).all()


def test_the_quadrature_error_is_shown_where_there_is_one():
    problem = rc.LinearGaussian(law=Beta(2, 3, nodes=16), aspect_ratio=2, noise_variance=0.5)
    prediction = rc.predict(problem, prune=rc.Oracle(keep=0.3))
    assert prediction.to_dict()["quadrature_error"] == prediction.quadrature_error > 0
    (line,) = (line for line in str(prediction).split("\n") if "quadrature" in line)
    assert line.split() == ["quadrature", "error", f"{prediction.quadrature_error:.5g}"]
    atoms = rc.predict(rc.LinearGaussian(eigenvalues=[4, 1], signal=1, aspect_ratio=2))
    assert atoms.quadrature_error is None
    assert "quadrature_error" not in atoms.to_dict()
    assert "quadrature" not in str(atoms)
    infinite = rc.predict(rc.LinearGaussian(law=Uniform(1, 2), aspect_ratio=1, noise_variance=0.5))
    assert infinite.to_dict()["quadrature_error"] == "nan"
    assert np.isnan(infinite.quadrature_error)


def test_coarser():
    law = MarchenkoPastur(3, signal=np.cos, nodes=9)
    half = law.coarser()
    assert (half.nodes, half.n_atoms, law.nodes) == (4, 5, 9)
    again = MarchenkoPastur(3, signal=np.cos, nodes=4)
    assert (half.eigenvalues == again.eigenvalues).all()
    assert (half.signal == again.signal).all()


# --- features at finite p


@pytest.mark.parametrize(
    ("law", "number", "counts"),
    [
        (Atoms([25, 1], 1, ["1/10", "9/10"]), 30, [3, 27]),
        (Atoms([25, 1, 4], [1, 2, 3], [0.1, 0.2, 0.7]), 10, [1, 2, 7]),
        (Atoms([3, 1, 2], 1, ["1/3"] * 3), 30, [10, 10, 10]),
        (Atoms([3, 1, 2], 1, [0.5, 0, 0.5]), 6, [3, 0, 3]),
        (Atoms([25, 1], 1, ["1/3", "2/3"]), 10, [3, 7]),
        (Atoms([3, 1, 2], 1), 7, [2, 2, 3]),
        (Atoms(2, [1, 3], 0.5), 4, [2, 2]),
    ],
)
def test_counts_of_atoms(law: Atoms, number: int, counts: list[int]):
    eigenvalues, signal, atom = law.features(number)
    assert np.bincount(atom, minlength=law.n_atoms).tolist() == counts
    assert (eigenvalues == np.broadcast_to(law.eigenvalues, law.shape).astype(float)[atom]).all()
    assert (signal == np.broadcast_to(law.signal, law.shape).astype(float)[atom]).all()
    assert eigenvalues.dtype == signal.dtype == np.float64


def test_counts_are_within_one_of_their_share():
    rng = np.random.default_rng(1)
    for number in (3, 50, 1000):
        weights = rng.dirichlet(np.ones(20))
        counts = np.bincount(Atoms(rng.gamma(1, size=20), 1, weights).features(number)[2], minlength=20)
        assert counts.sum() == number
        assert np.abs(counts - number * weights).max() < 1


def test_an_empirical_law_gives_its_features():
    rng = np.random.default_rng(2)
    given = rng.gamma(1.0, size=5000), rng.normal(size=5000)
    eigenvalues, signal, atom = Empirical(*given).features(5000)
    assert (eigenvalues == given[0]).all()
    assert (signal == given[1]).all()
    assert (atom == np.arange(5000)).all()


def test_fewer_features_than_atoms_keep_the_mean():
    """Neither the heaviest atoms alone nor the first ones."""
    rng = np.random.default_rng(3)
    x = np.sort(rng.gamma(2.0, size=4000))
    for law in (Empirical(x, np.ones(4000)), Atoms(x, 1, x / x.sum())):
        known = x.mean() if law.weights is None else mean(law, x)
        assert law.features(400)[0].mean() == pytest.approx(known, rel=0.01)


def test_power_laws_are_their_definition_at_finite_p():
    for limit, finite in (
        (PowerLaw(0.5, -0.2), PowerLaw(0.5, -0.2, 300)),
        (PowerLaw(0.9, 0.0), PowerLaw(0.9, 0.0, 300)),
    ):
        eigenvalues, signal, atom = limit.features(300)
        assert (eigenvalues == finite.eigenvalues).all()
        assert (signal == finite.signal).all()
        assert (atom == -1).all()
        assert (finite.features(300)[0] == finite.eigenvalues).all()


@pytest.mark.parametrize("ratio", [1e-6, 0.3, 1.0, 1.7, 5.0])
def test_marchenko_pastur_quantiles(ratio: float):
    """The density integrated up to each quantile gives its level."""
    y, number = min(ratio, 1 / ratio), 40
    scaled = MarchenkoPastur(ratio).features(number)[0] / max(ratio, 1)
    live = min(1, 1 / ratio)
    levels = ((np.arange(number) + 0.5) / number - (1 - live)) / live
    assert (scaled[levels < 0] == 0).all()
    low, high = (1 - np.sqrt(y)) ** 2, (1 + np.sqrt(y)) ** 2
    edge, over = (-0.5, lambda x: 1.0) if low == 0 else (0.5, lambda x: x)
    for quantile, level in zip(scaled[levels > 0], levels[levels > 0], strict=True):
        mass, _ = quad(
            lambda x: np.sqrt(high - x) / (2 * np.pi * y * over(x)), low, quantile, weight="alg", wvar=(edge, 0)
        )
        assert mass == pytest.approx(level, abs=1e-9)


def test_beta_and_uniform_quantiles():
    levels = (np.arange(50) + 0.5) / 50
    assert Beta(0.7, 3, 1, 4).features(50)[0] == pytest.approx(1 + 3 * scipy_beta.ppf(levels, 0.7, 3), rel=1e-12)
    assert Uniform(1, 4).features(50)[0] == pytest.approx(1 + 3 * levels, rel=1e-15)


ANY_LAW = [
    Atoms([25, 1, 0], [1, 2, -1], ["1/7", "2/7", "4/7"]),
    Empirical(np.linspace(0.1, 4, 777), np.linspace(-1, 2, 777)),
    PowerLaw(0.3, 0.1),
    PowerLaw(1.2, 0.3, 90),
    MarchenkoPastur(0.5, signal=2, signal_power=-0.5),
    MarchenkoPastur(4, signal=np.cos),
    Uniform(0, 3, signal_power=0.5),
    Beta(0.5, 3, signal_power=-0.2),
]


def _averages(law: rc.laws.Law) -> tuple[list[float], list]:
    """E[Lambda], E[Lambda B^2] and E[Lambda B], and the same as functions of features."""
    functions = [lambda x, b: x, lambda x, b: x * b**2, lambda x, b: x * b]
    x, b = (np.broadcast_to(array, law.shape).astype(float) for array in (law.eigenvalues, law.signal))
    weights = np.full(law.shape, 1 / law.n_atoms) if law.weights is None else law.weights.astype(float)
    return [float(weights @ f(x, b)) for f in functions], functions


@pytest.mark.parametrize("law", ANY_LAW, ids=repr)
def test_quantiles_converge(law: rc.laws.Law):
    known, functions = _averages(law)
    for value, function in zip(known, functions, strict=True):
        errors = [abs(function(*law.features(number)[:2]).mean() - value) for number in (101, 10_007)]
        assert errors[1] < max(errors[0] / 5, 1e-4)


@pytest.mark.parametrize("law", ANY_LAW, ids=repr)
def test_drawn_features_follow_the_law(law: rc.laws.Law):
    eigenvalues, signal, atom = law.features(40_000, np.random.default_rng(0))
    again = law.features(40_000, np.random.default_rng(0))
    assert (again[0] == eigenvalues).all()
    assert len(np.unique(eigenvalues)) > 1
    for value, function in zip(*_averages(law), strict=True):
        drawn = function(eigenvalues, signal)
        assert abs(drawn.mean() - value) < 5 * drawn.std() / 200 + 1e-12
    if atom[0] >= 0:
        assert (eigenvalues == law.eigenvalues.astype(float)[atom]).all()


# --- what is refused


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: MarchenkoPastur(0), r"ratio must be above 0, got 0"),
        (lambda: MarchenkoPastur([1, 2]), r"ratio must be one number, got \[1, 2\]"),
        (lambda: MarchenkoPastur(np.inf), r"ratio must be finite, got inf"),
        (lambda: MarchenkoPastur(1, nodes=1), r"nodes must be at least 2, got 1"),
        (
            lambda: MarchenkoPastur(2, signal_power=-0.1),
            r"got inf at Lambda=0; features without variance .* at least 0",
        ),
        (
            lambda: MarchenkoPastur(2, signal=lambda x: 1 / x),
            r"signal must be finite, got inf at Lambda=0; .* finite at 0",
        ),
        (lambda: MarchenkoPastur(1, signal_power=-0.6), r"infinite variance .* at least -0\.5 for this law, got -0\.6"),
        (lambda: Uniform(0, 1, signal_power=-0.8), r"at least -0\.75 for this law, got -0\.8"),
        (lambda: Beta(0.1, 1, signal_power=-0.4), r"at least -0\.3 for this law, got -0\.4"),
        (
            lambda: Uniform(0, 1, signal=np.log1p, signal_power=1),
            r"signal_power must be 0 where signal is a function .* 1",
        ),
        (lambda: Uniform(1, 2, signal=lambda x: x[:3]), r"one value for each of 512 eigenvalues, got shape \(3,\)"),
        (lambda: Uniform(1, 2, signal=lambda x: x * np.nan), r"signal must be finite, got nan at Lambda=1\.\d*$"),
        (lambda: Uniform(1, 2, signal=[1, 2]), r"signal must be one number"),
        (lambda: Uniform(1, 2, signal_power=[1, 2]), r"signal_power must be one number"),
        (lambda: Uniform(-1, 2), r"low must be at least 0, got -1"),
        (lambda: Uniform(2, 2), r"high must be above low, got low=2 and high=2"),
        (lambda: Beta(0, 2), r"a must be above 0, got 0"),
        (lambda: Beta(1, -2), r"b must be above 0, got -2"),
        (lambda: Beta(1, 2, low=3), r"high must be above low, got low=3 and high=1"),
        (lambda: Uniform(1, 2, nodes=2).coarser().coarser(), r"a rule of one node has no coarser one"),
        (lambda: Uniform(1, 2).features(0), r"count must be at least 1, got 0"),
        (lambda: Atoms([[1, 2], [3, 4]], 1).features(3), r"batch of laws of shape \(2,\)"),
        (
            lambda: rc.LinearGaussian(aspect_ratio=2, law=Uniform(1, 2, nodes=4), penalty=[1, 2, 3, 4]),
            r"penalty must be None, 'natural' or one number where the law is continuous .* got 4 weights",
        ),
    ],
)
def test_bad_values(ask, message: str):
    with pytest.raises(ValueError, match=message):
        ask()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Uniform(1, 2, nodes=2.5), r"nodes must be an integer, got 2\.5"),
        (lambda: Uniform(1, 2, nodes=True), r"nodes must be an integer, got True"),
        (lambda: Uniform(1, 2).features(2.5), r"count must be an integer, got 2\.5"),
        (lambda: Uniform(1, 2).features(3, 7), r"rng must be None or a numpy\.random\.Generator, got 7"),
    ],
)
def test_bad_types(ask, message: str):
    with pytest.raises(TypeError, match=message):
        ask()


@pytest.mark.parametrize("penalty", [None, "natural", 2])
def test_penalties_of_a_continuous_law(penalty):
    problem = rc.LinearGaussian(aspect_ratio=2, law=Uniform(1, 2, nodes=64), penalty=penalty, ridge=0.1)
    assert rc.predict(problem).quadrature_error < 1e-12


# --- files and flags

ASKED = {
    "marchenko_pastur": ("1/2", MarchenkoPastur("1/2")),
    "uniform": (["1/2", 2], Uniform(0.5, 2)),
    "beta": ([2, 3, 0, 5], Beta(2, 3, 0, 5)),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("signals", [{}, {"signal": 3}, {"signal": 3, "signal_power": "1/2"}])
def test_files_and_flags(name: str, signals: dict, tmp_path):
    value, law = ASKED[name]
    expected = type(law)(**law.arguments, **signals)
    keys = {"aspect_ratio": 2, name: value} | signals
    assert repr(question(keys).problem.law) == repr(expected)
    path = tmp_path / "problem.toml"
    path.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items()))
    flags = [
        part
        for key, given in keys.items()
        for part in (f"--{key.replace('_', '-')}", ",".join(map(str, given)) if isinstance(given, list) else str(given))
    ]
    risk = rc.predict(rc.LinearGaussian(aspect_ratio=2, law=expected)).risk
    for arguments in ([str(path)], flags, [TWO_LEVEL, "--signal", "1", *flags]):
        done = CliRunner().invoke(app, ["predict", *arguments, "--json"], catch_exceptions=False)
        values = json.loads(done.output)
        assert values["risk"] == pytest.approx(risk, rel=1e-14)
        assert values["quadrature_error"] < 1e-12


def test_short_forms():
    assert repr(question({"aspect_ratio": 2, "beta": [2, 3]}).problem.law) == repr(Beta(2, 3))
    assert repr(question({"aspect_ratio": 2, "marchenko_pastur": [2]}).problem.law) == repr(MarchenkoPastur(2))


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        ("uniform = [0, 2]\nsignal = 3\nsignal_power = 0.5", ["--beta", "2,3"], Beta(2, 3, signal=3, signal_power=0.5)),
        ("uniform = [0, 2]\nsignal = 3", ["--signal", "4"], Uniform(0, 2, signal=4)),
        ("uniform = [0, 2]\nsignal = 3\nsignal_power = 1", ["--power-law", "1,1,9"], PowerLaw(1, 1, 9)),
        ("power_law = [1, 1, 9]", ["--marchenko-pastur", "2"], MarchenkoPastur(2)),
        ("uniform = [0, 2]\nsignal = 3\nsignal_power = 1", ["--eigenvalues", "4,1"], Atoms([4, 1], 3)),
    ],
)
def test_a_flag_replaces_the_law_of_a_file(text: str, flags: list[str], expected: rc.laws.Law, tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text("aspect_ratio = 3\n" + text)
    done = CliRunner().invoke(app, ["predict", str(path), *flags, "--json"], catch_exceptions=False)
    assert json.loads(done.output)["risk"] == rc.predict(rc.LinearGaussian(aspect_ratio=3, law=expected)).risk


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"uniform": [0, 1], "beta": [1, 2]}, "give one law, not uniform and beta"),
        ({"power_law": [1, 1, 9], "marchenko_pastur": 1}, "give one law, not power_law and marchenko_pastur"),
        ({"uniform": [0, 1], "eigenvalues": 1}, "the law uniform determines eigenvalues; leave it out"),
        ({"beta": [1, 1], "weights": 1, "eigenvalues": 1}, "the law beta determines eigenvalues and weights"),
        (
            {"eigenvalues": 1, "signal": 1, "signal_power": 1},
            "signal_power needs one of the laws marchenko_pastur, uniform",
        ),
        ({"power_law": [1, 1, 9], "signal_power": 1}, "signal_power needs one of the laws"),
        ({"marchenko_pastur": [1, 2]}, r"marchenko_pastur must be one number, the ratio, got \[1, 2\]"),
        ({"uniform": 1}, r"uniform must be \[low, high\], got 1"),
        ({"uniform": [[1, 2], [3, 4]]}, r"uniform must be \[low, high\], got \[\[1"),
        ({"beta": [1, 2, 3]}, r"beta must be \[a, b\] or \[a, b, low, high\], got \[1, 2, 3\]"),
        ({"beta": True}, "beta must be a number or a list of numbers, got True"),
        ({"uniform": ["low", 1]}, "low must be a finite number"),
        ({"uniform": [1, 2], "signal": [1, 2]}, r"signal must be one number, got \[1, 2\]"),
        ({"marchenko_pastur": 2, "signal_power": -1}, "features without variance"),
        ({"uniform": [1, 2], "penalty": [1, 2]}, "penalty must be None, 'natural' or one number"),
    ],
)
def test_bad_keys(keys: dict, message: str):
    with pytest.raises(ValueError, match=message):
        question({"aspect_ratio": 2} | keys)
