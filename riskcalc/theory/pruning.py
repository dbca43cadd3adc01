"""T3. Test risk after pruning, without retraining: one formula for every policy, seen through the mask's moments."""

from dataclasses import replace

from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import S
from riskcalc.theory import masks
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS
from riskcalc.theory.symbols import B, Lambda, X, risk, sigma2

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


def _with_mask(kind: str) -> Formula:
    return replace(RISK, id=f"pruning.{kind}_risk", title=f"{RISK.title}, {kind} mask", where=masks.MASKS[kind])


FORMULAS = (RISK, *map(_with_mask, ("magnitude", "hessian", "ranking", "random")))
