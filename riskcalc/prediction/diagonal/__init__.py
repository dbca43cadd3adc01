"""Linear Gaussian problems whose features are their own eigenvectors, in any number system.

These files hold the order of the steps and the case distinctions; every equation comes lowered from `riskcalc.theory`.
"""

from riskcalc.prediction.diagonal.solver import DiagonalSolver

__all__ = ["DiagonalSolver"]
