"""T3. Test risk after pruning, without retraining: one formula for every policy, seen through the mask's moments."""

from dataclasses import replace

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Definitions, Formula
from riskcalc.formulas.symbols import Expression, S
from riskcalc.theory import masks
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS
from riskcalc.theory.symbols import M0, B, Lambda, X, misfit, risk, sigma2

RISK = Formula(
    id="pruning.risk",
    title="test risk of the pruned fit",
    defines=risk,
    statement=sigma2 + E(Lambda * (B - S * X) ** 2),
    where=COEFFICIENT,
    complements=COMPLEMENTS,
    moments=masks.MOMENTS,
    source="Chang et al. 2021, Theorem 2",
    derived_from=("dense.risk",),
)


MISFIT = Formula(
    id="pruning.misfit",
    title="test risk due to the features dropped: their signal",
    defines=misfit,
    statement=E((1 - S) * Lambda * B**2),
    moments=masks.MOMENTS,
    source="Chang et al. 2021, Section 3",
    derived_from=("pruning.risk",),
)


# The masks of a root must keep the budget, whatever equation the root is of.
MISMATCH = masks.THRESHOLD.mismatch.subs(masks.THRESHOLD.part, M0)


def behind_masks(
    risk: Expression,
    excess_risk: Expression | None,
    training_error: Expression,
    others: tuple[Expression, ...],
    needs: Definitions,
    defined: Expression,
) -> tuple[Expression, ...]:
    """What is evaluated of a fit behind masks: the mismatch, its risk and what is beyond the noise, and the rest.

    What they need is put in, and the risk where the training error uses it.
    """
    whole = risk.xreplace(needs)
    beyond = whole - sigma2 if excess_risk is None else excess_risk.xreplace(needs)
    training_error = training_error.xreplace({**needs, defined: whole})
    return MISMATCH, whole, beyond, training_error, *(other.xreplace(needs) for other in others)


def _with_mask(kind: str, mask: Definitions) -> Formula:
    return replace(RISK, id=f"pruning.{kind}_risk", title=f"{RISK.title}, {kind} mask", where=mask)


_MASKS = {
    "magnitude": masks.thresholded(masks.MAGNITUDE),
    "hessian": masks.thresholded(masks.HESSIAN),
    "ranking": masks.RANKED,
    "random": masks.RANDOM,
}


CHAPTER = Chapter(
    "pruning", "Pruning without retraining", (RISK, MISFIT, *(_with_mask(*one) for one in _MASKS.items()))
)
