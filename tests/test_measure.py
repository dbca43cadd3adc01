"""The third witness: rows of a table drawn, fitted, pruned and tested on, beside what NumPy does in a line."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import riskcalc as rc
from riskcalc.simulation import simulate as simulation

RNG = np.random.default_rng(0)
X = RNG.standard_t(4, size=(120, 9)) @ (np.eye(9) + 0.3)
Y = X[:, 0] - X[:, 4] + RNG.normal(size=120)
TABLE = rc.Table(X, Y, 20, ridge=0.1, names=list("abcdefghi"))


def measured(prune: Any = None, retrain: Any = None, **given: Any) -> rc.Measured:
    return rc.measure(TABLE, prune=prune, retrain=retrain, **{"workers": 1, "repeats": 60} | given)


def by_hand(n: int, ridge: float, n_keep: int, draws: int) -> np.ndarray:
    """Risks of the dense fit, pruned by magnitude, and fitted again, shape (draws, 3)."""
    features, target, rng, found = TABLE.features, TABLE.target, np.random.default_rng(1), []
    for _ in range(draws):
        order = rng.permutation(len(target))
        A, b, C, d = features[order[:n]], target[order[:n]], features[order[n:]], target[order[n:]]

        def fit(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
            gram = columns.T @ columns + n * ridge * np.eye(columns.shape[1])
            return np.linalg.solve(gram, columns.T @ target)

        dense = fit(A, b)
        kept = np.argsort(-abs(dense))[:n_keep]
        guesses = C @ dense, C[:, kept] @ dense[kept], C[:, kept] @ fit(A[:, kept], b)
        found.append([np.mean((d - one) ** 2) for one in guesses])
    return np.array(found)


def test_means_are_those_of_numpy():
    """At four standard errors of both."""
    known = by_hand(20, 0.1, 3, 600)
    found = measured([None, rc.Magnitude(n_keep=3), rc.Procedure(rc.Magnitude(n_keep=3), rc.Retrain(0.1))], repeats=600)
    errors = np.hypot(found.stderr, known.std(axis=0, ddof=1) / np.sqrt(600))
    assert (abs(found.mean - known.mean(axis=0)) < 4 * errors).all()
    assert found.median == pytest.approx(np.median(known, axis=0), rel=0.05)


def test_rows_that_are_tested_on_are_not_fitted():
    """An interpolator of rows that are their own targets is off on all others."""
    table = rc.Table(np.eye(12), np.arange(12) % 3, 5)
    found = rc.measure(table, repeats=40, workers=1)
    assert found.training_errors.max() < 1e-20
    assert found.risks.min() > 0.1


def test_a_fresh_sample_has_other_rows():
    """Two samples of all rows but one leave that one: then the second fit is tested on it alone."""
    table = rc.Table(X[:41], Y[:41], 20, ridge=0.1)
    both = rc.measure(table, prune=rc.Magnitude(n_keep=9), retrain=rc.Retrain(0.1, "fresh"), repeats=30, workers=1)
    assert both.risks.std() > rc.measure(table, repeats=30, workers=1).risks.std()
    with pytest.raises(ValueError, match="two samples of 21 rows leave none of the table's 41"):
        rc.measure(table, prune=rc.Magnitude(n_keep=9), retrain=rc.Retrain(0.1, "fresh"), n_samples=21)


def test_models_share_draws():
    """Alone or with others a model measures the same; a mask that keeps all is the dense fit, draw by draw."""
    together = measured([None, rc.Magnitude(n_keep=9), rc.Hessian(n_keep=3)])
    assert np.array_equal(together.risks[:, 0], together.risks[:, 1])
    assert np.array_equal(together.risks[:, 2], measured(rc.Hessian(n_keep=3)).risks[:, 0])


def test_the_seed_decides_and_the_executor_does_not():
    alone = measured([None, rc.Hessian(n_keep=3)], repeats=300)
    with ThreadPoolExecutor(2) as pool:
        assert measured([None, rc.Hessian(n_keep=3)], repeats=300, executor=pool) == alone
    assert measured([None, rc.Hessian(n_keep=3)], repeats=300, seed=1).mean[0] != alone.mean[0]
    assert np.array_equal(measured(repeats=100).risks, measured(repeats=300).risks[:100])


def test_simulate_is_of_the_same_rows():
    estimate = rc.simulate(TABLE, rc.Hessian(n_keep=3), True, trials=60, workers=1)
    found = measured(rc.Hessian(n_keep=3), True)
    assert (estimate.mean, estimate.stderr) == (found.mean[0], found.stderr[0])
    assert estimate.training_error == found.estimates[0].training_error


def test_an_interrupt_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch):
    whole, run, calls = measured(repeats=640), simulation._run_on, []

    def interrupted(*task: Any) -> np.ndarray:
        calls.append(task)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(*task)

    monkeypatch.setattr(simulation, "_run_on", interrupted)
    monkeypatch.setattr(simulation, "TASK", 1)
    part = measured(repeats=640)
    assert 0 < part.draws < 640
    assert part.note == f"Interrupted after {part.draws} of 640 draws."
    assert np.array_equal(part.risks, whole.risks[: part.draws])
    assert part.note in str(part)


# --- what is kept


def test_the_columns_kept_most_stable_first():
    found = measured([None, rc.Magnitude(n_keep=2), "small_by_chance"], n_keep=3)
    assert found.kept.sum(axis=1).tolist() == pytest.approx([9, 2, 3])
    stable = found.stable(1)
    assert {*[*stable][:2]} == {"a", "e"}
    assert [*stable.values()] == sorted(stable.values(), reverse=True)
    assert "Columns kept, pruned by magnitude: " in str(found)
    assert [*rc.measure(X, Y, n_samples=20, repeats=2, workers=1).stable()] == [*map(str, range(9))]


def test_components_are_pruned_in_their_place():
    found = rc.measure(TABLE, prune=rc.Magnitude(n_keep=9), basis="principal", workers=1, repeats=60)
    assert next(iter(found.stable())).startswith("component")
    assert found.risks == pytest.approx(measured().risks, rel=1e-9)


def test_wins_are_shared():
    found = measured([None, rc.Magnitude(n_keep=9), rc.Random(n_keep=1)])
    assert found.wins.sum() == pytest.approx(1)
    assert found.wins[0] == found.wins[1] > found.wins[2]


def test_small_models_are_those_of_their_columns():
    """Told: the best by the table's own coefficients, on the one sample."""
    best = np.argsort(-(TABLE.coefficients**2))[:2]
    small = rc.measure(TABLE.columns(np.sort(best)), workers=1, repeats=60)
    assert measured("small", n_keep=2).risks == pytest.approx(small.risks, rel=1e-9)


def test_what_comes_back():
    found = measured([None, rc.Hessian(n_keep=3)], repeats=8)
    for again in (rc.Measured.from_dict(json.loads(json.dumps(found.to_dict()))), pickle.loads(pickle.dumps(found))):
        assert again == found
        assert hash(again) == hash(found)
        assert str(again) == str(found)
    assert str(measured(repeats=1)).count("nan") == 0


# --- what is refused


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"X": TABLE, "y": Y}, "a Table says its y"),
        ({"X": TABLE, "ridge": 0.1}, "a Table says its ridge"),
        ({"X": X, "n_samples": 20}, "y is missing"),
        ({"X": X, "y": Y}, "n_samples is missing"),
        ({"X": TABLE, "n_samples": 120}, "n_samples must be below the 120 rows"),
        ({"X": TABLE, "n_samples": 500}, "n_samples must be below the 120 rows"),
        ({"X": TABLE, "prune": []}, "prune is empty"),
        ({"X": TABLE, "prune": "hessien", "n_keep": 2}, "hessian"),
        ({"X": TABLE, "prune": "hessian"}, "needs a budget"),
        ({"X": TABLE, "basis": "rows"}, "basis must be"),
        ({"X": TABLE, "repeats": 0}, "repeats must be at least 1"),
        ({"X": TABLE, "seed": -1}, "seed must be"),
        ({"X": TABLE, "retrain": True}, "retrain"),
        ({"X": TABLE, "prune": rc.Optimal(n_keep=2)}, "not pruned by"),
        ({"X": TABLE, "prune": rc.Hessian(n_keep=10)}, "n_keep"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_bad_input(asked: dict[str, Any], words: str):
    with pytest.raises((ValueError, TypeError), match=words):
        rc.measure(**{"workers": 1} | asked)


def test_rows_are_what_they_are():
    with pytest.raises(ValueError, match="leave distribution out"):
        rc.simulate(TABLE, distribution="student5", workers=1)
    with pytest.raises(ValueError, match='leave features="drawn" out'):
        rc.simulate(TABLE, features="drawn", workers=1)
