"""Procedures: what is made of a first fit. Pruned by a policy, in rounds perhaps, and fitted again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import plain
from riskcalc.inert import Inert
from riskcalc.policies.base import (
    Option,
    Policy,
    Ranking,
    Retrain,
    check_policy,
    exact_fractions,
    exact_ridge,
    register,
    whole_number,
)
from riskcalc.policies.rules import Oracle, Subset
from riskcalc.policies.taxonomy import IN_ROUNDS


@register
class Iterative(Policy):
    """Prune in rounds, by the scores of one policy, with a fit on the same sample between them.

    Parameters
    ----------
    policy : type, str or policy
        Such as `Magnitude` or `Hessian`, or its name: ranks the features still kept, by the last fit. Of a policy the
        options count, not the budget.
    keeps : array_like of shape (rounds,)
        Fractions of all features kept after each round, strictly decreasing in (0, 1].
    ridge : float
        Of the fits between rounds; 0 for least squares, or the interpolator of least norm. The penalty's weights stay.

    Raises
    ------
    ValueError
        If a budget is outside (0, 1] or not below the one before it, or for another policy.

    Examples
    --------
    >>> Iterative("magnitude", keeps=["3/5", "9/25", "1/5"]).keep.item()
    Fraction(1, 5)
    """

    name = "iterative"
    taxon = IN_ROUNDS
    choices = (
        Option("policy", Ranking, "Whose scores rank.", "score", "magnitude"),
        Option("keeps", list, "Fractions kept after each round, for --policy iterative: 0.6,0.36,0.2."),
        Option("ridge", str, "Of the fits between rounds.", "retrain-ridge", "0"),
    )

    def __init__(
        self, policy: type[Policy] | Policy | str | dict[str, Any], keeps: ArrayLike, ridge: ArrayLike | str = 0.0
    ):
        self.policy = Ranking.named(policy, "policy")
        if not self.policy.again:
            raise ValueError(
                f"policy must rank the fits of later rounds, too, which {self.policy.kind} does not: the effective "
                "ridge is that of the first fit"
            )
        self.keeps = exact_fractions(keeps, "keeps")
        if self.keeps.ndim != 1:
            raise ValueError(f"keeps must be a list of fractions, one for each round, got {keeps!r}")
        for before, after in pairwise(self.keeps.tolist()):
            if not after < before:
                raise ValueError(f"keeps must decrease from round to round, got {after} after {before}")
        self.ridge = exact_ridge(ridge)
        super().__init__(keep=self.keeps[-1:].reshape(()))

    @classmethod
    def usual(cls, keep: Fraction, n_features: int | None) -> tuple[Policy, ...]:
        """In three rounds, each of which keeps about the same share; of whole numbers of features if there are."""
        parts = n_features or 1 << 20
        counts = [Fraction(round(parts * float(keep) ** (step / 3)), parts) for step in (1, 2)]
        keeps = sorted({one for one in counts if keep < one < 1}, reverse=True)
        return tuple(cls(score, np.array([*keeps, keep], dtype=object)) for score in ("magnitude", "hessian"))

    @property
    def kind(self) -> str:
        """With what ranks."""
        return f"{self.name}_{self.policy.kind}"

    @property
    def label(self) -> str:
        """In words."""
        number = len(self.keeps)
        return f"{self.policy.label} in {'one round' if number == 1 else f'{number} rounds'}"

    @property
    def options(self) -> dict[str, Any]:
        """The ranking policy, the rounds and the ridge between them, as plain values."""
        return {"policy": self.policy.told, "keeps": plain(self.keeps), "ridge": plain(self.ridge)}

    @property
    def _arguments(self) -> dict[str, Any]:
        return {"policy": self.policy, "keeps": self.keeps, "ridge": self.ridge}

    @property
    def shares_score(self) -> bool:
        """As the ranking does."""
        return self.policy.shares_score

    @property
    def knows(self) -> tuple[str, ...]:
        """What the ranking must be told."""
        return self.policy.knows

    @property
    def rounds(self) -> tuple[tuple[Policy, Retrain | None], ...]:
        """The policy at each budget, with the fit that follows; the last round's is the procedure's."""
        every = [self.policy.at(keep=keep) for keep in self.keeps]
        return (*((policy, Retrain(self.ridge)) for policy in every[:-1]), (every[-1], None))

    def at(self, *, keep: ArrayLike | None = None, n_keep: int | None = None) -> Self:
        """ValueError: the rounds have their own budgets."""
        raise ValueError(f"{self!r} has the budgets of its rounds; it is not kept to another")

    def whole(self, n_features: int, given: np.ndarray | None) -> Iterative:
        """The same with whole numbers of features after every round."""
        counts = [whole_number(keep, n_features) for keep in map(np.asarray, self.keeps.tolist())]
        if len(set(counts)) < len(counts):
            raise ValueError(f"of {n_features} features two rounds keep the same number, {counts}; take more samples")
        keeps = np.array([Fraction(count, n_features) for count in counts], dtype=object)
        return Iterative(self.policy, keeps, self.ridge)


def shared_scores(procedures: Iterable[Procedure]) -> str:
    """What a simulation says of models that it scores by the expression of the theory; empty where there is none."""
    shared = dict.fromkeys(one.prune.kind for one in procedures if one.prune is not None and one.prune.shares_score)
    if not shared:
        return ""
    return (
        f"Theory and simulation share the expression of a score ({', '.join(shared)}): give Score a function for a "
        "witness of its own."
    )


@dataclass(frozen=True, eq=False, repr=False)
class Procedure(Inert):
    """A model as it is made: a first fit, pruned by a policy, and fitted again. Without a policy it is the dense fit.

    Attributes
    ----------
    prune : Policy or None
    retrain : Retrain or None
        The fit after pruning.

    Raises
    ------
    TypeError, ValueError
        If `prune` is no policy, or there is a second fit without one.

    Examples
    --------
    >>> from riskcalc.policies import Magnitude
    >>> Procedure(Magnitude(0.1), Retrain()).key, Procedure.small(0.1).key
    ('magnitude+retrain', 'small')
    """

    prune: Policy | None = None
    retrain: Retrain | None = None

    _read: ClassVar[Mapping[str, Any]] = {"prune": Policy, "retrain": Retrain}

    def __post_init__(self):
        if self.retrain is not None and not isinstance(self.retrain, Retrain):
            raise TypeError(f"the fit after pruning must be a riskcalc.Retrain or None, got {self.retrain!r}")
        if self.prune is not None:
            check_policy(self.prune)
        elif self.retrain is not None:
            raise ValueError("retrain needs a policy to prune by before it")

    @classmethod
    def of(cls, prune: Policy | Procedure | None, retrain: bool | Retrain | None) -> Procedure:
        """What the arguments `prune` and `retrain` of the public functions mean."""
        second = Retrain.of(retrain)
        if isinstance(prune, cls):
            if second is not None:
                raise ValueError(f"a procedure says what follows; leave retrain out, got {retrain!r}")
            return prune
        return cls(prune, second)  # pyright: ignore[reportArgumentType]

    @classmethod
    def small(
        cls,
        keep: ArrayLike | str | None = None,
        n_keep: int | None = None,
        by: type[Policy] = Oracle,
        *,
        features: ArrayLike | None = None,
    ) -> Procedure:
        """A small model, fitted as the problem says: told which features are best, on those that a policy keeps, or on
        those that are named.

        ValueError if that policy looks at a fit, which a small model has none before its own.
        """
        if features is not None and (keep is not None or n_keep is not None):
            raise ValueError(f"features say how many are kept; leave keep and n_keep out, got {keep} and {n_keep}")
        check_policy(policy := by(keep, n_keep) if features is None else Subset(features))
        if policy.sees_fit:
            raise ValueError(f"a small model is not on features that {policy.kind} keeps, which looks at a fit")
        return cls(policy, Retrain(None, "fresh"))

    @property
    def is_small(self) -> bool:
        """Whether nothing looks at a sample but the problem's own fit, on the features kept: a small model."""
        own = self.retrain is not None and self.retrain.ridge is None and self.retrain.sample == "fresh"
        return own and self.prune is not None and not self.prune.sees_fit

    @property
    def rounds(self) -> tuple[tuple[Policy, Retrain | None], ...]:
        """Its steps: in each round a policy, and the fit after it. None for the dense fit."""
        if self.prune is None:
            return ()
        *earlier, (last, _) = self.prune.rounds
        return (*earlier, (last, self.retrain))

    @property
    def name(self) -> str:
        """In a word: "dense", "small" (as the oracle says; "small_by_..." as others do), or the policy's name."""
        if self.prune is None:
            return "dense"
        return (self.prune.small_name or f"small_by_{self.prune.name}") if self.is_small else self.prune.name

    @property
    def key(self) -> str:
        """The name, with the policy's options, and whether it is retrained on the same sample or a fresh one."""
        if self.prune is None or self.is_small:
            return self.name
        if self.retrain is None:
            return self.prune.kind
        return f"{self.prune.kind}+{'retrain' if self.retrain.sample == 'same' else 'fresh'}"

    @property
    def label(self) -> str:
        """In words."""
        if self.prune is None:
            return "dense, all features"
        if self.is_small:
            return self.prune.small_label or f"small, {self.prune.label}"
        return self.prune.label if self.retrain is None else f"{self.prune.label}, {self.retrain.label}"

    @property
    def kind(self) -> str:
        """What is made of the first fit, with the options of the policy, and the sample of the second fit."""
        if self.prune is None or self.is_small:
            return self.name
        after = "" if self.retrain is None else f", retrained on the {self.retrain.sample} sample"
        return f"{self.prune.kind}{after}"

    @property
    def feasible(self) -> bool:
        """Whether it meets the budget and can be computed from one sample alone."""
        fresh = self.retrain is not None and self.retrain.sample == "fresh" and not self.is_small
        return self.prune is not None and not self.prune.sees_truth and not fresh

    @property
    def note(self) -> str:
        """Why it is shown, where it is no choice within the budget."""
        if self.prune is None:
            return "over the budget"
        if self.retrain is not None and self.retrain.sample == "fresh" and not self.is_small:
            return "takes a second sample"
        return self.prune.note

    def fits(self, n_features: np.ndarray | None) -> tuple[np.ndarray, ...]:
        """The fits that it takes, one after the other: of which fraction of the features each is.

        No first fit, if all that comes of it is fitted again, and nothing has looked at it.
        """
        whole = np.ones(())
        if self.prune is None:
            return (whole,)
        again = tuple(policy.budget(n_features) for policy, retrain in self.rounds if retrain is not None)
        return again if again and not self.prune.sees_fit else (whole, *again)

    def budget(self, n_features: np.ndarray | None) -> np.ndarray:
        """The exact fraction kept in the end."""
        return np.ones(()) if self.prune is None else self.prune.budget(n_features)

    def whole(self, n_features: int, given: np.ndarray | None) -> Procedure:
        """The same with whole numbers of `n_features` features, for a problem with `given` of them."""
        return self if self.prune is None else Procedure(self.prune.whole(n_features, given), self.retrain)
