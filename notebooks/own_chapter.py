# %% [markdown]
# # A chapter of your own
#
# Dobriban and Wager (Annals of Statistics 46, 2018), Theorem 2.1: ridge regression with random coefficients of variance
# $\alpha^2/p$, independent of the features' variances, has its least risk at the penalty $\lambda^*$.

# %%
import mpmath
import numpy as np
from sympy import Derivative, Eq, S, sqrt

import riskcalc as rc
from riskcalc.chapters import POSITIVE, Chapter, Derivation, E, Equal, Equation, Formula, Trial, scalar
from riskcalc.theory.symbols import B, D, Lambda, a, abar, kappa, nu, ridge, sigma2

alpha2 = scalar("alpha2", "signal strength: $p$ times the variance of a coefficient", POSITIVE, r"\alpha^2")
best = scalar("best", "penalty of least risk", POSITIVE, r"\lambda^*")
v = scalar("v", r"companion Stieltjes transform at $-\lambda^*$", POSITIVE, "v")
least = scalar("least", "least test risk", POSITIVE, "R^*")

SOURCE = "Dobriban and Wager 2018, Theorem 2.1"
PENALTY = Formula("best.penalty", "penalty of least risk", best, kappa * sigma2 / alpha2, SOURCE)
STATED = Eq(1 / v, best + kappa * E(Lambda / (1 + Lambda * v)))
ENDS = {"lower": 1 / (best + kappa * E(Lambda)), "upper": 1 / best}
COMPANION = Equation("best.companion", "companion Stieltjes transform", v, STATED, SOURCE, **ENDS)
# To see the verdict "disagree", leave v out of the next line.
RISK = Formula("best.risk", "least test risk", least, sigma2 / (best * v), SOURCE, derived_from=("dense.risk",))


def derivation(records):
    dense, fixed = records["dense.risk"], records["dense.effective_ridge"].statement
    risk = dense.statement.xreplace({B: sqrt(alpha2)})
    slope = 2 * E(a**2 * abar) / (1 - kappa * E(a**2)) * (alpha2 - kappa * risk / nu)
    at_best, there = {nu: 1 / v, ridge: best}, {alpha2: kappa * sigma2 / ridge, ridge: nu * (1 - kappa * E(a))}
    d = Derivation("The best ridge", "The formulas below.", "$D=1$, and $B$ is independent.", "The minimum is unique.")
    d.where = {**dense.where, D: S.One}
    d.step("slope", Equal(Derivative(risk, nu), slope), r"It vanishes where the risk is $\alpha^2\nu/\kappa$.")
    d.step("flat", Equal(risk, alpha2 * nu / kappa), r"Here; $\nu$ belongs to this $\lambda$.", ["slope"], given=there)
    d.registered(records["best.penalty"], kappa * sigma2 / alpha2, r"Solve for $\lambda$.", ["flat"])
    d.registered(records["best.companion"], Equal(fixed.lhs, fixed.rhs), r"Put in $\nu = 1/v$.", given=at_best)
    d.registered(records["best.risk"], sigma2 * nu / ridge, "This is the risk there.", ["flat"], at_best)
    return d


def trial(n, rng, law=((4, 0.2), (1, 0.8)), signal=3, noise=0.5, draws=50):
    lam = np.concatenate([np.full(round(2 * n * share), variance) for variance, share in law])  # p = 2n
    X, truth = rng.standard_normal((n, 2 * n)) * np.sqrt(lam), rng.standard_normal((2 * n, draws))
    truth, errors = truth * np.sqrt(signal / (2 * n)), rng.standard_normal((n, draws)) * np.sqrt(noise)
    inverse = np.linalg.inv(X @ X.T / n + 2 * noise / signal * np.eye(n))
    return noise + np.mean(lam @ (X.T @ inverse @ (X @ truth + errors) / n - truth) ** 2), np.trace(inverse) / n


POINT = {"kappa": 2, "Lambda": [4, 1], "weights": ["1/5", "4/5"], "alpha2": 3, "sigma2": "1/2"}
PARTS = {"derivations": {"best": derivation}, "trials": (Trial((RISK.id, COMPANION.id), POINT, trial),)}
CHAPTER = Chapter("best", "The best ridge", (PENALTY, COMPANION, RISK), **PARTS)

# %%
if __name__ == "__main__":
    print(rc.latex(RISK), mpmath.nstr(rc.evaluate(RISK, POINT, 50, chapter=CHAPTER), 50), sep="\n")
    print(rc.derive(chapter=CHAPTER), rc.verify(CHAPTER), sep="\n\n")
