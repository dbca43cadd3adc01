"""Test risk after pruning, without retraining: one formula for every policy, seen through the moments of its mask."""

from sympy import Integral, Limit, S, Symbol, erf, exp, oo, pi, sqrt

import riskcalc as rc
from riskcalc.derivation.checks import Sampled, Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import top
from riskcalc.formulas.symbols import REAL, H, LawSymbol, law_symbol
from riskcalc.formulas.symbols import S as MASK
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
    gamma,
    kappa,
    m,
    nu,
    omega,
    part,
    partbar,
    s,
    score,
    sigma2,
    t,
    tau,
    u,
    z,
)

h = Symbol("h", real=True)  # a value of the standard normal variable, integrated over
miss = law_symbol("miss", "what a coefficient misses of the true one", REAL, "e")
others = law_symbol("others", "part of an error of prediction that other features and the noise make", REAL, "c")


def density(point):
    """The standard normal density."""
    return exp(-(point**2) / 2) / sqrt(2 * pi)


def distribution(point):
    """The standard normal distribution function."""
    return (1 + erf(point / sqrt(2))) / 2


# The moments of each kind of mask.
THRESHOLD = {
    M0: 1 - distribution(z) + distribution(z - 2 * u),
    M0bar: distribution(z) - distribution(z - 2 * u),
    M1: density(z) - density(z - 2 * u),
    M2c: z * density(z) - (z - 2 * u) * density(z - 2 * u),
    u: t / s,
    z: t / s - m / s,
}
SCORE = {m: omega * a * B, s: omega * tau}
RANKING = {M0: top(score, t, part), M0bar: top(-score, -t, 1 - part), M1: S.Zero, M2c: S.Zero}
RANDOM = {M0: alpha, M0bar: 1 - alpha, M1: S.Zero, M2c: S.Zero}
EVERYTHING = {M0: S.One, M0bar: S.Zero, M1: S.Zero, M2c: S.Zero}

LAW = {X: a * B + tau * H}
LIVE = {Lambda: LawSymbol("Lambda", positive=True)}

# What one feature adds to the risk, and what all of them do.
LOSS = Lambda * (B**2 * M0bar + ((1 - a) ** 2 * B**2 + tau**2) * M0 - 2 * (1 - a) * B * tau * M1 + tau**2 * M2c)
RISK = sigma2 + E(LOSS)
DENSE = sigma2 + E(Lambda * B**2 * (1 - a) ** 2) + kappa * gamma * E(a**2)
NULL = sigma2 + E(Lambda * B**2)


def derivation(records):
    """The risk of pruned fits."""
    d = Derivation(
        title="Pruning without retraining",
        statement=r"""Fit $\hat\beta$ as in ridge regression, keep the coefficients whose mask $S$ is 1, and set the
        others to zero, without fitting again. As $n,p\to\infty$ with $p/n\to\kappa$ the test risk tends to
        $R=\sigma^2+E[\Lambda(B-SX)^2]$ with $X=aB+\tau H$, which is $\sigma^2$ plus the mean of
        $\Lambda(B^2\bar M_0+((1-a)^2B^2+\tau^2)M_0-2(1-a)B\tau M_1+\tau^2M_2^\circ)$. It knows the policy through the
        moments $M_0=E[S]$, $\bar M_0=1-M_0$, $M_1=E[HS]$ and $M_2^\circ=E[(H^2-1)S]$ of its mask alone, the means
        being taken given the feature.""",
        assumptions=r"""The covariance of the features is diagonal and the mask of a feature depends on the sample only
        through its own fitted coefficient, its kind and a common threshold. Features are Gaussian; their law is as in
        the derivation of ridge regression. Noisy scores are thresholded among features of positive variance only,
        with $\gamma>0$; the others add nothing to the risk.""",
        cited=r"""The law of the coefficients (see the derivation of ridge regression), in the sense that the empirical
        distribution of the coefficients, features and masks converges with its second moments (Chang, Li, Oymak and
        Thrampoulidis, 2021, Theorem 2): it turns the sum over features into a mean. Their masks have jumps, but $X$
        has a density, so a jump has probability zero. The simulation at the end supports this for every policy.""",
        where={a: Lambda / (Lambda + D * nu), tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu)},
    )
    _any_mask(d, records)
    _limits(d, records)
    _policies(d, records)
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks of magnitude, Hessian, oracle and random pruning tend to these constants.""",
        r"""Three kinds of features, $\kappa=2$, a quarter of the features kept.""",
        Simulated(
            rc.LinearGaussian(
                aspect_ratio=2,
                eigenvalues=[4, 1, "1/4"],
                signal=[1, "3/2", "1/2"],
                weights=["1/4", "1/4", "1/2"],
                noise_variance="1/2",
            ),
            (rc.Magnitude(keep="1/4"), rc.Hessian(keep="1/4"), rc.Oracle(keep="1/4"), rc.Random(keep="1/4")),
            tolerance=0.05,
        ),
        uses=["pruning.magnitude_risk", "pruning.hessian_risk", "pruning.ranking_risk", "pruning.random_risk"],
    )
    return d


def _any_mask(d, records):
    d.step(
        "errors of features add up",
        Equal(
            Integral((others + sqrt(Lambda) * h * miss) ** 2 * density(h), (h, -oo, oo)),
            others**2 + Lambda * miss**2,
        ),
        r"""The error of a prediction at a new point is $\sigma$ times a standard normal variable, plus a
        $\sqrt\Lambda he$ for every feature, where $e=(B-SX)/\sqrt p$ is what its coefficient misses and the $h$ are
        independent and standard normal. Taking the mean over one $h$ after the other, the noise leaves $\sigma^2$ and
        each feature $\Lambda e^2$. Their sum tends to $R=\sigma^2+E[\Lambda(B-SX)^2]$.""",
    )
    d.step(
        "a coefficient is dropped or kept",
        Equal((B - MASK * X) ** 2, (1 - MASK) * B**2 + MASK * (B - X) ** 2 + MASK * (MASK - 1) * X**2),
        r"""The last term vanishes because $S$ is 0 or 1: a dropped coefficient misses $B$, a kept one $B-X$.""",
        uses=["errors of features add up"],
    )
    d.step(
        "what a kept coefficient misses",
        Equal((B - X) ** 2, (1 - a) ** 2 * B**2 + tau**2 - 2 * (1 - a) * B * tau * H + tau**2 * (H**2 - 1)),
        r"""Since $B-X=(1-a)B-\tau H$. The mean of $1$, $H$ and $H^2-1$ times $S$ over $H$ is $M_0$, $M_1$ and
        $M_2^\circ$, that of $1-S$ is $\bar M_0=1-M_0$.""",
        uses=["a coefficient is dropped or kept"],
        given=LAW,
    )
    d.registered(
        records["pruning.risk"],
        RISK,
        r"""The two cases, averaged over $H$ and the mask: this is the risk behind any policy. It is written in the
        small numbers $1-a$ and $\bar M_0$, so that it keeps its digits where the fit is good and little is dropped.""",
        uses=["a coefficient is dropped or kept", "what a kept coefficient misses"],
        given={M0bar: 1 - M0},
    )
    missed = E(Lambda * ((1 - a) ** 2 * B**2 * M0 - 2 * (1 - a) * B * tau * M1 + tau**2 * (M0 + M2c)))
    d.step(
        "misfit and the error in what is kept",
        Equal(RISK - sigma2, E(Lambda * B**2 * M0bar) + missed),
        r"""Beyond the noise, the risk is the signal of the features dropped, $E[(1-S)\Lambda B^2]$, plus the error in
        the coefficients kept, $E[S\Lambda(B-X)^2]$.""",
        uses=["a coefficient is dropped or kept", "pruning.risk"],
        given={M0bar: 1 - M0},
    )
    d.step(
        "the error in what is kept",
        Equal(E(MASK * Lambda * (B - X) ** 2), missed),
        r"""The second part, averaged over $H$ and the mask.""",
        uses=["what a kept coefficient misses", "misfit and the error in what is kept"],
        given=LAW,
    )
    d.registered(
        records["pruning.misfit"],
        E(Lambda * B**2 * M0bar),
        r"""The first part, averaged over the mask.""",
        uses=["misfit and the error in what is kept"],
        given={M0bar: 1 - M0},
    )
    kept = a * B * M0 + tau * M1
    kept_square = (a * B) ** 2 * M0 + 2 * a * B * tau * M1 + tau**2 * (M0 + M2c)
    d.step(
        "the risk in plain moments",
        Equal(RISK, sigma2 + E(Lambda * (B**2 - 2 * B * kept + kept_square))),
        r"""The square multiplied out, with $E[SX]=aBM_0+\tau M_1$ and $E[SX^2]=a^2B^2M_0+2aB\tau M_1+\tau^2M_2$,
        where $M_2=M_0+M_2^\circ$. It is the same number, but its terms cancel where the fit is good.""",
        uses=["pruning.risk"],
        given={M0bar: 1 - M0},
    )


def _limits(d, records):
    d.step(
        "keep everything",
        Equal(RISK, DENSE),
        r"""With $M_0=1$ and $\bar M_0=M_1=M_2^\circ=0$; here $\Lambda\tau^2=\kappa\gamma a^2$.""",
        uses=["pruning.risk"],
        given=EVERYTHING,
    )
    d.step(
        "that is the dense risk",
        Roots(Equal(gamma, DENSE), gamma, (records["dense.risk"].statement,)),
        r"""The dense risk $\gamma$ is the only number that equals this expression.""",
        uses=["keep everything"],
    )


def _policies(d, records):
    d.registered(
        records["pruning.magnitude_risk"],
        RISK,
        r"""Magnitude pruning drops $H$ between $z-2u$ and $z$, with $\omega=1$ (see the derivation of masks).""",
        uses=["pruning.risk"],
        given=LIVE | THRESHOLD | SCORE | {omega: S.One},
    )
    d.registered(
        records["pruning.hessian_risk"],
        RISK,
        r"""Hessian pruning has $\omega=\sqrt\Lambda$.""",
        uses=["pruning.risk"],
        given=LIVE | THRESHOLD | SCORE | {omega: sqrt(Lambda)},
    )
    dropped, kept = B**2, (B - a * B - tau * h) ** 2
    dropping = Integral((dropped - kept) * density(h), (h, (-t - a * B) / tau, (t - a * B) / tau))
    magnitude = records["pruning.magnitude_risk"]
    d.step(
        "the closed form and quadrature",
        Equal(magnitude.statement, sigma2 + E(Lambda * ((1 - a) ** 2 * B**2 + tau**2 + dropping))),
        r"""Magnitude pruning by quadrature, at two random points with $t<5\tau$: where $|aB+\tau h|<t$, the squared
        error of the fit is replaced by $B^2$. Neither $z$ nor $u$ is used.""",
        uses=["pruning.magnitude_risk", "keep everything"],
        check=Sampled(points=2),
        given=magnitude.where | {a: a, tau: tau},
        assuming=[Less(t, 5 * tau)],
    )
    d.step(
        "a threshold of zero",
        Equal(RISK, DENSE),
        r"""It keeps everything, and the closed form agrees.""",
        uses=["pruning.magnitude_risk", "pruning.hessian_risk", "keep everything"],
        given=LIVE | THRESHOLD | {t: S.Zero},
    )
    d.step(
        "a high threshold",
        Equal(Limit(LOSS, t, oo), Lambda * B**2),
        r"""In the limit of high thresholds a feature adds to the closed form what it adds to the risk of predicting
        zero.""",
        uses=["pruning.magnitude_risk", "pruning.hessian_risk"],
        given=LIVE | THRESHOLD,
    )
    d.registered(
        records["pruning.ranking_risk"],
        RISK,
        r"""A ranking without noise keeps the features above its threshold and the fraction $\theta$ of those tied
        there, whatever their $H$: so $M_1=M_2^\circ=0$. It drops the fraction $\bar\theta=1-\theta$ of the tied.""",
        uses=["pruning.risk"],
        given=RANKING | {partbar: 1 - part},
    )
    d.registered(
        records["pruning.random_risk"],
        RISK,
        r"""Random pruning has $M_0=\alpha$ and $M_1=M_2^\circ=0$.""",
        uses=["pruning.risk"],
        given=RANDOM,
    )
    d.step(
        "random pruning lies on a line",
        Equal(RISK, alpha * DENSE + (1 - alpha) * NULL),
        r"""Its risk is the fraction $\alpha$ of the way from that of predicting zero to the dense risk.""",
        uses=["pruning.random_risk", "that is the dense risk"],
        given=RANDOM,
    )
