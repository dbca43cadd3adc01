"""Two interpolators of one sample, one of all features and one of those kept, exactly at every size.

Over the bases that the features may have, the distance of the two is known in the mean, whatever the sample. Read from
top to bottom.
"""

import numpy as np
from sympy import Integral, Limit, exp, oo
from sympy import gamma as Gamma

from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, scalar
from riskcalc.theory.generic_symbols import distance, interpolator_risk, k, unseen_variance
from riskcalc.theory.generic_symbols import dropped_over_kept as ratio
from riskcalc.theory.generic_symbols import square as norm
from riskcalc.theory.symbols import Lambda, a, alpha, kappa, n_features, n_keep, n_samples, nu
from riskcalc.verification.subjects import Theory

again = scalar("refit_square", "square of the second interpolator", POSITIVE, r"\|\hat\beta_2\|^2")
product = scalar("refit_product", "product of both", POSITIVE, r"v^\top\hat\beta_2")
lever = scalar("leverage", r"$a^\top Q^{-1}a$", POSITIVE, "d")
whole = scalar("whole_leverage", r"$a^\top(Q+(1-k)aa^\top)^{-1}a$", POSITIVE, "x")
degrees = scalar("chi_degrees", "degrees of freedom", POSITIVE, "f")
chi2 = scalar("chi2", "a chi-square variable", POSITIVE, r"\chi^2")
half = scalar("half", "half the degrees beyond two", POSITIVE, "h")
trace = scalar("unseen_trace", "variance along all these directions", POSITIVE, r"\mathrm{tr}(\Sigma\Pi_0)")
average = scalar("average_unseen", "mean square along a direction that the sample does not see", POSITIVE, "x")
CHI_SQUARE_DENSITY = chi2 ** (degrees / 2 - 1) * exp(-chi2 / 2) / (2 ** (degrees / 2) * Gamma(degrees / 2))

SPREADING = (n_keep - 2) / (n_keep - n_samples - 1)

# The simulation: a sample of each size of the verifier's ladder, in bases that are drawn.
BASES = 64


def counts(size):
    """Samples, features kept and features."""
    return size // 20, size // 6, size // 4


def expected(size):
    """The factor in the mean distance, for both masks, and the mean distance of a mask by chance."""
    n, s, p = counts(size)
    factor = (s - 2) / (s - n - 1)
    return [factor, factor, (p - s) / (s - n - 1)]


def trial(size, rng):
    """What they are on some bases, for one sample whose features are far from alike."""
    n, s, p = counts(size)
    design, targets = rng.standard_normal((n, p)) * np.linspace(0.2, 3, p), rng.exponential(size=n)
    bases = np.linalg.qr(rng.standard_normal((BASES, p, p)))[0] * rng.choice([-1, 1], (BASES, 1, p))
    turned = design @ bases
    dense = least_norm(turned, targets)
    by_size = np.argsort(np.argsort(-abs(dense))) < s
    found = []
    for kept in (by_size, np.arange(p) < s):
        share = (kept * dense**2).sum(axis=-1) / (dense**2).sum(axis=-1)
        second = least_norm(turned * kept[..., None, :], targets)
        distance = ((second - dense) ** 2).sum(axis=-1) / (dense**2).sum(axis=-1)
        found += [(distance * share / (1 - share)).mean(), distance.mean()]
    return [found[0], found[2], found[3]]


def least_norm(designs, targets):
    """The interpolators of least norm of some designs."""
    weights = np.linalg.solve(designs @ designs.swapaxes(-1, -2), targets[:, None])
    return (designs.swapaxes(-1, -2) @ weights)[..., 0]


def derivation(records):
    """The distance of two interpolators."""
    d = Derivation(
        title="Two interpolators in a generic basis, exactly",
        statement=r"""Let $X$ have $n$ rows and the rank $n$, and $v=X^+y$ be the interpolator of least norm. In a
        basis that is uniformly distributed (Haar), a rule that sees $v$ keeps $s>n+1$ of $p$ features, and with
        them the share $k$ of $\|v\|^2$; $\hat\beta_2$ is the interpolator of least norm on these. Then the mean of
        $\|\hat\beta_2-v\|^2$ over the bases is $\|v\|^2E[(1-k)/k](s-2)/(s-n-1)$, whatever $X$ and $y$ are. The risk
        of $\hat\beta_2$ is that of $v$ and this times the mean variance in the directions that the sample does not
        see.""",
        assumptions=r"""The basis turns the features and $\Sigma$ together. No limit is taken.""",
        cited=r"""Linear algebra: the inverse of a matrix in blocks, and of a sum with a matrix of rank one; that an
        orthonormal frame of uniform distribution is $\Gamma(\Gamma^\top\Gamma)^{-1/2}$ with a standard Gaussian
        matrix $\Gamma$; that the squared length of a standard Gaussian vector, projected on an independent subspace
        of dimension $f$, is chi-squared of $f$ degrees of freedom (Cochran).""",
        where={a: Lambda / (Lambda + nu)},
    )
    _distance(d)
    _leverage(d)
    _means(d, records)
    d.simulated(
        "the exact distance",
        r"""On one sample after the other, with features of all variances and skewed targets, the mean over drawn
        bases is as it says.""",
        r"""Two samples of 12 features, five of 25 and ten of 50, two thirds of the features kept, by magnitude and
        by chance, within 8 %.""",
        Simulated(
            Theory(predict=expected, trial=trial, names=["by magnitude", "by chance", "distance by chance"]),
            tolerance=0.08,
        ),
        uses=["interpolators.distance"],
    )
    return d


def _distance(d):
    d.step(
        "both fit the sample",
        Equal(again - 2 * product + norm, again - norm),
        r"""$v$ lies in the span of the rows, and $X(\hat\beta_2-v)=0$, so that the two are orthogonal:
        $v^\top\hat\beta_2=\|v\|^2$.""",
        given={product: norm},
    )
    d.step(
        "the rest of the frame",
        Roots(Equal(whole, lever - (1 - k) * whole * lever), whole, (lever / (1 + (1 - k) * lever),)),
        r"""Let $V$ be an orthonormal frame of the span of the rows whose first vector is $\hat v=v/\|v\|$, and $P$
        the projection on the features kept. $\hat\beta_2=PV(V^\top PV)^{-1}V^\top v$, and its square is $\|v\|^2$
        times the first entry of $(V^\top PV)^{-1}$. With $P\hat v=k\hat v+\sqrt{k(1-k)}\hat w$ the projection $P$
        is that on $\sqrt k\hat v+\sqrt{1-k}\hat w$ in this plane, and a projection $P'$ of rank $s-1$ across. So
        $V^\top PV$ has the corner $k$, beside it $\sqrt{k(1-k)}a$, and $Q+(1-k)aa^\top$ as its other block, where
        $a$ and $Q$ are $\hat w$ and $P'$ seen in the rest of the frame. This is the inverse of that block.""",
    )
    d.step(
        "the distance",
        Equal(1 / (k - k * (1 - k) * whole) - 1, (1 - k) / k * (1 + lever)),
        r"""The first entry of the inverse, by the Schur complement $k-k(1-k)x$ of that block, is
        $\|\hat\beta_2\|^2/\|v\|^2$.""",
        uses=["both fit the sample", "the rest of the frame"],
        given={whole: lever / (1 + (1 - k) * lever)},
    )


def _leverage(d):
    d.step(
        "the mean of an inverse chi-square",
        Equal(Integral(CHI_SQUARE_DENSITY / chi2, (chi2, 0, oo)), 1 / (degrees - 2)),
        r"""For any degrees above two.""",
        given={degrees: 2 + 2 * half},
    )
    d.step(
        "the mean leverage",
        Equal(1 + (n_samples - 1) / (degrees - 2), SPREADING),
        r"""Given $v$ in the features the rest of the frame is uniformly distributed in the complement of $v$, of
        the dimension $p-1$: it is $\Gamma(\Gamma^\top\Gamma)^{-1/2}$ with $n-1$ columns, and $d=a^\top Q^{-1}a$ is
        $g^\top W^{-1}g$ with the row $g$ of $\Gamma$ along $\hat w$ and $W$ made of the $s-1$ rows along $P'$,
        which are independent. $\|g\|^2$ has the mean $n-1$, and $d/\|g\|^2$ is the inverse of the squared length of
        a Gaussian vector of $s-1$ entries, projected off $n-2$ others: chi-squared of $s-n+1$ degrees. This is
        $1+E[d]$. It does not depend on $v$, nor on $k$.""",
        uses=["the mean of an inverse chi-square"],
        given={degrees: n_keep - n_samples + 1},
    )


def _means(d, records):
    apart = norm * ratio * SPREADING
    d.registered(
        records["interpolators.distance"],
        norm * ratio * (1 + (n_samples - 1) / (n_keep - n_samples - 1)),
        r"""Given $v$ in the features, and then over that.""",
        uses=["the distance", "the mean leverage"],
    )
    d.step(
        "what it does to the risk",
        Roots(Equal(average * (n_features - n_samples), apart), average, (apart / (n_features - n_samples),)),
        r"""Turn the directions across the rows, of the dimension $p-n$, around any of them: the law of
        $\hat\beta_2-v$ given $v$ stays, so that its mean is zero and that of its square in $\Sigma$ is
        $\mathrm{tr}(\Sigma\Pi_0)/(p-n)$ times the mean distance, with the projection $\Pi_0$ on these directions.""",
        uses=["interpolators.distance"],
    )
    by_chance = (n_features - n_keep) / (degrees - 2)
    d.registered(
        records["interpolators.risk"],
        interpolator_risk + average * trace,
        r"""And $\mathrm{tr}(\Sigma\Pi_0)$ is $p-n$ times the mean variance of these directions.""",
        uses=["what it does to the risk"],
        given={average: distance / (n_features - n_samples), trace: (n_features - n_samples) * unseen_variance},
    )
    d.registered(
        records["interpolators.distance_by_chance"],
        norm * by_chance * SPREADING,
        r"""A mask that does not look keeps the share $k$ with $(1-k)/k$ the ratio of independent chi-squared
        variables of $p-s$ and $s$ degrees, whose mean is $(p-s)/(s-2)$.""",
        uses=["interpolators.distance", "the mean of an inverse chi-square"],
        given={degrees: n_keep},
    )
    sizes = {n_samples: n_features / kappa, n_keep: alpha * n_features}
    d.step(
        "in the limit",
        Equal(Limit(SPREADING, n_features, oo), kappa * alpha / (kappa * alpha - 1)),
        r"""With $p\to\infty$ at a fixed $\kappa=p/n$ and $\alpha=s/p$.""",
        uses=["interpolators.distance"],
        given=sizes,
    )
    d.step(
        "the variance that is not seen, in the limit",
        Equal(E(Lambda * (1 - a)) / (1 - 1 / kappa), nu / (kappa - 1)),
        r"""$\Pi_0$ is the limit of $\lambda(X^\top X/n+\lambda)^{-1}$, which may be replaced by
        $\nu(\Sigma+\nu)^{-1}$, and $p-n$ is $(1-1/\kappa)p$. So the limit theorem of retraining without ridges is
        that of this identity.""",
        uses=["what it does to the risk"],
        given={kappa: 1 / E(a)},
    )
