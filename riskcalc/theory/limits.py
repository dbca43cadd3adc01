"""T11. Limits: leading terms where a fit is at the edge of interpolation, wide, hardly penalised, hardly pruned.

The edge, kappa = 1, is the peak of the interpolator's risk; a fit is wide if it has many more features than samples.
"""

from sympy import Rational, S, oo

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import phi, rest, share
from riskcalc.formulas.records import Expansion, Formula
from riskcalc.theory.dense import COEFFICIENT, SHRINKAGE
from riskcalc.theory.masks import SCORE
from riskcalc.theory.symbols import (
    B,
    D,
    Lambda,
    a,
    abar,
    alpha,
    gamma,
    gamma_0,
    kappa,
    mu,
    nu,
    nu_0,
    omega,
    ridge,
    risk,
    s,
    sigma2,
    t,
    tau,
)

_LIVE = "every feature of positive variance"
_SEEN = r"$\mathbb{P}(\Lambda > 0) > 0$"
_MANY = r"$\kappa\,\mathbb{P}(\Lambda > 0) > 1$; $\nu_0$ and $\gamma_0$ at $\lambda = 0$"
_INTERPOLATOR = {a: share(Lambda, D * nu_0), abar: rest(Lambda, D * nu_0)}

PEAK_EFFECTIVE_RIDGE = Expansion(
    id="limits.peak_effective_ridge",
    title="effective ridge of the interpolator near its peak",
    defines=nu,
    statement=(kappa - 1) / E(D / Lambda),
    variable=kappa,
    point=S.One,
    error=(kappa - 1) ** 2,
    assumptions=rf"$\lambda = 0$; {_LIVE}",
    source="expansion of dense.effective_ridge",
    derived_from=("dense.effective_ridge",),
)

PEAK_RISK = Expansion(
    id="limits.peak_risk",
    title="test risk of the interpolator near its peak, with noise",
    defines=gamma,
    statement=sigma2 / (kappa - 1),
    variable=kappa,
    point=S.One,
    error=S.One,
    assumptions=rf"$\lambda = 0$, $\sigma^2 > 0$; {_LIVE}",
    source="expansion of dense.risk",
    derived_from=("dense.risk", "limits.peak_effective_ridge"),
)

PEAK_RISK_NOISELESS = Expansion(
    id="limits.peak_risk_noiseless",
    title="test risk of the interpolator near its peak, without noise",
    defines=gamma,
    statement=(kappa - 1) * E(B**2 * D**2 / Lambda) / E(D / Lambda) ** 2,
    variable=kappa,
    point=S.One,
    error=(kappa - 1) ** 2,
    assumptions=rf"$\lambda = 0$, $\sigma^2 = 0$; {_LIVE}",
    source="expansion of dense.risk",
    derived_from=("dense.risk", "limits.peak_effective_ridge"),
)

WIDE_EFFECTIVE_RIDGE = Expansion(
    id="limits.wide_effective_ridge",
    title="effective ridge with many more features than samples",
    defines=nu,
    statement=kappa * E(Lambda / D) + ridge - E(Lambda**2 / D**2) / E(Lambda / D),
    variable=kappa,
    point=oo,
    error=1 / kappa,
    assumptions=_SEEN,
    source="expansion of dense.effective_ridge",
    derived_from=("dense.effective_ridge",),
)

_NULL = sigma2 + E(Lambda * B**2)

WIDE_RISK = Expansion(
    id="limits.wide_risk",
    title="test risk with many more features than samples",
    defines=gamma,
    statement=_NULL * (1 + E(Lambda**2 / D**2) / (kappa * E(Lambda / D) ** 2))
    - 2 * E(Lambda**2 * B**2 / D) / (kappa * E(Lambda / D)),
    variable=kappa,
    point=oo,
    error=1 / kappa**2,
    assumptions=_SEEN + r"; any fixed $\lambda$, which does not show at this order",
    source="expansion of dense.risk",
    derived_from=("dense.risk", "limits.wide_effective_ridge"),
)

SMALL_RIDGE_EFFECTIVE_RIDGE = Expansion(
    id="limits.small_ridge_effective_ridge",
    title="effective ridge, if a small ridge is added to the interpolator",
    defines=nu,
    statement=nu_0 + ridge / (kappa * E(a * abar)),
    where=_INTERPOLATOR,
    variable=ridge,
    error=ridge**2,
    assumptions=_MANY,
    source="expansion of dense.effective_ridge",
    derived_from=("dense.effective_ridge",),
)

SMALL_RIDGE_RISK = Expansion(
    id="limits.small_ridge_risk",
    title="test risk, if a small ridge is added to the interpolator",
    defines=gamma,
    statement=gamma_0
    + 2
    * ridge
    * (E(Lambda * B**2 * a * abar**2) - kappa * gamma_0 * E(a**2 * abar))
    / (nu_0 * (kappa * E(a * abar)) ** 2),
    where=_INTERPOLATOR,
    variable=ridge,
    error=ridge**2,
    assumptions=_MANY,
    source="expansion of dense.risk",
    derived_from=("dense.risk", "limits.small_ridge_effective_ridge"),
)

SMALL_RIDGE_LEAST_SQUARES_RISK = Expansion(
    id="limits.small_ridge_least_squares_risk",
    title="test risk, if a small ridge is added to least squares: it always helps against noise",
    defines=gamma,
    statement=sigma2 / (1 - kappa) - 2 * ridge * kappa * sigma2 * E(D / Lambda) / (1 - kappa) ** 3,
    variable=ridge,
    error=ridge**2,
    assumptions=rf"$\kappa < 1$; {_LIVE}",
    source="expansion of dense.risk",
    derived_from=("dense.risk", "dense.least_squares_risk"),
)

NOISE_RISK = Formula(
    id="limits.noise_risk",
    title="test risk as the noise varies: a straight line",
    defines=gamma,
    statement=E(Lambda * B**2 * abar**2) / (1 - kappa * E(a**2)) + sigma2 / (1 - kappa * E(a**2)),
    where=SHRINKAGE,
    assumptions=r"$\kappa$ and $\lambda$ fixed; exact, because $\nu$ does not depend on $\sigma^2$",
    source="dense.risk",
    derived_from=("dense.risk",),
)

_SCORE = COEFFICIENT | SCORE

LIGHT_PRUNING_THRESHOLD = Expansion(
    id="limits.light_pruning_threshold",
    title="threshold on the score, if nearly every feature is kept",
    defines=t,
    statement=(1 - alpha) / (2 * E(phi(mu) / s)),
    where=_SCORE,
    variable=alpha,
    point=S.One,
    side="-",
    error=(1 - alpha) ** 3,
    assumptions=rf"$\gamma > 0$; {_LIVE}",
    source="expansion of masks.threshold",
    derived_from=("masks.threshold",),
)

LIGHT_PRUNING_RISK = Expansion(
    id="limits.light_pruning_risk",
    title="test risk after pruning by a threshold on the score, if nearly every feature is kept",
    defines=risk,
    statement=gamma + Rational(2, 3) * t**3 * E(Lambda * phi(mu) * (2 * a * B**2 / tau**2 - 1) / (omega**3 * tau)),
    where=_SCORE,
    variable=t,
    error=t**5,
    assumptions=rf"$\gamma > 0$; {_LIVE}",
    source="expansion of pruning.risk",
    derived_from=("pruning.risk",),
)

HEAVY_PRUNING_RISK = Formula(
    id="limits.heavy_pruning_risk",
    title="test risk after pruning, in the limit in which nothing is kept",
    defines=risk,
    statement=_NULL,
    assumptions=r"$\alpha \to 0$, under any policy",
    source="limit of pruning.risk",
    derived_from=("pruning.risk",),
)

CHAPTER = Chapter(
    "limits",
    "Limits",
    (
        PEAK_EFFECTIVE_RIDGE,
        PEAK_RISK,
        PEAK_RISK_NOISELESS,
        WIDE_EFFECTIVE_RIDGE,
        WIDE_RISK,
        SMALL_RIDGE_EFFECTIVE_RIDGE,
        SMALL_RIDGE_RISK,
        SMALL_RIDGE_LEAST_SQUARES_RISK,
        NOISE_RISK,
        LIGHT_PRUNING_THRESHOLD,
        LIGHT_PRUNING_RISK,
        HEAVY_PRUNING_RISK,
    ),
)
