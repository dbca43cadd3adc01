"""T4. A small model: a fit on the features that a mask keeps, on a sample that the mask does not depend on.

The features may be known beforehand, or chosen on another sample. The others act as noise: the risk is that of a dense
fit (T1) whose law is restricted to the mask, weights times M0, with the noise given here. The aspect ratio stays kappa
and the coefficients stay B, because the restricted weights are not renormalised: dividing them by alpha would multiply
kappa by alpha and B^2 by alpha, which leaves every term of T1 as it is. Without a ridge, and with fewer features kept
than samples, the mean risk is known at every size.
"""

from sympy import Integer

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import ratio
from riskcalc.formulas.records import Formula
from riskcalc.theory.dense import SHRINKAGE
from riskcalc.theory.symbols import (
    a,
    abar,
    excess_risk,
    finite_size,
    fit_excess_risk,
    gamma,
    kappa,
    misfit,
    n_keep,
    n_samples,
    q,
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

FINITE_SIZE = Formula(
    id="small_model.finite_size",
    title="what a finite sample adds to the test risk, relatively",
    defines=finite_size,
    relation="~",
    statement=kappa * E(a**2) / (n_samples * (1 - kappa * E(a**2)) - 1),
    evaluation=kappa * E(a**2) * ratio(Integer(1), n_samples * (q + kappa * E(a * abar)) - 1),
    where=SHRINKAGE,
    assumptions=r"exact for least squares on features not chosen by its sample, where $\kappa\,\mathbb{E}[a^2]$ "
    "is their number over that of samples; elsewhere the order. Where it is negative the mean is infinite, or its "
    "limit says nothing of it",
    source="small_model.finite_sample_risk over its limit; elsewhere compared with simulation",
    derived_from=("small_model.finite_sample_risk", "dense.risk", "dense.slack"),
)

CHAPTER = Chapter(
    "small_model",
    "The small model",
    (NOISE, EXCESS_RISK, FINITE_SAMPLE_RISK, FINITE_SIZE),
    meanings={fit_excess_risk: gamma - sigma2_small},
)
