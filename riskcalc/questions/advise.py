"""Train small, or train large and prune? An answer from a table of rows, predicted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riskcalc.exact import as_float, check_seed, count, numbers
from riskcalc.inert import Inert
from riskcalc.policies import Policy
from riskcalc.policies.base import whole_number
from riskcalc.prediction.status import CURES, in_words
from riskcalc.problems import Table as Rows
from riskcalc.questions.candidates import Candidate, Trials, candidates, measured, predicted
from riskcalc.questions.cautions import cautions
from riskcalc.results.tables import Column, Part, Shown, Table, number
from riskcalc.simulation.estimates import with_error
from riskcalc.simulation.progress import Progress

# A difference between rows as they are and Gaussian ones that is printed, of the risk.
APART = 0.1
# Columns that are listed, beyond the number kept.
MORE = 8
# Standard errors of a measured difference that tells two models apart.
TOLD_APART = 2.0


@dataclass(frozen=True, eq=False)
class Weighed(Inert):
    """One model on a table.

    Attributes
    ----------
    model, label : str
        In a word, and in words.
    feasible : bool
        Whether it meets the budget and can be computed from data alone.
    note : str
        Why it is shown, where it is not.
    status : str
        Of the prediction; empty where the theory covers none.
    predicted, predicted_error : float or None
        Test risk, and the standard error of its integration.
    gaussian : float or None
        What it would be if rows were Gaussian.
    measured, stderr, median : float or None
        Over draws of rows, tested on the others.
    behind, behind_error : float or None
        Mean over the draws of its risk minus that of the model of lowest measured risk among the feasible ones, and its
        standard error.
    wins : float or None
        Of the draws, in how many it is the best of the feasible models.
    """

    model: str
    label: str
    feasible: bool
    note: str = ""
    status: str = ""
    predicted: float | None = None
    predicted_error: float | None = None
    gaussian: float | None = None
    measured: float | None = None
    stderr: float | None = None
    median: float | None = None
    behind: float | None = None
    behind_error: float | None = None
    wins: float | None = None

    _read: ClassVar[Mapping[str, Any]] = dict.fromkeys(
        ("predicted", "predicted_error", "gaussian", "measured", "stderr", "median", "behind", "behind_error", "wins"),
        lambda value: None if value is None else float(numbers(value)),
    )


@dataclass(frozen=True, eq=False)
class Advice(Shown, Inert):
    """Models of one budget on a table: predicted, measured, and one recommended. Prints as tables and sentences.

    Attributes
    ----------
    n_rows, n_features, n_samples, n_keep : int
        Of the table, of a sample, and of columns kept.
    ridge : float
    scale : bool
        Whether columns were divided by their standard deviations.
    null_risk : float
        Test risk of predicting the mean.
    repeats : int
        Draws of rows that were measured; 0 where too few rows would be left to test on.
    seed : int
    models : tuple of Weighed
    kept : dict of str to float
        Of the columns, how often the recommended model keeps each, most stable first: over the draws measured, or
        those of the prediction.
    cautions : tuple of str
        Why the numbers must not be trusted, where that is so.
    notes : tuple of str
        What was done to the table.
    """

    n_rows: int
    n_features: int
    n_samples: int
    n_keep: int
    ridge: float
    scale: bool
    null_risk: float
    repeats: int
    seed: int
    models: tuple[Weighed, ...]
    kept: dict[str, float]
    cautions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _read: ClassVar[Mapping[str, Any]] = {"models": [Weighed], "cautions": tuple, "notes": tuple, "kept": dict}
    _follows: ClassVar[frozenset[str]] = frozenset({"best", "predicted_best", "measured_best"})

    def __post_init__(self):
        for name in ("models", "cautions", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def risks(self) -> dict[str, Weighed]:
        """The models, by name."""
        return {one.model: one for one in self.models}

    @property
    def best(self) -> str | None:
        """What is recommended: of the feasible models that measuring does not tell apart, that of lowest prediction.

        Told apart are models whose risks differ, on the same draws, by more than two standard errors from that of the
        lowest measured one. Where nothing was measured it is that of lowest prediction; None where none is finite.
        """
        chosen = self._close or self._feasible
        known = [one for one in chosen if one.predicted is not None and one.predicted < np.inf]
        return _lowest(known, "predicted") if known else self.measured_best

    @property
    def predicted_best(self) -> str | None:
        """The feasible model of lowest prediction."""
        return _lowest(self._feasible, "predicted")

    @property
    def measured_best(self) -> str | None:
        """The feasible model of lowest measured risk."""
        return _lowest(self._feasible, "measured")

    @property
    def _feasible(self) -> list[Weighed]:
        return [one for one in self.models if one.feasible]

    @property
    def _close(self) -> list[Weighed]:
        """The feasible models that are not told apart from the one of lowest measured risk."""
        return [
            one
            for one in self._feasible
            if one.behind is not None and not one.behind > TOLD_APART * (one.behind_error or 0)
        ]

    def _derived(self) -> dict[str, Any]:
        return {"best": self.best, "predicted_best": self.predicted_best, "measured_best": self.measured_best}

    def _written(self, place: Any = None) -> dict[str, Any]:
        return super()._written(place) | self._derived()

    def _parts(self) -> list[Part]:
        return [*self.cautions, self._table(), *self._verdict(), *self._columns(), *self.notes, *self._units()]

    def _table(self) -> Table:
        marks: dict[str, str] = {}
        rows = []
        heavy = any(_apart(one) for one in self.models)
        for one in self.models:
            told = ""
            for note in (one.note, in_words(one.status) if one.status in CURES else ""):
                told += marks.setdefault(note, "¹²³⁴⁵⁶⁷⁸⁹"[len(marks)]) if note else ""
            star = "*" if one.model == self.best else ""
            cells = [one.label + star + told, _told(one.predicted, one.predicted_error)]
            cells += [_told(one.measured, one.stderr)] * bool(self.repeats)
            cells += [number(one.gaussian)] * heavy
            cells += ["" if one.wins is None or not one.feasible else f"{one.wins:.0%}"] * bool(self.repeats)
            rows.append(cells)
        names = ["predicted", *["measured"] * bool(self.repeats), *["Gaussian rows"] * heavy]
        names += ["wins"] * bool(self.repeats)
        title = (
            f"test risk on a table of {self.n_rows:,} rows, trained on {self.n_samples:,} of them, keeping {self.n_keep} "
            f"of {self.n_features} columns"
        )
        below = [f"{mark} {note}" for note, mark in marks.items()]
        notes = [f"References: {', '.join(below)}."] * bool(below)
        if heavy:
            notes.append(
                "Gaussian rows: what rows of the same covariance would give; the difference is what heavy rows cost."
            )
        notes.append(f"Predicting the mean costs {number(self.null_risk)}; the ridge is {self.ridge:g}.")
        return Table(title, [Column("model", words=True), *map(Column, names)], rows, notes=notes)

    def _verdict(self) -> list[str]:
        if self.best is None:
            return ["No model that meets the budget from data alone has a finite risk."]
        best = self.risks[self.best]
        told = f"* Recommended within the budget: {best.label}"
        if best.wins is None:
            return [f"{told}, by prediction alone."]
        found = [f"{told}; it is the best of them in {best.wins:.0%} of {self.repeats} draws of rows."]
        others = [one.label for one in self._close if one.model != self.best]
        if others:
            found.append(f"Measuring does not tell it from: {', '.join(others)}.")
        if self.predicted_best != self.best and self.predicted_best is not None:
            beaten = self.risks[self.predicted_best]
            found.append(f"The prediction alone would be: {beaten.label}; measuring tells that it is worse.")
        return found

    def _columns(self) -> list[Table]:
        if not self.kept:
            return []
        shown = [*self.kept.items()][: self.n_keep + MORE]
        rows = [(name, f"{share:.0%}") for name, share in shown]
        left = len(self.kept) - len(shown)
        notes = [f"{left} more columns are kept less often."] if left else []
        title = f"columns that it keeps, most stable first ({self.n_keep} in every sample)"
        return [Table(title, [Column("column", words=True), Column("kept in")], rows, notes=notes)]

    def _units(self) -> list[str]:
        return ["Columns are divided by their standard deviations over the table."] if self.scale else []


def _apart(one: Weighed) -> bool:
    """Whether heavy rows make a difference that is printed."""
    known = one.gaussian is not None and one.predicted is not None and one.predicted < np.inf
    return known and abs(one.gaussian - one.predicted) > APART * one.predicted


def _told(value: float | None, error: float | None) -> str:
    return "" if value is None else with_error(value, error) if error else number(value)


def _lowest(models: Sequence[Weighed], name: str) -> str | None:
    known = [one for one in models if getattr(one, name) is not None and np.isfinite(getattr(one, name))]
    return min(known, key=lambda one: getattr(one, name)).model if known else None


def advise(
    table: Rows,
    keep: Any = None,
    n_keep: int | None = None,
    *,
    policies: Sequence[type[Policy] | Policy] | None = None,
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
    policies : sequence of Policy or policy types, optional
        What prunes; magnitude, and Hessian scores where columns are not scaled, if not given.
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
    if not isinstance(table, Rows):
        raise TypeError(f"table must be a riskcalc.Table, such as riskcalc.from_data makes, got {type(table).__name__}")
    seed, repeats = check_seed(seed), count(repeats, "repeats")
    budget = {name: value for name, value in (("keep", keep), ("n_keep", n_keep)) if value is not None}
    wanted = candidates(table, budget, policies, retrain_ridge)
    policy = wanted["small"].procedure.prune
    assert policy is not None
    number_kept = whole_number(policy.budget(table.n_features), int(table.n_features))
    wanted = {name: one for name, one in wanted.items()}
    how = {"tolerance": tolerance, "seed": seed}
    half = 2 * int(table.n_samples) > table.n_rows
    with Progress("predicting" if progress else None):
        found = predicted(table, wanted, digits=None, **how)
    trials = None
    if not half:
        drawn = {"executor": executor, "workers": workers, "progress": progress}
        trials = measured(table, wanted, seed, repeats, device="cpu", **drawn)
    notes = [*table.notes]
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
        table.scale,
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


def _kept(table: Rows, best: str | None, found: Mapping[str, Any], trials: Trials | None) -> dict[str, float]:
    """How often a model keeps each column, from the top."""
    if best is None:
        return {}
    shares = np.asarray(found[best].kept if trials is None else trials.masks[best].mean(axis=0))
    names = table.names or tuple(map(str, range(len(shares))))
    order = np.argsort(-shares, kind="stable")
    return {names[place]: float(shares[place]) for place in order.tolist() if shares[place] > 0}
