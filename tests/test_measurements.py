"""What is no column of measurements is refused by name; units, encodings and containers change nothing."""

from __future__ import annotations

import json
import warnings
from functools import partial
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from helpers import command_line

import riskcalc as rc
from riskcalc.command.problem_files import read_keys

ROWS, N = 400, 12


def table() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 4)) * [3, 2, 1, 0.5]
    return X, X @ [1, 0.5, -1, 2] + rng.normal(size=ROWS)


def least_squares(X: np.ndarray, y: np.ndarray, n: int = N) -> float:
    """The risk of least squares on n rows, from standardised columns."""
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    residual = y - y.mean() - Z @ np.linalg.lstsq(Z, y - y.mean(), rcond=None)[0]
    return float(np.mean(residual**2) / (1 - np.linalg.matrix_rank(Z) / n))


def risk(X: Any, y: Any) -> float:
    return rc.predict(rc.from_data(X, y, n_samples=N, basis="principal")).risk


# --- problem files


@pytest.mark.parametrize("encode", [lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16")])
def test_problem_files_are_read_however_they_were_saved(tmp_path, encode):
    path = tmp_path / "problem.toml"
    path.write_bytes(encode("aspect_ratio = 2\neigenvalues = 1_000 # in TOML, underscores are digits' company"))
    assert read_keys(path) == {"aspect_ratio": 2, "eigenvalues": 1000}


# --- numbers of problems

MASKED = np.ma.array([4, 1, 999], mask=[0, 0, 1])
LAW = {"aspect_ratio": 2, "eigenvalues": [4, 1, 1], "signal": 1}
COUNTS = {"n_samples": 6, "n_features": 9, "eigenvalues": [4, 1, 1], "signal": 1}


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        *((name, lambda x, name=name: rc.LinearGaussian(**LAW | {name: x})) for name in LAW),
        *((name, lambda x, name=name: rc.LinearGaussian(**LAW, **{name: x})) for name in ("weights", "ridge")),
        *((name, lambda x, name=name: rc.LinearGaussian(**LAW, **{name: x})) for name in ("noise_variance", "penalty")),
        *((name, lambda x, name=name: rc.LinearGaussian(**COUNTS | {name: x})) for name in ("n_samples", "n_features")),
        ("coefficients", lambda x: rc.LinearGaussian(**COUNTS | {"signal": None, "coefficients": x})),
        ("loadings", lambda x: rc.RankOne(x, [1, 1, 1], 9)),
        ("keep", lambda x: rc.Magnitude(keep=x / 1000)),
        ("n_keep", lambda x: rc.Magnitude(n_keep=x[2])),
        ("ridge", lambda x: rc.Retrain(ridge=x[2])),
        ("eigenvalues", lambda x: rc.laws.Empirical(x, [1, 1, 1])),
        ("signal", lambda x: rc.laws.Uniform(1, 2, signal=x[2])),
        ("decay", lambda x: rc.laws.PowerLaw(x[2], 0, 10)),
        ("y", lambda x: rc.from_data(np.ones((3, 1)), x, n_samples=2)),
        ("n_samples", lambda x: rc.from_data(*table(), n_samples=x, basis="principal")),
    ],
)
def test_masked_numbers_are_none(name: str, ask):
    with pytest.raises(ValueError, match=rf"^{name} has masked values(, the first at \(2,\))?; drop or fill"):
        ask(MASKED)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([4, np.ma.masked, 1], ValueError, r"eigenvalues has masked values"),
        ([[4.0, 1, 1], MASKED], ValueError, r"eigenvalues has masked values"),
        (scipy.sparse.csr_array([[4.0, 1, 1]]), TypeError, r"eigenvalues is a sparse matrix"),
        (
            pd.to_datetime(["2020-01-01", "2021-01-01"]),
            TypeError,
            r"eigenvalues must be a number or an array of numbers, got datetime64",
        ),
        (np.array([1, 2, 3], dtype="m8[ns]"), TypeError, r"eigenvalues must be .* got timedelta64"),
        (["1_000", 1, 1], ValueError, r"eigenvalues must be a finite number .* got '1_000'"),
        (pd.array([1, 2, None], dtype="Int64"), (TypeError, ValueError), r"eigenvalues must be"),
    ],
)
def test_atoms_are_numbers(value, error, message: str):
    with pytest.raises(error, match=message):
        rc.LinearGaussian(**LAW | {"eigenvalues": value})


def test_atoms_of_frames_and_whole_masked_arrays_are_numbers():
    for given in (pd.Series([4, 1, 1]), pd.array([4, 1, 1], dtype="Int64"), np.ma.array([4.0, 1, 1])):
        assert rc.LinearGaussian(**LAW | {"eigenvalues": given}) == rc.LinearGaussian(**LAW)


# --- units


@pytest.mark.parametrize("units", [(1e12, 1, 1, 1), (1, 1, 1e-12, 1), (1e140, 1, 1e-140, 1), (1, 1e17, 1e-17, 1e-3)])
def test_units_of_columns_do_not_matter(units):
    X, y = table()
    right = least_squares(X, y)
    assert risk(X, y) == pytest.approx(right, rel=1e-12)
    assert risk(X * units, y) == pytest.approx(right, rel=1e-12)
    shifted = risk(X * units + np.multiply(units, 1e3), y)
    assert shifted == pytest.approx(right, rel=1e-9)  # entries of a thousand spreads have three digits fewer


def test_a_time_in_nanoseconds_is_one_more_column():
    X, y = table()
    times = 1_700_000_000 + 3600 * np.arange(ROWS)
    right = least_squares(np.column_stack([np.arange(ROWS), X]), y)
    for unit in (1, 10**3, 10**9):
        assert risk(np.column_stack([times * unit, X]), y) == pytest.approx(right, rel=1e-8)


@pytest.mark.parametrize("unit", [1.0, 1e12, 1e-12])
def test_dependent_and_constant_columns_are_none_in_any_unit(unit: float):
    X, y = table()
    more = np.column_stack([X, unit * X[:, 0], unit * (X[:, 1] - X[:, 2]), np.full(ROWS, 0.1 * unit), np.zeros(ROWS)])
    problem = rc.from_data(more, y, n_samples=N, basis="principal")
    assert np.count_nonzero(problem.law.eigenvalues) == 4
    assert rc.predict(problem).risk == pytest.approx(least_squares(X, y), rel=1e-12)


def test_small_components_keep_their_digits_beside_large_ones():
    """Against 60 digits: variances and coefficients of components, over 24 decades."""
    rng = np.random.default_rng(5)
    X = rng.integers(-9, 9, size=(12, 4)) * np.array([1e12, 1, 1e-12, 1e-3])
    y = rng.normal(size=12)
    with warnings.catch_warnings(), mpmath.workdps(60):
        warnings.simplefilter("ignore", UserWarning)
        law = rc.from_data(X, y, n_samples=8, basis="principal").law
        exact = mpmath.matrix(X.tolist())
        for j in range(4):
            mean = sum(exact[:, j]) / 12
            exact[:, j] = exact[:, j] - mpmath.matrix([mean] * 12)
        left, singular, _ = mpmath.svd_r(exact)
        eigenvalues = np.array([float(s**2 / 12) for s in singular])
        projected = left.T * mpmath.matrix(y.tolist())
        signal = np.array([float(2 * projected[j] / singular[j]) for j in range(4)])
    assert law.eigenvalues == pytest.approx(eigenvalues, rel=1e-13)
    assert abs(law.signal) == pytest.approx(abs(signal), rel=1e-12)


@pytest.mark.parametrize("unit", [2.0**498, 1e153, 1e-150, 1e-153])
def test_units_of_the_target_do_not_matter(unit: float):
    X, y = table()
    asked = rc.predict(rc.from_data(X, y * unit, n_samples=N, basis="principal"))
    assert asked.status == "ok"
    assert asked.risk / unit / unit == pytest.approx(least_squares(X, y), rel=1e-12)


@pytest.mark.parametrize(
    ("X_unit", "y_unit", "message"),
    [
        (1, 1e155, "^entries of y of 1e[+]156 have squares beyond double precision; measure in other units"),
        (1, 1e300, "^entries of y of 1e[+]301 have"),
        (1, 1e-160, "^entries of y of 1e-159 have"),
        (1, 1e-310, "^entries of y of 1e-309 have"),
        (1e160, 1, "^entries of X of .*e[+]160 to .*e[+]160 have"),
        (1e-160, 1, "^entries of X of .*e-160 to .*e-160 have"),
        ([1, 1, 1, 1e-200], 1, "^entries of X of .*e-200 to .* have"),
        ([1e200, 1, 1, 1e-200], 1, "^entries of X of .*e-200 to .*e[+]200 have"),
        (1e150, 1e-150, "^coefficients of y on X of .*e-301 to .*e-300 have"),
        (1e-100, 1e150, "^coefficients of y on X of .*e[+]249 to .*e[+]250 have"),
    ],
)
def test_what_double_precision_does_not_hold_is_refused(X_unit, y_unit, message: str):
    X, y = table()
    with pytest.raises(ValueError, match=message):
        rc.from_data(X * X_unit, y * y_unit, n_samples=N, basis="principal")


def test_what_does_not_vary_is_no_question():
    X, _ = table()
    with pytest.raises(ValueError, match=r"the target 'y' is constant, 0\.1 in every row: there is nothing to predict"):
        risk(X, np.full(ROWS, 0.1))
    nothing = rc.from_data(np.ones((20, 2)), np.arange(20.0), n_samples=4, basis="principal")
    assert nothing.noise_variance == pytest.approx(np.var(range(20)))
    assert not nothing.law.eigenvalues.any()


# --- short tables


@pytest.mark.parametrize(("rows", "columns"), [(64, 200), (20, 20), (20, 19), (3, 2)])
def test_tables_that_any_fit_passes_through_say_nothing_of_noise(rows: int, columns: int):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    with pytest.raises(ValueError, match=rf"has {rows} rows for {rows - 1} independent features.*at least {rows + 1}"):
        rc.from_data(X, y, n_samples=4, basis="principal")


def test_dependent_columns_need_no_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 18)), rng.normal(size=20)
    for more in (X, np.column_stack([X, X])):
        with pytest.warns(UserWarning, match="the table has 20 rows"):
            assert rc.from_data(more, y, n_samples=10, basis="principal").noise_variance > 0


def test_the_threshold_beside_an_intercept_is_told():
    """scikit-learn's default intercept centres the sample, which takes one of its rows."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = table()
    rng = np.random.default_rng(0)
    errors = {
        n: [
            np.mean((y - linear_model.LinearRegression().fit(X[rows], y[rows]).predict(X)) ** 2)
            for rows in (rng.choice(ROWS, n, replace=False) for _ in range(60))
        ]
        for n in (4, 5, 6, 8)
    }
    assert max(errors, key=lambda n: np.median(errors[n])) == 5
    for asked in (4, 5, [3, 5]):
        with pytest.warns(UserWarning, match=r"threshold of this table is at n_samples = 4; with an intercept.* at 5:"):
            rc.from_data(X, y, n_samples=asked, basis="principal")
    for fine in ({"n_samples": 6}, {"n_samples": 5, "ridge": 0.1}):
        rc.from_data(X, y, basis="principal", **fine)
    assert "n = p + 1" in rc.LinearGaussian.__doc__
    for near, problem in (
        (True, {"n_samples": [30, 11]}),
        (True, {"n_samples": 10}),
        (False, {"n_samples": 10, "ridge": 1}),
        (False, {"n_samples": 12}),
        (False, {"n_samples": 10, "eigenvalues": [1, 0]}),
    ):
        asked = rc.LinearGaussian(**{"n_features": 10, "eigenvalues": 1, "signal": 1, "noise_variance": 1} | problem)
        assert ("n = p + 1" in " ".join(str(rc.compare(asked, 0.5)).split())) == near


# --- what the command line says of it


@pytest.fixture
def run(monkeypatch, capsys):
    return partial(command_line, monkeypatch, capsys)


@pytest.mark.filterwarnings("default")
def test_warnings_stand_in_the_json(run, tmp_path):
    X, y = table()
    path, longer = tmp_path / "table.csv", tmp_path / "longer.csv"
    for file, rows in ((path, 30), (longer, 40)):
        np.savetxt(file, np.column_stack([X, y])[:rows], delimiter=",", header="a,b,c,d,y", comments="")
    asked = ["--data", str(path), "--target", "y", "--basis", "principal", "--n-samples", "5"]
    code, out, err = run("predict", *asked, "--json")
    found = json.loads(out)
    assert code == 0
    assert [f"riskcalc: warning: {text}" for text in found["warnings"]] == err.splitlines()
    assert [text.split()[0:2] for text in found["warnings"]] == [["the", "table"], ["the", "interpolation"]]
    assert rc.Prediction.from_dict(found).to_dict() == {name: found[name] for name in found if name != "warnings"}
    assert "warnings" not in json.loads(run("predict", "--data", str(longer), *asked[2:-1], "12", "--json")[1])
    assert "warnings" in run("schema")[1]


def test_names_in_a_file_do_nothing_to_a_terminal(run, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,\x1b[31mred\x1b]0;pwned\x07,y\n1,2,3\n")
    code, out, err = run("predict", "--data", str(path), "--target", "z", "--n-samples", "5")
    assert (code, out) == (2, "")
    assert err.rstrip("\n").isprintable()
    assert r"'\x1b[31mred\x1b]0;pwned\x07'" in err
    code, out, err = run("predict", str(tmp_path / "\x1b[2J.toml"))
    assert (code, out, err.rstrip("\n").isprintable()) == (2, "", True)
