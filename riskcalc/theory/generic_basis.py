"""T12. Features in general position to the eigenvectors of their covariance, pruned.

The law of (Lambda, B) is that of the eigenvectors; D = 1. A fitted vector has no direction of its own among the
features, so that a mask on it counts by alpha and k alone, the share of its square that is kept: what is kept is k
times the vector, and a rest without direction whose share is k (1 - k).
"""

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import ratio
from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import H, S
from riskcalc.theory import dense, masks
from riskcalc.theory.dense import COEFFICIENT
from riskcalc.theory.symbols import (
    N2,
    B,
    Lambda,
    a,
    abar,
    alpha,
    excess_risk,
    factor,
    gamma,
    growth,
    k,
    kappa,
    kbar,
    kept_extra,
    kind_noise,
    mean_variance,
    nu,
    q,
    risk,
    sigma2,
    tau,
    training_error,
    truth_share,
)

_SOURCE = "see the derivation of pruning in a generic basis"
LAW = {symbol: COEFFICIENT[symbol] for symbol in (a, abar, tau)}

_null = sigma2 + E(Lambda * B**2)
_aligned = E(Lambda * a * B**2)
_power = E(Lambda * (a**2 * B**2 + tau**2))
_square = E(a**2 * B**2 + tau**2)
_scatter = E(Lambda) * _square
# Product of the dense fit's error with its predictions.
_misaligned = E(Lambda * a * abar * B**2) - kappa * gamma * E(a**2)
# What a mask changes in the risk, by its overlap with the error of the dense fit and by its own square.
_overlap, _lost = kbar * _misaligned, kbar**2 * _power + k * kbar * _scatter
_slack = q + kbar * kappa * E(a)

MEAN_VARIANCE = Formula(
    id="generic.mean_variance",
    title="mean variance of a feature",
    defines=mean_variance,
    statement=E(Lambda),
    source=_SOURCE,
)

KIND_NOISE = Formula(
    id="generic.kind_noise",
    title="noise with which features of one kind, of the mean variance, have coefficients of the same mean square",
    defines=kind_noise,
    statement=ratio(_square * (E(Lambda) + nu) ** 2, kappa * E(Lambda)),
    where=LAW,
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

KEPT = Formula(
    id="generic.kept_square",
    title="share of the square that a mask keeps",
    defines=k,
    statement=E(S * H**2),
    moments=masks.MOMENTS,
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

EXTRA = Formula(
    id="generic.kept_extra",
    title="share of the square that a mask keeps beyond what chance would",
    defines=kept_extra,
    statement=E(S * (H**2 - 1)),
    moments=masks.MOMENTS,
    source=_SOURCE,
    derived_from=("generic.kept_square",),
)

DROPPED = Formula(
    id="generic.dropped_square",
    title="share of the square that a mask drops",
    defines=kbar,
    statement=1 - k,
    source=_SOURCE,
    derived_from=("generic.kept_square",),
)

LEFT_OUT = Formula(
    id="generic.left_out",
    title="share of the square that a mask drops, from what is left out",
    defines=kbar,
    statement=ratio(E(N2), E(tau**2)),
    where={tau: COEFFICIENT[tau]},
    source=_SOURCE,
    derived_from=("generic.dropped_square",),
)

RISK = Formula(
    id="generic.risk",
    title="test risk of the pruned fit, generic basis",
    defines=risk,
    statement=_null - 2 * k * _aligned + k**2 * _power + k * (1 - k) * _scatter,
    evaluation=gamma + 2 * _overlap + _lost,
    where=LAW,
    source=_SOURCE,
    derived_from=("dense.risk", "dense.coefficient"),
)

EXCESS_RISK = Formula(
    id="generic.excess_risk",
    title="test risk of the pruned fit beyond the noise, generic basis",
    defines=excess_risk,
    statement=RISK.statement - sigma2,
    evaluation=dense.EXCESS_RISK.evaluation + 2 * _overlap + _lost,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.risk", "dense.excess_risk"),
)

TRAINING_ERROR = Formula(
    id="generic.training_error",
    title="training error of the pruned fit, generic basis",
    defines=training_error,
    statement=RISK.statement
    - 2 * k * kappa * E(a) * (_null - (1 + k) * _aligned + k * _power)
    + (k * kappa * E(a)) ** 2 * gamma,
    evaluation=gamma * _slack**2 + 2 * _slack * _overlap + _lost,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.risk", "dense.slack"),
)

SAMPLED_EXCESS_RISK = Formula(
    id="generic.sampled_excess_risk",
    title="test risk of the sampled fit beyond the noise, generic basis",
    defines=excess_risk,
    statement=dense.EXCESS_RISK.evaluation + growth,
    where=LAW,
    source=_SOURCE,
    derived_from=("dense.excess_risk", "sampling.risk"),
)

# Kept coefficients times a factor, the best there is.
_kept = k * _power + (1 - k) * _scatter

FACTOR = Formula(
    id="generic.factor",
    title="best factor of the coefficients kept, generic basis",
    defines=factor,
    statement=ratio(_aligned, _kept),
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.risk",),
)

RESCALED_RISK = Formula(
    id="generic.rescaled_risk",
    title="test risk of the pruned and rescaled fit, generic basis",
    defines=risk,
    statement=_null - k * factor * _aligned,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.factor",),
)

RESCALED_EXCESS_RISK = Formula(
    id="generic.rescaled_excess_risk",
    title="test risk of the pruned and rescaled fit beyond the noise, generic basis",
    defines=excess_risk,
    statement=E(Lambda * B**2) - k * factor * _aligned,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.rescaled_risk",),
)

RESCALED_TRAINING_ERROR = Formula(
    id="generic.rescaled_training_error",
    title="training error of the pruned and rescaled fit, generic basis",
    defines=training_error,
    statement=_null
    - k * factor * _aligned
    - 2 * factor * k * kappa * E(a) * (_null - (1 + factor * k) * _aligned + factor * k * _power)
    + (factor * k * kappa * E(a)) ** 2 * gamma,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.factor", "generic.training_error"),
)

# A mask that looks at the truth: k is the share of the true vector's square.
TRUTH_SHARE = Formula(
    id="generic.truth_share",
    title="regression of the fitted vector on the true one",
    defines=truth_share,
    statement=ratio(E(a * B**2), E(B**2)),
    where=LAW,
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

_true_part = kept_extra * truth_share
_rest = 1 - alpha - _true_part
_unlike = E(Lambda) * (
    truth_share**2 * k * (1 - k) * E(B**2) + alpha * (1 - alpha) * (_square - truth_share**2 * E(B**2))
)

ORACLE_RISK = Formula(
    id="generic.oracle_risk",
    title="test risk of the fit pruned by the oracle, generic basis",
    defines=risk,
    statement=sigma2
    + (1 - _true_part) ** 2 * E(Lambda * B**2)
    - 2 * alpha * (1 - _true_part) * _aligned
    + alpha**2 * _power
    + _unlike,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.truth_share", "dense.coefficient"),
)

ORACLE_EXCESS_RISK = Formula(
    id="generic.oracle_excess_risk",
    title="test risk of the fit pruned by the oracle beyond the noise, generic basis",
    defines=excess_risk,
    statement=ORACLE_RISK.statement - sigma2,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.oracle_risk",),
)

ORACLE_TRAINING_ERROR = Formula(
    id="generic.oracle_training_error",
    title="training error of the fit pruned by the oracle, generic basis",
    defines=training_error,
    statement=alpha**2 * gamma * q**2
    + _true_part**2 * sigma2
    + _rest**2 * _null
    + 2 * alpha * _true_part * q * sigma2
    + 2 * alpha * _rest * q * (_null - _aligned)
    + 2 * _true_part * _rest * sigma2
    + _unlike,
    where=LAW,
    source=_SOURCE,
    derived_from=("generic.oracle_risk", "dense.training_error", "dense.slack"),
)

CHAPTER = Chapter(
    "generic",
    "Pruning in a generic basis",
    (
        MEAN_VARIANCE,
        KIND_NOISE,
        KEPT,
        EXTRA,
        DROPPED,
        LEFT_OUT,
        RISK,
        EXCESS_RISK,
        TRAINING_ERROR,
        SAMPLED_EXCESS_RISK,
        FACTOR,
        RESCALED_RISK,
        RESCALED_EXCESS_RISK,
        RESCALED_TRAINING_ERROR,
        TRUTH_SHARE,
        ORACLE_RISK,
        ORACLE_EXCESS_RISK,
        ORACLE_TRAINING_ERROR,
    ),
)
