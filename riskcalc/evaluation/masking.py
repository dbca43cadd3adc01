"""The masks of a pruning policy, and the risk behind them (T2, T3), of a fit on the features kept too (T4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskcalc.evaluation.fit import Fit
from riskcalc.evaluation.ranking import ranked
from riskcalc.evaluation.status import Status
from riskcalc.evaluation.threshold import solve_thresholds
from riskcalc.formulas.records import Definitions, Formula
from riskcalc.formulas.symbols import Expression
from riskcalc.lowering.compensated import total
from riskcalc.lowering.compile import lower, reduced
from riskcalc.lowering.state import State, blocks, shape, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.theory import masks, pruning, small_model
from riskcalc.theory.symbols import M0, m, omega, sigma2


@dataclass(frozen=True)
class MaskGroup:
    """Regimes (`rows`) whose masks are of one kind, with the state that the formulas of that kind need."""

    rows: np.ndarray
    kind: str
    state: State
    pivoted: bool = False

    def risks(self, system: SolvingSystem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Test risk, its part beyond the noise, and the relative mismatch between the mass kept and alpha."""
        formula = pruning.RISKS[self.kind]
        risk = reduced(formula)
        wanted = (risk, risk - sigma2, masks.THRESHOLD.mismatch.subs(masks.THRESHOLD.part, M0))
        return lower(wanted, self._where(), system, formula.id)(self.state)

    def kept(self, system: SolvingSystem) -> np.ndarray:
        """Fraction kept of each atom, shape (N, K)."""
        lowered = lower((M0,), self._where(), system, f"masks.{self.kind}_kept", scalar_output=True)
        rows = len(self.rows)
        parts = [(lowered(block), shape(block)[1]) for block in blocks(self.state)]
        return np.concatenate([np.broadcast_to(part, (rows, columns)) for part, columns in parts], axis=-1)

    def noise(self, system: SolvingSystem) -> np.ndarray:
        """Noise seen by a fit on the features kept, on a sample that the mask does not depend on."""
        return self._of_small(small_model.NOISES, self.state, system)

    def small_excess_risk(self, fit_excess_risk: np.ndarray, system: SolvingSystem) -> np.ndarray:
        """Risk beyond the noise of such a fit, from its own beyond the noise it sees."""
        return self._of_small(small_model.EXCESS_RISKS, self.state | {"fit_excess_risk": fit_excess_risk}, system)

    def _of_small(self, formulas: dict[str, Formula], state: State, system: SolvingSystem) -> np.ndarray:
        formula = formulas[self.kind]
        return lower((reduced(formula),), self._where(), system, formula.id, scalar_output=True)(state)

    def _where(self) -> Definitions:
        where = pruning.RISKS[self.kind].where
        return dict(where) | masks.PIVOTED_INTERVAL if self.pivoted else where


@dataclass(frozen=True)
class Pruned:
    """A pruned fit: its masks in groups of one kind, its risks, thresholds, and a status per regime."""

    groups: list[MaskGroup]
    risk: np.ndarray
    excess_risk: np.ndarray
    threshold: np.ndarray
    status: np.ndarray


def prune(policy: str, fit: Fit, surplus: Surplus, system: SolvingSystem, start: np.ndarray | None = None) -> Pruned:
    """Prune every regime of a dense fit by a policy.

    `fit.state` holds `alpha`; `surplus` is (1 - alpha) * total, exact; `start` is a first trial for the
    threshold. Where the dense fit is infinite so is the pruned one, which has no mask.
    """
    groups, status = _masks(policy, fit, surplus, system, start)
    risk, beyond_noise, threshold = (fit.state["gamma"] + np.nan for _ in range(3))
    for array in (risk, beyond_noise, threshold):
        array[status == Status.INFINITE] = np.inf
    allowed = system.tolerance + 2 * abs(surplus.gain) / (fit.state["alpha"] * fit.state["total"])
    for group in groups:
        risk[group.rows], beyond_noise[group.rows], mismatch = group.risks(system)
        if group.kind in masks.SCORE_WEIGHTS:  # its threshold is a root: it must keep alpha
            status[group.rows[~(abs(mismatch) <= allowed[group.rows])[:, 0]]] = Status.NOT_CONVERGED
        if "t" in group.state:
            threshold[group.rows] = group.state["t"]
    return Pruned(groups, risk, beyond_noise, threshold, status)


def _masks(
    policy: str, fit: Fit, surplus: Surplus, system: SolvingSystem, start: np.ndarray | None
) -> tuple[list[MaskGroup], np.ndarray]:
    status = fit.status.copy()
    usable = np.flatnonzero((status == Status.OK) | (status == Status.EXACT_RECOVERY))
    if usable.size == 0:
        return [], status
    state = take(fit.state, usable)
    surplus = surplus.rows(usable)
    if policy == "random":
        return [MaskGroup(usable, "random", state)], status
    if policy == "oracle":
        return [MaskGroup(usable, "ranking", _ranked(masks.ORACLE_SCORE, {}, state, surplus, system))], status

    dead_mass = total(state["weights"] * (state["Lambda"] == 0))
    live = surplus.beyond(dead_mass)
    # With alpha >= P(Lambda > 0) nothing that matters is dropped; a fit without error is ranked as it is.
    spared = (live <= 0)[:, 0]
    exact = (state["gamma"] == 0)[:, 0] & ~spared
    groups = []
    for chosen, score, where in (
        (np.flatnonzero(spared), masks.LIVE_SCORE, {}),
        (np.flatnonzero(exact), masks.SCORE[m], masks.COEFFICIENT | {omega: masks.SCORE_WEIGHTS[policy]}),
    ):
        if chosen.size:
            ranking = _ranked(score, where, take(state, chosen), surplus.rows(chosen), system)
            groups.append(MaskGroup(usable[chosen], "ranking", ranking))
    noisy = np.flatnonzero(~spared & ~exact)
    if noisy.size:
        converged, found = solve_thresholds(
            policy,
            take(state, noisy) | {"live_excess": live[noisy] / state["total"][noisy]},
            surplus.rows(noisy),
            None if start is None else start[usable][noisy],
            system,
        )
        rows = usable[noisy]
        status[rows[~converged]] = Status.NOT_CONVERGED
        groups += [MaskGroup(rows[own], policy, part, pivoted) for own, pivoted, part in found]
    return groups, status


def _ranked(score: Expression, where: Definitions, state: State, surplus: Surplus, system: SolvingSystem) -> State:
    scores = lower((score,), where, system, "masks.ranking", scalar_output=True)(state)
    return ranked(state, scores + 0 * state["alpha"], surplus, system)


def best_features(state: State, surplus: Surplus, system: SolvingSystem) -> MaskGroup:
    """The mask of the features that a small model is told (T4)."""
    ranking = _ranked(masks.ORACLE_SCORE, {}, state, surplus, system)
    return MaskGroup(np.arange(len(ranking["alpha"])), "ranking", ranking)
