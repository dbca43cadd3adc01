"""The mask of a policy, put into formulas about any mask: what displays define of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch
from typing import Any

from sympy import Eq, Integer

from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import top
from riskcalc.formulas.records import Definitions, Formula
from riskcalc.formulas.symbols import S
from riskcalc.lowering.compile import closure
from riskcalc.policies import Policy
from riskcalc.policies.base import required
from riskcalc.prediction.policies import Best, Drawn, Mask, Ranked, Scored, Thresholded, in_full, mask
from riskcalc.theory import REGISTRY, masks, optimal, pruning, training_error
from riskcalc.theory.symbols import M0, B, Lambda, X, alpha, crest, depth, loading, score, t

# What keeps the budget, in the place of a definition of the threshold.
BUDGET = Eq(E(M0), alpha)


@singledispatch
def definitions_of(found: Mask) -> Definitions:
    """What defines a mask, its moments and its threshold; `S` by the chance of being kept. A kind of mask registers."""
    raise TypeError(f"what displays define of {found!r} is not registered (riskcalc.typesetting.policies)")


@definitions_of.register
def _(found: Drawn) -> Definitions:
    return _of(found.needs) | dict(found.moments) | _chance(found.chance)


@definitions_of.register
def _(found: Ranked) -> Definitions:
    return masks.RANKED | {score: found.score, t: BUDGET}


@definitions_of.register
def _(found: Thresholded) -> Definitions:
    return _of(found.needs) | dict(found.where) | {t: BUDGET} | _chance(found.chance)


@definitions_of.register
def _(found: Scored) -> Definitions:
    return {t: Eq(E(S), alpha)} | _chance(top(found.score, t, Integer(0)))


@definitions_of.register
def _(found: Best) -> Definitions:
    """Where a feature's kind tells its coefficient."""
    if found.knows_all:
        return masks.RANKED | {score: masks.ORACLE_SCORE, t: BUDGET}
    return optimal.MASK | {depth: BUDGET} | _chance(top(Lambda * X * (2 * B - X), crest - depth, Integer(0)))


def _own(found: Mask) -> set[Formula]:
    """The formulas about this mask alone."""
    listed = [*vars(found).values(), *vars(found.errors).values()]
    own = {
        one for value in listed for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Formula)
    }
    if isinstance(found, Thresholded):
        own |= {one for one in REGISTRY.values() if one.statement == found.moments.get(one.defines)}
        own |= {*masks.CHAPTER.formulas} if found.threshold is masks.THRESHOLD else set()
    return own


def _of(formulas: Iterable[Formula]) -> dict[Any, Any]:
    return {s: rule for one in formulas for s, rule in {**one.where, one.defines: one.statement}.items()}


def _chance(chance: Any) -> dict[Any, Any]:
    return {} if chance is None else {S: chance}


def with_policy(formula: Formula, policy: Policy | type[Policy]) -> Formula:
    """A formula about any mask as one about that of a policy, to be shown: with what defines the mask.

    Raises
    ------
    TypeError
        If `policy` is none, or a class that takes more than a budget, or has no mask in theory.
    ValueError
        If the formula shows no mask, or another than the policy's, or an error that the policy has not.
    """
    if isinstance(policy, type) and issubclass(policy, Policy):
        if needed := required(policy):
            raise TypeError(f"{policy.__name__} needs {' and '.join(needed)}: give a policy, not its class")
        policy = policy(keep=1)
    if not isinstance(policy, Policy):
        raise TypeError(f"policy must be a policy such as rc.Hessian, got {policy!r}")
    found = in_full(mask(policy))
    for general, own in ((pruning.RISK, found.errors.risk), (training_error.PRUNED, found.errors.training_error)):
        if formula is general and own is not general:
            raise ValueError(f"{formula.id} is of masks alone; of what is {policy.label} it is {own.id}")
    defined = {**_of(found.errors.needs), **definitions_of(found)}
    shown = closure([formula.statement], formula.where)
    masked = S in shown and formula.moments is masks.MOMENTS and loading not in shown
    clash = any(defined.get(symbol, rule) != rule for symbol, rule in masks.without_left_out(formula.where).items())
    if clash or not (masked or formula in _own(found)):
        raise ValueError(f"{formula.id} shows no mask that is {policy.label}")
    defined.pop(formula.defines, None)
    behind = (*formula.derived_from, "dense.coefficient")
    return replace(formula, where={**defined, **formula.where}, moments=masks.MOMENTS, derived_from=behind)
