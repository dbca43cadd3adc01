"""The masks of a pruning policy, and the risk behind them (T2, T3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy

from riskcalc.evaluation.fit import Fit
from riskcalc.evaluation.ranking import ranked
from riskcalc.evaluation.status import Status
from riskcalc.evaluation.threshold import solve_thresholds
from riskcalc.lowering.compensated import Pair, total
from riskcalc.lowering.compile import lower, reduced
from riskcalc.lowering.state import State, blocks, take
from riskcalc.lowering.systems import NumberSystem
from riskcalc.solve import excess_over
from riskcalc.theory import masks, pruning
from riskcalc.theory.symbols import M0, lag, m, omega, step


@dataclass(frozen=True)
class MaskGroup:
    """Regimes (`rows`) whose masks are of one kind, with the state that the formulas of that kind need."""

    rows: np.ndarray
    kind: str
    state: State
    pivoted: bool = False

    def risk(self, system: NumberSystem) -> np.ndarray:
        """Test risk of the pruned fit, shape (N, 1)."""
        formula = pruning.RISKS[self.kind]
        return lower((reduced(formula),), self._where(), system, formula.id, scalar_output=True)(self.state)

    def kept(self, system: NumberSystem) -> np.ndarray:
        """Fraction kept of each atom, shape (N, K)."""
        lowered = lower((M0,), self._where(), system, f"masks.{self.kind}_kept", scalar_output=True)
        return np.concatenate([lowered(block) for block in blocks(self.state)], axis=-1)

    def _where(self) -> Mapping[sympy.Symbol, sympy.Expr]:
        given = (lag, step) if self.pivoted else ()
        return {symbol: rule for symbol, rule in pruning.RISKS[self.kind].where.items() if symbol not in given}


def mask(
    policy: str, fit: Fit, surplus: Pair, system: NumberSystem, start: np.ndarray | None = None
) -> tuple[list[MaskGroup], np.ndarray]:
    """The masks of a policy, in groups of one kind, and the status of every regime.

    `fit.state` holds `alpha`; `surplus` is sum(weights) - alpha * total, exact; `start` is a first trial for the
    threshold. Regimes whose dense fit is infinite or did not converge have no mask.
    """
    status = fit.status.copy()
    usable = np.flatnonzero((status == Status.OK) | (status == Status.EXACT_RECOVERY))
    state = take(fit.state, usable)
    surplus = tuple(side[usable] for side in surplus)
    if policy == "random" or usable.size == 0:
        return [MaskGroup(usable, "random", state)], status
    if policy == "oracle":
        return [MaskGroup(usable, "ranking", _ranked(masks.ORACLE_SCORE, {}, state, surplus, system))], status

    dead_mass = total(state["weights"] * (state["Lambda"] == 0))
    live = excess_over(surplus, 0 * state["alpha"] + 1, dead_mass, system)
    # With alpha >= P(Lambda > 0) nothing that matters is dropped; a fit without error is ranked as it is.
    spared = (live <= 0)[:, 0]
    exact = (state["gamma"] == 0)[:, 0] & ~spared
    noisy = np.flatnonzero(~spared & ~exact)
    weight = {omega: masks.SCORE_WEIGHTS[policy]}
    groups = []
    for chosen, score, where in (
        (np.flatnonzero(spared), masks.LIVE_SCORE, {}),
        (np.flatnonzero(exact), masks.SCORE[m], masks.COEFFICIENT | weight),
    ):
        if chosen.size:
            own = tuple(side[chosen] for side in surplus)
            groups.append(MaskGroup(usable[chosen], "ranking", _ranked(score, where, take(state, chosen), own, system)))
    if noisy.size:
        converged, found = solve_thresholds(
            policy,
            take(state, noisy) | {"live_excess": live[noisy] / state["total"][noisy]},
            tuple(side[noisy] for side in surplus),
            None if start is None else start[usable][noisy],
            system,
        )
        rows = usable[noisy]
        status[rows[~converged]] = Status.NOT_CONVERGED
        groups += [MaskGroup(rows[own], policy, part, pivoted) for own, pivoted, part in found]
    return groups, status


def _ranked(score: sympy.Expr, where, state: State, surplus: Pair, system: NumberSystem) -> State:
    scores = lower((score,), where, system, "masks.ranking", scalar_output=True)(state)
    return ranked(state, scores + 0 * state["alpha"], surplus, system)
