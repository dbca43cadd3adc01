"""Correlated features, by traces, closed forms, series and draws; every equation comes lowered from the theory."""

from riskcalc.prediction.correlated.solver import CorrelatedSolver

__all__ = ["CorrelatedSolver"]
