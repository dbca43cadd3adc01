"""T4. A small model trained on a known subset of the features, the others acting as noise.

Its risk is that of a dense fit (T1) whose law is restricted to the subset: weights times M0, noise as given here. The
aspect ratio stays kappa and the coefficients stay B, because the restricted weights are not renormalised: dividing
them by alpha would multiply kappa by alpha and B^2 by alpha, which leaves every term of T1 as it is.
"""

from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Formula
from riskcalc.theory.masks import ORACLE_SCORE, RANKING_MOMENTS
from riskcalc.theory.symbols import B, Lambda, M0bar, excess_risk, fit_excess_risk, gamma, score, sigma2, sigma2_small

NOISE = Formula(
    id="small_model.noise",
    title="noise variance seen by the small model",
    defines=sigma2_small,
    statement=sigma2 + E(M0bar * Lambda * B**2),
    where={score: ORACLE_SCORE} | RANKING_MOMENTS,
    assumptions="diagonal covariance, so that the dropped features are independent of the kept ones",
    source="Chang et al. 2021, Section 3",
)

EXCESS_RISK = Formula(
    id="small_model.excess_risk",
    title="test risk of the small model beyond the noise: that of its fit, and the signal it drops",
    defines=excess_risk,
    statement=gamma - sigma2,
    evaluation=fit_excess_risk + E(M0bar * Lambda * B**2),
    where={score: ORACLE_SCORE} | RANKING_MOMENTS,
    source="Chang et al. 2021, Section 3",
    derived_from=("small_model.noise", "dense.excess_risk"),
)

FORMULAS = (NOISE, EXCESS_RISK)
