"""The simulator: against plain code on the same draws, reproducible, the same on every backend, and interruptible."""

from __future__ import annotations

import itertools
import json
import math
import signal
import sys
from concurrent.futures import Future, ThreadPoolExecutor

import array_api_strict
import numpy as np
import pytest
from scipy import stats

import riskcalc as rc
import riskcalc.simulation.simulate as simulation
from riskcalc.command.cli import main
from riskcalc.simulation import backends, workers
from riskcalc.simulation.choices import choose
from riskcalc.simulation.estimates import Estimate, with_error
from riskcalc.simulation.populations import population
from riskcalc.simulation.simulate import make_plan, run_trials, simulate
from riskcalc.simulation.trials import DISTRIBUTIONS, Plan, _Draw, run_blocks

HERE = {"device": "cpu", "workers": 1}
PROBLEM = rc.LinearGaussian(
    aspect_ratio=2, eigenvalues=[4, 1], signal=[1, 2], weights=[0.25, 0.75], noise_variance=0.5, ridge=0.1
)

# Every kind of problem: p < n and p > n, ridge or none, every penalty; and features without variance, of which the
# first two atoms tie in Lambda B^2.
SHAPES = {"aspect_ratio": [0.5, 2], "ridge": [0, 0.3], "penalty": [None, "natural", [2, 0.5, 1]], "dead": [False, True]}
CASES = [dict(zip(SHAPES, values, strict=True)) for values in itertools.product(*SHAPES.values())]
RETRAINED = [None, rc.Retrain(), rc.Retrain(ridge=0.2), rc.Retrain(sample="fresh")]
N = 24


def problem_of(case: dict) -> rc.LinearGaussian:
    case = dict(case)
    third = 0 if case.pop("dead") else 0.2
    return rc.LinearGaussian(
        eigenvalues=[4, 1, third], signal=[1, -2, 1], weights=[0.25, 0.5, 0.25], noise_variance=0.5, **case
    )


RANKED = (rc.Magnitude, rc.Hessian, rc.BrainSurgeon, rc.Oracle, rc.Random, rc.Optimal)


def plan_of(case: dict) -> Plan:
    """The dense fit and every policy, with every retraining; more kept than samples too, but not dead features at
    random, whose number would straddle the interpolation threshold."""
    models = [rc.Procedure(policy(keep=0.25), second) for policy in RANKED for second in RETRAINED]
    models += [rc.Procedure(rc.Magnitude(keep=0.75), second) for second in RETRAINED]
    return make_plan(problem_of(case), [rc.Procedure(), *models], N)


# --- plain code


def plain_fit(X: np.ndarray, y: np.ndarray, penalty: np.ndarray, ridge: float) -> np.ndarray:
    if ridge > 0:
        return np.linalg.solve(X.T @ X + len(y) * ridge * np.diag(penalty), X.T @ y)
    return np.linalg.lstsq(X / np.sqrt(penalty), y, rcond=None)[0] / np.sqrt(penalty)


def plain_fit_dual(X: np.ndarray, y: np.ndarray, penalty: np.ndarray, ridge: float) -> np.ndarray:
    wide = X / penalty
    if ridge > 0:
        return wide.T @ np.linalg.solve(wide @ X.T + len(y) * ridge * np.eye(len(y)), y)
    root = np.sqrt(penalty)
    return np.linalg.pinv(X / root) @ y / root


def plain_curvatures(X: np.ndarray, penalty: np.ndarray, ridge: float) -> np.ndarray:
    """The diagonal of the inverse Hessian, up to a factor; one for features without variance."""
    Z = X / np.sqrt(penalty)
    if ridge > 0:
        diagonal = np.diag(np.linalg.inv(Z.T @ Z + len(X) * ridge * np.eye(Z.shape[1])))
    elif np.linalg.matrix_rank(Z) < np.count_nonzero(Z.any(axis=0)):
        diagonal = np.diag(np.eye(Z.shape[1]) - np.linalg.pinv(Z) @ Z)
    else:
        diagonal = np.diag(np.linalg.pinv(Z.T @ Z))
    return np.where(Z.any(axis=0), diagonal / penalty, 1.0)


def plain_trials(plan: Plan, seed: int, count: int, fit=plain_fit) -> np.ndarray:
    """The first trials of the first block, one after the other."""
    n, p, block = plan.n_samples, plan.n_features, plan.block
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    designs, noises, luck = rng.standard_normal((block, n, p)), rng.standard_normal((block, n)), rng.random((block, p))
    fresh_designs, fresh_noises = rng.standard_normal((block, n, p)), rng.standard_normal((block, n))
    sampler = plan.sampler
    lam, penalty = sampler.features.eigenvalues[0], sampler.features.penalty[0]
    beta = sampler.features.signal[0] / math.sqrt(p)
    results = []
    for t in range(count):
        X, fresh_X = designs[t] * np.sqrt(lam), fresh_designs[t] * np.sqrt(lam)
        y = X @ beta + math.sqrt(sampler.noise_variance) * noises[t]
        fresh_y = fresh_X @ beta + math.sqrt(sampler.noise_variance) * fresh_noises[t]
        dense = fit(X, y, penalty, sampler.ridge)
        scores = {
            "magnitude": abs(dense),
            "hessian": lam * dense**2,
            "oracle": np.lexsort((luck[t], lam * beta**2)).argsort(),
            "random": luck[t],
            "surgeon": dense**2 / plain_curvatures(X, penalty, sampler.ridge),
            "optimal": lam * dense * (2 * beta - dense),
        }
        row = []
        for procedure in plan.procedures:
            b, last_X, last_y = dense.copy(), X, y
            if (policy := procedure.prune) is not None:
                kept = np.argsort(scores[policy.name])[-policy.n_keep :]
                b = np.zeros(p)
                b[kept] = dense[kept]
            if (again := procedure.retrain) is not None:
                last_X, last_y = (X, y) if again.sample == "same" else (fresh_X, fresh_y)
                b[kept] = fit(last_X[:, kept], last_y, penalty[kept], float(again.ridge))
            row.append((sampler.noise_variance + (b - beta) @ (lam * (b - beta)), np.mean((last_y - last_X @ b) ** 2)))
        results.append(row)
    return np.array(results)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_the_simulator_is_plain_code(case: dict):
    plan = plan_of(case)
    found = run_blocks(plan, 3, [0], backends.cpu())[:5]
    assert found == pytest.approx(plain_trials(plan, 3, 5), rel=1e-9, abs=1e-12)
    assert found == pytest.approx(plain_trials(plan, 3, 5, plain_fit_dual), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_array_namespace_gives_the_same(case: dict):
    plan = plan_of(case)
    strict = run_blocks(plan, 3, [0, 1], backends.array_api(array_api_strict))
    assert strict == pytest.approx(run_blocks(plan, 3, [0, 1], backends.cpu()), rel=1e-12, abs=1e-12)


def test_sampling_and_groups_in_every_array_namespace():
    problem = problem_of({"aspect_ratio": 2, "ridge": 0, "penalty": None, "dead": False})
    policies = [rc.Sampled(0.25), rc.Sampled(0.25, replacement=True), rc.Group(2, keep=0.25)]
    plan = make_plan(
        problem, [rc.Procedure(policy, second) for policy in policies for second in (None, rc.Retrain(0.1))], N
    )
    strict = run_blocks(plan, 3, [0, 1], backends.array_api(array_api_strict))
    assert strict == pytest.approx(run_blocks(plan, 3, [0, 1], backends.cpu()), rel=1e-9)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_array_namespace_draws_the_same(distribution: str):
    plan = make_plan(PROBLEM, [rc.Procedure(rc.Oracle(0.5))], N, features="drawn", distribution=distribution)
    strict = run_blocks(plan, 3, [0, 1], backends.array_api(array_api_strict))
    assert strict == pytest.approx(run_blocks(plan, 3, [0, 1], backends.cpu()), rel=1e-12)


# --- the same seed


@pytest.mark.parametrize("features", ["quantiles", "drawn"])
def test_batches_do_not_matter(features: str):
    models = [rc.Procedure(), rc.Procedure(rc.Magnitude(0.25), rc.Retrain(sample="fresh"))]
    plan = make_plan(PROBLEM, models, N, features)
    one, two, all_five = (run_blocks(plan, 7, range(5), backends.cpu(), at_once) for at_once in (1, 2, 5))
    assert len(one) == 5 * plan.block
    assert two == pytest.approx(one, rel=1e-12)
    assert all_five == pytest.approx(one, rel=1e-12)


def test_workers_do_not_matter(monkeypatch):
    monkeypatch.setattr(simulation, "TASK", 1)  # one block is a task, and a pool is worth it
    asked = {"n_samples": 40, "trials": 300, "seed": 5, "device": "cpu"}

    def measured(**where) -> list[float]:
        estimate = simulate(PROBLEM, rc.Hessian(0.3), True, **asked, **where)
        training = estimate.training_error
        assert estimate.trials == training.trials == 300
        return [estimate.mean, estimate.stderr, training.mean, training.stderr]

    alone = measured(workers=1)
    assert measured(workers=2) == pytest.approx(alone, rel=1e-12)
    with ThreadPoolExecutor(3) as threads:
        assert measured(executor=threads) == pytest.approx(alone, rel=1e-12)


def test_more_trials_begin_with_the_same():
    plan = make_plan(PROBLEM, [rc.Procedure()], N)
    many = run_trials(plan, 1, 3 * plan.block)
    assert run_trials(plan, 1, 10) == pytest.approx(many[:10], rel=1e-12)
    assert run_trials(plan, 1, 20, first=2) == pytest.approx(many[2 * plan.block :][:20], rel=1e-12)
    assert len(np.unique(many[:, 0, 0])) == len(many)


def test_seeds_and_retraining():
    one, other = (simulate(PROBLEM, n_samples=N, seed=seed, **HERE) for seed in (0, 1))
    assert one.mean != other.mean
    assert one == simulate(PROBLEM, n_samples=N, seed=np.int64(0), **HERE)
    # What is drawn for a second fit does not change the first.
    models = [rc.Procedure(rc.Magnitude(0.25), second) for second in (None, rc.Retrain(sample="fresh"))]
    both, first = (run_blocks(make_plan(PROBLEM, some, N), 0, [0], backends.cpu()) for some in (models, models[:1]))
    assert (both[:, 0] == first[:, 0]).all()


def test_sizes_given_by_the_problem():
    counted = rc.LinearGaussian(n_samples=20, n_features=40, eigenvalues=[4, 1], signal=1, ridge=0.1)
    ratio = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=1, ridge=0.1)
    assert simulate(counted, rc.Oracle(n_keep=10), **HERE) == simulate(ratio, rc.Oracle("1/4"), n_samples=20, **HERE)


# --- what is drawn


@pytest.mark.parametrize(
    ("distribution", "law", "fourth", "eighth"),
    [
        ("gaussian", stats.norm, 3, 105),
        ("uniform", stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)), 9 / 5, 9),
        ("rademacher", None, 1, 1),
        ("student5", stats.t(5, scale=math.sqrt(3 / 5)), 9, None),
    ],
)
def test_entries_have_variance_one(distribution: str, law, fourth: float, eighth: float | None):
    count = 1_000_000
    entries = DISTRIBUTIONS[distribution](np.random.default_rng(0), (1000, 1000), np).ravel()
    assert abs(entries.mean()) < 5 / math.sqrt(count)
    assert abs((entries**2).mean() - 1) <= 5 * math.sqrt((fourth - 1) / count)
    if eighth is not None:
        assert abs((entries**4).mean() - fourth) <= 5 * math.sqrt((eighth - fourth**2) / count)
    if law is not None:  # the fourth power of student5 has no variance: its kurtosis is that of its law
        assert stats.kstest(entries, law.cdf).pvalue > stats.norm.sf(5)
        assert float(law.stats(moments="k")) + 3 == pytest.approx(fourth)


def test_risks_are_universal():
    plans = {
        name: make_plan(PROBLEM, [rc.Procedure(), rc.Procedure(rc.Magnitude(0.3))], 200, distribution=name)
        for name in DISTRIBUTIONS
    }
    values = {name: run_trials(plan, seed, 120, **HERE)[:, :, 0] for seed, (name, plan) in enumerate(plans.items())}
    mean = {name: rows.mean(axis=0) for name, rows in values.items()}
    error = {name: rows.std(axis=0) / math.sqrt(120) for name, rows in values.items()}
    for name in ("rademacher", "uniform", "student5"):
        allowed = 5 * np.hypot(error[name], error["gaussian"]) + 0.02 * mean["gaussian"]
        assert (abs(mean[name] - mean["gaussian"]) < allowed).all()
        assert (allowed < 0.1 * mean["gaussian"]).all()


def test_drawn_features_scatter_about_the_same_limit():
    wide = rc.LinearGaussian(aspect_ratio=0.5, eigenvalues=[1, 1], signal=[0, 3], weights=[0.9, 0.1], ridge=5)
    fixed, drawn = (
        simulate(wide, n_samples=150, trials=200, seed=2, features=features, **HERE)
        for features in ("quantiles", "drawn")
    )
    assert drawn.stderr > 1.3 * fixed.stderr
    assert abs(drawn.mean - fixed.mean) < 5 * math.hypot(drawn.stderr, fixed.stderr)
    assert drawn.mean == pytest.approx(rc.predict(wide).risk, abs=5 * drawn.stderr)
    alike = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1, ridge=0.1)
    fixed, drawn = (simulate(alike, n_samples=N, features=features, **HERE) for features in ("quantiles", "drawn"))
    assert drawn == fixed


@pytest.mark.parametrize("rng", [None, np.random.default_rng(0)], ids=["quantiles", "drawn"])
def test_penalties_follow_their_atoms(rng):
    weights = {3.0: 0.5, 1.0: 7.0, 2.0: 0.1, 0.0: 4.0}
    asked = {"aspect_ratio": 2, "eigenvalues": list(weights), "signal": 1}
    features = population(rc.LinearGaussian(**asked, penalty=list(weights.values())), 40, rng)
    assert set(features.eigenvalues[0]) == set(weights)
    assert features.penalty[0].tolist() == [weights[x] for x in features.eigenvalues[0]]
    natural = population(rc.LinearGaussian(**asked, penalty="natural"), 40, rng)
    assert natural.penalty[0].tolist() == [x or 1.0 for x in natural.eigenvalues[0]]
    assert (population(rc.LinearGaussian(**asked), 40, rng).penalty == 1).all()


@pytest.mark.parametrize("case", [case for case in CASES if case["dead"]], ids=repr)
def test_features_without_variance_get_zero(case: dict):
    plan, own = make_plan(problem_of(case), [rc.Procedure()], N), backends.cpu()
    model, draw = plan.sampler.ensemble([None], own), _Draw(plan, 0, 0, own)
    fitted = model.fit(*model.sample(draw.design, draw.noise), model.penalty, model.live, plan.sampler.ridge)
    dead = plan.sampler.features.eigenvalues[0] == 0
    assert dead.sum() == plan.n_features // 4
    assert (fitted[:, dead] == 0).all()
    assert (fitted[:, ~dead] != 0).all()


def test_the_oracle_shares_ties_at_random():
    """Half of the features tie at the threshold: each is kept equally often, and the better ones always."""
    problem = rc.LinearGaussian(
        aspect_ratio=2, eigenvalues=[9, 4, 1, 1], signal=[1, 1, 2, 0], weights=[0.25, 0.25, 0.25, 0.25]
    )
    plan, own = make_plan(problem, [rc.Procedure(rc.Oracle(0.5))], 10), backends.cpu()
    model, kept = plan.sampler.ensemble([None], own), np.zeros(20)
    for block in range(20):
        fit = model.fitted(np.zeros(20), None, _Draw(plan, 0, block, own).luck)
        scores = choose(rc.Oracle(0.5), fit, 10).scores
        kept += (np.argsort(np.argsort(-scores, axis=1), axis=1) < 10).mean(axis=0) / 20
    features = plan.sampler.features
    explained = features.eigenvalues[0] * features.signal[0] ** 2
    trials = 20 * plan.block
    assert kept[explained == 9] == pytest.approx(np.ones(5), rel=1e-12)
    assert (kept[explained == 0] == 0).all()
    tied = explained == 4
    assert tied.sum() == 10
    assert (abs(kept[tied] - 0.5) < 5 * 0.5 / math.sqrt(trials)).all()


# --- interrupts


@pytest.fixture
def interrupted(monkeypatch):
    """Simulate with an interrupt in the middle of some task; every block is a task."""

    def call(task: int, **where) -> Estimate:
        monkeypatch.setattr(simulation, "TASK", 1)
        done = itertools.count()

        def run(plan, seed, blocks, device):
            if next(done) == task:
                raise KeyboardInterrupt
            return run_blocks(plan, seed, blocks, backends.cpu())

        monkeypatch.setattr(simulation, "_run_on", run)
        return simulate(PROBLEM, n_samples=40, trials=600, device="cpu", **where)

    return call


def test_an_interrupt_returns_what_is_finished(interrupted):
    block = make_plan(PROBLEM, [rc.Procedure()], 40).block
    expected = simulate(PROBLEM, n_samples=40, trials=3 * block, **HERE)
    assert interrupted(3, workers=1) == expected
    with ThreadPoolExecutor(1) as thread:
        assert interrupted(3, executor=thread) == expected
    with ThreadPoolExecutor(1) as thread:
        assert interrupted(10**9, executor=thread).trials == 600


def test_an_interrupt_with_nothing_finished_interrupts(interrupted):
    with pytest.raises(KeyboardInterrupt):
        interrupted(0, workers=1)
    with ThreadPoolExecutor(1) as thread, pytest.raises(KeyboardInterrupt):
        interrupted(0, executor=thread)


def test_an_interrupt_while_waiting():
    """The results of an unbroken row of finished tasks from the first; the others are given up, or never made."""
    waiting: list[Future] = []

    class Slow(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            future: Future = Future()
            if arguments[0] != 2:
                future.set_result(function(*arguments))
            if arguments[0] == 5:
                signal.raise_signal(signal.SIGINT)
            waiting.append(future)
            return future

    def run(**how):
        return workers.run_all(((i,) for i in itertools.count()), lambda i: 10 * i, Slow(1), **how)

    assert run(partial=True) == [0, 10]
    assert waiting[2].cancelled()
    assert len(waiting) == 6
    with pytest.raises(KeyboardInterrupt):
        run()


def test_an_error_in_a_task_is_an_error(monkeypatch):
    with ThreadPoolExecutor(1) as thread, pytest.raises(ZeroDivisionError):
        workers.run_all([(1,), (0,), (2,)], lambda x: 1 / x, thread)


# --- estimates


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.20641, 0.00312, "1.2064(31)"),
        (1.20641, 0.0996, "1.21(10)"),
        (1.20641, 0.0994, "1.206(99)"),
        (123.4, 9.96, "123(10)"),
        (123.4, 9.94, "123.4(99)"),
        (123.4, 1.5, "123.4(15)"),
        (123456, 7890, "123500(7900)"),
        (123456, 9960, "123000(10000)"),
        (1234567.8, 0.25, "1234567.80(25)"),
        (-0.5, 0.012, "-0.500(12)"),
        (0.0, 0.012, "0.000(12)"),
        (0.004, 2.0, "0.0(20)"),
        (0.001234, 0.000056, "0.001234(56)"),
        (4.371e-31, 9.5e-32, "4.37(95)e-31"),
        (0.0, 3.4e-9, "0.0(34)e-09"),
        (2.917e300, 4.4e299, "2.92(44)e+300"),
        (12345678.0, 12.0, "1.2345678(12)e+07"),
        (1.5, 0.0, "1.5"),
        (1.5, math.nan, "1.5"),
        (math.nan, 0.1, "nan"),
        (math.inf, 0.1, "inf"),
    ],
)
def test_values_with_errors(value: float, error: float, text: str):
    assert with_error(value, error) == text
    assert str(Estimate(value, error, trials=10, seed=0)) == text


@pytest.mark.parametrize("scale", [1, 1e-200, 1e200])
def test_estimates(scale: float):
    values = np.random.default_rng(0).normal(3, 2, 50)
    estimate = Estimate.of(scale * values, 4, np.ones(50))
    assert estimate.mean == pytest.approx(scale * values.mean(), rel=1e-14)
    assert estimate.stderr == pytest.approx(scale * stats.sem(values), rel=1e-13)
    assert (estimate.training_error.mean, estimate.training_error.stderr) == (1, 0)


def test_estimates_are_safe_in_json():
    one = simulate(PROBLEM, n_samples=N, trials=1, **HERE)
    assert math.isnan(one.stderr)
    values = json.loads(json.dumps(one.to_dict(), allow_nan=False))
    assert (values["mean"], values["stderr"], values["trials"], values["seed"]) == (one.mean, "nan", 1, 0)
    of_training = {"mean": one.training_error.mean, "stderr": "nan", "trials": 1, "seed": 0, "note": ""}
    assert values["training_error"] == of_training


# --- bad input

BATCH = rc.LinearGaussian(aspect_ratio=[1, 2], eigenvalues=1, signal=1)


def problem_at(ratio: float | str) -> rc.LinearGaussian:
    return rc.LinearGaussian(aspect_ratio=ratio, eigenvalues=[4, 1], signal=1, noise_variance=1)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: simulate(PROBLEM), r"n_samples \(--size\) is missing"),
        (lambda: simulate(PROBLEM, n_samples=0), r"n_samples must be at least 1, got 0"),
        (lambda: simulate(problem_at(0.01), n_samples=20), r"n_samples = 20 at 0\.01 features per sample leaves no"),
        (
            lambda: simulate(PROBLEM, rc.Oracle(0.01), n_samples=20),
            r"keep = 0\.01 of 40 features leaves none; take more",
        ),
        (lambda: simulate(problem_at(1), n_samples=20), r"n_samples = 20 is too near the 20 features with variance"),
        (lambda: simulate(problem_at("23/20"), n_samples=20), r"too near the 23 .* differ by at least 4"),
        (lambda: simulate(problem_at("17/20"), n_samples=20), r"too near the 17 .* more samples or a ridge"),
        (
            lambda: simulate(problem_at(2), rc.Magnitude(0.5), True, n_samples=20),
            r"n_samples = 20 is too near the 20 features kept",
        ),
        (lambda: simulate(PROBLEM, n_samples=20, distribution="cauchy"), r"distribution must be one of gaussian, .*'c"),
        (
            lambda: simulate(PROBLEM, n_samples=20, features="real"),
            r"features must be one of quantiles, drawn, got 're",
        ),
        (lambda: simulate(PROBLEM, n_samples=20, device="tpu"), r'device must be "cpu", "gpu" or None, got \'tpu\''),
        (lambda: simulate(PROBLEM, n_samples=20, device="gpu"), r'device="gpu" needs CuPy and a CUDA device'),
        (lambda: simulate(BATCH, n_samples=20), r"one problem, got a batch of shape \(2,\)"),
        (lambda: simulate(PROBLEM, rc.Random([0.1, 0.2]), n_samples=20), r"one budget, got keep of shape \(2,\)"),
        (lambda: simulate(PROBLEM, rc.Random(n_keep=3), n_samples=20), r"n_keep needs a problem given by n_samples"),
        (lambda: simulate(PROBLEM, None, True, n_samples=20), r"retrain needs a policy to prune by"),
        (lambda: simulate(PROBLEM, n_samples=20, seed=-1), r"seed must be an integer of at least 0, got -1"),
        (lambda: simulate(PROBLEM, n_samples=20, seed=1.5), r"seed must be an integer of at least 0, got 1\.5"),
        (lambda: simulate(PROBLEM, n_samples=20, seed=True), r"seed must be an integer of at least 0, got True"),
        (lambda: simulate(PROBLEM, n_samples=20, trials=0), r"trials must be at least 1, got 0"),
        (lambda: simulate(PROBLEM, n_samples=20, workers=0), r"workers must be at least 1, got 0"),
    ],
)
def test_bad_values(ask, message: str, monkeypatch):
    monkeypatch.setattr(backends, "gpu_is_available", lambda: False)
    with pytest.raises(ValueError, match=message):
        ask()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: simulate(PROBLEM, n_samples=20, executor=4), r"executor must be a concurrent.futures.Executor, got 4"),
        (lambda: simulate(3, n_samples=20), r"problem must be a problem such as riskcalc\.LinearGaussian, got 3"),
        (lambda: simulate(PROBLEM, "magnitude", n_samples=20), r"prune must be a policy .* got 'magnitude'"),
        (lambda: simulate(PROBLEM, rc.Magnitude, n_samples=20), r"prune must be a policy .* got <class"),
        (lambda: simulate(PROBLEM, rc.Oracle(0.5), "same", n_samples=20), r"retrain must be True, False or .* 'same'"),
        (lambda: simulate(PROBLEM, n_samples=20.0), r"n_samples must be an integer, got 20\.0"),
        (lambda: simulate(PROBLEM, n_samples=20, trials=2.5), r"trials must be an integer, got 2\.5"),
        (lambda: simulate(PROBLEM, n_samples=20, workers="2"), r"workers must be an integer, got '2'"),
    ],
)
def test_bad_types(ask, message: str):
    with pytest.raises(TypeError, match=message):
        ask()


def test_the_nearest_sizes_are_simulated():
    for ratio in ("16/20", "24/20"):
        assert simulate(problem_at(ratio), n_samples=20, trials=2, **HERE).trials == 2


def test_live_features_on_both_sides_of_the_threshold():
    """Features drawn from a law with an atom at zero: no trial is fitted by another formula than the others."""
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[1, 0], signal=1, weights=[0.4, 0.6])
    with pytest.raises(ValueError, match="some trials with more live features than samples and some with fewer"):
        simulate(problem, n_samples=20, features="drawn", **HERE)


def refused(monkeypatch, capsys, arguments: list[str], message: str) -> None:
    """The command line ends with exit code 2 and one line on stderr."""
    monkeypatch.setattr(sys, "argv", ["riskcalc", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    assert (stopped.value.code, captured.out) == (2, "")
    assert captured.err.startswith("riskcalc: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


ASKED = ["--aspect-ratio", "2", "--eigenvalues", "4,1", "--signal", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "n_samples (--size) is missing"),
        (["--size", "0"], "n_samples must be at least 1, got 0"),
        (["--size", "20", "--aspect-ratio", "1/100"], "leaves no feature"),
        (["--size", "20", "--aspect-ratio", "1"], "too near the 20 features with variance"),
        (["--size", "20", "--policy", "oracle", "--keep", "1/100"], "leaves none"),
        (["--size", "20", "--policy", "oracle", "--keep", "1/2", "--retrain", "same"], "too near the 20 features kept"),
        (["--size", "20", "--policy", "oracle", "--keep", ".1,.2"], "one budget, got keep of shape (2,)"),
        (["--size", "20", "--policy", "oracle"], "exactly one of keep and n_keep"),
        (["--size", "20", "--keep", ".1"], "needs a --policy"),
        (["--size", "20", "--retrain", "same"], "retrain needs a policy"),
        (["--size", "20", "--retrain-ridge", "1"], "--retrain-ridge needs --retrain"),
        (["--size", "20", "--ridge", "1,2"], "one problem, got a batch of shape (2,)"),
        (["--size", "20", "--distribution", "cauchy"], "Invalid value for '--distribution'"),
        (["--size", "20", "--features", "real"], "Invalid value for '--features'"),
        (["--size", "20", "--device", "tpu"], "Invalid value for '--device'"),
        (["--size", "20", "--device", "gpu"], 'device="gpu" needs CuPy'),
        (["--size", "20", "--trials", "0"], "Invalid value for '--trials'"),
        (["--size", "20", "--seed", "-1"], "Invalid value for '--seed'"),
        (["--size", "20", "--workers", "0"], "Invalid value for '--workers'"),
        (["--size", "many"], "Invalid value for '--size'"),
    ],
)
def test_bad_arguments(arguments: list[str], message: str, monkeypatch, capsys):
    monkeypatch.setattr(backends, "gpu_is_available", lambda: False)
    refused(monkeypatch, capsys, ["simulate", *ASKED, *arguments], message)


def test_eigenvalues_too_far_apart_are_refused():
    """With more features than samples only: least squares does not mind the units of its columns."""
    apart = {"eigenvalues": [1e13, 1], "signal": [0, 1], "noise_variance": 0.1}
    with pytest.raises(ValueError, match=r"from 1 to 1e\+13 are too far apart .* at most 1e\+12"):
        rc.simulate(rc.LinearGaussian(aspect_ratio=2, **apart), n_samples=50)
    least = rc.LinearGaussian(aspect_ratio=0.5, **apart)
    estimate = rc.simulate(least, n_samples=100, trials=200, workers=1)
    assert abs(estimate.mean - 0.1 * 99 / 49) < 5 * estimate.stderr
