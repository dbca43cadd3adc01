"""The public names, and where each of them lives: what `riskcalc/__init__.py` loads on first use."""

from . import laws
from . import strategies as strategies
from .chapters.loading import load_chapter
from .derivation.run import derive
from .evaluation.evaluate import evaluate
from .evaluation.source import source
from .policies import (
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
    Score,
    Subset,
    Variance,
)
from .prediction.predict import predict, small_model
from .prediction.result import Prediction
from .prediction.row_law import leverages
from .problems import (
    Correlated,
    FactorCovariance,
    LinearGaussian,
    RandomFeatures,
    RankOne,
    Table,
    random_features_covariance,
)
from .problems.tabular import from_data
from .questions.advice import Advice
from .questions.advise import advise
from .questions.compare import Comparison, compare
from .questions.measure import Measured, measure
from .questions.prunability import Prunability, prunability
from .questions.rounds import Schedule, rounds
from .questions.sampling_budget import SamplingBudget, sampling_budget
from .questions.sweep.sweep import sweep
from .simulation.estimates import Estimate
from .simulation.simulate import simulate
from .typesetting.export import latex
from .verification.theories import Theory
from .verification.verify import Verification, verify

__version__: str
__all__ = [
    "Advice",
    "BrainSurgeon",
    "Comparison",
    "Correlated",
    "Estimate",
    "FactorCovariance",
    "Group",
    "Hessian",
    "Iterative",
    "LinearGaussian",
    "Magnitude",
    "Measured",
    "Optimal",
    "Oracle",
    "Prediction",
    "Procedure",
    "Prunability",
    "Random",
    "RandomFeatures",
    "RankOne",
    "Retrain",
    "Sampled",
    "SamplingBudget",
    "Schedule",
    "Score",
    "Subset",
    "Table",
    "Theory",
    "Variance",
    "Verification",
    "advise",
    "compare",
    "derive",
    "evaluate",
    "from_data",
    "latex",
    "laws",
    "leverages",
    "load_chapter",
    "measure",
    "predict",
    "prunability",
    "random_features_covariance",
    "rounds",
    "sampling_budget",
    "simulate",
    "small_model",
    "source",
    "sweep",
    "verify",
]
