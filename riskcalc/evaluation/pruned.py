"""Pruned fits without retraining: test risk and training error behind the masks of every group (T2, T3, T5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskcalc.evaluation.fit import Fit
from riskcalc.evaluation.masking import SOLVED, MaskGroup, masks_of
from riskcalc.evaluation.status import Status
from riskcalc.formulas.records import Formula
from riskcalc.lowering.compile import lower, lower_formula, reduced
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.policies import Policy
from riskcalc.theory import masks, optimal, pruning, sampling, training_error
from riskcalc.theory.symbols import M0, sigma2

MISMATCH = masks.THRESHOLD.mismatch.subs(masks.THRESHOLD.part, M0)


@dataclass(frozen=True)
class Pruned:
    """A pruned fit: its masks in groups of one kind, its risks, thresholds, and a status per regime."""

    groups: list[MaskGroup]
    risk: np.ndarray
    excess_risk: np.ndarray
    training_error: np.ndarray
    misfit: np.ndarray
    threshold: np.ndarray
    status: np.ndarray


def prune(policy: Policy, fit: Fit, surplus: Surplus, system: SolvingSystem, start: np.ndarray | None = None) -> Pruned:
    """Prune every regime of a dense fit by a policy; see `masks_of`.

    Where the dense fit is infinite so is the pruned one.
    """
    groups, status = masks_of(policy, fit, surplus, system, start)
    risk, beyond_noise, training, misfit, threshold = (fit.state["gamma"] + np.nan for _ in range(5))
    allowed = system.tolerance + 2 * abs(surplus.gain) / (fit.state["alpha"] * fit.state["total"])
    for group in groups:
        rows = group.rows
        risk[rows], beyond_noise[rows], training[rows], misfit[rows], mismatch = _errors(group, system)
        if group.kind in SOLVED:  # its threshold is a root: it must keep alpha
            status[rows[~(abs(mismatch) <= allowed[rows])[:, 0]]] = Status.NOT_CONVERGED
        if "t" in group.state:
            threshold[rows] = group.state["t"]
    for array, value in ((risk, np.inf), (beyond_noise, np.inf), (threshold, np.inf), (training, np.nan)):
        array[status == Status.INFINITE] = value
    return Pruned(groups, risk, beyond_noise, training, misfit, threshold, status)


def _errors(group: MaskGroup, system: SolvingSystem) -> tuple[np.ndarray, ...]:
    """Test risk, its parts beyond the noise and by misfit, training error; relative mismatch of the mass kept."""
    dropped = (reduced(pruning.MISFIT), MISMATCH)
    if group.kind in sampling.MASKS or group.kind == "optimal_rescaled":
        special = _sampled if group.kind in sampling.MASKS else _rescaled
        misfit, mismatch = lower(dropped, group.where, system, f"{pruning.MISFIT.id}.{group.kind}")(group.state)
        return *special(group, system), misfit, mismatch * (group.kind in SOLVED)
    risk = reduced(pruning.RISK)
    wanted = (risk, risk - sigma2, reduced(training_error.PRUNED), *dropped)
    where = dict(training_error.PRUNED.where) | dict(group.where)
    return lower(wanted, where, system, f"{pruning.RISK.id}.{group.kind}")(group.state)


def _sampled(group: MaskGroup, system: SolvingSystem) -> tuple[np.ndarray, ...]:
    """What is kept is reweighted: both errors are those of the dense fit, and grow."""
    grown = sampling.GROWTHS[group.kind]
    state = group.state | {"growth": lower_formula(grown, system)(group.state)}
    formulas = (sampling.RISK, sampling.EXCESS_RISK, sampling.TRAINING_ERROR)
    return tuple(lower_formula(formula, system)(state) for formula in formulas)


def _rescaled(group: MaskGroup, system: SolvingSystem) -> tuple[np.ndarray, ...]:
    """What is kept is a posterior mean."""
    state: State = group.state
    if "gained" not in state:  # every coefficient is told
        told = lower(optimal.TOLD.values(), dict(group.where), system, "optimal.told")(state)
        state = state | {
            str(symbol): value + 0 * state["total"] for symbol, value in zip(optimal.TOLD, told, strict=True)
        }
    formula: Formula = optimal.RESCALED_RISK
    risk, beyond = lower((reduced(formula), reduced(formula) - sigma2), formula.where, system, formula.id)(state)
    training = lower_formula(optimal.RESCALED_TRAINING_ERROR, system)(state | {"risk": risk})
    return risk, beyond, training
