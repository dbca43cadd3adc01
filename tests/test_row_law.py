"""The row law: pinned values, its exact limits, tables of heavy rows beside what is measured, and what is refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import riskcalc as rc
from riskcalc.lowering.evaluator import PLAIN
from riskcalc.prediction.row_law import sketch
from riskcalc.prediction.row_law.fit import fit_rows
from riskcalc.prediction.solvers import NotCovered

ROOT = Path(__file__).parent.parent
DRAWS = 300


def heavy(seed: int, rows: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Correlated features of rows of unequal lengths, and a target with heavy noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, p)) @ (np.eye(p) + 0.2) * np.sqrt(4 / rng.chisquare(4, (rows, 1)))
    return X, X @ np.linspace(1, -1, p) / np.sqrt(p) + rng.standard_t(4, rows)


X, Y = heavy(0, 300, 16)
TABLE = rc.Table(X, Y, 40, ridge=0.05)


# --- values, and limits


@pytest.mark.parametrize(
    ("name", "n", "ridge", "risk", "training"),
    [
        ("diabetes", 100, 0.05, 0.5349315538, 0.4520316539),
        ("breast_cancer", 60, 0.05, 0.3234944739, None),
        ("breast_cancer", 60, 0.0, 0.7752380556, None),
    ],
)
def test_pinned_values(name: str, n: int, ridge: float, risk: float, training: float | None):
    """Standardised columns; diabetes in units of the variance of its target, the other with targets of -1 and 1."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn's tables are not installed")
    features, target = getattr(datasets, f"load_{name}")(return_X_y=True)
    target = target / target.std() if name == "diabetes" else 2.0 * target - 1
    found = rc.predict(rc.Table(features, target, n, ridge=ridge))
    assert found.risk == pytest.approx(risk, rel=1e-8)
    assert training is None or found.training_error == pytest.approx(training, rel=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_all_rows_drawn_is_leaving_one_out_exactly(ridge: float):
    table = rc.Table(X[:40], Y[:40], 40, ridge=ridge)
    features, target, errors = table.features, table.target, []
    for i in range(40):
        left = np.delete(np.arange(40), i)
        gram = features[left].T @ features[left] / 40 + ridge * np.eye(16)
        errors.append(target[i] - features[i] @ np.linalg.solve(gram, features[left].T @ target[left] / 40))
    found = fit_rows(table, ridge, 1.0, PLAIN).state
    np.testing.assert_allclose(found["miss_square"][0], np.square(errors), rtol=1e-9)
    assert found["training_error"].item() == pytest.approx(np.mean((1 - found["lever"][0]) ** 2 * np.square(errors)))


@pytest.mark.parametrize(("n", "ridge"), [(50, 0.1), (50, 0.0), (200, 0.0)])
def test_few_gaussian_rows_are_those_of_gaussian_theory(n: int, ridge: float):
    """Leverages of 100 dimensions vary by a seventh, which changes risks by the square of that."""
    rng = np.random.default_rng(1)
    features = rng.standard_normal((2500, 100)) * np.linspace(0.5, 2, 100)
    table = rc.Table(
        features, features @ rng.normal(size=100) / 10 + rng.normal(size=2500), n, ridge=ridge, scale=False
    )
    found, known = fit_rows(table, ridge, 0.0, PLAIN).state, rc.predict(table.gaussian)
    assert found["risk"].item() == pytest.approx(known.risk, rel=0.04)
    assert found["training_error"].item() == pytest.approx(known.training_error, rel=0.04)
    assert found["nu"].item() == pytest.approx(known.effective_ridge, rel=0.04)


def test_a_mask_that_keeps_all_is_the_dense_fit():
    pruned, dense = rc.predict(TABLE, rc.Magnitude(n_keep=16)), rc.predict(TABLE)
    assert pruned.risk == pytest.approx(dense.risk, abs=4 * pruned.integration_error)
    assert pruned.training_error == pytest.approx(dense.training_error, rel=0.03)


# --- what must not matter


def test_units_of_columns_do_not_matter_where_they_are_scaled():
    other = rc.Table(X * np.geomspace(1e-6, 1e6, 16) + 5, Y, 40, ridge=0.05)
    for prune in (None, rc.Hessian(n_keep=4)):
        assert rc.predict(other, prune).risk == pytest.approx(rc.predict(TABLE, prune).risk, rel=1e-7)


def test_the_basis_does_not_matter_to_the_dense_fit():
    assert rc.predict(TABLE.components()).risk == pytest.approx(rc.predict(TABLE).risk, rel=1e-10)


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_copies_of_columns_are_one_of_twice_the_variance(ridge: float):
    twice = rc.Table(np.hstack([X, X]), Y, 40, ridge=2 * ridge)
    assert rc.predict(twice).risk == pytest.approx(rc.predict(rc.Table(X, Y, 40, ridge=ridge)).risk, rel=1e-8)


def test_more_columns_than_rows():
    wide, target = heavy(2, 40, 90)
    table = rc.Table(wide, target, 20, ridge=0.1)
    assert rc.predict(table).risk == pytest.approx(rc.predict(table.components()).risk, rel=1e-9)
    assert rc.predict(table).risk < rc.predict(rc.Table(wide, target, 20)).risk


def test_features_that_are_named_are_a_table_of_them():
    small = rc.small_model(TABLE, features=[1, 5, 7])
    assert small.risk == pytest.approx(rc.predict(TABLE.columns(np.array([1, 5, 7]))).risk, rel=1e-12)
    assert small.kept.tolist() == [float(i in (1, 5, 7)) for i in range(16)]


def test_scaled_columns_tie_in_variance():
    """So chance decides among them, as it does for a small model of any columns."""
    by = [rc.predict(TABLE, rc.Procedure.small(n_keep=4, by=kind)) for kind in (rc.Variance, rc.Random)]
    assert by[0].risk == by[1].risk
    assert 0 < by[0].kept.min() < by[0].kept.max() < 1


# --- beside what is measured


@pytest.mark.parametrize("n", [8, 40, 120])
def test_predictions_are_measured(n: int):
    """Dense within 4 %, masks of draws within 6, and the heuristic of second fits within 8, as errors of 300 draws tell."""
    table = rc.Table(X, Y, n, ridge=0.05)
    hessian = rc.Hessian(n_keep=4)
    asked = [
        (rc.Procedure(), 0.04),
        (rc.Procedure.small(n_keep=4), 0.04),
        (rc.Procedure.small(n_keep=4, by=rc.Random), 0.04),
        (rc.Procedure(hessian), 0.06),
        (rc.Procedure(hessian, rc.Retrain(0.05)), 0.08),
    ]
    found = rc.measure(table, prune=[one for one, _ in asked], repeats=DRAWS, workers=1)
    for (procedure, tolerance), mean, error in zip(asked, found.mean, found.stderr, strict=True):
        told = rc.predict(table, procedure)
        assert abs(told.risk - mean) < tolerance * mean + 4 * error, (procedure.key, told.risk, mean)
    training = found.training_errors.mean(axis=0)
    assert rc.predict(table).training_error == pytest.approx(training[0], rel=0.1)
    assert rc.predict(table, hessian).training_error == pytest.approx(training[3], rel=0.1)


def test_how_often_columns_are_kept_is_measured():
    hessian = rc.Hessian(n_keep=4)
    told, found = (
        rc.predict(TABLE, hessian, tolerance=0.002).kept,
        rc.measure(TABLE, prune=hessian, workers=1, repeats=DRAWS),
    )
    assert told.sum() == pytest.approx(4)
    assert abs(told - found.kept[0]).max() < 0.05 + 4 * np.sqrt(0.25 / DRAWS)


def test_interpolators_of_few_rows():
    """Without a ridge: means over draws have heavy tails, and the law is 3 to 20 % low."""
    table = rc.Table(X, Y, 6)
    found, told = rc.measure(table, repeats=DRAWS, workers=1), rc.predict(table)
    assert told.training_error == 0
    assert abs(told.risk - found.mean[0]) < 0.2 * found.mean[0] + 4 * found.stderr[0]
    assert (rc.leverages(table) == 1).all()


def test_verdicts_are_about_real_rows():
    found = rc.verify(TABLE, tolerance=0.1, seconds=4, workers=1)
    assert found.verdict == "agree"
    assert found.sizes == (40,)
    assert "infinity" not in str(found)
    rows = np.vstack([X[:100], 20 * X[:4]])
    heavy_rows = rc.Table(rows, np.append(Y[:100], [50, -50, 50, -50]), 30, ridge=0.01, rows="gaussian")
    assert rc.verify(heavy_rows, tolerance=0.1, seconds=4, workers=1).verdict == "disagree"


# --- heavy rows, and what is said


def test_heavy_rows_are_named():
    features, target = X.copy(), Y.copy()
    features[7] *= 30
    table = rc.Table(features, target, 40, ridge=0.01)
    assert int(rc.leverages(table).argmax()) == 7
    told = rc.predict(table)
    assert told.risk > 1.1 * told.gaussian_risk
    assert "from row 0 on: 7 (" in str(told)
    assert "the rows of this table cost" in str(rc.compare(table, n_keep=4))


def test_what_is_said_before_the_number():
    near = str(rc.predict(rc.Table(X, Y, 18)))
    assert near.startswith("Without a ridge, n_samples = 18 is near the 16 dimensions")
    rare = np.column_stack([X, np.arange(300) < 3])
    named = rc.Table(rare, Y, 60, names=[*map(str, range(16)), "rare pixel"])
    assert "carry column 'rare pixel'" in named.caution.replace("carries", "carry")
    assert rc.Table(rare, Y, 60, ridge=0.1).caution == ""
    assert "no part of the table's 300" in str(rc.predict(rc.Table(X, Y, 300, ridge=0.1)))


def test_retrained_fits_are_said_to_be_a_heuristic():
    assert "heuristic" in str(rc.predict(TABLE, rc.Hessian(n_keep=4), True))
    assert "heuristic" in str(rc.compare(TABLE, n_keep=4))
    assert "heuristic" not in str(rc.predict(TABLE, rc.Hessian(n_keep=4)))


def test_notes_are_repeated():
    table = rc.Table(X, Y, 40, ridge=0.1, notes=["Three rows were left out."])
    assert str(rc.predict(table)).endswith("Three rows were left out.")


def test_gaussian_rows_are_asked_for():
    table = rc.Table(X, Y, 40, ridge=0.05, rows="gaussian")
    for prune, retrain in ((None, None), (rc.Hessian(n_keep=4), True)):
        told = rc.predict(table, prune, retrain)
        assert told.risk == rc.predict(table.gaussian, prune, retrain).risk
        assert told.risk == rc.predict(TABLE, prune, retrain).gaussian_risk


# --- sizes


def test_at_the_rank_without_a_ridge_the_risk_is_infinite():
    told = rc.predict(rc.Table(X, Y, 16))
    assert (told.risk, told.status) == (np.inf, "infinite")
    assert rc.predict(rc.Table(X, Y, 16), rc.Hessian(n_keep=4)).risk == np.inf
    assert rc.predict(rc.Table(X, Y, 16), rc.Hessian(n_keep=4), True).status == "not_converged"


def test_of_many_rows_some_stand_for_all(monkeypatch: pytest.MonkeyPatch):
    whole = rc.predict(TABLE)
    monkeypatch.setattr(sketch, "MOST_ROWS", 150)
    monkeypatch.setattr(sketch, "MOST_ENTRIES", 100)
    part = rc.predict(TABLE)
    assert whole.integration_error is None
    assert 0 < part.integration_error < part.risk
    assert abs(part.risk - whole.risk) < 3 * part.integration_error
    assert rc.predict(TABLE, rc.Hessian(n_keep=4)).integration_error > 0.5 * part.integration_error


def test_budgets_in_one_call():
    together = rc.predict(TABLE, rc.Hessian(keep=[0.25, 0.5]), True)
    assert together.risk.tolist() == [rc.predict(TABLE, rc.Hessian(keep=keep), True).risk for keep in (0.25, 0.5)]


# --- what is refused


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"X": X[:, 0]}, "rows and columns"),
        ({"X": X[:5]}, "X has 5 rows but y has 300"),
        ({"X": X[:1], "y": Y[:1]}, "at least two rows"),
        ({"X": X[:, :0]}, "one column"),
        ({"X": np.where(X == X[3, 2], np.nan, X)}, "X must be finite, got nan"),
        ({"X": X.astype(str) + "x"}, "X must be numbers"),
        ({"y": np.ones(300)}, "y is constant, 1"),
        ({"y": np.append(Y[1:], np.inf)}, "y must be finite, got inf"),
        ({"X": np.where(np.arange(16) == 4, 2.0, X)}, "column 4 of X is constant"),
        ({"n_samples": 0}, "n_samples must be at least 1"),
        ({"n_samples": 2.5}, "n_samples"),
        ({"ridge": -1}, "ridge must be at least 0"),
        ({"ridge": [1, 2]}, "ridge must be one number"),
        ({"scale": 1}, "scale must be True or False"),
        ({"names": "ab"}, "names must be one for each of the 16 columns"),
        ({"groups": [0.5] * 16}, "groups must be integers"),
        ({"rows": "Real"}, "rows must be one of real, gaussian"),
        ({"notes": "x"}, "notes must be a sequence"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_bad_tables_are_refused(given: dict, words: str):
    with pytest.raises((ValueError, TypeError), match=words):
        rc.Table(**{"X": X, "y": Y, "n_samples": 40} | given)


def test_what_the_theory_does_not_cover():
    with pytest.raises(NotCovered, match="digits"):
        rc.predict(TABLE, digits=30)
    with pytest.raises(NotCovered, match="rounds"):
        rc.predict(TABLE, rc.Iterative(rc.Magnitude, [0.5, 0.25]))
    with pytest.raises(NotCovered, match="ridges of at least 0"):
        rc.predict(TABLE, rc.Hessian(n_keep=4), rc.Retrain("-1/100"))
    with pytest.raises(TypeError, match="leverages are of the rows"):
        rc.leverages(TABLE.gaussian)


def test_the_study_of_real_tables():
    """A few draws of the study in notebooks/, of its smallest table."""
    pytest.importorskip("sklearn", reason="scikit-learn's tables are not installed")
    spec = importlib.util.spec_from_file_location("real_tables", ROOT / "notebooks" / "real_tables.py")
    assert spec is not None and spec.loader is not None
    study = sys.modules["real_tables"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    for name, table in study.settings():
        if name == "wine" and int(table.n_samples) > 13:
            found = rc.measure(table, repeats=100, workers=1)
            assert abs(rc.predict(table).risk / found.mean[0] - 1) < 0.04 + 4 * found.stderr[0] / found.mean[0]
