"""The masks of a pruning policy (T2): one group of regimes for each way in which masks come about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from riskcalc.evaluation.fit import Fit
from riskcalc.evaluation.posterior import posterior_masks, shared
from riskcalc.evaluation.ranking import ranked
from riskcalc.evaluation.scores import solve_groups, solve_optimal, solve_sampling
from riskcalc.evaluation.status import Status
from riskcalc.evaluation.threshold import solve_thresholds
from riskcalc.formulas.records import Definitions
from riskcalc.formulas.symbols import Expression
from riskcalc.lowering.compensated import total
from riskcalc.lowering.compile import lower, lower_formula
from riskcalc.lowering.state import BLOCK, State, blocks, shape, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.policies import Group, Policy
from riskcalc.theory import groups, masks, optimal, sampling
from riskcalc.theory.dense import COEFFICIENT
from riskcalc.theory.symbols import M0, M1, M0bar, M2c, m, omega

MOMENTS = (M0, M0bar, M1, M2c)
MASKS: dict[str, Definitions] = (
    dict(masks.MASKS)
    | sampling.MASKS
    | groups.MASKS
    | {"optimal": optimal.MASK, "optimal_rescaled": COEFFICIENT | masks.RANKING_MOMENTS}
)
# Masks that the sample does not decide: a fit on what they keep is that of a small model.
INDEPENDENT = ("ranking", "random")
# Masks that threshold a noisy score: they must keep alpha.
SOLVED = (*masks.SCORE_WEIGHTS, *groups.WEIGHTS, "sampled", "optimal")


@dataclass(frozen=True)
class MaskGroup:
    """Regimes (`rows`) whose masks are of one kind, with the state that the formulas of that kind need.

    `where` defines the moments of the masks; they stand in the state itself where the atoms fit in a cache.
    """

    rows: np.ndarray
    kind: str
    state: State
    where: Definitions = field(default_factory=dict)

    def resolved(self, system: SolvingSystem) -> MaskGroup:
        """The same with its moments evaluated once; over many atoms each formula evaluates them block by block."""
        if str(M0) in self.state:
            return replace(self, where=COEFFICIENT)
        where = self.where or MASKS[self.kind]
        if shape(self.state)[1] > BLOCK:
            return replace(self, where=where)
        found = lower(MOMENTS, where, system, f"masks.{self.kind}")(self.state)
        moments = {str(symbol): value + 0 * self.state["total"] for symbol, value in zip(MOMENTS, found, strict=True)}
        return replace(self, state=self.state | moments, where=COEFFICIENT)

    def kept(self, system: SolvingSystem) -> np.ndarray:
        """Fraction kept of each atom, shape (N, K)."""
        lowered = lower((M0,), self.where, system, f"masks.{self.kind}_kept", scalar_output=True)
        rows = len(self.rows)
        parts = [(lowered(block), shape(block)[1]) for block in blocks(self.state)]
        return np.concatenate([np.broadcast_to(part, (rows, columns)) for part, columns in parts], axis=-1)


def masks_of(
    policy: Policy, fit: Fit, surplus: Surplus, system: SolvingSystem, start: np.ndarray | None = None
) -> tuple[list[MaskGroup], np.ndarray]:
    """The masks of a policy in every regime of a dense fit, and a status per regime.

    `fit.state` holds `alpha`; `surplus` is (1 - alpha) * total, exact; `start` is a first trial for the threshold.
    Where the dense fit is infinite there is no mask, but one that does not depend on it.
    """
    status = fit.status.copy()
    usable = (status == Status.OK) | (status == Status.EXACT_RECOVERY)
    if policy.kind in ("oracle", "random"):
        usable |= status == Status.INFINITE
    usable = np.flatnonzero(usable)
    if usable.size == 0:
        return [], status
    state, surplus = take(fit.state, usable), surplus.rows(usable)
    found = _Finder(policy, usable, state, surplus, system, None if start is None else start[usable], status).found()
    return [group.resolved(system) for group in found], status


def best_features(state: State, surplus: Surplus, system: SolvingSystem) -> MaskGroup:
    """The mask of the features that a small model is told (T4)."""
    ranking = _ranked(masks.ORACLE_SCORE, {}, state, surplus, system)
    return MaskGroup(np.arange(len(ranking["alpha"])), "ranking", ranking).resolved(system)


@dataclass(frozen=True)
class _Finder:
    """A policy and the regimes it is to prune: `rows` of them all, of the given state."""

    policy: Policy
    rows: np.ndarray
    state: State
    surplus: Surplus
    system: SolvingSystem
    start: np.ndarray | None
    status: np.ndarray

    def found(self) -> list[MaskGroup]:
        """The masks in groups of one kind; the status is set where a threshold is not found."""
        kind = self.policy.kind
        if kind == "random":
            return [MaskGroup(self.rows, kind, self.state)]
        everything = np.arange(len(self.rows))
        if kind == "oracle":
            return [self._ranking(everything, masks.ORACLE_SCORE, {})]
        dead_mass = total(self.state["weights"] * (self.state["Lambda"] == 0))
        live = self.surplus.beyond(dead_mass)
        # With alpha >= P(Lambda > 0) nothing that matters is dropped, but by a rule that would rather keep the dead,
        # or by chance. A fit without error is ranked as it is.
        left = self.surplus.high + self.surplus.low if kind == "optimal" else live
        nothing = ~((self.state["Lambda"] > 0) & (self.state["weights"] > 0)).any(axis=-1)
        spared = ((left <= 0)[:, 0] | nothing) & (kind not in ("replaced", "optimal_rescaled"))
        exact = (self.state["gamma"] == 0)[:, 0] & ~spared & (kind not in sampling.MASKS)
        chosen = np.flatnonzero(spared)
        result = [self._ranking(chosen, masks.LIVE_SCORE, {})] if chosen.size else []
        noisy = ~spared & ~exact
        if kind.startswith("optimal"):
            apart = shared(self.state)
            told = exact | ~apart if kind == "optimal_rescaled" else exact
            result += self._optimal(np.flatnonzero(told), np.flatnonzero(noisy & apart & ~told))
            noisy = noisy & ~apart & ~told
        elif exact.any():
            weight = (masks.SCORE_WEIGHTS | groups.WEIGHTS)[kind]
            score, where = masks.SCORE[m], masks.COEFFICIENT | {omega: weight}
            result.append(self._ranking(np.flatnonzero(exact), score, where))
        chosen = np.flatnonzero(noisy)
        return result + (self._solved(chosen, live) if chosen.size else [])

    def _solved(self, chosen: np.ndarray, live: np.ndarray) -> list[MaskGroup]:
        """Masks that threshold a noisy score."""
        kind, state, surplus = self.policy.kind, take(self.state, chosen), self.surplus.rows(chosen)
        start = None if self.start is None else self.start[chosen]
        rows = self.rows[chosen]
        state |= {"live_excess": live[chosen] / state["total"]}
        where: Definitions = {}
        if kind == "replaced":
            state |= {"mean_score": lower_formula(sampling.MEAN_SCORE, self.system)(state)}
            return [MaskGroup(rows, kind, state)]
        if kind in masks.SCORE_WEIGHTS:
            converged, found = solve_thresholds(kind, state, surplus, start, self.system)
            groups_found = [
                MaskGroup(rows[own], kind, part, dict(MASKS[kind]) | masks.PIVOTED_INTERVAL if pivoted else where)
                for own, pivoted, part in found
            ]
            self.status[rows[~converged]] = Status.NOT_CONVERGED
            return groups_found
        if isinstance(self.policy, Group):
            state |= {"size": self.system.number(np.array([[float(self.policy.size)]]))}
            converged, state = solve_groups(kind, state, surplus, start, self.system)
        elif kind == "sampled":
            converged, state = solve_sampling(state, surplus, start, self.system)
        else:
            converged, state = solve_optimal(state, surplus, start, self.system)
        self.status[rows[~converged]] = Status.NOT_CONVERGED
        return [MaskGroup(rows, kind, state)]

    def _optimal(self, told: np.ndarray, apart: np.ndarray) -> list[MaskGroup]:
        """The optimal rules where the coefficients of features are told, or where several share (Lambda, D)."""
        result = []
        if told.size:
            group = self._ranking(told, masks.ORACLE_SCORE, {})
            kind = "optimal_rescaled" if self.policy.kind == "optimal_rescaled" else "ranking"
            result.append(replace(group, kind=kind))
        if apart.size:
            state = posterior_masks(self.policy.kind, take(self.state, apart), self.system)
            result.append(MaskGroup(self.rows[apart], self.policy.kind, state))
        return result

    def _ranking(self, chosen: np.ndarray, score: Expression, where: Definitions) -> MaskGroup:
        ranking = _ranked(score, where, take(self.state, chosen), self.surplus.rows(chosen), self.system)
        return MaskGroup(self.rows[chosen], "ranking", ranking)


def _ranked(score: Expression, where: Definitions, state: State, surplus: Surplus, system: SolvingSystem) -> State:
    scores = lower((score,), where, system, "masks.ranking", scalar_output=True)(state)
    return ranked(state, scores + 0 * state["alpha"], surplus, system)
