"""T7. Covariance of rank one: every feature is its loading times one common factor. Exact at every n > 2.

The fit can only see the factor, and spreads its slope over the features in proportion to their loadings. What pruning
drops of a feature, the kept ones carry as well: the pruned fit is too small by the share of the variance that it drops,
and a second fit of the kept features on the same sample puts that right. So correlated features need retraining.
"""

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import S
from riskcalc.theory.masks import MOMENTS
from riskcalc.theory.symbols import (
    coefficient,
    excess_risk,
    loading,
    misfit,
    n_features,
    n_samples,
    sigma2,
    target_slope,
    training_error,
    zeta,
    zetabar,
)

_PAPER = "Chang et al. 2021, covariance of rank one"
_RANK_ONE = r"$\Sigma = vv^\top$; means are over the $p$ features"
_KEPT = rf"{_RANK_ONE}; $S$ keeps features of the largest $|v|$, as magnitude and Hessian score both do"
_SAMPLE = r"Gaussian factor and noise, $\lambda = 0$ (least norm)"
_EXACT = rf"{_SAMPLE}, $n > 2$; exact, no limit is taken"

SLOPE = Formula(
    id="rank_one.slope",
    title="slope of the target in the factor",
    defines=target_slope,
    statement=n_features * E(loading * coefficient),
    assumptions=_RANK_ONE,
    source="definition of the model",
)

SHARE = Formula(
    id="rank_one.share",
    title="share of the variance that the kept features have",
    defines=zeta,
    statement=E(S * loading**2) / E(loading**2),
    moments=MOMENTS,
    assumptions=_KEPT,
    source=_PAPER,
)

DROPPED_SHARE = Formula(
    id="rank_one.dropped_share",
    title="share of the variance that the dropped features have",
    defines=zetabar,
    statement=E((1 - S) * loading**2) / E(loading**2),
    moments=MOMENTS,
    assumptions=_KEPT,
    source=_PAPER,
)

PRUNED_EXCESS_RISK = Formula(
    id="rank_one.pruned_excess_risk",
    title="mean test risk beyond the noise after pruning",
    defines=excess_risk,
    statement=zeta**2 * sigma2 / (n_samples - 2) + (1 - zeta) ** 2 * target_slope**2,
    evaluation=zeta**2 * sigma2 / (n_samples - 2) + zetabar**2 * target_slope**2,
    assumptions=_EXACT,
    source=_PAPER,
    derived_from=("rank_one.share", "rank_one.slope"),
)

MISFIT = Formula(
    id="rank_one.misfit",
    title="part of it that is a bias: what dropping takes away",
    defines=misfit,
    statement=(1 - zeta) ** 2 * target_slope**2,
    evaluation=zetabar**2 * target_slope**2,
    assumptions=_EXACT,
    source=_PAPER,
    derived_from=("rank_one.share", "rank_one.slope"),
)

RETRAINED_EXCESS_RISK = Formula(
    id="rank_one.retrained_excess_risk",
    title="the same after retraining on the same sample, and of the dense fit",
    defines=excess_risk,
    statement=sigma2 / (n_samples - 2),
    assumptions=_EXACT,
    source=_PAPER,
    derived_from=("rank_one.pruned_excess_risk",),
)

PRUNED_TRAINING_ERROR = Formula(
    id="rank_one.pruned_training_error",
    title="mean training error after pruning",
    defines=training_error,
    statement=sigma2 * (n_samples - 1) / n_samples + (1 - zeta) ** 2 * (target_slope**2 + sigma2 / n_samples),
    evaluation=sigma2 * (n_samples - 1) / n_samples + zetabar**2 * (target_slope**2 + sigma2 / n_samples),
    assumptions=rf"{_SAMPLE}; exact, no limit is taken",
    source="residuals of a regression on one variable",
    derived_from=("rank_one.share", "rank_one.slope"),
)

RETRAINED_TRAINING_ERROR = Formula(
    id="rank_one.retrained_training_error",
    title="the same after retraining on the same sample, and of the dense fit",
    defines=training_error,
    statement=sigma2 * (n_samples - 1) / n_samples,
    assumptions=rf"{_SAMPLE}; exact, no limit is taken",
    source="residuals of a regression on one variable",
    derived_from=("rank_one.pruned_training_error",),
)

CHAPTER = Chapter(
    "rank_one",
    "Covariance of rank one",
    (
        SLOPE,
        SHARE,
        DROPPED_SHARE,
        PRUNED_EXCESS_RISK,
        MISFIT,
        RETRAINED_EXCESS_RISK,
        PRUNED_TRAINING_ERROR,
        RETRAINED_TRAINING_ERROR,
    ),
    meanings={zetabar: 1 - zeta},
)
