"""Retraining on a fresh sample, and the small model told the largest coefficients, in a generic basis.

Masks that look at something the second sample does not know: the dense fit to another sample, or the truth. The second
fit finds what is left of the truth when a multiple of that vector is taken away. Read from top to bottom.
"""

from sympy import Integral, Symbol, exp, oo, pi, sqrt

from riskcalc.derivation.algebra import as_positive
from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, UNIT, law_symbol, scalar
from riskcalc.theory.generic_symbols import (
    alphabar,
    echo_norm,
    eta,
    g,
    k,
    kbar,
    loss,
    norm,
    product,
    refound_excess,
    resistance,
    sight,
    spreading,
    u,
    unused,
)
from riskcalc.theory.generic_symbols import e12 as bend
from riskcalc.theory.generic_symbols import reached as o
from riskcalc.theory.generic_symbols import refound as found
from riskcalc.theory.generic_symbols import shrunk as pi_b
from riskcalc.theory.symbols import (
    B,
    D,
    Lambda,
    a,
    a2,
    a2bar,
    abar,
    alpha,
    gamma,
    kappa,
    nu,
    nu2,
    retrained_risk,
    ridge2,
    sigma2,
)

h = Symbol("h", real=True)  # a value of a standard normal variable, integrated over
psi = scalar("psi", "ridge of a fit to all features that stands in for the mask", POSITIVE, r"\psi")
level = scalar("level", "an eigenvalue of the sample's matrix", POSITIVE, r"\ell_i")
truth = scalar("truth", "the true coefficients' coordinate along its eigenvector", REAL, r"\beta^*_i")
vector = scalar("vector", "that of the vector", REAL, "v_i")
noise = scalar("noise_coordinate", r"that of $X^\top$ times the noise, over $n$", REAL, "e_i")
misfit = scalar("refit_error", "training error of the second fit", NONNEGATIVE, "T_2")
deviation = law_symbol("deviation", "standard deviation of the vector's noise in a feature", NONNEGATIVE, r"\tau_v")
shrink = law_symbol("shrink", "multiple of the truth in the vector", UNIT, "a_v")
# Products in a feature, over all that is random in it: of the vector with the truth, and with itself.
truth_left = law_symbol("truth_left", "what is left of the truth", REAL, "B'")
Y = law_symbol("Y", "mean product of the vector with the truth", REAL, "Y")
X2 = law_symbol("X2", "mean square of the vector", POSITIVE, "X_2")

FIT = {Y: a * B**2, X2: a**2 * B**2 + kappa * gamma * Lambda / (Lambda + D * nu) ** 2}
TRUTH = {Y: B**2, X2: B**2}

g1 = E(1 / (Lambda + nu2))
e12 = nu2 * E(Lambda / (Lambda + nu2) ** 2)
LOSS = (1 - alpha) * nu2 * bend / (g * (alpha - E(a2)) * (eta + kappa * bend) + (1 - alpha) * eta * bend)
LEFT = B**2 - 2 * u * Y + u**2 * X2
FOUND = (sigma2 + E(Lambda * (1 - a2) ** 2 * LEFT)) / (1 - kappa * E(a2**2))
OVERLAP = E(a2 * Y) + u * E((1 - a2) * X2)
SQUARE = E(a2**2 * B**2 + 2 * u * a2 * (1 - a2) * Y + u**2 * (1 - a2) ** 2 * X2)
SQUARE += kappa * found * E(Lambda / (Lambda + nu2) ** 2)
UNSEEN = (k - alpha) / k
WEIGHT = UNSEEN * o / (1 - E(a2) - UNSEEN * (1 - pi_b))
ECHO = SQUARE - UNSEEN / (1 - alpha) * OVERLAP**2 / E(X2)


SLACK = 1 - kappa * E(Lambda / (Lambda + nu2))
COMPLEMENTS = {eta: SLACK, abar: 1 - a, a2bar: 1 - a2, bend: E(a2 * (1 - a2))}
MEANT = {kbar: 1 - k, alphabar: 1 - alpha, sight: k - alpha, unused: alpha - E(a2)}

_WHY = {
    "reached": r"""This is $o$.""",
    "shrunk": r"""This is $\pi$.""",
    "resistance": r"""By what the weight is divided, times $k$.""",
    "weight": r"""So $u$ is this.""",
    "refound": r"""The risk $\gamma'$ of the ridge fit to what is left.""",
    "refound_excess": r"""What of it is not the noise itself.""",
    "norm": r"""The fit and the noise of the ridge fit.""",
    "product": r"""This is $\ell E[X_2]$.""",
    "echo_norm": r"""This is $v$.""",
    "risk": r"""The echo has no direction, so it adds to the risk.""",
    "excess_risk": r"""Without the noise itself.""",
    "training_error": r"""With $\psi=\eta\omega$.""",
}

# Where laws may divide by their means: the boundary follows by continuity.
POSITIVE_LAW = {symbol: as_positive(symbol) for symbol in (Lambda, B, gamma, nu, nu2, k, alphabar)}


def training(square, product):
    """The training error, by the mean square of the fit but for the echo and its mean product with the vector."""
    return eta**2 * found + psi * (square - u * product) - ridge2 * (square + spreading * echo_norm)


def everywhere(function):
    """The mean of a function of a standard normal variable."""
    return Integral(function * exp(-(h**2) / 2) / sqrt(2 * pi), (h, -oo, oo))


def derivation(records):
    """Second fits to samples that the mask does not know, in a generic basis."""
    d = Derivation(
        title="Retraining on a fresh sample in a generic basis",
        statement=r"""A mask looks at a vector $v$ that a second sample knows nothing of but the truth in it, and
        keeps the fraction $\alpha$ of the features with the share $k$ of its square. In the eigenvectors of
        $\Sigma$ let $Y$ be the mean product of $v$ with the truth and $X_2$ its mean square,
        $b=\Lambda/(\Lambda+\omega)$, $\zeta=(k-\alpha)/k$, $o=E[bY]/E[X_2]$ and $\pi=E[bX_2]/E[X_2]$. The ridge fit
        to what is kept has the test risk $\gamma'+\delta v$, with $u=\zeta o/(1-E[b]-\zeta(1-\pi))$,
        $\gamma'=(\sigma^2+E[\Lambda(1-b)^2(B^2-2uY+u^2X_2)])/(1-\kappa E[b^2])$ and $v$ as below. Retraining on a
        fresh sample is the case of the dense fit, $Y=aB^2$ and $X_2=a^2B^2+\kappa\gamma\Lambda/(\Lambda+\nu)^2$;
        the small model told the largest coefficients that of the truth, $Y=X_2=B^2$.""",
        assumptions=r"""As for the second fit under a mask in general position (there). $v$ is independent of the
        second sample.""",
        cited=r"""The theorem on the second fit under a mask in general position, and the law of a ridge fit, which
        holds for any true coefficients.""",
        where={a: Lambda / (Lambda + D * nu), a2: Lambda / (Lambda + nu2)},
    )
    _law(d, records)
    _weight(d)
    _errors(d)
    _oracle(d)
    for name, products in (("", FIT), ("oracle_", TRUTH)):
        _registered(d, records, f"generic_fresh.{name}", products)
    return d


def _law(d, records):
    seen = shrink * B + deviation * h
    products = {Y: shrink * B**2, X2: shrink**2 * B**2 + deviation**2}
    d.step(
        "what is left of the truth",
        Equal(
            (level * truth + noise + u * psi * vector) / (level + psi),
            (level * (truth - u * vector) + noise) / (level + psi) + u * vector,
        ),
        r"""The second fit is $(G+\psi)^{-1}(g+\theta v+\zeta)$ with $g=G\beta^*+X^\top e/n$, $e$ being the noise.
        In an eigenvector of $G$, with $u=\theta/\psi$: a multiple of $v$, and the ridge fit, with the ridge $\psi$,
        to a sample whose truth is $\beta^*-uv$.""",
    )
    d.step(
        "its square",
        Equal(everywhere((B - u * seen) ** 2), LEFT),
        r"""$v$ is a multiple of the truth and Gaussian noise in each feature.""",
        uses=["what is left of the truth"],
        given=products,
    )
    d.step(
        "the risk of finding it",
        Equal(records["dense.risk"].statement.xreplace({a: a2, B: truth_left}), FOUND),
        r"""The risk of a ridge fit knows its truth through its square, feature by feature. The effective ridge of
        $\psi=\eta\omega$ is $\omega$.""",
        uses=["its square"],
        given={Y: Y, X2: X2, truth_left: sqrt(LEFT)},
    )
    fitted = a2 * (B - u * seen) + u * seen
    d.step(
        "the product of the second fit and the vector",
        Equal(everywhere(fitted * seen), a2 * Y + u * (1 - a2) * X2),
        r"""The ridge fit is $b$ times its truth and noise that is independent of $v$, and the echo has no
        direction.""",
        uses=["what is left of the truth"],
        given=products,
    )
    d.step(
        "the square of the second fit",
        Equal(everywhere(fitted**2), a2**2 * B**2 + 2 * u * a2 * (1 - a2) * Y + u**2 * (1 - a2) ** 2 * X2),
        r"""But for that noise, whose variance is $\kappa\gamma'\Lambda/(\Lambda+\omega)^2$, and for the echo.""",
        uses=["what is left of the truth"],
        given=products,
    )


def _weight(d):
    d.step(
        "the weight of the vector",
        Roots(Equal((k - alpha) * (o + u * (1 - pi_b)), k * u * (1 - E(a2))), u, (WEIGHT,)),
        r"""What the mask knows of its vector is $(k-\alpha)\ell=k\theta\bar g$. With $\theta=u\psi$ the right side
        is $ku(1-E[b])$, as $\psi\bar g=\omega E[1/(\Lambda+\omega)]=1-E[b]$; and $\ell=o+u(1-\pi)$. One linear
        equation for $u$.""",
        uses=["the product of the second fit and the vector"],
    )
    d.step(
        "in one mean of the law each",
        Equal(OVERLAP, (o + u * (1 - pi_b)) * E(X2)),
        r"""With $o=E[bY]/E[X_2]$ and $\pi=E[bX_2]/E[X_2]$.""",
        uses=["the weight of the vector"],
        given={o: E(a2 * Y) / E(X2), pi_b: E(a2 * X2) / E(X2)},
    )


def _errors(d):
    seen = shrink * B + deviation * h
    fitted = a2 * (B - u * seen) + u * seen
    d.step(
        "the ridge fit's product with the second fit",
        Equal(everywhere(a2 * (B - u * seen) * fitted), everywhere(fitted**2) - u * everywhere(fitted * seen)),
        r"""But for the noise of the ridge fit. So it is $N-u\ell E[X_2]$, where $N$ is the mean square of the
        second fit but for the echo and $\ell E[X_2]=E[bY]+uE[(1-b)X_2]$ its mean product with the vector.""",
        uses=["the square of the second fit", "the product of the second fit and the vector"],
    )
    d.step(
        "the training error",
        Roots(
            Equal(eta**2 * found + psi * (SQUARE - u * OVERLAP), misfit + ridge2 * (SQUARE + spreading * echo_norm)),
            misfit,
            (training(SQUARE, OVERLAP),),
        ),
        r"""The residual's product with $y$ over $n$, twice. The residual is that of the ridge fit but for the echo,
        whose part tends to zero, and the target is that of the ridge fit and $uXv$. Its product with the former is
        the training error $\eta^2\gamma'$ of the ridge fit and $\psi$ times the square of this fit, and that with
        $uXv$ is $\psi$ times the product of $uv$ with it, by stationarity. On the other side it is the training
        error of the second fit and $\lambda_2$ times the square of that.""",
        uses=["the ridge fit's product with the second fit", "the risk of finding it"],
    )


def _oracle(d):
    d.step(
        "told the truth",
        Equal(SQUARE, E((u + (1 - u) * a2) ** 2 * B**2) + kappa * found * E(Lambda / (Lambda + nu2) ** 2)),
        r"""Where the mask looks at the truth, what is left of it is a share $1-u$.""",
        uses=["the square of the second fit"],
        given=TRUTH,
    )
    known = {k: alpha / (1 - u * (1 - E(a2)) / (o + u * (1 - o))), o: E(a2 * B**2) / E(B**2)}
    least_squares = {alpha: E(a2), eta: 1 - kappa * E(a2)}
    d.step(
        "told the truth, by least squares",
        Equal(found + LOSS * echo_norm, (sigma2 + (1 - u) * nu2 * E(a2 * B**2)) / (1 - kappa * alpha)),
        r"""Without a ridge, and with fewer features kept than samples, $E[b]=\alpha$ and $\eta=1-\kappa\alpha$. The
        equation for $u$ enters solved for $k$.""",
        uses=["told the truth", "the weight of the vector"],
        given=TRUTH | known | least_squares | {found: FOUND, echo_norm: ECHO, g: nu2 * g1, bend: e12},
    )


def _registered(d, records, own, products):
    given = POSITIVE_LAW | products
    risk = found + loss * echo_norm
    left = (sigma2 + E(Lambda * (1 - a2) ** 2 * LEFT.xreplace(products))) / (eta + kappa * bend)
    steps = (
        ("reached", E(a2 * Y) / E(X2), "the weight of the vector", {}),
        ("shrunk", E(a2 * X2) / E(X2), "the weight of the vector", {}),
        ("resistance", k * (1 - E(a2)) - (k - alpha) * (1 - pi_b), "the weight of the vector", MEANT),
        (
            "weight",
            (k - alpha) * o / resistance,
            f"{own}resistance",
            {resistance: as_positive(resistance), sight: k - alpha},
        ),
        ("refound", FOUND, "the risk of finding it", COMPLEMENTS),
        ("refound_excess", found - sigma2, f"{own}refound", COMPLEMENTS | {found: left}),
        ("norm", SQUARE, "the square of the second fit", {}),
        ("product", OVERLAP, "the product of the second fit and the vector", {}),
        ("echo_norm", norm - UNSEEN / (1 - alpha) * product**2 / E(X2), f"{own}product", MEANT),
        ("risk", risk, f"{own}echo_norm", {}),
        ("excess_risk", risk - sigma2, f"{own}risk", {retrained_risk: risk, refound_excess: found - sigma2}),
        ("training_error", training(norm, product), "the training error", {psi: eta * nu2}),
    )
    for name, derived, behind, also in steps:
        d.registered(records[f"{own}{name}"], derived, _WHY[name], uses=[behind], given=given | also)
