"""Joint laws of a feature's variance and its coefficient, (Lambda, B), as atoms with weights.

The coefficients are scaled, ``B = sqrt(p) * beta``, so that E[Lambda B^2] is the variance that the signal explains.
"""

from riskcalc.laws.base import Atoms, Empirical, Law
from riskcalc.laws.continuous import Beta, Continuous, MarchenkoPastur, Uniform
from riskcalc.laws.power_law import HEAVIEST, PowerLaw

__all__ = [
    "HEAVIEST",
    "Atoms",
    "Beta",
    "Continuous",
    "Empirical",
    "Law",
    "MarchenkoPastur",
    "PowerLaw",
    "Uniform",
]
