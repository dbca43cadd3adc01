"""Train small, or train large and prune? Models of one budget on a table of rows, predicted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from riskcalc.exact import as_float, check_seed, count
from riskcalc.policies import Magnitude, Policy
from riskcalc.policies.base import at_budget, whole_number
from riskcalc.prediction.result import Prediction
from riskcalc.prediction.row_law import heavy_rows
from riskcalc.problems import Table
from riskcalc.questions.advice import Advice, Weighed
from riskcalc.questions.candidates import Candidate, candidates, measured, predicted
from riskcalc.simulation.progress import Progress

# Seconds that predictions may take.
PREDICTING = 10.0


def advise(
    table: Table,
    keep: Any = None,
    n_keep: int | None = None,
    *,
    policies: Sequence[type[Policy] | Policy] = (),
    retrain_ridge: float | str | None = None,
    repeats: int = 100,
    tolerance: float | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Advice:
    """Compare models of one budget on a table, predicted and measured, and recommend one.

    Compete can what data alone give: the dense fit pruned, retrained or not, and small models on columns chosen by
    chance, by their correlation with the target on the sample, or, in units of their own, by variance. All are measured
    on the same draws of rows, and tested on the rows not drawn.

    Parameters
    ----------
    table : Table
        Such as `from_data` makes.
    keep : float in (0, 1], or n_keep : int
        The budget: a fraction of the columns, or their number.
    policies : sequence of Policy or policy types
        What prunes besides magnitude and, where columns are not scaled, Hessian scores.
    retrain_ridge : float, optional
        Ridge penalty of second fits; the table's own if not given.
    repeats : int
        Draws of rows that are measured. Where less than half of the table would be left to test on, none is.
    tolerance : float, optional
        Standard error of a prediction, over it; 0.01 if not given.
    seed : int >= 0
    executor, workers
        Where draws are measured, as in `simulate`.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    Advice

    Raises
    ------
    ValueError, TypeError
        For what is no table, or no budget of it.

    Notes
    -----
    A small model on the columns of largest correlation is a fit with an overwhelming ridge, whose coefficients are
    those of each column by itself, pruned and retrained: so it is predicted by the same theory.

    Examples
    --------
    >>> import numpy as np, riskcalc as rc
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 8))
    >>> table = rc.from_data(X, X[:, 0] + X[:, 1] + rng.normal(size=400), n_samples=40, ridge=0.05)
    >>> advice = rc.advise(table, n_keep=2, repeats=50)
    >>> advice.best, sorted(advice.kept)[:2]
    ('magnitude+retrain', ['0', '1'])
    """
    if not isinstance(table, Table):
        raise TypeError(f"table must be a riskcalc.Table, such as riskcalc.from_data makes, got {type(table).__name__}")
    seed, repeats = check_seed(seed), count(repeats, "repeats")
    budget = {name: value for name, value in (("keep", keep), ("n_keep", n_keep)) if value is not None}
    wanted = candidates(table, budget, policies, retrain_ridge)
    policy = at_budget(Magnitude, **budget)
    number_kept = whole_number(policy.budget(table.n_features), int(table.n_features))
    with Progress("predicting" if progress else None, expected=PREDICTING):
        found = predicted(table, wanted, digits=None, tolerance=tolerance, seed=seed)
    notes, n, trials = table.note.splitlines(), int(table.n_samples), {}
    if 2 * n > table.n_rows:
        notes.append(f"Nothing is measured: {n:,} rows of {table.n_rows:,} leave less than half to test on.")
    else:
        how = {"executor": executor, "workers": workers, "progress": progress}
        trials = measured(table, wanted, seed=seed, repeats=repeats, **how)
    draws = len(trials["dense"][0]) if trials else 0
    if trials and draws < repeats:
        notes.append(f"Interrupted after {draws:,} of {repeats:,} draws.")
    remarks = dict.fromkeys(filter(None, (table.remark(one.procedure) for one in wanted.values())))
    notes = [*heavy_rows(found["dense"]), *(f"{one[0].upper()}{one[1:]}." for one in remarks), *notes]
    models = tuple(_weighed(one, found.get(name), trials, wanted) for name, one in wanted.items())
    size = {"n_rows": table.n_rows, "n_features": int(table.n_features), "n_samples": n, "n_keep": number_kept}
    costs = {"ridge": float(as_float(table.ridge)), "null_risk": float(table.null_risk)}
    told = {"cautions": tuple(table.caution.splitlines()), "notes": tuple(notes)}
    advice = Advice(**size, **costs, **told, repeats=draws, seed=seed, models=models, kept={})
    return Advice(**advice.given() | {"kept": _kept(table, advice.best, found, trials)})


def _weighed(
    one: Candidate,
    prediction: Prediction | None,
    trials: Mapping[str, tuple[np.ndarray, np.ndarray]],
    wanted: Mapping[str, Candidate],
) -> Weighed:
    told: dict[str, Any] = {}
    if prediction is not None:
        told = {"status": str(prediction.status), "predicted": float(prediction.risk)}
        names = (("predicted_error", "integration_error"), ("gaussian", "gaussian_risk"))
        known = {name: prediction.values.get(of) for name, of in names}
        told |= {name: float(value) for name, value in known.items() if value is not None}
    if trials:
        risks = trials[one.name][0]
        told |= {"measured": float(risks.mean()), "median": float(np.median(risks)), "stderr": _error(risks)}
        if one.feasible:
            every = np.stack([trials[name][0] for name, other in wanted.items() if other.feasible])
            behind, first = risks - every[every.mean(axis=1).argmin()], every.min(axis=0)
            level = np.isclose(every, first, rtol=1e-9, atol=0)
            share = np.isclose(risks, first, rtol=1e-9, atol=0) / level.sum(axis=0)
            told |= {"behind": float(behind.mean()), "behind_error": _error(behind), "wins": float(share.mean())}
    return Weighed(one.name, one.label, one.feasible, "" if one.feasible else one.note, **told)


def _error(values: np.ndarray) -> float:
    """Standard error of a mean."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else np.nan


def _kept(
    table: Table, best: str | None, found: Mapping[str, Prediction], trials: Mapping[str, Any]
) -> dict[str, float]:
    """How often a model keeps each column, from the top."""
    if best is None:
        return {}
    shares = np.asarray(trials[best][1] if trials else found[best].kept)
    names = table.names or tuple(map(str, range(len(shares))))
    order = np.argsort(-shares, kind="stable").tolist()
    return {names[place]: float(shares[place]) for place in order if shares[place] > 0}
