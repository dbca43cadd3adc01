"""Policies and procedures as inert data: which features are kept, and what follows. Both witnesses read them."""

from riskcalc.policies.base import POLICIES, Option, Policy, Ranking, Retrain, by_budget, register
from riskcalc.policies.procedures import Iterative, Procedure
from riskcalc.policies.rules import (
    BrainSurgeon,
    Group,
    Hessian,
    Magnitude,
    Optimal,
    Oracle,
    Random,
    Sampled,
    Subset,
    Variance,
)
from riskcalc.policies.scores import Score

__all__ = [
    "POLICIES",
    "BrainSurgeon",
    "Group",
    "Hessian",
    "Iterative",
    "Magnitude",
    "Optimal",
    "Option",
    "Oracle",
    "Policy",
    "Procedure",
    "Random",
    "Ranking",
    "Retrain",
    "Sampled",
    "Score",
    "Subset",
    "Variance",
    "by_budget",
    "register",
]
