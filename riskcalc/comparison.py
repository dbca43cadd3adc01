"""Pruned models and the small model of the same budget, side by side."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import ArrayLike

from riskcalc.laws import plain
from riskcalc.policies import Oracle
from riskcalc.prediction import LABELS, Prediction, evaluate
from riskcalc.problems import LinearGaussian
from riskcalc.values import json_value, plain_scalar

MODELS = ("dense", "small", "magnitude", "hessian", "oracle", "random")
# Models that meet the budget and can be computed from data, the paper's benchmark included: the small model is told
# its features. Dense exceeds the budget, oracle sees the true coefficients.
COMPETITORS = ("small", "magnitude", "hessian", "random")
PRUNED = ("magnitude", "hessian")
NOTES = {"dense": "reference: over the budget", "oracle": "reference: sees the true coefficients"}


@dataclass(frozen=True)
class Comparison:
    """Risks of every model at one budget.

    Attributes
    ----------
    problem : LinearGaussian
    keep : ndarray
        The budget, as given; exact.
    predictions : dict of str to Prediction
        By model: "dense", "small", "magnitude", "hessian", "oracle", "random".
    digits : int or None
    """

    problem: LinearGaussian
    keep: np.ndarray
    predictions: dict[str, Prediction]
    digits: int | None

    @property
    def risks(self) -> dict[str, Any]:
        """Test risk of every model."""
        return {model: prediction.risk for model, prediction in self.predictions.items()}

    @property
    def best(self) -> Any:
        """The competitor of lowest risk: small, magnitude, hessian or random; dense and oracle are references.

        None where no competitor has a finite risk.
        """
        return np.array([*COMPETITORS, None], dtype=object)[self._ranking()[0]]

    @property
    def margin(self) -> Any:
        """Risk of the runner-up minus risk of the best; nan where fewer than two competitors have a finite risk.

        A difference below rounding (1e-12, or 100 units in the last digit asked for) is zero.
        """
        return self._ranking()[1]

    @property
    def prune_beats_small(self) -> Any:
        """Whether magnitude or Hessian pruning has a lower risk than the small model, beyond rounding."""
        with self._precision():
            pruned = np.min([_finite(self.predictions[model].risk) for model in PRUNED], axis=0)
            answer = np.asarray(pruned < _finite(self.predictions["small"].risk) * (1 - self._rounding()))
        return plain_scalar(answer.astype(bool))

    def _ranking(self) -> tuple[np.ndarray, Any]:
        finite = np.stack([_finite(self.predictions[model].risk) for model in COMPETITORS])
        order = np.argsort(finite, axis=0, kind="stable")
        first, second = (np.take_along_axis(finite, order[i : i + 1], axis=0)[0] for i in (0, 1))
        usable = second < np.inf
        with self._precision():
            margin = np.where(usable, second - np.where(usable, first, 0), np.nan)
            margin = np.where(margin <= second * self._rounding(), 0 * margin, margin)
        return np.where(first < np.inf, order[0], len(COMPETITORS)), plain_scalar(np.asarray(margin))

    @contextmanager
    def _precision(self):
        with mp.workdps(self.digits or 15), np.errstate(invalid="ignore"):
            yield

    def _rounding(self) -> Any:
        return 1e-12 if self.digits is None else mpf(10) ** (2 - self.digits)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        models = {model: prediction.to_dict() for model, prediction in self.predictions.items()}
        return {
            "keep": plain(self.keep),
            "risks": {model: values["risk"] for model, values in models.items()},
            "best": self.best.tolist() if isinstance(self.best, np.ndarray) else self.best,
            "margin": json_value(self.margin, self.digits),
            "prune_beats_small": np.asarray(self.prune_beats_small).tolist(),
            "models": models,
        }

    def __str__(self) -> str:
        from riskcalc.tables import to_text

        parts = [self._one_regime(), *self._verdict()] if np.ndim(self.margin) == 0 else self._many_regimes()
        return to_text([*parts, *filter(None, [self.problem.law.note])])

    def _one_regime(self) -> Any:
        from riskcalc.tables import filled, number, table

        ratio, keep = (number(value[()]) for value in (self.problem.aspect_ratio, self.keep))
        title = f"predicted test risk, {ratio} features per sample, keeping {keep} of them"
        rows = []
        for model, prediction in self.predictions.items():
            notes = ["best" if model == self.best else NOTES.get(model, "")]
            if prediction.status != "ok":
                notes.append(prediction.status.replace("_", " "))
            values = (prediction.risk, prediction.excess_risk, prediction.training_error)
            numbers = [number(value, self.digits) for value in values]
            rows.append([LABELS[model], *numbers, ", ".join(filter(None, notes))])
        (grid,) = filled(table(title, ("model", "test risk", "excess risk", "training error", ""), right=4), rows)
        return grid

    def _verdict(self) -> list[str]:
        from riskcalc.tables import number

        if self.best is None:
            return ["No model that meets the budget has a finite risk."]
        by = f", by {number(self.margin, self.digits)}" if self.margin == self.margin else ""
        beats = "beats" if self.prune_beats_small else "does not beat"
        return [
            f"Best within the budget: {LABELS[self.best]}{by}.",
            f"Pruning the large model {beats} training the small one.",
        ]

    def _many_regimes(self) -> list[Any]:
        from riskcalc.tables import filled, number, table

        inputs = self.predictions["small"].inputs()
        risks = {model: np.ravel(risk) for model, risk in self.risks.items()}
        best, margin = np.ravel(self.best), np.ravel(self.margin)
        rows = (
            [number(column[i]) for column in inputs.values()]
            + [number(risk[i], self.digits) for risk in risks.values()]
            + [best[i] or "", number(margin[i], self.digits)]
            for i in range(best.size)
        )
        return filled(table("predicted test risk", (*inputs, *risks, "best", "by"), left=0), rows, best.size)


def _finite(risk: Any) -> np.ndarray:
    """A risk, with inf in place of nan."""
    risk = np.asarray(risk)
    return np.where(risk == risk, risk, np.inf)


def compare(
    problem: LinearGaussian, keep: ArrayLike | str | None = None, n_keep: int | None = None, digits: int | None = None
) -> Comparison:
    """Compare the dense fit, its pruned versions, and a small model trained on the best features, at one budget.

    Parameters
    ----------
    problem : LinearGaussian
    keep, n_keep
        The budget, as for a `Policy`: exactly one of them.
    digits : int, optional
        Significant digits; float64 if not given.

    Returns
    -------
    Comparison
        Prints as a table.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.

    Notes
    -----
    Theorems 1 and 2 and Section 3 of Chang et al. 2021.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> comparison = rc.compare(problem, keep="1/10")
    >>> comparison.best, round(comparison.margin, 4), comparison.prune_beats_small
    ('hessian', 0.1436, True)
    """
    budget = Oracle(keep=keep, n_keep=n_keep)
    predictions = evaluate(problem, budget, ASKED, digits)
    return Comparison(problem, budget.fraction_kept(problem.n_features), predictions, digits)
