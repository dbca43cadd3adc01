"""Ridges below zero: how far they go.

A negative ridge, down to minus the lower edge of the spectrum of the sample's Gram matrix, leaves all formulas as they
are (T1 to T6): Gram matrix plus ridge stays positive definite, and the fit is the analytic continuation of ridge
regression. With more live features than samples nu stays positive; with fewer it is negative, too, and shrinkages are
above one.
"""

from sympy import Eq, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import ratio, rest, share
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.theory.symbols import D, Lambda, a, abar, excess, kappa, nu_edge, ridge_edge

_SOURCE = "see the derivation of negative ridges; Patil, Du and Tibshirani (2024)"

SHRINKAGE = {a: share(Lambda, D * nu_edge), abar: rest(Lambda, D * nu_edge)}

EDGE = FixedPoint(
    id="negative_ridge.edge",
    title="effective ridge of the lowest ridge",
    defines=nu_edge,
    statement=Eq(kappa * E(a**2), 1),
    where=SHRINKAGE,
    part=a**2,
    remainder=abar * (1 + a),
    slope=2 * a**2 * abar,
    bend=2 * a**2 * abar * (a - 2 * abar),
    scale=kappa,
    assumptions=r"$\delta\ne0$; the root has the sign of $\delta$, is above $-\Lambda/D$ on every live feature, and is "
    "then unique",
    source=_SOURCE,
)

ONE_FEATURE = Formula(
    id="negative_ridge.one_feature",
    title="the same if all live features were like one; the largest and the smallest bound the edge",
    defines=nu_edge,
    relation="<=",
    statement=ratio(Lambda, D) * (sqrt(1 + excess) - 1),
    evaluation=ratio(Lambda, D) * excess / (1 + sqrt(1 + excess)),
    source="the mean in negative_ridge.edge lies between its extremes",
    derived_from=("negative_ridge.edge",),
)

LOWEST = Formula(
    id="negative_ridge.lowest",
    title="the lowest ridge: minus the lower edge of the spectrum of the sample's Gram matrix",
    defines=ridge_edge,
    statement=nu_edge * (1 - kappa * E(a)),
    evaluation=-kappa * nu_edge * E(a * abar),
    where=SHRINKAGE,
    source=_SOURCE,
    derived_from=("negative_ridge.edge",),
)

CHAPTER = Chapter("negative_ridge", "Negative ridges", (EDGE, ONE_FEATURE, LOWEST))
