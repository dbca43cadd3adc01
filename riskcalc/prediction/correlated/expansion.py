"""What pruning drops of correlated features, without draws: in closed form, or as a series in correlations.

The fitted coefficients are Gaussian. For a mask that sees no fit the averages D1, D2 and h of the chapter on correlated
features are closed. For a threshold on a weight times each coefficient, D1 and h are too, and D2 is a sum over pairs of
features of Sigma_ij E[delta_i delta_j], in which by Mehler's formula

    E[delta_i delta_j] = sum over k of r_ij^k d_ik d_jk

with the correlation r_ij of the two coefficients and the normalised Hermite coefficients d_ik of what is dropped of
each. What the sum leaves out is bounded, as the squares of d_ik add up to E[delta_i^2].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.solve import Balance, balance_root, open_bracket
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.references import correlated, masks, symbols

# Orders of the series, at most.
MOST_ORDERS = 60


@dataclass(frozen=True)
class FittedLaw:
    """Law of the fitted coefficients of p features, and what errors make of it.

    Attributes
    ----------
    mean : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
    features : ndarray, shape (p, p)
        Sigma.
    truth : ndarray, shape (p,)
        The true coefficients.
    hat : ndarray, shape (p,)
        The diagonal of Sigma (Sigma + nu)^-1 over the number of samples.
    """

    mean: np.ndarray
    covariance: np.ndarray
    features: np.ndarray
    truth: np.ndarray
    hat: np.ndarray

    @cached_property
    def deviations(self) -> np.ndarray:
        """Of the coefficients, shape (p,)."""
        return np.sqrt(self.covariance.diagonal())

    @cached_property
    def pull(self) -> np.ndarray:
        """Sigma times the bias, shape (p,)."""
        return self.features @ (self.mean - self.truth)

    @cached_property
    def shared(self) -> np.ndarray:
        """Sigma_ij times the covariance of two coefficients, shape (p, p)."""
        return self.features * self.covariance


@dataclass(frozen=True)
class Dropped:
    """Averages of what is dropped.

    Attributes
    ----------
    D1, D2, h : float
    kept : ndarray, shape (p,)
        Probability that a feature is kept.
    remainder : float
        By how much D2, and so the risk, may be off.
    variance : float
        Of the number of features that are kept; zero where it is always the same. Masks that keep exactly n_keep have
        a risk that differs, relatively, by up to some 2 variance/n_keep^2 (1.7 times that was seen).
    """

    D1: float
    D2: float
    h: float
    kept: np.ndarray
    remainder: float = 0.0
    variance: float = 0.0


def named(law: FittedLaw, kept: np.ndarray) -> Dropped:
    """What is dropped where these features are kept, whatever the fit is; booleans of shape (p,)."""
    out = ~kept
    mean, shared = law.mean[out], law.shared[np.ix_(out, out)]
    square = mean @ law.features[np.ix_(out, out)] @ mean + shared.sum()
    return Dropped(_along(law, out, law.mean * out), float(square), float(law.hat[out].sum()), kept.astype(float))


def by_chance(law: FittedLaw, n_keep: int, work: Evaluator) -> Dropped:
    """What is dropped where chance keeps so many features."""
    size = len(law.mean)
    own = law.features.diagonal() @ (law.mean**2 + law.covariance.diagonal())
    told = {"n_features": size, "n_keep": n_keep, "square_own": own}
    told["square_all"] = law.mean @ law.features @ law.mean + law.shared.sum()
    state = {name: np.full((1, 1), float(number)) for name, number in told.items()}
    state["drop_one"] = work.value(correlated.DROP_ONE, state)
    state["drop_pair"] = work.value(correlated.DROP_PAIR, state) if size > 1 else 0 * state["drop_one"]
    square, drop = work.value(correlated.DROPPED_BY_CHANCE, state).item(), state["drop_one"].item()
    out = np.full(size, drop)
    return Dropped(_along(law, out, law.mean * out), square, drop * float(law.hat.sum()), 1 - out)


def expanded(
    law: FittedLaw, gamma: float, weight: np.ndarray, n_keep: int, tolerance: float, work: Evaluator
) -> Dropped | None:
    """What is dropped where a threshold on weight |coefficient| keeps so many features on average.

    The order of the series is raised until D2 is known to within `tolerance` of the test risk; None where that takes
    too many orders, as it may if two coefficients are nearly the same but for their sign.

    Parameters
    ----------
    law : FittedLaw
    gamma : float
        Test risk of the fit.
    weight : ndarray, shape (p,)
        Positive; features whose coefficient does not vary must be left out beforehand.
    n_keep : int
        Between 1 and p.
    tolerance : float
    work : Evaluator
    """
    deviations, signs = law.deviations, np.where(law.mean < 0, -1.0, 1.0)
    scores = {"m": abs(law.mean) * weight, "s": deviations * weight, "tau": deviations * weight}
    state = {name: array[None] for name, array in scores.items()}
    state["mu"] = state["m"] / state["s"]
    threshold = _threshold(state, n_keep, work)
    if threshold is None:
        return None
    state["t"] = threshold
    wanted = (symbols.z, symbols.u, symbols.M0, symbols.M1, symbols.N1, symbols.N2, symbols.NH)
    found = work.lower(wanted, masks.INTERVAL | masks.THRESHOLD_MOMENTS, "correlated.moments")(state)
    state["z"], state["u"], kept, first, *left_out = (np.broadcast_to(one, (1, len(weight))) for one in found)
    means, squares, slopes = (one[0] / weight**power for one, power in zip(left_out, (1, 2, 1), strict=True))
    along = _along(law, slopes / deviations, signs * means)
    series = _Series(law, squares, signs)
    series.add(means, 1 - kept[0])
    series.add(slopes, -first[0])
    for order, edges in zip(range(2, MOST_ORDERS), _edges(state), strict=False):
        if series.remainder <= tolerance * (gamma + 2 * along + series.total):
            hat = float(law.hat @ (slopes / deviations))
            variance = float((kept * (1 - kept)).sum()) + series.spread
            return Dropped(along, series.total, hat, kept[0], series.remainder, variance)
        state |= edges | {"hermite_order": np.full((1, 1), float(order))}
        of_count = work.value(correlated.HERMITE_OF_COUNT, state)[0]
        series.add(work.value(correlated.HERMITE, state)[0] / weight, of_count)
    return None


def _along(law: FittedLaw, slopes: np.ndarray, means: np.ndarray) -> float:
    """D1: minus what is dropped times Sigma times the error, from means and from mean slopes of what is dropped."""
    return -float(law.pull @ means + law.shared.sum(axis=0) @ slopes)


def _threshold(state: State, n_keep: int, work: Evaluator) -> np.ndarray | None:
    """The threshold that so many scores reach on average, shape (1, 1); None where doubles do not resolve it."""
    size = state["m"].shape[1]
    if n_keep == size:
        return np.zeros((1, 1))
    count = np.full((1, 1), float(size))
    state = state | {"weights": np.ones((1, size)), "total": count, "Lambda": np.ones((1, size))}
    state |= {"alpha": n_keep / count, "live_excess": 1 - n_keep / count}
    balance = Balance(
        terms=work.terms(masks.THRESHOLD, masks.INTERVAL),
        state={name: state[name] for name in ("mu", "s", "weights")},
        place=lambda x, _: {"t": x},
        surplus=Surplus(count - n_keep, 0 * count, 0.0),
        scale=None,
        supply=None,
    )
    highest = work.value(masks.THRESHOLD_UPPER, state).max(keepdims=True)
    root = balance_root(balance, *open_bracket(work.value(masks.THRESHOLD_LOWER, state), highest), None, work.system)
    return root.x if root.converged.all() else None


def _edges(state: State) -> Iterator[State]:
    """From order two on, what Hermite coefficients need: polynomials at the ends of the interval that is dropped.

    He_k/sqrt(k!) by their recursion, as psi_k = (x psi_(k-1) - sqrt(k-1) psi_(k-2))/sqrt(k).
    """
    # Beyond 40 the density, by which they are multiplied, is zero, and they would overflow.
    ends = {name: np.clip(x, -40, 40) for name, x in (("upper", state["z"]), ("lower", state["z"] - 2 * state["u"]))}
    before, here = ({name: 0 * x + 1 for name, x in ends.items()}, ends)
    for order in count(2):
        yield {f"psi_{name}": x for name, x in here.items()} | {f"psi_{name}_before": x for name, x in before.items()}
        after = {
            name: (x * here[name] - np.sqrt(order - 1) * before[name]) / np.sqrt(order) for name, x in ends.items()
        }
        before, here = here, after


class _Series:
    """The sums over pairs of features, order by order: of what is dropped, and of whether it is.

    Attributes
    ----------
    total : float
        D2 so far.
    spread : float
        What pairs add to the variance of the number that is dropped, so far.
    """

    def __init__(self, law: FittedLaw, squares: np.ndarray, signs: np.ndarray):
        self._correlations = law.covariance / np.outer(law.deviations, law.deviations)
        self._powers = 1 - np.eye(len(squares))
        self._weighed = law.features * self._powers
        self._left, self._signs, self._order = squares, signs, 0
        self.total, self.spread = float(law.features.diagonal() @ squares), 0.0

    def add(self, coefficients: np.ndarray, of_count: np.ndarray) -> None:
        """The next order, by Hermite coefficients of features whose mean is not negative."""
        if self._order:
            self._powers *= self._correlations
            self._weighed *= self._correlations
            of_count = of_count * self._signs**self._order
            self.spread += float(of_count @ self._powers @ of_count)
        signed = coefficients * self._signs ** (self._order + 1)
        self.total += float(signed @ self._weighed @ signed)
        self._left = np.maximum(self._left - coefficients**2, 0)
        self._order += 1

    @property
    def remainder(self) -> float:
        """A bound on what is left out: the coefficients left have these squares, and are multiplied by |r|^order."""
        left = np.sqrt(self._left)
        return float(left @ abs(self._weighed * self._correlations) @ left)
