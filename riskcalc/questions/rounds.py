"""One shot or several rounds? Iterative pruning beside pruning once, at every budget on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.policies import Iterative, Policy, Retrain
from riskcalc.prediction.predict import predict
from riskcalc.prediction.result import Prediction
from riskcalc.problems import Problem
from riskcalc.results.tables import filled, number, table, to_text
from riskcalc.results.values import below, json_value, plain_scalar


@dataclass(frozen=True)
class Schedule:
    """Test risks after every round, beside those of pruning the dense fit once to the same budget. Prints as a table.

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

    @property
    def gain(self) -> Any:
        """Risk of pruning once minus risk after all rounds, at the last budget: above zero where rounds pay.

        A difference below rounding (1e-12 of the risk) is zero; nan where there is no finite risk.
        """
        once, many = (np.asarray(predictions[-1].risk) for predictions in (self.one_shot, self.rounds))
        with np.errstate(invalid="ignore"):
            gain = once - many
            return plain_scalar(np.where(below(once, many) | below(many, once), gain, 0 * gain))

    @property
    def error(self) -> Any:
        """Of the gain: the integration error of the risk after all rounds."""
        return self.rounds[-1].integration_error

    @property
    def rounds_pay(self) -> Any:
        """Whether several rounds have a lower risk than one shot, by more than three standard errors."""
        return plain_scalar(np.asarray(self.gain > 3 * np.asarray(self.error)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "rounds": [prediction.to_dict() for prediction in self.rounds],
            "one_shot": [prediction.to_dict() for prediction in self.one_shot],
            "gain": json_value(self.gain, None),
            "error": json_value(self.error, None),
            "rounds_pay": np.asarray(self.rounds_pay).tolist(),
        }

    def __str__(self) -> str:
        if np.ndim(self.gain):
            return f"schedules of {np.size(self.gain)} regimes; ask for one to see a table"
        rows = [
            [number(keep), number(many.risk), number(many.integration_error), number(once.risk)]
            for keep, many, once in zip(self.policy.keeps, self.rounds, self.one_shot, strict=True)
        ]
        columns = ("keep", "in rounds", "its error", "in one shot")
        parts = filled(table("test risk after pruning and retraining", columns, left=0), rows, len(rows))
        return to_text([*parts, self._verdict()])

    def _verdict(self) -> str:
        """What the table says, in words; for one regime."""
        for keep, many in zip(self.policy.keeps, self.rounds, strict=True):
            if many.status == "infinite":
                return f"At {number(keep)} the fit is at its interpolation threshold: nothing is known after it."
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
