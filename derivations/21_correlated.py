"""Correlated features: what was derived for masks holds for matrices, in the coordinates of a root of the covariance.

None of the derivations of the training error and of retraining needs that a coordinate is a feature. They are taken
over with a matrix in the place of each masked shrinkage, and sums over coordinates become traces and inner products.
Read from top to bottom.
"""

from sympy import Integral, Symbol, exp, oo, pi, sqrt

from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, H, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory import correlated
from riskcalc.theory.correlated_symbols import (
    D1,
    D2,
    MG,
    MW,
    MZ,
    M2_entry,
    M_entry,
    dense_bias,
    dense_excess_risk,
    drop_one,
    drop_pair,
    dropped,
    h_dropped,
    schur,
    square_all,
    square_own,
    trace_A,
    trace_A_rest,
    trace_M,
    trace_M_rest,
)
from riskcalc.theory.symbols import (
    G1,
    M0,
    V1,
    V2,
    B,
    Lambda,
    M0bar,
    W,
    X,
    a,
    a2,
    c,
    fit_excess_risk,
    gamma,
    kappa,
    n_features,
    n_keep,
    nu,
    nu2,
    onsager,
    q,
    q2,
    response,
    retrained_risk,
    rho,
    ridge,
    ridge2,
    risk,
    sigma2,
    sigma2_small,
)

h = Symbol("h", real=True)  # a value of a standard normal variable, integrated over
v = law_symbol("v", "trial coefficient along a direction, in the units of the iteration", REAL, "v")
seen = law_symbol("seen_along", "what the second fit sees along a direction of what is kept, $W+G_2$", REAL, "Y_2")
rest = law_symbol("rest_along", "what the first fit leaves along it, $Z$", REAL, "Z")
ell = law_symbol("ell", r"an eigenvalue of $\Sigma_{SS}$", POSITIVE, r"\ell")
spread = scalar("spread", "standard deviation of the noise that is new", POSITIVE, r"\epsilon")
v1, v2 = (scalar(f"v{i}", f"variance of feature {i}", POSITIVE, f"v_{i}") for i in (1, 2))
v12 = scalar("v12", "their covariance", REAL, "v_{12}")
b1, b2 = (scalar(f"b{i}", f"true coefficient of feature {i}", REAL, rf"\beta_{i}") for i in (1, 2))

MEANINGS = correlated.CHAPTER.meanings
PRODUCTS = {symbol: rule for symbol, rule in MEANINGS.items() if symbol is not dense_excess_risk}
SECOND_FIT = MW + rho * MG + c * MZ
# A coordinate is a feature, and matrices are diagonal.
DIAGONAL = {
    dropped: (1 - MASK) * V1,
    MW: MASK * a2 * W,
    MG: MASK * a2 * G1,
    MZ: MASK * a2 * (1 - a) * (W + G1),
    M_entry: MASK * a2,
    M2_entry: MASK * a2**2,
    W: sqrt(Lambda / kappa) * B,
    G1: sqrt(gamma) * H,
    V1: a * (W + G1),
    M0bar: 1 - M0,
}
DENSE_NOISE = gamma - kappa * E((W - V1) ** 2)


def everywhere(function):
    """The mean of a function of a standard normal variable."""
    return Integral(function * exp(-(h**2) / 2) / sqrt(2 * pi), (h, -oo, oo))


def with_matrices(form):
    """A form of the second fit with M in the place of the masked shrinkage."""
    return form.subs({a2**2 * MASK: M2_entry, a2 * MASK: M_entry}).xreplace({V2: SECOND_FIT})


def derivation(records):
    """Correlated features."""
    d = Derivation(
        title="Correlated features",
        statement=r"""Features $x=Fu$ with independent entries of $u$ and $\Sigma=FF^\top$, in the coordinates of $u$.
        In units $\sqrt n$ the truth is $W=\sqrt nF^\top\beta$ and the dense fit $V_1=A(W+G_1)$ with
        $A=F^\top(\Sigma+\nu)^{-1}F$. A mask that depends on it drops $d$. The pruned fit has the test risk
        $\gamma+2D_1+D_2$ and the training error $\gamma q_S^2+2D_1q_S+D_2$ with $q_S=q+h$. A second fit on the same
        sample is $M(W+G_2+c(W+G_1-V_1))$ with $M=F_S^\top(\Sigma_{SS}+\nu_2)^{-1}F_S$, and everything about it follows
        from traces of $M$ and inner products with $MW$, $MG_1$ and $M(W+G_1-V_1)$. Here $\kappa E$ is the sum over
        coordinates over $n$, averaged over $G_1$ and what it decides.""",
        assumptions=r"""Gaussian features of any covariance; otherwise as in the derivation of retraining. A mask may
        look at all coefficients.""",
        cited=r"""State evolution as in the derivations of the training error and of retraining, for functions that
        do not act coordinate by coordinate (Berthier, Montanari and Nguyen, 2020). As there, that a function of the
        second fit jumps where a mask changes is taken over.""",
    )
    _dense(d, records)
    _pruned(d, records)
    _retrained(d, records)
    _small(d, records)
    _chance(d, records)
    return d


def _dense(d, records):
    sums = {symbol: PRODUCTS[symbol] for symbol in (trace_A, trace_A_rest, dense_bias)}
    dense = records["dense.effective_ridge"].statement
    d.registered(
        records["correlated.effective_ridge"],
        Equal(dense.lhs, dense.rhs),
        r"""Least squares with a ridge is turned with its features: in the eigenbasis of $\Sigma$, with $D=1$, the fit
        is that of uncorrelated features, of which $\kappa E[a]$ is $\mathrm{tr}A/n$.""",
        given=sums,
    )
    d.registered(
        records["correlated.slack"],
        records["dense.slack"].statement,
        r"""$q=1-\kappa E[a]$, and $\lambda=\nu q$.""",
        uses=["correlated.effective_ridge"],
        given=sums | {ridge: nu * (1 - trace_A)},
    )
    d.registered(
        records["correlated.least_squares_slack"],
        records["dense.slack"].statement,
        r"""The same with $\nu=0$.""",
        uses=["correlated.slack"],
        given=sums,
    )
    d.registered(
        records["correlated.risk"],
        records["dense.risk"].statement,
        r"""$\kappa E[a^2]=\mathrm{tr}A/n-\mathrm{tr}A(1-A)/n$, and the squared bias is $|(1-A)W|^2/n$.""",
        uses=["correlated.slack"],
        given=sums | {q: 1 - trace_A},
    )
    risk_of_fit = (sigma2 + dense_bias) / (1 - trace_A + trace_A_rest)
    d.registered(
        records["correlated.excess_risk"],
        risk_of_fit - sigma2,
        r"""On the common denominator.""",
        uses=["correlated.risk"],
        given=sums | {q: 1 - trace_A, gamma: risk_of_fit},
    )
    d.registered(
        records["correlated.training_error"],
        records["dense.training_error"].statement,
        r"""$\gamma q^2$.""",
        uses=["correlated.slack"],
        given=sums | {q: 1 - trace_A},
    )
    d.step(
        "the risk is that of the coefficients",
        Equal(gamma, sigma2 + dense_bias + gamma * kappa * E(a**2)),
        r"""$W-V_1=(1-A)W-AG_1$, so that $\sigma^2+|W-V_1|^2/n$ is $\gamma$ on average.""",
        uses=["correlated.risk"],
        given=sums | {gamma: risk_of_fit},
    )


def _pruned(d, records):
    products = {symbol: PRODUCTS[symbol] for symbol in (D1, D2)}
    kept = V1 - dropped
    pruned = sigma2 + kappa * E((W - kept) ** 2)
    d.registered(
        records["correlated.pruned_risk"],
        pruned,
        r"""The error of the pruned fit is that of the dense fit, and what is dropped. $\sigma^2$ is put in from the
        risk of the dense fit.""",
        uses=["the risk is that of the coefficients"],
        given=products | {sigma2: DENSE_NOISE},
    )
    d.registered(
        records["correlated.pruned_excess_risk"],
        gamma + 2 * D1 + D2 - sigma2,
        r"""Less the noise.""",
        uses=["correlated.pruned_risk"],
        given={risk: gamma + 2 * D1 + D2, dense_excess_risk: gamma - sigma2},
    )
    d.step(
        "what is dropped is no longer taken up",
        Equal(1 - kappa * response, q + h_dropped),
        r"""$b_S=E[fG_1]/\gamma$ as for any function $f$ of what the dense fit saw. With $f=V_1-d$, and
        $\kappa E[V_1G_1]/\gamma=\mathrm{tr}A/n=1-q$, the weight of $r_1$ in the residual is $q+h$.""",
        given={
            response: E((V1 - dropped) * G1) / gamma,
            h_dropped: PRODUCTS[h_dropped],
            q: 1 - kappa * E(V1 * G1) / gamma,
        },
    )
    shared = sigma2 + kappa * E((W - V1) * (W - kept))
    d.registered(
        records["correlated.pruned_training_error"],
        pruned - 2 * kappa * response * shared + kappa**2 * response**2 * gamma,
        r"""The square of $r_f-\kappa b_Sr_1$ (see the derivation of the training error), written as that of
        $(r_f-r_1)+q_Sr_1$: $\langle r_1,r_f-r_1\rangle/n$ is $D_1$, and $|r_f-r_1|^2/n$ is $D_2$. Where the fit
        interpolates nothing cancels.""",
        uses=["what is dropped is no longer taken up", "correlated.pruned_risk"],
        given=products | {sigma2: DENSE_NOISE, response: (1 - q - h_dropped) / kappa},
    )
    products[h_dropped] = PRODUCTS[h_dropped]
    noise = gamma * (1 - kappa * E(a**2)) - E(Lambda * B**2 * (1 - a) ** 2)
    diagonal = products | DIAGONAL | {sigma2: noise, q: 1 - kappa * E(a), response: E(MASK * V1 * G1) / gamma}
    d.step(
        "pruned, uncorrelated",
        Equal(gamma + 2 * D1 + D2, records["pruning.risk"].statement),
        r"""With $d=(1-S)V_1$ this is the risk of the pruned fit of uncorrelated features.""",
        uses=["correlated.pruned_risk"],
        given=diagonal | {X: sqrt(kappa / Lambda) * V1},
    )
    weight = q + h_dropped
    d.step(
        "its training error, uncorrelated",
        Equal(gamma * weight**2 + 2 * D1 * weight + D2, records["training_error.pruned"].statement),
        r"""And that is the training error.""",
        uses=["correlated.pruned_training_error"],
        given=diagonal,
    )


def _retrained(d, records):
    d.step(
        "the second fit is stationary",
        Roots(
            Equal(ell * (q2 * (seen - v) - kappa * onsager * rest), ridge2 * v),
            v,
            (ell / (ell + nu2) * (seen + c * rest),),
        ),
        r"""$F_S(q_2(W+G_2-V_2)-\kappa bZ)=\lambda_2\sqrt n\,\hat\beta_S$ with $V_2=\sqrt nF_S^\top\hat\beta_S$. Along a
        singular direction of $F_S$, of squared singular value $\ell$, the equation is that of an uncorrelated feature;
        together the roots are $M(W+G_2+cZ)$, $M$ having the eigenvalues $\ell/(\ell+\nu_2)$.""",
        given={nu2: ridge2 / q2, c: -kappa * onsager / q2},
    )
    d.step(
        "it remembers itself by a trace",
        Equal(everywhere(M_entry * spread * h * spread * h) / spread**2, M_entry),
        r"""New noise $\epsilon h$ in a coordinate comes back by $M$'s diagonal entry: $\kappa b_2$ is
        $\mathrm{tr}M/n$.""",
        uses=["the second fit is stationary"],
    )
    traces = {symbol: PRODUCTS[symbol] for symbol in (trace_M, trace_M_rest)}
    second = {symbol: rule for symbol, rule in PRODUCTS.items() if rule.has(MW, MG, MZ)} | traces
    theirs = {name: with_matrices(records[f"retraining.{name}"].statement) for name in _OF_RETRAINING}
    words = r"""That of the derivation of retraining, of which nothing changes, with $M$'s diagonal entries for $a_2S$,
        those of $M^2$ for $a_2^2S$, and $MW+\rho MG_1+cMZ$ for $V_2$."""
    d.registered(
        records["correlated.retrained_ridge"],
        Equal(theirs["effective_ridge"].lhs, theirs["effective_ridge"].rhs),
        words,
        uses=["it remembers itself by a trace"],
        given=traces,
    )
    d.registered(
        records["correlated.retrained_slack"],
        theirs["slack"],
        words,
        uses=["correlated.retrained_ridge"],
        given=traces | {ridge2: nu2 * (1 - trace_M)},
    )
    for name in ("stationarity", "covariance"):
        d.registered(
            records[f"correlated.{name}"],
            Equal(theirs[name].lhs, theirs[name].rhs),
            rf"""{words} Sorted by the unknowns.""",
            uses=["the second fit is stationary", "it remembers itself by a trace"],
            given=second,
        )
    d.registered(
        records["correlated.retrained_risk"],
        theirs["risk"],
        rf"""{words} $\rho^2\gamma\,\mathrm{{tr}}M^2$ is taken off $\rho^2|MG_1|^2$, whose mean it is if the mask does
        not look at the fit.""",
        uses=["correlated.covariance", "correlated.retrained_slack"],
        given=second | {q2: 1 - trace_M},
    )
    risk_again = records["correlated.retrained_risk"].statement
    d.registered(
        records["correlated.retrained_excess_risk"],
        risk_again - sigma2,
        r"""On the common denominator.""",
        uses=["correlated.retrained_risk"],
        given={q2: 1 - trace_M, retrained_risk: risk_again},
    )
    d.registered(
        records["correlated.retrained_training_error"],
        theirs["training_error"],
        r"""The square of $q_2(r_2+cr_1)$, of which only $\gamma$, $\rho\gamma$ and $\Gamma$ are used.""",
        uses=["correlated.retrained_risk"],
    )
    diagonal = second | DIAGONAL
    for name in ("stationarity", "covariance", "retrained_risk"):
        mine, other = (records[id].statement for id in (f"correlated.{name}", f"retraining.{name.split('_')[-1]}"))
        pair = (mine, other) if name == "retrained_risk" else (mine.lhs - mine.rhs, other.lhs - other.rhs)
        d.step(
            f"{name.replace('_', ' ')}, uncorrelated",
            Equal(*pair),
            r"""With $S a_2$ for $M$, in moments of the mask, it is the registered one of uncorrelated features.""",
            uses=[f"correlated.{name}"],
            given=diagonal | {V2: MASK * a2 * (W + rho * G1 + c * (1 - a) * (W + G1))},
        )


_OF_RETRAINING = ("effective_ridge", "slack", "stationarity", "covariance", "risk", "training_error")


def _small(d, records):
    d.step(
        "what is dropped is partly told by what is kept",
        Equal(
            v1 * b1**2 + 2 * v12 * b1 * b2 + v2 * b2**2,
            v1 * (b1 + v12 / v1 * b2) ** 2 + (v2 - v12**2 / v1) * b2**2,
        ),
        r"""One feature kept and one dropped; with blocks for numbers it is the same. Given the features kept the
        target has the mean $x_\Delta^\top\Sigma_{\Delta\Delta}^{-1}(\Sigma\beta)_\Delta$, and what is left of its
        signal has the Schur complement $\Sigma_{y|\Delta}$ for variance. It is Gaussian and independent of what is
        kept: it acts as noise.""",
    )
    d.registered(
        records["correlated.small_noise"],
        sigma2 + schur,
        r"""Both noises are independent.""",
        uses=["what is dropped is partly told by what is kept"],
    )
    d.registered(
        records["correlated.small_excess_risk"],
        gamma - sigma2,
        r"""That of the fit beyond its own noise, and the Schur complement.""",
        uses=["correlated.small_noise"],
        given={fit_excess_risk: gamma - sigma2_small, sigma2_small: sigma2 + schur},
    )


def _chance(d, records):
    one, pair = records["correlated.drop_one"].statement, records["correlated.drop_pair"].statement
    d.registered(
        records["correlated.drop_one"],
        1 - n_keep / n_features,
        r"""Every feature is as likely as any other.""",
    )
    d.registered(
        records["correlated.drop_pair"],
        (1 - n_keep / n_features) * (n_features - 1 - n_keep) / (n_features - 1),
        r"""If one is dropped, $p-1$ others are left for the $s$ places.""",
        uses=["correlated.drop_one"],
    )
    d.step(
        "the number dropped is always the same",
        Equal(n_features * one + n_features * (n_features - 1) * pair, (n_features - n_keep) ** 2),
        r"""The mean square of the number dropped, feature by feature and pair by pair, is that of $p-s$.""",
        uses=["correlated.drop_pair"],
    )
    d.registered(
        records["correlated.dropped_by_chance"],
        drop_pair * square_all + (drop_one - drop_pair) * square_own,
        r"""$\sum_{ij}\Sigma_{ij}\hat\beta_i\hat\beta_j$ over pairs that are both dropped.""",
        uses=["correlated.drop_pair"],
    )
