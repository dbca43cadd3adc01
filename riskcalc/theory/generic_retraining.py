"""T12. A second fit to the features kept, which stand in general position to the eigenvectors of their covariance.

In the eigenbasis it is a ridge fit of effective ridge nu2 to all features, with something added along the vector that
the mask looks at, and an echo of the mask without direction. On the same sample that vector is the dense fit, and the
second fit is (1 - t) ridge + t dense + echo. A mask that does not look (k = alpha) leaves a small model on features
taken by chance.
"""

from typing import Any

from sympy import Eq, Max

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive, positive_root, ratio, rest, share
from riskcalc.formulas.records import Equation, Formula
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS
from riskcalc.theory.generic_symbols import (
    alphabar,
    blend,
    e12,
    echo_norm,
    eta,
    excess_ab,
    excess_bb,
    g,
    k,
    kbar,
    loss,
    m2,
    norm,
    norm_aa,
    norm_ab,
    norm_bb,
    overlap,
    product,
    risk_ab,
    risk_bb,
    sight,
    spare,
    spreading,
    unused,
)
from riskcalc.theory.symbols import (
    B,
    Lambda,
    X,
    a,
    a2,
    a2bar,
    abar,
    alpha,
    excess_risk,
    gamma,
    kappa,
    nu2,
    q,
    retrained_risk,
    ridge,
    ridge2,
    sigma2,
    training_error,
)

_SOURCE = "see the derivation of retraining in a generic basis"
_GENERIC = r"the basis of the features is uniformly distributed (Haar), $D=1$"

SHRINKAGE = {a2: share(Lambda, nu2), a2bar: rest(Lambda, nu2)}
_COMPLEMENTS = COMPLEMENTS | {a2: a2bar}
FITS = COEFFICIENT | SHRINKAGE
MEANS = {g: E(a2bar), e12: E(a2 * a2bar)}
REFIT: dict[str, Any] = {"source": _SOURCE, "assumptions": _GENERIC, "complements": _COMPLEMENTS}
_ALONE: dict[str, Any] = REFIT | {"complements": {a2: a2bar}}

# What the solver evaluates at a trial of the effective ridge: the shrinkage, its complement and its slopes; and what
# else adds up to the smaller of alpha and 1/kappa, and its slope.
_apart = abs(spare) / kappa
_supplied = positive_root(-_apart, ridge2 * E(a2bar) / (kappa * nu2))
TERMS = (a2, a2bar, a2 * a2bar, a2 * a2bar * (a2 - a2bar))
SUPPLIED = (_supplied, ratio(ridge2 * E(a2bar**2), kappa * nu2 * (2 * _supplied + _apart)))

_larger = Max(1, 1 + spare)
_smaller = alpha / _larger
_harmonic = ratio(E(positive(Lambda)), E(ratio(positive(Lambda), Lambda)))
EFFECTIVE_RIDGE = Equation(
    id="generic_retraining.effective_ridge",
    title="effective ridge of the second fit",
    defines=nu2,
    statement=Eq(alpha - E(a2), positive_root(alpha - 1 / kappa, ridge2 * E(1 / (Lambda + nu2)) / kappa)),
    lower=Max(ridge2 / _larger, _harmonic * (E(positive(Lambda)) / _smaller - 1)),
    upper=2 * E(Lambda) / _smaller + 4 * ridge2 / (kappa * _smaller**2),
    where=SHRINKAGE,
    source=_SOURCE,
    assumptions=rf"{_GENERIC}; $\lambda_2>0$ or $\mathbb{{P}}(\Lambda>0)>\min(\alpha,1/\kappa)$; the root is unique",
    derived_from=("dense.effective_ridge",),
)

SLACK = Formula(
    id="generic_retraining.slack",
    title=r"one minus $\kappa$ times the mean shrinkage of the second fit",
    defines=eta,
    statement=positive_root(-spare, kappa * ridge2 * E(1 / (Lambda + nu2))),
    where=SHRINKAGE,
    derived_from=("generic_retraining.effective_ridge",),
    **_ALONE,
)

UNUSED = Formula(
    id="generic_retraining.unused",
    title=r"$\alpha$ minus that mean",
    defines=unused,
    statement=positive_root(spare / kappa, ridge2 * E(1 / (Lambda + nu2)) / kappa),
    where=SHRINKAGE,
    derived_from=("generic_retraining.effective_ridge",),
    **_ALONE,
)

LOSS = Formula(
    id="generic_retraining.loss",
    title="what the echo of the mask adds to the risk, per unit",
    defines=loss,
    statement=ratio(alphabar * nu2 * e12, g * unused * (eta + kappa * e12) + alphabar * eta * e12),
    where=SHRINKAGE | MEANS,
    derived_from=("generic_retraining.slack", "generic_retraining.unused"),
    **_ALONE,
)

_m2 = E(a2bar**2) + ratio(kappa * e12**2, eta + kappa * e12)
SPREADING = Formula(
    id="generic_retraining.spreading",
    title="what it adds to the mean square of the coefficients, per unit",
    defines=spreading,
    statement=ratio(alphabar * m2, g * ratio(eta * e12, eta + kappa * e12) + unused * m2),
    where=SHRINKAGE | MEANS | {m2: _m2},
    derived_from=("generic_retraining.slack", "generic_retraining.unused"),
    **_ALONE,
)

# Pairs of ridge fits to the same sample, the dense one (a) and that of the effective ridge nu2 (b).
SPREAD, _spread_ab = eta + kappa * e12, eta + kappa * E(a2 * abar)


def _of_pair(suffix, title, defines, statement, *derived_from, evaluation=None):
    return Formula(
        f"generic_retraining.{suffix}",
        title,
        defines,
        statement,
        evaluation=evaluation,
        where=FITS | MEANS,
        derived_from=derived_from,
        **REFIT,
    )


RISK_BB = _of_pair(
    "risk_bb",
    "test risk of the ridge fit",
    risk_bb,
    (sigma2 + E(Lambda * B**2 * a2bar**2)) / SPREAD,
    "generic_retraining.slack",
)
RISK_AB = _of_pair(
    "risk_ab",
    "covariance of the errors of both fits at a new point",
    risk_ab,
    (sigma2 + E(Lambda * B**2 * abar * a2bar)) / _spread_ab,
    "generic_retraining.slack",
)
NORM_AA = _of_pair("norm_aa", "mean square of the dense fit's coefficients", norm_aa, E(X**2), "dense.coefficient")
NORM_AB = _of_pair(
    "norm_ab",
    "mean product of both fits' coefficients",
    norm_ab,
    E(a * a2 * B**2) + kappa * risk_ab * E(ratio(a, Lambda + nu2)),
    "generic_retraining.risk_ab",
)
NORM_BB = _of_pair(
    "norm_bb",
    "mean square of the ridge fit's coefficients",
    norm_bb,
    E(a2**2 * B**2) + kappa * risk_bb * E(ratio(a2, Lambda + nu2)),
    "generic_retraining.risk_bb",
)
OVERLAP = _of_pair(
    "overlap",
    "product of the ridge fit and the dense one, over the dense one's square",
    overlap,
    norm_ab / norm_aa,
    "generic_retraining.norm_ab",
    "generic_retraining.norm_aa",
    evaluation=ratio(norm_ab, norm_aa),
)
EXCESS_BB = _of_pair(
    "excess_bb",
    "test risk of the ridge fit beyond the noise",
    excess_bb,
    risk_bb - sigma2,
    "generic_retraining.risk_bb",
    evaluation=(E(Lambda * B**2 * a2bar**2) + sigma2 * kappa * E(a2**2)) / SPREAD,
)
EXCESS_AB = _of_pair(
    "excess_ab",
    "covariance of both errors beyond the noise",
    excess_ab,
    risk_ab - sigma2,
    "generic_retraining.risk_ab",
    evaluation=(E(Lambda * B**2 * abar * a2bar) + sigma2 * kappa * E(a * a2)) / _spread_ab,
)


def _mixed(bb, ab, aa):
    return (1 - blend) ** 2 * bb + 2 * blend * (1 - blend) * ab + blend**2 * aa


def echo(square):
    """What the echo's variance is in proportion to: the square of the second fit, less what the mask knows of it.

    By the square of the vector that the mask looks at: the statement, and a form that keeps its digits.
    """
    along = ratio(product, square) * product
    return norm - sight / (k * (1 - alpha)) * product**2 / square, norm - along + alpha * ratio(
        kbar, k * alphabar
    ) * along


BLEND = _of_pair(
    "blend",
    "weight of the dense fit in the retrained one",
    blend,
    overlap * sight / (overlap * sight + alpha * (1 - k) + k * (ridge2 - ridge) * E(1 / (Lambda + nu2)) / eta),
    "generic_retraining.overlap",
    "generic_retraining.slack",
    evaluation=ratio(
        overlap * sight * nu2 * eta,
        nu2 * eta * (overlap * sight + alpha * kbar) + k * (ridge2 - ridge) * g,
    ),
)

NORM = _of_pair(
    "norm",
    "mean square of the second fit's coefficients, but for the echo",
    norm,
    _mixed(norm_bb, norm_ab, norm_aa),
    "generic_retraining.blend",
)

PRODUCT = _of_pair(
    "product",
    "mean product of both, but for the echo",
    product,
    (1 - blend) * norm_ab + blend * norm_aa,
    "generic_retraining.blend",
)

_echo, _echo_stable = echo(norm_aa)
ECHO_NORM = _of_pair(
    "echo_norm",
    "what the echo's variance is in proportion to",
    echo_norm,
    _echo,
    "generic_retraining.norm",
    "generic_retraining.product",
    evaluation=_echo_stable,
)

RISK = _of_pair(
    "risk",
    "test risk after retraining on the same sample",
    retrained_risk,
    _mixed(risk_bb, risk_ab, gamma) + loss * echo_norm,
    "generic_retraining.echo_norm",
    "generic_retraining.loss",
)

EXCESS_RISK = _of_pair(
    "excess_risk",
    "the same beyond the noise",
    excess_risk,
    retrained_risk - sigma2,
    "generic_retraining.risk",
    "generic_retraining.excess_bb",
    "generic_retraining.excess_ab",
    evaluation=_mixed(excess_bb, excess_ab, gamma - sigma2) + loss * echo_norm,
)

TRAINING_ERROR = _of_pair(
    "training_error",
    "training error after retraining on the same sample",
    training_error,
    (1 - blend) * (eta**2 * risk_bb + eta * nu2 * norm_bb)
    + blend * (q**2 * gamma + ridge * norm_aa)
    - ridge2 * (norm + spreading * echo_norm),
    "generic_retraining.risk",
    "generic_retraining.spreading",
    "dense.slack",
)

CHAPTER = Chapter(
    "generic_retraining",
    "Retraining in a generic basis",
    (
        EFFECTIVE_RIDGE,
        SLACK,
        UNUSED,
        LOSS,
        SPREADING,
        RISK_BB,
        RISK_AB,
        NORM_AA,
        NORM_AB,
        NORM_BB,
        OVERLAP,
        EXCESS_BB,
        EXCESS_AB,
        BLEND,
        NORM,
        PRODUCT,
        ECHO_NORM,
        RISK,
        EXCESS_RISK,
        TRAINING_ERROR,
    ),
    meanings={spare: kappa * alpha - 1, eta: 1 - kappa * E(a2), unused: alpha - E(a2)},
)
