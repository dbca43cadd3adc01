"""What is written is read again: problems, laws, policies, procedures and results, by dict, JSON, repr and pickle."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from helpers import HERE, command_line, examples, two_level
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc import strategies
from riskcalc.inert import Inert, frozen
from riskcalc.laws import Atoms, Beta, Empirical, Law, MarchenkoPastur, PowerLaw, PrincipalComponents, Uniform
from riskcalc.policies import Policy, Ranking, register
from riskcalc.problems import Problem
from riskcalc.results.quantities import QUANTITIES
from riskcalc.results.schema import schema

NAMES = {name: getattr(rc, name) for name in rc.__all__} | vars(rc.laws)


def by_json(value: Any) -> Any:
    return type(value).from_dict(json.loads(json.dumps(value.to_dict(), allow_nan=False)))


def by_repr(value: Any) -> Any:
    return eval(repr(value), dict(NAMES))


def by_pickle(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


WAYS = [by_json, by_pickle, by_repr]


def check(value: Any, ways: list[Any] = WAYS) -> list[Any]:
    """What comes back, which equals the value, hash and all."""
    found = [way(value) for way in ways]
    for again in found:
        assert again == value
        assert hash(again) == hash(value)
        assert isinstance(value, rc.Prediction) or repr(again) == repr(value)
        assert type(again) is type(value)
    return found


# --- 200 random problems of every kind, and their answers

FRACTIONS = st.builds(lambda a, b: f"{a}/{b}", st.integers(1, 99), st.integers(1, 99))
NUMBERS = FRACTIONS | st.floats(0.01, 100) | st.integers(1, 9)


@st.composite
def of_fractions(draw: st.DrawFn) -> rc.LinearGaussian:
    """Batches, numbers of every type, and penalties."""
    number = draw(st.integers(1, 4))
    atoms = st.lists(NUMBERS, min_size=number, max_size=number)
    penalty = draw(st.none() | st.just("natural") | atoms)
    weights = [Fraction(1, number)] * number if draw(st.booleans()) else None
    return rc.LinearGaussian(
        aspect_ratio=draw(NUMBERS | st.lists(NUMBERS, min_size=2, max_size=2)),
        eigenvalues=draw(atoms),
        signal=draw(atoms),
        weights=weights,
        noise_variance=draw(NUMBERS),
        ridge=draw(st.just(0) | NUMBERS),
        penalty=penalty,
    )


@st.composite
def of_counts(draw: st.DrawFn) -> rc.LinearGaussian:
    """Coefficients themselves, and a number of features, or several."""
    counts = st.integers(4, 60)
    return rc.LinearGaussian(
        n_samples=draw(counts),
        n_features=draw(counts | st.lists(counts, min_size=3, max_size=3)),
        eigenvalues=draw(st.lists(NUMBERS, min_size=3, max_size=3)),
        coefficients=draw(st.lists(NUMBERS, min_size=3, max_size=3)),
        noise_variance=draw(NUMBERS),
        ridge=draw(st.just(0) | NUMBERS),
    )


@st.composite
def of_one_factor(draw: st.DrawFn) -> rc.RankOne:
    features = st.lists(NUMBERS, min_size=3, max_size=3)
    return rc.RankOne(draw(features), draw(features), draw(st.integers(3, 50)), draw(NUMBERS))


def a_table(n_samples: int) -> rc.Table:
    """Of rows that are not Gaussian."""
    rng = np.random.default_rng(0)
    X = rng.standard_t(4, size=(60, 5))
    return rc.Table(X, X[:, 0] + rng.normal(size=60), n_samples, ridge=0.1, names=["a", "b\x1b[31m", "c", "d", "e"])


def of_a_table(seed: int) -> rc.LinearGaussian:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 5)) * [3, 2, 1, 1, 0.5]
    return rc.from_data(X, X @ rng.normal(size=5) + rng.normal(size=60), n_samples=20, basis="principal")


KINDS = {
    "atoms": strategies.problems(),
    "laws": strategies.problems(law=strategies.laws()),
    "fractions": of_fractions(),
    "counts": of_counts(),
    "one factor": of_one_factor(),
    "tables": st.integers(0, 2**32).map(of_a_table),
}


@pytest.mark.parametrize("kind", KINDS)
def test_random_problems(kind: str):
    """34 of each of six kinds: equal, and with equal answers."""
    drawn = []

    @settings(max_examples=34, suppress_health_check=[*HealthCheck], database=None)
    @given(KINDS[kind])
    def come_back(problem: Problem):
        drawn.append(problem)
        asked = rc.Hessian(keep="2/3")
        answer = rc.predict(problem, asked)
        for again in check(problem):
            assert rc.predict(again, asked) == answer
        for again in check(answer, [by_json, by_pickle]):
            assert again.to_dict() == answer.to_dict()

    come_back()
    assert len(drawn) >= 34


@pytest.mark.parametrize("kind", ["atoms", "fractions", "counts"])
def test_random_answers_with_digits(kind: str):
    @settings(max_examples=5, suppress_health_check=[*HealthCheck], database=None)
    @given(KINDS[kind], st.integers(1, 60))
    def come_back(problem: Problem, digits: int):
        answer = rc.predict(problem, rc.Magnitude(keep="1/3"), digits=digits)
        for again in check(answer, [by_json, by_pickle]):
            assert frozen(again.kept) == frozen(answer.kept)

    come_back()


# --- laws, policies, procedures

LAWS = [
    Atoms([1, "1/3"], 1, [0.25, 0.75]),
    Atoms([[1, 2], [3, 4]], ["1/7", -2]),
    Atoms(1, coefficients=["1/7", -2], n_features=[3, 5]),
    Empirical([1, 2, 3], [0, -1, 1e-300]),
    Empirical([1, 2, 3], coefficients=["1/3", 0, 1]),
    PrincipalComponents([2, 1], [1, 1]),
    PowerLaw(0.5, 0.1),
    PowerLaw(1.5, 0.25, 500),
    MarchenkoPastur("10/3", signal=2),
    MarchenkoPastur(0.5, signal_power=-0.2, nodes=16),
    Uniform(0, "1/3"),
    Beta(2, 3, high=5, nodes=9),
    Law([1, 2], [3, 4]),
]


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_laws(law: Law):
    for again in check(law):
        for name in ("eigenvalues", "signal", "weights"):
            assert frozen(getattr(again, name)) == frozen(getattr(law, name))
    assert Law.from_dict(law.to_dict()) == law


@pytest.mark.parametrize("keep", ["1/3", 0.25, "grid"])
@pytest.mark.parametrize("name", examples())
def test_policies_and_procedures(name: str, keep: str):
    if keep == "grid" and name.startswith("iterative"):
        return
    policy = examples()[name]([0.25, "1/3", "1/2"] if keep == "grid" else keep)
    check(policy)
    assert Policy.from_dict(policy.to_dict()) == policy
    for retrain in (None, rc.Retrain(), rc.Retrain("1/3", "fresh"), rc.Retrain(None)):
        check(rc.Procedure(policy, retrain))
        check(retrain) if retrain else None


def test_procedures_without_a_policy_and_small():
    for procedure in (rc.Procedure(), rc.Procedure.small("1/3"), rc.Procedure.small(n_keep=4)):
        check(procedure)
    assert by_json(rc.Procedure.small(n_keep=4)).is_small


def test_equality_is_of_meaning():
    assert two_level(aspect_ratio=Fraction(1, 2)) == two_level(aspect_ratio=0.5) == two_level(aspect_ratio="1/2")
    assert two_level(aspect_ratio="10/3") != two_level(aspect_ratio=10 / 3)
    assert two_level(noise_variance=-0.0) == two_level()
    assert two_level() == rc.LinearGaussian(aspect_ratio="10/3", law=two_level().law)
    assert two_level() != rc.RankOne([1], [1], 5)
    assert Atoms([1, 2], 1) != Empirical([1, 2], [1, 1])
    assert len({two_level(), two_level(), two_level(ridge=1)}) == 2
    with pytest.raises(AttributeError, match=r"ridge of LinearGaussian\(.* is set; make another LinearGaussian"):
        two_level().ridge = 3


def test_a_representation_is_short_and_says_what_it_cannot():
    assert repr(two_level()) == (
        "LinearGaussian(aspect_ratio='10/3', eigenvalues=[25.0, 1.0], signal=[1.0], weights=['1/10', '9/10'])"
    )
    assert repr(rc.Retrain()) == "Retrain()"
    assert (
        repr(Empirical(np.ones(1001), np.ones(1001)))
        == "<Empirical(eigenvalues=<1001 numbers>, signal=<1001 numbers>)>"
    )
    assert repr(rc.LinearGaussian(aspect_ratio=2, law=Uniform(1, 2, signal=np.sin))) == (
        "<LinearGaussian(aspect_ratio=2.0, law=<Uniform(low=1.0, high=2.0, signal=<ufunc 'sin'>)>)>"
    )
    check(Empirical(np.arange(1000), np.ones(1000)))


# --- results

PLAIN, BATCH = two_level(noise_variance="1/3"), two_level(noise_variance=[0, "1/3"], aspect_ratio=[1, "10/3"])
SMOOTH = rc.LinearGaussian(aspect_ratio=2, law=Uniform(0.5, 2, nodes=16), noise_variance=0.1)
INFINITE = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1)
RESULTS = {
    "dense": lambda: rc.predict(PLAIN),
    "infinite": lambda: rc.predict(INFINITE, rc.Magnitude(0.2)),
    "overflow": lambda: rc.predict(two_level(signal=1e160), rc.Magnitude(0.2)),
    "batch": lambda: rc.predict(BATCH, rc.Group(2, keep=[[0.1], [0.5]]), retrain=True),
    "small": lambda: rc.small_model(PLAIN, "1/10"),
    "rounds in one": lambda: rc.predict(PLAIN, rc.Iterative("hessian", ["1/2", "1/5"]), True),
    "quadrature": lambda: rc.predict(SMOOTH, rc.Oracle("3/10")),
    "quadrature of a batch": lambda: rc.predict(SMOOTH, rc.Oracle(["3/10", "1/2"]), digits=20),
    "fifty digits": lambda: rc.predict(BATCH, rc.Magnitude("1/10"), digits=50),
    "one factor": lambda: rc.predict(rc.RankOne([2, 1, 1], [1, 1, -1], 12, "1/3"), rc.Magnitude(n_keep=1), digits=20),
    "comparison": lambda: rc.compare(PLAIN, "1/10"),
    "comparison of a batch": lambda: rc.compare(BATCH, ["1/10", "1/2"]),
    "infinite comparison": lambda: rc.compare(INFINITE, 1),
    "comparison with digits": lambda: rc.compare(BATCH, "1/10", digits=30),
    "survey": lambda: rc.survey(PLAIN, "1/10"),
    "prunability": lambda: rc.prunability(PLAIN, 0.1),
    "prunability of a batch": lambda: rc.prunability(BATCH, 0.1),
    "schedule": lambda: rc.rounds(PLAIN, "magnitude", ["1/2", "1/5"], ridge="1/10"),
    "sampling budget": lambda: rc.sampling_budget(BATCH, 0.5),
    "crossover": lambda: rc.crossover(PLAIN, within=("1/10", 9), keep="1/10"),
    "crossover with digits": lambda: rc.crossover(PLAIN, ("dense", "small"), "keep", ("1/20", 1), digits=20),
    "no crossing": lambda: rc.crossover(PLAIN, ("dense", "dense"), "ridge", (0, 1)),
    "optimum": lambda: rc.optimum(PLAIN, "keep", "hessian"),
    "optimum with digits": lambda: rc.optimum(PLAIN, "ridge", digits=20),
    "optimum of a batch": lambda: rc.optimum(BATCH, "keep", "hessian"),
    "peaks": lambda: rc.peak(PLAIN, within=("1/2", 3), keep="1/2"),
    "peaks with digits": lambda: rc.peak(PLAIN, "keep", "hessian+fresh", ("1/10", 1), digits=20),
    "advice": lambda: rc.advise(a_table(20), n_keep=2, repeats=3, tolerance=0.2),
    "advice of one draw": lambda: rc.advise(a_table(20), keep="2/5", repeats=1, tolerance=0.2),
    "advice of a prediction": lambda: rc.advise(a_table(40), n_keep=2, tolerance=0.2),
    "estimate": lambda: rc.simulate(PLAIN, rc.Oracle("1/10"), n_samples=40, trials=3, **HERE),
    "one trial": lambda: rc.simulate(PLAIN, n_samples=40, trials=1, **HERE),
    "verification": lambda: rc.verify(PLAIN, [None, rc.Oracle("1/10")], tolerance=0.5, seconds=1e-3, **HERE),
    "vacuous": lambda: rc.verify(INFINITE, **HERE),
}


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return {name: made() for name, made in RESULTS.items()}


@pytest.mark.parametrize("name", RESULTS)
def test_results(results: dict[str, Any], name: str):
    value = results[name]
    for again in (by_json(value), by_pickle(value)):
        assert again == value
        assert isinstance(again == value, bool)
        assert hash(again) == hash(value)
        assert str(again) == str(value)
        assert again.to_dict() == value.to_dict()
        if isinstance(value, rc.Prediction):
            assert value.values.keys() <= QUANTITIES.keys()
            assert frozen(again.kept) == frozen(value.kept)
            assert frozen(again.quadrature_error) == frozen(value.quadrature_error)
    others = [other for key, other in results.items() if key != name]
    assert all(value != other for other in others)
    assert value != 3


def test_pickles_are_small(results: dict[str, Any]):
    assert len(pickle.dumps(results["dense"])) < 1200
    assert (
        len(pickle.dumps(rc.predict(rc.LinearGaussian(aspect_ratio=2, law=PowerLaw(0.5, 0.1)), rc.Magnitude(0.1))))
        < 1500
    )


def test_a_prediction_by_other_formulas_stays_one_in_a_pickle():
    """What is computed later is computed by the same formulas."""
    from riskcalc.prediction.predict import evaluate
    from riskcalc.theory import REGISTRY

    risk = REGISTRY["dense.risk"]
    changed = REGISTRY | {risk.id: replace(risk, evaluation=2 * risk.evaluation)}
    (one,) = evaluate(SMOOTH, [rc.Procedure()], records=changed).values()
    again = by_pickle(by_pickle(one))
    assert again == one != rc.predict(SMOOTH)
    assert again.quadrature_error == one.quadrature_error


def test_what_a_result_is_not():
    """Infinite, undefined and absent are told apart, and read apart."""
    values = rc.compare(INFINITE, 1).to_dict()
    assert (values["risks"]["dense"], values["margin"], values["best"]) == ("inf", "nan", None)
    assert values["models"]["dense"]["threshold"] is None
    again = rc.Comparison.from_dict(values)
    assert again.risks["dense"] == math.inf
    assert math.isnan(again.margin)
    assert again.best is None
    assert again.predictions["dense"].threshold is None


def test_fifty_digits_are_fifty_digits():
    """Trailing zeros included; the number is the decimal one that is written, at its precision."""
    problem = rc.LinearGaussian(aspect_ratio="1/2", eigenvalues=1, signal=1, noise_variance="1/10")
    prediction = rc.predict(problem, digits=50)
    assert prediction.to_dict()["risk"] == "0.2" + "0" * 49
    assert "0.2" + "0" * 49 in str(prediction)
    found = rc.predict(two_level(noise_variance="1/7"), rc.Magnitude("1/10"), digits=50)
    written = found.to_dict()["risk"]
    assert len(written.replace(".", "").lstrip("0")) == 50
    with mpmath.workdps(50):
        assert mpmath.mpf(written) == found.risk
    more = rc.predict(two_level(noise_variance="1/7"), rc.Magnitude("1/10"), digits=70).risk
    with mpmath.workdps(70):
        assert mpmath.nstr(more, 50) == written
    assert by_json(found).risk == found.risk
    big = rc.predict(rc.LinearGaussian(aspect_ratio="1/2", eigenvalues=1, signal=1, noise_variance=50), digits=6)
    assert big.to_dict()["risk"] == "100.000"


# --- kinds of one's own


class Scaled(rc.LinearGaussian):
    """A kind of problem with an argument of its own."""

    def __init__(self, times: float, **given: Any):
        super().__init__(**given)
        self.times = times


class Beside(Ranking):
    """With an argument that makes no difference."""

    name, label = "beside", "beside"
    _beside = ("function",)

    def __init__(self, keep: Any = None, n_keep: Any = None, function: Any = None):
        super().__init__(keep, n_keep)
        self.function = function


class Twice(Law):
    def __init__(self, size: float):
        self.size = float(size)
        super().__init__([1, 2], [size, size])


@pytest.fixture
def steep():
    from riskcalc.policies import POLICIES, Option

    class Steep(Ranking):
        """With a choice of its own."""

        name, label = "steep", "pruned by steep score"
        choices = (Option("power", int, "Of Lambda."),)

        def __init__(self, keep: Any = None, n_keep: Any = None, power: int = 1):
            super().__init__(keep, n_keep)
            self.power = power

    register(Steep)
    yield Steep
    del POLICIES["steep"]


def test_kinds_of_ones_own(steep: type[Policy]):
    names = NAMES | {"Scaled": Scaled, "Twice": Twice, "Steep": steep}
    problem = Scaled(3, aspect_ratio="1/3", law=Twice(2))
    policy = steep(keep="1/3", power=2)
    for value, root in ((problem, Problem), (problem, rc.LinearGaussian), (Twice(2), Law), (policy, Policy)):
        assert root.from_dict(json.loads(json.dumps(value.to_dict()))) == value
        assert eval(repr(value), names) == value
    assert by_pickle(problem) == problem
    assert problem.with_law(Twice(5)) == Scaled(3, aspect_ratio="1/3", law=Twice(5))
    assert Problem.from_dict(problem.to_dict()).times == 3
    assert rc.Procedure.from_dict(rc.Procedure(policy, rc.Retrain()).to_dict()).prune.power == 2


def test_an_argument_that_makes_no_difference(monkeypatch):
    from riskcalc.policies import POLICIES

    monkeypatch.setitem(POLICIES, "beside", Beside)
    policy = Beside(keep="1/3", function=math.sqrt)
    assert policy == Beside(keep="1/3")
    assert repr(policy) == "Beside(keep='1/3')"
    assert by_json(policy) == policy
    assert by_pickle(policy).function is math.sqrt


def test_a_name_that_is_taken_is_not_written():
    class Atoms(Law):
        """Not the one that is known by this name."""

    with pytest.raises(ValueError, match="a Atoms cannot be written: as Atoms another Law is known"):
        Atoms([1], [1]).to_dict()
    assert by_json(LAWS[0]) == LAWS[0]


class Forgetful(Problem):
    def __init__(self, size: float):
        self.length = size


class Unregistered(Ranking):
    name, label = "unregistered", "unregistered"


# --- bad input


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda: rc.predict(SMOOTH.with_law(Uniform(1, 2, signal=np.sin))).to_dict(), TypeError, "signal of <Uniform"),
        (lambda: Forgetful(3).to_dict(), TypeError, "Forgetful does not say its argument size"),
        (lambda: Unregistered(0.5).to_dict(), ValueError, "a Unregistered cannot be written"),
        (lambda: Problem.from_dict(3), TypeError, "a Problem is written as a dict, got 3"),
        (lambda: Problem.from_dict({}), ValueError, "kind must be one of .*LinearGaussian, .*RankOne.*, got None"),
        (lambda: Problem.from_dict({"kind": ["x"]}), ValueError, r"kind must be one of .*, got \['x'\]"),
        (
            lambda: Problem.from_dict({"kind": "LinearGauss"}),
            ValueError,
            "no Problem is called 'LinearGauss'; did you mean",
        ),
        (lambda: rc.LinearGaussian.from_dict({"kind": "RankOne"}), ValueError, "no Problem is called 'RankOne'"),
        (
            lambda: Policy.from_dict({"kind": "hesian"}),
            ValueError,
            "no Policy is called 'hesian'; did you mean hessian",
        ),
        (lambda: rc.LinearGaussian.from_dict({"eigenvalue": 1}), ValueError, "no key of LinearGaussian .* eigenvalues"),
        (lambda: rc.LinearGaussian.from_dict({"eigenvalues": 1}), ValueError, "signal is missing"),
        (
            lambda: rc.RankOne.from_dict({"loadings": [1]}),
            ValueError,
            "RankOne lacks its coefficients and its n_samples",
        ),
        (lambda: rc.Group.from_dict({"keep": 0.5}), ValueError, "Group lacks its size"),
        (lambda: rc.Magnitude.from_dict({"keep": 2}), ValueError, r"keep must be in \(0, 1\], got 2"),
        (
            lambda: rc.Magnitude.from_dict({"keep": 0.5, "schema": 2, "riskcalc": "9.9"}),
            ValueError,
            "reads schema 1, got 2, by riskcalc 9.9",
        ),
        (lambda: rc.Magnitude.from_dict({"keep": 0.5, "schema": True}), ValueError, "reads schema 1, got True"),
        (lambda: rc.Prediction.from_dict({"risk": 1}), ValueError, "Prediction lacks its problem and its prune and"),
        (lambda: changed(risks=1), ValueError, "no key of Prediction is called 'risks'; did you mean risk"),
        (lambda: changed(risk="high"), ValueError, "a number is needed, got 'high'"),
        (lambda: changed(risk={"value": []}), ValueError, "a number is needed|lists of numbers"),
        (lambda: changed(risk=[1, [2, 3]]), ValueError, "lists of numbers must be of one shape"),
        (lambda: changed(risk=[1.0, 2.0]), ValueError, r"quantities must have one shape, .* got risk \(2,\)"),
        (lambda: changed(digits="many"), TypeError, "digits must be an integer, got 'many'"),
        (lambda: changed(problem=3), TypeError, "a Problem is written as a dict, got 3"),
        (lambda: rc.Estimate.from_dict({"mean": 1}), ValueError, "Estimate lacks its stderr"),
        (lambda: rc.Comparison.from_dict({"kind": "Prediction"}), ValueError, "no Comparison is called 'Prediction'"),
    ],
)
def test_bad_input(ask: Any, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        ask()


def changed(**keys: Any) -> rc.Prediction:
    return rc.Prediction.from_dict(rc.predict(PLAIN).to_dict() | keys)


# --- the schema, and the command line


MODELS = ("risks", "models", "relative_errors")


def keys_of(value: Any, found: set[str], models: tuple[str, ...] = MODELS) -> set[str]:
    """Every key in a record; below those that are named by models, the keys of these."""
    for key, inner in value.items():
        found.add(key)
        inners = inner if isinstance(inner, list) else [inner]
        if key == "kept":
            continue
        if isinstance(inner, dict) and key in (*models, "keep"):
            inners = list(inner.values())
        for one in inners:
            if isinstance(one, dict):
                keys_of(one, found)
    return found


def test_the_schema_names_every_key_and_kind(results: dict[str, Any]):
    written = set(schema().replace(",", " ").split())
    for value in [*results.values(), *LAWS, *(example("1/3") for example in examples().values())]:
        told = keys_of(value.to_dict(), set())
        assert told <= written, told - written
        assert value.to_dict()["kind"] in written or not isinstance(value, (Law, Policy))


def test_the_command_line_prints_what_is_written(monkeypatch, capsys, tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text(
        "n_samples = 30\nn_features = 100\neigenvalues = [25, 1]\ncoefficients = 0.1\n"
        "weights = [0.1, 0.9]\nkeep = 0.1\n"
    )
    problem = rc.LinearGaussian(
        n_samples=30, n_features=100, eigenvalues=[25, 1], coefficients="1/10", weights=["1/10", "9/10"]
    )
    for asked, value in (
        (["compare"], rc.compare(problem, "1/10")),
        (["predict", "--policy", "hessian", "--digits", "30"], rc.predict(problem, rc.Hessian("1/10"), digits=30)),
        (["prunability", "--tolerance", "0.1"], rc.prunability(problem, 0.1)),
        (["rounds", "--keeps", "1/2,1/5"], rc.rounds(problem, "magnitude", ["1/2", "1/5"])),
        (["sampling-budget", "--relative-error", ".5"], rc.sampling_budget(problem, 0.5)),
        (
            ["crossover", "--over", "n_samples", "--within", "1,200"],
            rc.crossover(problem, over="n_samples", within=(1, 200), keep="1/10"),
        ),
        (["optimum"], rc.optimum(problem)),
        (
            ["peak", "--over", "n_samples", "--within", "9,200"],
            rc.peak(problem, "n_samples", within=(9, 200), keep="1/10"),
        ),
    ):
        code, out, _ = command_line(monkeypatch, capsys, asked[0], str(path), *asked[1:], "--json")
        assert code == 0
        assert json.loads(out) == value.to_dict()
        assert type(value).from_dict(json.loads(out)) == value
    assert command_line(monkeypatch, capsys, "schema")[1].startswith("What `to_dict` writes")


def test_inert_is_the_one_base():
    kinds = (rc.LinearGaussian, rc.RankOne, Atoms, rc.Magnitude, rc.Retrain, rc.Procedure, rc.Prediction, rc.Comparison)
    assert all(issubclass(kind, Inert) for kind in (*kinds, rc.Estimate, rc.Verification, rc.Schedule, rc.Prunability))
