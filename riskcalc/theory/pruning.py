"""T3. Test risk after pruning, without retraining: one formula for every policy, seen through the mask's moments."""

from dataclasses import replace

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Definitions, Formula
from riskcalc.formulas.symbols import S
from riskcalc.theory import masks
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS
from riskcalc.theory.symbols import B, Lambda, X, misfit, risk, sigma2

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
