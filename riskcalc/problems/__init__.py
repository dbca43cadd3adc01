"""What can be asked: problems as inert data, from numbers or from tables."""

from riskcalc.problems import latex  # how problems are written
from riskcalc.problems.base import Problem, check_problem, check_single
from riskcalc.problems.correlated import Correlated, FactorCovariance
from riskcalc.problems.first_features import first_features
from riskcalc.problems.kernels import random_features_covariance
from riskcalc.problems.linear_gaussian import BASES, LinearGaussian
from riskcalc.problems.random_features import RandomFeatures
from riskcalc.problems.rank_one import RankOne
from riskcalc.problems.table import Table

__all__ = [
    "BASES",
    "Correlated",
    "FactorCovariance",
    "LinearGaussian",
    "Problem",
    "RandomFeatures",
    "RankOne",
    "Table",
    "check_problem",
    "check_single",
    "first_features",
    "latex",
    "random_features_covariance",
]
