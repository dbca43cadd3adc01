"""T2. Pruning policies: the law of the mask, seen through its moments E[S], E[H S] and E[(H^2 - 1) S] per atom.

A policy that thresholds a score omega*|X| drops X in (-t/omega, t/omega), that is, H in an interval with upper end z
and half-width u. A policy that ranks without noise (by the true coefficients, or because the fit is exact) keeps the
top of the ranking. Which policy has which mask is in `prediction/policies.py`.
"""

from typing import Any

from sympy import Abs, Eq, Integer, log, pi, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E, MaskedMoments
from riskcalc.formulas.nodes import (
    Inside,
    Outside,
    boundary,
    edge_drop,
    edge_moment,
    inner_first,
    inner_second,
    inner_slope,
    inside_rate,
    outside_rate,
    positive,
    spread,
    top,
    two_sided_quantile,
)
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.formulas.symbols import Expression, H
from riskcalc.theory.dense import COEFFICIENT, SHRINKAGE
from riskcalc.theory.symbols import (
    M0,
    M1,
    N1,
    N2,
    NH,
    B,
    B_pivot,
    D,
    Lambda,
    M0bar,
    M2c,
    X,
    a,
    abar,
    abar_pivot,
    alpha,
    lag,
    live_excess,
    m,
    mu,
    nu,
    omega,
    omega_pivot,
    part,
    partbar,
    s,
    score,
    sign,
    step,
    t,
    tau,
    u,
    z,
)

MOMENTS = MaskedMoments(kept=M0, dropped=M0bar, first=M1, second=M2c)
_PAPER = "Chang et al. 2021, Definitions 1-2 and Theorem 2"

# The score omega*|X|: its mean and spread; the interval of H that drops it. A pivoted threshold is known by its
# distances from the mean scores, lag + step, which a difference of u and mu would lose.
SCORE = {m: omega * a * B, s: spread(omega * tau), mu: m / s}
INTERVAL = {u: t / s, z: u - mu}
PIVOTED_INTERVAL = {u: t / s, z: (lag + step) / s}


def _threshold_moment(name: str, title: str, moment, statement) -> Formula:
    where = COEFFICIENT | SCORE | INTERVAL
    title, behind = f"{title} of a thresholded coefficient", ("dense.coefficient",)
    return Formula(f"masks.{name}", title, moment, statement, _PAPER, where, derived_from=behind)


KEPT = _threshold_moment("kept", "probability of keeping", M0, Outside(z, u))
DROPPED = _threshold_moment("dropped", "probability of being dropped,", M0bar, Inside(z, u))
FIRST = _threshold_moment("first_moment", "first masked moment", M1, edge_drop(z, u))
SECOND = _threshold_moment("second_moment", "second masked moment", M2c, edge_moment(z, u))

# What is dropped of a coefficient: from the moments of any mask, and of a threshold, where those would cancel.
LEFT_OUT = {
    N1: a * B * M0bar - tau * M1,
    N2: (a * B) ** 2 * M0bar - 2 * a * B * tau * M1 + tau**2 * (M0bar - M2c),
    NH: tau * (M0bar - M2c) - a * B * M1,
}
LEFT_OUT_FIRST = _threshold_moment("left_out", "what is dropped", N1, tau * inner_first(z, u))
LEFT_OUT_SECOND = _threshold_moment("left_out_square", "square of what is dropped", N2, tau**2 * inner_second(z, u))
LEFT_OUT_NOISE = _threshold_moment("left_out_noise", "overlap with H of what is dropped", NH, tau * inner_slope(z, u))

_OF_THRESHOLDS = (KEPT, DROPPED, FIRST, SECOND, LEFT_OUT_FIRST, LEFT_OUT_SECOND, LEFT_OUT_NOISE)
THRESHOLD_MOMENTS = {formula.defines: formula.statement for formula in _OF_THRESHOLDS}
RANKING_MOMENTS = {M0: top(score, t, part), M0bar: top(-score, -t, partbar), M1: Integer(0), M2c: Integer(0)}
RANDOM_MOMENTS = {M0: alpha, M0bar: 1 - alpha, M1: Integer(0), M2c: Integer(0)}

# Whether the score of a fitted coefficient reaches the threshold.
REACHED = top(omega * Abs(X), t, Integer(0))

# Weights of scores; the rankings by the true coefficients and by variance; the one that keeps every feature of positive
# variance first.
MAGNITUDE, HESSIAN, SURGEON = Integer(1), sqrt(Lambda), sqrt(Lambda + D * nu)
ORACLE_SCORE, VARIANCE_SCORE = Lambda * B**2, Lambda
LIVE_SCORE = positive(Lambda)

THRESHOLD = FixedPoint(
    id="masks.threshold",
    title=r"threshold that a fraction $\alpha$ of the scores reaches",
    defines=t,
    statement=Eq(E(M0), alpha),
    where=COEFFICIENT | SCORE | INTERVAL | THRESHOLD_MOMENTS,
    part=Outside(z, u),
    remainder=Inside(z, u),
    slope=boundary(z, u),
    bend=boundary(z, u) - u**2 * edge_moment(z, u),
    rates=(outside_rate(z, u), inside_rate(z, u)),
    target=alpha,
    assumptions=r"$\alpha < \mathbb{P}(\Lambda > 0)$ and $\gamma > 0$; the root $t > 0$ is then unique",
    source=_PAPER,
    derived_from=("dense.risk",),
)

THRESHOLD_UPPER = Formula(
    id="masks.threshold_upper",
    title=r"a threshold that, atom by atom, at most a fraction $\alpha$ reaches; the largest bounds $t$ from above",
    defines=t,
    relation="<=",
    statement=m + s * sqrt(2 * log(1 / alpha)),
    source=r"$\mathbb{P}(|H| > x) \le e^{-x^2/2}$ in masks.threshold",
    derived_from=("masks.threshold",),
)

THRESHOLD_LOWER = Formula(
    id="masks.threshold_lower",
    title="lower bound on the threshold",
    defines=t,
    relation=">=",
    statement=sqrt(pi / 2) * live_excess / E(positive(Lambda) / s),
    assumptions=r"$\delta_\alpha = \mathbb{P}(\Lambda > 0) - \alpha > 0$",
    source=r"$\mathbb{P}(|m + \varsigma H| < t) \le \sqrt{2/\pi}\,t/\varsigma$ in masks.threshold",
    derived_from=("masks.threshold",),
)

THRESHOLD_START = Formula(
    id="masks.threshold_start",
    title="threshold of one Gaussian score with the same second moment: a first trial",
    defines=t,
    relation="~",
    statement=two_sided_quantile(alpha) * sqrt(E((m + s * H) ** 2)),
    evaluation=two_sided_quantile(alpha) * sqrt(E(m**2 + s**2)),
    source="moment matching",
)

# Where a score's spread is far below its mean, the threshold is resolved as a distance from the mean score of one
# atom, and the distances between means are formed without cancellation.
LAG = Formula(
    id="masks.lag",
    title="distance between the mean scores of two nearly unshrunk atoms",
    defines=lag,
    statement=omega_pivot * B_pivot * (1 - abar_pivot) - omega * B * (1 - abar),
    evaluation=(omega_pivot * B_pivot - omega * B) - (omega_pivot * abar_pivot * B_pivot - omega * abar * B),
    where=SHRINKAGE,
    source="definition of the score",
)

# What defines the moments of a ranking, of chance, and of a threshold on the score of a weight.
RANKED, RANDOM = COEFFICIENT | RANKING_MOMENTS, COEFFICIENT | RANDOM_MOMENTS


# Coefficients on average, with the signs that they have; of a fit without error, they themselves.
MEAN = sign * a * B
EXACT = {X: MEAN} | SHRINKAGE


def score_by(weight: Expression) -> Expression:
    """The score of a weight."""
    return weight * Abs(X)


def tells_left_out(where: Any) -> bool:
    """Whether definitions say what is left out, by itself."""
    return N1 in where


def without_left_out(where: Any) -> dict[Any, Expression]:
    """Definitions, but of what is left out."""
    return {symbol: rule for symbol, rule in where.items() if symbol not in LEFT_OUT}


def scored(weight: Expression) -> dict[Any, Expression]:
    """Mean and spread of the score of a weight."""
    return COEFFICIENT | {omega: weight} | SCORE


def thresholded(weight: Expression) -> dict[Any, Expression]:
    """The moments of its mask."""
    return scored(weight) | INTERVAL | THRESHOLD_MOMENTS


CHAPTER = Chapter(
    "masks",
    "Masks",
    (*_OF_THRESHOLDS, THRESHOLD, THRESHOLD_UPPER, THRESHOLD_LOWER, THRESHOLD_START, LAG),
    meanings={M0bar: 1 - M0, partbar: 1 - part},
)
