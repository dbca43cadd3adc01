"""Retraining on the same sample, of features in general position: ridge, dense and an echo.

The second fit is a mixture of two ridge fits to the same sample, of which one is the dense fit, plus the echo of the
mask. So its errors follow from those of pairs of ridge fits. Read from top to bottom.
"""

from sympy import Integral, Limit, S, Symbol, exp, oo, pi, sqrt

import riskcalc as rc
from riskcalc.derivation.algebra import as_positive
from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, UNIT, law_symbol, scalar
from riskcalc.theory.generic_symbols import (
    alphabar,
    echo_norm,
    eta,
    excess_ab,
    excess_bb,
    g,
    k,
    kbar,
    loss,
    norm,
    norm_aa,
    norm_ab,
    norm_bb,
    risk_ab,
    risk_bb,
    sight,
    spreading,
)
from riskcalc.theory.generic_symbols import blend as t
from riskcalc.theory.generic_symbols import e12 as bend
from riskcalc.theory.generic_symbols import overlap as o
from riskcalc.theory.generic_symbols import product as fits_product
from riskcalc.theory.symbols import (
    B,
    D,
    Lambda,
    W,
    a,
    a2,
    a2bar,
    abar,
    alpha,
    gamma,
    kappa,
    nu,
    nu2,
    q,
    r2,
    retrained_risk,
    ridge,
    ridge2,
    sigma2,
)

PROBLEM = rc.LinearGaussian(
    aspect_ratio="3/2",
    eigenvalues=[4, 1, "1/10"],
    signal=["1/2", 1, "3/2"],
    weights=["1/5", "1/2", "3/10"],
    noise_variance="3/10",
    ridge="1/5",
    basis="generic",
)

h, j = Symbol("h", real=True), Symbol("j", real=True)  # values of standard normal variables, integrated over
shift = scalar("ridge_shift", r"$(\lambda_2-\lambda)\bar g$: what a change of ridge does to that weight", REAL, r"\tau")
psi = scalar("psi", "ridge of a fit to all features that stands in for the mask", POSITIVE, r"\psi")
mean = scalar("mean_resolvent", r"mean eigenvalue of $(G+\psi)^{-1}$", POSITIVE, r"\bar g")
gone = scalar("gone", "share dropped of the square, over the share of features that is dropped", POSITIVE, "x")
extra = scalar("features_gone", "features dropped over features kept", POSITIVE, "z")
faint = scalar("faint", "share of the square that is dropped over the share that is kept", POSITIVE, "y")
beyond = scalar("beyond", r"$\kappa\alpha-1$", POSITIVE, r"\delta_\kappa")
level = scalar("level", "an eigenvalue of the sample's matrix", POSITIVE, r"\ell_i")
coordinate = scalar("coordinate", "the dense fit's coordinate along its eigenvector", REAL, r"\hat\beta_i")
target = scalar("mean_target", "mean square of the target", POSITIVE, r"\|y\|^2/n")
fitted = scalar("fitted_product", "mean product of target and fit", REAL, r"y^\top X\hat\beta/n")
size = scalar("fit_square", "mean square of the fit", POSITIVE, r"\|X\hat\beta\|^2/n")

# Two ridge fits to one sample: shrinkages, what each adds to the truth in a feature, and how these go together.
first = law_symbol("first_shrinkage", "shrinkage of one ridge fit", UNIT, "x")
second = law_symbol("second_shrinkage", "shrinkage of another", UNIT, "y")
deviation = scalar("one_deviation", "standard deviation of the noise of one", POSITIVE, "u")
rest = scalar("rest_deviation", "of the part of the other's noise that is not shared", POSITIVE, "w")
joint = scalar("joint", "covariance of the errors of two fits", REAL, r"\gamma_{xy}")

SLACK = 1 - kappa * E(Lambda / (Lambda + nu2))
g1 = E(1 / (Lambda + nu2))
e12 = nu2 * E(Lambda / (Lambda + nu2) ** 2)
SHORT = {g: nu2 * g1, bend: e12}
LOSS = (1 - alpha) * nu2 * bend / (g * (alpha - E(a2)) * (eta + kappa * bend) + (1 - alpha) * eta * bend)
BLEND = o * (k - alpha) / (o * (k - alpha) + alpha * (1 - k) + k * shift)
PLAIN_SQUARE = (1 - t) ** 2 * norm_bb + 2 * t * (1 - t) * norm_ab + t**2 * norm_aa
PLAIN_RISK = (1 - t) ** 2 * risk_bb + 2 * t * (1 - t) * risk_ab + t**2 * gamma
ECHO = PLAIN_SQUARE - (k - alpha) / (k * (1 - alpha)) * ((1 - t) * o + t) ** 2 * norm_aa
TRAINING = (1 - t) * (eta**2 * risk_bb + psi * norm_bb) + t * (q**2 * gamma + ridge * norm_aa)
TRAINING -= ridge2 * (PLAIN_SQUARE + spreading * echo_norm)

# Where laws may divide by their means: the boundary follows by continuity.
POSITIVE_LAW = {symbol: as_positive(symbol) for symbol in (Lambda, B, gamma, nu, nu2, eta, norm_aa, k, alphabar)}
COMPLEMENTS = {eta: SLACK, abar: 1 - a, a2bar: 1 - a2, bend: E(a2 * (1 - a2))}
MEANT = {kbar: 1 - k, alphabar: 1 - alpha, sight: k - alpha}


def everywhere(function, variable):
    """The mean of a function of a standard normal variable."""
    return Integral(function * exp(-(variable**2) / 2) / sqrt(2 * pi), (variable, -oo, oo))


def pair(x, y):
    """Covariance of the errors of the ridge fits with these shrinkages."""
    return (sigma2 + E(Lambda * B**2 * (1 - x) * (1 - y))) / (1 - kappa * E(x * y))


def product(x, y, x_ridge, y_ridge, covariance):
    """Mean product of their coefficients, those being of the effective ridges given."""
    return E(x * y * B**2) + kappa * covariance * E(Lambda / ((Lambda + x_ridge) * (Lambda + y_ridge)))


def derivation(records):
    """Retraining on the same sample in a generic basis."""
    d = Derivation(
        title="Retraining on the same sample in a generic basis",
        statement=r"""Of a ridge fit in a generic basis keep the fraction $\alpha$ of the features with the share
        $k$ of its square, and fit again on the same sample with the ridge $\lambda_2$. The second fit is
        $(1-t)\hat\beta_b+t\hat\beta+(G+\psi)^{-1}\zeta$, where $\hat\beta$ is the dense fit, $\hat\beta_b$ the
        ridge fit to all features with the ridge $\psi=\eta\omega$, and $\zeta$ an echo of the mask without
        direction. The weight is $t=o(k-\alpha)/(o(k-\alpha)+\alpha(1-k)+k\tau)$ with $o=N_{ab}/N_{aa}$ and
        $\tau=(\lambda_2-\lambda)E[1/(\Lambda+\omega)]/\eta$; and the risk is
        $(1-t)^2\gamma_{bb}+2t(1-t)\gamma_{ab}+t^2\gamma+\delta v$.""",
        assumptions=r"""As for the second fit under a mask in general position (there), whose vector is the dense
        fit here. $D=1$. $\lambda_2>0$; a second fit without a ridge is the limit $\lambda_2\to0$, away from
        $\kappa\alpha=1$.""",
        cited=r"""The theorem on the second fit under a mask in general position: its form, its overlap with the
        vector that the mask looks at, and what its echo adds. The law of a ridge fit; and that of two ridge fits to
        one sample, which see a feature as $W+G_x$ and $W+G_y$, with jointly Gaussian noises whose covariance is
        that of the errors of the two fits at a new point (as in the derivation of retraining).""",
        where={a: Lambda / (Lambda + D * nu), a2: Lambda / (Lambda + nu2)},
    )
    _pairs(d, records)
    _blend(d, records)
    _errors(d, records)
    _limits(d)
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks after retraining, in bases drawn uniformly, tend to these constants.""",
        r"""Three kinds of eigenvectors, half of the features kept by magnitude, and a second ridge of a twentieth of
        the first. On a fresh sample the risk would be a third larger.""",
        Simulated(PROBLEM, rc.Magnitude(keep="1/2"), rc.Retrain("1/100"), tolerance=0.08),
        uses=["generic_retraining.risk", "generic_retraining.blend"],
    )
    return d


def _pairs(d, records):
    noise, other = deviation * h, joint / deviation * h + rest * j
    product_of_errors = (W - first * (W + noise)) * (W - second * (W + other))
    d.step(
        "the errors of two ridge fits in a feature",
        Equal(
            everywhere(everywhere(product_of_errors, h), j),
            (1 - first) * (1 - second) * W**2 + first * second * joint,
        ),
        r"""The fits are $x(W+G_x)$ and $y(W+G_y)$, and the mean of $G_xG_y$ is $\gamma_{xy}$.""",
    )
    d.step(
        "two fits to one sample",
        Roots(
            Equal(joint, sigma2 + E(Lambda * B**2 * (1 - first) * (1 - second)) + kappa * E(first * second) * joint),
            joint,
            (pair(first, second),),
        ),
        r"""$\gamma_{xy}=\sigma^2+\kappa E[(W-V_x)(W-V_y)]$ with $\kappa W^2=\Lambda B^2$. It feeds back into
        itself, as the risk does.""",
        uses=["the errors of two ridge fits in a feature"],
    )
    d.step(
        "one of them twice",
        Equal(pair(first, second), records["dense.risk"].statement),
        r"""Then this is the test risk: $\gamma_{aa}=\gamma$, and $\gamma_{bb}$ is that of the ridge $\psi$, whose
        effective ridge is $\omega$.""",
        uses=["two fits to one sample"],
        given={first: a, second: a},
    )
    d.step(
        "the product of their coefficients",
        Equal(
            everywhere(everywhere(kappa / Lambda * first * (W + noise) * second * (W + other), h), j),
            first * second * B**2 + kappa * joint * first * second / Lambda,
        ),
        r"""A coefficient is $\sqrt{\kappa/\Lambda}$ times $x(W+G_x)$, so that
        $N_{xy}=E[xyB^2]+\kappa\gamma_{xy}E[xy/\Lambda]$.""",
        uses=["the errors of two ridge fits in a feature"],
        given={W: sqrt(Lambda / kappa) * B},
    )
    for name, x, y in (("bb", a2, a2), ("ab", a, a2)):
        d.registered(
            records[f"generic_retraining.risk_{name}"],
            pair(x, y),
            r"""The same.""",
            uses=["two fits to one sample", "one of them twice"],
            given=POSITIVE_LAW | {eta: SLACK},
        )
    d.registered(
        records["generic_retraining.norm_aa"],
        product(a, a, D * nu, D * nu, gamma),
        r"""Of the dense fit, this is $E[X^2]$.""",
        uses=["the product of their coefficients"],
        given=POSITIVE_LAW,
    )
    for name, x, beside, covariance in (("bb", a2, nu2, risk_bb), ("ab", a, D * nu, risk_ab)):
        d.registered(
            records[f"generic_retraining.norm_{name}"],
            product(x, a2, beside, nu2, covariance),
            r"""The same.""",
            uses=["the product of their coefficients"],
            given=POSITIVE_LAW,
        )
    for name, covariance in (("bb", risk_bb), ("ab", risk_ab)):
        risk = records[f"generic_retraining.risk_{name}"]
        d.registered(
            records[f"generic_retraining.excess_{name}"],
            covariance - sigma2,
            r"""What of it is not the noise itself.""",
            uses=[risk.id],
            given=POSITIVE_LAW | COMPLEMENTS | {covariance: risk.statement},
        )


def _blend(d, records):
    d.step(
        "ridge, dense and an echo",
        Equal(
            ((level + ridge) * coordinate + t * (psi - ridge) * coordinate) / (level + psi),
            (1 - t) * (level + ridge) * coordinate / (level + psi) + t * coordinate,
        ),
        r"""The second fit is $(G+\psi)^{-1}(g+\theta\hat\beta+\zeta)$, and $g=(G+\lambda)\hat\beta$ because
        $\hat\beta$ is a ridge fit. In an eigenvector of $G$, with $t=\theta/(\psi-\lambda)$: what multiplies $1-t$
        is $\hat\beta_b=(G+\psi)^{-1}g$, the ridge fit with the ridge $\psi$.""",
    )
    d.step(
        "its overlap with the dense fit",
        Equal((1 - t) * norm_ab + t * norm_aa, ((1 - t) * o + t) * norm_aa),
        r"""The echo has no direction, so $\ell=(1-t)o+t$.""",
        uses=["ridge, dense and an echo"],
        given={o: norm_ab / norm_aa},
    )
    d.step(
        "the weight of the dense fit",
        Roots(Equal((k - alpha) * ((1 - t) * o + t), k * mean * t * (psi - ridge)), t, (BLEND,)),
        r"""What the mask knows of its vector is $(k-\alpha)\ell=k\theta\bar g$. Here $\bar
        g(\psi-\lambda_2)=1-\alpha$ and $\tau=(\lambda_2-\lambda)\bar g$: one linear equation for $t$.""",
        uses=["its overlap with the dense fit"],
        given={psi: ridge2 + (1 - alpha) / mean, ridge: ridge2 - shift / mean},
    )
    d.registered(
        records["generic_retraining.overlap"],
        norm_ab / norm_aa,
        r"""This is $o$.""",
        uses=["its overlap with the dense fit"],
        given=POSITIVE_LAW,
    )
    d.registered(
        records["generic_retraining.blend"],
        BLEND.xreplace({k - alpha: sight, shift: (ridge2 - ridge) * g1 / eta}),
        r"""With $\bar g=E[1/(\Lambda+\omega)]/\eta$.""",
        uses=["the weight of the dense fit", "generic_retraining.overlap"],
        given=POSITIVE_LAW | {kbar: 1 - k, sight: as_positive(sight), o: as_positive(o)},
    )


def _errors(d, records):
    d.step(
        "the square of the second fit",
        Equal(PLAIN_SQUARE, norm_aa * ((1 - t) * o + t) ** 2 + (1 - t) ** 2 * (norm_bb - o**2 * norm_aa)),
        r"""But for the echo: along the dense fit, and beside it. The echo's variance is in proportion to $v$, this
        less $((k-\alpha)/(k(1-\alpha)))\ell^2N_{aa}$ (as there).""",
        uses=["its overlap with the dense fit"],
        given={norm_ab: o * norm_aa},
    )
    d.registered(
        records["generic_retraining.norm"],
        PLAIN_SQUARE,
        r"""This is $q$.""",
        uses=["the square of the second fit"],
    )
    d.registered(
        records["generic_retraining.product"],
        ((1 - t) * o + t) * norm_aa,
        r"""$\ell N_{aa}$.""",
        uses=["its overlap with the dense fit"],
        given={o: norm_ab / norm_aa},
    )
    d.registered(
        records["generic_retraining.echo_norm"],
        norm - (k - alpha) / (k * (1 - alpha)) * fits_product**2 / norm_aa,
        r"""And this is $v$.""",
        uses=["generic_retraining.norm", "generic_retraining.product"],
        given=POSITIVE_LAW | MEANT,
    )
    d.registered(
        records["generic_retraining.risk"],
        PLAIN_RISK + loss * echo_norm,
        r"""The errors of both fits at a new point, in the weights $1-t$ and $t$, and the echo.""",
        uses=["ridge, dense and an echo", "two fits to one sample", "generic_retraining.echo_norm"],
    )
    d.registered(
        records["generic_retraining.excess_risk"],
        PLAIN_RISK + loss * echo_norm - sigma2,
        r"""The weights add up to one.""",
        uses=["generic_retraining.risk", "generic_retraining.excess_bb", "generic_retraining.excess_ab"],
        given={
            retrained_risk: PLAIN_RISK + loss * echo_norm,
            excess_bb: risk_bb - sigma2,
            excess_ab: risk_ab - sigma2,
        },
    )
    d.step(
        "the training error of a ridge fit",
        Equal(target - fitted, (target - 2 * fitted + size) + ridge * norm_aa),
        r"""For a fit with the ridge $\lambda$ the residual's product with $X\hat\beta$ is
        $n\lambda\|\hat\beta\|^2$, $\hat\beta$ being stationary. So its product with $y$, over $n$, is the training
        error plus that: of the dense fit $q^2\gamma+\lambda N_{aa}$, of the ridge fit $\eta^2\gamma_{bb}+\psi
        N_{bb}$.""",
        uses=["ridge, dense and an echo"],
        given={fitted: size + ridge * norm_aa},
    )
    d.step(
        "the training error of the second fit",
        Roots(
            Equal(
                (1 - t) * (eta**2 * risk_bb + psi * norm_bb) + t * (q**2 * gamma + ridge * norm_aa),
                target + ridge2 * (PLAIN_SQUARE + spreading * echo_norm),
            ),
            target,
            (TRAINING,),
        ),
        r"""The residual's product with $y$ is linear in the fit, and the echo's part of it tends to zero. It is the
        training error plus $\lambda_2$ times the square of the second fit.""",
        uses=["the training error of a ridge fit", "the square of the second fit"],
    )
    d.registered(
        records["generic_retraining.training_error"],
        TRAINING,
        r"""The same.""",
        uses=["the training error of the second fit", "generic_retraining.norm"],
        given={psi: eta * nu2, norm: PLAIN_SQUARE},
    )


def _limits(d):
    plain = risk_bb + LOSS * product(a2, a2, nu2, nu2, risk_bb)
    small = (sigma2 + (1 - alpha) * r2 + alpha * r2 * nu**2 / (1 + nu) ** 2) / (1 - kappa * alpha / (1 + nu) ** 2)
    d.step(
        "a mask that does not look",
        Equal(BLEND, S.Zero),
        r"""With $k=\alpha$ there is no dense part: the second fit is a small model on features taken by chance, of
        the risk $\gamma_{bb}+\delta N_{bb}$.""",
        uses=["the weight of the dense fit"],
        given={k: alpha},
    )
    d.step(
        "features that are all alike",
        Equal(plain, small),
        r"""If $\Lambda=1$ for all, any basis is as good: the small model on features taken by chance is the dense
        fit of the kept ones, with the others as noise. Its shrinkage is $1/(1+\nu)$, and $b$ is $\alpha$ times
        that.""",
        uses=["a mask that does not look"],
        given=SHORT
        | {risk_bb: pair(a2, a2), Lambda: S.One, B: sqrt(r2)}
        | {nu2: (1 + nu) / alpha - 1, eta: 1 - kappa * alpha / (1 + nu)},
    )
    never = norm_aa * nu2 / (kappa - 1) * (1 - k) / k * kappa * alpha / (kappa * alpha - 1)
    exact = {kappa: 1 / E(a2)}
    d.step(
        "two interpolators",
        Equal((LOSS * echo_norm).xreplace(exact), never.xreplace(exact)),
        r"""Without ridges, and with more features kept than samples, $\eta=\psi=0$ and $\omega=\nu$: all ridge fits
        are the interpolator of least norm, and there is nothing beside the dense fit but the echo.""",
        uses=["the weight of the dense fit", "the square of the second fit"],
        given=SHORT | {echo_norm: ECHO, eta: S.Zero, nu: nu2, o: S.One, norm_bb: norm_aa, norm_ab: norm_aa},
    )
    d.step(
        "retraining an interpolator never beats it",
        Less(S.Zero, never),
        r"""With $\kappa\alpha=1+\delta_\kappa$, $\alpha=1/(1+z)$ and $k=1/(1+y)$, all of $\delta_\kappa$, $y$ and
        $z$ positive, what the echo adds to the dense risk is positive.""",
        uses=["two interpolators"],
        given={kappa: (1 + beyond) * (1 + extra), alpha: 1 / (1 + extra), k: 1 / (1 + faint)},
    )
    d.step(
        "small coefficients are dropped first",
        Equal(BLEND, o * (1 - gone) / (o * (1 - gone) + alpha * gone)),
        r"""With the same ridge again, $\tau=0$, and with $1-k=(1-\alpha)x$. For a mask that drops the smallest
        coefficients, $x$ tends to zero as $\alpha$ tends to one, and $t$ to one: nothing changes.""",
        uses=["the weight of the dense fit"],
        given={shift: S.Zero, k: 1 - gone * (1 - alpha)},
    )
    d.step(
        "keep everything, with another ridge",
        Equal(Limit(BLEND, alpha, 1, "-"), S.Zero),
        r"""With $\tau\ne0$ and $k=1$ no dense part is left: the second fit is the ridge fit. Its ridge $\psi$ is
        $\lambda_2$, as $\bar g(\psi-\lambda_2)=1-\alpha$.""",
        uses=["the weight of the dense fit"],
        given={k: S.One},
    )
