"""Sampling by scores: features kept by chance and reweighted, with a sure top or by draws with replacement.

What is kept is unbiased given the fit, so it only adds noise, and the same noise to the test and the training error.
"""

from sympy import Add, Derivative, Integral, Limit, Poly, S, Sum, Symbol, exp, factorial, oo, pi, sqrt

import riskcalc as rc
from riskcalc.derivation.checks import Enclosed, Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Inside, boundary, discounted, off_tent, phi, tail, tent, tent_loss
from riskcalc.formulas.symbols import POSITIVE, REAL, UNIT, H, LawSymbol, Scalar, law_symbol, scalar
from riskcalc.policies import Sampled
from riskcalc.theory.sampling import REPLACED
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
    draw_rate,
    gamma,
    growth,
    kappa,
    m,
    mean_score,
    mu,
    nu,
    omega,
    q,
    s,
    score,
    sigma2,
    t,
    tau,
    u,
    z,
)

h = Symbol("h", real=True)  # a value of the standard normal variable, integrated over
k = Symbol("k", integer=True, nonnegative=True)  # a count
draws = Symbol("n", positive=True)  # features of the problem, which grow
chance = law_symbol("chance", "probability of keeping a feature", UNIT, r"\pi")
mean = law_symbol("mean", "mean number of times that a feature is drawn", POSITIVE, "c")
left = law_symbol("left", "error at a point but for the noise of one feature", REAL, "e")
observed = law_symbol("observed", "a feature at a point, the point being of the sample or new", REAL, "x")
width = scalar("width", "threshold in units of the spread of the score", POSITIVE, "v")

DENSITY = exp(-(h**2) / 2) / sqrt(2 * pi)
SIGNED = h + u - z  # mu + H: the score over its spread, with a sign
SCORE = {m: omega * a * B, s: omega * tau, u: t / s, z: t / s - m / s, mu: m / s}
# What the threshold of the sure top, and a score, depend on.
FREE = {m: m, s: s}


def everywhere(function):
    """The mean of a function of H."""
    return Integral(function * DENSITY, (h, -oo, oo))


def between(function, low, high):
    """Its part from an interval, for a polynomial in H, term by term."""
    powers = Poly(function, h).terms()
    return Add(*(factor * Integral(h**power * DENSITY, (h, low, high)) for (power,), factor in powers))


def over_tent(function):
    """The mean of a function of H and of |mu + H|, where the latter is below u."""
    return between(function(-SIGNED), z - 2 * u, z - u) + between(function(SIGNED), z - u, z)


def kept(function):
    """The mean of a function of H times the probability of keeping, min(1, |mu + H| / u)."""
    return everywhere(function) - over_tent(lambda size: function * (1 - size / u))


def drawn(function):
    """The mean of a function of H times the probability of being drawn, 1 - exp(-draw_rate |mu + H|)."""
    missed = Integral(function * exp(draw_rate * (mu + h)) * DENSITY, (h, -oo, -mu)) + Integral(
        function * exp(-draw_rate * (mu + h)) * DENSITY, (h, -mu, oo)
    )
    return everywhere(function) - missed


def derivation(records):
    """Both ways to sample: their masks, their threshold and their errors."""
    d = Derivation(
        title="Sampling by scores",
        statement=r"""Score the fitted coefficient $X=aB+\tau H$ of a feature by $r=\omega|X|=\varsigma|\mu+H|$, such as
        the sensitivity, $\omega=\sqrt\Lambda$. With a sure top, keep it with probability $\pi=\min(1,r/t)$ and divide
        it by $\pi$, where $E[\pi]=\alpha$: test risk and training error both grow by
        $\Delta=E[(\Lambda/\omega^2)\varsigma^2|\mu+H|\max(u-|\mu+H|,0)]$, where $u=t/\varsigma$. With replacement, make
        $\alpha p$ draws in proportion to $r$, and multiply a coefficient by its count over its mean count: both grow by
        $\Delta=\bar rE[(\Lambda/\omega^2)r]/\alpha$, where $\bar r=E[r]$. The risk is $\gamma+\Delta$, and the training
        error is $\gamma q^2+\Delta$.""",
        assumptions=r"""The covariance of the features is diagonal. Features of positive variance, and $\gamma>0$, so
        that $\varsigma>0$, with weights $\omega>0$; the others have the score 0, are never kept and add nothing to any
        error. Given the fit, features are kept independently of each other and of the sample; the threshold is a
        constant, that of the empirical scores tending to it. $0<\alpha<P(\Lambda>0)$ with a sure top, and $\alpha>0$
        with replacement.""",
        cited=r"""The law of the coefficients and the dense risk and training error (see the derivations of
        coefficients and of ridge regression); the law of large numbers for sums over features, for $\|x_j\|^2/n\to
        \Lambda_j$, and for what sampling adds, around its mean given the fit. The intermediate value theorem. The
        simulation at the end supports all of it together.""",
        where={
            Lambda: LawSymbol("Lambda", positive=True),
            gamma: Scalar("gamma", positive=True),
            a: Lambda / (Lambda + D * nu),
            tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu),
            omega: LawSymbol("omega", positive=True),
            q: 1 - kappa * E(Lambda / (Lambda + D * nu)),
        },
    )
    _noise(d)
    _sure_top(d, records["sampling.threshold"])
    _threshold(d, records)
    _replacement(d)
    _errors(d, records)
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks of both ways to sample, by sensitivity, and by magnitude, tend to these constants.""",
        r"""Three kinds of features, $\kappa=2$, a budget of a quarter of the features.""",
        Simulated(
            rc.LinearGaussian(
                aspect_ratio=2,
                eigenvalues=[4, 1, "1/4"],
                signal=[1, "3/2", "1/2"],
                weights=["1/4", "1/4", "1/2"],
                noise_variance="1/2",
            ),
            (
                Sampled(keep="1/4"),
                Sampled(keep="1/4", replacement=True),
                Sampled(keep="1/4", score="magnitude"),
            ),
            tolerance=0.08,
        ),
        uses=["sampling.threshold", "sampling.risk", "sampling.training_error"],
    )
    return d


def poisson(value):
    """The mean of a function of a Poisson count."""
    return Sum(value * exp(-mean) * mean**k / factorial(k), (k, 0, oo))


def _noise(d):
    d.step(
        "a reweighted coefficient is unbiased",
        Equal(poisson(k * X / mean), X),
        r"""Let a count of mean $c$ be Poisson, and multiply $X$ by the count over $c$: the mean given the fit is $X$.
        (Kept with probability $\pi$ and divided by it, the mean is $\pi X/\pi=X$ at once.)""",
    )
    d.step(
        "noise of a sure top",
        Equal(
            chance * (left - observed * (X / chance - X)) ** 2 + (1 - chance) * (left + observed * X) ** 2,
            left**2 + observed**2 * X**2 * (1 / chance - 1),
        ),
        r"""At some point the fit makes the error $e$, where the feature has the value $x$. Sampling replaces $X$ by
        $X/\pi$ or 0. Averaged over that, the squared error grows by $x^2X^2(1/\pi-1)$, as what is kept is unbiased,
        whatever $e$ is. Take the mean over one feature after the other: $e$ may hold the noise of the others, which is
        independent.""",
    )
    d.step(
        "noise of draws",
        Equal(poisson((left - observed * (k * X / mean - X)) ** 2), left**2 + observed**2 * X**2 / mean),
        r"""The same for a Poisson count, whose variance is its mean.""",
        uses=["a reweighted coefficient is unbiased"],
    )
    d.step(
        "both errors grow alike",
        Equal(
            everywhere((sqrt(Lambda) * h) ** 2 * (X**2 * (1 / chance - 1))),
            Lambda * X**2 * (1 / chance - 1),
        ),
        r"""Where the point is new, $x^2$ has the mean $\Lambda$; averaged over the sample that was fitted, it is the
        squared norm of a column over $n$, which tends to $\Lambda$ too. The noise knows neither the point nor the
        residual, so the test risk and the training error grow by the same $\Delta=E[\Lambda X^2(1/\pi-1)]$, and
        by $E[\Lambda X^2/c]$ with counts.""",
        uses=["noise of a sure top", "noise of draws"],
    )


def _sure_top(d, threshold):
    mean = {mu: u - z}
    sure_top = {symbol: rule.subs(mean) for symbol, rule in threshold.where.items()}
    d.step(
        "the score is Gaussian",
        Equal(
            (omega * (Lambda * B + sqrt(kappa * gamma * Lambda) * H) / (Lambda + D * nu)) ** 2 - t**2,
            s**2 * ((mu + H) ** 2 - u**2),
        ),
        r"""The score is $r=\varsigma|\mu+H|$ with the registered $\mu=m/\varsigma$ and $\varsigma$, and it reaches $t$
        where $|\mu+H|$ reaches $u=t/\varsigma$.""",
        given=threshold.where,
    )
    d.step(
        "the interval of the tent",
        Roots(Equal((mu + h) ** 2, u**2), h, (z, z - 2 * u)),
        r"""So a score is below $t$ exactly if $z-2u<H<z$, where $z=u-\mu$ and $\mu+H=H+u-z$.""",
        uses=["the score is Gaussian"],
        given={z: u - mu},
    )
    for moment, function, name, why in (
        (
            M0,
            S.One,
            "kept by a sure top",
            r"""$M_0=E[\pi]$, where $1-\pi=1-|\mu+H|/u$ in the interval, and 0 outside.""",
        ),
        (M1, h, "first moment of a sure top", r"""$M_1=E[H\pi]$."""),
        (M2c, h**2 - 1, "second moment of a sure top", r"""$M_2^\circ=E[(H^2-1)\pi]$."""),
    ):
        d.step(name, Equal(kept(function), sure_top[moment]), why, uses=["the interval of the tent"])
    d.step(
        "dropped by a sure top",
        Equal(over_tent(lambda size: 1 - size / u), sure_top[M0bar]),
        r"""$\bar M_0=E[1-\pi]$: the mean of a tent of half-width $u$ over $\mu+H=0$.""",
        uses=["the interval of the tent"],
    )
    for order, moment in ((1, M1), (2, M2c)):
        d.step(
            f"derivative {order} of what a sure top keeps",
            Equal(Derivative(off_tent(mu, u), (mu, order)), threshold.where[moment]),
            r"""By Stein's lemma the masked moments are derivatives of $M_0$ in the mean $\mu$ of the score: a second
            way to the same function.""",
            uses=["kept by a sure top"],
        )


def _threshold(d, records):
    d.step(
        "slope of what is kept",
        Equal(-t * Derivative(off_tent(u - z, u), t), over_tent(lambda size: size / u)),
        r"""In $\log t$ the kept fraction has the slope $-E[\pi;\pi<1]$: only what is not surely kept depends on
        $t$.""",
        uses=["kept by a sure top"],
        given={u: t / s, z: t / s - m / s},
    )
    d.step(
        "slope by the tent",
        Equal(over_tent(lambda size: size / u), Inside(z, u) - tent(u - z, u)),
        r"""Of the interval, what the tent does not drop.""",
        uses=["dropped by a sure top", "slope of what is kept"],
    )
    d.step(
        "curvature of what is kept",
        Equal(t * Derivative(Inside(z, u) - tent(u - z, u), t), boundary(z, u) - over_tent(lambda size: size / u)),
        r"""The slope of that: it gains the edges of the interval, where $\pi=1$, and loses as $\pi$ does.""",
        uses=["slope by the tent"],
        given={u: t / s, z: t / s - m / s},
    )
    d.registered(
        records["sampling.threshold"],
        Equal(E(off_tent(u - z, u)), alpha),
        r"""The kept fraction is $\alpha$. The solver's terms are the slope and the curvature above.""",
        uses=["kept by a sure top", "dropped by a sure top", "slope by the tent", "curvature of what is kept"],
        given=SCORE,
    )
    d.step(
        "what is kept falls",
        Less(S.Zero, Inside(z, u) - tent(u - z, u)),
        r"""The slope is negative: $E[\pi;\pi<1]>0$, as $H$ has a density everywhere.""",
        uses=["slope by the tent"],
        check=Enclosed(),
        given={z: u - mu, u: width},
        assuming=[Less(mu, S(9))],
    )
    d.step(
        "at zero every live feature is kept",
        Equal(Limit(off_tent(mu, width), width, 0, "+"), S.One),
        r"""The kept fraction tends to $P(\Lambda>0)$ as $t\to0$.""",
    )
    d.step(
        "at infinity nothing is kept",
        Equal(Limit(off_tent(mu, width), width, oo), S.Zero),
        r"""The kept fraction is continuous and strictly decreasing, so between $P(\Lambda>0)$ and 0 it takes each value
        exactly once.""",
        uses=["what is kept falls", "at zero every live feature is kept"],
    )
    size = everywhere_size()
    mean_size = mu * (1 - 2 * tail(mu)) + 2 * phi(mu)
    d.step(
        "mean size of a Gaussian",
        Equal(size, mean_size),
        r"""The mean of $|\mu+H|$: twice that of its positive part, less the mean of $\mu+H$.""",
    )
    d.registered(
        records["sampling.mean_score"],
        E(s * mean_size),
        r"""The mean of $r=\varsigma|\mu+H|$ over $H$, and over the features.""",
        uses=["the score is Gaussian", "mean size of a Gaussian"],
        given=SCORE,
    )
    d.step(
        "what is cut off",
        Equal(
            Derivative(size - width * off_tent(mu, width), width),
            Inside(width - mu, width) - 1,
        ),
        r"""Since $\min(1,x)\le x$, the difference $E|\mu+H|-uE[\pi]=E[\max(|\mu+H|-u,0)]$ is not negative. Here: it
        falls with $u$, at the rate $P(|\mu+H|>u)$.""",
        uses=["sampling.mean_score", "kept by a sure top"],
    )
    d.step(
        "nothing is cut off at infinity",
        Equal(Limit(mean_size - width * off_tent(mu, width), width, oo), S.Zero),
        r"""It falls to zero, so it was positive, and $uE[\pi]<E|\mu+H|$: times $\varsigma$, and averaged over the
        features, $tE[\pi]<\bar r$.""",
        uses=["what is cut off"],
    )
    d.registered(
        records["sampling.threshold_upper"],
        mean_score / alpha,
        r"""With $E[\pi]=\alpha$ this reads $t<\bar r/\alpha$.""",
        uses=["nothing is cut off at infinity"],
        relation="<=",
    )
    d.step(
        "the bound holds",
        Less(t * E(off_tent(mu, u)), records["sampling.mean_score"].statement),
        r"""At any $t>0$, as the threshold of the fraction that it keeps.""",
        uses=["sampling.threshold_upper"],
        check=Enclosed(),
        given=FREE | {u: t / s, mu: m / s},
        assuming=[Less(m, 9 * s), Less(t, 9 * s)],
    )


def everywhere_size():
    """The mean of |mu + H|."""
    return 2 * between(mu + h, -mu, oo) - everywhere(mu + h)


def _replacement(d):
    d.step(
        "counts are Poisson",
        Equal(
            Limit((1 - score / (mean_score * draws)) ** (alpha * draws), draws, oo), exp(-alpha * score / mean_score)
        ),
        r"""One of $\alpha p$ draws finds a feature with the probability $r/(p\bar r)$, so its count is binomial with
        the mean $c=\alpha r/\bar r$, and tends to a Poisson one. Here: the probability that it is never drawn. Counts
        of different features are uncorrelated in the limit: together they add
        $-\hat\beta^\top\hat\Sigma\hat\beta/(\alpha p)$ to the growth.""",
    )
    d.step(
        "never drawn",
        Equal(discounted(mu, draw_rate) + discounted(-mu, draw_rate), 1 - drawn(S.One)),
        r"""With $r=\varsigma|\mu+H|$ this is $\bar M_0=E[e^{-\theta|\mu+H|}]$, where
        $\theta=\alpha\varsigma/\bar r$.""",
        uses=["counts are Poisson"],
    )
    for moment, function, name, why in (
        (M0, S.One, "kept by draws", r"""$M_0=1-\bar M_0$: fewer distinct features than the budget are kept."""),
        (M1, h, "first moment of draws", r"""$M_1=E[H(1-e^{-\theta|\mu+H|})]$."""),
        (M2c, h**2 - 1, "second moment of draws", r"""$M_2^\circ=E[(H^2-1)(1-e^{-\theta|\mu+H|})]$."""),
    ):
        d.step(name, Equal(drawn(function), REPLACED[moment]), why, uses=["never drawn"])
    for order, moment in ((1, M1), (2, M2c)):
        d.step(
            f"derivative {order} of what draws keep",
            Equal(Derivative(REPLACED[M0], (mu, order)), REPLACED[moment]),
            r"""Again the moments are derivatives of $M_0$ in $\mu$, by Stein's lemma.""",
            uses=["kept by draws"],
        )
    d.step(
        "more draws find more",
        Equal(
            Derivative(discounted(mu, draw_rate), draw_rate),
            -Integral((mu + h) * exp(-draw_rate * (mu + h)) * DENSITY, (h, -mu, oo)),
        ),
        r"""Every feature of positive variance is more likely to be kept as the number of draws, and $\theta$, grow.""",
        uses=["never drawn"],
    )


def _errors(d, records):
    d.step(
        "loss under the tent",
        Equal(over_tent(lambda size: size * (u - size)), tent_loss(u - z, u)),
        r"""In units of $\varsigma^2$, $\omega^2X^2(1/\pi-1)$ is $|\mu+H|(u-|\mu+H|)$ where $1/\pi=u/|\mu+H|$ exceeds
        1.""",
        uses=["the interval of the tent"],
    )
    d.registered(
        records["sampling.growth"],
        E(Lambda / omega**2 * s**2 * tent_loss(u - z, u)),
        r"""This is $E[\Lambda X^2(1/\pi-1)]$.""",
        uses=["both errors grow alike", "the score is Gaussian", "loss under the tent"],
        given=SCORE,
    )
    d.step(
        "a sure top adds nothing as it grows",
        Equal(Limit(tent_loss(mu, width), width, 0, "+"), S.Zero),
        r"""As $t\to0$ everything is kept, surely.""",
        uses=["sampling.growth"],
    )
    d.step(
        "noise of draws in proportion to scores",
        Equal(E(Lambda / omega**2 * score**2 / mean), mean_score * E(Lambda / omega**2 * score) / alpha),
        r"""This is $E[\Lambda X^2/c]$ with $X^2=r^2/\omega^2$ and the mean count $c=\alpha r/\bar r$.""",
        uses=["both errors grow alike", "counts are Poisson"],
        given={mean: alpha * score / mean_score},
    )
    d.registered(
        records["sampling.replaced_growth"],
        mean_score * E(Lambda / omega**2 * s * (mu * (1 - 2 * tail(mu)) + 2 * phi(mu))) / alpha,
        r"""With the mean of $r$ over $H$, as in the mean score.""",
        uses=["noise of draws in proportion to scores", "mean size of a Gaussian"],
        given=SCORE,
    )
    d.step(
        "sensitivities add least",
        Less(E(score) ** 2, E(mean) * E(score**2 / mean), strict=False),
        r"""With $\sqrt\Lambda|X|$ for the score and any mean counts $c$ this is Cauchy's inequality: at a given $E[c]$,
        counts in proportion to sensitivities add least, $E[r]^2/E[c]$.""",
        uses=["both errors grow alike"],
        check=Enclosed(),
        given={score: score, mean: mean},
    )
    d.registered(
        records["sampling.power"],
        E(Lambda * ((a * B) ** 2 + tau**2)),
        r"""The mean of $\Lambda(aB+\tau H)^2$, with $E[H]=0$ and $E[H^2]=1$.""",
    )
    d.registered(
        records["sampling.distortion"],
        growth / E(Lambda * ((a * B) ** 2 + tau**2)),
        r"""The mean square of what sampling changes in a prediction is $\Delta$, what the test risk grows by.""",
        uses=["sampling.growth", "sampling.replaced_growth", "sampling.power"],
    )
    fit = (Lambda * B + sqrt(kappa * gamma * Lambda) * H) / (Lambda + D * nu)
    known = {sigma2: gamma - E(Lambda * (B - fit) ** 2), X: a * B + tau * H}
    d.registered(
        records["sampling.risk"],
        sigma2 + E(Lambda * (B - X) ** 2) + growth,
        r"""The test risk of the fit is $\gamma=\sigma^2+E[\Lambda(B-X)^2]$, and sampling adds $\Delta$.""",
        uses=["sampling.growth", "sampling.replaced_growth"],
        given=known,
    )
    d.registered(
        records["sampling.excess_risk"],
        E(Lambda * (B - X) ** 2) + growth,
        r"""Without the noise.""",
        uses=["sampling.risk"],
        given=known,
    )
    d.registered(
        records["sampling.training_error"],
        records["dense.training_error"].statement + growth,
        r"""The training error of the fit is $\gamma q^2$ with $q=1-\kappa E[a]$, and sampling adds $\Delta$.""",
        uses=["both errors grow alike", "sampling.growth", "sampling.replaced_growth"],
    )
