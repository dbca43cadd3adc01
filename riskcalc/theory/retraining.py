"""T6. Retraining on the same sample: the mask depends on the data that the second fit sees.

Both fits are fixed points of one message-passing iteration on the same design. The second one keeps a memory of the
first, c abar (W + G1), and its noise is correlated with that of the first, rho G1 plus something new. The two weights
solve two linear equations; the reducer does the rest. Where the mask is independent of the sample (a ranking by the
true coefficients, chance) this is the small model's formula, T4, which is then evaluated.
"""

from sympy import Eq

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import rest, share
from riskcalc.formulas.records import Formula, LinearEquation
from riskcalc.formulas.symbols import H, S
from riskcalc.theory.dense import COMPLEMENTS
from riskcalc.theory.masks import MOMENTS
from riskcalc.theory.symbols import (
    G1,
    V1,
    V2,
    D,
    Lambda,
    W,
    a,
    a2,
    a2bar,
    abar,
    c,
    excess_risk,
    gamma,
    kappa,
    nu2,
    q2,
    retrained_risk,
    rho,
    ridge2,
    sigma2,
    training_error,
)
from riskcalc.theory.training_error import FITTED

_DERIVATION = "see the derivation of retraining"

SHRINKAGE = {a2: share(Lambda, D * nu2), a2bar: rest(Lambda, D * nu2)}
REFITTED = FITTED | SHRINKAGE | {V2: S * a2 * (W + rho * G1 + c * abar * (W + G1))}
_REDUCTION = {"where": REFITTED, "complements": COMPLEMENTS | {a2: a2bar}, "moments": MOMENTS}

# W - V2 in small numbers: nothing of what is dropped is found, of what is kept all but a bias.
_bias, _gain = a2bar - c * abar * a2, a2 * (rho + c * abar)
_miss = (1 - S) * W + S * (_bias * W - _gain * G1)

EFFECTIVE_RIDGE = Formula(
    id="retraining.effective_ridge",
    title="effective ridge of the second fit: that of a dense fit to the features kept",
    defines=nu2,
    statement=Eq(nu2, ridge2 + kappa * nu2 * E(a2 * S)),
    assumptions=r"$\lambda_2 > 0$ or $\kappa\,\mathbb{P}(S = 1, \Lambda > 0) > 1$; otherwise $\nu_2 = 0$",
    source=_DERIVATION,
    derived_from=("dense.effective_ridge",),
    **_REDUCTION,
)

SLACK = Formula(
    id="retraining.slack",
    title=r"one minus $\kappa$ times the mean shrinkage of the second fit",
    defines=q2,
    statement=1 - kappa * E(a2 * S),
    source=_DERIVATION,
    derived_from=("retraining.effective_ridge",),
    **_REDUCTION,
)

STATIONARITY = LinearEquation(
    id="retraining.stationarity",
    title="the second fit is stationary on the features kept",
    defines=c,
    statement=Eq(c * q2 + kappa * E(V2 * G1 / gamma - rho * a2 * S), 0),
    unknowns=(rho, c),
    source=_DERIVATION,
    derived_from=("dense.coefficient", "retraining.slack"),
    **_REDUCTION,
)

COVARIANCE = LinearEquation(
    id="retraining.covariance",
    title="covariance of the noises of the two fits",
    defines=rho,
    statement=Eq(rho * gamma, sigma2 + kappa * E((W - V1) * (W - V2))),
    evaluation=rho * gamma - sigma2 - kappa * E((abar * W - a * G1) * _miss),
    unknowns=(rho, c),
    source=_DERIVATION,
    derived_from=("dense.risk", "dense.coefficient"),
    **_REDUCTION,
)

# What the second fit adds to the noise that it sees: the part of G2 that is new has the variance risk - rho^2 gamma.
_spread = 1 - kappa * E(a2**2 * S)
_spread_stable = q2 + kappa * E(a2 * a2bar * S)
_missed = (1 - S) * W**2 + S * (
    _bias**2 * W**2
    - 2 * _bias * W * _gain * G1
    + _gain**2 * gamma * (H**2 - 1)
    + a2**2 * c * abar * (2 * rho + c * abar) * gamma
)

RISK = Formula(
    id="retraining.risk",
    title="test risk after retraining on the same sample",
    defines=retrained_risk,
    statement=(sigma2 + kappa * E((W - V2) ** 2) - kappa * E(a2**2 * S) * rho**2 * gamma) / _spread,
    evaluation=(sigma2 + kappa * E(_missed)) / _spread_stable,
    source=_DERIVATION,
    derived_from=("retraining.covariance", "retraining.stationarity", "retraining.slack"),
    **_REDUCTION,
)

EXCESS_RISK = Formula(
    id="retraining.excess_risk",
    title="test risk after retraining on the same sample beyond the noise",
    defines=excess_risk,
    statement=RISK.statement - sigma2,
    evaluation=kappa * E(_missed + sigma2 * a2**2 * S) / _spread_stable,
    source=_DERIVATION,
    derived_from=("retraining.risk",),
    **_REDUCTION,
)

TRAINING_ERROR = Formula(
    id="retraining.training_error",
    title="training error after retraining on the same sample",
    defines=training_error,
    statement=q2**2 * (retrained_risk + 2 * c * rho * gamma + c**2 * gamma),
    source=_DERIVATION,
    derived_from=("retraining.risk", "retraining.slack"),
    where=REFITTED,
)

CHAPTER = Chapter(
    "retraining",
    "Retraining on the same sample",
    (EFFECTIVE_RIDGE, SLACK, STATIONARITY, COVARIANCE, RISK, EXCESS_RISK, TRAINING_ERROR),
)
