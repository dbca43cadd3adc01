"""Models that a table can be asked to choose from: each predicted, and measured on its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskcalc.policies import Hessian, Magnitude, Oracle, Procedure, Random, Retrain, Score, Variance
from riskcalc.policies.base import at_budget
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.result import Prediction
from riskcalc.problems import Table
from riskcalc.questions.measure import measure

# A ridge beside which nothing else counts, in units of the sum of the variances: its fit is the marginal regression.
OVERWHELMING = 1e8
BY_CORRELATION = "small_by_correlation"


@dataclass(frozen=True)
class Candidate:
    """A model, and how it is made.

    Attributes
    ----------
    name, label : str
        In a word, and in words.
    procedure : Procedure
        As it is predicted.
    marginal : bool
        Whether its first fit is the marginal regression, in place of the table's own.
    note : str
        Why it is shown, where it is no choice.
    """

    name: str
    label: str
    procedure: Procedure
    marginal: bool = False
    note: str = ""

    @property
    def feasible(self) -> bool:
        """Whether it meets the budget and can be computed from one sample alone."""
        return self.procedure.feasible


def candidates(
    table: Table, budget: Mapping[str, Any], further: Sequence[Any] = (), ridge: Any = None
) -> dict[str, Candidate]:
    """What is compared at a budget: by name, the dense fit, small models, and pruned ones, also by further rules.

    Columns that are scaled have one variance: nothing is then small by variance, and Hessian scores are magnitudes.
    """
    own = table.ridge if ridge is None else ridge
    rules = (Magnitude, *(() if table.scale else (Hessian,)), *further)
    found = [Procedure()]
    found += [Procedure.small(**budget, by=by) for by in (Oracle, Random, *(() if table.scale else (Variance,)))]
    for rule in rules:
        policy = at_budget(rule, **budget)
        found += [Procedure(policy), Procedure(policy, Retrain(own))]
    every = [Candidate(one.key, one.label, one, note=one.note) for one in found]
    by_correlation = Score("correlation", "abs(X)/sqrt(Lambda)", **budget)
    marginal = Procedure(by_correlation, Retrain(table.ridge))
    every.insert(2, Candidate(BY_CORRELATION, "small, of largest correlation with y", marginal, marginal=True))
    return {one.name: one for one in every}


def predicted(table: Table, wanted: Mapping[str, Candidate], **how: Any) -> dict[str, Prediction]:
    """Predictions of those that the theory covers."""
    found: dict[str, Prediction] = {}
    for start, part in _parts(table, wanted):
        answers = evaluate(start, [one.procedure for one in part.values()], covered=True, **how)
        found |= {name: answers[one.procedure] for name, one in part.items() if one.procedure in answers}
    return {name: found[name] for name in wanted if name in found}


def measured(table: Table, wanted: Mapping[str, Candidate], **how: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each its risks, on the same draws of rows, and how often it keeps each column.

    After an interrupt, of the draws that were finished.
    """
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for start, part in _parts(table, wanted):
        answer = measure(start, prune=[one.procedure for one in part.values()], **how)
        found |= dict(zip(part, zip(answer.risks.T, answer.kept, strict=True), strict=True))
    draws = min(len(risks) for risks, _ in found.values())
    return {name: (found[name][0][:draws], found[name][1]) for name in wanted}


def _parts(table: Table, wanted: Mapping[str, Candidate]) -> list[tuple[Table, dict[str, Candidate]]]:
    """The tables whose fits they begin with: with its own ridge, and with one that overwhelms the rest."""
    found = [(table, {name: one for name, one in wanted.items() if not one.marginal})]
    marginal = {name: one for name, one in wanted.items() if one.marginal}
    if marginal:
        ridge = OVERWHELMING * float(table.feature_variances.sum())
        found.append((Table(**table.given() | {"ridge": ridge}), marginal))
    return [(start, part) for start, part in found if part]
