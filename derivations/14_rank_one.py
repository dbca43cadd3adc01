"""Covariance of rank one: why correlated features need retraining, exactly, at every sample size above two.

Every feature is its loading times one factor. The fit is that of a regression on one variable; pruning scales it down,
retraining does not. Read from top to bottom.
"""

import numpy as np
from sympy import Abs, Integral, Limit, S, exp, oo, sqrt
from sympy import gamma as Gamma

from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Less
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import POSITIVE, REAL, H, law_symbol, scalar
from riskcalc.formulas.symbols import S as MASK
from riskcalc.theory.symbols import (
    M0,
    M0bar,
    coefficient,
    loading,
    n_features,
    n_samples,
    sigma2,
    target_slope,
    zeta,
    zetabar,
)
from riskcalc.verification.subjects import Theory

# The sample: factor z, noise e and target y, vectors of n numbers, seen through their products.
length = scalar("factor_length", "squared length of the factor, z'z", POSITIVE, r"\|z\|^2")
along = scalar("along_factor", "noise along the factor, z'e", REAL, r"z^\top e")
noise = scalar("noise", "squared length of the noise, e'e", POSITIVE, r"\|e\|^2")
product = scalar("product", "product of factor and target, z'y", REAL, r"z^\top y")
target = scalar("target", "squared length of the target, y'y", POSITIVE, r"\|y\|^2")

# The fit: a trial coefficient of each feature, and what the features together make of the factor.
trial_coefficient = law_symbol("trial_coefficient", "trial coefficient of a feature", REAL, "u")
trial_slope = scalar("trial_slope", "trial slope in the factor", REAL, "c")
fitted = scalar("fitted", "fitted slope in the factor", REAL, r"\hat b")
multiple = scalar("multiple", "fitted coefficient of a feature over its loading", REAL, "m")

# A chi-square variable of n degrees of freedom, for n = 2 + 2h.
chi2 = scalar("chi2", "a chi-square variable", POSITIVE, r"\chi^2")
half = scalar("half", "half the samples beyond two", POSITIVE, "h")
inverse = scalar("inverse", "mean of the inverse of the factor's squared length", POSITIVE, r"\iota")
CHI_SQUARE_DENSITY = chi2 ** (n_samples / 2 - 1) * exp(-chi2 / 2) / (2 ** (n_samples / 2) * Gamma(n_samples / 2))


def predicted(coefficients):
    """The slope in the factor of a prediction x'coefficients: the loadings times the coefficients, summed."""
    return n_features * E(loading * coefficients)


def excess_risk(share):
    """The mean excess risk of a share of the fitted slope."""
    return share**2 * sigma2 * inverse + (1 - share) ** 2 * target_slope**2


def training_error(share):
    """The mean training error of a share of the fitted slope."""
    return (n_samples * sigma2 - sigma2 + (1 - share) ** 2 * (n_samples * target_slope**2 + sigma2)) / n_samples


# The simulation. Samples stay ten and features grow: a fifth of each size of the verifier's ladder, 50, 100 and 200.
SAMPLES, NOISE, FACTORS, NOISES = 10, 2.0, 16, 16
NAMES = ("dense", "magnitude", "hessian", "magnitude, retrained", "hessian, retrained")
QUANTITIES = [f"{name}: {what}" for name in NAMES for what in ("excess risk", "training error")]


def population(size):
    """Loadings of both signs and coefficients, no two features alike; a third of the features is kept."""
    p = size // 5
    place = np.arange(p)
    return (1 + place / p) * np.where(place % 3, 1, -1), (1 + np.cos(place)) / p, p // 3


def expected(size):
    """Excess risk and training error of each model."""
    loadings, coefficients, n_keep = population(size)
    squares = np.sort(loadings**2)[::-1]
    dropped, slope = squares[n_keep:].sum() / squares.sum(), loadings @ coefficients
    again = [NOISE / (SAMPLES - 2), NOISE * (SAMPLES - 1) / SAMPLES]
    pruned = [
        (1 - dropped) ** 2 * NOISE / (SAMPLES - 2) + dropped**2 * slope**2,
        NOISE * (SAMPLES - 1) / SAMPLES + dropped**2 * (slope**2 + NOISE / SAMPLES),
    ]
    return [*again, *pruned, *pruned, *again, *again]


def trial(size, rng):
    """Excess risks and training errors on some draws of the factor, each with some draws of the noise."""
    loadings, coefficients, n_keep = population(size)
    values = []
    for _ in range(FACTORS):
        design = np.outer(rng.standard_normal(SAMPLES), loadings)
        targets = (design @ coefficients)[:, None] + np.sqrt(NOISE) * rng.standard_normal((SAMPLES, NOISES))
        dense = least_norm(design, targets)
        models = [dense]
        for score in (abs(dense), abs(loadings[:, None] * dense)):  # a feature's spread is its |loading|
            models.append(np.where(kept(score, n_keep), dense, 0))
        for mask in [model != 0 for model in models[1:]]:
            models.append(refitted(design, targets, mask))
        errors = [(loadings @ (model - coefficients[:, None])) ** 2 for model in models]
        residuals = [((targets - design @ model) ** 2).mean(axis=0) for model in models]
        values.append([each.mean() for pair in zip(errors, residuals, strict=True) for each in pair])
    return np.mean(values, axis=0)


def least_norm(design, targets):
    """The least-norm least squares fit of each column of targets; what is rounding in the spectrum is cut off."""
    return np.linalg.lstsq(design, targets, rcond=1e-10)[0]


def kept(score, n_keep):
    """The mask of the largest scores of each column."""
    return np.argsort(np.argsort(-score, axis=0), axis=0) < n_keep


def refitted(design, targets, mask):
    """The fit on the features of a mask; columns of the same mask are fitted together."""
    model = np.zeros(mask.shape)
    left = np.ones(mask.shape[1], bool)
    while left.any():
        one = mask[:, left.argmax()]
        same = (mask == one[:, None]).all(axis=0)
        model[np.ix_(one, same)] = least_norm(design[:, one], targets[:, same])
        left &= ~same
    return model


def derivation(records):
    """Rank one."""
    d = Derivation(
        title="Covariance of rank one",
        statement=r"""Let $\Sigma=vv^\top$, that is, $x=vz$ with a standard Gaussian $z$, and $y=x^\top\beta^*$ plus
        noise of variance $\sigma^2$; $b=v^\top\beta^*$. Of the least-norm fit to $n>2$ samples, the $s$ features of
        the largest magnitude are kept, or of the largest Hessian score. These are the features of the largest $|v|$;
        $\zeta$ is their share of $\|v\|^2$. The mean excess risk is $\zeta^2\sigma^2/(n-2)+(1-\zeta)^2b^2$, and
        $\sigma^2/(n-2)$ after retraining on the same sample, which is that of the dense fit: pruning leaves a bias
        that no sample removes, and retraining removes it.""",
        assumptions=r"""Gaussian factor and noise, independent. No ridge. Some loading is not zero. Means $E$ over
        features are over the $p$ features, with equal weight; $p\,E[\cdot]$ is a sum.""",
        cited=r"""That the squared length of a standard Gaussian vector of $n$ entries has the chi-square law of $n$
        degrees of freedom, and that its product with a fixed unit vector is standard Gaussian.""",
        where={zetabar: 1 - zeta},
    )

    d.registered(
        records["rank_one.slope"],
        predicted(coefficient),
        r"""A prediction $x^\top u$ with coefficients $u$ is $z\,v^\top u$: it depends on the coefficients through one
        number, its slope in the factor, and so does $x^\top\beta^*=bz$.""",
    )
    d.step(
        "the scalar regression",
        Equal(
            target - 2 * trial_slope * product + trial_slope**2 * length,
            target - product**2 / length + length * (trial_slope - product / length) ** 2,
        ),
        r"""On the sample, $\|y-Xu\|^2=\|y-cz\|^2$ with $c=v^\top u$ and $z$ now the vector of the $n$ factors.
        Completing the square, every least squares fit has the slope $\hat b=z^\top y/\|z\|^2$.""",
        uses=["rank_one.slope"],
    )
    d.step(
        "the norm of a fit",
        Less(E(loading * trial_coefficient) ** 2 / E(loading**2), E(trial_coefficient**2), strict=False),
        r"""Of all $u$ with the slope $p\,E[vu]=\hat b$ the norm is wanted least. By the inequality of Cauchy and
        Schwarz, $E[u^2]\ge E[vu]^2/E[v^2]$.""",
        uses=["the scalar regression"],
    )
    d.step(
        "the fit of least norm",
        Equal(predicted(multiple * loading), fitted),
        r"""Equality holds for $u$ in proportion to $v$ only. So $\hat\beta=mv$, and its slope gives
        $m=\hat b/\|v\|^2$ with $\|v\|^2=p\,E[v^2]$.""",
        uses=["the norm of a fit"],
        given={multiple: fitted / (n_features * E(loading**2))},
    )
    d.step(
        "both scores rank by the loadings",
        Equal(sqrt(loading**2) * Abs(multiple * loading), Abs(multiple * loading) ** 2 / Abs(multiple)),
        r"""The magnitude of a feature is $|m||v|$; its Hessian score, $\sqrt{\Sigma_{ii}}$ times that, is the square
        of the magnitude over $|m|$. With $m\ne0$, which is almost certain unless $y=0$, both keep features of the
        largest $|v|$. So the mask does not depend on the sample. Of features that tie, any choice keeps the same sum of
        $v^2$.""",
        uses=["the fit of least norm"],
    )
    d.registered(
        records["rank_one.share"],
        predicted(MASK * multiple * loading) / fitted,
        r"""The pruned coefficients $mv$ on the mask predict with the slope $\zeta\hat b$: the features that are left
        do not make up for those that are gone.""",
        uses=["both scores rank by the loadings", "the fit of least norm"],
        given={multiple: fitted / (n_features * E(loading**2))},
    )
    d.registered(
        records["rank_one.dropped_share"],
        1 - E(MASK * loading**2) / E(loading**2),
        "What is not kept is dropped.",
        uses=["rank_one.share"],
        given={M0bar: 1 - M0},
    )

    d.step(
        "the error of the fitted slope",
        Equal(product / length, target_slope + along / length),
        r"""$y=bz+e$ with $e$ the vector of the noise, so $z^\top y=b\|z\|^2+z^\top e$. Given $z$, the error
        $z^\top e/\|z\|^2$ is Gaussian with mean zero and variance $\sigma^2/\|z\|^2$.""",
        uses=["the scalar regression"],
        given={product: target_slope * length + along},
    )
    d.step(
        "bias and variance",
        Equal(
            E((zeta * (target_slope + sqrt(sigma2 / length) * H) - target_slope) ** 2),
            zeta**2 * sigma2 / length + (1 - zeta) ** 2 * target_slope**2,
        ),
        r"""The excess risk at a slope $c$ is $(c-b)^2$, as the factor of a new sample has variance one. The mean over
        the noise, $z$ given, of that of the pruned fit: a variance, and a bias.""",
        uses=["the error of the fitted slope", "rank_one.share"],
    )
    d.step(
        "the mean of an inverse chi-square",
        Equal(Integral(CHI_SQUARE_DENSITY / chi2, (chi2, 0, oo)), 1 / (n_samples - 2)),
        r"""$\|z\|^2$ has the chi-square law of $n=2+2h$ degrees of freedom, with any $h>0$; at $n\le2$ the mean is
        infinite.""",
        given={n_samples: 2 + 2 * half},
    )
    d.registered(
        records["rank_one.pruned_excess_risk"],
        excess_risk(zeta),
        r"""The mean over the factors too: that of $1/\|z\|^2$ is $\iota=1/(n-2)$. The bias does not depend on the
        sample.""",
        uses=["bias and variance", "the mean of an inverse chi-square", "rank_one.dropped_share"],
        given={inverse: 1 / (n_samples - 2)},
    )
    d.registered(
        records["rank_one.misfit"],
        ((1 - zeta) * target_slope) ** 2,
        r"""The bias: what the slope $\zeta b$ misses, squared.""",
        uses=["bias and variance", "rank_one.dropped_share"],
    )
    d.step(
        "the second fit has the whole slope",
        Equal(predicted(MASK * multiple * loading), fitted),
        r"""The fit on the kept features is of the same kind, with the loadings $Sv$: its slope is the same
        $z^\top y/\|z\|^2$, and its coefficients are $mv$ on the mask with $m=\hat b/\|Sv\|^2$. That needs a kept
        feature that has a loading, and those of the largest $|v|$ have one.""",
        uses=["the scalar regression", "the fit of least norm", "both scores rank by the loadings"],
        given={multiple: fitted / (n_features * E(MASK * loading**2))},
    )
    d.registered(
        records["rank_one.retrained_excess_risk"],
        excess_risk(S.One),
        r"""So the retrained fit predicts what the dense fit predicts, on any data, whatever is kept: no bias is left,
        and the variance is that of a share of one.""",
        uses=["the second fit has the whole slope", "bias and variance", "the mean of an inverse chi-square"],
        given={inverse: 1 / (n_samples - 2)},
    )

    d.step(
        "residuals split",
        Equal(
            target - 2 * zeta * fitted * product + zeta**2 * fitted**2 * length,
            target - product**2 / length + (1 - zeta) ** 2 * fitted**2 * length,
        ),
        r"""The pruned fit misses $\|y-\zeta\hat bz\|^2$ of the sample. The residual of the regression is orthogonal to
        $z$, so what pruning takes away adds to it.""",
        uses=["the scalar regression", "rank_one.share"],
        given={fitted: product / length},
    )
    d.step(
        "the residual of the regression",
        Equal(target - product**2 / length, noise - along**2 / length),
        r"""It is that of the noise alone: its $n$ dimensions less the one of the factor.""",
        uses=["the error of the fitted slope"],
        given={
            target: target_slope**2 * length + 2 * target_slope * along + noise,
            product: target_slope * length + along,
        },
    )
    d.step(
        "its mean",
        Equal(E(n_samples * sigma2 - (sqrt(sigma2) * H) ** 2), n_samples * sigma2 - sigma2),
        r"""The mean of $\|e\|^2$ is $n\sigma^2$, and $z^\top e/\|z\|$ is Gaussian of variance $\sigma^2$, given
        $z$.""",
        uses=["the residual of the regression"],
    )
    d.step(
        "the mean of what pruning takes away",
        Equal(E((target_slope + sqrt(sigma2 / length) * H) ** 2 * length), length * target_slope**2 + sigma2),
        r"""Of $\hat b^2\|z\|^2$, over the noise.""",
        uses=["the error of the fitted slope"],
    )
    d.step(
        "the mean of a chi-square",
        Equal(Integral(CHI_SQUARE_DENSITY * chi2, (chi2, 0, oo)), n_samples),
        r"""Over the factors: $\|z\|^2$ has the mean $n$.""",
    )
    d.registered(
        records["rank_one.pruned_training_error"],
        training_error(zeta),
        r"""The two means over the sample size. Nothing is divided by $\|z\|^2$ here: it holds at every $n$.""",
        uses=["residuals split", "its mean", "the mean of what pruning takes away", "the mean of a chi-square"],
    )
    d.registered(
        records["rank_one.retrained_training_error"],
        training_error(S.One),
        r"""With the whole slope only the residual of the regression is left.""",
        uses=["the second fit has the whole slope", "residuals split", "its mean"],
    )

    pruned = records["rank_one.pruned_excess_risk"].statement
    retrained = records["rank_one.retrained_excess_risk"].statement
    d.step(
        "what retraining gains",
        Equal(pruned - retrained, (1 - zeta) * ((1 - zeta) * target_slope**2 - (1 + zeta) * sigma2 / (n_samples - 2))),
        r"""Retraining pays exactly where the signal per noise, $b^2/\sigma^2$, is above
        $(1+\zeta)/((1-\zeta)(n-2))$. Below it pruning is shrinkage that the noise calls for.""",
        uses=["rank_one.pruned_excess_risk", "rank_one.retrained_excess_risk"],
    )
    d.step(
        "no sample removes the bias",
        Equal(Limit(pruned - retrained, n_samples, oo), (1 - zeta) ** 2 * target_slope**2),
        r"""With many samples the retrained and the dense fit have no excess risk, and the pruned fit keeps its bias:
        where features share a factor, pruning without retraining fails however much data there is.""",
        uses=["what retraining gains"],
    )
    d.simulated(
        "the exact risks and training errors",
        r"""Simulated fits to ten samples of $p$ features, of which a third is kept, have the excess risks and training
        errors above, whichever score prunes them.""",
        r"""At $p=10$, $20$ and $40$, within 8 %. The samples stay ten, where $1/(n-2)$ is an eighth above $1/(n-1)$
        and a quarter above $1/n$, so this is no limit theorem. Each feature is drawn, each score is computed from the
        fit, and each model is fitted by itself.""",
        Simulated(Theory(predict=expected, trial=trial, names=QUANTITIES), tolerance=0.08),
        uses=[
            "rank_one.pruned_excess_risk",
            "rank_one.retrained_excess_risk",
            "rank_one.pruned_training_error",
            "rank_one.retrained_training_error",
        ],
    )
    return d
