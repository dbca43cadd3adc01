"""T10. Random features act(Wx) of Gaussian inputs: the equivalent linear problem, in a generic basis.

In the limit a centred neuron is mu_1 times its linear input, and independent noise of variance mu_*^2. So the features
have the covariance mu_1^2 W W' + mu_*^2, whose eigenvectors stand in general position to the neurons; what they do not
see of the target is noise.
"""

from sympy import Rational, S, asin, pi, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.records import Formula
from riskcalc.theory.symbols import (
    B,
    Lambda,
    gram,
    hidden,
    mu_0,
    mu_1,
    mu_rest,
    noise,
    psi,
    sigma2,
    spanned,
    target_rest,
    target_slope2,
    unspanned,
)

_PAPER = "Mei and Montanari 2022, random features"
_NEURON = r"inputs $x \sim N(0, I_d)$, weights uniform on the unit sphere, in the limit"
_SPECTRUM = rf"{_NEURON}; means are over the positive eigenvalues of $WW^\top$"
_GAUSS = "a Gaussian integral"


def _constant(name, title, defines, statement):
    """A constant of an activation."""
    return Formula(id=f"random_features.{name}", title=title, defines=defines, statement=S(statement), source=_GAUSS)


RELU_MEAN = _constant("relu_mean", "mean of relu", mu_0, 1 / sqrt(2 * pi))
RELU_SLOPE = _constant("relu_slope", "linear part of relu", mu_1, Rational(1, 2))
RELU_REST = _constant("relu_rest", "rest of relu", mu_rest, Rational(1, 4) - 1 / (2 * pi))
ERF_SLOPE = _constant("erf_slope", "linear part of erf", mu_1, 2 / sqrt(3 * pi))
ERF_REST = _constant("erf_rest", "rest of erf", mu_rest, 2 * asin(Rational(2, 3)) / pi - 4 / (3 * pi))
SIGN_SLOPE = _constant("sign_slope", "linear part of the sign", mu_1, sqrt(2 / pi))
SIGN_REST = _constant("sign_rest", "rest of the sign", mu_rest, 1 - 2 / pi)

VARIANCE = Formula(
    id="random_features.variance",
    title="eigenvalue of the covariance of the features",
    defines=Lambda,
    statement=mu_1**2 * gram + mu_rest,
    assumptions=_NEURON,
    source=_PAPER,
)

SIGNAL = Formula(
    id="random_features.signal",
    title="coefficient of the target along its eigenvector, in the root mean square",
    defines=B,
    statement=sqrt(target_slope2 * psi * gram) * mu_1 / Lambda,
    assumptions=_NEURON,
    source=_PAPER,
    derived_from=("random_features.variance",),
)

HIDDEN = Formula(
    id="random_features.hidden",
    title="what the features do not see of the target",
    defines=hidden,
    statement=target_rest + target_slope2 * (1 - spanned * E(mu_1**2 * gram / Lambda)),
    evaluation=target_rest + target_slope2 * (unspanned + spanned * E(mu_rest / Lambda)),
    where={Lambda: VARIANCE.statement},
    assumptions=_SPECTRUM,
    source=_PAPER,
    derived_from=("random_features.signal", "random_features.variance"),
)

NOISE = Formula(
    id="random_features.noise",
    title="noise variance of the equivalent linear problem",
    defines=noise,
    statement=sigma2 + hidden,
    assumptions=_NEURON,
    source=_PAPER,
    derived_from=("random_features.hidden",),
)

CHAPTER = Chapter(
    "random_features",
    "Random features",
    (
        RELU_MEAN,
        RELU_SLOPE,
        RELU_REST,
        ERF_SLOPE,
        ERF_REST,
        SIGN_SLOPE,
        SIGN_REST,
        VARIANCE,
        SIGNAL,
        HIDDEN,
        NOISE,
    ),
    meanings={unspanned: 1 - spanned},
)
