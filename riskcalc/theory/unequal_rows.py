"""T13. Rows of unequal length, X = T^(1/2) Z Sigma^(1/2): dense, pruned, and fitted again on the features kept.

A row is to its effective ridge eta what a feature is to nu: its leverage is upsilon = T/(T + eta), and both kinds of
shares add up to the same. The fit sees coefficients as one of equal rows does, at nu and at a noise gamma that is no
longer its test risk; so masks and what is behind them are those of T2 and T3. Means of upsilon and T are over rows, all
others over features. With T = 1 all this is T1 to T6.
"""

from sympy import Eq, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import ratio, rest, spread
from riskcalc.formulas.nodes import share as part_of
from riskcalc.formulas.records import FixedPoint, Formula, LinearEquation
from riskcalc.formulas.symbols import H, S
from riskcalc.theory import dense, retraining
from riskcalc.theory.dense import COMPLEMENTS
from riskcalc.theory.masks import LEFT_OUT, MOMENTS
from riskcalc.theory.row_symbols import (
    T,
    c11,
    c21,
    carry,
    i11,
    j11,
    j21,
    leverage,
    leverage2,
    noise_before,
    r00,
    r01,
    r11,
    row_ridge,
    row_ridge2,
    s01,
    s11,
    t00,
    t01,
    t11,
    unit_error,
    unit_error2,
    unit_overlap,
    upsilon,
    upsilon2,
    upsilon2bar,
    upsilonbar,
)
from riskcalc.theory.symbols import (
    G1,
    N1,
    N2,
    NH,
    V1,
    V2,
    B,
    Lambda,
    W,
    a,
    a2,
    a2bar,
    abar,
    c,
    cross,
    echo,
    gamma,
    growth,
    kappa,
    lost,
    misfit,
    nu,
    rho,
    ridge,
    risk,
    sigma2,
    training_error,
)
from riskcalc.theory.training_error import FITTED

_DERIVATION = "see the derivation of unequal rows"

LEVERAGE = {upsilon: part_of(T, row_ridge), upsilonbar: rest(T, row_ridge)}
LEVERAGE_2 = {upsilon2: part_of(T, row_ridge2), upsilon2bar: rest(T, row_ridge2)}

# Means over the rows that other formulas use.
OF_ROWS = {
    leverage: E(upsilon),
    r00: E(upsilonbar**2),
    r01: E(upsilon * upsilonbar),
    r11: E(upsilon**2),
    t00: E(T * upsilonbar**2),
    t01: E(T * upsilon * upsilonbar),
    t11: E(T * upsilon**2),
    i11: E(ratio(upsilon**2, T)),
}
OF_BOTH_FITS = {
    leverage2: E(upsilon2),
    s01: E(upsilon2 * upsilon2bar),
    s11: E(upsilon2**2),
    c11: E(upsilon * upsilon2),
    c21: E(upsilon**2 * upsilon2),
    j11: E(ratio(upsilon * upsilon2, T)),
    j21: E(ratio(upsilon**2 * upsilon2, T)),
}

ROW_RIDGE = FixedPoint(
    id="unequal_rows.row_ridge",
    title="effective ridge of rows: leverages and shrinkages have the same sum",
    defines=row_ridge,
    statement=Eq(E(upsilon), kappa * E(a)),
    where=LEVERAGE | dense.SHRINKAGE,
    part=upsilon,
    remainder=upsilonbar,
    slope=upsilon * upsilonbar,
    bend=upsilon * upsilonbar * (upsilon - upsilonbar),
    target=kappa * E(a),
    assumptions=r"$\lambda > 0$ or $\kappa\,\mathbb{P}(\Lambda > 0) < \mathbb{P}(T > 0)$; otherwise $\eta = 0$ "
    r"and $\kappa\,\mathbb{E}[a] = \mathbb{P}(T > 0)$",
    source=_DERIVATION,
)

EFFECTIVE_RIDGE = Formula(
    id="unequal_rows.effective_ridge",
    title="effective ridge of the features, from that of the rows",
    defines=nu,
    statement=ridge / (row_ridge * E(upsilon)),
    evaluation=ridge / E(T * upsilonbar),
    where=LEVERAGE,
    assumptions=r"$\lambda > 0$; least squares has $\nu = 0$",
    source=_DERIVATION,
    derived_from=("unequal_rows.row_ridge",),
)

# By how much, relatively, nu falls as eta grows.
RIDGE_SLOPE = E(T * upsilon * upsilonbar) / E(T * upsilonbar)

ERROR = Formula(
    id="unequal_rows.error",
    title="excess risk of a fit on a row of variance one, the signal of features that it does not see included",
    defines=unit_error,
    statement=(misfit + E(Lambda * B**2 * (1 - a) ** 2) + sigma2 * kappa * E(a**2) * i11 / leverage**2)
    / (kappa * E(a * (1 - a)) / leverage + kappa * E(a**2) * r01 / leverage**2),
    where=dense.SHRINKAGE,
    complements=COMPLEMENTS,
    source=_DERIVATION,
    derived_from=("unequal_rows.row_ridge", "unequal_rows.noise"),
)

NOISE = Formula(
    id="unequal_rows.noise",
    title="noise that the coefficients are seen through: the test risk of a fit of equal rows",
    defines=gamma,
    statement=(sigma2 * i11 + unit_error * r11) / leverage**2,
    source=_DERIVATION,
    derived_from=("unequal_rows.row_ridge", "dense.coefficient"),
)

RISK = Formula(
    id="unequal_rows.risk",
    title="test risk of a fit on a row of variance one",
    defines=risk,
    statement=sigma2 + unit_error,
    source=_DERIVATION,
    derived_from=("unequal_rows.error",),
)

TRAINING_ERROR = Formula(
    id="unequal_rows.training_error",
    title="training error of a fit",
    defines=training_error,
    statement=sigma2 * r00 + unit_error * t00,
    source=_DERIVATION,
    derived_from=("unequal_rows.error",),
)

# What pruning gives back to a row of its leverage, which is the part of its residual that its fit has taken.
_back = sqrt(kappa) * E(sqrt(Lambda) * NH) / (spread(sqrt(gamma)) * leverage)
PRUNED_TRAINING_ERROR = Formula(
    id="unequal_rows.pruned_training_error",
    title="training error of the pruned fit",
    defines=training_error,
    statement=sigma2 * (r00 + 2 * _back * r01 + _back**2 * r11)
    + unit_error * (t00 + 2 * _back * t01 + _back**2 * t11)
    + 2 * (t00 + t01 + _back * (t01 + t11)) * E(Lambda * (B * N1 - N2))
    + (t00 + 2 * t01 + t11) * E(Lambda * N2),
    where=dense.COEFFICIENT | LEFT_OUT,
    complements=COMPLEMENTS,
    moments=MOMENTS,
    source=_DERIVATION,
    derived_from=("unequal_rows.error", "unequal_rows.noise"),
)

SAMPLED_RISK = Formula(
    id="unequal_rows.sampled_risk",
    title="test risk of the sampled fit",
    defines=risk,
    statement=sigma2 + unit_error + growth,
    source=_DERIVATION,
    derived_from=("unequal_rows.error", "sampling.growth", "sampling.replaced_growth"),
)

SAMPLED_TRAINING_ERROR = Formula(
    id="unequal_rows.sampled_training_error",
    title="training error of the sampled fit",
    defines=training_error,
    statement=sigma2 * r00 + unit_error * t00 + growth * (t00 + 2 * t01 + t11),
    source=_DERIVATION,
    derived_from=("unequal_rows.training_error", "sampling.growth", "sampling.replaced_growth"),
)

_told = sqrt(kappa / gamma) * echo / leverage
_told_stable = sqrt(kappa) * echo / (spread(sqrt(gamma)) * leverage)


def _rescaled(told):
    return (
        sigma2
        + (t00 + 2 * t01 + t11) * lost
        - 2 * told * (sigma2 * leverage + (t01 + t11) * (E(Lambda * B**2 * abar) - cross))
        + told**2 * (sigma2 * r11 + t11 * unit_error)
    )


RESCALED_TRAINING_ERROR = Formula(
    id="unequal_rows.rescaled_training_error",
    title="training error of the best rule that may rescale what it keeps",
    defines=training_error,
    statement=_rescaled(_told),
    evaluation=_rescaled(_told_stable),
    where=dense.SHRINKAGE,
    source=_DERIVATION,
    derived_from=("optimal.rescaled_risk", "unequal_rows.pruned_training_error"),
)

# The second fit, on the features kept of the first one and on the same rows.
_memory = -carry * c11 / leverage2
REFITTED = FITTED | retraining.SHRINKAGE | {V2: S * a2 * (W + rho * G1 + c * (W - V1))}
_UNKNOWN = REFITTED | {V2: S * a2 * (W + rho * G1 + _memory * (W - V1))}
_COMPLEMENTS = COMPLEMENTS | {a2: a2bar}
_REDUCTION = {"complements": _COMPLEMENTS, "moments": MOMENTS}


# W - V2 in small numbers, and the overlap of the errors of both fits.
def _bias(memory):
    return a2bar - memory * abar * a2


def _gain(memory):
    return a2 * (rho - memory * a)


def _overlap(memory):
    miss = (1 - S) * W + S * (_bias(memory) * W - _gain(memory) * G1)
    return kappa * E((abar * W - a * G1) * miss)


STATIONARITY = LinearEquation(
    id="unequal_rows.stationarity",
    title="what the residuals of the second fit remember of the first",
    defines=carry,
    statement=Eq(carry * leverage, kappa * E(V2 * G1 / gamma - rho * a2 * S)),
    where=_UNKNOWN,
    unknowns=(rho, carry),
    source=_DERIVATION,
    derived_from=("dense.coefficient", "unequal_rows.row_ridge"),
    **_REDUCTION,
)

COVARIANCE = LinearEquation(
    id="unequal_rows.covariance",
    title="covariance of the noises of the two fits",
    defines=rho,
    statement=Eq(
        rho * gamma * leverage * leverage2,
        sigma2 * j11 + c11 * kappa * E((W - V1) * (W - V2)) - carry * (sigma2 * j21 + c21 * unit_error),
    ),
    evaluation=rho * gamma * leverage * leverage2
    - sigma2 * j11
    - c11 * _overlap(_memory)
    + carry * (sigma2 * j21 + c21 * unit_error),
    where=_UNKNOWN,
    unknowns=(rho, carry),
    source=_DERIVATION,
    derived_from=("dense.coefficient", "unequal_rows.noise"),
    **_REDUCTION,
)

MEMORY = Formula(
    id="unequal_rows.memory",
    title="weight of the residual of the first fit in the coefficients of the second",
    defines=c,
    statement=_memory,
    source=_DERIVATION,
    derived_from=("unequal_rows.row_ridge",),
)

OVERLAP = Formula(
    id="unequal_rows.overlap",
    title="overlap of the errors of the two fits",
    defines=unit_overlap,
    statement=kappa * E((W - V1) * (W - V2)),
    evaluation=_overlap(c),
    where=REFITTED,
    source=_DERIVATION,
    derived_from=("unequal_rows.memory", "unequal_rows.covariance"),
    **_REDUCTION,
)

# Of a row's residual in the second fit, the mean square but for the part of that fit's own error.
_before = sigma2 - 2 * carry * upsilon * (sigma2 + T * unit_overlap) + carry**2 * upsilon**2 * (sigma2 + T * unit_error)

SECOND_NOISE = Formula(
    id="unequal_rows.second_noise",
    title="variance of the noise that the second fit sees, but for the part of its own error",
    defines=noise_before,
    statement=E(ratio(upsilon2**2, T) * _before) / E(upsilon2) ** 2,
    where=LEVERAGE | LEVERAGE_2,
    source=_DERIVATION,
    derived_from=("unequal_rows.overlap",),
)

_miss_squared = (1 - S) * W**2 + S * (
    _bias(c) ** 2 * W**2
    - 2 * _bias(c) * W * _gain(c) * G1
    + _gain(c) ** 2 * gamma * (H**2 - 1)
    + a2**2 * (noise_before - c * a * (2 * rho - c * a) * gamma)
)

# What is left of the error when it has fed back into itself, over kappa; positive, as E[a2 S] is leverage2 / kappa.
_spare = E(a2 * a2bar * S) / leverage2 + E(a2**2 * S) * s01 / leverage2**2

SECOND_ERROR = Formula(
    id="unequal_rows.second_error",
    title="excess risk after retraining on the same sample, on a row of variance one",
    defines=unit_error2,
    statement=(E((W - V2) ** 2) + E(a2**2 * S) * (noise_before - rho**2 * gamma)) / _spare,
    evaluation=E(_miss_squared) / _spare,
    where=REFITTED,
    source=_DERIVATION,
    derived_from=("unequal_rows.second_noise", "unequal_rows.memory"),
    **_REDUCTION,
)

SECOND_RISK = Formula(
    id="unequal_rows.second_risk",
    title="test risk after retraining on the same sample, on a row of variance one",
    defines=risk,
    statement=sigma2 + unit_error2,
    source=_DERIVATION,
    derived_from=("unequal_rows.second_error",),
)

SECOND_TRAINING_ERROR = Formula(
    id="unequal_rows.second_training_error",
    title="training error after retraining on the same sample",
    defines=training_error,
    statement=E(upsilon2bar**2 * (_before + T * unit_error2)),
    where=LEVERAGE | LEVERAGE_2,
    source=_DERIVATION,
    derived_from=("unequal_rows.second_error", "unequal_rows.overlap"),
)

CHAPTER = Chapter(
    "unequal_rows",
    "Rows of unequal length",
    (
        *(ROW_RIDGE, EFFECTIVE_RIDGE, NOISE, ERROR, RISK, TRAINING_ERROR),
        *(PRUNED_TRAINING_ERROR, SAMPLED_RISK, SAMPLED_TRAINING_ERROR, RESCALED_TRAINING_ERROR),
        *(STATIONARITY, MEMORY, COVARIANCE, OVERLAP),
        *(SECOND_NOISE, SECOND_ERROR, SECOND_RISK, SECOND_TRAINING_ERROR),
    ),
    meanings=OF_ROWS | OF_BOTH_FITS,
)
