"""T8. Correlated features: the scalars of T1, T5 and T6 as traces and averages over draws of the dense fit's noise."""

from sympy import Eq, Interval, oo

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.records import Formula, LinearEquation
from riskcalc.formulas.symbols import NONNEGATIVE, REAL, UNIT, scalar
from riskcalc.theory.symbols import (
    c,
    excess_risk,
    gamma,
    nu,
    q,
    q2,
    retrained_risk,
    rho,
    ridge,
    risk,
    sigma2,
    sigma2_small,
    training_error,
)

_S = "see the derivation of correlated features"
tA = scalar("tA", "tr A/n", NONNEGATIVE, "t_A")
tAbar = scalar("tAbar", "tr A(1-A)/n", NONNEGATIVE, r"\bar t_A")
bias = scalar("bias", "|(1-A)W|^2/n", NONNEGATIVE, "b_A")
D1 = scalar("D1", "(W-V1).d/n", REAL, "D_1")
D2 = scalar("D2", "d.d/n", NONNEGATIVE, "D_2")
DG = scalar("DG", "d.G1/n", REAL, "D_G")
qd = scalar("qd", "slack after pruning", REAL, "q_S")
tM = scalar("tM", "tr M/n", NONNEGATIVE, "t_M")
tMbar = scalar("tMbar", "tr M(1-M)/n", NONNEGATIVE, r"\bar t_M")
ww = scalar("ww", "|W-MW|^2/n", NONNEGATIVE, "m_{00}")
names = "g1 g2 g3 u0 u2 u3 w2 w3 x22 x23 x33".split()
g1, g2, g3, u0, u2, u3, w2, w3, x22, x23, x33 = (scalar(f"m_{n}", n, REAL, f"m_{{{n}}}") for n in names)

SLACK = Formula("correlated.slack", "slack", q, 1 - tA, _S, evaluation=ridge / nu)
LEAST_SQUARES_SLACK = Formula("correlated.least_squares_slack", "slack", q, 1 - tA, _S)
RISK = Formula("correlated.risk", "dense", gamma, (sigma2 + bias) / (q + tAbar), _S)
EXCESS_RISK = Formula("correlated.excess", "dense", excess_risk, (bias + sigma2 * (tA - tAbar)) / (q + tAbar), _S)
TRAINING_ERROR = Formula("correlated.training_error", "dense", training_error, gamma * q**2, _S)
PRUNED_RISK = Formula("correlated.pruned_risk", "pruned", risk, gamma + 2 * D1 + D2, _S)
PRUNED_TRAINING_ERROR = Formula(
    "correlated.pruned_training_error",
    "pruned",
    training_error,
    gamma * qd**2 + 2 * D1 * qd + D2,
    _S,
    where={qd: q + DG / gamma},
)
STATIONARITY = LinearEquation(
    "correlated.stationarity",
    "x",
    c,
    Eq(c * (1 - tM) + (g1 + rho * g2 + c * g3) / gamma - rho * tM, 0),
    _S,
    unknowns=(rho, c),
)
COVARIANCE = LinearEquation(
    "correlated.covariance", "x", rho, Eq(rho * gamma, sigma2 + u0 - rho * u2 - c * u3), _S, unknowns=(rho, c)
)
RETRAINED_RISK = Formula(
    "correlated.retrained_risk",
    "x",
    retrained_risk,
    (
        sigma2
        + ww
        + rho**2 * (x22 - (tM - tMbar) * gamma)
        + c**2 * x33
        - 2 * rho * w2
        - 2 * c * w3
        + 2 * rho * c * x23
    )
    / (1 - tM + tMbar),
    _S,
)
RETRAINED_TRAINING_ERROR = Formula(
    "correlated.retrained_training_error",
    "x",
    training_error,
    (1 - tM) ** 2 * (retrained_risk + 2 * c * rho * gamma + c**2 * gamma),
    _S,
)
