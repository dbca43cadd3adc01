"""The small model: trained on a known subset of the features, the rest of which is noise to it.

First the limit, which is that of the dense fit on the kept features; then least squares, whose mean risk is known at
every size. Read from top to bottom.
"""

import numpy as np
from sympy import Integral, S, Sum, exp, oo, sqrt
from sympy import gamma as Gamma

from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Expands, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.symbols import (
    B,
    D,
    Lambda,
    a,
    alpha,
    fit_excess_risk,
    gamma,
    kappa,
    misfit,
    n_keep,
    n_samples,
    nu,
    q,
    sigma2,
    sigma2_small,
    tau,
)
from riskcalc.verification.subjects import Theory

# The small model by itself: it has s features, so its law, aspect ratio and coefficients are those of the kept ones.
b = law_symbol("b", "trial coefficient of a feature, times sqrt(p)", REAL, "b")
kappa_small = scalar("kappa_small", "aspect ratio of the small model, s/n", POSITIVE, r"\kappa_\Delta")
B_small = law_symbol("B_small", "coefficient of a kept feature times sqrt(s)", NONNEGATIVE, r"B_\Delta")

# Least squares: one feature beside the others, and a chi-square.
length = scalar("length", "squared length of the column of a feature", POSITIVE, r"\|x_j\|^2")
explained = scalar("explained", "squared length of its projection on the other columns", POSITIVE, r"\|Px_j\|^2")
entry = scalar("entry", "its diagonal entry of the inverse", POSITIVE, "v_j")
eigenvalue = scalar("eigenvalue", "variance of this one feature", POSITIVE, r"\Lambda_j")
j = scalar("j", "number of a feature kept", POSITIVE, "j")
k = scalar("k", "degrees of freedom", POSITIVE, "k")
half = scalar("half", "half the degrees of freedom beyond two", POSITIVE, "h")
chi2 = scalar("chi2", "a chi-square variable", POSITIVE, r"\chi^2")

CHI_SQUARE_DENSITY = chi2 ** (k / 2 - 1) * exp(-chi2 / 2) / (2 ** (k / 2) * Gamma(k / 2))
LEAST_SQUARES_RISK = sigma2_small * (1 + Sum(1 / (k - 2), (j, 1, n_keep)))


def restricted(formula):
    """A formula of the dense fit, its means over the kept features only and not renormalised."""
    means = formula.replace(lambda node: isinstance(node, E), lambda mean: E(MASK * mean.integrand))
    return means.xreplace({sigma2: sigma2_small})


def conditional(formula):
    """A formula of the dense fit, for the small model by itself: means are over the law of a kept feature."""
    means = formula.replace(lambda node: isinstance(node, E), lambda mean: E(MASK * mean.integrand) / alpha)
    return means.xreplace({sigma2: sigma2_small, kappa: kappa_small, B: B_small})


# Samples beyond the features kept, in the simulation: few, so that no limit theorem would do.
SPARE = 20
NOISE, DROPPED_SPREAD, DROPPED = 1.25, np.array([1, 0.5, 2]), np.array([0.5, 1, 0.25])


def finite_sample_risk(n):
    """The mean test risk of least squares on n - SPARE features."""
    return (NOISE + np.sum((DROPPED_SPREAD * DROPPED) ** 2)) * (n - 1) / (SPARE - 1)


def trial(n, rng):
    """The test risk of least squares on n - SPARE features, three being dropped; over some samples of noise."""
    kept, repeats = n - SPARE, 16
    spread, coefficients = np.resize([2, 0.5], kept), np.ones(kept)
    design = rng.standard_normal((n, kept)) * spread
    dropped = rng.standard_normal((repeats, n, 3)) * DROPPED_SPREAD
    noise = dropped @ DROPPED + np.sqrt(NOISE) * rng.standard_normal((repeats, n))
    fitted = np.linalg.solve(design.T @ design, design.T @ (design @ coefficients + noise).T)
    excess = np.sum((spread[:, None] * (fitted - coefficients[:, None])) ** 2, axis=0)
    return NOISE + np.sum((DROPPED_SPREAD * DROPPED) ** 2) + excess.mean()


def derivation(records):
    """The small model."""
    risk, effective_ridge = records["dense.risk"].statement, records["dense.effective_ridge"].statement.rhs
    law = records["dense.coefficient"]
    coefficient = law.statement.xreplace({tau: law.where[tau]})
    d = Derivation(
        title="The small model",
        statement=r"""Let $\Delta$ be a set of $s$ of the $p$ features, independent of the sample (known beforehand, or
        chosen on another sample), $s/p\to\alpha$, $S$ its indicator and $\bar M_0=P(S=0)$. The fit on the features in
        $\Delta$ alone behaves as the dense fit with means over the kept features, at the noise
        $\sigma_\Delta^2=\sigma^2+E[\bar M_0\Lambda B^2]$. For least squares with $s<n-1$ the mean test risk is
        $\sigma_\Delta^2(n-1)/(n-s-1)$ at every size.""",
        assumptions=r"""Gaussian features with a diagonal covariance, so that the dropped features are independent of
        the kept ones. For least squares, kept features of positive variance and no ridge.""",
        cited=r"""The limit theorem for the dense fit. For least squares, three facts of linear algebra and Gaussian
        vectors: the inverse of a matrix in blocks (Schur complement), the projection on the span of columns, which
        does not depend on their scales, and that a standard Gaussian vector projected on an independent subspace of
        dimension $k$ has a squared length with the chi-square law of $k$ degrees of freedom (Cochran).""",
        where={a: Lambda / (Lambda + D * nu)},
    )

    d.step(
        "the error splits",
        Equal(E(Lambda * (B - MASK * b) ** 2), E((1 - MASK) * Lambda * B**2) + E(MASK * Lambda * (B - b) ** 2)),
        r"""For any coefficients $b$ on the kept features. A mask is zero or one, so it is its own square. The first
        part does not depend on $b$.""",
    )
    d.registered(
        records["small_model.noise"],
        sigma2 + E((1 - MASK) * Lambda * B**2),
        r"""In $y=x_\Delta^\top\beta^*_\Delta+(x_{\Delta^c}^\top\beta^*_{\Delta^c}+\sigma z)$ the bracket is Gaussian
        and independent of $x_\Delta$: the small model sees a problem of the same kind, with the bracket for noise. Its
        variance is the risk that is left when $b=B$ on the kept features.""",
        uses=["the error splits"],
        given={misfit: E((1 - MASK) * Lambda * B**2)},
    )
    d.step(
        "the effective ridge of the kept features",
        Roots(Equal(conditional(effective_ridge), restricted(effective_ridge)), kappa_small, (kappa * E(MASK),)),
        r"""The small model has $s=\alpha p$ features: its aspect ratio is $\kappa_\Delta=\kappa\alpha$, its
        coefficients are $\beta^*=B_\Delta/\sqrt s$ with $B_\Delta=\sqrt\alpha B$, and the mean of $f$ over its
        features is $E[Sf]/\alpha$. With this $\kappa_\Delta$, and no other, the factors $\alpha=E[S]$ cancel in the
        equation for $\nu$: the law may be restricted to the mask without renormalising it, $\kappa$ and $B$ staying
        what they are.""",
        uses=["small_model.noise"],
        given={alpha: E(MASK)},
    )
    small = {kappa_small: kappa * alpha, B_small: sqrt(alpha) * B}
    d.step(
        "the risk of the kept features",
        Equal(conditional(risk), restricted(risk)),
        r"""The same in the registered test risk, where $B^2$ gains the factor $\alpha$ that its mean loses.""",
        uses=["small_model.noise"],
        given=small,
    )
    d.step(
        "the coefficients of the kept features",
        Equal(conditional(coefficient), sqrt(alpha) * coefficient),
        r"""And in the registered law of a fitted coefficient: what the small model says of $\sqrt s\,\hat\beta$, the
        restricted law says of $\sqrt p\,\hat\beta$.""",
        uses=["the effective ridge of the kept features", "the risk of the kept features"],
        given=small,
    )
    d.registered(
        records["small_model.excess_risk"],
        fit_excess_risk + E((1 - MASK) * Lambda * B**2),
        r"""So the risk $\gamma$ of the fit, as the dense fit has it at the noise $\sigma_\Delta^2$, is the test risk of
        the small model. Beyond $\sigma^2$ it is $\gamma_\Delta^{\mathrm{ex}}=\gamma-\sigma_\Delta^2$ and the signal
        that is dropped, which $\sigma_\Delta^2$ contains.""",
        uses=["the error splits", "small_model.noise", "the risk of the kept features"],
        given={
            fit_excess_risk: gamma - sigma2_small,
            sigma2_small: sigma2 + misfit,
            misfit: E((1 - MASK) * Lambda * B**2),
        },
    )

    d.step(
        "one diagonal entry of the inverse",
        Roots(Equal(length * entry - explained * entry, S.One), entry, (1 / (length - explained),)),
        r"""Now least squares at finite $n$: $\hat\beta-\beta^*=(X^\top X)^{-1}X^\top e$, where $e$ has independent
        entries of variance $\sigma_\Delta^2$ and does not depend on $X$. The mean over $e$ of the fit's excess risk,
        $\sum_j\Lambda_j(\hat\beta_j-\beta_j^*)^2$, is $\sigma_\Delta^2\sum_j\Lambda_jv_j$ with $v_j$ the diagonal
        entries of $(X^\top X)^{-1}$. Let $w$ be the rest of column $j$ of the inverse and $X_-$ the other columns of
        $X$. Their equations, $X_-^\top X_-w+X_-^\top x_jv_j=0$, give $X_-w=-Px_jv_j$ with $P$ the projection on
        the span of $X_-$; put into equation $j$, $x_j^\top X_-w+\|x_j\|^2v_j=1$. The difference
        $\|x_j\|^2-\|Px_j\|^2=\|(1-P)x_j\|^2$ is the Schur complement.""",
        uses=["small_model.noise"],
    )
    d.step(
        "the variance of the feature drops out",
        Equal(eigenvalue / (length - explained), 1 / chi2),
        r"""$x_j=\sqrt{\Lambda_j}z_j$ with $z_j$ a standard Gaussian vector independent of $P$, which projects on $s-1$
        dimensions whatever the scales of the other columns. So $\|(1-P)x_j\|^2=\Lambda_j\chi^2$, where $\chi^2$ has the
        chi-square law of $k=n-s+1$ degrees of freedom.""",
        uses=["one diagonal entry of the inverse"],
        given={length: explained + eigenvalue * chi2},
    )
    d.step(
        "the mean of an inverse chi-square",
        Equal(Integral(CHI_SQUARE_DENSITY / chi2, (chi2, 0, oo)), 1 / (k - 2)),
        r"""For $k=2+2h$ with any $h>0$; at $k\le2$ the mean is infinite.""",
        given={k: 2 + 2 * half},
    )
    d.registered(
        records["small_model.finite_sample_risk"],
        LEAST_SQUARES_RISK,
        r"""The noise, and $s$ features that add $\sigma_\Delta^2/(k-2)$ each, whatever their variance. It needs $k>2$,
        that is, $s<n-1$.""",
        uses=["the variance of the feature drops out", "the mean of an inverse chi-square"],
        given={k: n_samples - n_keep + 1},
    )
    limit = sigma2_small / (1 - kappa * alpha)
    d.step(
        "the limit of the exact risk",
        Expands(
            sigma2_small * (n_samples - 1) / (n_samples - n_keep - 1),
            limit + limit * kappa * alpha / (1 - kappa * alpha) / n_samples,
            n_samples**-2,
            n_samples,
            oo,
        ),
        r"""For $s=\kappa\alpha n$ and $\kappa\alpha<1$. The exact risk is above its limit, the more so the nearer
        $\kappa\alpha$ is to one.""",
        uses=["small_model.finite_sample_risk"],
        given={n_keep: kappa * alpha * n_samples},
    )
    of_all = {n_keep: n_samples * kappa * E(a**2), q: 1 - kappa * E(a)}
    d.registered(
        records["small_model.finite_size"],
        LEAST_SQUARES_RISK.subs(k, n_samples - n_keep + 1).doit() * (1 - kappa * E(a**2)) / sigma2_small - 1,
        r"""The exact risk over its limit, less one; $\kappa E[a^2]=s/n$, as $a=1$ on the features fitted and zero on
        the others. With other $a$ it is the order of what a finite sample adds: simulated fits with a ridge,
        interpolators and fits on features that they chose differ from their limits by about that, or less.""",
        uses=["small_model.finite_sample_risk"],
        relation="~",
        given=of_all,
    )
    d.step(
        "it is the limit of the dense fit",
        Equal(restricted(risk), limit),
        r"""Without a ridge and with $\kappa\alpha<1$ the effective ridge vanishes and nothing is shrunk, $a=1$: the two
        ways to the risk meet.""",
        uses=["the risk of the kept features", "the limit of the exact risk"],
        given={a: S.One, alpha: E(MASK)},
    )
    d.simulated(
        "the exact risk",
        r"""The mean test risk of simulated least squares on $n-20$ features, three more being dropped, is
        $\sigma_\Delta^2(n-1)/19$.""",
        r"""At $n=50$, $100$ and $200$. The samples to spare stay few, so this is no limit theorem: the risk grows with
        $n$ without bound.""",
        Simulated(Theory(predict=finite_sample_risk, trial=trial, names=["least squares"])),
        uses=["small_model.finite_sample_risk"],
    )
    return d
