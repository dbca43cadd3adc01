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
from .problems import (
    Correlated,
    FactorCovariance,
    LinearGaussian,
    RandomFeatures,
    RankOne,
    random_features_covariance,
)
from .problems.tabular import from_data
from .questions.compare import Comparison, compare
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
    "Theory",
    "Variance",
    "Verification",
    "compare",
    "derive",
    "evaluate",
    "from_data",
    "latex",
    "laws",
    "load_chapter",
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
