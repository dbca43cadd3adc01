"""T1. The dense fit of a linear Gaussian problem: effective ridge, test risk, training error, law of the coefficients.

The fit minimises ``|y - X beta|^2 / n + ridge * sum(D beta^2)``; ridge = 0 is the limit ridge -> 0+: the interpolator
of least D-weighted norm where kappa P(Lambda > 0) > 1, least squares where it is < 1.
"""

from sympy import Eq, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive, positive_root, ratio, rest, share
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.formulas.symbols import H
from riskcalc.theory.symbols import (
    B,
    D,
    Lambda,
    X,
    a,
    abar,
    excess,
    excess_risk,
    gamma,
    kappa,
    nu,
    q,
    ridge,
    sigma2,
    tau,
    training_error,
)

SHRINKAGE = {a: share(Lambda, D * nu), abar: rest(Lambda, D * nu)}
COMPLEMENTS = {a: abar}

_PAPER = "Chang et al. 2021, Theorem 1 and its ridge form"

COEFFICIENT_LAW = Formula(
    id="dense.coefficient",
    title="law of a fitted coefficient",
    defines=X,
    statement=a * B + tau * H,
    where=SHRINKAGE | {tau: ratio(sqrt(kappa * gamma * Lambda), Lambda + D * nu)},
    source=_PAPER,
    derived_from=("dense.effective_ridge", "dense.risk"),
)
COEFFICIENT = dict(COEFFICIENT_LAW.where) | {X: COEFFICIENT_LAW.statement}

EFFECTIVE_RIDGE = FixedPoint(
    id="dense.effective_ridge",
    title="effective ridge of the dense fit",
    defines=nu,
    statement=Eq(nu, ridge + kappa * nu * E(a)),
    where=SHRINKAGE,
    part=a,
    remainder=abar,
    slope=a * abar,
    bend=a * abar * (a - abar),
    scale=kappa,
    supply=ridge,
    assumptions=r"$\lambda > 0$ or $\kappa\,\mathbb{P}(\Lambda > 0) > 1$; the root $\nu > 0$ is then unique",
    source=_PAPER,
)

# Replacing the features by one feature with the harmonic (arithmetic) mean of Lambda/D gives a lower (upper) bound:
# E[l/(l + nu)] is convex in 1/l and concave in l.
_mean_l = ratio(E(ratio(Lambda, D)), E(positive(Lambda)))
_harmonic_l = ratio(E(positive(Lambda)), E(ratio(D * positive(Lambda), Lambda)))


def _one_feature(l):
    return positive_root(l * excess + ridge, ridge * l)


EFFECTIVE_RIDGE_UPPER = Formula(
    id="dense.effective_ridge_upper",
    title="upper bound on the effective ridge; exact for one atom",
    defines=nu,
    relation="<=",
    statement=_one_feature(_mean_l),
    source="Jensen's inequality on dense.effective_ridge",
    derived_from=("dense.effective_ridge",),
)

EFFECTIVE_RIDGE_LOWER = Formula(
    id="dense.effective_ridge_lower",
    title="lower bound on the effective ridge; exact for one atom",
    defines=nu,
    relation=">=",
    statement=_one_feature(_harmonic_l),
    source="Jensen's inequality on dense.effective_ridge",
    derived_from=("dense.effective_ridge",),
)

SLACK = Formula(
    id="dense.slack",
    title=r"one minus $\kappa$ times the mean shrinkage",
    defines=q,
    statement=1 - kappa * E(a),
    evaluation=ridge / nu,
    where=SHRINKAGE,
    assumptions=r"$\nu > 0$",
    source=_PAPER,
    derived_from=("dense.effective_ridge",),
)

LEAST_SQUARES_SLACK = Formula(
    id="dense.least_squares_slack",
    title=r"one minus $\kappa$ times the mean shrinkage, of least squares",
    defines=q,
    statement=-excess,
    assumptions=r"$\lambda = 0$ and $\delta = \kappa\,\mathbb{P}(\Lambda > 0) - 1 \le 0$; then $\nu = 0$, and $a = 1$ "
    "on live features",
    source=_PAPER,
    derived_from=("dense.slack",),
)

RISK = Formula(
    id="dense.risk",
    title="test risk of the dense fit",
    defines=gamma,
    statement=(sigma2 + E(Lambda * B**2 * (1 - a) ** 2)) / (1 - kappa * E(a**2)),
    evaluation=(sigma2 + E(Lambda * B**2 * abar**2)) / (q + kappa * E(a * abar)),
    where=SHRINKAGE,
    source=_PAPER,
    derived_from=("dense.effective_ridge", "dense.slack"),
)

LEAST_SQUARES_RISK = Formula(
    id="dense.least_squares_risk",
    title="test risk of least squares",
    defines=gamma,
    statement=sigma2 / (1 - kappa * E(positive(Lambda))),
    assumptions=r"$\lambda = 0$, $\kappa\,\mathbb{P}(\Lambda > 0) < 1$",
    source=_PAPER,
    derived_from=("dense.risk", "dense.least_squares_slack"),
)

EXCESS_RISK = Formula(
    id="dense.excess_risk",
    title="test risk of the dense fit beyond the noise",
    defines=excess_risk,
    statement=gamma - sigma2,
    evaluation=(E(Lambda * B**2 * abar**2) + sigma2 * kappa * E(a**2)) / (q + kappa * E(a * abar)),
    where=SHRINKAGE,
    source=_PAPER,
    derived_from=("dense.risk",),
)

TRAINING_ERROR = Formula(
    id="dense.training_error",
    title="training error of the dense fit",
    defines=training_error,
    statement=gamma * (1 - kappa * E(a)) ** 2,
    evaluation=gamma * q**2,
    where=SHRINKAGE,
    source=_PAPER,
    derived_from=("dense.risk", "dense.slack"),
)

COEFFICIENT_RISK = Formula(
    id="dense.coefficient_risk",
    title="test risk from the law of the coefficients; equal to the dense risk",
    defines=gamma,
    statement=sigma2 + E(Lambda * (B - X) ** 2),
    where=COEFFICIENT,
    complements=COMPLEMENTS,
    source=_PAPER,
    derived_from=("dense.risk",),
)

CHAPTER = Chapter(
    "dense",
    "The dense fit",
    (
        EFFECTIVE_RIDGE,
        EFFECTIVE_RIDGE_UPPER,
        EFFECTIVE_RIDGE_LOWER,
        SLACK,
        LEAST_SQUARES_SLACK,
        RISK,
        LEAST_SQUARES_RISK,
        EXCESS_RISK,
        TRAINING_ERROR,
        COEFFICIENT_LAW,
        COEFFICIENT_RISK,
    ),
    meanings={excess: kappa * E(positive(Lambda)) - 1},
)
