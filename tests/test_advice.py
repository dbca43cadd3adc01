"""Advice from a table: what competes, what is measured, what is recommended and why; and the command line."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
from helpers import command_line

import riskcalc as rc
from riskcalc.pictures.declared import Line, Points
from riskcalc.questions.advice import Weighed

N, P, S = 400, 20, 4


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Of heavy tails and common factors; a few columns tell the target."""
    rng = np.random.default_rng(seed)
    X = rng.standard_t(5, size=(N, 3)) @ rng.normal(size=(3, P)) + rng.standard_t(5, size=(N, P))
    return X, X[:, :S].sum(axis=1) + rng.normal(size=N)


def frame() -> pd.DataFrame:
    X, y = rows()
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(P)]).assign(y=y)


@pytest.fixture(scope="module")
def advice() -> rc.Advice:
    return rc.advise(rc.from_data(frame(), "y", n_samples=60, ridge=0.05), n_keep=S, repeats=100, workers=1)


def drawn(X: np.ndarray, n: int, draws: int) -> list[np.ndarray]:
    """Other draws than those of the package."""
    rng = np.random.default_rng(77)
    return [rng.permutation(len(X))[:n] for _ in range(draws)]


def fitted(X: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    return np.linalg.solve(X.T @ X + len(X) * ridge * np.eye(X.shape[1]), X.T @ y)


def test_models_are_measured_as_anybody_would(advice):
    """Risks, medians and columns kept, against another loop over other draws of the same table."""
    X, y = rows()
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), y - y.mean()
    found: dict[str, list[float]] = {name: [] for name in ("dense", "magnitude", "magnitude+retrain", "correlation")}
    kept = np.zeros(P)
    for chosen in drawn(X, 60, 300):
        own, aim = X[chosen], y[chosen]
        others = np.delete(np.arange(N), chosen)
        dense = fitted(own, aim, 0.05)
        by_size, by_correlation = np.argsort(-abs(dense))[:S], np.argsort(-abs(own.T @ aim))[:S]
        kept[by_size] += 1 / 300
        models = {"dense": dense, "magnitude": np.where(np.isin(np.arange(P), by_size), dense, 0)}
        for name, columns in (("magnitude+retrain", by_size), ("correlation", by_correlation)):
            models[name] = np.zeros(P)
            models[name][columns] = fitted(own[:, columns], aim, 0.05)
        for name, beta in models.items():
            found[name].append(np.mean((y[others] - X[others] @ beta) ** 2))
    for name, risks in found.items():
        one = advice.risks["small_by_correlation" if name == "correlation" else name]
        error = np.hypot(one.stderr, np.std(risks) / 300**0.5)
        assert abs(one.measured - np.mean(risks)) < 4 * error, name
    assert advice.best == "magnitude+retrain"
    for name, share in advice.kept.items():
        expected = kept[int(name[1:])]
        assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) * (1 / 100 + 1 / 300)) + 0.02, name


def test_predictions_are_those_of_the_theory_and_near_what_is_measured(advice):
    table = rc.from_data(frame(), "y", n_samples=60, ridge=0.05)
    assert advice.risks["dense"].predicted == rc.predict(table).risk
    pruned = rc.predict(table, rc.Magnitude(n_keep=S), rc.Retrain(0.05))
    assert advice.risks["magnitude+retrain"].predicted == pruned.risk
    assert advice.risks["magnitude+retrain"].gaussian == pruned.gaussian_risk
    for one in advice.models:
        off = abs(one.predicted - one.measured)
        assert off < 0.05 * one.measured + 4 * np.hypot(one.stderr, one.predicted_error or 0), one.model


def test_the_marginal_fit_is_that_of_an_overwhelming_ridge():
    """With a sample of the whole width of numbers: the order of |x'y| is kept to the last column."""
    X, y = rows()
    table = rc.Table(X, y, 60, ridge=0.05, scale=False)
    found = rc.advise(table, n_keep=P, repeats=20, workers=1, tolerance=0.2)
    assert found.risks["small_by_correlation"].measured == pytest.approx(found.risks["dense"].measured, rel=1e-12)
    assert found.kept == dict.fromkeys(map(str, range(P)), 1.0)
    assert {"small_by_variance", "hessian", "hessian+retrain"} <= found.risks.keys()


def test_columns_kept_come_by_name_most_stable_first(advice):
    shares = [*advice.kept.values()]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(S)
    assert {*[*advice.kept][:S]} == {f"x{i}" for i in range(S)}
    text = str(advice)
    assert text.index("x0") < text.index("Columns are divided by their standard deviations over the table.")
    assert text.count("standard deviations") == 1


def weighed(name: str, predicted: float | None, behind: float | None, feasible: bool = True) -> Weighed:
    told = {} if behind is None else {"measured": 1 + behind, "stderr": 0.1, "behind": behind, "behind_error": 0.05}
    return Weighed(name, name, 2, feasible, predicted=predicted, predicted_error=0.01, wins=behind and 0.5, **told)


@pytest.mark.parametrize(
    ("models", "repeats", "best"),
    [
        ([weighed("a", 1.2, 0.0), weighed("b", 1.1, 0.09)], 9, "b"),  # measuring does not tell them apart
        ([weighed("a", 1.2, 0.0), weighed("b", 1.1, 0.11)], 9, "a"),  # measuring does
        ([weighed("a", 1.2, 0.0), weighed("b", None, 0.09)], 9, "a"),  # no theory to ask
        ([weighed("a", 1.2, 0.0), weighed("b", 0.5, 0.0, feasible=False)], 9, "a"),
        ([weighed("a", 1.2, None), weighed("b", 1.1, None), weighed("c", None, None)], 0, "b"),
        ([weighed("a", np.inf, None)], 0, None),
        ([weighed("a", np.nan, 0.0), weighed("b", np.nan, 0.2)], 9, "a"),
    ],
)
def test_theory_decides_where_measuring_does_not(models, repeats: int, best: str | None):
    found = rc.Advice(9, 3, 4, 2, 0.0, 1.0, repeats, 0, tuple(models), {})
    assert found.best == best
    assert str(found)


def test_more_than_half_of_the_table_is_not_measured():
    X, y = rows()
    found = rc.advise(rc.Table(X, y, 201, ridge=0.05), n_keep=S, tolerance=0.05)
    assert found.repeats == 0
    assert all(one.measured is None for one in found.models)
    assert found.measured_best is None
    assert found.best == found.predicted_best == "magnitude+retrain"
    assert sum(found.kept.values()) == pytest.approx(S)
    assert "Nothing is measured: 201 rows of 400 leave less than half to test on." in str(found)
    assert "by prediction alone" in " ".join(str(found).split())
    assert rc.advise(rc.Table(X, y, 200, ridge=0.05), n_keep=S, repeats=3, tolerance=0.2).repeats == 3


def test_what_must_not_be_trusted_is_said_before_the_numbers():
    X, y = rows()
    text = str(rc.advise(rc.Table(X, y, 19), n_keep=S, repeats=5, workers=1, tolerance=0.2))
    assert text.index("Without a ridge, n_samples = 19 is near the 20 dimensions") < text.index("predicted")


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda table: rc.advise(3, n_keep=1), TypeError, r"table must be a riskcalc\.Table, .* got int"),
        (lambda table: rc.advise(table), ValueError, "give exactly one of keep and n_keep"),
        (lambda table: rc.advise(table, keep=0.5, n_keep=2), ValueError, "give exactly one of keep and n_keep"),
        (lambda table: rc.advise(table, n_keep=21), ValueError, "n_keep is 21, but the problem has only 20 features"),
        (lambda table: rc.advise(table, keep=0.001), ValueError, r"keep = 0\.001 of 20 features leaves none"),
        (lambda table: rc.advise(table, keep=[0.1, 0.2]), ValueError, r"keep must be one number, got shape \(2,\)"),
        (lambda table: rc.advise(table, n_keep=2, repeats=0), ValueError, "repeats must be at least 1, got 0"),
        (lambda table: rc.advise(table, n_keep=2, seed=-1), ValueError, "seed must be"),
        (lambda table: rc.advise(table, n_keep=2, retrain_ridge=-1), ValueError, "ridge"),
        (lambda table: rc.advise(table, n_keep=2, tolerance=0), ValueError, "tolerance must be"),
        (lambda table: rc.advise(table, n_keep=2, policies=[3]), TypeError, "policies must be policies"),
    ],
)
def test_bad_input(ask, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        ask(rc.Table(*rows(), 20, ridge=0.1))


def test_predictions_alone_know_the_winner_on_real_tables():
    """Of 34 settings (four tables, 3 to 50 columns kept, n from 10 to 280) they did in 33; here are some on both sides
    of where pruning begins to pay."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn's tables are not installed")
    agreed = []
    for name, settings in (("load_breast_cancer", [(30, 3), (280, 9)]), ("load_wine", [(25, 3), (80, 4)])):
        X, y = getattr(datasets, name)(return_X_y=True)
        for n, size in settings:
            table = rc.from_data(X, y, n, ridge=0.05)
            found = rc.advise(table, n_keep=size, repeats=100, tolerance=0.03, workers=1)
            winner = found.risks[found.predicted_best]
            agreed.append((found.predicted_best, winner.behind <= 2 * winner.behind_error))
    assert [name for name, _ in agreed] == ["small_by_correlation", *["magnitude+retrain"] * 3]
    assert all(level for _, level in agreed)


def test_a_picture_has_what_is_printed(tmp_path):
    """Along budgets a line and points for each model, at the numbers of the answers at these budgets; or a row each."""
    X, y = rows()
    table, how = rc.Table(X, y, 60, ridge=0.05), {"repeats": 10, "tolerance": 0.2, "workers": 1}
    found = rc.advise(table, n_keep=S, budgets=[2, S, P], **how)
    (panel,) = found._panels()
    lines = {one.key: one for one in panel.marks if isinstance(one, Line)}
    points = {one.key: one for one in panel.marks if isinstance(one, Points)}
    assert {*lines} == {*points, "dense"} == {*found.risks}
    alone = rc.advise(table, n_keep=2, **how)
    assert found.kept == rc.advise(table, n_keep=S, **how).kept
    for name, one in points.items():
        assert one.x.tolist() == lines[name].x.tolist() == [2, S, P]
        assert one.y.tolist()[:2] == [alone.risks[name].measured, found.risks[name].measured]
        assert lines[name].y[0] == pytest.approx(alone.risks[name].predicted, rel=1e-9)
        assert one.y[2] == pytest.approx(found.risks["dense"].measured, rel=1e-9)
    assert rc.Advice.from_dict(found.to_dict()) == found
    (panel,) = alone._panels()
    assert [name.rstrip(" *") for _, name in panel.y.rows] == [one.label for one in alone.models]
    for one in (found, alone):
        one.plot(path=tmp_path / "picture.svg")
        assert "</svg>" in (tmp_path / "picture.svg").read_text()


# --- the command line


@pytest.fixture
def run(monkeypatch, capsys):
    return partial(command_line, monkeypatch, capsys)


def test_from_a_file_to_an_answer(run, tmp_path):
    path = tmp_path / "table.csv"
    frame().to_csv(path, index=False)
    asked = [
        "compare",
        "--data",
        str(path),
        "--target",
        "y",
        "--n-samples",
        "60",
        "--ridge",
        "1/20",
        "--tolerance",
        ".1",
    ]
    code, out, err = run(*asked, "--n-keep", "4", "--repeats", "10")
    assert (code, err) == (0, "")
    expected = rc.advise(rc.from_data(path, "y", 60, ridge="1/20"), n_keep=4, repeats=10, tolerance=0.1)
    assert out == f"{expected}\n"
    picture = tmp_path / "picture.png"
    own = ["--score-name", "mine", "--score-expression", "X**2", "--json", "--plot", str(picture), "--tolerance", ".3"]
    code, out, err = run(*asked, "--keep", ".2", "--repeats", "4", *own)
    assert (code, err) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = rc.Advice.from_dict(json.loads(out))
    assert found.risks["mine"].measured == pytest.approx(found.risks["magnitude"].measured, rel=1e-12)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--keep", ".1", "--digits", "30"], "tables are predicted in double precision; leave --digits out"),
        (["--keep", ".1,.2"], "keep must be one number"),
        ([], "give exactly one of keep and n_keep"),
        (["--keep", ".1", "--n-samples", "20,30"], "n_samples must be an integer, got [20, 30]"),
        (["--keep", ".1", "--basis", "generic"], "basis must be 'columns' or 'principal', got 'generic'"),
        (["--keep", ".1", "--basis", "principal", "--repeats", "9"], "--repeats is about a table and its columns"),
        (["--keep", ".1", "--plot", "picture.txt"], "a picture is a .png, .svg or .pdf file, got picture.txt"),
        (["--keep", ".1", "--target", "z"], "X has no column 'z' that could be the target"),
    ],
)
def test_bad_flags(run, tmp_path, flags: list[str], message: str):
    path = tmp_path / "table.csv"
    frame().to_csv(path, index=False)
    code, out, err = run("compare", "--data", str(path), "--target", "y", "--n-samples", "60", *flags)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
