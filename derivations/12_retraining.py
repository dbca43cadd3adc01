"""Retraining on the same sample: the second fit sees data that its own features were chosen by.

The limit theorem describes the residuals of both fits together. Their memories follow from moving the design to the
other side of inner products, the second fit from its stationarity on the features kept. Read from top to bottom.
"""

from sympy import Integral, S, Symbol, erf, exp, oo, pi, sqrt

import riskcalc as rc
from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, H, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.symbols import (
    G1,
    M0,
    M1,
    V1,
    V2,
    B,
    D,
    Lambda,
    M0bar,
    M2c,
    W,
    a,
    a2,
    c,
    gamma,
    kappa,
    nu,
    nu2,
    onsager,
    q2,
    retrained_risk,
    rho,
    ridge,
    ridge2,
    sigma2,
    sigma2_small,
    u,
    z,
)

h = Symbol("h", real=True)  # values of two independent standard normal variables, integrated over
k = Symbol("k", real=True)
v = law_symbol("v", "trial coefficient of a feature, in the units of the iteration", REAL, "v")
G2 = law_symbol("G2", "noise that the second fit sees a feature through", REAL, "G_2")
refitted = law_symbol("refitted", "its retrained coefficient, with the noise that is new", REAL, "V_2^+")
seen = law_symbol("seen", "what a retrained coefficient shrinks, but for the noise that is new", REAL, "Y_2")
own = scalar("own", "response of the retrained coefficients to the noise of the second fit", REAL, "b_2")
spread = scalar("spread", "standard deviation of the noise that is new", POSITIVE, r"\epsilon")
x0 = law_symbol("x0", "constant part of a function of H", REAL, "x_0")
x1 = law_symbol("x1", "its slope", REAL, "x_1")
# Two linear equations, by their coefficients.
e0, e_rho, e_c = (scalar(f"e_{i}", f"coefficient {i} of stationarity", REAL, f"e_{i}") for i in (0, 1, 2))
g0, g_rho, g_c = (scalar(f"g_{i}", f"coefficient {i} of the covariance", REAL, f"g_{i}") for i in (0, 1, 2))


def density(point):
    """The standard normal density."""
    return exp(-(point**2) / 2) / sqrt(2 * pi)


def distribution(point):
    """The standard normal distribution function."""
    return (1 + erf(point / sqrt(2))) / 2


def everywhere(function, variable):
    """The mean of a function of a standard normal variable."""
    return Integral(function * density(variable), (variable, -oo, oo))


def kept(function):
    """The mean of a function of H over what a threshold keeps, H outside of (z - 2u, z)."""
    return everywhere(function, h) - Integral(function * density(h), (h, z - 2 * u, z))


def restricted(formula):
    """A formula of the dense fit, its means over the kept features only and not renormalised."""
    means = formula.replace(lambda node: isinstance(node, E), lambda mean: E(MASK * mean.integrand))
    return means.xreplace({sigma2: sigma2_small, a: a2, nu: nu2})


THRESHOLD = {
    M0: 1 - distribution(z) + distribution(z - 2 * u),
    M1: density(z) - density(z - 2 * u),
    M2c: z * density(z) - (z - 2 * u) * density(z - 2 * u),
}
EVERYTHING = {M0: S.One, M0bar: S.Zero, M1: S.Zero, M2c: S.Zero}
INDEPENDENT = {M0bar: 1 - M0, M1: S.Zero, M2c: S.Zero}

PLAIN = {W: W, G1: G1, V1: V1, V2: V2}  # symbols that stay symbols: nothing is used of what they are
FIT = {W: sqrt(Lambda / kappa) * B, G1: sqrt(gamma) * H, V1: a * (W + G1)}
REFIT = {V2: MASK * a2 * (W + rho * G1 + c * (1 - a) * (W + G1))}
SLACK = {q2: 1 - kappa * E(a2 * M0)}

# The equations in masked moments: what is kept of W^2, of W G1 and of G1^2, times kappa.
SIGNAL = Lambda * B**2 * M0
CROSS = sqrt(kappa * gamma * Lambda) * B * M1
CHANCE = kappa * gamma * (M0 + M2c)
MEMORY = c * (1 - a)  # weight in the second fit of what the first one leaves
STATIONARITY = {
    e0: E(a2 * CROSS) / gamma,
    e_rho: kappa * E(a2 * M2c),
    e_c: q2 + E(a2 * (1 - a) * (CROSS + CHANCE)) / gamma,
}
COVARIANCE = {
    g0: -sigma2 - E((1 - a) * (Lambda * B**2 - a2 * SIGNAL) + a2 * a * CROSS),
    g_rho: gamma + E(a2 * ((1 - a) * CROSS - a * CHANCE)),
    g_c: E(a2 * (1 - a) * ((1 - a) * SIGNAL + (1 - 2 * a) * CROSS - a * CHANCE)),
}
# The mean of kappa*(W - V2)^2, and the risk that solves its equation.
BIAS = 1 - a2 * (1 + MEMORY)
GAIN = a2 * (rho + MEMORY)
MISSED = E((1 - M0) * Lambda * B**2 + BIAS**2 * SIGNAL - 2 * BIAS * GAIN * CROSS + GAIN**2 * CHANCE)
RISK = (sigma2 + MISSED - kappa * rho**2 * gamma * E(a2**2 * M0)) / (1 - kappa * E(a2**2 * M0))
TRAINING_ERROR = q2**2 * (retrained_risk + 2 * c * rho * gamma + c**2 * gamma)
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
    """Retraining on the same sample."""
    d = Derivation(
        title="Retraining on the same sample",
        statement=r"""Fit, prune, and fit again on the features kept ($S=1$) and on the same sample, with the ridge
        $\lambda_2$. With $W$, $G_1$ and $V_1=a(W+G_1)$ as in the derivation of the training error, the second fit is
        $V_2^+=Sa_2(W+G_2+c(1-a)(W+G_1))$ with $G_2=\rho G_1+$ an independent Gaussian part. Here
        $a_2=\Lambda/(\Lambda+D\nu_2)$, $\nu_2q_2=\lambda_2$ and $q_2=1-\kappa E[a_2S]$; $\rho$ and $c$ solve
        two linear equations. The test risk $\Gamma$ is the variance of $G_2$, and the training error is
        $q_2^2(\Gamma+2c\rho\gamma+c^2\gamma)$. If the mask does not depend on the sample, this is the small model.""",
        assumptions=r"""As for the training error after pruning. $\lambda_2>0$; an interpolator or least squares is the
        limit of $\lambda_2\to0$, away from $\kappa P(S=1,\Lambda>0)=1$.""",
        cited=r"""State evolution of message passing, as in the derivation of the training error, for two fits of one
        design: there are vectors $r_1$, $r_2$ with $y-Av_1=qr_1$ and $y-Av_2=r_2-\kappa(br_1+b_2r_2)$ for numbers $b$
        and $b_2$. The entries of $A^\top r_k+v_k$ are distributed as $W+G_k$, jointly with the features; $(G_1,G_2)$
        is Gaussian and independent of them, and its covariances are those of the residuals,
        $\Gamma_{kl}=\lim\langle r_k,r_l\rangle/n=\sigma^2+\kappa E[(W-V_k)(W-V_l)]$, also with $v_0=0$, $r_0=y$; the
        second of the $V_k$ is $V_2^+$.
        Joint limits of several fits to one sample are known for convex objectives (Celentano, Montanari and Wei,
        2023; Loureiro and others, 2022). That the second objective may depend on the first fit through a mask with
        jumps is not covered by a theorem that we know of: it is taken over, as smooth masks come as near as one likes,
        and the simulations at the end support it.""",
        where={a: Lambda / (Lambda + D * nu), a2: Lambda / (Lambda + D * nu2)} | FIT | REFIT,
    )
    _memories(d)
    _second_fit(d, records)
    _equations(d, records)
    _errors(d, records)
    _independent(d, records)
    _simulations(d)
    return d


def _memories(d):
    plain = PLAIN | {a2: a2}
    cross, cross_0 = (sigma2 + kappa * E((W - V1) * (W - other)) for other in (refitted, S.Zero))
    d.step(
        "what the second fit remembers of the first",
        Roots(
            Equal(cross - kappa * (onsager * gamma + own * rho * gamma), cross_0 - kappa * E((W + G1 - V1) * refitted)),
            onsager,
            (E(refitted * G1) / gamma - rho * own,),
        ),
        r"""Two ways to $\langle r_1,y-Av_2\rangle/n$: by $y-Av_2=r_2-\kappa(br_1+b_2r_2)$, where $\rho\gamma$ is the
        covariance of $G_1$ and $G_2$, or as $\langle r_1,r_0\rangle/n-\langle A^\top r_1,v_2\rangle/n$ with
        $W+G_1-V_1$ for $A^\top r_1$. For smooth functions this is Stein's lemma for two correlated Gaussians.""",
        given=plain,
    )
    square, square_0 = (sigma2 + kappa * E((W - refitted) * (W - other)) for other in (refitted, S.Zero))
    d.step(
        "what it remembers of itself",
        Roots(
            Equal(
                square - kappa * (onsager * rho * gamma + own * retrained_risk),
                square_0 - kappa * E((W + G2 - refitted) * refitted),
            ),
            own,
            (E(refitted * (G2 - rho * G1)) / (retrained_risk - rho**2 * gamma),),
        ),
        r"""The same with $\langle r_2,y-Av_2\rangle/n$, $\Gamma$ being the variance of $G_2$. So $b_2$ is the response
        to the part $G_2-\rho G_1$ of the noise that is new.""",
        uses=["what the second fit remembers of the first"],
        given=plain | {onsager: E(refitted * G1) / gamma - rho * own},
    )
    d.step(
        "that is its mean shrinkage",
        Equal(everywhere(MASK * a2 * (seen + spread * h) * spread * h, h) / spread**2, MASK * a2),
        r"""The mask knows $G_1$ only, and the second fit is linear in the new noise $\epsilon h$, $h$ being standard
        normal: $b_2=E[a_2S]$.""",
        uses=["what it remembers of itself"],
        given={a2: a2},
    )


def _second_fit(d, records):
    d.step(
        "the second fit is stationary",
        Roots(
            Equal(Lambda * (q2 * (W + G2 - v) - kappa * onsager * (W + G1 - V1)), ridge2 * D * v),
            v,
            (a2 * (W + G2 + c * (1 - a) * (W + G1)),),
        ),
        r"""On the features kept $A^\top(y-Av_2)=\lambda_2Dv_2/\Lambda$, with
        $y-Av_2=(1-\kappa b_2)r_2-\kappa br_1=q_2r_2-\kappa br_1$. Put in $W+G_k-V_k$ for $A^\top r_k$ and write
        $\nu_2=\lambda_2/q_2$ and $c=-\kappa b/q_2$: the one root is a shrunken truth, seen through the noise of the
        second fit, and a share $c$ of what the first fit left. Dropped features have $v=0$.""",
        uses=["what the second fit remembers of the first", "that is its mean shrinkage"],
        given={W: W, G1: G1, nu2: ridge2 / q2, c: -kappa * onsager / q2},
    )
    d.registered(
        records["retraining.slack"],
        1 - kappa * E(a2 * M0),
        r"""$q_2=1-\kappa b_2$.""",
        uses=["that is its mean shrinkage", "the second fit is stationary"],
    )
    d.registered(
        records["retraining.effective_ridge"],
        Equal(nu2 * (1 - kappa * E(a2 * M0)), ridge2),
        r"""$\nu_2q_2=\lambda_2$.""",
        uses=["retraining.slack"],
    )
    dense = records["dense.effective_ridge"].statement
    d.step(
        "it is that of a dense fit to the features kept",
        Equal(nu2 - ridge2 - kappa * nu2 * E(a2 * M0), restricted(dense.lhs - dense.rhs).xreplace({ridge: ridge2})),
        r"""The equation of the dense fit with means over the kept features: its root is unique (see the derivations of
        uniqueness and of the small model).""",
        uses=["retraining.effective_ridge"],
    )


def _equations(d, records):
    slope = x1 * (1 - distribution(z) + distribution(z - 2 * u))
    jumps = (x0 + x1 * z) * density(z) - (x0 + x1 * (z - 2 * u)) * density(z - 2 * u)
    d.step(
        "jumps count",
        Equal(kept(h * (x0 + x1 * h)), slope + jumps),
        r"""$V_2$ is linear in $H$ on what is kept. In Stein's lemma there is, beside its mean slope, a jump at each
        edge of the mask, here of a threshold that drops $z-2u<H<z$.""",
        uses=["what the second fit remembers of the first"],
    )
    d.step(
        "jumps are in the moments",
        Equal(slope + jumps, x0 * M1 + x1 * (M0 + M2c)),
        r"""With the moments of a threshold (see the derivation of masks).""",
        uses=["jumps count"],
        given=THRESHOLD,
    )
    response = E(a2 * ((1 + MEMORY) * CROSS + (rho + MEMORY) * CHANCE)) / (kappa * gamma) - rho * E(a2 * M0)
    d.step(
        "the response to the first noise",
        Equal(E(V2 * G1) / gamma - rho * E(a2 * MASK), response),
        r"""$b$ in moments. The new noise has mean zero and does not matter: $V_2$ is the average over it.""",
        uses=["what the second fit remembers of the first", "that is its mean shrinkage", "jumps are in the moments"],
    )
    d.registered(
        records["retraining.stationarity"],
        Equal(c * q2, -kappa * response),
        r"""The definition of $c$ is the first equation for $\rho$ and $c$.""",
        uses=["the second fit is stationary", "the response to the first noise"],
    )
    d.registered(
        records["retraining.covariance"],
        Equal(COVARIANCE[g0] + COVARIANCE[g_rho] * rho + COVARIANCE[g_c] * c, S.Zero),
        r"""$\Gamma_{12}=\rho\gamma$ is $\sigma^2+\kappa E[(W-V_1)(W-V_2)]$, the second equation; here in moments and
        sorted by the unknowns, of which it is a linear function.""",
        uses=["the second fit is stationary", "that is its mean shrinkage"],
        given={M0bar: 1 - M0},
    )
    d.step(
        "stationarity is linear",
        Equal(c * q2 + kappa * response, STATIONARITY[e0] + STATIONARITY[e_rho] * rho + STATIONARITY[e_c] * c),
        r"""The first equation sorted in the same way.""",
        uses=["retraining.stationarity"],
    )
    d.step(
        "the weight of the memory, given the correlation",
        Roots(Equal(e0 + e_rho * rho + e_c * c, S.Zero), c, (-(e0 + e_rho * rho) / e_c,)),
        r"""The first equation, $e_0+e_1\rho+e_2c=0$.""",
        uses=["stationarity is linear"],
    )
    determinant = g_rho * e_c - g_c * e_rho
    d.step(
        "the correlation",
        Roots(Equal(g0 + g_rho * rho + g_c * c, S.Zero), rho, ((g_c * e0 - g0 * e_c) / determinant,)),
        r"""Put into the second one, $g_0+g_1\rho+g_2c=0$: one solution, unless the determinant $g_1e_2-g_2e_1$
        vanishes.""",
        uses=["the weight of the memory, given the correlation", "retraining.covariance"],
        given={c: -(e0 + e_rho * rho) / e_c},
    )
    d.step(
        "the weight of the memory",
        Equal(-(e0 + e_rho * rho) / e_c, (g0 * e_rho - g_rho * e0) / determinant),
        r"""Put back.""",
        uses=["the correlation"],
        given={rho: (g_c * e0 - g0 * e_c) / determinant},
    )


def _errors(d, records):
    d.step(
        "the new noise adds its variance",
        Equal(everywhere((W - V2 - MASK * a2 * spread * h) ** 2, h), (W - V2) ** 2 + MASK**2 * a2**2 * spread**2),
        r"""A kept coefficient misses what $V_2$ misses, and the shrunken new noise. $S^2=S$.""",
        uses=["the second fit is stationary"],
        given=PLAIN | {a2: a2},
    )
    d.step(
        "what the second fit misses",
        Equal(kappa * E((W - V2) ** 2), MISSED),
        r"""In moments: all of a dropped coefficient, and of a kept one a bias and a multiple of $G_1$.""",
        uses=["the second fit is stationary"],
        given={M0bar: 1 - M0},
    )
    fed_part = kappa * E(a2**2 * M0)
    fed_back = fed_part * (retrained_risk - rho**2 * gamma)
    d.step(
        "the risk feeds back into itself",
        Roots(Equal(retrained_risk, sigma2 + MISSED + fed_back), retrained_risk, (RISK,)),
        r"""$\Gamma=\sigma^2+\kappa E[(W-V_2^+)^2]$, and the new part of $G_2$ has the variance
        $\Gamma-\rho^2\gamma$. The equation is linear in $\Gamma$.""",
        uses=["the new noise adds its variance", "what the second fit misses"],
    )
    given = SLACK | {M0bar: 1 - M0}
    d.registered(
        records["retraining.risk"],
        RISK,
        r"""This is the test risk. In its evaluation form $\rho^2\gamma$ is gone from the numerator, and the denominator
        is $q_2+\kappa E[a_2(1-a_2)S]$.""",
        uses=["the risk feeds back into itself", "retraining.slack"],
        given=given,
    )
    beyond = MISSED - kappa * rho**2 * gamma * E(a2**2 * M0) + sigma2 * kappa * E(a2**2 * M0)
    d.registered(
        records["retraining.excess_risk"],
        beyond / (1 - kappa * E(a2**2 * M0)),
        r"""$\Gamma-\sigma^2$ on the common denominator, so that the noise does not drown a small error.""",
        uses=["retraining.risk"],
        given=given,
    )
    first, second = sqrt(gamma) * h, rho * sqrt(gamma) * h + sqrt(retrained_risk - rho**2 * gamma) * k
    d.registered(
        records["retraining.training_error"],
        everywhere(everywhere((q2 * second - kappa * onsager * first) ** 2, h), k),
        r"""The square of $y-Av_2=q_2r_2-\kappa br_1=q_2(r_2+cr_1)$. Only the inner products of $r_1$ and $r_2$ matter,
        so their entries may be taken as Gaussian of the covariances $\gamma$, $\rho\gamma$ and $\Gamma$.""",
        uses=["the second fit is stationary", "retraining.risk"],
        given={onsager: -c * q2 / kappa},
    )
    stationarity, covariance = (
        records[f"retraining.{name}"].statement.lhs - records[f"retraining.{name}"].statement.rhs
        for name in ("stationarity", "covariance")
    )
    with_target = sigma2 + kappa * E((W - V2) * W) + c * (sigma2 + kappa * E((W - V1) * W))
    shrunk = W + rho * G1 + c * (W + G1 - V1)
    penalty = kappa * E(a2 * (1 - a2) * MASK * shrunk**2)
    penalty += kappa * E(a2 * (1 - a2) * MASK) * (retrained_risk - rho**2 * gamma)
    d.step(
        "the normal equations hold",
        Equal(
            TRAINING_ERROR,
            q2 * (with_target - penalty) + q2 * (gamma * (rho + c) * stationarity + c * covariance),
        ),
        r"""Another way to the training error. At every size the residual's product with $Av_2$ is the penalty,
        $\langle y-Av_2,Av_2\rangle=\lambda_2\sum_iDv_{2i}^2/\Lambda$, so that the training error is
        $\langle y-Av_2,y\rangle/n$ less the penalty over $n$. With $q_2(r_2+cr_1)$ for $y-Av_2$ that is the first
        bracket; what follows it is a combination of the equations for $\rho$ and $c$ and vanishes. The equation for
        $\Gamma$ enters solved for $\sigma^2$.""",
        uses=["retraining.training_error", "retraining.stationarity", "retraining.covariance", "retraining.risk"],
        given=given | {a: a, a2: a2} | {sigma2: retrained_risk * (1 - fed_part) + rho**2 * gamma * fed_part - MISSED},
    )
    d.step(
        "an interpolator has no training error",
        Equal(TRAINING_ERROR, (ridge2 / nu2) ** 2 * (retrained_risk + 2 * c * rho * gamma + c**2 * gamma)),
        r"""$q_2=\lambda_2/\nu_2$, which tends to zero with $\lambda_2$ if $\nu_2$ does not.""",
        uses=["retraining.training_error", "retraining.effective_ridge"],
        given=SLACK | {ridge2: nu2 * (1 - kappa * E(a2 * M0))},
    )


def _independent(d, records):
    system = STATIONARITY | COVARIANCE
    margin = q2 + kappa * E(a2 * (1 - a) * M0)
    d.step(
        "an independent mask has no memory",
        Roots(Equal(e0 + e_rho * rho + e_c * c, S.Zero), c, (S.Zero,)),
        r"""If the mask does not look at the sample, $M_1=M_2^\circ=0$. Then $e_0=e_1=0$, and $c=0$ is the one root of
        the first equation.""",
        uses=["stationarity is linear"],
        given=system | INDEPENDENT,
    )
    d.step(
        "the determinant of an independent mask",
        Equal(g_rho * e_c - g_c * e_rho, gamma * margin**2),
        r"""Because $1-\kappa E[aa_2S]=q_2+\kappa E[a_2(1-a)S]$.""",
        uses=["the correlation"],
        given=system | INDEPENDENT | SLACK,
    )
    d.step(
        "it is positive",
        Less(S.Zero, gamma * margin**2),
        r"""$q_2=\lambda_2/\nu_2\ge0$, and $a$ and $a_2$ are below one: the equations have one solution.""",
        uses=["the determinant of an independent mask", "retraining.effective_ridge"],
        given={q2: ridge2 / nu2},
    )
    fresh = INDEPENDENT | {c: S.Zero, sigma2_small: sigma2 + E(M0bar * Lambda * B**2)}
    d.step(
        "an independent mask makes a small model",
        Equal(RISK, restricted(records["dense.risk"].statement)),
        r"""With $c=0$ the correlation $\rho$ cancels. What is left is the dense risk with means over the kept features
        and with the noise of the small model: whether the second sample is a fresh one makes no difference.""",
        uses=["an independent mask has no memory", "retraining.risk"],
        given=fresh,
    )
    d.step(
        "so does its training error",
        Equal(TRAINING_ERROR, restricted(records["dense.training_error"].statement).xreplace({gamma: retrained_risk})),
        r"""With $c=0$ it is $q_2^2\Gamma$.""",
        uses=["an independent mask has no memory", "retraining.training_error"],
        given=INDEPENDENT | SLACK | {c: S.Zero},
    )
    same = EVERYTHING | {a2: a, c: S.Zero, sigma2: DENSE_NOISE}
    d.step(
        "keep everything, with the same ridge",
        Roots(Equal(g0 + g_rho * rho + g_c * c, S.Zero), rho, (S.One,)),
        r"""With $M_0=1$ and $a_2=a$, and with $\sigma^2$ from the equation of the dense risk, the noises are
        perfectly correlated.""",
        uses=["an independent mask has no memory", "retraining.covariance"],
        given=system | same,
    )
    d.step(
        "then nothing is new",
        Equal(RISK, gamma),
        r"""The second fit is the first one, $G_2=G_1$, and its risk is the dense risk.""",
        uses=["keep everything, with the same ridge", "retraining.risk"],
        given=same | {rho: S.One},
    )


def _simulations(d):
    for aspect_ratio, name, words in (
        (3, "the limit theorem, for least squares", r"""On three quarters as many features as samples"""),
        ("26/5", "the limit theorem, for an interpolator", r"""On 13 features for every ten samples"""),
    ):
        d.simulated(
            name,
            words + r""", simulated test risks after retraining without a ridge tend to these constants.""",
            r"""Three kinds of features, a quarter of them kept by magnitude or by Hessian score. This is near the
            threshold $\kappa\alpha=1$, and on a fresh sample the risk would be about twice as large or more.""",
            Simulated(
                rc.LinearGaussian(
                    aspect_ratio=aspect_ratio,
                    eigenvalues=[4, 1, "1/4"],
                    signal=[1, "3/2", "1/2"],
                    weights=["1/4", "1/4", "1/2"],
                    noise_variance="1/2",
                ),
                (rc.Magnitude(keep="1/4"), rc.Hessian(keep="1/4")),
                retrain=rc.Retrain(),
                tolerance=0.08,
            ),
            uses=["retraining.risk", "retraining.stationarity", "retraining.covariance"],
        )
    d.simulated(
        "the limit theorem, for training errors",
        r"""Mean squared residuals of simulated second fits with a ridge, on as many features as samples, tend to these
        constants.""",
        r"""The same kinds of features with penalty weights that differ, $\kappa=2$, $\lambda=1/5$, $\lambda_2=3/10$,
        half of the features kept. On a fresh sample the training error would be three times as large.""",
        Simulated(
            PROBLEM,
            (rc.Magnitude(keep="1/2"), rc.Hessian(keep="1/2")),
            retrain=rc.Retrain("3/10"),
            training_error=True,
            tolerance=0.08,
        ),
        uses=["retraining.training_error"],
    )
