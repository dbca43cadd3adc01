"""What each policy's mask is in theory: its moments, the root that its threshold is, its errors.

`mask` dispatches on the class of a policy. A new policy registers what its mask is here or in a file of its own:

    @mask.register
    def _(policy: Steep) -> Mask:
        return Thresholded(Lambda)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, singledispatch
from itertools import combinations
from typing import Any

import sympy
from sympy import Abs

from riskcalc.expressions import parse
from riskcalc.formulas.records import Definitions, FixedPoint, Formula
from riskcalc.formulas.symbols import Expression
from riskcalc.policies import (
    BrainSurgeon,
    Group,
    Hessian,
    Magnitude,
    Optimal,
    Oracle,
    Policy,
    Random,
    Ranking,
    Sampled,
    Score,
    Variance,
)
from riskcalc.theory import groups, masks, optimal, pruning, sampling, training_error
from riskcalc.theory.masks import scored
from riskcalc.theory.symbols import D, Lambda, X, nu, omega


@dataclass(frozen=True)
class Errors:
    """Errors of a fit behind a mask.

    Attributes
    ----------
    risk, training_error : Formula
        The training error may use what `risk` defines.
    excess_risk : Formula or None
        None where the noise is a term of the risk, to be left out.
    needs : tuple of Formula
        What these use, evaluated before them.
    others : tuple of Formula
        Quantities of this policy alone; each defines the symbol that is called as the quantity is.
    """

    risk: Formula
    training_error: Formula
    excess_risk: Formula | None = None
    needs: tuple[Formula, ...] = ()
    others: tuple[Formula, ...] = ()


# What is kept stays as it is.
UNCHANGED = Errors(pruning.RISK, training_error.PRUNED)


@dataclass(frozen=True)
class Drawn:
    """A mask by chance, without a threshold.

    Attributes
    ----------
    moments : Definitions
        Of the mask, down to what the state holds.
    errors : Errors
    needs : tuple of Formula
        What the moments use, evaluated before them.
    chance : Expr or None
        Of being kept, given the fitted coefficient; None where it is the first moment.
    """

    moments: Definitions
    errors: Errors = UNCHANGED
    needs: tuple[Formula, ...] = ()
    chance: Expression | None = None


@dataclass(frozen=True)
class Ranked:
    """The top of a ranking that no fit decides."""

    score: Expression
    errors: Errors = UNCHANGED


@dataclass(frozen=True)
class Thresholded:
    """Features whose score, a weight times |X|, reaches a threshold; or a mask found by such a root.

    Attributes
    ----------
    weight : Expr
    threshold : FixedPoint
        Its root keeps the budget.
    moments : Definitions
        Of the mask, given the interval.
    interval : Definitions
        What the equation's terms use, from the threshold and from mean and spread of the score.
    upper, start : Formula
        A bound of the root (the largest over the features), and a first trial.
    needs : tuple of Formula
        What these use, evaluated before them.
    numbers : mapping of str to number
        Values of the policy's own symbols.
    ranks_exact_fits : bool
        Whether a fit without error is ranked by its scores; otherwise the root is found there, too.
    errors : Errors
    chance : Expr or None
        Of being kept, given the fitted coefficient; None where others decide, too.
    """

    weight: Expression
    threshold: FixedPoint = masks.THRESHOLD
    moments: Definitions = field(default_factory=lambda: masks.THRESHOLD_MOMENTS)
    interval: Definitions = field(default_factory=lambda: masks.INTERVAL)
    upper: Formula = masks.THRESHOLD_UPPER
    start: Formula | None = None
    needs: tuple[Formula, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    ranks_exact_fits: bool = True
    errors: Errors = UNCHANGED
    chance: Expression | None = masks.REACHED

    @property
    def where(self) -> Definitions:
        """Definitions of the moments."""
        return scored(self.weight) | dict(self.interval) | dict(self.moments)


@dataclass(frozen=True)
class Best:
    """The rule of lowest risk blind to a feature's own coefficient, by what keeping it gains.

    Attributes
    ----------
    gain : Formula
        Where several coefficients are possible, from their posterior mean.
    knows_all : bool
        Whether what it keeps is the true coefficient where the feature's kind tells it.
    errors : Errors
    """

    gain: Formula
    knows_all: bool
    errors: Errors


@dataclass(frozen=True)
class Scored:
    """Features whose score reaches a threshold: any function of X and of what a feature is.

    Attributes
    ----------
    score : Expr
        In X, Lambda, D and nu.
    text : str
        As its author knows it.
    bends : tuple of Expr
        Where one of these is zero the score may turn however briefly: the sums inside it, and by how much what a
        maximum or minimum is of differs.
    flat : bool
        Whether it may be the same on an interval; otherwise scores that are the same there are so by rounding.
    errors : Errors
    """

    score: Expression
    text: str
    bends: tuple[Expression, ...] = ()
    flat: bool = True
    errors: Errors = UNCHANGED


Mask = Drawn | Ranked | Thresholded | Best | Scored


@singledispatch
def mask(policy: Policy) -> Mask:
    """What the mask of a policy is; TypeError where nothing is registered for its class."""
    raise TypeError(
        f"what the mask of {type(policy).__name__} is in theory is not registered (riskcalc.theory.policies.mask)"
    )


@mask.register
def _(policy: Magnitude) -> Mask:
    return Thresholded(masks.MAGNITUDE, start=masks.THRESHOLD_START)


@mask.register
def _(policy: Hessian) -> Mask:
    return Thresholded(masks.HESSIAN, start=masks.THRESHOLD_START)


@mask.register
def _(policy: BrainSurgeon) -> Mask:
    return Thresholded(masks.SURGEON, start=masks.THRESHOLD_START)


@mask.register
def _(policy: Oracle) -> Mask:
    return Ranked(masks.ORACLE_SCORE)


@mask.register
def _(policy: Variance) -> Mask:
    return Ranked(masks.VARIANCE_SCORE)


@mask.register
def _(policy: Random) -> Mask:
    return Drawn(masks.RANDOM)


def _reweighted(growth: Formula) -> Errors:
    """Of a fit whose coefficients are kept by chance, and divided by it."""
    return Errors(
        sampling.RISK,
        sampling.TRAINING_ERROR,
        sampling.EXCESS_RISK,
        needs=(growth,),
        others=(sampling.DISTORTION,),
    )


@mask.register
def _(policy: Sampled) -> Mask:
    own = weight(policy.ranking)
    if policy.replacement:
        moments, growth = {omega: own} | sampling.REPLACED, _reweighted(sampling.REPLACED_GROWTH)
        return Drawn(moments, growth, (sampling.MEAN_SCORE,), chance=sampling.REPLACED_CHANCE)
    return Thresholded(
        own,
        threshold=sampling.THRESHOLD,
        moments=sampling.MOMENTS,
        upper=sampling.UPPER,
        start=sampling.UPPER,
        needs=(sampling.MEAN_SCORE,),
        ranks_exact_fits=False,
        errors=_reweighted(sampling.GROWTH),
        chance=sampling.CHANCE,
    )


@mask.register
def _(policy: Group) -> Mask:
    return Thresholded(
        weight(policy.ranking),
        threshold=groups.THRESHOLD,
        moments=groups.MOMENTS,
        interval=groups.INTERVAL,
        upper=groups.UPPER,
        numbers={"size": policy.size},
        chance=None,
    )


@mask.register
def _(policy: Optimal) -> Mask:
    if policy.rescale:
        told = (optimal.LOST, optimal.CROSS, optimal.ECHO)
        errors = Errors(optimal.RESCALED_RISK, optimal.RESCALED_TRAINING_ERROR, needs=told)
        return Best(optimal.RESCALED_GAIN, True, errors)
    return Best(optimal.KEPT_GAIN, False, UNCHANGED)


@mask.register
def _(policy: Score) -> Mask:
    """In closed form, if it is |X| times a positive weight."""
    return _scored(policy.score)


@lru_cache(maxsize=256)
def _scored(text: str) -> Mask:
    names = {"X": X, "Lambda": Lambda, "D": D, "nu": nu}
    functions = {"abs": sympy.Abs, "max": sympy.Max, "min": sympy.Min}
    functions |= {name: getattr(sympy, name) for name in ("sqrt", "exp", "log", "sign", "tanh", "atan")}
    found = parse(text, tuple(names)).value(names, functions, lambda x: sympy.Rational(x.numerator, x.denominator))
    own = found.subs(X, 1)
    live = own.subs(Lambda, sympy.Dummy("Lambda", positive=True))
    # A weight that is infinite without variance is no weight there, and is refused by the scan if it comes to that.
    known = own.subs(Lambda, 0).is_finite is not False
    if live.is_positive and known and sympy.simplify(found - Abs(X) * own) == 0:
        return Thresholded(own, start=masks.THRESHOLD_START)
    flat = found.has(sympy.Max, sympy.Min, sympy.sign) or len(found.atoms(Abs)) > 1
    return Scored(found, text, tuple(dict.fromkeys(_bends(found))), flat)


def _bends(score: Expression) -> Iterator[Expression]:
    node: Any
    for node in sympy.preorder_traversal(score):
        if node.func in (sympy.Max, sympy.Min):
            yield from (one - other for one, other in combinations(node.args, 2) if (one - other).has(X))
        elif node.is_Add and node.has(X):
            yield node


def score(policy: Ranking) -> Expression:
    """The score of a ranking policy, in X, Lambda, D and nu; TypeError if its mask is no threshold on one."""
    found = _threshold(policy)
    return found.score if isinstance(found, Scored) else found.weight * Abs(X)


def weight(policy: Ranking) -> Expression:
    """The weight of a ranking policy's score; ValueError if that is no weight times |X|."""
    found = _threshold(policy)
    if isinstance(found, Scored):
        raise ValueError(
            f"groups are predicted for scores that are |X| times a positive weight, which {found.text} is not known to "
            "be; simulate it"
        )
    return found.weight


def _threshold(policy: Ranking) -> Thresholded | Scored:
    found = mask(policy)
    if not isinstance(found, (Thresholded, Scored)):
        kind = type(policy).__name__
        raise TypeError(f"{kind} claims to rank by a score, but its mask is {type(found).__name__.lower()}")
    return found
