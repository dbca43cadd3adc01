"""T12. Second fits to samples that the mask knows nothing of, but the truth: on a fresh sample, and of a small model.

The mask looks at a vector V: the dense fit to another sample, or the true coefficients. The second fit is a multiple of
it, the ridge fit to what is left of the truth, and an echo of the mask without direction.
"""

from typing import NamedTuple

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
    reached,
    refound,
    refound_excess,
    resistance,
    shrunk,
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


class Fits(NamedTuple):
    """Of a mask that looks at a vector: what the second fit has of it, the fit's norms, and its errors."""

    reached: Formula
    shrunk: Formula
    resistance: Formula
    weight: Formula
    refound: Formula
    refound_excess: Formula
    norm: Formula
    product: Formula
    echo_norm: Formula
    risk: Formula
    excess_risk: Formula
    training_error: Formula


def _formulas(vector, name, words, behind):
    seen = E(vector**2)
    echoed, echoed_stable = echo(seen)

    def formula(suffix, title, defines, statement, *derived_from, evaluation=None):
        return Formula(
            f"generic_fresh.{name}{suffix}",
            f"{title} {words}",
            defines,
            statement,
            evaluation=evaluation,
            where=FITS | MEANS,
            derived_from=derived_from,
            **REFIT,
        )

    own = f"generic_fresh.{name}"
    return Fits(
        reached=formula(
            "reached",
            "product of the vector with the ridge fit to the truth, over the vector's square,",
            reached,
            E(a2 * B * vector) / seen,
            behind,
            "generic_retraining.slack",
            evaluation=ratio(E(a2 * B * vector), seen),
        ),
        shrunk=formula(
            "shrunk",
            "what a ridge fit would leave of the vector's square",
            shrunk,
            E(a2 * vector**2) / seen,
            behind,
            "generic_retraining.slack",
            evaluation=ratio(E(a2 * vector**2), seen),
        ),
        resistance=formula(
            "resistance",
            "what keeps the vector out of the fit",
            resistance,
            k * (1 - E(a2)) - sight * (1 - shrunk),
            f"{own}shrunk",
            "generic_retraining.unused",
            evaluation=k * unused + alpha * kbar + sight * shrunk,
        ),
        weight=formula(
            "weight",
            "weight of what the mask looks at in the fit",
            u,
            sight * reached / resistance,
            f"{own}reached",
            f"{own}resistance",
            evaluation=ratio(sight * reached, resistance),
        ),
        refound=formula(
            "refound",
            "test risk of the ridge fit to what is left of the truth",
            refound,
            (sigma2 + E(Lambda * a2bar**2 * (B - u * vector) ** 2)) / SPREAD,
            f"{own}weight",
        ),
        refound_excess=formula(
            "refound_excess",
            "the same beyond the noise",
            refound_excess,
            refound - sigma2,
            f"{own}refound",
            evaluation=(E(Lambda * a2bar**2 * (B - u * vector) ** 2) + sigma2 * kappa * E(a2**2)) / SPREAD,
        ),
        norm=formula(
            "norm",
            "mean square of the second fit's coefficients, but for the echo,",
            norm,
            E((a2 * B + u * a2bar * vector) ** 2) + kappa * refound * E(ratio(a2, Lambda + nu2)),
            f"{own}refound",
        ),
        product=formula(
            "product",
            "mean product of the second fit and the vector",
            product,
            E((a2 * B + u * a2bar * vector) * vector),
            f"{own}weight",
        ),
        echo_norm=formula(
            "echo_norm",
            "what the echo's variance is in proportion to",
            echo_norm,
            echoed,
            f"{own}norm",
            f"{own}product",
            evaluation=echoed_stable,
        ),
        risk=formula(
            "risk",
            "test risk",
            retrained_risk,
            refound + loss * echo_norm,
            f"{own}echo_norm",
            "generic_retraining.loss",
        ),
        excess_risk=formula(
            "excess_risk",
            "test risk beyond the noise",
            excess_risk,
            retrained_risk - sigma2,
            f"{own}risk",
            f"{own}refound_excess",
            evaluation=refound_excess + loss * echo_norm,
        ),
        training_error=formula(
            "training_error",
            "training error",
            training_error,
            eta**2 * refound + eta * nu2 * (norm - u * product) - ridge2 * (norm + spreading * echo_norm),
            f"{own}risk",
            "generic_retraining.spreading",
        ),
    )


FRESH = _formulas(X, "", "on a fresh sample", "dense.coefficient")
ORACLE = _formulas(B, "oracle_", "on the largest true coefficients", "dense.risk")

CHAPTER = Chapter("generic_fresh", "Fits on a fresh sample in a generic basis", (*FRESH, *ORACLE))
