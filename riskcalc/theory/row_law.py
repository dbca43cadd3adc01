"""T15. The row law: a sample is n rows of a finite table, drawn without replacement, and tested on the others.

Every row x of the table has its own leverage; the rows need not be Gaussian. S is the covariance of a sample, and
Q = (<w x x'> + ridge)^-1 stands for (S + ridge)^-1 in the mean over samples, where <> is a mean over the rows of the
table. The coefficients have the mean Q<w x y> and the covariance V = Q<shock x x'>Q. Where all rows are drawn this is
leaving one out, exactly; where few are and rows are Gaussian it is T1. Without a ridge and with more dimensions than
rows all of this has a limit: odds, the inverse of Q and the inverses of weights are then in units of the ridge.
"""

from sympy import sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Formula
from riskcalc.theory.row_law_symbols import (
    all_product,
    all_square,
    drawn,
    fit_variance,
    gaussian_retrained,
    lever,
    mean_residual,
    miss,
    miss_product,
    miss_square,
    pruned_square,
    pull,
    pullbar,
    recall,
    row_odds,
    row_weight,
    shock,
    small_gaussian,
    small_rows,
)
from riskcalc.theory.symbols import n_samples, nu, retrained_risk, ridge, risk, training_error

_DERIVATION = "see the derivation of the row law"
_FEW = "a ridge, or no more dimensions than rows in a sample"
_MANY = "no ridge, and more dimensions than rows in a sample"

WEIGHT = Formula(
    id="row_law.weight",
    title="weight of a row in what stands for the inverse of a sample covariance",
    defines=row_weight,
    statement=1 / (1 + (1 - drawn) * row_odds),
    assumptions=_FEW,
    source=_DERIVATION,
)

ODDS = Formula(
    id="row_law.odds",
    title="leverage of a row beside a sample that it is not in",
    defines=row_odds,
    statement=2 * lever / (1 - lever + sqrt((1 - lever) ** 2 + 4 * (1 - drawn) * lever)),
    assumptions=_FEW,
    source=_DERIVATION,
    derived_from=("row_law.weight",),
)

INTERPOLATING_WEIGHT = Formula(
    id="row_law.interpolating_weight",
    title="weight of a row, of interpolators",
    defines=row_weight,
    statement=1 / ((1 - drawn) * row_odds),
    assumptions=_MANY,
    source=_DERIVATION,
    derived_from=("row_law.weight",),
)

INTERPOLATING_ODDS = Formula(
    id="row_law.interpolating_odds",
    title="leverage of a row beside a sample that it is not in, of interpolators",
    defines=row_odds,
    statement=lever / (1 - drawn),
    assumptions=_MANY,
    source=_DERIVATION,
    derived_from=("row_law.odds",),
)

PULL = Formula(
    id="row_law.pull",
    title="part of its own residual that a row takes by being drawn: its leverage in a sample",
    defines=pull,
    statement=row_odds / (1 + row_odds),
    assumptions=f"{_FEW}; one for interpolators",
    source=_DERIVATION,
)

REST = Formula(
    id="row_law.rest",
    title="what being drawn leaves of a row's residual",
    defines=pullbar,
    statement=1 / (1 + row_odds),
    assumptions=f"{_FEW}; zero for interpolators",
    source=_DERIVATION,
    derived_from=("row_law.pull",),
)

EFFECTIVE_RIDGE = Formula(
    id="row_law.effective_ridge",
    title="effective ridge, if the rows had their mean weight",
    defines=nu,
    statement=ridge / E(row_weight),
    source=_DERIVATION,
    derived_from=("row_law.weight",),
)

MISS = Formula(
    id="row_law.miss",
    title="mean residual of a row over samples without it",
    defines=miss,
    statement=mean_residual / (1 - drawn * pull),
    source=_DERIVATION,
    derived_from=("row_law.pull",),
)

MISS_SQUARE = Formula(
    id="row_law.miss_square",
    title="mean square of the residual of a row over samples without it",
    defines=miss_square,
    statement=(fit_variance + (1 - drawn * pull) ** 2 * miss**2) / (1 - drawn + drawn * pullbar**2),
    source=_DERIVATION,
    derived_from=("row_law.miss", "row_law.rest"),
)

SHOCK = Formula(
    id="row_law.shock",
    title=r"what a row adds to the covariance of the coefficients, $V=Q\langle\omega xx^\top\rangle Q$",
    defines=shock,
    statement=(1 - drawn) * row_weight**2 * miss_square / n_samples,
    source=_DERIVATION,
    derived_from=("row_law.weight", "row_law.miss_square"),
)

RISK = Formula(
    id="row_law.risk",
    title="test risk on rows that are not drawn",
    defines=risk,
    statement=E(miss_square),
    source=_DERIVATION,
    derived_from=("row_law.miss_square", "row_law.shock"),
)

TRAINING_ERROR = Formula(
    id="row_law.training_error",
    title="training error",
    defines=training_error,
    statement=E(pullbar**2 * miss_square),
    source=_DERIVATION,
    derived_from=("row_law.risk", "row_law.rest"),
)

MISS_PRODUCT = Formula(
    id="row_law.miss_product",
    title="mean product of the pruned and the dense residual of a row over samples without it",
    defines=miss_product,
    statement=(all_product + drawn * recall * pullbar * miss_square) / (1 - drawn * pull),
    source=_DERIVATION,
    derived_from=("row_law.miss_square",),
)

PRUNED_SQUARE = Formula(
    id="row_law.pruned_square",
    title="mean square of the pruned residual of a row over samples without it",
    defines=pruned_square,
    statement=all_square + 2 * drawn * recall * miss_product - drawn * recall**2 * miss_square,
    source=_DERIVATION,
    derived_from=("row_law.miss_product",),
)

PRUNED_RISK = Formula(
    id="row_law.pruned_risk",
    title="test risk of the pruned fit on rows that are not drawn",
    defines=risk,
    statement=E(pruned_square),
    source=_DERIVATION,
    derived_from=("row_law.pruned_square",),
)

PRUNED_TRAINING_ERROR = Formula(
    id="row_law.pruned_training_error",
    title="training error of the pruned fit",
    defines=training_error,
    statement=E(pruned_square - 2 * recall * miss_product + recall**2 * miss_square),
    source=_DERIVATION,
    derived_from=("row_law.pruned_square",),
)

RETRAINED_RISK = Formula(
    id="row_law.retrained_risk",
    title="test risk after retraining on the same sample: a heuristic",
    defines=retrained_risk,
    statement=gaussian_retrained * small_rows / small_gaussian,
    relation="~",
    assumptions="rows that are not Gaussian cost a second fit the factor that they cost small models on its features",
    source=_DERIVATION,
    derived_from=("correlated.retrained_risk", "row_law.risk"),
)

CHAPTER = Chapter(
    "row_law",
    "The rows of a finite table",
    (
        *(WEIGHT, ODDS, INTERPOLATING_WEIGHT, INTERPOLATING_ODDS, PULL, REST, EFFECTIVE_RIDGE),
        *(MISS, MISS_SQUARE, SHOCK, RISK, TRAINING_ERROR),
        *(MISS_PRODUCT, PRUNED_SQUARE, PRUNED_RISK, PRUNED_TRAINING_ERROR, RETRAINED_RISK),
    ),
)
