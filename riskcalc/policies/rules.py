"""Policies that prune once, by a score, by chance, or by the truth."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, count, exact_array, flag, matching_shapes
from riskcalc.policies.base import Option, Policy, Ranking, register, whole_number
from riskcalc.policies.taxonomy import BOUND, BY_SAMPLING, DATA_DRIVEN, DATA_FREE, SECOND_ORDER, STRUCTURED
from riskcalc.quoting import quoted

# Features of a group; the law of a longer norm loses its digits.
LARGEST = 1_000_000
# A number of features is whole within this, of itself.
ROUNDING = 4 * np.finfo(float).eps


@register
class Magnitude(Ranking):
    """Keep the features with the largest fitted coefficients |X|.

    Examples
    --------
    >>> Magnitude(keep=0.1)
    Magnitude(keep=0.1)
    """

    name = "magnitude"
    label = "pruned by magnitude"
    taxon = DATA_FREE
    guarantee = "of all models with so many features, the coefficients nearest to the dense fit's"


@register
class Hessian(Ranking):
    """Keep the features with the largest sqrt(Lambda) |X| (optimal brain damage).

    Examples
    --------
    >>> Hessian(keep="1/10").name
    'hessian'
    """

    name = "hessian"
    label = "pruned by Hessian score"
    taxon, knows = SECOND_ORDER, ("variances",)
    guarantee = "of uncorrelated features, those without which predictions change least"


@register
class BrainSurgeon(Ranking):
    """Keep the features with the largest sqrt(Lambda + D nu) |X|: the optimal brain surgeon's saliency, nu the
    effective ridge.

    The features kept stay as they are, as with every policy. The surgeon's full compensation of what was dropped is
    exactly the fit on the features kept with the problem's own ridge: ``retrain=Retrain(ridge=problem.ridge)``. On a
    sample, the saliency is the squared coefficient over its entry on the diagonal of the inverse Hessian.

    Examples
    --------
    >>> BrainSurgeon(keep=0.1).name
    'surgeon'
    """

    name = "surgeon"
    label = "pruned by surgeon's score"
    again = False
    taxon, knows = SECOND_ORDER, ("the Hessian",)
    computes = "the diagonal of an inverse, a sort"
    guarantee = "the first feature to go is the one without which the fit, compensated, loses least"


@register
class Oracle(Policy):
    """Keep the features with the largest true Lambda B^2; features that tie share what is left.

    Examples
    --------
    >>> Oracle(n_keep=30)
    Oracle(n_keep=30)
    """

    name = "oracle"
    label = "pruned by oracle"
    small_name, small_label = "small", "small, on the best features"
    sees_fit, sees_truth = False, True
    note = "sees the true coefficients"
    taxon, knows = BOUND, ("variances", "true coefficients")
    guarantee = "of uncorrelated features, those whose loss costs least"


@register
class Variance(Policy):
    """Keep the features with the largest variance Lambda; of those that tie, any.

    Examples
    --------
    >>> Variance(keep=0.1).name
    'variance'
    """

    name = "variance"
    label = "pruned by variance"
    small_label = "small, of largest variance"
    sees_fit = False
    taxon, knows = DATA_DRIVEN, ("variances",)


@register
class Random(Policy):
    """Keep features at random.

    Examples
    --------
    >>> Random(keep=[0.1, 0.2]).keep.shape
    (2,)
    """

    name = "random"
    label = "pruned at random"
    small_name, small_label = "small_by_chance", "small, by chance"
    sees_fit, by_chance = False, True
    taxon, computes = DATA_FREE, "nothing"


@register
class Subset(Policy):
    """Keep the features named, of a problem that tells its features apart.

    Parameters
    ----------
    features : array_like of int
        Their places, from 0; each once.

    Raises
    ------
    TypeError, ValueError
        For what is no such list, or names a feature that the problem does not have.

    Examples
    --------
    >>> Subset([20, 0, 10])
    Subset(features=[0, 10, 20])
    """

    name = "subset"
    label = "pruned to the features named"
    small_label = "small, on the features named"
    sees_fit = False
    choices = (
        Option("features", tuple, "Places of the features kept, from 0, for --policy subset: 0,10,20.", "places"),
    )

    def __init__(self, features: ArrayLike):
        places = np.asarray(exact_array(features, "features"))
        if places.ndim != 1 or np.any(places != np.rint(as_float(places))) or np.any(places < 0):
            raise ValueError(f"features must be a list of places, integers from 0, got {quoted(features)}")
        found, counts = np.unique(as_float(places).astype(int), return_counts=True)
        if counts.max() > 1:
            raise ValueError(f"features name {found[counts.argmax()]} twice")
        self.features = found.tolist()
        super().__init__(n_keep=len(found))

    def budget(self, n_features: np.ndarray | None) -> np.ndarray:
        """The exact fraction kept; ValueError if the problem lacks a feature that is named."""
        if n_features is not None and np.any(n_features <= self.features[-1]):
            raise ValueError(f"features name {self.features[-1]}, but there are {n_features.min()}, from 0")
        return super().budget(n_features)

    def at(self, *, keep: ArrayLike | None = None, n_keep: int | None = None) -> Self:
        """ValueError: the features are named."""
        raise ValueError(f"{self!r} names its features; it is not kept to another budget")

    def whole(self, n_features: int, given: np.ndarray | None) -> Self:
        """The same features in every copy, where a larger sample has several copies of all."""
        self.budget(given)
        own = n_features if given is None else int(given)
        if n_features % own:
            raise ValueError(f"{self!r} is of {own} features, of which {n_features} are no copies")
        return type(self)([copy + place for copy in range(0, n_features, own) for place in self.features])


class _OfScores(Policy):
    """A policy that goes by the scores of a ranking, whichever that is."""

    ranking: Ranking

    @property
    def score(self) -> str | dict[str, Any]:
        """The policy whose scores count, as a plain value."""
        return self.ranking.told

    @property
    def shares_score(self) -> bool:
        """As the ranking does."""
        return self.ranking.shares_score

    @property
    def knows(self) -> tuple[str, ...]:
        """What the ranking must be told."""
        return self.ranking.knows

    @property
    def _arguments(self) -> dict[str, Any]:
        return self.options | {"score": self.ranking}


@register
class Sampled(_OfScores):
    """Keep features by chance, in proportion to a score, and reweight what is kept.

    The score is the sensitivity sqrt(Lambda) |X|, for which predictions change least, or |X| times another weight. With
    a sure top (the default) a feature is kept with probability min(1, score / t) and its coefficient divided by it, so
    that it stays unbiased. With `replacement`, as many draws as the budget has features are made, and
    a coefficient is multiplied by its count over the mean count; fewer distinct features than the budget are then kept.
    Retraining uses the mask only.

    Parameters
    ----------
    keep, n_keep
        As for every `Policy`.
    replacement : bool
    score : str, type or policy
        Whose scores: the policy that ranks by them, or its name.

    Examples
    --------
    >>> Sampled(keep=0.1).kind, Sampled(keep=0.1, replacement=True).kind, Sampled(keep=0.1, score=Magnitude).kind
    ('sampled', 'replaced', 'sampled_magnitude')
    """

    name = "sampled"
    taxon, computes = BY_SAMPLING, "scores, draws"
    choices = (
        Option("replacement", bool, "True: --policy sampled draws with replacement."),
        Option("score", Ranking, "Of --policy sampled or group (hessian if left out) or iterative: whose scores."),
    )

    def __init__(
        self,
        keep: ArrayLike | str | None = None,
        n_keep: int | None = None,
        *,
        replacement: bool = False,
        score: str | type[Ranking] | Ranking | dict[str, Any] = "hessian",
    ):
        super().__init__(keep, n_keep)
        self.replacement = flag(replacement, "replacement")
        self.ranking = Ranking.named(score, "score")

    @classmethod
    def usual(cls, keep: Fraction, n_features: int | None) -> tuple[Policy, ...]:
        """With a sure top, and with replacement."""
        return tuple(cls(keep=np.asarray(keep, dtype=object), replacement=repeats) for repeats in (False, True))

    @property
    def repeats(self) -> bool:
        """With replacement."""
        return self.replacement

    @property
    def kind(self) -> str:
        """With replacement, "replaced"; with whose scores, if they are not sensitivities."""
        drawn = "replaced" if self.replacement else self.name
        return drawn if isinstance(self.ranking, Hessian) else f"{drawn}_{self.ranking.kind}"

    @property
    def label(self) -> str:
        """In words."""
        if isinstance(self.ranking, Hessian):
            return "sampled with replacement" if self.replacement else "sampled by sensitivity"
        return self.ranking.label.replace("pruned", "sampled with replacement" if self.replacement else "sampled")


@register
class Optimal(Policy):
    """The prune-only rule of lowest test risk among those that see (x, Lambda, D) of a feature, and the law.

    Keep x unchanged where Lambda (2 x E[B | x, Lambda, D] - x^2) is largest, drop it elsewhere. It bounds every rule
    that keeps or drops coefficients blind to their true values, at the same budget; neither the oracle (which sees
    them), nor rules that rescale, nor anything after retraining. Where (Lambda, D) tells B, the rule knows B.

    Parameters
    ----------
    keep, n_keep
        As for every `Policy`.
    rescale : bool
        Replace what is kept by E[B | x, Lambda, D], and keep where Lambda times its square is largest: the lowest risk
        of any rule blind to B that may change the coefficients it keeps, each from its own (x, Lambda, D).

    Examples
    --------
    >>> Optimal(keep=0.1, rescale=True).kind
    'optimal_rescaled'
    """

    name = "optimal"
    sees_truth = True
    taxon, knows = BOUND, ("variances", "their law")
    computes, is_bound = "posterior means, a sort", True
    choices = (Option("rescale", bool, "True: --policy optimal may rescale what it keeps."),)

    def __init__(self, keep: ArrayLike | str | None = None, n_keep: int | None = None, *, rescale: bool = False):
        super().__init__(keep, n_keep)
        self.rescale = flag(rescale, "rescale")

    @classmethod
    def usual(cls, keep: Fraction, n_features: int | None) -> tuple[Policy, ...]:
        """Keeping or dropping, and rescaling."""
        return tuple(cls(keep=np.asarray(keep, dtype=object), rescale=rescale) for rescale in (False, True))

    @property
    def note(self) -> str:
        """What it bounds, in short."""
        return f"bound: {'rescale' if self.rescale else 'keep or drop'}, blind to the feature's own coefficient"

    @property
    def guarantee(self) -> str:
        """What it bounds."""
        does = "rescales" if self.rescale else "keeps or drops"
        return f"no rule that {does}, blind to a feature's own coefficient, has a lower risk"

    @property
    def kind(self) -> str:
        """With rescaling, "optimal_rescaled"."""
        return "optimal_rescaled" if self.rescale else self.name

    @property
    def label(self) -> str:
        """In words."""
        return f"{'pruned and rescaled' if self.rescale else 'pruned'} by the best blind rule"


@register
class Group(_OfScores):
    """Keep or drop whole groups of `size` features (filters), by the norm of their scores.

    The features of a group are of one kind: they share Lambda, B and D, as the weights of a filter share a layer.

    Parameters
    ----------
    size : int
        Features of a group, a million at most.
    score : str, type or policy
        Of a member: the policy that ranks by it, or its name. "hessian" is sqrt(Lambda) |X|, "magnitude" |X|.
    keep, n_keep
        As for every `Policy`; the fraction of the features kept is that of the groups.

    Examples
    --------
    >>> Group(4, keep=0.25).kind
    'group_hessian'
    """

    name = "group"
    choices = (
        Option("size", int, "Features of a group, for --policy group.", "group-size"),
        Option("score", Ranking, "Of --policy group (hessian if left out) or iterative: whose scores rank."),
    )
    taxon, computes = STRUCTURED, "norms of groups, a sort"
    note = "if features of one kind come in such groups"

    def __init__(
        self,
        size: int,
        score: str | type[Ranking] | Ranking | dict[str, Any] = "hessian",
        *,
        keep: ArrayLike | str | None = None,
        n_keep: int | None = None,
    ):
        super().__init__(keep, n_keep)
        self.size = count(size, "size")
        if self.size > LARGEST:
            raise ValueError(f"size must be at most {LARGEST:,} features, got {size!r}")
        self.ranking = Ranking.named(score, "score")
        if self.n_keep is not None and self.n_keep % self.size:
            raise ValueError(f"n_keep is {self.n_keep}, which groups of {self.size} do not divide")

    @classmethod
    def usual(cls, keep: Fraction, n_features: int | None) -> tuple[Policy, ...]:
        """Groups of four, or of fewer where the number of features, or of those kept, is no multiple of that."""
        whole = 0 if n_features is None else gcd(n_features, round(keep * n_features))
        sizes = [size for size in (4, 3, 2) if whole % size == 0][:1]
        budget = np.asarray(keep, dtype=object)
        return tuple(cls(size, score, keep=budget) for size in sizes for score in ("magnitude", "hessian"))

    @property
    def knows(self) -> tuple[str, ...]:
        """What the ranking must be told, and who belongs together."""
        return (*super().knows, "groups")

    def budget(self, n_features: np.ndarray | None) -> np.ndarray:
        """The exact fraction kept; ValueError if groups divide neither the problem's number of features, nor how many
        of them are kept, where that is a whole number.
        """
        kept = super().budget(n_features)
        if n_features is None:
            return kept
        if np.any(n_features % self.size):
            wrong = n_features[n_features % self.size != 0].flat[0]
            raise ValueError(f"the problem has {wrong} features, which groups of {self.size} do not divide")
        matching_shapes({"keep": kept, "n_features": n_features})
        number = as_float(kept) * n_features
        whole = np.rint(number)
        split = (abs(number - whole) <= ROUNDING * whole) & (whole % self.size != 0)
        if split.any():
            keep, wrong = (np.broadcast_to(array, split.shape)[split][0] for array in (kept, whole))
            raise ValueError(f"keep = {keep} is {wrong:.0f} features, which groups of {self.size} do not divide")
        return kept

    def whole(self, n_features: int, given: np.ndarray | None) -> Self:
        """The same with whole groups, at least one."""
        kept = whole_number(self.budget(given), n_features)
        return self.at(n_keep=max(round(kept / self.size), 1) * self.size)

    @property
    def kind(self) -> str:
        """With its score."""
        return f"{self.name}_{self.ranking.kind}"

    @property
    def label(self) -> str:
        """In words."""
        return self.ranking.label.replace("pruned", "pruned in groups")
