"""Pruning policies as inert data: which features are kept, how many, and what follows. Both witnesses read them."""

from riskcalc.policies.base import Policy
from riskcalc.policies.fits import Iterative, Retrain
from riskcalc.policies.rules import (
    POLICIES,
    BrainSurgeon,
    Group,
    Hessian,
    Magnitude,
    Optimal,
    Oracle,
    Random,
    Sampled,
)

__all__ = [
    "POLICIES",
    "BrainSurgeon",
    "Group",
    "Hessian",
    "Iterative",
    "Magnitude",
    "Optimal",
    "Oracle",
    "Policy",
    "Random",
    "Retrain",
    "Sampled",
]
