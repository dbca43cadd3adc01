"""The theory, one file per theorem group; every formula is registered here, in the order of the source paper.

Notation and sources: [1] X. Chang, Y. Li, S. Oymak, C. Thrampoulidis, "Provable Benefits of Overparameterization in
Model Compression: From Double Descent to Pruning Neural Networks", AAAI 2021. [2] T. Hastie, A. Montanari, S. Rosset,
R. J. Tibshirani, "Surprises in High-Dimensional Ridgeless Least Squares Interpolation", Ann. Statist. 50 (2022).
"""

from riskcalc.formulas.records import registry
from riskcalc.theory.dense import FORMULAS as _DENSE
from riskcalc.theory.groups import FORMULAS as _GROUPS
from riskcalc.theory.isotropic import FORMULAS as _ISOTROPIC
from riskcalc.theory.iterative import FORMULAS as _ITERATIVE
from riskcalc.theory.limits import FORMULAS as _LIMITS
from riskcalc.theory.masks import FORMULAS as _MASKS
from riskcalc.theory.optimal import FORMULAS as _OPTIMAL
from riskcalc.theory.pruning import FORMULAS as _PRUNING
from riskcalc.theory.rank_one import FORMULAS as _RANK_ONE
from riskcalc.theory.retraining import FORMULAS as _RETRAINING
from riskcalc.theory.sampling import FORMULAS as _SAMPLING
from riskcalc.theory.small_model import FORMULAS as _SMALL
from riskcalc.theory.training_error import FORMULAS as _TRAINING

REGISTRY = registry(
    (
        *_DENSE,
        *_MASKS,
        *_SAMPLING,
        *_GROUPS,
        *_OPTIMAL,
        *_PRUNING,
        *_TRAINING,
        *_RETRAINING,
        *_ITERATIVE,
        *_SMALL,
        *_ISOTROPIC,
        *_LIMITS,
        *_RANK_ONE,
    )
)
