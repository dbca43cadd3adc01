"""The third witness: models trained on rows of a table, and measured on its other rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import check_seed, count, numbers
from riskcalc.inert import Inert
from riskcalc.policies import Procedure, Retrain
from riskcalc.problems import Problem, Table
from riskcalc.problems.tabular import from_data
from riskcalc.questions.models import Model, model_of
from riskcalc.results import tables
from riskcalc.results.tables import Column, Part, Shown
from riskcalc.simulation.estimates import Estimate, with_error
from riskcalc.simulation.simulate import make_plan, run_trials

# Columns that a printed answer names, of each model.
MOST_NAMED = 10


@dataclass(frozen=True, eq=False)
class Measured(Shown, Inert):
    """What models trained on rows of a table measure on its other rows, draw by draw. Prints as a table.

    Attributes
    ----------
    problem : Table
    procedures : tuple of Procedure
        How M models are made, all on the same draws.
    risks, training_errors : ndarray, shape (draws, M)
        Mean squared errors on the rows that are not drawn, and on those last fitted to.
    kept : ndarray, shape (M, p)
        How often each column is kept.
    seed : int
    note : str
        That it was interrupted, if it was.
    """

    problem: Table
    procedures: tuple[Procedure, ...]
    risks: np.ndarray
    training_errors: np.ndarray
    kept: np.ndarray
    seed: int
    note: str = ""

    _read: ClassVar[Mapping[str, Any]] = {
        "problem": Problem,
        "procedures": [Procedure],
        "risks": numbers,
        "training_errors": numbers,
        "kept": numbers,
    }

    @property
    def draws(self) -> int:
        """How many there are: fewer than asked for after an interrupt."""
        return len(self.risks)

    @cached_property
    def mean(self) -> np.ndarray:
        """Of the risks over the draws, shape (M,)."""
        return self.risks.mean(axis=0)

    @cached_property
    def stderr(self) -> np.ndarray:
        """Of these means, shape (M,); nan for one draw."""
        return np.array([one.stderr for one in self.estimates])

    @cached_property
    def median(self) -> np.ndarray:
        """Of the risks over the draws, shape (M,): without a ridge few draws may make most of a mean."""
        return np.median(self.risks, axis=0)

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """Of each model, as `simulate` gives it."""
        size = {"problem": self.problem, "n_samples": int(self.problem.n_samples)}
        columns = zip(self.procedures, self.risks.T, self.training_errors.T, strict=True)
        return tuple(Estimate.of(risk, self.seed, own, procedure=one, **size) for one, risk, own in columns)

    @cached_property
    def wins(self) -> np.ndarray:
        """How often each model has the lowest risk of all, shape (M,); models that tie share."""
        lowest = self.risks == self.risks.min(axis=1, keepdims=True)
        return (lowest / lowest.sum(axis=1, keepdims=True)).mean(axis=0)

    def stable(self, model: int = 0) -> dict[str, float]:
        """The columns that a model keeps, by name or place, and how often: the most stable first.

        Parameters
        ----------
        model : int
            Its place among the procedures.
        """
        order = np.argsort(-self.kept[model], kind="stable")
        names = self.problem.names or tuple(map(str, range(self.kept.shape[1])))
        return {names[i]: float(self.kept[model, i]) for i in order if self.kept[model, i] > 0}

    def _parts(self) -> list[Part]:
        rows = []
        for i, (one, estimate) in enumerate(zip(self.procedures, self.estimates, strict=True)):
            training = estimate.training_error or estimate
            told = (with_error(estimate.mean, estimate.stderr), tables.number(self.median[i]))
            rows.append([one.label, *told, with_error(training.mean, training.stderr), f"{100 * self.wins[i]:.0f} %"])
        names = ("test risk", "median", "training error", "best")
        n, N = int(self.problem.n_samples), self.problem.n_rows
        title = f"measured on {N - n} rows of the table, trained on {n}, {self.draws} draws"
        pruned = [i for i, one in enumerate(self.procedures) if one.prune is not None]
        alike = {self.kept[i].tobytes(): [j for j in pruned if (self.kept[j] == self.kept[i]).all()] for i in pruned}
        lines = [self._named(several) for several in alike.values()]
        columns = Column("model", words=True), *map(Column, names if len(rows) > 1 else names[:-1])
        shown = rows if len(rows) > 1 else [row[:-1] for row in rows]
        caution = [*filter(None, [self.problem.caution])]
        return [*caution, tables.Table(title, columns, shown), *lines, *filter(None, [self.problem.note, self.note])]

    def _named(self, models: list[int]) -> str:
        """The columns that models keep most often, all the same ones."""
        found = self.stable(models[0])
        named = [f"{name} ({100 * share:.0f} %)" for name, share in [*found.items()][:MOST_NAMED]]
        more = f", and {len(found) - MOST_NAMED} others" if len(found) > MOST_NAMED else ""
        return f"Columns kept, {'; '.join(self.procedures[i].label for i in models)}: {', '.join(named)}{more}."


def measure(
    X: Any,
    y: ArrayLike | str | None = None,
    prune: Model | Sequence[Model | None] | None = None,
    retrain: bool | Retrain | None = None,
    *,
    n_samples: int | None = None,
    ridge: float | str | None = None,
    scale: bool | None = None,
    missing: str | None = None,
    basis: str = "columns",
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    repeats: int = 100,
    seed: int = 0,
    device: str | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Measured:
    """Train models on rows of a table that are drawn at random, and measure them on the other rows.

    No theory is asked. All models are made of the same draws.

    Parameters
    ----------
    X, y
        As for `from_data`; or a `Table`, which has its target.
    prune : policy, procedure or name of a model, or several of these, optional
        None is the dense fit. Names are those of a comparison: "hessian+retrain", "small_by_variance".
    retrain : bool or Retrain, optional
        Fit those again that policies prune.
    n_samples : int, optional
        Rows that are drawn; needed unless a `Table` says it.
    ridge, scale, missing
        As for `from_data`; a `Table` says its own.
    basis : "columns" or "principal"
        What is pruned: columns, or the principal components of all rows of the table.
    keep, n_keep : optional
        The budget of models that are named.
    repeats : int
        Draws.
    seed : int >= 0
        The same seed gives the same draws, for any number of workers.
    device, executor, workers, progress
        As for `simulate`.

    Returns
    -------
    Measured
        After an interrupt, of the draws finished by then, and its note says so.

    Raises
    ------
    ValueError, TypeError
        Naming the argument; also where no rows are left to measure on.

    Examples
    --------
    >>> import numpy as np, riskcalc as rc
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_t(4, size=(300, 12))
    >>> y = X[:, 0] + rng.normal(size=300)
    >>> found = rc.measure(X, y, [None, rc.Hessian(n_keep=2)], n_samples=30, ridge=0.05, repeats=50, workers=1)
    >>> bool(found.mean[1] < found.mean[0]), next(iter(found.stable(1)))
    (True, '0')
    """
    own = {"ridge": ridge, "scale": scale, "missing": missing}
    table = _table(X, y, n_samples, {name: value for name, value in own.items() if value is not None})
    if basis not in ("columns", "principal"):
        raise ValueError(f"basis must be 'columns' or 'principal', got {basis!r}")
    if basis == "principal":
        table = table.components()
    several = prune if isinstance(prune, Sequence) and not isinstance(prune, str) else [prune]
    if not several:
        raise ValueError("prune is empty; give a model, several, or None for the dense fit")
    budget = {"keep": keep, "n_keep": n_keep}
    procedures = tuple(_procedure(one, retrain, budget) for one in several)
    plan = make_plan(table, procedures, None, masks=True)
    seed, repeats = check_seed(seed), count(repeats, "repeats")
    how = {"device": device, "executor": executor, "workers": workers, "progress": progress}
    values = run_trials(plan, seed, repeats, **how, partial=True)
    note = f"Interrupted after {len(values):,} of {repeats:,} draws." if len(values) < repeats else ""
    return Measured(table, procedures, values[..., 0], values[..., 1], values[..., 2:].mean(axis=0), seed, note)


def _table(X: Any, y: Any, n_samples: int | None, given: dict[str, Any]) -> Table:
    """The table that is meant, of so many rows drawn."""
    if not isinstance(X, Table):
        if y is None or n_samples is None:
            raise ValueError(f"{'y' if y is None else 'n_samples'} is missing: X is no riskcalc.Table, which says it")
        found = from_data(X, y, n_samples, **given)
        assert isinstance(found, Table)
        return found
    if y is not None or given:
        names = ["y"] * (y is not None) + [*given]
        raise ValueError(f"a Table says its {' and its '.join(names)}; leave that out, and give models as prune=")
    return X if n_samples is None else Table(**X.given() | {"n_samples": n_samples})


def _procedure(model: Model | None, retrain: bool | Retrain | None, budget: dict[str, Any]) -> Procedure:
    if model is None:
        return Procedure()
    named = isinstance(model, (str, type))
    meant = model_of(model, **(budget if named else {}))
    return meant if named or isinstance(model, Procedure) else Procedure.of(meant.prune, retrain)
