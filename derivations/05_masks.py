"""Masks: which coefficients a policy keeps, seen through the moments of a truncated Gaussian.

Given its feature, a fitted coefficient is Gaussian. A policy that thresholds it keeps it outside an interval, and
everything later asks of that is the mass outside and two moments there. Policies that rank without noise are simpler.
"""

from sympy import Derivative, Integral, Limit, Matrix, S, Symbol, erfinv, exp, oo, pi, sqrt, symbols

from riskcalc.derivation.claims import Equal
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import (
    Inside,
    Outside,
    edge_drop,
    edge_moment,
    inner_first,
    inner_second,
    inner_slope,
    top,
    two_sided_quantile,
)
from riskcalc.formulas.symbols import REAL, H, LawSymbol, law_symbol
from riskcalc.theory.masks import HESSIAN as HESSIAN_WEIGHT
from riskcalc.theory.masks import SURGEON
from riskcalc.theory.symbols import (
    M0,
    B,
    B_pivot,
    D,
    Lambda,
    X,
    a,
    abar_pivot,
    alpha,
    gamma,
    kappa,
    lag,
    m,
    nu,
    omega,
    omega_pivot,
    part,
    ridge,
    s,
    score,
    step,
    t,
    tau,
    u,
    z,
)

h = Symbol("h", real=True)  # a value of the standard normal variable, integrated over
b = law_symbol("b", "trial coefficient of a feature, times sqrt(p)", REAL, "b")

# A fit of three coefficients, of which the last one is dropped, and a quadratic loss that it minimises.
x1, x2, y1, y2, b1, b2, b3 = symbols("x_1 x_2 y_1 y_2 b_1 b_2 b_3", real=True)
HESSIAN = Matrix(3, 3, lambda i, j: Symbol(f"A_{min(i, j) + 1}{max(i, j) + 1}", positive=True))

DENSITY = exp(-(h**2) / 2) / sqrt(2 * pi)
# The score of a feature and the interval of H that drops it, by its upper end z and its half-width u.
SCORE = {m: omega * a * B, s: omega * tau, u: t / s, z: t / s - m / s}


def _miss(kept):
    """How far a fit with these coefficients, and none in the last place, is from the minimiser."""
    return Matrix([*kept, 0]) - Matrix([b1, b2, b3])


def everywhere(function):
    """The mean of a function of H."""
    return Integral(function * DENSITY, (h, -oo, oo))


def inside(function):
    """Its part from the interval that drops a feature."""
    return Integral(function * DENSITY, (h, z - 2 * u, z))


def outside(function):
    """Its part from the two half-lines that keep it."""
    return everywhere(function) - inside(function)


def derivation(records):
    """The moments of every kind of mask."""
    d = Derivation(
        title="Masks and their moments",
        statement=r"""A fitted coefficient is $X=aB+\tau H$ with $H\sim N(0,1)$. Let a mask $S$ be 1 where the
        coefficient is kept and 0 where it is dropped. A policy that keeps the features of score $\omega|X|\ge t$
        drops those with $z-2u<H<z$, where $z=(t-m)/\varsigma$, $u=t/\varsigma$, $m=\omega aB$ and
        $\varsigma=\omega\tau$. Write $\phi$ and $\Phi$ for the density and the distribution function of $N(0,1)$.
        Given the feature, $M_0=E[S]=1-\Phi(z)+\Phi(z-2u)$, $M_1=E[HS]=\phi(z)-\phi(z-2u)$ and
        $M_2^\circ=E[(H^2-1)S]=z\phi(z)-(z-2u)\phi(z-2u)$. A policy that does not look at $H$ has $M_1=M_2^\circ=0$.""",
        assumptions=r"""Scores are thresholded among features of positive variance and weight $\omega>0$ only, and
        $\gamma>0$, so that $\varsigma>0$. The threshold is a constant: that of the empirical scores tends to it.""",
        cited=r"""The law of the coefficients (see the derivation of ridge regression). By it and by the law of large
        numbers, the fraction of features whose score exceeds a constant tends to $E[M_0]$; because that is continuous
        and strictly decreasing in $t$, the threshold that keeps exactly $\alpha p$ features tends to the root of
        $E[M_0]=\alpha$. The resolvent of a sample covariance, penalised:
        $\lambda(\hat\Sigma+\lambda\,\mathrm{diag}(D))^{-1}$ has the diagonal of
        $\nu(\Sigma+\nu\,\mathrm{diag}(D))^{-1}$ in the limit (its deterministic equivalent; Hachem, Loubaton and Najim,
        2007). The pruned risk, derived elsewhere, is simulated there.""",
        where={
            Lambda: LawSymbol("Lambda", positive=True),
            a: Lambda / (Lambda + D * nu),
            tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu),
            X: a * B + tau * H,
        },
    )
    _interval(d)
    _moments(d, records)
    _without_noise(d)
    _solving(d, records)
    return d


def _interval(d):
    d.step(
        "low scores are an interval",
        Equal((omega * X) ** 2 - t**2, s**2 * (H - z) * (H - (z - 2 * u))),
        r"""The left side is a parabola in $H$ that opens upwards and vanishes at $z$ and at $z-2u\le z$. So the score
        $\omega|X|$ is below $t$ exactly if $H$ lies between the two.""",
        given=SCORE,
    )
    d.step(
        "a weight divides the threshold",
        Equal((H - z) * (H - (z - 2 * u)), (H - (t / omega - a * B) / tau) * (H + (t / omega + a * B) / tau)),
        r"""The ends of the interval know $\omega$ and $t$ only through $t/\omega$. Magnitude pruning has $\omega=1$:
        the ends are $(\pm t-aB)/\tau$.""",
        uses=["low scores are an interval"],
        given=SCORE,
    )
    d.step(
        "the Hessian weight",
        Equal((omega * X) ** 2, X**2 * Derivative(Lambda * (B - b) ** 2, b, 2) / 2),
        r"""Optimal brain damage takes the fit for a minimum of the risk, to which a coefficient $b$ adds
        $\Lambda(B-b)^2$. Setting $X$ to zero then costs half the second derivative times $X^2$. That is
        $(\omega X)^2$ for $\omega=\sqrt\Lambda$, so ranking by this cost is ranking by $\sqrt\Lambda|X|$, the Hessian
        score: magnitude pruning with $t/\sqrt\Lambda$ for $t$.""",
        uses=["a weight divides the threshold"],
        given={omega: sqrt(Lambda)},
    )
    _surgeon(d)


def _surgeon(d):
    fit, dropped = Matrix([b1, b2]), b3
    loss = (_miss(Matrix([x1, x2])).T * HESSIAN * _miss(Matrix([x1, x2])))[0] / 2
    best = fit + HESSIAN.extract([0, 1], [0, 1]).inv() * HESSIAN.extract([0, 1], [2]) * dropped
    at_best = {x1: best[0], x2: best[1]}
    d.step(
        "the surgeon's compensation is the refit",
        Equal((y1 * loss.diff(x1) + y2 * loss.diff(x2)).subs(at_best), S.Zero),
        r"""The ridge fit $b$ minimises a quadratic loss, whose Hessian is $A=X^\top X/n+\lambda\,\mathrm{diag}(D)$. The
        optimal brain surgeon drops the coefficients $M$ and compensates in those that it keeps, $K$, as is best: by
        $b_K+A_{KK}^{-1}A_{KM}b_M$. Here, for two kept and one dropped, the slope of the loss in any direction of $K$ is
        zero there. So it is the ridge fit on the features kept, with the same penalty.""",
    )
    d.step(
        "the surgeon's saliency",
        Equal(loss.subs(at_best), b3**2 / (2 * HESSIAN.inv()[2, 2])),
        r"""The loss grows by $b_i^2/(2[A^{-1}]_{ii})$ when the coefficient $b_i$ is dropped and the others
        compensate.""",
        uses=["the surgeon's compensation is the refit"],
    )
    d.step(
        "the surgeon's weight",
        Equal(X**2 / (nu / ridge / (Lambda + D * nu)), ridge / nu * (omega * X) ** 2),
        r"""As $n,p\to\infty$, $[A^{-1}]_{ii}$ tends to $(\nu/\lambda)/(\Lambda+D\nu)$. Up to a factor common to all
        features, the saliency is the squared score of weight $\omega=\sqrt{\Lambda+D\nu}$; that of the interpolator is
        the limit $\lambda\to0$.""",
        uses=["the surgeon's saliency", "a weight divides the threshold"],
        given={omega: SURGEON},
    )
    d.step(
        "the surgeon without shrinkage",
        Equal(Limit(SURGEON, nu, 0, "+"), HESSIAN_WEIGHT),
        r"""As $\nu\to0$ the features no longer stand in for each other, and the score is the Hessian one.""",
        uses=["the surgeon's weight", "the Hessian weight"],
    )
    d.step(
        "the surgeon under heavy shrinkage",
        Equal(Limit(SURGEON / sqrt(nu), nu, oo), sqrt(D)),
        r"""As $\nu\to\infty$ the ranking is by $\sqrt D|X|$: with equal penalties, that of magnitude.""",
        uses=["the surgeon's weight"],
    )


def _moments(d, records):
    d.step(
        "mass of the interval",
        Equal(inside(S.One), Inside(z, u)),
        r"""This is $\Phi(z)-\Phi(z-2u)$, the probability $\bar M_0$ of being dropped.""",
        uses=["low scores are an interval"],
    )
    d.step(
        "mass outside",
        Equal(outside(S.One), Outside(z, u)),
        r"""This is $1-\Phi(z)+\Phi(z-2u)$, the probability $M_0$ of being kept. A score equal to $t$ has probability
        zero.""",
        uses=["low scores are an interval"],
    )
    d.step(
        "what is not dropped is kept",
        Equal(Inside(z, u) + Outside(z, u), S.One),
        r"""So $\bar M_0=1-M_0$. Each has its own name, because the smaller of the two is needed to all its digits.""",
        uses=["mass of the interval", "mass outside"],
    )
    d.step(
        "first moment of the interval",
        Equal(inside(h), -edge_drop(z, u)),
        r"""Since $\phi'(h)=-h\phi(h)$, the integral of $h\phi$ is the difference $\phi(z-2u)-\phi(z)$
        of densities at the ends of the interval.""",
        uses=["low scores are an interval"],
    )
    d.step(
        "first moment outside",
        Equal(outside(h), edge_drop(z, u)),
        r"""The two parts cancel, because $E[H]=0$.""",
        uses=["first moment of the interval"],
    )
    d.step(
        "second moment of the interval",
        Equal(inside(h**2 - 1), -edge_moment(z, u)),
        r"""Since $(-h\phi(h))'=(h^2-1)\phi(h)$, this is $(z-2u)\phi(z-2u)-z\phi(z)$.""",
        uses=["low scores are an interval"],
    )
    d.step(
        "second moment outside",
        Equal(outside(h**2 - 1), edge_moment(z, u)),
        r"""The two parts cancel, because $E[H^2]=1$.""",
        uses=["second moment of the interval"],
    )
    d.registered(
        records["masks.kept"],
        Outside(z, u),
        r"""This is $E[S]$, with $z$, $u$, $m$ and $\varsigma$ as in the theorem.""",
        uses=["mass outside"],
        given=SCORE,
    )
    d.registered(
        records["masks.dropped"],
        1 - Outside(z, u),
        r"""This is $E[1-S]$.""",
        uses=["what is not dropped is kept", "masks.kept"],
        given=SCORE,
    )
    d.registered(
        records["masks.first_moment"],
        edge_drop(z, u),
        r"""This is $E[HS]$.""",
        uses=["first moment outside"],
        given=SCORE,
    )
    d.registered(
        records["masks.second_moment"],
        edge_moment(z, u),
        r"""This is $E[(H^2-1)S]$.""",
        uses=["second moment outside"],
        given=SCORE,
    )
    mean = u - z
    for name, function, node in (
        ("left_out", mean + h, inner_first),
        ("left_out_square", (mean + h) ** 2, inner_second),
        ("left_out_noise", (mean + h) * h, inner_slope),
    ):
        d.step(
            f"{name.replace('_', ' ')}, over the interval",
            Equal(inside(function), node(z, u)),
            r"""In units of $\tau$ a coefficient is $aB/\tau+H$ with $aB/\tau=m/\varsigma=u-z$: the three integrals of
            the interval, combined.""",
            uses=["mass of the interval", "first moment of the interval", "second moment of the interval"],
        )
        d.registered(
            records[f"masks.{name}"],
            (tau**2 if name == "left_out_square" else tau) * node(z, u),
            r"""This is $E[X(1-S)]$, $E[X^2(1-S)]$ or $E[XH(1-S)]$: small for narrow intervals, beside the moments that
            it is made of.""",
            uses=[f"{name.replace('_', ' ')}, over the interval"],
            given=SCORE | {tau: records["dense.coefficient"].where[tau]},
        )


def _without_noise(d):
    d.step(
        "first moment without noise",
        Equal(everywhere(h * M0), S.Zero),
        r"""Keep each feature with a probability $M_0$ that does not depend on its $H$. The oracle does: it ranks by
        $\Lambda B^2$ and keeps features tied at its threshold with the same probability. So does random pruning, with
        $M_0=\alpha$. Then $M_1=E[H]M_0=0$.""",
    )
    d.step(
        "second moment without noise",
        Equal(everywhere((h**2 - 1) * M0), S.Zero),
        r"""Likewise $M_2^\circ=E[H^2-1]M_0=0$.""",
    )
    d.step(
        "scores of an exact fit have no noise",
        Equal(omega * X, omega * a * B),
        r"""If $\gamma=0$ then $\tau=0$ and scores do not depend on $H$. A threshold on them ranks the features by
        $\omega aB$, as the oracle ranks them by $\Lambda B^2$.""",
        given={gamma: S.Zero},
        uses=["first moment without noise", "second moment without noise"],
    )
    d.step(
        "the bottom of a ranking",
        Equal(top(score, t, part) + top(-score, -t, 1 - part), S.One),
        r"""A ranking keeps what is above its threshold and the fraction $\theta$ of what is tied there. It drops the
        top of the opposite ranking and the fraction $1-\theta$ of the ties: this is its $\bar M_0$.""",
    )


def _solving(d, records):
    d.registered(
        records["masks.lag"],
        omega_pivot * B_pivot * (1 - abar_pivot) - omega * a * B,
        r"""The mean score $m_*=\omega_*a_*B_*$ of some feature, the pivot, minus that of another. With $a=1-\bar a$
        the large parts $\omega B$ of nearly unshrunk features are subtracted first, and their small corrections
        $\omega\bar aB$ apart from them: no digit is lost where $a$ rounds to one.""",
    )
    d.step(
        "a pivoted threshold",
        Equal(z, (lag + step) / s),
        r"""A threshold known by its distance $\Delta t$ from the mean score of the pivot, $t=m_*+\Delta t$, is
        $m_*-m+\Delta t$ away from the mean score of any other feature. Where spreads are tiny beside the means, this
        form of $z$ keeps the digits that $t-m$ loses.""",
        uses=["masks.lag"],
        given={z: (t - m) / s, lag: omega_pivot * B_pivot * (1 - abar_pivot) - m}
        | {t: omega_pivot * B_pivot * (1 - abar_pivot) + step},
    )
    d.step(
        "the second moment of the scores",
        Equal(E((m + s * H) ** 2), E(m**2 + s**2)),
        r"""Scores are $|m+\varsigma H|$, with $E[H]=0$ and $E[H^2]=1$.""",
    )
    d.step(
        "the quantile of one Gaussian score",
        Equal(2 * Integral(DENSITY, (h, two_sided_quantile(alpha), oo)), alpha),
        r"""The fraction $\alpha$ of a standard normal variable lies beyond $\sqrt2\,\mathrm{erf}^{-1}(1-\alpha)$ on
        either side.""",
    )
    d.registered(
        records["masks.threshold_start"],
        sqrt(2) * erfinv(1 - alpha) * sqrt(E(m**2 + s**2)),
        r"""If all scores came from one centred Gaussian variable of that second moment, this would be the threshold.
        It starts the search for the true one and carries no claim of its own.""",
        uses=["the second moment of the scores", "the quantile of one Gaussian score"],
        relation="~",
    )
