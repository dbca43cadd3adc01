"""T3. Test risk after pruning, without retraining: one formula for every policy, seen through the mask's moments."""

from dataclasses import replace

from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import S
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS
from riskcalc.theory.masks import (
    INTERVAL,
    MOMENTS,
    RANDOM_MOMENTS,
    RANKING_MOMENTS,
    SCORE,
    SCORE_WEIGHTS,
    THRESHOLD_MOMENTS,
)
from riskcalc.theory.symbols import B, Lambda, X, omega, risk, sigma2

RISK = Formula(
    id="pruning.risk",
    title="test risk of the pruned fit",
    defines=risk,
    statement=sigma2 + E(Lambda * (B - S * X) ** 2),
    where=COEFFICIENT,
    complements=COMPLEMENTS,
    moments=MOMENTS,
    source="Chang et al. 2021, Theorem 2",
    derived_from=("dense.risk",),
)


def _with_mask(kind: str, where: dict) -> Formula:
    return replace(RISK, id=f"pruning.{kind}_risk", title=f"{RISK.title}, {kind} mask", where=COEFFICIENT | where)


def _scored(weight) -> dict:
    return {omega: weight} | SCORE | INTERVAL | THRESHOLD_MOMENTS


# By kind of mask: a policy that thresholds noisy scores, any ranking without noise, or chance.
RISKS = {policy: _with_mask(policy, _scored(weight)) for policy, weight in SCORE_WEIGHTS.items()} | {
    "ranking": _with_mask("ranking", RANKING_MOMENTS),
    "random": _with_mask("random", RANDOM_MOMENTS),
}

FORMULAS = (RISK, *RISKS.values())
