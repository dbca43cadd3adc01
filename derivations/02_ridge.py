"""Ridge regression: effective ridge, law of the coefficients, test risk and training error, from one scalar problem.

The training objective is random. Gordon's comparison replaces it by a scalar problem in two numbers and one function of
a feature, and everything about the dense fit is the stationarity of that scalar problem. Read from top to bottom.
"""

from sympy import Derivative, S, sqrt

from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, H, law_symbol, scalar
from riskcalc.problems import LinearGaussian
from riskcalc.theory.symbols import B, D, Lambda, X, a, abar, gamma, kappa, nu, q, ridge, sigma2, tau

# The unknowns of the scalar problem, and two means that stay fixed while theta and r move.
b = law_symbol("b", "trial coefficient of a feature, times sqrt(p)", REAL, "b")
theta = scalar("theta", "dual variable: the root mean square of the residuals", POSITIVE, r"\theta")
r = scalar("r", "trial value of the root of the test risk", POSITIVE, "r")
error = scalar("error", "E[Lambda (b - B)^2], excess risk of the trial", NONNEGATIVE, r"\mathcal E")
overlap = scalar("overlap", "E[sqrt(Lambda) H (b - B)], what the trial owes to chance", REAL, r"\mathcal H")

# The objective, but for the penalty on b; it is minimised over b and r and maximised over theta.
OBJECTIVE = theta * ((sigma2 + error) / (2 * r) + r / 2 - sqrt(kappa) * overlap) - theta**2 / 2
# What one feature adds to the objective.
FEATURE = theta * (Lambda * (b - B) ** 2 / (2 * r) - sqrt(kappa * Lambda) * H * (b - B)) + ridge * D * b**2 / 2


def derivation(records):
    """The dense ridge fit."""
    d = Derivation(
        title="Ridge regression",
        statement=r"""Let $y=X\beta^*+\sigma z$ with $n$ rows $x_i\sim N(0,\Sigma)$, $\Sigma$ diagonal with entries
        $\Lambda$, and coefficients $\beta^*=B/\sqrt p$. Let $\hat\beta$ minimise
        $\|y-X\beta\|^2/n+\lambda\sum_i D_i\beta_i^2$ with $\lambda>0$. As $n,p\to\infty$ with $p/n\to\kappa$, the
        entries of $\sqrt p\,\hat\beta$ are distributed as $X=aB+\tau H$, jointly with $(\Lambda,B)$, and test risk and
        training error tend to the constants given below.""",
        assumptions=r"""$\lambda>0$; the joint law of $(\Lambda,B,D)$ has finitely many atoms (or bounded support).""",
        cited=r"""The convex Gaussian min-max theorem (Thrampoulidis, Oymak and Hassibi, 2015, after Gordon, 1988): the
        optimal value and the optimal point of the random problem
        $\min_\beta\max_w\,w^\top(X(\beta^*-\beta)+\sigma z)/\sqrt n-\|w\|^2/2+\frac\lambda2\sum_iD_i\beta_i^2$
        concentrate as those of the problem in which the Gaussian matrix is replaced by two Gaussian vectors,
        $\|e\|\,g^\top w+\|w\|\,h^\top e$ with $e=\Sigma^{1/2}(\beta-\beta^*)$. The law of large numbers, uniformly over
        compact sets, turns $\|\,\|e\|g+\sigma z\|^2/n$ into $\|e\|^2+\sigma^2$ and sums over features into means. The
        order of minima and maxima may be changed because the problem is convex in $b$, $r$ and concave in $\theta$
        (Sion). The envelope theorem. The simulation at the end supports all of this as a whole.""",
        where={
            a: Lambda / (Lambda + D * nu),
            tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu),
            q: 1 - kappa * E(a),
            abar: 1 - a,
        },
    )

    residual = scalar("root_residual", "root mean square of the residuals", POSITIVE, "s")
    d.step(
        "the loss has a dual form",
        Roots(Equal(Derivative(theta * residual - theta**2 / 2, theta), S.Zero), theta, (residual,)),
        r"""For a residual vector of root mean square $s$, the loss $s^2/2$ is the maximum of $\theta s-\theta^2/2$
        over $\theta=\|w\|$, reached at $\theta=s$ alone: so at the saddle point $\theta^2$ is the training error. The
        maximum over the direction of $w$ is Cauchy and Schwarz's.""",
    )
    d.step(
        "the norm is a minimum",
        Roots(Equal(Derivative((sigma2 + error) / r + r, r), S.Zero), r, (sqrt(sigma2 + error), -sqrt(sigma2 + error))),
        r"""The comparison leaves $\theta(\sqrt{\sigma^2+\mathcal E}-\sqrt\kappa\,\mathcal H)$, with the excess risk
        $\mathcal E=E[\Lambda(b-B)^2]$ and $\mathcal H=E[\sqrt\Lambda H(b-B)]$. The root is the minimum over $r>0$ of
        $\frac12((\sigma^2+\mathcal E)/r+r)$, at $r=\sqrt{\sigma^2+\mathcal E}$: the problem separates over
        features.""",
    )
    d.step(
        "each feature has one best coefficient",
        Roots(
            Equal(Derivative(FEATURE, b), S.Zero),
            b,
            ((Lambda * B + r * sqrt(kappa * Lambda) * H) / (Lambda + D * ridge * r / theta),),
        ),
        r"""Given $\theta$ and $r$ the minimum over $b$ is taken feature by feature, each with its own $(\Lambda,B,D)$
        and $H\sim N(0,1)$. The derivative is linear in $b$.""",
        uses=["the norm is a minimum"],
    )
    d.step(
        "it is a minimum",
        Less(S.Zero, Derivative(FEATURE, b, 2)),
        r"""A feature's share of the objective is strictly convex in $b$, because $\lambda D>0$.""",
    )
    d.step(
        "the coefficient is shrunk and noisy",
        Equal((Lambda * B + r * sqrt(kappa * Lambda) * H) / (Lambda + D * ridge * r / theta), a * B + tau * H),
        r"""Write $\nu=\lambda r/\theta$ for the effective ridge and $\gamma=r^2$. The best coefficient is a shrunken
        truth plus Gaussian noise.""",
        uses=["each feature has one best coefficient"],
        given={theta: ridge * r / nu, gamma: r**2},
    )
    d.registered(
        records["dense.coefficient"],
        a * B + tau * H,
        r"""This is the law of a fitted coefficient.""",
        uses=["the coefficient is shrunk and noisy"],
    )
    d.step(
        "stationarity in r",
        Roots(Equal(Derivative(OBJECTIVE, r), S.Zero), r, (sqrt(sigma2 + error), -sqrt(sigma2 + error))),
        r"""By the envelope theorem $b$ may be held fixed. So $\gamma=r^2=\sigma^2+E[\Lambda(X-B)^2]$, which is the mean
        of $(y-x^\top\hat\beta)^2$ over a new pair: the test risk.""",
        uses=["the coefficient is shrunk and noisy"],
    )
    d.step(
        "stationarity in theta",
        Equal(Derivative(OBJECTIVE, theta), r - sqrt(kappa) * overlap - theta),
        r"""At that $r$, where $(\sigma^2+\mathcal E)/r=r$. The derivative vanishes at
        $\theta=r-\sqrt\kappa\,\mathcal H$.""",
        uses=["stationarity in r"],
        given={error: r**2 - sigma2},
    )
    d.step(
        "what the fit owes to chance",
        Equal(sqrt(kappa) * E(sqrt(Lambda) * H * (X - B)), kappa * r * E(a)),
        r"""$E[H]=0$ and $E[H^2]=1$ leave $\sqrt\Lambda\,\tau=\sqrt{\kappa}\,r\,a$.""",
        uses=["the coefficient is shrunk and noisy"],
        given={X: a * B + tau * H, gamma: r**2},
    )
    d.registered(
        records["dense.effective_ridge"],
        Equal(nu * (1 - kappa * E(a)), ridge),
        r"""So $\theta=r(1-\kappa E[a])$; multiply $\nu=\lambda r/\theta$ by it. The equation has one root (see the
        derivation of uniqueness).""",
        uses=["stationarity in theta", "what the fit owes to chance"],
    )
    d.registered(
        records["dense.slack"],
        1 - kappa * E(a),
        r"""The slack $q=\theta/r$ has its own name, because computing it as $\lambda/\nu$ loses no digits.""",
        uses=["dense.effective_ridge"],
        given={ridge: nu * (1 - kappa * E(a))},
    )
    d.step(
        "risk splits into bias and variance",
        Equal(E(Lambda * (B - X) ** 2), E(Lambda * B**2 * (1 - a) ** 2) + kappa * gamma * E(a**2)),
        r"""The mean over $H$ leaves $\Lambda\tau^2=\kappa\gamma a^2$: the risk feeds back into itself.""",
        uses=["stationarity in r"],
        given={X: a * B + tau * H},
    )
    bias = E(Lambda * B**2 * (1 - a) ** 2)
    solved = (sigma2 + bias) / (1 - kappa * E(a**2))
    d.step(
        "the equation for the risk is linear",
        Roots(Equal(gamma, sigma2 + bias + kappa * gamma * E(a**2)), gamma, (solved,)),
        r"""One solution; its denominator is $q+\kappa E[a(1-a)]>0$.""",
        uses=["risk splits into bias and variance", "dense.slack"],
    )
    d.registered(
        records["dense.risk"],
        solved,
        r"""This is the test risk.""",
        uses=["the equation for the risk is linear"],
    )
    d.registered(
        records["dense.training_error"],
        gamma * (1 - kappa * E(a)) ** 2,
        r"""$\theta^2=\gamma q^2$.""",
        uses=["the loss has a dual form", "stationarity in theta", "what the fit owes to chance"],
    )
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks of ridge regression tend to this constant.""",
        r"""Three kinds of features, $\kappa=3/2$, penalty weights that differ.""",
        Simulated(
            LinearGaussian(
                aspect_ratio="3/2",
                eigenvalues=[4, 1, "1/4"],
                signal=[1, "3/2", "1/2"],
                weights=["1/4", "1/4", "1/2"],
                noise_variance="1/2",
                ridge="1/5",
                penalty=[1, 2, "1/2"],
            )
        ),
        uses=["dense.risk"],
    )
    return d
