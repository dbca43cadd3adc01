"""Train small, or train large and prune? Models of one budget on a table of rows, predicted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, check_seed, count, counts
from riskcalc.policies import Magnitude, Policy
from riskcalc.policies.base import at_budget, whole_number
from riskcalc.prediction.result import Prediction
from riskcalc.prediction.row_law import heavy_rows
from riskcalc.problems import Table
from riskcalc.questions.advice import Advice, Weighed
from riskcalc.questions.candidates import DENSE, Candidate, Key, Trials, candidates, measured, predicted
from riskcalc.simulation.progress import Progress

# Seconds that predictions may take.
PREDICTING = 10.0
# Relative standard error of predictions at budgets that are only drawn.
ROUGH = 0.03


def advise(
    table: Table,
    keep: Any = None,
    n_keep: int | None = None,
    *,
    policies: Sequence[type[Policy] | Policy] = (),
    retrain_ridge: float | str | None = None,
    budgets: ArrayLike = (),
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
    budgets : array_like of int
        Other numbers of columns kept, along which the picture then goes (`Advice.plot`).
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
    kept = at_budget(Magnitude, **budget).budget(table.n_features)
    if kept.shape:
        raise ValueError(f"keep must be one number, got shape {kept.shape}; ask for one budget at a time")
    number_kept, p = whole_number(kept, int(table.n_features)), int(table.n_features)
    named = candidates(table, budget, policies, retrain_ridge)
    wanted = {(name, p if name == DENSE else number_kept): one for name, one in named.items()}
    others = [int(one) for one in counts(budgets, "budgets").ravel()] if np.size(budgets) else []
    further = {
        (name, size): one
        for size in others
        if size != number_kept
        for name, one in candidates(table, {"n_keep": size}, policies, retrain_ridge).items()
        if name != DENSE
    }
    with Progress("predicting" if progress else None, expected=PREDICTING):
        found = predicted(table, wanted, digits=None, tolerance=tolerance, seed=seed)
        rough = ROUGH if tolerance is None else max(tolerance, ROUGH)
        found |= predicted(table, further, digits=None, tolerance=rough, seed=seed)
    notes, n, trials = table.note.splitlines(), int(table.n_samples), {}
    if 2 * n > table.n_rows:
        notes.append(f"Nothing is measured: {n:,} rows of {table.n_rows:,} leave less than half to test on.")
    else:
        how = {"executor": executor, "workers": workers, "progress": progress}
        trials = measured(table, wanted | further, seed=seed, repeats=repeats, **how)
    draws = len(trials[DENSE, p].risks) if trials else 0
    if trials and draws < repeats:
        notes.append(f"Interrupted after {draws:,} of {repeats:,} draws.")
    remarks = dict.fromkeys(filter(None, (table.remark(one.procedure) for one in wanted.values())))
    notes = [*heavy_rows(found[DENSE, p]), *(f"{one[0].upper()}{one[1:]}." for one in remarks), *notes]
    models, along = (
        tuple(_weighed(key, one, found.get(key), trials) for key, one in part.items()) for part in (wanted, further)
    )
    advice = Advice(
        n_rows=table.n_rows,
        n_features=p,
        n_samples=n,
        n_keep=number_kept,
        ridge=float(as_float(table.ridge)),
        null_risk=float(table.null_risk),
        repeats=draws,
        seed=seed,
        models=models,
        kept={},
        cautions=tuple(table.caution.splitlines()),
        notes=tuple(notes),
        along=along,
    )
    best = next((key for key in wanted if key[0] == advice.best), None)
    return replace(advice, kept=_kept(table, best, found, trials))


def spread(n_features: int, most: int = 8) -> list[int]:
    """Numbers of columns from one to all, in even steps of their logarithm: budgets of a picture."""
    return sorted({round(one) for one in np.geomspace(1, n_features, most)})


def _weighed(key: Key, one: Candidate, prediction: Prediction | None, trials: Mapping[Key, Any]) -> Weighed:
    told: dict[str, Any] = {"n_keep": key[1], "feasible": one.feasible, "note": "" if one.feasible else one.note}
    if prediction is not None:
        told |= {"status": str(prediction.status), "predicted": float(prediction.risk)}
        names = (("predicted_error", "integration_error"), ("gaussian", "gaussian_risk"))
        known = {name: prediction.values.get(of) for name, of in names}
        told |= {name: float(value) for name, value in known.items() if value is not None}
    if trials:
        risks = trials[key].risks
        told |= {"measured": float(risks.mean()), "median": float(np.median(risks)), "stderr": _error(risks)}
        if one.feasible:
            rivals = [found.risks for (_, size), found in trials.items() if size == key[1] and found.feasible]
            every = np.stack(rivals)
            behind, first = risks - every[every.mean(axis=1).argmin()], every.min(axis=0)
            level = np.isclose(every, first, rtol=1e-9, atol=0)
            share = np.isclose(risks, first, rtol=1e-9, atol=0) / level.sum(axis=0)
            told |= {"behind": float(behind.mean()), "behind_error": _error(behind), "wins": float(share.mean())}
    return Weighed(one.name, one.label, **told)


def _error(values: np.ndarray) -> float:
    """Standard error of a mean."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else np.nan


def _kept(
    table: Table, key: Key | None, found: Mapping[Key, Prediction], trials: Mapping[Key, Trials]
) -> dict[str, float]:
    """How often a model keeps each column, from the top."""
    if key is None:
        return {}
    shares = np.asarray(trials[key].kept if trials else found[key].kept)
    names = table.names or tuple(map(str, range(len(shares))))
    order = np.argsort(-shares, kind="stable").tolist()
    return {names[place]: float(shares[place]) for place in order if shares[place] > 0}
