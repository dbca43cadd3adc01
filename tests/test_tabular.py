"""Tables of data as problems, against the table itself."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import riskcalc as rc

ROOT = Path(__file__).parents[1]


def table(rows: int = 4000, columns: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns)) + 5
    return X, X @ rng.normal(size=columns) / np.sqrt(columns) + 3 * rng.normal(size=rows) + 7


def test_population_quantities():
    X, y = table()
    problem = rc.from_data(X, y, n_samples=20, basis="principal")
    covariance = np.cov(X.T, bias=True)
    assert np.sort(problem.law.eigenvalues) == pytest.approx(np.linalg.eigvalsh(covariance), rel=1e-10)
    design = np.column_stack([np.ones(len(X)), X])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    assert problem.noise_variance == pytest.approx(np.mean(residual**2), rel=1e-10)
    explained = np.mean(problem.law.eigenvalues * problem.law.signal**2)
    assert explained + problem.noise_variance == pytest.approx(np.var(y), rel=1e-12)
    assert (problem.n_samples, problem.n_features, problem.n_atoms) == (20, 30, 30)


def test_rotations_and_shifts_of_the_table_change_nothing():
    X, y = table()
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(30, 30)))[0]
    risks = rc.compare(rc.from_data(X, y, n_samples=[12, 50], basis="principal"), keep=0.2).risks
    turned = rc.compare(rc.from_data(X @ rotation - 3, y + 4, n_samples=[12, 50], basis="principal"), keep=0.2).risks
    for model, risk in risks.items():
        assert turned[model] == pytest.approx(risk, rel=1e-8)


def test_constant_columns_are_features_without_variance():
    X, y = table(columns=5)
    problem = rc.from_data(np.column_stack([X, np.full(len(X), 3.0)]), y, n_samples=3, basis="principal")
    assert problem.n_atoms == 6
    assert np.sum(problem.law.eigenvalues == 0) == 1
    with pytest.warns(UserWarning, match="threshold of this table is at n_samples = 5; with an intercept.* at 6"):
        assert rc.predict(rc.from_data(np.column_stack([X, np.ones(len(X))]), y, 5, "principal")).status == "infinite"


def test_short_tables_are_warned_of():
    X, y = table(rows=100)
    with pytest.warns(UserWarning, match="the table has 100 rows for 30 features"):
        rc.from_data(X, y, n_samples=20, basis="principal")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": np.ones(3)}, ValueError, "X has 400 rows but y has 3 values"),
        ({"X": np.ones(400)}, ValueError, r"X must have 2 dimensions, got shape \(400,\)"),
        ({"y": np.ones((400, 1))}, ValueError, r"y must have 1 dimension, got shape \(400, 1\)"),
        ({"X": np.full((400, 2), np.nan)}, ValueError, r"column '0' has 400 missing of 400 cells"),
        ({"X": [[b"a", 1.0]] * 400}, TypeError, "X must be an array of numbers"),
        ({"X": np.ones((1, 2)), "y": [1.0]}, ValueError, "at least two rows"),
        ({"basis": "original"}, ValueError, "basis must be 'columns' or 'principal', got 'original'"),
        ({"n_samples": 2.5}, TypeError, "n_samples must be an integer"),
        ({"n_samples": 0}, ValueError, "n_samples must be at least 1"),
    ],
)
def test_bad_tables(change, error, message):
    X, y = table(rows=400, columns=4)
    with pytest.raises(error, match=message):
        rc.from_data(**{"X": X, "y": y, "n_samples": 20} | change)


def test_gaussian_rows_of_a_table_agree_with_its_prediction():
    """Draw rows, fit, prune, measure: on a Gaussian table the prediction is right up to the table's own finiteness."""
    rng = np.random.default_rng(3)
    rows, p, s, draws = 20_000, 60, 12, 300
    X = rng.normal(size=(rows, p)) * np.linspace(3, 0.3, p)
    y = X @ (np.linspace(2, 0, p) / np.sqrt(p)) + 0.5 * rng.normal(size=rows)
    X, y = X - X.mean(axis=0), y - y.mean()
    components = X @ np.linalg.svd(X, full_matrices=False)[2].T
    lengths = components.std(axis=0)
    for n in (30, 150):
        measured: dict[str, list[float]] = {"dense": [], "hessian": []}
        for _ in range(draws):
            chosen = rng.choice(rows, n, replace=False)
            fit = np.linalg.lstsq(components[chosen], y[chosen], rcond=None)[0]
            kept = np.where(np.argsort(np.argsort(-np.abs(fit) * lengths)) < s, fit, 0)
            for model, beta in (("dense", fit), ("hessian", kept)):
                measured[model].append(np.mean((y - components @ beta) ** 2))
        risks = rc.compare(rc.from_data(X, y, n_samples=n, basis="principal"), n_keep=s).risks
        for model, values in measured.items():
            # five standard errors; 4/n for the distance from the limit at so few samples
            allowed = 5 * np.std(values) / np.sqrt(draws) + 4 / n * risks[model]
            assert abs(np.mean(values) - risks[model]) < allowed, (model, n)


def test_the_study_of_real_tables():
    """A few draws of the study in notebooks/: winners as predicted, the small model within its stated distance."""
    pytest.importorskip("sklearn", reason="scikit-learn's tables are not installed")
    spec = importlib.util.spec_from_file_location("real_tables", ROOT / "notebooks" / "real_tables.py")
    study = sys.modules["real_tables"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    digits = study.tables()[0]
    check = study.check(replace(digits, n_samples=(40, 200)), draws=40)
    assert study.winners(check.predicted) == study.winners(check.measured.mean(axis=1)) == 2 * ["small_by_variance"]
    small = study.MODELS.index("small")
    means, errors = study.mean_and_error(check.measured)
    assert (abs(means / check.predicted - 1)[:, small] < 0.05 + 4 * (errors / check.predicted)[:, small]).all()
    assert any("Kendall tau" in line for line in study.order_lines(check))
