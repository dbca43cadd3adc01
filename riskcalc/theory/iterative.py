"""T9. Iterative pruning: fit, prune, fit again on the same sample, prune again, and so on.

Fit 1 is the dense one, V_1 = a(W + G_1). Each later fit sees the noise G_k, part of which the noises of the earlier
fits tell, and remembers what those fits left, because its mask and its sample are theirs. Numbers rho_kj and c_kj, one
pair for each earlier fit j, make two gaps vanish for every earlier fit l; the gaps are affine in them. Each formula is
about fit k and one or two earlier fits; sums over earlier fits are symbols of the law.

The mask S of fit k knows the earlier noises only, and H, which is new in G_k, not at all.
"""

from sympy import Integer, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E, MaskedMoments
from riskcalc.formulas.records import Definitions, Formula
from riskcalc.formulas.symbols import Expression, H, S
from riskcalc.theory.dense import COMPLEMENTS, SHRINKAGE
from riskcalc.theory.symbols import (
    M0,
    B,
    G_j,
    G_k,
    G_known,
    G_l,
    Lambda,
    M0bar,
    U_k,
    U_known,
    V_j,
    V_k,
    V_l,
    W,
    X,
    a,
    abar,
    c_kj,
    covariance,
    epsilon2,
    kappa,
    memory,
    memory_gap,
    memory_noise,
    missed,
    noise_gap,
    q,
    residual,
    rho_kj,
    risk,
    sigma2,
    sign,
    slope,
    slope_gap,
    slope_noise,
    training_error,
    weight,
)

_SOURCE = "state evolution of message passing with memory; see the derivation of iterative pruning"
_MASK = MaskedMoments(kept=M0, dropped=M0bar, first=Integer(0), second=Integer(0))
TRUTH = {W: sqrt(Lambda / kappa) * B, M0bar: 1 - M0}
_PRUNED = {"where": TRUTH, "moments": _MASK, "source": _SOURCE}

NOISE = Formula(
    id="iterative.noise",
    title="noise that a fit sees: what the earlier noises tell of it, and a part of its own",
    defines=G_k,
    statement=G_known + sqrt(epsilon2) * H,
    source=_SOURCE,
)

_SHRUNK = TRUTH | SHRINKAGE
_NOISY = _SHRUNK | {G_k: NOISE.statement}

FIT = Formula(
    id="iterative.fit",
    title="a fit, on a feature that it keeps",
    defines=U_k,
    statement=a * (W + G_k + memory),
    where=_NOISY,
    source=_SOURCE,
    derived_from=("iterative.noise",),
)

_FITTED = _NOISY | {U_k: FIT.statement}
_REFIT = {"where": _FITTED, "moments": _MASK, "complements": COMPLEMENTS, "source": _SOURCE}

COVARIANCE = Formula(
    id="iterative.covariance",
    title="covariance of the noises of two fits, whose errors are those of the fits",
    defines=covariance,
    statement=sigma2 + kappa * E((W - S * U_k) * (W - V_l)),
    derived_from=("iterative.fit",),
    **_REFIT,
)

NOISE_GAP = Formula(
    id="iterative.noise_gap",
    title="covariance of two noises, beyond what it should be",
    defines=noise_gap,
    statement=E(G_k * G_l) - sigma2 - kappa * E((W - S * U_k) * (W - V_l)),
    assumptions="zero at the solution, for every earlier fit",
    derived_from=("iterative.covariance",),
    **_REFIT,
)

MEMORY_GAP = Formula(
    id="iterative.memory_gap",
    title="what keeps a fit from being stationary on the features kept",
    defines=memory_gap,
    statement=q * E(memory_noise * G_l) + kappa * (E(S * U_k * G_l) - E(S * a) * E(G_k * G_l)),
    assumptions="zero at the solution, for every earlier fit",
    derived_from=("iterative.fit",),
    **_REFIT,
)

SLACK = Formula(
    id="iterative.slack",
    title=r"one minus $\kappa$ times the mean shrinkage of a fit",
    defines=q,
    statement=1 - kappa * E(S * a),
    where=_SHRUNK,
    moments=_MASK,
    source=_SOURCE,
    derived_from=("dense.slack",),
)

OWN_VARIANCE = Formula(
    id="iterative.own_variance",
    title="variance of the noise that is a fit's own",
    defines=epsilon2,
    statement=(sigma2 + kappa * E((W - S * U_known) ** 2) - E(G_known**2)) / (1 - kappa * E(S * a**2)),
    evaluation=(sigma2 + kappa * E((W - S * U_known) ** 2) - E(G_known**2)) / (q + kappa * E(S * a * abar)),
    where=_SHRUNK | {U_known: a * (W + G_known + memory)},
    moments=_MASK,
    complements=COMPLEMENTS,
    source=_SOURCE,
    derived_from=("iterative.covariance", "iterative.slack"),
)

RISK = Formula(
    id="iterative.risk",
    title="test risk of a fit: the variance of the noise that it sees",
    defines=risk,
    statement=E(G_k**2),
    derived_from=("iterative.covariance", "iterative.own_variance"),
    **_REFIT,
)

TRAINING_ERROR = Formula(
    id="iterative.training_error",
    title="training error of a fit on the features kept",
    defines=training_error,
    statement=q**2 * E((G_k + memory_noise) ** 2),
    derived_from=("iterative.memory_gap",),
    **_REFIT,
)

# The last fit, V_k, pruned by a mask S and not fitted again.
_DROPPED = (1 - S) * V_k

PRUNED_RISK = Formula(
    id="iterative.pruned_risk",
    title="test risk of a fit after pruning",
    defines=risk,
    statement=sigma2 + kappa * E((W - S * V_k) ** 2),
    derived_from=("iterative.fit",),
    **_PRUNED,
)

SLOPE_GAP = Formula(
    id="iterative.slope_gap",
    title="covariance of what is dropped with a noise, beyond what its slopes give",
    defines=slope_gap,
    statement=E(slope_noise * G_l) - E(_DROPPED * G_l),
    assumptions="zero at the solution, for every fit so far",
    derived_from=("iterative.fit",),
    **_PRUNED,
)

WEIGHT = Formula(
    id="iterative.weight",
    title="weight of the noise of a fit in the residuals after pruning",
    defines=weight,
    statement=q * c_kj + kappa * slope,
    assumptions="$c_{kk}=1$",
    source=_SOURCE,
    derived_from=("iterative.slope_gap", "iterative.memory_gap"),
)

PRUNED_TRAINING_ERROR = Formula(
    id="iterative.pruned_training_error",
    title="training error of a fit after pruning",
    defines=training_error,
    statement=E(residual**2) + 2 * kappa * E(_DROPPED * missed) + kappa * E(_DROPPED * V_k),
    derived_from=("iterative.weight", "iterative.covariance"),
    **_PRUNED,
)

# What ranks features, the last fit's coefficients, as those of T2 do: their signs are those that they have.
COEFFICIENT = {X: sign * V_k * sqrt(kappa / Lambda)}

# What one earlier fit adds to the sums over earlier fits: to those of the next fit, and of the last one pruned. The
# gaps are affine in the numbers that belong to one fit.
OF_EARLIER_FIT = {G_known: rho_kj * G_j, memory: c_kj * (W + G_j - V_j), memory_noise: c_kj * G_j}
OF_FIT_SO_FAR = {slope_noise: slope * G_j, residual: weight * G_j, missed: weight * (W - V_j)}


def where_kept(fit: Expression) -> Expression:
    """A fit on every feature."""
    return S * fit


def names(sums: Definitions) -> list[str]:
    """What sums over earlier fits are called."""
    return [str(symbol) for symbol in sums]


def coefficients(gaps: tuple[Expression, ...], unknowns: tuple[Expression, ...], sums: Definitions) -> tuple:
    """Of gaps that are affine in the unknowns of each fit: for each gap, of each unknown."""
    return tuple(gap.subs(dict(sums)).diff(unknown) for gap in gaps for unknown in unknowns)


def constants(gaps: tuple[Expression, ...], unknowns: tuple[Expression, ...], sums: Definitions) -> tuple:
    """Of the same gaps, without the unknowns."""
    return tuple(gap.subs(dict(sums)).subs(dict.fromkeys(unknowns, 0)) for gap in gaps)


CHAPTER = Chapter(
    "iterative",
    "Iterative pruning",
    (
        NOISE,
        FIT,
        COVARIANCE,
        NOISE_GAP,
        MEMORY_GAP,
        SLACK,
        OWN_VARIANCE,
        RISK,
        TRAINING_ERROR,
        PRUNED_RISK,
        SLOPE_GAP,
        WEIGHT,
        PRUNED_TRAINING_ERROR,
    ),
)
