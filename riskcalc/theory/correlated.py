"""T8. Correlated features: T1, T5 and T6 with matrices in the place of masks and shrinkages.

Sigma = F F' for any root F of m columns. Vectors have m coordinates and are in the units of the iteration: the truth
W = sqrt(n) F' beta, the noise G1 ~ N(0, gamma), the dense fit V1 = A (W + G1) with A = F'(Sigma + nu)^-1 F, whose
coefficients are (Sigma + nu)^-1 F (W + G1)/sqrt(n). A mask S, chosen by these, drops the coefficients delta and so
d = sqrt(n) F' delta. A second fit with effective ridge nu2 on what is kept is V2 = M (W + G2 + c Z), Z = W + G1 - V1,
where M = F_S'(Sigma_SS + nu2)^-1 F_S and F_S holds the rows kept. Numbers such as D1 are means over draws of G1.

A small model on a known subset S is a dense fit with Sigma_SS, coefficients Sigma_SS^-1 (Sigma beta)_S, and noise that
has the Schur complement of the dropped features beside sigma2.
"""

from sympy import Eq, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import phi
from riskcalc.formulas.records import Formula, LinearEquation
from riskcalc.theory.correlated_symbols import (
    D1,
    D2,
    MG,
    MW,
    MZ,
    M2_entry,
    M_entry,
    dense_bias,
    dense_excess_risk,
    drop_one,
    drop_pair,
    dropped,
    h_dropped,
    hermite,
    hermite_of_count,
    hermite_order,
    miss_GG,
    miss_GZ,
    miss_WG,
    miss_WW,
    miss_WZ,
    miss_ZZ,
    psi_lower,
    psi_lower_before,
    psi_upper,
    psi_upper_before,
    q_pruned,
    response_G,
    response_W,
    response_Z,
    schur,
    shared_G,
    shared_W,
    shared_Z,
    square_all,
    square_own,
    trace_A,
    trace_A_rest,
    trace_M,
    trace_M_rest,
)
from riskcalc.theory.symbols import (
    G1,
    V1,
    B,
    Lambda,
    W,
    a,
    c,
    excess_risk,
    fit_excess_risk,
    gamma,
    kappa,
    n_features,
    n_keep,
    nu,
    nu2,
    q,
    q2,
    retrained_risk,
    rho,
    ridge,
    ridge2,
    risk,
    s,
    sigma2,
    sigma2_small,
    t,
    training_error,
    u,
    z,
)

_DERIVATION = "see the derivation of correlated features"
_EXPANSION = "see the derivation of the expansion in correlations"
_DRAWS = "averages over draws of $G_1$ and of the masks that these give"

EFFECTIVE_RIDGE = Formula(
    id="correlated.effective_ridge",
    title="effective ridge of the dense fit",
    defines=nu,
    statement=Eq(nu, ridge + nu * trace_A),
    assumptions=r"$\lambda > 0$ or $\mathrm{rank}\,\Sigma > n$; otherwise $\nu = 0$",
    source=_DERIVATION,
    derived_from=("dense.effective_ridge",),
)

SLACK = Formula(
    id="correlated.slack",
    title=r"one minus $\mathrm{tr}A/n$",
    defines=q,
    statement=1 - trace_A,
    evaluation=ridge / nu,
    assumptions=r"$\nu > 0$",
    source=_DERIVATION,
    derived_from=("correlated.effective_ridge",),
)

LEAST_SQUARES_SLACK = Formula(
    id="correlated.least_squares_slack",
    title=r"one minus $\mathrm{tr}A/n$, of least squares",
    defines=q,
    statement=1 - trace_A,
    assumptions=r"$\lambda = 0$ and $\mathrm{rank}\,\Sigma \le n$; then $\nu = 0$, and $A$ is a projection",
    source=_DERIVATION,
    derived_from=("dense.slack",),
)

RISK = Formula(
    id="correlated.risk",
    title="test risk of the dense fit",
    defines=gamma,
    statement=(sigma2 + dense_bias) / (1 - trace_A + trace_A_rest),
    evaluation=(sigma2 + dense_bias) / (q + trace_A_rest),
    source=_DERIVATION,
    derived_from=("dense.risk", "correlated.slack"),
)

EXCESS_RISK = Formula(
    id="correlated.excess_risk",
    title="test risk of the dense fit beyond the noise",
    defines=excess_risk,
    statement=gamma - sigma2,
    evaluation=(dense_bias + sigma2 * (trace_A - trace_A_rest)) / (q + trace_A_rest),
    source=_DERIVATION,
    derived_from=("correlated.risk",),
)

TRAINING_ERROR = Formula(
    id="correlated.training_error",
    title="training error of the dense fit",
    defines=training_error,
    statement=gamma * (1 - trace_A) ** 2,
    evaluation=gamma * q**2,
    source=_DERIVATION,
    derived_from=("dense.training_error", "correlated.slack"),
)

PRUNED_RISK = Formula(
    id="correlated.pruned_risk",
    title="test risk of the pruned fit",
    defines=risk,
    statement=gamma + 2 * D1 + D2,
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("correlated.risk",),
)

PRUNED_EXCESS_RISK = Formula(
    id="correlated.pruned_excess_risk",
    title="test risk of the pruned fit beyond the noise",
    defines=excess_risk,
    statement=risk - sigma2,
    evaluation=dense_excess_risk + 2 * D1 + D2,
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("correlated.pruned_risk",),
)

PRUNED_TRAINING_ERROR = Formula(
    id="correlated.pruned_training_error",
    title="training error of the pruned fit",
    defines=training_error,
    statement=gamma * q_pruned**2 + 2 * D1 * q_pruned + D2,
    where={q_pruned: q + h_dropped},
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("correlated.pruned_risk", "training_error.pruned"),
)

RETRAINED_RIDGE = Formula(
    id="correlated.retrained_ridge",
    title="effective ridge of the second fit, for each draw",
    defines=nu2,
    statement=Eq(nu2, ridge2 + nu2 * trace_M),
    assumptions=r"$\lambda_2 > 0$ or more than $n$ features kept; otherwise $\nu_2 = 0$",
    source=_DERIVATION,
    derived_from=("retraining.effective_ridge",),
)

RETRAINED_SLACK = Formula(
    id="correlated.retrained_slack",
    title=r"one minus $\mathrm{tr}M/n$",
    defines=q2,
    statement=1 - trace_M,
    evaluation=ridge2 / nu2,
    assumptions=r"$\nu_2 > 0$",
    source=_DERIVATION,
    derived_from=("correlated.retrained_ridge",),
)

STATIONARITY = LinearEquation(
    id="correlated.stationarity",
    title="the second fit is stationary on the features kept",
    defines=c,
    statement=Eq(c * q2 + response_W + rho * response_G + c * response_Z, 0),
    unknowns=(rho, c),
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("retraining.stationarity",),
)

COVARIANCE = LinearEquation(
    id="correlated.covariance",
    title="covariance of the noises of the two fits",
    defines=rho,
    statement=Eq(rho * gamma, sigma2 + shared_W - rho * shared_G - c * shared_Z),
    unknowns=(rho, c),
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("retraining.covariance",),
)

_missed = miss_WW - 2 * rho * miss_WG - 2 * c * miss_WZ + rho**2 * miss_GG + 2 * rho * c * miss_GZ + c**2 * miss_ZZ
_spread, _spread_stable = 1 - trace_M + trace_M_rest, q2 + trace_M_rest

RETRAINED_RISK = Formula(
    id="correlated.retrained_risk",
    title="test risk after retraining on the same sample",
    defines=retrained_risk,
    statement=(sigma2 + _missed) / _spread,
    evaluation=(sigma2 + _missed) / _spread_stable,
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("retraining.risk", "correlated.retrained_slack"),
)

RETRAINED_EXCESS_RISK = Formula(
    id="correlated.retrained_excess_risk",
    title="test risk after retraining on the same sample beyond the noise",
    defines=excess_risk,
    statement=retrained_risk - sigma2,
    evaluation=(_missed + sigma2 * (trace_M - trace_M_rest)) / _spread_stable,
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("correlated.retrained_risk",),
)

RETRAINED_TRAINING_ERROR = Formula(
    id="correlated.retrained_training_error",
    title="training error after retraining on the same sample",
    defines=training_error,
    statement=q2**2 * (retrained_risk + 2 * c * rho * gamma + c**2 * gamma),
    assumptions=_DRAWS,
    source=_DERIVATION,
    derived_from=("retraining.training_error", "correlated.retrained_risk"),
)

SMALL_NOISE = Formula(
    id="correlated.small_noise",
    title="noise variance seen by the small model",
    defines=sigma2_small,
    statement=sigma2 + schur,
    source=_DERIVATION,
    derived_from=("small_model.noise",),
)

SMALL_EXCESS_RISK = Formula(
    id="correlated.small_excess_risk",
    title="test risk of the small model beyond the noise",
    defines=excess_risk,
    statement=gamma - sigma2,
    evaluation=fit_excess_risk + schur,
    source=_DERIVATION,
    derived_from=("correlated.small_noise", "small_model.excess_risk"),
)

DROP_ONE = Formula(
    id="correlated.drop_one",
    title="probability that chance drops a feature",
    defines=drop_one,
    statement=(n_features - n_keep) / n_features,
    assumptions="all sets of so many features are kept with the same probability",
    source="counting",
)

DROP_PAIR = Formula(
    id="correlated.drop_pair",
    title="probability that chance drops two features",
    defines=drop_pair,
    statement=(n_features - n_keep) * (n_features - n_keep - 1) / (n_features * (n_features - 1)),
    assumptions="all sets of so many features are kept with the same probability; $p > 1$",
    source="counting",
    derived_from=("correlated.drop_one",),
)

DROPPED_BY_CHANCE = Formula(
    id="correlated.dropped_by_chance",
    title="what chance drops",
    defines=D2,
    statement=drop_one * square_own + drop_pair * (square_all - square_own),
    source=_DERIVATION,
    derived_from=("correlated.drop_one", "correlated.drop_pair"),
)

HERMITE = Formula(
    id="correlated.hermite",
    title="Hermite coefficient of what a threshold drops of a score",
    defines=hermite,
    statement=-(
        t * (psi_upper * phi(z) + psi_lower * phi(z - 2 * u))
        + s * (psi_upper_before * phi(z) - psi_lower_before * phi(z - 2 * u)) / sqrt(hermite_order - 1)
    )
    / sqrt(hermite_order),
    source=_EXPANSION,
    assumptions=r"$k \ge 2$",
    derived_from=("masks.threshold",),
)

HERMITE_OF_COUNT = Formula(
    id="correlated.hermite_of_count",
    title="Hermite coefficient of whether a threshold drops a score",
    defines=hermite_of_count,
    statement=-(psi_upper * phi(z) - psi_lower * phi(z - 2 * u)) / sqrt(hermite_order),
    source=_EXPANSION,
    assumptions=r"$k \ge 1$",
    derived_from=("masks.threshold",),
)

CHAPTER = Chapter(
    "correlated",
    "Correlated features",
    (
        EFFECTIVE_RIDGE,
        SLACK,
        LEAST_SQUARES_SLACK,
        RISK,
        EXCESS_RISK,
        TRAINING_ERROR,
        PRUNED_RISK,
        PRUNED_EXCESS_RISK,
        PRUNED_TRAINING_ERROR,
        RETRAINED_RIDGE,
        RETRAINED_SLACK,
        STATIONARITY,
        COVARIANCE,
        RETRAINED_RISK,
        RETRAINED_EXCESS_RISK,
        RETRAINED_TRAINING_ERROR,
        SMALL_NOISE,
        SMALL_EXCESS_RISK,
        DROP_ONE,
        DROP_PAIR,
        DROPPED_BY_CHANCE,
        HERMITE,
        HERMITE_OF_COUNT,
    ),
    meanings={
        trace_A: kappa * E(a),
        trace_A_rest: kappa * E(a * (1 - a)),
        dense_bias: E(Lambda * B**2 * (1 - a) ** 2),
        dense_excess_risk: gamma - sigma2,
        D1: kappa * E((W - V1) * dropped),
        D2: kappa * E(dropped**2),
        h_dropped: kappa * E(G1 * dropped) / gamma,
        trace_M: kappa * E(M_entry),
        trace_M_rest: kappa * E(M_entry - M2_entry),
        response_W: kappa * E(G1 * MW) / gamma,
        response_G: kappa * E(G1 * MG / gamma - M_entry),
        response_Z: kappa * E(G1 * MZ) / gamma,
        shared_W: kappa * E((W - V1) * (W - MW)),
        shared_G: kappa * E((W - V1) * MG),
        shared_Z: kappa * E((W - V1) * MZ),
        miss_WW: kappa * E((W - MW) ** 2),
        miss_WG: kappa * E((W - MW) * MG),
        miss_WZ: kappa * E((W - MW) * MZ),
        miss_GG: kappa * E(MG**2 - gamma * M2_entry),
        miss_GZ: kappa * E(MG * MZ),
        miss_ZZ: kappa * E(MZ**2),
    },
)
