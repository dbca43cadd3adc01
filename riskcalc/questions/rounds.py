"""One shot or several rounds? Iterative pruning beside pruning once, at every budget on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, plain
from riskcalc.inert import Inert, check_keys
from riskcalc.pictures.curves import Curve, curves_panel
from riskcalc.pictures.declared import Panel, Points
from riskcalc.pictures.pictured import Pictured
from riskcalc.policies import Iterative, Policy, Retrain
from riskcalc.prediction.predict import predict
from riskcalc.prediction.result import Prediction
from riskcalc.prediction.status import CURES, in_words
from riskcalc.problems import Problem
from riskcalc.results.labelled import one_axis
from riskcalc.results.regimes import inputs
from riskcalc.results.tables import Column, Part, Shown, Table, cut, number
from riskcalc.results.values import below, plain_scalar


@dataclass(frozen=True, eq=False)
class Schedule(Shown, Pictured, Inert):
    """Test risks after every round, beside those of pruning the dense fit once to the same budget. Prints as a table;
    `plot` draws it.

    Attributes
    ----------
    problem : Problem
    policy : Iterative
    rounds, one_shot : tuple of Prediction
        After each round, retrained: of the rounds so far, and of pruning once.
    """

    problem: Problem
    policy: Iterative
    rounds: tuple[Prediction, ...]
    one_shot: tuple[Prediction, ...]

    _read: ClassVar[Mapping[str, Any]] = {"problem": Problem, "policy": Iterative}
    _follows: ClassVar[frozenset[str]] = frozenset({"gain", "error", "rounds_pay"})

    @property
    def gain(self) -> float | np.ndarray:
        """Risk of pruning once minus risk after all rounds, at the last budget: above zero where rounds pay.

        A difference below rounding (1e-12 of the risk) is zero; nan where there is no finite risk.
        """
        once, many = (np.asarray(predictions[-1].risk) for predictions in (self.one_shot, self.rounds))
        with np.errstate(invalid="ignore"):
            gain = once - many
            return plain_scalar(np.where(below(once, many) | below(many, once), gain, 0 * gain))

    @property
    def error(self) -> float | np.ndarray:
        """Of the gain: the integration error of the risk after all rounds."""
        return self.rounds[-1].values["integration_error"]

    @property
    def rounds_pay(self) -> bool | np.ndarray:
        """Whether several rounds have a lower risk than one shot, by more than three standard errors."""
        return plain_scalar(np.asarray(self.gain > 3 * np.asarray(self.error)))

    def _written(self, place: Any = None) -> dict[str, Any]:
        asked = {name: self._plainly(name, getattr(self, name)) for name in ("problem", "policy")}
        found = {name: [one._written(Prediction) for one in getattr(self, name)] for name in ("rounds", "one_shot")}
        return self._kind_at(place) | asked | found | self._derived()

    def _derived(self) -> dict[str, Any]:
        return {"gain": plain(self.gain), "error": plain(self.error), "rounds_pay": plain(self.rounds_pay)}

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Schedule:
        needed = ("problem", "policy", "rounds", "one_shot")
        check_keys(cls, given, (*needed, *cls._follows), needed)
        problem, policy = (cls._meant(name, given[name]) for name in needed[:2])
        own = {"problem": problem, "digits": None}
        many, once = (tuple(Prediction.from_dict(one | own) for one in given[name]) for name in needed[2:])
        return cls(problem, policy, many, once)

    def _parts(self) -> list[Part]:
        title, names = "test risk after pruning and retraining", ("in rounds", "its error", "in one shot")
        if np.ndim(self.gain) == 0:
            rows = [
                [number(keep), number(many.risk), number(many.integration_error), number(once.risk)]
                for keep, many, once in zip(self.policy.keeps, self.rounds, self.one_shot, strict=True)
            ]
            return [Table(title, [*map(Column, ("keep", *names))], rows), self._verdict()]
        given = inputs(self.problem, np.shape(self.gain))
        risks = [np.ravel(value) for value in (self.rounds[-1].risk, self.error, self.one_shot[-1].risk)]
        pays = np.ravel(self.rounds_pay)
        regimes = (
            [*(number(value[i]) for value in (*given.values(), *risks)), "yes" if pays[i] else "no"]
            for i in range(pays.size)
        )
        columns = [*map(Column, (*given, *names)), Column("rounds pay", words=True)]
        title = f"{title}, keeping {number(self.policy.keeps[-1])}"
        return [Table(title, columns, keys=len(given), **cut(regimes, pays.size))]

    def _panels(self) -> list[Panel]:
        """Over the budgets of the rounds, or for a batch after the last along its axis; bars are two errors."""
        ways = {"in rounds": self.rounds, "in one shot": self.one_shot}
        shape = np.shape(self.gain)
        if shape:
            name, values = one_axis(self.problem, None, shape)
            x, risks = as_float(values), {way: found[-1].risk for way, found in ways.items()}
            errors = self.error
        else:
            name, order = "keep", slice(None, None, -1)  # budgets fall from round to round
            x = as_float(self.policy.keeps)[order]
            risks = {way: [one.risk for one in found][order] for way, found in ways.items()}
            errors = [one.values["integration_error"] for one in self.rounds][order]
        keys = dict(zip(ways, (one[-1].procedure.key for one in ways.values()), strict=True))
        risks = {way: np.broadcast_to(np.asarray(risk, float), x.shape) for way, risk in risks.items()}
        curves = [Curve(keys[way], way, x, risk) for way, risk in risks.items()]
        first, many = next(iter(risks.items()))
        points = [Points(x, many, keys[first], y_error=2 * np.broadcast_to(np.asarray(errors, float), x.shape))]
        return [curves_panel(name, curves, points=points)]

    def _verdict(self) -> str:
        """What the table says, in words; for one regime."""
        for keep, many in zip(self.policy.keeps, self.rounds, strict=True):
            if many.status == "infinite":
                return f"At {number(keep)} the fit is at its interpolation threshold: nothing is known after it."
            if many.status in CURES:
                return f"At {number(keep)} the risk is {in_words(str(many.status))}."
            if not np.isfinite(many.risk):
                return f"At {number(keep)} nothing is known: the fit before it has no finite risk, or none was found."
        if self.rounds_pay:
            return f"Rounds pay: by {number(self.gain)}."
        if self.gain < -3 * self.error:
            return f"One shot is better, by {number(-self.gain)}."
        return "No difference beyond the error of integration."


def rounds(
    problem: Problem, policy: type[Policy] | Policy | str, keeps: ArrayLike, ridge: ArrayLike | str = 0.0
) -> Schedule:
    """Compare pruning in rounds, with a fit on the same sample after each, with pruning the dense fit once.

    Parameters
    ----------
    problem : Problem
    policy, keeps, ridge
        As for `Iterative`; the ridge is that of every refit, the last and that of one shot included.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it should be.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[25, 1], signal=1, weights=[0.1, 0.9], noise_variance=1)
    >>> rc.rounds(problem, rc.Magnitude, keeps=[0.6, 0.36, 0.2]).rounds_pay
    False
    """
    whole = Iterative(policy, keeps, ridge)
    again = Retrain(ridge)
    many = tuple(
        predict(problem, Iterative(whole.policy, whole.keeps[: number + 1], ridge), again)
        for number in range(len(whole.keeps))
    )
    once = tuple(predict(problem, whole.policy.at(keep=keep), again) for keep in whole.keeps)
    return Schedule(problem, whole, many, once)
