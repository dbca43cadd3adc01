"""A second fit to the features that a mask in general position keeps.

What the mask tells the fit and what the fit tells the mask are products of matrices that are free of each other, but
for the one vector that the mask looks at. That leaves two numbers, the fit's overlap with this vector and the variance
of an echo without direction. Read from top to bottom.
"""

from sympy import Derivative, Integral, S, Symbol, exp, oo, pi, sqrt

from riskcalc.derivation.algebra import as_positive
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive_root
from riskcalc.formulas.symbols import POSITIVE, REAL, H, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.generic_symbols import alphabar, eta, g, k, spare, unused
from riskcalc.theory.generic_symbols import e12 as bend
from riskcalc.theory.generic_symbols import m2 as rest_square
from riskcalc.theory.symbols import M0, M1, Lambda, M0bar, M2c, a2, alpha, kappa, nu2, ridge2

h = Symbol("h", real=True)  # a value of a standard normal variable, integrated over
psi = scalar("psi", "ridge of a fit to all features that stands in for the mask", POSITIVE, r"\psi")
mean = scalar("mean_resolvent", r"mean eigenvalue of $(G+\psi)^{-1}$", POSITIVE, r"\bar g")
square = scalar("square_resolvent", "mean square of its eigenvalues", POSITIVE, r"\bar g_2")
spread = scalar("spread_resolvent", r"$\mathrm{tr}\,\Sigma(G+\psi)^{-2}/p$", POSITIVE, r"\bar g_\Sigma")
trial = scalar("trial", "trial coefficient of a kept feature", REAL, "x")
told = scalar("message", "what the mask is told of a feature", REAL, "m")
slope = scalar("slope_here", "slope in a coefficient at zero", REAL, "g")
along = scalar("weight_told", "weight of the vector in what the mask is told", REAL, r"\mu")
theta = scalar("weight_telling", "weight of the vector in what the mask tells", REAL, r"\theta")
noise = scalar("told_noise", "mean square of the rest of what the mask is told", POSITIVE, r"\xi^2")
echo = scalar("echo_square", "mean square of the rest of what the mask tells", POSITIVE, r"\zeta^2")
norm = scalar("norm", "mean square of the vector that the mask looks at", POSITIVE, "N")
overlap = scalar("second_overlap", "product of the second fit with the vector, over the vector's square", REAL, r"\ell")
plain = scalar("plain", "mean square of the second fit but for the echo", POSITIVE, "Q")
tilt = scalar("covariance_factor", "factor of the covariance in the deterministic equivalent", POSITIVE, r"\eta_j")

# A mask that looks at one vector, whose coordinates are sqrt(norm) H: shares alpha and k, the same for both signs.
LOOKS = {M0: alpha, M0bar: 1 - alpha, M1: S.Zero, M2c: k - alpha}
# Sums over the features kept or dropped are means over the law, in which the mask and H are of one kind of feature.
CENTRED = MASK / alpha - 1
SAYS = {theta: along * (k - alpha) / alpha}
REPLACED = {ridge2: psi - (1 - alpha) / mean}

g1 = E(1 / (Lambda + nu2))
e12 = nu2 * E(Lambda / (Lambda + nu2) ** 2)
SLACK = 1 - kappa * E(Lambda / (Lambda + nu2))
m2 = nu2 * g1 - eta * e12 / (eta + kappa * e12)
SHRINKAGE = {a2: Lambda / (Lambda + nu2)}
VARIANCE = plain - (k - alpha) / (k * (1 - alpha)) * overlap**2 * norm
ECHO = (1 - alpha) * VARIANCE / (mean**2 - (1 - alpha) * square)
LOSS = (1 - alpha) * nu2 * e12 / (nu2 * g1 * (alpha - E(a2)) * (eta + kappa * e12) + (1 - alpha) * eta * e12)


def everywhere(function):
    """The mean of a function of a standard normal variable."""
    return Integral(function * exp(-(h**2) / 2) / sqrt(2 * pi), (h, -oo, oo))


def derivation(records):
    """The second fit to what a mask in general position keeps."""
    d = Derivation(
        title="A second fit under a mask in general position",
        statement=r"""Let $G=X^\top X/n$, $g=X^\top y/n$, and let the diagonal matrix $S$ of a mask keep $\alpha p$
        features. The mask looks at one vector $v$, of mean square $N$, and keeps the share $k$ of its square. The
        features stand in general position. The ridge fit with the ridge $\lambda_2$ to what is kept is
        $(G+\psi)^{-1}(g+\theta v+\zeta)$, where $\zeta$ has no direction: $\psi=\eta\omega$ with
        $E[b]+\lambda_2E[1/(\Lambda+\omega)]/\eta=\alpha$, $b=\Lambda/(\Lambda+\omega)$ and $\eta=1-\kappa E[b]$.
        With $\ell N$ its mean product with $v$, $(k-\alpha)\ell=k\theta\bar g$ for the mean eigenvalue $\bar
        g=E[1/(\Lambda+\omega)]/\eta$ of $(G+\psi)^{-1}$, and $\zeta$ adds $\delta v_\zeta$ to the risk, where
        $v_\zeta=Q-((k-\alpha)/(k(1-\alpha)))\ell^2N$ and $Q$ is the mean square of the fit but for $\zeta$.""",
        assumptions=r"""$0<\alpha<1$, $k>0$, $\lambda_2>0$; fits without a ridge are the limit $\lambda_2\to0$, away
        from $\kappa\alpha=1$. The basis of the features is uniformly distributed (Haar) and independent of the
        sample and of the coefficients as the eigenvectors of $\Sigma$ see them. The mask sees the sample only
        through $v$, and treats both signs of a coordinate alike.""",
        cited=r"""Asymptotic freeness (Voiculescu, 1991): if a matrix $D$ is turned by an independent Haar rotation
        and $A$, $f(A)$ are not, then in products that alternate between $D$ and functions of $A$, each less the
        mean of its eigenvalues, the mean of the eigenvalues tends to zero, and so do products with fixed vectors on
        both sides. Given $v$, a Haar rotation is one of $v$ and a Haar rotation of its complement (see the
        derivation of the generic basis). The second fit is a series of such products, convergent for large
        $\lambda_2$; both sides of what follows are analytic in $\lambda_2>0$. The deterministic equivalent of a
        resolvent (Hachem, Loubaton and Najim, 2007): with $A$ any function of $\Sigma$ that is positive,
        $(G+A)^{-1}$ may be replaced by $(\eta\Sigma+A)^{-1}$, where
        $\eta(1+(\kappa/p)\mathrm{tr}\,\Sigma(\eta\Sigma+A)^{-1})=1$.""",
        where=SHRINKAGE,
    )
    _messages(d, records)
    _vector(d)
    _resolvent(d)
    _echo(d, records)
    return d


def _messages(d, records):
    d.step(
        "a kept feature",
        Roots(Equal(told, trial / mean - (psi - ridge2) * trial), trial, (mean * told / alpha,)),
        r"""Let $r=(G+\psi)\hat\beta_2-g$ be what the mask tells the fit, and $m=\hat\beta_2/\bar g-r$ what it is
        told. On a kept feature the fit is stationary, $g-G\hat\beta_2=\lambda_2\hat\beta_2$, so that
        $r=(\psi-\lambda_2)\hat\beta_2$. We choose $\psi$ such that $\bar g(\psi-\lambda_2)=1-\alpha$; then
        $\hat\beta_2=\bar gm/\alpha$.""",
        given=REPLACED,
    )
    d.step(
        "a kept feature tells",
        Equal((psi - ridge2) * mean * told / alpha, (1 / alpha - 1) * told),
        r"""So $r=(1/\alpha-1)m$ on a kept feature. A dropped one has no coefficient, and $r=-m$. Together $r=Dm$
        with $D=S/\alpha-1$.""",
        uses=["a kept feature"],
        given=REPLACED,
    )
    d.step(
        "the mask is centred",
        Equal(E(CENTRED), S.Zero),
        r"""The mean of the diagonal of $D$ is zero. The fit answers by $m=\mathring Ar+(G+\psi)^{-1}g/\bar g$ with
        $\mathring A=(G+\psi)^{-1}/\bar g-1$, which follows from $\hat\beta_2=(G+\psi)^{-1}(g+r)$; the mean of the
        eigenvalues of $\mathring A$ is zero, $\bar g$ being that of $(G+\psi)^{-1}$. So $r=D(1+\mathring
        AD+\mathring AD\mathring AD+\dots)(G+\psi)^{-1}g/\bar g$ alternates between centred matrices. Were $D$ free
        of the sample, $r$ would have no direction: its products with vectors known to the sample tend to zero, and
        $r^\top f(G)r$ to $\|r\|^2$ times the mean eigenvalue of $f(G)$.""",
        uses=["a kept feature tells"],
        given=LOOKS,
    )
    d.step(
        "the ridge that stands in for the mask",
        Equal(1 - mean * (psi - ridge2), E(a2) + ridge2 * g1 / eta),
        r"""$\psi(G+\psi)^{-1}$ may be replaced by $\omega(\Sigma+\omega)^{-1}$ where $\psi=\eta\omega$ and
        $\eta=1-\kappa E[b]$ (see the derivation of the dense fit), so that $\bar g=E[1/(\Lambda+\omega)]/\eta$. The
        choice $\bar g(\psi-\lambda_2)=1-\alpha$ is an equation for $\omega$: $\alpha$ is
        $E[b]+\lambda_2E[1/(\Lambda+\omega)]/\eta$.""",
        uses=["a kept feature"],
        given={psi: eta * nu2, mean: g1 / eta},
    )
    fall = E(Lambda / (Lambda + nu2) ** 2) * (1 + ridge2 * kappa * g1 / eta**2)
    fall += ridge2 * E(1 / (Lambda + nu2) ** 2) / eta
    d.step(
        "the slope of its equation",
        Equal(Derivative(E(a2) + ridge2 * g1 / SLACK, nu2), -fall),
        r"""In $\omega$, with $\eta=1-\kappa E[b]$.""",
        uses=["the ridge that stands in for the mask"],
        given={eta: SLACK},
    )
    d.step(
        "it has one root",
        Less(S.Zero, fall),
        r"""Its one side falls where $\eta>0$. It begins above $\alpha$: at infinity if $\eta$ vanishes on the way
        or if $P(\Lambda=0)>0$, and else above one, at $\omega=0$; and it tends to zero.""",
        uses=["the slope of its equation"],
    )

    needed = ridge2 * g1
    d.step(
        "a quadratic equation",
        Equal((alpha - E(a2)) * (1 - kappa * E(a2)) - needed, eta * ((eta + kappa * alpha - 1) / kappa) - needed),
        r"""The equation for $\omega$ times $\eta$, with $E[b]=(1-\eta)/\kappa$: quadratic in $\eta$, and in
        $x=\alpha-E[b]$, which is $(\eta+\kappa\alpha-1)/\kappa$.""",
        uses=["the ridge that stands in for the mask"],
        given={eta: 1 - kappa * E(a2)},
    )
    for name, unknown, excess, constant in (
        ("slack", eta, kappa * alpha - 1, kappa * needed),
        ("unused", unused, (1 - kappa * alpha) / kappa, needed / kappa),
    ):
        root = sqrt(excess**2 + 4 * constant)
        d.step(
            f"the roots of {name}",
            Roots(Equal(unknown * (unknown + excess), constant), unknown, ((root - excess) / 2, (-root - excess) / 2)),
            r"""One is positive if $\lambda_2>0$; it is $\eta$, or $x$, as both are.""",
            uses=["a quadratic equation"],
        )
        d.registered(
            records[f"generic_retraining.{name}"],
            (root - excess) / 2,
            r"""The positive root.""",
            uses=[f"the roots of {name}"],
            given={spare: kappa * alpha - 1},
        )
    d.registered(
        records["generic_retraining.effective_ridge"],
        Equal(alpha - E(a2), positive_root(alpha - 1 / kappa, needed / kappa)),
        r"""So $\omega$ solves one equation, of which both sides are $x$.""",
        uses=["generic_retraining.unused", "it has one root"],
    )


def _vector(d):
    coordinate = sqrt(norm) * H
    d.step(
        "what the mask tells of its vector",
        Equal(E(CENTRED * along * coordinate * coordinate), along * (k - alpha) / alpha * norm),
        r"""The mask knows $v$. Split both messages, $m=\mu v+\xi$ and $r=\theta v+\zeta$, with $\xi$ and $\zeta$
        orthogonal to $v$. In the features, the coordinates of $v$ are $\sqrt NH$, and the mask keeps the share $k$
        of their square. $\xi$ has no direction, and its product with $DSv$ tends to zero. So
        $\theta=\mu(k-\alpha)/\alpha$.""",
        uses=["the mask is centred"],
        given=LOOKS,
    )
    d.step(
        "what has no direction adds its variance",
        Equal(everywhere((along * coordinate + sqrt(noise) * h) ** 2), along**2 * coordinate**2 + noise),
        r"""Nor does the mask know $\xi$. In the features its coordinates may be taken as Gaussian, of some variance
        $\xi^2$ and independent of the mask and of $v$.""",
        uses=["what the mask tells of its vector"],
    )
    sent = along**2 * coordinate**2 + noise
    d.step(
        "the overlap of the second fit",
        Roots(
            Equal(overlap * norm, E(mean * MASK / alpha * along * coordinate**2)),
            along,
            (alpha * overlap / (mean * k),),
        ),
        r"""$\hat\beta_2=\bar gSm/\alpha$, so that its product with $v$ gives $\mu$.""",
        uses=["a kept feature", "what the mask tells of its vector"],
        given=LOOKS,
    )
    d.step(
        "the weight of the vector",
        Roots(Equal(theta, along * (k - alpha) / alpha), overlap, (k * mean * theta / (k - alpha),)),
        r"""In short, $(k-\alpha)\ell=k\theta\bar g$. A mask with $k=\alpha$ does not look, and $\theta=0$.""",
        uses=["the overlap of the second fit", "what the mask tells of its vector"],
        given={along: alpha * overlap / (mean * k)},
    )
    d.step(
        "the echo",
        Equal(
            E(CENTRED**2 * sent) - theta**2 * norm,
            along**2 * k * (1 - k) / alpha**2 * norm + noise * (1 - alpha) / alpha,
        ),
        r"""The mean square of $r=Dm$, less that of its part along $v$, is the mean square $\zeta^2$ of the rest.""",
        uses=["what has no direction adds its variance"],
        given=LOOKS | SAYS,
    )
    d.step(
        "the norm of the second fit",
        Equal(E(MASK * (mean / alpha) ** 2 * sent), mean**2 / alpha**2 * (along**2 * k * norm + alpha * noise)),
        r"""The other way to see it: as $\bar gSm/\alpha$, in the features.""",
        uses=["a kept feature", "what has no direction adds its variance"],
        given=LOOKS,
    )
    d.step(
        "the variance of the echo",
        Roots(
            Equal(mean**2 / alpha**2 * (along**2 * k * norm + alpha * noise), plain + square * echo),
            echo,
            (ECHO,),
        ),
        r"""$\zeta$ has no direction in the sample's eigenvectors either: so the square of $(G+\psi)^{-1}(g+\theta
        v)+(G+\psi)^{-1}\zeta$ has the mean $Q+\bar g_2\zeta^2$. One linear equation for $\zeta^2$, with $\mu$ and
        $\xi^2$ put in from above.""",
        uses=["the overlap of the second fit", "the echo", "the norm of the second fit"],
        given={
            noise: alpha / (1 - alpha) * (echo - along**2 * k * (1 - k) / alpha**2 * norm),
            along: alpha * overlap / (mean * k),
        },
    )


def _resolvent(d):
    d.step(
        "the slope of the mean shrinkage",
        Equal(Derivative(E(Lambda / (Lambda + nu2)), nu2), -e12 / nu2),
        r"""With $e_{12}=\omega E[\Lambda/(\Lambda+\omega)^2]=E[b(1-b)]$.""",
    )
    d.step(
        "the slope of the ridge",
        Equal(Derivative(nu2 * SLACK, nu2), eta + kappa * e12),
        r"""$\psi=\eta\omega$ as a function of $\omega$.""",
        uses=["the slope of the mean shrinkage"],
        given={eta: SLACK},
    )
    d.step(
        "the mean of squared eigenvalues",
        Equal(-Derivative(g1 / SLACK, nu2) * (nu2 * eta) ** 2 / (eta + kappa * e12), m2),
        r"""$\bar g_2$ is minus the derivative of $\bar g=E[1/(\Lambda+\omega)]/\eta$ in $\psi$, so this is
        $\psi^2\bar g_2=\omega E[1/(\Lambda+\omega)]-\eta e_{12}/(\eta+\kappa e_{12})$.""",
        uses=["the slope of the ridge", "the ridge that stands in for the mask"],
        given={eta: SLACK},
    )
    tilted = E(Lambda / (tilt * Lambda + psi))
    d.step(
        "a tilt of the resolvent",
        Equal(
            Derivative(tilt - 1 / (1 + kappa * tilted), tilt),
            1 - kappa * E(Lambda**2 / (tilt * Lambda + psi) ** 2) / (1 + kappa * tilted) ** 2,
        ),
        r"""For $\mathrm{tr}\,\Sigma(G+\psi)^{-2}$, take the slope of $\mathrm{tr}(G+\psi+j\Sigma)^{-1}$ in $j$ at
        zero. With $A=\psi+j\Sigma$ the equivalent is $(\eta_j\Sigma+\psi)^{-1}$, where $\eta_j$ is $\eta+j$, and
        $\eta$ is $1/(1+\kappa E[\Lambda/(\eta_j\Lambda+\psi)])$. This is $dj/d\eta_j$.""",
    )
    d.step(
        "its slope in shrinkages",
        Equal(
            1 - kappa * E(Lambda**2 / (tilt * Lambda + psi) ** 2) / (1 + kappa * tilted) ** 2,
            1 - kappa * E(a2**2) / (tilt + kappa * E(a2)) ** 2,
        ),
        r"""Where $\psi=\eta_j\omega$, as it is at $j=0$.""",
        uses=["a tilt of the resolvent"],
        given={psi: tilt * nu2},
    )
    d.step(
        "its slope without a tilt",
        Equal(1 - kappa * E(a2**2) / (SLACK + kappa * E(a2)) ** 2, SLACK + kappa * e12),
        r"""At $j=0$ the tilt is $\eta=1-\kappa E[b]$. The slope is $1-\kappa E[b^2]=\eta+\kappa e_{12}$.""",
        uses=["its slope in shrinkages"],
    )
    d.step(
        "the covariance and squared eigenvalues",
        Equal(
            -Derivative(E(1 / (tilt * Lambda + psi)), tilt) / (eta + kappa * e12),
            E(Lambda / (tilt * Lambda + psi) ** 2) / (eta + kappa * e12),
        ),
        r"""By the chain rule, $\mathrm{tr}\,\Sigma(G+\psi)^{-2}/p$.""",
        uses=["its slope without a tilt"],
    )
    d.step(
        "in the terms of the second fit",
        Equal(E(Lambda / (tilt * Lambda + psi) ** 2) / (eta + kappa * e12), e12 / (nu2 * eta**2 * (eta + kappa * e12))),
        r"""Without a tilt, at $\psi=\eta\omega$.""",
        uses=["the covariance and squared eigenvalues"],
        given={tilt: eta, psi: eta * nu2},
    )


def _echo(d, records):
    d.step(
        "what the echo adds to the norm",
        Equal(
            square * (1 - alpha) / (mean**2 - (1 - alpha) * square),
            (1 - alpha) * rest_square / (g**2 - (1 - alpha) * rest_square),
        ),
        r"""$(G+\psi)^{-1}\zeta$ has the mean square $\bar g_2\zeta^2=\delta_Iv_\zeta$. With
        $g=\psi\bar g=\omega E[1/(\Lambda+\omega)]$ and $m_2=\psi^2\bar g_2=g-\eta e_{12}/(\eta+\kappa e_{12})$.""",
        uses=["the variance of the echo", "the mean of squared eigenvalues"],
        given={mean: g / psi, square: rest_square / psi**2},
    )
    d.step(
        "what the echo adds to the risk",
        Equal(
            spread * (1 - alpha) / (mean**2 - (1 - alpha) * square),
            (1 - alpha) * nu2 * bend / (g * (alpha - 1 + g) * (eta + kappa * bend) + (1 - alpha) * eta * bend),
        ),
        r"""It misses the truth by $(G+\psi)^{-1}\zeta$ and nothing that is correlated with that:
        with $\alpha-E[b]=\alpha-1+g$, $\zeta^2\,\mathrm{tr}\,\Sigma(G+\psi)^{-2}/p=\delta v_\zeta$.""",
        uses=["the variance of the echo", "the mean of squared eigenvalues", "in the terms of the second fit"],
        given={
            mean: g / (eta * nu2),
            square: (g - eta * bend / (eta + kappa * bend)) / (eta * nu2) ** 2,
            spread: bend / (nu2 * eta**2 * (eta + kappa * bend)),
        },
    )
    positive = {symbol: as_positive(symbol) for symbol in (Lambda, nu2, eta, alphabar, unused)}
    meant = {alphabar: 1 - alpha, unused: alpha - E(a2)}
    loss = alphabar * nu2 * e12 / (nu2 * g1 * unused * (eta + kappa * e12) + alphabar * eta * e12)
    square_left = alphabar * m2 / (nu2 * g1 * eta * e12 / (eta + kappa * e12) + unused * m2)
    d.step(
        "the risk's part, with nothing subtracted",
        Equal(loss, LOSS),
        r"""With $x=\alpha-E[b]$ and $\bar\alpha=1-\alpha$.""",
        uses=["what the echo adds to the risk"],
        given=meant,
    )
    d.registered(
        records["generic_retraining.loss"],
        loss,
        r"""The same.""",
        uses=["the risk's part, with nothing subtracted", "generic_retraining.unused"],
        given=positive,
    )
    d.step(
        "the norm's part, with nothing subtracted",
        Equal(
            alphabar * rest_square / (g * (g - rest_square) + unused * rest_square),
            (1 - alpha) * rest_square / (g**2 - (1 - alpha) * rest_square),
        ),
        r"""With $g=\omega E[1/(\Lambda+\omega)]=1-E[b]$, so that $x=\alpha-1+g$; and
        $g-m_2=\eta e_{12}/(\eta+\kappa e_{12})$.""",
        uses=["what the echo adds to the norm"],
        given={alphabar: 1 - alpha, unused: alpha - 1 + g},
    )
    d.registered(
        records["generic_retraining.spreading"],
        square_left,
        r"""The same.""",
        uses=["the norm's part, with nothing subtracted", "generic_retraining.unused"],
        given=positive,
    )
