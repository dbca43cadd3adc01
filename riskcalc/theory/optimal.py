"""T2. The optimal rule: the lowest prune-only risk of any rule that sees (x, Lambda, D) and keeps x or drops it.

Keeping x instead of dropping it lowers the risk by Lambda (2 x E[B | x, Lambda, D] - x^2), so the best rule of a budget
keeps where this gain is largest. Where (Lambda, D) tells the coefficient B of a feature, that is an interval of x
around B; in H, reflected so that its far end is below zero, an interval with upper end z and half-width u. The rule
bounds neither rules that see B, nor rules that rescale, nor anything after retraining.
"""

from sympy import Eq, exp, log, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Inside, Outside, boundary, edge_drop, edge_moment, phi, positive, ratio, spread
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.formulas.symbols import H, S
from riskcalc.theory.dense import COEFFICIENT, COMPLEMENTS, SHRINKAGE
from riskcalc.theory.masks import MOMENTS as MASK_MOMENTS
from riskcalc.theory.symbols import (
    G1,
    M0,
    M1,
    B,
    Lambda,
    M0bar,
    M2c,
    X,
    a,
    abar,
    alpha,
    b,
    crest,
    cross,
    cross_rate,
    depth,
    echo,
    echo_rate,
    estimate,
    gain,
    gamma,
    has_room,
    kappa,
    likelihood,
    lost,
    lost_rate,
    peak,
    posterior,
    put,
    reach,
    risk,
    room,
    s,
    sigma2,
    tau,
    training_error,
    u,
    z,
)

_SOURCE = "see the derivation of the optimal rule"
_above = depth - crest + Lambda * B**2
HAS_ROOM = Formula(
    id="optimal.has_room",
    title="whether the largest gain of a feature is beyond the threshold",
    defines=has_room,
    statement=positive(_above),
    source=_SOURCE,
)

GAIN = {
    s: spread(sqrt(Lambda) * tau),
    room: _above * has_room,
    u: sqrt(room) / s,
    z: u - sqrt(Lambda) * abar * B / s,
}
# What is kept is inside, and H is reflected.
MOMENTS = {M0: Inside(z, u), M0bar: Outside(z, u), M1: edge_drop(z, u), M2c: -edge_moment(z, u)}
_THRESHOLDED = COEFFICIENT | GAIN | MOMENTS
MASK = {has_room: HAS_ROOM.statement} | _THRESHOLDED
REACH = {reach: depth * ratio(has_room, room)}
# While a root is found these two do not change.
FIXED = (s, abar)

SEARCHED = {symbol: rule for symbol, rule in (MASK | REACH).items() if symbol not in FIXED}

THRESHOLD = FixedPoint(
    id="optimal.threshold",
    title=r"depth below the largest gain that a fraction $\alpha$ reaches",
    defines=depth,
    statement=Eq(E(M0bar), 1 - alpha),
    where=_THRESHOLDED | REACH,
    part=Outside(z, u),
    remainder=Inside(z, u),
    slope=reach / 2 * boundary(z, u),
    bend=reach / 4 * (reach * (boundary(z, u) - u**2 * edge_moment(z, u)) - 2 * (reach - 1) * boundary(z, u)),
    target=1 - alpha,
    assumptions=r"$(\Lambda, D)$ tells $B$; $\alpha < 1$ and $\gamma > 0$; the root is then unique",
    source=_SOURCE,
    derived_from=("dense.coefficient", "pruning.risk", "optimal.has_room"),
)

UPPER = Formula(
    id="optimal.threshold_upper",
    title=r"a depth at which, kind by kind, at least a fraction $\alpha$ is kept; the largest bounds it from above",
    defines=depth,
    relation="<=",
    statement=crest - Lambda * B**2 + (sqrt(Lambda) * abar * B + s * sqrt(2 * log(1 / (1 - alpha)))) ** 2,
    where=COEFFICIENT | {s: GAIN[s]},
    source=r"$\mathbb{P}(|H| > x) \le e^{-x^2/2}$ in optimal.threshold",
    derived_from=("optimal.threshold",),
)

# Where features of a kind, which share (Lambda, D), differ in their coefficients: means are over the kind.
_KIND = r"means are over the features of a kind, which share $(\Lambda, D)$"

POSTERIOR = Formula(
    id="optimal.posterior",
    title="posterior mean of a coefficient, given the fitted one",
    defines=posterior,
    statement=E(b * likelihood) / E(likelihood),
    where={likelihood: exp(peak - ((estimate - a * b) / tau) ** 2 / 2) / tau},
    assumptions=_KIND,
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

KEPT_GAIN = Formula(
    id="optimal.kept_gain",
    title="what keeping a fitted coefficient lowers the risk by",
    defines=gain,
    statement=Lambda * (2 * estimate * posterior - estimate**2),
    evaluation=Lambda * estimate * (2 * posterior - estimate),
    source=_SOURCE,
    derived_from=("optimal.posterior", "pruning.risk"),
)

RESCALED_GAIN = Formula(
    id="optimal.rescaled_gain",
    title="what the posterior mean in place of a fitted coefficient lowers the risk by",
    defines=gain,
    statement=Lambda * posterior**2,
    source=_SOURCE,
    derived_from=("optimal.posterior", "pruning.risk"),
)

# The rule that rescales keeps the posterior mean, of which three means over the law are all that matters: by mask where
# coefficients are told, and otherwise by what each fitted coefficient that is kept adds to them.
_TOLD = {"moments": MASK_MOMENTS, "source": _SOURCE, "assumptions": r"$(\Lambda, D)$ tells $B$"}
LOST = Formula(
    "optimal.lost",
    "mean square of what is put in, beside the truth, weighted",
    lost,
    E((1 - S) * Lambda * B**2),
    derived_from=("optimal.rescaled_risk",),
    **_TOLD,
)
CROSS = Formula(
    "optimal.cross",
    "overlap of what is put in with the error of the fit",
    cross,
    E(Lambda * (B - X) * B * S),
    where=COEFFICIENT,
    complements=COMPLEMENTS,
    derived_from=("dense.coefficient",),
    **_TOLD,
)
ECHO = Formula(
    "optimal.echo",
    "overlap of what is put in with the noise of the fit",
    echo,
    E(sqrt(Lambda) * H * B * S),
    derived_from=("dense.coefficient",),
    **_TOLD,
)

_DENSITY = phi((estimate - a * b) / tau) / tau
_RATE = {"assumptions": _KIND, "source": _SOURCE, "derived_from": ("optimal.posterior",)}
LOST_RATE = Formula(
    "optimal.lost_rate",
    "what a fitted coefficient that is kept adds to that mean square",
    lost_rate,
    E(Lambda * (b - posterior) ** 2 * _DENSITY),
    **_RATE,
)
CROSS_RATE = Formula(
    "optimal.cross_rate",
    "what it adds to the overlap with the error",
    cross_rate,
    posterior * E(Lambda * (b - estimate) * _DENSITY),
    **_RATE,
)
ECHO_RATE = Formula(
    "optimal.echo_rate",
    "what it adds to the overlap with the noise",
    echo_rate,
    posterior * E(sqrt(Lambda) * (estimate - a * b) / tau * _DENSITY),
    **_RATE,
)
RATES = (LOST_RATE, CROSS_RATE, ECHO_RATE)

RESCALED_RISK = Formula(
    id="optimal.rescaled_risk",
    title="test risk of the best rule that may rescale what it keeps",
    defines=risk,
    statement=sigma2 + lost,
    source=_SOURCE,
    derived_from=("dense.coefficient",),
)

RESCALED_TRAINING_ERROR = Formula(
    id="optimal.rescaled_training_error",
    title="training error of the best rule that may rescale what it keeps",
    defines=training_error,
    statement=risk - 2 * sqrt(kappa / gamma) * echo * (sigma2 + E(Lambda * B**2 * abar) - cross) + kappa * echo**2,
    evaluation=risk
    - 2 * sqrt(kappa) * echo / spread(sqrt(gamma)) * (sigma2 + E(Lambda * B**2 * abar) - cross)
    + kappa * echo**2,
    where=SHRINKAGE,
    source=_SOURCE,
    derived_from=("optimal.rescaled_risk", "training_error.pruned"),
)

CHAPTER = Chapter(
    "optimal",
    "The optimal rule",
    (
        *(HAS_ROOM, THRESHOLD, UPPER, POSTERIOR, KEPT_GAIN, RESCALED_GAIN, RESCALED_RISK),
        *(LOST, CROSS, ECHO, *RATES, RESCALED_TRAINING_ERROR),
    ),
    meanings={
        lost: E(Lambda * (B - put) ** 2),
        cross: E(Lambda * (B - X) * put),
        echo: E(sqrt(Lambda / gamma) * G1 * put),
    },
)
