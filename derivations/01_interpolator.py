"""The interpolator of least norm: law of the coefficients and test risk, from one scalar problem.

More features than samples, and no ridge: of all coefficients that fit the sample, those of least weighted norm. The
constraint takes the place of the loss, and the length of its multiplier that of the residuals. This is the route of
Chang et al. (2021), whose unknown is xi.
"""

from sympy import Derivative, Limit, S, oo, sqrt

from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, H, LawSymbol, Scalar, law_symbol, scalar
from riskcalc.problems import LinearGaussian
from riskcalc.theory.symbols import B, D, Lambda, X, a, abar, gamma, kappa, nu, q, ridge, sigma2

# The unknowns of the scalar problem, and two means that stay fixed while theta and r move.
b = law_symbol("b", "trial coefficient of a feature, times sqrt(p)", REAL, "b")
theta = scalar("multiplier", "length of the multiplier of the constraint", POSITIVE, r"\theta")
r = scalar("r", "trial value of the root of the test risk", POSITIVE, "r")
xi = scalar("xi", "length of the multiplier by the root of the test risk; 1/nu", POSITIVE, r"\xi")
error = scalar("error", "E[Lambda (b - B)^2], excess risk of the trial", NONNEGATIVE, r"\mathcal E")
overlap = scalar("overlap", "E[sqrt(Lambda) H (b - B)], what the trial owes to chance", REAL, r"\mathcal H")

# The multiplier times the constraint; half the squared norm, E[D b^2]/2, is added. Minimised over b and r, maximised
# over theta.
CONSTRAINT = theta * ((sigma2 + error) / (2 * r) + r / 2 - sqrt(kappa) * overlap)
# What one feature adds to both.
FEATURE = theta * (Lambda * (b - B) ** 2 / (2 * r) - sqrt(kappa * Lambda) * H * (b - B)) + D * b**2 / 2

# The stationary point of FEATURE in b, and the shrinkage in it once theta = xi r.
BEST = theta * (Lambda * B + r * sqrt(kappa * Lambda) * H) / (theta * Lambda + D * r)
SHRINKAGE = Lambda * xi / (Lambda * xi + D)


def derivation(records):
    """The interpolator of least norm."""
    d = Derivation(
        title="The interpolator of least norm",
        statement=r"""Let $y=X\beta^*+\sigma z$ with $n$ rows $x_i\sim N(0,\Sigma)$, $\Sigma$ diagonal with entries
        $\Lambda$, and coefficients $\beta^*=B/\sqrt p$. Let $\hat\beta$ minimise $\sum_i D_i\beta_i^2$ subject to
        $X\beta=y$. As $n,p\to\infty$ with $p/n\to\kappa$ and $\kappa P(\Lambda>0)>1$, the equation $\kappa E[a]=1$
        with $a=\Lambda\xi/(\Lambda\xi+D)$ determines $\xi>0$; the entries of $\sqrt p\,\hat\beta$ are distributed as
        $X=aB+\tau H$ with $H\sim N(0,1)$ and $\tau=\xi\sqrt{\kappa\gamma\Lambda}/(\Lambda\xi+D)$, jointly with
        $(\Lambda,B,D)$; and the test risk tends to the constant $\gamma$ given below. These are the formulas of ridge
        regression at $\lambda=0$, with $\nu=1/\xi$.""",
        assumptions=r"""$\lambda=0$ and $\kappa P(\Lambda>0)>1$, so that almost surely some $\beta$ fits the sample;
        $\sigma^2+E[\Lambda B^2]>0$; the joint law of $(\Lambda,B,D)$ has finitely many atoms (or bounded support).""",
        cited=r"""The convex Gaussian min-max theorem (Thrampoulidis, Oymak and Hassibi, 2015, after Gordon, 1988): the
        optimal value and the optimal point of the random problem
        $\min_\beta\max_w\,w^\top(X(\beta^*-\beta)+\sigma z)/\sqrt n+\frac12\sum_iD_i\beta_i^2$ concentrate as those of
        the problem in which the Gaussian matrix is replaced by two Gaussian vectors,
        $\|e\|\,g^\top w+\|w\|\,h^\top e$ with $e=\Sigma^{1/2}(\beta-\beta^*)$. It asks for compact sets:
        $\hat\beta$ and the multiplier $w$ stay bounded, because the least eigenvalue of $XD^{-1}X^\top/n$ stays away
        from zero when $\kappa P(\Lambda>0)>1$ (Bai and Yin, 1993). The law of large numbers, uniformly over compact
        sets, turns $\|\,\|e\|g+\sigma z\|^2/n$ into $\|e\|^2+\sigma^2$ and sums over features into means. The
        order of minima and maxima may be changed because the problem is convex in $(b,r)$ and linear in $\theta$
        (Sion). The envelope theorem. The simulation at the end supports all of this as a whole.""",
        where={a: SHRINKAGE, abar: 1 - a, q: 1 - kappa * E(a)},
    )

    d.step(
        "the norm is a minimum",
        Equal(
            ((sigma2 + error) / r + r) / 2 - sqrt(sigma2 + error),
            (r - sqrt(sigma2 + error)) ** 2 / (2 * r),
        ),
        r"""The multiplier $w$ is free, so its direction follows the residuals and only its length $\theta\ge0$ is
        left. The comparison leaves $\theta(\sqrt{\sigma^2+\mathcal E}-\sqrt\kappa\,\mathcal H)$, with the excess risk
        $\mathcal E=E[\Lambda(b-B)^2]$ and $\mathcal H=E[\sqrt\Lambda H(b-B)]$: the constraint on $\beta$ has become
        $\sqrt{\sigma^2+\mathcal E}\le\sqrt\kappa\,\mathcal H$, one inequality with the multiplier $\theta$. The root is
        the minimum over $r>0$ of $\frac12((\sigma^2+\mathcal E)/r+r)$, because the excess over it is a square: the
        problem separates over features.""",
    )
    d.step(
        "each feature has one best coefficient",
        Roots(Equal(Derivative(FEATURE, b), S.Zero), b, (BEST,)),
        r"""Given $\theta$ and $r$ the minimum over $b$ is taken feature by feature, each with its own $(\Lambda,B,D)$
        and $H\sim N(0,1)$. The derivative is linear in $b$.""",
        uses=["the norm is a minimum"],
    )
    d.step(
        "it is a minimum",
        Less(S.Zero, Derivative(FEATURE, b, 2)),
        r"""A feature's share of the problem is strictly convex in $b$: the norm alone would do, because $D>0$.""",
    )
    d.step(
        "the coefficient is shrunk and noisy",
        Equal(BEST, a * B + xi * sqrt(kappa * gamma * Lambda) / (Lambda * xi + D) * H),
        r"""Write $\xi=\theta/r$ and $\gamma=r^2$, so that the multiplier of the constraint is $\theta=\xi\sqrt\gamma$.
        The best coefficient is a shrunken truth plus Gaussian noise. The shrinkage is that of ridge regression with
        the effective ridge $\nu=1/\xi$: fitting $n$ samples exactly regularises.""",
        uses=["each feature has one best coefficient"],
        given={theta: xi * r, gamma: r**2},
    )
    d.registered(
        records["dense.coefficient"],
        BEST,
        r"""This is the law of a fitted coefficient at $\nu=1/\xi$.""",
        uses=["the coefficient is shrunk and noisy"],
        given={theta: xi * r, r: sqrt(gamma), xi: 1 / nu, gamma: Scalar("gamma", positive=True)},
    )
    d.step(
        "stationarity in r",
        Roots(Equal(Derivative(CONSTRAINT, r), S.Zero), r, (sqrt(sigma2 + error), -sqrt(sigma2 + error))),
        r"""By the envelope theorem $b$ may be held fixed; and $\theta>0$, since at $\theta=0$ the minimum is $b=0$, and
        that violates the constraint. So $\gamma=r^2=\sigma^2+E[\Lambda(X-B)^2]$, which is the mean of
        $(y-x^\top\hat\beta)^2$ over a new pair: the test risk.""",
        uses=["the coefficient is shrunk and noisy"],
    )
    d.step(
        "what the fit owes to chance",
        Equal(sqrt(kappa) * E(sqrt(Lambda) * H * (X - B)), kappa * r * E(a)),
        r"""$E[H]=0$ and $E[H^2]=1$ leave $\sqrt\Lambda\,\tau=\sqrt\kappa\,r\,a$.""",
        uses=["the coefficient is shrunk and noisy"],
        given={X: BEST, theta: xi * r},
    )
    d.step(
        "stationarity in theta",
        Equal(Derivative(CONSTRAINT, theta), r * (1 - kappa * E(a))),
        r"""This is the constraint itself, at the stationary $r$, where $(\sigma^2+\mathcal E)/r=r$. It binds, because
        $\theta>0$. So $1=\kappa E[a]$, one equation in $\xi$ alone.""",
        uses=["stationarity in r", "what the fit owes to chance"],
        given={error: r**2 - sigma2, overlap: sqrt(kappa) * r * E(a)},
    )
    d.step(
        "the shrinkage grows with xi",
        Less(S.Zero, Derivative(SHRINKAGE, xi)),
        r"""This is so on every live feature; where $\Lambda=0$, $a=0$ for every $\xi$. So $\kappa E[a]=1$ has one
        solution at most. At $\xi=0$ the mean is zero.""",
    )
    d.step(
        "it reaches one on every live feature",
        Equal(Limit(SHRINKAGE, xi, oo), S.One),
        r"""Here $\Lambda>0$. So $\kappa E[a]$ rises from $0$ to $\kappa P(\Lambda>0)$ (dominated convergence), and
        meets $1$ exactly if $\kappa P(\Lambda>0)>1$.""",
        uses=["the shrinkage grows with xi"],
        given={Lambda: LawSymbol("Lambda", positive=True)},
    )
    ridge_equation = records["dense.effective_ridge"].statement
    d.step(
        "it is the equation of ridge regression without ridge",
        Equal(ridge_equation.lhs - ridge_equation.rhs, nu * (1 - kappa * E(a))),
        r"""At $\lambda=0$ the registered equation for the effective ridge is $\nu$ times the one found here.""",
        uses=["stationarity in theta", "it reaches one on every live feature"],
        given={xi: 1 / nu, ridge: S.Zero},
    )
    d.step(
        "risk splits into bias and variance",
        Equal(E(Lambda * (B - X) ** 2), E(Lambda * B**2 * (1 - a) ** 2) + kappa * gamma * E(a**2)),
        r"""The mean over $H$ leaves $\Lambda\tau^2=\kappa\gamma a^2$: the risk feeds back into itself.""",
        uses=["stationarity in r", "the coefficient is shrunk and noisy"],
        given={X: a * B + xi * sqrt(kappa * gamma * Lambda) / (Lambda * xi + D) * H},
    )
    bias = E(Lambda * B**2 * (1 - a) ** 2)
    solved = (sigma2 + bias) / (1 - kappa * E(a**2))
    d.step(
        "the equation for the risk is linear",
        Roots(Equal(gamma, sigma2 + bias + kappa * gamma * E(a**2)), gamma, (solved,)),
        r"""It has one solution, if the denominator is not zero.""",
        uses=["risk splits into bias and variance"],
    )
    d.step(
        "the denominator of an interpolator",
        Equal(1 - kappa * E(a**2), kappa * E(a * (1 - a))),
        r"""Put in $\kappa=1/E[a]$.""",
        uses=["stationarity in theta"],
        given={kappa: 1 / E(a)},
    )
    d.step(
        "it is positive",
        Less(S.Zero, kappa * E(a * (1 - a))),
        r"""Since $0<a<1$ on live features. It vanishes as $\kappa P(\Lambda>0)$ falls to $1$ and $\xi$ diverges: the
        peak of double descent.""",
        uses=["the denominator of an interpolator"],
    )
    d.registered(
        records["dense.risk"],
        solved,
        r"""This is the test risk.""",
        uses=["the equation for the risk is linear", "it is positive"],
        given={xi: 1 / nu},
    )
    d.step(
        "the training error is zero",
        Equal(records["dense.training_error"].statement, S.Zero),
        r"""The fit is exact, and so says the registered training error: its slack $q=1-\kappa E[a]$ is zero.""",
        uses=["stationarity in theta"],
        given={kappa: 1 / E(a)},
    )
    d.simulated(
        "the limit theorem",
        r"""Simulated test risks of interpolators of least norm tend to this constant.""",
        r"""Three kinds of features, $\kappa=2$, penalty weights that differ.""",
        Simulated(
            LinearGaussian(
                aspect_ratio=2,
                eigenvalues=[4, 1, "1/4"],
                signal=[1, "3/2", "1/2"],
                weights=["1/4", "1/4", "1/2"],
                noise_variance="1/2",
                penalty=[1, 2, "1/2"],
            )
        ),
        uses=["dense.risk"],
    )
    return d
