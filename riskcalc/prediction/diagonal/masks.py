"""The masks of a pruning policy (T2): one group of regimes for each way in which masks come about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from riskcalc.lowering.compensated import total_of
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.state import BLOCK, State, by_block, shape, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.policies import Policy
from riskcalc.prediction.diagonal.best import solve_best
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.intervals import NAMES
from riskcalc.prediction.diagonal.posterior import posterior_masks, shared
from riskcalc.prediction.diagonal.ranking import ranked
from riskcalc.prediction.diagonal.regimes import Budget
from riskcalc.prediction.diagonal.scanned import check_exact, scanned_masks
from riskcalc.prediction.diagonal.threshold import solve_threshold
from riskcalc.prediction.policies import UNCHANGED, Best, Drawn, Errors, Mask, Ranked, Scored, Thresholded, mask
from riskcalc.prediction.status import Status
from riskcalc.references import dense, masks, optimal, symbols

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions
    from riskcalc.formulas.symbols import Expression

COEFFICIENT = dense.COEFFICIENT
MOMENTS = (symbols.M0, symbols.M0bar, symbols.M1, symbols.M2c)
LEFT_OUT, LEFT_OUT_NAMES = (symbols.N1, symbols.N2, symbols.NH), ("N1", "N2", "NH")


@dataclass(frozen=True)
class MaskGroup:
    """Regimes (`rows`) whose masks are of one kind, with the state that the formulas of that kind need.

    `where` defines the moments of the masks; they stand in the state itself where the atoms fit in a cache. `of_fit`
    says that the masks know the noise of the fit, `solved` that they are those of a root, which must keep alpha, and
    `repeats` that fewer features than the budget are kept.
    """

    rows: np.ndarray
    state: State
    where: Definitions
    errors: Errors = UNCHANGED
    of_fit: bool = False
    solved: bool = False
    repeats: bool = False

    def resolved(self, work: Evaluator) -> MaskGroup:
        """The same with its moments evaluated once; over many atoms each formula evaluates them block by block,
        in float64."""
        # What is unchanged needs no more, and is compiled once for all masks.
        where = COEFFICIENT | self.errors.where
        if NAMES[0] in self.state:
            return replace(self, where=where)
        if shape(self.state)[1] > BLOCK and work.system is FLOAT64:
            return self
        wanted = MOMENTS + LEFT_OUT if self.tells_left_out(work) else MOMENTS
        found = work.lower(wanted, self.where, "masks.moments")(self.state)
        names = (*NAMES, *LEFT_OUT_NAMES)
        moments = {name: value + 0 * self.state["total"] for name, value in zip(names, found, strict=False)}
        return replace(self, state=self.state | moments, where=where)

    def tells_left_out(self, work: Evaluator) -> bool:
        """Whether there are moments of what is left out, beside those of what is kept."""
        return LEFT_OUT_NAMES[0] in self.state or work.fact(masks.tells_left_out(self.where))

    def kept(self, work: Evaluator) -> np.ndarray:
        """Fraction kept of each atom, shape (N, K)."""
        lowered = work.lower((symbols.M0,), self.where, "masks.kept", scalar_output=True)
        rows = len(self.rows)
        parts = by_block(lambda block: (lowered(block), shape(block)[1]), self.state)
        kept = np.concatenate([np.broadcast_to(part, (rows, columns)) for part, columns in parts], axis=-1)
        return np.where(kept > work.system.tiny, kept, 0 * kept)  # tails that underflow do not all end at zero


@dataclass(frozen=True)
class Pruning:
    """Regimes that a policy is to prune: `rows` of them all, of the given state with `alpha`.

    `surplus` is (1 - alpha) * total, exact; `start` is a first trial for the threshold; `status` is of all regimes,
    and set where a threshold is not found. What is scanned is scanned `finer` than usual, by a factor. `known` are
    rankings of these regimes by scores that see no fit.
    """

    policy: Policy
    rows: np.ndarray
    state: State
    surplus: Surplus
    start: np.ndarray | None
    status: np.ndarray
    work: Evaluator
    finer: float = 1.0
    known: dict[Any, State] = field(default_factory=dict)

    def some(self, chosen: np.ndarray) -> Pruning:
        """Some of them, by their places."""
        start = None if self.start is None else self.start[chosen]
        return replace(
            self,
            rows=self.rows[chosen],
            state=take(self.state, chosen),
            surplus=self.surplus.rows(chosen),
            start=start,
            known={},
        )

    def ranking(self, score: Expression, where: Definitions) -> MaskGroup:
        """The masks that keep the top of a score without noise."""
        if score not in self.known or where:
            scores = self.work.lower((score,), where, "masks.ranking", scalar_output=True)(self.state)
            self.known[score] = ranked(self.state, scores + 0 * self.state["alpha"], self.surplus, self.work.system)
        return MaskGroup(self.rows, self.state | self.known[score], masks.RANKED)

    def missed(self, converged: np.ndarray) -> None:
        """Say where no threshold was found."""
        self.status[self.rows[~converged]] = Status.NOT_CONVERGED

    @property
    def spare_live(self) -> np.ndarray:
        """What of the features with variance must be dropped; not positive where none."""
        return self.surplus.beyond(total_of(self.state["weights"], self.state["Lambda"] == 0))

    @property
    def without_live(self) -> np.ndarray:
        """Where no feature has variance; shape (N,)."""
        return np.logical_not(((self.state["Lambda"] > 0) & (self.state["weights"] > 0)).any(axis=-1))

    @property
    def exact(self) -> np.ndarray:
        """Where the fit has no error; shape (N,)."""
        return (self.state["gamma"] == 0)[:, 0]


def masks_of(
    policy: Policy,
    fit: Fit | None,
    state: State,
    budget: Budget,
    work: Evaluator,
    start: np.ndarray | None = None,
    finer: float = 1.0,
) -> tuple[list[MaskGroup], np.ndarray]:
    """The masks of a policy in every regime, and a status per regime; a policy that looks at no fit needs none.

    Where the dense fit is infinite there is no mask, but one that does not depend on it.
    """
    status = np.zeros(len(budget.alpha), int) if fit is None else fit.status.copy()
    usable = (status == Status.OK) | (status == Status.EXACT_RECOVERY)
    if not policy.sees_fit:
        usable |= (status == Status.INFINITE) | (status == Status.NEAR_THRESHOLD)
    rows = np.flatnonzero(usable)
    if rows.size == 0:
        return [], status
    state = take(state | {"alpha": budget.alpha}, rows)
    trial, theory = None if start is None else start[rows], mask(policy)
    if not policy.sees_fit and not isinstance(theory, (Drawn, Ranked)):
        raise TypeError(f"{type(policy).__name__} says that it sees no fit, but its mask is {type(theory).__name__}")
    known = {} if policy.sees_fit or rows.size < len(status) else budget.rankings
    asked = Pruning(policy, rows, state, budget.keep_surplus.rows(rows), trial, status, work, finer, known)
    return [group.resolved(work) for group in find(theory, asked)], status


@singledispatch
def find(mask: Mask, asked: Pruning) -> list[MaskGroup]:
    """The masks in groups of one kind; the status is set where a threshold is not found."""
    raise TypeError(f"how masks such as {type(mask).__name__} are found is not registered")


@find.register
def _(mask: Drawn, asked: Pruning) -> list[MaskGroup]:
    state = asked.state
    for formula in mask.needs:
        state = state | {asked.work.defines(formula): asked.work.given(formula, mask.moments, state)}
    policy = asked.policy
    return [MaskGroup(asked.rows, state, mask.moments, mask.errors, policy.sees_fit, repeats=policy.repeats)]


@find.register
def _(mask: Ranked, asked: Pruning) -> list[MaskGroup]:
    return [replace(asked.ranking(mask.score, {}), errors=mask.errors)]


@find.register
def _(mask: Thresholded, asked: Pruning) -> list[MaskGroup]:
    """With alpha >= P(Lambda > 0) nothing that matters is dropped; a fit without error is ranked as it is."""
    live = asked.spare_live
    spared = (live <= 0)[:, 0] | asked.without_live
    exact = asked.exact & ~spared & mask.ranks_exact_fits
    found = []
    if spared.any():
        found.append(asked.some(np.flatnonzero(spared)).ranking(masks.LIVE_SCORE, {}))
    if exact.any():
        found.append(asked.some(np.flatnonzero(exact)).ranking(symbols.m, mask.scored))
    rest = np.flatnonzero(~spared & ~exact)
    if rest.size == 0:
        return found
    own = asked.some(rest)
    numbers = {name: asked.work.system.number(np.array([[float(x)]])) for name, x in mask.numbers.items()}
    state = own.state | numbers | {"live_excess": live[rest] / own.state["total"]}
    converged, solved = solve_threshold(mask, state, own.surplus, own.start, own.work)
    own.missed(converged)
    return found + [
        MaskGroup(own.rows[rows], part, where, mask.errors, of_fit=True, solved=True) for rows, part, where in solved
    ]


@find.register
def _(mask: Best, asked: Pruning) -> list[MaskGroup]:
    """Where (Lambda, D) tells B by an interval, or by the ranking where the rule may rescale; by a posterior elsewhere.

    An interval is of coefficients that shrink: with a negative effective ridge, which makes them grow, every kind has a
    posterior. Where nothing is dropped the rule that keeps coefficients as they are is the dense fit.
    """
    left = asked.surplus.high + asked.surplus.low
    spared = ((left <= 0)[:, 0] | asked.without_live) & (not mask.knows_all)
    enlarged = (asked.state["nu"] < 0)[:, 0] & (not mask.knows_all)
    apart = (shared(asked.state) | enlarged) & ~spared
    told = ~spared & (asked.exact | ~apart if mask.knows_all else asked.exact)
    found = []
    if spared.any():
        found.append(asked.some(np.flatnonzero(spared)).ranking(masks.LIVE_SCORE, {}))
    if told.any():
        ranking = asked.some(np.flatnonzero(told)).ranking(masks.ORACLE_SCORE, {})
        found.append(replace(ranking, errors=mask.errors))
    several = np.flatnonzero(apart & ~told)
    if several.size:
        own = asked.some(several)
        state = posterior_masks(mask, own.state, own.work)
        found.append(MaskGroup(own.rows, state, COEFFICIENT, mask.errors, of_fit=True, solved=not mask.knows_all))
    rest = np.flatnonzero(~spared & ~told & ~apart)
    if rest.size:
        own = asked.some(rest)
        converged, state = solve_best(own.state, own.surplus, own.start, own.work)
        own.missed(converged)
        found.append(MaskGroup(own.rows, state, optimal.MASK, mask.errors, of_fit=True, solved=True))
    return found


@find.register
def _(mask: Scored, asked: Pruning) -> list[MaskGroup]:
    """A fit without error is ranked as it is; nothing else has a mask where nothing is dropped."""
    left = asked.surplus.high + asked.surplus.low
    ranks = asked.exact | (left <= 0)[:, 0]
    found = []
    if ranks.any():
        own = asked.some(np.flatnonzero(ranks))
        check_exact(mask, own.state, own.work)
        found.append(own.ranking(mask.score, masks.EXACT))
    rest = np.flatnonzero(~ranks)
    if rest.size:
        own = asked.some(rest)
        converged, state = scanned_masks(mask, own.state, own.surplus, own.work, asked.finer)
        own.missed(converged)
        found.append(MaskGroup(own.rows, state, COEFFICIENT, mask.errors, of_fit=True, solved=True))
    return found
