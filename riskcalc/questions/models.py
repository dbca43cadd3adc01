"""Models that a question is asked of: by name, as comparisons call them, by a policy, or by a procedure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from riskcalc.lookup import look_up
from riskcalc.policies import Oracle, Policy, Procedure, Random, Retrain, Variance
from riskcalc.policies.base import at_budget, by_budget
from riskcalc.problems import Problem

Model = str | type[Policy] | Policy | Procedure
# What chooses the features of small models: the paper's is told the best of them, the others need not be.
SMALL: tuple[type[Policy], ...] = (Oracle, Variance, Random)
# A bound is a nonsmooth root: over more atoms it would take most of the time.
MOST_ATOMS = 1 << 14


def named() -> dict[str, Procedure]:
    """Every model that a budget alone makes, by its name in a comparison ("hessian+retrain", "small", ...), keeping
    all."""
    found = {"dense": Procedure()}
    for kind in by_budget().values():
        policy = kind(keep=1)
        several = [Procedure(policy), Procedure(policy, Retrain()), Procedure(policy, Retrain(sample="fresh"))]
        several += [] if kind.sees_fit else [Procedure.small(keep=1, by=kind)]
        found |= {one.key: one for one in several}
    return found


def model_of(model: Model, **budget: Any) -> Procedure:
    """The procedure that is meant, at a budget (`keep` or `n_keep`) or, if none is given, at its own.

    Raises
    ------
    TypeError, ValueError
        For what is no model, a name that is not known (with near ones), or one that has no budget and is given none.
    """
    given = {name: value for name, value in budget.items() if value is not None}
    if isinstance(model, str):
        meant = look_up(model, named(), "model")
        if meant.prune is not None and not given:
            raise ValueError(
                f"{model} needs a budget: give keep or n_keep, or a policy with its own, such as rc.Hessian(keep=0.1)"
            )
    elif isinstance(model, Procedure):
        meant = model
    elif isinstance(model, type):
        meant = Procedure(at_budget(model, **given))
    else:
        meant = Procedure.of(model, None)
    if meant.prune is None or not given:
        return meant
    return Procedure(at_budget(meant.prune, **given), meant.retrain)


def procedures(rules: Sequence[Policy], bounds: Sequence[Policy], ridge: ArrayLike | str) -> list[Procedure]:
    """What is made of rules that have one budget, the first alone if need be, with this ridge of the second fits; and
    of bounds, which are not retrained.

    Where a mask depends on the sample it matters on which sample it is retrained.
    """
    same, fresh = Retrain(ridge), Retrain(ridge, "fresh")
    budget = {"keep": rules[0].keep, "n_keep": rules[0].n_keep}
    found = [Procedure(), *(Procedure.small(**budget, by=kind) for kind in SMALL), *map(Procedure, rules)]
    found += map(Procedure, bounds)
    found += [Procedure(rule, same) for rule in rules]
    return found + [Procedure(rule, fresh) for rule in rules if rule.sees_fit]


def few_atoms(problem: Problem) -> bool:
    """Whether bounds are found in little time."""
    return getattr(problem, "n_atoms", 0) <= MOST_ATOMS
