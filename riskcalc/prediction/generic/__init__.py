"""Linear Gaussian problems whose features are in general position to their eigenvectors, in any number system."""

from riskcalc.prediction.generic.solver import GenericSolver

__all__ = ["GenericSolver"]
