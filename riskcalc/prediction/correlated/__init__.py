"""Correlated features: their solver, which it registers."""

from riskcalc.prediction.correlated import solver

__all__ = ["solver"]
