"""Models that a table can be asked to choose from: each predicted, and measured on its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.policies import Hessian, Magnitude, Oracle, Policy, Procedure, Random, Retrain, Score, Variance
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
    note: str = field(default="")

    @property
    def feasible(self) -> bool:
        """Whether it meets the budget and can be computed from one sample alone."""
        return self.procedure.feasible

    @property
    def trained(self) -> Procedure:
        """As it is measured: small models are fitted to the sample that all others see, as what they keep does not
        depend on it."""
        one = self.procedure
        return Procedure(one.prune, Retrain(None)) if one.is_small else one


def candidates(
    table: Table, budget: Mapping[str, Any], rules: Sequence[Any] | None, ridge: Any = None
) -> dict[str, Candidate]:
    """What is compared at a budget: by name, the dense fit, small models, and pruned ones by these rules.

    Columns that are scaled have one variance: nothing is then small by variance, and Hessian scores are magnitudes.
    """
    own = table.ridge if ridge is None else ridge
    if rules is None:
        rules = (Magnitude,) if table.scale else (Magnitude, Hessian)
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


def _tables(table: Table, wanted: Mapping[str, Candidate]) -> list[tuple[Table, dict[str, Candidate]]]:
    """The tables whose fits they begin with: with its own ridge, and with one that overwhelms the rest."""
    ridge = OVERWHELMING * float(table.feature_variances.sum())
    marginal = Table(**table.given() | {"ridge": ridge})
    parts = [(start, {name: one for name, one in wanted.items() if one.marginal == (start is marginal)}) for start in (table, marginal)]
    return [(start, part) for start, part in parts if part]


def predicted(table: Table, wanted: Mapping[str, Candidate], **how: Any) -> dict[str, Prediction]:
    """Predictions of those that the theory covers."""
    found: dict[str, Prediction] = {}
    for start, part in _tables(table, wanted):
        answers = evaluate(start, [one.procedure for one in part.values()], covered=True, **how)
        found |= {name: answers[one.procedure] for name, one in part.items() if one.procedure in answers}
    return {name: found[name] for name in wanted if name in found}


def measured(table: Table, wanted: Mapping[str, Candidate], seed: int, repeats: int, **how: Any) -> dict[str, np.ndarray]:
    """Mean squared errors on the rows not drawn, all models on the same draws; those finished after an interrupt."""
    found: dict[str, np.ndarray] = {}
    for start, part in _tables(table, wanted):
        plan = make_plan(start, [one.trained for one in part.values()], None)
        values = run_trials(plan, seed, repeats, **how)[:, :, 0]
        found |= dict(zip(part, values.T, strict=True))
    return {name: found[name] for name in wanted}
