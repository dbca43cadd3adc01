"""T4. A small model: a fit on the features that a mask keeps, on a sample that the mask does not depend on.

The features may be known beforehand, or chosen on another sample. The others act as noise: the risk is that of a dense
fit (T1) whose law is restricted to the mask, weights times M0, with the noise given here. The aspect ratio stays kappa
and the coefficients stay B, because the restricted weights are not renormalised: dividing them by alpha would multiply
kappa by alpha and B^2 by alpha, which leaves every term of T1 as it is. Without a ridge, and with fewer features kept
than samples, the mean risk is known at every size.
"""

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.records import Formula
from riskcalc.theory.symbols import (
    excess_risk,
    fit_excess_risk,
    gamma,
    misfit,
    n_keep,
    n_samples,
    sigma2,
    sigma2_small,
)

_PAPER = "Chang et al. 2021, Section 3"

NOISE = Formula(
    id="small_model.noise",
    title="noise variance seen by the small model",
    defines=sigma2_small,
    statement=sigma2 + misfit,
    assumptions="diagonal covariance, so that the dropped features are independent of the kept ones",
    source=_PAPER,
    derived_from=("pruning.misfit",),
)

EXCESS_RISK = Formula(
    id="small_model.excess_risk",
    title="test risk of the small model beyond the noise: that of its fit, and the signal it drops",
    defines=excess_risk,
    statement=gamma - sigma2,
    evaluation=fit_excess_risk + misfit,
    source=_PAPER,
    derived_from=("small_model.noise", "dense.excess_risk"),
)

FINITE_SAMPLE_RISK = Formula(
    id="small_model.finite_sample_risk",
    title="mean test risk of the small model fitted by least squares, at any size",
    defines=gamma,
    statement=sigma2_small * (n_samples - 1) / (n_samples - n_keep - 1),
    assumptions=r"$\lambda = 0$, Gaussian features of positive variance, $s < n - 1$; exact, no limit is taken",
    source="L. Breiman and D. Freedman, J. Amer. Statist. Assoc. 78 (1983), 131-136",
    derived_from=("small_model.noise",),
)


CHAPTER = Chapter(
    "small_model",
    "The small model",
    (NOISE, EXCESS_RISK, FINITE_SAMPLE_RISK),
    meanings={fit_excess_risk: gamma - sigma2_small},
)
