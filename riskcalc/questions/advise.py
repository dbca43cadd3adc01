"""Train small, or train large and prune? Models of one budget on a table of rows, predicted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from riskcalc.exact import as_float, check_seed, count
from riskcalc.policies import Policy
from riskcalc.policies.base import whole_number
from riskcalc.problems import Table
from riskcalc.questions.advice import Advice, Weighed
from riskcalc.questions.candidates import Candidate, Trials, candidates, measured, predicted
from riskcalc.questions.cautions import cautions
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
    policy = wanted["small"].procedure.prune
    assert policy is not None
    number_kept = whole_number(policy.budget(table.n_features), int(table.n_features))
    how = {"tolerance": tolerance, "seed": seed}
    half = 2 * int(table.n_samples) > table.n_rows
    with Progress("predicting" if progress else None, expected=PREDICTING):
        found = predicted(table, wanted, digits=None, **how)
    trials = None
    if not half:
        drawn = {"executor": executor, "workers": workers, "progress": progress}
        trials = measured(table, wanted, seed, repeats, device="cpu", **drawn)
    notes = table.note.splitlines()
    if half:
        notes.append(
            f"Nothing is measured: {int(table.n_samples):,} rows of {table.n_rows:,} leave less than half to test on."
        )
    elif trials is not None and (done := len(trials.risks["dense"])) < repeats:
        notes.append(f"Interrupted after {done:,} of {repeats:,} draws.")
    models = tuple(_weighed(one, found.get(name), trials, wanted) for name, one in wanted.items())
    advice = Advice(
        table.n_rows,
        int(table.n_features),
        int(table.n_samples),
        number_kept,
        float(as_float(table.ridge)),
        float(table.null_risk),
        0 if trials is None else len(trials.risks["dense"]),
        seed,
        models,
        {},
        tuple(cautions(table, number_kept)),
        tuple(notes),
    )
    kept = _kept(table, advice.best, found, trials)
    return Advice(**advice.given() | {"kept": kept})


def _weighed(one: Candidate, prediction: Any, trials: Trials | None, wanted: Mapping[str, Candidate]) -> Weighed:
    told: dict[str, Any] = {}
    if prediction is not None:
        told = {"status": str(prediction.status), "predicted": float(prediction.risk)}
        names = (("predicted_error", "integration_error"), ("gaussian", "gaussian_risk"))
        known = {name: prediction.values.get(of) for name, of in names}
        told |= {name: float(value) for name, value in known.items() if value is not None}
    if trials is not None:
        risks, draws = trials.risks[one.name], len(trials.risks[one.name])
        told |= {"measured": float(risks.mean()), "median": float(np.median(risks)), "stderr": _error(risks)}
        if one.feasible:
            feasible = [name for name, other in wanted.items() if other.feasible]
            every = np.stack([trials.risks[name] for name in feasible])
            behind = risks - every[every.mean(axis=1).argmin()]
            wins = np.count_nonzero(every.argmin(axis=0) == feasible.index(one.name)) / draws
            told |= {"behind": float(behind.mean()), "behind_error": _error(behind), "wins": wins}
    return Weighed(one.name, one.label, one.feasible, "" if one.feasible else one.note, **told)


def _error(values: np.ndarray) -> float:
    """Standard error of a mean."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else np.nan


def _kept(table: Table, best: str | None, found: Mapping[str, Any], trials: Trials | None) -> dict[str, float]:
    """How often a model keeps each column, from the top."""
    if best is None:
        return {}
    shares = np.asarray(found[best].kept if trials is None else trials.masks[best].mean(axis=0))
    names = table.names or tuple(map(str, range(len(shares))))
    order = np.argsort(-shares, kind="stable")
    return {names[place]: float(shares[place]) for place in order.tolist() if shares[place] > 0}
