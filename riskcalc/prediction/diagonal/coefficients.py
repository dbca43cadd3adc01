"""What a policy ranks by, as a law: the coefficients of a dense fit, times the weight of the score (T1, T2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.policies import Policy
from riskcalc.prediction.coefficients import Coefficients
from riskcalc.prediction.diagonal.columns import ATOM_ENTRIES
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.masks import MaskGroup
from riskcalc.prediction.policies import Best, Drawn, Scored, Thresholded, mask
from riskcalc.prediction.solvers import NotCovered
from riskcalc.references import dense, masks, resolved, symbols

# Atoms that are told apart in a picture.
TOLD = 3
Chance = Callable[[np.ndarray, slice], np.ndarray]


def coefficients(fit: Fit, groups: Sequence[MaskGroup], policy: Policy | None, work: Evaluator) -> Coefficients:
    """Of one regime; NotCovered where more than a feature's own coefficient decides whether it is kept."""
    if (policy is not None and not groups) or not np.isfinite(fit.risk).all():
        raise NotCovered("a fit of infinite risk, or of none that was found, has no law of coefficients to show")
    state = groups[0].state if groups else fit.state
    count = max(state[name].shape[1] for name in ATOM_ENTRIES)
    state = {name: np.broadcast_to(array, (1, count)) for name, array in state.items()}
    means, spreads = (
        np.broadcast_to(one, (1, count))
        for one in work.lower((masks.MEAN, symbols.tau), dense.COEFFICIENT, "scanned.spread")(state)
    )
    theory = None if policy is None else mask(policy)
    weight, symbol, threshold = np.ones((1, count)), "", np.nan
    if isinstance(theory, Thresholded) and "t" in state and (spreads > 0).any():
        weight = weight * work.lower((theory.weight,), {}, "coefficients.weight", scalar_output=True)(state)
        symbol, threshold = _latex(theory.weight), float(state["t"][0, 0])
    kept = np.broadcast_to(groups[0].kept(work) if groups else np.ones(1), (1, count))
    chance = _chance(theory if (spreads > 0).any() else None, state, kept, work)

    def of_ranked(x: np.ndarray, part: slice) -> np.ndarray:
        """At points of what ranks; one whose weight is zero is zero itself."""
        return chance(x / np.where(weight[:, part] > 0, weight[:, part], 1), part)

    share = state["weights"][0] / state["weights"].sum()
    return Coefficients(
        means=(weight * means)[0],
        spreads=(weight * spreads)[0],
        weights=share,
        names=_names(state),
        symbol=rf"${symbol}\sqrt{{p}}\,\hat\beta$",
        chance=of_ranked,
        threshold=threshold,
        dropped=float(1 - share @ kept[0]),
    )


def _chance(theory: Any, state: State, kept: np.ndarray, work: Evaluator) -> Chance:
    """Of being kept, given the coefficient and the atom."""
    if isinstance(theory, Best) or (isinstance(theory, Thresholded) and theory.chance is None):
        raise NotCovered(
            "the picture of the coefficients is of rules by which a feature's own coefficient, or none of them, says "
            "whether it is kept; for these see .kept, what is kept of each atom"
        )
    if isinstance(theory, Scored) and "t" in state:
        score = work.lower((theory.score,), {}, "score", scalar_output=True)
        return lambda x, part: score(_of(state, part) | {"X": x}) >= state["t"][:, part]
    own = theory if isinstance(theory, (Thresholded, Drawn)) else None
    if own is None or own.chance is None or (isinstance(own, Thresholded) and "t" not in state):
        return lambda x, part: np.broadcast_to(kept[:, part], (x.shape[0], kept[:, part].shape[1]))
    where = own.scored if isinstance(own, Thresholded) else own.moments
    lowered = work.lower((own.chance,), where, "coefficients.chance", scalar_output=True)
    law = work.lower((masks.MEAN, symbols.tau), dense.COEFFICIENT, "scanned.spread")

    def of_coefficient(x: np.ndarray, part: slice) -> np.ndarray:
        given = _of(state, part)
        means, spreads = law(given)
        return np.asarray(lowered(given | {"H": given["sign_B"] * (x - means) / np.where(spreads > 0, spreads, 1)}))

    return of_coefficient


def _of(state: State, part: slice) -> State:
    return {name: array[:, part] for name, array in state.items()}


def _latex(weight: Any) -> str:
    """A weight in math, with what stands between it and a factor; nothing for one."""
    from sympy import latex

    own = resolved(weight)
    return "" if own == 1 else rf"{latex(own)}\,"


def _names(state: State) -> tuple[str, ...]:
    """Atoms by their eigenvalues, where those tell a few of them apart."""
    values = as_float(state["Lambda"][0])
    if not 1 < values.size <= TOLD or len({*values.tolist()}) < values.size:
        return ()
    return tuple(rf"$\Lambda = {value:g}$" for value in values)
