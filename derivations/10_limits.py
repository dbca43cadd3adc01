"""Limits: the edge of interpolation, many features, a small ridge, and pruning little or nearly everything.

The effective ridge is the root of an equation, but aspect ratio, ridge and kept fraction are explicit functions of it
or of the threshold. So these are expanded, and then inverted.
"""

from sympy import Derivative, Limit, Rational, S, oo, sqrt

from riskcalc.derivation.claims import Equal, Expands, Less
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Inside, Outside, phi
from riskcalc.formulas.symbols import H, LawSymbol, Scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.symbols import (
    M0,
    M1,
    B,
    D,
    Lambda,
    M0bar,
    M2c,
    X,
    a,
    abar,
    alpha,
    gamma,
    gamma_0,
    kappa,
    mu,
    nu,
    nu_0,
    omega,
    ridge,
    risk,
    s,
    sigma2,
    t,
    tau,
    u,
    z,
)

SHRINKAGE = {a: Lambda / (Lambda + D * nu), abar: D * nu / (Lambda + D * nu)}
# What T1 says of the dense fit, and the ridge that belongs to an effective ridge.
DENSE_RISK = (sigma2 + E(Lambda * B**2 * (1 - a) ** 2)) / (1 - kappa * E(a**2))
RIDGE = nu * (1 - kappa * E(a))
# The aspect ratio that belongs to it, without ridge and with.
INTERPOLATOR = {kappa: 1 / E(a)}
PENALISED = {kappa: (1 - ridge / nu) / E(a)}

NULL = sigma2 + E(Lambda * B**2)
# The dropped interval of H, in terms of mean and spread of the score; masked moments of what lies inside it.
INTERVAL = {u: t / s, z: u - mu}
MOMENTS = {M0bar: Inside(z, u), M1: phi(z) - phi(z - 2 * u), M2c: z * phi(z) - (z - 2 * u) * phi(z - 2 * u)}


def derivation(records):
    """Leading terms in the limits."""
    d = Derivation(
        title="Limits",
        statement=r"""The test risk of the interpolator grows like $\sigma^2/(\kappa-1)$ as $\kappa\to1$ from above,
        that of least squares is $\sigma^2/(1-\kappa)$ below; without noise the risk vanishes at $\kappa=1$. As
        $\kappa\to\infty$ the risk tends to $\sigma^2+E[\Lambda B^2]$, that of predicting zero, and a fixed ridge enters
        at second order only. The first effect of a small ridge is given on either side of $\kappa=1$. The risk is
        affine in the noise. Pruning by a small threshold drops a fraction in proportion to it, but changes the risk in
        proportion to its third power, up or down; as nearly all features are pruned, the risk tends to
        $\sigma^2+E[\Lambda B^2]$.""",
        assumptions=r"""The law of $(\Lambda,B,D)$ has finitely many atoms (or $\Lambda/D$ and $B$ are bounded, and
        $\Lambda/D$ away from zero). Unless something else is said every feature has $\Lambda>0$.""",
        cited=r"""The formulas for effective ridge and dense risk, from the derivations of the ridge fit and of the
        interpolator; the masked moments of a threshold and the risk of a pruned fit, from theirs. The inverse function
        theorem and Taylor's theorem.""",
        where={a: Lambda / (Lambda + D * nu), abar: 1 - a},
    )
    _peak(d, records)
    _wide(d, records)
    _small_ridge(d, records)
    _noise(d, records)
    _light_pruning(d, records)
    _heavy_pruning(d, records)
    return d


def _peak(d, records):
    d.step(
        "aspect ratio of the interpolator",
        Less(S.Zero, Derivative(1 / E(a), nu)),
        r"""Without ridge the equation for $\nu>0$ is $\kappa E[a]=1$. So $\kappa=1/E[a]$ is an increasing function of
        $\nu$; it is 1 at $\nu=0$, where $a=1$. Hence $\kappa\to1^+$ means $\nu\to0^+$.""",
    )
    peak = (kappa - 1) / E(D / Lambda)
    d.step(
        "effective ridge near the peak",
        Expands(peak, nu, nu**2, nu, S.Zero),
        r"""A feature has $a=1-\nu D/\Lambda+O(\nu^2)$, so that $\kappa-1=\nu E[D/\Lambda]+O(\nu^2)$.""",
        uses=["aspect ratio of the interpolator"],
        given=INTERPOLATOR,
    )
    d.registered(
        records["limits.peak_effective_ridge"],
        Expands(nu, peak, (kappa - 1) ** 2, kappa, S.One),
        r"""$\nu$ is of the order of $\kappa-1$, so that $O(\nu^2)$ and $O((\kappa-1)^2)$ are the same.""",
        uses=["effective ridge near the peak"],
    )
    d.step(
        "risk near the peak",
        Expands(DENSE_RISK - sigma2 / (kappa - 1), S.Zero, S.One, nu, S.Zero),
        r"""The denominator $1-\kappa E[a^2]=\kappa E[a(1-a)]$ vanishes like $\nu E[D/\Lambda]$, hence like $\kappa-1$.
        The bias vanishes like $\nu^2$, and has no part in this.""",
        uses=["effective ridge near the peak"],
        given=INTERPOLATOR,
    )
    d.registered(
        records["limits.peak_risk"],
        Expands(gamma, sigma2 / (kappa - 1), S.One, kappa, S.One),
        r"""Noise alone makes the peak, and the features have no influence on its height: neither $\Lambda$ nor $B$
        nor $D$ is seen.""",
        uses=["risk near the peak"],
    )
    noiseless = (kappa - 1) * E(B**2 * D**2 / Lambda) / E(D / Lambda) ** 2
    d.step(
        "risk near the peak without noise",
        Expands(DENSE_RISK - noiseless, S.Zero, nu**2, nu, S.Zero),
        r"""The bias $\nu^2E[B^2D^2/\Lambda]+O(\nu^3)$ is divided by $\nu E[D/\Lambda]+O(\nu^2)$.""",
        uses=["effective ridge near the peak"],
        given={**INTERPOLATOR, sigma2: S.Zero},
    )
    d.registered(
        records["limits.peak_risk_noiseless"],
        Expands(gamma, noiseless, (kappa - 1) ** 2, kappa, S.One),
        r"""There is no peak without noise: a square system recovers the coefficients.""",
        uses=["risk near the peak without noise"],
    )


def _wide(d, records):
    l = E(Lambda / D)
    effective_ridge = kappa * l + ridge - E(Lambda**2 / D**2) / l
    d.step(
        "effective ridge of many features",
        Expands(effective_ridge - nu, S.Zero, 1 / nu, nu, oo),
        r"""With a ridge $\kappa=(1-\lambda/\nu)/E[a]$, which increases in $\nu>\lambda$ without bound: so
        $\kappa\to\infty$ means $\nu\to\infty$. There $a=\Lambda/(D\nu)-\Lambda^2/(D\nu)^2+O(\nu^{-3})$. A feature of
        no variance has $a=0$ and agrees with all of this.""",
        given=PENALISED,
    )
    d.registered(
        records["limits.wide_effective_ridge"],
        Expands(nu, effective_ridge, 1 / kappa, kappa, oo),
        r"""$\nu$ is of the order of $\kappa$: features beyond the samples act as a ridge $\kappa E[\Lambda/D]$.""",
        uses=["effective ridge of many features"],
    )
    wide = NULL + (NULL * E(Lambda**2 / D**2) / l**2 - 2 * E(Lambda**2 * B**2 / D) / l) / kappa
    d.step(
        "risk of many features",
        Expands(DENSE_RISK - wide, S.Zero, 1 / nu**2, nu, oo),
        r"""At first order the bias is $E[\Lambda B^2]-2E[\Lambda^2B^2/D]/\nu$ and $\kappa E[a^2]$ is
        $E[\Lambda^2/D^2]/(\nu E[\Lambda/D])$. The ridge would show at second order.""",
        uses=["effective ridge of many features"],
        given=PENALISED,
    )
    d.registered(
        records["limits.wide_risk"],
        Expands(gamma, wide, 1 / kappa**2, kappa, oo),
        r"""The fit tends to zero, and the risk to that of predicting zero. The first term of order $1/\kappa$ is the
        variance of the fit, the second what it learns; either may be the larger one.""",
        uses=["risk of many features"],
    )


def _small_ridge(d, records):
    d.step(
        "the ridge that belongs to an effective ridge",
        Equal(Derivative(RIDGE, nu), 1 - kappa * E(a**2)),
        r"""Now $\kappa$ is fixed, and the equation for $\nu$ says that $\lambda=\nu(1-\kappa E[a])$.""",
    )
    d.step(
        "the two grow together",
        Less(S.Zero, 1 - kappa * E(a**2)),
        r"""With the $\kappa$ that belongs to $\lambda$ and $\nu$, this is a sum of positive terms.""",
        uses=["the ridge that belongs to an effective ridge"],
        given=PENALISED,
    )
    d.step(
        "the interpolator",
        Equal(1 - kappa * E(a**2), kappa * E(a * abar)),
        r"""The ridge vanishes at $\nu=\nu_0$ with $\kappa E[a]=1$.""",
        given=INTERPOLATOR,
    )
    at_zero = {nu: nu_0}
    # Slope of the effective ridge, and kappa: those of the interpolator, which do not vary with nu.
    slope = (1 / (kappa * E(a * abar))).xreplace(SHRINKAGE).xreplace(at_zero)
    fixed = {kappa: INTERPOLATOR[kappa].xreplace(SHRINKAGE).xreplace(at_zero)}
    d.step(
        "effective ridge of a small ridge",
        Expands(nu_0 + RIDGE * slope, nu, (nu - nu_0) ** 2, nu, nu_0),
        r"""With $\lambda=\nu(1-\kappa E[a])$, at the $\kappa$ for which $\lambda$ vanishes at $\nu_0$.""",
        uses=["the two grow together", "the interpolator"],
        given=fixed,
    )
    d.registered(
        records["limits.small_ridge_effective_ridge"],
        Expands(nu, nu_0 + ridge / (kappa * E(a * abar)), ridge**2, ridge, S.Zero),
        r"""By the inverse function theorem $\nu$ is a smooth function of $\lambda$, so that $O((\nu-\nu_0)^2)$ and
        $O(\lambda^2)$ are the same. On the right $a$ is taken at $\nu_0$.""",
        uses=["effective ridge of a small ridge"],
        given=at_zero,
    )
    gain = 2 * (E(Lambda * B**2 * a * abar**2) - kappa * gamma * E(a**2 * abar)) / nu
    d.step(
        "slope of the risk",
        Equal(Derivative(DENSE_RISK, nu), gain / (1 - kappa * E(a**2))),
        r"""More bias and less variance, $\gamma$ being the dense risk.""",
        given={gamma: DENSE_RISK},
    )
    d.step(
        "slope in the ridge",
        Equal(Derivative(DENSE_RISK, nu) / Derivative(RIDGE, nu), gain / (1 - kappa * E(a**2)) ** 2),
        r"""The chain rule. At $\nu_0$ the denominator is $(\kappa E[a(1-a)])^2$.""",
        uses=["slope of the risk", "the ridge that belongs to an effective ridge", "the two grow together"],
        given={gamma: DENSE_RISK},
    )
    d.registered(
        records["limits.small_ridge_risk"],
        Expands(gamma, gamma_0 + ridge * gain / (kappa * E(a * abar)) ** 2, ridge**2, ridge, S.Zero),
        r"""Taylor's theorem, with that slope at $\nu_0$. A small ridge improves the interpolator exactly if
        $E[\Lambda B^2a(1-a)^2]<\kappa\gamma_0E[a^2(1-a)]$. Enough noise makes it so, $\gamma_0$ being at least
        $\sigma^2$. Without noise, a signal along the features of large variance does not.""",
        uses=["slope in the ridge", "the interpolator"],
        given={**at_zero, gamma: gamma_0},
    )
    d.step(
        "a small ridge and least squares",
        Expands(RIDGE, nu * (1 - kappa), nu**2, nu, S.Zero),
        r"""For $\kappa<1$ the ridge vanishes at $\nu=0$, where $a=1$.""",
        uses=["the ridge that belongs to an effective ridge"],
    )
    least = sigma2 / (1 - kappa) - 2 * ridge * kappa * sigma2 * E(D / Lambda) / (1 - kappa) ** 3
    d.step(
        "risk of least squares with a small ridge",
        Expands(DENSE_RISK - least, S.Zero, nu**2, nu, S.Zero),
        r"""The bias is of order $\nu^2$, and $1-\kappa E[a^2]=1-\kappa+2\kappa\nu E[D/\Lambda]+O(\nu^2)$.""",
        uses=["a small ridge and least squares"],
        given={ridge: nu * (1 - kappa)},
    )
    d.registered(
        records["limits.small_ridge_least_squares_risk"],
        Expands(gamma, least, ridge**2, ridge, S.Zero),
        r"""Below the peak a small enough ridge lowers the risk whenever there is noise (Hoerl and Kennard, 1970).""",
        uses=["risk of least squares with a small ridge"],
    )


def _noise(d, records):
    d.step(
        "the risk is a straight line in the noise",
        Equal(Derivative(DENSE_RISK, sigma2), 1 / (1 - kappa * E(a**2))),
        r"""The equation for $\nu$ does not hold $\sigma^2$, so neither does $a$.""",
    )
    d.registered(
        records["limits.noise_risk"],
        DENSE_RISK.subs(sigma2, 0) + sigma2 / (1 - kappa * E(a**2)),
        r"""Risk without noise, and a slope of at least one: a fit adds to the noise.""",
        uses=["the risk is a straight line in the noise"],
    )


def _light_pruning(d, records):
    d.step(
        "the pruned fraction grows with the threshold",
        Less(S.Zero, Derivative(E(Inside(z, u)), t)),
        r"""A feature is dropped if its score $|\omega X|$ is below $t$, where $\omega X$ is Gaussian of mean $m$ and
        standard deviation $\varsigma$; write $\mu=m/\varsigma$. So $1-\alpha=E[\bar M_0]$ grows with $t$ from 0, and
        $\alpha\to1$ means $t\to0$.""",
        given=INTERVAL,
    )
    threshold = (1 - alpha) / (2 * E(phi(mu) / s))
    d.step(
        "threshold for few dropped",
        Expands(threshold, t, t**3, t, S.Zero),
        r"""The score $|\omega X|$ has the density $2\phi(\mu)/\varsigma$ at zero. The mass of $\omega X$ between $-t$
        and $t$ is odd in $t$, so that the next term is of third order.""",
        uses=["the pruned fraction grows with the threshold"],
        given={alpha: 1 - E(Inside(z, u)), **INTERVAL},
    )
    score = {
        Lambda: LawSymbol("Lambda", positive=True),
        gamma: Scalar("gamma", positive=True),
        tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu),
        s: omega * tau,
        mu: a * B / tau,
    }
    d.registered(
        records["limits.light_pruning_threshold"],
        Expands(t, threshold, (1 - alpha) ** 3, alpha, S.One, "-"),
        r"""The mean of $\omega X=\omega(aB+\tau H)$ is $m=\omega aB$, its spread $\varsigma=\omega\tau$.""",
        uses=["threshold for few dropped"],
        given=score,
    )
    added = (2 * a * B**2 - a**2 * B**2 - tau**2) * M0bar - 2 * (1 - a) * B * tau * M1 + tau**2 * M2c
    d.step(
        "what dropping adds",
        Equal(E(Lambda * (B - MASK * X) ** 2) - E(Lambda * (B - X) ** 2), E(Lambda * added)),
        r"""Dropping a coefficient $X$ changes its squared error by $B^2-(B-X)^2=2BX-X^2$. The mean of that is taken
        over the dropped ones.""",
        given={X: a * B + tau * H, M0: 1 - M0bar, a: a},
    )
    x = t / omega
    d.step(
        "its slope in the threshold",
        Equal(
            s * Derivative(added, t),
            2 * B * x * (phi(z) - phi(z - 2 * u)) - x**2 * (phi(z) + phi(z - 2 * u)),
        ),
        r"""As $t$ grows so do the ends $\pm x=\pm t/\omega$ of the interval that drops $X$. The densities of $X$ there
        are $\phi(z)/\tau$ and $\phi(z-2u)/\tau$, and $2BX-X^2$ is $\pm2Bx-x^2$.""",
        uses=["what dropping adds"],
        given={**INTERVAL, **MOMENTS, s: omega * tau, mu: a * B / tau, a: a},
    )
    leading = 2 * a * B**2 / tau**2 - 1
    d.step(
        "its leading term",
        Expands(added, Rational(2, 3) * (t / omega) ** 3 * phi(mu) / tau * leading, t**5, t, S.Zero),
        r"""Over a short interval around zero the mean of $2BX$ is due to the slope of the density of $X$, and as small
        as that of $X^2$: with $f$ that density, this is $\frac23x^3(2Bf'(0)-f(0))$. The integral is odd in $t$.""",
        uses=["its slope in the threshold"],
        given={**INTERVAL, **MOMENTS, s: omega * tau, mu: a * B / tau, a: a},
    )
    d.registered(
        records["limits.light_pruning_risk"],
        Expands(risk, gamma + Rational(2, 3) * t**3 * E(Lambda / omega**3 * phi(mu) / tau * leading), t**5, t, S.Zero),
        r"""$\gamma=\sigma^2+E[\Lambda(B-X)^2]$ is the risk before pruning. As $t$ is of the order of $1-\alpha$, the
        smallest coefficients are dropped almost for free.""",
        uses=["threshold for few dropped", "its leading term"],
        given=score,
    )
    d.step(
        "which features to prune",
        Equal(2 * a * B**2 - tau**2, (2 * Lambda * B**2 - kappa * gamma * a) * a / Lambda),
        r"""Dropping the small coefficients of a feature helps if $2\Lambda B^2<\kappa\gamma a$, as coefficients near
        zero are then noise rather than signal, and hurts if $2\Lambda B^2>\kappa\gamma a$. All features decide
        together, each with a weight of $\Lambda/\omega^3$ times the density of $X$ at zero.""",
        uses=["limits.light_pruning_risk"],
        given=score,
    )


def _heavy_pruning(d, records):
    d.step(
        "nothing is kept",
        Equal(Limit(Outside(z, u), t, oo), S.Zero),
        r"""Few features are kept if the threshold is high: $\alpha\to0$ means $t\to\infty$, where $M_0\to0$.""",
        uses=["the pruned fraction grows with the threshold"],
        given=INTERVAL,
    )
    d.step(
        "no first moment is left",
        Equal(Limit(MOMENTS[M1], t, oo), S.Zero),
        r"""Nor is $M_1$.""",
        given=INTERVAL,
    )
    d.step(
        "no second moment is left",
        Equal(Limit(MOMENTS[M2c], t, oo), S.Zero),
        r"""Nor is $M_2^\circ$. For any other policy $E[M_0]=\alpha\to0$ will do: by Cauchy and Schwarz
        $M_1^2\le M_0$ and $(M_2^\circ+M_0)^2\le E[H^4]M_0=3M_0$.""",
        given=INTERVAL,
    )
    d.registered(
        records["limits.heavy_pruning_risk"],
        sigma2 + E(Lambda * (B - MASK * X) ** 2),
        r"""Put $M_0=M_1=M_2^\circ=0$ into the risk after pruning. What is left is the risk of predicting zero.""",
        uses=["nothing is kept", "no first moment is left", "no second moment is left"],
        given={X: a * B + tau * H, M0: S.Zero, M0bar: S.One, M1: S.Zero, M2c: S.Zero},
    )
