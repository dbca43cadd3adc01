"""Verification: its statistics on synthetic data, its verdicts on theories right and wrong, and what it refuses."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from helpers import HERE
from scipy import stats
from test_simulation import ASKED, BATCH, PROBLEM, problem_at, refused

import riskcalc as rc
from riskcalc.formulas.expectation import E
from riskcalc.simulation import backends
from riskcalc.theory.symbols import B, Lambda, kappa, sigma2
from riskcalc.verification import subjects
from riskcalc.verification.equivalence import extrapolate, half_width
from riskcalc.verification.evidence import FIRST_TRIALS, Evidence
from riskcalc.verification.expected import Expected
from riskcalc.verification.subjects import LADDER, Theory
from riskcalc.verification.verify import verify

SIZES = np.array([50, 100, 200])
ROWS = 2000


# --- statistics


def test_a_line_is_extrapolated_exactly():
    slopes, intercepts = np.array([3.0, -7.0, 0.0]), np.array([0.01, -0.2, 0.5])
    errors = np.random.default_rng(0).uniform(0.5, 2, (3, 3))
    limit = extrapolate(SIZES, intercepts + slopes / SIZES[:, None], errors)
    assert limit.value == pytest.approx(intercepts, abs=1e-13)
    # The error is that of weighted least squares.
    for i in range(3):
        design = np.stack([np.ones(3), 1 / SIZES], axis=1) / errors[:, i, None]
        assert limit.error[i] == pytest.approx(math.sqrt(np.linalg.inv(design.T @ design)[0, 0]), rel=1e-10)


def test_the_error_of_the_limit_is_that_of_its_scatter():
    errors = np.array([0.01, 0.02, 0.015])
    rng = np.random.default_rng(1)
    noise = errors[:, None] * rng.standard_normal((3, ROWS))
    limit = extrapolate(SIZES, 0.3 + 2 / SIZES[:, None] + noise, np.broadcast_to(errors[:, None], noise.shape))
    standardised = (limit.value - 0.3) / limit.error
    assert abs(standardised.mean()) < 5 / math.sqrt(ROWS)
    assert abs((standardised**2).mean() - 1) < 5 * math.sqrt(2 / ROWS)


@pytest.mark.parametrize("slope", [0.5, 1, -1])
@pytest.mark.parametrize("d", [-1, 0.4, 1])
def test_the_curvature_covers_the_next_term(slope: float, d: float):
    """Of c/n + d (c/n)^2, with |d| <= 1, even without noise; a tenth for the slope, which it moves as well."""
    x = slope / SIZES[:, None]
    limit = extrapolate(SIZES, 0.1 + x + d * x**2, np.full((3, 1), 1e-9))
    assert 0 < abs(limit.value - 0.1) <= 1.1 * limit.curvature
    assert limit.curvature <= 1.1 * (slope / SIZES[0]) ** 2


def test_the_levels_of_all_looks_add_up():
    """A half-width is the quantile of a level; those of all looks add up to the level, and no look is free."""
    level, trials = 0.01, 33
    spent = [2 * stats.t.sf(half_width(np.array(2.0), trials, level, look) / 2, trials - 1) for look in range(1, 500)]
    assert 0.99 * level < sum(spent) <= level * (1 + 1e-12)
    assert min(spent) > 0


@pytest.mark.parametrize("deviation", [0.0201, -0.0201])
def test_looking_repeatedly_keeps_the_level(deviation: float):
    """Experiments whose true deviation is just above the tolerance, looked at after every doubling: a false agreement
    is at most as frequent as the level says."""
    tolerance, level, looks = 0.02, 0.05, 7
    rng = np.random.default_rng(2)
    counts = [[FIRST_TRIALS * 2**look * LADDER[-1] // rung for rung in LADDER] for look in range(looks)]
    sums, squares = np.zeros((3, ROWS)), np.zeros((3, ROWS))
    running, false = np.ones(ROWS, bool), np.zeros(ROWS, bool)
    for look, wanted in enumerate(counts):
        for rung, count in enumerate(wanted):
            more = count - (counts[look - 1][rung] if look else 0)
            drawn = rng.normal(deviation, 0.1 / math.sqrt(LADDER[rung]), (more, ROWS))
            sums[rung] += drawn.sum(axis=0)
            squares[rung] += (drawn**2).sum(axis=0)
        n = np.array(wanted)[:, None]
        means = sums / n
        errors = np.sqrt((squares / n - means**2) / (n - 1))
        limit = extrapolate(SIZES, means, errors)
        width = half_width(limit.error, min(wanted), level, look + 1)
        agree, disagree = abs(limit.value) + width <= tolerance, abs(limit.value) - width > tolerance
        false |= running & agree
        running &= ~(agree | disagree)
    assert false.sum() <= level * ROWS + 5 * math.sqrt(level * (1 - level) * ROWS)
    assert false.any()  # sharp enough to be tempted: the check is not vacuous


# --- verdicts


def noisy(scatter: float):
    """A trial whose mean is 2 + 3/n."""
    return lambda n, rng: 2 + 3 / n + scatter * rng.standard_normal()


def test_a_true_theory_agrees():
    found = verify(Theory(lambda n: 2.0, noisy(0.2), ["two"]), **HERE)
    (check,) = found.checks
    assert (found.verdict, check.name, check.predicted, check.expected) == ("agree", "two", 2, 2)
    assert abs(check.deviation) + check.uncertainty <= 0.02
    assert check.simulated == pytest.approx(2 + 3 / found.sizes[-1], abs=5 * check.stderr)
    assert found.sizes == (50, 100, 200)
    assert found.trials[0] == 2 * found.trials[1] == 4 * found.trials[2]


def dense_risk(n: int, rng: np.random.Generator) -> float:
    """Of one ridge fit to a sample of PROBLEM, by hand."""
    p = 2 * n
    lam, beta = np.where(np.arange(p) < p / 4, [[4], [1]], [[1], [2]]) / [[1], [math.sqrt(p)]]
    X = rng.standard_normal((n, p)) * np.sqrt(lam)
    y = X @ beta + math.sqrt(0.5) * rng.standard_normal(n)
    fitted = X.T @ np.linalg.solve(X @ X.T + n * 0.1 * np.eye(n), y)
    return 0.5 + np.sum(lam * (fitted - beta) ** 2)


@pytest.mark.parametrize("factor", [1.06, 0.94])
def test_a_theory_that_is_six_percent_off_disagrees(factor: float):
    """The dense risk of a problem, predicted wrongly by its user."""
    right, asked = rc.predict(PROBLEM).risk, {"n_samples": 24, "tolerance": 0.03, **HERE}
    wrong = verify(Theory(lambda n: factor * right, dense_risk), **asked)
    assert wrong.verdict == "disagree"
    assert wrong.checks[0].deviation == pytest.approx(1 / factor - 1, abs=wrong.checks[0].uncertainty)
    assert verify(Theory(lambda n: right, dense_risk), **asked).verdict == "agree"


def test_one_wrong_quantity_is_found():
    def trial(n: int, rng: np.random.Generator) -> list[float]:
        return [2 + 0.1 * rng.standard_normal(), 1 + 0.1 * rng.standard_normal(), 0.1 * rng.standard_normal()]

    found = verify(Theory(lambda n: [2, 1.06, 0], trial, ["right", "wrong", "nothing"]), **HERE)
    assert [check.verdict for check in found.checks] == ["agree", "disagree", "agree"]
    assert found.verdict == "disagree"


def test_too_little_time_is_undecided():
    found = verify(Theory(lambda n: 2.0, noisy(5)), seconds=1e-9, **HERE)
    assert found.verdict == "undecided"
    assert found.trials == tuple(FIRST_TRIALS * 4 // rung for rung in LADDER)
    (check,) = found.checks
    assert check.uncertainty > 0.02
    more = verify(Theory(lambda n: 2.0, noisy(0.5)), seconds=20, **HERE)
    assert (more.verdict, more.trials > found.trials) == ("agree", True)


def test_all_models_of_a_problem_agree():
    models = [None, rc.Magnitude(0.3), rc.Hessian(0.3), rc.Oracle(0.3), rc.Random(0.3)]
    found = verify(PROBLEM, models, tolerance=0.05, **HERE)
    assert [check.name for check in found.checks] == ["dense", "magnitude", "hessian", "oracle", "random"]
    assert [check.verdict for check in found.checks] == ["agree"] * 5
    for model, check in zip(models, found.checks, strict=True):
        assert check.predicted == rc.predict(PROBLEM, model).risk
        assert check.simulated == pytest.approx(check.expected, rel=0.1)


def test_retraining_on_a_fresh_sample_agrees():
    found = verify(PROBLEM, rc.Magnitude(0.2), rc.Retrain(sample="fresh"), tolerance=0.05, **HERE)
    assert found.verdict == "agree"
    assert found.checks[0].name == "magnitude, retrained on the fresh sample"


def test_a_wrong_prediction_of_the_package_disagrees(monkeypatch):
    right = subjects.evaluate

    def wrong(*arguments, **how):
        found = right(*arguments, **how).items()
        return {asked: replace(one, values=one.values | {"risk": 1.06 * one.risk}) for asked, one in found}

    monkeypatch.setattr(subjects, "evaluate", wrong)
    assert verify(PROBLEM, tolerance=0.03, **HERE).verdict == "disagree"


def test_a_prediction_that_is_hardly_known_is_not_called_wrong(monkeypatch):
    """The same error, within what its draws may be off: of these, there is no verdict."""
    right = subjects.evaluate

    def wrong(*arguments, **how):
        found = right(*arguments, **how).items()
        changed = {asked: {"risk": 1.06 * one.risk, "integration_error": 0.03 * one.risk} for asked, one in found}
        return {asked: replace(one, values=one.values | changed[asked]) for asked, one in found}

    monkeypatch.setattr(subjects, "evaluate", wrong)
    assert verify(PROBLEM, tolerance=0.03, **HERE | {"seconds": 1}).verdict == "undecided"


@pytest.mark.parametrize("share", [0.3, 1.0, 3.0])
def test_errors_of_the_theory_keep_the_level(share: float):
    """Experiments whose true deviation is just above the tolerance, in which the theory, too, is an average of draws:
    of standard errors that are so many times those of the trials."""
    tolerance, level, scatter, trials = 0.02, 0.05, 0.003, np.array([128, 64, 32])
    rng = np.random.default_rng(3)
    means = 1.0201 + scatter * rng.standard_normal((3, ROWS))
    scattered = scatter * np.sqrt(rng.chisquare(trials[:, None] - 1, (3, ROWS)) / (trials[:, None] - 1))
    theories = 1 + share * scatter * rng.standard_normal((3, ROWS))
    counts = np.broadcast_to(trials[:, None], (3, ROWS))
    evidence = Evidence(SIZES, means, scattered, counts, np.ones(ROWS), level)
    expected = Expected(theories, np.ones((3, ROWS)), np.full((3, ROWS), share * scatter))
    verdicts = np.array(evidence.beside(expected).verdicts(tolerance))
    # At the first look half of the level is spent, on either side of the interval.
    assert np.sum(verdicts == "agree") <= level * ROWS + 5 * math.sqrt(level * ROWS)
    assert np.sum(verdicts == "disagree") > 0
    certain = evidence.beside(Expected.exact(theories)).verdicts(tolerance)
    assert share < 3 or np.sum(np.array(certain) == "agree") > level * ROWS, "what is not told would be missed"


def test_nothing_to_compare_with_is_vacuous():
    """At the interpolation threshold risks are infinite where there is noise; nothing is then simulated."""
    found = verify(problem_at(1), [None, rc.Oracle(0.3)], **HERE)
    assert [check.verdict for check in found.checks] == ["vacuous", "vacuous"]
    assert (found.verdict, found.trials) == ("vacuous", (0,))
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["checks"][0]["predicted"] == "inf"
    assert "Verdict: vacuous" in str(found)


def test_an_expression_is_evaluated_at_its_inputs():
    """A fit of nothing has the variance of the target as its risk."""
    law = {"Lambda": [4, 1], "B": [1, 2], "weights": ["1/4", "3/4"]}

    def trial(n: int, rng: np.random.Generator) -> float:
        atom = rng.choice(2, p=[0.25, 0.75], size=2 * n)
        lam, signal = np.array([4, 1])[atom], np.array([1, 2])[atom]
        return 0.5 + np.mean(lam * signal**2)

    theory = Theory(sigma2 + E(Lambda * B**2), trial, inputs=law | {"sigma2": 0.5})
    assert theory.at(50) == pytest.approx([4.5], rel=1e-15)
    assert verify(theory, **HERE).verdict == "agree"
    spread = Theory(sigma2 + E(Lambda**2), lambda n, rng: 5.25, inputs=law | {"sigma2": 0.5})
    assert verify(spread, **HERE).verdict == "agree"
    assert verify(
        Theory(1 + sigma2 * kappa, lambda n, rng: 2.06, inputs={"sigma2": 0.5, "kappa": 2}), **HERE
    ).verdict == ("disagree")


def test_a_bare_symbol_is_an_expression():
    assert Theory(sigma2, lambda n, rng: 1.0, inputs={"sigma2": "1/2"}).at(50) == [0.5]


def test_the_same_seed_finds_the_same():
    asked = {"tolerance": 0.05, "seconds": 1e-9, **HERE}
    one, again, other = (verify(PROBLEM, seed=seed, **asked) for seed in (3, 3, 4))
    assert one == again
    assert one.checks[0].simulated != other.checks[0].simulated


def test_the_rungs_and_looks_are_independent_draws():
    subject = subjects.Models(PROBLEM, [rc.Procedure()], 0, "gaussian", "cpu", None, 1, False)
    first, second = subject.trials(0, 50, 0, 100), subject.trials(0, 50, 100, 60)
    assert len(np.unique(np.concatenate([first, second]))) == 160
    assert np.concatenate([first, second]) == pytest.approx(subject.trials(0, 50, 0, 160), rel=1e-12)
    assert not np.isin(subject.trials(1, 50, 0, 100), first).any()
    user = subjects.UserTheory(Theory(lambda n: 1.0, lambda n, rng: rng.random()), 0, None, 1, False)
    values = np.concatenate([user.trials(0, 50, 0, 32), user.trials(0, 50, 32, 32), user.trials(1, 50, 0, 32)])
    assert len(np.unique(values)) == 96


def test_what_has_its_verdict_is_no_longer_simulated(monkeypatch):
    """Its draws are those of all together: what is left out changes no other."""
    original, models = subjects.run_trials, []

    def counted(plan, *arguments):
        models.append(len(plan.procedures))
        return original(plan, *arguments)

    monkeypatch.setattr(subjects, "run_trials", counted)
    found = verify(PROBLEM, [None, rc.Magnitude(0.3), rc.Random(0.3)], tolerance=0.06, **HERE)
    assert found.verdict == "agree"
    assert models[:3] == [3, 3, 3]
    assert models[-1] < 3
    subject = subjects.Models(
        PROBLEM, [rc.Procedure(), rc.Procedure(rc.Random(0.3))], 0, "gaussian", "cpu", None, 1, False
    )
    both, one = subject.trials(0, 50, 0, 32), subject.only(np.array([1])).trials(0, 50, 0, 32)
    assert both[:, 1:] == pytest.approx(one, rel=1e-12)


def test_an_interrupt_ends_with_the_verdict_so_far(monkeypatch):
    original, calls = subjects.run_trials, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(subjects, "run_trials", interrupted)
    found = verify(PROBLEM, tolerance=1e-3, seconds=60, **HERE)
    assert len(calls) == 4
    assert found.verdict == "undecided"
    assert found.trials == (128, 64, 32)
    assert str(found).endswith("Interrupted: more trials were under way.")
    assert rc.Verification.from_dict(found.to_dict()) == found


def test_what_is_written():
    found = verify(PROBLEM, [None, rc.Oracle(0.3)], tolerance=0.5, **HERE)
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["verdict"] == "agree"
    assert values["checks"][1].items() < found.checks[1].to_dict().items()
    assert values["trials"] == list(found.trials)
    text = str(found)
    assert "Verdict: agree, at a tolerance of 50 % and a confidence of 99 %." in text
    assert f"{found.trials[0]} of n = {found.sizes[0]}" in text


# --- bad input


def one(n: int, rng: np.random.Generator) -> float:
    return 1.0


def constant(value):
    return Theory(lambda n: value, one)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        *(
            (
                lambda name=name, value=value: verify(PROBLEM, **{name: value}),
                rf"{name} must be a number above 0 and below 1",
            )
            for name in ("tolerance", "confidence")
            for value in (0, 1, -0.1, 2, math.nan, "high")
        ),
        *(
            (lambda value=value: verify(PROBLEM, seconds=value), r"seconds must be a number above 0, got")
            for value in (0, -1, math.nan, "long")
        ),
        (lambda: verify(PROBLEM, seed=-1), r"seed must be an integer of at least 0, got -1"),
        (lambda: verify(PROBLEM, n_samples=0), r"n_samples must be at least 1, got 0"),
        (lambda: verify(constant(1), n_samples=0), r"n_samples must be at least 1, got 0"),
        (lambda: verify(PROBLEM, rc.Oracle(0.01), n_samples=20), r"keep = 0\.01 of 40 features leaves none"),
        (lambda: verify(problem_at("21/20"), n_samples=20), r"too near the 21 features with variance"),
        (lambda: verify(problem_at(1.001)), r"this regime needs samples of n = \d+ .* give n_samples, a ridge"),
        (lambda: verify(problem_at(2), rc.Oracle(1e-4)), r"this regime needs samples of n = 30000"),
        (lambda: verify(BATCH), r"one problem, got a batch of shape \(2,\)"),
        (lambda: verify(PROBLEM, rc.Oracle([0.1, 0.2])), r"one budget, got Oracle\(keep=\[0\.1, 0\.2\]\)"),
        (lambda: verify(PROBLEM, []), r"prune is empty"),
        (lambda: verify(PROBLEM, retrain=True), r"retrain needs a policy to prune by"),
        (lambda: verify(PROBLEM, distribution="cauchy"), r"distribution must be one of .* got 'cauchy'"),
        (lambda: verify(PROBLEM, device="tpu"), r'device must be "cpu", "gpu" or None, got \'tpu\''),
        (lambda: verify(PROBLEM, device="gpu"), r'device="gpu" needs CuPy'),
        (lambda: verify(PROBLEM, workers=0), r"workers must be at least 1, got 0"),
        (lambda: verify(constant(1), rc.Oracle(0.3)), r"prune, retrain and training_error are of a problem"),
        (lambda: verify(constant(1), retrain=True), r"prune, retrain and training_error are of a problem"),
        (lambda: verify(constant([1, 2])), r"predict must give 1 numbers \(value\), got \[1, 2\]"),
        (lambda: verify(constant("one")), r"predict must give 1 numbers \(value\), got 'one'"),
        (
            lambda: verify(Theory(lambda n: [1, math.nan], one, ["a", "b"])),
            r"predict must be finite for every quantity",
        ),
        (
            lambda: verify(Theory(lambda n: [1, 2], one, ["a", "b"]), workers=1),
            r"trial must give 2 numbers .* got 1\.0",
        ),
        (lambda: verify(Theory(lambda n: 1, lambda n, rng: math.nan), workers=1), r"trial must give finite .* got nan"),
        (lambda: verify(Theory(lambda n: 1, lambda n, rng: "x"), workers=1), r"trial must give 1 numbers .* got 'x'"),
        (lambda: verify(Theory(sigma2 * kappa, one, inputs={"sigma2": 1})), r"inputs lack kappa"),
        (lambda: verify(Theory(E(Lambda), one, inputs={"Lambda": [1, 2]})), r"inputs lack weights"),
        (lambda: verify(Theory(sigma2, one, inputs={"sigma2": "x"})), r"inputs\['sigma2'\] must be a finite number"),
        (lambda: verify(Theory(Lambda, one, inputs={"Lambda": [1, 2]})), r"predict must give 1 numbers"),
    ],
)
def test_bad_values(ask, message: str, monkeypatch):
    monkeypatch.setattr(backends, "gpu_is_available", lambda: False)
    with pytest.raises(ValueError, match=message):
        ask()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: verify(3), r"problem must be a problem such as riskcalc\.LinearGaussian, got 3"),
        (lambda: verify(PROBLEM, "magnitude"), r"prune must be a policy .* got 'magnitude'"),
        (lambda: verify(PROBLEM, rc.Magnitude), r"prune must be a policy .* got <class"),
        (lambda: verify(PROBLEM, [None, 3]), r"prune must be a policy .* got 3"),
        (lambda: verify(PROBLEM, rc.Oracle(0.3), "fresh"), r"retrain must be True, False or .* got 'fresh'"),
        (lambda: verify(PROBLEM, n_samples="many"), r"n_samples must be an integer, got 'many'"),
        (lambda: Theory(3, one), r"predict must be a function .*, a formula or a SymPy expression, got 3"),
        (lambda: Theory(one, 3), r"trial must be a function of the sample size and a generator, got 3"),
    ],
)
def test_bad_types(ask, message: str):
    with pytest.raises(TypeError, match=message):
        ask()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tolerance", "0"], "tolerance must be a number above 0 and below 1, got 0.0"),
        (["--confidence", "1"], "confidence must be a number above 0 and below 1, got 1.0"),
        (["--seconds", "0"], "seconds must be a number above 0, got 0.0"),
        (["--tolerance", "tight"], "Invalid value for '--tolerance'"),
        (["--size", "0"], "n_samples must be at least 1, got 0"),
        (["--aspect-ratio", "1.001"], "this regime needs samples of n ="),
        (["--ridge", "1,2"], "one problem, got a batch of shape (2,)"),
        (["--keep", ".1,.2"], "one budget, got Magnitude(keep="),
        (["--retrain", "fresh"], "retrain needs a policy"),
        (["--policy", "oracle"], "exactly one of keep and n_keep"),
        (["--device", "gpu"], 'device="gpu" needs CuPy'),
        (["--seed", "-1"], "Invalid value for '--seed'"),
    ],
)
def test_bad_arguments(arguments: list[str], message: str, monkeypatch, capsys):
    monkeypatch.setattr(backends, "gpu_is_available", lambda: False)
    refused(monkeypatch, capsys, ["verify", *ASKED, *arguments], message)


def test_an_interrupt_of_the_first_look_is_passed_on():
    def interrupted(n: int, rng: np.random.Generator) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(Theory(lambda n: 1.0, interrupted), workers=1)
