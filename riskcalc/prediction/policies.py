"""What each policy's mask is in theory: its moments, the root that its threshold is, its errors.

Formulas are referred to (`riskcalc.references`), so that a prediction whose code is recorded needs no SymPy; those of
one's own may stand in their places. `mask` dispatches on the class of a policy. A new policy registers what its mask
is here or in a file of its own:

    @mask.register
    def _(policy: Steep) -> Mask:
        return Thresholded(Lambda)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property, singledispatch
from typing import TYPE_CHECKING, Any

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
    Subset,
    Variance,
)
from riskcalc.prediction.solvers import NotCovered
from riskcalc.references import groups, masks, merged, optimal, pruning, resolved, sampling, symbols, training_error

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions, FixedPoint, Formula
    from riskcalc.formulas.symbols import Expression


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
    weight : Expr or None
        Of the score, where these use it.
    """

    risk: Formula
    training_error: Formula
    excess_risk: Formula | None = None
    needs: tuple[Formula, ...] = ()
    others: tuple[Formula, ...] = ()
    weight: Expression | None = None

    @property
    def where(self) -> Definitions:
        """Definitions of what these leave open besides the moments of the mask."""
        return {} if self.weight is None else {symbols.omega: self.weight}


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
    moments: Definitions = masks.THRESHOLD_MOMENTS
    interval: Definitions = masks.INTERVAL
    upper: Formula = masks.THRESHOLD_UPPER
    start: Formula | None = None
    needs: tuple[Formula, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    ranks_exact_fits: bool = True
    errors: Errors = UNCHANGED
    chance: Expression | None = masks.REACHED

    @cached_property
    def scored(self) -> Definitions:
        """Definitions of mean and spread of the score."""
        return masks.scored(self.weight)

    @cached_property
    def where(self) -> Definitions:
        """Definitions of the moments."""
        return merged(merged(self.scored, self.interval), self.moments)


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
        f"what the mask of {type(policy).__name__} is in theory is not registered (riskcalc.prediction.policies.mask)"
    )


@cache
def _weighted(weight: Expression) -> Thresholded:
    return Thresholded(weight, start=masks.THRESHOLD_START)


@mask.register
def _(policy: Magnitude) -> Mask:
    return _weighted(masks.MAGNITUDE)


@mask.register
def _(policy: Hessian) -> Mask:
    return _weighted(masks.HESSIAN)


@mask.register
def _(policy: BrainSurgeon) -> Mask:
    return _weighted(masks.SURGEON)


@mask.register
def _(policy: Oracle) -> Mask:
    return Ranked(masks.ORACLE_SCORE)


@mask.register
def _(policy: Variance) -> Mask:
    return Ranked(masks.VARIANCE_SCORE)


@mask.register
def _(policy: Subset) -> Mask:
    raise NotCovered("features have no names where a problem is the law of them; name them in a riskcalc.Correlated")


@mask.register
def _(policy: Random) -> Mask:
    return Drawn(masks.RANDOM)


def _reweighted(growth: Formula, own: Expression) -> Errors:
    """Of a fit whose coefficients are kept by chance, and divided by it."""
    return Errors(
        sampling.RISK,
        sampling.TRAINING_ERROR,
        sampling.EXCESS_RISK,
        needs=(growth,),
        others=(sampling.DISTORTION,),
        weight=own,
    )


@mask.register
def _(policy: Sampled) -> Mask:
    own = weight(policy.ranking)
    if policy.replacement:
        moments, growth = {symbols.omega: own} | sampling.REPLACED, _reweighted(sampling.REPLACED_GROWTH, own)
        return Drawn(moments, growth, (sampling.MEAN_SCORE,), chance=sampling.REPLACED_CHANCE)
    return Thresholded(
        own,
        threshold=sampling.THRESHOLD,
        moments=sampling.MOMENTS,
        upper=sampling.UPPER,
        start=sampling.UPPER,
        needs=(sampling.MEAN_SCORE,),
        ranks_exact_fits=False,
        errors=_reweighted(sampling.GROWTH, own),
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
    from riskcalc.theory.scores import read

    own = read(policy.score)
    if own.weight is not None:
        return Thresholded(own.weight, start=masks.THRESHOLD_START)
    return Scored(own.score, policy.score, own.bends, own.flat)


def score(policy: Ranking) -> Expression:
    """The score of a ranking policy, in X, Lambda, D and nu; TypeError if its mask is no threshold on one."""
    found = _threshold(policy)
    return found.score if isinstance(found, Scored) else masks.score_by(found.weight)


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


def in_full(mask: Any) -> Any:
    """A mask, or its errors, with the formulas that it refers to themselves."""
    parts = {part.name: getattr(mask, part.name) for part in fields(mask)}
    return replace(
        mask, **{name: in_full(one) if isinstance(one, Errors) else resolved(one) for name, one in parts.items()}
    )
