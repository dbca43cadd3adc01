"""T12. Features in general position to the eigenvectors of their covariance: dense and pruned fits (penalty one).

The law of (Lambda, B) is that of the eigenbasis, in which the dense fit is that of T1. The features see it through a
uniformly distributed rotation: all have the same variance, and any vector's coordinates are Gaussian. So a mask is one
of a law with a single kind of feature, and what it leaves of the vector that it looks at is the share k of it and
noise without direction.
"""

from typing import Any

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import ratio
from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import H, S
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS
from riskcalc.theory.generic_symbols import alphabar, blind, factor, flat, found, k, kbar, sight
from riskcalc.theory.masks import LEFT_OUT, MOMENTS
from riskcalc.theory.symbols import (
    M0,
    N2,
    B,
    Lambda,
    M0bar,
    X,
    a,
    alpha,
    gamma,
    kappa,
    nu,
    power,
    q,
    risk,
    sigma2,
    tau,
    training_error,
)

_SOURCE = "see the derivation of the generic basis"
_GENERIC = r"the basis of the features is uniformly distributed (Haar), $D=1$"
_ONE_KIND = "means are over the features, which are of one kind: Gaussian coefficients, without signal"
_LAW: dict[str, Any] = {"where": COEFFICIENT, "complements": COMPLEMENTS, "source": _SOURCE, "assumptions": _GENERIC}

NOISE = Formula(
    id="generic_basis.noise",
    title=r"dense risk at which features of one variance, $\mathbb{E}[\Lambda]$, without signal have coefficients as "
    "large",
    defines=gamma,
    statement=E(X**2) * (E(Lambda) + nu) ** 2 / (kappa * E(Lambda)),
    evaluation=ratio(E(X**2) * (E(Lambda) + nu) ** 2, kappa * E(Lambda)),
    derived_from=("dense.coefficient",),
    **_LAW,
)

# The variance of all features.
VARIANCE = E(Lambda)

# The mask, in the features.
_MASK: dict[str, Any] = {"where": COEFFICIENT, "moments": MOMENTS, "source": _SOURCE, "assumptions": _ONE_KIND}
_LEFT_OUT: dict[str, Any] = _MASK | {"where": COEFFICIENT | {N2: LEFT_OUT[N2]}}

KEPT = Formula(
    id="generic_basis.kept",
    title="share of the vector's square that a mask keeps",
    defines=k,
    statement=E(S * X**2) / E(X**2),
    evaluation=ratio(E(S * X**2), E(X**2)),
    derived_from=("dense.coefficient",),
    **_MASK,
)

DROPPED = Formula(
    id="generic_basis.dropped",
    title="share of the vector's square that a mask drops",
    defines=kbar,
    statement=E((1 - S) * X**2) / E(X**2),
    evaluation=ratio(E(N2), E(X**2)),
    derived_from=("dense.coefficient",),
    **_LEFT_OUT,
)

SIGHT = Formula(
    id="generic_basis.sight",
    title="what a mask knows of its vector",
    defines=sight,
    statement=E(S * (H**2 - 1)),
    derived_from=("generic_basis.kept",),
    **_MASK,
)


# Of the features themselves.
FEATURES_KEPT, FEATURES_DROPPED = E(M0), E(M0bar)


# Risk and training error of m times the fit, and noise without direction that makes its square m^2/k times the fit's.
def _risk(m, rest, excess):
    bias = rest**2 * E(Lambda * B**2) + 2 * rest * m * E(Lambda * B * (B - X)) + m**2 * E(Lambda * (B - X) ** 2)
    return sigma2 + bias + excess * E(Lambda) * E(X**2)


def _training_error(m, rest, excess):
    target, errors = sigma2 + E(Lambda * B**2), sigma2 + E(Lambda * B * (B - X))
    return rest**2 * target + 2 * rest * m * q * errors + m**2 * q**2 * gamma + excess * E(Lambda) * E(X**2)


RISK = Formula(
    id="generic_basis.risk",
    title="test risk of the pruned fit",
    defines=risk,
    statement=sigma2 + E(Lambda * (B - k * X) ** 2) + k * (1 - k) * E(Lambda) * E(X**2),
    evaluation=_risk(k, kbar, k * kbar),
    derived_from=("dense.risk", "dense.coefficient"),
    **_LAW,
)

TRAINING_ERROR = Formula(
    id="generic_basis.training_error",
    title="training error of the pruned fit",
    defines=training_error,
    statement=_training_error(k, 1 - k, k * (1 - k)),
    evaluation=_training_error(k, kbar, k * kbar),
    derived_from=("generic_basis.risk", "dense.slack"),
    **_LAW,
)

_POWERS: dict[str, Any] = _LAW | {"where": COEFFICIENT | {power: E(Lambda * X**2), flat: E(Lambda) * E(X**2)}}

FACTOR = Formula(
    id="generic_basis.factor",
    title="best factor for what is kept",
    defines=factor,
    statement=E(Lambda * B * X) / (k * power + (1 - k) * flat),
    evaluation=ratio(E(Lambda * B * X), k * power + kbar * flat),
    derived_from=("generic_basis.risk",),
    **_POWERS,
)
_SCALED = (factor * k, 1 - factor * k, factor**2 * k)

RESCALED_RISK = Formula(
    id="generic_basis.rescaled_risk",
    title="test risk of the pruned fit with this factor: the lowest of all rules that see the fit alone",
    defines=risk,
    statement=_risk(*_SCALED[:2], _SCALED[2] * (1 - k)),
    evaluation=_risk(*_SCALED[:2], _SCALED[2] * kbar),
    derived_from=("generic_basis.risk", "generic_basis.factor"),
    **_LAW,
)

RESCALED_TRAINING_ERROR = Formula(
    id="generic_basis.rescaled_training_error",
    title="training error of the pruned fit with this factor",
    defines=training_error,
    statement=_training_error(*_SCALED[:2], _SCALED[2] * (1 - k)),
    evaluation=_training_error(*_SCALED[:2], _SCALED[2] * kbar),
    derived_from=("generic_basis.training_error", "generic_basis.factor"),
    **_LAW,
)

# An oracle keeps the largest true coefficients: of the fit it sees c times the truth, and keeps the rest blindly.
FOUND = Formula(
    id="generic_basis.found",
    title="how much of the truth the fit has found",
    defines=found,
    statement=E(a * B**2) / E(B**2),
    evaluation=ratio(E(a * B**2), E(B**2)),
    derived_from=("dense.coefficient",),
    **_LAW,
)

BLIND = Formula(
    id="generic_basis.blind",
    title="mean square of what the fit has found beside the truth",
    defines=blind,
    statement=E(X**2) - found**2 * E(B**2),
    evaluation=E((a - found) ** 2 * B**2 + tau**2),
    derived_from=("generic_basis.found",),
    **_LAW,
)

_told = sight * found  # how much more of the truth than of the rest is kept
_left, _left_stable = 1 - alpha - _told, alphabar - _told


def _oracle_noise(dropped, share):
    return E(Lambda) * (found**2 * k * share * E(B**2) + alpha * dropped * blind)


def _oracle_training_error(left, noise):
    target, errors = sigma2 + E(Lambda * B**2), sigma2 + E(Lambda * B * (B - X))
    residual = left**2 * target + 2 * alpha * left * q * errors + alpha**2 * q**2 * gamma
    return residual + _told * sigma2 * (_told + 2 * left + 2 * alpha * q) + noise


ORACLE_RISK = Formula(
    id="generic_basis.oracle_risk",
    title="test risk of the fit pruned by an oracle, which keeps the largest true coefficients",
    defines=risk,
    statement=_risk(alpha, _left, 0) + _oracle_noise(1 - alpha, 1 - k),
    evaluation=_risk(alpha, _left_stable, 0) + _oracle_noise(alphabar, kbar),
    derived_from=("dense.risk", "generic_basis.blind"),
    **_LAW,
)

ORACLE_TRAINING_ERROR = Formula(
    id="generic_basis.oracle_training_error",
    title="training error of the fit pruned by an oracle",
    defines=training_error,
    statement=_oracle_training_error(_left, _oracle_noise(1 - alpha, 1 - k)),
    evaluation=_oracle_training_error(_left_stable, _oracle_noise(alphabar, kbar)),
    derived_from=("generic_basis.oracle_risk", "dense.slack"),
    **_LAW,
)


def beyond_noise(risk):
    """A risk less the noise, which is one of its terms."""
    return risk - sigma2


CHAPTER = Chapter(
    "generic_basis",
    "Generic basis",
    (
        NOISE,
        KEPT,
        DROPPED,
        SIGHT,
        RISK,
        TRAINING_ERROR,
        FACTOR,
        RESCALED_RISK,
        RESCALED_TRAINING_ERROR,
        FOUND,
        BLIND,
        ORACLE_RISK,
        ORACLE_TRAINING_ERROR,
    ),
    meanings={kbar: 1 - k, alphabar: 1 - alpha, sight: k - alpha},
)
