"""Pruned fits without retraining: test risk and training error behind the masks of every group (T2, T3, T5)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import TYPE_CHECKING

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.rounding import ROUNDINGS, relative_error
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.masks import LEFT_OUT_NAMES, MaskGroup
from riskcalc.prediction.diagonal.regimes import Budget
from riskcalc.prediction.policies import Errors
from riskcalc.prediction.status import Status
from riskcalc.references import masks, merged, pruning

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions, Formula
    from riskcalc.formulas.symbols import Expression


def pruned(
    groups: list[MaskGroup],
    others: Sequence[Formula],
    status: np.ndarray,
    fit: Fit,
    budget: Budget,
    work: Evaluator,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Status and quantities of every regime of a dense fit behind masks; infinite where the dense fit is."""
    names = ("risk", "excess_risk", "training_error", "misfit")
    values = {name: np.full_like(fit.state["gamma"], np.nan) for name in names}
    # Where a policy with quantities of its own has no masks of its own it changes nothing, and they are zero.
    values |= {work.defines(formula): 0 * fit.state["gamma"] for formula in others}
    values["rounding_error"] = np.zeros_like(fit.state["gamma"])
    status = status.copy()
    surplus = budget.keep_surplus
    allowed = work.system.tolerance + 2 * abs(surplus.gain) / (budget.alpha * fit.state["total"])
    for group in groups:
        rows = group.rows
        (mismatch, *found), sizes = _errors(group, work)
        roundings = ROUNDINGS if group.tells_left_out(work) else _OF_TAILS
        values["rounding_error"][rows] = relative_error(found[: len(sizes)], sizes, work.system.epsilon, roundings)
        own = (work.defines(formula) for formula in group.errors.others)
        for name, value in zip((*names, *own), found, strict=True):
            values[name][rows] = value
        if group.solved:
            status[rows[~(abs(mismatch) <= allowed[rows])[:, 0]]] = Status.NOT_CONVERGED
    infinite = status == Status.INFINITE
    values["risk"][infinite] = values["excess_risk"][infinite] = np.inf
    values["training_error"][infinite] = np.nan
    return status, values


def thresholds(groups: list[MaskGroup], status: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The thresholds of masks; infinite where only an infinite fit would tell."""
    found = like + np.nan
    found[status == Status.INFINITE] = np.inf
    for group in groups:
        if "t" in group.state:
            found[group.rows] = group.state["t"]
    return found


# What is left out is a difference of moments where they alone are known, as on intervals that were scanned; these have
# the roundings of tails of the normal law (2e-13 in SciPy), which do not cancel with them.
_OF_TAILS = 1024
# Of what is evaluated, the risk, its part beyond the noise and the training error, whose terms may cancel.
_SIZED = (1, 4)


def _errors(group: MaskGroup, work: Evaluator) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Relative mismatch of the mass kept; test risk, its part beyond the noise, training error, misfit, and others.

    The sizes of the terms of the first three errors.
    """
    known = frozenset(need for need in group.errors.needs if work.defines(need) in group.state)
    wanted, where = _wanted(group.errors, known, work)
    where = merged(where, group.where)
    if LEFT_OUT_NAMES[0] in group.state:
        where = masks.without_left_out(where)
    found = work.lower(wanted, where, "pruned.errors", sized=_SIZED)(group.state)
    return found[:-3], found[-3:]


@lru_cache(maxsize=64)
def _wanted(errors: Errors, known: frozenset[Formula], work: Evaluator) -> tuple[tuple[Expression, ...], Definitions]:
    """What is evaluated of errors, in terms of the moments and what is known of their needs."""
    wanted = pruning.behind_masks(
        work.form(errors.risk),
        None if errors.excess_risk is None else work.form(errors.excess_risk),
        work.form(errors.training_error),
        tuple(map(work.form, (pruning.MISFIT, *errors.others))),
        {need.defines: work.form(need) for need in errors.needs if need not in known},
        errors.risk.defines,
    )
    formulas = (*errors.needs, *errors.others, errors.risk, errors.training_error)
    formulas += () if errors.excess_risk is None else (errors.excess_risk,)
    return wanted, reduce(merged, (formula.where for formula in formulas))
