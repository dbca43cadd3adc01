"""Groups: coefficients of one kind that are kept or dropped together, by the norm of their scores.

The squared norm is noncentral chi-squared. The masked moments of one member are derivatives in its own mean, which the
Poisson mixture behind that law gives term by term.
"""

from sympy import (
    Derivative,
    Integral,
    Limit,
    S,
    Sum,
    Symbol,
    besseli,
    exp,
    expand,
    factorial,
    gamma,
    log,
    lowergamma,
    oo,
    pi,
    sqrt,
)

import riskcalc as rc
from riskcalc.derivation.checks import Enclosed, Sampled, Simulated
from riskcalc.derivation.claims import Equal, Less
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Outside, chi_density, chi_inside, chi_outside, edge_drop, edge_moment
from riskcalc.formulas.symbols import POSITIVE, H, LawSymbol, Scalar, law_symbol, scalar
from riskcalc.policies import Group
from riskcalc.theory.symbols import B, D, Lambda, a, alpha, kappa, m, mu, nu, omega, s, size, t, tau, u
from riskcalc.theory.symbols import gamma as dense_risk

h = Symbol("h", real=True)  # a value of the standard normal variable, integrated over
j = Symbol("j", integer=True, nonnegative=True)  # the Poisson count of the mixture
rate = Symbol("eta", positive=True)  # of a Laplace transform
shrink = Symbol("w", positive=True)  # 1 - 2v, at the point v of a moment generating function
radius = law_symbol("radius", "a norm, in units of the spread of the score", POSITIVE, "r")
degrees = scalar("degrees", "degrees of freedom", POSITIVE, "k")
shift = law_symbol("shift", "sum of the squared means of a group, in units of the spread", POSITIVE, r"\lambda_{nc}")
centre = law_symbol("centre", "mean of a member of a group, in units of the spread", POSITIVE, r"\mu")
square = law_symbol("square", "a squared norm, in units of the spread", POSITIVE, "y")
x = scalar("x", "a distance from zero, in standard deviations", POSITIVE, "x")

DENSITY = exp(-(h**2) / 2) / sqrt(2 * pi)


SCORE = {m: omega * a * B, s: omega * tau, mu: m / s, u: t / s}


def central(k, value=square):
    """The density of the central law of k degrees of freedom."""
    return value ** (k / 2 - 1) * exp(-value / 2) / (2 ** (k / 2) * gamma(k / 2))


def probability(k, value):
    """The central law's probability of at most a value."""
    return lowergamma(k / 2, value / 2) / gamma(k / 2)


def weight(count, parameter=shift):
    """The Poisson weight of a count, of half the parameter."""
    return exp(-parameter / 2) * (parameter / 2) ** count / gamma(count + 1)


def bessel_term(order, at):
    """A term of the power series of the modified Bessel function."""
    return (at / 2) ** (2 * j + order) / (gamma(j + 1) * gamma(j + order + 1))


def density(more, at=mu, threshold=u):
    """The density at u^2 of `more` than g degrees of freedom."""
    return chi_density(at, threshold, size + more, size)


def derivation(records):
    """The law of the norm, its derivatives, the moments of a member and the threshold."""
    d = Derivation(
        title="Pruning in groups",
        statement=r"""Keep a group of $g$ features of one kind if $\sum\omega^2X_i^2\ge t^2$. With $\mu=m/\varsigma$,
        $u=t/\varsigma$ and $f_k$ the density at $u^2$ of the noncentral chi-squared law of $k$ degrees of freedom and
        noncentrality $g\mu^2$, a member is kept with the probability $M_0$ that this law with $k=g$ exceeds $u^2$, and
        $M_1=2\mu f_{g+2}$, $M_2^\circ=2f_{g+2}+2\mu^2(f_{g+4}-f_{g+2})$. There is one threshold for every
        $0<\alpha<P(\Lambda>0)$. It is at most the largest
        $\sqrt g(m+\varsigma)+\varsigma\sqrt{2\log(1/\alpha)}$ of the features of positive variance.""",
        assumptions=r"""The covariance of the features is diagonal, and the members of a group share $\Lambda$, $B$ and
        $D$; $g$ stays as $p\to\infty$. Features of positive variance, and $\gamma>0$, so that $\varsigma>0$; groups
        of others are never kept. The threshold is a constant, to which that of the empirical norms tends.""",
        cited=r"""The law of the coefficients (see the derivation of coefficients), by which the members of a group have
        independent standard normal $H_i$; that a law is told by its Laplace transform; Stein's lemma
        $E[H_if]=\partial E[f]/\partial\mu_i$; the power series of the modified Bessel function, and that it, and the
        Poisson mixture, may be differentiated term by term; the intermediate value theorem. The risks of groups are
        those of any mask with these moments, as they are sums over features: the derivations of pruning and of
        training errors hold, and the simulation at the end supports it.""",
        where={
            Lambda: LawSymbol("Lambda", positive=True),
            dense_risk: Scalar("gamma", positive=True),
            a: Lambda / (Lambda + D * nu),
            tau: sqrt(kappa * dense_risk * Lambda) / (Lambda + D * nu),
        },
    )
    _law(d, records["groups.threshold"])
    _derivatives(d)
    _moments(d, records)
    _one(d)
    _threshold(d, records["groups.threshold"])
    _upper(d, records["groups.threshold_upper"])
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks and training errors of pruning in groups of four tend to the predicted constants.""",
        r"""Three kinds of features, $\kappa=2$, a fifth of the features kept, by either score.""",
        Simulated(
            rc.LinearGaussian(
                aspect_ratio=2,
                eigenvalues=[4, 1, "1/4"],
                signal=[1, "3/2", "1/2"],
                weights=["1/5", "2/5", "2/5"],
                noise_variance="1/2",
            ),
            (Group(4, keep="1/5"), Group(4, "magnitude", keep="1/5")),
            tolerance=0.05,
        ),
        uses=["groups.first_moment", "groups.second_moment", "groups.threshold"],
    )
    return d


def _law(d, threshold):
    d.step(
        "the score is Gaussian",
        Equal(
            (omega * (Lambda * B + sqrt(kappa * dense_risk * Lambda) * H) / (Lambda + D * nu)) ** 2 - t**2,
            s**2 * ((mu + H) ** 2 - u**2),
        ),
        r"""The score of a member is $\omega|X|=\varsigma|\mu+H|$, with the registered $\mu=m/\varsigma$ and
        $\varsigma$. Divided by $\varsigma$, a threshold $t$ is $u$.""",
        given=threshold.where,
    )
    d.step(
        "transform of one square",
        Equal(
            Integral(exp(-rate * (mu + h) ** 2) * DENSITY, (h, -oo, oo)),
            exp(-(mu**2) * rate / (1 + 2 * rate)) / sqrt(1 + 2 * rate),
        ),
        r"""The squared norm is $\varsigma^2$ times a sum of $g$
        independent $(\mu+H)^2$. The transform of the sum is this to the power $g$.""",
        uses=["the score is Gaussian"],
    )
    d.step(
        "transform of a central law",
        Equal(Integral(central(degrees) * exp(-rate * square), (square, 0, oo)), (1 + 2 * rate) ** (-degrees / 2)),
        r"""With the density $y^{k/2-1}e^{-y/2}/(2^{k/2}\Gamma(k/2))$.""",
    )
    d.step(
        "transform of the mixture",
        Equal(
            Sum(
                exp(-size * mu**2 / 2)
                * (size * mu**2 / 2) ** j
                / factorial(j)
                * (1 + 2 * rate) ** (-(size + 2 * j) / 2),
                (j, 0, oo),
            ),
            exp(-size * mu**2 * rate / (1 + 2 * rate)) * (1 + 2 * rate) ** (-size / 2),
        ),
        r"""Draw a Poisson count $j$ of mean $g\mu^2/2$, then from the central law of $g+2j$ degrees of freedom. The
        transform is that of the squared norm, so this is its law.""",
        uses=["transform of one square", "transform of a central law"],
    )
    d.step(
        "a central probability",
        Equal(
            Derivative(probability(degrees, square), square),
            central(degrees),
        ),
        r"""The distribution function of the central law is an incomplete gamma function, which vanishes at zero. Mixed,
        it is the registered probability of being dropped.""",
    )
    d.step(
        "the mixture is the probability of being dropped",
        Equal(
            weight(j, size * mu**2) * probability(size + 2 * j, u**2),
            chi_inside(mu, u, size).definition().function.xreplace({u: radius}),
        ),
        r"""Term by term, the central laws up to $u^2=t^2/\varsigma^2$ by their weights.""",
        uses=["transform of the mixture", "a central probability"],
        given={u: radius},
    )
    d.step(
        "density of the mixture",
        Equal(
            chi_density(sqrt(shift / size), radius, degrees, size).definition().replace(besseli, bessel_term),
            weight(j) * central(degrees + 2 * j, radius**2),
        ),
        r"""Term by term, $f_k$ with the series of the Bessel function $I_{k/2-1}(\sqrt{\lambda}\,u)$, where
        $\lambda=g\mu^2$, is the density of the mixture at $u^2$.""",
        uses=["transform of the mixture"],
    )


def _derivatives(d):
    d.step(
        "slope of a weight",
        Equal(Derivative(weight(j + 1), shift), (weight(j) - weight(j + 1)) / 2),
        r"""In the noncentrality $\lambda$. So the derivative in $\lambda$ of a mixture of any functions $A_{k+2j}$ is
        half the mixture of $A_{k+2+2j}-A_{k+2j}$. (At $j=0$ the first term is absent.)""",
    )
    d.step(
        "slope of a central density",
        Equal(Derivative(central(degrees), square), (central(degrees - 2) - central(degrees)) / 2),
        r"""So $f_k'=(f_{k-2}-f_k)/2$ in $y=u^2$. And as both sides vanish at infinity, the probabilities of exceeding
        $y$ with $k+2$ and $k$ degrees differ by twice the density of $k+2$.""",
    )
    d.step(
        "a central recursion",
        Equal(square * central(degrees + 2 * j - 2), (degrees + 2 * j - 2) * central(degrees + 2 * j)),
        r"""Multiplied by the weights and summed, the last term asks for $2jp_j$.""",
    )
    d.step(
        "a weight times its count",
        Equal(2 * (j + 1) * weight(j + 1), shift * weight(j)),
        r"""So $yf_{k-2}=(k-2)f_k+\lambda f_{k+2}$.""",
        uses=["a central recursion", "density of the mixture"],
    )
    d.step(
        "the recursion of densities",
        Equal(u**2 * density(0), size * density(2) + size * mu**2 * density(4)),
        r"""The same of the registered densities, with $k=g+2$.""",
        uses=["a weight times its count"],
        check=Enclosed(),
        given={u: radius, mu: sqrt(shift / size)},
    )
    # With the mean and the threshold as free symbols.
    d.step(
        "slope of a density in the mean",
        Equal(
            Derivative(density(0, centre, radius).definition(), centre),
            size * centre * (density(2, centre, radius) - density(0, centre, radius)),
        ),
        r"""$\lambda=g\mu^2$ has the derivative $2g\mu$.""",
        uses=["slope of a weight", "density of the mixture"],
        check=Sampled(),
    )
    d.step(
        "slope of a density in the threshold",
        Equal(
            Derivative(density(0, centre, radius).definition(), radius),
            ((size - 2) / radius - radius) * density(0, centre, radius)
            + size * centre**2 / radius * density(2, centre, radius),
        ),
        r"""This is $2uf_g'=u(f_{g-2}-f_g)$, with the recursion for $f_{g-2}$.""",
        uses=["slope of a central density", "a weight times its count"],
        check=Sampled(),
    )
    d.step(
        "slope of the probability in the mean",
        Equal(
            Derivative(chi_inside(centre, radius, size).definition(), centre),
            -2 * size * centre * density(2, centre, radius),
        ),
        r"""Half the difference of the probabilities with $g+2$ and with $g$ degrees is $-f_{g+2}$, times $2g\mu$.
        At random points with $\lambda<36$, where the sum converges soon.""",
        uses=["the mixture is the probability of being dropped", "slope of a weight", "slope of a central density"],
        check=Sampled(),
        assuming=[Less(size * centre**2, S(36))],
    )
    d.step(
        "slope of the probability in the threshold",
        Equal(
            Derivative(chi_inside(centre, radius, size).definition(), radius), 2 * radius * density(0, centre, radius)
        ),
        r"""The density, times the derivative of $u^2$. At random points with $\lambda<36$, as before.""",
        uses=["the mixture is the probability of being dropped", "density of the mixture"],
        check=Sampled(),
        assuming=[Less(size * centre**2, S(36))],
    )


def _moments(d, records):
    d.step(
        "what is not dropped is kept",
        Equal(chi_outside(mu, u, size) + chi_inside(mu, u, size), S.One),
        r"""Each has its own name, because the smaller of the two is needed to all its digits.""",
    )
    d.registered(
        records["groups.dropped"],
        chi_inside(mu, u, size),
        r"""This is $\bar M_0$, of every member.""",
        uses=["the mixture is the probability of being dropped"],
        given=SCORE,
    )
    d.registered(
        records["groups.kept"],
        1 - chi_inside(mu, u, size),
        r"""This is $M_0$.""",
        uses=["what is not dropped is kept", "groups.dropped"],
        given=SCORE,
    )
    kept = chi_outside(mu, u, size)
    slope = kept.diff(mu) / (2 * size * mu)  # in the noncentrality
    d.registered(
        records["groups.first_moment"],
        2 * mu * slope,
        r"""By Stein's lemma $E[H_iS]$ is the derivative of $M_0$ in the mean $\mu_i$ of one member. $M_0$ knows the
        means through $\lambda=\sum\mu_i^2$ alone, so this is $2\mu$ times its derivative in $\lambda$.""",
        uses=["groups.kept", "slope of the probability in the mean"],
        given=SCORE,
    )
    d.registered(
        records["groups.second_moment"],
        2 * slope + 4 * mu**2 * slope.diff(mu) / (2 * size * mu),
        r"""$E[(H_i^2-1)S]$ is the second derivative in $\mu_i$, where $\lambda=\sum\mu_i^2$ has the derivatives
        $2\mu_i$ and 2.""",
        uses=["groups.first_moment", "slope of a density in the mean"],
        given=SCORE,
    )


def _one(d):
    end = {size: S.One, u: radius}
    for what, left, right, uses in (
        ("kept", chi_outside(mu, u, size), Outside(u - mu, u), "groups.kept"),
        ("first moment", 2 * mu * density(2), edge_drop(u - mu, u), "groups.first_moment"),
        (
            "second moment",
            2 * density(2) + 2 * mu**2 * (density(4) - density(2)),
            edge_moment(u - mu, u),
            "groups.second_moment",
        ),
    ):
        d.step(
            f"groups of one: {what}",
            Equal(left, right),
            r"""As of a thresholded coefficient.""",
            uses=[uses],
            check=Enclosed(),
            given=end | {mu: shift},
            assuming=[Less(shift, S(9)), Less(radius, S(9))],
        )


def _threshold(d, threshold):
    d.registered(
        threshold,
        Equal(E(chi_outside(mu, u, size)), alpha),
        r"""All groups have the same size, so the fraction of groups kept is that of features. The solver's terms are
        derivatives in $\log t$: the slope is $2u^2f_g$, and its own slope follows from that of $f_g$.""",
        uses=["groups.kept", "slope of the probability in the threshold", "slope of a density in the threshold"],
        given=SCORE,
    )
    d.step(
        "the kept fraction falls",
        Less(S.Zero, weight(j, size * mu**2) * central(size + 2 * j, u**2)),
        r"""Every term of the density is positive, so the kept fraction of a feature of positive variance falls
        strictly.""",
        uses=["slope of the probability in the threshold", "density of the mixture"],
        given={u: radius, mu: shift},
    )
    d.step(
        "a central probability at zero",
        Equal(Limit(probability(degrees, square), square, 0), S.Zero),
        r"""So is the mixture: at a threshold of zero every feature of positive variance is kept.""",
        uses=["a central probability"],
    )
    d.step(
        "all of a central law",
        Equal(Integral(central(degrees), (square, 0, oo)), S.One),
        r"""So is the mixture: at infinity nothing is kept. In between the kept fraction takes each value exactly
        once.""",
        uses=["the kept fraction falls", "a central probability at zero"],
    )


def _upper(d, upper):
    d.step(
        "moment generating function of a square",
        Equal(Integral(exp(expand((1 - shrink) / 2 * h**2 - h**2 / 2)) / sqrt(2 * pi), (h, -oo, oo)), 1 / sqrt(shrink)),
        r"""With $v=(1-w)/2$ for $0<w<1$. So by Markov's inequality $P(\|H\|^2\ge c)\le e^{-vc}w^{-g/2}$.""",
    )
    ends = {shrink: size / (sqrt(size) + x) ** 2}
    d.step(
        "the exponent of the bound",
        Equal(
            -(1 - shrink) / 2 * (sqrt(size) + x) ** 2 - size / 2 * log(shrink),
            -(x**2) / 2 - size * (x / sqrt(size) - log(1 + x / sqrt(size))),
        ),
        r"""At $c=(\sqrt g+x)^2$ with the best $w=g/c$.""",
        uses=["moment generating function of a square"],
        given=ends,
    )
    d.step(
        "a logarithm is below its tangent",
        Less(Derivative(log(1 + x), x), S.One),
        r"""Both $\log(1+x)$ and $x$ are 0 at $x=0$, so $\log(1+x)<x$. Hence $P(\|H\|\ge\sqrt g+x)<e^{-x^2/2}$.""",
        uses=["the exponent of the bound"],
    )
    d.step(
        "the level of the bound",
        Equal(exp(-(x**2) / 2), alpha),
        r"""With this $x$, as $\|\mu+H\|\le\sqrt g\mu+\|H\|$, less than $\alpha$ of a kind is kept at
        $t=\varsigma(\sqrt g\mu+\sqrt g+x)$.""",
        uses=["a logarithm is below its tangent"],
        given={x: sqrt(2 * log(1 / alpha))},
    )
    d.registered(
        upper,
        s * (sqrt(size) * mu + sqrt(size) + x),
        r"""At the largest of these less than $\alpha$ of every kind is kept, so the threshold is smaller.""",
        uses=["the level of the bound", "the kept fraction falls"],
        given={mu: m / s, x: sqrt(2 * log(1 / alpha))},
        relation="<=",
    )
    d.step(
        "the upper bound holds",
        Less(chi_outside(shift, sqrt(size) * (shift + 1) + x, size), exp(-(x**2) / 2)),
        r"""What is kept of a kind there, with $\alpha=e^{-x^2/2}$ and $\mu=\lambda$.""",
        uses=[upper.id],
        check=Enclosed(),
        assuming=[Less(shift, S(9)), Less(x, S(9)), Less(size, S(9))],
    )
