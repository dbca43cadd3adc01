"""T12. Second fits in a generic basis: on the same sample, on a fresh one, and where the truth chose.

A mask in general position acts on a second fit as a ridge on all features, of effective ridge nu2: a random mask gives
that ridge fit and an echo without direction. A mask that looked at a vector adds a multiple of it.
"""

from sympy import Eq, Max

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive, ratio, rest, share
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.theory import generic_basis
from riskcalc.theory.symbols import (
    B,
    Lambda,
    a,
    a2,
    a2bar,
    abar,
    alpha,
    alphabar,
    beyond,
    blend,
    blendbar,
    echo_loss,
    echo_norm,
    echo_square,
    excess,
    excess_risk,
    full_risk,
    gamma,
    joint_risk,
    k,
    kappa,
    kept_extra,
    nu,
    nu2,
    overlap,
    q,
    q2,
    retrained_risk,
    ridge,
    ridge2,
    ridge_gap,
    seen_second,
    seen_square,
    seen_truth,
    sigma2,
    spare,
    squares,
    tau,
    training_error,
    unseen,
    vector_weight,
)

_SOURCE = "see the derivations of second fits in a generic basis"
SECOND = {a2: share(Lambda, nu2), a2bar: rest(Lambda, nu2)}
LAW = generic_basis.LAW | SECOND

_e12 = E(a2 * a2bar)
_g1 = E(ratio(1, Lambda + nu2))
# 1 - kappa E[a2^2]
_spread = q2 + kappa * _e12

_EQUATION = {
    "defines": nu2,
    "statement": Eq(E(a2) + ridge2 * E(1 / (Lambda + nu2)) / (1 - kappa * E(a2)), alpha),
    "where": SECOND,
    "part": a2,
    "remainder": a2bar,
    "slope": a2 * a2bar,
    "bend": a2 * a2bar * (a2 - a2bar),
    "source": _SOURCE,
    "derived_from": ("dense.effective_ridge",),
}
EFFECTIVE_RIDGE = FixedPoint(
    id="generic_refit.effective_ridge",
    title="effective ridge of the second fit, generic basis",
    supply=ridge2 * E(a2bar) / (1 - kappa * E(a2)),
    target=alpha,
    assumptions=r"$\lambda_2 > 0$, or $\alpha < \mathbb{P}(\Lambda > 0)$; and $\kappa\alpha \le 1$",
    **_EQUATION,
)
INTERPOLATING_RIDGE = FixedPoint(
    id="generic_refit.interpolating_ridge",
    title="effective ridge of the second fit with more features than samples, generic basis",
    scale=kappa,
    supply=ridge2 * E(a2bar) / (alpha - E(a2)),
    assumptions=r"$\kappa\alpha > 1$, and $\lambda_2 > 0$ or $\kappa\,\mathbb{P}(\Lambda > 0) > 1$",
    **_EQUATION,
)
# Minus the logarithmic derivative of supply/nu2 in the logarithm of nu2.
_own_rate = E(a2bar**2) / E(a2bar)
SUPPLY = (EFFECTIVE_RIDGE.supply / nu2, _own_rate + kappa * _e12 / (1 - kappa * E(a2)))
INTERPOLATING_SUPPLY = (INTERPOLATING_RIDGE.supply / nu2, _own_rate + _e12 / (alpha - E(a2)))


# Bounds and a trial: features of the mean variance, or of the harmonic mean of the live ones, as in the dense fit.
_harmonic = ratio(E(positive(Lambda)), E(ratio(positive(Lambda), Lambda)))


def _formula(id, title, defines, statement, *derived_from, **rest):
    return Formula(
        id=f"generic_refit.{id}",
        title=f"{title}, generic basis",
        defines=defines,
        statement=statement,
        where=LAW,
        source=_SOURCE,
        derived_from=derived_from or ("generic_refit.effective_ridge",),
        **rest,
    )


LOWEST = _formula(
    "lowest",
    "lower bound on the effective ridge of the second fit",
    nu2,
    Max(ridge2, _harmonic * (E(positive(Lambda)) - alpha) / alpha),
    relation=">=",
)
INTERPOLATING_LOWEST = _formula(
    "interpolating_lowest",
    "lower bound on the effective ridge of a second fit with more features than samples",
    nu2,
    Max(ridge2, _harmonic * excess),
    "generic_refit.interpolating_ridge",
    relation=">=",
)
HIGHEST = _formula(
    "highest",
    "effective ridge of the second fit, about",
    nu2,
    E(Lambda) * (alphabar / alpha + kappa) + ridge2,
    "generic_refit.effective_ridge",
    "generic_refit.interpolating_ridge",
    relation="~",
)
SLACK = _formula("slack", r"one minus $\kappa$ times the mean shrinkage of the second fit", q2, 1 - kappa * E(a2))
INTERPOLATING_SLACK = _formula(
    "interpolating_slack",
    r"one minus $\kappa$ times the mean shrinkage of a second fit with more features than samples",
    q2,
    1 - kappa * E(a2),
    "generic_refit.interpolating_ridge",
    evaluation=ridge2 * _g1 / (alpha - E(a2)),
)
SPARE = _formula(
    "spare", "what the second fit leaves of the features", spare, alpha - E(a2), evaluation=ridge2 * _g1 / q2
)
INTERPOLATING_SPARE = _formula(
    "interpolating_spare",
    "what a second fit with more features than samples leaves of them",
    spare,
    alpha - E(a2),
    "generic_refit.interpolating_ridge",
    evaluation=(beyond + q2) / kappa,
)

FULL_RISK = _formula(
    "full_risk",
    "test risk of the ridge fit that a mask amounts to",
    full_risk,
    (sigma2 + E(Lambda * B**2 * (1 - a2) ** 2)) / (1 - kappa * E(a2**2)),
    evaluation=(sigma2 + E(Lambda * B**2 * a2bar**2)) / _spread,
)
JOINT_RISK = _formula(
    "joint_risk",
    "covariance of the errors of that ridge fit and the dense one",
    joint_risk,
    (sigma2 + E(Lambda * B**2 * (1 - a) * (1 - a2))) / (1 - kappa * E(a * a2)),
    evaluation=(sigma2 + E(Lambda * B**2 * abar * a2bar)) / (q + kappa * E(a * a2bar)),
)
_full_square = E(a2**2 * B**2) + kappa * full_risk * E(ratio(Lambda, (Lambda + nu2) ** 2))
_joint_square = E(a * a2 * B**2) + kappa * joint_risk * E(ratio(Lambda, (Lambda + nu) * (Lambda + nu2)))

ECHO_LOSS = _formula(
    "echo_loss",
    "what the echo of a mask adds to the test risk, per unit",
    echo_loss,
    ratio(
        alphabar * nu2 * _e12,
        E(a2bar) * spare * _spread + alphabar * q2 * _e12,
    ),
    "generic_refit.spare",
    "generic_refit.slack",
)

# On the same sample: a blend of that ridge fit and the dense fit.
OVERLAP = _formula(
    "overlap",
    "overlap of the ridge fit with the dense one, over the square of that",
    overlap,
    _joint_square / seen_square,
    "generic_refit.joint_risk",
)
SEEN_SQUARE = _formula(
    "seen_square", "mean square of the dense fit", seen_square, E(a**2 * B**2 + tau**2), "dense.risk"
)
RIDGE_GAP = _formula(
    "ridge_gap",
    "what a change of ridge takes off the blend",
    ridge_gap,
    (ridge2 - ridge) * _g1 / q2,
    "generic_refit.slack",
)
BLEND = _formula(
    "blend",
    "weight of the dense fit in the retrained one",
    blend,
    ratio(overlap * kept_extra, overlap * kept_extra + alpha * (1 - k) + k * ridge_gap),
    "generic_refit.overlap",
    "generic_refit.ridge_gap",
)
SQUARES = _formula(
    "squares",
    "mean square of the blend",
    squares,
    blendbar**2 * _full_square + 2 * blend * blendbar * overlap * seen_square + blend**2 * seen_square,
    "generic_refit.blend",
    "generic_refit.full_risk",
)
ECHO = _formula(
    "echo",
    "what the echo of a mask is in proportion to",
    echo_square,
    squares - ratio(kept_extra, k * alphabar) * (blendbar * overlap + blend) ** 2 * seen_square,
    "generic_refit.squares",
)
RETRAINED_RISK = _formula(
    "retrained_risk",
    "test risk after retraining on the same sample",
    retrained_risk,
    blendbar**2 * full_risk + 2 * blend * blendbar * joint_risk + blend**2 * gamma + echo_loss * echo_square,
    "generic_refit.echo",
    "generic_refit.echo_loss",
)
_m2 = E(a2bar) - q2 * _e12 / _spread
ECHO_NORM = _formula(
    "echo_norm",
    "what the echo of a mask adds to the mean square of the coefficients, per unit",
    echo_norm,
    ratio(alphabar * _m2, E(a2bar) ** 2 - alphabar * _m2),
    "generic_refit.slack",
)
RETRAINED_TRAINING_ERROR = _formula(
    "retrained_training_error",
    "training error after retraining on the same sample",
    training_error,
    blendbar * (q2**2 * full_risk + q2 * nu2 * _full_square)
    + blend * (gamma * q**2 + ridge * seen_square)
    - ridge2 * (squares + echo_norm * echo_square),
    "generic_refit.echo",
    "generic_refit.echo_norm",
    "dense.training_error",
)

# On a sample that the mask does not know: a multiple of what the mask looked at, and the ridge fit to the rest.
FIT = {seen_truth: a * B**2, seen_second: a**2 * B**2 + tau**2}
TRUTH = {seen_truth: B**2, seen_second: B**2}
_left = B**2 - 2 * vector_weight * seen_truth + vector_weight**2 * seen_second
_product = E(a2 * seen_truth) + vector_weight * E(a2bar * seen_second)

UNSEEN = _formula(
    "unseen", "share by which what a mask keeps of a vector is above chance", unseen, ratio(kept_extra, k)
)
VECTOR_WEIGHT = _formula(
    "vector_weight",
    "multiple of the vector that the mask looked at in the second fit",
    vector_weight,
    ratio(unseen * E(a2 * seen_truth), E(a2bar) * E(seen_second) - unseen * E(a2bar * seen_second)),
    "generic_refit.unseen",
)
REST_RISK = _formula(
    "rest_risk",
    "test risk of the ridge fit to the rest",
    full_risk,
    (sigma2 + E(Lambda * (1 - a2) ** 2 * _left)) / (1 - kappa * E(a2**2)),
    "generic_refit.vector_weight",
    evaluation=(sigma2 + E(Lambda * a2bar**2 * _left)) / _spread,
)
REST_SQUARES = _formula(
    "rest_squares",
    "mean square of the second fit but for its echo",
    squares,
    E(a2**2 * B**2 + 2 * vector_weight * a2 * a2bar * seen_truth + vector_weight**2 * a2bar**2 * seen_second)
    + kappa * full_risk * E(ratio(Lambda, (Lambda + nu2) ** 2)),
    "generic_refit.rest_risk",
)
REST_ECHO = _formula(
    "rest_echo",
    "what the echo of a mask is in proportion to, on a sample that it does not know",
    echo_square,
    squares - ratio(unseen * _product**2, alphabar * E(seen_second)),
    "generic_refit.rest_squares",
)
FRESH_RISK = _formula(
    "fresh_risk",
    "test risk after retraining on a fresh sample",
    retrained_risk,
    full_risk + echo_loss * echo_square,
    "generic_refit.rest_echo",
    "generic_refit.echo_loss",
)
FRESH_TRAINING_ERROR = _formula(
    "fresh_training_error",
    "training error after retraining on a fresh sample",
    training_error,
    q2**2 * full_risk + q2 * nu2 * (squares - vector_weight * _product) - ridge2 * (squares + echo_norm * echo_square),
    "generic_refit.rest_echo",
    "generic_refit.echo_norm",
)

EXCESS_RISK = _formula(
    "excess_risk",
    "test risk after a second fit beyond the noise",
    excess_risk,
    retrained_risk - sigma2,
    "generic_refit.retrained_risk",
    "generic_refit.fresh_risk",
)

CHAPTER = Chapter(
    "generic_refit",
    "Second fits in a generic basis",
    (
        EFFECTIVE_RIDGE,
        INTERPOLATING_RIDGE,
        LOWEST,
        INTERPOLATING_LOWEST,
        HIGHEST,
        SLACK,
        INTERPOLATING_SLACK,
        SPARE,
        INTERPOLATING_SPARE,
        FULL_RISK,
        JOINT_RISK,
        ECHO_LOSS,
        SEEN_SQUARE,
        OVERLAP,
        RIDGE_GAP,
        BLEND,
        SQUARES,
        ECHO,
        ECHO_NORM,
        RETRAINED_RISK,
        RETRAINED_TRAINING_ERROR,
        UNSEEN,
        VECTOR_WEIGHT,
        REST_RISK,
        REST_SQUARES,
        REST_ECHO,
        FRESH_RISK,
        FRESH_TRAINING_ERROR,
        EXCESS_RISK,
    ),
)
