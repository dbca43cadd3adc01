"""T2. Sampling by a score: features are kept by chance, in proportion to omega|X|, and reweighted.

With a sure top, a feature is kept with probability min(1, omega|X|/t) and divided by it: what is kept stays unbiased.
With replacement, alpha p draws are made and a feature is multiplied by its count over the mean count. Either way test
and training error grow by the same amount, least where omega is sqrt(Lambda), the sensitivity. The masks then serve
retraining, which sees them alone.
"""

from sympy import Abs, Eq, Min, exp

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import (
    Inside,
    boundary,
    discounted,
    off_tent,
    phi,
    positive,
    ratio,
    spread,
    tail,
    tent,
    tent_drop,
    tent_loss,
    tent_moment,
)
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.formulas.symbols import H
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS
from riskcalc.theory.masks import INTERVAL, SCORE
from riskcalc.theory.symbols import (
    M0,
    M1,
    B,
    Lambda,
    M0bar,
    M2c,
    X,
    alpha,
    distortion,
    draw_rate,
    excess_risk,
    gamma,
    growth,
    m,
    mean_score,
    mu,
    omega,
    power,
    q,
    risk,
    s,
    sigma2,
    t,
    training_error,
    u,
    z,
)

_SOURCE = "see the derivation of sampling; after L. Liebenwein, C. Baykal et al., Provable filter pruning, ICLR 2020"
SCORED = COEFFICIENT | SCORE
# What a feature's score is of its share in a prediction.
_SHARE = ratio(Lambda, omega**2)
MOMENTS = {M0: off_tent(mu, u), M0bar: tent(mu, u), M1: tent_drop(mu, u), M2c: tent_moment(mu, u)}
SURE_TOP = SCORED | INTERVAL | MOMENTS

CHANCE = Min(1, omega * Abs(X) / t)

THRESHOLD = FixedPoint(
    id="sampling.threshold",
    title="score from which on a feature is kept surely",
    defines=t,
    statement=Eq(E(M0), alpha),
    where=SURE_TOP,
    part=off_tent(mu, u),
    remainder=tent(mu, u),
    slope=Inside(z, u) - tent(mu, u),
    bend=boundary(z, u) - Inside(z, u) + tent(mu, u),
    target=alpha,
    assumptions=r"$\alpha < \mathbb{P}(\Lambda > 0)$; the root $t > 0$ is then unique",
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

MEAN_SCORE = Formula(
    id="sampling.mean_score",
    title="mean score of a feature",
    defines=mean_score,
    statement=E(m * (1 - 2 * tail(mu)) + 2 * s * phi(mu)),
    where=SCORED,
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

UPPER = Formula(
    id="sampling.threshold_upper",
    title="upper bound on the score from which on a feature is kept surely",
    defines=t,
    relation="<=",
    statement=mean_score / alpha,
    source=r"$\min(1, x) \le x$ in sampling.threshold",
    derived_from=("sampling.threshold", "sampling.mean_score"),
)

# Draws with replacement: the chance of none is exp(-draw_rate |H + mu|).
_none = discounted(mu, draw_rate) + discounted(-mu, draw_rate)
REPLACED = SCORED | {
    draw_rate: alpha * s / mean_score,
    M0: 1 - _none,
    M0bar: _none,
    M1: draw_rate * (discounted(mu, draw_rate) - discounted(-mu, draw_rate)),
    M2c: draw_rate * (2 * phi(mu) - draw_rate * _none),
}

REPLACED_CHANCE = 1 - exp(-draw_rate * Abs(mu + H))

POWER = Formula(
    id="sampling.power",
    title="mean square of a prediction of the dense fit",
    defines=power,
    statement=E(Lambda * X**2),
    where=COEFFICIENT,
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

GROWTH = Formula(
    id="sampling.growth",
    title="growth of test risk and training error by sampling with a sure top",
    defines=growth,
    statement=E(_SHARE * s**2 * tent_loss(mu, u)),
    where=SCORED | INTERVAL,
    source=_SOURCE,
    derived_from=("sampling.threshold",),
)

REPLACED_GROWTH = Formula(
    id="sampling.replaced_growth",
    title="growth of test risk and training error by sampling with replacement",
    defines=growth,
    statement=mean_score * E(_SHARE * (m * (1 - 2 * tail(mu)) + 2 * s * phi(mu))) / alpha,
    where=SCORED,
    source=_SOURCE,
    derived_from=("sampling.mean_score",),
)

DISTORTION = Formula(
    id="sampling.distortion",
    title="mean square of what sampling changes in a prediction, relative to that of the prediction",
    defines=distortion,
    statement=growth / E(Lambda * X**2),
    evaluation=positive(E(Lambda * X**2)) * growth / spread(E(Lambda * X**2)),  # a fit of zeros is not distorted
    where=COEFFICIENT,
    source=_SOURCE,
    derived_from=("sampling.growth", "sampling.replaced_growth", "sampling.power"),
)

RISK = Formula(
    id="sampling.risk",
    title="test risk of the sampled fit",
    defines=risk,
    statement=gamma + growth,
    source=_SOURCE,
    derived_from=("dense.risk", "sampling.growth", "sampling.replaced_growth"),
)

EXCESS_RISK = Formula(
    id="sampling.excess_risk",
    title="test risk of the sampled fit beyond the noise",
    defines=excess_risk,
    statement=gamma - sigma2 + growth,
    evaluation=E(Lambda * (B - X) ** 2) + growth,
    where=COEFFICIENT,
    complements=COMPLEMENTS,
    source=_SOURCE,
    derived_from=("sampling.risk", "dense.coefficient_risk"),
)

TRAINING_ERROR = Formula(
    id="sampling.training_error",
    title="training error of the sampled fit",
    defines=training_error,
    statement=gamma * q**2 + growth,
    source=_SOURCE,
    derived_from=("dense.training_error", "dense.slack", "sampling.growth", "sampling.replaced_growth"),
)

CHAPTER = Chapter(
    "sampling",
    "Sampling",
    (THRESHOLD, MEAN_SCORE, UPPER, POWER, GROWTH, REPLACED_GROWTH, DISTORTION, RISK, EXCESS_RISK, TRAINING_ERROR),
)
