"""The law of the coefficients: it gives back the test risk, it has a limit at least squares, and it has symmetries.

Everything here is algebra on the formulas of the dense fit, but for one exact result on least squares at finite sizes.
"""

from sympy import Limit, S, oo, sqrt

from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive
from riskcalc.formulas.symbols import POSITIVE, QUANTITIES, H, LawSymbol, law_symbol, scalar
from riskcalc.theory.symbols import (
    B,
    D,
    Lambda,
    X,
    a,
    abar,
    excess,
    excess_risk,
    gamma,
    kappa,
    n_samples,
    nu,
    q,
    ridge,
    sigma2,
    tau,
)

factor = scalar("unit_change", "factor of a change of units", POSITIVE, "c")


def _primed(symbol):
    known = QUANTITIES[symbol]
    declare = law_symbol if isinstance(symbol, LawSymbol) else scalar
    name, power, exponent = known.latex.partition("^")
    return declare(f"{symbol}_new", f"{known.meaning}, in new units", known.domain, f"{name}'{power}{exponent}")


def _in_new(expression, changes):
    return expression.xreplace({old: new for old, new in NEW.items() if new in changes})


SHRINKAGE = Lambda / (Lambda + D * nu)
SPREAD = sqrt(kappa * gamma * Lambda) / (Lambda + D * nu)
# The same quantities after a change of units.
NEW = {symbol: _primed(symbol) for symbol in (Lambda, B, D, ridge, nu, sigma2, gamma)}

LIVE = {Lambda: LawSymbol("Lambda", positive=True)}

BIAS = E(Lambda * B**2 * (1 - a) ** 2)
RISK = (sigma2 + BIAS) / (1 - kappa * E(a**2))


def derivation(records):
    """What follows from the law of the coefficients."""
    d = Derivation(
        title="The law of the coefficients",
        statement=r"""Let a dense fit have the effective ridge $\nu$, and coefficients distributed as $X=aB+\tau H$. (i)
        The constant $\gamma$ in $\tau$ is the risk $\sigma^2+E[\Lambda(B-X)^2]$ of these coefficients if, and only if,
        it is the registered test risk. (ii) As $\nu\to0$ with $\kappa P(\Lambda>0)<1$, the law becomes that of least
        squares: $a=1$ and $X=B+\tau H$ with $\tau^2=\kappa\gamma/\Lambda$ on live features,
        $q=1-\kappa P(\Lambda>0)$ and $\gamma=\sigma^2/q$. (iii) For every $c>0$, replacing $(B,\sigma)$ by
        $(cB,c\sigma)$ multiplies $\gamma$ by $c^2$; replacing $(\Lambda,B,\lambda)$ by
        $(c\Lambda,B/\sqrt c,c\lambda)$, or $(D,\lambda)$ by $(cD,\lambda/c)$, leaves it as it is.""",
        assumptions=r"""$\nu>0$ in (i) and (iii), where $\nu$ is the one solution of its equation (see the derivation of
        uniqueness); $\lambda=0$ and $\kappa P(\Lambda>0)<1$ in (ii).""",
        cited=r"""The law of the coefficients itself (see the derivation of ridge regression). In (ii), the mean of an
        inverse Wishart matrix.""",
        where={a: SHRINKAGE, tau: SPREAD, abar: 1 - a, q: 1 - kappa * E(a)},
    )
    _risk(d, records)
    _least_squares(d, records)
    _symmetries(d, records)
    return d


def _risk(d, records):
    d.step(
        "risk splits into bias and variance",
        Equal(sigma2 + E(Lambda * (B - a * B - tau * H) ** 2), sigma2 + BIAS + kappa * gamma * E(a**2)),
        r"""The mean over $H\sim N(0,1)$ leaves the squared bias $(1-a)^2B^2$ and the variance $\tau^2$, with
        $\Lambda\tau^2=\kappa\gamma a^2$.""",
    )
    d.registered(
        records["dense.coefficient_risk"],
        sigma2 + BIAS + kappa * gamma * E(a**2),
        r"""For every $\gamma$, whether it is the test risk or not.""",
        uses=["risk splits into bias and variance"],
    )
    d.step(
        "the denominator is positive",
        Less(S.Zero, q + kappa * E(a * (1 - a))),
        r"""Here $q=\lambda/\nu\ge0$, and $0<a<1$ on live features.""",
        given={q: ridge / nu},
    )
    d.step(
        "it has two forms",
        Equal(1 - kappa * E(a**2), q + kappa * E(a * (1 - a))),
        r"""$q=1-\kappa E[a]$.""",
        uses=["the denominator is positive"],
    )
    d.step(
        "the risk gives itself back",
        Roots(Equal(gamma, sigma2 + BIAS + kappa * gamma * E(a**2)), gamma, (RISK,)),
        r"""So the law of the coefficients gives back its own $\gamma$ for one value of $\gamma$ only.""",
        uses=["dense.coefficient_risk", "it has two forms"],
    )
    d.registered(
        records["dense.risk"],
        RISK,
        r"""That value is the test risk.""",
        uses=["the risk gives itself back"],
    )
    d.step(
        "how far any other value is off",
        Equal(
            records["dense.coefficient_risk"].statement - gamma,
            (q + kappa * E(a * (1 - a))) * (records["dense.risk"].statement - gamma),
        ),
        r"""Both directions at once, on the registered formulas: the factor is positive, so one difference vanishes
        exactly if the other does.""",
        uses=["dense.coefficient_risk", "dense.risk", "the denominator is positive"],
        given={X: a * B + tau * H},
    )
    beyond = (BIAS + sigma2 * kappa * E(a**2)) / (1 - kappa * E(a**2))
    d.step(
        "the excess risk has its own equation",
        Roots(Equal(excess_risk, BIAS + kappa * (sigma2 + excess_risk) * E(a**2)), excess_risk, (beyond,)),
        r"""Put $\gamma=\sigma^2+\gamma^{\mathrm{ex}}$ into the equation for $\gamma$. The solution is a sum of positive
        terms, and keeps the digits that the difference $\gamma-\sigma^2$ would lose.""",
        uses=["the risk gives itself back"],
    )
    d.registered(
        records["dense.excess_risk"],
        beyond,
        r"""This is the excess risk.""",
        uses=["the excess risk has its own equation", "it has two forms"],
        given={gamma: RISK},
    )


def _least_squares(d, records):
    d.step(
        "least squares does not shrink",
        Equal(Limit(SHRINKAGE, nu, 0, "+"), S.One),
        r"""Here $\Lambda>0$; where $\Lambda=0$, $a=0$ for every $\nu>0$. So $a$ tends to the indicator of
        $\Lambda>0$, which is its own square.""",
        given=LIVE,
    )
    d.step(
        "what is left is noise",
        Equal(Limit(SPREAD, nu, 0, "+"), sqrt(kappa * gamma / Lambda)),
        r"""So $X=B+\tau H$ with $\tau^2=\kappa\gamma/\Lambda$ on live features: least squares is unbiased, and the less
        a feature varies, the less is known of its coefficient.""",
        uses=["least squares does not shrink"],
        given=LIVE,
    )
    live = {a: positive(Lambda)}
    d.registered(
        records["dense.least_squares_slack"],
        1 - kappa * E(a),
        r"""With $\delta=\kappa P(\Lambda>0)-1$. At $\lambda=0$ the equation $\lambda=\nu q$ has the solution $\nu=0$,
        the limit of $\nu=\lambda/q$ as $\lambda\to0$, because $q\ge-\delta>0$ whatever $\nu$ is.""",
        uses=["least squares does not shrink"],
        given=live | {excess: kappa * E(positive(Lambda)) - 1},
    )
    d.step(
        "the risk of least squares",
        Roots(Equal(gamma, sigma2 + BIAS + kappa * gamma * E(a**2)), gamma, (sigma2 / q,)),
        r"""There is no bias; each coefficient adds $\Lambda\tau^2=\kappa\gamma$ to the mean. So
        $\gamma=\sigma^2/(1-\kappa P(\Lambda>0))$, whatever the variances, the signal and the weights.""",
        uses=["what is left is noise", "dense.least_squares_slack", "the risk gives itself back"],
        given=live,
    )
    d.registered(
        records["dense.least_squares_risk"],
        sigma2 / q,
        r"""This is the risk, with $q$ as it was found.""",
        uses=["the risk of least squares", "dense.least_squares_slack"],
        given=live,
    )
    d.step(
        "it is the limit of the dense risk",
        Equal(records["dense.risk"].statement, sigma2 / q),
        r"""The registered risk at the limit of $a$; means converge because $0\le a\le1$.""",
        uses=["the risk of least squares"],
        given=live,
    )
    d.step(
        "the training error of least squares",
        Equal(records["dense.training_error"].statement, sigma2 * q),
        r"""$\gamma q^2$ with $\gamma=\sigma^2/q$: the residuals have lost one degree of freedom for each live
        feature.""",
        uses=["the risk of least squares"],
        given=live | {gamma: sigma2 / q},
    )
    d.step(
        "exact least squares agrees",
        Equal(Limit(sigma2 * (n_samples - 1) / (n_samples - (1 + excess) * n_samples - 1), n_samples, oo), sigma2 / q),
        r"""Without any comparison: with $s=(1+\delta)n$ live features the covariance of $\hat\beta$ given $X$ is
        $\sigma^2(X^\top X)^{-1}$, whose mean is $\sigma^2\Sigma^{-1}/(n-s-1)$. So the mean risk is
        $\sigma^2(1+s/(n-s-1))=\sigma^2(n-1)/(n-s-1)$ at every size.""",
        uses=["the risk of least squares", "dense.least_squares_slack"],
        given={q: -excess},
    )


def _symmetries(d, records):
    # The registered formulas in terms of the problem, nu and gamma, so that a change of units reaches all of it.
    explicit = {a: SHRINKAGE, tau: SPREAD}
    equation = records["dense.effective_ridge"].statement
    equation = (equation.lhs - equation.rhs).xreplace(explicit)
    risk, coefficient = (records[f"dense.{name}"].statement.xreplace(explicit) for name in ("risk", "coefficient"))

    target = {NEW[B]: factor * B, NEW[sigma2]: factor**2 * sigma2}
    d.step(
        "scaling the target scales the risk",
        Equal(_in_new(risk, target), factor**2 * risk),
        r"""Replace $(B,\sigma)$ by $(cB,c\sigma)$. Neither stands in the equation for $\nu$, so $\nu$ and $a$ stay.""",
        uses=["dense.risk"],
        given=target,
    )
    target |= {NEW[gamma]: factor**2 * gamma}
    d.step(
        "scaling the target scales the coefficients",
        Equal(_in_new(coefficient, target), factor * coefficient),
        r"""$X$ becomes $cX$.""",
        uses=["scaling the target scales the risk"],
        given=target,
    )

    units = {NEW[Lambda]: factor * Lambda, NEW[B]: B / sqrt(factor), NEW[ridge]: factor * ridge, NEW[nu]: factor * nu}
    d.step(
        "the effective ridge in other units",
        Equal(_in_new(equation, units), factor * equation),
        r"""Measure the features in other units: replace $(\Lambda,B,\lambda)$ by $(c\Lambda,B/\sqrt c,c\lambda)$. If
        $\nu$ solves its equation then $c\nu$ solves the new one, and no other number does.""",
        given=units,
    )
    d.step(
        "the units of the features do not matter",
        Equal(_in_new(risk, units), risk),
        r"""With $c\nu$ for $\nu$, the shrinkage $a$ and the strength $\Lambda B^2$ of a feature stay as they are, and
        so does all that is made of these two.""",
        uses=["the effective ridge in other units", "dense.risk"],
        given=units,
    )
    d.step(
        "the coefficients in other units",
        Equal(_in_new(coefficient, units), coefficient / sqrt(factor)),
        r"""$X$ becomes $X/\sqrt c$ and $\sqrt\Lambda X$ stays, so that a ranking by $|X|$, or by $\sqrt\Lambda|X|$, is
        the same ranking as before, and pruned risks do not change either.""",
        uses=["the units of the features do not matter"],
        given=units,
    )

    weights = {NEW[D]: factor * D, NEW[ridge]: ridge / factor, NEW[nu]: nu / factor}
    d.step(
        "the effective ridge under other weights",
        Equal(_in_new(equation, weights), equation / factor),
        r"""Replace $(D,\lambda)$ by $(cD,\lambda/c)$. If $\nu$ solves its equation then $\nu/c$ solves the new one.""",
        given=weights,
    )
    d.step(
        "only the product of ridge and weight matters",
        Equal(_in_new(risk, weights), risk),
        r"""$D\nu$ stays, and $\nu$ enters in no other way.""",
        uses=["the effective ridge under other weights", "dense.risk"],
        given=weights,
    )
    d.step(
        "the coefficients under other weights",
        Equal(_in_new(coefficient, weights), coefficient),
        r"""Even the law of the coefficients stays.""",
        uses=["only the product of ridge and weight matters"],
        given=weights,
    )
