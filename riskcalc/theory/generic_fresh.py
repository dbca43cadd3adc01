"""T12. Second fits to samples that the mask knows nothing of, but the truth: on a fresh sample, and of a small model.

The mask looks at a vector V: the dense fit to another sample, or the true coefficients. The second fit is a multiple of
it, the ridge fit to what is left of the truth, and an echo of the mask without direction.
"""

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import ratio
from riskcalc.formulas.records import Formula
from riskcalc.theory.generic_retraining import FITS, MEANS, REFIT, SPREAD, echo
from riskcalc.theory.generic_symbols import (
    echo_norm,
    eta,
    k,
    kbar,
    loss,
    norm,
    product,
    refound,
    refound_excess,
    sight,
    spreading,
    u,
    unused,
)
from riskcalc.theory.symbols import (
    B,
    Lambda,
    X,
    a2,
    a2bar,
    alpha,
    excess_risk,
    kappa,
    nu2,
    retrained_risk,
    ridge2,
    sigma2,
    training_error,
)


def _formulas(vector, name, words, behind):
    """Of a mask that looks at a vector: its weight in the second fit, risk, what is beyond the noise, training error."""
    seen = E(vector**2)
    reached, shrunk = ratio(E(a2 * B * vector), seen), ratio(E(a2 * vector**2), seen)
    left = E(Lambda * a2bar**2 * (B - u * vector) ** 2)
    fit = a2 * B + u * a2bar * vector  # but for the noise of the ridge fit, and for the echo
    where = {
        refound: (sigma2 + left) / SPREAD,
        refound_excess: (left + sigma2 * kappa * E(a2**2)) / SPREAD,
        norm: E(fit**2) + kappa * refound * E(ratio(a2, Lambda + nu2)),
        product: E(fit * vector),
        echo_norm: echo(norm, product, seen),
    }

    def formula(suffix, title, defines, statement, *derived_from, evaluation=None):
        return Formula(
            f"generic_fresh.{name}{suffix}",
            f"{title} {words}",
            defines,
            statement,
            evaluation=evaluation,
            where=FITS | MEANS | where,
            derived_from=derived_from,
            **REFIT,
        )

    weight = formula(
        "weight",
        r"weight of what the mask looks at in the fit",
        u,
        (sight / k) * reached / (1 - E(a2) - (sight / k) * (1 - shrunk)),
        behind,
        "generic_retraining.slack",
        evaluation=ratio(sight * reached, k * unused + alpha * kbar + sight * shrunk),
    )
    risk = formula(
        "risk", "test risk", retrained_risk, refound + loss * echo_norm, weight.id, "generic_retraining.loss"
    )
    beyond = formula(
        "excess_risk",
        "test risk beyond the noise",
        excess_risk,
        retrained_risk - sigma2,
        risk.id,
        evaluation=refound_excess + loss * echo_norm,
    )
    training = formula(
        "training_error",
        "training error",
        training_error,
        eta**2 * refound + eta * nu2 * (norm - u * product) - ridge2 * (norm + spreading * echo_norm),
        risk.id,
        "generic_retraining.spreading",
    )
    return weight, risk, beyond, training


FRESH = _formulas(X, "", "on a fresh sample", "dense.coefficient")
ORACLE = _formulas(B, "oracle_", "on the largest true coefficients", "dense.risk")
WEIGHT, RISK, EXCESS_RISK, TRAINING_ERROR = FRESH
ORACLE_WEIGHT, ORACLE_RISK, ORACLE_EXCESS_RISK, ORACLE_TRAINING_ERROR = ORACLE

CHAPTER = Chapter("generic_fresh", "Fits on a fresh sample in a generic basis", (*FRESH, *ORACLE))
