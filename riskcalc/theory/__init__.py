"""The theory, one file per theorem group; every chapter is registered here, in the order of the source paper.

Notation and sources: [1] X. Chang, Y. Li, S. Oymak, C. Thrampoulidis, "Provable Benefits of Overparameterization in
Model Compression: From Double Descent to Pruning Neural Networks", AAAI 2021. [2] T. Hastie, A. Montanari, S. Rosset,
R. J. Tibshirani, "Surprises in High-Dimensional Ridgeless Least Squares Interpolation", Ann. Statist. 50 (2022).
"""

from riskcalc.formulas.chapters import registry
from riskcalc.theory import (
    correlated,
    dense,
    generic_basis,
    generic_fresh,
    generic_retraining,
    groups,
    interpolators,
    isotropic,
    iterative,
    limits,
    masks,
    negative_ridge,
    optimal,
    pruning,
    random_features,
    rank_one,
    retraining,
    row_law,
    sampling,
    small_model,
    training_error,
    unequal_rows,
)

_THEOREMS = (dense, masks, sampling, groups, optimal, pruning, training_error, retraining, iterative, small_model)
_OTHER_FEATURES = (
    generic_basis,
    generic_retraining,
    generic_fresh,
    interpolators,
    random_features,
    correlated,
    unequal_rows,
    row_law,
)
_SPECIAL_CASES = (isotropic, negative_ridge, limits, rank_one)
CHAPTERS = registry(module.CHAPTER for module in (*_THEOREMS, *_OTHER_FEATURES, *_SPECIAL_CASES))
REGISTRY = registry(formula for chapter in CHAPTERS.values() for formula in chapter.formulas)
