"""T1 for isotropic features: Lambda = D = 1, coefficients of any law with E[B^2] = r2. Everything is in closed form.

The double descent of least squares and least norm, and the ridge that does away with it.
"""

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive_root
from riskcalc.formulas.records import Formula
from riskcalc.theory.symbols import B, gamma, kappa, nu, r2, ridge, sigma2

_PAPER = "Hastie, Montanari, Rosset and Tibshirani 2022, isotropic features"
_ISOTROPIC = r"$\Lambda = D = 1$"

LEAST_NORM_RISK = Formula(
    id="isotropic.least_norm_risk",
    title="test risk of the interpolator of least norm",
    defines=gamma,
    statement=r2 * (1 - 1 / kappa) + sigma2 * kappa / (kappa - 1),
    assumptions=rf"{_ISOTROPIC}, $\lambda \to 0$, $\kappa > 1$",
    source=_PAPER,
    derived_from=("dense.effective_ridge", "dense.risk"),
)

EFFECTIVE_RIDGE = Formula(
    id="isotropic.effective_ridge",
    title="effective ridge",
    defines=nu,
    statement=positive_root(kappa + ridge - 1, ridge),
    assumptions=_ISOTROPIC,
    source=_PAPER,
    derived_from=("dense.effective_ridge",),
)

RIDGE_RISK = Formula(
    id="isotropic.ridge_risk",
    title="test risk of ridge regression",
    defines=gamma,
    statement=(sigma2 * (1 + nu) ** 2 + r2 * nu**2) / ((1 + nu) ** 2 - kappa),
    assumptions=rf"{_ISOTROPIC}, $\nu$ the effective ridge",
    source=_PAPER,
    derived_from=("isotropic.effective_ridge", "dense.risk"),
)

OPTIMAL_RIDGE = Formula(
    id="isotropic.optimal_ridge",
    title="ridge of the lowest test risk",
    defines=ridge,
    statement=sigma2 * kappa / r2,
    assumptions=_ISOTROPIC,
    source="Dobriban and Wager 2018; Hastie, Montanari, Rosset and Tibshirani 2022",
    derived_from=("isotropic.effective_ridge", "isotropic.ridge_risk"),
)

OPTIMAL_RISK = Formula(
    id="isotropic.optimal_risk",
    title="lowest test risk of ridge regression",
    defines=gamma,
    statement=r2 * nu / kappa,
    where={nu: EFFECTIVE_RIDGE.statement, ridge: OPTIMAL_RIDGE.statement},
    assumptions=f"{_ISOTROPIC}, the optimal ridge",
    source="Dobriban and Wager 2018; Hastie, Montanari, Rosset and Tibshirani 2022",
    derived_from=("isotropic.ridge_risk", "isotropic.optimal_ridge"),
)

CHAPTER = Chapter(
    "isotropic",
    "Isotropic features",
    (LEAST_NORM_RISK, EFFECTIVE_RIDGE, RIDGE_RISK, OPTIMAL_RIDGE, OPTIMAL_RISK),
    meanings={r2: E(B**2)},
)
