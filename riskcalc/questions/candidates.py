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
DENSE, BY_CORRELATION = "dense", "small_by_correlation"


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


# A model by its name, and the number of columns kept.
Key = tuple[str, int]


@dataclass(frozen=True)
class Trials:
    """What was measured of one model: risks by draw of rows, how often it keeps each column, and whether it is a choice
    within the budget."""

    risks: np.ndarray
    kept: np.ndarray
    feasible: bool


def predicted(table: Table, wanted: Mapping[Key, Candidate], **how: Any) -> dict[Key, Prediction]:
    """Predictions of those that the theory covers."""
    found: dict[Key, Prediction] = {}
    for start, part in _parts(table, wanted):
        answers = evaluate(start, [one.procedure for one in part.values()], covered=True, **how)
        found |= {key: answers[one.procedure] for key, one in part.items() if one.procedure in answers}
    return found


def measured(table: Table, wanted: Mapping[Key, Candidate], **how: Any) -> dict[Key, Trials]:
    """All of them on the same draws of rows; after an interrupt, on those that were finished."""
    found: dict[Key, Any] = {}
    for start, part in _parts(table, wanted):
        answer = measure(start, prune=[one.procedure for one in part.values()], **how)
        found |= {key: (answer.risks[:, i], answer.kept[i]) for i, key in enumerate(part)}
    draws = min(len(risks) for risks, _ in found.values())
    return {key: Trials(found[key][0][:draws], found[key][1], one.feasible) for key, one in wanted.items()}


def _parts(table: Table, wanted: Mapping[Key, Candidate]) -> list[tuple[Table, dict[Key, Candidate]]]:
    """The tables whose fits they begin with: with its own ridge, and with one that overwhelms the rest."""
    ridge = OVERWHELMING * float(table.feature_variances.sum())
    given: dict[str, Any] = table.given() | {"ridge": ridge}
    starts = {False: table, True: Table(**given)}
    parts = {of: {key: one for key, one in wanted.items() if one.marginal == of} for of in starts}
    return [(starts[of], part) for of, part in parts.items() if part]
