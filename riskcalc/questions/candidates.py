"""Models that a table can be asked to choose from: each predicted, and measured on its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskcalc.policies import Hessian, Magnitude, Oracle, Procedure, Random, Retrain, Score, Variance
from riskcalc.policies.base import at_budget
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.result import Prediction
from riskcalc.problems import Table
from riskcalc.simulation.simulate import make_plan, run_trials

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


def measured(table: Table, wanted: Mapping[str, Candidate], seed: int, repeats: int, **how: Any) -> Trials:
    """All of them on the same draws of rows; those that were finished, after an interrupt."""
    risks, masks = {}, {}
    for start, part in _parts(table, wanted):
        plan = replace(make_plan(start, [one.procedure for one in part.values()], None), masks=True)
        values = run_trials(plan, seed, repeats, **how, partial=True)
        for place, name in enumerate(part):
            risks[name], masks[name] = values[:, place, 0], values[:, place, 2:]
    count = min(map(len, risks.values()))
    return Trials(*({name: one[name][:count] for name in wanted} for one in (risks, masks)))


@dataclass(frozen=True)
class Trials:
    """What was measured, by model.

    Attributes
    ----------
    risks : dict of str to ndarray, shape (draws,)
        Mean squared errors on the rows not drawn.
    masks : dict of str to ndarray, shape (draws, p)
        One for every column kept.
    """

    risks: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]


def _parts(table: Table, wanted: Mapping[str, Candidate]) -> list[tuple[Table, dict[str, Candidate]]]:
    """The tables whose fits they begin with: with its own ridge, and with one that overwhelms the rest."""
    found = [(table, {name: one for name, one in wanted.items() if not one.marginal})]
    marginal = {name: one for name, one in wanted.items() if one.marginal}
    if marginal:
        ridge = OVERWHELMING * float(table.feature_variances.sum())
        found.append((Table(**table.given() | {"ridge": ridge}), marginal))
    return [(start, part) for start, part in found if part]
