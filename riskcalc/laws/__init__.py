"""Joint laws of a feature's variance and its coefficient, (Lambda, B), as atoms with weights.

The signal is the scaled coefficient, ``B = sqrt(p) * beta``, so that E[Lambda B^2] is the variance that it explains.
Where there is a number of features, ``coefficients`` are beta itself.
"""

from riskcalc.laws.base import Atoms, Empirical, Law, PrincipalComponents
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
    "PrincipalComponents",
    "Uniform",
]
