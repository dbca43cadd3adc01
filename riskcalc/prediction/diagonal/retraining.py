"""Fits on the features kept: on a sample of which their masks are independent (T4), or on the same one (T6)."""

from __future__ import annotations

import numpy as np

from riskcalc.lowering.compensated import Pair, add, product, total, total_of
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.rounding import relative_error
from riskcalc.lowering.state import shape, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.masks import MaskGroup
from riskcalc.prediction.diagonal.regimes import ROUNDED, Budget, Chunk
from riskcalc.prediction.diagonal.rows import Rows
from riskcalc.prediction.status import Status
from riskcalc.references import pruning

Values = dict[str, np.ndarray]


def misfit_of(groups: list[MaskGroup], like: np.ndarray, work: Evaluator) -> np.ndarray:
    """The signal of the features dropped; nothing is, where there is no mask."""
    misfit = 0 * like
    for group in groups:
        own = work.lower((work.form(pruning.MISFIT),), group.where, "pruning.misfit")
        misfit[group.rows] = own(group.state)[0]
    return misfit


def fit_fresh(
    groups: list[MaskGroup],
    misfit: np.ndarray,
    chunk: Chunk,
    budget: Budget,
    ridge: np.ndarray,
    sample: Rows,
    work: Evaluator,
    start: np.ndarray | None,
) -> tuple[Fit, Values]:
    """The fit on a sample that the masks do not depend on, a small model, and its quantities.

    Regimes without a mask are fitted as if nothing were dropped: callers give them a status.
    """
    state = chunk.state | {"ridge": ridge}
    weights = np.broadcast_to(state["weights"], shape(state)).copy(order="K")
    for group in groups:
        weights[group.rows] = weights[group.rows] * group.kept(work)
    dead_mass = total_of(weights, state["Lambda"] == 0)
    surplus, mass = _kept_mass(groups, chunk, budget, weights)
    surplus = surplus.without(product((state["kappa"], 0), dead_mass))
    # Sums of weights are rounded, whatever they were given as.
    rounded = np.asarray(dead_mass[0] > 0, bool) & (chunk.inexact_weights | (work.system is FLOAT64))
    surplus = surplus.blurred(rounded, ROUNDED * state["total"], chunk.whole | ~chunk.inexact_weights)
    live = (mass[0] - dead_mass[0], mass[1] - dead_mass[1])
    fit = sample.fit(state | {"weights": weights}, surplus, live, start, misfit)
    return fit, {
        "risk": fit.risk,
        "excess_risk": fit.excess_risk,
        "training_error": fit.training_error,
        "misfit": misfit,
    }


def fit_same(fit: Fit, fresh: Values, groups: list[MaskGroup], sample: Rows, work: Evaluator) -> Values:
    """The quantities of the fit on the sample that the masks were found on, from those on a fresh sample."""
    names = ("risk", "excess_risk", "training_error")
    values = fresh | {name: fresh[name].copy() for name in names}
    values["rounding_error"] = np.zeros_like(fit.state["gamma"])
    for group in groups:
        if not group.of_fit:
            continue
        # At its interpolation threshold the second fit is infinite, or it has no error, as on a fresh sample; and the
        # masks of a first fit without error tell nothing of the sample.
        own = np.flatnonzero((fit.status[group.rows] == Status.OK) & (group.state["gamma"] > 0)[:, 0])
        if own.size == 0:
            continue
        rows = group.rows[own]
        found, sizes = sample.fit_again(take(group.state, own), rows, fit, group.where)
        values["rounding_error"][rows] = relative_error(found, sizes, work.system.epsilon)
        for name, value in zip(names, found, strict=True):
            values[name][rows] = value
    return values


def _kept_mass(groups: list[MaskGroup], chunk: Chunk, budget: Budget, weights: np.ndarray) -> tuple[Surplus, Pair]:
    """kappa * (mass kept) - total, and the mass kept: alpha, but for draws with replacement, which repeat."""
    kappa, whole = chunk.state["kappa"], chunk.state["total"]
    surplus, mass = budget.small_surplus, (budget.alpha * whole, 0 * whole)
    drawn = [group.rows for group in groups if group.repeats]
    if drawn:
        chosen = np.zeros((len(weights), 1), bool)
        chosen[np.concatenate(drawn)] = True
        found = total(weights)
        surplus = surplus.where(~chosen, Surplus(*add(product((kappa, 0), found), (-whole, 0)), surplus.resolution))
        mass = (np.where(chosen, found[0], mass[0]), np.where(chosen, found[1], mass[1]))
    return surplus, mass
