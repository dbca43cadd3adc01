"""The best rule that sees a fitted coefficient and its kind, and keeps or drops it; and the best that may rescale it.

The risk is a sum over features, so a rule of a budget is best if it keeps where that gains most. Where the kind of a
feature tells its coefficient, that is an interval around the coefficient, and the moments of its mask follow.
"""

from sympy import Derivative, Integral, Limit, S, Symbol, exp, log, oo, pi, sqrt

import riskcalc as rc
from riskcalc.derivation.checks import Enclosed, Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Inside, Outside, boundary, edge_drop, edge_moment, positive, top
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, H, LawSymbol, Scalar, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.policies import Optimal
from riskcalc.theory.optimal import MOMENTS
from riskcalc.theory.symbols import (
    G1,
    M0,
    M1,
    B,
    D,
    Lambda,
    M0bar,
    M2c,
    X,
    a,
    abar,
    alpha,
    b,
    crest,
    cross,
    depth,
    echo,
    estimate,
    gain,
    gamma,
    has_room,
    kappa,
    lost,
    nu,
    part,
    posterior,
    put,
    reach,
    risk,
    room,
    s,
    sigma2,
    t,
    tau,
    u,
    z,
)

h = Symbol("h", real=True)  # a value of the standard normal variable, integrated over
y = Symbol("y", real=True)  # a value of the fitted coefficient
other = law_symbol("other_coefficient", "another coefficient that it may have", REAL, "b'")
odds = law_symbol("belief", "probability of the first, given what the rule sees", NONNEGATIVE, "w")
value = law_symbol("value", "value that a feature is given in place of its fitted coefficient", REAL, "v")
told = law_symbol("told", "posterior mean of a coefficient", REAL, r"\hat B")
shift = law_symbol("fit_distance", "distance of a coefficient from its mean fit, in spreads", NONNEGATIVE, "d")
width = law_symbol("half_width", "half-width of the interval kept, in units of the spread", POSITIVE, "v")
x = scalar("x", "a distance from zero, in standard deviations", POSITIVE, "x")

DENSITY = exp(-(h**2) / 2) / sqrt(2 * pi)
ABOVE = depth - crest + Lambda * B**2
GAIN = Lambda * (B**2 - (B - y) ** 2)
# What the interval is made of; the room is that of a feature that has some.
INTERVAL = {u: sqrt(room) / s, z: sqrt(room) / s - sqrt(Lambda) * abar * B / s}
FREE = {s: s, abar: abar}


def kept(function):
    """The mean of a function of H over what is kept, H being less than u from its middle."""
    return Integral(function * DENSITY, (h, -z, 2 * u - z))


def loss(moments):
    """What a feature adds to the risk behind a mask of these moments, as in the derivation of pruning."""
    m0, m1, m2 = moments
    return Lambda * (B**2 * (1 - m0) + (abar**2 * B**2 + tau**2) * m0 - 2 * abar * B * tau * m1 + tau**2 * m2)


def derivation(records):
    """The best rules, their masks, their threshold and their errors."""
    d = Derivation(
        title="The optimal rules",
        statement=r"""A rule sees $(x,\Lambda,D)$ of a feature, not its coefficient $B$. To keep $x$ instead of dropping
        it lowers the risk by $\Lambda(2xE[B\,|\,x,\Lambda,D]-x^2)$, so the rule that keeps where this is largest has
        the lowest risk of its budget. Where $(\Lambda,D)$ tells $B$ it keeps where $\Lambda(x-B)^2\le\ell_+$, with
        $\ell_+=\max(\ell_0-t_0+\Lambda B^2,0)$ and $t_0=\max\Lambda B^2$: with $u=\sqrt{\ell_+}/\varsigma$ and
        $z=u-\sqrt\Lambda\bar aB/\varsigma$, $M_0=\Phi(z)-\Phi(z-2u)$, $M_1=\phi(z)-\phi(z-2u)$ and
        $M_2^\circ=(z-2u)\phi(z-2u)-z\phi(z)$. There is one depth $\ell_0>0$ for every $\alpha<1$. The best rule that
        may also change what it keeps puts in the posterior mean $\hat B$, and has the risk
        $\sigma^2+E[\Lambda B^2]-E[\Lambda\hat B^2S]$.""",
        assumptions=r"""The covariance of the features is diagonal, $\gamma>0$, and features of positive variance: the
        others add nothing to any error. The law of the features is known to the rule. The rule is a
        function of $(x,\Lambda,D)$ and of independent chance. The law has finitely many atoms.""",
        cited=r"""The law of the coefficients and the risk behind any mask (see the derivations of coefficients and of
        pruning); the training error behind any function of the coefficients (see the derivation of training errors);
        $P(|H|>x)<e^{-x^2/2}$ (see the derivation of the threshold); the intermediate value theorem. The simulation at
        the end supports it.""",
        where={
            Lambda: LawSymbol("Lambda", positive=True),
            gamma: Scalar("gamma", positive=True),
            a: Lambda / (Lambda + D * nu),
            abar: D * nu / (Lambda + D * nu),
            tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu),
        },
    )
    _exchange(d)
    _interval(d, records["optimal.has_room"], records["optimal.threshold"].where)
    _threshold(d, records)
    _better(d)
    _rescaled(d, records)
    _beliefs(d, records)
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks and training errors of both rules tend to the predicted constants.""",
        r"""Three kinds of features, $\kappa=2$, a quarter of the features kept.""",
        Simulated(
            rc.LinearGaussian(
                aspect_ratio=2,
                eigenvalues=[4, 1, "1/4"],
                signal=[1, "3/2", "1/2"],
                weights=["1/4", "1/4", "1/2"],
                noise_variance="1/2",
            ),
            (Optimal(keep="1/4"), Optimal(keep="1/4", rescale=True)),
            tolerance=0.05,
        ),
        uses=["optimal.threshold", "optimal.rescaled_risk", "optimal.rescaled_training_error"],
    )
    return d


def believed(function):
    """The mean of a function of the coefficient, given what the rule sees."""
    return odds * function(b) + (1 - odds) * function(other)


def _beliefs(d, records):
    density = exp(-(((estimate - a * b) / tau) ** 2) / 2) / (sqrt(2 * pi) * tau)
    kind = {a: a, tau: tau, Lambda: Lambda}
    d.registered(
        records["optimal.posterior"],
        E(b * density) / E(density),
        r"""By Bayes' rule, over the features of a kind: $x=ab+\tau H$ has this density given the coefficient $b$.
        A factor $e^k$ of all likelihoods leaves the mean as it is.""",
        uses=["the gain of keeping"],
        given=kind,
    )
    d.registered(
        records["optimal.kept_gain"],
        Lambda * (2 * estimate * posterior - estimate**2),
        r"""The gain of keeping $x$, with the posterior mean.""",
        uses=["the gain of keeping", "optimal.posterior"],
        given=kind,
    )
    d.registered(
        records["optimal.rescaled_gain"],
        Lambda * (posterior**2 - (posterior - posterior) ** 2),
        r"""The gain of the value $v$ in place of $x$ is $\Lambda(\hat B^2-(\hat B-v)^2)$, largest at $v=\hat B$.""",
        uses=["the best value is the posterior mean", "optimal.posterior"],
        given=kind,
    )
    for name, function in (
        ("optimal.cross_rate", Lambda * (b - estimate)),
        ("optimal.echo_rate", sqrt(Lambda) * (estimate - a * b) / tau),
    ):
        d.registered(
            records[name],
            posterior * E(function * density),
            r"""What a rule puts in at $x$ is $\hat B(x)$, whatever the coefficient: a mean over the features of a
            kind and over $H=(x-ab)/\tau$ is an integral over $x$ of this.""",
            uses=["what is put in", "optimal.posterior"],
            given=kind,
        )
    d.registered(
        records["optimal.lost_rate"],
        E(Lambda * (b - posterior) ** 2 * density),
        r"""A kept feature adds $\Lambda(b-\hat B(x))^2$ to the risk: likewise.""",
        uses=["what is put in", "optimal.posterior"],
        given=kind,
    )


def _exchange(d):
    d.step(
        "the gain of keeping",
        Equal(
            believed(lambda true: Lambda * (true**2 - (true - y) ** 2)),
            Lambda * (2 * y * believed(lambda true: true) - y**2),
        ),
        r"""The risk is a sum over features (see the derivation of pruning), to which a dropped one adds $\Lambda b^2$
        and a kept one $\Lambda(b-x)^2$. Averaged over what its coefficient may be, here one of two values, keeping it
        gains $\Lambda(2xE[B\,|\,x,\Lambda,D]-x^2)$.""",
    )
    d.step(
        "no rule gains more",
        Less(S.Zero, (gain - t) * (top(gain, t, part) - M0), strict=False),
        r"""Compare any rule, which keeps with the probability $M_0$ what it sees, with the rule that keeps where the
        gain exceeds $t$ and the fraction $\theta$ of what has the gain $t$. Where the gain exceeds $t$ the latter keeps
        more, elsewhere less. If both have the same budget, the mean of this is the difference of their total gains, so
        no rule gains more: to exchange a feature for one of lower gain never helps.""",
        uses=["the gain of keeping"],
        check=Enclosed(),
    )


def _interval(d, has, moments):
    d.step(
        "gains above a threshold are an interval",
        Roots(Equal(GAIN, t), y, (B + sqrt(B**2 - t / Lambda), B - sqrt(B**2 - t / Lambda))),
        r"""Where $(\Lambda,D)$ tells $B$, the gain is a parabola in $x$ that opens downwards: it is at least $t$ for
        $|x-B|\le\sqrt{B^2-t/\Lambda}$, and never if $t>\Lambda B^2$. So no gain exceeds $t_0=\max\Lambda B^2$.""",
        uses=["the gain of keeping"],
    )
    d.step(
        "by the depth",
        Equal(GAIN - (crest - depth), room - Lambda * (y - B) ** 2),
        r"""With $t=t_0-\ell_0$ a feature is kept where $\Lambda(x-B)^2$ is at most its room
        $\ell_+=\ell_0-t_0+\Lambda B^2$, and never if that is negative.""",
        uses=["gains above a threshold are an interval"],
        given={room: ABOVE},
    )
    d.registered(
        has,
        positive(ABOVE),
        r"""So a feature has room exactly if this is positive, and $\ell_+$ is it times that indicator.""",
        uses=["by the depth"],
    )
    d.step(
        "the ends of the interval",
        Roots(Equal(Lambda * (a * B + tau * h - B) ** 2, room), h, (-z, 2 * u - z)),
        r"""In $H$, as $X-B=\tau H-\bar aB$, with $\varsigma=\sqrt\Lambda\tau$, $u=\sqrt{\ell_+}/\varsigma$ and
        $z=u-\sqrt\Lambda\bar aB/\varsigma$. Reflected, the interval has the upper end $z$ and the half-width $u$.""",
        uses=["by the depth"],
        given=INTERVAL | {s: sqrt(Lambda) * tau},
    )
    for moment, function, name, why in (
        (M0, S.One, "mass kept", r"""$M_0=E[S]$."""),
        (M1, h, "first moment kept", r"""$M_1=E[HS]$; as of what a threshold on $-H$ drops, reflected."""),
        (M2c, h**2 - 1, "second moment kept", r"""$M_2^\circ=E[(H^2-1)S]$; reflection leaves it as it is."""),
    ):
        d.step(name, Equal(kept(function), moments[moment]), why, uses=["the ends of the interval"])
    d.step(
        "mass dropped",
        Equal(Integral(DENSITY, (h, -oo, oo)) - kept(S.One), moments[M0bar]),
        r"""$\bar M_0=1-M_0$.""",
        uses=["mass kept"],
    )


def _threshold(d, records):
    threshold, upper = records["optimal.threshold"], records["optimal.threshold_upper"]
    given = {room: ABOVE} | INTERVAL
    d.step(
        "slope of what is dropped",
        Equal(-depth * Derivative(Outside(z, u), depth), reach / 2 * boundary(z, u)),
        r"""The half-width grows as the square root of the room, which grows as $\ell_0$: in $\log\ell_0$ the half-width
        has the slope $Lu/2$, with $L=\ell_0/\ell_+$.""",
        uses=["mass dropped"],
        given=FREE | given | {reach: depth / room},
    )
    d.step(
        "slope of the reach",
        Equal(depth * Derivative(depth / room, depth), reach * (1 - reach)),
        r"""For the slope of the slope.""",
        uses=["slope of what is dropped"],
        given={room: ABOVE, reach: depth / room},
    )
    d.step(
        "features without room",
        Equal(Outside(z, u), S.One),
        r"""Where $\ell_0-t_0+\Lambda B^2$ is negative the interval is empty: everything is dropped, at any depth
        nearby, and the slope is zero.""",
        uses=["by the depth", "mass dropped"],
        given=FREE | INTERVAL | {room: has_room * ABOVE, has_room: S.Zero},
    )
    d.registered(
        threshold,
        Equal(E(Outside(z, u)), 1 - alpha),
        r"""The dropped fraction is $1-\alpha$. The solver's terms are slopes in $\log\ell_0$ at a given
        $1_{\ell_+>0}$, which is constant but where a room begins; there the dropped fraction is continuous.""",
        uses=["optimal.has_room", "slope of what is dropped", "slope of the reach", "features without room"],
        given=INTERVAL | {room: has_room * ABOVE, s: sqrt(Lambda) * tau},
    )
    d.step(
        "the spread of the gain",
        Equal(
            Lambda * (B - (Lambda * B + sqrt(kappa * gamma * Lambda) * H) / (Lambda + D * nu)) ** 2,
            (sqrt(Lambda) * abar * B - s * H) ** 2,
        ),
        r"""The registered $\varsigma=\sqrt\Lambda\tau$ and $\bar a$ are those of the interval.""",
        uses=[threshold.id],
        given=threshold.where,
    )
    d.step(
        "what is kept grows",
        Less(S.Zero, Derivative(Inside(z, u), depth)),
        r"""In the depth, of every feature that has room: the normal density is positive everywhere.""",
        uses=["slope of what is dropped"],
        given=FREE | INTERVAL | {room: depth},
    )
    d.step(
        "at the crest nothing is kept",
        Equal(Limit(Inside(width - shift, width), width, 0, "+"), S.Zero),
        r"""As $\ell_0\to0$ the room of every feature tends to zero, for $t_0$ the largest $\Lambda B^2$. From
        another $t_0$ the same threshold has a depth that is less by their difference.""",
        uses=["the ends of the interval"],
    )
    d.step(
        "far below it everything is kept",
        Equal(Limit(Inside(width - shift, width), width, oo), S.One),
        r"""So the fraction kept takes each value in $(0,1)$ exactly once.""",
        uses=["what is kept grows", "at the crest nothing is kept"],
    )
    d.step(
        "a narrower interval around zero",
        Less(S.Zero, Derivative(Inside(x, x + shift), shift)),
        r"""The interval with $z=x$ and $u=x+d$, where $d=\sqrt\Lambda\bar aB/\varsigma$, reaches from $-x-2d$ to $x$,
        so it keeps at least $P(|H|\le x)\ge1-e^{-x^2/2}$.""",
        uses=["mass kept"],
    )
    reached = crest - Lambda * B**2 + (s * (x + sqrt(Lambda) * abar * B / s)) ** 2
    d.step(
        "the depth of that interval",
        Roots(Equal(ABOVE, (s * (x + sqrt(Lambda) * abar * B / s)) ** 2), depth, (reached,)),
        r"""This depth makes $u=\sqrt{\ell_+}/\varsigma=x+d$.""",
        uses=["a narrower interval around zero"],
        given=FREE,
    )
    d.step(
        "the level of the bound",
        Equal(1 - exp(-(x**2) / 2), alpha),
        r"""With this $x$, at least $\alpha$ of a kind is kept there.""",
        uses=["a narrower interval around zero"],
        given={x: sqrt(2 * log(1 / (1 - alpha)))},
    )
    d.registered(
        upper,
        reached,
        r"""At the largest of these at least $\alpha$ of every kind is kept, so the depth sought is at most that.""",
        uses=["the depth of that interval", "the level of the bound", "what is kept grows"],
        given={s: sqrt(Lambda) * tau, x: sqrt(2 * log(1 / (1 - alpha)))},
        relation="<=",
    )
    d.step(
        "the upper bound holds",
        Less(Outside(x, x + shift), exp(-(x**2) / 2)),
        r"""What is dropped of a kind there, with $1-\alpha=e^{-x^2/2}$.""",
        uses=[upper.id],
        check=Enclosed(),
    )


def _better(d):
    # keeping costs t = Lambda B^2 - room at the margin; the best rule has the interval of that room
    spread = {s: sqrt(Lambda) * tau}
    best = tuple(MOMENTS[moment] for moment in (M0, M1, M2c))
    margin = Lambda * B**2 - room
    by_rule = {
        "magnitude or Hessian": (Outside(width - a * B / tau, width), *_edges(width - a * B / tau, width)),
        "random": (part, S.Zero, S.Zero),
    }
    d.step(
        "the margin of the interval",
        Equal(loss(best) + margin * M0, Lambda * B**2 - kept(Lambda * (B**2 - (B - a * B - tau * h) ** 2) - margin)),
        r"""What a feature adds to the risk, by the moments, and by quadrature of the gain beyond $t$ over what is kept;
        the price $t=\Lambda B^2-\ell_+$ is put on keeping it.""",
        uses=["mass kept", "first moment kept", "second moment kept"],
        given={M0: MOMENTS[M0]},
    )
    for name, moments in by_rule.items():
        d.step(
            f"at least as good as {name}",
            Less(loss(best) + margin * MOMENTS[M0], loss(moments) + margin * moments[0], strict=False),
            r"""At any threshold of the other rule, and any price. With the same budget the prices are the same.""",
            uses=["no rule gains more", "the margin of the interval"],
            check=Enclosed(),
            given={Lambda: Lambda, gamma: gamma} | INTERVAL | spread,
            assuming=[
                Less(S.Zero, Lambda),
                Less(S.Zero, room),
                Less(a * B, 9 * tau),
                Less(sqrt(room), 9 * sqrt(Lambda) * tau),
            ],
        )


def _edges(upper, half):
    return edge_drop(upper, half), edge_moment(upper, half)


def _rescaled(d, records):
    mean = believed(lambda true: true)
    d.step(
        "the best value is the posterior mean",
        Equal(
            believed(lambda true: (true - value) ** 2),
            believed(lambda true: true**2) - mean**2 + (value - mean) ** 2,
        ),
        r"""Given what the rule sees, a kept feature adds $\Lambda E[(b-v)^2]$ to the risk, which is least at
        $v=\hat B$, and then by $\Lambda\hat B^2$ less than that of a dropped one.""",
    )
    d.step(
        "what is put in",
        Equal((1 - MASK) * B**2 + MASK * (B**2 - told**2), B**2 - (MASK * told) ** 2 + MASK * (MASK - 1) * told**2),
        r"""The last term vanishes because $S$ is 0 or 1. So with $\hat BS$ in place of its coefficient a feature adds
        the mean of $\Lambda(B^2-(\hat BS)^2)$.""",
        uses=["the best value is the posterior mean"],
    )
    d.registered(
        records["optimal.rescaled_risk"],
        sigma2 + E(Lambda * (B - put) ** 2),
        r"""$P$ is what the coefficients put in miss of the true ones. By the same exchange, the best rule keeps where
        $\Lambda\hat B^2$ is largest.""",
        uses=["what is put in", "no rule gains more"],
        given={lost: E(Lambda * (B - put) ** 2)},
    )
    d.registered(
        records["optimal.lost"],
        E(Lambda * B**2 * M0bar),
        r"""Where $(\Lambda,D)$ tells $B$, $\hat B=B$ is put in where it is kept.""",
        uses=["optimal.rescaled_risk"],
    )
    # In the units of the iteration, G1 being the noise of the fit.
    unit = sqrt(Lambda / kappa)
    response = E(unit * put * G1) / gamma
    meant = {echo: E(sqrt(Lambda / gamma) * G1 * put), cross: E(Lambda * (B - X) * put)}
    d.step(
        "the noise of the fit",
        Equal(unit * X, a * (unit * B + sqrt(gamma) * H)),
        r"""In the units $\sqrt{\Lambda/\kappa}$ of the iteration, the fit sees the coefficients through the noise
        $G_1=\sqrt\gamma H$.""",
        given={X: a * B + tau * H},
    )
    d.step(
        "the response",
        Equal(kappa * response, sqrt(kappa / gamma) * echo),
        r"""In $f=\sqrt{\Lambda/\kappa}\,\hat BS$, of what is kept to that noise: $b_S=E[fG_1]/\gamma$.""",
        uses=["the noise of the fit"],
        given=meant,
    )
    d.step(
        "what the fit misses of the truth",
        Equal(E(Lambda * (B - X) * B), E(Lambda * B**2 * abar)),
        r"""As $B-X=\bar aB-\tau H$ and $E[H]=0$.""",
        given={X: a * B + tau * H},
    )
    overlap = sigma2 + E(Lambda * B**2 * abar) - kappa * E(unit * (B - X) * unit * put)
    d.registered(
        records["optimal.rescaled_training_error"],
        risk - 2 * kappa * response * overlap + kappa**2 * response**2 * gamma,
        r"""The training error is $\Gamma_{ff}-2\kappa b_S\Gamma_{1f}+\kappa^2b_S^2\gamma$ (see the derivation of
        training errors), with $\Gamma_{ff}=R$ and $\Gamma_{1f}=\sigma^2+E[\Lambda(B-X)(B-\hat BS)]$.""",
        uses=["optimal.rescaled_risk", "the response", "what the fit misses of the truth"],
        given=meant,
    )
    d.registered(
        records["optimal.cross"],
        E(Lambda * B * (abar * B * M0 - tau * M1)),
        r"""With $\hat B=B$, as $B-X=\bar aB-\tau H$.""",
        uses=["optimal.lost", "what the fit misses of the truth"],
    )
    d.registered(
        records["optimal.echo"],
        E(sqrt(Lambda) * B * M1),
        r"""With $\hat B=B$.""",
        uses=["optimal.lost"],
    )
    d.step(
        "a ranking has no echo",
        Equal(records["optimal.rescaled_training_error"].statement, risk),
        r"""Where $(\Lambda,D)$ tells $B$ the rule is a ranking of the features that does not see $H$, $M_1=0$. So its
        training error is its test risk: what it keeps does not know the sample.""",
        uses=["optimal.rescaled_training_error", "optimal.echo"],
        given={echo: E(sqrt(Lambda) * B * M1), M1: S.Zero},
    )
