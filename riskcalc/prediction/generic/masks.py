"""Masks in a generic basis: those of features of one kind, seen through their shares of the vector they look at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskcalc.lowering.compensated import add, product
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.policies import Magnitude, Policy
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.masks import LEFT_OUT_NAMES, MaskGroup, masks_of
from riskcalc.prediction.diagonal.pruned import thresholds
from riskcalc.prediction.diagonal.regimes import Budget, Chunk
from riskcalc.prediction.policies import Best, Mask, Ranked, Scored, mask
from riskcalc.prediction.solvers import NotCovered
from riskcalc.prediction.status import Status
from riskcalc.references import generic_basis, masks, merged

SHARES = ("kept_square", "dropped_square", "sight", "alpha", "dropped")


@dataclass(frozen=True)
class Look:
    """The masks of a policy: what they keep of the vector that they look at; arrays of shape (N, 1).

    Attributes
    ----------
    shares : State
        By the names of `SHARES`.
    status : ndarray of int, shape (N,)
    threshold : ndarray
    groups : list of MaskGroup
        Of the features.
    truth : bool
        Whether that vector is the true one, or makes no difference.
    """

    shares: State
    status: np.ndarray
    threshold: np.ndarray
    groups: list[MaskGroup]
    truth: bool


def look(
    policy: Policy,
    keep: np.ndarray,
    fit: Fit | None,
    chunk: Chunk,
    work: Evaluator,
    start: np.ndarray | None = None,
) -> Look:
    """The masks of a policy at a budget; NotCovered where they are not told by how large a coefficient is."""
    theory = mask(policy)
    check_covered(policy, theory)
    truth = isinstance(theory, Ranked) and policy.sees_truth
    by_size = Magnitude(keep=1) if truth or isinstance(theory, Best) else policy
    features = _features(chunk, fit if policy.sees_fit else None, work)
    budget = features.budget(keep, work.system)
    status = np.zeros(len(budget.alpha), int) if fit is None or not policy.sees_fit else fit.status
    own = Fit(features.state, budget.alpha, budget.alpha, status)
    groups, status = masks_of(by_size, own, features.state, budget, work, start)
    left = budget.keep_surplus
    blank = np.nan + 0 * budget.alpha
    shares = {name: blank.copy() for name in SHARES}
    for group in groups:
        rows = group.rows
        found = dict(zip(SHARES, _shares(group, work), strict=True))
        if not group.repeats:
            alpha = budget.alpha[rows]
            if group.solved:
                missed = ~np.asarray(abs(found["alpha"] - alpha) <= work.system.tolerance * alpha, bool)[:, 0]
                status[rows[missed]] = Status.NOT_CONVERGED
            found |= {"alpha": alpha, "dropped": left.high[rows] + left.low[rows]}
        # Of a vector that is zero nothing is seen.
        nothing = np.asarray(group.state["gamma"] == 0, bool)
        blind = {"kept_square": found["alpha"], "dropped_square": found["dropped"], "sight": 0 * found["alpha"]}
        for name, values in found.items():
            shares[name][rows] = np.where(nothing, blind.get(name, values), values)
    return Look(shares, status, thresholds(groups, status, chunk.state["kappa"]), groups, truth or not policy.sees_fit)


def of_shares(shares: State, state: State, budget: Budget) -> Budget:
    """The budget that masks keep, where that is less than they were to keep."""
    kappa, whole = state["kappa"], state["total"]
    alpha, none = shares["alpha"], 0 * shares["alpha"]
    kept = product((alpha, none), (whole, none))
    left = Surplus(shares["dropped"] * whole, none, budget.keep_surplus.resolution)
    beyond = Surplus(*add(product((kappa, none), kept), (-whole, none)), budget.small_surplus.resolution)
    return Budget(alpha, left.weighing(state["weights"], (whole, 0 * whole)), beyond)


def check_covered(policy: Policy, theory: Mask) -> None:
    """Refuse what the theory does not cover."""
    covered = "in a generic basis the theory covers "
    if isinstance(theory, Scored):
        raise NotCovered(
            f"{covered}scores that are |X| times a positive weight, which {theory.text} is not known to be"
        )
    if isinstance(theory, Best) and not theory.knows_all:
        raise NotCovered(f"{covered}the optimal rule where it may rescale: optimal with rescale, not {policy.kind}")
    if isinstance(theory, Ranked) and policy.sees_truth and theory.score != masks.ORACLE_SCORE:
        raise NotCovered(f"{covered}the oracle of the largest coefficients, but not {policy.kind}")


def _features(chunk: Chunk, fit: Fit | None, work: Evaluator) -> Chunk:
    """The features as a law of one kind: of their variance, without signal, and noise that makes their coefficients as
    large as those of the vector that the mask looks at; of any size, if that is no fit."""
    state, one = chunk.state, work.system.number(np.ones(chunk.state["kappa"].shape))
    (variance,) = work.lower((generic_basis.VARIANCE,), {}, "generic_basis.variance")(state)
    if fit is None:
        variance, noise, nu = one, one, one
    else:
        noise, nu = work.value(generic_basis.NOISE, fit.state), fit.state["nu"]
    kind = {"Lambda": variance + 0 * one, "B": 0 * one, "sign_B": one, "D": one, "weights": one, "total": one}
    return replace(chunk, state=state | kind | {"gamma": noise + 0 * one, "nu": nu, "q": one})


def _shares(group: MaskGroup, work: Evaluator) -> tuple[np.ndarray, ...]:
    """What masks keep and drop of the square, what they know of it, and what they keep and drop of the features."""
    shares = tuple(map(work.form, (generic_basis.KEPT, generic_basis.DROPPED, generic_basis.SIGHT)))
    wanted = (*shares, generic_basis.FEATURES_KEPT, generic_basis.FEATURES_DROPPED)
    where = merged(generic_basis.DROPPED.where, group.where)
    if LEFT_OUT_NAMES[0] in group.state:
        where = masks.without_left_out(where)
    return work.lower(wanted, where, "generic_basis.shares")(group.state)
