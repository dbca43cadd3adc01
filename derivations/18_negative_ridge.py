"""Negative ridges: the effective ridge down to the lowest ridge, and where that is.

The formulas of the ridge fit are analytic in the ridge as long as Gram matrix plus ridge is positive definite. That
ends at the lower edge of the Gram matrix's spectrum, where the ridge as a function of the effective ridge turns round.
"""

from sympy import Derivative, S, sqrt

from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import ratio
from riskcalc.formulas.symbols import POSITIVE, scalar
from riskcalc.problems import LinearGaussian
from riskcalc.theory.symbols import D, Lambda, a, abar, excess, kappa, nu, nu_edge

l = scalar("l", "the ratio Lambda/D of one feature that stands for all", POSITIVE, "l")
x = scalar("x", "how far the effective ridge is above that of the lowest ridge", POSITIVE, "x")

AT_EDGE = Lambda / (Lambda + D * nu_edge)


def derivation(records):
    """Negative ridges."""
    d = Derivation(
        title="Negative ridges",
        statement=r"""Let $\kappa P(\Lambda>0)\ne1$, and let $\nu_*$ be the root of $\kappa E[a_*^2]=1$,
        $a_*=\Lambda/(\Lambda+D\nu_*)$, with the sign of $\kappa P(\Lambda>0)-1$ and $\Lambda+D\nu_*>0$ on every live
        feature. Then the ridge may be any $\lambda>\lambda_*=\nu_*(1-\kappa E[a_*])$; its effective ridge is the one
        root $\nu>\nu_*$ of $\nu=\lambda+\kappa\nu E[a]$, and all formulas of the ridge fit, of its masks and of second
        fits hold with it. At $\lambda_*<0$ the test risk diverges.""",
        assumptions=r"""$D>0$ wherever $\Lambda>0$; the law of $(\Lambda,D)$ has finitely many atoms. Where more
        features have variance than there are samples, the fit is $D^{-1}X^\top(XD^{-1}X^\top/n+\lambda)^{-1}y/n$, the
        stationary point of the loss among the combinations of rows, in which all ridge regressions lie.""",
        cited=r"""The least positive eigenvalue of $XD^{-1}X^\top/n$ tends to the lower edge of its limiting spectrum
        (Bai and Silverstein, 1998), which is $-\lambda_*$: the edges are where $d\lambda/d\nu=0$ (Silverstein and Choi,
        1995). Above $\lambda_*$ the fit, its risks and the mean shrinkage are analytic in $\lambda$ and bounded, so
        that limits known for $\lambda>0$ continue (Vitali). The simulations at the end support this as a whole.""",
        where={a: Lambda / (Lambda + D * nu), abar: D * nu / (Lambda + D * nu)},
    )
    d.step(
        "the slope of the ridge",
        Equal(Derivative(nu - kappa * nu * E(a), nu), 1 - kappa * E(a**2)),
        r"""The equation of the effective ridge gives the ridge as a function of it: $\lambda=\nu-\kappa\nu E[a]$. Its
        slope is the denominator of the test risk: the risk diverges where the ridge turns round.""",
    )
    d.registered(
        records["negative_ridge.edge"],
        Equal(kappa * E(AT_EDGE**2), 1),
        r"""There the slope is zero. The mean of $a^2$ falls from $P(\Lambda>0)$ at $\nu=0$ to zero at infinity, and
        rises without bound as $\nu$ falls from zero to minus the least $\Lambda/D$: there is one root on the side that
        $\kappa P(\Lambda>0)-1$ says. This is the balance that is solved.""",
        uses=["the slope of the ridge"],
    )
    gap = (nu - nu_edge) * kappa * E(AT_EDGE**2) - kappa * (nu * E(a) - nu_edge * E(AT_EDGE))
    d.step(
        "above the edge the ridge grows",
        Equal(gap, kappa * (nu - nu_edge) ** 2 * E(AT_EDGE**2 * D / (Lambda + D * nu))),
        r"""With $1=\kappa E[a_*^2]$ the left side is $\lambda-\lambda_*$, by the equations at $\nu$ and $\nu_*$. The
        right side, with $\nu=\nu_*+x$, is a mean of terms $x^2/(\Lambda/D+\nu_*+x)$, which grow from zero without
        bound: every ridge above $\lambda_*$ has one root above $\nu_*$.""",
        uses=["negative_ridge.edge"],
    )
    d.step(
        "each term grows",
        Less(S.Zero, Derivative(x**2 / (l + x), x)),
        r"""With $l=\Lambda/D+\nu_*>0$.""",
        uses=["above the edge the ridge grows"],
    )
    d.registered(
        records["negative_ridge.lowest"],
        nu_edge * (1 - kappa * E(AT_EDGE)),
        r"""This is the ridge at the edge. As $1=\kappa E[a_*^2]$ it is $-\kappa\nu_*E[a_*(1-a_*)]$, one term for every
        feature, and all of one sign: $\nu_*$ and $1-a_*$ are both positive or both negative. So it is negative.""",
        uses=["negative_ridge.edge", "above the edge the ridge grows"],
        given={kappa: 1 / E(AT_EDGE**2)},
    )
    d.step(
        "one feature",
        Roots(
            Equal((1 + excess) * l**2, (l + nu) ** 2),
            nu,
            (l * (sqrt(1 + excess) - 1), -l * (sqrt(1 + excess) + 1)),
        ),
        r"""With $\delta=\kappa P(\Lambda>0)-1$, if one $l$ stands for $\Lambda/D$ on all features of positive variance.
        The second root is below $-l$.""",
        uses=["negative_ridge.edge"],
    )
    d.registered(
        records["negative_ridge.one_feature"],
        ratio(Lambda, D) * (sqrt(1 + excess) - 1),
        r"""A feature with a larger $\Lambda/D$ has a larger $a$ at $\nu>0$ and a smaller one at $\nu<0$. So with
        the largest and the smallest in the place of all, the root is bounded on either side.""",
        uses=["one feature"],
        relation="<=",
    )
    d.step(
        "the edge of Marchenko and Pastur",
        Equal(nu * (1 - kappa * l / (l + nu)), -l * (1 - sqrt(kappa)) ** 2),
        r"""With one feature of $P(\Lambda>0)=1$ the lowest ridge is minus the least positive eigenvalue that Marchenko
        and Pastur's law has, times $l$.""",
        uses=["one feature", "negative_ridge.lowest"],
        given={nu: l * (sqrt(kappa) - 1)},
    )
    for name, aspect_ratio, negative in (
        ("more features than samples", 3, "-1/5"),
        ("fewer features than samples", "1/3", "-1/20"),
    ):
        d.simulated(
            name,
            r"""Simulated test risks at a negative ridge tend to this constant.""",
            rf"""Two kinds of features, $\kappa={aspect_ratio}$, $\lambda={negative}$, penalty weights that differ.""",
            Simulated(
                LinearGaussian(
                    aspect_ratio=aspect_ratio,
                    eigenvalues=[4, 1],
                    signal=[1, "3/2"],
                    weights=["1/4", "3/4"],
                    noise_variance="1/2",
                    ridge=negative,
                    penalty=[2, 1],
                )
            ),
            uses=["negative_ridge.lowest"],
        )
    return d
