"""T2. Groups: g features of one kind (a filter) are kept or dropped together, by the norm of their scores.

The squared norm is s^2 times a noncentral chi-squared variable of g degrees of freedom; the moments of the mask of one
member are its derivatives in that member's mean.
"""

from sympy import Eq, log, sqrt

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import chi_density, chi_inside, chi_outside
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.theory.dense import COEFFICIENT
from riskcalc.theory.masks import SCORE
from riskcalc.theory.symbols import M0, M1, M0bar, M2c, alpha, m, mu, s, size, t, u

_SOURCE = "see the derivation of groups"


def _density(more: int):
    return chi_density(mu, u, size + more, size)


INTERVAL = {u: t / s}
_WHERE = COEFFICIENT | SCORE | INTERVAL


def _moment(name: str, title: str, moment, statement) -> Formula:
    behind = ("dense.coefficient",)
    return Formula(f"groups.{name}", title, moment, statement, _SOURCE, _WHERE, derived_from=behind)


KEPT = _moment("kept", "probability that a group is kept", M0, chi_outside(mu, u, size))
DROPPED = _moment("dropped", "probability that it is dropped", M0bar, chi_inside(mu, u, size))
FIRST = _moment("first_moment", "first masked moment of a member of a group", M1, 2 * mu * _density(2))
SECOND = _moment(
    "second_moment",
    "second masked moment of a member of a group",
    M2c,
    2 * _density(2) + 2 * mu**2 * (_density(4) - _density(2)),
)
MOMENTS = {formula.defines: formula.statement for formula in (KEPT, DROPPED, FIRST, SECOND)}

THRESHOLD = FixedPoint(
    id="groups.threshold",
    title=r"norm that a fraction $\alpha$ of the groups reaches",
    defines=t,
    statement=Eq(E(M0), alpha),
    where=_WHERE | MOMENTS,
    part=chi_outside(mu, u, size),
    remainder=chi_inside(mu, u, size),
    slope=2 * u**2 * _density(0),
    bend=2 * u**2 * ((size - u**2) * _density(0) + size * mu**2 * _density(2)),
    target=alpha,
    assumptions=r"$\alpha < \mathbb{P}(\Lambda > 0)$ and $\gamma > 0$; the root $t > 0$ is then unique",
    source=_SOURCE,
    derived_from=("dense.risk",),
)

UPPER = Formula(
    id="groups.threshold_upper",
    title=r"a threshold that, kind by kind, at most a fraction $\alpha$ reaches; the largest bounds $t$ from above",
    defines=t,
    relation="<=",
    statement=sqrt(size) * (m + s) + s * sqrt(2 * log(1 / alpha)),
    source=r"the norm of $g$ standard normal variables exceeds $\sqrt g + x$ with probability at most $e^{-x^2/2}$",
    derived_from=("groups.threshold",),
)

CHAPTER = Chapter("groups", "Groups", (KEPT, DROPPED, FIRST, SECOND, THRESHOLD, UPPER))
