"""Pruning where features are in general position to the eigenvectors of their covariance.

What a mask leaves of the vector that it looks at is a multiple of it and noise without direction: a Haar average.
Read from top to bottom.
"""

from sympy import Derivative, Integral, Limit, S, Symbol, erf, exp, gamma, oo, pi, sqrt

import riskcalc as rc
from riskcalc.derivation.algebra import as_positive
from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, UNIT, H, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.generic_symbols import alphabar, blind, factor, found, k, kbar, sight
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
    alpha,
    kappa,
    n_features,
    nu,
    q,
    sigma2,
    size,
    t,
    tau,
)
from riskcalc.theory.symbols import gamma as dense_risk

PROBLEM = rc.LinearGaussian(
    aspect_ratio="3/2",
    eigenvalues=[4, 1, "1/10"],
    signal=["1/2", 1, "3/2"],
    weights=["1/5", "1/2", "3/10"],
    noise_variance="3/10",
    ridge="1/5",
    basis="generic",
)

h = Symbol("h", real=True)  # values of standard normal variables, integrated over
j = Symbol("j", real=True)

# Rotations around a vector.
average = scalar("average", "mean square of a coordinate across the vector", POSITIVE, "x")
across = scalar("across", "square of what is orthogonal to the vector", POSITIVE, r"\|w\|^2")
trace = scalar("mean_variance", r"mean variance of a feature, $\mathrm{tr}\,\Sigma/p$", POSITIVE, r"\bar\Lambda")
form = scalar("variance_along", "variance along the vector", POSITIVE, r"\Lambda_v")
noise = scalar("pruning_noise", "standard deviation of what has no direction", POSITIVE, "w")
power = scalar("fit_power", r"mean square of a fitted coefficient", POSITIVE, r"P")
signal = scalar("signal_power", r"mean square of a true one", POSITIVE, r"P_B")

# Laws of a coefficient in units of its root mean square.
limit = scalar("top_score", "score from which on sampling is sure", POSITIVE, "T")
chi2 = scalar("chi2", "a chi-square variable", POSITIVE, r"\chi^2")
common = scalar("common_power", "product of the truth and the fit at a new point", REAL, "s")
square_kept = scalar("square_kept", "what the square of the kept coefficients predicts, over $k$", POSITIVE, "C_k")
chance = scalar("chance_kept", "probability of keeping a feature", UNIT, r"\pi")
value = scalar("fitted_value", "a fitted coefficient", REAL, "x")

# Other ways to put numbers in place of coefficients.
along = scalar("along_fit", "product of the numbers with the fit, over the fit's square", REAL, "m")
rest = law_symbol("rest_fit", "what is left of a coordinate of the fit", REAL, "v'")

LOOKS = {M0: alpha, M0bar: 1 - alpha, M1: S.Zero, M2c: k - alpha}
BLIND = {M0: alpha, M0bar: 1 - alpha, M1: S.Zero, M2c: S.Zero}

# Where laws may divide by their means: the boundary follows by continuity.
POSITIVE_LAW = {symbol: as_positive(symbol) for symbol in (Lambda, B, dense_risk, nu)}

TARGET = sigma2 + E(Lambda * B**2)  # mean square of y
SHARED = E(Lambda * B * X)  # product of the truth and the fit at a new point
FITTED = E(Lambda * X**2)
FLAT = E(Lambda) * power  # what the fit would predict with if it had no direction
RISK = TARGET - 2 * k * SHARED + k**2 * FITTED + k * (1 - k) * FLAT
SQUARE = factor**2 * (k**2 * FITTED + k * (1 - k) * FLAT)
BEST = k * SHARED / (k**2 * FITTED + k * (1 - k) * FLAT)


def multiple(m):
    """The mean square of the residual of m times the fit, without noise."""
    return (1 - m) ** 2 * TARGET + 2 * m * (1 - m) * q * (TARGET - SHARED) + m**2 * q**2 * dense_risk


def density(point):
    """The standard normal density."""
    return exp(-(point**2) / 2) / sqrt(2 * pi)


def above(function, edge):
    """The mean of an even function of a standard normal variable where its size is above an edge."""
    return 2 * Integral(function * density(h), (h, edge, oo))


def below(function, edge):
    """The same below the edge; the function is given for positive numbers."""
    return 2 * Integral(function * density(h), (h, 0, edge))


def everywhere(function, variable):
    """The mean of a function of a standard normal variable."""
    return Integral(function * density(variable), (variable, -oo, oo))


def central(k, value):
    """The density of the chi-square law of k degrees of freedom."""
    return value ** (k / 2 - 1) * exp(-value / 2) / (2 ** (k / 2) * gamma(k / 2))


def derivation(records):
    """Pruning in a generic basis."""
    d = Derivation(
        title="Pruning in a generic basis",
        statement=r"""Let the eigenvectors of $\Sigma$ be uniformly distributed (Haar), as the features see them. A
        mask that keeps the fraction $\alpha$ of the features and the share $k$ of the square of the fit leaves $k$
        times the fit and noise without direction, of the mean square $k(1-k)E[X^2]$. The risk is
        $\sigma^2+E[\Lambda(B-kX)^2]+k(1-k)E[\Lambda]E[X^2]$. For masks that rank by magnitude, alone or in groups,
        by chance or told the truth, $k$ and the errors are closed.""",
        assumptions=r"""$D=1$. The basis is independent of the sample and of the coefficients as the eigenvectors
        see them. The mask sees the sample only through the fit, and treats both signs of a coefficient alike.""",
        cited=r"""The law of a ridge fit in the eigenbasis, where features are their own eigenvectors. The
        coordinates of a vector of uniformly distributed direction are Gaussian in the limit (Maxwell, Poincar\'e,
        Borel), and quadratic forms in it are what they are on average; so the law of large numbers for sums over
        features. For training errors the residuals of the dense fit, $y-X\hat\beta=qr_1$ with $\langle
        r_k,r_l\rangle/n$ tending to the covariance of errors at a new point, also with $r_0=y$ and with the noise
        (see the derivation of the training error).""",
        where={
            a: Lambda / (Lambda + D * nu),
            tau: sqrt(kappa * dense_risk * Lambda) / (Lambda + D * nu),
            X: a * B + tau * H,
            q: 1 - kappa * E(Lambda / (Lambda + D * nu)),
        },
    )
    _rotations(d)
    _shares(d, records)
    _pruned(d, records)
    _others(d, records)
    _oracle(d, records)
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks after pruning, in bases drawn uniformly, tend to these constants.""",
        r"""Three kinds of eigenvectors, three tenths of the features kept, by magnitude and by an oracle.""",
        Simulated(PROBLEM, (rc.Magnitude(keep="3/10"), rc.Oracle(keep="3/10")), tolerance=0.08),
        uses=["generic_basis.risk", "generic_basis.oracle_risk"],
    )
    return d


def _rotations(d):
    d.step(
        "rotations around a vector",
        Roots(Equal(n_features * average - average, across), average, (across / (n_features - 1),)),
        r"""Given the fit $v$ in the eigenbasis and in the features, the rotation between the two is one that takes
        the one to the other, and a Haar rotation of the complement. Let $w$ be orthogonal to $v$. The mean of
        $ww^\top$ over the rotations around $v$ commutes with them, so it is a multiple $x$ of $1-vv^\top/\|v\|^2$;
        the mean of $w$ is zero. The trace gives $x$.""",
    )
    d.step(
        "no direction, no preference",
        Equal(Limit((n_features * trace - form) * across / (n_features - 1), n_features, oo), trace * across),
        r"""So the mean of $w^\top\Sigma w$ is $x(\mathrm{tr}\,\Sigma-v^\top\Sigma v/\|v\|^2)$: in the limit the
        mean eigenvalue times the square. For the sample's matrix $X^\top X/n$ in place of $\Sigma$ the same holds,
        and its mean eigenvalue tends to $E[\Lambda]$, too.""",
        uses=["rotations around a vector"],
    )
    d.step(
        "what the mask leaves along the fit",
        Equal(E((MASK - k) * H * H), S.Zero),
        r"""In the features a coefficient is Gaussian; take its mean square as the unit. The mask keeps the share
        $k=E[SH^2]$ of the square. What it leaves is $kv+w$ with $w$ orthogonal to $v$.""",
        given=LOOKS,
    )
    d.step(
        "what it leaves across",
        Equal(E((MASK - k) ** 2 * H**2), k * (1 - k)),
        r"""$w=Sv-kv$ has the square $k(1-k)\|v\|^2$.""",
        uses=["what the mask leaves along the fit"],
        given=LOOKS,
    )


def _shares(d, records):
    d.step(
        "magnitude",
        Equal(above(S.One, t), 1 - erf(t / sqrt(2))),
        r"""All features have the same variance in the limit, $E[\Lambda]$, so that magnitude, Hessian and surgeon's
        score rank alike: keep $|x|\ge t$. This is $\alpha=2(1-\Phi(t))$.""",
        uses=["no direction, no preference"],
    )
    d.step(
        "what magnitude keeps of the square",
        Equal(above(h**2, t) - above(S.One, t), 2 * t * density(t)),
        r"""$k-\alpha=2t\phi(t)$.""",
        uses=["magnitude"],
    )
    d.step(
        "by chance",
        Equal(E(MASK * H**2), alpha),
        r"""A mask that does not look has $k=\alpha$.""",
        given=BLIND,
    )
    d.step(
        "groups",
        Equal(chi2 * central(size, chi2) / size, central(size + 2, chi2)),
        r"""Groups of $g$ features are kept by their norm, whose square is chi-squared of $g$ degrees of freedom,
        $\alpha=P(\chi^2_g>Q)$. By symmetry a member has the $g$-th part of the square:
        $k=E[\chi^2_g;\chi^2_g>Q]/g$, which is $P(\chi^2_{g+2}>Q)$.""",
    )
    d.step(
        "sampling keeps",
        Equal(
            below(h / limit, limit) + above(S.One, limit),
            1 - erf(limit / sqrt(2)) + 2 * (density(0) - density(limit)) / limit,
        ),
        r"""Sampling with a sure top keeps a coefficient with the probability $\pi=\min(1,|x|/T)$. This is $\alpha$.""",
    )
    d.step(
        "what sampling keeps of the square",
        Equal(
            below(h**3 / limit, limit) + above(h**2, limit),
            1
            - erf(limit / sqrt(2))
            + (4 * density(0) - (4 + 2 * limit**2) * density(limit)) / limit
            + 2 * limit * density(limit),
        ),
        r"""This is $k=E[x^2\pi]$.""",
        uses=["sampling keeps"],
    )

    d.registered(
        records["generic_basis.kept"],
        E(MASK * X**2) / E(X**2),
        r"""In general: the share that a mask keeps of the square.""",
        uses=["what the mask leaves along the fit"],
        given=POSITIVE_LAW,
    )
    d.registered(
        records["generic_basis.dropped"],
        E((1 - MASK) * X**2) / E(X**2),
        r"""And the share that it drops.""",
        uses=["generic_basis.kept"],
        given=POSITIVE_LAW | {M0bar: 1 - M0},
    )
    d.registered(
        records["generic_basis.sight"],
        E(MASK * H**2) - E(MASK),
        r"""$k-\alpha$: what the mask knows of its vector, where all coefficients are $\tau H$ with the same $\tau$.""",
        uses=["what the mask leaves along the fit"],
    )
    size_of_noise = power * (trace + nu) ** 2 / (kappa * trace)
    d.step(
        "features of one kind",
        Roots(Equal(trace * kappa * dense_risk / (trace + nu) ** 2, power), dense_risk, (size_of_noise,)),
        r"""So the mask is that of a problem whose features all have the variance $\bar\Lambda=E[\Lambda]$ and no
        signal, if their coefficients $\tau H$ are as large as those of the fit, $P=E[X^2]$.""",
        uses=["no direction, no preference"],
    )
    d.registered(
        records["generic_basis.noise"],
        size_of_noise.xreplace({trace: E(Lambda), power: E(X**2)}),
        r"""The dense risk at which they are.""",
        uses=["features of one kind"],
        given=POSITIVE_LAW,
    )


def _pruned(d, records):
    left = k * X + noise * h
    d.step(
        "noise without direction, in an eigenvector",
        Equal(everywhere(Lambda * (B - left) ** 2, h), Lambda * (B - k * X) ** 2 + Lambda * noise**2),
        r"""In the eigenbasis the pruned fit is $kX+wh$ with an independent Gaussian part of variance
        $w^2=k(1-k)E[X^2]$.""",
        uses=["no direction, no preference", "what it leaves across"],
        given={X: X},
    )
    d.step(
        "the risk of the pruned fit",
        Equal(sigma2 + E(Lambda * (B - k * X) ** 2) + E(Lambda) * k * (1 - k) * power, RISK),
        r"""With $P=E[X^2]$. It is quadratic in $k$.""",
        uses=["noise without direction, in an eigenvector"],
    )
    exact = {power: E(X**2)}
    complements = {kbar: 1 - k, alphabar: 1 - alpha, sight: k - alpha}
    d.registered(
        records["generic_basis.risk"],
        RISK.xreplace(exact),
        r"""The same.""",
        uses=["the risk of the pruned fit"],
        given=complements,
    )
    residual = multiple(k)
    errors = TARGET - (1 + k) * SHARED + k * FITTED
    response = k * kappa * E(a)
    d.step(
        "the residual of a multiple of the fit",
        Equal(residual, RISK - k * (1 - k) * FLAT - 2 * response * errors + response**2 * dense_risk),
        r"""$y-kX\hat\beta=(1-k)r_0+kqr_1$. The covariance of $r_0$ and $r_1$ is $\sigma^2+E[\Lambda B(B-X)]$. It is
        the training error of a function $f=kV_1$ of the fit, with the covariance $\Gamma_{1f}$ of errors and the
        response $k\kappa E[a]$ (as in the derivation of the training error).""",
        uses=["the risk of the pruned fit"],
        given={sigma2: dense_risk * (1 - kappa * E(a**2)) - E(Lambda * B**2 * (1 - a) ** 2)},
    )
    d.registered(
        records["generic_basis.training_error"],
        residual + k * (1 - k) * FLAT.xreplace(exact),
        r"""And the noise, as in the risk.""",
        uses=["the residual of a multiple of the fit", "no direction, no preference"],
        given=complements,
    )
    d.step(
        "a pruned interpolator",
        Equal(residual, (1 - k) ** 2 * TARGET),
        r"""$q=0$: of what the sample says the share $1-k$ is missed. The noise adds $k(1-k)E[\Lambda]E[X^2]$ to the
        training error, as it does to the risk.""",
        uses=["the residual of a multiple of the fit"],
        given={q: S.Zero},
    )


def _others(d, records):
    d.step(
        "a coefficient kept by chance and reweighted",
        Equal(chance * (value / chance - value) ** 2 + (1 - chance) * value**2, value**2 * (1 / chance - 1)),
        r"""Divided by its probability $\pi$, what is kept is unbiased: the sampled fit is the fit and noise of this
        variance, independent in each feature. So the noise has no direction, and risk and training error both grow
        by $E[\Lambda]E[X^2]E[x^2(1/\pi-1)]$.""",
        uses=["no direction, no preference"],
    )
    d.step(
        "the noise of sampling",
        Equal(below(h**2 * (limit / h - 1), limit), limit * sqrt(2 / pi) - erf(limit / sqrt(2))),
        r"""$E[x^2(1/\pi-1)]$ with a sure top.""",
        uses=["a coefficient kept by chance and reweighted", "sampling keeps"],
    )
    scaled = TARGET - 2 * factor * k * SHARED + SQUARE
    d.step(
        "the best factor",
        Roots(
            Equal(Derivative(TARGET - 2 * factor * k * common + factor**2 * k * square_kept, factor), S.Zero),
            factor,
            (common / square_kept,),
        ),
        r"""Let all that is kept be multiplied by $\varphi$: the risk is quadratic in $\varphi$, and its second
        derivative positive.""",
        uses=["the risk of the pruned fit"],
        given={X: X, common: SHARED, square_kept: k * FITTED + (1 - k) * FLAT},
    )
    exact = {power: E(X**2)}
    complements = {kbar: 1 - k, alphabar: 1 - alpha, sight: k - alpha}
    best = BEST.xreplace(exact)
    d.registered(
        records["generic_basis.factor"],
        best,
        r"""The same.""",
        uses=["the best factor"],
        given=complements | POSITIVE_LAW,
    )
    d.step(
        "the risk with it",
        Equal(scaled, TARGET - k * SHARED**2 / (k * FITTED + (1 - k) * FLAT)),
        r"""It falls as $k$ grows: $k/(kC+(1-k)F)$ with $C=E[\Lambda X^2]$ and $F=E[\Lambda]E[X^2]$ has the
        derivative below.""",
        uses=["the best factor"],
        given={X: X, factor: BEST},
    )
    d.registered(
        records["generic_basis.rescaled_risk"],
        scaled.xreplace(exact),
        r"""With a factor, this is quadratic.""",
        uses=["the risk of the pruned fit", "generic_basis.factor"],
        given=complements,
    )
    d.registered(
        records["generic_basis.rescaled_training_error"],
        multiple(factor * k).xreplace(exact) + factor**2 * k * (1 - k) * FLAT.xreplace(exact),
        r"""The residual of a multiple of the fit, and the noise.""",
        uses=["the residual of a multiple of the fit", "generic_basis.factor"],
        given=complements,
    )
    d.step(
        "more of the square is better",
        Equal(Derivative(k / (k * FITTED + (1 - k) * FLAT), k), FLAT / (k * FITTED + (1 - k) * FLAT) ** 2),
        r"""So of all masks of one $\alpha$ that of magnitude is the best, once rescaled.""",
        uses=["the risk with it"],
        given={X: X},
    )
    d.step(
        "no rule that sees a coefficient alone does better",
        Equal(
            TARGET - 2 * along * SHARED + along**2 * FITTED + (along**2 / k - along**2) * FLAT,
            scaled,
        ),
        r"""Put $f(x)$ in place of $x$, zero for all but the fraction $\alpha$, with the product $m=E[xf]$. The risk
        is $\sigma^2+E[\Lambda B^2]-2mE[\Lambda BX]+m^2C+(E[f^2]-m^2)F$. By Cauchy and Schwarz $m^2\le E[f^2]k$
        where $k$ is the share of the square that is not put to zero, with equality for $f=\varphi x$, $m=\varphi
        k$. So the risk is at least this, that of magnitude with a factor.""",
        uses=["more of the square is better", "noise without direction, in an eigenvector"],
        given={X: X, along: factor * k},
    )


def _oracle(d, records):
    left = 1 - (k - alpha) * found
    noise_square = found**2 * k * (1 - k) * signal + alpha * (1 - alpha) * (power - found**2 * signal)
    d.step(
        "what the fit has of the truth",
        Roots(Equal(E(B * X) - found * E(B**2), S.Zero), found, (E(a * B**2) / E(B**2),)),
        r"""A mask told the largest $|\beta^*_i|$ looks at the truth. The fit is $c\beta^*+v'$ with $v'$ orthogonal
        to the truth. Given the truth, the mask is turned around it, and does not look at $v'$.""",
        uses=["rotations around a vector"],
    )
    d.step(
        "what is left of the rest",
        Equal(E((MASK - alpha) ** 2 * rest**2), alpha * (1 - alpha) * E(rest**2)),
        r"""A mask that does not look leaves $\alpha v'$ and noise without direction. So the whole is
        $c(k\beta^*+w)+\alpha v'+w'$, and the squares of $cw$ and $w'$ add up to
        $c^2k(1-k)E[B^2]+\alpha(1-\alpha)(E[X^2]-c^2E[B^2])$.""",
        uses=["what the fit has of the truth", "what it leaves across"],
        given=BLIND,
    )
    d.step(
        "what an oracle misses",
        Equal(B - found * k * B - alpha * (X - found * B), left * B - alpha * X),
        r"""But for that noise, with $d=1-(k-\alpha)c$.""",
        uses=["what is left of the rest"],
        given={X: X},
    )
    d.step(
        "the risk of an oracle",
        Equal(
            sigma2 + E(Lambda * (left * B - alpha * X) ** 2) + E(Lambda) * noise_square,
            sigma2
            + left**2 * E(Lambda * B**2)
            - 2 * alpha * left * SHARED
            + alpha**2 * FITTED
            + E(Lambda) * noise_square,
        ),
        r"""The noise has no direction.""",
        uses=["what an oracle misses", "no direction, no preference"],
    )
    told = (k - alpha) * found
    residual = (left - alpha) ** 2 * TARGET + 2 * alpha * (left - alpha) * q * (TARGET - SHARED)
    residual += alpha**2 * q**2 * dense_risk + told * sigma2 * (told + 2 * (left - alpha) + 2 * alpha * q)
    errors = sigma2 + E(Lambda * (B - X) * (left * B - alpha * X))
    response = alpha * kappa * E(a)
    risk = sigma2 + E(Lambda * (left * B - alpha * X) ** 2)
    d.step(
        "the training error of an oracle",
        Equal(residual, risk - 2 * response * errors + response**2 * dense_risk),
        r"""But for the noise, which adds $E[\Lambda]$ times its square, the residual is $(d-\alpha)r_0+\alpha
        qr_1+(k-\alpha)c\,e$, where $e$, the noise of the sample, is the residual of the truth. Its product with any
        residual tends to $\sigma^2$. It is the training error of a function of the fit, with the covariance of
        errors and the response $\alpha\kappa E[a]$.""",
        uses=["what an oracle misses", "the residual of a multiple of the fit"],
        given={sigma2: dense_risk * (1 - kappa * E(a**2)) - E(Lambda * B**2 * (1 - a) ** 2)},
    )
    complements = {kbar: 1 - k, alphabar: 1 - alpha, sight: k - alpha}
    noise_square = E(Lambda) * (found**2 * k * (1 - k) * E(B**2) + alpha * (1 - alpha) * blind)
    d.registered(
        records["generic_basis.found"],
        E(a * B**2) / E(B**2),
        r"""This is $c$.""",
        uses=["what the fit has of the truth"],
        given=POSITIVE_LAW,
    )
    d.registered(
        records["generic_basis.blind"],
        E(X**2) - 2 * found * E(B * X) + found**2 * E(B**2),
        r"""The square of $v'$.""",
        uses=["what the fit has of the truth"],
        given=POSITIVE_LAW | {found: E(a * B**2) / E(B**2)},
    )
    risk = sigma2 + left**2 * E(Lambda * B**2) - 2 * alpha * left * SHARED + alpha**2 * FITTED
    d.registered(
        records["generic_basis.oracle_risk"],
        risk + noise_square,
        r"""The same.""",
        uses=["the risk of an oracle", "generic_basis.blind"],
        given=complements,
    )
    d.registered(
        records["generic_basis.oracle_training_error"],
        residual + noise_square,
        r"""And with its noise.""",
        uses=["the training error of an oracle", "generic_basis.blind"],
        given=complements,
    )
