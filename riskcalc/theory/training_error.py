"""T5. Training error of a pruned fit: the mean squared residual, on the sample that was fitted and pruned with.

Coefficients are in the units of the iteration, sqrt(Lambda/kappa) times those of T1, in which the noise G1 of the dense
fit has the variance gamma.
"""

from sympy import sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import spread
from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import H, S
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS, SHRINKAGE
from riskcalc.theory.masks import LEFT_OUT, MOMENTS
from riskcalc.theory.symbols import (
    G1,
    N1,
    N2,
    NH,
    V1,
    B,
    Lambda,
    W,
    a,
    gamma,
    kappa,
    q,
    response,
    sigma2,
    tau,
    training_error,
)

FITTED = SHRINKAGE | {W: sqrt(Lambda / kappa) * B, G1: sqrt(gamma) * H, V1: a * (W + G1)}

# What is dropped changes the residual twice: by itself, and by the noise of the dense fit that it no longer takes up.
_slack = q + sqrt(kappa) * E(sqrt(Lambda) * NH) / spread(sqrt(gamma))

PRUNED = Formula(
    id="training_error.pruned",
    title="training error of the pruned fit",
    defines=training_error,
    statement=sigma2
    + kappa * E((W - S * V1) ** 2)
    - 2 * kappa * response * (sigma2 + kappa * E((W - V1) * (W - S * V1)))
    + kappa**2 * response**2 * gamma,
    evaluation=gamma * _slack**2 + 2 * _slack * E(Lambda * (B * N1 - N2)) + E(Lambda * N2),
    where=FITTED | {tau: COEFFICIENT[tau]} | LEFT_OUT | {response: E(S * V1 * G1) / gamma},
    complements=COMPLEMENTS,
    moments=MOMENTS,
    source="see the derivation of training errors",
    derived_from=("dense.risk", "dense.slack", "pruning.risk"),
)

CHAPTER = Chapter("training_error", "Training error after pruning", (PRUNED,))
