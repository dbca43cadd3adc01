"""Random features: constants, kernels, predictions beside true networks, and what is refused."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from helpers import command_line
from scipy.special import erf, ndtr

import riskcalc as rc
from riskcalc.policies import Random
from riskcalc.prediction.predict import evaluate
from riskcalc.problems.activations import ACTIVATIONS, Activation, activation_of, register
from riskcalc.problems.hermite import coefficients, parts
from riskcalc.problems.kernels import neurons
from riskcalc.simulation.backends import cpu
from riskcalc.simulation.simulate import make_plan, run_trials
from riskcalc.theory import REGISTRY

WIDE = {"n_inputs": 100, "n_features": 1000, "n_samples": 200, "noise_variance": "9/100"}
NARROW = {"n_inputs": 200, "n_features": 900, "n_samples": 300, "noise_variance": "9/100"}
CLOSED = ("relu", "erf", "sign", "linear")


def unit_rows(p: int, d: int, seed: int = 0) -> np.ndarray:
    """Directions uniform on the sphere."""
    rows = np.random.default_rng(seed).standard_normal((p, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("name", CLOSED[:-1])
def test_constants_in_closed_form_are_those_integrated(name: str):
    found = parts(activation_of(name))
    slope, rest = (float(REGISTRY[f"random_features.{name}_{part}"].statement) for part in ("slope", "rest"))
    assert found.slope == pytest.approx(slope, abs=1e-14)
    assert found.rest == pytest.approx(rest, abs=1e-14)
    if name == "relu":
        assert found.mean == pytest.approx(float(REGISTRY["random_features.relu_mean"].statement), abs=1e-14)


@pytest.mark.parametrize("kink", [0, 0.3123, -2.718])
def test_kinks_and_jumps_cost_no_digits(kink: float):
    """E[(H - c)+] and its slope, and those of a step, in closed form."""
    density, above = np.exp(-(kink**2) / 2) / np.sqrt(2 * np.pi), ndtr(-kink)
    bent, step = parts(lambda z: np.maximum(z - kink, 0)), parts(lambda z: (z > kink) * 1.0)
    assert bent.mean == pytest.approx(density - kink * above, abs=1e-13)
    assert bent.slope == pytest.approx(above, abs=1e-13)
    assert bent.variance == pytest.approx((1 + kink**2) * above - kink * density - bent.mean**2, abs=1e-13)
    assert (step.mean, step.slope) == pytest.approx((above, density), abs=1e-13)


def test_hermite_coefficients_are_known():
    """exp(z) is exp(1/2) times the sum of He_k/k!."""
    found = coefficients(np.exp, 12)
    factorials = np.cumprod(np.append(1.0, np.arange(1, 13)))
    assert found == pytest.approx(np.exp(0.5) / np.sqrt(factorials), rel=1e-12)


@pytest.mark.parametrize(("sizes", "n_keep", "expected"), [
    (WIDE, 100, (0.2820, 0.5991, 0.5183, 1.0758)),
    (NARROW, 200, (0.4724, 0.590, 0.753, 1.61)),
], ids=["wide", "narrow"])  # fmt: skip
def test_reference_values(sizes: dict, n_keep: int, expected: tuple[float, ...]):
    """An independent implementation's, to the digits that it gave: dense, pruned, retrained, small."""
    problem, rule = rc.RandomFeatures(**sizes), rc.Magnitude(n_keep=n_keep)
    small = rc.Procedure.small(n_keep=n_keep, by=Random)
    asked = [rc.Procedure(), rc.Procedure(rule), rc.Procedure(rule, rc.Retrain()), small]
    found = [one.risk for one in evaluate(problem, asked).values()]
    for value, wanted in zip(found, expected, strict=True):
        assert value == pytest.approx(wanted, abs=0.5 * 10 ** -len(str(wanted).partition(".")[2]))
    own = rc.predict(rc.RandomFeatures(**{**sizes, "n_features": n_keep}))
    assert found[-1] == pytest.approx(own.risk, rel=1e-12)


def test_true_networks():
    """Retraining on the same sample, and no fresh one: sixty draws of weights and samples."""
    problem, rule = rc.RandomFeatures(**WIDE), rc.Magnitude(n_keep=100)
    small = rc.Procedure.small(n_keep=100, by=Random)
    asked = [rc.Procedure(), rc.Procedure(rule), rc.Procedure(rule, rc.Retrain()), small]
    predicted = evaluate(problem, asked)
    values = run_trials(make_plan(problem, asked, None), 1, 60, workers=1)[:, :, 0]
    means, errors = values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values))
    for one, mean, error in zip(asked, means, errors, strict=True):
        assert abs(mean - predicted[one].risk) < 3 * error, one.label
    assert rc.predict(problem, rule, rc.Retrain(sample="fresh")).risk > means[2] + 10 * errors[2]


@pytest.mark.parametrize("quadratic", [0, 0.5])
def test_the_way_of_an_earlier_user(quadratic: float):
    """shared/cases/h16: the Gaussian equivalent of given weights, found by hand, and networks."""
    d, p, n, noise, ridge = 200, 300, 400, 0.25, 1e-3
    rows = unit_rows(p, d)
    variances, basis = np.linalg.eigh(rows @ rows.T / 4 + (0.25 - 1 / (2 * np.pi)) * np.eye(p))
    cross = basis.T @ rows @ unit_rows(1, d, 1)[0] / 2
    unseen = 1 + noise + quadratic**2 - (cross**2 / variances).sum()
    signal = np.sqrt(p) * cross / variances
    by_hand = rc.LinearGaussian(
        n_samples=n, n_features=p, eigenvalues=variances, signal=signal, noise_variance=unseen, ridge=ridge
    )
    problem = rc.RandomFeatures(
        n_inputs=d, n_features=p, n_samples=n, noise_variance=noise, ridge=ridge, target=[1, quadratic]
    )
    found = rc.predict(problem).risk
    assert found == pytest.approx(rc.predict(by_hand).risk, rel=0.05)  # of one draw: some 1/sqrt(d)
    networks = rc.simulate(problem, trials=20, seed=3, workers=1)
    assert abs(found - networks.mean) < 4 * networks.stderr + 0.03 * networks.mean


def test_a_linear_network_is_a_regression_on_its_inputs():
    """With as many neurons as inputs, or more, and fewer inputs than samples: least squares on d inputs."""
    for p in (50, 80):
        problem = rc.RandomFeatures("linear", n_inputs=50, n_features=p, n_samples=200, noise_variance=1)
        assert rc.predict(problem).risk == pytest.approx(1 / (1 - 50 / 200), rel=1e-9)
    free = rc.RandomFeatures("linear", n_inputs=50, n_features=80, n_samples=200)
    assert rc.predict(free).risk == pytest.approx(0, abs=1e-12)


def test_an_even_activation_learns_nothing_but_noise():
    """Isotropic features without a signal."""
    problem = rc.RandomFeatures(np.abs, n_inputs=50, n_features=200, n_samples=100, noise_variance="1/2")
    assert rc.predict(problem).risk == pytest.approx(1.5 * 2 / (2 - 1), rel=1e-9)
    assert problem.null_risk == 1.5


def test_targets():
    """Only the slope of a target is learnt; the rest of its variance is noise."""
    sizes = {"n_inputs": 50, "n_features": 80, "n_samples": 60, "ridge": "1/10"}
    risk = rc.predict(rc.RandomFeatures("erf", **sizes, noise_variance="1/4")).risk
    assert rc.predict(rc.RandomFeatures("erf", **sizes, target=[1, 0, "1/2"])).risk == pytest.approx(risk, rel=1e-12)
    assert rc.predict(rc.RandomFeatures("erf", **sizes, target=2, noise_variance=1)).risk == pytest.approx(
        4 * risk, rel=1e-12
    )
    cubic = rc.RandomFeatures("erf", **sizes, target=lambda z: 3 + z + (z**3 - 3 * z) / np.sqrt(24))
    assert rc.predict(cubic).risk == pytest.approx(risk, rel=1e-12)
    z = np.linspace(-2, 2, 5)
    assert cubic.index(z) == pytest.approx(rc.RandomFeatures(**sizes, target=[1, 0, 0.5]).index(z))
    prediction = rc.predict(cubic)
    assert prediction.excess_risk == prediction.risk


def test_digits_batches_and_quadrature():
    problem, rule = rc.RandomFeatures("erf", **WIDE), rc.Magnitude(n_keep=100)
    plain, exact = (rc.predict(problem, rule, True, digits=digits) for digits in (None, 40))
    assert plain.risk == pytest.approx(float(exact.risk), rel=1e-12)
    assert plain.excess_risk == pytest.approx(plain.risk - 0.09, rel=1e-12)
    assert np.all(np.asarray(plain.quadrature_error) < 1e-13)
    with pytest.raises(ValueError, match="digits: the constants of 'tanh' are integrated in double precision"):
        rc.predict(rc.RandomFeatures("tanh", **WIDE), digits=30)
    with pytest.raises(ValueError, match="digits: a target that is a function is integrated"):
        rc.predict(rc.RandomFeatures(**WIDE, target=np.sin), digits=30)
    batch = rc.RandomFeatures("tanh", n_inputs=50, n_features=80, n_samples=[60, 90], ridge=[[0.1], [1]])
    assert batch.shape == (2, 2)
    risks = np.asarray(rc.predict(batch, rc.Magnitude(keep=0.5), True).risk)
    one = rc.RandomFeatures("tanh", n_inputs=50, n_features=80, n_samples=90, ridge=1)
    assert risks[1, 1] == pytest.approx(rc.predict(one, rc.Magnitude(keep=0.5), True).risk, rel=1e-13)


def test_kernels_agree_with_series_and_integrals():
    """Exact ones with the Hermite series of the same function, the series with a quadrature of its own."""
    rows = unit_rows(12, 6)
    for name in CLOSED:
        own = activation_of(name)
        series = rc.random_features_covariance(rows, lambda z, own=own: own(z))
        exact = rc.random_features_covariance(rows, name)
        assert series == pytest.approx(exact, abs=1e-9)
        assert np.linalg.eigvalsh(exact).min() > -1e-12
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    cosine = rows[0] @ rows[1]
    other = cosine * points[:, None] + np.sqrt(1 - cosine**2) * points
    for function in (np.tanh, lambda z: np.logaddexp(0, z)):
        mean = weights @ function(points)
        product = weights @ (function(points)[:, None] * function(other)) @ weights
        found = rc.random_features_covariance(rows, function)
        assert found[0, 1] == pytest.approx(product - mean**2, abs=1e-9)
        assert found[0, 0] == pytest.approx(parts(function).variance, rel=1e-9)


def test_kernels_of_parallel_rows():
    both = np.array([[0.6, 0.8], [0.6, 0.8], [-0.6, -0.8]])
    for name in ("relu", "sign", "erf", "linear"):
        own = activation_of(name)
        series = neurons(activation_of(lambda z, own=own: own(z)), both)
        assert series == pytest.approx(neurons(own, both), abs=1e-9)
    near = np.array([[1.0, 0.0], [np.cos(1e-3), np.sin(1e-3)]])
    with pytest.raises(ValueError, match=r"cosine 0\.9999995, and the Hermite series .* is longer than 512 terms"):
        rc.random_features_covariance(near, np.sign)
    assert rc.random_features_covariance(near, "tanh")[0, 1] < parts(activation_of("tanh")).variance


def test_samples_are_those_of_the_kernel():
    """The simulator's features have the covariance that is known of them, and the target its slope."""
    problem = rc.RandomFeatures("relu", n_inputs=3, n_features=4, n_samples=20_000, target=[1, 0.5], ridge=1)
    plan = make_plan(problem, [rc.Procedure()], None)
    drawn = plan.sampler.redrawn(1, np.random.SeedSequence(5))
    ensemble = plan.sampler.ensemble([drawn], cpu())
    rng = np.random.default_rng(6)
    design, target = ensemble.sample(rng.standard_normal((1, 20_000, 3)), rng.standard_normal((1, 20_000)))
    rows, index = drawn[0, 1:], drawn[0, 0]
    error = 6 / np.sqrt(20_000)
    assert abs(design[0].mean(0)).max() < error
    assert abs(design[0].T @ design[0] / 20_000 - rc.random_features_covariance(rows)).max() < error
    relu_2 = 1 / (2 * np.sqrt(np.pi))  # its second Hermite coefficient
    wanted = rows @ index / 2 + 0.5 * relu_2 * (rows @ index) ** 2
    assert abs(design[0].T @ target[0] / 20_000 - wanted).max() < 2 * error
    assert target.var() == pytest.approx(1.25, abs=4 * error)


def test_verify_agrees():
    problem = rc.RandomFeatures("erf", n_inputs=25, n_features=75, n_samples=50, noise_variance=0.25, ridge=0.1)
    checked = rc.verify(problem, rc.Magnitude(keep="1/3"), True, tolerance=0.1, seed=4, workers=1)
    assert checked.verdict == "agree", checked


def test_activations_of_ones_own():
    @register
    class Swish(Activation):
        name = "swish"

        def __call__(self, z: np.ndarray) -> np.ndarray:
            return z * (1 + erf(z / np.sqrt(2))) / 2

    try:
        problem = rc.RandomFeatures("swish", **WIDE)
        assert problem == rc.RandomFeatures(Swish, **WIDE) == rc.RandomFeatures.from_dict(problem.to_dict())
        same = rc.RandomFeatures(lambda z: z * ndtr(z), **WIDE)
        assert rc.predict(problem).risk == pytest.approx(rc.predict(same).risk, rel=1e-12)
        with pytest.raises(ValueError, match="an activation is called 'swish' already"):
            register(type("Other", (Swish,), {}))
        with pytest.raises(TypeError, match="an activation is a subclass of"):
            register(dict)
    finally:
        del ACTIVATIONS["swish"]


def test_written_and_read():
    problem = rc.RandomFeatures("tanh", **WIDE, ridge="1/10", target=[1, "1/3"])
    for other in (rc.RandomFeatures.from_dict(problem.to_dict()), pickle.loads(pickle.dumps(problem))):
        assert other == problem
        assert repr(other) == repr(problem)
    assert r"\text{tanh}(w_i^\top x)" in str(problem._repr_latex_())
    with pytest.raises(TypeError, match=r"is the Python function .*cannot be written"):
        rc.RandomFeatures(np.tanh, **WIDE).to_dict()
    with pytest.raises(TypeError, match=r"target of .* is a Python function"):
        rc.RandomFeatures(**WIDE, target=np.sin).to_dict()


WRONG = {
    "unknown": ({"activation": "rellu"}, ValueError, r"no activation is called 'rellu'; did you mean relu"),
    "none": ({"activation": 3}, TypeError, r"activation must be one of relu, .* got 3"),
    "constant": ({"activation": lambda z: 0 * z + 1}, ValueError, "activation must vary; it is constant, at 1"),
    "infinite": ({"activation": lambda z: 1 / np.maximum(z, 0)}, ValueError, "activation must be finite, got inf"),
    "nan": ({"activation": np.log}, ValueError, "activation must be finite, got nan at -38"),
    "steep": ({"activation": lambda z: np.exp(z**2 / 3)}, ValueError, r"a finite variance .* it grows too fast"),
    "wild": ({"activation": lambda z: np.sin(1e7 * z)}, ValueError, "activation varies too wildly"),
    "shape": ({"activation": lambda z: z[:2]}, ValueError, "activation must give one real number for each input"),
    "complex": ({"activation": lambda z: 1j * z}, ValueError, "got complex128"),
    "inputs": ({"n_inputs": 0}, ValueError, "n_inputs must be at least 1, got 0"),
    "fraction": ({"n_features": 2.5}, TypeError, "n_features must be an integer, got 2.5"),
    "ridge": ({"ridge": -1}, ValueError, "ridge must be at least 0"),
    "noise": ({"noise_variance": float("nan")}, ValueError, "noise_variance must be finite"),
    "target": ({"target": [[1]]}, ValueError, "target must be a number, Hermite coefficients or a function"),
    "no target": ({"target": []}, ValueError, "target is empty"),
    "wrong target": ({"target": lambda z: 1 / z.clip(0)}, ValueError, "target must be finite"),
    "nodes": ({"nodes": 1}, ValueError, "nodes must be at least 2, got 1"),
}


@pytest.mark.parametrize(("given", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(given: dict, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        rc.RandomFeatures(**{**WIDE, **given})


@pytest.mark.parametrize(("weights", "message"), [
    ([[1, 0], [0.6, 0.9]], r"row 1 has norm 1\.0816"),
    ([[1, np.nan]], "weights must be finite"),
    ([1, 0], r"weights must be a matrix, a row for each neuron, got shape \(2,\)"),
    ([], "weights is empty"),
], ids=["norm", "nan", "vector", "empty"])  # fmt: skip
def test_wrong_weights(weights: list, message: str):
    with pytest.raises(ValueError, match=message):
        rc.random_features_covariance(weights)


def test_what_is_not_simulated():
    linear = rc.RandomFeatures("linear", n_inputs=20, n_features=60, n_samples=40)
    for prune, message in (
        (None, "a linear network of 20 inputs has that many independent features"),
        (rc.Optimal(keep=0.5), "is not simulated with random features"),
        (rc.Oracle(keep=0.5), "has no true coefficients to rank"),
    ):
        with pytest.raises(ValueError, match=message):
            rc.simulate(linear, prune, trials=2, workers=1)
    with pytest.raises(ValueError, match="drawn anew in every trial"):
        rc.simulate(rc.RandomFeatures(**WIDE), features="drawn", trials=2)
    with pytest.raises(ValueError, match="leaves no input or no feature"):
        rc.simulate(rc.RandomFeatures("relu", n_inputs=1, n_features=9, n_samples=50), n_samples=4, trials=2)


def test_the_command_line(monkeypatch, capsys, tmp_path):
    def run(*arguments: str) -> tuple[int, str, str]:
        return command_line(monkeypatch, capsys, *arguments)

    path = tmp_path / "relu.toml"
    sizes = "n_inputs = 100\nn_features = 1000\nn_samples = 200\nnoise_variance = 0.09"
    path.write_text(f'activation = "relu"\n{sizes}\nhermite = [1, 0.5]\n')
    flags = ("--activation", "relu", "--n-inputs", "100", "--n-features", "1e3", "--n-samples", "200")
    flags += ("--noise-variance", ".09", "--hermite", "1,.5")
    model = ("--policy", "magnitude", "--n-keep", "100", "--retrain", "same", "--json")
    (code, out, _), (_, other, _) = run("predict", str(path), *model), run("predict", *flags, *model)
    assert code == 0
    assert json.loads(out) == json.loads(other)
    problem = rc.RandomFeatures(**WIDE, target=[1, "1/2"])
    assert json.loads(out)["risk"] == rc.predict(problem, rc.Magnitude(n_keep=100), True).risk
    assert json.loads(run("predict", str(path), "--activation", "erf", "--json")[1])["problem"]["activation"] == "erf"
    atoms = ("--eigenvalues", "1", "--signal", "1")
    for arguments, message in (
        (("predict", *flags[2:]), "a problem of random features needs activation; give activation, n_features"),
        (("predict", *flags, *atoms), "a problem of random features determines eigenvalues and signal; leave them out"),
        (("predict", *flags[:-2], "--hermite", "x"), "target must be a finite number"),
        (("predict", *flags, "--activation", "rellu"), "Invalid value for '--activation'"),
    ):
        code, _, told = run(*arguments)
        assert code == 2
        assert message in told
