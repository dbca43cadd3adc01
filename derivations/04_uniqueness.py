"""The effective ridge: when its equation has a root, that the root is unique, and two bounds on it.

The equation says that one falling function of the effective ridge, the load, is 1. One root follows, and so do bounds:
whatever lies above the load everywhere reaches 1 later.
"""

from sympy import Derivative, Limit, S, oo

from riskcalc.derivation.checks import Enclosed
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive, positive_root, ratio
from riskcalc.formulas.symbols import POSITIVE, REAL, UNIT, scalar
from riskcalc.theory.symbols import D, Lambda, a, abar, excess, kappa, nu, q, ridge

l = scalar("l", "the ratio Lambda/D of one feature that stands for all", POSITIVE, "l")
l1 = scalar("l1", "Lambda/D on the first level of a spectrum", POSITIVE, "l_1")
l2 = scalar("l2", "Lambda/D on its second level", POSITIVE, "l_2")
w = scalar("w", "weight of its first level", UNIT, "w")
linear = scalar("linear", "coefficient of the quadratic of a two-level spectrum", REAL, "b")
constant = scalar("constant", "another one", POSITIVE, "c")
xi = scalar("xi", "1/nu", POSITIVE, r"\xi")
eta = scalar("live_surplus", "kappa P(Lambda > 0) - 1 where it is positive", POSITIVE, r"\eta")

# What the equation sets to one.
LOAD = kappa * E(a) + ridge / nu

# The arithmetic and the harmonic mean of Lambda/D over the features that have variance; 0/0 = 0 if there are none.
ARITHMETIC = ratio(E(ratio(Lambda, D)), E(positive(Lambda)))
HARMONIC = ratio(E(positive(Lambda)), E(ratio(D * positive(Lambda), Lambda)))


def _one_feature_root(l):
    return positive_root(l * excess + ridge, ridge * l)


def derivation(records):
    """Uniqueness and bounds of the effective ridge."""
    d = Derivation(
        title="The effective ridge is unique",
        statement=r"""If $\lambda>0$ or $\kappa P(\Lambda>0)>1$, the equation $\nu=\lambda+\kappa\nu E[a]$ with
        $a=\Lambda/(\Lambda+D\nu)$ has exactly one root $\nu>0$; otherwise it has none. At the root $1-\kappa E[a^2]>0$,
        so the dense risk is finite. Replacing $\Lambda/D$ by its arithmetic mean over the features of positive variance
        gives an upper bound on the root, replacing it by its harmonic mean a lower bound.""",
        assumptions=r"""$\lambda\ge0$; $D>0$ wherever $\Lambda>0$; the law of $(\Lambda,D)$ has finitely many atoms
        (otherwise $0\le a\le1$ and dominated convergence exchange means and limits).""",
        cited=r"""The intermediate value theorem.""",
        where={a: Lambda / (Lambda + D * nu), abar: D * nu / (Lambda + D * nu), q: 1 - kappa * E(a)},
    )
    _uniqueness(d, records)
    _bounds(d, records)
    _two_levels(d)
    return d


def _uniqueness(d, records):
    d.registered(
        records["dense.effective_ridge"],
        Equal(nu * LOAD, nu),
        r"""The equation for $\nu$ was derived with the ridge fit. Divided by $\nu$ it says that the load $\kappa
        E[a]+\lambda/\nu$ is 1. This is the balance that is solved; with $\log\nu$ as the variable, $a$ has the slope
        $-a(1-a)$ and $a(1-a)$ the slope $a(1-a)(2a-1)$.""",
    )
    d.step(
        "slope of the load",
        Equal(Derivative(LOAD, nu), -(kappa * E(a * (1 - a)) + ridge / nu) / nu),
        r"""Neither term in the bracket is negative.""",
    )
    d.step(
        "the load falls",
        Less(S.Zero, E(a * (1 - a))),
        r"""A feature of positive variance has $0<a<1$, so the first term is positive if there is such a feature. The
        second is positive if $\lambda>0$. One of the two holds whenever the equation is to have a root: otherwise the
        load is zero.""",
        uses=["slope of the load"],
    )
    d.step(
        "at zero every live feature counts",
        Equal(E(positive(Lambda) * Limit(a, nu, 0, "+")), E(positive(Lambda))),
        r"""As $\nu\to0$, $a\to1$ for each feature of positive variance, and $a=0$ for the others: $\kappa E[a]$ tends
        to $\kappa P(\Lambda>0)$.""",
    )
    d.step(
        "at zero a ridge outweighs everything",
        Equal(Limit(nu * (kappa * a + ridge / nu), nu, 0, "+"), ridge),
        r"""So the load tends to infinity like $\lambda/\nu$ if $\lambda>0$.""",
    )
    d.step(
        "at infinity nothing counts",
        Equal(E(Limit(kappa * a + ridge / nu, nu, oo)), S.Zero),
        r"""The load tends to 0 as $\nu\to\infty$. It is continuous, so it takes the value 1 exactly once if $\lambda>0$
        or $\kappa P(\Lambda>0)>1$.""",
        uses=["the load falls", "at zero every live feature counts", "at zero a ridge outweighs everything"],
    )
    d.step(
        "no root otherwise",
        Less(S.Zero, E(positive(Lambda) * abar)),
        r"""With $1-a=D\nu/(\Lambda+D\nu)>0$. If $\lambda=0$ and $\kappa P(\Lambda>0)\le1$, the load $\kappa E[a]=\kappa
        P(\Lambda>0)-\kappa E[1_{\{\Lambda>0\}}(1-a)]$ is less than 1 for every $\nu>0$ (it is 0 if no feature has
        variance). The fit is then least squares, with $\nu=0$.""",
    )
    d.step(
        "slope of the equation",
        Equal(Derivative(nu - ridge - kappa * nu * E(a), nu), 1 - kappa * E(a**2)),
        r"""The denominator of the dense risk is the slope at which the left side of the equation overtakes the right
        side.""",
        uses=["at infinity nothing counts"],
    )
    d.step(
        "the risk is finite",
        Equal(1 - kappa * E(a**2), q + kappa * E(a * (1 - a))),
        r"""At the root $q=\lambda/\nu\ge0$, so the slope is positive by the same two terms as before; as a sum of
        positive terms it is also computed without cancellation.""",
        uses=["slope of the equation", "the load falls"],
    )


def _bounds(d, records):
    one = l / (l + nu)
    d.step(
        "tangent in the ratio",
        Equal(one + nu * (Lambda / D - l) / (l + nu) ** 2 - a, abar * ((Lambda / D - l) / (l + nu)) ** 2),
        r"""As a function of $\Lambda/D$, $a$ is concave: it lies below its tangent at any $l$, by a square times
        $1-a\ge0$.""",
    )
    d.step(
        "tangent in the inverse ratio",
        Equal(a - one + nu * l * (l * D / Lambda - 1) / (l + nu) ** 2, a * (nu * (l * D / Lambda - 1) / (l + nu)) ** 2),
        r"""As a function of $D/\Lambda$, $a$ is convex: it lies above its tangent at $1/l$, by a square times $a>0$, if
        $\Lambda>0$.""",
    )
    d.step(
        "the arithmetic mean",
        Roots(Equal(E(Lambda / D) - l * E(positive(Lambda)), S.Zero), l, (E(Lambda / D) / E(positive(Lambda)),)),
        r"""Averaged over the features of positive variance, the slope term of the first tangent vanishes if $l$ is the
        mean of $\Lambda/D$ over them. Then $\kappa E[a]\le\kappa P(\Lambda>0)\,l/(l+\nu)$ at every $\nu$ (Jensen's
        inequality).""",
        uses=["tangent in the ratio"],
    )
    inverse = E(ratio(D * positive(Lambda), Lambda))
    d.step(
        "the harmonic mean",
        Roots(Equal(l * inverse - E(positive(Lambda)), S.Zero), l, (E(positive(Lambda)) / inverse,)),
        r"""That of the second tangent vanishes if $1/l$ is the mean of $D/\Lambda$ over them. Then $\kappa
        E[a]\ge\kappa P(\Lambda>0)\,l/(l+\nu)$.""",
        uses=["tangent in the inverse ratio"],
    )
    root = _one_feature_root(l)
    d.step(
        "one feature gives a quadratic",
        Roots(Equal((1 + excess) * one + ridge / nu, S.One), nu, (root, l * excess + ridge - root)),
        r"""Write $\delta=\kappa P(\Lambda>0)-1$. If one $l$ stands for $\Lambda/D$ on all features of positive
        variance, the equation is $\nu^2=b\nu+c$ with $b=l\delta+\lambda$ and $c=\lambda l$. The first of its two roots
        is $(b+\sqrt{b^2+4c})/2$.""",
    )
    d.step(
        "the other root does not count",
        Equal(root * (l * excess + ridge - root), -ridge * l),
        r"""The product of the two roots is not positive, so at most one of them is, and the first is the larger.""",
        uses=["one feature gives a quadratic"],
    )
    d.step(
        "without a ridge the root is linear",
        Equal(root, l * eta),
        r"""The bounds are then the two means of $\Lambda/D$ times $\delta>0$.""",
        uses=["one feature gives a quadratic"],
        given={ridge: S.Zero, excess: eta},
    )
    d.registered(
        records["dense.effective_ridge_upper"],
        _one_feature_root(ARITHMETIC),
        r"""At the root $\nu$ of the full equation the load of this one feature is at least 1. Like every load it falls,
        so it takes the value 1 at $\nu$ or later. The bound is the root itself if all features of positive variance
        share one $\Lambda/D$, as with the natural penalty $D=\Lambda$.""",
        uses=["the load falls", "the arithmetic mean", "one feature gives a quadratic"],
        relation="<=",
    )
    d.registered(
        records["dense.effective_ridge_lower"],
        _one_feature_root(HARMONIC),
        r"""With the harmonic mean the load of the one feature is at most 1 at the root $\nu$, so it takes the value 1
        at $\nu$ or earlier.""",
        uses=["the load falls", "the harmonic mean", "one feature gives a quadratic"],
        relation=">=",
    )
    # Random points on the curve of roots: nu is drawn, and the ridge that has this root follows.
    solved = {ridge: nu * (1 - kappa * E(a)), excess: kappa * E(positive(Lambda)) - 1}
    uneven = Less(E(ratio(Lambda, D)) ** 2, E(ratio(Lambda, D) ** 2) * E(positive(Lambda)))
    sides = {"upper": (nu, _one_feature_root(ARITHMETIC)), "lower": (_one_feature_root(HARMONIC), nu)}
    for bound, (low, high) in sides.items():
        d.step(
            f"the {bound} bound holds",
            Less(low, high),
            r"""With the ridge $\lambda=\nu(1-\kappa E[a])>0$ that has the root $\nu$; strictly, because $\Lambda/D$
            takes two positive values or more.""",
            uses=[f"dense.effective_ridge_{bound}"],
            check=Enclosed(),
            given=solved,
            assuming=[Less(S.Zero, nu * (1 - kappa * E(a))), uneven],
        )


def _two_levels(d):
    both = w * l1 * xi / (1 + l1 * xi) + (1 - w) * l2 * xi / (1 + l2 * xi)
    c = 1 / (l1 * l2 * (kappa - 1))
    coefficients = {constant: c, linear: c * (l1 + l2 - kappa * (w * l1 + (1 - w) * l2))}
    root = positive_root(linear, constant)
    d.step(
        "two levels give a quadratic",
        Roots(Equal(kappa * both, S.One), xi, (root, linear - root)),
        r"""With two values $l_1,l_2$ of $\Lambda/D$, of weights $w$ and $1-w$, and $\lambda=0$, write $\xi=1/\nu$. The
        equation is $\xi^2=b\xi+c$ with $c=1/(l_1l_2(\kappa-1))$ and $b=c\,(l_1+l_2-\kappa(wl_1+(1-w)l_2))$.""",
        uses=["dense.effective_ridge"],
        given=coefficients,
    )
    d.step(
        "one of its roots is positive",
        Less(root * (linear - root), S.Zero),
        r"""The product of the roots is $-c<0$, because $\kappa>1$. The first is the larger, so it is positive.""",
        uses=["two levels give a quadratic"],
        given=coefficients | {kappa: 1 + eta},
    )
