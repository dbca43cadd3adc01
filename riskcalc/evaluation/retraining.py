"""Fits on the features kept: on a sample of which their masks are independent (T4), or on the same one (T6)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskcalc.evaluation.fit import Fit, fit_dense
from riskcalc.evaluation.masking import INDEPENDENT, MaskGroup
from riskcalc.evaluation.regimes import Chunk
from riskcalc.evaluation.status import Status
from riskcalc.lowering.compensated import Pair, add, product, total
from riskcalc.lowering.compile import linear_terms, lower, lower_formula, reduced
from riskcalc.lowering.state import State, shape, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.theory import pruning, retraining, small_model


@dataclass(frozen=True)
class Refit:
    """A fit on the features kept: its own dense fit (nu, q and status), and its errors."""

    fit: Fit
    risk: np.ndarray
    excess_risk: np.ndarray
    training_error: np.ndarray
    misfit: np.ndarray
    status: np.ndarray


def fit_fresh(
    groups: list[MaskGroup], chunk: Chunk, ridge: np.ndarray, system: SolvingSystem, start: np.ndarray | None
) -> Refit:
    """The fit on a sample that the masks do not depend on: a small model.

    Regimes without a mask are fitted as if nothing were dropped: callers give them a status.
    """
    misfit = 0 * chunk.state["kappa"]
    for group in groups:
        own = lower((reduced(pruning.MISFIT),), group.where, system, f"{pruning.MISFIT.id}.{group.kind}")
        misfit[group.rows] = own(group.state)[0]
    fit = _fit_kept(groups, misfit, chunk, ridge, system, start)
    parts = {"misfit": misfit, "fit_excess_risk": fit.excess_risk}
    beyond_noise = lower_formula(small_model.EXCESS_RISK, system)(parts)
    return Refit(fit, fit.state["gamma"], beyond_noise, fit.training_error, misfit, fit.status)


def fit_same(refit: Refit, groups: list[MaskGroup], system: SolvingSystem) -> Refit:
    """The fit on the sample that the masks were found on, from the one on a fresh sample."""
    risk, beyond_noise, training = (array.copy() for array in (refit.risk, refit.excess_risk, refit.training_error))
    for group in groups:
        # At its interpolation threshold the second fit is infinite, or it has no error, as on a fresh sample; and the
        # masks of a first fit without error tell nothing of the sample.
        sees = (refit.status[group.rows] == Status.OK) & (group.state["gamma"] > 0)[:, 0]
        own = np.flatnonzero(sees & (group.kind not in INDEPENDENT))
        if own.size == 0:
            continue
        rows = group.rows[own]
        state = take(group.state, own) | {
            "nu2": refit.fit.state["nu"][rows],
            "q2": refit.fit.state["q"][rows],
            "ridge2": refit.fit.state["ridge"][rows] if len(refit.fit.state["ridge"]) > 1 else refit.fit.state["ridge"],
        }
        risk[rows], beyond_noise[rows], training[rows] = _remembering(state, group, system)
    return replace(refit, risk=risk, excess_risk=beyond_noise, training_error=training)


def _remembering(state: State, group: MaskGroup, system: SolvingSystem) -> tuple[np.ndarray, ...]:
    """Test risk, its part beyond the noise and training error of the second fit, by its two linear equations."""
    where = dict(retraining.REFITTED) | dict(group.where)
    equations = (retraining.STATIONARITY, retraining.COVARIANCE)
    name = f"retraining.{group.kind}"
    terms = lower(sum(map(linear_terms, equations), ()), where, system, name)(state)
    first, second = terms[:3], terms[3:]
    determinant = first[1] * second[2] - first[2] * second[1]
    state |= {
        "rho": (first[2] * second[0] - first[0] * second[2]) / determinant,
        "c": (first[0] * second[1] - first[1] * second[0]) / determinant,
    }
    wanted = (reduced(retraining.RISK), reduced(retraining.EXCESS_RISK))
    risk, beyond_noise = lower(wanted, where, system, f"{name}_risk")(state)
    training = lower((reduced(retraining.TRAINING_ERROR),), where, system, f"{name}_training_error")
    return risk, beyond_noise, training(state | {"retrained_risk": risk})[0]


def _fit_kept(
    groups: list[MaskGroup],
    misfit: np.ndarray,
    chunk: Chunk,
    ridge: np.ndarray,
    system: SolvingSystem,
    start: np.ndarray | None,
) -> Fit:
    state = chunk.state | {"ridge": ridge}
    weights = np.broadcast_to(state["weights"], shape(state)).copy(order="K")
    noise = lower_formula(small_model.NOISE, system)(state | {"misfit": misfit})
    for group in groups:
        weights[group.rows] = weights[group.rows] * group.kept(system)
    dead_mass = total(weights * (state["Lambda"] == 0))
    surplus, mass = _kept_mass(groups, chunk, weights)
    surplus = surplus.without(product((state["kappa"], 0), dead_mass))
    live = (mass[0] - dead_mass[0], mass[1] - dead_mass[1])
    return fit_dense(state | {"weights": weights, "sigma2": noise}, surplus, live, system, start)


def _kept_mass(groups: list[MaskGroup], chunk: Chunk, weights: np.ndarray) -> tuple[Surplus, Pair]:
    """kappa * (mass kept) - total, and the mass kept: alpha, but for draws with replacement, which repeat."""
    kappa, whole = chunk.state["kappa"], chunk.state["total"]
    surplus, mass = chunk.small_surplus, (chunk.state["alpha"] * whole, 0 * whole)
    drawn = [group.rows for group in groups if group.kind == "replaced"]
    if drawn:
        chosen = np.zeros((len(weights), 1), bool)
        chosen[np.concatenate(drawn)] = True
        found = total(weights)
        surplus = surplus.where(~chosen, Surplus(*add(product((kappa, 0), found), (-whole, 0)), surplus.resolution))
        mass = (np.where(chosen, found[0], mass[0]), np.where(chosen, found[1], mass[1]))
    return surplus, mass
