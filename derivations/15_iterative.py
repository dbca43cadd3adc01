"""Iterative pruning: every fit on the same sample is a fixed point of one message-passing iteration.

Each fit sees its coefficients in Gaussian noise, and the noises of all fits are jointly Gaussian. What a later fit
inherits from the earlier ones follows from its stationarity and from Stein's lemma. Read from top to bottom.
"""

from sympy import Derivative, Integral, S, exp, oo, pi, sqrt

from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, UNIT, H, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.symbols import (
    M0,
    M1,
    B,
    D,
    G_k,
    G_known,
    G_l,
    Lambda,
    M0bar,
    M2c,
    U_k,
    U_known,
    V_k,
    V_l,
    W,
    X,
    a,
    abar,
    c_kj,
    epsilon2,
    gamma,
    kappa,
    memory,
    memory_noise,
    missed,
    nu,
    q,
    residual,
    rho_kj,
    ridge,
    sigma2,
    slope,
    slope_noise,
    tau,
)

# Stein's lemma: a function of two noises, made of two independent normal variables.
h = scalar("gaussian", "a value of a standard normal variable", REAL, "h")
root = scalar("root", "standard deviation of the first noise", POSITIVE, r"\ell_{11}")
tilt = scalar("tilt", "what the second noise has of the first normal variable", REAL, r"\ell_{21}")
other = scalar("other", "what it has of the second", POSITIVE, r"\ell_{22}")
first = scalar("first", "mean derivative in the first noise", REAL, "d_1")
second = scalar("second", "mean derivative in the second", REAL, "d_2")
u = scalar("poly_u", "coefficient of a polynomial", REAL, "u")
v = scalar("poly_v", "coefficient of a polynomial", REAL, "v")
w = scalar("poly_w", "coefficient of a polynomial", REAL, "w")

# The first fit, and its noise.
a_1 = law_symbol("a_1", "shrinkage of the first fit", UNIT, "a_1")
NOISE = sqrt(gamma) * H
FIRST = a_1 * (W + NOISE)

DENSITY = exp(-(h**2) / 2) / sqrt(2 * pi)
# A mask that knows the earlier noises only: given the feature and them, it is independent of H.
UNSEEN = {M1: S.Zero, M2c: S.Zero, M0bar: 1 - M0}
SHRUNK = {a: Lambda / (Lambda + D * nu), abar: 1 - a}
TRUTH = {W: sqrt(Lambda / kappa) * B}
NOISY = G_known + sqrt(epsilon2) * H
FITTED = MASK * a * (W + NOISY + memory)
KNOWN = MASK * a * (W + G_known + memory)


def mean_over_h(function):
    """The mean of a function of h, where h is standard normal."""
    return Integral(function * DENSITY, (h, -oo, oo))


def derivation(records):
    """Fits, pruned again and again."""
    d = Derivation(
        title="Iterative pruning",
        statement=r"""Fit a model, prune it by its coefficients, fit again on the same sample the features kept, prune
        by the new coefficients, and so on. Write a coefficient as an entry of the standardised design sees it: the true
        one is $W=\sqrt{\Lambda/\kappa}\,B$ and that of fit $k$ is
        $V_k=S_ka_k(W+G_k+\sum_{j<k}c_{kj}(W+G_j-V_j))$, with $S_k$ its mask and $a_k=\Lambda/(\Lambda+D\nu_k)$. The
        noises $G_1,G_2,\dots$ are jointly Gaussian with the covariance
        $\Gamma_{kl}=\sigma^2+\kappa E[(W-V_k)(W-V_l)]$, and $c_{kj}q_k+\kappa b_{kj}=0$ with
        $q_k=1-\kappa E[a_kS_k]$ and $b_k=\Gamma^{-1}(E[V_kG]-E[GG_k]E[a_kS_k])$. The test risk of fit $k$ is
        $\Gamma_{kk}$, its training error $q_k^2$ times the variance of $G_k+\sum_{j<k}c_{kj}G_j$.""",
        assumptions=r"""$\lambda_k>0$ for every fit, or the limits $\lambda_k\to0^+$; the covariance is diagonal; the
        design is Gaussian. Masks threshold scores that are functions of the earlier noises, feature by feature.""",
        cited=r"""State evolution of message passing whose steps may depend on all earlier iterates (Bayati and
        Montanari, 2011; Javanmard and Montanari, 2013; for steps that keep a memory, Fan, 2022; Gerbelot and Berthier,
        2023): iterate $f$ with $v=f(W+G_1,W+G_2,\dots)$, in which an iterate is corrected by the mean derivatives of
        the functions before it (the Onsager terms), has Gaussian noises $G$ whose covariance is that of the errors of
        the iterates. That the fits, minima of convex functions of the sample given their masks, are limits of such an
        iteration. Scores have jumps in the masks, but no mass there. None of this is proved here; simulations of two
        and three rounds agree with the result.""",
        where=TRUTH,
    )
    _stein(d)
    _stationary(d, records)
    _noises(d, records)
    _errors(d, records)
    _pruned(d, records)
    _one_round(d, records)
    return d


def _stein(d):
    d.step(
        "Stein's lemma for one normal variable",
        Equal(mean_over_h(h * (u + v * h + w * h**3)), mean_over_h(Derivative(u + v * h + w * h**3, h))),
        r"""$E[Hf(H)]=E[f'(H)]$: integration by parts, since $-h$ times the density is its derivative. Checked on
        polynomials; a mask adds its edges to $f'$, as the derivative of a step is a point mass.""",
    )
    d.step(
        "the density falls by its argument",
        Equal(Derivative(DENSITY, h), -h * DENSITY),
        r"""Which makes integration by parts give Stein's lemma for every function that does not grow too fast.""",
    )
    d.step(
        "Stein's lemma for two noises",
        Equal(
            tilt * (root * first + tilt * second) + other * (other * second),
            root * tilt * first + (tilt**2 + other**2) * second,
        ),
        r"""Let $G_1=\ell_{11}H_1$ and $G_2=\ell_{21}H_1+\ell_{22}H_2$, and let $f$ be a function of both with the mean
        derivatives $d_1$ and $d_2$. By the chain rule its mean derivative in $H_1$ is $\ell_{11}d_1+\ell_{21}d_2$,
        in $H_2$ it is $\ell_{22}d_2$. So $E[fG_2]=\Gamma_{21}d_1+\Gamma_{22}d_2$, with
        $\Gamma_{21}=\ell_{11}\ell_{21}$ and $\Gamma_{22}=\ell_{21}^2+\ell_{22}^2$. In the same way
        $E[fG_l]=\sum_j\Gamma_{lj}d_j$ for any number of noises: mean derivatives are $\Gamma^{-1}E[fG]$.""",
        uses=["Stein's lemma for one normal variable", "the density falls by its argument"],
    )


def _stationary(d, records):
    own = law_symbol("own_noise", "the coefficient of the fit that is sought", REAL, "x")
    inherited = law_symbol("inherited", r"sum over earlier fits of b_kj (W + G_j - V_j)", REAL, r"\iota")
    d.step(
        "what a fit inherits",
        Roots(
            Equal(q * (W + G_k - own) - kappa * inherited, q * (D * nu / Lambda) * own),
            own,
            (a * (W + G_k - kappa * inherited / q),),
        ),
        r"""With the Onsager terms, the residuals of fit $k$ are $Z_k-\kappa\sum_{j\le k}b_{kj}Z_j$, where
        $b_{kk}=E[a_kS_k]$ and the transposed design takes each $Z_j$ to $W+G_j-V_j$. On a kept feature the gradient of
        the training objective vanishes: the transposed design takes the residuals to
        $\lambda_k(D/\Lambda)V_k$. Since $\lambda_k=q\nu_k$, that is this equation with
        $\iota=\sum_{j<k}b_{kj}(W+G_j-V_j)$, and it has one root.""",
        uses=["Stein's lemma for two noises"],
        given=SHRUNK,
    )
    d.step(
        "the slack of a fit",
        Equal(nu, ridge + kappa * nu * E(MASK * a)),
        r"""The noise of fit $k$ itself has the mean derivative $b_{kk}=E[a_kS_k]$, because $S_k$ does not know it. So
        $q=1-\kappa b_{kk}$, and $\lambda_k=q\nu_k$ is the equation of the effective ridge with the mean over the
        features kept.""",
        given=SHRUNK | {ridge: q * nu, q: 1 - kappa * E(MASK * a)},
    )
    d.registered(
        records["iterative.slack"],
        1 - kappa * E(MASK * Lambda / (Lambda + D * nu)),
        r"""This $q$, with the mean over the features kept.""",
        uses=["the slack of a fit"],
    )
    d.registered(
        records["iterative.noise"],
        NOISY,
        r"""A Gaussian is its mean given others plus an independent Gaussian: $G_k=\hat G_k+\varepsilon_kH$ with
        $\hat G_k=\sum_j\rho_{kj}G_j$.""",
    )
    d.registered(
        records["iterative.fit"],
        a * (W + NOISY + memory),
        r"""With $c_{kj}=-\kappa b_{kj}/q$ the memory is $m_k=\sum_jc_{kj}(W+G_j-V_j)$. So
        $V_k=S_kU_k$: a dropped feature has $V_k=0$.""",
        uses=["what a fit inherits", "iterative.noise"],
        given=SHRUNK,
    )
    d.registered(
        records["iterative.memory_gap"],
        q * E(memory_noise * G_l) + kappa * (E(FITTED * G_l) - E(NOISY * G_l) * E(MASK * a)),
        r"""$c_{kj}q+\kappa b_{kj}=0$ for every $j$, multiplied by $\Gamma$: $\sum_j\Gamma_{lj}c_{kj}$ is the mean of
        $g_kG_l$, and by Stein's lemma $\sum_{j<k}\Gamma_{lj}b_{kj}=E[V_kG_l]-E[G_kG_l]b_{kk}$.""",
        uses=["iterative.fit", "Stein's lemma for two noises", "the slack of a fit"],
        given=SHRUNK | UNSEEN,
    )


def _noises(d, records):
    d.registered(
        records["iterative.covariance"],
        sigma2 + kappa * E((W - FITTED) * (W - V_l)),
        r"""State evolution: the covariance of two noises is that of the errors of the two fits, at a new point.""",
        uses=["iterative.fit"],
        given=SHRUNK | UNSEEN,
    )
    d.registered(
        records["iterative.noise_gap"],
        E(NOISY * G_l) - (sigma2 + kappa * E((W - FITTED) * (W - V_l))),
        r"""For an earlier fit $l$, $\varepsilon_kH$ is seen by neither $G_l$ nor $V_l$ nor the mask: so this fixes
        $\rho_{kj}$.""",
        uses=["iterative.covariance", "iterative.noise"],
        given=SHRUNK | UNSEEN,
    )
    d.step(
        "a fit's own noise",
        Equal(E((W - FITTED) ** 2), E((W - KNOWN) ** 2) + epsilon2 * E(MASK * a**2)),
        r"""The mean over $H$, of which the mask knows nothing.""",
        uses=["iterative.fit"],
        given=SHRUNK | UNSEEN,
    )
    solved = (sigma2 + kappa * E((W - KNOWN) ** 2) - E(G_known**2)) / (1 - kappa * E(MASK * a**2))
    d.step(
        "the equation for its variance is linear",
        Roots(
            Equal(
                E(G_known**2) + epsilon2,
                sigma2 + kappa * E((W - KNOWN) ** 2) + kappa * epsilon2 * E(MASK * a**2),
            ),
            epsilon2,
            (solved,),
        ),
        r"""The variance of $G_k$ is $\Gamma_{kk}$; it has one solution.""",
        uses=["a fit's own noise", "iterative.covariance"],
        given=SHRUNK | UNSEEN,
    )
    d.registered(
        records["iterative.own_variance"],
        solved,
        r"""The denominator is $q+\kappa E[a(1-a)S]$, a sum of two numbers of which none is negative.""",
        uses=["the equation for its variance is linear", "the slack of a fit"],
        given=SHRUNK | UNSEEN | {U_known: a * (W + G_known + memory), q: 1 - kappa * E(MASK * a)},
    )


def _errors(d, records):
    d.registered(
        records["iterative.risk"],
        E(G_known**2) + epsilon2,
        r"""The test risk is the mean of $\Lambda(B-X)^2$ beside the noise, which is $\kappa(W-V_k)^2$: it is
        $\Gamma_{kk}$.""",
        uses=["iterative.covariance", "the equation for its variance is linear"],
        given=SHRUNK | UNSEEN,
    )
    d.step(
        "a coefficient in these units",
        Equal(kappa * (W - sqrt(Lambda / kappa) * X) ** 2, Lambda * (B - X) ** 2),
        r"""$V=\sqrt{\Lambda/\kappa}\,X$ for a coefficient $X/\sqrt p$.""",
    )
    d.registered(
        records["iterative.training_error"],
        q**2 * (epsilon2 + E((G_known + memory_noise) ** 2)),
        r"""The residuals of fit $k$ are $q(Z_k+\sum_jc_{kj}Z_j)$, and the $Z$ have the covariance $\Gamma$ of the
        $G$. Zero for an interpolator, whose $q$ is zero.""",
        uses=["what a fit inherits", "iterative.noise"],
        given=SHRUNK | UNSEEN,
    )


def _pruned(d, records):
    dropped = (1 - MASK) * V_k
    d.registered(
        records["iterative.pruned_risk"],
        sigma2 + kappa * (E(MASK * (W - V_k) ** 2) + E((1 - MASK) * W**2)),
        r"""A dropped feature misses $W$, a kept one $W-V_k$.""",
        uses=["a coefficient in these units"],
        given=UNSEEN,
    )
    d.registered(
        records["iterative.slope_gap"],
        E(slope_noise * G_l) - E(dropped * G_l),
        r"""What is dropped, $(1-S)V_k$, is a function of the noises with mean derivatives $b_j$, so
        $\sum_jb_j\Gamma_{jl}=E[(1-S)V_kG_l]$; and $\sum_jb_j\Gamma_{jl}$ is the mean of $\hat bG_l$.""",
        uses=["Stein's lemma for two noises"],
        given=UNSEEN,
    )
    d.registered(
        records["iterative.weight"],
        q * (c_kj + kappa * slope / q),
        r"""Dropping adds to the residuals $U+\kappa\sum_jb_jZ_j$, where $U$ is the Gaussian that belongs to
        $(1-S)V_k$: so they are $U+\sum_jv_jZ_j$. The fit's own noise has $c_{kk}=1$.""",
        uses=["iterative.slope_gap", "iterative.training_error"],
    )
    d.registered(
        records["iterative.pruned_training_error"],
        E(residual**2) + 2 * kappa * E((1 - MASK) * V_k * missed) + kappa * E((1 - MASK) * V_k**2),
        r"""The variance of $U+\sum_jv_jZ_j$: $U$ has the variance $\kappa E[(1-S)V_k^2]$ and with $Z_j$ the covariance
        $\kappa E[(1-S)V_k(W-V_j)]$.""",
        uses=["iterative.weight", "iterative.covariance"],
        given=UNSEEN,
    )


def _one_round(d, records):
    """The second fit, whose mask knows the one earlier noise, the square root of gamma times H."""
    unmasked = a * (W + rho_kj * NOISE + c_kj * (1 - a_1) * (W + NOISE))
    known = MASK * unmasked
    d.step(
        "what the first fit leaves",
        Equal(W + NOISE - FIRST, (1 - a_1) * (W + NOISE)),
        r"""The dense fit is $V_1=a_1(W+G_1)$ with $G_1=\sqrt\gamma\,H$: it is in these units
        $\sqrt{\Lambda/\kappa}\,X$.""",
    )
    d.step(
        "the first fit is the dense one",
        Equal(FIRST, sqrt(Lambda / kappa) * X),
        r"""The law of the coefficients of ridge regression, $X=aB+\tau H$.""",
        uses=["what the first fit leaves"],
        given={X: a_1 * B + tau * H, tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu)}
        | {a_1: Lambda / (Lambda + D * nu)},
    )
    second = {
        U_k: unmasked,
        V_l: FIRST,
        G_k: rho_kj * NOISE,
        G_l: NOISE,
        G_known: rho_kj * NOISE,
        memory_noise: c_kj * NOISE,
    }
    onsager = (E(known * NOISE) - rho_kj * gamma * E(MASK * a)) / gamma
    d.step(
        "one round: stationarity",
        Equal(records["iterative.memory_gap"].statement, gamma * (c_kj * q + kappa * onsager)),
        r"""For $k=2$: $cq+\kappa b=0$ with $b=(E[V_2G_1]-\rho\gamma E[a_2S])/\gamma$. The fit's own noise has mean
        zero and is left out; here $H$ is the earlier noise, which the mask knows.""",
        uses=["iterative.memory_gap", "what the first fit leaves"],
        given=second,
    )
    moments = sqrt(gamma) * E(a * W * (1 + c_kj * (1 - a_1)) * M1) + gamma * E(
        a * (rho_kj + c_kj * (1 - a_1)) * (M0 + M2c)
    )
    d.step(
        "one round: in masked moments",
        Equal(E(known * NOISE), moments),
        r"""All means of one round are those of $1$, $H$ and $H^2$ times the mask.""",
        uses=["one round: stationarity"],
    )
    d.step(
        "one round: covariance",
        Equal(
            records["iterative.noise_gap"].statement,
            rho_kj * gamma - sigma2 - kappa * E((W - FIRST) * (W - known)),
        ),
        r"""For $k=2$: $\rho\gamma=\sigma^2+\kappa E[(W-V_1)(W-V_2)]$.""",
        uses=["iterative.noise_gap", "what the first fit leaves"],
        given=second,
    )
    shrinkage = kappa * E(a**2 * MASK)
    own = records["iterative.own_variance"].statement
    d.step(
        "one round: risk",
        Equal(
            (rho_kj**2 * gamma + own) * (1 - shrinkage),
            sigma2 + kappa * E((W - known) ** 2) - shrinkage * rho_kj**2 * gamma,
        ),
        r"""For $k=2$ the risk is $\Gamma_{22}=\rho^2\gamma+\varepsilon_2^2$.""",
        uses=["iterative.own_variance", "iterative.risk"],
        given=second | {U_known: unmasked},
    )
    d.step(
        "one round: training error",
        Equal(
            q**2 * (epsilon2 + E((G_known + memory_noise) ** 2)),
            q**2 * ((rho_kj**2 * gamma + epsilon2) + 2 * c_kj * rho_kj * gamma + c_kj**2 * gamma),
        ),
        r"""For $k=2$: $q^2(\Gamma_{22}+2c\rho\gamma+c^2\gamma)$.""",
        uses=["iterative.training_error"],
        given=second,
    )
    kept, risk = MASK * FIRST, gamma - kappa * E((W - FIRST) ** 2)
    pull = E(kept * NOISE) / gamma
    overlap = risk + kappa * E((W - FIRST) * (W - kept))
    dropped_pull = E((1 - MASK) * FIRST * NOISE) / gamma
    own_weight = (1 - kappa * E(a_1)) + kappa * dropped_pull
    d.step(
        "the first pruning",
        Equal(
            gamma * own_weight**2
            + 2 * kappa * own_weight * E((1 - MASK) * FIRST * (W - FIRST))
            + kappa * E((1 - MASK) * FIRST**2),
            (risk + kappa * E((W - kept) ** 2)) - 2 * kappa * pull * overlap + kappa**2 * pull**2 * gamma,
        ),
        r"""With one noise, $v=q+\kappa b$, $\hat v=vG_1$ and $\hat w=v(W-V_1)$. It is the same as
        $\Gamma_{ff}-2\kappa b_f\Gamma_{1f}+\kappa^2b_f^2\gamma$ of the pruned coefficients $f=S V_1$ themselves, with
        $b_f=E[fG_1]/\gamma$ and $\sigma^2=\gamma-\kappa E[(W-V_1)^2]$.""",
        uses=["iterative.pruned_training_error", "iterative.weight", "what the first fit leaves"],
        given={M0bar: 1 - M0},
    )
    everything = {M0: S.One, M0bar: S.Zero, M1: S.Zero, M2c: S.Zero}
    same = (
        second
        | everything
        | {rho_kj: S.One, c_kj: S.Zero, a_1: a, sigma2: gamma - kappa * E((W - a * (W + NOISE)) ** 2)}
    )
    for gap, words in (("iterative.noise_gap", "covariance"), ("iterative.memory_gap", "stationarity")):
        d.step(
            f"nothing pruned: the {words}",
            Equal(records[gap].statement, S.Zero),
            r"""With everything kept and the same ridge, $\rho=1$ and $c=0$ make the gap vanish: the second fit is the
            first.""",
            uses=[gap],
            given=same,
        )
