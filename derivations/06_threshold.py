"""The threshold of a noisy score: when there is one, that it is unique, and two bounds on it.

The score of a feature is the absolute value of a Gaussian, and the mass of scores above a threshold falls with it.
"""

from sympy import Derivative, Integral, Limit, S, exp, log, oo, pi, sqrt

from riskcalc.derivation.checks import Enclosed
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Inside, Outside, boundary, edge_moment, phi, positive
from riskcalc.formulas.symbols import POSITIVE, REAL, H, LawSymbol, Scalar, law_symbol, scalar
from riskcalc.theory.symbols import B, D, Lambda, a, alpha, gamma, kappa, live_excess, m, mu, nu, omega, s, t, tau, u, z

h = law_symbol("h", "value that the standard normal variable takes", REAL, "h")
x = scalar("x", "a distance from zero, in standard deviations", POSITIVE, "x")

# Mean and spread of the score, of a feature that has variance.
SCORE = {
    a: Lambda / (Lambda + D * nu),
    tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu),
    m: omega * a * B,
    s: omega * tau,
    Lambda: LawSymbol("Lambda", positive=True),
    gamma: Scalar("gamma", positive=True),
}
# The mass of scores above t, over the features that have one, and how far P(|H| > x) stays below its bound.
ABOVE = E(positive(Lambda) * Outside(z, u))
ROOM = exp(-(x**2) / 2) - Outside(x, x)


def derivation(records):
    """Existence, uniqueness and bounds of the threshold."""
    d = Derivation(
        title="The threshold is unique",
        statement=r"""A feature is kept if its score $\omega|X|=|m+\varsigma H|$, with $H\sim N(0,1)$, is at least
        $t$. For $0<\alpha<P(\Lambda>0)$ there is exactly one $t>0$ that keeps a fraction $\alpha$ of all features. It
        is at most the largest value of $m+\varsigma\sqrt{2\log(1/\alpha)}$ among the features of positive variance,
        and at least $\sqrt{\pi/2}\,(P(\Lambda>0)-\alpha)/E[1_{\{\Lambda>0\}}/\varsigma]$.""",
        assumptions=r"""$\kappa,\gamma>0$, and the score weight $\omega$ is positive where $\Lambda>0$. So
        $\varsigma>0$ for features of positive variance, and wherever a step divides by $\varsigma$ it speaks of
        these; a feature without variance has the score 0 and is never kept. The law has finitely many atoms
        (otherwise probabilities are at most 1, and dominated convergence exchanges means and limits).""",
        cited=r"""The law $X=aB+\tau H$ of a fitted coefficient, from the derivation of the ridge fit. The intermediate
        value theorem.""",
        where={u: t / s, z: (t - m) / s},
    )
    _uniqueness(d, records["masks.threshold"])
    _upper(d, records["masks.threshold_upper"])
    _lower(d, records["masks.threshold_lower"])
    return d


def _uniqueness(d, threshold):
    d.step(
        "the score is Gaussian",
        Equal(omega * (Lambda * B + sqrt(kappa * gamma * Lambda) * H) / (Lambda + D * nu), m + s * H),
        r"""The fitted coefficient is $X=(\Lambda B+\sqrt{\kappa\gamma\Lambda}\,H)/(\Lambda+D\nu)$. So $\omega X$ is
        Gaussian, with the mean $m=\omega aB$ and the standard deviation $\varsigma=\omega\tau$ as registered.""",
        given=threshold.where,
    )
    d.step(
        "the ends of the interval",
        Roots(Equal((m + s * h) ** 2, t**2), h, (z, z - 2 * u)),
        r"""$|m+\varsigma H|$ takes the value $t$ at $H=z$ and at $H=z-2u$, with the registered $z=(t-m)/\varsigma$
        and $u=t/\varsigma$. The feature is dropped if $H$ lies between them.""",
        uses=["the score is Gaussian"],
        given={u: threshold.where[u], z: threshold.where[z], mu: threshold.where[mu]},
    )
    d.step(
        "the kept fraction",
        Equal(1 - Integral(phi(h).doit(), (h, -(t + m) / s, (t - m) / s)), Outside(z, u)),
        r"""What lies outside the interval is kept.""",
        uses=["the ends of the interval"],
    )
    d.step(
        "slope of the kept fraction",
        Equal(-t * Derivative(Outside(z, u), t), boundary(z, u)),
        r"""In $\log t$ the kept fraction has the slope $-u(\phi(z)+\phi(z-2u))$: as $t$ grows both ends of the
        interval move outwards, at the speed $1/\varsigma$.""",
        uses=["the kept fraction"],
    )
    d.step(
        "curvature of the kept fraction",
        Equal(t * Derivative(boundary(z, u), t), boundary(z, u) - u**2 * edge_moment(z, u)),
        r"""The slope of that, for the solver.""",
        uses=["slope of the kept fraction"],
    )
    d.registered(
        threshold,
        Equal(E(Outside(z, u)), alpha),
        r"""The kept fraction is $\alpha$. The solver's terms are the slope and the curvature above, and the slopes
        relative to the mass outside and inside the interval.""",
        uses=["the kept fraction", "slope of the kept fraction", "curvature of the kept fraction"],
        given=SCORE,
    )
    d.step(
        "the mass above falls",
        Less(Derivative(ABOVE, t), S.Zero),
        r"""The normal density is positive everywhere, and $\alpha<P(\Lambda>0)$ asks for a feature of positive
        variance.""",
        uses=["slope of the kept fraction"],
    )
    d.step(
        "at zero every live feature is kept",
        Equal(E(positive(Lambda) * Limit(Outside(z, u), t, 0, "+")), E(positive(Lambda))),
        r"""The mass above tends to $P(\Lambda>0)$ as $t\to0$.""",
    )
    d.step(
        "at infinity nothing is kept",
        Equal(E(positive(Lambda) * Limit(Outside(z, u), t, oo)), S.Zero),
        r"""The mass above is continuous in $t$, so between $P(\Lambda>0)$ and 0 it takes each value exactly once.""",
        uses=["the mass above falls", "at zero every live feature is kept"],
    )


def _upper(d, upper):
    d.step(
        "the tail bound at zero",
        Equal(Limit(ROOM, x, 0), S.Zero),
        r"""Compare $P(|H|>x)$ with $e^{-x^2/2}$. Both are 1 at $x=0$, and continuous.""",
    )
    d.step(
        "the tail bound at infinity",
        Equal(Limit(ROOM, x, oo), S.Zero),
        r"""Both vanish as $x\to\infty$.""",
    )
    d.step(
        "the tail bound",
        Equal(Derivative(ROOM, x), exp(-(x**2) / 2) * (sqrt(2 / pi) - x)),
        r"""The difference $e^{-x^2/2}-P(|H|>x)$ rises up to $x=\sqrt{2/\pi}$ and falls from there on. It is 0 at both
        ends, so it is positive between them: $P(|H|>x)<e^{-x^2/2}$ for $x>0$.""",
        uses=["the tail bound at zero", "the tail bound at infinity"],
    )
    d.step(
        "how far the tail bound is off",
        Equal(Limit(x * exp(x**2 / 2) * Outside(x, x), x, oo), sqrt(2 / pi)),
        r"""As $x$ grows, the bound exceeds $P(|H|>x)$ by a factor that grows in proportion to $x$.""",
        uses=["the tail bound"],
    )
    d.step(
        "a wider interval keeps less",
        Less(Derivative(Outside(x, m / s + x), m), S.Zero),
        r"""At $t=m+\varsigma x$ the interval has its upper end at $x$ and the half-width $m/\varsigma+x$. So what is
        kept is largest for $m=0$, where it is $P(|H|>x)$. (In other words, $|m+\varsigma H|\le m+\varsigma|H|$.)""",
    )
    d.registered(
        upper,
        m + s * sqrt(2 * log(1 / alpha)),
        r"""At $t=m+\varsigma x$ with $e^{-x^2/2}=\alpha$ less than $\alpha$ of the feature is kept, and at the largest
        of these $t$ less than $\alpha$ of every feature. The mass above falls: the threshold is smaller.""",
        uses=["the mass above falls", "the tail bound", "a wider interval keeps less"],
        relation="<=",
    )
    d.step(
        "the upper bound holds",
        Less(Outside(z, u), exp(-(x**2) / 2)),
        r"""What is kept of a feature at $t=m+\varsigma x$, with $\alpha=e^{-x^2/2}$.""",
        uses=[upper.id],
        check=Enclosed(),
        given={z: x, u: m / s + x},
    )


def _lower(d, lower):
    d.step(
        "the density is largest at zero",
        Less(Derivative(phi(x), x), S.Zero),
        r"""The normal density is even and falls for $x>0$, so it is at most $1/\sqrt{2\pi}$. The interval has the
        length $2t/\varsigma$, so less than $\sqrt{2/\pi}\,t/\varsigma$ of a feature is dropped.""",
    )
    d.step(
        "the bound is sharp for few dropped",
        Equal(Limit(Inside(t / s, t / s) / (sqrt(2 / pi) * t / s), t, 0, "+"), S.One),
        r"""For a single atom with $m=0$ the bound is attained as $t\to0$.""",
        uses=["the density is largest at zero"],
    )
    bound = sqrt(pi / 2) * live_excess / E(positive(Lambda) / s)
    d.step(
        "the bound on the threshold",
        Roots(Equal(live_excess, E(positive(Lambda) * sqrt(2 / pi) / s) * t), t, (bound,)),
        r"""At the threshold the dropped mass of the features of positive variance is $P(\Lambda>0)-\alpha$, and it is
        less than $\sqrt{2/\pi}\,t\,E[1_{\{\Lambda>0\}}/\varsigma]$. The two are equal at this $t$, so the threshold is
        larger.""",
        uses=["the density is largest at zero"],
    )
    d.registered(
        lower,
        bound,
        r"""This is the lower bound.""",
        uses=["the bound on the threshold"],
        relation=">=",
    )
    d.step(
        "the lower bound holds",
        Less(bound**2, t**2),
        r"""At any $t>0$, as the threshold of the fraction that it keeps. Both sides are positive, and squared here.""",
        uses=[lower.id],
        check=Enclosed(),
        given={live_excess: E(positive(Lambda) * Inside(z, u))},
        assuming=[Less(S.Zero, E(positive(Lambda)))],
    )
