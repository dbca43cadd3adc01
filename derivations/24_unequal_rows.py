"""Rows of unequal length: one more effective ridge, that of the rows, and a noise that is no longer the test risk.

A row's residual is the error that the other rows leave there, shrunk by its own part in the fit. Everything else
follows from that as with equal rows: the law of the coefficients, what is behind masks, and a second fit whose
residuals remember those of the first row by row. Means of T and of leverages are over rows, which are independent of
the features. Read from top to bottom.
"""

from sympy import S, sqrt

import riskcalc as rc
from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, H, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.row_symbols import (
    T,
    c11,
    c21,
    carry,
    i11,
    j11,
    j21,
    leverage,
    leverage2,
    noise_before,
    r00,
    r01,
    r11,
    row_ridge,
    row_ridge2,
    s01,
    s11,
    t00,
    t01,
    t11,
    unit_error,
    unit_error2,
    unit_overlap,
    upsilon,
    upsilon2,
    upsilon2bar,
    upsilonbar,
)
from riskcalc.theory.symbols import (
    G1,
    M0,
    V1,
    V2,
    B,
    D,
    Lambda,
    M0bar,
    W,
    X,
    a,
    a2,
    abar,
    c,
    cross,
    echo,
    gamma,
    growth,
    kappa,
    lost,
    misfit,
    nu,
    nu2,
    q2,
    rho,
    ridge,
    sigma2,
    tau,
)

field = law_symbol("field", "error that the fit of the other rows has at a row, its noise included", REAL, "w")
field2 = law_symbol("field2", "that of the second fit", REAL, "w_2")
rest_of = law_symbol("rest_of", "residual of a row", REAL, "e")
v = law_symbol("v", "trial coefficient of a feature, in the units of the iteration", REAL, "v")
G2 = law_symbol("G2", "noise that the second fit sees a feature through", REAL, "G_2")
length = law_symbol("length", "a variance of a row that is not zero", POSITIVE, "T")
squared = scalar("squared", "$\\kappa$ times the mean square of the shrinkages", POSITIVE, "f")
square = scalar("square", "$\\kappa$ times the mean square of what is left out", NONNEGATIVE, "N")
overlap = scalar("overlap_u", "$\\kappa$ times its overlap with the errors of the fit", REAL, "C")
back = scalar("back", "part of a row's leverage that pruning gives back", REAL, r"\beta")
misses = scalar("misses", "excess risk of the second fit, but for the part of its noise that is new", NONNEGATIVE, "m")

PLAIN = {W: W, G1: G1, V1: V1}
FIT = {W: sqrt(Lambda / kappa) * B, G1: sqrt(gamma) * H, V1: a * (W + G1)}
COEFFICIENT = {tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu), X: a * B + tau * H}
REFIT = {V2: MASK * a2 * (W + rho * G1 + c * (W - V1))}
UNKNOWN = {V2: MASK * a2 * (W + rho * G1 - carry * c11 / leverage2 * (W - V1))}
LEVERAGES = {upsilon: T / (T + row_ridge), upsilon2: T / (T + row_ridge2)}

ALL = t00 + 2 * t01 + t11  # the mean of T
ERROR = E(Lambda * B**2 * (1 - a) ** 2) + kappa * gamma * E(a**2)

# A row's residual in the second fit, but for the part of that fit's own error.
BEFORE = sigma2 - 2 * carry * upsilon * (sigma2 + T * unit_overlap) + carry**2 * upsilon**2 * (sigma2 + T * unit_error)
# Rows of variance one, all of the same leverage.
EQUAL = {r11: leverage**2, i11: leverage**2, r01: leverage * (1 - leverage), r00: (1 - leverage) ** 2}
EQUAL |= {t11: leverage**2, t01: leverage * (1 - leverage), t00: (1 - leverage) ** 2}
EQUAL_2 = {c11: leverage * leverage2, j11: leverage * leverage2}
EQUAL_2 |= {c21: leverage**2 * leverage2, j21: leverage**2 * leverage2}

PROBLEM = rc.LinearGaussian(
    aspect_ratio=2,
    eigenvalues=[4, 1, "1/4"],
    signal=[1, "3/2", "1/2"],
    penalty=[1, 2, "1/2"],
    weights=["1/4", "1/4", "1/2"],
    noise_variance="1/2",
    ridge="1/5",
    row_variances=[4, 1, "1/4"],
    row_weights=["1/5", "2/5", "2/5"],
)


def behind(square, overlap, taken):
    """The mean square of residuals that lose a part `taken` of each row's own."""
    own = sigma2 * r11 + t11 * unit_error
    return sigma2 + ALL * square - 2 * taken * (sigma2 * leverage + (t01 + t11) * overlap) + taken**2 * own


def pruned(square, overlap, back):
    """The same of what is dropped, of which a part `back` of a row's leverage is given back."""
    left = sigma2 * (r00 + 2 * back * r01 + back**2 * r11) + unit_error * (t00 + 2 * back * t01 + back**2 * t11)
    return left + 2 * (t00 + t01 + back * (t01 + t11)) * overlap + ALL * square


def derivation(records):
    """Fits to rows of unequal length."""
    d = Derivation(
        title="Rows of unequal length",
        statement=r"""Let $x_i=\sqrt{T_i}\,\Sigma^{1/2}z_i$ with standard normal $z_i$, $y=X\beta^*+\sigma\cdot$ noise
        with independent noise of variance one, and fit as in ridge regression. There are two effective ridges: with
        $h=T/(T+\eta)$ for a row and $a=\Lambda/(\Lambda+D\nu)$ for a feature, $E[h]=\kappa E[a]$ and
        $\lambda=\nu\eta E[h]$. The coefficients are distributed as with equal rows, with the noise
        $\gamma=(\sigma^2E[h^2/T]+QE[h^2])/E[h]^2$ in the place of the test risk, which is
        $\sigma^2+Q$ on a new row of variance one. Residuals of a second fit on the features kept are, row by row,
        $(1-h_2)$ times $w_2-kh w$, $w$ and $w_2$ being the errors that the fits of the other rows
        have at the row.""",
        assumptions=r"""As for ridge regression and for retraining on the same sample. $T$ has finitely many values (or
        bounded support), is independent of the rest, and is not zero throughout. $\lambda>0$; interpolators and least
        squares are limits of $\lambda\to0$, away from $\kappa P(\Lambda>0)=P(T>0)$.""",
        cited=r"""State evolution of message passing with residuals that are scaled row by row (Rangan, 2011; Javanmard
        and Montanari, 2013). In the units of retraining, $A=x_{ij}/\sqrt{nT_i\Lambda_j}$, there are vectors $r_k$ of
        which $r_{ki}$ is a function of the errors $w_{1i},\dots,w_{ki}$, Gaussian of the covariances
        $\sigma^2+T\kappa E[(W-V_k)(W-V_l)]$ given $T_i=T$; it is scaled so that the mean of $\sqrt T$ times its slope
        in $w_k$ is one. The entries of $A^\top r_k+v_k+\sum_{l<k}c_{kl}v_l$ are distributed as
        $W+G_k+\sum_{l<k}c_{kl}W$, with $c_{kl}$ the mean of $\sqrt T$ times the slope in $w_l$, and the covariances of
        $G_k$ and $G_l$ are the means of $r_kr_l$; and $y-T^{1/2}Av_k$ has the entries
        $w_k-\sqrt T\kappa\sum_{l\le k}b_{kl}r_l$, where $b_{kl}$ is the mean slope of $v_k$ in $G_l$. What is said in
        the derivation of retraining of masks with jumps holds here, too. The simulations at the end support the
        whole.""",
        where={a: Lambda / (Lambda + D * nu), a2: Lambda / (Lambda + D * nu2), abar: 1 - a}
        | {upsilonbar: 1 - upsilon, upsilon2bar: 1 - upsilon2}
        | FIT
        | REFIT,
    )
    _ridges(d, records)
    _risks(d, records)
    _behind_masks(d, records)
    _second_fit(d, records)
    _equal_rows(d, records)
    _simulations(d)
    return d


def _ridges(d, records):
    d.step(
        "a row's residual is shrunk",
        Roots(Equal(rest_of * T, row_ridge * (field - rest_of)), rest_of, ((1 - upsilon) * field,)),
        r"""Let $w$ be the error that the fit of the other rows has at a row. The row pulls the fit towards itself in
        proportion to its variance $T$ and to the residual $e$ that is left, $w-e=Te/\eta$ with one number $\eta$ for
        all rows. So $e=(1-h)w$: $h$ is the leverage.""",
        given=LEVERAGES,
    )
    d.step(
        "what features see of residuals",
        Equal(sqrt(length) * (1 - upsilon) * field, row_ridge * upsilon * field / sqrt(length)),
        r"""The gradient of the loss is $A^\top T^{1/2}e$. With $r=h w/(\sqrt T\,\pi)$ and
        $\pi=E[h]$, the mean of $\sqrt T$ times the slope of $r$ is one, and $T^{1/2}e=\eta\pi r$.""",
        uses=["a row's residual is shrunk"],
        given={upsilon: length / (length + row_ridge)},
    )
    d.step(
        "what is fitted is shrunk",
        Roots(Equal(row_ridge * leverage * Lambda * (W + G1 - v), ridge * D * v), v, (a * (W + G1),)),
        r"""The fit is stationary, $A^\top T^{1/2}e=\lambda Dv_1/\Lambda$, where the left side is
        $\eta\pi(W+G_1-V_1)$. With $\lambda=\nu\eta\pi$ the one root is $V_1=a(W+G_1)$, as with equal rows.""",
        uses=["what features see of residuals"],
        given={ridge: nu * row_ridge * leverage, W: W, G1: G1},
    )
    d.registered(
        records["unequal_rows.effective_ridge"],
        ridge / (row_ridge * E(upsilon)),
        r"""$\nu=\lambda/(\eta\pi)$; and $\eta h=T(1-h)$.""",
        uses=["what is fitted is shrunk"],
        given=LEVERAGES,
    )
    d.step(
        "leverages add up",
        Roots(
            Equal(field - kappa * E(a) * upsilon * field / leverage, (1 - upsilon) * field), leverage, (kappa * E(a),)
        ),
        r"""$e=w-\sqrt T\kappa br$ with the mean slope $b=E[a]$ of $V_1$ in $G_1$. That is $(1-h)w$ if
        $\pi=\kappa E[a]$: the trace of the matrix that makes fitted values of $y$, by rows and by features.""",
        uses=["a row's residual is shrunk", "what is fitted is shrunk"],
    )
    d.registered(
        records["unequal_rows.row_ridge"],
        Equal(E(upsilon), kappa * E(a)),
        r"""$\pi=E[h]$. In $\eta$ the left side falls; $\nu=\lambda/E[T(1-h)]$ falls, too, so that the
        right side grows: one root. Without a ridge it is $\nu=0$ (least squares) while
        $\kappa P(\Lambda>0)<P(T>0)$, and then $\eta=0$: every row that has variance is fitted.""",
        uses=["leverages add up"],
        given=LEVERAGES,
    )


def _risks(d, records):
    d.step(
        "the noise is a mean over rows",
        Equal(
            E(upsilon**2 / length * (sigma2 + length * unit_error)),
            sigma2 * E(upsilon**2 / length) + unit_error * E(upsilon**2),
        ),
        r"""$\gamma$ is the mean of $r^2$, where $w$ has the variance $\sigma^2+TQ$ with $Q=\kappa E[(W-V_1)^2]$; over
        $\pi^2$.""",
        uses=["what features see of residuals"],
    )
    d.registered(
        records["unequal_rows.noise"],
        (sigma2 * i11 + unit_error * r11) / leverage**2,
        r"""With names for the means over rows.""",
        uses=["the noise is a mean over rows"],
    )
    d.step(
        "the error splits into bias and variance",
        Equal(kappa * E((W - V1) ** 2), ERROR),
        r"""As with equal rows. Features that are not fitted add their signal $M$.""",
        uses=["what is fitted is shrunk"],
    )
    bias = misfit + E(Lambda * B**2 * (1 - a) ** 2)
    fed_back = kappa * E(a**2) * r11 / leverage**2
    numerator = bias + sigma2 * kappa * E(a**2) * i11 / leverage**2
    d.step(
        "the equation for the error is linear",
        Roots(
            Equal(unit_error, bias + kappa * E(a**2) * (sigma2 * i11 + unit_error * r11) / leverage**2),
            unit_error,
            (numerator / (1 - fed_back),),
        ),
        r"""Put in $\gamma$.""",
        uses=["the error splits into bias and variance", "unequal_rows.noise"],
    )
    d.step(
        "its denominator is positive",
        Equal(
            1 - squared * r11 / leverage**2,
            (leverage - squared) / leverage + squared * (leverage - r11) / leverage**2,
        ),
        r"""$\kappa E[a^2]=\pi-\kappa E[a(1-a)]$ and $E[h^2]=\pi-E[h(1-h)]$, because
        $E[h]=\kappa E[a]=\pi$: with $\kappa E[a^2]$ as one number.""",
        uses=["the equation for the error is linear", "unequal_rows.row_ridge"],
    )
    d.registered(
        records["unequal_rows.error"],
        numerator / (kappa * E(a * (1 - a)) / leverage + kappa * E(a**2) * r01 / leverage**2),
        r"""A sum of positive terms over another.""",
        uses=["its denominator is positive"],
    )
    d.registered(
        records["unequal_rows.risk"],
        sigma2 + unit_error,
        r"""A new row of variance $T$ has the risk $\sigma^2+TQ$.""",
        uses=["unequal_rows.error"],
    )
    d.registered(
        records["unequal_rows.training_error"],
        sigma2 * r00 + unit_error * t00,
        r"""The mean of $(1-h)^2(\sigma^2+TQ)$.""",
        uses=["a row's residual is shrunk", "unequal_rows.error"],
    )


def _behind_masks(d, records):
    d.step(
        "what pruning leaves of a row's own part",
        Equal(
            E((field2 - carry * upsilon * field) ** 2),
            E(field2**2) - 2 * carry * E(upsilon * field * field2) + carry**2 * E(upsilon**2 * field**2),
        ),
        r"""A function $f$ of the fit has the residuals $w_f-\sqrt T\kappa b_fr=w_f-kh w$ with
        $k=\kappa b_f/\pi$ and $b_f=E[fG_1]/\gamma$. In their mean square the products of $w$ and $w_f$ are
        $\sigma^2+T\kappa E[(W-f)^2]$ and $\sigma^2+T\kappa E[(W-V_1)(W-f)]$.""",
        uses=["leverages add up"],
    )
    d.step(
        "in terms of what is dropped",
        Equal(
            behind(unit_error + 2 * overlap + square, unit_error + overlap, 1 - back),
            pruned(square, overlap, back),
        ),
        r"""Write $f=V_1-u$. Then $k=1-b_u\kappa/\pi$, because $\kappa E[a]=\pi$: pruning gives back a part
        of the leverage. With $\kappa E[(W-f)^2]=Q+2\kappa E[(W-V_1)u]+\kappa E[u^2]$ and
        $\kappa E[(W-V_1)(W-f)]=Q+\kappa E[(W-V_1)u]$ no term is left that a small error would be a difference of.""",
        uses=["what pruning leaves of a row's own part", "leverages add up"],
        given={r01: leverage - r11, r00: 1 - 2 * leverage + r11},
    )
    d.registered(
        records["unequal_rows.pruned_training_error"],
        pruned(
            E(Lambda * (1 - MASK) * X**2),
            E(Lambda * (B - X) * (1 - MASK) * X),
            sqrt(kappa / gamma) * E(sqrt(Lambda) * (1 - MASK) * X * H) / leverage,
        ),
        r"""With $u=(1-S)V_1$, in other units; $N_1$, $N_2$ and $N_H$ are the means of $(1-S)X$, $(1-S)X^2$ and
        $(1-S)XH$.""",
        uses=["in terms of what is dropped"],
        given=COEFFICIENT | {M0bar: 1 - M0},
    )
    d.registered(
        records["unequal_rows.sampled_risk"],
        sigma2 + unit_error + growth,
        r"""What sampling adds is independent of the fit's errors (see the derivation of sampling).""",
        uses=["unequal_rows.risk"],
    )
    d.registered(
        records["unequal_rows.sampled_training_error"],
        sigma2 * r00 + unit_error * t00 + ALL * growth,
        r"""The same on the rows of the sample, whose variance is $T$.""",
        uses=["unequal_rows.training_error"],
    )
    d.registered(
        records["unequal_rows.rescaled_training_error"],
        behind(lost, E(Lambda * B**2 * (1 - a)) - cross, sqrt(kappa / gamma) * echo / leverage),
        r"""What is put in misses $P$ and has the overlap $E[\Lambda(B-X)B]-C$ with the errors of the fit; its mean
        slope in $G_1$ is $N/\sqrt{\kappa\gamma}$ (see the derivation of the optimal rule).""",
        uses=["what pruning leaves of a row's own part"],
    )


def _second_fit(d, records):
    plain = {W: W, G1: G1, V1: V1, V2: V2}
    d.step(
        "a row's residual in the second fit",
        Roots(
            Equal(rest_of * T, row_ridge2 * (field2 - carry * upsilon * field - rest_of)),
            rest_of,
            ((1 - upsilon2) * (field2 - carry * upsilon * field),),
        ),
        r"""Its residual is $w_2-\sqrt T\kappa(br+b_2r_2)$. The memory of the first fit, $\sqrt T\kappa br$, is
        $kh w$ with $k=\kappa b/\pi$; what is left is shrunk by the row's own part in the second
        fit.""",
        uses=["a row's residual is shrunk"],
        given={upsilon2: LEVERAGES[upsilon2]},
    )
    d.step(
        "the second fit is stationary",
        Roots(Equal(Lambda * (W + G2 - v + c * (W - V1)), nu2 * D * v), v, (a2 * (W + G2 + c * (W - V1)),)),
        r"""$r_2=h_2(w_2-kh w)/(\sqrt T\,\pi_2)$, with $\pi_2=E[h_2]$. The mean of
        $\sqrt T$ times its slope in $w$ is $c=-k E[hh_2]/\pi_2$, so that $A^\top r_2$ is
        $W+G_2-V_2+c(W-V_1)$; on the features kept it is $\nu_2DV_2/\Lambda$.""",
        uses=["a row's residual in the second fit"],
        given=plain,
    )
    d.registered(
        records["unequal_rows.memory"],
        -carry * c11 / leverage2,
        r"""With names for the means over rows.""",
        uses=["the second fit is stationary"],
    )
    d.registered(
        records["unequal_rows.stationarity"],
        Equal(carry * leverage, kappa * (E(V2 * G1) / gamma - rho * E(a2 * MASK))),
        r"""$k\pi=\kappa b$, where $b$ is the mean slope of $V_2$ in $G_1$, edges of the mask included, by
        Stein's lemma as in the derivation of retraining.""",
        uses=["the second fit is stationary"],
        given=UNKNOWN,
    )
    errors = kappa * E((W - V1) * (W - V2))
    d.registered(
        records["unequal_rows.covariance"],
        Equal(
            rho * gamma * leverage * leverage2,
            sigma2 * j11 + c11 * errors - carry * (sigma2 * j21 + c21 * unit_error),
        ),
        r"""$\rho\gamma$ is the mean of $r r_2$, where $w$ and $w_2$ have the covariance $\sigma^2+TQ_{12}$.""",
        uses=["the second fit is stationary", "the noise is a mean over rows"],
        given=UNKNOWN | {M0bar: 1 - M0},
    )
    d.registered(
        records["unequal_rows.overlap"],
        errors,
        r"""$Q_{12}$; its evaluation form is written in what either fit misses.""",
        uses=["the second fit is stationary"],
        given={M0bar: 1 - M0},
    )
    d.registered(
        records["unequal_rows.second_noise"],
        E(upsilon2**2 / T * BEFORE) / E(upsilon2) ** 2,
        r"""The mean of $r_2^2$, where $w_2$ has the variance $\sigma^2$ and more by its own error $Q_2$, which adds
        $Q_2E[h_2^2]/\pi_2^2$.""",
        uses=["the second fit is stationary"],
        given=LEVERAGES,
    )
    kept = kappa * E(a2**2 * MASK)
    before = E((W - V2) ** 2) + E(a2**2 * MASK) * (noise_before - rho**2 * gamma)
    d.step(
        "the error feeds back into itself",
        Roots(
            Equal(
                unit_error2,
                misses + kept * (noise_before + unit_error2 * s11 / leverage2**2 - rho**2 * gamma),
            ),
            unit_error2,
            ((misses + kept * (noise_before - rho**2 * gamma)) / (1 - kept * s11 / leverage2**2),),
        ),
        r"""$Q_2=\kappa E[(W-V_2^+)^2]$: what $V_2$ misses, and the part of $G_2$ that is new, whose variance is that of
        $G_2$ less $\rho^2\gamma$. Linear in $Q_2$.""",
        uses=["unequal_rows.second_noise"],
    )
    d.registered(
        records["unequal_rows.second_error"],
        before / (E(a2 * (1 - a2) * MASK) / leverage2 + E(a2**2 * MASK) * s01 / leverage2**2),
        r"""With $\kappa E[(W-V_2)^2]$ for what $V_2$ misses, and the denominator as in the first fit, because
        $\kappa E[a_2S]=\pi_2$; both over $\kappa$. In the evaluation form $\rho^2\gamma$ is gone.""",
        uses=["the error feeds back into itself", "its denominator is positive"],
        given={M0bar: 1 - M0},
    )
    d.registered(
        records["unequal_rows.second_risk"],
        sigma2 + unit_error2,
        r"""On a new row of variance one.""",
        uses=["unequal_rows.second_error"],
    )
    d.registered(
        records["unequal_rows.second_training_error"],
        E((1 - upsilon2) ** 2 * (BEFORE + T * unit_error2)),
        r"""The mean square of the residuals.""",
        uses=["a row's residual in the second fit", "unequal_rows.second_error"],
        given=LEVERAGES,
    )


def _equal_rows(d, records):
    error, noise = records["unequal_rows.error"].statement, records["unequal_rows.noise"].statement
    dense = records["dense.risk"].statement
    one = EQUAL | {misfit: S.Zero, leverage: kappa * E(a)}
    d.step(
        "equal rows have one ridge",
        Equal(nu * row_ridge * leverage, nu * (1 - kappa * E(a))),
        r"""With $T=1$ all leverages are $\pi=\kappa E[a]=1/(1+\eta)$, so that $\lambda=\nu\eta\pi=\nu(1-\kappa E[a])$:
        the equation of ridge regression.""",
        uses=["unequal_rows.effective_ridge", "unequal_rows.row_ridge"],
        given={leverage: kappa * E(a), row_ridge: 1 / (kappa * E(a)) - 1},
    )
    d.step(
        "then the noise is the test risk",
        Equal(noise.xreplace({unit_error: error}), dense),
        r"""And both are those of equal rows.""",
        uses=["unequal_rows.noise", "unequal_rows.error"],
        given=one,
    )
    d.step(
        "so is the test risk",
        Equal(sigma2 + error, dense),
        r"""With $T=1$.""",
        uses=["unequal_rows.risk", "unequal_rows.error"],
        given=one,
    )
    stationarity, covariance = (records[f"unequal_rows.{name}"].statement for name in ("stationarity", "covariance"))
    first, second = (records[f"retraining.{name}"].statement for name in ("stationarity", "covariance"))
    own = EQUAL | EQUAL_2 | {unit_error: gamma - sigma2, carry: -c / leverage}
    shifted = {rho: rho + c}
    d.step(
        "then the second fit is that of equal rows",
        Equal(
            (stationarity.lhs - stationarity.rhs).xreplace(shifted),
            -(first.lhs - first.rhs).xreplace({q2: 1 - kappa * E(a2 * MASK)}),
        ),
        r"""With $T=1$ it is $c=-k\pi$, and $G_2$ here is that of equal rows and $c$ times $G_1$: so $\rho$ here
        is $\rho+c$ there. The equation is that of retraining with equal rows.""",
        uses=["unequal_rows.stationarity"],
        given=own | {V2: MASK * a2 * (W + rho * G1 + c * (1 - a) * (W + G1))},
    )
    d.step(
        "and so is the covariance",
        Equal(
            (covariance.lhs - covariance.rhs).xreplace(shifted),
            (second.lhs - second.rhs) * leverage * leverage2,
        ),
        r"""$\sigma^2+Q=\gamma$, and what $c$ adds on the left is on the right, too.""",
        uses=["unequal_rows.covariance"],
        given=own | {V2: MASK * a2 * (W + rho * G1 + c * (1 - a) * (W + G1))},
    )
    interpolated = {r11: S.One, r01: S.Zero, i11: E(1 / length), leverage: S.One, misfit: S.Zero, kappa: 1 / E(a)}
    d.step(
        "an interpolator sees the harmonic mean of rows",
        Equal(noise.xreplace({unit_error: error}), dense.xreplace({sigma2: sigma2 * E(1 / length)})),
        r"""Without a ridge and with $\kappa P(\Lambda>0)>1$, where every row has variance, all leverages are one and
        $\kappa E[a]=1$. Then the law of the coefficients, and with it what any mask leaves, is that of equal rows with
        the noise $\sigma^2E[1/T]$.""",
        uses=["unequal_rows.noise", "unequal_rows.error"],
        given=interpolated,
    )


def _simulations(d):
    d.simulated(
        "the limit theorem",
        r"""Test risks of simulated fits, dense and pruned, tend to these constants.""",
        r"""Three kinds of features with penalty weights that differ, rows of three lengths, $\kappa=2$.""",
        Simulated(PROBLEM, (rc.Magnitude(keep="1/4"),), tolerance=0.08),
        uses=["unequal_rows.risk"],
    )
    d.simulated(
        "the limit theorem, after retraining",
        r"""And of second fits.""",
        r"""With the second ridge $3/10$, half of the features kept.""",
        Simulated(PROBLEM, (rc.Hessian(keep="1/2"),), retrain=rc.Retrain("3/10"), tolerance=0.08),
        uses=["unequal_rows.second_risk"],
    )
    d.simulated(
        "the limit theorem, for training errors",
        r"""And their mean squared residuals.""",
        r"""The same.""",
        Simulated(PROBLEM, (rc.Hessian(keep="1/2"),), retrain=rc.Retrain("3/10"), training_error=True, tolerance=0.08),
        uses=["unequal_rows.second_training_error"],
    )
