"""riskcalc: prune a large model, or train a small one? Exact high-dimensional risks of both.

The names below load on first use, so that importing the package is cheap.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskcalc import laws
    from riskcalc.derivation.run import derive
    from riskcalc.policies import (
        BrainSurgeon,
        Group,
        Hessian,
        Iterative,
        Magnitude,
        Optimal,
        Oracle,
        Procedure,
        Random,
        Retrain,
        Sampled,
    )
    from riskcalc.prediction.predict import predict, small_model
    from riskcalc.prediction.result import Prediction
    from riskcalc.problems import LinearGaussian, RankOne
    from riskcalc.problems.tabular import from_data
    from riskcalc.questions.compare import Comparison, compare
    from riskcalc.questions.prunability import Prunability, prunability
    from riskcalc.questions.rounds import Schedule, rounds
    from riskcalc.questions.sampling_budget import SamplingBudget, sampling_budget
    from riskcalc.simulation.estimates import Estimate
    from riskcalc.simulation.simulate import simulate
    from riskcalc.typesetting.export import latex
    from riskcalc.verification.theories import Theory
    from riskcalc.verification.verify import Verification, verify

__version__ = version("riskcalc")

# Where each public name lives.
_HOMES = {
    "policies": (
        "BrainSurgeon",
        "Group",
        "Hessian",
        "Iterative",
        "Magnitude",
        "Optimal",
        "Oracle",
        "Procedure",
        "Random",
        "Retrain",
        "Sampled",
    ),
    "problems": ("LinearGaussian", "RankOne"),
    "problems.tabular": ("from_data",),
    "prediction.predict": ("predict", "small_model"),
    "prediction.result": ("Prediction",),
    "questions.compare": ("Comparison", "compare"),
    "questions.prunability": ("Prunability", "prunability"),
    "questions.rounds": ("Schedule", "rounds"),
    "questions.sampling_budget": ("SamplingBudget", "sampling_budget"),
    "simulation.estimates": ("Estimate",),
    "simulation.simulate": ("simulate",),
    "typesetting.export": ("latex",),
    "verification.theories": ("Theory",),
    "verification.verify": ("Verification", "verify"),
    "derivation.run": ("derive",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

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
    "Procedure",
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
    if name == "laws":
        return importlib.import_module("riskcalc.laws")
    if name not in _HOME:
        raise AttributeError(f"module 'riskcalc' has no attribute {name!r}")
    return getattr(importlib.import_module(f"riskcalc.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
