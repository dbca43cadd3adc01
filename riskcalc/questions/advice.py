"""What is recommended for a table of rows: models of one budget, predicted and measured, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from riskcalc.exact import numbers
from riskcalc.inert import Inert
from riskcalc.prediction.status import CURES, in_words
from riskcalc.results.tables import Column, Part, Shown, Table, number
from riskcalc.simulation.estimates import with_error

# A difference between rows as they are and Gaussian ones that is printed, of the risk.
APART = 0.1
# Columns that are listed, beyond the number kept.
MORE = 8
# Of a number, an error that is seen.
LEAST = 1e-4
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
        known = [one for one in chosen if one.predicted is not None]
        return _lowest(chosen, "predicted") if len(known) == len(chosen) or not self.repeats else self.measured_best

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
        """The feasible models that are not told apart from the one of lowest risk, as it was measured or predicted."""
        if self.repeats:
            return [one for one in self._feasible if _within(one.behind, one.behind_error)]
        lowest = _lowest(self._feasible, "predicted")
        if lowest is None:
            return []
        first = self.risks[lowest]
        known = [one for one in self._feasible if one.predicted is not None]
        errors = {one.model: np.hypot(one.predicted_error or 0, first.predicted_error or 0) for one in known}
        return [one for one in known if _within(one.predicted - first.predicted, errors[one.model])]

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Self:
        return super()._made({name: value for name, value in given.items() if name not in cls._follows})

    def _written(self, place: Any = None) -> dict[str, Any]:
        return super()._written(place) | self._derived()

    def _parts(self) -> list[Part]:
        return [*self.cautions, self._table(), *self._verdict(), *self._columns(), *self.notes]

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
            f"test risk on a table of {self.n_rows:,} rows, trained on {self.n_samples:,} of them, keeping "
            f"{self.n_keep} of {self.n_features} columns"
        )
        below = [f"{mark} {note}" for note, mark in marks.items()]
        notes = [f"References: {', '.join(below)}."] * bool(below)
        notes.append(f"Predicting the mean costs {number(self.null_risk)}; the ridge is {self.ridge:g}.")
        return Table(title, [Column("model", words=True), *map(Column, names)], rows, notes=notes)

    def _verdict(self) -> list[str]:
        if self.best is None:
            return ["No model that meets the budget from data alone has a finite risk."]
        best = self.risks[self.best]
        told = f"* Recommended within the budget: {best.label}"
        others = ", ".join(one.label for one in self._close if one.model != self.best)
        if best.wins is None:
            return [f"{told}, by prediction alone.", *[f"Predictions do not tell it from: {others}."] * bool(others)]
        found = [f"{told}; it is the best of them in {best.wins:.0%} of {self.repeats} draws of rows."]
        found += [f"Measuring does not tell it from: {others}."] * bool(others)
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


def _apart(one: Weighed) -> bool:
    """Whether heavy rows make a difference that is printed."""
    known = one.gaussian is not None and one.predicted is not None and one.predicted < np.inf
    return known and abs(one.gaussian - one.predicted) > APART * one.predicted


def _within(difference: float | None, error: float | None) -> bool:
    """Whether a difference is none that its error tells."""
    return difference is not None and difference <= TOLD_APART * (error or 0)


def _told(value: float | None, error: float | None) -> str:
    """A number, with its error where that is seen."""
    if value is None:
        return ""
    return with_error(value, error) if error is not None and error > LEAST * abs(value) else number(value)


def _lowest(models: Sequence[Weighed], name: str) -> str | None:
    known = [one for one in models if getattr(one, name) is not None and np.isfinite(getattr(one, name))]
    return min(known, key=lambda one: getattr(one, name)).model if known else None
