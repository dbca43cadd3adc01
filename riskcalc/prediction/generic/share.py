"""What a mask keeps of the square of the vector that it looks at: all that it is in a generic basis.

Features are of one kind there, of the mean variance, and their coefficients Gaussian. So the masks of every policy are
those of features that are their own eigenvectors, with one kind of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.policies import Iterative, Magnitude, Optimal, Oracle, Policy
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.masks import MaskGroup, masks_of
from riskcalc.prediction.diagonal.regimes import Budget, Chunk
from riskcalc.prediction.solvers import NotCovered
from riskcalc.prediction.status import Status
from riskcalc.references import generic_basis


@dataclass(frozen=True)
class Share:
    """What is kept in every regime.

    Attributes
    ----------
    state : State
        alpha, alphabar, kept_square, dropped_square, kept_extra; nan where there is no mask.
    status : ndarray of int, shape (N,)
    groups : list of MaskGroup
        Of features of one kind.
    """

    state: State
    status: np.ndarray
    groups: list[MaskGroup]


def share_of(policy: Policy, fit: Fit | None, chunk: Chunk, budget: Budget, work: Evaluator) -> Share:
    """The share of a policy; NotCovered where the mask is no matter of one vector."""
    if isinstance(policy, Iterative):
        raise NotCovered("in a generic basis the theory covers one round of pruning; prune once, or simulate")
    if isinstance(policy, Optimal) and not policy.rescale:
        raise NotCovered(
            "in a generic basis what is best to keep unchanged is no threshold; the theory covers Optimal(rescale=True)"
        )
    truth = isinstance(policy, Oracle)
    # The oracle keeps the largest true coefficients; the best rescaling rule, as all features are alike, those fitted.
    seen = Magnitude(policy.keep, policy.n_keep) if policy.sees_truth else policy
    state = _kind(None if truth else fit, chunk, work)
    one = None
    if fit is not None or truth:
        status = np.zeros(len(budget.alpha), int) if fit is None or truth else fit.status
        one = Fit(state, 0 * budget.alpha, 0 * budget.alpha, status)
    alone = replace(budget, keep_surplus=replace(budget.keep_surplus, gain=0, half=np.inf), rankings={})
    groups, status = masks_of(seen, one, state, alone, work)
    if fit is not None and truth:
        status = np.where(fit.status == Status.OK, status, fit.status)
    whole = chunk.state["total"]
    alphabar = (budget.keep_surplus.high + budget.keep_surplus.low) / whole
    found = {"alpha": budget.alpha + 0, "alphabar": alphabar + 0 * budget.alpha}
    found |= {name: np.full_like(budget.alpha, np.nan) for name in ("kept_square", "dropped_square", "kept_extra")}
    for group in groups:
        own = _of_group(group, work)
        for name, array in own.items():
            found[name][group.rows] = array
    return Share(found, status, groups)


def _kind(fit: Fit | None, chunk: Chunk, work: Evaluator) -> State:
    """Features of one kind: with coefficients of the mean square of those fitted, or of one."""
    given = chunk.state
    unit = 1 + 0 * given["total"]
    state = {name: given[name] for name in ("total", "kappa", "sigma2", "ridge")}
    state |= {"weights": given["total"], "B": 0 * unit, "sign_B": unit, "D": unit}
    if fit is None:
        return state | {"Lambda": unit, "nu": 0 * unit, "gamma": unit / given["kappa"], "q": 0 * unit}
    finite = np.asarray(abs(fit.state["gamma"]) < np.inf, bool)
    known = fit.state | {"gamma": np.where(finite, fit.state["gamma"], 0 * unit)}
    noise = work.value(generic_basis.KIND_NOISE, known) + 0 * unit
    mean = work.value(generic_basis.MEAN_VARIANCE, known) + 0 * unit
    return state | {"Lambda": mean, "nu": fit.state["nu"], "gamma": noise, "q": fit.state["q"]}


def _of_group(group: MaskGroup, work: Evaluator) -> State:
    moments = group.state
    found = {"kept_square": work.value(generic_basis.KEPT, moments)}
    found["kept_extra"] = work.value(generic_basis.EXTRA, moments)
    if group.tells_left_out(work) and "N2" in moments:
        found["dropped_square"] = work.value(generic_basis.LEFT_OUT, moments)
    else:
        found["dropped_square"] = work.value(generic_basis.DROPPED, found)
    if group.repeats:
        found |= {"alpha": moments["M0"], "alphabar": moments["M0bar"]}
    return found
