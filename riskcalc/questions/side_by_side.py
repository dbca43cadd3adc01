"""Models of one problem at one budget, side by side: what a comparison and a survey share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from riskcalc.exact import decimal, plain
from riskcalc.inert import Inert, check_keys, parameters
from riskcalc.pictures.pictured import Pictured
from riskcalc.policies import Policy
from riskcalc.policies.base import exact_fractions
from riskcalc.prediction.result import Prediction
from riskcalc.prediction.row_law import heavy_rows
from riskcalc.prediction.status import CURES, in_words
from riskcalc.problems import Problem
from riskcalc.results.finite_size import at_size
from riskcalc.results.labelled import to_dataset, to_frame
from riskcalc.results.marks import Marks
from riskcalc.results.tables import Part, Shown, number
from riskcalc.results.values import Number, below, difference, digits_left, plain_scalar


@dataclass(frozen=True, eq=False)
class SideBySide(Shown, Pictured, Inert):
    """Predictions of several models, the dense fit among them; which is best, and by how much."""

    problem: Problem
    keep: np.ndarray
    predictions: dict[str, Prediction]
    digits: int | None

    _read: ClassVar[Mapping[str, Any]] = {"problem": Problem, "keep": exact_fractions}
    _follows: ClassVar[frozenset[str]] = frozenset({"risks", "best", "margin"})

    @property
    def risks(self) -> dict[str, Number]:
        """Test risk of every model."""
        return {model: prediction.risk for model, prediction in self.predictions.items()}

    @property
    def best(self) -> str | np.ndarray | None:
        """The model of lowest risk among those that meet the budget and can be computed from data alone.

        These are rules that see no truth, retrained on the same sample or not, and small models that are not told their
        features: those of largest variance, or any. None where no competitor has a finite risk.
        """
        return np.array([*self._competitors, None], dtype=object)[self._ranking[0]]

    @property
    def _competitors(self) -> list[str]:
        """Models that meet the budget and can be computed from data alone."""
        return [model for model, prediction in self.predictions.items() if prediction.procedure.feasible]

    @property
    def margin(self) -> Number:
        """Risk of the runner-up minus risk of the best; nan where fewer than two competitors have a finite risk.

        A difference below rounding (1e-12, the estimates of the two models if they are imprecise, or 100 units in the
        last digit asked for), or below twice the standard errors of their integrations, is zero.
        """
        return self._ranking[1]

    def _finite_risks(self, models: list[str]) -> np.ndarray:
        """Risks of models, inf in place of nan; of shape (models, ...), with one of infinite risk at the end."""
        risks = [finite(self.predictions[model].risk) for model in models]
        return np.stack([*risks, np.full_like(finite(self.predictions["dense"].risk), np.inf)])

    def _errors(self, models: list[str]) -> np.ndarray:
        """Relative errors of these risks, as `_finite_risks` has them: by rounding, zero where they have digits, and
        by integration, twice its standard error."""
        like = np.zeros(np.shape(self.predictions["dense"].risk))
        return np.stack([like + _relative_error(self.predictions[model]) for model in [*models, "dense"]])

    @cached_property
    def _ranking(self) -> tuple[np.ndarray, Any]:
        finite = self._finite_risks(self._competitors)
        order = np.argsort(finite, axis=0, kind="stable")
        first, second = (np.take_along_axis(finite, order[i : i + 1], axis=0)[0] for i in (0, 1))
        errors = self._errors(self._competitors)
        error = sum(np.take_along_axis(errors, order[i : i + 1], axis=0)[0] for i in (0, 1))
        usable = second < np.inf
        with np.errstate(invalid="ignore"):
            margin = np.where(usable, difference(second, np.where(usable, first, 0), self.digits), np.nan)
            margin = np.where(below(first, second, self.digits, error), margin, 0 * margin)
            if self.digits is not None:
                margin = np.frompyfunc(lambda x, risk: decimal(x, digits_left(x, risk, self.digits) or 1), 2, 1)(
                    margin, second
                )
        return np.where(first < np.inf, order[0], -1), plain_scalar(np.asarray(margin))

    @classmethod
    def _root(cls) -> type[Inert]:
        return cls

    def _written(self, place: Any = None) -> dict[str, Any]:
        asked = {
            name: self._plainly(name, getattr(self, name)) for name in parameters(type(self)) if name != "predictions"
        }
        models = {model: one._written(Prediction) for model, one in self.predictions.items()}
        return self._kind_at(place) | asked | self._derived() | {"models": models}

    def _derived(self) -> dict[str, Any]:
        found = {"risks": self.risks, "best": self.best, "margin": self.margin}
        return {name: plain(value, self.digits) for name, value in found.items()}

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Self:
        names = [name for name in parameters(cls) if name != "predictions"]
        check_keys(cls, given, (*names, "models", *cls._follows), (*names, "models"))
        told = {name: cls._meant(name, given[name]) for name in names}
        problem, keep, digits = (told[name] for name in ("problem", "keep", "digits"))
        own = {"problem": problem, "digits": digits}
        models = {model: Prediction.from_dict(one | own) for model, one in given["models"].items()}
        for model, one in models.items():
            if one.budget is not None and np.any(one.budget != keep):
                raise ValueError(f"keep is {plain(keep)}, but the model {model} keeps {plain(one.budget)}")
        return cls(predictions=models, **told)

    def to_pandas(self) -> Any:
        """A DataFrame: one row for each model and regime. Needs the extra `pandas`."""
        return to_frame(self.problem, self._policy, {key: one._shown() for key, one in self.predictions.items()})

    def to_xarray(self) -> Any:
        """A Dataset: quantities over models and the axes of the batch, as `Prediction.to_xarray` names them.

        Needs the extra `xarray`.
        """
        models = {key: one._shown() for key, one in self.predictions.items()}
        named = np.frompyfunc(lambda model: model or "", 1, 1)
        best = np.asarray(named(np.asarray(self.best, dtype=object))).astype(str)
        together = {
            "best": (best, "The model that is recommended; empty where none has a finite risk."),
            "margin": (self.margin, "Risk of the runner-up minus risk of the best."),
        }
        return to_dataset(self.problem, self._policy, models, together | self._together)

    @property
    def _together(self) -> dict[str, tuple[Any, str]]:
        """What else is found of all models, with its meaning."""
        return {}

    def _recommended(self) -> str:
        """Which is best, of one regime, and by how much."""
        if self.best is None:
            return "No model that meets the budget from data alone has a finite risk."
        best, gap = self.predictions[str(self.best)], self.margin
        margin = number(gap, digits_left(gap, best.risk, self.digits))
        by = "; the next is equal" if gap == 0 else f", by {margin}"
        by = "" if gap != gap or self._untold(self._first_two()) else by
        return f"* Best within the budget: {best.label}{by}."

    def _first_two(self) -> list[str]:
        """The best and the runner-up."""
        risks = [finite(self.predictions[model].risk).item() for model in self._competitors]
        return [self._competitors[i] for i in np.argsort(np.array(risks, dtype=object), kind="stable")[:2]]

    def _untold(self, models: list[str]) -> list[str]:
        """Of these, the ones whose numbers sentences do not speak of: nobody knows them to the digits shown."""
        return [model for model in models if str(self.predictions[model].status) in CURES]

    def _marks(self, heading: str) -> Marks:
        """Marks for notes of one's own, and for `remarks`."""
        return Marks(heading, "Remarks", "Status", f"At n = {self.problem.n_samples} the mean is")

    def _framed(self, parts: Sequence[Part]) -> list[Part]:
        """What is to be known before the numbers, and after them."""
        caution, costs = filter(None, [self.problem.caution]), heavy_rows(self.predictions["dense"])
        return [*caution, *parts, *costs, *filter(None, [self.problem.note])]

    @property
    def _policy(self) -> Policy:
        """One at the budget."""
        return next(one.prune for one in self.predictions.values() if one.prune is not None)


def _relative_error(prediction: Prediction) -> Any:
    rounding = prediction.rounding_error
    return (0.0 if rounding is None else np.asarray(rounding, float)) + 2 * integration(prediction)


def integration(prediction: Prediction) -> Any:
    """The standard error of integration, of the risk; zero where there is none, or no finite risk."""
    if prediction.integration_error is None:
        return 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.asarray(prediction.integration_error, float) / np.asarray(prediction.risk, float)
    return np.where(np.isfinite(own), own, 0)


def remarks(prediction: Prediction) -> tuple[str, str, str]:
    """What is to be said of a risk: how it was found, its status, and what it is at its size; empty where it stands as
    it is."""
    status = "" if prediction.status == "ok" else in_words(str(prediction.status))
    return prediction.problem.remark(prediction.procedure), status, at_size(prediction)


def finite(risk: Any) -> np.ndarray:
    """A risk, with inf in place of nan."""
    risk = np.asarray(risk)
    return np.where(risk == risk, risk, np.inf)
