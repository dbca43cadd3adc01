"""Random features: the constants of an activation, and the linear problem in a generic basis that neurons make.

Read from top to bottom.
"""

from sympy import Integral, S, erf, exp, oo, pi, sqrt

from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, UNIT, scalar
from riskcalc.theory.symbols import (
    Lambda,
    gram,
    hidden,
    mu_1,
    mu_rest,
    n_features,
    psi,
    sigma2,
    spanned,
    target_rest,
    target_slope2,
    unspanned,
)

h = scalar("normal", "a value of a standard normal variable", REAL, "h")
positive_h = scalar("positive_normal", "a positive value of it", POSITIVE, "h")
correlation = scalar("normal_correlation", "correlation of two standard normal variables", UNIT, r"\varrho")
rest = scalar("normal_rest", "variance of one of them, given the other", UNIT, "s^2")
centre = scalar("normal_centre", "mean of a normal variable", REAL, "c")
width = scalar("normal_width", "its standard deviation", POSITIVE, "s")
n_inputs = scalar("n_inputs", "dimension of the inputs", POSITIVE, "d")
cross = scalar("feature_cross", "covariance of a feature and the target", REAL, "c")
variance = scalar("feature_variance", "variance of a feature", POSITIVE, r"\Lambda")
trial = scalar("trial_coefficient_of_feature", "trial coefficient", REAL, "u")

DENSITY = exp(-(h**2) / 2) / sqrt(2 * pi)
HALF = exp(-(positive_h**2) / 2) / sqrt(2 * pi)


def mean(function):
    """The mean of a function of a standard normal variable."""
    return Integral(function * DENSITY, (h, -oo, oo))


def half_mean(function):
    """The part of a mean where the variable is positive."""
    return Integral(function * HALF, (positive_h, 0, oo))


def derivation(records):
    """Random features."""
    d = Derivation(
        title="Random features",
        statement=r"""Features are $\phi(w^\top x)$ of inputs $x\sim N(0,I_d)$, less their means, with $p=\psi d$ rows
        $w$ drawn uniformly from the unit sphere; $y=g(x^\top b)$ plus noise of variance $\sigma^2$, $\|b\|=1$. With
        $\mu_1=\mathbb{E}[H\phi(H)]$ and $\mu_*^2$ the variance of $\phi(H)-\mu_1H$, the risks in the limit are those of
        Gaussian features in a basis in general position, of eigenvalues $\Lambda=\mu_1^2x+\mu_*^2$ with $x$ those of
        $WW^\top$, of coefficients $B^2=\psi r_1^2\mu_1^2x/\Lambda^2$ and of the noise $\sigma^2+\sigma_\perp^2$.""",
        assumptions=r"""$d,n,p\to\infty$ in proportion. The activation has a finite variance. $r_1$ is the slope
        $\mathbb{E}[Hg(H)]$ of the target and $r_*^2$ the variance of the rest of it.""",
        cited=r"""That features may be replaced by the Gaussian ones $\mu_1w^\top x+\mu_*\epsilon$, $\epsilon$
        independent of $x$ and of each other, and the rest of the target by independent noise (Mei and Montanari 2022;
        Goldt et al. 2022; Hu and Lu 2023). Price's theorem: the derivative of $\mathbb{E}[f(U)f(V)]$ in the
        correlation of standard normal $U$ and $V$ is $\mathbb{E}[f'(U)f'(V)]$. The law of Marchenko and Pastur.""",
        where={unspanned: 1 - spanned},
    )

    d.registered(
        records["random_features.relu_mean"],
        half_mean(positive_h),
        r"""The mean of the positive part: only positive values of $H$ count.""",
    )
    d.registered(
        records["random_features.relu_slope"],
        half_mean(positive_h**2),
        r"""That of $H\max(H,0)$: half of the variance of $H$, by symmetry.""",
    )
    d.registered(
        records["random_features.relu_rest"],
        half_mean(positive_h**2) - half_mean(positive_h) ** 2 - half_mean(positive_h**2) ** 2,
        r"""The mean of the square is the same half. The linear part and the rest are uncorrelated, as
        $\mathbb{E}[H(\phi(H)-\mu_0-\mu_1H)]=0$: $\mu_*^2=\mathbb{E}[\phi^2]-\mu_0^2-\mu_1^2$.""",
        uses=["random_features.relu_mean", "random_features.relu_slope"],
    )
    d.registered(
        records["random_features.sign_slope"],
        2 * half_mean(positive_h),
        r"""The mean of $|H|$.""",
    )
    d.registered(
        records["random_features.sign_rest"],
        2 * half_mean(S.One) - (2 * half_mean(positive_h)) ** 2,
        r"""The square of the sign is one, its mean is zero.""",
        uses=["random_features.sign_slope"],
    )
    slope = erf(h).diff(h)
    d.registered(
        records["random_features.erf_slope"],
        mean(slope),
        r"""By Stein's lemma $\mathbb{E}[H\phi(H)]=\mathbb{E}[\phi'(H)]$.""",
    )
    d.step(
        "the derivative of an error function, given its mean",
        Equal(
            Integral(
                2 * exp(-(h**2)) / sqrt(pi) * exp(-((h - centre) ** 2) / (2 * width**2)) / sqrt(2 * pi) / width,
                (h, -oo, oo),
            ),
            2 * exp(-(centre**2) / (1 + 2 * width**2)) / sqrt(pi) / sqrt(1 + 2 * width**2),
        ),
        r"""$\mathrm{erf}'(h)=2e^{-h^2}/\sqrt\pi$, averaged over a Gaussian of mean $c$ and variance $s^2$.""",
    )
    d.step(
        "the derivatives of two error functions",
        Equal(
            mean(slope * 2 * exp(-((correlation * h) ** 2) / (1 + 2 * rest)) / sqrt(pi) / sqrt(1 + 2 * rest)),
            4 / (pi * sqrt(9 - 4 * correlation**2)),
        ),
        r"""Given $U=h$, $V$ is Gaussian of mean $\varrho h$ and variance $1-\varrho^2$; then the mean over $U$.""",
        uses=["the derivative of an error function, given its mean"],
        given={correlation: sqrt(1 - rest)},
    )
    d.registered(
        records["random_features.erf_rest"],
        Integral(4 / (pi * sqrt(9 - 4 * correlation**2)), (correlation, 0, 1)) - (2 / sqrt(3 * pi)) ** 2,
        r"""By Price's theorem $\mathbb{E}[\mathrm{erf}(U)\,\mathrm{erf}(V)]$ has this derivative, and it is zero at
        $\varrho=0$; at $\varrho=1$ it is $\mathbb{E}[\mathrm{erf}(H)^2]$. The mean of the error function is zero.""",
        uses=["the derivatives of two error functions", "random_features.erf_slope"],
    )

    d.registered(
        records["random_features.variance"],
        (mu_1 * sqrt(gram)) ** 2 + mu_rest,
        r"""The cited features are $\mu_1Wx+\mu_*\epsilon$. Along a left singular vector of $W$, with the singular value
        $\sqrt x$ and the right one $v$, they are $\mu_1\sqrt x\,v^\top x$ and noise.""",
    )
    d.step(
        "the regression on one of these",
        Roots(Equal(2 * variance * trial - 2 * cross, S.Zero), trial, (cross / variance,)),
        r"""They are uncorrelated, so each has the coefficient that it has alone: $\Lambda u^2-2uc$ is least at
        $u=c/\Lambda$, $c$ being its covariance with the target.""",
    )
    d.registered(
        records["random_features.signal"],
        sqrt(n_features * target_slope2 * mu_1**2 * gram / n_inputs) / Lambda,
        r"""The linear part of the target is $r_1x^\top b$: $c=r_1\mu_1\sqrt x\,v^\top b$. As the weights point
        everywhere, $(v^\top b)^2$ has the mean $1/d$. $B$ is $\sqrt p$ times the coefficient.""",
        uses=["the regression on one of these", "random_features.variance"],
        given={n_inputs: n_features / psi},
    )
    d.step(
        "what a regression explains",
        Equal(2 * trial * cross - variance * trial**2, cross**2 / variance),
        r"""The variance of the target falls by this for each.""",
        uses=["the regression on one of these"],
        given={trial: cross / variance},
    )
    d.registered(
        records["random_features.hidden"],
        target_rest
        + target_slope2
        - spanned * n_inputs * E(target_slope2 * mu_1**2 * gram / (n_inputs * (mu_1**2 * gram + mu_rest))),
        r"""Of the $p$ directions $md$ have a singular value, and means are over these. The others are noise alone,
        without a part in the target. The rest of the target is uncorrelated with linear functions of $x$.""",
        uses=["what a regression explains", "random_features.signal", "random_features.variance"],
    )
    d.registered(
        records["random_features.noise"],
        sigma2 + hidden,
        r"""What the features leave of the target is uncorrelated with them, and in the limit acts as independent
        noise.""",
        uses=["random_features.hidden"],
    )
    return d
