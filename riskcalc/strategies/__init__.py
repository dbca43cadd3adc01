"""Hypothesis strategies for problems, laws, policies and procedures, to property-test theories of your own.

They need the extra `strategies`, and are ``riskcalc.strategies``. What a failing test shrinks to is simple: one atom,
no noise, no ridge, two features per sample, powers of two. Once the module is loaded, Hypothesis knows the types as
well: ``st.from_type(riskcalc.LinearGaussian)``. A first prediction compiles its formula, which takes longer than
Hypothesis's deadline: set ``deadline=None``, or take `settings`.
"""

from typing import Any

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("riskcalc.strategies needs Hypothesis: pip install 'riskcalc[strategies]'") from error

from riskcalc.laws import Continuous, Law
from riskcalc.policies import POLICIES, Policy, Procedure, Retrain
from riskcalc.problems import Correlated, LinearGaussian, Problem, RandomFeatures, RankOne, Table
from riskcalc.strategies.budget import settings
from riskcalc.strategies.law import kinds_of_laws, laws
from riskcalc.strategies.policy import KEPT, kept, policies, policy_of, procedures, retrains
from riskcalc.strategies.problem import (
    arguments,
    correlated_problems,
    problems,
    random_features_problems,
    rank_one_problems,
)
from riskcalc.strategies.table import table_problems

__all__ = [
    "arguments",
    "correlated_problems",
    "laws",
    "policies",
    "problems",
    "procedures",
    "random_features_problems",
    "rank_one_problems",
    "settings",
    "table_problems",
]

# Hypothesis draws these for arguments of their types, and for `from_type`; of the base classes, whatever is registered.
_TYPES: dict[type, Any] = {
    Problem: problems() | rank_one_problems() | correlated_problems() | random_features_problems(),
    LinearGaussian: problems(),
    RankOne: rank_one_problems(),
    Correlated: correlated_problems(),
    RandomFeatures: random_features_problems(),
    Table: table_problems(),
    Law: laws(),
    Continuous: laws(continuous=True),
    **kinds_of_laws(None, 8),
    Policy: lambda _: policies(),
    **{kind: lambda kind: policy_of(kind, kept(KEPT)) for kind in POLICIES.values()},
    Retrain: retrains(),
    Procedure: lambda _: procedures(),
}
for _kind, _strategy in _TYPES.items():
    st.register_type_strategy(_kind, _strategy)
