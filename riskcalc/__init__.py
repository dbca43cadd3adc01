"""riskcalc: prune a large model, or train a small one? Exact high-dimensional risks of both.

The names below load on first use, so that importing the package is cheap.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskcalc import laws
    from riskcalc.comparison import Comparison, compare
    from riskcalc.derivation.run import derive
    from riskcalc.estimates import Estimate
    from riskcalc.guarantees import SamplingBudget, sampling_budget
    from riskcalc.policies import (
        BrainSurgeon,
        Group,
        Hessian,
        Iterative,
        Magnitude,
        Optimal,
        Oracle,
        Random,
        Retrain,
        Sampled,
    )
    from riskcalc.prediction import Prediction, predict, small_model
    from riskcalc.problems import LinearGaussian
    from riskcalc.rank_one import RankOne
    from riskcalc.schedules import Schedule, rounds
    from riskcalc.simulation import simulate
    from riskcalc.subjects import Theory
    from riskcalc.tabular import from_data
    from riskcalc.tolerances import Prunability, prunability
    from riskcalc.typesetting.export import latex
    from riskcalc.verification import Verification, verify

__version__ = version("riskcalc")

_HOMES = {
    "Schedule": "schedules",
    "rounds": "schedules",
    "BrainSurgeon": "policies",
    "Group": "policies",
    "Iterative": "policies",
    "Optimal": "policies",
    "Sampled": "policies",
    "Prunability": "tolerances",
    "prunability": "tolerances",
    "SamplingBudget": "guarantees",
    "sampling_budget": "guarantees",
    "Comparison": "comparison",
    "Hessian": "policies",
    "LinearGaussian": "problems",
    "Magnitude": "policies",
    "Oracle": "policies",
    "Prediction": "prediction",
    "Random": "policies",
    "RankOne": "rank_one",
    "Retrain": "policies",
    "Estimate": "estimates",
    "Theory": "subjects",
    "Verification": "verification",
    "simulate": "simulation",
    "verify": "verification",
    "compare": "comparison",
    "derive": "derivation.run",
    "from_data": "tabular",
    "latex": "typesetting.export",
    "laws": "",
    "predict": "prediction",
    "small_model": "prediction",
}

__all__ = [
    "BrainSurgeon",
    "Comparison",
    "Estimate",
    "Group",
    "Hessian",
    "Iterative",
    "LinearGaussian",
    "Magnitude",
    "Optimal",
    "Oracle",
    "Prediction",
    "Prunability",
    "Random",
    "RankOne",
    "Retrain",
    "Sampled",
    "SamplingBudget",
    "Schedule",
    "Theory",
    "Verification",
    "compare",
    "derive",
    "from_data",
    "latex",
    "laws",
    "predict",
    "prunability",
    "rounds",
    "sampling_budget",
    "simulate",
    "small_model",
    "verify",
]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'riskcalc' has no attribute {name!r}")
    if name == "laws":
        return importlib.import_module("riskcalc.laws")
    return getattr(importlib.import_module(f"riskcalc.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
