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
from riskcalc.theory.dense import COMPLEMENTS, SHRINKAGE
from riskcalc.theory.masks import MOMENTS
from riskcalc.theory.symbols import (
    G1,
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
    training_error,
)

FITTED = SHRINKAGE | {W: sqrt(Lambda / kappa) * B, G1: sqrt(gamma) * H, V1: a * (W + G1)}

# What is dropped changes the residual twice: by itself, and by the noise of the dense fit that it no longer takes up.
_dropped = V1 * (1 - S)
_slack = q + kappa * E(a * (1 - S) * H * (H + W / spread(sqrt(gamma))))

PRUNED = Formula(
    id="training_error.pruned",
    title="training error of the pruned fit",
    defines=training_error,
    statement=sigma2
    + kappa * E((W - S * V1) ** 2)
    - 2 * kappa * response * (sigma2 + kappa * E((W - V1) * (W - S * V1)))
    + kappa**2 * response**2 * gamma,
    evaluation=gamma * _slack**2 + 2 * kappa * _slack * E((W - V1) * _dropped) + kappa * E(V1 * _dropped),
    where=FITTED | {response: E(S * V1 * G1) / gamma},
    complements=COMPLEMENTS,
    moments=MOMENTS,
    source="see the derivation of training errors",
    derived_from=("dense.risk", "dense.slack", "pruning.risk"),
)

CHAPTER = Chapter("training_error", "Training error after pruning", (PRUNED,))
