"""Training error of a pruned fit: its residual is a new error less a memory of the residual that it was fitted with.

One limit theorem describes the residual of the dense fit and of any function of what it saw. The memory follows from
moving the design to the other side of an inner product, the rest is algebra. Read from top to bottom.
"""

from sympy import Integral, S, Symbol, erf, exp, oo, pi, sqrt

import riskcalc as rc
from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import REAL, H, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.symbols import (
    G1,
    M0,
    M1,
    V1,
    B,
    D,
    Lambda,
    M0bar,
    M2c,
    W,
    X,
    a,
    alpha,
    gamma,
    kappa,
    m,
    nu,
    q,
    response,
    ridge,
    risk,
    s,
    sigma2,
    t,
    tau,
    u,
    z,
)

h = Symbol("h", real=True)  # values of two independent standard normal variables, integrated over
k = Symbol("k", real=True)
v = law_symbol("v", "trial coefficient of a feature, in the units of the iteration", REAL, "v")
f = law_symbol("f", "any function of what the dense fit sees of a feature", REAL, "f")
miss = law_symbol("miss", "what a coefficient misses of the true one", REAL, "e")
miss_f = law_symbol("miss_f", "what another coefficient of the same feature misses", REAL, "e_f")
others = law_symbol("others", "part of an error of prediction that other features and the noise make", REAL, "c")
others_f = law_symbol("others_f", "that part of the error of the other prediction", REAL, "c_f")
shared = scalar("shared", "covariance of the errors of the dense and the pruned fit", REAL, r"\Gamma_{1f}")


def density(point):
    """The standard normal density."""
    return exp(-(point**2) / 2) / sqrt(2 * pi)


def distribution(point):
    """The standard normal distribution function."""
    return (1 + erf(point / sqrt(2))) / 2


def kept(function):
    """The mean of a function of H over what a threshold keeps, H outside of (z - 2u, z)."""
    everywhere = Integral(function * density(h), (h, -oo, oo))
    return everywhere - Integral(function * density(h), (h, z - 2 * u, z))


SCORE = {m: t - s * z, u: t / s}  # z = (t - m)/s
THRESHOLD = {
    M0: 1 - distribution(z) + distribution(z - 2 * u),
    M1: density(z) - density(z - 2 * u),
    M2c: z * density(z) - (z - 2 * u) * density(z - 2 * u),
}
EVERYTHING = {M0: S.One, M0bar: S.Zero, M1: S.Zero, M2c: S.Zero}
RANDOM = {M0: alpha, M0bar: 1 - alpha, M1: S.Zero, M2c: S.Zero}
NOTHING = {M0: S.Zero, M0bar: S.One, M1: S.Zero, M2c: S.Zero}

PLAIN = {W: W, G1: G1, V1: V1}  # symbols that stay symbols: nothing is used of what they are
FIT = {W: sqrt(Lambda / kappa) * B, G1: sqrt(gamma) * H, V1: a * (W + G1)}

# In masked moments: the response, the covariance, and the risk.
RESPONSE = E(a * (M0 + M2c)) + E(a * sqrt(Lambda) * B * M1) / sqrt(kappa * gamma)
NOISE = sqrt(kappa * gamma) * sqrt(Lambda) * B  # kappa*W*sqrt(gamma)
SHARED = (
    sigma2
    + E(Lambda * B**2 * (1 - a) * (1 - a * M0))
    - E(a * (1 - 2 * a) * NOISE * M1)
    + kappa * gamma * E(a**2 * (M0 + M2c))
)
RISK = (
    sigma2
    + E(Lambda * B**2 * (1 - M0 + (1 - a) ** 2 * M0))
    - 2 * E(a * (1 - a) * NOISE * M1)
    + kappa * gamma * E(a**2 * (M0 + M2c))
)
SQUARE = risk - 2 * kappa * response * shared + kappa**2 * response**2 * gamma
MOMENTS = {risk: RISK, shared: SHARED, response: RESPONSE}
DENSE_NOISE = gamma * (1 - kappa * E(a**2)) - E(Lambda * B**2 * (1 - a) ** 2)

PROBLEM = rc.LinearGaussian(
    aspect_ratio=2,
    eigenvalues=[4, 1, "1/4"],
    signal=[1, "3/2", "1/2"],
    penalty=[1, 2, "1/2"],
    weights=["1/4", "1/4", "1/2"],
    noise_variance="1/2",
    ridge="1/5",
)


def derivation(records):
    """The training error of pruned fits."""
    d = Derivation(
        title="Training error after pruning",
        statement=r"""Fit $\hat\beta$ as in ridge regression and set the coefficients with mask $S=0$ to zero. As
        $n,p\to\infty$ with $p/n\to\kappa$ the mean squared residual on the sample that was fitted tends to
        $R-2\kappa b_S\Gamma_{1f}+\kappa^2b_S^2\gamma$. Here $W=\sqrt{\Lambda/\kappa}\,B$, $G_1=\sqrt\gamma H$ and
        $V_1=a(W+G_1)$ are the true coefficient, the noise and the fitted coefficient of a feature;
        $R=\sigma^2+\kappa E[(W-SV_1)^2]$ is the test risk of the pruned fit,
        $\Gamma_{1f}=\sigma^2+\kappa E[(W-V_1)(W-SV_1)]$ the covariance of its errors with those of the dense fit, and
        $b_S=E[SV_1G_1]/\gamma$ the response of what is kept to the noise of the dense fit, the jumps of the mask
        included.""",
        assumptions=r"""As for the pruned risk: Gaussian features with a diagonal covariance, $\gamma>0$, and a mask
        that depends on the sample only through the feature's own fitted coefficient, its kind and a common
        threshold. $\lambda>0$, or an interpolator as the limit of $\lambda\to0$.""",
        cited=r"""State evolution of message passing (Bayati and Montanari, 2011; Javanmard and Montanari, 2013), used
        at the dense fit, which is its fixed point. In the units $A=x_{ij}/\sqrt{n\Lambda_j}$, with $w$ the true
        coefficients times $\sqrt{n\Lambda}$ and $v_1$ the fitted ones, there is a vector $r_1$ with (i)
        $y-Av_1=(1-\kappa b_1)r_1$ for a number $b_1$, and entries of $A^\top r_1+v_1$ distributed as $W+G_1$, jointly
        with the features, $G_1$ being Gaussian and independent of them, of variance $\gamma=\lim\|r_1\|^2/n$; (ii)
        for coefficients $f$ that are a function of $w+G_1$, feature by feature, $y-Af=r_f-\kappa b_fr_1$ with a
        number $b_f$ and $\lim\langle r_k,r_l\rangle/n=\sigma^2+\kappa E[(W-V_k)(W-V_l)]$, also for $v_0=0$, where
        $r_0=y$. The theorem asks for functions without jumps; those of a mask are approached by such, because $W+G_1$
        has a density. What the numbers $b_1$ and $b_f$ are is derived, and the simulation at the end supports the
        whole.""",
        where={a: Lambda / (Lambda + D * nu)} | FIT,
    )
    _setting(d)
    _response(d)
    _square(d, records)
    _consequences(d, records)
    d.simulated(
        "the limit theorem",
        r"""Mean squared residuals of simulated fits, pruned by magnitude, by Hessian score and by chance, tend to these
        constants.""",
        r"""Three kinds of features with penalty weights that differ, $\kappa=2$, $\lambda=1/5$, a quarter of the
        features kept.""",
        Simulated(
            PROBLEM,
            (rc.Magnitude(keep="1/4"), rc.Hessian(keep="1/4"), rc.Random(keep="1/4")),
            training_error=True,
            tolerance=0.08,
        ),
        uses=["training_error.pruned"],
    )
    return d


def _setting(d):
    coefficient = {X: a * B + tau * H, tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu)}
    d.step(
        "units of the iteration",
        Equal(sqrt(Lambda / kappa) * X, V1),
        r"""A coefficient $\sqrt p\,\hat\beta=X=aB+\tau H$ is, times $\sqrt{\Lambda/\kappa}$, the number
        $V_1=a(W+G_1)$: the fit sees the true coefficient $W$ through a noise of variance $\gamma$, and shrinks it.""",
        given=coefficient,
    )
    d.step(
        "covariances of errors add up",
        Equal(
            Integral((others + h * miss) * (others_f + h * miss_f) * density(h), (h, -oo, oo)),
            others * others_f + miss * miss_f,
        ),
        r"""The errors of two fits at one new point are sums over the same features, $h$ being standard normal and
        independent for each. Taking the mean over one after the other shows that
        $\sigma^2+\kappa E[(W-V_k)(W-V_l)]$, the limit of $\langle r_k,r_l\rangle/n$, is also the covariance of the
        two errors of prediction at a new point.""",
    )
    d.step(
        "covariances in both units",
        Equal(kappa * E((W - V1) * (W - MASK * V1)), E(Lambda * (B - X) * (B - MASK * X))),
        r"""The factors $\sqrt{\Lambda/\kappa}$ of two coefficients make the $\Lambda$ of the test risk.""",
        uses=["units of the iteration", "covariances of errors add up"],
        given=coefficient,
    )


def _response(d):
    covariance = sigma2 + kappa * E((W - V1) * (W - f))
    with_target = sigma2 + kappa * E((W - V1) * W)
    d.step(
        "the memory of a function",
        Roots(
            Equal(covariance - kappa * response * gamma, with_target - kappa * E((W + G1 - V1) * f)),
            response,
            (E(f * G1) / gamma,),
        ),
        r"""Two ways to $\langle r_1,y-Af\rangle/n$. By $y-Af=r_f-\kappa b_fr_1$ it is the left side. And it is
        $\langle r_1,y\rangle/n-\langle A^\top r_1,f\rangle/n$, where $A^\top r_1$ is $W+G_1-V_1$ and $y=r_0$. So the
        number is $b_f=E[fG_1]/\gamma$. For a smooth $f$ that is its mean slope (Stein's lemma).""",
        uses=["covariances of errors add up"],
        given=PLAIN,
    )
    d.step(
        "the memory of the dense fit",
        Equal(E(V1 * G1) / gamma, E(a)),
        r"""With $f=V_1$ it is the mean shrinkage, and $y-Av_1=(1-\kappa E[a])r_1=qr_1$.""",
        uses=["the memory of a function"],
    )
    d.step(
        "what is fitted is shrunk",
        Roots(Equal(q * Lambda * (W + G1 - v), ridge * D * v), v, (a * (W + G1),)),
        r"""This is consistent: the fit is stationary, $A^\top(y-Av_1)=\lambda Dv_1/\Lambda$, where the left side is
        $q(W+G_1-V_1)$. The equation for $\nu$ is $\lambda=\nu q$, and the one root is $V_1$.""",
        uses=["the memory of the dense fit"],
        given={ridge: nu * q, W: W, G1: G1},
    )
    slope = s * (1 - distribution(z) + distribution(z - 2 * u))
    d.step(
        "jumps count",
        Equal(kept(h * (m + s * h)), slope + t * (density(z) + density(z - 2 * u))),
        r"""Stein's lemma for a coefficient $m+\varsigma H$ that is dropped where it is in $(-t,t)$: beside the mean of
        its slope $\varsigma$ over what is kept there is a jump of $t$ at each of the two edges, where the density is
        $\phi(z)$ and $\phi(z-2u)$. The response $E[SV_1G_1]/\gamma$ contains these jumps.""",
        uses=["the memory of a function"],
        given=SCORE,
    )
    d.step(
        "jumps are in the moments",
        Equal(slope + t * (density(z) + density(z - 2 * u)), m * M1 + s * (M0 + M2c)),
        r"""With the moments of a threshold (see the derivation of masks).""",
        uses=["jumps count"],
        given=THRESHOLD | SCORE,
    )
    d.step(
        "the response of what is kept",
        Equal(E(MASK * V1 * G1) / gamma, RESPONSE),
        r"""The same for any mask, with $M_0=E[S]$, $M_1=E[HS]$ and $M_0+M_2^\circ=E[H^2S]$ given the feature.""",
        uses=["the memory of a function", "jumps are in the moments"],
    )


def _square(d, records):
    first, new = sqrt(gamma) * h, sqrt(risk - shared**2 / gamma) * k
    residual = (shared / gamma) * first + new - kappa * response * first
    d.step(
        "the square of the residual",
        Equal(Integral(residual**2 * density(h) * density(k), (h, -oo, oo), (k, -oo, oo)), SQUARE),
        r"""$y-Af=r_f-\kappa b_Sr_1$ for $f=SV_1$. Only the inner products of $r_1$ and $r_f$ matter, so their entries
        may be taken as Gaussian of the variances $\gamma$ and $R$ and of the covariance $\Gamma_{1f}$: as
        $\sqrt\gamma h$, and $\Gamma_{1f}/\gamma$ times that plus something independent.""",
        uses=["the memory of a function", "covariances of errors add up"],
    )
    d.step(
        "the risk of the pruned fit",
        Equal(sigma2 + kappa * E((W - MASK * V1) ** 2), RISK),
        r"""The mean over $H$ and the mask, in moments.""",
        uses=["covariances in both units"],
        given={M0bar: 1 - M0},
    )
    d.step(
        "the covariance with the dense fit",
        Equal(sigma2 + kappa * E((W - V1) * (W - MASK * V1)), SHARED),
        r"""Likewise, from $(W-V_1)(W-SV_1)$ with $W-V_1=(1-a)W-aG_1$.""",
        uses=["covariances in both units"],
        given={M0bar: 1 - M0},
    )
    d.step(
        "the noise behind the dense risk",
        Roots(Equal(gamma, records["dense.risk"].statement), sigma2, (DENSE_NOISE,)),
        r"""The equation of the dense risk, solved for $\sigma^2$. With it and $q=1-\kappa E[a]$ the evaluation form is
        the statement.""",
    )
    d.registered(
        records["training_error.pruned"],
        SQUARE,
        r"""The square, in moments. The evaluation form is written in what is dropped, $V_1(1-S)$, and in
        $1-\kappa b_S$, so that it keeps its digits where the error is small and little is dropped.""",
        uses=[
            "the square of the residual",
            "the response of what is kept",
            "the risk of the pruned fit",
            "the covariance with the dense fit",
            "the noise behind the dense risk",
        ],
        given=MOMENTS | {M0bar: 1 - M0, q: 1 - kappa * E(a), sigma2: DENSE_NOISE},
    )


def _consequences(d, records):
    d.step(
        "keep everything",
        Equal(SQUARE, records["dense.training_error"].statement),
        r"""With $M_0=1$ and $M_1=M_2^\circ=0$: then $b_S=E[a]$, $R=\Gamma_{1f}=\gamma$, and the training error is
        $\gamma(1-\kappa E[a])^2$.""",
        uses=["training_error.pruned"],
        given=MOMENTS | EVERYTHING | {sigma2: DENSE_NOISE},
    )
    d.step(
        "keep nothing",
        Equal(SQUARE, sigma2 + E(Lambda * B**2)),
        r"""With $M_0=M_1=M_2^\circ=0$: the mean square of the target.""",
        uses=["training_error.pruned"],
        given=MOMENTS | NOTHING,
    )
    null, with_target = sigma2 + E(Lambda * B**2), sigma2 + kappa * E((W - V1) * W)
    mixed = (1 - alpha) ** 2 * null + 2 * alpha * (1 - alpha) * q * with_target + alpha**2 * gamma * q**2
    d.step(
        "chance, without any of this",
        Equal(SQUARE, mixed + alpha * (1 - alpha) * kappa * E(V1**2)),
        r"""If each coefficient is kept with probability $\alpha$, the mean over the masks of $\|y-Af\|^2$ is, at every
        size, $\|(1-\alpha)y+\alpha(y-Av_1)\|^2$ plus $\alpha(1-\alpha)$ times the sum of $v_{1j}^2\|A_j\|^2$ over
        the columns $A_j$ of $A$, whose length tends to one. With $y-Av_1=qr_1$ that needs the dense fit only, and gives
        the same number.""",
        uses=["training_error.pruned", "the memory of the dense fit", "keep nothing"],
        given=MOMENTS | RANDOM | {q: 1 - kappa * E(a), sigma2: DENSE_NOISE},
    )
    d.step(
        "what is dropped is no longer taken up",
        Equal(1 - kappa * response, q + kappa * E(a * (1 - MASK) * H * (H + W / sqrt(gamma)))),
        r"""The weight of $r_1$ in $y-Af=(r_f-r_1)+(1-\kappa b_S)r_1$: that of the dense residual, $q$, and the response
        of the part that is dropped. An interpolator has $q=0$, so pruning is all that makes its training error.""",
        uses=["the response of what is kept", "the memory of the dense fit"],
        given=MOMENTS | {M0bar: 1 - M0, q: 1 - kappa * E(a)},
    )
