"""Isotropic features: the dense fit in closed form, its double descent, and the ridge that does away with it.

Read from top to bottom.
"""

from sympy import Derivative, S, sqrt

from riskcalc.derivation.claims import Equal, Expands, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, scalar
from riskcalc.theory.symbols import B, D, Lambda, a, gamma, kappa, nu, r2, ridge, sigma2

# One kind of features.
ISOTROPIC = {Lambda: S.One, D: S.One, a: Lambda / (Lambda + D * nu), r2: E(B**2)}

# The ridge as a function of the effective ridge, and the two roots of the quadratic that this is.
RIDGE = nu - kappa * nu / (1 + nu)
ROOT = sqrt((kappa + ridge - 1) ** 2 + 4 * ridge)
LARGER, SMALLER = (kappa + ridge - 1 + ROOT) / 2, (kappa + ridge - 1 - ROOT) / 2

RISK = (sigma2 * (1 + nu) ** 2 + r2 * nu**2) / ((1 + nu) ** 2 - kappa)
BEST_RIDGE, BEST_RISK = sigma2 * kappa / r2, r2 * nu / kappa
# What vanishes at the best risk.
BALANCE = kappa * gamma**2 - gamma * (kappa * sigma2 + (kappa - 1) * r2) - sigma2 * r2

gap = scalar("gap", "a distance, such as from kappa = 1", POSITIVE, "c")
odds = scalar("odds", "kappa E[a] over one minus kappa E[a]", POSITIVE, "w")
risk_slope = scalar("risk_slope", "derivative of the lowest risk in kappa", REAL, r"\gamma'")
# Shrinkage times kappa stays below one, here w / (1 + w).
SHRUNK = {kappa: (1 + nu) * odds / (1 + odds)}


def derivation(records):
    """Isotropic features."""
    d = Derivation(
        title="Isotropic features",
        statement=r"""Let $\Lambda=D=1$ and $r^2=E[B^2]$. The effective ridge is the positive root of a quadratic, and
        the test risk is a rational function of it. Without a ridge the risk has a peak at $\kappa=1$, where it grows
        as $\sigma^2/|1-\kappa|$. The best ridge is $\lambda^*=\sigma^2\kappa/r^2$; with it the risk is $r^2\nu/\kappa$,
        which increases with $\kappa$ throughout: there is no double descent.""",
        assumptions=r"""Those of the dense fit; $r^2>0$. From the best ridge on, $\sigma^2>0$.""",
        cited=r"""The limit theorem for the dense fit, and that its risk is continuous as $\lambda\to0$. The implicit
        function theorem.""",
    )

    d.step(
        "the equation for the effective ridge",
        Equal(records["dense.effective_ridge"].statement.rhs, ridge + kappa * nu / (1 + nu)),
        r"""With one kind of features the mean is over one atom, $E[a]=1/(1+\nu)$.""",
        given=ISOTROPIC,
    )
    d.step(
        "it is a quadratic",
        Roots(Equal(nu, ridge + kappa * nu / (1 + nu)), nu, (LARGER, SMALLER)),
        r"""Multiplied by $1+\nu$ it reads $\nu^2=(\kappa+\lambda-1)\nu+\lambda$.""",
        uses=["the equation for the effective ridge"],
    )
    d.step(
        "one root is positive",
        Less(LARGER * SMALLER, S.Zero),
        r"""The product of the roots is $-\lambda<0$.""",
        uses=["it is a quadratic"],
    )
    d.registered(
        records["isotropic.effective_ridge"],
        LARGER,
        r"""So the effective ridge is the larger root.""",
        uses=["one root is positive"],
    )
    d.registered(
        records["isotropic.ridge_risk"],
        records["dense.risk"].statement,
        r"""In the test risk of the dense fit $\Lambda B^2(1-a)^2$ has the mean $r^2\nu^2/(1+\nu)^2$; multiply by
        $(1+\nu)^2$ above and below.""",
        given=ISOTROPIC,
    )
    d.step(
        "the denominator is positive",
        Less(S.Zero, (1 + nu) ** 2 - kappa),
        r"""From $\nu(1-\kappa/(1+\nu))=\lambda>0$ follows $\kappa/(1+\nu)<1$: write $w/(1+w)$ for it.""",
        uses=["the equation for the effective ridge"],
        given=SHRUNK,
    )

    d.step(
        "fewer features than samples",
        Expands(LARGER, ridge / (1 - kappa), ridge**2, ridge, S.Zero),
        r"""As the ridge vanishes. Here $\kappa=1/(1+c)<1$, and the effective ridge vanishes too.""",
        uses=["isotropic.effective_ridge"],
        given={kappa: 1 / (1 + gap)},
    )
    d.step(
        "the risk of least squares",
        Equal(RISK, sigma2 / (1 - kappa)),
        r"""At $\nu=0$ the signal drops out.""",
        uses=["isotropic.ridge_risk", "fewer features than samples"],
        given={nu: S.Zero},
    )
    d.step(
        "more features than samples",
        Expands(LARGER, kappa - 1 + ridge * kappa / (kappa - 1), ridge**2, ridge, S.Zero),
        r"""Here $\kappa=1+c>1$. An effective ridge of $\kappa-1$ is left: it makes the fit unique, and the norm
        small.""",
        uses=["isotropic.effective_ridge"],
        given={kappa: 1 + gap},
    )
    d.registered(
        records["isotropic.least_norm_risk"],
        RISK,
        r"""At $\nu=\kappa-1$ the denominator is $\kappa(\kappa-1)$.""",
        uses=["isotropic.ridge_risk", "more features than samples"],
        given={nu: kappa - 1},
    )
    d.step(
        "the peak",
        Expands(
            r2 * (1 - 1 / kappa) + sigma2 * kappa / (kappa - 1),
            sigma2 / (kappa - 1) + sigma2 + r2 * (kappa - 1),
            (kappa - 1) ** 2,
            kappa,
            S.One,
        ),
        r"""Below $\kappa=1$ the risk is $\sigma^2/(1-\kappa)$, just above it $\sigma^2/(\kappa-1)$: a peak as steep on
        either side, made of noise alone. Beyond the peak the risk is that of least squares with $1/\kappa$ for
        $\kappa$, and the share $1-1/\kappa$ of the signal that $n$ samples do not see.""",
        uses=["the risk of least squares", "isotropic.least_norm_risk"],
    )

    d.step(
        "the risk along the ridge",
        Equal(Derivative(RISK, nu), 2 * (1 + nu) * (r2 * ridge - kappa * sigma2) / ((1 + nu) ** 2 - kappa) ** 2),
        r"""In the numerator of the derivative, $\nu(1+\nu-\kappa)=\lambda(1+\nu)$.""",
        uses=["isotropic.ridge_risk", "the equation for the effective ridge"],
        given={ridge: RIDGE},
    )
    d.step(
        "the ridge along the effective ridge",
        Equal(Derivative(RIDGE, nu), 1 - kappa / (1 + nu) ** 2),
        r"""The equation for $\nu$ gives $\lambda$ as a function of it.""",
        uses=["the equation for the effective ridge"],
    )
    d.step(
        "both increase together",
        Less(S.Zero, 1 - kappa / (1 + nu) ** 2),
        r"""So $\nu$ may stand for $\lambda$: what falls or rises along one does so along the other.""",
        uses=["the denominator is positive", "the ridge along the effective ridge"],
        given=SHRUNK,
    )
    climb = 2 * (1 + nu) * (r2 * ridge - kappa * sigma2) / ((1 + nu) ** 2 - kappa) ** 2
    d.step(
        "where the risk is level",
        Roots(Equal(climb, S.Zero), ridge, (BEST_RIDGE,)),
        r"""The derivative vanishes at one ridge only.""",
        uses=["the risk along the ridge"],
    )
    d.step(
        "the risk falls before it",
        Less(climb, S.Zero),
        r"""At any smaller ridge, $\lambda^*/(1+c)$.""",
        uses=["where the risk is level", "both increase together", "the denominator is positive"],
        given=SHRUNK | {ridge: BEST_RIDGE / (1 + gap)},
    )
    d.step(
        "the risk rises after it",
        Less(S.Zero, climb),
        r"""At any larger ridge, $\lambda^*+c$.""",
        uses=["where the risk is level", "both increase together", "the denominator is positive"],
        given=SHRUNK | {ridge: BEST_RIDGE + gap},
    )
    d.registered(
        records["isotropic.optimal_ridge"],
        BEST_RIDGE,
        r"""So this ridge has the lowest risk. It is the noise over the signal per feature, in units of $n$: the ridge
        of Bayes's rule for Gaussian coefficients of variance $r^2/p$.""",
        uses=["the risk falls before it", "the risk rises after it"],
    )
    best = {sigma2: r2 * ridge / kappa, ridge: RIDGE}
    d.step(
        "the lowest risk",
        Equal(RISK, BEST_RISK),
        r"""With $\sigma^2=r^2\lambda/\kappa$ the denominator cancels.""",
        uses=["isotropic.ridge_risk", "isotropic.optimal_ridge"],
        given=best,
    )
    d.registered(
        records["isotropic.optimal_risk"],
        BEST_RISK,
        r"""With the effective ridge that belongs to the best ridge.""",
        uses=["the lowest risk", "isotropic.effective_ridge"],
        given={nu: LARGER, ridge: BEST_RIDGE},
    )
    d.step(
        "the lowest risk solves a quadratic",
        Equal(BALANCE, S.Zero),
        r"""The quadratic for $\nu$ at the best ridge, with $\nu=\kappa\gamma/r^2$.""",
        uses=["the lowest risk"],
        given=best | {gamma: BEST_RISK},
    )
    rate = gamma * (sigma2 + r2 - gamma) / (2 * kappa * gamma - kappa * sigma2 - (kappa - 1) * r2)
    d.step(
        "the lowest risk along the aspect ratio",
        Roots(Equal(Derivative(BALANCE, gamma) * risk_slope + Derivative(BALANCE, kappa), S.Zero), risk_slope, (rate,)),
        r"""The quadratic differentiated in $\kappa$, noise and signal being fixed; $\gamma'$ is the derivative of the
        lowest risk.""",
        uses=["the lowest risk solves a quadratic"],
    )
    d.step(
        "in terms of the effective ridge",
        Equal(rate, gamma / ((1 + nu) ** 2 - kappa)),
        r"""The denominator of the risk comes back.""",
        uses=["the lowest risk", "the lowest risk along the aspect ratio"],
        given=best | {gamma: BEST_RISK},
    )
    d.step(
        "no double descent",
        Less(S.Zero, gamma / ((1 + nu) ** 2 - kappa)),
        r"""With the best ridge the risk increases with $\kappa$, through $\kappa=1$ and beyond.""",
        uses=["in terms of the effective ridge", "the denominator is positive"],
        given=SHRUNK,
    )
    return d
